/** IAM: forms and limits of what it keeps, and how long it keeps what was deleted. Grade: documented, unless said otherwise. */

/**
 * Of a pool and of a provider; those that begin with `gcp-` are Google's.
 * https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools/create
 */
export const POOL_ID = { pattern: /^[0-9a-z-]{4,32}$/, reservedPrefix: "gcp-" } as const;

/** Characters of a pool's and a provider's texts. https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools#WorkloadIdentityPool */
export const POOL_TEXTS = { displayName: 32, description: 256 } as const;

/** The only location that pools have. */
export const POOL_LOCATION = "global";

/** https://cloud.google.com/iam/docs/manage-workload-identity-pools-providers#delete-pool */
export const POOL_RETENTION_DAYS = 30;

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#Oidc */
export const ALLOWED_AUDIENCES = { count: 10, length: 256 } as const;

/** https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html */
export const AWS_ACCOUNT_ID = /^\d{12}$/;

/**
 * Keys that a provider takes as uploaded. https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers#create-provider
 */
export const UPLOADED_JWKS = { count: 8, keyTypes: ["RSA", "EC"], curves: ["P-256"], members: ["alg", "crv", "e", "kid", "kty", "n", "use", "x", "y"] } as const;

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create */
export const SERVICE_ACCOUNT_ID = { pattern: /^[a-z](?:[-a-z0-9]*[a-z0-9])$/, minLength: 6, maxLength: 30 } as const;

/** UTF-8 bytes. https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts#ServiceAccount */
export const SERVICE_ACCOUNT_TEXTS = { displayName: 100, description: 256 } as const;

/** https://cloud.google.com/iam/docs/service-accounts-delete-undelete#undeleting */
export const SERVICE_ACCOUNT_RETENTION_DAYS = 30;

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles/create, and /iam/quotas for the sizes */
export const CUSTOM_ROLE = { id: /^[a-zA-Z0-9_.]{3,64}$/, title: 100, description: 300, permissions: 3000 } as const;

/** A custom role can be brought back that long; its id can be used again that long after. https://cloud.google.com/iam/docs/creating-custom-roles#deleting-custom-role */
export const CUSTOM_ROLE_RETENTION_DAYS = { undelete: 7, reuse: 37 } as const;

/** https://cloud.google.com/iam/docs/reference/rest/v1/organizations.roles#RoleLaunchStage */
export const ROLE_STAGES = ["ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP"] as const;

/** Rights that only roles of an organisation can have. https://cloud.google.com/iam/docs/custom-roles-permissions-support */
export const NOT_IN_PROJECT_ROLES = /^resourcemanager\.(organizations\.|projects\.list$|folders\.)/;

/** https://cloud.google.com/iam/docs/testing-permissions */
export const TESTED_PERMISSIONS = 100;

/** https://cloud.google.com/iam/docs/reference/rest/v2/policies/createPolicy */
export const DENY_POLICY = { id: /^[a-z][a-z0-9.-]{2,62}$/, displayName: 63, rules: 500 } as const;

/**
 * Of attribute mappings and conditions, in characters, when a provider is written.
 * https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#WorkloadIdentityPoolProvider
 */
export const ATTRIBUTE_MAPPING = { key: /^(google\.(subject|groups)|attribute\.[a-z0-9_]+)$/, keyLength: 100, expression: 2048, customAttributes: 50 } as const;
export const ATTRIBUTE_CONDITION_LENGTH = 4096;

/**
 * Issuers that sign for everybody's workloads: a provider for one of these needs a condition.
 * https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines#conditions
 */
export const MULTI_TENANT_ISSUERS: readonly RegExp[] = [
  /^https:\/\/token\.actions\.githubusercontent\.com(\/|$)/,
  /^https:\/\/gitlab\.com\/?$/,
  /^https:\/\/app\.terraform\.io\/?$/,
  /^https:\/\/oidc\.circleci\.com\//,
  /^https:\/\/api\.pulumi\.com\/oidc\/?$/,
];

/** Which issuers and AWS accounts an organisation lets its pools trust. https://cloud.google.com/iam/docs/manage-workload-identity-pools-providers#restrict */
export const PROVIDER_CONSTRAINTS = { issuers: "iam.workloadIdentityPoolProviders", awsAccounts: "iam.workloadIdentityPoolAwsAccounts", uploadedKeys: "KEY_UPLOAD" } as const;
