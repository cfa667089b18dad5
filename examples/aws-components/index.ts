import { AwsArtifactBucket, AwsFederatedRole, AwsOidcProvider } from "cloud-federation/aws";

// GitHub Actions may store build artifacts from one environment of one repository, and nothing else.
const issuer = "https://token.actions.githubusercontent.com";
const audience = "sts.amazonaws.com";

const provider = new AwsOidcProvider("github", { url: issuer, clientIds: [audience] });

const bucket = new AwsArtifactBucket("artifacts", { bucketName: "acme-builds", accountRegionalName: true });

const role = new AwsFederatedRole("github-builds", {
  workloads: [{ issuer, audience, subject: "repo:acme/app:environment:production", providerArn: provider.arn }],
  s3Objects: [{ bucketArn: bucket.bucketArn, bucketAccountId: bucket.accountId, prefix: "app/" }],
});

export const roleArn = role.roleArn;
export const bucketName = bucket.bucketName;
