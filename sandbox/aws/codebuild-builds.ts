/** CodeBuild's builds: started by a call, run in the background, looked at until they are done. */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { CODEBUILD_PRINCIPAL, codeBuildRefusals as refusals, phaseFailures } from "../../facts/aws/codebuild.js";
import { BuildRun } from "./build-run.js";
import { type CodeBuildContext, codeBuildError, operation, projectArn, requireRole } from "./codebuild-context.js";
import { names, startBuildInput } from "./codebuild-members.js";
import { buildOutput } from "./codebuild-output.js";
import { logsOf, plainVariables } from "./codebuild-projects.js";
import type { BuildRecord, BuildSettings, ProjectRecord, ProjectSource } from "./codebuild-store.js";
import { type CallAs, assumableRole } from "./service-role.js";
import type { Operation, OperationRequest } from "./service.js";

type StartBuild = z.output<typeof startBuildInput>;

export function buildOperations(codebuild: CodeBuildContext, callAs: CallAs): Record<string, Operation> {
  const { store, context } = codebuild;
  /** By ARN of the build. */
  const running = new Map<string, { run: BuildRun; done: Promise<void> }>();

  /** The build as it stands. One that nobody runs, since the sandbox was stopped or set back meanwhile, ends as a fault. */
  function current(request: OperationRequest, id: string): BuildRecord | undefined {
    const build = store.build(request.caller.principal.accountId, request.region, bareId(id));
    if (build?.buildStatus !== "IN_PROGRESS" || running.has(build.arn)) return build;
    const phase = build.phases.at(-1);
    const now = codebuild.now();
    if (phase) Object.assign(phase, { phaseStatus: "FAULT", endTime: now, contexts: [phaseFailures.fault()] });
    build.phases.push({ phaseType: "COMPLETED", startTime: now });
    const ended: BuildRecord = { ...build, buildStatus: "FAULT", currentPhase: "COMPLETED", endTime: now };
    store.putBuild(ended);
    return ended;
  }

  function start(build: BuildRecord): void {
    const run = new BuildRun({ context, callAs, store }, structuredClone(build));
    const done = run.run().finally(() => running.delete(build.arn));
    running.set(build.arn, { run, done });
  }

  function startBuild(input: StartBuild, request: OperationRequest): object {
    codebuild.authorise(request, "StartBuild", projectArn(request, input.projectName));
    const project = codebuild.project(request, input.projectName);
    const { accountId } = request.caller.principal;
    const all = store.builds(accountId, request.region);
    const same = input.idempotencyToken === undefined ? undefined : all.find((build) => build.idempotencyToken === input.idempotencyToken && build.projectName === project.name);
    if (same) return { build: buildOutput(same) };

    const settings = overridden(project, input);
    if (input.serviceRoleOverride !== undefined) requireRole(codebuild, request, { ...settings, arn: project.arn });
    else if (!assumableRole(context, settings.serviceRole, { service: CODEBUILD_PRINCIPAL, sourceArn: project.arn, sourceAccount: accountId }, request.region)) {
      throw codeBuildError(refusals.roleNotAssumable(settings.serviceRole));
    }
    const quota = store.concurrentBuilds(accountId, request.region);
    const active = all.filter(({ id }) => current(request, id)?.buildStatus === "IN_PROGRESS");
    if (active.length >= quota) throw codeBuildError(refusals.queueFull(quota));

    const build = newBuild(request, project, settings, input.idempotencyToken, codebuild.now());
    store.putProject({ ...project, lastBuildNumber: build.buildNumber });
    store.putBuild(build);
    start(build);
    return { build: buildOutput(build) };
  }

  return {
    StartBuild: operation(startBuildInput, startBuild),

    BatchGetBuilds: operation(z.object({ ids: names }), ({ ids }, request) => {
      for (const id of ids) codebuild.authorise(request, "BatchGetBuilds", projectArn(request, projectOf(id)));
      const found = ids.map((id) => ({ id, build: current(request, id) }));
      return {
        builds: found.flatMap(({ build }) => (build ? [buildOutput(build)] : [])),
        buildsNotFound: found.flatMap(({ id, build }) => (build ? [] : [id])),
      };
    }),

    StopBuild: operation(z.object({ id: z.string().min(1) }), async ({ id }, request) => {
      codebuild.authorise(request, "StopBuild", projectArn(request, projectOf(id)));
      const build = current(request, id);
      if (!build) throw codeBuildError(refusals.buildNotFound(id));
      const active = running.get(build.arn);
      active?.run.stop();
      await active?.done;
      return { build: buildOutput(current(request, id) ?? build) };
    }),

    ListBuildsForProject: operation(z.object({ projectName: z.string().min(1), sortOrder: z.enum(["ASCENDING", "DESCENDING"]).optional(), nextToken: z.string().optional() }), ({ projectName, sortOrder }, request) => {
      codebuild.authorise(request, "ListBuildsForProject", projectArn(request, projectName));
      const project = codebuild.project(request, projectName);
      const ids = store
        .builds(project.accountId, project.region)
        .filter((build) => build.projectName === project.name)
        .sort((a, b) => a.buildNumber - b.buildNumber)
        .map(({ id }) => id);
      return { ids: sortOrder === "ASCENDING" ? ids : ids.reverse() };
    }),
  };
}

/** Builds may be named by ARN. */
const bareId = (id: string): string => id.replace(/^arn:[^/]*:build\//, "");
const projectOf = (id: string): string => bareId(id).split(":")[0] ?? "";

/** https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html */
function overridden(project: ProjectRecord, input: StartBuild): BuildSettings {
  const { environment } = project;
  const variables = plainVariables(input.environmentVariablesOverride);
  return {
    source: sourceOf(project.source, input),
    environment: {
      type: input.environmentTypeOverride ?? environment.type,
      image: input.imageOverride ?? environment.image,
      computeType: input.computeTypeOverride ?? environment.computeType,
      environmentVariables: [...environment.environmentVariables.filter(({ name }) => !variables.some((variable) => variable.name === name)), ...variables],
      privilegedMode: input.privilegedModeOverride ?? environment.privilegedMode,
      imagePullCredentialsType: input.imagePullCredentialsTypeOverride ?? environment.imagePullCredentialsType,
    },
    serviceRole: input.serviceRoleOverride ?? project.serviceRole,
    timeoutInMinutes: input.timeoutInMinutesOverride ?? project.timeoutInMinutes,
    queuedTimeoutInMinutes: input.queuedTimeoutInMinutesOverride ?? project.queuedTimeoutInMinutes,
    encryptionKey: input.encryptionKeyOverride ?? project.encryptionKey,
    vpcConfig: project.vpcConfig,
    logsConfig: input.logsConfigOverride ? logsOf(input.logsConfigOverride) : project.logsConfig,
  };
}

function sourceOf(source: ProjectSource, input: StartBuild): ProjectSource {
  const type = input.sourceTypeOverride ?? source.type;
  if (type !== "NO_SOURCE" && type !== "S3") throw codeBuildError(refusals.invalidInput(`Invalid source override: the sandbox plays NO_SOURCE and S3, not ${type}`));
  const location = input.sourceLocationOverride ?? source.location;
  const buildspec = input.buildspecOverride ?? source.buildspec;
  return { type, ...(location !== undefined && { location }), ...(buildspec !== undefined && { buildspec }) };
}

function newBuild(request: OperationRequest, project: ProjectRecord, settings: BuildSettings, idempotencyToken: string | undefined, now: number): BuildRecord {
  const uuid = randomUUID();
  const { accountId, region, name, arn } = project;
  const id = `${name}:${uuid}`;
  return {
    ...settings,
    accountId,
    region,
    projectName: name,
    projectArn: arn,
    id,
    uuid,
    arn: arn.replace(/:project\/.*$/, `:build/${id}`),
    buildNumber: project.lastBuildNumber + 1,
    startTime: now,
    currentPhase: "QUEUED",
    buildStatus: "IN_PROGRESS",
    phases: [
      { phaseType: "SUBMITTED", phaseStatus: "SUCCEEDED", startTime: now, endTime: now },
      { phaseType: "QUEUED", startTime: now },
    ],
    initiator: initiatorOf(request),
    ...(idempotencyToken !== undefined && { idempotencyToken }),
  };
}

/** A user's name, or role and session. */
function initiatorOf({ caller }: OperationRequest): string {
  const { arn } = caller.principal;
  return caller.principal.kind === "role-session" ? arn.slice(arn.indexOf("/") + 1) : arn.slice(arn.lastIndexOf("/") + 1);
}
