/**
 * An adopted provider may have a mapping and a condition of its own: whether they let the workload in as the principal that
 * bindings name, and nobody else as that principal, is tried out on assertions that are almost the workload's.
 */
import type { AttributeMapping } from "../../facts/gcp/attributes.js";
import { providerName } from "../../facts/gcp/identifiers.js";
import type { JsonObject } from "../../trust/jwt.js";
import { conditionRefusal, mapAttributes, mappingMistakes } from "../../trust/gcp/mapping.js";
import { federatedIdentity } from "../../trust/gcp/principal.js";
import type { Mistake } from "../inputs.js";
import { assumedRoleArn, awsAdmission, oidcAdmission, type Admission, type AwsRole } from "./attribute-mapping.js";

export interface StatedAdmission {
  mapping: AttributeMapping;
  condition: string;
  /** Who is meant: this, or `aws`. */
  oidc?: { issuerUri: string; subject: string } | undefined;
  aws?: AwsRole | undefined;
}

/** Everything that is wrong with it. */
export function judgeStated({ mapping, condition, oidc, aws }: StatedAdmission): Mistake[] {
  if (aws) return mistakes(mapping, condition, awsAdmission(aws), awsCandidates(aws));
  return oidc ? mistakes(mapping, condition, oidcAdmission(oidc.subject), oidcCandidates(oidc.issuerUri, oidc.subject)) : [];
}

/** An assertion, and who it would be of. */
interface Candidate {
  who: string;
  assertion: JsonObject;
}

interface Candidates {
  workload: JsonObject;
  others: Candidate[];
}

/** Names of a pool and provider for the trial: the principal's form matters, not its place. */
const PROVIDER = { projectNumber: "1", pool: "pool", provider: "provider" };

function mistakes(mapping: AttributeMapping, condition: string, admission: Admission, candidates: Candidates): Mistake[] {
  if (condition.trim() === "") return [{ path: "attributeCondition", reason: "must be there: a provider without a condition admits every token of its issuer, or every identity of its account" }];
  const malformed = mappingMistakes({ attributeMapping: mapping, attributeCondition: condition });
  if (malformed.length > 0) return malformed.map(({ path, message }) => ({ path, reason: message }));
  const provider = providerName(PROVIDER);
  const principal = admission.principal(provider.slice(0, provider.indexOf("/providers/")));
  const membersOf = (assertion: JsonObject): readonly string[] | string => {
    const mapped = mapAttributes(mapping, assertion);
    if ("allowed" in mapped) return mapped.detail;
    const refused = conditionRefusal(condition, assertion, mapped);
    return refused ? refused.detail : federatedIdentity(provider, mapped).members;
  };
  const own = membersOf(candidates.workload);
  if (typeof own === "string") return [{ path: "attributeCondition", reason: `refuses the workload itself: ${own}` }];
  if (!own.includes(principal)) return [{ path: "attributeMapping", reason: `makes the workload ${own[0] ?? "nobody"}, and rights are given to ${principal}` }];
  return candidates.others.flatMap(({ who, assertion }) => {
    const members = membersOf(assertion);
    return typeof members !== "string" && members.includes(principal) ? [{ path: "attributeCondition", reason: `lets ${who} in as the workload` }] : [];
  });
}

function oidcCandidates(issuer: string, subject: string): Candidates {
  const of = (sub: string): JsonObject => ({ iss: issuer, sub, aud: "audience" });
  const others = [`${subject}x`, `x${subject}`, subject.slice(0, -1), subject.toUpperCase()].filter((other) => other !== subject);
  return { workload: of(subject), others: others.map((sub) => ({ who: `the subject ${JSON.stringify(sub)}`, assertion: of(sub) })) };
}

function awsCandidates({ accountId, roleName, sessionName, uniqueId = "AROA00000000EXAMPLE" }: AwsRole): Candidates {
  const session = sessionName ?? "session";
  const stranger = accountId === "000000000000" ? "111111111111" : "000000000000";
  const of = (arn: string, account = accountId, id = uniqueId): JsonObject => ({ arn, account, userid: `${id}:${arn.slice(arn.lastIndexOf("/") + 1)}` });
  const others = [
    of(`${assumedRoleArn(stranger, roleName)}/${session}`, stranger),
    of(`${assumedRoleArn(accountId, `${roleName}x`)}/${session}`),
    of(`${assumedRoleArn(accountId, `x${roleName}`)}/${session}`),
    of(`arn:aws:iam::${accountId}:user/role/${roleName}/${session}`, accountId, "AIDA00000000EXAMPLE"),
    of(`arn:aws:iam::${accountId}:user/assumed-role/${roleName}/${session}`, accountId, "AIDA00000000EXAMPLE"),
    ...(sessionName === undefined ? [] : [of(`${assumedRoleArn(accountId, roleName)}/${sessionName}x`)]),
  ];
  return { workload: of(`${assumedRoleArn(accountId, roleName)}/${session}`), others: others.map((assertion) => ({ who: String(assertion.arn), assertion })) };
}
