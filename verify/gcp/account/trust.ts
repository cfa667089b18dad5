/** Who else gets in: by the provider, by another one of its pool, or by a binding that names more than the workload. */
import { reachablePrincipals } from "../../../trust/gcp/aliases.js";
import { lintProvider, type Finding } from "../../../trust/gcp/lint.js";
import type { IntendedIdentity } from "../../../trust/gcp/adversaries.js";
import { parseFederatedMember } from "../../../trust/gcp/principal.js";
import { fail, pass, unknown, type CheckScope, type Verdict } from "../../check.js";
import { cause, poolName, providerName, type GcpRun } from "../run.js";
import { IMPERSONATE } from "./impersonation.js";
import { asProvider } from "./prediction.js";
import type { ProjectDocuments } from "./reader.js";
import type { Rights } from "./rights.js";

/** What the lint says of a workload that does not get in is the exchange's and the binding's to say. */
const KEEPS_OUT = /^(?:mapping-malformed|workload-|condition-never$|member-|pool-)/;

/** Put to everybody who could be taken for the workload, the provider makes the contract's principal of nobody else. */
export async function providerTrust(run: GcpRun, documents: ProjectDocuments, scope: CheckScope): Promise<Verdict> {
  const reading = await documents.provider();
  if (reading.status !== "read") return unknown(reading.status === "absent" ? reading.detail : reading.reason);
  const { principal } = run.exchange;
  const findings = lintProvider(asProvider(reading.value), { intended: intendedOf(run), members: [principal] }).filter(({ code }) => !KEEPS_OUT.test(code));
  const wide = findings.filter((finding) => isHole(run, finding));
  for (const { message, fix } of findings.filter((finding) => !wide.includes(finding))) scope.remark(`${providerName(run.exchange)}: ${message} ${fix}`);
  const [first] = wide;
  if (!first) return pass(`nobody else becomes ${principal}`);
  return fail(first.message, cause(run, "gcp.provider.too-wide", wide.map(({ path, message }) => `${path}: ${message}`), { found: first.message }));
}

/** A condition that the contract has, and that is gone, is one, although a binding to one subject still holds. */
function isHole({ exchange }: GcpRun, { severity, code }: Finding): boolean {
  return severity === "error" || (code === "condition-missing" && (exchange.attributeCondition ?? "") !== "");
}

function intendedOf({ contract, exchange }: GcpRun): IntendedIdentity {
  const { subject, audience } = contract.workload;
  if (exchange.subjectTokenType === "jwt") return { kind: "oidc", subject, claims: { aud: audience } };
  const [, partition, , , accountId = ""] = subject.split(":");
  const [, roleName = "", sessionName] = subject.split("/");
  return { kind: "aws", partition, accountId, roleName, sessionName };
}

/** Members of policies name the pool, not the provider. */
export async function otherProviders(run: GcpRun, documents: ProjectDocuments, scope: CheckScope): Promise<Verdict> {
  const reading = await documents.providers();
  if (reading.status !== "read") return unknown(reading.status === "absent" ? reading.detail : reading.reason);
  const own = providerName(run.exchange);
  const providers = reading.value.map(asProvider);
  const reaching = reachablePrincipals(own, providers, [run.exchange.principal], intendedOf(run));
  for (const { provider } of reaching.filter(({ certainty }) => certainty === "possible")) {
    scope.remark(`${provider.name} is in the same pool, has no condition, and nothing shows that it keeps its credentials from becoming ${run.exchange.principal}.`);
  }
  const shown = reaching.filter(({ certainty }) => certainty === "shown");
  const others = providers.filter(({ name }) => name !== own).length;
  if (shown.length === 0) return pass(others === 0 ? `${poolName(run.exchange)} has this provider only` : `${others} more in the pool, by which nobody becomes ${run.exchange.principal}`);
  const names = shown.map(({ provider }) => provider.name);
  const evidence = shown.map(({ provider, member, example }) => `${provider.name} makes ${member} of ${JSON.stringify(example)}`);
  return fail(`${names.join(", ")} reaches the same principal`, cause(run, "gcp.provider.other-provider", evidence, { found: names.join(", "), subject: names[0]?.split("/").at(-1) }));
}

/** No binding lets a whole set of principals impersonate the account, where the contract names one; single ones are named. */
export async function accountMembers(run: GcpRun, documents: ProjectDocuments, rights: Rights, email: string, scope: CheckScope): Promise<Verdict> {
  const [own, project, prediction] = await Promise.all([documents.serviceAccountPolicy(email), documents.projectPolicy(), run.prediction()]);
  const becomes: readonly string[] = prediction?.exchange?.allowed === true ? prediction.exchange.identity.members : [];
  const { projectId, principal } = run.exchange;
  const wide: string[] = [];
  const everywhere: string[] = [];
  for (const { reading, place } of [{ reading: own, place: email }, { reading: project, place: `project ${projectId}` }]) {
    if (reading.status !== "read") return unknown(reading.status === "absent" ? reading.detail : reading.reason);
    for (const { role, members } of reading.value.bindings) {
      const sets = members.filter((member) => member !== principal && isWide(run, member, becomes));
      const others = members.filter((member) => member !== principal && !sets.includes(member));
      const misplaced = place !== email && members.includes(principal);
      if ((await rights.permissionsOf(role))?.includes(IMPERSONATE) !== true) continue;
      if (others.length > 0) scope.remark(`${role} on ${place} lets ${others.join(", ")} impersonate ${email} too.`);
      wide.push(...sets.map((member) => `${role} on ${place} for ${member}`));
      if (misplaced) everywhere.push(`${role} on ${place} for ${principal}, which opens every account there`);
    }
  }
  if (everywhere.length > 0) return fail(everywhere.join(", "), cause(run, "gcp.impersonation.binding-elsewhere", everywhere, { found: everywhere.join(", ") }));
  if (wide.length === 0) return pass(`no set of principals may impersonate ${email}`);
  return fail(wide.join(", "), cause(run, "gcp.impersonation.too-wide", wide, { found: wide.join(", ") }));
}

/** Everybody, everybody of the pool, or a set of it that the workload is in. */
function isWide(run: GcpRun, member: string, becomes: readonly string[]): boolean {
  if (member === "allUsers" || member === "allAuthenticatedUsers") return true;
  const parsed = parseFederatedMember(member);
  if (parsed === undefined || parsed.kind === "subject") return false;
  return parsed.kind === "pool" || (parsed.pool === poolName(run.exchange) && becomes.includes(member));
}
