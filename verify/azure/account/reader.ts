/** Reads subscription and directory with the credentials of somebody who may. Every document once a run. */
import type { AzureExchange } from "../../../contract/schema.js";
import type { API_VERSIONS } from "../../../facts/azure/api-versions.js";
import type { AzureCloudFacts } from "../../../facts/azure/clouds.js";
import { builtInRole, roleGuid } from "../../../facts/azure/roles.js";
import type { DenyAssignment, ManagementLock, RoleAssignment, RoleDefinition } from "../../../trust/azure/types.js";
import { isJsonObject, type JsonObject } from "../../../trust/jwt.js";
import { InputError } from "../../input-error.js";
import type { Network } from "../../network.js";
import type { AzureCredentials } from "../../options.js";
import type { Scrubber } from "../../scrub.js";
import { ask, describeAnswer, isOverload, type AzureAnswer } from "../answers.js";
import { armUrl, scopeOf, type Resource } from "../endpoints.js";
import { accessToken } from "./credentials.js";

export type Reading<T> = { status: "read"; value: T } | { status: "absent"; detail: string } | { status: "unreadable"; reason: string };

export function mapReading<T, U>(reading: Reading<T>, map: (value: T) => U): Reading<U> {
  return reading.status === "read" ? { status: "read", value: map(reading.value) } : reading;
}

export interface ReaderOptions {
  network: Network;
  scrubber: Scrubber;
  exchange: AzureExchange;
  cloud: AzureCloudFacts;
  credentials: AzureCredentials;
  signal: AbortSignal;
}

type Version = keyof typeof API_VERSIONS;

export class AzureDocuments {
  readonly #documents = new Map<string, Promise<Reading<JsonObject>>>();
  readonly #tokens = new Map<Resource, Promise<string>>();

  constructor(private readonly options: ReaderOptions) {}

  get exchange(): AzureExchange {
    return this.options.exchange;
  }

  /** @throws InputError when there are no credentials, or they may not see what the contract is of */
  async assertCaller(): Promise<void> {
    const { subscriptionId } = this.exchange;
    if (subscriptionId === undefined) {
      await this.#token("graph");
      return;
    }
    const subscription = await this.subscription(subscriptionId);
    if (subscription.status === "read") return;
    const reason = subscription.status === "absent" ? subscription.detail : subscription.reason;
    throw new InputError(`The credentials for --account cannot read subscription ${subscriptionId} (${reason}): use those of somebody with the role Reader there; \`az login\` and \`az account set --subscription ${subscriptionId}\` give them.`);
  }

  subscription(id: string): Promise<Reading<JsonObject>> {
    return this.arm(`/subscriptions/${id}`, "subscriptions");
  }

  group(id: string): Promise<Reading<JsonObject>> {
    return this.arm(id, "resources");
  }

  /** State of a resource provider's registration, such as `Registered`. */
  async registration(subscriptionId: string, namespace: string): Promise<Reading<string>> {
    return mapReading(await this.arm(`/subscriptions/${subscriptionId}/providers/${namespace}`, "resources"), ({ registrationState }) => String(registrationState));
  }

  // ---- identity ----

  /** The managed identity or the application, whichever carries the credential. */
  identity(): Promise<Reading<JsonObject>> {
    const { identity } = this.exchange;
    return identity.kind === "managed-identity" ? this.arm(identity.resourceId, "managedIdentity") : this.graph(`/applications/${identity.objectId}`);
  }

  /** Of the tenant's service principals the one with an application id; absent where there is none. */
  servicePrincipal(appId: string): Promise<Reading<JsonObject>> {
    return this.graph(`/servicePrincipals(appId='${appId}')`);
  }

  /** Flexible ones are among them: they have an expression and no subject. */
  async federatedCredentials(): Promise<Reading<JsonObject[]>> {
    const { identity } = this.exchange;
    const path = "federatedIdentityCredentials";
    const reading = identity.kind === "managed-identity" ? await this.arm(`${identity.resourceId}/${path}`, "managedIdentity") : await this.graph(`/applications/${identity.objectId}/${path}`);
    return mapReading(reading, ({ value }) => objects(value).map((one) => ({ ...one, ...(isJsonObject(one["properties"]) ? one["properties"] : {}) })));
  }

  // ---- rights ----

  /** Of a principal, everywhere in the subscription and above it. */
  async assignmentsOf(subscriptionId: string, principalId: string): Promise<Reading<RoleAssignment[]>> {
    const reading = await this.arm(`/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleAssignments`, "roleAssignments", `&$filter=${encodeURIComponent(`principalId eq '${principalId}'`)}`);
    return mapReading(reading, ({ value }) => objects(value).map(asAssignment));
  }

  /** Whosever, on the scope and above it. */
  async assignmentsAt(scope: string): Promise<Reading<RoleAssignment[]>> {
    const reading = await this.arm(`${scope}/providers/Microsoft.Authorization/roleAssignments`, "roleAssignments", `&$filter=${encodeURIComponent("atScope()")}`);
    return mapReading(reading, ({ value }) => objects(value).map(asAssignment));
  }

  async denyAssignments(scope: string): Promise<Reading<DenyAssignment[]>> {
    const reading = await this.arm(`${scope}/providers/Microsoft.Authorization/denyAssignments`, "denyAssignments", `&$filter=${encodeURIComponent("atScope()")}`);
    return mapReading(reading, ({ value }) => objects(value).map(asDeny));
  }

  /** Built-in roles are known; a custom one is read. Undefined for one that is not there. */
  async role(roleDefinitionId: string): Promise<RoleDefinition | undefined> {
    const guid = roleGuid(roleDefinitionId) ?? "";
    const known = builtInRole(guid);
    if (known) return { name: guid, roleName: known.roleName, permissions: known.permissions };
    const reading = await this.arm(roleDefinitionId, "roleDefinitions");
    if (reading.status !== "read" || !isJsonObject(reading.value["properties"])) return undefined;
    const { roleName, permissions } = reading.value["properties"];
    return { name: guid, roleName: String(roleName), permissions: objects(permissions).map(asPermissions) };
  }

  /** Of the whole subscription. */
  async locks(subscriptionId: string): Promise<Reading<ManagementLock[]>> {
    const reading = await this.arm(`/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/locks`, "locks");
    return mapReading(reading, ({ value }) =>
      objects(value).map((lock) => {
        const id = String(lock["id"]);
        const { level } = properties(lock);
        return { id, scope: id.replace(/\/providers\/Microsoft\.Authorization\/locks\/[^/]+$/i, ""), level: level === "ReadOnly" ? "ReadOnly" : "CanNotDelete" };
      }),
    );
  }

  /** Of policies, at a scope and above it. */
  async policyAssignments(scope: string): Promise<Reading<JsonObject[]>> {
    return mapReading(await this.arm(`${scope}/providers/Microsoft.Authorization/policyAssignments`, "policies", `&$filter=${encodeURIComponent("atScope()")}`), ({ value }) => objects(value));
  }

  policyDefinition(id: string): Promise<Reading<JsonObject>> {
    return this.arm(id, "policies");
  }

  // ---- anything ----

  /** @param id ARM id */
  arm(id: string, version: Version, query = ""): Promise<Reading<JsonObject>> {
    return this.#once("arm", armUrl(this.options.cloud, id, version, query));
  }

  graph(path: string): Promise<Reading<JsonObject>> {
    return this.#once("graph", `https://${this.options.cloud.graphHost}/v1.0${path}`);
  }

  /** Settings that only a POST shows; its answer may hold secrets, of which the caller keeps none. */
  async listed(id: string, version: Version): Promise<Reading<JsonObject>> {
    const { network, signal, cloud } = this.options;
    const url = armUrl(cloud, id, version);
    return reading(await ask(network, { method: "POST", url, accessToken: await this.#token("arm") }, signal), url);
  }

  #once(resource: Resource, url: string): Promise<Reading<JsonObject>> {
    const known = this.#documents.get(url);
    if (known) return known;
    const made = this.#read(resource, url);
    this.#documents.set(url, made);
    return made;
  }

  /** Lists come in pages. */
  async #read(resource: Resource, url: string): Promise<Reading<JsonObject>> {
    const { network, signal } = this.options;
    const token = await this.#token(resource);
    const first = reading(await ask(network, { method: "GET", url, accessToken: token }, signal), url);
    if (first.status !== "read" || !Array.isArray(first.value["value"])) return first;
    const all: unknown[] = [...(first.value["value"] as unknown[])];
    for (let next = nextLink(first.value); next !== undefined; ) {
      const page = reading(await ask(network, { method: "GET", url: next, accessToken: token }, signal), next);
      if (page.status !== "read") return page;
      all.push(...objects(page.value["value"]));
      next = nextLink(page.value);
    }
    return { status: "read", value: { ...first.value, value: all } };
  }

  #token(resource: Resource): Promise<string> {
    const known = this.#tokens.get(resource);
    if (known) return known;
    const { credentials, cloud, scrubber } = this.options;
    const made = accessToken(credentials, scopeOf(resource, cloud)).then((token) => {
      scrubber.register(token);
      return token;
    });
    this.#tokens.set(resource, made);
    return made;
  }
}

function nextLink(page: JsonObject): string | undefined {
  const link = page["nextLink"] ?? page["@odata.nextLink"];
  return typeof link === "string" && link !== "" ? link : undefined;
}

function reading(answer: AzureAnswer, url: string): Reading<JsonObject> {
  if (answer.ok) return { status: "read", value: answer.json };
  const seen = `${decodeURIComponent(new URL(url).pathname)}: ${describeAnswer(answer)}`;
  if (answer.kind === "refused" && answer.httpStatus === 404 && !isOverload(answer)) return { status: "absent", detail: seen };
  return { status: "unreadable", reason: seen };
}

export function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

export function properties(resource: JsonObject): JsonObject {
  return isJsonObject(resource["properties"]) ? resource["properties"] : {};
}

export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function asAssignment(resource: JsonObject): RoleAssignment {
  const { scope, roleDefinitionId, principalId, condition, conditionVersion } = properties(resource);
  return {
    id: String(resource["id"]),
    scope: String(scope),
    roleDefinitionId: String(roleDefinitionId),
    principalId: String(principalId),
    condition: typeof condition === "string" ? condition : undefined,
    conditionVersion: typeof conditionVersion === "string" ? conditionVersion : undefined,
  };
}

function asPermissions(permissions: JsonObject): RoleDefinition["permissions"][number] {
  const { actions, notActions, dataActions, notDataActions } = permissions;
  return { actions: strings(actions), notActions: strings(notActions), dataActions: strings(dataActions), notDataActions: strings(notDataActions) };
}

function asDeny(resource: JsonObject): DenyAssignment {
  const { denyAssignmentName, scope, permissions, principals, excludePrincipals, doNotApplyToChildScopes } = properties(resource);
  const ids = (value: unknown) => objects(value).map(({ id }) => String(id));
  return {
    id: String(resource["id"]),
    name: String(denyAssignmentName),
    scope: String(scope),
    permissions: objects(permissions).map(asPermissions),
    principalIds: ids(principals),
    excludePrincipalIds: ids(excludePrincipals),
    doNotApplyToChildScopes: doNotApplyToChildScopes === true,
  };
}
