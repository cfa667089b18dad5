/** What the grant on functions shows without a function: an absent name is not found within the prefix, and forbidden outside of it. */
import type { GrantOf } from "../../contract/schema.js";
import { LAMBDA_LIMITS } from "../../facts/aws/lambda.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { ask, describeAnswer } from "./answers.js";
import { askAsRole, isDenied, refusedVerdict, type RoleCall } from "./role-calls.js";
import { cause, SESSION_PREFIX, type AwsRun } from "./run.js";

export type FunctionsGrant = GrantOf<"lambda-functions">;

const DEADLINE_MS = 60_000;
const ABSENT = "ResourceNotFoundException";
/** After the grant's prefix; as long a prefix as a grant may have leaves room for it and a run's id. */
const CANARY = "cf-verify-";

/** A name in scope that nobody else uses. */
export function canaryName({ functionNamePrefix }: Pick<FunctionsGrant, "functionNamePrefix">, runId: string): string {
  return `${functionNamePrefix}${CANARY}${runId}`.slice(0, LAMBDA_LIMITS.functionName.max);
}

/** A name out of scope. */
export function strangerName({ functionNamePrefix }: FunctionsGrant, runId: string): string {
  const name = `${SESSION_PREFIX}-${runId}`;
  return name.startsWith(functionNamePrefix) ? `x-${name}` : name;
}

export function functionArn(run: AwsRun, { region, accountId }: Pick<FunctionsGrant, "region" | "accountId">, name: string): string {
  return `arn:${run.exchange.partition}:lambda:${region}:${accountId}:function:${name}`;
}

export async function lambdaOf(run: AwsRun, { region }: Pick<FunctionsGrant, "region">) {
  if (!run.session) throw new Error("there is no session");
  return Promise.all([import("@aws-sdk/client-lambda"), run.clients.lambda(region, run.session.credentials)]);
}

export function lambdaChecks(run: AwsRun, grant: FunctionsGrant, refusals: boolean): Check[] {
  const id = (step: string) => `aws.lambda.${grant.id}.${step}`;
  const check = (checkId: string, title: string, required: boolean, body: (scope: CheckScope) => Promise<Verdict>): Check => ({
    id: checkId,
    title,
    grade: "live",
    required,
    needs: ["aws.exchange"],
    deadlineMs: DEADLINE_MS,
    run: body,
  });
  const named = `Functions ${grant.functionNamePrefix}*`;
  return [
    check(id("read"), `${named}: read one`, true, (scope) => readAbsent(run, grant, scope, id("read"), "GetFunction")),
    check(id("url"), `${named}: read a URL`, true, (scope) => readAbsent(run, grant, scope, id("url"), "GetFunctionUrlConfig")),
    check(`aws.refusal.function.${grant.id}`, `Refusal: read a function whose name does not begin with ${grant.functionNamePrefix}`, refusals, (scope) =>
      refusals ? readStranger(run, grant, scope, id("read")) : Promise.resolve(notTested("switched off by --refusals off")),
    ),
  ];
}

async function readAbsent(run: AwsRun, grant: FunctionsGrant, scope: CheckScope, check: string, operation: "GetFunction" | "GetFunctionUrlConfig"): Promise<Verdict> {
  const action = `lambda:${operation}`;
  if (!grant.permissions.includes(action)) return notTested(`the contract does not grant ${action}`);
  const name = canaryName(grant, `absent-${run.runId}`);
  const call: RoleCall = { check, operation, action, resource: functionArn(run, grant, name) };
  const [{ GetFunctionCommand, GetFunctionUrlConfigCommand }, client] = await lambdaOf(run, grant);
  const input = { FunctionName: name };
  const { answer, waited } = await askAsRole<unknown>(run, scope, call, (abortSignal) =>
    operation === "GetFunction" ? client.send(new GetFunctionCommand(input), { abortSignal }) : client.send(new GetFunctionUrlConfigCommand(input), { abortSignal }),
  );
  if (answer.ok) return unknown(`${name} was not to exist, and does`);
  if (answer.kind === "refused" && answer.code === ABSENT) return pass("a function that does not exist is not found, and not forbidden");
  return refusedVerdict(run, call, answer, waited);
}

async function readStranger(run: AwsRun, grant: FunctionsGrant, scope: CheckScope, witness: string): Promise<Verdict> {
  const name = strangerName(grant, run.runId);
  const [{ GetFunctionCommand }, client] = await lambdaOf(run, grant);
  const answer = await ask((abortSignal) => client.send(new GetFunctionCommand({ FunctionName: name }), { abortSignal }), { signal: scope.signal });
  if (answer.ok || (answer.kind === "refused" && answer.code === ABSENT)) {
    return fail("the function could be looked for", cause(run, "aws.grants.too-wide", `GetFunction on ${name} was allowed, AccessDenied was due`, { action: "lambda:GetFunction", subject: functionArn(run, grant, name) }));
  }
  if (answer.kind === "no-answer" || !isDenied(answer)) return unknown(`AccessDenied was due, and nothing is proven by ${describeAnswer(answer)}`);
  const outcome = await scope.outcome(witness);
  if (outcome && outcome.status !== "pass") return notTested("refused, which proves nothing while functions of the prefix cannot be read either");
  return pass(`refused with ${answer.code} (${answer.httpStatus})`);
}
