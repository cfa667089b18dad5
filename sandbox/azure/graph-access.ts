/** What an application may do in its directory: what an administrator consented to, and reading itself. https://learn.microsoft.com/graph/permissions-reference */
import type { DirectoryStore } from "./directory.js";
import { graphError } from "./graph-errors.js";
import type { AzureCaller } from "./types.js";

export type GraphRight = "applications:read" | "applications:write" | "directory:read" | "policies:read" | "policies:write";

/** Application permissions, of which one is enough. */
const ENOUGH: Readonly<Record<GraphRight, readonly string[]>> = {
  "applications:read": ["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
  "applications:write": ["Application.ReadWrite.All", "Directory.ReadWrite.All"],
  "directory:read": ["Directory.Read.All", "Directory.ReadWrite.All"],
  "policies:read": ["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"],
  "policies:write": ["Policy.ReadWrite.ConditionalAccess"],
};

export class GraphAccess {
  constructor(private readonly directory: DirectoryStore) {}

  allows({ tenantId, objectId }: AzureCaller, right: GraphRight): boolean {
    const consented = this.directory.record(tenantId, objectId)?.graphPermissions ?? [];
    return ENOUGH[right].some((permission) => consented.includes(permission));
  }

  /** `appId` is of the application or service principal that is read: everybody may read their own. Throws AzureError. */
  require(caller: AzureCaller, right: GraphRight, appId?: string): void {
    const own = right === "applications:read" && appId?.toLowerCase() === caller.clientId.toLowerCase();
    if (!own && !this.allows(caller, right)) throw graphError("denied");
  }
}
