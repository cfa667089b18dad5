/** Where a tenant's endpoints are and which keys its tokens are signed with. https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#fetch-the-openid-configuration-document */
import { type AzureCloudFacts, azureClouds } from "../../facts/azure/clouds.js";
import { checkTenant } from "../../trust/azure/assertion.js";
import type { EntraParts } from "./entra.js";
import { EntraError, refusalError } from "./entra-errors.js";
import { tokenIssuer } from "./errors.js";
import type { AzureRequest, AzureRoute } from "./service.js";

/** Path segments that stand for no single tenant. */
const SHARED_TENANTS = ["common", "organizations", "consumers", "adfs"];

export function discoveryRoutes(parts: EntraParts): AzureRoute[] {
  const open = (path: string, operation: string, run: (request: AzureRequest) => Promise<object>): AzureRoute => ({ method: "GET", path, operation: `entra:${operation}`, anonymous: true, run });
  return [
    open("/{tenant}/v2.0/.well-known/openid-configuration", "OpenIdConfiguration", async (request) => configuration(parts, request, "v2.0")),
    open("/{tenant}/.well-known/openid-configuration", "OpenIdConfiguration", async (request) => configuration(parts, request, "v1.0")),
    open("/{tenant}/discovery/v2.0/keys", "Keys", async () => ({ keys: await parts.tokens.keys() })),
    open("/{tenant}/discovery/keys", "Keys", async () => ({ keys: await parts.tokens.keys() })),
    open("/{tenant}/discovery/instance", "InstanceDiscovery", async (request) => instance(request)),
  ];
}

function configuration({ accounts }: EntraParts, { cloud, params, url }: AzureRequest, version: "v1.0" | "v2.0"): object {
  const asked = params["tenant"] ?? "";
  const known = accounts.tenant(asked);
  if (!SHARED_TENANTS.includes(asked.toLowerCase())) {
    const refused = checkTenant({ tenant: asked, knownTenant: known, cloud: cloud.name });
    // Discovery has a word of its own for a tenant that is not there.
    if (refused) throw refused.reason === "tenant-missing" ? new EntraError(refused.httpStatus, "invalid_tenant", refused.code, refused.message) : refusalError(refused);
  }
  const tenant = known?.tenantId ?? asked;
  // Clients go on at the address that they came to.
  const authority = `${url.origin}/${tenant}`;
  const v2 = version === "v2.0" ? "/v2.0" : "";
  return {
    token_endpoint: `${authority}/oauth2${v2}/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: `${authority}/discovery${v2}/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "token id_token", "token"],
    scopes_supported: ["openid"],
    issuer: version === "v2.0" ? `${authority}/v2.0` : tokenIssuer(tenant, cloud),
    authorization_endpoint: `${authority}/oauth2${v2}/authorize`,
    device_authorization_endpoint: `${authority}/oauth2${v2}/devicecode`,
    end_session_endpoint: `${authority}/oauth2${v2}/logout`,
    claims_supported: ["sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "nonce", "name", "tid", "ver", "at_hash", "c_hash", "email"],
    tenant_region_scope: "EU",
    cloud_instance_name: cloud.name === "public" ? "microsoftonline.com" : cloud.loginHost.replace(/^login\./, ""),
    cloud_graph_host_name: cloud.graphHost,
    msgraph_host: cloud.graphHost,
  };
}

/** Which authorities are one and the same. */
function instance({ query, url }: AzureRequest): object {
  const authorization = query.get("authorization_endpoint") ?? "";
  const asked = URL.canParse(authorization) ? new URL(authorization) : url;
  const tenant = asked.pathname.split("/")[1] ?? "common";
  const metadata = Object.values(azureClouds).map((cloud: AzureCloudFacts) => ({ preferred_network: cloud.loginHost, preferred_cache: cloud.loginHost, aliases: [cloud.loginHost, ...cloud.loginAliases] }));
  const known = metadata.some(({ aliases }) => aliases.includes(asked.host));
  return {
    tenant_discovery_endpoint: `${asked.origin}/${tenant}/v2.0/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: known ? metadata : [...metadata, { preferred_network: asked.host, preferred_cache: asked.host, aliases: [asked.host] }],
  };
}
