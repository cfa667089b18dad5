/** Cloud Storage's limits, places and refusals, as data. Texts are hints: Google changes them; statuses and reasons are the contract. */
import type { Grade } from "../rules.js";

const docs = "https://cloud.google.com/storage/docs";

export const STORAGE_LIMITS = {
  /** Characters of a bucket's name without dots. */
  bucketName: { min: 3, max: 63, pattern: /^[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])$/, source: `${docs}/buckets#naming`, grade: "documented" },
  /** Bytes of an object's name in UTF-8. */
  objectName: { min: 1, max: 1024, source: `${docs}/objects#naming`, grade: "documented" },
  /** Objects that one request composes. */
  composeSources: { min: 1, max: 32, source: `${docs}/composite-objects`, grade: "documented" },
  /** Items of a page, also where the request asks for more. */
  page: { min: 1, max: 1000, source: `${docs}/json_api/v1/objects/list`, grade: "documented" },
  /** Every chunk of a resumable upload but the last is a multiple of it, in bytes. */
  chunk: { min: 262_144, max: 262_144, source: `${docs}/performing-resumable-uploads#chunked-upload`, grade: "documented" },
  /** Seconds that an object is kept after its deletion; 0 switches soft delete off. */
  softDelete: { min: 604_800, max: 7_776_000, source: `${docs}/soft-delete`, grade: "documented" },
  /** Days until the address of an upload session is forgotten. */
  uploadSession: { min: 7, max: 7, source: `${docs}/resumable-uploads#session-uris`, grade: "documented" },
  /** Days after which uniform access cannot be switched off any more. */
  uniformAccessLock: { min: 90, max: 90, source: `${docs}/uniform-bucket-level-access`, grade: "documented" },
} as const satisfies Record<string, { min: number; max: number; pattern?: RegExp; source: string; grade: Grade }>;

/** https://cloud.google.com/storage/docs/storage-classes */
export const storageClasses: readonly string[] = ["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL", "DURABLE_REDUCED_AVAILABILITY"];

export type LocationType = "multi-region" | "dual-region" | "region";

const multiRegions = ["ASIA", "EU", "US"];
const dualRegions = ["ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4"];
const regions = [
  "AFRICA-SOUTH1", "ASIA-EAST1", "ASIA-EAST2", "ASIA-NORTHEAST1", "ASIA-NORTHEAST2", "ASIA-NORTHEAST3", "ASIA-SOUTH1", "ASIA-SOUTH2", "ASIA-SOUTHEAST1",
  "ASIA-SOUTHEAST2", "ASIA-SOUTHEAST3", "AUSTRALIA-SOUTHEAST1", "AUSTRALIA-SOUTHEAST2", "EUROPE-CENTRAL2", "EUROPE-NORTH1", "EUROPE-NORTH2",
  "EUROPE-SOUTHWEST1", "EUROPE-WEST1", "EUROPE-WEST2", "EUROPE-WEST3", "EUROPE-WEST4", "EUROPE-WEST6", "EUROPE-WEST8", "EUROPE-WEST9", "EUROPE-WEST10",
  "EUROPE-WEST12", "ME-CENTRAL1", "ME-CENTRAL2", "ME-WEST1", "NORTHAMERICA-NORTHEAST1", "NORTHAMERICA-NORTHEAST2", "NORTHAMERICA-SOUTH1",
  "SOUTHAMERICA-EAST1", "SOUTHAMERICA-WEST1", "US-CENTRAL1", "US-EAST1", "US-EAST4", "US-EAST5", "US-SOUTH1", "US-WEST1", "US-WEST2", "US-WEST3", "US-WEST4",
];

/** By upper-case name, as the service writes them. https://cloud.google.com/storage/docs/locations, read 2026-11 */
export const bucketLocations: ReadonlyMap<string, LocationType> = new Map<string, LocationType>([
  ...multiRegions.map((each) => [each, "multi-region"] as const),
  ...dualRegions.map((each) => [each, "dual-region"] as const),
  ...regions.map((each) => [each, "region"] as const),
]);

/** Where a bucket is whose creator names no location. https://cloud.google.com/storage/docs/json_api/v1/buckets/insert */
export const DEFAULT_BUCKET_LOCATION = "US";
/** Seconds, for a bucket whose creator names no soft delete policy. https://cloud.google.com/storage/docs/soft-delete */
export const DEFAULT_SOFT_DELETE_SECONDS = 604_800;

/**
 * Roles that a new bucket gives to its project's basic roles. Those on objects are in the policies of buckets with uniform access
 * only; elsewhere the default access control list says the same. https://cloud.google.com/storage/docs/access-control/iam-roles#basic-roles-modifiable
 */
export const defaultBucketBindings: readonly { role: string; of: readonly ("projectEditor" | "projectOwner" | "projectViewer")[] }[] = [
  { role: "roles/storage.legacyBucketOwner", of: ["projectEditor", "projectOwner"] },
  { role: "roles/storage.legacyBucketReader", of: ["projectViewer"] },
  { role: "roles/storage.legacyObjectOwner", of: ["projectEditor", "projectOwner"] },
  { role: "roles/storage.legacyObjectReader", of: ["projectViewer"] },
];

/** Permissions of projects, which nobody may ask a bucket about. https://cloud.google.com/storage/docs/json_api/v1/buckets/testIamPermissions */
export const projectOnlyPermissions: readonly string[] = ["storage.buckets.create", "storage.buckets.list"];

/** The roots of names: what a permission may begin with to be asked about on a bucket. */
export const testablePermission = /^storage\.(?:anywhereCaches|bucketOperations|buckets|folders|managedFolders|multipartUploads|objects)\.[a-zA-Z]+$/;

/** OAuth scopes, of which one is needed, by what a method does. https://cloud.google.com/storage/docs/oauth-scopes */
export const storageScopes: Readonly<Record<"read" | "write" | "control", readonly string[]>> = {
  read: ["cloud-platform", "cloud-platform.read-only", "devstorage.read_only", "devstorage.read_write", "devstorage.full_control"],
  write: ["cloud-platform", "devstorage.read_write", "devstorage.full_control"],
  control: ["cloud-platform", "devstorage.full_control"],
};
export const SCOPE_PREFIX = "https://www.googleapis.com/auth/";

export interface StorageRefusal {
  httpStatus: number;
  /** `errors[].reason` of the JSON API. https://cloud.google.com/storage/docs/json_api/v1/status-codes */
  reason: string;
  message: string;
  grade: Grade;
}

const withArticle = { bucket: "the Google Cloud Storage bucket", object: "the Google Cloud Storage object", project: "the Google Cloud project", managedFolder: "the Google Cloud Storage managed folder" } as const;
export type DeniedOn = keyof typeof withArticle;

const accessText = (who: string, permission: string, on: DeniedOn): string =>
  `${who} does not have ${permission} access to ${withArticle[on]}. Permission '${permission}' denied on resource (or it may not exist).`;

export const storageRefusals = {
  denied: (who: string, permission: string, on: DeniedOn) => ({ httpStatus: 403, reason: "forbidden", message: accessText(who, permission, on), grade: "live" }),
  anonymous: (permission: string, on: DeniedOn) => ({ httpStatus: 401, reason: "required", message: accessText("Anonymous caller", permission, on), grade: "live" }),
  tokenInvalid: () => ({ httpStatus: 401, reason: "authError", message: "Invalid Credentials", grade: "documented" }),
  scopeTooSmall: () => ({ httpStatus: 403, reason: "forbidden", message: "Provided scope(s) are not authorized", grade: "documented" }),
  bucketMissing: () => ({ httpStatus: 404, reason: "notFound", message: "The specified bucket does not exist.", grade: "live" }),
  objectMissing: (bucket: string, object: string) => ({ httpStatus: 404, reason: "notFound", message: `No such object: ${bucket}/${object}`, grade: "live" }),
  managedFolderMissing: () => ({ httpStatus: 404, reason: "notFound", message: "The specified managed folder does not exist.", grade: "inferred" }),
  uploadMissing: () => ({ httpStatus: 404, reason: "notFound", message: "Not Found", grade: "documented" }),
  uploadGone: () => ({ httpStatus: 410, reason: "gone", message: "Gone", grade: "documented" }),
  methodMissing: () => ({ httpStatus: 404, reason: "notFound", message: "Not Found", grade: "inferred" }),
  bucketOwned: () => ({ httpStatus: 409, reason: "conflict", message: "Your previous request to create the named bucket succeeded and you already own it.", grade: "live" }),
  bucketTaken: () => ({
    httpStatus: 409,
    reason: "conflict",
    message: "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
    grade: "live",
  }),
  bucketNotEmpty: () => ({ httpStatus: 409, reason: "conflict", message: "The bucket you tried to delete is not empty.", grade: "live" }),
  bucketNameInvalid: (name: string) => ({ httpStatus: 400, reason: "invalid", message: `Invalid bucket name: '${name}'`, grade: "live" }),
  bucketNameUnverified: () => ({ httpStatus: 403, reason: "forbidden", message: "The bucket you tried to create requires domain ownership verification.", grade: "live" }),
  locationInvalid: () => ({ httpStatus: 400, reason: "invalid", message: "The specified location constraint is not valid.", grade: "live" }),
  storageClassInvalid: () => ({ httpStatus: 400, reason: "invalid", message: "Invalid argument.", grade: "inferred" }),
  projectUnknown: (project: string) => ({ httpStatus: 400, reason: "invalid", message: `Unknown project id: ${project}`, grade: "documented" }),
  preconditionFailed: () => ({ httpStatus: 412, reason: "conditionNotMet", message: "At least one of the pre-conditions you specified did not hold.", grade: "live" }),
  publicAccessPrevented: () => ({
    httpStatus: 412,
    reason: "conditionNotMet",
    message: "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced.",
    grade: "live",
  }),
  conditionNeedsUniformAccess: () => ({
    httpStatus: 412,
    reason: "conditionNotMet",
    message: "Uniform bucket-level access must be enabled to use IAM conditions.",
    grade: "inferred",
  }),
  aclOfUniformBucket: () => ({
    httpStatus: 400,
    reason: "invalid",
    message: "Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access",
    grade: "documented",
  }),
  aclOfUniformObject: () => ({
    httpStatus: 400,
    reason: "invalid",
    message: "Cannot insert legacy ACL for an object when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access",
    grade: "documented",
  }),
  uniformAccessLocked: () => ({ httpStatus: 412, reason: "conditionNotMet", message: "Uniform bucket-level access cannot be disabled: it is locked.", grade: "inferred" }),
  permissionNotOfBuckets: (permission: string) => ({ httpStatus: 400, reason: "invalid", message: `Permission ${permission} is not valid for this resource.`, grade: "inferred" }),
  required: (what: string) => ({ httpStatus: 400, reason: "required", message: `Required parameter: ${what}`, grade: "documented" }),
  invalid: (what: string) => ({ httpStatus: 400, reason: "invalid", message: what, grade: "inferred" }),
  objectNameInvalid: (name: string) => ({ httpStatus: 400, reason: "invalid", message: `Disallowed unicode characters or length in object name '${name}'`, grade: "inferred" }),
  md5Differs: (given: string, computed: string) => ({ httpStatus: 400, reason: "invalid", message: `Provided MD5 hash "${given}" doesn't match calculated MD5 hash "${computed}".`, grade: "live" }),
  crc32cDiffers: (given: string, computed: string) => ({ httpStatus: 400, reason: "invalid", message: `Provided CRC32C "${given}" doesn't match calculated CRC32C "${computed}".`, grade: "live" }),
  rangeUnsatisfiable: () => ({ httpStatus: 416, reason: "requestedRangeNotSatisfiable", message: "Request range not satisfiable", grade: "documented" }),
  uploadTooFar: (offset: number, received: number) => ({
    httpStatus: 503,
    reason: "backendError",
    message: `Invalid request.  According to the Content-Range header, the upload offset is ${offset} byte(s), which exceeds already uploaded size of ${received} byte(s).`,
    grade: "inferred",
  }),
  retained: (bucket: string, object: string, until: string) => ({
    httpStatus: 403,
    reason: "retentionPolicyNotMet",
    message: `Object '${bucket}/${object}' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until ${until}`,
    grade: "documented",
  }),
  held: (bucket: string, object: string) => ({
    httpStatus: 403,
    reason: "forbidden",
    message: `Object '${bucket}/${object}' is under active Temporary hold or Event-Based hold and cannot be deleted, overwritten or archived until hold is removed.`,
    grade: "documented",
  }),
  retentionLocked: () => ({ httpStatus: 403, reason: "forbidden", message: "Cannot remove or reduce the duration of a locked retention policy.", grade: "inferred" }),
  payerMissing: () => ({ httpStatus: 400, reason: "required", message: "Bucket is a requester pays bucket but no user project provided.", grade: "live" }),
} as const satisfies Record<string, (...values: never[]) => StorageRefusal>;

/** The header that an error of the JSON API blames, by reason. */
export const blamedHeaders: Readonly<Record<string, string>> = { required: "Authorization", authError: "Authorization", conditionNotMet: "If-Match" };

/** Codes and messages of the XML API by status. https://cloud.google.com/storage/docs/xml-api/reference-status */
export const xmlErrors: Readonly<Record<number, { code: string; message: string }>> = {
  400: { code: "InvalidArgument", message: "Invalid argument." },
  401: { code: "AuthenticationRequired", message: "Authentication required." },
  403: { code: "AccessDenied", message: "Access denied." },
  412: { code: "PreconditionFailed", message: "At least one of the pre-conditions you specified did not hold." },
  416: { code: "InvalidRange", message: "The requested range cannot be satisfied." },
};
export const xmlMissing = {
  bucket: { code: "NoSuchBucket", message: "The specified bucket does not exist." },
  object: { code: "NoSuchKey", message: "The specified key does not exist." },
} as const;
