/** Constraints of organisations that stand in the way of federation. https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints */

/** By name without `constraints/`: whether it lists values, or is enforced or not. */
export const ORG_CONSTRAINTS: Readonly<Record<string, "list" | "boolean">> = {
  "iam.allowServiceAccountCredentialLifetimeExtension": "list",
  "iam.allowedPolicyMemberDomains": "list",
  "iam.automaticIamGrantsForDefaultServiceAccounts": "boolean",
  "iam.disableServiceAccountCreation": "boolean",
  "iam.disableServiceAccountKeyCreation": "boolean",
  "iam.disableServiceAccountKeyUpload": "boolean",
  "iam.managed.allowedPolicyMembers": "boolean",
  "iam.workloadIdentityPoolAwsAccounts": "list",
  "iam.workloadIdentityPoolProviders": "list",
  "run.allowedIngress": "list",
  "storage.publicAccessPrevention": "boolean",
  "storage.uniformBucketLevelAccess": "boolean",
};
