/**
 * Why Google's STS refused: suspects by its error, then what the token, the issuer and the project have to say about each.
 * Errors and texts: https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation
 */
import { stsHints, type StsHint } from "../../facts/gcp/sts.js";
import type { Cause, Suspect } from "../causes.js";
import type { Diagnosis } from "../check.js";
import { at } from "../token.js";
import { describeAnswer, type GcpRefusal } from "./answers.js";
import { disabledApi } from "./api-disabled.js";
import type { GcpCauseCode } from "./causes.js";
import { issuerCause } from "./issuer.js";
import { cause, confirmed, diagnosis, open, type GcpRun } from "./run.js";
import { tokenCause } from "./token.js";

/** The causes of a refusal; undefined for errors that say nothing about trust. */
export async function diagnoseExchange(run: GcpRun, refusal: GcpRefusal, waited: boolean): Promise<Diagnosis | undefined> {
  const answered = `STS answered ${describeAnswer(refusal)}`;
  const api = disabledApi(run, refusal, answered);
  if (api) return diagnosis([confirmed(api)]);
  const predicted = (await run.prediction())?.exchangeCause;
  if (predicted) return diagnosis([confirmed({ ...predicted, evidence: [answered, ...predicted.evidence] })]);
  return diagnosis(await suspects(run, refusal, answered, waited));
}

async function suspects(run: GcpRun, refusal: GcpRefusal, answered: string, waited: boolean): Promise<Suspect[]> {
  const hints = stsHints(refusal.code, refusal.message);
  const own = run.token && (await tokenCause(run, run.token, new Date()));
  const keys = hints.find((hint) => hint === "issuer-unreachable" || hint === "signature");
  if (keys !== undefined) return own ? [confirmed({ ...own, evidence: [answered, ...own.evidence] })] : issuerSuspects(run, keys, answered);
  const found = hints.flatMap((hint) => SUSPECTS[hint](run, answered, own));
  if (found.length > 0) {
    return [...found, ...(waited || !hints.includes("target") ? [] : [open(cause(run, "gcp.provider.not-propagated", "no change of pool and provider is known to be older than the time that Google takes"))])];
  }
  return [own ? confirmed(own) : open(cause(run, "gcp.exchange.refused", answered))];
}

type Suspicion = (run: GcpRun, answered: string, own: Cause | undefined) => Suspect[];

const each =
  (...codes: GcpCauseCode[]): Suspicion =>
  (run, answered) =>
    codes.map((code) => open(cause(run, code, answered)));

/** The token's own fault where it shows in the token, else the provider's. */
const tokenOr =
  (own: readonly GcpCauseCode[], ...codes: GcpCauseCode[]): Suspicion =>
  (run, answered, found) =>
    found && (own as readonly string[]).includes(found.code) ? [confirmed({ ...found, evidence: [answered, ...found.evidence] })] : each(...codes)(run, answered, found);

/** What each hint of an answer lets one suspect. */
const SUSPECTS: Readonly<Record<StsHint, Suspicion>> = {
  "audience-parameter": each("gcp.exchange.audience-malformed"),
  target: each("gcp.pool.missing", "gcp.pool.disabled", "gcp.pool.deleted", "gcp.provider.missing", "gcp.provider.disabled", "gcp.provider.deleted"),
  audience: tokenOr(["token.other-audience"], "gcp.provider.audience-not-allowed"),
  issuer: tokenOr(["token.other-issuer"], "gcp.provider.issuer-differs"),
  "discovery-issuer": each("issuer.issuer-differs"),
  condition: tokenOr(["token.other-subject", "gcp.aws.other-role"], "gcp.provider.condition-refuses", "gcp.provider.condition-fails"),
  mapping: each("gcp.provider.mapping-fails"),
  stale: (run, answered, own) => [confirmed(own ? { ...own, evidence: [answered, ...own.evidence] } : cause(run, "token.clock-skew", [answered, clocks(run)]))],
  signature: () => [],
  "issuer-unreachable": () => [],
  "subject-too-long": each("gcp.provider.subject-too-long"),
  "attributes-too-large": each("gcp.provider.attributes-too-large"),
  "aws-refused": tokenOr(["gcp.aws.request-refused"], "gcp.aws.request-refused"),
  "aws-malformed": tokenOr(["gcp.aws.request-refused"], "gcp.aws.request-refused"),
  "aws-target": tokenOr(["gcp.aws.other-target"], "gcp.aws.other-target"),
  "aws-account": tokenOr(["gcp.aws.account-differs"], "gcp.aws.account-differs"),
  "token-malformed": each("token.unusable"),
};

function clocks(run: GcpRun): string {
  const { iat, exp } = run.token?.kind === "jwt" ? run.token.visible : {};
  return `the token is of ${iat === undefined ? "?" : at(iat)} and valid until ${exp === undefined ? "?" : at(exp)}, by this machine's clock it is ${at(Math.floor(Date.now() / 1000))}`;
}

/** Uploaded keys are not fetched by anybody, so that the issuer's documents say nothing. */
async function issuerSuspects(run: GcpRun, hint: StsHint, answered: string): Promise<Suspect[]> {
  const uploaded = run.exchange.issuerKeys === "uploaded";
  const found = uploaded ? undefined : issuerCause(run, await run.issuer());
  if (found) return [confirmed({ ...found, evidence: [answered, ...found.evidence] })];
  if (hint === "signature") return [confirmed(cause(run, "issuer.signature-mismatch", answered))];
  if (uploaded) return [confirmed(cause(run, "issuer.key-unknown", answered, { subject: run.token?.kind === "jwt" ? run.token.visible.kid : undefined }))];
  return [open(cause(run, "issuer.unreachable-for-google", answered)), open(cause(run, "issuer.key-unknown", answered))];
}

/** The code, when the refusal may end by itself: something new that STS has not seen yet. */
export async function exchangeMayBePropagation(run: GcpRun, refusal: GcpRefusal): Promise<string | undefined> {
  if (refusal.reason === "SERVICE_DISABLED") return refusal.reason;
  const hints = stsHints(refusal.code, refusal.message);
  if (!hints.includes("target") && !hints.includes("issuer-unreachable")) return undefined;
  if ((await run.prediction())?.exchangeCause) return undefined;
  if (hints.includes("issuer-unreachable") && issuerCause(run, await run.issuer())) return undefined;
  return refusal.code;
}
