/** Federated assertions: what the rules of trust need to know of the directory and of the issuer, and whom they let in. */
import { evaluateClientAssertion } from "../../trust/azure/assertion.js";
import type { FederatedClient, FederatedIdentityCredential } from "../../trust/azure/types.js";
import type { EntraParts } from "./entra.js";
import { entraError, refusalError } from "./entra-errors.js";
import { issuerDocuments } from "./entra-issuer.js";
import { type Authenticated, knowsResource, rolesAt } from "./entra-secret.js";
import type { TokenRequest } from "./entra-token.js";
import { blockingPolicy } from "./graph-conditional-access.js";

const IDENTITY_CREDENTIALS = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";

export async function answerAssertion(parts: EntraParts, asked: TokenRequest): Promise<Authenticated> {
  const { core, directory } = parts;
  const { clientId, form, request, scope, tenant } = asked;
  const principal = directory.ofClient(tenant.tenantId, clientId, "effective");
  const answer = await evaluateClientAssertion({
    cloud: request.cloud.name,
    tenant: request.params["tenant"] ?? "",
    knownTenant: tenant,
    clientId,
    client: federatedClient(parts, tenant.tenantId, clientId),
    grantType: form.get("grant_type") ?? "",
    assertionType: form.get("client_assertion_type") ?? "",
    assertion: form.get("client_assertion") ?? "",
    scope,
    knownResource: (resource) => knowsResource(parts, asked, resource),
    blockedBy: principal && blockingPolicy(core.store, principal),
    now: core.clock.now(),
    issuer: (issuer) => issuerDocuments(core, issuer),
  });
  if (!answer.allowed) throw refusalError(answer);
  if (!principal) throw entraError("servicePrincipalMissing", clientId, tenant.tenantId);
  return { principal, resource: answer.resource, roles: rolesAt(parts, asked, principal, answer.resource) };
}

/** Whoever has the client id in the tenant, with the credentials that enforcement sees now. */
function federatedClient({ directory, graph, resources }: EntraParts, tenantId: string, clientId: string): FederatedClient | undefined {
  const principal = directory.ofClient(tenantId, clientId, "effective");
  const servicePrincipal = principal && { objectId: principal.objectId, enabled: principal.enabled };
  if (principal?.kind === "ManagedIdentity") {
    const resource = principal.alternativeNames.find((name) => name.startsWith("/")) ?? "";
    const credentials = resources.listEffective(IDENTITY_CREDENTIALS, resource).map(({ name, properties }) => ({ name, ...valuesOf(properties) }));
    return { kind: "managed-identity", clientId: principal.clientId, displayName: principal.displayName, servicePrincipal, credentials };
  }
  const application = graph.registration(tenantId, clientId);
  if (!application) return undefined;
  const { id, appId, displayName } = application;
  const credentials = graph.credentials(tenantId, id, "effective").map(({ name, issuer, subject, audiences }) => ({ name, issuer, subject, audiences }));
  return { kind: "application", clientId: appId, displayName, servicePrincipal, credentials };
}

function valuesOf(properties: Readonly<Record<string, unknown>>): Omit<FederatedIdentityCredential, "name"> {
  const { issuer, subject, audiences } = properties as Partial<FederatedIdentityCredential>;
  return { issuer: issuer ?? "", subject: subject ?? "", audiences: audiences ?? [] };
}
