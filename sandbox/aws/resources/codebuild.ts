/** `aws:codebuild/*`: build projects. https://www.pulumi.com/registry/packages/aws/api-docs/codebuild/ */
import { setTimeout as pause } from "node:timers/promises";
import type { Properties } from "../../types.js";
import { CallError, during, type Members } from "./api.js";
import type { Context, Definition } from "./behaviour.js";
import { compact, list, object, tagsOf, text } from "./values.js";

/** Roles that were made a moment ago are not there for CodeBuild yet; the provider tries again. */
const NOT_YET = /not authorized to perform: ?(sts:AssumeRole)|Not authorized to perform DescribeSecurityGroups/i;
const RETRY_MS = 100;

function environmentMembers(inputs: Properties): Members {
  const { type, image, computeType, environmentVariables, privilegedMode, imagePullCredentialsType } = object(inputs.environment);
  const variables = list<Properties>(environmentVariables).map(({ name, value, type: kind }) => ({ name, value, type: kind ?? "PLAINTEXT" }));
  return compact({ type, image, computeType, environmentVariables: variables, privilegedMode: privilegedMode ?? false, imagePullCredentialsType });
}

function logsMembers(inputs: Properties): Members | undefined {
  const { cloudwatchLogs, s3Logs } = object(inputs.logsConfig);
  if (cloudwatchLogs === undefined && s3Logs === undefined) return undefined;
  const { status = "ENABLED", groupName, streamName } = object(cloudwatchLogs);
  return compact({ cloudWatchLogs: compact({ status, groupName: text(groupName), streamName: text(streamName) }), s3Logs });
}

function projectMembers(inputs: Properties): Members {
  const { type, location, buildspec } = object(inputs.source);
  return compact({
    name: inputs.name,
    description: inputs.description ?? "",
    source: compact({ type, location: text(location), buildspec: text(buildspec) }),
    artifacts: { type: object(inputs.artifacts).type },
    environment: environmentMembers(inputs),
    serviceRole: inputs.serviceRole,
    timeoutInMinutes: inputs.buildTimeout,
    queuedTimeoutInMinutes: inputs.queuedTimeout,
    encryptionKey: inputs.encryptionKey,
    badgeEnabled: inputs.badgeEnabled,
    concurrentBuildLimit: inputs.concurrentBuildLimit,
    vpcConfig: inputs.vpcConfig ?? {},
    logsConfig: logsMembers(inputs) ?? {},
    tags: Object.entries(tagsOf(inputs.tags)).map(([key, value]) => ({ key, value })),
  });
}

/** As long as trust and grants take to be seen. */
async function whenRoleIsSeen(work: () => Promise<Members>, { api }: Context): Promise<Members> {
  const deadline = Date.now() + api.propagationDelaySeconds * 1000 + RETRY_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CallError) || !NOT_YET.test(error.message) || api.propagationDelaySeconds === 0 || Date.now() > deadline) throw error;
      await pause(RETRY_MS);
    }
  }
}

const nameOf = (id: string): string => id.slice(id.lastIndexOf("/") + 1);

/** Members that the service adds to a block only count where the program gave them, so that they are no drift. */
function asGiven(read: Properties, given: unknown, always: readonly string[]): Properties {
  const before = object(given);
  return compact(Object.fromEntries(Object.entries(read).filter(([key]) => always.includes(key) || key in before)));
}

export const project: Definition = {
  type: "aws:codebuild/project:Project",
  inputs: [
    "artifacts",
    "badgeEnabled",
    "buildTimeout",
    "cache",
    "concurrentBuildLimit",
    "description",
    "encryptionKey",
    "environment",
    "logsConfig",
    "name",
    "projectVisibility",
    "queuedTimeout",
    "serviceRole",
    "source",
    "tags",
    "vpcConfig",
  ],
  required: ["artifacts", "environment", "serviceRole", "source"],
  defaults: { badgeEnabled: false, buildTimeout: 60, projectVisibility: "PRIVATE", queuedTimeout: 480 },
  replaceOn: ["name"],
  name: { property: "name", prefixProperty: "namePrefix", maxLength: 150 },
  computed: ["description", "encryptionKey"],
  local: ["badgeEnabled", "cache", "projectVisibility"],
  notPlayed: {
    autoRetryLimit: "builds that are started again by their caller",
    buildBatchConfig: "single builds",
    fileSystemLocations: "builds without file systems",
    resourceAccessRole: "private projects",
    secondaryArtifacts: "no secondary artifacts",
    secondarySourceVersions: "no secondary sources",
    secondarySources: "no secondary sources",
    sourceVersion: "the source's own version",
  },
  known: (inputs, { api, region }) => ({
    arn: `arn:${api.partition}:codebuild:${region}:${api.scope.accountId}:project/${String(inputs.name)}`,
    badgeUrl: "",
    publicProjectAlias: "",
    tagsAll: tagsOf(inputs.tags),
  }),

  async create(inputs, context) {
    const { api, region } = context;
    const create = () => api.call("codebuild", "CreateProject", projectMembers(inputs), region);
    const created = await during(`creating CodeBuild Project (${String(inputs.name)})`, whenRoleIsSeen(create, context));
    return String(object(created.project).arn);
  },

  async read(id, { api, region }, olds) {
    const answer = await during(`reading CodeBuild Project (${id})`, api.call("codebuild", "BatchGetProjects", { names: [nameOf(id)] }, region));
    const [found] = list<Members>(answer.projects);
    if (!found) return undefined;
    const tags = Object.fromEntries(list<{ key: string; value: string }>(found.tags).map(({ key, value }) => [key, value]));
    const { cloudWatchLogs } = object(found.logsConfig);
    const logsGiven = object(object(olds.logsConfig).cloudwatchLogs);
    const logs = asGiven(object(cloudWatchLogs), logsGiven, ["groupName", "streamName"]);
    const outputs = compact({
      arn: found.arn,
      artifacts: asGiven({ type: "NO_ARTIFACTS" }, olds.artifacts, ["type"]),
      autoRetryLimit: 0,
      badgeUrl: "",
      buildTimeout: found.timeoutInMinutes,
      concurrentBuildLimit: found.concurrentBuildLimit,
      description: found.description ?? "",
      encryptionKey: found.encryptionKey,
      environment: readEnvironment(object(found.environment), object(olds.environment)),
      logsConfig: olds.logsConfig !== undefined || object(cloudWatchLogs).groupName !== undefined || object(cloudWatchLogs).status === "DISABLED" ? { cloudwatchLogs: { status: object(cloudWatchLogs).status, ...logs } } : undefined,
      name: found.name,
      publicProjectAlias: "",
      queuedTimeout: found.queuedTimeoutInMinutes,
      serviceRole: found.serviceRole,
      source: asGiven(object(found.source), olds.source, ["type", "location", "buildspec"]),
      tags,
      tagsAll: tags,
      vpcConfig: found.vpcConfig,
    });
    return { outputs };
  },

  async update(id, _olds, news, context) {
    const update = () => context.api.call("codebuild", "UpdateProject", projectMembers(news), context.region);
    await during(`updating CodeBuild Project (${id})`, whenRoleIsSeen(update, context));
  },

  async delete(id, _outputs, { api, region }) {
    await during(`deleting CodeBuild Project (${id})`, api.call("codebuild", "DeleteProject", { name: nameOf(id) }, region));
  },
};

/** Types of variables and the other defaults are shown where the program wrote them. */
function readEnvironment(found: Properties, given: Properties): Properties {
  const before = list<Properties>(given.environmentVariables);
  const variables = list<Properties>(found.environmentVariables).map(({ name, value, type }) => {
    const typed = before.some((variable) => variable.name === name && variable.type !== undefined);
    return { name, value, ...(typed && { type }) };
  });
  const standard: Properties = { imagePullCredentialsType: "CODEBUILD", privilegedMode: false };
  const rest = Object.fromEntries(Object.entries(found).filter(([key, value]) => key !== "environmentVariables" && (key in given || standard[key] !== value)));
  return { ...rest, ...((variables.length > 0 || given.environmentVariables !== undefined) && { environmentVariables: variables }) };
}
