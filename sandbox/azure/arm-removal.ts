/** Takes a resource out of ARM with everything below it, and what stood for it elsewhere. */
import type { ArmResource, AzureServiceContext } from "./service.js";

const IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities";

/** Trust and grants, which stay in force until their end has propagated. */
const PROPAGATING: readonly string[] = [`${IDENTITY_TYPE}/federatedIdentityCredentials`, "Microsoft.Authorization/roleAssignments", "Microsoft.Authorization/denyAssignments"].map((type) => type.toLowerCase());

/** Role assignments of a principal that goes stay, as they do in Azure ("Identity not found"). */
export function removeResource({ resources, directory }: Pick<AzureServiceContext, "resources" | "directory">, id: string): boolean {
  const own = resources.get(id);
  if (!own) return false;
  for (const each of [...resources.below(id), own]) {
    const principal = hasIdentity(each) ? directory.ofResource(each.id) : undefined;
    if (principal) directory.delete(principal.tenantId, principal.objectId);
    if (PROPAGATING.includes(each.type.toLowerCase())) resources.delete(each.id, { propagates: true });
  }
  resources.delete(id);
  return true;
}

const hasIdentity = ({ type, identity }: ArmResource): boolean => type.toLowerCase() === IDENTITY_TYPE.toLowerCase() || typeof identity?.["principalId"] === "string";
