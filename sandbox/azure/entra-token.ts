/** The token endpoint: access tokens for an application's secret or a federated assertion. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow */
import { checkTenant } from "../../trust/azure/assertion.js";
import { answerAssertion } from "./entra-assertion.js";
import type { EntraParts } from "./entra.js";
import { EntraError, entraError, refusalError } from "./entra-errors.js";
import { authenticateBySecret } from "./entra-secret.js";
import { type AzureRequest, type AzureRoute, RawAnswer } from "./service.js";
import { TOKEN_SECONDS } from "./tokens.js";
import type { AzureTenant } from "./types.js";

/** A request to the token endpoint, of either version. */
export interface TokenRequest {
  request: AzureRequest;
  tenant: AzureTenant;
  form: URLSearchParams;
  clientId: string;
  /** In v2's form, whichever version was asked. */
  scope: string;
}

/** Endpoints that people sign in at; an application has to name its tenant. */
const SHARED_TENANTS = ["common", "organizations", "consumers"];

export function tokenRoutes(parts: EntraParts): AzureRoute[] {
  const open = (path: string, run: AzureRoute["run"]): AzureRoute => ({ method: "POST", path, operation: "entra:Token", anonymous: true, run });
  return [open("/{tenant}/oauth2/v2.0/token", async (request) => token(parts, request, "v2.0")), open("/{tenant}/oauth2/token", async (request) => token(parts, request, "v1.0"))];
}

async function token(parts: EntraParts, request: AzureRequest, version: "v1.0" | "v2.0"): Promise<RawAnswer> {
  const tenant = tenantOf(parts, request);
  const form = new URLSearchParams(request.raw.toString("utf8"));
  const basic = basicCredentials(request);
  if (basic && !form.has("client_secret")) form.set("client_secret", basic.secret);
  const clientId = form.get("client_id") ?? basic?.id ?? "";
  const purpose = version === "v2.0" ? "scope" : "resource";
  const named = form.get(purpose) ?? "";
  const missing = Object.entries({ grant_type: form.get("grant_type"), client_id: clientId, [purpose]: named }).find(([, value]) => !value)?.[0];
  if (missing !== undefined) throw entraError("parameterMissing", missing);
  const asked: TokenRequest = { request, tenant, form, clientId, scope: version === "v2.0" ? named : `${named}/.default` };
  const { principal, resource, roles } = form.has("client_assertion") ? await answerAssertion(parts, asked) : authenticateBySecret(parts, asked);
  const accessToken = await parts.tokens.issue(principal, resource, request.cloud, roles);
  return RawAnswer.json(200, version === "v2.0" ? v2Answer(accessToken) : v1Answer(parts, resource, accessToken), { "cache-control": "no-store, no-cache", pragma: "no-cache" });
}

function tenantOf({ accounts }: EntraParts, { params, cloud }: AzureRequest): AzureTenant {
  const named = params["tenant"] ?? "";
  if (SHARED_TENANTS.includes(named.toLowerCase())) throw new EntraError(400, "invalid_request", 50059, "No tenant-identifying information found in either the request or implied by any provided credentials.");
  const tenant = accounts.tenant(named);
  const refused = checkTenant({ tenant: named, knownTenant: tenant, cloud: cloud.name });
  if (refused) throw refusalError(refused);
  if (!tenant) throw entraError("tenantMissing", named);
  return tenant;
}

const v2Answer = (accessToken: string): object => ({ token_type: "Bearer", expires_in: TOKEN_SECONDS, ext_expires_in: TOKEN_SECONDS, access_token: accessToken });

/** Numbers are text in v1. https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-oauth2-client-creds-grant-flow */
function v1Answer({ core }: EntraParts, resource: string, accessToken: string): object {
  const now = Math.floor(core.clock.now().getTime() / 1000);
  const seconds = String(TOKEN_SECONDS);
  return { token_type: "Bearer", expires_in: seconds, ext_expires_in: seconds, expires_on: String(now + TOKEN_SECONDS), not_before: String(now), resource, access_token: accessToken };
}

/** RFC 6749 section 2.3.1. */
function basicCredentials({ headers }: AzureRequest): { id: string; secret: string } | undefined {
  const encoded = /^Basic +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const [id = "", secret = ""] = decoded.split(":", 2).map((part) => new URLSearchParams(`v=${part}`).get("v") ?? "");
  return { id, secret };
}
