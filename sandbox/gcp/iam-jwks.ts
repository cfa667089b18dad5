/** Keys that a provider is given instead of asking its issuer. https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers#create-provider */
import { createPublicKey } from "node:crypto";

import { UPLOADED_JWKS } from "../../facts/gcp/iam.js";
import { invalidArgument } from "./errors.js";

type Jwk = Record<string, unknown>;

/** Throws INVALID_ARGUMENT for keys that Google does not take. What a token needs, it finds or misses at the exchange. */
export function assertUploadedKeys(jwksJson: string): void {
  const keys = keysOf(jwksJson);
  if (!keys?.every(({ kty, ...rest }) => typeof kty === "string" && Object.keys(rest).every(isKnownMember))) throw invalidArgument("Input JWK is not in a valid json format");
  if (keys.length > UPLOADED_JWKS.count) throw invalidArgument(`Invalid JWKs: ${keys.length} keys are more than the maximum of ${UPLOADED_JWKS.count}.`);
  for (const key of keys) {
    if (key.kty === "OKP" || !isKeyMaterial(key)) throw invalidArgument("Input jwks contains corrupted key material.");
    if (!isKeyType(key)) throw invalidArgument("Invalid JWKs. Only RSA, EC key types are supported.");
  }
}

function keysOf(jwksJson: string): Jwk[] | undefined {
  try {
    const { keys } = JSON.parse(jwksJson) as { keys?: unknown };
    const isKeys = Array.isArray(keys) && keys.every((key) => typeof key === "object" && key !== null && !Array.isArray(key));
    return isKeys ? (keys as Jwk[]) : undefined;
  } catch {
    return undefined;
  }
}

const isKnownMember = (name: string): boolean => UPLOADED_JWKS.members.some((member) => member === name);

function isKeyType({ kty, crv }: Jwk): boolean {
  return kty === "RSA" || (kty === "EC" && UPLOADED_JWKS.curves.some((curve) => curve === crv));
}

/** Whether the numbers are a public key; key types that nobody here reads are for the next rule. */
function isKeyMaterial(key: Jwk): boolean {
  if (key.kty !== "RSA" && key.kty !== "EC") return true;
  try {
    createPublicKey({ key, format: "jwk" });
    return true;
  } catch {
    return false;
  }
}
