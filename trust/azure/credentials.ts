/**
 * Which federated identity credential an assertion is matched by: byte for byte, all three values of one credential.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation
 */
import { differenceOf } from "./difference.js";
import { refuse, type AssertionRefusal } from "./refusal.js";
import type { WorkloadClaims } from "./token-claims.js";
import type { FederatedClient, FederatedIdentityCredential } from "./types.js";

/**
 * Where none matches, Entra names one value. Of several credentials the nearest decides: those of the issuer are looked through for the
 * audience, and those for the subject. That order is concluded: the codes are numbered so, and no answer that contradicts it is known.
 */
export function matchCredential({ credentials, displayName }: Pick<FederatedClient, "credentials" | "displayName">, claims: WorkloadClaims): FederatedIdentityCredential | AssertionRefusal {
  const { issuer, subject, audience } = claims;
  if (credentials.length === 0) return refuse("no-credentials", "noCredentials", [displayName], `${displayName} has no federated identity credentials`);
  const exact = credentials.filter(({ claimsMatchingExpression }) => claimsMatchingExpression === undefined);
  const ofIssuer = exact.filter((credential) => credential.issuer === issuer);
  if (ofIssuer.length === 0) return refuse("issuer-differs", "issuer", [issuer], nearest("iss", issuer, "an issuer", exact, (credential) => credential.issuer));
  const ofAudience = ofIssuer.filter(({ audiences }) => audiences.includes(audience));
  if (ofAudience.length === 0) return refuse("audience-differs", "audience", [audience], nearest("aud", audience, "an audience", ofIssuer, ({ audiences }) => audiences[0] ?? ""));
  const match = ofAudience.find((credential) => credential.subject === subject);
  if (match !== undefined) return match;
  const detail = nearest("sub", subject, "a subject", ofAudience, (credential) => credential.subject);
  const byCase = ofAudience.some((credential) => credential.subject.toLowerCase() === subject.toLowerCase());
  return byCase ? refuse("subject-case-differs", "subjectCase", [subject], detail) : refuse("subject-differs", "subject", [subject], detail);
}

/** What the token has, against the value of the credentials that is the likeliest to be meant. */
function nearest(claim: string, found: string, what: string, credentials: readonly FederatedIdentityCredential[], valueOf: (credential: FederatedIdentityCredential) => string): string {
  const differences = credentials.map((credential) => ({ name: credential.name, ...differenceOf(found, valueOf(credential)) }));
  const alike = differences.find(({ hint }) => hint !== undefined);
  const shown = alike ?? (differences.length === 1 ? differences[0] : undefined);
  if (shown === undefined) return `no credential has ${what} equal to the token's ${claim} ${JSON.stringify(found)} (${differences.length} looked at)`;
  return `the token's ${claim} is ${shown.found}, the credential ${JSON.stringify(shown.name)} has ${shown.expected}${shown.hint === undefined ? "" : `: ${shown.hint}`}`;
}
