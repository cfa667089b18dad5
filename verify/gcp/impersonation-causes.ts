/** Why IAM Credentials refused: one answer for a missing binding, a missing account and a denial, so nothing is named alone without evidence. */
import type { Suspect } from "../causes.js";
import type { Diagnosis } from "../check.js";
import { describeAnswer, type GcpRefusal } from "./answers.js";
import { disabledApi } from "./api-disabled.js";
import { cause, confirmed, diagnosis, open, type GcpRun } from "./run.js";

const NOT_READ = ["deny policies above the project", "principal access boundaries", "VPC Service Controls"];

export async function diagnoseImpersonation(run: GcpRun, refusal: GcpRefusal, waited: boolean): Promise<Diagnosis | undefined> {
  const answered = `IAM Credentials answered ${describeAnswer(refusal)}`;
  const api = disabledApi(run, refusal, answered);
  if (api) return diagnosis([confirmed(api)]);
  switch (refusal.code) {
    case "PERMISSION_DENIED":
      return diagnosis(await suspects(run, answered, waited), NOT_READ);
    case "NOT_FOUND":
      return diagnosis([confirmed(cause(run, "gcp.service-account.missing", answered))]);
    case "FAILED_PRECONDITION":
    case "INVALID_ARGUMENT":
      return diagnosis([confirmed(cause(run, "gcp.service-account.malformed", answered))]);
    default:
      return undefined;
  }
}

async function suspects(run: GcpRun, answered: string, waited: boolean): Promise<Suspect[]> {
  const prediction = await run.prediction();
  // Another principal than the one that has the rights: the mapping is at fault, and not whoever names the right one.
  const predicted = prediction?.exchangeCause ?? prediction?.impersonationCause;
  if (predicted) return [confirmed({ ...predicted, evidence: [answered, ...predicted.evidence] })];
  const fresh = waited ? [] : [open(cause(run, "gcp.impersonation.not-propagated", "no change of the binding is known to be older than the time that Google takes"))];
  const above = open(cause(run, "gcp.impersonation.constrained", "what stands above the project cannot be read with the evidence at hand"));
  if (prediction?.impersonation?.allowed === true) return [...fresh, above];
  return [open(cause(run, "gcp.impersonation.binding-missing", answered)), open(cause(run, "gcp.service-account.missing", answered)), open(cause(run, "gcp.service-account.disabled", answered)), ...fresh, above];
}

/** The code, when the refusal may end by itself: a binding that Google has not seen yet. */
export async function impersonationMayBePropagation(run: GcpRun, refusal: GcpRefusal): Promise<string | undefined> {
  if (refusal.code !== "PERMISSION_DENIED") return undefined;
  if (refusal.reason === "SERVICE_DISABLED") return refusal.reason;
  const prediction = await run.prediction();
  return prediction?.impersonation?.allowed === false || prediction?.impersonationCause ? undefined : refusal.code;
}
