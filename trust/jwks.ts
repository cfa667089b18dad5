/** An issuer's key document as a relying party uses it: which key verifies a token, and why none does. */
import { isJsonObject, keyTypeOf, publicKeyOf, verifyJwtSignature, type DecodedJwt, type JsonObject } from "./jwt.js";

/** What a relying party takes. */
export interface KeyRules {
  /** Who it is, as in "Google takes RS256 and ES256". */
  party: string;
  /** Of RS256, ES256 and their like; EC keys only on the curve P-256. */
  algorithms: readonly string[];
}

export interface SignatureRefusal {
  reason: "key-unknown" | "key-unusable" | "signature-invalid";
  detail: string;
}

/** Undefined when the key that the token names made its signature. */
export function checkTokenSignature(token: DecodedJwt, jwks: unknown, rules: KeyRules): SignatureRefusal | undefined {
  const { alg, kid } = token.header;
  if (typeof alg !== "string" || !rules.algorithms.includes(alg)) {
    return { reason: "key-unusable", detail: `the token is signed with ${JSON.stringify(alg)}; ${rules.party} takes ${rules.algorithms.join(" and ")}` };
  }
  if (typeof kid !== "string" || kid === "") return { reason: "key-unknown", detail: "the token's header names no key (kid)" };
  const keys = keysOf(jwks);
  if (keys === undefined) return { reason: "key-unknown", detail: "the issuer's key document has no list of keys" };
  const jwk = keys.find((key) => key["kid"] === kid);
  if (jwk === undefined) return { reason: "key-unknown", detail: `the issuer has no key "${kid}"; it has ${listed(keys)}` };
  const mistake = jwkMistake(jwk, rules);
  if (mistake !== undefined) return { reason: "key-unusable", detail: mistake };
  if (jwk["kty"] !== keyTypeOf(alg)) return { reason: "key-unusable", detail: `the issuer's key "${kid}" is of type ${String(jwk["kty"])}, the token is signed with ${alg}` };
  const key = publicKeyOf(jwk);
  if (key !== undefined && verifyJwtSignature(token, key)) return undefined;
  return { reason: "signature-invalid", detail: `the signature was not made by the issuer's key "${kid}"` };
}

/** The keys of a key document; undefined where it has no list of them. */
export function keysOf(jwks: unknown): JsonObject[] | undefined {
  const keys = isJsonObject(jwks) ? jwks["keys"] : undefined;
  return Array.isArray(keys) ? keys.filter(isJsonObject) : undefined;
}

function listed(keys: readonly JsonObject[]): string {
  const ids = keys.map(({ kid }) => JSON.stringify(kid ?? ""));
  return ids.length === 0 ? "none" : ids.slice(0, 5).join(", ") + (ids.length > 5 ? ` and ${ids.length - 5} more` : "");
}

/** What keeps the relying party from using a published key, whoever signs; undefined when nothing does. */
export function jwkMistake(jwk: JsonObject, { party, algorithms }: KeyRules): string | undefined {
  const { kid, kty, crv, use } = jwk;
  const types = [...new Set(algorithms.map((algorithm) => keyTypeOf(algorithm)))];
  const name = `the issuer's key ${JSON.stringify(kid ?? "")}`;
  if (use !== undefined && use !== "sig") return `${name} is not for signatures (use ${JSON.stringify(use)})`;
  if (!types.some((type) => type === kty)) return `${name} is of type ${JSON.stringify(kty)}; ${party} takes ${types.join(" and ")}`;
  if (kty === "EC" && crv !== "P-256") return `${name} is on the curve ${JSON.stringify(crv)}; ${party} takes P-256`;
  return publicKeyOf(jwk) === undefined ? `${name} is no readable public key` : undefined;
}
