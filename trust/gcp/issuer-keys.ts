/**
 * The issuer's documents as Google's STS uses them: which key verifies a token, and why none does.
 * https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers#oidc
 */
import { GCP_ISSUER_LIMITS, GCP_TOKEN_LIMITS } from "../../facts/gcp/sts.js";
import { isJsonObject, keyTypeOf, publicKeyOf, verifyJwtSignature, type DecodedJwt, type JsonObject } from "../jwt.js";

export interface SignatureRefusal {
  reason: "key-unknown" | "key-unusable" | "signature-invalid";
  detail: string;
}

/** Undefined when a key of the document made the token's signature. */
export function checkSignature(token: DecodedJwt, jwks: unknown): SignatureRefusal | undefined {
  const { alg, kid } = token.header;
  if (typeof alg !== "string" || !GCP_TOKEN_LIMITS.algorithms.includes(alg)) {
    return { reason: "key-unusable", detail: `the token is signed with ${JSON.stringify(alg)}; Google takes ${GCP_TOKEN_LIMITS.algorithms.join(" and ")}` };
  }
  if (typeof kid !== "string" || kid === "") return { reason: "key-unknown", detail: "the token's header names no key (kid)" };
  const keys = keysOf(jwks);
  if (keys === undefined) return { reason: "key-unknown", detail: "the issuer's key document has no list of keys" };
  const jwk = keys.find((key) => key["kid"] === kid);
  if (jwk === undefined) return { reason: "key-unknown", detail: `the issuer has no key "${kid}"; it has ${listed(keys)}` };
  const mistake = keyMistake(jwk);
  if (mistake !== undefined) return { reason: "key-unusable", detail: mistake };
  if (jwk["kty"] !== keyTypeOf(alg)) return { reason: "key-unusable", detail: `the issuer's key "${kid}" is of type ${String(jwk["kty"])}, the token is signed with ${alg}` };
  const key = publicKeyOf(jwk);
  if (key !== undefined && verifyJwtSignature(token, key)) return undefined;
  return { reason: "signature-invalid", detail: `the signature was not made by the issuer's key "${kid}"` };
}

function keysOf(jwks: unknown): JsonObject[] | undefined {
  const keys = isJsonObject(jwks) ? jwks["keys"] : undefined;
  return Array.isArray(keys) ? keys.filter(isJsonObject) : undefined;
}

function listed(keys: readonly JsonObject[]): string {
  const ids = keys.map(({ kid }) => JSON.stringify(kid ?? ""));
  return ids.length === 0 ? "none" : ids.slice(0, 5).join(", ") + (ids.length > 5 ? ` and ${ids.length - 5} more` : "");
}

/** What keeps Google from using a published key, whoever signs; undefined when nothing does. */
export function keyMistake(jwk: JsonObject): string | undefined {
  const { kid, kty, crv, use } = jwk;
  const name = `the issuer's key ${JSON.stringify(kid ?? "")}`;
  if (use !== undefined && use !== "sig") return `${name} is not for signatures (use ${JSON.stringify(use)})`;
  if (kty !== "RSA" && kty !== "EC") return `${name} is of type ${JSON.stringify(kty)}; Google takes RSA and EC`;
  if (kty === "EC" && crv !== "P-256") return `${name} is on the curve ${JSON.stringify(crv)}; Google takes P-256`;
  return publicKeyOf(jwk) === undefined ? `${name} is no readable public key` : undefined;
}

/** What is wrong with the issuer's discovery document; empty when nothing is. */
export function discoveryMistakes(issuer: string, discovery: unknown): string[] {
  if (!isJsonObject(discovery)) return ["the issuer's discovery document is not a JSON object"];
  const { issuer: named, jwks_uri: jwksUri } = discovery;
  const mistakes = typeof jwksUri === "string" ? [] : ["the issuer's discovery document has no jwks_uri"];
  if (named !== issuer) mistakes.push(`the issuer's discovery document names the issuer ${JSON.stringify(named)}, the provider ${JSON.stringify(issuer)}`);
  return mistakes;
}

/** What Google asks of an issuer whose documents it fetches. */
export const GCP_ISSUER_RULES = { ...GCP_ISSUER_LIMITS, discoveryMistakes, keyMistake };
