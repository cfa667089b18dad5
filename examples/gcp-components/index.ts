import { GcpArtifactBucket, GcpBucketGrant, GcpWorkloadIdentityPool } from "cloud-federation/gcp";

// GitHub Actions may store build artifacts from one environment of one repository, and nothing else: with the rights given
// to the pool's identity itself, no service account is needed.
const projectId = "customer-app-prod";

const github = new GcpWorkloadIdentityPool("github", {
  projectId,
  poolId: "github-actions",
  providerId: "acme-app",
  oidc: { issuerUri: "https://token.actions.githubusercontent.com", subject: "repo:acme/app:environment:production" },
});

const bucket = new GcpArtifactBucket("artifacts", { projectId, bucketName: "acme-builds", location: "us-central1" });

new GcpBucketGrant("github-builds", { projectId, bucketName: bucket.bucketName, member: github.principal });

export const tokenAudience = github.tokenAudience;
export const bucketName = bucket.bucketName;
