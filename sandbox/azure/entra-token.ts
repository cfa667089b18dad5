/** The token endpoint: access tokens for an application's secret or a federated assertion. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow */
import { answerAssertion } from "./entra-assertion.js";
import type { EntraParts } from "./entra.js";
import { EntraError } from "./entra-errors.js";
import { type Authenticated, authenticateBySecret } from "./entra-secret.js";
import { type AzureRequest, type AzureRoute, RawAnswer } from "./service.js";
import { TOKEN_SECONDS } from "./tokens.js";

/** A request to the token endpoint, of either version. */
export interface TokenRequest {
  request: AzureRequest;
  /** As in the path. */
  tenant: string;
  form: URLSearchParams;
  clientId: string;
  /** In v2's form, whichever version was asked. */
  scope: string;
}

export function tokenRoutes(parts: EntraParts): AzureRoute[] {
  const open = (path: string, run: AzureRoute["run"]): AzureRoute => ({ method: "POST", path, operation: "entra:Token", anonymous: true, run });
  return [open("/{tenant}/oauth2/v2.0/token", async (request) => token(parts, request, "v2.0")), open("/{tenant}/oauth2/token", async (request) => token(parts, request, "v1.0"))];
}

async function token(parts: EntraParts, request: AzureRequest, version: "v1.0" | "v2.0"): Promise<RawAnswer> {
  const form = new URLSearchParams(request.raw.toString("utf8"));
  const { id: basicId, secret: basicSecret } = basicCredentials(request);
  if (basicSecret !== undefined && !form.has("client_secret")) form.set("client_secret", basicSecret);
  const clientId = form.get("client_id") ?? basicId;
  const scope = version === "v2.0" ? (form.get("scope") ?? "") : `${form.get("resource") ?? ""}/.default`;
  for (const [name, value] of [["grant_type", form.get("grant_type")], ["client_id", clientId], version === "v2.0" ? ["scope", scope] : ["resource", form.get("resource")]] as const) {
    if (!value) throw new EntraError(400, "invalid_request", 900144, `The request body must contain the following parameter: '${name}'.`);
  }
  const asked: TokenRequest = { request, tenant: request.params["tenant"] ?? "", form, clientId: clientId ?? "", scope };
  const { principal, resource, roles } = form.has("client_assertion") ? await answerAssertion(parts, asked) : authenticateBySecret(parts, asked);
  const accessToken = await parts.tokens.issue(principal, resource, request.cloud, roles);
  return RawAnswer.json(200, version === "v2.0" ? { token_type: "Bearer", expires_in: TOKEN_SECONDS, ext_expires_in: TOKEN_SECONDS, access_token: accessToken } : v1Answer(parts, { principal, resource, roles }, accessToken), {
    "cache-control": "no-store, no-cache",
    pragma: "no-cache",
  });
}

/** Numbers are text in v1. https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-oauth2-client-creds-grant-flow */
function v1Answer({ core }: EntraParts, { resource }: Authenticated, accessToken: string): object {
  const now = Math.floor(core.clock.now().getTime() / 1000);
  const seconds = String(TOKEN_SECONDS);
  return { token_type: "Bearer", expires_in: seconds, ext_expires_in: seconds, expires_on: String(now + TOKEN_SECONDS), not_before: String(now), resource, access_token: accessToken };
}

/** RFC 6749 section 2.3.1. */
function basicCredentials({ headers }: AzureRequest): { id: string | undefined; secret: string | undefined } {
  const encoded = /^Basic +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1];
  if (encoded === undefined) return { id: undefined, secret: undefined };
  const [id = "", secret = ""] = Buffer.from(encoded, "base64").toString("utf8").split(":", 2).map((part) => new URLSearchParams(`v=${part}`).get("v") ?? "");
  return { id, secret };
}
