/** Why S3 refused: by its code, then by what the account's policies and AWS's own words say. */
import type { GrantOf } from "../../contract/schema.js";
import type { PolicyLayer } from "../../trust/aws/types.js";
import type { Cause, Suspect } from "../causes.js";
import type { Diagnosis } from "../check.js";
import { type AwsRefusal, describeAnswer } from "./answers.js";
import type { AwsCauseCode } from "./causes.js";
import { readDenial, type Denial } from "./denial-text.js";
import { cause, diagnosis, type AwsRun } from "./run.js";

export type BucketGrant = GrantOf<"s3-objects">;

/** The call that was refused. */
export interface S3Call {
  operation: string;
  /** The IAM action behind it. */
  action: string;
  resource: string;
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html, as S3 passes them on. */
const BY_CODE: Readonly<Record<string, AwsCauseCode>> = {
  NoSuchBucket: "aws.s3.bucket-missing",
  PermanentRedirect: "aws.s3.other-region",
  TemporaryRedirect: "aws.s3.other-region",
  AuthorizationHeaderMalformed: "aws.s3.other-region",
  IllegalLocationConstraintException: "aws.s3.other-region",
  "KMS.DisabledException": "aws.kms.key-disabled",
  "KMS.KMSInvalidStateException": "aws.kms.key-disabled",
  "KMS.InvalidStateException": "aws.kms.key-disabled",
  "KMS.NotFoundException": "aws.kms.key-missing",
};

const KEY_ARN = /arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+/;

/** Layers that no evidence of verify's can read. */
const NOT_READ = ["service control policies", "resource control policies", "VPC endpoint policies"];

/** Undefined for answers that say nothing about rights. */
export async function diagnoseS3(run: AwsRun, grant: BucketGrant, call: S3Call, refusal: AwsRefusal, waited: boolean): Promise<Diagnosis | undefined> {
  const answered = `${call.operation}: ${describeAnswer(refusal)}`;
  const code = BY_CODE[refusal.code];
  if (code !== undefined) {
    const kms = code.startsWith("aws.kms.");
    // KMS names the key, unless its region is wrong already.
    const named = kms ? KEY_ARN.exec(refusal.message)?.[0] : undefined;
    const otherKey = named !== undefined && named !== grant.kmsKeyArn ? named : kms ? await bucketsOtherKey(run, grant) : undefined;
    if (otherKey !== undefined) return diagnosis([{ confirmed: true, cause: otherKeyCause(run, grant, otherKey, answered) }]);
    const found = refusal.headers["x-amz-bucket-region"];
    return diagnosis([
      { confirmed: true, cause: cause(run, code, answered, { subject: !kms ? grant.bucket : code === "aws.kms.key-missing" ? named : grant.kmsKeyArn, expected: grant.region, ...(found === undefined ? {} : { found }) }) },
    ]);
  }
  if (refusal.code !== "AccessDenied") return undefined;
  return diagnosis(await accessSuspects(run, grant, call, refusal, answered, waited), NOT_READ);
}

async function accessSuspects(run: AwsRun, grant: BucketGrant, call: S3Call, refusal: AwsRefusal, answered: string, waited: boolean): Promise<Suspect[]> {
  const denial = readDenial(refusal.message);
  const predicted = await run.account?.denialOf(run, grant, call);
  if (predicted?.status === "denied") return [{ confirmed: true, cause: { ...predicted.cause, evidence: [answered, ...predicted.cause.evidence] } }];
  const propagation: Suspect[] = waited ? [] : [{ confirmed: false, cause: cause(run, "aws.s3.not-propagated", "no change of a policy is known to be older than the time that AWS takes") }];
  const otherKey = denial && usedKey(grant, denial);
  if (otherKey !== undefined) return [{ confirmed: true, cause: otherKeyCause(run, grant, otherKey, answered) }];
  const said = denial && denialCause(run, grant, call, denial, answered);
  if (said) {
    // The account's policies, read just now, allow what one of their own layers is said to refuse.
    const contradicted = predicted?.status === "allowed" && denial.layer !== "service-control" && denial.layer !== "resource-control" && denial.layer !== "vpc-endpoint";
    // A grant that is on its way looks the same as one that is missing; a Deny does not come by itself.
    const grantMissing = !denial.explicit && (denial.layer === "identity" || denial.layer === "resource");
    return contradicted || grantMissing ? [{ confirmed: false, cause: said }, ...propagation] : [{ confirmed: true, cause: said }];
  }
  const values = { subject: grant.bucket, action: call.action };
  const unread = (["aws.s3.service-control-policy", "aws.s3.resource-control-policy"] as const).map((code) => open(run, code, answered, values));
  if (predicted?.status === "allowed") return [...unread, ...propagation];
  const encrypts = grant.kmsKeyArn !== undefined && /^s3:(Put|Get)Object$/.test(call.action);
  return [
    open(run, "aws.s3.other-owner", answered, values),
    open(run, "aws.s3.action-not-allowed", answered, values),
    open(run, "aws.s3.bucket-policy-denies", answered, values),
    ...(encrypts ? [open(run, "aws.kms.key-policy", answered, { subject: grant.kmsKeyArn })] : []),
    ...unread,
    ...propagation,
  ];
}

/** The bucket's key, when the account shows it and it is not the contract's. */
async function bucketsOtherKey({ account }: AwsRun, grant: BucketGrant): Promise<string | undefined> {
  const kmsKey = (await account?.bucket(grant.bucket, grant.region, grant.accountId))?.kmsKey;
  const found = account && kmsKey?.status === "read" ? await account.keyArn(kmsKey.value, grant.region) : undefined;
  return found === grant.kmsKeyArn || found === "" ? undefined : found;
}

/** The key that the denial is about, when it is not the contract's. */
function usedKey(grant: BucketGrant, { action, resource }: Denial): string | undefined {
  return action?.startsWith("kms:") && resource?.includes(":key/") && resource !== grant.kmsKeyArn ? resource : undefined;
}

/** The role's rights are on the contract's key; the bucket encrypts with another. */
export function otherKeyCause(run: AwsRun, grant: BucketGrant, found: string, ...evidence: string[]): Cause {
  const expected = grant.kmsKeyArn ?? "S3's own keys";
  return cause(run, "aws.kms.key-differs", [...evidence, `bucket ${grant.bucket} encrypts with ${found}, which the role may not use; the contract has ${expected}`], { expected, found });
}

function open(run: AwsRun, code: AwsCauseCode, answered: string, values: Parameters<typeof cause>[3]): Suspect {
  return { confirmed: false, cause: cause(run, code, answered, values) };
}

/** The cause behind a layer's refusal of an S3 action, or of a KMS action that S3 needed. */
export function layerCode(layer: PolicyLayer | "vpc-endpoint", explicit: boolean, action: string): AwsCauseCode {
  const kms = action.startsWith("kms:");
  switch (layer) {
    case "identity":
      if (explicit) return kms ? "aws.kms.key-denied" : "aws.s3.identity-policy-denies";
      return kms ? "aws.kms.action-not-allowed" : "aws.s3.action-not-allowed";
    case "resource":
      if (explicit) return kms ? "aws.kms.key-denied" : "aws.s3.bucket-policy-denies";
      return kms ? "aws.kms.key-policy" : "aws.s3.action-not-allowed";
    case "boundary":
      return "aws.s3.boundary";
    case "session":
      return "aws.s3.session-policy";
    case "service-control":
      return "aws.s3.service-control-policy";
    case "resource-control":
      return "aws.s3.resource-control-policy";
    case "vpc-endpoint":
      return "aws.s3.vpc-endpoint-policy";
  }
}

function denialCause(run: AwsRun, grant: BucketGrant, call: S3Call, denial: Denial, answered: string): Cause {
  const action = denial.action ?? call.action;
  const code = layerCode(denial.layer, denial.explicit, action);
  return cause(run, code, answered, { action, subject: subjectOf(code, grant, denial.resource ?? call.resource), explicit: denial.explicit });
}

/** Causes about a bucket's policy name the bucket, those about rights the resource. */
export function subjectOf(code: AwsCauseCode, grant: BucketGrant, resource: string): string {
  if (code.startsWith("aws.s3.bucket-policy")) return grant.bucket;
  return code === "aws.kms.key-policy" ? (grant.kmsKeyArn ?? resource) : resource;
}
