/** Operations on containers by the Blob service. https://learn.microsoft.com/rest/api/storageservices/operations-on-containers */
import type { BlobAccess } from "./blob-access.js";
import { type BlobAnswer, type BlobRequest, httpDate, metadataHeaders, readMetadata } from "./blob-call.js";
import { assertWriteConditions } from "./blob-conditions.js";
import { listBlobs } from "./blob-listing.js";
import type { BlobOperation } from "./blob-dispatch.js";
import type { BlobStore } from "./blob-store.js";
import { assertCreatable, assertPublicAccess } from "./storage-containers.js";
import { storageRefusal } from "./storage-errors.js";
import { assertContainerUnprotected } from "./storage-immutability.js";
import type { Container, PublicAccess, StorageState } from "./storage-state.js";
import { xmlDocument, XML_TYPE } from "./storage-xml.js";

const LEVELS: Readonly<Record<string, PublicAccess>> = { container: "Container", blob: "Blob" };

export function containerOperations(access: BlobAccess, state: StorageState, store: BlobStore): BlobOperation[] {
  const operation = (name: string, method: BlobOperation["method"], comp: string, run: BlobOperation["run"]): BlobOperation => ({ name, level: "container", method, comp, run });
  const properties = (request: BlobRequest): BlobAnswer => ({ status: 200, headers: containerHeaders(access.open(request, "GetContainerProperties")) });
  const metadata = (request: BlobRequest): BlobAnswer => {
    const container = access.open(request, "GetContainerMetadata");
    return { status: 200, headers: { ...stateHeaders(container), ...metadataHeaders(container.properties.metadata) } };
  };
  const acl = (request: BlobRequest): BlobAnswer => {
    const container = access.open(request, "GetContainerAcl");
    return { status: 200, headers: { "content-type": XML_TYPE, ...stateHeaders(container), ...publicHeader(container) }, body: xmlDocument("SignedIdentifiers", []) };
  };
  return [
    operation("CreateContainer", "PUT", "", (request) => create(access, state, request)),
    operation("GetContainerProperties", "GET", "", properties),
    operation("GetContainerProperties", "HEAD", "", properties),
    operation("DeleteContainer", "DELETE", "", (request) => {
      const container = access.open(request, "DeleteContainer");
      assertWriteConditions(request.headers, conditionsOf(container));
      assertContainerUnprotected(container);
      state.deleteContainer(request.account, container);
      return { status: 202 };
    }),
    operation("GetContainerMetadata", "GET", "metadata", metadata),
    operation("GetContainerMetadata", "HEAD", "metadata", metadata),
    operation("SetContainerMetadata", "PUT", "metadata", (request) => {
      const container = access.open(request, "SetContainerMetadata");
      assertWriteConditions(request.headers, conditionsOf(container));
      const changed = state.putContainer({ ...container, properties: { ...container.properties, metadata: readMetadata(request.headers) } });
      return { status: 200, headers: stateHeaders(changed) };
    }),
    operation("GetContainerAcl", "GET", "acl", acl),
    operation("GetContainerAcl", "HEAD", "acl", acl),
    operation("SetContainerAcl", "PUT", "acl", (request) => {
      const container = access.open(request, "SetContainerAcl");
      const publicAccess = readPublicAccess(request);
      const changed = state.putContainer({ ...container, properties: { ...container.properties, publicAccess } });
      return { status: 200, headers: stateHeaders(changed) };
    }),
    operation("RestoreContainer", "PUT", "undelete", (request) => restore(access, state, request)),
    operation("ListBlobs", "GET", "list", (request) => listBlobs(access, state, store, request)),
  ];
}

function create(access: BlobAccess, state: StorageState, request: BlobRequest): BlobAnswer {
  access.require(request, "CreateContainer");
  const { account, container: name } = request;
  if (state.container(account, name)) throw storageRefusal("ContainerAlreadyExists");
  assertCreatable({ state }, account, name);
  const fresh = state.newContainer(account, name);
  const properties = { ...fresh.properties, publicAccess: readPublicAccess(request), metadata: readMetadata(request.headers) };
  return { status: 201, headers: stateHeaders(state.putContainer({ ...fresh, properties })) };
}

function restore(access: BlobAccess, state: StorageState, request: BlobRequest): BlobAnswer {
  access.require(request, "RestoreContainer");
  const { account, container: name, headers } = request;
  const { "x-ms-deleted-container-name": from, "x-ms-deleted-container-version": version } = headers;
  const deleted = state.deletedContainers(account).find((each) => each.container.name === from && each.version === version);
  if (!deleted || from !== name) throw storageRefusal("ContainerNotFound");
  if (state.container(account, name)) throw storageRefusal("ContainerAlreadyExists");
  state.restoreContainer(account, deleted);
  return { status: 201 };
}

function readPublicAccess({ account, headers }: BlobRequest): PublicAccess {
  const given = headers["x-ms-blob-public-access"];
  if (given === undefined) return "None";
  const level = LEVELS[given.toLowerCase()];
  if (!level) throw storageRefusal("InvalidHeaderValue", { HeaderName: "x-ms-blob-public-access", HeaderValue: given });
  assertPublicAccess(account, level);
  return level;
}

const conditionsOf = ({ etag, properties }: Container): { etag: string | undefined; lastModified: string } => ({ etag, lastModified: properties.lastModifiedTime });

const stateHeaders = ({ etag = "", properties }: Container): Record<string, string> => ({ etag, "last-modified": httpDate(properties.lastModifiedTime) });

const publicHeader = ({ properties: { publicAccess } }: Container): Record<string, string> => (publicAccess === "None" ? {} : { "x-ms-blob-public-access": publicAccess.toLowerCase() });

function containerHeaders(container: Container): Record<string, string> {
  const { metadata, immutabilityPolicy, legalHolds, defaultEncryptionScope, denyEncryptionScopeOverride } = container.properties;
  return {
    ...stateHeaders(container),
    ...publicHeader(container),
    "x-ms-lease-status": "unlocked",
    "x-ms-lease-state": "available",
    "x-ms-has-immutability-policy": String(immutabilityPolicy !== undefined),
    "x-ms-has-legal-hold": String(legalHolds.length > 0),
    "x-ms-immutable-storage-with-versioning-enabled": "false",
    "x-ms-default-encryption-scope": defaultEncryptionScope ?? "$account-encryption-key",
    "x-ms-deny-encryption-scope-override": String(denyEncryptionScopeOverride ?? false),
    ...metadataHeaders(metadata),
  };
}
