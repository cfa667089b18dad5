/** Client secrets, and what a token is for however its client proved itself. */
import { timingSafeEqual } from "node:crypto";
import { GRANT_TYPE, resourceOfScope } from "../../facts/azure/entra.js";
import { checkServicePrincipal } from "../../trust/azure/assertion.js";
import type { DirectoryPrincipal } from "./directory.js";
import type { EntraParts } from "./entra.js";
import { entraError, refusalError } from "./entra-errors.js";
import type { TokenRequest } from "./entra-token.js";
import { blockingPolicy } from "./graph-conditional-access.js";
import { sameResource } from "./tokens.js";

/** Whom a request proved, and what the token is for. */
export interface Authenticated {
  principal: DirectoryPrincipal;
  resource: string;
  /** Application permissions at the resource. */
  roles: readonly string[];
}

export function authenticateBySecret(parts: EntraParts, asked: TokenRequest): Authenticated {
  const { core, directory, graph } = parts;
  const { clientId, form, scope } = asked;
  const { tenantId } = asked.tenant;
  const grantType = form.get("grant_type") ?? "";
  if (grantType !== GRANT_TYPE) throw entraError("grantType", grantType);
  const resource = resourceOfScope(scope);
  if (resource === undefined) throw entraError("scope", scope);
  const application = graph.registration(tenantId, clientId);
  const principal = directory.ofClient(tenantId, clientId, "effective");
  if (!application && !principal) throw entraError("clientMissing", clientId, asked.tenant.domain);
  const given = form.get("client_secret");
  if (given === null) throw entraError("assertionMissing");
  const secrets = graph.secrets(tenantId, clientId).filter(({ secretText }) => sameText(secretText, given));
  if (secrets.length === 0) throw entraError("secretInvalid", clientId);
  if (secrets.every(({ endDateTime }) => Date.parse(endDateTime) <= core.clock.now().getTime())) throw entraError("secretExpired", clientId);
  const displayName = application?.displayName ?? clientId;
  const refused = checkServicePrincipal({ kind: "application", clientId, displayName, servicePrincipal: principal, credentials: [] }, tenantId);
  if (refused) throw refusalError(refused);
  if (!principal) throw entraError("servicePrincipalMissing", clientId, tenantId);
  if (!knowsResource(parts, asked, resource)) throw entraError("resourceUnknown", resource, asked.tenant.domain);
  if (blockingPolicy(core.store, principal) !== undefined) throw entraError("conditionalAccess");
  return { principal, resource, roles: rolesAt(parts, asked, principal, resource) };
}

/** Resources of the cloud, and applications of the tenant itself by client id or identifier URI. */
export function knowsResource(parts: EntraParts, { request, tenant }: TokenRequest, resource: string): boolean {
  const own = parts.graph.applications(tenant.tenantId).flatMap(({ appId, identifierUris }) => [appId, `api://${appId}`, ...identifierUris]);
  return [...parts.audiences(request.cloud), request.url.origin, ...own].some((known) => sameResource(known, resource));
}

/** Consents are given for Graph alone. */
export function rolesAt({ directory }: EntraParts, { request }: TokenRequest, { tenantId, objectId }: DirectoryPrincipal, resource: string): readonly string[] {
  return sameResource(resource, `https://${request.cloud.graphHost}`) ? (directory.record(tenantId, objectId)?.graphPermissions ?? []) : [];
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
