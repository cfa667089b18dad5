/** Components for AWS. Needs `@pulumi/aws` 7 beside it. */
export { AwsArtifactBucket, STAGED_BUILDS_PREFIX, type AwsArtifactBucketArgs, type AwsBucketKmsArgs } from "./artifact-bucket.js";
export { AwsFederatedRole, type AwsFederatedRoleArgs, type TrustedWorkloadArgs } from "./federated-role.js";
export { AwsOidcProvider, type AwsOidcProviderArgs } from "./oidc-provider.js";
export { adoptionMistakes } from "./provider-adoption.js";
export { AwsRefusalBucket, type AwsRefusalBucketArgs } from "./refusal-bucket.js";
export type { S3ObjectsGrantArgs } from "./s3-objects-grant.js";
