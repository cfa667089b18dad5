/**
 * The ways in which issuer, subject and audience are mistyped. Entra takes any text when a credential is made and compares
 * letter for letter when a token comes, so what is wrong here would only show as a refusal much later.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
 */
import { azureClouds } from "../../facts/azure/clouds.js";
import { ruleViolation } from "../../facts/azure/limits.js";
import { hasInvisible, visible } from "../../trust/azure/difference.js";

export type WorkloadClaim = "issuer" | "subject" | "audience";

/** Why a text cannot be what the tokens say, as the end of a sentence that begins with its path. */
export function workloadViolation(claim: WorkloadClaim, value: string): string | undefined {
  return charactersViolation(value) ?? mistypings[claim](value) ?? ruleViolation(claim, value);
}

/** What may be meant so, and rarely is. */
export function workloadDoubt(claim: WorkloadClaim, value: string): string | undefined {
  if (claim !== "issuer" || !value.endsWith("/")) return undefined;
  return `ends in a slash: Entra compares letter for letter, so this is right only if the tokens' iss (and the issuer in its metadata) ends in one too; got ${JSON.stringify(value)}`;
}

const mistypings: Record<WorkloadClaim, (value: string) => string | undefined> = { issuer: issuerMistyped, subject: subjectMistyped, audience: audienceMistyped };

/** Blanks at the ends, characters that nobody sees, placeholders of documentation. */
function charactersViolation(value: string): string | undefined {
  const got = `got ${visible(value)}`;
  if (value !== value.trim()) return `must not begin or end with a blank; ${got}`;
  if (hasInvisible(value)) return `has a character that nobody sees: type it anew instead of pasting it; ${got}`;
  const placeholder = /<[^<>]*>/.exec(value)?.[0];
  return placeholder === undefined ? undefined : `has a placeholder, ${placeholder}: put in the platform's own value; ${got}`;
}

function issuerMistyped(value: string): string | undefined {
  const got = `got ${JSON.stringify(value)}`;
  const [, scheme, host] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)/.exec(value) ?? [];
  if (scheme === undefined || host === undefined) return `must begin with https://; ${got}`;
  if (scheme !== "https") return `must begin with https:// in lower case, as the tokens' iss does; ${got}`;
  if (host !== host.toLowerCase()) return `must have its host in lower case, as the tokens' iss does: Entra compares letter for letter; ${got}`;
  if (/\/\.well-known\/openid-configuration\/?$/.test(value)) return `must be the issuer, not the address of its metadata: leave out /.well-known/openid-configuration; ${got}`;
  return undefined;
}

const LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const SERVICE_ACCOUNT = new RegExp(`^system:serviceaccount:${LABEL}:${LABEL}(?:\\.${LABEL})*$`);

/** A Google service account's tokens have its numeric id as their sub, never its address. https://cloud.google.com/docs/authentication/token-types#id */
const GOOGLE_ADDRESS = /@[\w.-]+\.gserviceaccount\.com$/i;

/** A Kubernetes service account's subject has one form. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens */
function subjectMistyped(value: string): string | undefined {
  if (GOOGLE_ADDRESS.test(value)) return `is the address of a Google service account, whose tokens have its numeric unique id as sub; got ${JSON.stringify(value)}`;
  if (!/^(?:system[:/.])?service[-_ ]?accounts?[:/.]/i.test(value) || SERVICE_ACCOUNT.test(value)) return undefined;
  return `looks like a Kubernetes service account, whose subject is system:serviceaccount:NAMESPACE:NAME, in lower case; got ${JSON.stringify(value)}`;
}

function audienceMistyped(value: string): string | undefined {
  const conventional = Object.values(azureClouds).find(({ federationAudience }) => federationAudience.toLowerCase() === value.toLowerCase().replace(/\/$/, ""));
  if (conventional === undefined || conventional.federationAudience === value) return undefined;
  return `must be ${conventional.federationAudience}, letter for letter; got ${JSON.stringify(value)}`;
}
