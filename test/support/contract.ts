/** A contract as the integration `dcf-aws` writes it, for tests that need no account behind it. */
import type { AwsExchange, Contract } from "../../contract/index.js";

const exchange: AwsExchange = {
  type: "aws-web-identity",
  partition: "aws",
  region: "eu-west-1",
  accountId: "111122223333",
  providerArn: "arn:aws:iam::111122223333:oidc-provider/oidc.dcf.example",
  roleArn: "arn:aws:iam::111122223333:role/dcf",
  maxSessionDurationSeconds: 3600,
};

export function exampleContract(change: Partial<Contract> = {}): Contract & { exchange: AwsExchange } {
  return {
    kind: "cloud-federation/contract",
    version: 1,
    integration: "dcf-aws",
    environment: "sandbox",
    workload: { issuer: "https://oidc.dcf.example", subject: "system:serviceaccount:dcf:project-4711", audience: "sts.amazonaws.com" },
    grants: [{ id: "artifacts", kind: "s3-objects", permissions: ["s3:GetObject"], bucket: "acme", region: "eu-west-1", accountId: "111122223333" }],
    targets: [{ kind: "s3-bucket", id: "arn:aws:s3:::acme", region: "eu-west-1", ownership: "created" }],
    refusalTargets: [{ kind: "s3-bucket", bucket: "acme-refusal", region: "eu-west-1", accountId: "111122223333" }],
    ...change,
    exchange,
  };
}
