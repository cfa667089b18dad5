/** Whether the workload's principal may become the service account, by the policies, and the nearest mistake where it may not. */
import type { AccessAnswer, Binding, Policy } from "../../../trust/gcp/types.js";
import type { Cause } from "../../causes.js";
import { cause, type GcpRun } from "../run.js";
import type { ProjectDocuments } from "./reader.js";
import type { Rights } from "./rights.js";

export const IMPERSONATE = "iam.serviceAccounts.getAccessToken";

export interface ImpersonationReading {
  answer: AccessAnswer | undefined;
  cause: Cause | undefined;
}

/** @param members every policy member that means the federated principal */
export async function predictImpersonation(run: GcpRun, documents: ProjectDocuments, rights: Rights, email: string, members: readonly string[]): Promise<ImpersonationReading> {
  const account = await documents.serviceAccount(email);
  if (account.status === "absent") return { answer: undefined, cause: cause(run, "gcp.service-account.missing", account.detail) };
  if (account.status === "read" && account.value["disabled"] === true) return { answer: undefined, cause: cause(run, "gcp.service-account.disabled", `${email} has disabled: true`) };
  const resource = `//iam.googleapis.com/projects/${run.exchange.projectId}/serviceAccounts/${email}`;
  const answer = await rights.decide(members, IMPERSONATE, resource);
  if (typeof answer === "string") return { answer: undefined, cause: undefined };
  if (answer.allowed) return { answer, cause: undefined };
  const former = answer.reason === "no-binding" ? await rights.formerSelf() : undefined;
  if (former) return { answer, cause: former };
  const [own, project] = await Promise.all([documents.serviceAccountPolicy(email), documents.projectPolicy()]);
  return { answer, cause: refusal(run, answer, email, own.status === "read" ? own.value : { bindings: [] }, project.status === "read" ? project.value : { bindings: [] }) };
}

function refusal(run: GcpRun, answer: AccessAnswer, email: string, own: Policy, project: Policy): Cause {
  if (answer.reason === "denied") return cause(run, "gcp.impersonation.denied", `the deny policy ${answer.denyPolicy ?? ""} has it`, { subject: answer.denyPolicy });
  if (answer.reason === "condition-false" && answer.binding) {
    const { condition } = answer.binding.binding;
    const found = `${JSON.stringify(condition?.title ?? "")} (${condition?.expression ?? ""})`;
    return cause(run, "gcp.impersonation.condition-false", `the binding on ${answer.binding.resource} has the condition ${found}`, { found });
  }
  const opens = own.bindings.filter(({ role }) => role === "roles/iam.workloadIdentityUser" || role === "roles/iam.serviceAccountTokenCreator");
  const others = opens.flatMap(({ role, members }) => members.filter((member) => member.includes("/workloadIdentityPools/") || member.startsWith("deleted:")).map((member) => `${member} (${role})`));
  if (others.length > 0) return cause(run, "gcp.impersonation.member-differs", `the policy of ${email} has ${others.join(", ")}; the workload is ${run.exchange.principal}`, { found: others.join(", ") });
  const elsewhere = misplaced(run, email, own, project);
  if (elsewhere !== undefined) return cause(run, "gcp.impersonation.binding-elsewhere", elsewhere, { found: elsewhere });
  return cause(run, "gcp.impersonation.binding-missing", `no binding of ${email} or of project ${run.exchange.projectId} gives ${IMPERSONATE} to ${run.exchange.principal}`);
}

/** The account as the member of what the principal should have, or the principal with another role that looks like it. */
function misplaced(run: GcpRun, email: string, own: Policy, project: Policy): string | undefined {
  const find = (policy: Policy, test: (binding: Binding) => boolean) => policy.bindings.find(test);
  const user = (binding: Binding) => binding.role === "roles/iam.workloadIdentityUser" || binding.role === "roles/iam.serviceAccountTokenCreator";
  const itself = `serviceAccount:${email}`;
  const own1 = find(own, (binding) => user(binding) && binding.members.includes(itself));
  if (own1) return `${own1.role} on ${email} given to the account itself`;
  const onProject = find(project, (binding) => user(binding) && binding.members.includes(itself));
  if (onProject) return `${onProject.role} on project ${run.exchange.projectId} given to the account itself`;
  const other = find(own, (binding) => binding.members.includes(run.exchange.principal));
  return other && `${other.role} on ${email}, which does not allow the impersonation`;
}
