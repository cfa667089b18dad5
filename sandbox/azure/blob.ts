/** The Blob service in the sandbox: containers and blobs under every account's own host, or at `/ACCOUNT/…` of the sandbox's address. https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api */
import { randomUUID } from "node:crypto";
import { azureClouds } from "../../facts/azure/clouds.js";
import { DEFAULT_STORAGE_VERSION, STORAGE_AUDIENCE, storageVersions } from "../../facts/azure/storage.js";
import type { WireRequest, WireResponse } from "../types.js";
import { isLoopback } from "../wire.js";
import { BlobAccess } from "./blob-access.js";
import { BlobAuthentication } from "./blob-authentication.js";
import { blobOperations } from "./blob-operations.js";
import { blockOperations } from "./blob-block-operations.js";
import type { BlobAddress, BlobCredential, BlobRequest } from "./blob-call.js";
import { containerOperations } from "./blob-container-operations.js";
import { type BlobOperation, findOperation } from "./blob-dispatch.js";
import { serviceOperations } from "./blob-service-operations.js";
import { BlobStore } from "./blob-store.js";
import { BlobVersions } from "./blob-versions.js";
import { type AzureRequest, type AzureRoute, type AzureService, type AzureServiceContext, RawAnswer } from "./service.js";
import { isContainerName } from "./storage-containers.js";
import { renderBlobError, storageRefusal } from "./storage-errors.js";
import { type Account, StorageState } from "./storage-state.js";

const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE"] as const;
const SUFFIXES = Object.values(azureClouds).map(({ blobSuffix }) => `.${blobSuffix}`);

export function createBlob(context: AzureServiceContext): AzureService {
  const state = new StorageState(context);
  const store = new BlobStore(context.core.store, state);
  const access = new BlobAccess(context, state);
  const authentication = new BlobAuthentication(context, state, access);
  const parts = { access, state, store, versions: new BlobVersions(store, state) };
  const operations: BlobOperation[] = [...serviceOperations(access, state), ...containerOperations(access, state, store), ...blobOperations(parts), ...blockOperations(parts)];

  /**
   * Undefined where the host is of no account. In Azure its name does not resolve then (ENOTFOUND); here the proxy refuses the
   * connection (403 to CONNECT, with the host's name), so that no client gets an answer of a Blob service.
   */
  function accountAt(host: string): Account | undefined {
    const suffix = SUFFIXES.find((each) => host.endsWith(each));
    const account = suffix === undefined ? undefined : state.account(host.slice(0, -suffix.length));
    return account && suffix === `.${state.cloudOf(account).blobSuffix}` ? account : undefined;
  }

  function addressOf(request: WireRequest): (BlobAddress & { endpoint: string }) | undefined {
    const path = (request.rawTarget.split("?")[0] ?? "/").slice(1);
    const [first = "", ...rest] = path.split("/");
    const own = accountAt(request.host);
    if (own) return { account: own, ...split(path, request.url.searchParams), endpoint: `${request.url.origin}/` };
    const account = isLoopback(request.host) && isOfClient(request) ? state.account(first) : undefined;
    return account && { account, ...split(rest.join("/"), request.url.searchParams), endpoint: `${request.url.origin}/${account.name}` };
  }

  async function perform(request: Omit<BlobRequest, "credential">, credential: () => BlobCredential): Promise<WireResponse> {
    if (request.container !== "" && !isContainerName(request.container)) throw storageRefusal("InvalidResourceName");
    const operation = findOperation(operations, request);
    await context.core.enter(`blob:${operation.name}`);
    return operation.run({ ...request, credential: credential() });
  }

  async function overWire(wire: WireRequest, address: BlobAddress & { endpoint: string }): Promise<WireResponse> {
    const requestId = randomUUID();
    const version = wire.headers["x-ms-version"] ?? DEFAULT_STORAGE_VERSION;
    const common = {
      server: "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
      "x-ms-request-id": requestId,
      "x-ms-version": version,
      ...(wire.headers["x-ms-client-request-id"] !== undefined && { "x-ms-client-request-id": wire.headers["x-ms-client-request-id"] }),
    };
    try {
      if (!wire.secure && address.account.properties.supportsHttpsTrafficOnly) throw storageRefusal("AccountRequiresHttps");
      if (!storageVersions.includes(version)) throw storageRefusal("InvalidHeaderValue", { HeaderName: "x-ms-version", HeaderValue: version });
      const { method, url, headers, body } = wire;
      const request = { ...address, method, query: url.searchParams, headers, body, version };
      const answer = await perform(request, () => authentication.credentialOf(wire, address.account, version));
      return { ...answer, headers: { ...common, ...answer.headers } };
    } catch (error) {
      const answer = renderBlobError(error, requestId, state.now());
      return { ...answer, headers: { ...common, ...answer.headers } };
    }
  }

  async function pastWire({ caller, method, url, query, raw }: AzureRequest): Promise<RawAnswer> {
    const account = accountAt(url.hostname);
    if (!account) throw storageRefusal("ResourceNotFound");
    const headers = { "x-ms-blob-type": "BlockBlob" };
    const request = { account, ...split(url.pathname.slice(1), query), method, query, headers, body: raw, version: storageVersions.at(-1) ?? "", endpoint: `${url.origin}/` };
    return new RawAnswer(await perform(request, () => ({ kind: "bearer", caller })));
  }

  const route = (method: AzureRoute["method"], path: string): AzureRoute => ({ method, path, operation: "blob:Request", run: pastWire });
  return {
    name: "blob",
    serves: (host) => accountAt(host) !== undefined,
    audiences: (cloud) => [STORAGE_AUDIENCE, ...state.accounts().flatMap((account) => (state.cloudOf(account) === cloud ? [`https://${account.name}.${cloud.blobSuffix}`] : []))],
    routes: METHODS.flatMap((method) => [route(method, "/"), route(method, "/{path=**}")]),
    servesDirect: (request) => addressOf(request) !== undefined,
    handle(request) {
      const address = addressOf(request);
      return address && overWire(request, address);
    },
  };
}

/** What no other client of the sandbox's own address sends. */
function isOfClient({ headers, url }: WireRequest): boolean {
  return headers["x-ms-version"] !== undefined || /^(?:bearer|shared-?key) /i.test(headers["authorization"] ?? "") || url.searchParams.has("sv");
}

/** Container and blob of a path; one segment alone is a container only where the request says so, and a blob of the root container otherwise. */
function split(path: string, query: URLSearchParams): { container: string; blob: string } {
  const [container = "", ...rest] = path.split("/");
  const blob = decode(rest.join("/"));
  if (container === "" || blob !== "" || query.get("restype") === "container") return { container: decode(container), blob };
  return { container: "$root", blob: decode(container) };
}

/** A `%` that begins no escape stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
