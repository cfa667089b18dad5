/**
 * Policies that AWS manages and every account has, as far as the sandbox offers them. The two long ones are shortened to
 * the services that it plays; what they grant there is what AWS's grant.
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
export interface ManagedPolicyFact {
  name: string;
  /** `/` for most, `/job-function/` and others for some. */
  path: string;
  policyId: string;
  description: string;
  document: { Version: string; Statement: readonly { Effect: "Allow"; Action: string | readonly string[]; Resource: string }[] };
}

const allow = (...actions: string[]): ManagedPolicyFact["document"] => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
});

const IAM_READ = ["iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails", "iam:Get*", "iam:List*", "iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy"];
const S3_READ = ["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"];

export const AWS_MANAGED_POLICIES: readonly ManagedPolicyFact[] = [
  {
    name: "AdministratorAccess",
    path: "/",
    policyId: "ANPAIWMBCKSKIEE64ZLYK",
    description: "Provides full access to AWS services and resources.",
    document: allow("*"),
  },
  {
    name: "ReadOnlyAccess",
    path: "/",
    policyId: "ANPAILL3HVNFSB6DCOWYQ",
    description: "Provides read-only access to AWS services and resources.",
    document: allow(
      ...IAM_READ,
      ...S3_READ,
      "codebuild:BatchGet*",
      "codebuild:List*",
      "ecr:BatchCheck*",
      "ecr:BatchGet*",
      "ecr:Describe*",
      "ecr:Get*",
      "ecr:List*",
      "lambda:Get*",
      "lambda:List*",
      "logs:Describe*",
      "logs:FilterLogEvents",
      "logs:Get*",
      "logs:ListTagsForResource",
      "kms:Describe*",
      "kms:Get*",
      "kms:List*",
      "sts:GetAccessKeyInfo",
      "sts:GetCallerIdentity",
      "sts:GetSessionToken",
    ),
  },
  {
    name: "SecurityAudit",
    path: "/",
    policyId: "ANPAIX2T3QCXHR2OGGCTO",
    description: "The security audit template grants access to read security configuration metadata. It is useful for software that audits the configuration of an AWS account.",
    document: allow(
      "iam:GenerateCredentialReport",
      "iam:GenerateServiceLastAccessedDetails",
      "iam:Get*",
      "iam:List*",
      "iam:SimulateCustomPolicy",
      "iam:SimulatePrincipalPolicy",
      "kms:Describe*",
      "kms:GetKeyPolicy",
      "kms:GetKeyRotationStatus",
      "kms:List*",
      "s3:GetAccelerateConfiguration",
      "s3:GetAccessPoint*",
      "s3:GetAccountPublicAccessBlock",
      "s3:GetAnalyticsConfiguration",
      "s3:GetBucket*",
      "s3:GetEncryptionConfiguration",
      "s3:GetInventoryConfiguration",
      "s3:GetLifecycleConfiguration",
      "s3:GetMetricsConfiguration",
      "s3:GetObjectAcl",
      "s3:GetObjectVersionAcl",
      "s3:GetReplicationConfiguration",
      "s3:ListAccessPoints",
      "s3:ListAllMyBuckets",
    ),
  },
  {
    name: "IAMReadOnlyAccess",
    path: "/",
    policyId: "ANPAJKSO7NDY4T57MWDSQ",
    description: "Provides read only access to IAM via the AWS Management Console.",
    document: allow(...IAM_READ),
  },
  {
    name: "AmazonS3ReadOnlyAccess",
    path: "/",
    policyId: "ANPAIZTJ4DXE7G6AGAE6M",
    description: "Provides read only access to all buckets via the AWS Management Console.",
    document: allow(...S3_READ),
  },
];
