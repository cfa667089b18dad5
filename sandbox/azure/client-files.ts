/** What the `az` CLI finds in its configuration folder: signed in as the administrator. https://learn.microsoft.com/cli/azure/azure-cli-configuration */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { azureClouds } from "../../facts/azure/clouds.js";
import type { AzureCloud } from "./types.js";

export interface AzureFiles {
  /** New at each start: what `az` remembers of another sandbox's tokens would be wrong. */
  configFolder: string;
}

const secret = { mode: 0o600 };

/** As `az login --service-principal` leaves them; tokens are fetched at the first command. */
export async function createAzureFiles(folder: string, cloud: AzureCloud): Promise<AzureFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { tenantId, cloud: name } = cloud.defaultTenant;
  const { clientId, clientSecret } = cloud.administrator();
  const environmentName = azureClouds[name].cliName;
  const profile = {
    subscriptions: cloud
      .subscriptions()
      .filter((subscription) => subscription.tenantId === tenantId)
      .map(({ subscriptionId, displayName, state }) => ({
        id: subscriptionId,
        name: displayName,
        state,
        user: { name: clientId, type: "servicePrincipal" },
        isDefault: subscriptionId === cloud.defaultSubscription.subscriptionId,
        tenantId,
        environmentName,
        homeTenantId: tenantId,
        managedByTenants: [],
      })),
  };
  const settings = ["[cloud]", `name = ${environmentName}`, "[core]", "collect_telemetry = false", "use_msal_http_cache = false", "encrypt_token_cache = false", "output = json", ""].join("\n");
  await Promise.all([
    writeFile(join(folder, "azureProfile.json"), JSON.stringify(profile), secret),
    writeFile(join(folder, "service_principal_entries.json"), JSON.stringify([{ client_id: clientId, tenant: tenantId, client_secret: clientSecret }]), secret),
    writeFile(join(folder, "config"), settings, secret),
  ]);
  return { configFolder: folder };
}
