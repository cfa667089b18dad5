/**
 * On which resources an action can be granted, for the services that integrations use.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */

export interface ActionScope {
  readonly service: string;
  readonly actions: readonly string[];
  /** What the part of the ARN after the account must look like; wildcards in it are the policy's own. */
  readonly resource: RegExp;
  /** How to write the resource. */
  readonly form: string;
}

const OBJECT_ACTIONS = [
  "AbortMultipartUpload",
  "BypassGovernanceRetention",
  "DeleteObject",
  "DeleteObjectTagging",
  "DeleteObjectVersion",
  "DeleteObjectVersionTagging",
  "GetObject",
  "GetObjectAcl",
  "GetObjectAttributes",
  "GetObjectLegalHold",
  "GetObjectRetention",
  "GetObjectTagging",
  "GetObjectVersion",
  "GetObjectVersionAcl",
  "GetObjectVersionAttributes",
  "GetObjectVersionTagging",
  "ListMultipartUploadParts",
  "PutObject",
  "PutObjectAcl",
  "PutObjectLegalHold",
  "PutObjectRetention",
  "PutObjectTagging",
  "PutObjectVersionAcl",
  "PutObjectVersionTagging",
  "RestoreObject",
];

const BUCKET_ACTIONS = [
  "CreateBucket",
  "DeleteBucket",
  "DeleteBucketPolicy",
  "GetBucketAcl",
  "GetBucketCORS",
  "GetBucketLocation",
  "GetBucketLogging",
  "GetBucketNotification",
  "GetBucketObjectLockConfiguration",
  "GetBucketOwnershipControls",
  "GetBucketPolicy",
  "GetBucketPolicyStatus",
  "GetBucketPublicAccessBlock",
  "GetBucketTagging",
  "GetBucketVersioning",
  "GetEncryptionConfiguration",
  "GetLifecycleConfiguration",
  "GetReplicationConfiguration",
  "ListBucket",
  "ListBucketMultipartUploads",
  "ListBucketVersions",
  "PutBucketAcl",
  "PutBucketCORS",
  "PutBucketNotification",
  "PutBucketOwnershipControls",
  "PutBucketPolicy",
  "PutBucketPublicAccessBlock",
  "PutBucketTagging",
  "PutBucketVersioning",
  "PutEncryptionConfiguration",
  "PutLifecycleConfiguration",
  "PutReplicationConfiguration",
];

const PROJECT_ACTIONS = [
  "BatchGetBuilds",
  "BatchGetProjects",
  "CreateProject",
  "DeleteProject",
  "ListBuildsForProject",
  "RetryBuild",
  "StartBuild",
  "StopBuild",
  "UpdateProject",
];

export const ACTION_SCOPES: readonly ActionScope[] = [
  // A wildcard before the slash may stand for bucket and key together.
  { service: "s3", actions: OBJECT_ACTIONS, resource: /[/*]/, form: "the bucket's ARN with /* or a key prefix behind it" },
  { service: "s3", actions: BUCKET_ACTIONS, resource: /^[^/]+$/, form: "the bucket's ARN, without a slash" },
  { service: "codebuild", actions: PROJECT_ACTIONS, resource: /^(project\/|\*)/, form: "arn:…:codebuild:<region>:<account>:project/<name>" },
  { service: "logs", actions: ["CreateLogStream", "PutLogEvents"], resource: /^(\*|log-group:.*(:\*|:log-stream:|\*$))/, form: "the log group's ARN with :* behind it" },
];

/** Actions that no resource can narrow: they must be granted on `*`. */
export const UNSCOPED_ACTIONS: readonly string[] = [
  "codebuild:ListBuilds",
  "codebuild:ListProjects",
  "ecr:GetAuthorizationToken",
  "lambda:ListFunctions",
  "s3:ListAllMyBuckets",
  "sts:GetCallerIdentity",
];
