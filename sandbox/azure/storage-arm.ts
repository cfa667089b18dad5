/** What every ARM method of Azure Storage begins with: which account is meant, whether the caller may, whether it is there. */
import { ACCOUNT_TYPE, type Account, type Container, type StorageState } from "./storage-state.js";
import { groupId, parseArmId } from "./arm-ids.js";
import { invalidContent, parentNotFound, resourceNotFound } from "./arm-errors.js";
import type { AzureRequest, AzureServiceContext } from "./service.js";
import { storageRefusal } from "./storage-errors.js";
import { AzureError } from "./types.js";

export const ACCOUNTS = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${ACCOUNT_TYPE}`;
export const ACCOUNT = `${ACCOUNTS}/{account}`;
export const BLOB_SERVICE = `${ACCOUNT}/blobServices/default`;
export const CONTAINERS = `${BLOB_SERVICE}/containers`;
export const CONTAINER = `${CONTAINERS}/{container}`;

/** Actions that are neither reads nor deletions change something. */
function verbOf(action: string): "read" | "write" | "delete" {
  const verb = action.split("/").at(-1);
  return verb === "read" || verb === "delete" ? verb : "write";
}

export class StorageArm {
  constructor(
    readonly context: AzureServiceContext,
    readonly state: StorageState,
  ) {}

  accountId({ params }: AzureRequest): string {
    return `${groupId(params["subscription"] ?? "", params["group"] ?? "")}/providers/${ACCOUNT_TYPE}/${params["account"] ?? ""}`;
  }

  /** The account, where the caller may do this `action` on what is `below` it (default: on itself). */
  account(request: AzureRequest, action: string, below = ""): Account {
    const id = this.accountId(request);
    this.context.require(request.caller, `${ACCOUNT_TYPE}/${action}`, `${id}${below}`);
    this.requireGroup(request);
    const account = this.context.resources.get(id) as Account | undefined;
    if (account) return account;
    const parsed = parseArmId(id);
    const verb = verbOf(action);
    if (below !== "" && verb !== "read") throw parentNotFound(verb, `${ACCOUNT_TYPE}${typesOf(below)}`, id);
    throw parsed ? resourceNotFound(parsed) : invalidContent(`'${id}' is no resource id.`);
  }

  /** For changes: not while a lock forbids them. */
  changed(request: AzureRequest, action: string, below = ""): Account {
    const account = this.account(request, action, below);
    this.context.assertUnlocked(`${account.id}${below}`, verbOf(action) === "delete" ? "delete" : "write");
    return account;
  }

  requireGroup({ params }: AzureRequest): void {
    this.context.groupOf(params["subscription"] ?? "", params["group"] ?? "");
  }

  /** An existing container, with its account; `action` as roles name it below `blobServices/containers`. */
  container(request: AzureRequest, action: string): { account: Account; container: Container } {
    const name = request.params["container"] ?? "";
    const below = `/blobServices/default/containers/${name}`;
    const permission = `blobServices/containers/${action}`;
    const account = verbOf(action) === "read" ? this.account(request, permission, below) : this.changed(request, permission, below);
    const container = this.state.container(account, name);
    if (!container) throw storageRefusal("ContainerNotFound");
    return { account, container };
  }
}

/** `/blobServices/default/containers/c` → `/blobServices/containers`. */
const typesOf = (below: string): string => below.split("/").slice(1).filter((_, index) => index % 2 === 0).map((type) => `/${type}`).join("");

/** The body's `properties`, or nothing. */
export function propertiesOf({ body }: AzureRequest): Record<string, unknown> {
  const properties = isObject(body) ? body["properties"] : undefined;
  if (properties !== undefined && properties !== null && !isObject(properties)) throw invalidContent("Error converting value of 'properties'");
  return isObject(properties) ? properties : {};
}

export const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** https://learn.microsoft.com/rest/api/storagerp: values that an account's property cannot have. */
export const invalidValue = (value: unknown, property: string): AzureError =>
  new AzureError(400, "InvalidRequestPropertyValue", `The value '${typeof value === "string" ? value : JSON.stringify(value)}' is not allowed for property ${property}.`);

/** `If-Match` of policies; everything matches where there is none. */
export function assertMatches({ headers }: AzureRequest, etag: string | undefined): void {
  const wanted = headers["if-match"];
  if (wanted === undefined || wanted === "" || wanted === "*") return;
  if (wanted.replaceAll('"', "") !== etag?.replaceAll('"', "")) throw storageRefusal("ConditionNotMet");
}
