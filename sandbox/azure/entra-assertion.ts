/** Federated assertions: what the rules of trust need to know of the directory, and the token that they allow. */
import type { EntraParts } from "./entra.js";
import { EntraError } from "./entra-errors.js";
import { type Authenticated, clientMissing, rolesAt } from "./entra-secret.js";
import type { TokenRequest } from "./entra-token.js";
import type { FederatedClient, FederatedIdentityCredential } from "../../trust/azure/types.js";

const IDENTITY_CREDENTIALS = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";

export async function answerAssertion(parts: EntraParts, asked: TokenRequest): Promise<Authenticated> {
  const tenant = parts.accounts.tenant(asked.tenant);
  const client = tenant && federatedClient(parts, tenant.tenantId, asked.clientId);
  if (!tenant || !client) throw clientMissing(asked.clientId, asked.tenant);
  const claims = JSON.parse(Buffer.from((asked.form.get("client_assertion") ?? "").split(".")[1] ?? "", "base64url").toString()) as { iss: string; sub: string; aud: string };
  const match = client.credentials.find(({ issuer, subject, audiences }) => issuer === claims.iss && subject === claims.sub && audiences[0] === claims.aud);
  if (!match) throw new EntraError(401, "invalid_client", 700213, `No matching federated identity record found for presented assertion subject '${claims.sub}'.`);
  const principal = parts.directory.find(tenant.tenantId, asked.clientId, "effective");
  if (!principal) throw clientMissing(asked.clientId, asked.tenant);
  const resource = asked.scope.replace(/\/\.default$/, "");
  return { principal, resource, roles: rolesAt(parts, principal, resource, asked.request.cloud.graphHost) };
}

/** Whoever has the client id in the tenant, with the credentials that enforcement sees now. */
export function federatedClient({ directory, graph, resources }: EntraParts, tenantId: string, clientId: string): FederatedClient | undefined {
  const principal = directory.find(tenantId, clientId, "effective");
  const servicePrincipal = principal && { objectId: principal.objectId, enabled: principal.enabled };
  if (principal?.kind === "ManagedIdentity") {
    const resource = principal.alternativeNames.find((name) => name.startsWith("/")) ?? "";
    const credentials = resources.listEffective(IDENTITY_CREDENTIALS, resource).map(({ name, properties }) => ({ name, ...propertiesOf(properties) }));
    return { kind: "managed-identity", clientId: principal.clientId, displayName: principal.displayName, servicePrincipal, credentials };
  }
  const application = graph.application(tenantId, clientId);
  if (!application) return undefined;
  const { id, appId, displayName } = application;
  const credentials = graph.credentials(tenantId, id, "effective").map(({ name, issuer, subject, audiences }) => ({ name, issuer, subject, audiences }));
  return { kind: "application", clientId: appId, displayName, servicePrincipal, credentials };
}

function propertiesOf(properties: Readonly<Record<string, unknown>>): Omit<FederatedIdentityCredential, "name"> {
  const { issuer, subject, audiences } = properties as Partial<FederatedIdentityCredential>;
  return { issuer: issuer ?? "", subject: subject ?? "", audiences: audiences ?? [] };
}
