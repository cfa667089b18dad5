/** JSON Web Tokens as a relying party meets them: read without trust, then verified with one public key. */
import { createHash, createPublicKey, verify, X509Certificate, type JsonWebKey, type KeyObject } from "node:crypto";

export type JsonObject = Record<string, unknown>;

export interface DecodedJwt {
  header: JsonObject;
  /** A member that is there twice counts by its last value. */
  claims: JsonObject;
  /** The bytes that the signature covers: the first two parts as they came. */
  signed: string;
  signature: Buffer;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The token's parts, unverified; undefined when it is no compact JWS with a JSON header and payload. */
export function decodeJwt(token: string): DecodedJwt | undefined {
  const [header, payload, signature, ...rest] = token.split(".");
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return undefined;
  const parts = { header: jsonPart(header), claims: jsonPart(payload) };
  if (parts.header === undefined || parts.claims === undefined || !BASE64URL.test(signature)) return undefined;
  return {
    header: parts.header,
    claims: parts.claims,
    signed: `${header}.${payload}`,
    signature: Buffer.from(signature, "base64url"),
  };
}

const BASE64URL = /^[A-Za-z0-9_-]*$/;

function jsonPart(part: string): JsonObject | undefined {
  if (!BASE64URL.test(part)) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(part, "base64url")));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

interface Algorithm {
  kty: "RSA" | "EC";
  hash: string;
  /** EC only: the one curve that the algorithm may be used with. */
  curve?: string;
}

/** RFC 7518, section 3.1, without the symmetric and PSS algorithms. */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ["RS256", { kty: "RSA", hash: "sha256" }],
  ["RS384", { kty: "RSA", hash: "sha384" }],
  ["RS512", { kty: "RSA", hash: "sha512" }],
  ["ES256", { kty: "EC", hash: "sha256", curve: "P-256" }],
  ["ES384", { kty: "EC", hash: "sha384", curve: "P-384" }],
  ["ES512", { kty: "EC", hash: "sha512", curve: "P-521" }],
]);

/** The key type that a JWS algorithm needs; undefined for an algorithm that is not verified here. */
export function keyTypeOf(alg: unknown): "RSA" | "EC" | undefined {
  return typeof alg === "string" ? ALGORITHMS.get(alg)?.kty : undefined;
}

/** The public key of a JWK; undefined when its parameters make none. */
export function publicKeyOf(jwk: JsonObject): KeyObject | undefined {
  const { kty, n, e, crv, x, y } = jwk;
  try {
    // Only the public parameters: a private member published by mistake must not be used, or named in an error.
    return createPublicKey({ key: { kty, n, e, crv, x, y } as JsonWebKey, format: "jwk" });
  } catch {
    return undefined;
  }
}

/** Whether the first certificate of `x5c` holds the key; a JWK without `x5c` agrees with itself. */
export function certificateAgrees(jwk: JsonObject, key: KeyObject): boolean {
  if (jwk["x5c"] === undefined) return true;
  const first: unknown = Array.isArray(jwk["x5c"]) ? jwk["x5c"][0] : undefined;
  if (typeof first !== "string") return false;
  try {
    return new X509Certificate(Buffer.from(first, "base64")).publicKey.equals(key);
  } catch {
    return false;
  }
}

/** Whether `key` made the token's signature under the algorithm that the token's own header names. */
export function verifyJwtSignature(token: DecodedJwt, key: KeyObject): boolean {
  const algorithm = ALGORITHMS.get(String(token.header["alg"]));
  if (algorithm === undefined || key.asymmetricKeyType !== algorithm.kty.toLowerCase()) return false;
  if (algorithm.curve !== undefined && key.export({ format: "jwk" }).crv !== algorithm.curve) return false;
  const signed = Buffer.from(token.signed);
  // JWS carries ECDSA signatures as r || s; anything else (DER, other lengths) does not verify.
  return verify(algorithm.hash, signed, { key, dsaEncoding: "ieee-p1363" }, token.signature);
}

/** Names a token in reports without disclosing it: the first 12 hexadecimal digits of its SHA-256. */
export function tokenFingerprint(token: string): string {
  return createHash("sha256").update(token).digest("hex").slice(0, 12);
}

/**
 * What a report may show of a token: algorithm and key id, and the claims that name the workload. Claims outside this
 * list are not shown, since issuers put personal and confidential data into them.
 */
export interface VisibleClaims {
  alg?: string;
  kid?: string;
  iss?: string;
  sub?: string;
  aud?: string | string[];
  azp?: string;
  /** Seconds since 1970. */
  iat?: number;
  nbf?: number;
  exp?: number;
  /** Names, without values, of the other claims. */
  others: string[];
}

const SHOWN = ["iss", "sub", "aud", "azp", "iat", "nbf", "exp"] as const;

/** Undefined when the text is no JWT. */
export function visibleClaims(token: string): VisibleClaims | undefined {
  const decoded = decodeJwt(token);
  if (decoded === undefined) return undefined;
  const { header, claims } = decoded;
  const shown: VisibleClaims = { others: Object.keys(claims).filter((name) => !SHOWN.some((known) => known === name)).sort() };
  for (const name of ["alg", "kid"] as const) {
    const value = header[name];
    if (typeof value === "string") shown[name] = value;
  }
  for (const name of ["iss", "sub", "azp"] as const) {
    const value = claims[name];
    if (typeof value === "string") shown[name] = value;
  }
  for (const name of ["iat", "nbf", "exp"] as const) {
    const value = claims[name];
    if (typeof value === "number") shown[name] = value;
  }
  const aud = claims["aud"];
  if (typeof aud === "string") shown.aud = aud;
  else if (Array.isArray(aud)) shown.aud = aud.filter((value): value is string => typeof value === "string");
  return shown;
}
