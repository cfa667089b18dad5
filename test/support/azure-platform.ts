/** The platform without any diagnosis: what Azure answers it on its way from the token to a blob in the container. */
import type { Contract } from "../../contract/index.js";
import { API_VERSIONS } from "../../facts/azure/api-versions.js";
import { azureClouds } from "../../facts/azure/clouds.js";
import type { Sandbox } from "../../sandbox/index.js";
import { azureExchangeOf } from "./azure-administrator.js";
import { azureSend, exchange, type AzureReceived } from "./azure.js";

export interface AzureRefused {
  /** Where the way ends; `none` where it does not. */
  hop: "entra" | "group" | "blob" | "none";
  /** `AADSTS700213`, or the service's own. */
  code?: string;
  httpStatus?: number;
}

/** Goes as far as Azure lets it. */
export async function walk(sandbox: Sandbox, contract: Contract, assertion: string): Promise<AzureRefused> {
  const { clientId, tenantId: tenant, cloud } = azureExchangeOf(contract);
  const { loginHost, armHost } = azureClouds[cloud];
  const send = azureSend(sandbox);
  const signIn = (scope: string): Promise<AzureReceived> => exchange(sandbox, { clientId, tenant, scope, loginHost }, assertion);
  const group = contract.grants.find((grant) => grant.kind === "azure-resource-group");
  if (group?.kind === "azure-resource-group") {
    const token = await signIn(`https://${armHost}/.default`);
    if (token.status !== 200) return entra(token);
    const url = `https://${armHost}/subscriptions/${group.subscriptionId}/resourceGroups/${group.resourceGroup}?api-version=${API_VERSIONS.resources}`;
    const seen = await send("GET", url, { token: String(token.json["access_token"]) });
    if (seen.status !== 200) return { hop: "group", code: (seen.json as { error?: { code?: string } }).error?.code ?? "", httpStatus: seen.status };
  }
  const container = contract.grants.find((grant) => grant.kind === "blob-container");
  if (container?.kind !== "blob-container") return { hop: "none" };
  const token = await signIn("https://storage.azure.com/.default");
  if (token.status !== 200) return entra(token);
  const stored = await send("PUT", `${container.blobEndpoint}${container.container}/builds-of-the-platform/app.zip`, {
    token: String(token.json["access_token"]),
    headers: { "x-ms-version": "2024-11-04", "x-ms-blob-type": "BlockBlob", "content-type": "application/zip" },
    body: "artifact",
  });
  return stored.status === 201 ? { hop: "none" } : { hop: "blob", code: stored.headers["x-ms-error-code"] ?? "", httpStatus: stored.status };
}

function entra({ status, json }: AzureReceived): AzureRefused {
  const [code = 0] = (json as { error_codes?: number[] }).error_codes ?? [];
  return { hop: "entra", code: `AADSTS${code}`, httpStatus: status };
}
