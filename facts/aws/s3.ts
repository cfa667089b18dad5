/**
 * What Amazon S3 publishes about names, permissions and answers. Grade `documented` unless it says otherwise; each table names its page.
 */

/** Bucket names, https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export const BUCKET_NAME = {
  minLength: 3,
  maxLength: 63,
  characters: /^[a-z0-9.-]+$/,
  edges: /^[a-z0-9].*[a-z0-9]$/,
  reservedPrefixes: ["xn--", "sthree-", "amzn-s3-demo-"],
  reservedSuffixes: ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"],
} as const;

/**
 * Buckets of the account regional namespace, `<prefix>-<account>-<region>-an`: only that account can ever create them.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
 */
export const ACCOUNT_REGIONAL_BUCKET = /^(?<prefix>.+)-(?<accountId>\d{12})-(?<region>[a-z]{2,}(?:-[a-z]+)+-\d+)-an$/;

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/** Why S3 would refuse this name for a new general purpose bucket; undefined when it would not. */
export function bucketNameProblem(name: string): string | undefined {
  if (name.length < BUCKET_NAME.minLength || name.length > BUCKET_NAME.maxLength)
    return `must have ${BUCKET_NAME.minLength} to ${BUCKET_NAME.maxLength} characters, has ${name.length}`;
  if (!BUCKET_NAME.characters.test(name)) return "may only have lower-case letters, digits, dots and hyphens";
  if (!BUCKET_NAME.edges.test(name)) return "must begin and end with a letter or a digit";
  if (name.includes("..")) return "must not have two dots in a row";
  if (IPV4.test(name)) return "must not look like an IP address";
  const prefix = BUCKET_NAME.reservedPrefixes.find((reserved) => name.startsWith(reserved));
  if (prefix !== undefined) return `must not begin with ${prefix}, which AWS reserves`;
  const suffix = BUCKET_NAME.reservedSuffixes.find((reserved) => name.endsWith(reserved));
  if (suffix !== undefined) return `must not end with ${suffix}, which AWS reserves`;
  return undefined;
}

/** Object keys are at most this many bytes of UTF-8. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const MAX_KEY_BYTES = 1024;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MULTIPART = { maxParts: 10_000, minPartBytes: 5 * 1024 * 1024 } as const;

/** Bytes of a bucket policy. https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html */
export const MAX_BUCKET_POLICY_BYTES = 20 * 1024;

/**
 * The permission that each operation needs, where it is not `s3:<Operation>` itself.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
const ACTION_OF_OPERATION: Readonly<Record<string, string>> = {
  CompleteMultipartUpload: "s3:PutObject",
  CopyObject: "s3:PutObject",
  CreateMultipartUpload: "s3:PutObject",
  DeleteBucketEncryption: "s3:PutEncryptionConfiguration",
  DeleteBucketLifecycle: "s3:PutLifecycleConfiguration",
  DeleteBucketOwnershipControls: "s3:PutBucketOwnershipControls",
  DeleteBucketTagging: "s3:PutBucketTagging",
  DeleteObjects: "s3:DeleteObject",
  DeletePublicAccessBlock: "s3:PutBucketPublicAccessBlock",
  GetBucketAccelerateConfiguration: "s3:GetAccelerateConfiguration",
  GetBucketCors: "s3:GetBucketCORS",
  GetBucketEncryption: "s3:GetEncryptionConfiguration",
  GetBucketLifecycleConfiguration: "s3:GetLifecycleConfiguration",
  GetBucketNotificationConfiguration: "s3:GetBucketNotification",
  GetBucketReplication: "s3:GetReplicationConfiguration",
  GetObjectLockConfiguration: "s3:GetBucketObjectLockConfiguration",
  GetPublicAccessBlock: "s3:GetBucketPublicAccessBlock",
  HeadBucket: "s3:ListBucket",
  HeadObject: "s3:GetObject",
  ListBuckets: "s3:ListAllMyBuckets",
  ListMultipartUploads: "s3:ListBucketMultipartUploads",
  ListObjects: "s3:ListBucket",
  ListObjectsV2: "s3:ListBucket",
  ListObjectVersions: "s3:ListBucketVersions",
  ListParts: "s3:ListMultipartUploadParts",
  PutBucketEncryption: "s3:PutEncryptionConfiguration",
  PutBucketLifecycleConfiguration: "s3:PutLifecycleConfiguration",
  PutPublicAccessBlock: "s3:PutBucketPublicAccessBlock",
  UploadPart: "s3:PutObject",
  UploadPartCopy: "s3:PutObject",
};

/** The IAM action behind an operation of the S3 API. */
export function s3Action(operation: string): string {
  return ACTION_OF_OPERATION[operation] ?? `s3:${operation}`;
}

/**
 * Status and text by error code. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * Texts are hints: AWS changes them; codes are the contract.
 */
export const S3_ERRORS = {
  AccessControlListNotSupported: [400, "The bucket does not allow ACLs"],
  AccessDenied: [403, "Access Denied"],
  AuthorizationHeaderMalformed: [400, "The authorization header is malformed"],
  BadDigest: [400, "The Content-MD5 you specified did not match what we received."],
  BucketAlreadyExists: [
    409,
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
  ],
  BucketAlreadyOwnedByYou: [409, "Your previous request to create the named bucket succeeded and you already own it."],
  BucketNotEmpty: [409, "The bucket you tried to delete is not empty"],
  EntityTooSmall: [400, "Your proposed upload is smaller than the minimum allowed size"],
  IllegalLocationConstraintException: [
    400,
    "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.",
  ],
  InvalidArgument: [400, "Invalid Argument"],
  InvalidBucketName: [400, "The specified bucket is not valid."],
  InvalidBucketNamespace: [400, "The bucket name does not match the requested bucket namespace."],
  InvalidDigest: [400, "The Content-MD5 you specified was invalid."],
  InvalidLocationConstraint: [400, "The specified location-constraint is not valid"],
  InvalidPart: [
    400,
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  ],
  InvalidPartOrder: [400, "The list of parts was not in ascending order. Parts must be ordered by part number."],
  InvalidRange: [416, "The requested range is not satisfiable"],
  InvalidRequest: [400, "Invalid Request"],
  KeyTooLongError: [400, "Your key is too long"],
  MalformedPolicy: [400, "Policies must be valid JSON and the first byte must be '{'"],
  MalformedXML: [400, "The XML you provided was not well-formed or did not validate against our published schema"],
  MethodNotAllowed: [405, "The specified method is not allowed against this resource."],
  NoSuchBucket: [404, "The specified bucket does not exist"],
  NoSuchBucketPolicy: [404, "The bucket policy does not exist"],
  NoSuchCORSConfiguration: [404, "The CORS configuration does not exist"],
  NoSuchKey: [404, "The specified key does not exist."],
  NoSuchLifecycleConfiguration: [404, "The lifecycle configuration does not exist"],
  NoSuchPublicAccessBlockConfiguration: [404, "The public access block configuration was not found"],
  NoSuchTagSet: [404, "The TagSet does not exist"],
  NoSuchUpload: [404, "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."],
  NoSuchVersion: [404, "The specified version does not exist."],
  NoSuchWebsiteConfiguration: [404, "The specified bucket does not have a website configuration"],
  NotImplemented: [501, "A header you provided implies functionality that is not implemented"],
  NotModified: [304, "Not Modified"],
  ObjectLockConfigurationNotFoundError: [404, "Object Lock configuration does not exist for this bucket"],
  OwnershipControlsNotFoundError: [404, "The bucket ownership controls were not found"],
  PermanentRedirect: [
    301,
    "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
  ],
  PreconditionFailed: [412, "At least one of the pre-conditions you specified did not hold"],
  ReplicationConfigurationNotFoundError: [404, "The replication configuration was not found"],
} as const satisfies Readonly<Record<string, readonly [status: number, message: string]>>;

export type S3ErrorCode = keyof typeof S3_ERRORS;

/**
 * Condition keys with which a statement for everybody is still not public, as long as their values are fixed. Of the
 * keys that name principals the page has `aws:PrincipalOrgID` as its example; the others are inferred from it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
export const NON_PUBLIC_CONDITION_KEYS: readonly string[] = [
  "aws:principalaccount",
  "aws:principalarn",
  "aws:principalorgid",
  "aws:principalorgpaths",
  "aws:sourceaccount",
  "aws:sourcearn",
  "aws:sourceip",
  "aws:sourceowner",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:userid",
  "s3:dataaccesspointaccount",
  "s3:dataaccesspointarn",
  "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/** What a bucket made since April 2023 has. https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html */
export const NEW_BUCKET = {
  objectOwnership: "BucketOwnerEnforced",
  publicAccessBlock: { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
} as const;
