/** Tokens as every cloud's checks use them. */
import { decodeJwt } from "../trust/jwt.js";

/** ISO 8601, from seconds since 1970. */
export function at(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

/** The token with one bit of its signature turned: still base64url of the same length, no longer the issuer's. */
export function corruptSignature(raw: string): string {
  const signature = decodeJwt(raw)?.signature ?? Buffer.alloc(0);
  const middle = Math.floor(signature.length / 2);
  const corrupted = Buffer.from(signature);
  corrupted.writeUInt8((corrupted[middle] ?? 0) ^ 1, middle);
  return `${raw.slice(0, raw.lastIndexOf("."))}.${corrupted.toString("base64url")}`;
}
