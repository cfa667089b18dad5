/** What the caller may do at a scope, by its roles there. https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group */
import { covers } from "./arm-ids.js";
import { atScopes, scopeOf } from "./arm-scopes.js";
import { RoleStore } from "./role-store.js";
import type { AzureRoute, AzureServiceContext } from "./service.js";

const PERMISSION_TYPE = "Microsoft.Authorization/permissions";

export function permissionRoutes(context: AzureServiceContext): AzureRoute[] {
  const roles = new RoleStore(context.resources);
  return atScopes("GET", PERMISSION_TYPE, "arm:Permissions_ListForScope", async (request) => {
    const scope = scopeOf(request);
    const { caller } = request;
    context.require(caller, `${PERMISSION_TYPE}/read`, scope);
    const held = roles.assignments("effective").filter(({ principalId, scope: own }) => principalId === caller.objectId && covers(own, scope));
    return {
      value: held.flatMap(({ roleDefinitionId, condition, conditionVersion }) =>
        (roles.role(roleDefinitionId, "effective")?.permissions ?? []).map((permission) => ({ ...permission, ...(condition !== undefined && { condition, conditionVersion }) })),
      ),
    };
  });
}
