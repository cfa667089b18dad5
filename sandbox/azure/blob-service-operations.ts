/** Operations on an account's Blob service. https://learn.microsoft.com/rest/api/storageservices/operations-on-the-account--blob-service- */
import type { BlobAccess } from "./blob-access.js";
import { type BlobAnswer, type BlobRequest, httpDate, words, xml } from "./blob-call.js";
import type { BlobOperation } from "./blob-dispatch.js";
import { pageOf } from "./blob-pages.js";
import { storageRefusal } from "./storage-errors.js";
import type { Container, StorageState } from "./storage-state.js";
import { Markup, element, optional } from "./storage-xml.js";

export function serviceOperations(access: BlobAccess, state: StorageState): BlobOperation[] {
  const accountInformation = (request: BlobRequest): BlobAnswer => {
    access.require(request, "GetAccountInformation");
    const { sku, kind = "StorageV2", properties } = request.account;
    return { status: 200, headers: { "x-ms-sku-name": String(sku?.["name"]), "x-ms-account-kind": kind, "x-ms-is-hns-enabled": String(properties["isHnsEnabled"] === true) } };
  };
  const information = (method: "GET" | "HEAD"): BlobOperation => ({ name: "GetAccountInformation", level: "service", method, restype: "account", comp: "properties", run: accountInformation });
  return [
    information("GET"),
    information("HEAD"),
    { name: "ListContainers", level: "service", method: "GET", comp: "list", run: (request) => listContainers(access, state, request) },
    {
      name: "GetBlobServiceProperties",
      level: "service",
      method: "GET",
      restype: "service",
      comp: "properties",
      run(request) {
        access.require(request, "GetBlobServiceProperties");
        const { deleteRetentionPolicy } = state.blobService(request.account);
        const off = element("RetentionPolicy", [element("Enabled", false)]);
        const metrics = [element("Version", "1.0"), element("Enabled", false), off];
        return xml("StorageServiceProperties", [
          element("Logging", [element("Version", "1.0"), element("Read", false), element("Write", false), element("Delete", false), off]),
          element("HourMetrics", metrics),
          element("MinuteMetrics", metrics),
          element("Cors", []),
          element("DeleteRetentionPolicy", [element("Enabled", deleteRetentionPolicy.enabled), optional("Days", deleteRetentionPolicy.days)]),
          element("StaticWebsite", [element("Enabled", false)]),
        ]);
      },
    },
    {
      name: "GetUserDelegationKey",
      level: "service",
      method: "POST",
      restype: "service",
      comp: "userdelegationkey",
      run(request) {
        access.require(request, "GetUserDelegationKey");
        throw storageRefusal("NotImplemented");
      },
    },
  ];
}

function listContainers(access: BlobAccess, state: StorageState, request: BlobRequest): BlobAnswer {
  access.require(request, "ListContainers");
  const { query, account, endpoint } = request;
  const prefix = query.get("prefix") ?? "";
  const include = words(query.get("include"));
  const deleted = include.includes("deleted") ? state.deletedContainers(account) : [];
  const all = [
    ...state.containers(account).map((container) => ({ name: container.name, element: containerElement(container, include.includes("metadata"), []) })),
    ...deleted.map(({ container, version, deletedTime, retainedUntil = deletedTime }) => {
      const more = [element("DeletedTime", httpDate(deletedTime)), element("RemainingRetentionDays", state.remainingDays(retainedUntil))];
      return { name: container.name, element: containerElement(container, include.includes("metadata"), more, version) };
    }),
  ];
  const found = all.filter(({ name }) => name.startsWith(prefix)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const { items, head, next } = pageOf(query, found);
  return xml("EnumerationResults", [...head, element("Containers", items.map((each) => each.element)), element("NextMarker", next)], { ServiceEndpoint: endpoint });
}

function containerElement({ name, etag = "", properties }: Container, withMetadata: boolean, more: readonly Markup[], deletedVersion?: string): Markup {
  const { lastModifiedTime, publicAccess, immutabilityPolicy, legalHolds, metadata } = properties;
  return element("Container", [
    element("Name", name),
    deletedVersion === undefined ? undefined : element("Deleted", true),
    optional("Version", deletedVersion),
    element("Properties", [
      element("Last-Modified", httpDate(lastModifiedTime)),
      element("Etag", etag),
      element("LeaseStatus", "unlocked"),
      element("LeaseState", "available"),
      publicAccess === "None" ? undefined : element("PublicAccess", publicAccess.toLowerCase()),
      element("DefaultEncryptionScope", properties.defaultEncryptionScope ?? "$account-encryption-key"),
      element("DenyEncryptionScopeOverride", properties.denyEncryptionScopeOverride ?? false),
      element("HasImmutabilityPolicy", immutabilityPolicy !== undefined),
      element("HasLegalHold", legalHolds.length > 0),
      element("ImmutableStorageWithVersioningEnabled", false),
      ...more,
    ]),
    withMetadata ? element("Metadata", Object.entries(metadata).map(([key, value]) => element(key, value))) : undefined,
  ]);
}
