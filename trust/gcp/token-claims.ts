/**
 * The claims of a token as STS reads them, before it looks at keys.
 * https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers#prepare
 */
import { GCP_TOKEN_LIMITS } from "../../facts/gcp/sts.js";
import { decodeJwt, type DecodedJwt, type JsonObject } from "../jwt.js";
import { namesProvider } from "./audience.js";
import { refuse, type ExchangeRefusal } from "./refusal.js";
import type { WorkloadIdentityPoolProvider } from "./types.js";

/** Of an OIDC provider. */
export type OidcProvider = Pick<WorkloadIdentityPoolProvider, "name"> & { oidc: NonNullable<WorkloadIdentityPoolProvider["oidc"]> };

export function readToken(raw: string): DecodedJwt | ExchangeRefusal {
  const bytes = Buffer.byteLength(raw);
  if (bytes > GCP_TOKEN_LIMITS.maxBytes) return refuse("token-malformed", "parameter", ["subject_token"], `the token has ${bytes} bytes; Google takes ${GCP_TOKEN_LIMITS.maxBytes}`);
  return decodeJwt(raw) ?? refuse("token-malformed", "unreadable", [], "the subject token is no JWT (JWS compact serialization)");
}

/** Claims that a token is read by; its times are missed when times are looked at. */
export function checkRequiredClaims(claims: JsonObject): ExchangeRefusal | undefined {
  const missing = GCP_TOKEN_LIMITS.namingClaims.filter((name) => claims[name] === undefined || claims[name] === null);
  return missing.length === 0 ? undefined : refuse("token-claim-missing", "unreadable", [], `the token has no claim ${missing.join(", ")}`);
}

export function checkIssuer({ iss }: JsonObject, { oidc }: OidcProvider): ExchangeRefusal | undefined {
  if (iss === oidc.issuerUri) return undefined;
  const found = typeof iss === "string" ? iss : JSON.stringify(iss);
  return refuse("issuer-differs", "issuer", [found, oidc.issuerUri], `the token's iss is ${JSON.stringify(iss)}, the provider's issuer is ${JSON.stringify(oidc.issuerUri)}${slashHint(found, oidc.issuerUri)}`);
}

function slashHint(found: string, expected: string): string {
  return found.replace(/\/$/, "") === expected.replace(/\/$/, "") ? " (they differ by a slash at the end)" : "";
}

export function audiencesIn({ aud }: JsonObject): string[] {
  return [aud].flat().filter((value) => typeof value === "string");
}

/** Whether a provider takes a token for this audience: its own list where it has one, else its name with or without `https:`. */
export function takesAudience({ name, oidc }: OidcProvider, audience: string): boolean {
  const { allowedAudiences = [] } = oidc;
  return allowedAudiences.length > 0 ? allowedAudiences.includes(audience) : namesProvider(audience, name);
}

export function checkAudience(claims: JsonObject, provider: OidcProvider): ExchangeRefusal | undefined {
  const found = audiencesIn(claims);
  if (found.some((audience) => takesAudience(provider, audience))) return undefined;
  const { allowedAudiences = [] } = provider.oidc;
  const expected = allowedAudiences.length > 0 ? `one of the provider's allowed audiences (${allowedAudiences.join(", ")})` : `https://iam.googleapis.com/${provider.name}`;
  const switched = allowedAudiences.length > 0 && found.some((audience) => namesProvider(audience, provider.name)) ? "; allowed audiences switch the default one off" : "";
  return refuse("audience-differs", "audience", [found.join(", ")], `the token's aud is ${JSON.stringify(claims["aud"])}, expected is ${expected}${switched}`);
}

function stampOf(value: unknown): string {
  return typeof value === "number" ? String(value) : "0";
}

export function checkTimes(claims: JsonObject, now: Date): ExchangeRefusal | undefined {
  const { iat, exp, nbf } = claims;
  const seconds = Math.floor(now.getTime() / 1000);
  const { clockSkewSeconds: skew, maxAgeSeconds } = GCP_TOKEN_LIMITS;
  const stale = (reason: "token-claim-missing" | "token-expired" | "token-not-yet-valid" | "token-too-old", detail: string) => refuse(reason, "stale", [stampOf(iat)], detail);
  if (typeof iat !== "number" || typeof exp !== "number") return stale("token-claim-missing", "the token's iat and exp are not both numbers");
  if (exp + skew <= seconds) return stale("token-expired", `the token expired ${seconds - exp} seconds ago; Google tolerates less than ${skew}`);
  const from = typeof nbf === "number" && nbf > iat ? nbf : iat;
  if (from - skew > seconds) return stale("token-not-yet-valid", `the token is valid from ${from - seconds} seconds ahead; Google tolerates ${skew}`);
  if (seconds - iat > maxAgeSeconds) return stale("token-too-old", `the token was issued ${seconds - iat} seconds ago; Google takes tokens of ${maxAgeSeconds} seconds`);
  return undefined;
}

/** How long the federated token lives; a refusal where nothing of the subject token's life is left. */
export function lifetime(claims: JsonObject, now: Date): number | ExchangeRefusal {
  const left = Number(claims["exp"]) - Math.floor(now.getTime() / 1000);
  return left > 1 ? Math.min(left, GCP_TOKEN_LIMITS.federatedSeconds) : refuse("token-nearly-expired", "nearlyExpired", [], `the token's exp is ${left} seconds ahead: nothing is left for a federated token`);
}
