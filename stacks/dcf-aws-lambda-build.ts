/** The part of `dcf-aws` that builds and runs: from the configuration to the component, and from the component to the contract. */
import { STAGED_BUILDS_PREFIX, type AwsLambdaBuildArgs, type AwsLambdaBuildArtifactsArgs } from "../components/aws/index.js";
import type { Grant, Target } from "../contract/index.js";
import { actionsOf, textRules } from "../facts/aws/index.js";
import type { DcfAwsConfig } from "./dcf-aws-config.js";
import { boundedName, plainName } from "./names.js";

export type LambdaBuildConfig = NonNullable<DcfAwsConfig["lambdaBuild"]>;

export interface LambdaBuildNames {
  project: string;
  repository: string;
  serviceRole: string;
  executionRole: string;
}

/** Names as configured, or made from the stack's (`base`) within what each service allows. */
export function lambdaBuildNames({ project, repository, executionRole }: LambdaBuildConfig, base: string): LambdaBuildNames {
  return {
    project: project.name ?? boundedName(plainName(base, "letters"), "", textRules.codebuildProjectName.max),
    repository: repository.name ?? boundedName(plainName(base, "lower-case"), "", textRules.ecrRepositoryName.max),
    serviceRole: project.serviceRoleName ?? boundedName(base, "-build", textRules.roleName.max),
    executionRole: executionRole.name ?? boundedName(base, "-execution", textRules.roleName.max),
  };
}

/** What only shows once account and partition are known, or the names of all of the stack's roles. */
export function lambdaBuildMistakes({ project, executionRole }: LambdaBuildConfig, names: LambdaBuildNames, federatedRole: string, accountRoles: string): string[] {
  const existing = [
    ["lambdaBuild.project.serviceRoleArn", project.serviceRoleArn],
    ["lambdaBuild.executionRole.arn", executionRole.arn],
  ] as const;
  const strangers = existing.flatMap(([path, arn]) =>
    arn === undefined || arn.startsWith(accountRoles) ? [] : [`${path}: must be a role of this account (${accountRoles}…): neither service takes another's; got ${arn}`],
  );
  const made = [
    ["role.name", federatedRole],
    ...(project.mode === "create" ? [["lambdaBuild.project.serviceRoleName", names.serviceRole] as const] : []),
    ...(executionRole.mode === "create" ? [["lambdaBuild.executionRole.name", names.executionRole] as const] : []),
  ] as const;
  const twins = made.flatMap(([path, name], index) => {
    const first = made.slice(0, index).find(([, other]) => other.toLowerCase() === name.toLowerCase());
    return first ? [`${path}: ${JSON.stringify(name)} is the name of ${first[0]} too; IAM compares without case`] : [];
  });
  return [...strangers, ...twins];
}

export function lambdaBuildArgs(
  { lambdaBuild, role, tags }: DcfAwsConfig & { lambdaBuild: LambdaBuildConfig },
  names: LambdaBuildNames,
  artifacts: AwsLambdaBuildArtifactsArgs,
): AwsLambdaBuildArgs {
  const { project, repository, executionRole } = lambdaBuild;
  return {
    functionNamePrefix: lambdaBuild.functionNamePrefix,
    artifacts,
    project:
      project.mode === "existing"
        ? { name: names.project, existing: true, serviceRoleArn: project.serviceRoleArn }
        : {
            name: names.project,
            serviceRoleName: names.serviceRole,
            computeType: project.computeType,
            timeoutMinutes: project.timeoutMinutes,
            logRetentionDays: project.logRetentionDays,
          },
    repository:
      repository.mode === "existing"
        ? { name: names.repository, existing: true }
        : { name: names.repository, immutableTags: repository.immutableTags, forceDestroy: repository.forceDestroy },
    executionRole: executionRole.mode === "existing" ? { existingArn: executionRole.arn } : { name: names.executionRole },
    rolePath: role.path,
    permissionsBoundaryArn: lambdaBuild.permissionsBoundaryArn,
    tags,
  };
}

/** What the contract tells of it, once everything is made. */
export interface LambdaBuildMade {
  projectName: string;
  projectArn: string;
  serviceRoleArn: string | undefined;
  repositoryArn: string;
  repositoryUri: string;
  executionRoleArn: string;
}

export function lambdaBuildGrants({ functionNamePrefix, undeploy }: LambdaBuildConfig, made: LambdaBuildMade, place: { region: string; accountId: string }): Grant[] {
  return [
    {
      id: "builds",
      kind: "codebuild-project",
      permissions: actionsOf("codebuild-project"),
      project: made.projectName,
      ...place,
      repositoryUri: made.repositoryUri,
      executionRoleArn: made.executionRoleArn,
      ...(made.serviceRoleArn === undefined ? {} : { serviceRoleArn: made.serviceRoleArn }),
      functionNamePrefix,
      stagedPrefix: STAGED_BUILDS_PREFIX,
    },
    {
      id: "functions",
      kind: "lambda-functions",
      permissions: [...actionsOf("lambda-functions"), ...(undeploy ? actionsOf("lambda-functions-undeploy") : [])],
      functionNamePrefix,
      ...place,
    },
  ];
}

export function lambdaBuildTargets({ project, repository, executionRole }: LambdaBuildConfig, made: LambdaBuildMade, region: string): Target[] {
  const ownership = ({ mode }: { mode: "create" | "existing" }) => (mode === "create" ? "created" : "existing");
  return [
    { kind: "codebuild-project", id: made.projectArn, region, ownership: ownership(project) },
    ...(made.serviceRoleArn === undefined ? [] : [{ kind: "iam-role", id: made.serviceRoleArn, ownership: ownership(project) } as const]),
    { kind: "ecr-repository", id: made.repositoryArn, region, ownership: ownership(repository) },
    { kind: "iam-role", id: made.executionRoleArn, ownership: ownership(executionRole) },
  ];
}
