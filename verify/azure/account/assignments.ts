/** What the identity is assigned beyond the contract: a wide role is seen by nobody whose calls all succeed. */
import { lintAssignments } from "../../../trust/azure/lint-assignments.js";
import { scopeCovers } from "../../../trust/azure/scopes.js";
import type { RoleAssignment, RoleDefinition } from "../../../trust/azure/types.js";
import type { Finding } from "../../../trust/findings.js";
import { roleGuid } from "../../../facts/azure/roles.js";
import { fail, pass, unknown, type CheckScope, type Verdict } from "../../check.js";
import { accountId, containerId, groupId } from "../endpoints.js";
import { cause, type AzureRun } from "../run.js";
import type { AzureDocuments } from "./reader.js";
import { isOwn } from "./trust.js";

/** Said elsewhere: of the group that the identity is in by the contract, of the accounts by what they have switched on. */
const SAID_ELSEWHERE = ["identity-rewrites-trust", "role-lists-keys"];

/** On an identity that the stack made wide roles are a mistake; one that was there before may need them for others. */
export async function assignmentsCheck(run: AzureRun, documents: AzureDocuments, subscriptionId: string, scope: CheckScope): Promise<Verdict> {
  const reading = await documents.assignmentsOf(subscriptionId, run.exchange.principalId);
  if (reading.status !== "read") return unknown(reading.status === "absent" ? reading.detail : reading.reason);
  const assignments = reading.value;
  const roles = new Map<string, RoleDefinition>();
  for (const { roleDefinitionId } of assignments) {
    const role = await documents.role(roleDefinitionId);
    if (role) roles.set((roleGuid(roleDefinitionId) ?? roleDefinitionId).toLowerCase(), role);
  }
  const findings = findingsIn(run, assignments, (id) => roles.get(id.toLowerCase()));
  const grave = findings.filter(({ severity }) => severity === "error");
  const mistakes = isOwn(run) ? grave : [];
  for (const finding of findings) if (!mistakes.includes(finding)) scope.remark(`${finding.message} ${finding.fix}`);
  const nameOf = ({ roleDefinitionId }: RoleAssignment): string => roles.get((roleGuid(roleDefinitionId) ?? "").toLowerCase())?.roleName ?? roleDefinitionId;
  const granted = grantedScopes(run);
  const beyond = assignments.filter((one) => !granted.some((place) => scopeCovers(place, one.scope)) && !findings.some(({ path }) => path === one.id));
  for (const one of beyond) scope.remark(`The identity has ${nameOf(one)} on ${one.scope}, which the contract does not grant: az role assignment delete --ids ${one.id}`);
  const [first] = mistakes;
  if (first) return fail(mistakes.map(({ message }) => message).join(" "), cause(run, "azure.rbac.too-wide", mistakes.map(({ message }) => message), { found: first.path }));
  return pass(`${assignments.length} ${assignments.length === 1 ? "assignment" : "assignments"}: ${assignments.map((one) => `${nameOf(one)} on ${one.scope.split("/").at(-1) ?? one.scope}`).join(", ") || "none"}`);
}

/** Each finding once, however many containers it concerns. */
function findingsIn({ contract, exchange }: AzureRun, assignments: readonly RoleAssignment[], role: (id: string) => RoleDefinition | undefined): Finding[] {
  const { principalId, clientId } = exchange;
  const containers = contract.grants.flatMap((grant) => (grant.kind === "blob-container" && grant.grantedOn === "container" ? [containerId(grant)] : []));
  const found = (containers.length === 0 ? [undefined] : containers).flatMap((container) => lintAssignments(assignments, { principalId, clientId, containerId: container, role }));
  return [...new Map(found.map((finding) => [`${finding.code} ${finding.path}`, finding])).values()].filter(({ code }) => !SAID_ELSEWHERE.includes(code));
}

/** Where the contract has roles assigned. */
function grantedScopes({ contract }: AzureRun): string[] {
  return contract.grants.flatMap((grant) => {
    switch (grant.kind) {
      case "azure-resource-group":
      case "app-service":
        return [groupId(grant.subscriptionId, grant.resourceGroup)];
      case "blob-container":
        return [grant.grantedOn === "container" ? containerId(grant) : accountId(grant)];
      default:
        return [];
    }
  });
}
