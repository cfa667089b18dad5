/** Role assignments, roles and deny assignments, from ARM's resources into the words of the rules. */
import { builtInRole, roleGuid } from "../../facts/azure/roles.js";
import type { DenyAssignment, RoleAssignment, RoleDefinition } from "../../trust/azure/types.js";
import type { ArmResource, ArmResources } from "./service.js";

export const ROLE_ASSIGNMENT_TYPE = "Microsoft.Authorization/roleAssignments";
export const ROLE_DEFINITION_TYPE = "Microsoft.Authorization/roleDefinitions";
export const DENY_ASSIGNMENT_TYPE = "Microsoft.Authorization/denyAssignments";

export type Permissions = RoleDefinition["permissions"];

/** `written`: as read operations answer; `effective`: as enforcement sees it now. */
type View = "written" | "effective";

export interface RoleAssignmentProperties {
  roleDefinitionId: string;
  principalId: string;
  principalType: string;
  scope: string;
  condition: string | null;
  conditionVersion: string | null;
}

export interface DenyAssignmentProperties {
  denyAssignmentName: string;
  description: string;
  permissions: Permissions;
  scope: string;
  doNotApplyToChildScopes: boolean;
  principals: readonly { id: string; type?: string }[];
  excludePrincipals: readonly { id: string; type?: string }[];
  isSystemProtected: boolean;
}

export interface RoleDefinitionProperties {
  roleName: string;
  type: "BuiltInRole" | "CustomRole";
  description: string;
  assignableScopes: readonly string[];
  permissions: Permissions;
}

export class RoleStore {
  constructor(private readonly resources: ArmResources) {}

  assignments(view: View): RoleAssignment[] {
    return this.#list(ROLE_ASSIGNMENT_TYPE, view).map(({ id, properties }) => {
      const { scope, roleDefinitionId, principalId, condition, conditionVersion } = properties as unknown as RoleAssignmentProperties;
      return { id, scope, roleDefinitionId, principalId, condition: condition ?? undefined, conditionVersion: conditionVersion ?? undefined };
    });
  }

  denyAssignments(view: View): DenyAssignment[] {
    return this.#list(DENY_ASSIGNMENT_TYPE, view).map(({ id, properties }) => {
      const { denyAssignmentName: name, scope, permissions, principals, excludePrincipals, doNotApplyToChildScopes } = properties as unknown as DenyAssignmentProperties;
      return { id, name, scope, permissions, principalIds: principals.map((each) => each.id), excludePrincipalIds: excludePrincipals.map((each) => each.id), doNotApplyToChildScopes };
    });
  }

  /** By GUID, or an ARM id that ends in it: built-in, or one of the customer's own. */
  role(id: string, view: View): RoleDefinition | undefined {
    const guid = roleGuid(id);
    const builtIn = builtInRole(guid ?? id);
    if (builtIn) return builtIn;
    const custom = this.#list(ROLE_DEFINITION_TYPE, view).find(({ name }) => name.toLowerCase() === guid);
    if (!custom) return undefined;
    const { roleName, permissions } = custom.properties as unknown as RoleDefinitionProperties;
    return { name: custom.name, roleName, permissions };
  }

  #list(type: string, view: View): ArmResource[] {
    return view === "written" ? this.resources.list(type) : this.resources.listEffective(type);
  }
}
