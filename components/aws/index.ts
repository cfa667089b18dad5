/** Components for AWS. Needs `@pulumi/aws` 7 beside it. */
export { AwsArtifactBucket, STAGED_BUILDS_PREFIX, type AwsArtifactBucketArgs, type AwsBucketKmsArgs } from "./artifact-bucket.js";
export type { CodebuildProjectGrantArgs } from "./codebuild-project-grant.js";
export { AwsFederatedRole, type AwsFederatedRoleArgs, type TrustedWorkloadArgs } from "./federated-role.js";
export type { GrantsArgs } from "./grants.js";
export {
  AwsLambdaBuild,
  type AwsLambdaBuildArgs,
  type AwsLambdaBuildArtifactsArgs,
  type AwsLambdaBuildExecutionRoleArgs,
  type AwsLambdaBuildProjectArgs,
  type AwsLambdaBuildRepositoryArgs,
} from "./lambda-build.js";
export type { LambdaFunctionsGrantArgs } from "./lambda-functions-grant.js";
export { AwsOidcProvider, type AwsOidcProviderArgs } from "./oidc-provider.js";
export { adoptionMistakes } from "./provider-adoption.js";
export { AwsRefusalBucket, type AwsRefusalBucketArgs } from "./refusal-bucket.js";
export type { S3ObjectsGrantArgs } from "./s3-objects-grant.js";
