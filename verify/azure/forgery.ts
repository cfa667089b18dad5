/** Tokens that nobody's issuer made: a real one with a part of it replaced, and therefore without a right signature. */
import { decodeJwt, type JsonObject } from "../../trust/jwt.js";

const encode = (part: JsonObject): string => Buffer.from(JSON.stringify(part)).toString("base64url");

export function withClaims(raw: string, claims: JsonObject): string {
  const [header = "", , signature = ""] = raw.split(".");
  return [header, encode({ ...decodeJwt(raw)?.claims, ...claims }), signature].join(".");
}

export function withHeader(raw: string, header: JsonObject): string {
  const [, payload = "", signature = ""] = raw.split(".");
  return [encode({ ...decodeJwt(raw)?.header, ...header }), payload, signature].join(".");
}
