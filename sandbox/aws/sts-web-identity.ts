/** What STS knows when it decides about a token: the account's trust, and the issuer's documents fetched as it fetches them. */
import { STS_LIMITS } from "../../facts/aws/sts.js";
import { decodeJwt } from "../../trust/jwt.js";
import type { IssuerEvidence, OidcProvider } from "../../trust/aws/types.js";
import type { SandboxCore } from "../types.js";
import type { IamStore, ProviderRecord } from "./iam-store.js";

/**
 * The issuer's discovery document and keys, over HTTPS, each within STS's time. Fetched for every token: a key rotated
 * away must not pass any longer.
 */
export async function fetchIssuer(core: SandboxCore, issuer: string): Promise<IssuerEvidence> {
  const discovery = await fetchJson(core, `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (discovery.status === "unavailable") return discovery;
  const jwksUri = (discovery.document as Partial<Record<string, unknown>> | null)?.["jwks_uri"];
  if (typeof jwksUri !== "string") return { status: "unavailable", detail: `the discovery document of ${issuer} has no jwks_uri` };
  const jwks = await fetchJson(core, jwksUri);
  return jwks.status === "unavailable" ? jwks : { status: "ok", discovery: discovery.document, jwks: jwks.document };
}

async function fetchJson(core: SandboxCore, url: string): Promise<{ status: "ok"; document: unknown } | { status: "unavailable"; detail: string }> {
  const answer = await core.fetchPublic(url, STS_LIMITS.issuerTimeoutMs);
  if (answer.status === "unreachable") return { status: "unavailable", detail: `${url}: ${answer.detail}` };
  if (answer.httpStatus !== 200) return { status: "unavailable", detail: `${url} answered ${answer.httpStatus}` };
  try {
    return { status: "ok", document: JSON.parse(answer.body) as unknown };
  } catch {
    return { status: "unavailable", detail: `${url} is not JSON` };
  }
}

/** The account's providers as enforcement sees them, the one of the token's issuer included when its deletion still propagates. */
export function providersFor(iam: IamStore, accountId: string, partition: string, token: string): OidcProvider[] {
  const arns = new Set(iam.providers(accountId).map(({ arn }) => arn));
  const issuer = unverifiedIssuer(token);
  if (issuer !== undefined) arns.add(`arn:${partition}:iam::${accountId}:oidc-provider/${issuer.replace(/^https:\/\//, "")}`);
  return [...arns].flatMap((arn) => {
    const provider = iam.effectiveProvider(arn);
    return provider ? [asTrustSeesIt(provider)] : [];
  });
}

function asTrustSeesIt({ arn, url, clientIds }: ProviderRecord): OidcProvider {
  return { arn, url, clientIds };
}

/** Only to look for a provider; nothing is believed yet. */
function unverifiedIssuer(token: string): string | undefined {
  const issuer = decodeJwt(token)?.claims["iss"];
  return typeof issuer === "string" ? issuer : undefined;
}
