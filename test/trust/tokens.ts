/** Tokens and keys for tests, made at run time: an issuer's documents as data, and anything that can be signed. */
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import type { IssuerEvidence } from "../../trust/aws.js";
import type { JsonObject } from "../../trust/jwt.js";

export interface TestKey {
  /** Public, with `kid`, `use` and `alg`. */
  jwk: JsonObject;
  privateKey: KeyObject;
}

const EC_CURVES: Record<string, string> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

export function makeKey(kid: string, alg = "RS256"): TestKey {
  const curve = EC_CURVES[alg];
  const { publicKey, privateKey } =
    curve === undefined
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: curve });
  return { jwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg }, privateKey };
}

export function part(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

/** Signs as the header's `alg` says; an algorithm that is none of ours leaves the signature empty. */
export function signToken(header: JsonObject, claims: JsonObject | string, key: KeyObject): string {
  const signed = `${part(header)}.${part(claims)}`;
  const hash = /^(RS|ES)(256|384|512)$/.exec(String(header["alg"]))?.[2];
  if (hash === undefined) return `${signed}.`;
  return `${signed}.${sign(`sha${hash}`, Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

export function discoveryOf(issuer: string): JsonObject {
  return {
    issuer,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
}

export function evidenceOf(issuer: string, keys: readonly JsonObject[]): IssuerEvidence {
  return { status: "ok", discovery: discoveryOf(issuer), jwks: { keys } };
}
