/** Where `--account` takes its tokens from. https://learn.microsoft.com/azure/developer/javascript/sdk/authentication/credential-chains */
import type { AzureCloudFacts } from "../../../facts/azure/clouds.js";
import { InputError } from "../../input-error.js";
import type { Network } from "../../network.js";
import type { AzureCredentials } from "../../options.js";
import { ask, describeAnswer, isOverload } from "../answers.js";
import { tokenUrl } from "../endpoints.js";

/**
 * The environment's service principal first, then whoever is signed in with the `az` CLI, `azd` or Azure PowerShell. Not a managed
 * identity of this machine: to look for one takes seconds where there is none.
 */
export function ambientCredentials(network: Network, cloud: AzureCloudFacts, tenantId: string, signal: AbortSignal): AzureCredentials {
  const { AZURE_CLIENT_ID: clientId = "", AZURE_CLIENT_SECRET: clientSecret = "", AZURE_TENANT_ID: ownTenant = "" } = network.env;
  // Asked over the run's own network, whose proxy and authorities a library would have to be told of.
  if (clientId !== "" && clientSecret !== "") return { getToken: (scope) => bySecret(network, tokenUrl(cloud, ownTenant === "" ? tenantId : ownTenant), { clientId, clientSecret, scope }, signal) };
  let chain: Promise<AzureCredentials> | undefined;
  return { getToken: async (scope) => (await (chain ??= signedIn(cloud, tenantId))).getToken(scope) };
}

async function bySecret(network: Network, url: string, { clientId, clientSecret, scope }: { clientId: string; clientSecret: string; scope: string }, signal: AbortSignal): Promise<{ token: string }> {
  const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, scope, grant_type: "client_credentials" });
  const answer = await ask(network, { method: "POST", url, body }, signal);
  if (!answer.ok && (answer.kind === "no-answer" || isOverload(answer))) throw new InputError(`--account got no token from Entra (${describeAnswer(answer)}): this says nothing of the credentials; verify again in some minutes.`);
  if (!answer.ok) throw new Error(`Entra answered ${describeAnswer(answer)} to AZURE_CLIENT_ID ${clientId}`);
  return { token: String(answer.json["access_token"]) };
}

async function signedIn(cloud: AzureCloudFacts, tenantId: string): Promise<AzureCredentials> {
  const { AzureCliCredential, AzureDeveloperCliCredential, AzurePowerShellCredential, ChainedTokenCredential, EnvironmentCredential } = await import("@azure/identity");
  const options = { authorityHost: `https://${cloud.loginHost}`, tenantId };
  return new ChainedTokenCredential(new EnvironmentCredential(options), new AzureCliCredential(options), new AzureDeveloperCliCredential(options), new AzurePowerShellCredential(options));
}

/** @throws InputError when nobody is signed in, or Entra takes none of what there is */
export async function accessToken(credentials: AzureCredentials, scope: string): Promise<string> {
  try {
    const given = await credentials.getToken(scope);
    if (given !== null && given.token !== "") return given.token;
    throw new Error("no token came");
  } catch (error) {
    if (error instanceof InputError) throw error;
    const said = error instanceof Error ? (error.message.split("\n").find((line) => line.trim() !== "") ?? "") : String(error);
    throw new InputError(`--account found no credentials that Entra takes (${said.trim()}): run \`az login\`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of a service principal that may read.`);
  }
}
