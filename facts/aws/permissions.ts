/** What DCF needs in a customer's account, by grant kind: every action with the reason for it. */
import type { Grade } from "./limits.js";

export interface Permission {
  /** IAM action, such as `s3:GetObject`. */
  action: string;
  /** Which ARN the action is granted on. */
  on: "bucket" | "object" | "key";
  reason: string;
  source: string;
  grade: Grade;
}

const dcf = "DCF, Cloud Integrations: AWS Permissions To Grant";
const s3Kms = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html";

export const awsPermissions = {
  /** Artifacts in one bucket, or below one key prefix of it. */
  "s3-objects": [
    { action: "s3:GetBucketLocation", on: "bucket", reason: "Check that the bucket is in the configured region before anything is stored", source: dcf, grade: "documented" },
    { action: "s3:ListBucket", on: "bucket", reason: "Find artifacts, and tell a missing object from a forbidden one", source: dcf, grade: "documented" },
    { action: "s3:GetObject", on: "object", reason: "Read artifacts back", source: dcf, grade: "documented" },
    { action: "s3:PutObject", on: "object", reason: "Upload artifacts", source: dcf, grade: "documented" },
    { action: "s3:DeleteObject", on: "object", reason: "Remove artifacts that are no longer deployed", source: dcf, grade: "documented" },
  ],
  /** In addition, where the bucket encrypts with a KMS key; only through S3. */
  "s3-objects-kms": [
    { action: "kms:GenerateDataKey", on: "key", reason: "S3 encrypts every uploaded object with a data key", source: s3Kms, grade: "documented" },
    { action: "kms:Decrypt", on: "key", reason: "S3 decrypts on reading, and on finishing a multipart upload", source: s3Kms, grade: "documented" },
  ],
} as const satisfies Record<string, readonly Permission[]>;

export type AwsPermissionSet = keyof typeof awsPermissions;

/** The actions of a set that are granted on one kind of ARN, or all of them, in the set's order. */
export function actionsOf(set: AwsPermissionSet, on?: Permission["on"]): string[] {
  const all: readonly Permission[] = awsPermissions[set];
  return all.filter((permission) => on === undefined || permission.on === on).map((permission) => permission.action);
}
