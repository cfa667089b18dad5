/** What DCF, its builds and its functions need in a customer's account: every action with the reason for it. */
import type { Grade } from "../rules.js";

export interface Permission {
  /** IAM action, such as `s3:GetObject`. */
  action: string;
  /** Which ARN the action is granted on; `any` where the service cannot scope it. */
  on: "bucket" | "object" | "key" | "project" | "function" | "repository" | "role" | "log-group" | "log-stream" | "any";
  reason: string;
  source: string;
  grade: Grade;
}

const dcf = "DCF, Cloud Integrations: AWS Permissions To Grant";
const dcfBuild = "DCF, Cloud Integrations: AWS Permissions To Grant, for the CodeBuild service role";
const lambdaApi = "https://docs.aws.amazon.com/lambda/latest/api";
const lambdaUrls = "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";
const ecrPush = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html";
const ecrPull = "https://docs.aws.amazon.com/lambda/latest/dg/images-create.html";
const buildLogs = "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html";
const functionLogs = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html";
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
  /** Builds in one project. */
  "codebuild-project": [
    { action: "codebuild:StartBuild", on: "project", reason: "Start the build that turns a staged archive into a function", source: dcf, grade: "documented" },
    { action: "codebuild:BatchGetBuilds", on: "project", reason: "Follow a build to its end, and say why it failed", source: dcf, grade: "documented" },
  ],
  /** Functions whose names begin with the integration's prefix. */
  "lambda-functions": [
    { action: "lambda:GetFunction", on: "function", reason: "See that a function was deployed, and its state", source: dcf, grade: "documented" },
    { action: "lambda:GetFunctionUrlConfig", on: "function", reason: "Show the address at which a function answers", source: dcf, grade: "documented" },
  ],
  /** In addition, only where DCF's undeploy shall remove functions. */
  "lambda-functions-undeploy": [
    { action: "lambda:DeleteFunctionUrlConfig", on: "function", reason: "Undeploy: take the function's address away", source: dcf, grade: "documented" },
    { action: "lambda:RemovePermission", on: "function", reason: "Undeploy: take the public's right to invoke away", source: dcf, grade: "documented" },
    { action: "lambda:DeleteFunction", on: "function", reason: "Undeploy: remove the function", source: dcf, grade: "documented" },
  ],
  /** What the CodeBuild service role may do: DCF's buildspec runs as this role. */
  "lambda-build": [
    { action: "s3:GetObject", on: "object", reason: "Read the staged archive", source: dcfBuild, grade: "documented" },
    { action: "ecr:GetAuthorizationToken", on: "any", reason: "Log Docker in to the registry; the service cannot scope it", source: ecrPush, grade: "documented" },
    { action: "ecr:BatchCheckLayerAvailability", on: "repository", reason: "Push the image: ask which layers are there already", source: ecrPush, grade: "documented" },
    { action: "ecr:InitiateLayerUpload", on: "repository", reason: "Push the image: begin a layer", source: ecrPush, grade: "documented" },
    { action: "ecr:UploadLayerPart", on: "repository", reason: "Push the image: send a layer", source: ecrPush, grade: "documented" },
    { action: "ecr:CompleteLayerUpload", on: "repository", reason: "Push the image: finish a layer", source: ecrPush, grade: "documented" },
    { action: "ecr:PutImage", on: "repository", reason: "Push the image: store its manifest under a tag", source: ecrPush, grade: "documented" },
    { action: "ecr:BatchGetImage", on: "repository", reason: "Push the image: compare with the manifest that is there", source: ecrPush, grade: "documented" },
    { action: "logs:CreateLogStream", on: "log-stream", reason: "Begin a build's log in the project's log group", source: buildLogs, grade: "documented" },
    { action: "logs:PutLogEvents", on: "log-stream", reason: "Write a build's log", source: buildLogs, grade: "documented" },
    { action: "lambda:GetFunction", on: "function", reason: "See whether to create or to update, and wait until a new function is active", source: dcfBuild, grade: "documented" },
    { action: "lambda:GetFunctionConfiguration", on: "function", reason: "Wait until an update has taken effect", source: dcfBuild, grade: "documented" },
    { action: "lambda:CreateFunction", on: "function", reason: "Deploy for the first time", source: dcfBuild, grade: "documented" },
    { action: "lambda:TagResource", on: "function", reason: "Tag the function while creating it", source: dcfBuild, grade: "documented" },
    { action: "lambda:UpdateFunctionCode", on: "function", reason: "Deploy again: the new image", source: dcfBuild, grade: "documented" },
    { action: "lambda:UpdateFunctionConfiguration", on: "function", reason: "Deploy again: the execution role and other settings", source: dcfBuild, grade: "documented" },
    { action: "lambda:GetFunctionUrlConfig", on: "function", reason: "See whether the function has an address", source: dcfBuild, grade: "documented" },
    { action: "lambda:CreateFunctionUrlConfig", on: "function", reason: "Give the function an address", source: dcfBuild, grade: "documented" },
    { action: "lambda:UpdateFunctionUrlConfig", on: "function", reason: "Change between a public and a private address", source: `${lambdaApi}/API_UpdateFunctionUrlConfig.html`, grade: "inferred" },
    { action: "lambda:AddPermission", on: "function", reason: "Let the public in: a public address needs lambda:InvokeFunctionUrl and lambda:InvokeFunction", source: lambdaUrls, grade: "documented" },
    { action: "iam:PassRole", on: "role", reason: "Hand the execution role to Lambda: this role, to this service", source: `${lambdaApi}/API_CreateFunction.html`, grade: "documented" },
  ],
  /** In addition, where the bucket encrypts with a KMS key; only through S3. */
  "lambda-build-kms": [{ action: "kms:Decrypt", on: "key", reason: "S3 decrypts the staged archive for the build", source: s3Kms, grade: "documented" }],
  /** What a deployed function may do before its owner grants it more. */
  "lambda-execution": [
    { action: "logs:CreateLogGroup", on: "log-group", reason: "Begin the function's log group at its first call", source: functionLogs, grade: "documented" },
    { action: "logs:CreateLogStream", on: "log-stream", reason: "Begin the log of one instance of the function", source: functionLogs, grade: "documented" },
    { action: "logs:PutLogEvents", on: "log-stream", reason: "Write the function's log", source: functionLogs, grade: "documented" },
  ],
  /** What the Lambda service itself may do on the repository, by the repository's policy. */
  "lambda-image-pull": [
    { action: "ecr:BatchGetImage", on: "repository", reason: "Lambda reads the manifest of a function's image", source: ecrPull, grade: "documented" },
    { action: "ecr:GetDownloadUrlForLayer", on: "repository", reason: "Lambda reads the layers of a function's image", source: ecrPull, grade: "documented" },
  ],
} as const satisfies Record<string, readonly Permission[]>;

export type AwsPermissionSet = keyof typeof awsPermissions;

/** The actions of a set that are granted on one kind of ARN, or all of them, in the set's order. */
export function actionsOf(set: AwsPermissionSet, on?: Permission["on"]): string[] {
  const all: readonly Permission[] = awsPermissions[set];
  return all.filter((permission) => on === undefined || permission.on === on).map((permission) => permission.action);
}
