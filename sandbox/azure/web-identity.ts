/** The managed identities of a site: one of its own, and others that it is given. https://learn.microsoft.com/azure/app-service/overview-managed-identity */
import { SITE_TYPE } from "../../facts/azure/app-service.js";
import { parseArmId } from "./arm-ids.js";
import type { ArmResource, AzureServiceContext } from "./service.js";
import { AzureError, type AzureCaller } from "./types.js";

export interface WantedIdentity {
  type?: string | undefined;
  userAssignedIdentities?: Record<string, unknown> | null | undefined;
}

const ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

/**
 * The identity as it is stored and shown: with the ids of its service principals. Makes the site's own one, or removes it. Throws
 * `LinkedAuthorizationFailed` where the caller may write the site but not give it that identity.
 */
export function settledIdentity(context: AzureServiceContext, caller: AzureCaller, site: Pick<ArmResource, "id" | "name">, wanted: WantedIdentity): Record<string, unknown> | undefined {
  const types = (wanted.type ?? "None").split(",").map((type) => type.trim().toLowerCase());
  const tenantId = context.cloud.subscription(parseArmId(site.id)?.subscription ?? "")?.tenantId ?? "";
  const own = ownPrincipal(context, site, tenantId, types.includes("systemassigned"));
  const assigned = types.includes("userassigned") ? Object.keys(wanted.userAssignedIdentities ?? {}) : [];
  for (const id of assigned) requireAssignable(context, caller, site.id, id);
  if (!own && assigned.length === 0) return undefined;
  return {
    type: [...(own ? ["SystemAssigned"] : []), ...(assigned.length > 0 ? ["UserAssigned"] : [])].join(", "),
    ...(own && { principalId: own.objectId, tenantId }),
    ...(assigned.length > 0 && { userAssignedIdentities: Object.fromEntries(assigned.map((id) => [id, principalOf(context, site.id, id)])) }),
  };
}

function ownPrincipal(context: AzureServiceContext, { id, name }: Pick<ArmResource, "id" | "name">, tenantId: string, wanted: boolean): { objectId: string } | undefined {
  const known = context.directory.ofResource(id);
  if (wanted) return known ?? context.directory.create({ tenantId, displayName: name, kind: "ManagedIdentity", alternativeNames: ["isExplicit=False", id] });
  if (known) context.directory.delete(tenantId, known.objectId);
  return undefined;
}

function requireAssignable(context: AzureServiceContext, caller: AzureCaller, siteId: string, identityId: string): void {
  if (context.allows(caller, ASSIGN, identityId)) return;
  throw linkedAuthorizationFailed(caller, { action: `${SITE_TYPE}/write`, scope: siteId, linkedAction: ASSIGN, linkedScope: identityId });
}

/** https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-linked-authorization-failed */
export function linkedAuthorizationFailed({ name, objectId }: AzureCaller, { action, scope, linkedAction, linkedScope }: Record<"action" | "scope" | "linkedAction" | "linkedScope", string>): AzureError {
  return new AzureError(
    403,
    "LinkedAuthorizationFailed",
    `The client '${name}' with object id '${objectId}' has permission to perform action '${action}' on scope '${scope}'; however, it does not have permission to perform action(s) '${linkedAction}' on the linked scope(s) '${linkedScope}' (respectively) or the linked scope(s) are invalid.`,
  );
}

function principalOf(context: AzureServiceContext, siteId: string, identityId: string): { principalId: string; clientId: string } {
  const principal = context.resources.get(identityId) && context.directory.ofResource(identityId);
  if (principal) return { principalId: principal.objectId, clientId: principal.clientId };
  const response = JSON.stringify({ error: { code: "BadRequest", message: `Resource '${identityId}' was not found.` } });
  throw new AzureError(
    400,
    "FailedIdentityOperation",
    `Identity operation for resource '${siteId}' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: '${response}'.'.`,
  );
}
