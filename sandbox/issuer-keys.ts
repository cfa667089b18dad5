import { createPrivateKey, createPublicKey, generateKeyPair, sign, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

/** What STS and the sandbox's issuers both know; RS256 is what every cloud accepts. */
export const signingAlgorithms = ["RS256", "ES256"] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

/** A public key as an issuer publishes it (RFC 7517). */
export type PublicJwk = Record<string, string>;

const generate = promisify(generateKeyPair);

/** A fresh private key as PEM. */
export async function newKey(algorithm: SigningAlgorithm): Promise<string> {
  const pair =
    algorithm === "RS256"
      ? await generate("rsa", { modulusLength: 2048 })
      : await generate("ec", { namedCurve: "P-256" });
  return pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

export function publicJwk(privatePem: string, kid: string, algorithm: SigningAlgorithm): PublicJwk {
  const { kty, ...members } = createPublicKey(privatePem).export({ format: "jwk" });
  return { kty: String(kty), use: "sig", alg: algorithm, kid, ...(members as Record<string, string>) };
}

const parsedKeys = new Map<string, KeyObject>();

/** Parsing a key takes longer than signing with it; a sandbox has few. */
function parsedKey(privatePem: string): KeyObject {
  const known = parsedKeys.get(privatePem);
  if (known) return known;
  const key = createPrivateKey(privatePem);
  parsedKeys.set(privatePem, key);
  return key;
}

/** A compact JWS (RFC 7515) over the header and claims as given. */
export function signJwt(header: object, claims: object, privatePem: string): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  const signed = `${encode(header)}.${encode(claims)}`;
  const key = parsedKey(privatePem);
  // JWS wants the two numbers of an ECDSA signature side by side, not DER (RFC 7518 section 3.4).
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}
