/** Brings assignments, deny assignments and roles, as enforcement sees them now, to the question whether a call is allowed. */
import { authorizationFailed } from "./arm-errors.js";
import { covers } from "./arm-ids.js";
import type { Registrations } from "./providers.js";
import type { AccessOptions, ArmResource, ArmResources } from "./service.js";
import type { AzureCaller } from "./types.js";

export const ROLE_ASSIGNMENT_TYPE = "Microsoft.Authorization/roleAssignments";

export class RoleAuthoriser {
  constructor(
    private readonly resources: ArmResources,
    private readonly registrations: Registrations,
  ) {}

  allows(caller: AzureCaller, action: string, scope: string, options: AccessOptions = {}): boolean {
    if (caller.kind === "anonymous") return false;
    return this.#assignments(caller, scope).some((assignment) => simplyGrants(assignment, action, options));
  }

  /** A namespace that is not registered shows only to those who might write there. */
  require(caller: AzureCaller, action: string, scope: string, options?: AccessOptions): void {
    if (!this.allows(caller, action, scope, options)) throw authorizationFailed(caller, action, scope);
    if (options?.dataAction !== true && /\/write$/i.test(action)) this.registrations.assertRegistered(scope);
  }

  #assignments(caller: AzureCaller, scope: string): ArmResource[] {
    return this.resources.listEffective(ROLE_ASSIGNMENT_TYPE).filter(({ properties }) => properties["principalId"] === caller.objectId && covers(String(properties["scope"]), scope));
  }
}

/** Whether the caller has a role at the scope, above or anywhere below it. */
export function hasRoleWithin(resources: ArmResources, { objectId }: AzureCaller, scope: string): boolean {
  return resources.listEffective(ROLE_ASSIGNMENT_TYPE).some(({ properties }) => properties["principalId"] === objectId && (covers(scope, String(properties["scope"])) || covers(String(properties["scope"]), scope)));
}

/** Until the rules of roles are there: owners and contributors may everything, others read. */
function simplyGrants({ properties }: ArmResource, action: string, { dataAction = false }: AccessOptions): boolean {
  const role = String(properties["roleDefinitionId"]).toLowerCase();
  if (/8e3af657|ba92f5b4/.test(role)) return true;
  if (role.includes("b24988ac")) return !dataAction && !/^microsoft\.authorization\/.*\/(write|delete)$/i.test(action);
  return action.endsWith("/read");
}
