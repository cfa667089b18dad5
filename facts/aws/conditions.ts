/**
 * Condition operators and the condition keys that a web identity brings.
 * Operators: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * Keys: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 */

export type ConditionFamily = "string" | "numeric" | "date" | "bool" | "binary" | "ip" | "arn" | "null";
export type Comparison = "equal" | "like" | "less" | "less-or-equal" | "greater" | "greater-or-equal" | "within" | "absent";

export interface ConditionOperatorFact {
  readonly family: ConditionFamily;
  readonly comparison: Comparison;
  /** Holds when no value matches, and therefore also when the key is absent. */
  readonly negated: boolean;
  readonly ignoreCase: boolean;
}

function operator(
  family: ConditionFamily,
  comparison: Comparison,
  { negated = false, ignoreCase = false }: { negated?: boolean; ignoreCase?: boolean } = {},
): ConditionOperatorFact {
  return { family, comparison, negated, ignoreCase };
}

/** Every operator by its name, without set prefix and `IfExists`. */
export const CONDITION_OPERATORS: ReadonlyMap<string, ConditionOperatorFact> = new Map([
  ["StringEquals", operator("string", "equal")],
  ["StringNotEquals", operator("string", "equal", { negated: true })],
  ["StringEqualsIgnoreCase", operator("string", "equal", { ignoreCase: true })],
  ["StringNotEqualsIgnoreCase", operator("string", "equal", { negated: true, ignoreCase: true })],
  ["StringLike", operator("string", "like")],
  ["StringNotLike", operator("string", "like", { negated: true })],
  ["NumericEquals", operator("numeric", "equal")],
  ["NumericNotEquals", operator("numeric", "equal", { negated: true })],
  ["NumericLessThan", operator("numeric", "less")],
  ["NumericLessThanEquals", operator("numeric", "less-or-equal")],
  ["NumericGreaterThan", operator("numeric", "greater")],
  ["NumericGreaterThanEquals", operator("numeric", "greater-or-equal")],
  ["DateEquals", operator("date", "equal")],
  ["DateNotEquals", operator("date", "equal", { negated: true })],
  ["DateLessThan", operator("date", "less")],
  ["DateLessThanEquals", operator("date", "less-or-equal")],
  ["DateGreaterThan", operator("date", "greater")],
  ["DateGreaterThanEquals", operator("date", "greater-or-equal")],
  ["Bool", operator("bool", "equal")],
  ["BinaryEquals", operator("binary", "equal")],
  ["IpAddress", operator("ip", "within")],
  ["NotIpAddress", operator("ip", "within", { negated: true })],
  // ArnEquals and ArnLike behave alike: both match wildcards, part by part.
  ["ArnEquals", operator("arn", "like")],
  ["ArnNotEquals", operator("arn", "like", { negated: true })],
  ["ArnLike", operator("arn", "like")],
  ["ArnNotLike", operator("arn", "like", { negated: true })],
  ["Null", operator("null", "absent")],
]);

/**
 * Claims of a token that IAM exposes as `<provider url>:<claim>` for any OIDC provider; every other claim reaches a
 * policy only as a session tag. `aud` is the token's `azp` where it has one, `oaud` the `aud` claim itself.
 */
export const OIDC_CONDITION_CLAIMS: readonly string[] = ["amr", "aud", "email", "oaud", "sub"];

/** Providers for which IAM exposes further claims; matched against the provider's URL without scheme. */
export const OIDC_PROVIDER_CLAIMS: readonly { readonly provider: RegExp; readonly claims: readonly string[] }[] = [
  {
    provider: /^token\.actions\.githubusercontent\.com(\/|$)/,
    claims: [
      "actor",
      "actor_id",
      "enterprise_id",
      "environment",
      "job_workflow_ref",
      "ref",
      "repository",
      "repository_id",
      "repository_owner_id",
      "workflow",
    ],
  },
  { provider: /^oidc\.circleci\.com\/org\//, claims: ["oidc.circleci.com/project-id"] },
  { provider: /\.identity\.oraclecloud\.com(\/|$)/, claims: ["rpst_id"] },
  { provider: /^accounts\.google\.com(\/|$)/, claims: ["google/organization_number"] },
];

/** The claims that a trust policy may test for this provider (URL without scheme). */
export function conditionClaims(providerUrl: string): readonly string[] {
  const further = OIDC_PROVIDER_CLAIMS.filter(({ provider }) => provider.test(providerUrl)).flatMap(({ claims }) => claims);
  return [...OIDC_CONDITION_CLAIMS, ...further];
}

/**
 * Keys that every call has and that no policy, role or bucket shows: where the call comes from and what sends it. Keys of
 * VPC endpoints are not among them: a call from outside of AWS does not have those.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-network-properties
 */
export const CALLER_CONDITION_KEYS: readonly string[] = ["aws:SourceIp", "aws:UserAgent", "s3:TlsVersion"];

/**
 * Keys that are there when the account is in an organisation, which the account's policies do not show.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid
 */
export const ORGANISATION_CONDITION_KEYS: readonly string[] = ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:ResourceOrgID", "aws:ResourceOrgPaths"];
