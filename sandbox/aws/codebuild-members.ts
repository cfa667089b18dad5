/** The API model's members as CodeBuild checks them. https://docs.aws.amazon.com/codebuild/latest/APIReference/ */
import * as z from "zod";
import { codeBuildRules as rules, computeTypes, environmentTypes, type EnvironmentType } from "../../facts/aws/codebuild.js";
import { integer, text } from "./members.js";

export const projectName = text(rules.projectName);
export const names = z.array(z.string().min(1)).min(rules.batch.min).max(rules.batch.max);
export const timeout = integer({ min: rules.timeoutMinutes.min, max: rules.timeoutMinutes.max });
export const queuedTimeout = integer({ min: rules.queuedTimeoutMinutes.min, max: rules.queuedTimeoutMinutes.max });
export const environmentType = z.enum(Object.keys(environmentTypes) as EnvironmentType[]);
export const computeType = z.enum(computeTypes);
export const pullCredentials = z.enum(["CODEBUILD", "SERVICE_ROLE"]);

export const environmentVariables = z.array(
  z.object({ name: z.string().min(1), value: z.string(), type: z.enum(["PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"]).optional() }),
);

export const environment = z.object({
  type: environmentType,
  image: z.string().min(1),
  computeType,
  environmentVariables: environmentVariables.optional(),
  privilegedMode: z.boolean().nullish(),
  imagePullCredentialsType: pullCredentials.optional(),
});

export const source = z.object({
  type: z.enum(["NO_SOURCE", "S3", "CODECOMMIT", "CODEPIPELINE", "GITHUB", "GITLAB", "GITLAB_SELF_MANAGED", "BITBUCKET", "GITHUB_ENTERPRISE"]),
  location: z.string().optional(),
  buildspec: z.string().optional(),
});

export const artifacts = z.object({ type: z.enum(["NO_ARTIFACTS", "S3", "CODEPIPELINE"]) });

export const logsConfig = z.object({
  cloudWatchLogs: z.object({ status: z.enum(["ENABLED", "DISABLED"]), groupName: z.string().optional(), streamName: z.string().optional() }).optional(),
  s3Logs: z.object({ status: z.enum(["ENABLED", "DISABLED"]) }).optional(),
});

export const vpcConfig = z.object({
  vpcId: z.string().optional(),
  subnets: z.array(z.string()).max(rules.subnets.max).optional(),
  securityGroupIds: z.array(z.string()).max(rules.securityGroups.max).optional(),
});

export const tags = z.array(z.object({ key: text(rules.tagKey), value: text(rules.tagValue) })).max(rules.tags.max);

/** Members that the sandbox's builds have no use for; given with something in them, they are refused rather than forgotten. */
const notPlayed = ["secondarySources", "secondaryArtifacts", "fileSystemLocations", "buildBatchConfig", "badgeEnabled"] as const;

const projectSettings = {
  description: z.string().max(rules.description.max).optional(),
  timeoutInMinutes: timeout.optional(),
  queuedTimeoutInMinutes: queuedTimeout.optional(),
  encryptionKey: z.string().optional(),
  tags: tags.optional(),
  vpcConfig: vpcConfig.optional(),
  logsConfig: logsConfig.optional(),
  concurrentBuildLimit: z.number().int().optional(),
  ...Object.fromEntries(notPlayed.map((member) => [member, z.unknown().optional()])),
};

export const createProjectInput = z.object({ name: projectName, source, artifacts, environment, serviceRole: z.string().min(1), ...projectSettings });

export const updateProjectInput = z.object({
  name: projectName,
  source: source.optional(),
  artifacts: artifacts.optional(),
  environment: environment.optional(),
  serviceRole: z.string().min(1).optional(),
  ...projectSettings,
});

export const startBuildInput = z.object({
  projectName: z.string().min(1),
  buildspecOverride: z.string().optional(),
  environmentVariablesOverride: environmentVariables.optional(),
  environmentTypeOverride: environmentType.optional(),
  imageOverride: z.string().optional(),
  computeTypeOverride: computeType.optional(),
  privilegedModeOverride: z.boolean().optional(),
  imagePullCredentialsTypeOverride: pullCredentials.optional(),
  serviceRoleOverride: z.string().optional(),
  timeoutInMinutesOverride: timeout.optional(),
  queuedTimeoutInMinutesOverride: queuedTimeout.optional(),
  encryptionKeyOverride: z.string().optional(),
  logsConfigOverride: logsConfig.optional(),
  sourceTypeOverride: source.shape.type.optional(),
  sourceLocationOverride: z.string().optional(),
  artifactsOverride: artifacts.optional(),
  idempotencyToken: z.string().optional(),
});

/** The first member of the request that is not played and says something. */
export function unplayedMember(input: Readonly<Record<string, unknown>>): string | undefined {
  return notPlayed.find((member) => {
    const value = input[member];
    return value !== undefined && value !== null && value !== false && !(Array.isArray(value) && value.length === 0);
  });
}
