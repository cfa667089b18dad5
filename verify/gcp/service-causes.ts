/** What a missing right means for a deployment: by a name of its own, and by what is absent. */
import type { Cause } from "../causes.js";
import type { Check, Verdict } from "../check.js";
import type { GcpCauseCode, GcpCauseValues } from "./causes.js";
import { cause, type GcpRun } from "./run.js";

/** The check, with a cause of its own in place of `gcp.iam.permission-missing`. */
export function namingMissing(run: GcpRun, check: Check, code: GcpCauseCode, values: Partial<GcpCauseValues>): Check {
  const named = (found: Cause): Cause => (found.code === "gcp.iam.permission-missing" ? cause(run, code, found.evidence, values) : found);
  return { ...check, run: async (scope) => renamed(await check.run(scope), named) };
}

/**
 * The check, whose refusal is explained by another's failure where that says more: whoever has his rights on a thing itself is
 * refused all the same once the thing is gone, and only who may read more can tell.
 *
 * @param id of the check of the project's configuration that says whether the thing is there
 */
export function explainedBy(check: Check, id: string): Check {
  return {
    ...check,
    run: async (scope) => {
      const verdict = await check.run(scope);
      if (verdict.status !== "fail" || verdict.diagnosis.causes.length < 2) return verdict;
      const other = await scope.outcome(id);
      if (other?.status !== "fail" || other.diagnosis.causes.length !== 1) return verdict;
      const causes = other.diagnosis.causes.map((found) => ({ ...found, evidence: [verdict.seen, ...found.evidence] }));
      return { ...verdict, diagnosis: { causes, layersNotRead: [] } };
    },
  };
}

function renamed(verdict: Verdict, named: (found: Cause) => Cause): Verdict {
  return verdict.status === "fail" ? { ...verdict, diagnosis: { ...verdict.diagnosis, causes: verdict.diagnosis.causes.map(named) } } : verdict;
}
