/**
 * The issuer's documents as STS uses them: which key verifies a token, and why none does.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
 */
import type { KeyObject } from "node:crypto";
import { STS_DISCOVERY_MEMBERS, STS_LIMITS, STS_MESSAGES } from "../../facts/aws/sts.js";
import { certificateAgrees, isJsonObject, keyTypeOf, publicKeyOf, verifyJwtSignature, type DecodedJwt, type JsonObject } from "../jwt.js";
import { refuse, type WebIdentityRefusal } from "./refusal.js";
import type { IssuerEvidence } from "./types.js";

/** Undefined when a key of the issuer made the token's signature. */
export function checkSignature(token: DecodedJwt, issuer: string, evidence: IssuerEvidence): WebIdentityRefusal | undefined {
  const keys = issuerKeys(issuer, evidence);
  if (typeof keys === "string") return noKey("issuer-unavailable", keys);
  const jwk = selectKey(token, keys);
  if (typeof jwk === "string") return noKey("key-unknown", jwk);
  const key = readKey(jwk);
  if ("allowed" in key) return key;
  if (verifyJwtSignature(token, key)) return undefined;
  return notValidated("signature-invalid", `the signature was not made by the issuer's key "${kidOf(jwk)}"`);
}

/** What keeps STS from using a published key, whoever signs; undefined when nothing does. */
export function keyMistake(jwk: JsonObject): string | undefined {
  if (!isForSignatures(jwk)) return `the issuer's key "${kidOf(jwk)}" is not for signatures (use ${JSON.stringify(jwk["use"])})`;
  const key = readKey(jwk);
  return "allowed" in key ? key.detail : undefined;
}

function readKey(jwk: JsonObject): KeyObject | WebIdentityRefusal {
  const name = `the issuer's key "${kidOf(jwk)}"`;
  if (jwk["key_ops"] !== undefined) return notValidated("key-unusable", `${name} has key_ops, which AWS does not accept`);
  const key = publicKeyOf(jwk);
  if (key === undefined) return noKey("key-unusable", `${name} is no readable public key`);
  return certificateAgrees(jwk, key) ? key : notValidated("key-unusable", `the certificate (x5c) of ${name} holds another key`);
}

function kidOf({ kid }: JsonObject): string {
  return typeof kid === "string" ? kid : "";
}

/** What is wrong with the issuer's discovery document for STS; empty when nothing is. */
export function discoveryMistakes(issuer: string, discovery: unknown): string[] {
  if (!isJsonObject(discovery)) return ["the issuer's discovery document is not a JSON object"];
  const missing = STS_DISCOVERY_MEMBERS.filter((name) => discovery[name] === undefined);
  const mistakes = missing.map((name) => `the issuer's discovery document has no ${name}`);
  const named = discovery["issuer"];
  if (named !== undefined && named !== issuer) {
    mistakes.push(`the issuer's discovery document names the issuer ${JSON.stringify(named)}, the token ${JSON.stringify(issuer)}`);
  }
  return mistakes;
}

function issuerKeys(issuer: string, evidence: IssuerEvidence): JsonObject[] | string {
  if (evidence.status === "unavailable") return `the issuer's documents cannot be had: ${evidence.detail}`;
  const mistake = discoveryMistakes(issuer, evidence.discovery)[0];
  if (mistake !== undefined) return mistake;
  const keys = isJsonObject(evidence.jwks) ? evidence.jwks["keys"] : undefined;
  if (!Array.isArray(keys)) return "the issuer's key document has no list of keys";
  return keys.filter(isJsonObject);
}

/** The one key that may verify the token, or why there is none. */
export function selectKey(token: DecodedJwt, keys: readonly JsonObject[]): JsonObject | string {
  const type = keyTypeOf(token.header["alg"]);
  const limit = STS_LIMITS.maxIssuerKeysPerType;
  const ofType = keys.filter(({ kty }) => kty === type);
  if (ofType.length > limit) return `the issuer has ${ofType.length} keys of type ${String(type)}; AWS reads none when there are more than ${limit}`;

  // Keys are found by id: a key without one is not found, a later key replaces an earlier one of the same id.
  const byId = new Map<string, JsonObject>();
  for (const key of keys) {
    if (typeof key["kid"] === "string" && key["kid"] !== "" && isForSignatures(key)) byId.set(key["kid"], key);
  }
  const kid = token.header["kid"];
  if (typeof kid !== "string") {
    const [only, ...others] = byId.values();
    if (only === undefined) return "the token names no key (kid), and the issuer has none with an id for signatures";
    if (others.length > 0) return `the token names no key (kid), and the issuer has ${others.length + 1}`;
    return only["kty"] === type ? only : `the issuer's only key is not of type ${String(type)}`;
  }
  const key = byId.get(kid);
  if (key === undefined) return `the issuer has no key "${kid}" for signatures; it has ${listed([...byId.keys()])}`;
  return key["kty"] === type ? key : `the issuer's key "${kid}" is not of type ${String(type)}`;
}

function isForSignatures({ use }: JsonObject): boolean {
  return use === undefined || use === "sig";
}

function listed(ids: readonly string[]): string {
  return ids.length === 0 ? "none" : ids.slice(0, 5).map((id) => `"${id}"`).join(", ") + (ids.length > 5 ? ` and ${ids.length - 5} more` : "");
}

function noKey(reason: "issuer-unavailable" | "key-unknown" | "key-unusable", detail: string): WebIdentityRefusal {
  return refuse("InvalidIdentityToken", STS_MESSAGES.keyNotRetrieved(), reason, detail);
}

function notValidated(reason: "key-unusable" | "signature-invalid", detail: string): WebIdentityRefusal {
  return refuse("InvalidIdentityToken", STS_MESSAGES.tokenNotValidated(), reason, detail);
}
