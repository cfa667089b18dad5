/** Operations on a blob as a whole: put, read, describe, delete and restore. https://learn.microsoft.com/rest/api/storageservices/operations-on-blobs */
import { blobTiers, storageAttributes, storageLimits } from "../../facts/azure/storage.js";
import type { BlobAccess } from "./blob-access.js";
import { type BlobAnswer, type BlobRequest, md5, metadataHeaders, readMetadata } from "./blob-call.js";
import { checkContent, crc64 } from "./blob-checksums.js";
import { assertReadConditions, assertWriteConditions } from "./blob-conditions.js";
import type { BlobOperation } from "./blob-dispatch.js";
import { readRange } from "./blob-ranges.js";
import { type BlobSettings, type BlobStore, type BlobVersion, type StoredBlob } from "./blob-store.js";
import type { BlobVersions } from "./blob-versions.js";
import { blobHeaders, stateHeaders } from "./blob-views.js";
import { storageRefusal } from "./storage-errors.js";
import { assertMutable } from "./storage-immutability.js";
import type { Container, StorageState } from "./storage-state.js";

export interface BlobParts {
  access: BlobAccess;
  state: StorageState;
  store: BlobStore;
  versions: BlobVersions;
}

export function blobOperations(parts: BlobParts): BlobOperation[] {
  const operation = (name: string, method: BlobOperation["method"], comp: string, run: BlobOperation["run"]): BlobOperation => ({ name, level: "blob", method, comp, run });
  const metadata = (request: BlobRequest): BlobAnswer => {
    const { version } = openForRead(parts, request, "GetBlobMetadata");
    return { status: 200, headers: { ...stateHeaders(version), ...metadataHeaders(version.metadata) } };
  };
  return [
    operation("PutBlob", "PUT", "", (request) => put(parts, request)),
    operation("GetBlob", "GET", "", (request) => read(parts, request)),
    operation("GetBlobProperties", "HEAD", "", (request) => {
      const { version, isCurrent } = openForRead(parts, request, "GetBlobProperties");
      return { status: 200, headers: { ...blobHeaders(request, version, isCurrent), "content-length": String(version.size) } };
    }),
    operation("DeleteBlob", "DELETE", "", (request) => remove(parts, request)),
    operation("UndeleteBlob", "PUT", "undelete", (request) => {
      const container = parts.access.open(request, "UndeleteBlob");
      parts.versions.restore(container, parts.store.blob(container, request.blob));
      return { status: 200 };
    }),
    operation("GetBlobMetadata", "GET", "metadata", metadata),
    operation("GetBlobMetadata", "HEAD", "metadata", metadata),
    operation("SetBlobMetadata", "PUT", "metadata", (request) => {
      const { container, blob, current } = openForChange(parts, request, "SetBlobMetadata");
      const written = parts.versions.replace(request.account, container, blob, { ...current, metadata: readMetadata(request.headers) });
      return { status: 200, headers: stateHeaders(written) };
    }),
    operation("SetBlobProperties", "PUT", "properties", (request) => {
      const { container, blob, current } = openForChange(parts, request, "SetBlobProperties");
      assertMutable(container, current.created, parts.state.now());
      const now = parts.state.now().toISOString();
      const changed: BlobVersion = { ...current, settings: readSettings(request.headers), etag: `"${parts.state.etag()}"`, lastModified: now };
      parts.store.putBlob(container, { ...blob, current: changed });
      return { status: 200, headers: stateHeaders(changed) };
    }),
    operation("SetBlobTier", "PUT", "tier", (request) => {
      const container = parts.access.open(request, "SetBlobTier");
      const blob = parts.store.blob(container, request.blob);
      if (!blob.current) throw storageRefusal("BlobNotFound");
      parts.store.putBlob(container, { ...blob, current: { ...blob.current, tier: readTier(request.headers) ?? "Hot" } });
      return { status: 200 };
    }),
  ];
}

/** The container, once the caller may write this blob, be it new or another's successor. */
export function openForWrite({ access, store }: BlobParts, request: BlobRequest, operation: "PutBlob" | "PutBlockList"): { container: Container; blob: StoredBlob } {
  if (request.blob.length > storageLimits.blobName.max) throw storageRefusal("InvalidResourceName");
  const container = access.open(request, operation);
  const blob = store.blob(container, request.blob);
  if (blob.current) access.require(request, "ReplaceBlob");
  assertWriteConditions(request.headers, blob.current);
  return { container, blob };
}

function openForChange({ access, store }: BlobParts, request: BlobRequest, operation: "SetBlobMetadata" | "SetBlobProperties"): { container: Container; blob: StoredBlob; current: BlobVersion } {
  const container = access.open(request, operation);
  const blob = store.blob(container, request.blob);
  if (!blob.current) throw storageRefusal("BlobNotFound");
  assertWriteConditions(request.headers, blob.current);
  return { container, blob, current: blob.current };
}

/** The current state, or the version that is asked for. */
function openForRead({ access, store }: BlobParts, request: BlobRequest, operation: "GetBlob" | "GetBlobProperties" | "GetBlobMetadata"): { version: BlobVersion; isCurrent: boolean } {
  const versionId = request.query.get("versionid");
  const container = access.open(request, operation, versionId === null ? {} : { [storageAttributes.versionId]: versionId });
  const { current, others } = store.blob(container, request.blob);
  const version = versionId === null ? current : [...(current ? [current] : []), ...others].find((each) => each.versionId === versionId && !each.deleted);
  if (!version || request.query.has("snapshot")) throw storageRefusal("BlobNotFound");
  assertReadConditions(request.headers, version);
  return { version, isCurrent: version === current };
}

function put(parts: BlobParts, request: BlobRequest): BlobAnswer {
  const { headers, body } = request;
  if (headers["x-ms-copy-source"] !== undefined) throw storageRefusal("NotImplemented");
  const type = headers["x-ms-blob-type"];
  if (type === undefined) throw storageRefusal("MissingRequiredHeader", { HeaderName: "x-ms-blob-type" });
  if (type === "PageBlob" || type === "AppendBlob") throw storageRefusal("NotImplemented");
  if (type !== "BlockBlob") throw storageRefusal("InvalidHeaderValue", { HeaderName: "x-ms-blob-type", HeaderValue: type });
  const tier = readTier(headers);
  const { container, blob } = openForWrite(parts, request, "PutBlob");
  const checked = checkContent(headers, body);
  const settings = { ...readSettings(headers), contentMd5: headers["x-ms-blob-content-md5"] ?? md5(body) };
  const content = parts.store.addContent(body);
  const written = parts.versions.replace(request.account, container, blob, { content, size: body.length, settings, metadata: readMetadata(headers), blocks: [], ...(tier !== undefined && { tier }) });
  parts.store.putUncommitted(container, request.blob, []);
  return { status: 201, headers: { ...stateHeaders(written), ...checked, "x-ms-request-server-encrypted": "true" } };
}

function read(parts: BlobParts, request: BlobRequest): BlobAnswer {
  const { version, isCurrent } = openForRead(parts, request, "GetBlob");
  if (version.tier === "Archive") throw storageRefusal("BlobArchived");
  const headers = blobHeaders(request, version, isCurrent);
  const content = parts.store.content(version.content);
  const range = readRange(request.headers, version.size);
  if (!range) return { status: 200, headers: { ...headers, "content-length": String(content.length) }, body: content };
  const part = content.subarray(range.start, range.end + 1);
  const { "content-md5": whole, ...rest } = headers;
  const checks = {
    ...(request.headers["x-ms-range-get-content-md5"] === "true" && { "content-md5": md5(part) }),
    ...(request.headers["x-ms-range-get-content-crc64"] === "true" && { "x-ms-content-crc64": crc64(part) }),
  };
  if (Object.keys(checks).length > 0 && part.length > storageLimits.checkedRange.max) throw storageRefusal("OutOfRangeInput");
  return {
    status: 206,
    headers: { ...rest, ...checks, ...(whole !== undefined && { "x-ms-blob-content-md5": whole }), "content-range": `bytes ${range.start}-${range.end}/${version.size}`, "content-length": String(part.length) },
    body: part,
  };
}

function remove({ access, store, versions }: BlobParts, request: BlobRequest): BlobAnswer {
  const versionId = request.query.get("versionid");
  const container = versionId === null ? access.open(request, "DeleteBlob") : access.open(request, "DeleteBlobVersion", { [storageAttributes.versionId]: versionId });
  const blob = store.blob(container, request.blob);
  if (versionId !== null) versions.removeVersion(request.account, container, blob, versionId);
  else {
    if (!blob.current) throw storageRefusal("BlobNotFound");
    assertWriteConditions(request.headers, blob.current);
    versions.remove(request.account, container, blob);
  }
  return { status: 202, headers: { "x-ms-delete-type-permanent": String(!store.blob(container, request.blob).others.some(({ deleted }) => deleted)) } };
}

/** `x-ms-blob-…` wins over the request's own. */
export function readSettings(headers: Readonly<Record<string, string>>): BlobSettings {
  const value = (name: string): string | undefined => headers[`x-ms-blob-${name}`];
  const [encoding, language, disposition, cache, checksum] = [
    value("content-encoding") ?? headers["content-encoding"],
    value("content-language") ?? headers["content-language"],
    value("content-disposition"),
    value("cache-control") ?? headers["cache-control"],
    value("content-md5"),
  ];
  return {
    contentType: value("content-type") ?? headers["content-type"] ?? "application/octet-stream",
    ...(encoding !== undefined && { contentEncoding: encoding }),
    ...(language !== undefined && { contentLanguage: language }),
    ...(disposition !== undefined && { contentDisposition: disposition }),
    ...(cache !== undefined && { cacheControl: cache }),
    ...(checksum !== undefined && { contentMd5: checksum }),
  };
}

export function readTier({ "x-ms-access-tier": given }: Readonly<Record<string, string>>): string | undefined {
  if (given === undefined) return undefined;
  const tier = blobTiers.find((each) => each.toLowerCase() === given.toLowerCase());
  if (tier === undefined) throw storageRefusal("InvalidHeaderValue", { HeaderName: "x-ms-access-tier", HeaderValue: given });
  return tier;
}
