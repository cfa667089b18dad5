/** What the session asks of CodeBuild and Lambda: sent until the answer is none that may be propagation, and diagnosed. */
import type { CheckScope, Diagnosis } from "../check.js";
import { fail, unknown, type Verdict } from "../check.js";
import type { Suspect } from "../causes.js";
import { decide, readCaller } from "./account/permissions.js";
import { ask, describeAnswer, isOverload, type AwsAnswer, type AwsRefusal, type NoAnswer } from "./answers.js";
import type { AwsCauseCode } from "./causes.js";
import { readDenial, type Denial } from "./denial-text.js";
import { cause, diagnosis, type AwsRun } from "./run.js";

/** A call, and the right that it needs. */
export interface RoleCall {
  /** Of the check, for the report of what was waited. */
  check: string;
  operation: string;
  action: string;
  resource: string;
}

/** The JSON protocols' name for it is `AccessDeniedException`, which `answers.ts` shortens. */
export const isDenied = ({ code }: AwsRefusal): boolean => /^AccessDenied(Exception)?$/.test(code);

/** Layers that no evidence of verify's can read. */
const NOT_READ = ["service control policies", "resource control policies"];

export async function askAsRole<T>(run: AwsRun, scope: CheckScope, call: RoleCall, send: (signal: AbortSignal) => Promise<T>, repeatable = true): Promise<{ answer: AwsAnswer<T>; waited: boolean }> {
  const { answer, exhausted } = await run.waiter.until(
    call.check,
    scope,
    () => ask(send, { signal: scope.signal, repeatable }),
    async (given) => (!given.ok && given.kind === "refused" && isDenied(given) && (await predicted(run, call))?.allowed !== false ? given.code : undefined),
  );
  return { answer, waited: exhausted };
}

/** The verdict of a call that was not answered as it should be. */
export async function refusedVerdict(run: AwsRun, call: RoleCall, answer: AwsRefusal | NoAnswer, waited: boolean): Promise<Verdict> {
  const seen = `${call.operation}: ${describeAnswer(answer)}`;
  if (answer.kind === "no-answer" || isOverload(answer) || !isDenied(answer)) return unknown(seen);
  const found = await diagnoseDenial(run, call, answer, waited);
  return found ? fail(seen, found) : unknown(seen);
}

async function diagnoseDenial(run: AwsRun, call: RoleCall, refusal: AwsRefusal, waited: boolean): Promise<Diagnosis | undefined> {
  const answered = `${call.operation}: ${describeAnswer(refusal)}`;
  const values = { action: call.action, subject: call.resource };
  const prediction = await predicted(run, call);
  const denial = readDenial(refusal.message);
  const explicit = prediction?.allowed === false ? prediction.decision === "explicit-deny" : denial?.explicit;
  const suspect = (code: AwsCauseCode, confirmed: boolean, ...more: string[]): Suspect => ({ confirmed, cause: cause(run, code, [answered, ...more], { ...values, explicit }) });
  if (prediction?.allowed === false) return diagnosis([suspect(layerCode(prediction.layer, call.action), true, `by the account's policies, ${call.action} on ${call.resource}: ${prediction.because}`)]);
  const propagation = waited ? [] : [suspect("aws.builds.not-propagated", false)];
  if (!denial) return diagnosis([suspect(actionCode(call.action), false), suspect("aws.builds.organisation-denies", false), ...propagation], NOT_READ);
  const maybeNew = prediction?.allowed === true || (!denial.explicit && denial.layer === "identity");
  const organisation = denial.layer === "service-control" || denial.layer === "resource-control";
  return diagnosis([suspect(layerCode(denial.layer, call.action), organisation || !maybeNew), ...(organisation || !maybeNew ? [] : propagation)], NOT_READ);
}

async function predicted(run: AwsRun, { action, resource }: RoleCall) {
  if (!run.account) return undefined;
  const caller = await readCaller(run.account);
  return caller.status === "read" ? decide(run, caller.value, { action, resource, resourceAccountId: run.exchange.accountId }) : undefined;
}

function actionCode(action: string): AwsCauseCode {
  return action.startsWith("codebuild:") ? "aws.codebuild.action-not-allowed" : "aws.lambda.action-not-allowed";
}

/** The cause behind a layer's refusal of what the role itself does with builds and functions. */
export function layerCode(layer: Denial["layer"], action: string): AwsCauseCode {
  if (layer === "boundary") return "aws.builds.boundary";
  return layer === "service-control" || layer === "resource-control" ? "aws.builds.organisation-denies" : actionCode(action);
}
