/** Azure Storage's choices, limits, operations and refusals, as data. Texts are hints: Azure changes them; statuses and codes are the contract. */
import type { Grade } from "../rules.js";
import { BLOB_ERRORS, type BlobErrorName } from "./blob-errors.js";

const api = "https://learn.microsoft.com/rest/api/storageservices";
const docs = "https://learn.microsoft.com/azure/storage";

export const storageLimits = {
  /** Characters of a blob's name. */
  blobName: { min: 1, max: 1024, source: `${api}/naming-and-referencing-containers--blobs--and-metadata`, grade: "documented" },
  /** Blobs or containers of a page, also where the request asks for more. */
  page: { min: 1, max: 5000, source: `${api}/list-blobs`, grade: "documented" },
  /** Blocks that a blob is committed of. */
  committedBlocks: { min: 0, max: 50_000, source: `${api}/put-block-list`, grade: "documented" },
  /** Bytes of a block's id before Base64. */
  blockId: { min: 1, max: 64, source: `${api}/put-block`, grade: "documented" },
  /** Days until blocks that nobody commits are forgotten. */
  uncommittedBlocks: { min: 7, max: 7, source: `${api}/put-block#remarks`, grade: "documented" },
  /** Bytes of a range whose MD5 or CRC64 can be asked for. */
  checkedRange: { min: 0, max: 4_194_304, source: `${api}/get-blob`, grade: "documented" },
  /** Days that deleted blobs and containers are kept. */
  softDelete: { min: 1, max: 365, source: `${docs}/blobs/soft-delete-blob-overview`, grade: "documented" },
  /** Days since creation that a time-based retention policy protects a blob. */
  immutability: { min: 1, max: 146_000, source: `${docs}/blobs/immutable-time-based-retention-policy-overview`, grade: "documented" },
  /** How often a locked retention policy can be extended. */
  immutabilityExtensions: { min: 0, max: 5, source: `${docs}/blobs/immutable-time-based-retention-policy-overview`, grade: "documented" },
  /** Alphanumeric characters of a legal hold's tag. */
  legalHoldTag: { min: 3, max: 23, source: `${docs}/blobs/immutable-legal-hold-overview`, grade: "documented" },
  /** Seconds for which the name of a deleted container answers that it is being deleted. */
  containerDeletion: { min: 30, max: 30, source: `${api}/delete-container#remarks`, grade: "documented" },
  /** Days for which a deleted account can be recovered, and its name is nobody else's. */
  deletedAccount: { min: 14, max: 14, source: `${docs}/common/storage-account-recover`, grade: "inferred" },
  /** Minutes that a signed request's date may be off. */
  signedDate: { min: 0, max: 15, source: `${api}/authorize-with-shared-key#specifying-the-date-header`, grade: "documented" },
} as const satisfies Record<string, { min: number; max: number; source: string; grade: Grade }>;

/** Containers whose names the naming rules would not allow. */
export const specialContainers: readonly string[] = ["$root", "$web", "$logs"];

/** https://learn.microsoft.com/rest/api/storagerp/srp_sku_types */
export const storageSkus: readonly string[] = [
  "Standard_LRS",
  "Standard_GRS",
  "Standard_RAGRS",
  "Standard_ZRS",
  "Standard_GZRS",
  "Standard_RAGZRS",
  "Premium_LRS",
  "Premium_ZRS",
];
export const storageKinds: readonly string[] = ["StorageV2", "Storage", "BlobStorage", "BlockBlobStorage", "FileStorage"];
export const accessTiers: readonly string[] = ["Hot", "Cool", "Cold", "Premium"];
/** Of a block blob. */
export const blobTiers: readonly string[] = ["Hot", "Cool", "Cold", "Archive"];
export const tlsVersions: readonly string[] = ["TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"];

/** Properties of an account that only its creation decides. */
export const creationOnlyProperties: readonly string[] = ["isHnsEnabled", "isNfsV3Enabled", "dnsEndpointType"];

/** Where a region's geo-redundant copies are; of regions without a pair none. https://learn.microsoft.com/azure/reliability/regions-paired */
export const pairedRegions: Readonly<Record<string, string>> = {
  westeurope: "northeurope",
  northeurope: "westeurope",
  eastus: "westus",
  westus: "eastus",
  eastus2: "centralus",
  centralus: "eastus2",
  uksouth: "ukwest",
  ukwest: "uksouth",
  germanywestcentral: "germanynorth",
  francecentral: "francesouth",
  switzerlandnorth: "switzerlandwest",
  usgovvirginia: "usgovtexas",
  usgovtexas: "usgovvirginia",
  chinanorth2: "chinaeast2",
  chinaeast2: "chinanorth2",
  chinanorth3: "chinaeast3",
  chinaeast3: "chinanorth3",
};

/** What an access token for the Blob service may be for, beside an account's own endpoint. The same in every cloud. */
export const STORAGE_AUDIENCE = "https://storage.azure.com";
/** Since when tokens are taken, and since when their absence is challenged. https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory */
export const BEARER_SINCE = "2017-11-09";
export const CHALLENGE_SINCE = "2019-12-12";
/** Signatures of requests have had their present form since. https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
export const SIGNATURE_SINCE = "2015-02-21";
/** What a request without `x-ms-version` is taken for. */
export const DEFAULT_STORAGE_VERSION = "2009-09-19";

/** https://learn.microsoft.com/rest/api/storageservices/previous-azure-storage-service-versions, and what current clients send. Read 2026-11. */
export const storageVersions: readonly string[] = [
  "2009-09-19", "2011-08-18", "2012-02-12", "2013-08-15", "2014-02-14", "2015-02-21", "2015-04-05", "2015-07-08", "2015-12-11", "2016-05-31", "2017-04-17",
  "2017-07-29", "2017-11-09", "2018-03-28", "2018-11-09", "2019-02-02", "2019-07-07", "2019-10-10", "2019-12-12", "2020-02-10", "2020-04-08", "2020-06-12",
  "2020-08-04", "2020-10-02", "2020-12-06", "2021-02-12", "2021-04-10", "2021-06-08", "2021-08-06", "2021-10-04", "2021-12-02", "2022-11-02", "2023-01-03",
  "2023-05-03", "2023-08-03", "2023-11-03", "2024-02-04", "2024-05-04", "2024-08-04", "2024-11-04", "2025-01-05", "2025-05-05", "2025-07-05", "2025-11-05",
  "2026-02-06", "2026-04-06", "2026-06-06", "2026-10-06",
];

const services = "Microsoft.Storage/storageAccounts/blobServices";
const containers = `${services}/containers`;
const blobs = `${containers}/blobs`;

export interface StorageRight {
  /** Any one of them allows the call. */
  actions: readonly string[];
  dataAction: boolean;
  /** By which conditions tell apart what is one action. https://learn.microsoft.com/azure/storage/blobs/storage-auth-abac-attributes#azure-blob-storage-actions-and-suboperations */
  subOperation?: string;
}

const action = (name: string): StorageRight => ({ actions: [name], dataAction: false });
const dataAction = (...names: string[]): StorageRight => ({ actions: names, dataAction: true });

/** What a token's owner needs for an operation of the data plane. https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-blob-service-operations */
export const storageRights = {
  ListContainers: action(`${containers}/read`),
  GetBlobServiceProperties: action(`${services}/read`),
  GetUserDelegationKey: action(`${services}/generateUserDelegationKey/action`),
  GetAccountInformation: action(`${services}/getInfo/action`),
  CreateContainer: action(`${containers}/write`),
  GetContainerProperties: action(`${containers}/read`),
  GetContainerMetadata: action(`${containers}/read`),
  SetContainerMetadata: action(`${containers}/write`),
  GetContainerAcl: action(`${containers}/getAcl/action`),
  SetContainerAcl: action(`${containers}/setAcl/action`),
  DeleteContainer: action(`${containers}/delete`),
  RestoreContainer: action(`${containers}/write`),
  ListBlobs: { ...dataAction(`${blobs}/read`), subOperation: "Blob.List" },
  GetBlob: dataAction(`${blobs}/read`),
  GetBlobProperties: dataAction(`${blobs}/read`),
  GetBlobMetadata: dataAction(`${blobs}/read`),
  GetBlockList: dataAction(`${blobs}/read`),
  /** Of a new blob; replacing one is {@link storageRights.ReplaceBlob}. */
  PutBlob: dataAction(`${blobs}/write`, `${blobs}/add/action`),
  ReplaceBlob: dataAction(`${blobs}/write`),
  PutBlock: dataAction(`${blobs}/write`, `${blobs}/add/action`),
  PutBlockList: dataAction(`${blobs}/write`, `${blobs}/add/action`),
  SetBlobMetadata: dataAction(`${blobs}/write`),
  SetBlobProperties: dataAction(`${blobs}/write`),
  SetBlobTier: { ...dataAction(`${blobs}/write`), subOperation: "Blob.Write.Tier" },
  UndeleteBlob: dataAction(`${blobs}/write`),
  DeleteBlob: dataAction(`${blobs}/delete`),
  DeleteBlobVersion: dataAction(`${blobs}/deleteBlobVersion/action`),
} as const satisfies Record<string, StorageRight>;
export type StorageOperation = keyof typeof storageRights;

/** Names by which conditions of role assignments ask. https://learn.microsoft.com/azure/storage/blobs/storage-auth-abac-attributes */
export const storageAttributes = {
  accountName: "Microsoft.Storage/storageAccounts:name",
  containerName: `${containers}:name`,
  blobPath: `${blobs}:path`,
  prefix: `${blobs}:prefix`,
  include: `${blobs}:include`,
  versionId: `${blobs}:versionId`,
  subOperation: "subOperation",
  isPrivateLink: "@Environment[isPrivateLink]",
} as const;

/** What verification meets too is said there; these are the service's others. https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes and …/blob-service-error-codes */
const otherRefusals = {
  AccountRequiresHttps: [400, "The account being accessed does not support http."],
  BlobArchived: [409, "This operation is not permitted on an archived blob."],
  BlobImmutableDueToLegalHold: [409, "This operation is not permitted as the blob is immutable due to one or more legal holds."],
  BlockListTooLong: [400, "The block list may not contain more than 50,000 blocks."],
  ContainerHasLegalHold: [409, "The requested operation is not allowed as the container has one or more legal holds."],
  ContainerImmutabilityPolicyLocked: [409, "The requested operation is not allowed as the container has a locked immutability policy."],
  Crc64Mismatch: [400, "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server."],
  InvalidBlobOrBlock: [400, "The specified blob or block content is invalid."],
  InvalidBlockList: [400, "The specified block list is invalid."],
  InvalidMd5: [400, "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded."],
  InvalidMetadata: [400, "The metadata specified is invalid. It has characters that are not permitted."],
  InvalidQueryParameterValue: [400, "Value for one of the query parameters specified in the request URI is invalid."],
  InvalidUri: [400, "The requested URI does not represent any resource on the server."],
  InvalidXmlDocument: [400, "XML specified is not syntactically valid."],
  Md5Mismatch: [400, "The MD5 value specified in the request did not match with the MD5 value calculated by the server."],
  MissingRequiredHeader: [400, "An HTTP header that's mandatory for this request is not specified."],
  NotImplemented: [501, "The requested operation is not implemented on the specified resource."],
  OutOfRangeInput: [400, "One of the request inputs is out of range."],
  OutOfRangeQueryParameterValue: [400, "One of the query parameters specified in the request URI is outside the permissible range."],
  ResourceNotFound: [404, "The specified resource does not exist."],
  UnsupportedHttpVerb: [405, "The resource doesn't support specified Http Verb."],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type StorageCode = keyof typeof otherRefusals | (typeof BLOB_ERRORS)[BlobErrorName]["code"];

export const storageRefusals: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ...otherRefusals,
  ...Object.fromEntries(Object.values(BLOB_ERRORS).map(({ code, httpStatus, text }) => [code, [httpStatus, text()]])),
};
