/** How answers describe a blob, in headers and in lists. https://learn.microsoft.com/rest/api/storageservices/get-blob-properties */
import { type BlobRequest, httpDate, metadataHeaders } from "./blob-call.js";
import type { BlobVersion } from "./blob-store.js";
import { Markup, element, optional } from "./storage-xml.js";

/** Of a read, without length and range. */
export function blobHeaders({ account }: BlobRequest, version: BlobVersion, isCurrent: boolean): Record<string, string> {
  const { settings, metadata, versionId } = version;
  return {
    "content-type": settings.contentType,
    ...(settings.contentMd5 !== undefined && { "content-md5": settings.contentMd5 }),
    ...(settings.contentEncoding !== undefined && { "content-encoding": settings.contentEncoding }),
    ...(settings.contentLanguage !== undefined && { "content-language": settings.contentLanguage }),
    ...(settings.contentDisposition !== undefined && { "content-disposition": settings.contentDisposition }),
    ...(settings.cacheControl !== undefined && { "cache-control": settings.cacheControl }),
    "accept-ranges": "bytes",
    ...stateHeaders(version),
    "x-ms-blob-type": "BlockBlob",
    "x-ms-creation-time": httpDate(version.created),
    "x-ms-lease-status": "unlocked",
    "x-ms-lease-state": "available",
    "x-ms-server-encrypted": "true",
    "x-ms-access-tier": version.tier ?? defaultTier(account.properties["accessTier"]),
    ...(version.tier === undefined && { "x-ms-access-tier-inferred": "true" }),
    ...(versionId !== undefined && isCurrent && { "x-ms-is-current-version": "true" }),
    ...metadataHeaders(metadata),
  };
}

/** What answers of writes say too. */
export function stateHeaders({ etag, lastModified, versionId }: BlobVersion): Record<string, string> {
  return { etag, "last-modified": httpDate(lastModified), ...(versionId !== undefined && { "x-ms-version-id": versionId }) };
}

/** Of a list. `withMetadata` where it was asked for. */
export function blobElement({ account }: BlobRequest, name: string, version: BlobVersion, isCurrent: boolean, { withMetadata, withVersions, remainingDays }: { withMetadata: boolean; withVersions: boolean; remainingDays: number }): Markup {
  const { settings, metadata, versionId, snapshot, deleted } = version;
  return element("Blob", [
    nameElement(name),
    deleted && element("Deleted", true),
    optional("Snapshot", snapshot),
    withVersions ? optional("VersionId", versionId) : undefined,
    withVersions && isCurrent && versionId !== undefined ? element("IsCurrentVersion", true) : undefined,
    element("Properties", [
      element("Creation-Time", httpDate(version.created)),
      element("Last-Modified", httpDate(version.lastModified)),
      element("Etag", version.etag.replaceAll('"', "")),
      element("Content-Length", version.size),
      element("Content-Type", settings.contentType),
      element("Content-Encoding", settings.contentEncoding),
      element("Content-Language", settings.contentLanguage),
      element("Content-CRC64", undefined),
      element("Content-MD5", settings.contentMd5),
      element("Cache-Control", settings.cacheControl),
      element("Content-Disposition", settings.contentDisposition),
      element("BlobType", "BlockBlob"),
      element("AccessTier", version.tier ?? defaultTier(account.properties["accessTier"])),
      version.tier === undefined ? element("AccessTierInferred", true) : undefined,
      isCurrent ? element("LeaseStatus", "unlocked") : undefined,
      isCurrent ? element("LeaseState", "available") : undefined,
      element("ServerEncrypted", true),
      deleted && element("DeletedTime", httpDate(deleted.time)),
      deleted && element("RemainingRetentionDays", remainingDays),
    ]),
    withMetadata ? element("Metadata", Object.entries(metadata).map(([key, value]) => element(key, value))) : undefined,
    element("OrMetadata", undefined),
  ]);
}

/** Names that XML cannot hold are given percent-encoded. https://learn.microsoft.com/rest/api/storageservices/list-blobs#response-body */
export const nameElement = (name: string): Markup => (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(name) ? element("Name", encodeURIComponent(name), { Encoded: "true" }) : element("Name", name));

const defaultTier = (accessTier: unknown): string => (typeof accessTier === "string" ? accessTier : "Hot");
