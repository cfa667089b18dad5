/**
 * With what IAM and STS refuse besides what a component's input is checked for: limits and formats of the API's members
 * and the quotas of a fresh account.
 */
import { quotas } from "./limits.js";
import type { Grade } from "../rules.js";

const iamApi = "https://docs.aws.amazon.com/IAM/latest/APIReference";
const stsApi = "https://docs.aws.amazon.com/STS/latest/APIReference";
const iamQuotasPage = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html";

/** Members of the API that have a form of their own. Patterns as the API model has them. */
export const iamMembers = {
  policyName: { min: 1, max: 128, pattern: /^[\w+=,.@-]+$/, source: `${iamApi}/API_PutRolePolicy.html` },
  userName: { min: 1, max: 64, pattern: /^[\w+=,.@-]+$/, source: `${iamApi}/API_CreateUser.html` },
  policyPath: { min: 1, max: 512, pattern: /^((\/[A-Za-z0-9.,+@=_-]+)*)\/$/, source: `${iamApi}/API_CreatePolicy.html` },
  pathPrefix: { min: 1, max: 512, pattern: /^\/[\u0021-\u007f]*$/, source: `${iamApi}/API_ListRoles.html` },
  policyDescription: { min: 0, max: 1000, source: `${iamApi}/API_CreatePolicy.html` },
  policyDocument: { min: 1, max: 131_072, source: `${iamApi}/API_CreateRole.html` },
  arn: { min: 20, max: 2048, source: `${iamApi}/API_GetPolicy.html` },
  marker: { min: 1, max: 320, source: `${iamApi}/API_ListRoles.html` },
  accessKeyId: { min: 16, max: 128, pattern: /^[\w]+$/, source: `${iamApi}/API_DeleteAccessKey.html` },
  policyVersionId: { min: 2, max: 64, pattern: /^v[1-9][0-9]*(\.[A-Za-z0-9-]*)?$/, source: `${iamApi}/API_GetPolicyVersion.html` },
  providerUrl: { min: 1, max: 255, source: `${iamApi}/API_CreateOpenIDConnectProvider.html` },
  thumbprint: { min: 40, max: 40, pattern: /^[0-9A-Fa-f]{40}$/, source: `${iamApi}/API_CreateOpenIDConnectProvider.html` },
  clientId: { min: 1, max: 255, source: `${iamApi}/API_CreateOpenIDConnectProvider.html` },
  tagKey: { min: 1, max: 128, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u, source: `${iamApi}/API_Tag.html` },
  externalId: { min: 2, max: 1224, pattern: /^[\w+=,.@:/-]*$/, source: `${stsApi}/API_AssumeRole.html` },
  sourceIdentity: { min: 2, max: 64, pattern: /^[\w+=,.@-]*$/, source: `${stsApi}/API_AssumeRole.html` },
} as const satisfies Record<string, { min: number; max: number; pattern?: RegExp; source: string }>;

export const iamNumbers = {
  maxItems: { min: 1, max: 1000, source: `${iamApi}/API_ListRoles.html` },
  /** Sessions of a role that another role's session assumes. */
  chainedSessionSeconds: { max: 3600, source: `${stsApi}/API_AssumeRole.html` },
} as const;

export interface IamQuota {
  limit: number;
  /** By this name `LimitExceeded` speaks of it. */
  name: string;
  /** In the map of `GetAccountSummary`, where it has an entry there. */
  summary?: string;
  source: string;
  grade: Grade;
}

const quota = (limit: number, name: string, summary?: string): IamQuota => ({
  limit,
  name,
  ...(summary !== undefined && { summary }),
  source: iamQuotasPage,
  grade: "documented",
});

/** Quotas of a fresh account; sizes in characters without whitespace. */
export const iamQuotas = {
  trustPolicySize: quota(quotas.trustPolicySize.limit, "ACLSizePerRole", "AssumeRolePolicySizeQuota"),
  managedPolicySize: quota(6144, "PolicySize", "PolicySizeQuota"),
  managedPolicyVersions: quota(5, "VersionsPerPolicy", "VersionsPerPolicyQuota"),
  policiesPerRole: quota(10, "PoliciesPerRole", "AttachedPoliciesPerRoleQuota"),
  policiesPerUser: quota(10, "PoliciesPerUser", "AttachedPoliciesPerUserQuota"),
  roleInlinePolicySize: quota(quotas.roleInlinePolicySize.limit, "PolicySizePerRole", "RolePolicySizeQuota"),
  userInlinePolicySize: quota(2048, "PolicySizePerUser", "UserPolicySizeQuota"),
  roles: quota(1000, "RolesPerAccount", "RolesQuota"),
  users: quota(5000, "UsersPerAccount", "UsersQuota"),
  policies: quota(1500, "PoliciesPerAccount", "PoliciesQuota"),
  providers: quota(100, "OpenIdConnectProvidersPerAccount"),
  clientIdsPerProvider: quota(quotas.clientIdsPerProvider.limit, "ClientIdsPerOpenIdConnectProvider"),
  thumbprintsPerProvider: quota(5, "ThumbprintsPerOpenIdConnectProvider"),
  accessKeysPerUser: quota(2, "AccessKeysPerUser", "AccessKeysPerUserQuota"),
  tagsPerResource: quota(quotas.tagsPerResource.limit, "TagsPerResource"),
} as const satisfies Record<string, IamQuota>;

/** Of session policies together. */
export const sessionPolicyLimits = {
  /** Characters of the inline policy. */
  inlineSize: 2048,
  managedPolicies: 10,
  source: `${stsApi}/API_AssumeRoleWithWebIdentity.html`,
} as const;
