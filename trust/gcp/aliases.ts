/** Who else gets in as the workload: by the same provider, or by another one of its pool. */
import { poolOf } from "../../facts/gcp/identifiers.js";
import type { JsonObject } from "../jwt.js";
import { adversariesOf, credentialOf, type Adversary, type IntendedIdentity } from "./adversaries.js";
import { compileCel } from "./cel.js";
import { equalitiesIn, literalsIn, selectsOf } from "./cel-names.js";
import { admit, awsAssertion, checkAccount } from "./exchange.js";
import { mappingOf } from "./mapping.js";
import { parseFederatedMember, type FederatedMember } from "./principal.js";
import type { TokenExchangeAnswer, WorkloadIdentityPoolProvider } from "./types.js";

/** What a provider makes of a credential that is genuine and in time. */
export function present(provider: WorkloadIdentityPoolProvider, credential: Adversary["credential"]): TokenExchangeAnswer {
  if (credential.kind === "claims") return admit(provider, { iss: provider.oidc?.issuerUri, ...credential.claims }, 0);
  const identity = { status: "ok", account: credential.account, arn: credential.arn, userId: credential.userId } as const;
  return checkAccount(identity, provider.aws?.accountId ?? "") ?? admit(provider, awsAssertion(identity), 0);
}

/** Whether the credential gets in as one of the members. */
export function reaches(provider: WorkloadIdentityPoolProvider, credential: Adversary["credential"], members: readonly string[]): boolean {
  const answer = present(provider, credential);
  return answer.allowed && answer.identity.members.some((member) => members.includes(member));
}

/**
 * Those who are not the workload and yet get in as one of the members that rights are granted to; where none are named,
 * all who get in.
 */
export function aliases(provider: WorkloadIdentityPoolProvider, members: readonly string[], intended: IntendedIdentity): Adversary[] {
  const condition = compileCel(provider.attributeCondition ?? "", "attribute-condition");
  const adversaries = adversariesOf(intended, typeof condition === "string" ? [] : literalsIn(condition.tree));
  return adversaries.filter(({ credential }) => (members.length === 0 ? present(provider, credential).allowed : reaches(provider, credential, members)));
}

export interface ReachingProvider {
  provider: WorkloadIdentityPoolProvider;
  member: string;
  /** `shown`: a credential was found that gets in. `possible`: nothing was found that keeps it out. */
  certainty: "shown" | "possible";
  /** Such a credential. */
  example: JsonObject | undefined;
}

/**
 * Other providers of the pool by which one can become a member that rights are granted to: members name the pool, not the
 * provider. Disabled ones count, since whoever enables them need not know.
 */
export function reachablePrincipals(own: string, providers: readonly WorkloadIdentityPoolProvider[], members: readonly string[], intended?: IntendedIdentity): ReachingProvider[] {
  const others = providers.filter(({ name, state }) => name !== own && poolOf(name) === poolOf(own) && state === "ACTIVE");
  return others.flatMap((provider) =>
    members.flatMap((member): ReachingProvider[] => {
      const parsed = parseFederatedMember(member);
      if (parsed?.pool !== poolOf(own)) return [];
      if (!mapsKey(provider, parsed)) return [];
      const example = candidates(provider, parsed, intended).find((credential) => reaches(provider, credential, [member]));
      if (example !== undefined) return [{ provider, member, certainty: "shown", example: example.kind === "claims" ? example.claims : awsAssertion({ status: "ok", ...example }) }];
      return keepsOut(provider) ? [] : [{ provider, member, certainty: "possible", example: undefined }];
    }),
  );
}

/** Whether the provider's mapping makes anything of the kind that the member names. */
function mapsKey(provider: WorkloadIdentityPoolProvider, member: FederatedMember): boolean {
  return member.kind === "pool" || mappingOf(provider)[keyOf(member)] !== undefined;
}

function keyOf(member: Exclude<FederatedMember, { kind: "pool" }>): string {
  return member.kind === "attribute" ? `attribute.${member.name}` : member.kind === "group" ? "google.groups" : "google.subject";
}

/** A condition is taken to keep out whom no candidate could pass it for; without one nothing does. */
function keepsOut({ attributeCondition, aws }: WorkloadIdentityPoolProvider): boolean {
  return aws !== undefined || (attributeCondition ?? "") !== "";
}

/** Credentials of the other provider that have the member's value wherever its mapping looks, and what its condition compares with. */
function candidates(provider: WorkloadIdentityPoolProvider, member: FederatedMember, intended: IntendedIdentity | undefined): Adversary["credential"][] {
  const { aws } = provider;
  if (aws !== undefined) {
    const role = intended?.kind === "aws" ? intended.roleName : "role";
    const value = member.kind === "pool" ? "" : member.value;
    const alike: IntendedIdentity = { kind: "aws", accountId: aws.accountId, roleName: role };
    // A caller's ARN is always of the provider's own account.
    const spelled = /^arn:aws[a-z-]*:(?:sts|iam)::(\d{12}):.+/.exec(value)?.[1] === aws.accountId ? [{ kind: "aws" as const, account: aws.accountId, arn: value, userId: value }] : [];
    return [credentialOf(alike), ...adversariesOf(alike).map(({ credential }) => credential), ...spelled];
  }
  const value = member.kind === "pool" ? "x" : member.value;
  const mapping = mappingOf(provider);
  const looked = member.kind === "pool" ? [] : claimsOf(mapping[keyOf(member)]);
  const claims: Record<string, unknown> = Object.fromEntries(Object.values(mapping).flatMap(claimsOf).map((name) => [name, "x"]));
  for (const { path, value: expected } of conditionEqualities(provider.attributeCondition)) {
    const claim = /^assertion\.([^.]+)$/.exec(path)?.[1];
    for (const name of claim === undefined ? claimsOf(mapping[path]) : [claim]) claims[name] = expected;
  }
  for (const name of looked) claims[name] = member.kind === "group" ? [value] : value;
  return [{ kind: "claims", claims }];
}

/** The claims that an expression reads. */
function claimsOf(expression: string | undefined): string[] {
  const program = expression === undefined ? "" : compileCel(expression, "attribute-mapping");
  if (typeof program === "string") return [];
  return selectsOf(program.tree).flatMap((path) => /^assertion\.([^.]+)/.exec(path)?.[1] ?? []);
}

function conditionEqualities(condition: string | undefined): { path: string; value: string }[] {
  const program = condition === undefined || condition === "" ? "" : compileCel(condition, "attribute-condition");
  return typeof program === "string" ? [] : equalitiesIn(program.tree);
}
