/** Keys of an issuer that Google cannot reach, as they are uploaded. */
import { UPLOADED_JWKS } from "../../facts/gcp/iam.js";

/** Members of private keys (RFC 7518, 6.2.2, 6.3.2 and 6.4). */
const PRIVATE_MEMBERS = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

/**
 * The set with its keys by `kid`, without members that Google refuses (such as `x5c`), always written alike: what is read
 * back compares equal.
 */
export function canonicalJwks(text: string): string {
  const keys = keysOf(text) ?? [];
  const clean = keys.map((key) => Object.fromEntries(UPLOADED_JWKS.members.flatMap((member) => (typeof key[member] === "string" ? [[member, key[member]]] : []))));
  return JSON.stringify({ keys: clean.sort((a, b) => (String(a.kid) < String(b.kid) ? -1 : 1)) });
}

/** Why the text is no set of public keys that Google takes. Never shows a value: somebody may have pasted a private key. */
export function jwksViolation(text: string): string | undefined {
  const keys = keysOf(text);
  if (!keys) return 'must be the JSON of a JWK set: {"keys": […]}';
  if (keys.length < 1 || keys.length > UPLOADED_JWKS.count) return `must have 1 to ${UPLOADED_JWKS.count} keys; has ${keys.length}`;
  const kids = keys.map(({ kid }) => kid);
  for (const [index, key] of keys.entries()) {
    const secret = PRIVATE_MEMBERS.filter((member) => member in key);
    if (secret.length > 0) return `must have public keys only: keys[${index}] has the private ${secret.join(", ")}. Treat that key as leaked, and replace it`;
    if (typeof key.kid !== "string" || key.kid === "") return `must name every key: keys[${index}] has no kid`;
    if (kids.indexOf(key.kid) !== index) return `must name every key once: the kid ${JSON.stringify(key.kid)} is there twice`;
    const usable = (key.kty === "RSA" && isText(key.n) && isText(key.e)) || (key.kty === "EC" && key.crv === "P-256" && isText(key.x) && isText(key.y));
    if (!usable) return `must have keys of type RSA (n, e) or EC on P-256 (x, y) only: keys[${index}] is neither`;
  }
  return undefined;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function keysOf(text: string): Record<string, unknown>[] | undefined {
  try {
    const set: unknown = JSON.parse(text);
    const keys = typeof set === "object" && set !== null && "keys" in set ? set.keys : undefined;
    return Array.isArray(keys) && keys.every((key) => typeof key === "object" && key !== null) ? (keys as Record<string, unknown>[]) : undefined;
  } catch {
    return undefined;
  }
}
