/** Every type of resource that AWS in the sandbox may have in the store, whether there is one yet or not; without secrets. */
import { RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY } from "./authoriser.js";
import { SUBNET } from "./build-run.js";
import { CODEBUILD_TYPES } from "./codebuild-store.js";
import { ECR_TYPES } from "./ecr-store.js";
import { IAM_TYPES } from "./iam-store.js";
import { KMS_TYPES } from "./kms-keys.js";
import { LAMBDA_TYPES } from "./lambda-store.js";
import { LOGS_TYPES } from "./logs-store.js";
import { S3_TYPES } from "./s3-state.js";

export const AWS_STORE_TYPES: readonly string[] = [
  ...CODEBUILD_TYPES,
  SUBNET,
  ...ECR_TYPES,
  ...IAM_TYPES,
  ...KMS_TYPES,
  ...LAMBDA_TYPES,
  ...LOGS_TYPES,
  SERVICE_CONTROL_POLICY,
  RESOURCE_CONTROL_POLICY,
  ...S3_TYPES,
];
