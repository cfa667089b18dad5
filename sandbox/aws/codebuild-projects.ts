/** CodeBuild's projects: what builds are made of, and the role that they act in. */
import * as z from "zod";
import { codeBuildDefaults, codeBuildRefusals as refusals } from "../../facts/aws/codebuild.js";
import { createProjectInput, names, unplayedMember, updateProjectInput } from "./codebuild-members.js";
import { type CodeBuildContext, codeBuildError, operation, projectArn, requireRole } from "./codebuild-context.js";
import { projectOutput } from "./codebuild-output.js";
import type { LogsConfig, ProjectEnvironment, ProjectRecord, ProjectSource, VpcConfig } from "./codebuild-store.js";
import { partitionOf } from "./s3-state.js";
import type { Operation, OperationRequest } from "./service.js";

type GivenProject = z.output<typeof updateProjectInput>;

export function projectOperations(codebuild: CodeBuildContext): Record<string, Operation> {
  const { store } = codebuild;

  return {
    CreateProject: operation(createProjectInput, (input, request) => {
      const arn = projectArn(request, input.name);
      codebuild.authorise(request, "CreateProject", arn, tagConditions(input.tags));
      const { accountId } = request.caller.principal;
      if (store.project(accountId, request.region, input.name)) throw codeBuildError(refusals.projectExists(arn));
      const now = codebuild.now();
      const project: ProjectRecord = {
        accountId,
        region: request.region,
        name: input.name,
        arn,
        description: input.description,
        source: sourceOf(input.source),
        environment: environmentOf(input.environment),
        serviceRole: roleArnOf(request, input.serviceRole),
        timeoutInMinutes: input.timeoutInMinutes ?? codeBuildDefaults.timeoutMinutes,
        queuedTimeoutInMinutes: input.queuedTimeoutInMinutes ?? codeBuildDefaults.queuedTimeoutMinutes,
        encryptionKey: input.encryptionKey ?? defaultKey(request),
        tags: input.tags ?? [],
        vpcConfig: vpcOf(input.vpcConfig),
        logsConfig: logsOf(input.logsConfig),
        concurrentBuildLimit: limitOf(input.concurrentBuildLimit),
        created: now,
        lastModified: now,
        lastBuildNumber: 0,
      };
      assertPlayed(input, project);
      requireRole(codebuild, request, project);
      store.putProject(project);
      return { project: projectOutput(project) };
    }),

    UpdateProject: operation(updateProjectInput, (input, request) => {
      const arn = projectArn(request, input.name);
      codebuild.authorise(request, "UpdateProject", arn, tagConditions(input.tags));
      const known = codebuild.project(request, input.name);
      const project: ProjectRecord = {
        ...known,
        ...(input.description !== undefined && { description: input.description }),
        ...(input.source && { source: sourceOf(input.source) }),
        ...(input.environment && { environment: environmentOf(input.environment) }),
        ...(input.serviceRole !== undefined && { serviceRole: roleArnOf(request, input.serviceRole) }),
        ...(input.timeoutInMinutes !== undefined && { timeoutInMinutes: input.timeoutInMinutes }),
        ...(input.queuedTimeoutInMinutes !== undefined && { queuedTimeoutInMinutes: input.queuedTimeoutInMinutes }),
        ...(input.encryptionKey !== undefined && { encryptionKey: input.encryptionKey === "" ? defaultKey(request) : input.encryptionKey }),
        ...(input.tags && { tags: input.tags }),
        ...(input.vpcConfig && { vpcConfig: vpcOf(input.vpcConfig) }),
        ...(input.logsConfig && { logsConfig: logsOf(input.logsConfig) }),
        ...(input.concurrentBuildLimit !== undefined && { concurrentBuildLimit: limitOf(input.concurrentBuildLimit) }),
        lastModified: codebuild.now(),
      };
      assertPlayed(input, project);
      requireRole(codebuild, request, project);
      store.putProject(project);
      return { project: projectOutput(project) };
    }),

    DeleteProject: operation(z.object({ name: z.string().min(1) }), ({ name }, request) => {
      codebuild.authorise(request, "DeleteProject", projectArn(request, name));
      const known = store.project(request.caller.principal.accountId, request.region, name);
      // One that is not there is as good as deleted.
      if (known) store.deleteProject(known);
      return {};
    }),

    BatchGetProjects: operation(z.object({ names }), (input, request) => {
      for (const name of input.names) codebuild.authorise(request, "BatchGetProjects", projectArn(request, name));
      const found = input.names.map((name) => ({ name, project: store.project(request.caller.principal.accountId, request.region, nameOf(request, name)) }));
      return {
        projects: found.flatMap(({ project }) => (project ? [projectOutput(project)] : [])),
        projectsNotFound: found.flatMap(({ name, project }) => (project ? [] : [name])),
      };
    }),

    ListProjects: operation(z.object({ sortBy: z.string().optional(), sortOrder: z.enum(["ASCENDING", "DESCENDING"]).optional(), nextToken: z.string().optional() }), ({ sortOrder }, request) => {
      codebuild.authorise(request, "ListProjects", "*");
      const all = store.projects(request.caller.principal.accountId, request.region).map(({ name }) => name).sort();
      return { projects: sortOrder === "DESCENDING" ? all.reverse() : all };
    }),
  };
}

/** Projects of the caller's account and region may be named by ARN too. */
function nameOf(request: OperationRequest, nameOrArn: string): string {
  const prefix = projectArn(request, "");
  return nameOrArn.startsWith(prefix) ? nameOrArn.slice(prefix.length) : nameOrArn;
}

function tagConditions(tags: readonly { key: string; value: string }[] | undefined): Record<string, string | string[]> {
  if (!tags || tags.length === 0) return {};
  return { "aws:TagKeys": tags.map(({ key }) => key), ...Object.fromEntries(tags.map(({ key, value }) => [`aws:RequestTag/${key}`, value])) };
}

function defaultKey(request: OperationRequest): string {
  return `arn:${partitionOf(request.region)}:kms:${request.region}:${request.caller.principal.accountId}:alias/aws/s3`;
}

/** A role may be given by its name alone. */
function roleArnOf(request: OperationRequest, role: string): string {
  return role.startsWith("arn:") ? role : `arn:${partitionOf(request.region)}:iam::${request.caller.principal.accountId}:role/${role}`;
}

function sourceOf({ type, location, buildspec }: NonNullable<GivenProject["source"]>): ProjectSource {
  if (type !== "NO_SOURCE" && type !== "S3") {
    throw codeBuildError(refusals.invalidInput(`Invalid project source: the sandbox plays NO_SOURCE and S3, not ${type}`));
  }
  if (type === "NO_SOURCE" && (buildspec ?? "") === "") {
    throw codeBuildError(refusals.invalidInput("Invalid project source: a buildspec is required for projects without source"));
  }
  if (type === "S3" && !/^(arn:[^:]+:s3:::)?[^/]+\/.+/.test(location ?? "")) {
    throw codeBuildError(refusals.invalidInput(`Invalid project source: location must be a valid S3 source: ${location ?? ""}`));
  }
  return { type, ...(location !== undefined && location !== "" && { location }), ...(buildspec !== undefined && buildspec !== "" && { buildspec }) };
}

function environmentOf(given: NonNullable<GivenProject["environment"]>): ProjectEnvironment {
  return {
    type: given.type,
    image: given.image,
    computeType: given.computeType,
    environmentVariables: plainVariables(given.environmentVariables),
    privilegedMode: given.privilegedMode ?? false,
    imagePullCredentialsType: given.imagePullCredentialsType ?? "CODEBUILD",
  };
}

/** Throws InvalidInputException for names given twice, and for values that other services keep. */
export function plainVariables(given: z.output<typeof createProjectInput>["environment"]["environmentVariables"] = []): ProjectEnvironment["environmentVariables"] {
  return given.map(({ name, value, type = "PLAINTEXT" }, index) => {
    if (given.findIndex((other) => other.name === name) !== index) throw codeBuildError(refusals.invalidInput(`Duplicate environment variables: ${name}`));
    if (type !== "PLAINTEXT") throw codeBuildError(refusals.invalidInput(`Environment variable ${name}: the sandbox has no ${type}`));
    return { name, value, type };
  });
}

export function logsOf(given: GivenProject["logsConfig"]): LogsConfig {
  if (given?.s3Logs?.status === "ENABLED") throw codeBuildError(refusals.invalidInput("The sandbox writes build logs to CloudWatch Logs only"));
  const { status = "ENABLED", groupName, streamName } = given?.cloudWatchLogs ?? {};
  return { cloudWatchLogs: { status, ...(groupName !== undefined && { groupName }), ...(streamName !== undefined && { streamName }) } };
}

/** An empty configuration takes a project out of its VPC. */
function vpcOf(given: GivenProject["vpcConfig"]): VpcConfig | undefined {
  if ((given?.vpcId ?? "") === "") return undefined;
  if ((given?.subnets ?? []).length === 0 || (given?.securityGroupIds ?? []).length === 0) {
    throw codeBuildError(refusals.invalidInput("Invalid vpc config: the list of subnets and the list of security group ids must not be empty"));
  }
  return given;
}

/** -1 takes the limit away. */
function limitOf(given: number | undefined): number | undefined {
  return given === -1 ? undefined : given;
}

function assertPlayed(input: Readonly<Record<string, unknown>>, { name }: ProjectRecord): void {
  const member = unplayedMember(input);
  if (member !== undefined) throw codeBuildError(refusals.invalidInput(`Project ${name}: the sandbox does not play ${member}`));
  const { artifacts } = input as GivenProject;
  if (artifacts && artifacts.type !== "NO_ARTIFACTS") throw codeBuildError(refusals.invalidInput(`Project ${name}: the sandbox plays builds without artifacts, not ${artifacts.type}`));
}
