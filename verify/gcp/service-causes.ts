/** A missing right by the name that it has where it stops a deployment. */
import type { Cause } from "../causes.js";
import type { Check, Verdict } from "../check.js";
import type { GcpCauseCode, GcpCauseValues } from "./causes.js";
import { cause, type GcpRun } from "./run.js";

/** The check, with a cause of its own in place of `gcp.iam.permission-missing`. */
export function namingMissing(run: GcpRun, check: Check, code: GcpCauseCode, values: Partial<GcpCauseValues>): Check {
  const named = (found: Cause): Cause => (found.code === "gcp.iam.permission-missing" ? cause(run, code, found.evidence, values) : found);
  return { ...check, run: async (scope) => renamed(await check.run(scope), named) };
}

function renamed(verdict: Verdict, named: (found: Cause) => Cause): Verdict {
  return verdict.status === "fail" ? { ...verdict, diagnosis: { ...verdict.diagnosis, causes: verdict.diagnosis.causes.map(named) } } : verdict;
}
