/**
 * Is a pool's provider safe for the members that rights are granted to, and can the workload get in? What the condition says
 * is read; whether it holds is found out by putting to it the workload and those who are not it.
 * https://cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation
 */
import { MAPPED_BYTES } from "../../facts/gcp/attributes.js";
import { poolOf } from "../../facts/gcp/identifiers.js";
import { bySeverity, type Finding } from "../findings.js";
import { credentialOf, type Adversary, type IntendedIdentity } from "./adversaries.js";
import { aliases, present, reachablePrincipals } from "./aliases.js";
import { selectsOf } from "./cel-names.js";
import { compileCel } from "./cel.js";
import { conditionFindings } from "./lint-condition.js";
import { mappingMistakes, mappingOf } from "./mapping.js";
import { memberViolation, parseFederatedMember } from "./principal.js";
import type { WorkloadIdentityPoolProvider } from "./types.js";

export type { Finding, Severity } from "../findings.js";

export interface ProviderLintOptions {
  /** The workload that is meant. Left out: only what can be read is found, and nobody is put to the provider. */
  intended?: IntendedIdentity | undefined;
  /** Members that rights are granted to. Default: none are looked at. */
  members?: readonly string[] | undefined;
  /** All providers of the pool; those beside this one that reach the members are found. Default: none. */
  providers?: readonly WorkloadIdentityPoolProvider[] | undefined;
  /** Characters that names of the AWS role's sessions have at most. Default: 64, all that AWS allows. */
  longestSessionName?: number | undefined;
}

const LONGEST_SESSION_NAME = 64;

/** Findings, the gravest first; empty for a provider that admits exactly the workload. */
export function lintProvider(provider: WorkloadIdentityPoolProvider, options: ProviderLintOptions = {}): Finding[] {
  const { intended, members = [], providers = [] } = options;
  const malformed = mappingMistakes(provider).map(({ path, message }): Finding => ({ code: "mapping-malformed", severity: "error", path, message: `Google refuses it: ${path} ${message}.`, fix: "Correct the expression at this place." }));
  const findings = [
    ...malformed,
    ...conditionFindings(provider, pinOf(provider, intended), bindsOneSubject(members)),
    ...members.flatMap((member) => memberFindings(member, provider)),
    ...mappingFindings(provider),
    ...(intended === undefined || malformed.length > 0 ? [] : [...workloadFindings(provider, members, intended), ...aliasFindings(provider, members, intended), ...budgetFindings(provider, intended, options.longestSessionName)]),
    ...poolFindings(provider, providers, members, intended),
  ];
  return bySeverity(findings);
}

/** The condition that admits the workload and nobody else. */
function pinOf({ aws }: WorkloadIdentityPoolProvider, intended: IntendedIdentity | undefined): string {
  if (intended?.kind === "oidc") return `assertion.sub == '${intended.subject}'`;
  const role = intended === undefined ? undefined : assumedRole(intended);
  if (role !== undefined) return `assertion.arn.startsWith('${role}/')`;
  return aws === undefined ? "assertion.sub == '<subject>'" : `assertion.arn.startsWith('arn:aws:sts::${aws.accountId}:assumed-role/<role>/')`;
}

function assumedRole({ partition = "aws", accountId, roleName }: Extract<IntendedIdentity, { kind: "aws" }>): string {
  return `arn:${partition}:sts::${accountId}:assumed-role/${roleName}`;
}

function bindsOneSubject(members: readonly string[]): boolean {
  return members.length > 0 && members.every((member) => parseFederatedMember(member)?.kind === "subject");
}

function memberFindings(member: string, provider: WorkloadIdentityPoolProvider): Finding[] {
  const path = "members";
  const violation = memberViolation(member);
  if (violation !== undefined) return [{ code: "member-malformed", severity: "error", path, message: `The member ${violation}.`, fix: "Write the member as Google documents it; values are taken as they are, without percent-encoding." }];
  if (member === "allUsers" || member === "allAuthenticatedUsers") return [{ code: "member-public", severity: "error", path, message: `${member} is everybody.`, fix: "Name the workload's principal." }];
  const parsed = parseFederatedMember(member);
  if (parsed === undefined) return [];
  if (parsed.pool !== poolOf(provider.name)) return [{ code: "member-other-pool", severity: "error", path, message: `${member} is of another pool than ${provider.name}: nobody becomes it here.`, fix: `Name the pool ${poolOf(provider.name)}.` }];
  if (parsed.kind === "pool") return [{ code: "member-pool-wide", severity: "error", path, message: `${member} is everybody whom any provider of the pool lets in.`, fix: "Name one subject, or one value of an attribute that only the workload has." }];
  const encoded = /%[0-9A-Fa-f]{2}/.test(parsed.value) ? [{ code: "member-encoded", severity: "error" as const, path, message: `${member} has a percent sign in its value, which Google does not decode.`, fix: "Write the value as the mapping makes it." }] : [];
  const key = parsed.kind === "attribute" ? `attribute.${parsed.name}` : parsed.kind === "group" ? "google.groups" : "google.subject";
  if (mappingOf(provider)[key] !== undefined) return encoded;
  return [...encoded, { code: "member-unmapped", severity: "error", path, message: `${member} needs ${key}, which the provider does not map: nobody becomes it.`, fix: `Map ${key}, or name what is mapped.` }];
}

/** An attribute that is cut out of the ARN without its account names roles of every account alike. */
function mappingFindings(provider: WorkloadIdentityPoolProvider): Finding[] {
  if (provider.aws === undefined) return [];
  return Object.entries(mappingOf(provider)).flatMap(([key, expression]): Finding[] => {
    const program = compileCel(expression, "attribute-mapping");
    if (typeof program === "string" || !selectsOf(program.tree).includes("assertion.arn")) return [];
    const made = ["111111111111", "222222222222"].map((account) => program.evaluate({ assertion: { arn: `arn:aws:sts::${account}:assumed-role/role/session`, account, userid: "AROA:session" } }));
    const [one, other] = made;
    if (one?.ok !== true || other?.ok !== true || one.value !== other.value) return [];
    return [
      {
        code: "mapping-drops-account",
        severity: "warning",
        path: `attributeMapping[${JSON.stringify(key)}]`,
        message: `${key} is the same for a role of that name in every account: with a second AWS provider in the pool, or without a condition, somebody else's role is taken for this one.`,
        fix: "Leave Google's default mapping for AWS, which keeps the account, and compare with the assumed role's ARN.",
      },
    ];
  });
}

function workloadFindings(provider: WorkloadIdentityPoolProvider, members: readonly string[], intended: IntendedIdentity): Finding[] {
  const answer = present(provider, credentialOf(intended));
  if (!answer.allowed) {
    return [{ code: "workload-refused", severity: "error", path: answer.reason.startsWith("condition") ? "attributeCondition" : "attributeMapping", message: `The workload itself is refused: ${answer.detail}.`, fix: `Set the condition ${pinOf(provider, intended)}.` }];
  }
  if (members.length === 0 || answer.identity.members.some((member) => members.includes(member))) return [];
  return [
    {
      code: "workload-not-member",
      severity: "error",
      path: "members",
      message: `The workload gets in and is none of the members that rights are granted to: it is ${answer.identity.members.filter((member) => !member.endsWith("/*")).join(", ")}.`,
      fix: "Grant the rights to one of these.",
    },
  ];
}

/** One finding a kind, for its first example. */
function aliasFindings(provider: WorkloadIdentityPoolProvider, members: readonly string[], intended: IntendedIdentity): Finding[] {
  const kinds = new Map<string, Adversary>();
  for (const adversary of aliases(provider, members, intended)) if (!kinds.has(adversary.code)) kinds.set(adversary.code, adversary);
  return [...kinds.values()].map(({ code, who }) => ({
    code: `admits-${code}`,
    severity: "error",
    path: "attributeCondition",
    message: `Not only the workload gets in${members.length > 0 ? " as this member" : ""}, but also ${who}.`,
    fix: `Set the condition ${pinOf(provider, intended)}.`,
  }));
}

/** Where `google.subject` has the session's name in it, long names do not fit. */
function budgetFindings(provider: WorkloadIdentityPoolProvider, intended: IntendedIdentity, longest = LONGEST_SESSION_NAME): Finding[] {
  if (intended.kind !== "aws" || intended.sessionName !== undefined) return [];
  const answer = present(provider, credentialOf({ ...intended, sessionName: "s".repeat(longest) }));
  if (answer.allowed || answer.reason !== "subject-too-long") return [];
  const room = MAPPED_BYTES.subject - `${assumedRole(intended)}/`.length;
  return [
    {
      code: "subject-budget",
      severity: "warning",
      path: 'attributeMapping["google.subject"]',
      message: `With a session name of ${longest} characters google.subject has more than ${MAPPED_BYTES.subject} bytes and the exchange is refused; ${room < 2 ? "no session name fits" : `names of up to ${room} fit`}.`,
      fix: "Map google.subject to assertion.userid, which always fits, or keep the session names short.",
    },
  ];
}

function poolFindings(provider: WorkloadIdentityPoolProvider, providers: readonly WorkloadIdentityPoolProvider[], members: readonly string[], intended: IntendedIdentity | undefined): Finding[] {
  return reachablePrincipals(provider.name, providers, members, intended).map(({ provider: other, member, certainty }) => ({
    code: certainty === "shown" ? "pool-provider-reaches" : "pool-provider-may-reach",
    severity: certainty === "shown" ? "error" : "warning",
    path: "members",
    message: `${other.name} is in the same pool and ${certainty === "shown" ? "lets its own credentials become" : "may let its own credentials become"} ${member}.`,
    fix: "Keep one provider in the pool, or pin the other one by its condition to values that are not this member's.",
  }));
}
