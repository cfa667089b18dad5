/**
 * An exchange looked at step by step, offline: what passes, what fails and why, where Entra only says the first refusal. For a token, or
 * for the values that its tokens will have.
 */
import type { DecodedJwt } from "../jwt.js";
import { checkKeys, checkServicePrincipal } from "./assertion.js";
import { matchCredential } from "./credentials.js";
import { differenceOf, type Difference } from "./difference.js";
import { isRefusal, type AssertionRefusal } from "./refusal.js";
import { checkTimes, readAssertion, workloadOf, type WorkloadClaims } from "./token-claims.js";
import type { AssertionIssuerEvidence, AssertionReason, FederatedClient, FederatedIdentityCredential } from "./types.js";

export type AssertionStep = "token" | "credential" | "times" | "signature" | "service-principal";

export interface AssertionToExplain {
  client: FederatedClient;
  tenant: string;
  /** A token, or the values of one that was never minted. */
  presented: { kind: "jwt"; token: string } | ({ kind: "workload" } & WorkloadClaims);
  now: Date;
  /** Left out: the signature is not looked at. */
  issuer?: AssertionIssuerEvidence | undefined;
}

export interface AssertionStepFinding {
  step: AssertionStep;
  outcome: "passes" | "fails" | "not-looked-at";
  /** Which values differ, or what passed. */
  detail: string;
  reason?: AssertionReason | undefined;
}

/** How one credential compares; a value that is equal is left out. */
export interface CredentialComparison {
  name: string;
  differences: Partial<Record<"issuer" | "subject" | "audience", Difference>>;
}

export interface AssertionExplanation {
  /** In Entra's order. */
  steps: AssertionStepFinding[];
  /** The credential that matches. */
  credential: FederatedIdentityCredential | undefined;
  /** Every credential of the client, those that differ least first. */
  comparisons: CredentialComparison[];
  /** The first refusal: what Entra answers. */
  refusal: AssertionRefusal | undefined;
}

/** Goes on behind a step that fails, as far as there is something to look at. */
export function explainAssertion({ client, tenant, presented, now, issuer }: AssertionToExplain): AssertionExplanation {
  const trail = new Trail();
  const token = presented.kind === "jwt" ? readAssertion(presented.token) : undefined;
  const workload = presented.kind === "workload" ? presented : token === undefined || isRefusal(token) ? token : workloadOf(token.claims);
  let credential: FederatedIdentityCredential | undefined;
  if (workload === undefined || isRefusal(workload)) {
    if (workload !== undefined) trail.note("token", workload, "");
  } else {
    trail.note("token", undefined, `${JSON.stringify(workload.subject)} of ${JSON.stringify(workload.issuer)} for ${JSON.stringify(workload.audience)}`);
    const match = matchCredential(client, workload);
    if (isRefusal(match)) trail.note("credential", match, "");
    else trail.note("credential", undefined, `the credential ${JSON.stringify((credential = match).name)} matches`);
    if (token !== undefined && !isRefusal(token)) tokenSteps(trail, token, workload.issuer, now, issuer);
  }
  trail.note("service-principal", checkServicePrincipal(client, tenant), `the service principal ${client.servicePrincipal?.objectId ?? ""} is enabled`);
  return { steps: trail.steps, credential, comparisons: workload === undefined || isRefusal(workload) ? [] : comparisonsOf(client, workload), refusal: trail.refusal };
}

class Trail {
  readonly steps: AssertionStepFinding[] = [];
  refusal: AssertionRefusal | undefined;

  note(step: AssertionStep, refusal: AssertionRefusal | undefined, passed: string): void {
    this.refusal ??= refusal;
    this.steps.push(refusal === undefined ? { step, outcome: "passes", detail: passed } : { step, outcome: "fails", detail: refusal.detail, reason: refusal.reason });
  }

  skip(step: AssertionStep, detail: string): void {
    this.steps.push({ step, outcome: "not-looked-at", detail });
  }
}

function tokenSteps(trail: Trail, token: DecodedJwt, issuer: string, now: Date, evidence: AssertionIssuerEvidence | undefined): void {
  trail.note("times", checkTimes(token.claims, now), "it is in time");
  if (evidence === undefined) trail.skip("signature", "the issuer's keys were not read");
  else trail.note("signature", checkKeys(token, issuer, evidence), `made by the issuer's key ${JSON.stringify(token.header["kid"])}`);
}

function comparisonsOf({ credentials }: FederatedClient, { issuer, subject, audience }: WorkloadClaims): CredentialComparison[] {
  const compared = credentials.map((credential) => {
    const pairs = { issuer: [issuer, credential.issuer], audience: [audience, credential.audiences[0] ?? ""], subject: [subject, credential.subject] } as const;
    const differing = Object.entries(pairs).filter(([, [found, expected]]) => found !== expected);
    return { name: credential.name, differences: Object.fromEntries(differing.map(([name, [found, expected]]) => [name, differenceOf(found, expected)])) };
  });
  return compared.sort((a, b) => Object.keys(a.differences).length - Object.keys(b.differences).length);
}
