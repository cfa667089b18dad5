import * as pulumi from "@pulumi/pulumi";
import * as cloudwatch from "@pulumi/aws/cloudwatch/index.js";
import * as codebuild from "@pulumi/aws/codebuild/index.js";
import * as ecr from "@pulumi/aws/ecr/index.js";
import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity.js";
import { getRegionOutput } from "@pulumi/aws/getRegion.js";
import * as iam from "@pulumi/aws/iam/index.js";
import { computeTypes } from "../../facts/aws/codebuild.js";
import type { dcfProjectVariables } from "../../facts/aws/dcf-buildspec.js";
import { logRetentionDays, numberRules, partitionNamed, partitionOfRegion, textRules } from "../../facts/aws/index.js";
import { choiceViolation, numberViolation, textViolation } from "../../facts/rules.js";
import { InputChecks } from "../inputs.js";
import { STAGED_BUILDS_PREFIX } from "./artifact-bucket.js";
import { buildTagMistakes, checkTags, titleOf, type Tags } from "./common.js";
import { regionViolation } from "./lambda-functions-grant.js";
import {
  buildLogGroup,
  buildRoleDocument,
  buildRoleTrust,
  executionRoleDocument,
  executionRoleTrust,
  projectArn,
  repositoryPolicy,
  roleAccountViolation,
  type BuildPlace,
} from "./lambda-build-policies.js";
import { permissionsViolation } from "./policy-checks.js";

/** The CodeBuild project in which DCF's buildspec runs. */
export interface AwsLambdaBuildProjectArgs {
  /** Name of the project. */
  name: pulumi.Input<string>;
  /** The project exists already, with a service role of its own: nothing of either is changed. @default false */
  existing?: boolean | undefined;
  /** ARN of the service role of an existing project, where it is known. */
  serviceRoleArn?: pulumi.Input<string> | undefined;
  /** Name of the created project's service role. @default `<name of the project>-build` */
  serviceRoleName?: pulumi.Input<string> | undefined;
  /** Size of the machine that builds run on. @default "BUILD_GENERAL1_SMALL" */
  computeType?: pulumi.Input<string> | undefined;
  /** Longest that a build may run, in minutes, 5 to 2160. @default 30 */
  timeoutMinutes?: pulumi.Input<number> | undefined;
  /** Days after which build logs are removed: one of those that CloudWatch Logs offers. @default 30 */
  logRetentionDays?: pulumi.Input<number> | undefined;
}

/** The ECR repository for the functions' images. */
export interface AwsLambdaBuildRepositoryArgs {
  /** Name of the repository. */
  name: pulumi.Input<string>;
  /** The repository exists already, in this account and region, with a policy that lets Lambda pull: it is used as it is. @default false */
  existing?: boolean | undefined;
  /** Refuse to push a tag that is there already. Only for builds that never use a tag twice. @default false */
  immutableTags?: boolean | undefined;
  /** On destroy, delete a created repository even when it has images in it. @default false */
  forceDestroy?: boolean | undefined;
}

/** The role that functions run as. */
export interface AwsLambdaBuildExecutionRoleArgs {
  /** Name of the role to create. @default `<name of the project>-execution` */
  name?: pulumi.Input<string> | undefined;
  /** ARN of a role of this account to use as it is, instead of creating one. */
  existingArn?: pulumi.Input<string> | undefined;
}

/** The bucket that archives for builds are staged in. */
export interface AwsLambdaBuildArtifactsArgs {
  /** ARN of the bucket. */
  bucketArn: pulumi.Input<string>;
  /** Account that owns the bucket. The right to read is void if a bucket of that name ever belongs to another account. */
  bucketAccountId: pulumi.Input<string>;
  /** Key prefix of the archives. @default "builds/" */
  prefix?: pulumi.Input<string> | undefined;
  /** Key that the bucket encrypts with, if it is a KMS key; its policy has to let the service role use it through S3. */
  kmsKeyArn?: pulumi.Input<string> | undefined;
}

export interface AwsLambdaBuildArgs {
  /**
   * How the names of the functions begin that builds may deploy, such as `acme-dcf-`; 3 to 40 letters, digits, `-` or `_`.
   * Every right on functions is scoped by it.
   */
  functionNamePrefix: pulumi.Input<string>;
  artifacts: AwsLambdaBuildArtifactsArgs;
  project: AwsLambdaBuildProjectArgs;
  repository: AwsLambdaBuildRepositoryArgs;
  /** Default: a role is created. */
  executionRole?: AwsLambdaBuildExecutionRoleArgs | undefined;
  /** IAM path of created roles, such as `/dcf/`. @default "/" */
  rolePath?: pulumi.Input<string> | undefined;
  /** ARN of a managed policy that bounds what either created role can ever do. */
  permissionsBoundaryArn?: pulumi.Input<string> | undefined;
  /** At most 50. */
  tags?: pulumi.Input<Tags> | undefined;
}

/**
 * Kept by AWS, with Docker and the AWS CLI in it; x86_64, as functions are unless they say otherwise.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/ec2-compute-images.html
 */
const BUILD_IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0";

/** A project without source must have a buildspec: this one says that it is meant to be overridden. */
const PLACEHOLDER_BUILDSPEC = `version: 0.2
phases:
  build:
    commands:
      - echo "Start this project with a buildspec override; it has no buildspec of its own."
      - exit 1
`;

/**
 * Everything that turns a staged archive into a Lambda function: a CodeBuild project that takes a buildspec override, its
 * service role, an ECR repository that Lambda may pull from, and the functions' execution role.
 *
 * Starting a build with a buildspec of one's own is running code as the service role: what that role may do is what
 * whoever starts builds may do.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AwsLambdaBuild extends pulumi.ComponentResource {
  readonly projectName: pulumi.Output<string>;
  readonly projectArn: pulumi.Output<string>;
  /** Role that builds run as; unknown for an existing project that was given without it. */
  readonly serviceRoleArn: pulumi.Output<string> | undefined;
  readonly repositoryArn: pulumi.Output<string>;
  /** `<account>.dkr.ecr.<region>.amazonaws.com/<name>`. */
  readonly repositoryUri: pulumi.Output<string>;
  readonly executionRoleArn: pulumi.Output<string>;
  readonly functionNamePrefix: pulumi.Output<string>;
  readonly accountId: pulumi.Output<string>;
  readonly region: pulumi.Output<string>;
  /** What the project has in its environment for the buildspec. */
  readonly environment: BuildEnvironment;

  constructor(name: string, args: AwsLambdaBuildArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AwsLambdaBuild", name, {}, opts);
    const checks = new InputChecks(this, titleOf("AwsLambdaBuild", name));
    const inputs = checkInputs(checks, args);
    checks.finish();

    const place = currentPlace(this, checks);
    const settings = pulumi.output({ place, ...inputs.names });
    this.accountId = place.accountId;
    this.region = place.region;
    this.functionNamePrefix = inputs.names.functionNamePrefix;

    const repository = args.repository.existing ? undefined : this.createRepository(name, args.repository, inputs, settings);
    this.repositoryArn = repository?.arn ?? settings.apply(({ place: at, repositoryName }) => `arn:${at.partition}:ecr:${at.region}:${at.accountId}:repository/${repositoryName}`);
    this.repositoryUri = repository?.repositoryUrl ?? settings.apply(({ place: at, repositoryName }) => registryUri(at, repositoryName));

    this.executionRoleArn =
      inputs.existingExecutionRoleArn === undefined
        ? this.createExecutionRole(name, inputs, settings).arn
        : checks.check(pulumi.output({ arn: inputs.existingExecutionRoleArn, accountId: place.accountId }), ({ arn, accountId }) => {
            const reason = roleAccountViolation(arn, accountId);
            return reason === undefined ? [] : [{ path: "executionRole.existingArn", reason }];
          }).arn;
    this.environment = { ECR_REPOSITORY_URI: this.repositoryUri, LAMBDA_EXECUTION_ROLE_ARN: this.executionRoleArn };

    if (args.project.existing) {
      this.projectName = inputs.names.projectName;
      this.serviceRoleArn = inputs.existingServiceRoleArn;
      this.projectArn = settings.apply(({ place: at, projectName }) => projectArn(at, projectName));
    } else {
      const made = this.createProject(name, checks, inputs, settings);
      this.projectName = made.project.name;
      this.serviceRoleArn = made.serviceRole.arn;
      this.projectArn = made.project.arn;
    }
    this.registerOutputs({
      projectName: this.projectName,
      projectArn: this.projectArn,
      serviceRoleArn: this.serviceRoleArn,
      repositoryArn: this.repositoryArn,
      repositoryUri: this.repositoryUri,
      executionRoleArn: this.executionRoleArn,
      functionNamePrefix: this.functionNamePrefix,
      environment: this.environment,
    });
  }

  private createRepository(name: string, args: AwsLambdaBuildRepositoryArgs, { tags }: Inputs, settings: pulumi.Output<Settings>): ecr.Repository {
    const repository = new ecr.Repository(
      `${name}-repository`,
      {
        name: settings.repositoryName,
        imageTagMutability: args.immutableTags ? "IMMUTABLE" : "MUTABLE",
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfigurations: [{ encryptionType: "AES256" }],
        ...(args.forceDestroy ? { forceDelete: true } : {}),
        ...tags,
      },
      { parent: this },
    );
    const policy = settings.apply(({ place, functionNamePrefix }) => repositoryPolicy(place, functionNamePrefix));
    new ecr.RepositoryPolicy(`${name}-repository-policy`, { repository: repository.name, policy }, { parent: this });
    return repository;
  }

  private createExecutionRole(name: string, inputs: Inputs, settings: pulumi.Output<Settings>): iam.Role {
    const role = new iam.Role(
      `${name}-execution`,
      {
        name: inputs.executionRoleName,
        description: "Functions that DCF deploys run as this role",
        assumeRolePolicy: settings.apply(({ place }) => executionRoleTrust(place)),
        path: inputs.rolePath,
        permissionsBoundary: inputs.permissionsBoundary,
        ...inputs.tags,
      },
      { parent: this },
    );
    const policy = settings.apply(({ place, functionNamePrefix }) => executionRoleDocument(place, functionNamePrefix));
    new iam.RolePolicy(`${name}-execution-logs`, { name: "lambda-execution", role: role.name, policy }, { parent: this });
    return role;
  }

  private createProject(name: string, checks: InputChecks, inputs: Inputs, settings: pulumi.Output<Settings>): { project: codebuild.Project; serviceRole: iam.Role } {
    const logs = new cloudwatch.LogGroup(
      `${name}-logs`,
      { name: settings.apply(({ projectName }) => buildLogGroup(projectName)), retentionInDays: inputs.logRetentionDays, ...inputs.tags },
      { parent: this },
    );
    const serviceRole = new iam.Role(
      `${name}-build`,
      {
        name: inputs.serviceRoleName,
        description: "Builds that DCF starts run as this role",
        assumeRolePolicy: settings.apply(({ place, projectName }) => buildRoleTrust(place, projectName)),
        path: inputs.rolePath,
        permissionsBoundary: inputs.permissionsBoundary,
        ...inputs.tags,
      },
      { parent: this },
    );
    const document = pulumi
      .output({ settings, artifacts: inputs.artifacts, repositoryArn: this.repositoryArn, executionRoleArn: this.executionRoleArn })
      .apply(({ settings: { place, ...names }, artifacts, ...arns }) => buildRoleDocument({ ...place, ...names, ...arns, ...artifacts }));
    const policy = checks.check(document, (text) => {
      const reason = permissionsViolation([text]);
      return reason === undefined ? [] : [{ path: "project", reason }];
    });
    const rights = new iam.RolePolicy(`${name}-build-rights`, { name: "lambda-build", role: serviceRole.name, policy }, { parent: this });
    const project = new codebuild.Project(
      `${name}-project`,
      {
        name: settings.projectName,
        description: "Builds and deploys functions; started by DCF with its own buildspec",
        serviceRole: serviceRole.arn,
        buildTimeout: inputs.timeoutMinutes,
        source: { type: "NO_SOURCE", buildspec: PLACEHOLDER_BUILDSPEC },
        artifacts: { type: "NO_ARTIFACTS" },
        environment: {
          type: "LINUX_CONTAINER",
          computeType: inputs.computeType,
          image: BUILD_IMAGE,
          // Docker's daemon runs inside the build.
          privilegedMode: true,
          environmentVariables: Object.entries(this.environment).map(([variable, value]) => ({ name: variable, value })),
        },
        logsConfig: { cloudwatchLogs: { status: "ENABLED", groupName: logs.name } },
        ...inputs.tags,
      },
      // A build that starts before its role has its rights fails.
      { parent: this, dependsOn: [rights] },
    );
    return { project, serviceRole };
  }
}

/** The variables without which DCF's buildspec stops. */
type BuildEnvironment = Record<(typeof dcfProjectVariables)[number], pulumi.Output<string>>;

interface Names {
  functionNamePrefix: string;
  projectName: string;
  repositoryName: string;
}

interface Settings extends Names {
  place: BuildPlace;
}

type Inputs = ReturnType<typeof checkInputs>;

function checkInputs(checks: InputChecks, args: AwsLambdaBuildArgs) {
  const text = (path: string, value: pulumi.Input<string>, rule: keyof typeof textRules) => checks.value(path, value, (known) => textViolation(textRules[rule], known));
  const optional = (path: string, value: pulumi.Input<string> | undefined, rule: keyof typeof textRules) => (value === undefined ? undefined : text(path, value, rule));
  const { project, repository, artifacts, executionRole = {} } = args;
  const suffixed = (suffix: string) => pulumi.interpolate`${project.name}${suffix}`;

  const names = {
    functionNamePrefix: text("functionNamePrefix", args.functionNamePrefix, "functionNamePrefix"),
    projectName: text("project.name", project.name, "codebuildProjectName"),
    repositoryName: text("repository.name", repository.name, "ecrRepositoryName"),
  };
  const checked = {
    names,
    artifacts: pulumi.output({
      bucketArn: text("artifacts.bucketArn", artifacts.bucketArn, "bucketArn"),
      bucketAccountId: text("artifacts.bucketAccountId", artifacts.bucketAccountId, "accountId"),
      stagedPrefix: text("artifacts.prefix", artifacts.prefix ?? STAGED_BUILDS_PREFIX, "keyPrefix"),
      kmsKeyArn: optional("artifacts.kmsKeyArn", artifacts.kmsKeyArn, "kmsKeyArn"),
    }),
    existingServiceRoleArn: optional("project.serviceRoleArn", project.serviceRoleArn, "roleArn"),
    serviceRoleName: text("project.serviceRoleName", project.serviceRoleName ?? suffixed("-build"), "roleName"),
    computeType: checks.value("project.computeType", project.computeType ?? computeTypes[0], (value) => choiceViolation<string>(computeTypes, value)),
    timeoutMinutes: checks.value("project.timeoutMinutes", project.timeoutMinutes ?? 30, (value) => numberViolation(numberRules.buildTimeout, value)),
    logRetentionDays: checks.value("project.logRetentionDays", project.logRetentionDays ?? 30, (value) => choiceViolation<number>(logRetentionDays, value)),
    executionRoleName: text("executionRole.name", executionRole.name ?? suffixed("-execution"), "roleName"),
    existingExecutionRoleArn: optional("executionRole.existingArn", executionRole.existingArn, "roleArn"),
    rolePath: optional("rolePath", args.rolePath, "path"),
    permissionsBoundary: optional("permissionsBoundaryArn", args.permissionsBoundaryArn, "policyArn"),
    tags: checkTags(checks, args.tags),
  };
  if (!project.existing && args.tags !== undefined) {
    checks.check(args.tags, (tags) => buildTagMistakes(tags).map(({ key, reason }) => ({ path: `tags[${JSON.stringify(key)}]`, reason })));
  }
  refuseSettingsOfExisting(checks, args);
  return checked;
}

/** Settings that would have to change what the stack did not make. */
function refuseSettingsOfExisting(checks: InputChecks, { project, repository, executionRole }: AwsLambdaBuildArgs): void {
  const refuse = (thing: string, path: string, value: unknown) => {
    if (value !== undefined && value !== false) checks.add(path, `has no effect on an existing ${thing}, which is never changed: leave it out`);
  };
  if (project.existing) {
    for (const key of ["serviceRoleName", "computeType", "timeoutMinutes", "logRetentionDays"] as const) refuse("project", `project.${key}`, project[key]);
  } else if (project.serviceRoleArn !== undefined) {
    checks.add("project.serviceRoleArn", "goes with an existing project only: a created project gets a service role of its own");
  }
  if (repository.existing) {
    for (const key of ["immutableTags", "forceDestroy"] as const) refuse("repository", `repository.${key}`, repository[key]);
  }
  if (executionRole?.existingArn !== undefined) refuse("role", "executionRole.name", executionRole.name);
}

function currentPlace(parent: pulumi.Resource, checks: InputChecks) {
  const region = checks.value("region", getRegionOutput({}, { parent }).region, regionViolation);
  const accountId = getCallerIdentityOutput({}, { parent }).accountId;
  return { region, accountId, partition: region.apply((known) => partitionOfRegion(known)?.name ?? "") };
}

function registryUri({ accountId, region, partition }: BuildPlace, repositoryName: string): string {
  return `${accountId}.dkr.ecr.${region}.${partitionNamed(partition)?.dnsSuffix ?? ""}/${repositoryName}`;
}
