/**
 * What pool providers map: limits, what Google maps where nothing is said, and what integrations map.
 * https://cloud.google.com/iam/docs/workload-identity-federation#mapping
 */

/** Of what a mapping makes of one assertion, in UTF-8 bytes; of the mapping itself see `iam.ts`. */
export const MAPPED_BYTES = {
  /** `google.subject`. */
  subject: 127,
  /** All values together. */
  total: 8_192,
} as const;

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

/** Of tokens of a platform that are bound by their subject. */
export const SUBJECT_MAPPING = { "google.subject": "assertion.sub" } as const satisfies AttributeMapping;
