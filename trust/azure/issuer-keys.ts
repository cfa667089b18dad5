/**
 * The issuer's documents as Entra uses them: its parser of metadata is strict, its keys are RSA.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
 */
import { DISCOVERY_MEMBERS, DISCOVERY_URLS, ENTRA_ASSERTION_LIMITS } from "../../facts/azure/entra.js";
import { checkTokenSignature, jwkMistake, type SignatureRefusal } from "../jwks.js";
import { isJsonObject, type DecodedJwt, type JsonObject } from "../jwt.js";

const KEY_RULES = { party: "Entra", algorithms: [ENTRA_ASSERTION_LIMITS.algorithm] };

/** Undefined when a key of the document made the token's signature. */
export function checkSignature(token: DecodedJwt, jwks: unknown): SignatureRefusal | undefined {
  return checkTokenSignature(token, jwks, KEY_RULES);
}

/** What keeps Entra from using a published key, whoever signs; undefined when nothing does. */
export function keyMistake(jwk: JsonObject): string | undefined {
  return jwkMistake(jwk, KEY_RULES);
}

/** What is wrong with the issuer's discovery document for Entra; empty when nothing is. */
export function discoveryMistakes(issuer: string, discovery: unknown): string[] {
  const document = "the issuer's discovery document";
  if (!isJsonObject(discovery)) return [`${document} is not a JSON object`];
  const mistakes = DISCOVERY_MEMBERS.filter((name) => isMissing(discovery[name])).map((name) => `${document} has no ${name}`);
  const named = discovery["issuer"];
  if (!isMissing(named) && named !== issuer) mistakes.push(`${document} names the issuer ${JSON.stringify(named)}, the token ${JSON.stringify(issuer)}`);
  for (const name of ["jwks_uri", ...DISCOVERY_URLS]) {
    const value = discovery[name];
    if (value !== undefined && !(name === "jwks_uri" && isMissing(value)) && !isUrl(value)) mistakes.push(`${document} has ${JSON.stringify(value)} as ${name}, which is no URL; Entra reads none of such a document`);
  }
  return mistakes;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

function isUrl(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && /^https:/.test(value);
}

/** What Entra asks of an issuer whose documents it fetches. */
export const AZURE_ISSUER_RULES = {
  /** For each document. */
  timeoutMs: ENTRA_ASSERTION_LIMITS.issuerTimeoutMs,
  maxKeysPerType: ENTRA_ASSERTION_LIMITS.maxKeysPerType,
  discoveryMistakes,
  keyMistake,
};
