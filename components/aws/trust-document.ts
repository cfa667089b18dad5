/** From the workloads that a role trusts to its trust policy. */
import { oneOrMany, policyDocument, type PolicyDocument, type PolicyStatement } from "./policy.js";

export interface TrustedWorkload {
  issuer: string;
  subject: string;
  audience: string;
  providerArn: string;
}

/** Name of an issuer as IAM knows it, in the provider's ARN and before `:aud` and `:sub`: the URL without its scheme. */
export function issuerName(issuer: string): string {
  return issuer.replace(/^https:\/\//, "");
}

/** Whether a provider's ARN is that of this issuer; an ARN ends with the issuer's name, letter for letter. */
export function providerIsOf(arn: string, issuer: string): boolean {
  return arn.endsWith(`:oidc-provider/${issuerName(issuer)}`);
}

/** True for a subject (or session name) that a policy would match as a pattern. */
export function hasWildcard(text: string): boolean {
  return /[*?]/.test(text);
}

/**
 * One statement for each provider and audience, so that no subject is admitted with another workload's audience, and
 * subjects with wildcards apart from exact ones.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
export function trustDocument(workloads: TrustedWorkload[], sessionName?: string): PolicyDocument {
  const groups = new Map<string, TrustedWorkload[]>();
  for (const workload of workloads) {
    const key = JSON.stringify([workload.providerArn, workload.audience, hasWildcard(workload.subject)]);
    groups.set(key, [...(groups.get(key) ?? []), workload]);
  }
  const sorted = [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return policyDocument(sorted.flatMap(([, [first, ...rest]]) => (first ? [statement(first, [first, ...rest], sessionName)] : [])));
}

function statement(shared: TrustedWorkload, workloads: TrustedWorkload[], sessionName: string | undefined): PolicyStatement {
  const name = issuerName(shared.issuer);
  const subjects = oneOrMany([...new Set(workloads.map(({ subject }) => subject))].sort());
  const equals: Record<string, string | string[]> = { [`${name}:aud`]: shared.audience };
  const like: Record<string, string | string[]> = {};
  (hasWildcard(shared.subject) ? like : equals)[`${name}:sub`] = subjects;
  if (sessionName !== undefined) (hasWildcard(sessionName) ? like : equals)["sts:RoleSessionName"] = sessionName;
  return {
    Effect: "Allow",
    Principal: { Federated: shared.providerArn },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: equals, ...(Object.keys(like).length > 0 ? { StringLike: like } : {}) },
  };
}
