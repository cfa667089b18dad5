/**
 * Are the roles of a workload identity as narrow as its grants?
 * https://learn.microsoft.com/azure/role-based-access-control/best-practices
 */
import { roleGuid } from "../../facts/azure/roles.js";
import { bySeverity, type Finding } from "../findings.js";
import { conditionMistake } from "./conditions.js";
import { permits } from "./roles.js";
import { scopeCovers, scopeLevel } from "./scopes.js";
import type { RoleAssignment, RoleDefinition } from "./types.js";

export interface AssignmentLintOptions {
  /** Object id of the service principal: whom roles work for. */
  principalId: string;
  clientId?: string | undefined;
  /** Object id of the app registration. */
  applicationObjectId?: string | undefined;
  /** ARM id of the managed identity. */
  identityId?: string | undefined;
  /** ARM id of the container that blobs are meant to be in. Default: how narrow roles on data are is not looked at. */
  containerId?: string | undefined;
  /** By the GUID of the role definition. */
  role(id: string): RoleDefinition | undefined;
}

const ASSIGN_ROLES = "Microsoft.Authorization/roleAssignments/write";
const WRITE_CREDENTIALS = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write";
const LIST_KEYS = "Microsoft.Storage/storageAccounts/listKeys/action";
const ANY_WRITE = "Microsoft.Resources/tags/write";
const BLOB_READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
/** What tells Storage Blob Data Owner from Contributor. */
const BLOB_OWNERSHIP = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/manageOwnership/action";

/** Findings in the role assignments that are there for an identity or for one of its other ids, the gravest first. */
export function lintAssignments(assignments: readonly RoleAssignment[], options: AssignmentLintOptions): Finding[] {
  return bySeverity(assignments.flatMap((assignment) => assignmentFindings(assignment, options)));
}

function assignmentFindings(assignment: RoleAssignment, options: AssignmentLintOptions): Finding[] {
  const mistaken = mistakenId(assignment, options);
  if (mistaken !== undefined) {
    const message = `The role is assigned to ${assignment.principalId}, which is ${mistaken}: nobody signs in as that, so the role works for nobody.`;
    return [{ code: "principal-mistaken", severity: "error", path: assignment.id, message, fix: `Assign it to the service principal's object id, ${options.principalId}.` }];
  }
  if (!sameId(assignment.principalId, options.principalId)) return [];
  const role = options.role(roleGuid(assignment.roleDefinitionId) ?? assignment.roleDefinitionId);
  return [...conditionFindings(assignment), ...(role === undefined ? [] : [...managementFindings(assignment, role, options), ...dataFindings(assignment, role, options)])];
}

function sameId(one: string, other: string | undefined): boolean {
  return other !== undefined && one.toLowerCase() === other.toLowerCase();
}

function mistakenId({ principalId }: RoleAssignment, { applicationObjectId, clientId }: AssignmentLintOptions): string | undefined {
  if (sameId(principalId, applicationObjectId)) return "the object id of the app registration";
  return sameId(principalId, clientId) ? "the application (client) id" : undefined;
}

function conditionFindings({ id, condition }: RoleAssignment): Finding[] {
  const mistake = condition === undefined || condition.trim() === "" ? undefined : conditionMistake(condition);
  if (mistake === undefined) return [];
  return [{ code: "condition-unreadable", severity: "warning", path: id, message: `The assignment's condition ${mistake}; here it counts as one that does not hold.`, fix: "Write the condition as Azure documents it." }];
}

const WIDE: readonly string[] = ["tenant", "management-group", "subscription"];

function managementFindings({ id, scope }: RoleAssignment, role: RoleDefinition, { identityId }: AssignmentLintOptions): Finding[] {
  const may = (action: string) => permits(role.permissions, { action, data: false });
  const findings: Finding[] = [];
  if (may(ASSIGN_ROLES)) {
    findings.push({ code: "role-assigns-roles", severity: "error", path: id, message: `${role.roleName} on ${scope} can assign roles: whoever acts as the identity can give himself every right there.`, fix: "Assign a role without it, such as Contributor on the one resource group." });
  }
  if (WIDE.includes(scopeLevel(scope)) && may(ANY_WRITE)) {
    findings.push({ code: "role-scope-wide", severity: "error", path: id, message: `${role.roleName} is assigned on ${scope}, which reaches every resource group below it.`, fix: "Assign it on the one resource group that the platform is connected to." });
  }
  if (identityId !== undefined && scopeCovers(scope, identityId) && may(WRITE_CREDENTIALS)) {
    findings.push({ code: "identity-rewrites-trust", severity: "warning", path: id, message: `${role.roleName} on ${scope} reaches the managed identity itself: whoever acts as it can add federated credentials, for himself and for good.`, fix: "Keep the identity in a resource group of its own, outside of what it has rights on." });
  }
  if (may(LIST_KEYS)) {
    findings.push({ code: "role-lists-keys", severity: "info", path: id, message: `${role.roleName} on ${scope} can list the keys of the storage accounts there, which open all their data.`, fix: "Switch shared keys off on the accounts." });
  }
  return findings;
}

function dataFindings({ id, scope }: RoleAssignment, role: RoleDefinition, { containerId }: AssignmentLintOptions): Finding[] {
  const may = (action: string) => permits(role.permissions, { action, data: true });
  if (!may(BLOB_READ) || containerId === undefined) return [];
  const findings: Finding[] = [];
  if (!sameId(scope, containerId) && scopeCovers(scope, containerId)) {
    findings.push({ code: "data-role-wide", severity: "warning", path: id, message: `${role.roleName} is assigned on ${scope}, which reaches every container there.`, fix: `Assign it on the container: ${containerId}.` });
  }
  if (may(BLOB_OWNERSHIP)) {
    findings.push({ code: "data-role-strong", severity: "warning", path: id, message: `${role.roleName} also takes ownership of blobs and changes their access control.`, fix: "Assign Storage Blob Data Contributor." });
  }
  return findings;
}
