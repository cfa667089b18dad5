/**
 * Would Azure RBAC allow this call? https://learn.microsoft.com/azure/role-based-access-control/overview#how-azure-rbac-determines-if-a-user-has-access-to-a-resource
 *
 * A deny assignment that applies decides before any role does. Then one assignment whose role has the action, on the scope or above it,
 * and whose condition holds, is enough.
 */
import { roleGuid } from "../../facts/azure/roles.js";
import { conditionProblem } from "./conditions.js";
import { permits, type Action } from "./roles.js";
import { normaliseScope, scopeCovers } from "./scopes.js";
import type { AzureAccessAnswer, AzureAccessQuestion, DenyAssignment, RoleAssignment } from "./types.js";

/** Of deny assignments: everybody. */
const EVERYBODY = "00000000-0000-0000-0000-000000000000";

export function authorize(question: AzureAccessQuestion): AzureAccessAnswer {
  const { assignments, denyAssignments = [] } = question;
  const denyAssignment = denyAssignments.find((deny) => denies(deny, question));
  if (denyAssignment !== undefined) return { allowed: false, reason: "denied", denyAssignment };
  const granting = assignments.filter((assignment) => grants(assignment, question));
  let refused: AzureAccessAnswer | undefined;
  for (const assignment of granting) {
    const problem = conditionProblem(assignment, { ...actionOf(question), attributes: question.attributes ?? {}, now: question.now });
    if (problem === undefined) return { allowed: true, reason: "granted", assignment };
    refused ??= { allowed: false, reason: "condition-false", assignment, conditionProblem: problem };
  }
  return refused ?? { allowed: false, reason: "no-assignment" };
}

function actionOf({ action, dataAction = false }: AzureAccessQuestion): Action {
  return { action, data: dataAction };
}

/** But for its condition. */
function grants({ principalId, scope, roleDefinitionId }: RoleAssignment, question: AzureAccessQuestion): boolean {
  if (!names([principalId], question.principalIds) || !reaches(scope, question)) return false;
  const role = question.role(roleGuid(roleDefinitionId) ?? roleDefinitionId);
  return role !== undefined && permits(role.permissions, actionOf(question));
}

function denies({ scope, permissions, principalIds, excludePrincipalIds, doNotApplyToChildScopes }: DenyAssignment, question: AzureAccessQuestion): boolean {
  if (!names([...principalIds], question.principalIds) && !names([...principalIds], [EVERYBODY])) return false;
  if (names([...excludePrincipalIds], question.principalIds)) return false;
  const applies = doNotApplyToChildScopes ? normaliseScope(scope) === normaliseScope(question.scope) : reaches(scope, question);
  return applies && permits(permissions, actionOf(question));
}

function names(named: readonly string[], principals: readonly string[]): boolean {
  return named.some((id) => principals.some((principal) => principal.toLowerCase() === id.toLowerCase()));
}

/** Management groups are above a subscription without its id saying so. */
function reaches(scope: string, { scope: asked, managementGroups = [] }: AzureAccessQuestion): boolean {
  return scopeCovers(scope, asked) || managementGroups.some((group) => normaliseScope(group) === normaliseScope(scope));
}
