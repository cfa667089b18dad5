/**
 * Attribute mappings and conditions of pool providers: limits, what Google maps where nothing is said, and what integrations map.
 * https://cloud.google.com/iam/docs/workload-identity-federation#mapping
 * https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
 */

export const ATTRIBUTE_LIMITS = {
  /** UTF-8 bytes of `google.subject`. */
  subjectBytes: 127,
  /** UTF-8 bytes of all mapped values. */
  totalBytes: 8_192,
  /** Mapped attributes besides Google's own. */
  customAttributes: 50,
  /** Characters of a key, `attribute.` included. */
  keyLength: 100,
  /** Characters of one expression. */
  expressionLength: 2_048,
  /** Characters. */
  conditionLength: 4_096,
} as const;

export const ATTRIBUTE_KEY = /^(?:google\.(?:subject|groups)|attribute\.[a-z0-9_]+)$/;

export type AttributeMapping = Readonly<Record<string, string>>;

/** What Google maps for an AWS provider without a mapping. */
export const DEFAULT_AWS_MAPPING = {
  "google.subject": "assertion.arn",
  "attribute.aws_role":
    "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/') + 'assumed-role/' + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn",
} as const satisfies AttributeMapping;

/**
 * What Klavi's guide has partners enter. It drops the account: alone, it takes a role of the same name anywhere for Klavi's,
 * and a user on the path `/role/NAME/` for the role. https://docs.klavi.ai (PUSH Pattern, GCP WIF)
 */
export const KLAVI_GUIDE_MAPPING = {
  "google.subject": "assertion.arn",
  "attribute.aws_role": "assertion.arn.contains('role/') ? assertion.arn.extract('role/{role_name}/') : assertion.arn",
} as const satisfies AttributeMapping;

/** What is mapped for Klavi here: Google's default, which keeps account and partition, said aloud. */
export const KLAVI_MAPPING: AttributeMapping = DEFAULT_AWS_MAPPING;

/** Of tokens of a platform that are bound by their subject. */
export const SUBJECT_MAPPING = { "google.subject": "assertion.sub" } as const satisfies AttributeMapping;

/** Issuers that everybody can have a token of: Google takes no provider for them without a condition on a claim. */
export const MULTI_TENANT_ISSUERS: readonly { issuer: RegExp; name: string }[] = [
  { issuer: /^https:\/\/token\.actions\.githubusercontent\.com(?:\/|$)/, name: "GitHub" },
  { issuer: /^https:\/\/gitlab\.com(?:\/|$)/, name: "GitLab" },
  { issuer: /^https:\/\/app\.terraform\.io(?:\/|$)/, name: "HCP Terraform" },
  { issuer: /^https:\/\/(?:[a-z0-9-]+\.)?pulumi\.com(?:\/|$)/, name: "Pulumi Cloud" },
  { issuer: /^https:\/\/oidc\.circleci\.com(?:\/|$)/, name: "CircleCI" },
];
