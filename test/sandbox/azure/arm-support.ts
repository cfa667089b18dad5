/** Resource Manager over the wire, as whoever holds the token; and what most of its tests begin with. */
import { randomUUID } from "node:crypto";
import type { Sandbox } from "../../../sandbox/index.js";
import { accessToken, ARM, type AzureReceived, azureSend, WORKLOAD } from "../../support/azure.js";

export const SUBSCRIPTION = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
export const ROLES = {
  owner: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
  contributor: "b24988ac-6180-42a0-ab88-20f7382dd24c",
  reader: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
} as const;

/** One API version that each namespace takes. */
function versionOf(path: string): string {
  if (/register$/.test(path)) return "2022-09-01";
  const namespace = /^.*\/providers\/([^/?]+)\/?([^/?]*)/i.exec(path);
  switch (`${namespace?.[1] ?? ""}/${namespace?.[2] ?? ""}`.toLowerCase()) {
    case "microsoft.managedidentity/userassignedidentities":
      return "2023-01-31";
    case "microsoft.authorization/locks":
      return "2020-05-01";
    case "microsoft.authorization/policyassignments":
    case "microsoft.authorization/policydefinitions":
      return "2023-04-01";
    case "microsoft.storage/storageaccounts":
      return "2023-05-01";
    default:
      return namespace?.[1]?.toLowerCase() === "microsoft.authorization" ? "2022-04-01" : "2022-09-01";
  }
}

export type Arm = (method: string, path: string, body?: object | string) => Promise<AzureReceived>;

/** Adds an API version where the path has none. */
export function armAs(sandbox: Sandbox, token: string): Arm {
  const send = azureSend(sandbox);
  return (method, path, body) => {
    const target = path.includes("api-version=") ? path : `${path}${path.includes("?") ? "&" : "?"}api-version=${versionOf(path)}`;
    return send(method, `${ARM}${target.replaceAll(" ", "%20")}`, { token, body: typeof body === "string" ? body : body, ...(typeof body === "string" && { headers: { "content-type": "application/json" } }) });
  };
}

export interface TestIdentity {
  id: string;
  principalId: string;
  clientId: string;
  arm: Arm;
}

/** A managed identity in the group that trusts the workload, and calls as it. */
export async function identityIn(sandbox: Sandbox, arm: Arm, group: string, name: string): Promise<TestIdentity> {
  const id = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
  const made = await arm("PUT", id, { location: "westeurope" });
  const { principalId, clientId } = made.json["properties"] as { principalId: string; clientId: string };
  await arm("PUT", `${id}/federatedIdentityCredentials/workload`, { properties: { issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience] } });
  return { id, principalId, clientId, arm: armAs(sandbox, await accessToken(sandbox, { clientId })) };
}

export function assign(arm: Arm, scope: string, role: string, principalId: string, more: object = {}): Promise<AzureReceived> {
  return arm("PUT", `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`, {
    properties: { roleDefinitionId: `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${role}`, principalId, principalType: "ServicePrincipal", ...more },
  });
}

export const refused = (status: number, code: string, message?: string | RegExp): object => ({
  status,
  json: { error: { code, ...(message !== undefined && { message: typeof message === "string" ? message : expect.stringMatching(message) }) } },
});
