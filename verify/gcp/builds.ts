/** One build of the canary: started as the platform starts it, followed to its end. https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds */
import { setTimeout as sleep } from "node:timers/promises";
import { grantedRoles } from "../../facts/gcp/grants.js";
import { dcfBuild, type DcfBuildOrder } from "../../facts/gcp/dcf-build.js";
import { isJsonObject } from "../../trust/jwt.js";
import { fail, unknown, type CheckScope, type Verdict } from "../check.js";
import { describeAnswer, isOverload } from "./answers.js";
import { startDiagnosis } from "./builds-diagnosis.js";
import { viewOf, type BuildGrant, type BuildView } from "./builds-view.js";
import { diagnoseRefusal, rightMayBePropagation, type RightCall } from "./rights-causes.js";
import { askAsSession, type GcpRun } from "./run.js";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
const SLOWER = 1.5;

/** Of builds that are not over. https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#Build.Status */
const UNDER_WAY = ["STATUS_UNKNOWN", "PENDING", "QUEUED", "WORKING"];

export function buildsUrl({ projectId, region }: BuildGrant): string {
  return `https://cloudbuild.googleapis.com/v1/projects/${projectId}/locations/${region}/builds`;
}

/** The build's end, or the verdict when there was none. */
export async function runBuild(run: GcpRun, scope: CheckScope, grant: BuildGrant, order: DcfBuildOrder, started: (id: string) => void): Promise<{ build: BuildView } | { verdict: Verdict }> {
  const right: RightCall = { operation: "builds.create", permission: "cloudbuild.builds.create", resource: `//cloudresourcemanager.googleapis.com/projects/${grant.projectId}`, role: grantedRoles.buildsEditor };
  const { answer, exhausted } = await run.waiter.until(
    `gcp.canary.${grant.id}.build`,
    scope,
    // Twice would be two builds.
    () => askAsSession(run, { method: "POST", url: buildsUrl(grant), body: dcfBuild(order), repeatable: false }, scope.signal),
    (given) => (given.ok || given.kind === "no-answer" ? undefined : rightMayBePropagation(run, right, given)),
  );
  if (!answer.ok) {
    const seen = `builds.create: ${describeAnswer(answer)}`;
    if (answer.kind === "no-answer" || isOverload(answer)) return { verdict: unknown(seen) };
    const found = (await startDiagnosis(run, grant, answer)) ?? (await diagnoseRefusal(run, right, answer, exhausted));
    return { verdict: found ? fail(seen, found) : unknown(seen) };
  }
  const { metadata } = answer.json;
  let build = isJsonObject(metadata) && isJsonObject(metadata["build"]) ? viewOf(metadata["build"]) : undefined;
  if (!build || build.id === "") return { verdict: unknown("builds.create: no build in the answer") };
  const { id } = build;
  started(id);
  let pause = FIRST_PAUSE_MS;
  let shown = "";
  while (UNDER_WAY.includes(build.status)) {
    const at = build.steps.findIndex(({ status }) => status === "WORKING");
    const progress = `build ${id}: ${build.status}${at === -1 ? "" : `, step ${at + 1} of ${build.steps.length}`}`;
    if (progress !== shown) scope.progress(progress);
    shown = progress;
    await sleep(pause, undefined, { signal: scope.signal });
    pause = Math.min(pause * SLOWER, LONGEST_PAUSE_MS);
    const looked = await askAsSession(run, { method: "GET", url: `${buildsUrl(grant)}/${id}` }, scope.signal);
    if (looked.ok) build = viewOf(looked.json);
    else if (looked.kind === "refused" && !isOverload(looked)) {
      const seen = `builds.get: ${describeAnswer(looked)}`;
      const found = await diagnoseRefusal(run, { ...right, operation: "builds.get", permission: "cloudbuild.builds.get" }, looked, exhausted);
      return { verdict: found ? fail(seen, found) : unknown(seen) };
    } else if (looked.kind === "no-answer" && scope.signal.aborted) return { verdict: unknown(`builds.get: ${looked.detail}`) };
  }
  return { build };
}
