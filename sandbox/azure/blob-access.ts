/** Whether a request may do what it asks: the account's firewall first, then roles; keys may everything, and nobody what is public. */
import { CHALLENGE_SINCE, type StorageOperation, type StorageRight, storageAttributes, storageRights } from "../../facts/azure/storage.js";
import { ANONYMOUS } from "./tokens.js";
import type { BlobRequest } from "./blob-call.js";
import type { AccessAttributes, AzureServiceContext } from "./service.js";
import { storageRefusal } from "./storage-errors.js";
import { type Account, type Container, type StorageState, blobServiceId, containerId } from "./storage-state.js";
import type { AzureError } from "./types.js";

/** Where the sandbox's clients are on the internet, as firewalls see them (RFC 5737). */
export const CLIENT_ADDRESS = "203.0.113.10";

/** Reads that public access can allow, and the level that it takes. https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-configure */
const PUBLIC: Readonly<Partial<Record<StorageOperation, readonly string[]>>> = {
  GetBlob: ["Blob", "Container"],
  GetBlobProperties: ["Blob", "Container"],
  GetBlobMetadata: ["Blob", "Container"],
  GetBlockList: ["Blob", "Container"],
  ListBlobs: ["Container"],
  GetContainerProperties: ["Container"],
  GetContainerMetadata: ["Container"],
};

export class BlobAccess {
  constructor(
    private readonly context: AzureServiceContext,
    private readonly state: StorageState,
  ) {}

  /** Throws AuthorizationFailure where network rules keep the client out, then AuthorizationPermissionMismatch where no role lets it in. */
  require(request: BlobRequest, operation: StorageOperation, asked: Readonly<Record<string, string | readonly string[]>> = {}): void {
    if (this.state.isDisabled(request.account)) throw storageRefusal("AccountIsDisabled");
    this.#requireNetwork(request.account);
    if (request.credential.kind === "key") return;
    if (request.credential.kind === "anonymous") {
      if (!this.#isPublic(request, operation)) throw this.#unauthenticated(request);
      return;
    }
    if (!this.#may(request, storageRights[operation], asked)) throw storageRefusal("AuthorizationPermissionMismatch");
  }

  /** The container that the request names, once it may. */
  open(request: BlobRequest, operation: StorageOperation, asked?: Readonly<Record<string, string | readonly string[]>>): Container {
    this.require(request, operation, asked);
    return this.container(request);
  }

  /** While its container is being deleted, a name answers as one that nothing has; only creations are told. https://learn.microsoft.com/rest/api/storageservices/delete-container#remarks */
  container({ account, container: name }: BlobRequest): Container {
    const container = this.state.container(account, name);
    if (!container) throw storageRefusal("ContainerNotFound");
    return container;
  }

  #may({ account, container, blob, credential }: BlobRequest, { actions, dataAction, subOperation }: StorageRight, asked: Readonly<Record<string, string | readonly string[]>>): boolean {
    const caller = credential.kind === "bearer" ? credential.caller : ANONYMOUS;
    const scope = container === "" ? (actions.some((action) => action.includes("/containers/")) ? blobServiceId(account) : account.id) : containerId(account, container);
    const attributes: AccessAttributes = {
      [storageAttributes.accountName]: account.name,
      ...(container !== "" && { [storageAttributes.containerName]: container }),
      ...(blob !== "" && { [storageAttributes.blobPath]: blob }),
      ...(subOperation !== undefined && { [storageAttributes.subOperation]: subOperation }),
      [storageAttributes.isPrivateLink]: "false",
      ...asked,
    };
    return actions.some((action) => this.context.allows(caller, action, scope, { dataAction, attributes }));
  }

  #requireNetwork({ properties: { publicNetworkAccess, networkAcls } }: Account): void {
    const open = publicNetworkAccess === undefined || publicNetworkAccess === "Enabled";
    const admitted = networkAcls.defaultAction === "Allow" || networkAcls.ipRules.some(({ value }) => isWithin(CLIENT_ADDRESS, value));
    if (!open || !admitted) throw storageRefusal("AuthorizationFailure");
  }

  #isPublic({ account, container }: BlobRequest, operation: StorageOperation): boolean {
    const access = this.state.container(account, container)?.properties.publicAccess;
    return account.properties.allowBlobPublicAccess && access !== undefined && PUBLIC[operation]?.includes(access) === true;
  }

  /** Newer clients are told to bring a token; older ones that there is nothing. */
  #unauthenticated({ account, version, method }: BlobRequest): AzureError {
    if (version >= CHALLENGE_SINCE) return storageRefusal("NoAuthenticationInformation", {}, this.challenge(account));
    if (!account.properties.allowBlobPublicAccess) return storageRefusal("PublicAccessNotPermitted");
    return storageRefusal(method === "GET" || method === "HEAD" ? "ResourceNotFound" : "AuthenticationFailed");
  }

  /** Names the tenant that the account trusts, whoever asks. */
  challenge(account: Account): Record<string, string> {
    const { loginHost } = this.state.cloudOf(account);
    return { "www-authenticate": `Bearer authorization_uri=https://${loginHost}/${this.state.tenantOf(account)}/oauth2/authorize resource_id=https://storage.azure.com` };
  }
}

/** Whether an IPv4 address is the other one, or in its range `a.b.c.d/bits`. */
function isWithin(address: string, range: string): boolean {
  const [base = "", bits = "32"] = range.split("/");
  const size = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(base) / size);
}

const numberOf = (address: string): number => address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
