/** One build of the canary: started as the platform starts it, followed to its end. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Build } from "@aws-sdk/client-codebuild";
import { dcfBuildspec } from "../../facts/aws/dcf-buildspec.js";
import type { CheckScope, Verdict } from "../check.js";
import { fail, unknown } from "../check.js";
import { ask, describeAnswer } from "./answers.js";
import { startDiagnosis } from "./build-diagnosis.js";
import { codebuildOf, projectArn, type BuildGrant } from "./codebuild.js";
import { askAsRole, isDenied, refusedVerdict, type RoleCall } from "./role-calls.js";
import { cause, diagnosis, type AwsRun } from "./run.js";

/** Between two looks: about a fifth of what the build has taken so far, which is as much as can be lost at its end. */
const FIRST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 10_000;
const SLOWER = 1.2;

export interface BuildOrder {
  check: string;
  bucket: string;
  key: string;
  functionName: string;
}

/** The build's end, or the verdict when there was none. */
export async function runBuild(run: AwsRun, scope: CheckScope, grant: BuildGrant, order: BuildOrder, started: (id: string) => void): Promise<{ build: Build } | { verdict: Verdict }> {
  const [{ StartBuildCommand, BatchGetBuildsCommand }, client] = await codebuildOf(run, grant);
  const call: RoleCall = { check: order.check, operation: "StartBuild", action: "codebuild:StartBuild", resource: projectArn(run, grant) };
  const variables = { S3_BUCKET: order.bucket, S3_KEY: order.key, FUNCTION_NAME: order.functionName, AWS_REGION: grant.region };
  const command = new StartBuildCommand({
    projectName: grant.project,
    buildspecOverride: dcfBuildspec,
    environmentVariablesOverride: Object.entries(variables).map(([name, value]) => ({ name, value, type: "PLAINTEXT" })),
    // A repetition after a broken connection starts no second build.
    idempotencyToken: order.key,
  });
  const { answer, waited } = await askAsRole(run, scope, call, (abortSignal) => client.send(command, { abortSignal }));
  if (!answer.ok) {
    if (answer.kind === "no-answer" || isDenied(answer)) return { verdict: await refusedVerdict(run, call, answer, waited) };
    const seen = `StartBuild: ${describeAnswer(answer)}`;
    const found = await startDiagnosis(run, grant, answer);
    return { verdict: found ? fail(seen, found) : unknown(seen) };
  }
  let build = answer.output.build;
  const id = build?.id;
  if (!build || id === undefined) return { verdict: unknown("StartBuild: no build in the answer") };
  started(id);
  let pause = FIRST_PAUSE_MS;
  let shown = "";
  while (build.buildComplete !== true && (build.buildStatus ?? "IN_PROGRESS") === "IN_PROGRESS") {
    const phase = build.currentPhase ?? "";
    if (phase !== shown) scope.progress(`build ${id}: ${phase}`);
    shown = phase;
    await sleep(pause, undefined, { signal: scope.signal });
    pause = Math.min(pause * SLOWER, LONGEST_PAUSE_MS);
    const looked = await ask((abortSignal) => client.send(new BatchGetBuildsCommand({ ids: [id] }), { abortSignal }), scope);
    if (!looked.ok) return { verdict: await refusedVerdict(run, { ...call, operation: "BatchGetBuilds", action: "codebuild:BatchGetBuilds" }, looked, waited) };
    build = looked.output.builds?.[0];
    if (!build) return { verdict: fail(`build ${id} is gone`, diagnosis([{ confirmed: true, cause: cause(run, "aws.codebuild.project-missing", `BatchGetBuilds does not find build ${id} any more`) }]) ?? { causes: [], layersNotRead: [] }) };
  }
  return { build };
}
