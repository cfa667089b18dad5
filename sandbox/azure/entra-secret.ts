/** Client secrets, and what Entra asks of a client however it proves itself. */
import { timingSafeEqual } from "node:crypto";
import type { DirectoryPrincipal } from "./directory.js";
import type { EntraParts } from "./entra.js";
import { EntraError } from "./entra-errors.js";
import { tenantMalformed, tenantMissing } from "./entra-tenant.js";
import type { TokenRequest } from "./entra-token.js";
import { sameResource } from "./tokens.js";

/** Whom a request proved, and what the token is for. */
export interface Authenticated {
  principal: DirectoryPrincipal;
  resource: string;
  /** Application permissions at the resource. */
  roles: readonly string[];
}

export function authenticateBySecret(parts: EntraParts, asked: TokenRequest): Authenticated {
  const { core, accounts, directory, graph } = parts;
  const { clientId, form, request, scope } = asked;
  const tenant = accounts.tenant(asked.tenant);
  if (!tenant) throw tenantMalformed(asked.tenant) ?? tenantMissing(asked.tenant);
  const { tenantId } = tenant;
  if (form.get("grant_type") !== "client_credentials") throw new EntraError(400, "unsupported_grant_type", 70003, `The app requested an unsupported grant type '${form.get("grant_type") ?? ""}'.`);
  const application = graph.application(tenantId, clientId);
  const principal = directory.find(tenantId, clientId, "effective");
  if (!application && !principal) throw clientMissing(clientId, tenant.domain);
  const secrets = graph.secrets(tenantId, clientId).filter(({ secretText }) => sameText(secretText, form.get("client_secret") ?? ""));
  if (!form.has("client_secret")) throw new EntraError(401, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
  if (secrets.length === 0) {
    throw new EntraError(401, "invalid_client", 7000215, `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`);
  }
  if (secrets.every(({ endDateTime }) => Date.parse(endDateTime) <= core.clock.now().getTime())) {
    throw new EntraError(401, "invalid_client", 7000222, `The provided client secret keys for app '${clientId}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.`);
  }
  if (!principal) throw new EntraError(401, "invalid_client", 7000229, `The client application ${clientId} is missing service principal in the tenant ${tenantId}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119`);
  if (!principal.enabled) throw new EntraError(401, "invalid_client", 7000112, `Application '${clientId}'(${principal.displayName}) is disabled.`);
  const resource = resourceOf(scope);
  if (!knownResource(parts, asked, resource)) throw new EntraError(400, "invalid_resource", 500011, `The resource principal named ${resource} was not found in the tenant named ${tenant.domain}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`);
  return { principal, resource, roles: rolesAt(parts, principal, resource, request.cloud.graphHost) };
}

export const clientMissing = (clientId: string, tenant: string): EntraError =>
  new EntraError(
    400,
    "unauthorized_client",
    700016,
    `Application with identifier '${clientId}' was not found in the directory '${tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  );

const DEFAULT_SUFFIX = "/.default";

/** Clients write an audience that ends in a slash with two of them before `.default`. */
function resourceOf(scope: string): string {
  if (!scope.endsWith(DEFAULT_SUFFIX)) {
    throw new EntraError(400, "invalid_scope", 1002012, `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`);
  }
  return scope.slice(0, -DEFAULT_SUFFIX.length);
}

/** Resources of the cloud, and applications of the tenant itself by client id or identifier URI. */
export function knownResource(parts: EntraParts, { request, tenant }: TokenRequest, resource: string): boolean {
  const tenantId = parts.accounts.tenant(tenant)?.tenantId ?? "";
  const own = parts.graph.applications(tenantId).flatMap(({ appId, identifierUris }) => [appId, `api://${appId}`, ...identifierUris]);
  return [...parts.audiences(request.cloud), request.url.origin, ...own].some((known) => sameResource(known, resource));
}

/** Consents are given for Graph alone. */
export function rolesAt({ directory }: EntraParts, { tenantId, objectId }: DirectoryPrincipal, resource: string, graphHost: string): readonly string[] {
  return sameResource(resource, `https://${graphHost}`) ? (directory.record(tenantId, objectId)?.graphPermissions ?? []) : [];
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
