/**
 * The issuer's documents as Google's STS uses them.
 * https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers#oidc
 */
import { GCP_ISSUER_LIMITS, GCP_TOKEN_LIMITS } from "../../facts/gcp/sts.js";
import { checkTokenSignature, jwkMistake, type SignatureRefusal } from "../jwks.js";
import { isJsonObject, type DecodedJwt, type JsonObject } from "../jwt.js";

const KEY_RULES = { party: "Google", algorithms: GCP_TOKEN_LIMITS.algorithms };

/** Undefined when a key of the document made the token's signature. */
export function checkSignature(token: DecodedJwt, jwks: unknown): SignatureRefusal | undefined {
  return checkTokenSignature(token, jwks, KEY_RULES);
}

/** What keeps Google from using a published key, whoever signs; undefined when nothing does. */
export function keyMistake(jwk: JsonObject): string | undefined {
  return jwkMistake(jwk, KEY_RULES);
}

/** What is wrong with the issuer's discovery document; empty when nothing is. */
export function discoveryMistakes(issuer: string, discovery: unknown): string[] {
  if (!isJsonObject(discovery)) return ["the issuer's discovery document is not a JSON object"];
  const { issuer: named, jwks_uri: jwksUri } = discovery;
  const mistakes = typeof jwksUri === "string" ? [] : ["the issuer's discovery document has no jwks_uri"];
  if (named !== issuer) mistakes.push(`the issuer's discovery document names the issuer ${JSON.stringify(named)}, the provider ${JSON.stringify(issuer)}`);
  return mistakes;
}

/** What Google asks of an issuer whose documents it fetches. */
export const GCP_ISSUER_RULES = { ...GCP_ISSUER_LIMITS, discoveryMistakes, keyMistake };
