/** Components for Google Cloud. Needs `@pulumi/gcp` 9 beside it. `GcpGkeTarget`, which needs `@pulumi/kubernetes` 4 too, is in `./gke-target.js`. */
export { GcpArtifactBucket, STAGED_BUILDS_PREFIX, type GcpArtifactBucketArgs } from "./artifact-bucket.js";
export { GcpArtifactRepository, type GcpArtifactRepositoryArgs } from "./artifact-repository.js";
export { auditLogTypes, GcpAuditLogs, type GcpAuditedServiceArgs, type GcpAuditLogsArgs } from "./audit-logs.js";
export { bucketAccess, GcpBucketGrant, type GcpBucketGrantArgs } from "./bucket-grant.js";
export { GcpBuilds, type GcpBuildAccountArgs, type GcpBuildsArgs, type GcpImageRepositoryArgs } from "./builds.js";
export { GcpCloudRunTarget, publicAccess, type GcpCloudRunTargetArgs, type GcpRuntimeAccountArgs } from "./cloud-run-target.js";
export { GcpFederatedServiceAccount, type GcpFederatedServiceAccountArgs } from "./federated-service-account.js";
export { GcpProjectServices, type GcpProjectServicesArgs } from "./project-services.js";
export { poolAdoptionMistakes, providerAdoptionMistakes, type ExpectedPool, type ExpectedProvider } from "./provider-adoption.js";
export { GcpRefusalBucket, type GcpRefusalBucketArgs } from "./refusal-bucket.js";
export { GcpWorkloadIdentityPool, type GcpAwsWorkloadArgs, type GcpOidcWorkloadArgs, type GcpWorkloadIdentityPoolArgs } from "./workload-identity-pool.js";
