/**
 * Whom a trust must not take for the workload: identities that others can have, made from the one that is meant. A provider
 * is put to them, instead of being read: what counts is who gets in.
 * https://cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation#protect-spoofing
 */
import type { JsonObject } from "../jwt.js";
import type { AwsIdentity } from "./types.js";

/** The workload that a trust is meant for. */
export type IntendedIdentity =
  | {
      kind: "oidc";
      subject: string;
      /** Other claims of its tokens, as far as mapping or condition look at them. Those who share the issuer may share these. */
      claims?: JsonObject;
    }
  | { kind: "aws"; accountId: string; roleName: string; /** Only sessions of this name are meant. */ sessionName?: string | undefined; partition?: string | undefined };

export type CallerIdentity = Omit<Extract<AwsIdentity, { status: "ok" }>, "status">;

export type AdversaryCode =
  | "named-in-condition"
  | "other-account"
  | "other-partition"
  | "other-role"
  | "other-session"
  | "other-subject"
  | "role-name-longer"
  | "role-name-within"
  | "session-like-role"
  | "subject-case"
  | "subject-longer"
  | "subject-shorter"
  | "subject-within"
  | "user-path";

export interface Adversary {
  code: AdversaryCode;
  /** For people, without article: `an IAM user on the path /assumed-role/ROLE/`. */
  who: string;
  /** What mapping and condition see. */
  credential: { kind: "claims"; claims: JsonObject } | ({ kind: "aws" } & CallerIdentity);
}

const OTHER_ACCOUNT = "999999999999";
const SOME_SESSION = "session";

/** The credential that the workload itself presents. */
export function credentialOf(intended: IntendedIdentity): Adversary["credential"] {
  if (intended.kind === "oidc") return { kind: "claims", claims: { ...intended.claims, sub: intended.subject } };
  const { accountId, roleName, sessionName = SOME_SESSION, partition = "aws" } = intended;
  return assumedRole(partition, accountId, roleName, sessionName);
}

/** `literals` are the texts that the provider's condition compares with: whoever is named there, or so that a name begins or ends, is tried too. */
export function adversariesOf(intended: IntendedIdentity, literals: readonly string[] = []): Adversary[] {
  const spelled = literals.flatMap((text) => [text, `${text}x`, `x${text}`, `x${text}x`, `${text}/x`, `${text}another-role/x`]);
  const adversaries = intended.kind === "oidc" ? subjectAdversaries(intended, spelled) : roleAdversaries(intended, spelled);
  return adversaries.filter(({ credential }) => !isIntended(credential, intended));
}

function isIntended(credential: Adversary["credential"], intended: IntendedIdentity): boolean {
  if (credential.kind === "claims") return intended.kind === "oidc" && credential.claims["sub"] === intended.subject;
  if (intended.kind === "oidc") return false;
  const { partition = "aws", accountId, roleName, sessionName } = intended;
  const prefix = `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/`;
  return sessionName === undefined ? credential.arn.startsWith(prefix) : credential.arn === `${prefix}${sessionName}`;
}

function namedInCondition(name: string, credential: Adversary["credential"]): Adversary {
  return { code: "named-in-condition", who: `whoever is named ${JSON.stringify(name)}`, credential };
}

const ARN = /^arn:aws[a-z-]*:(?:sts|iam)::(\d{12}):[a-z-]+\/[^/]+\/./;

function subjectAdversaries({ subject, claims = {} }: Extract<IntendedIdentity, { kind: "oidc" }>, spelled: readonly string[]): Adversary[] {
  const presenting = (sub: string): Adversary["credential"] => ({ kind: "claims", claims: { ...claims, sub } });
  const swapped = subject === subject.toUpperCase() ? subject.toLowerCase() : subject.toUpperCase();
  const subjects: [AdversaryCode, string, string][] = [
    ["other-subject", "another workload of the same issuer", "another-workload"],
    // Behind every sign that issuers separate names by, and behind none.
    ...["x", "-x", ":x", "/x", ".x", " x"].map((more): [AdversaryCode, string, string] => ["subject-longer", "a workload whose subject begins with this one", `${subject}${more}`]),
    ...["x", "x-", "x:", "x/"].map((more): [AdversaryCode, string, string] => ["subject-within", "a workload whose subject ends with this one", `${more}${subject}`]),
    ["subject-within", "a workload whose subject has this one inside", `x:${subject}:x`],
    ["subject-shorter", "a workload whose subject is the beginning of this one", subject.slice(0, -1)],
    ["subject-case", "a workload whose subject differs in case", swapped],
  ];
  const made = subjects.filter(([, , sub]) => sub !== "").map(([code, who, sub]): Adversary => ({ code, who: `${who} (${JSON.stringify(sub)})`, credential: presenting(sub) }));
  return [...made, ...spelled.filter((sub) => sub !== "").map((sub) => namedInCondition(sub, presenting(sub)))];
}

function roleAdversaries({ accountId, roleName, sessionName, partition = "aws" }: Extract<IntendedIdentity, { kind: "aws" }>, spelled: readonly string[]): Adversary[] {
  const session = sessionName ?? SOME_SESSION;
  const adversaries: Adversary[] = [];
  const add = (code: AdversaryCode, who: string, credential: Adversary["credential"]) => adversaries.push({ code, who, credential });
  const role = (name: string, of = session, account = accountId, where = partition) => assumedRole(where, account, name, of);
  add("other-role", "another role of the account", role("another-role"));
  for (const name of [`${roleName}-x`, `${roleName}x`, `${roleName}.x`, `${roleName}@x`]) add("role-name-longer", `a role whose name begins so (${name})`, role(name));
  for (const name of [`x-${roleName}`, `x${roleName}`, `x-${roleName}-x`]) add("role-name-within", `a role whose name has this one inside (${name})`, role(name));
  add("session-like-role", `another role with a session named ${roleName}`, role("another-role", roleName));
  add("other-account", "a role of the same name in another account", role(roleName, session, OTHER_ACCOUNT));
  add("other-partition", "a role of the same name in another partition", role(roleName, session, accountId, partition === "aws" ? "aws-us-gov" : "aws"));
  if (sessionName !== undefined) {
    for (const name of [`${sessionName}-x`, `x-${sessionName}`, SOME_SESSION]) add("other-session", `another session of the role (${name})`, role(roleName, name));
  }
  // A path of an IAM user takes every printable character, so it can spell out the role's ARN.
  for (const path of ["/role", "/assumed-role", `/arn:${partition}:sts::${accountId}:assumed-role`]) {
    add("user-path", `an IAM user of the account on the path ${path}/${roleName}/`, {
      kind: "aws",
      account: accountId,
      arn: `arn:${partition}:iam::${accountId}:user${path}/${roleName}/${session}`,
      userId: "AIDAEXAMPLEEXAMPLE123",
    });
  }
  for (const arn of spelled) {
    // AWS says the account of the ARN, whatever else the text spells.
    if (ARN.exec(arn)?.[1] === accountId) adversaries.push(namedInCondition(arn, { kind: "aws", account: accountId, arn, userId: `AROAEXAMPLEEXAMPLE123:${SOME_SESSION}` }));
  }
  return adversaries;
}

function assumedRole(partition: string, account: string, roleName: string, session: string): Adversary["credential"] {
  return { kind: "aws", account, arn: `arn:${partition}:sts::${account}:assumed-role/${roleName}/${session}`, userId: `AROAEXAMPLEEXAMPLE123:${session}` };
}
