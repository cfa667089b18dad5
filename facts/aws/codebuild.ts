/** CodeBuild's limits, formats, phases and refusals, as data. https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html */
import type { Grade } from "../rules.js";

const userGuide = "https://docs.aws.amazon.com/codebuild/latest/userguide";
const apiReference = "https://docs.aws.amazon.com/codebuild/latest/APIReference";

export interface CodeBuildRule {
  what: string;
  min: number;
  max: number;
  /** Of texts. */
  pattern?: RegExp;
  source: string;
  grade: Grade;
}

export const codeBuildRules = {
  projectName: { what: "a project name", min: 2, max: 150, pattern: /^[A-Za-z0-9][A-Za-z0-9\-_]{1,149}$/, source: `${apiReference}/API_CreateProject.html`, grade: "documented" },
  description: { what: "a project description", min: 0, max: 255, source: `${apiReference}/API_CreateProject.html`, grade: "documented" },
  timeoutMinutes: { what: "a build timeout in minutes", min: 5, max: 2160, source: `${apiReference}/API_CreateProject.html`, grade: "documented" },
  queuedTimeoutMinutes: { what: "a queue timeout in minutes", min: 5, max: 480, source: `${apiReference}/API_CreateProject.html`, grade: "documented" },
  batch: { what: "names or ids in one request", min: 1, max: 100, source: `${apiReference}/API_BatchGetBuilds.html`, grade: "documented" },
  tags: { what: "tags of a project", min: 0, max: 50, source: `${userGuide}/limits.html`, grade: "documented" },
  tagKey: { what: "a tag's key", min: 1, max: 127, source: `${apiReference}/API_Tag.html`, grade: "documented" },
  tagValue: { what: "a tag's value", min: 0, max: 255, source: `${apiReference}/API_Tag.html`, grade: "documented" },
  subnets: { what: "subnets of a project", min: 1, max: 16, source: `${userGuide}/limits.html`, grade: "documented" },
  securityGroups: { what: "security groups of a project", min: 1, max: 5, source: `${userGuide}/limits.html`, grade: "documented" },
} as const satisfies Record<string, CodeBuildRule>;

export const codeBuildDefaults = {
  timeoutMinutes: 60,
  queuedTimeoutMinutes: 480,
  /** Adjustable for each account and region, and 0 in some new accounts. */
  concurrentBuilds: 60,
} as const;

/** In the order in which a build goes through them. https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html */
export const buildPhases = [
  "SUBMITTED",
  "QUEUED",
  "PROVISIONING",
  "DOWNLOAD_SOURCE",
  "INSTALL",
  "PRE_BUILD",
  "BUILD",
  "POST_BUILD",
  "UPLOAD_ARTIFACTS",
  "FINALIZING",
  "COMPLETED",
] as const;
export type BuildPhaseName = (typeof buildPhases)[number];

/** Those that a buildspec gives commands for, by its names of them. https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html */
export const buildspecPhases = { install: "INSTALL", pre_build: "PRE_BUILD", build: "BUILD", post_build: "POST_BUILD" } as const satisfies Record<string, BuildPhaseName>;

export const environmentTypes = {
  LINUX_CONTAINER: { architecture: "amd64" },
  LINUX_GPU_CONTAINER: { architecture: "amd64" },
  ARM_CONTAINER: { architecture: "arm64" },
  LINUX_EC2: { architecture: "amd64" },
  ARM_EC2: { architecture: "arm64" },
} as const;
export type EnvironmentType = keyof typeof environmentTypes;

export const computeTypes = [
  "BUILD_GENERAL1_SMALL",
  "BUILD_GENERAL1_MEDIUM",
  "BUILD_GENERAL1_LARGE",
  "BUILD_GENERAL1_XLARGE",
  "BUILD_GENERAL1_2XLARGE",
] as const;

/** CodeBuild as a principal of trust policies. */
export const CODEBUILD_PRINCIPAL = "codebuild.amazonaws.com";

export interface Refusal {
  code: string;
  message: string;
  source: string;
  grade: Grade;
}

/** How CodeBuild refuses; all with status 400. The texts are hints, the codes decide. */
export const codeBuildRefusals = {
  projectNotFound: (arn: string): Refusal => ({
    code: "ResourceNotFoundException",
    message: `Project cannot be found: ${arn}`,
    source: `${apiReference}/API_StartBuild.html`,
    grade: "documented",
  }),
  projectExists: (arn: string): Refusal => ({
    code: "ResourceAlreadyExistsException",
    message: `Project already exists: ${arn}`,
    source: `${apiReference}/API_CreateProject.html`,
    grade: "documented",
  }),
  buildNotFound: (id: string): Refusal => ({
    code: "ResourceNotFoundException",
    message: `Build not found: ${id}`,
    source: `${apiReference}/API_StopBuild.html`,
    grade: "inferred",
  }),
  queueFull: (builds: number): Refusal => ({
    code: "AccountLimitExceededException",
    message: `Cannot have more than ${builds} builds in queue for the account`,
    source: `${userGuide}/limits.html`,
    grade: "documented",
  }),
  roleNotAssumable: (roleArn: string): Refusal => ({
    code: "InvalidInputException",
    message: `CodeBuild is not authorized to perform: sts:AssumeRole on ${roleArn}`,
    source: `${userGuide}/troubleshooting.html#troubleshooting-assume-role`,
    grade: "documented",
  }),
  roleOfAnotherAccount: (): Refusal => ({
    code: "InvalidInputException",
    message: "Invalid service role: Service role account ID does not match caller's account",
    source: `${apiReference}/API_CreateProject.html`,
    grade: "inferred",
  }),
  securityGroupsUnreadable: (): Refusal => ({
    code: "InvalidInputException",
    message: "Not authorized to perform DescribeSecurityGroups",
    source: `${userGuide}/troubleshooting-vpc.html`,
    grade: "documented",
  }),
  invalidInput: (message: string): Refusal => ({ code: "InvalidInputException", message, source: `${apiReference}/API_CreateProject.html`, grade: "inferred" }),
} as const;

/** Why a phase failed, as BatchGetBuilds tells it. https://docs.aws.amazon.com/codebuild/latest/APIReference/API_PhaseContext.html */
export const phaseFailures = {
  command: (command: string, exitStatus: number) => ({
    statusCode: "COMMAND_EXECUTION_ERROR",
    message: `Error while executing command: ${command}. Reason: exit status ${exitStatus}`,
    grade: "documented",
  }),
  buildspec: (problem: string) => ({ statusCode: "YAML_FILE_ERROR", message: `YAML_FILE_ERROR: ${problem}`, grade: "documented" }),
  sourceDenied: (problem: string) => ({ statusCode: "CLIENT_ERROR", message: problem, grade: "documented" }),
  logs: (roleArn: string, buildArn: string, problem: string) => ({
    statusCode: "ACCESS_DENIED",
    message: `Service role ${roleArn} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build ${buildArn}. Error message: ${problem}`,
    grade: "documented",
  }),
  network: () => ({ statusCode: "VPC_CLIENT_ERROR", message: "Unexpected EC2 error: UnauthorizedOperation", grade: "documented" }),
  role: (roleArn: string) => ({ statusCode: "CLIENT_ERROR", message: `CodeBuild is not authorized to perform: sts:AssumeRole on ${roleArn}`, grade: "inferred" }),
  timeout: (minutes: number) => ({ statusCode: "BUILD_TIMED_OUT", message: `Build has timed out. The timeout is ${minutes} minutes.`, grade: "inferred" }),
  fault: () => ({ statusCode: "INTERNAL_SERVICE_ERROR", message: "The build was under way when the service stopped.", grade: "inferred" }),
} as const satisfies Record<string, (...values: never[]) => { statusCode: string; message: string; grade: Grade }>;
