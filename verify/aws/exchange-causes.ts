/**
 * Why STS refused: suspects by its code, then what the token, the issuer and the account have to say about each.
 * One code has several causes, so nothing is named alone unless something speaks for it or against all others.
 */
import { stsHints, type StsHint } from "../../facts/aws/sts.js";
import type { WebIdentityReason } from "../../trust/aws/types.js";
import type { Cause, Suspect } from "../causes.js";
import type { Diagnosis } from "../check.js";
import type { AwsRefusal } from "./answers.js";
import { predictionCause } from "./account/prediction.js";
import type { AwsCauseCode } from "./causes.js";
import { issuerCause } from "./issuer.js";
import { cause, diagnosis, type AwsRun } from "./run.js";
import { tokenCause } from "./token.js";
import { at } from "../token.js";

const NOT_READ = "resource control policies";

/** The causes of a refusal; undefined for codes that say nothing about trust. */
export async function diagnoseExchange(run: AwsRun, refusal: AwsRefusal, waited: boolean): Promise<Diagnosis | undefined> {
  const answered = `STS answered ${refusal.code}: ${refusal.message}`;
  switch (refusal.code) {
    case "ExpiredTokenException":
      return diagnosis([confirmed(expiryCause(run, answered))]);
    case "AccessDenied":
      return diagnosis(await trustSuspects(run, refusal, answered, waited), [NOT_READ]);
    case "InvalidIdentityToken":
    case "IDPCommunicationError":
      return diagnosis(await identitySuspects(run, refusal, answered, waited), [NOT_READ]);
    case "IDPRejectedClaim":
      return diagnosis([confirmed(cause(run, "token.unusable", answered, { found: refusal.message }))]);
    case "ValidationError":
      return diagnosis([confirmed(validationCause(run, refusal, answered))]);
    case "RegionDisabledException":
      return diagnosis([confirmed(cause(run, "aws.exchange.region-disabled", answered))]);
    default:
      return undefined;
  }
}

/**
 * The code, when the refusal may end by itself: something new that STS has not seen yet. Not when the token, the issuer or
 * the account already explain it.
 */
export async function mayBePropagation(run: AwsRun, refusal: AwsRefusal): Promise<string | undefined> {
  if (refusal.code === "IDPCommunicationError") return refusal.code;
  if (refusal.code !== "AccessDenied" && refusal.code !== "InvalidIdentityToken") return undefined;
  const hints = stsHints(refusal.code, refusal.message);
  if (hints.some((hint) => LASTING.has(hint)) || (run.token && tokenCause(run, run.token, new Date()))) return undefined;
  if (refusal.code === "InvalidIdentityToken" && issuerCause(run, await run.issuer())) return undefined;
  const prediction = await run.prediction();
  return prediction?.answer.allowed === false ? undefined : refusal.code;
}

/** What no waiting changes. */
const LASTING: ReadonlySet<StsHint> = new Set<StsHint>(["malformed", "claims", "clock", "roles-claim", "source-identity", "tag-session", "thumbprint", "duration"]);

function confirmed(found: Cause): Suspect {
  return { cause: found, confirmed: true };
}

function open(found: Cause): Suspect {
  return { cause: found, confirmed: false };
}

/** STS goes by its own clock; whether the token or a clock is at fault shows by ours. */
function expiryCause(run: AwsRun, answered: string): Cause {
  const exp = run.token?.visible.exp ?? 0;
  const ours = Math.floor(Date.now() / 1000);
  return exp <= ours ? cause(run, "token.expired", [answered, `exp is ${at(exp)}`]) : cause(run, "token.clock-skew", [answered, `exp is ${at(exp)}, by this machine's clock it is ${at(ours)}`]);
}

function validationCause(run: AwsRun, refusal: AwsRefusal, answered: string): Cause {
  const code: AwsCauseCode = stsHints(refusal.code, refusal.message).includes("duration") ? "aws.role.session-too-long" : "contract.inconsistent";
  return cause(run, code, answered);
}

/** Codes of what is wrong with the token itself, by the STS code that each leads to. */
const TOKEN_CAUSES: Readonly<Record<string, readonly string[]>> = {
  // An account may trust several issuers, each for its own roles.
  AccessDenied: ["token.other-issuer", "token.other-subject", "token.other-audience"],
  InvalidIdentityToken: ["token.other-issuer", "token.other-audience", "token.not-yet-valid", "token.unusable"],
};

function ownTokenSuspect(run: AwsRun, refusal: AwsRefusal): Suspect[] {
  const found = run.token && tokenCause(run, run.token, new Date());
  return found && TOKEN_CAUSES[refusal.code]?.includes(found.code) ? [confirmed(found)] : [];
}

async function trustSuspects(run: AwsRun, refusal: AwsRefusal, answered: string, waited: boolean): Promise<Suspect[]> {
  const hints = stsHints(refusal.code, refusal.message);
  if (hints.includes("tag-session")) return [confirmed(cause(run, "aws.trust.tag-session-missing", answered))];
  if (hints.includes("source-identity")) return [confirmed(cause(run, "aws.trust.source-identity-missing", answered))];
  const own = ownTokenSuspect(run, refusal);
  if (own.length > 0) return own;
  const prediction = await run.prediction();
  const propagation = waited ? [] : [open(cause(run, "aws.exchange.not-propagated", "no change of the trust is known to be older than the time that AWS takes"))];
  const control = open(cause(run, "aws.exchange.resource-control-policy", "resource control policies cannot be read with the evidence at hand"));
  if (prediction?.answer.allowed === false && prediction.answer.code === refusal.code) {
    const predicted = predictionCause(run, prediction, answered);
    return predicted ? [confirmed(predicted)] : [];
  }
  const otherwise = prediction?.otherwise && predictionCause(run, prediction, answered);
  if (prediction?.answer.allowed === true) return [...(otherwise ? [open(otherwise)] : []), control, ...propagation];
  return [
    open(cause(run, "aws.role.missing", answered)),
    open(cause(run, "aws.trust.refuses", answered)),
    control,
    ...propagation,
  ];
}

/** Hints by which an answer is about provider and audience, about keys, or about either. */
const PROVIDER_HINTS: readonly StsHint[] = ["provider", "audience"];
const KEY_HINTS: readonly StsHint[] = ["keys", "signature", "key-usage"];

/** What is wrong with the key that STS has found. Documents that it cannot have, or a key that is not in them, give an answer of their own. */
const KEY_ITSELF: ReadonlySet<string> = new Set<AwsCauseCode>(["issuer.key-unusable", "issuer.signature-mismatch"]);

async function identitySuspects(run: AwsRun, refusal: AwsRefusal, answered: string, waited: boolean): Promise<Suspect[]> {
  const hints = stsHints(refusal.code, refusal.message);
  const speaksOf = (group: readonly StsHint[]) => hints.length === 0 || hints.some((hint) => group.includes(hint));
  if (hints.includes("clock")) return [confirmed(notYetValid(run, answered))];
  if (hints.includes("thumbprint")) return [confirmed(cause(run, "aws.oidc-provider.thumbprint-differs", answered))];
  if (hints.some((hint) => hint === "malformed" || hint === "claims" || hint === "roles-claim")) {
    return [confirmed(cause(run, "token.unusable", answered, { found: refusal.message }))];
  }
  const suspects = speaksOf(PROVIDER_HINTS) ? [...ownTokenSuspect(run, refusal), ...(await providerSuspects(run, answered))] : [];
  if (speaksOf(KEY_HINTS)) {
    const found = issuerCause(run, await run.issuer());
    if (found && (hints.length === 0 || hints.includes("keys") || KEY_ITSELF.has(found.code))) suspects.push(confirmed({ ...found, evidence: [answered, ...found.evidence] }));
    else if (hints.length === 0 || hints.includes("keys")) suspects.push(open(cause(run, "issuer.unreachable-for-aws", answered)));
  }
  if (!waited && suspects.every((suspect) => !suspect.confirmed) && speaksOf(PROVIDER_HINTS)) {
    suspects.push(open(cause(run, "aws.exchange.not-propagated", "no change of the provider is known to be older than the time that AWS takes")));
  }
  return suspects;
}

function notYetValid(run: AwsRun, answered: string): Cause {
  const { nbf, iat } = run.token?.visible ?? {};
  const from = Math.max(nbf ?? 0, iat ?? 0);
  return cause(run, "token.not-yet-valid", [answered, `the token is valid from ${at(from)}, by this machine's clock it is ${at(Math.floor(Date.now() / 1000))}`]);
}

const PROVIDER_REASONS: readonly WebIdentityReason[] = ["provider-missing", "audience-not-registered"];

async function providerSuspects(run: AwsRun, answered: string): Promise<Suspect[]> {
  const prediction = await run.prediction();
  if (!prediction) {
    return (["aws.oidc-provider.missing", "aws.oidc-provider.url-differs", "aws.oidc-provider.audience-not-registered"] as const).map((code) => open(cause(run, code, answered)));
  }
  if (prediction.answer.allowed || !PROVIDER_REASONS.includes(prediction.answer.reason)) return [];
  const predicted = predictionCause(run, prediction, answered);
  return predicted ? [confirmed(predicted)] : [];
}
