/**
 * An exchange looked at step by step, offline: what passes, what fails and why, where STS only says the first refusal.
 * For people and for reports; nothing in it is a token.
 */
import { GCP_TOKEN_LIMITS } from "../../facts/gcp/sts.js";
import { type DecodedJwt, type JsonObject } from "../jwt.js";
import { awsAssertion, checkAccount, checkProvider, discoveredKeys, signatureRefusal, uploadedKeys } from "./exchange.js";
import { conditionRefusal, mapAttributes, mappingOf } from "./mapping.js";
import { federatedIdentity } from "./principal.js";
import { isRefusal, type ExchangeRefusal } from "./refusal.js";
import { checkAudience, checkIssuer, checkRequiredClaims, checkTimes, readToken } from "./token-claims.js";
import type { AwsIdentity, ExchangeReason, FederatedIdentity, IssuerEvidence, WorkloadIdentityPool, WorkloadIdentityPoolProvider } from "./types.js";

export type ExchangeStep = "provider" | "token" | "issuer" | "audience" | "times" | "signature" | "account" | "mapping" | "condition" | "member";

/** A token, the claims of one that was never minted, or what AWS says of a caller. */
export type Presented =
  | { kind: "jwt"; token: string }
  | { kind: "claims"; claims: JsonObject }
  | ({ kind: "aws" } & Omit<Extract<AwsIdentity, { status: "ok" }>, "status">);

export interface ExchangeToExplain {
  pool: WorkloadIdentityPool | undefined;
  provider: WorkloadIdentityPoolProvider | undefined;
  presented: Presented;
  now: Date;
  /** Left out: the signature is not looked at, unless the provider's keys were uploaded. */
  issuer?: IssuerEvidence | undefined;
  /** Member of a policy that the identity has to be. */
  member?: string | undefined;
}

export interface StepFinding {
  step: ExchangeStep;
  outcome: "passes" | "fails" | "not-looked-at";
  /** Which values differ, or what passed. */
  detail: string;
  reason?: ExchangeReason | undefined;
}

export interface ExchangeExplanation {
  /** In STS's order; steps that do not belong to this kind of provider are left out. */
  steps: StepFinding[];
  /** What the mapping makes of the credential, also where something else refuses it. */
  identity: FederatedIdentity | undefined;
  /** The first refusal: what STS answers. */
  refusal: ExchangeRefusal | undefined;
}

/** Goes on behind a step that fails, as far as there is something to look at. */
export function explainExchange(question: ExchangeToExplain): ExchangeExplanation {
  const trail = new Trail();
  const { pool, provider, presented, member } = question;
  trail.note("provider", checkProvider(pool, provider), `${provider?.name ?? ""} takes credentials`);
  const assertion = provider === undefined ? undefined : presented.kind === "aws" ? awsSteps(trail, provider, presented) : jwtSteps(trail, question, provider, presented);
  if (provider === undefined || assertion === undefined) return { steps: trail.steps, identity: undefined, refusal: trail.refusal };
  const mapped = mapAttributes(mappingOf(provider), assertion);
  if (isRefusal(mapped)) {
    trail.note("mapping", mapped, "");
    return { steps: trail.steps, identity: undefined, refusal: trail.refusal };
  }
  const identity = federatedIdentity(provider.name, mapped);
  trail.note("mapping", undefined, `it becomes ${identity.principal}`);
  trail.note("condition", conditionRefusal(provider.attributeCondition, assertion, mapped), provider.attributeCondition ?? "there is no condition");
  if (member !== undefined) {
    const fits = identity.members.includes(member);
    trail.steps.push({ step: "member", outcome: fits ? "passes" : "fails", detail: fits ? `it is ${member}` : `it is not ${member}, but ${identity.members.join(", ")}` });
  }
  return { steps: trail.steps, identity, refusal: trail.refusal };
}

class Trail {
  readonly steps: StepFinding[] = [];
  refusal: ExchangeRefusal | undefined;

  note(step: ExchangeStep, refusal: ExchangeRefusal | undefined, passed: string): void {
    this.refusal ??= refusal;
    this.steps.push(refusal === undefined ? { step, outcome: "passes", detail: passed } : { step, outcome: "fails", detail: refusal.detail, reason: refusal.reason });
  }

  skip(step: ExchangeStep, detail: string): void {
    this.steps.push({ step, outcome: "not-looked-at", detail });
  }
}

function awsSteps(trail: Trail, { aws }: WorkloadIdentityPoolProvider, { account, arn, userId }: Extract<Presented, { kind: "aws" }>): JsonObject | undefined {
  if (aws === undefined) {
    trail.skip("account", "the provider is not of AWS");
    return undefined;
  }
  const identity = { status: "ok", account, arn, userId } as const;
  trail.note("account", checkAccount(identity, aws.accountId), `${arn} is of the account ${account}`);
  return awsAssertion(identity);
}

function jwtSteps(trail: Trail, { now, issuer }: ExchangeToExplain, provider: WorkloadIdentityPoolProvider, presented: Exclude<Presented, { kind: "aws" }>): JsonObject | undefined {
  const { oidc } = provider;
  if (oidc === undefined) {
    trail.skip("token", "the provider takes no tokens of an issuer");
    return undefined;
  }
  const token = presented.kind === "jwt" ? readToken(presented.token) : undefined;
  if (token !== undefined && isRefusal(token)) {
    trail.note("token", token, "");
    return undefined;
  }
  const claims = token?.claims ?? (presented.kind === "claims" ? presented.claims : {});
  const named = { name: provider.name, oidc };
  trail.note("token", checkRequiredClaims(claims), `it has ${GCP_TOKEN_LIMITS.namingClaims.join(", ")}`);
  trail.note("issuer", checkIssuer(claims, named), oidc.issuerUri);
  trail.note("audience", checkAudience(claims, named), JSON.stringify(claims["aud"]));
  trail.note("times", checkTimes(claims, now), "it is in time");
  if (token !== undefined) signatureStep(trail, token, oidc, issuer);
  return claims;
}

function signatureStep(trail: Trail, token: DecodedJwt, { issuerUri, jwksJson }: NonNullable<WorkloadIdentityPoolProvider["oidc"]>, issuer: IssuerEvidence | undefined): void {
  const keys = jwksJson !== undefined ? uploadedKeys(jwksJson) : issuer === undefined ? undefined : discoveredKeys(issuerUri, issuer);
  if (keys === undefined) trail.skip("signature", "the issuer's keys were not read");
  else trail.note("signature", signatureRefusal(token, keys), `made by the ${jwksJson === undefined ? "issuer's" : "uploaded"} key ${JSON.stringify(token.header["kid"])}`);
}
