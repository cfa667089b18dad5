/** AWS's limits and formats, as data: what a value must look like, in whose words, from which page. */
import type { NumberRule, TextRule } from "../rules.js";
import { codeBuildRules } from "./codebuild.js";
import { BUCKET_NAME, bucketNameProblem, MAX_KEY_BYTES } from "./s3.js";
import { STS_LIMITS } from "./sts.js";

const iamQuotas = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html";
const iamApi = "https://docs.aws.amazon.com/IAM/latest/APIReference";

export const textRules = {
  accountId: {
    what: "an AWS account id",
    min: 12,
    max: 12,
    pattern: /^\d{12}$/,
    form: "12 digits",
    example: "111122223333",
    source: "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html",
    grade: "documented",
  },
  roleName: {
    what: "an IAM role name",
    min: 1,
    max: 64,
    pattern: /^[\w+=,.@-]+$/,
    form: "1 to 64 letters, digits or any of _+=,.@-",
    example: "dcf-federated",
    source: `${iamApi}/API_CreateRole.html`,
    grade: "documented",
  },
  path: {
    what: "an IAM path",
    min: 1,
    max: 512,
    pattern: /^\/(?:[\u0021-\u007e]+\/)?$/,
    form: "1 to 512 printable ASCII characters that begin and end with /",
    example: "/dcf/",
    source: `${iamApi}/API_CreateRole.html`,
    grade: "documented",
  },
  roleDescription: {
    what: "a role description",
    min: 0,
    max: 1000,
    pattern: /^[\u0009\u000a\u000d\u0020-\u007e\u00a1-\u00ff]*$/,
    form: "at most 1000 characters of Latin-1",
    example: "Assumed by DCF for project 4711",
    source: `${iamApi}/API_CreateRole.html`,
    grade: "documented",
  },
  sessionName: {
    what: "a role session name",
    ...STS_LIMITS.sessionNameLength,
    pattern: /^[\w+=,.@-]*$/,
    form: "2 to 64 letters, digits or any of _+=,.@-",
    example: "dcf-project-4711",
    source: "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html",
    grade: "documented",
  },
  tagKey: {
    what: "a tag key",
    min: 1,
    max: 128,
    pattern: /^(?![aA][wW][sS]:)[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u,
    form: "1 to 128 letters, digits, spaces or any of _.:/=+-@, not beginning with aws:",
    example: "Owner",
    source: `${iamApi}/API_Tag.html`,
    grade: "documented",
  },
  tagValue: {
    what: "a tag value",
    min: 0,
    max: 256,
    pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
    form: "at most 256 letters, digits, spaces or any of _.:/=+-@",
    example: "team-a",
    source: `${iamApi}/API_Tag.html`,
    grade: "documented",
  },
  policyArn: {
    what: "the ARN of a managed policy",
    min: 20,
    max: 2048,
    pattern: /^arn:(?:aws|aws-us-gov|aws-cn):iam::(?:\d{12}|aws):policy\/[\u0021-\u007e]+$/,
    form: "as in arn:aws:iam::111122223333:policy/Name",
    example: "arn:aws:iam::111122223333:policy/Boundary",
    source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
    grade: "documented",
  },
  oidcProviderArn: {
    what: "the ARN of an IAM OIDC provider",
    min: 20,
    max: 2048,
    pattern: /^arn:(?:aws|aws-us-gov|aws-cn):iam::\d{12}:oidc-provider\/[\u0021-\u007e]+$/,
    form: "as in arn:aws:iam::111122223333:oidc-provider/oidc.example.com",
    example: "arn:aws:iam::111122223333:oidc-provider/oidc.dcf.example",
    source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
    grade: "documented",
  },
  issuerUrl: {
    what: "the URL of an OIDC issuer",
    min: 1,
    max: 255,
    // A port, a query, a fragment and a user name are refused by IAM; the path is part of the issuer's name.
    pattern: /^https:\/\/[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?:\/[A-Za-z0-9\-._~!&'()+,;=:@%/]*)?$/,
    form: "https:// with a host and perhaps a path, at most 255 characters, without port, query, fragment or user name",
    example: "https://oidc.dcf.example",
    source: `${iamApi}/API_CreateOpenIDConnectProvider.html`,
    grade: "documented",
  },
  clientId: {
    what: "a client id (audience)",
    min: 1,
    max: 255,
    pattern: /^[\u0021-\u007e]+$/,
    form: "1 to 255 printable characters without spaces",
    example: "sts.amazonaws.com",
    source: `${iamApi}/API_CreateOpenIDConnectProvider.html`,
    grade: "documented",
  },
  subject: {
    what: "a token's subject",
    min: 1,
    max: 255,
    pattern: /^[\u0021-\u007e]+$/,
    form: "1 to 255 printable ASCII characters without spaces",
    example: "system:serviceaccount:dcf:project-4711",
    source: "https://openid.net/specs/openid-connect-core-1_0.html#IDToken",
    grade: "documented",
  },
  bucketName: {
    what: "an S3 bucket name",
    min: BUCKET_NAME.minLength,
    max: BUCKET_NAME.maxLength,
    // Coarser than S3's rules, for a JSON Schema; bucketNameViolation has them all.
    pattern: /^[a-z0-9][a-z0-9.-]*[a-z0-9]$/,
    form: `${BUCKET_NAME.minLength} to ${BUCKET_NAME.maxLength} lower-case letters, digits, dots or hyphens`,
    example: "acme-dcf-artifacts",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
    grade: "documented",
  },
  keyPrefix: {
    what: "an object key prefix",
    min: 1,
    max: MAX_KEY_BYTES,
    // Wildcards and policy variables would widen or break the policy that the prefix is written into.
    pattern: /^(?!\/)[^*?$\p{Cc}]+$/u,
    form: `1 to ${MAX_KEY_BYTES} characters, not beginning with /, without any of *?$ and control characters`,
    example: "project-4711/",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html",
    grade: "documented",
  },
  kmsKeyArn: {
    what: "the ARN of a KMS key",
    min: 20,
    max: 2048,
    pattern: /^arn:(?:aws|aws-us-gov|aws-cn):kms:[a-z0-9-]+:\d{12}:key\/(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    form: "the ARN of the key itself (an alias will not do), as in arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    example: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    source: "https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-ARN",
    grade: "documented",
  },
  roleArn: {
    what: "the ARN of an IAM role",
    min: 20,
    max: 2048,
    pattern: /^arn:(?:aws|aws-us-gov|aws-cn):iam::\d{12}:role\/[\u0021-\u007e]+$/,
    form: "as in arn:aws:iam::111122223333:role/Name",
    example: "arn:aws:iam::111122223333:role/dcf-federated",
    source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
    grade: "documented",
  },
  bucketArn: {
    what: "the ARN of an S3 bucket",
    min: 16,
    max: 85,
    pattern: /^arn:(?:aws|aws-us-gov|aws-cn):s3:::[a-z0-9][a-z0-9.-]*[a-z0-9]$/,
    form: "as in arn:aws:s3:::name",
    example: "arn:aws:s3:::acme-dcf-artifacts",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-arn-format.html",
    grade: "documented",
  },
  codebuildProjectName: {
    ...codeBuildRules.projectName,
    form: "2 to 150 letters, digits, - or _, beginning with a letter or a digit",
    example: "dcf-build",
  },
  codebuildProjectArn: {
    what: "the ARN of a CodeBuild project",
    min: 20,
    max: 2048,
    pattern: /^arn:(?:aws|aws-us-gov|aws-cn):codebuild:[a-z0-9-]+:\d{12}:project\/[A-Za-z0-9][A-Za-z0-9_-]{1,149}$/,
    form: "as in arn:aws:codebuild:eu-west-1:111122223333:project/name",
    example: "arn:aws:codebuild:eu-west-1:111122223333:project/dcf-build",
    source: "https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-iam-access-control-identity-based.html",
    grade: "documented",
  },
  ecrRepositoryName: {
    what: "the name of an ECR repository",
    min: 2,
    max: 256,
    pattern: /^(?:[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*\/)*[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/,
    form: "2 to 256 lower-case letters and digits, in parts separated by . _ - or /",
    example: "dcf/functions",
    source: "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html",
    grade: "documented",
  },
  functionNamePrefix: {
    what: "the prefix of Lambda function names",
    // A name has at most 64 characters, and something has to fit behind the prefix; one or two letters reserve nothing.
    min: 3,
    max: 40,
    pattern: /^[A-Za-z0-9_-]+$/,
    form: "3 to 40 letters, digits, - or _",
    example: "acme-dcf-",
    source: "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html",
    grade: "inferred",
  },
} as const satisfies Record<string, TextRule>;

export const numberRules = {
  maxSessionDuration: {
    what: "the longest session of a role",
    min: 3600,
    max: 43200,
    unit: "seconds",
    source: `${iamApi}/API_CreateRole.html`,
    grade: "documented",
  },
  lifecycleDays: {
    what: "the age at which S3 removes something",
    min: 1,
    // S3 takes any positive number; ten years is where a typing mistake is likelier than a wish.
    max: 3650,
    unit: "days",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html",
    grade: "inferred",
  },
  buildTimeout: { ...codeBuildRules.timeoutMinutes, unit: "minutes" },
} as const satisfies Record<string, NumberRule>;

/** The only ages at which CloudWatch Logs removes events, in days. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
export const logRetentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/** Default quotas; sizes are counted without whitespace. */
export const quotas = {
  trustPolicySize: { limit: 2048, what: "characters of a role's trust policy", raisable: true, source: iamQuotas, grade: "documented" },
  roleInlinePolicySize: { limit: 10240, what: "characters of all inline policies of a role", raisable: false, source: iamQuotas, grade: "documented" },
  clientIdsPerProvider: { limit: 100, what: "client ids of an OIDC provider", raisable: false, source: iamQuotas, grade: "documented" },
  tagsPerResource: { limit: 50, what: "tags of a resource", raisable: false, source: iamQuotas, grade: "documented" },
} as const;

/** As `textViolation`, for the name of a new bucket. */
export function bucketNameViolation(name: string): string | undefined {
  const problem = bucketNameProblem(name);
  return problem === undefined ? undefined : `${problem}; got ${JSON.stringify(name)}`;
}

/** Size as IAM counts it against its quotas. */
export function policySize(document: string): number {
  return document.replace(/\s/g, "").length;
}

/**
 * A bucket's name in the account regional namespace, in which nobody else can ever make it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
 */
export function accountRegionalBucketName(prefix: string, accountId: string, region: string): string {
  return `${prefix}-${accountId}-${region}-an`;
}
