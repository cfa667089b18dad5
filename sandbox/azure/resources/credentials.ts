/** Whom the configuration of a Pulumi provider for Azure proves. https://www.pulumi.com/registry/packages/azure-native/installation-configuration/ */
import { azureClouds } from "../../../facts/azure/clouds.js";
import { isObject, text } from "./values.js";
import { AzureError, type AzureCaller, type AzureCloud, type AzureScope } from "../types.js";

export type Credentials = { clientId: string } & ({ clientSecret: string } | { assertion: string });

/** Beside their scopes: scopes are kept with results, secrets are not. */
const configured = new WeakMap<AzureScope, Credentials>();

export function rememberCredentials(scope: AzureScope, credentials: Credentials): void {
  configured.set(scope, credentials);
}

/** Without credentials in the configuration it is the administrator: the table cannot see the program's environment. */
export async function callerOf(cloud: AzureCloud, scope: AzureScope): Promise<AzureCaller> {
  if (scope.caller) return scope.caller;
  const administrator = cloud.administrator(scope.tenantId);
  const credentials = configured.get(scope);
  if (!credentials || ("clientSecret" in credentials && credentials.clientId === administrator.clientId && credentials.clientSecret === administrator.clientSecret)) return administrator.caller;
  const resource = `https://${azureClouds[scope.cloud].armHost}`;
  const caller = cloud.authenticate(await accessToken(cloud, scope, resource), [resource]);
  if (!caller) throw new Error(`Entra's token for ${credentials.clientId} is not accepted`);
  return caller;
}

/** For a resource such as `https://management.azure.com/`. A secret. */
export async function accessToken(cloud: AzureCloud, scope: AzureScope, resource: string): Promise<string> {
  const { clientId, clientSecret } = cloud.administrator(scope.tenantId);
  const credentials = configured.get(scope) ?? { clientId, clientSecret };
  const proof: Record<string, string> =
    "clientSecret" in credentials
      ? { client_secret: credentials.clientSecret }
      : { client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", client_assertion: credentials.assertion };
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id: credentials.clientId, scope: `${resource}/.default`, ...proof });
  const url = `https://${azureClouds[scope.cloud].loginHost}/${scope.tenantId}/oauth2/v2.0/token`;
  const answer = await cloud.call(anonymous, "POST", url, Buffer.from(form.toString())).catch((error: unknown) => {
    if (!(error instanceof AzureError)) throw error;
    throw new Error(`${"clientSecret" in credentials ? "ClientSecretCredential" : "ClientAssertionCredential"} authentication failed: ${error.message}`);
  });
  const token = isObject(answer) ? text(answer.access_token) : undefined;
  if (token === undefined) throw new Error(`Entra answered ${url} without an access token`);
  return token;
}

const anonymous: AzureCaller = { kind: "anonymous", tenantId: "", objectId: "", clientId: "", name: "", audience: "" };
