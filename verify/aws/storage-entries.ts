/** What can be wrong between a session and the objects of a bucket. */
import { partitionNamed } from "../../facts/aws/partitions.js";
import type { CauseEntry, FailureMode } from "../causes.js";
import type { AwsCauseValues } from "./causes.js";
import { boundaryFix, roleName, up } from "./fixes.js";

const BUCKET: FailureMode = "Bucket exists but access is denied";

const bucketOf = (values: AwsCauseValues) => values.subject ?? "";

export const storageCauses = {
  // ---- S3 ----
  "aws.s3.bucket-missing": {
    title: "The bucket does not exist",
    explanation: "It was deleted, or never created under this name.",
    fix: (values) => `${up}; the contract names ${bucketOf(values)}.`,
  },
  "aws.s3.other-region": {
    title: "The bucket is in another region",
    explanation: "S3 sends callers of the wrong region away.",
    fix: (values) => `Set the region to ${values.found ?? "the bucket's own"} in the stack's configuration (\`pulumi config set aws:region ${values.found ?? "…"}\`) and run \`pulumi up\`, or name a bucket in ${values.expected ?? ""}.`,
  },
  "aws.s3.other-owner": {
    title: "The bucket belongs to another account",
    failureMode: BUCKET,
    explanation: "Bucket names are shared by all of AWS: after a deletion anybody can take one. Every call of verify names the expected owner, so nothing was stored there.",
    fix: (values) => `Choose another bucket name (accountRegionalName makes one that nobody else can take) and run \`pulumi up\`; do not use ${bucketOf(values)}.`,
  },
  "aws.s3.action-not-allowed": {
    title: "No policy allows the action",
    failureMode: BUCKET,
    explanation: "Neither the role's policies nor the bucket's allow it.",
    fix: (values) => `${up}, or add ${values.action ?? "the action"} on ${values.subject ?? "the bucket"} to the policy of role ${roleName(values)}.`,
  },
  "aws.s3.identity-policy-denies": {
    title: "A policy of the role denies the action",
    failureMode: BUCKET,
    explanation: "A Deny that matches outweighs every Allow.",
    fix: (values) => `Remove the Deny for ${values.action ?? "the action"} from the policies of role ${roleName(values)}${values.found === undefined ? "" : ` (${values.found})`}, or narrow it.`,
  },
  "aws.s3.boundary": {
    title: "The role's permissions boundary does not allow the action",
    failureMode: BUCKET,
    explanation: "A boundary caps what the role's policies grant.",
    fix: (values) => boundaryFix(values, values.subject ?? "the bucket", roleName(values)),
  },
  "aws.s3.service-control-policy": {
    title: "A service control policy of the organisation denies the action",
    failureMode: BUCKET,
    explanation: "It caps every identity of the account.",
    fix: (values) => `Ask the organisation's administrators to allow ${values.action ?? "the action"} for role ${roleName(values)} in account ${values.exchange.accountId}.`,
  },
  "aws.s3.resource-control-policy": {
    title: "A resource control policy of the organisation denies the action",
    failureMode: BUCKET,
    explanation: "It caps what anybody may do with the account's resources.",
    fix: (values) => `Ask the organisation's administrators to except role ${roleName(values)} from the RCP that denies ${values.action ?? "the action"} on ${values.subject ?? "the bucket"}.`,
  },
  "aws.s3.session-policy": {
    title: "A session policy does not allow the action",
    failureMode: BUCKET,
    explanation: "Verify asks for a session without policies: something between here and STS adds one.",
    fix: () => "Check AWS_ENDPOINT_URL_STS and HTTPS_PROXY of this shell.",
  },
  "aws.s3.bucket-policy-denies": {
    title: "The bucket's policy denies the action",
    failureMode: BUCKET,
    explanation: "A Deny that matches outweighs every Allow: often a condition on a VPC endpoint, a network or an organisation that the platform is not in, or on a role that was made again since.",
    fix: (values) => `Except ${values.exchange.roleArn} from the Deny${values.found === undefined ? "" : ` (${values.found})`} in the policy of bucket ${bucketOf(values)}; if the policy names the role already, save it again so that it holds the role's present id.`,
  },
  "aws.s3.bucket-policy-former-role": {
    title: "The bucket's policy still means the former role of this name",
    failureMode: BUCKET,
    explanation: "AWS stores a role's unique id in place of its ARN. A role that is deleted and made again has another id, and the policy does not mean it.",
    fix: (values) => `Save the policy of bucket ${bucketOf(values)} again with ${values.exchange.roleArn} in place of ${values.found ?? "the id"}.`,
  },
  "aws.s3.vpc-endpoint-policy": {
    title: "The policy of a VPC endpoint denies the action",
    failureMode: BUCKET,
    explanation: "The call goes through a VPC endpoint whose policy does not allow it.",
    fix: (values) => `Allow ${values.action ?? "the action"} on ${values.subject ?? "the bucket"} in the endpoint's policy.`,
  },
  "aws.s3.not-propagated": {
    title: "The change of a policy has not taken effect yet",
    failureMode: BUCKET,
    explanation: "New policies take up to a few minutes.",
    fix: () => "Run verify again with --wait 2m.",
  },
  "aws.s3.content-differs": {
    title: "What was read is not what was stored",
    explanation: "Something between here and the bucket changes objects.",
    fix: (values) => `Check event functions, Object Lambda access points and proxies in front of bucket ${bucketOf(values)}.`,
  },
  "aws.s3.not-deleted": {
    title: "The probe's object is still listed after it was deleted",
    explanation: "S3 is consistent: something has put it back, or deleting does not delete.",
    fix: (values) => `Look into replication and event functions of bucket ${bucketOf(values)}.`,
  },
  "aws.s3.settings-differ": {
    title: "The bucket is not as the stack made it",
    explanation: "Its protection was changed out of band.",
    fix: () => "Run `pulumi up --refresh` to put the bucket's settings back.",
  },
  "aws.grants.too-wide": {
    title: "The role may do more than the contract grants",
    explanation: "What the contract does not grant must be refused.",
    fix: (values) => `Take ${values.action ?? "it"} on ${values.subject ?? "other resources"} away from role ${roleName(values)}: keep to the actions and resources of the contract.`,
  },
  // ---- KMS ----
  "aws.kms.key-policy": {
    title: "The KMS key's policy does not let the role use the key",
    failureMode: BUCKET,
    explanation: "Both sides must allow: the role's policy and the key's own.",
    fix: (values) => `Allow kms:GenerateDataKey and kms:Decrypt through S3 (kms:ViaService s3.${values.exchange.region}.${partitionNamed(values.exchange.partition)?.dnsSuffix ?? "amazonaws.com"}) for ${values.exchange.roleArn} in the policy of key ${values.subject ?? ""}.`,
  },
  "aws.kms.action-not-allowed": {
    title: "The role's policies do not let it use the KMS key",
    failureMode: BUCKET,
    explanation: "Both sides must allow: the role's policy and the key's own.",
    fix: (values) => `${up}, or add kms:GenerateDataKey and kms:Decrypt on ${values.subject ?? "the key"} to the policy of role ${roleName(values)}.`,
  },
  "aws.kms.key-denied": {
    title: "The use of the bucket's KMS key is denied",
    failureMode: BUCKET,
    explanation: "S3 encrypts with the key on behalf of the caller, who needs the right to use it.",
    fix: (values) => `Look for the Deny of ${values.action ?? "kms actions"} on ${values.subject ?? "the key"}: ${values.found ?? "role, key policy, organisation"}.`,
  },
  "aws.kms.key-disabled": {
    title: "The bucket's KMS key is disabled or being deleted",
    failureMode: BUCKET,
    explanation: "Without the key nothing can be stored or read.",
    fix: (values) => `aws kms enable-key --key-id ${values.subject ?? "<key>"} --region ${values.exchange.region} (or first aws kms cancel-key-deletion).`,
  },
  "aws.kms.key-missing": {
    title: "The bucket's KMS key does not exist",
    failureMode: BUCKET,
    explanation: "The bucket encrypts with a key that was deleted or is named wrongly.",
    fix: (values) => `Set an existing key as the default encryption of the bucket; ${values.subject ?? "the key"} cannot be found.`,
  },
  "aws.kms.key-differs": {
    title: "The bucket encrypts with another key than the contract says",
    failureMode: BUCKET,
    explanation: "The role's rights are on the contract's key.",
    fix: (values) => `Set ${values.expected ?? "the contract's key"} as the bucket's default encryption, or put ${values.found ?? "the bucket's key"} into the stack's configuration and run \`pulumi up\`.`,
  },
} as const satisfies Record<string, CauseEntry<AwsCauseValues>>;
