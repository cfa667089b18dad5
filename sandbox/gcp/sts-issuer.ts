/** What STS fetches of an issuer before it believes a token. */
import { GCP_ISSUER_LIMITS } from "../../facts/gcp/sts.js";
import type { IssuerEvidence } from "../../trust/gcp/types.js";
import type { SandboxCore } from "../types.js";

/** Discovery document and keys, over HTTPS, fetched for every token: a key rotated away must not pass any longer. */
export async function fetchIssuer(core: SandboxCore, issuerUri: string): Promise<IssuerEvidence> {
  const discovery = await fetchJson(core, `${issuerUri.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (discovery.status === "unavailable") return discovery;
  const jwksUri = (discovery.document as Partial<Record<string, unknown>> | null)?.["jwks_uri"];
  if (typeof jwksUri !== "string") return { status: "unavailable", detail: `the discovery document of ${issuerUri} has no jwks_uri` };
  const jwks = await fetchJson(core, jwksUri);
  return jwks.status === "unavailable" ? jwks : { status: "ok", discovery: discovery.document, jwks: jwks.document };
}

async function fetchJson(core: SandboxCore, url: string): Promise<{ status: "ok"; document: unknown } | { status: "unavailable"; detail: string }> {
  const answer = await core.fetchPublic(url, GCP_ISSUER_LIMITS.timeoutMs);
  if (answer.status === "unreachable") return { status: "unavailable", detail: `${url}: ${answer.detail}` };
  if (answer.httpStatus !== 200) return { status: "unavailable", detail: `${url} answered ${answer.httpStatus}` };
  try {
    return { status: "ok", document: JSON.parse(answer.body) as unknown };
  } catch {
    return { status: "unavailable", detail: `${url} is not JSON` };
  }
}
