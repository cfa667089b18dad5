/**
 * Why a build did not start, or failed: by what BatchGetBuilds tells of its phases and its environment, which the platform
 * may read; then, with the account's own credentials, by its log and by the configuration. The buildspec is DCF's, so a
 * command is known by the programs that it runs and not by its text.
 */
import type { Build, BuildPhase } from "@aws-sdk/client-codebuild";
import { codeBuildRefusals } from "../../facts/aws/codebuild.js";
import { dcfProjectVariables } from "../../facts/aws/dcf-buildspec.js";
import type { Cause, Suspect } from "../causes.js";
import type { Diagnosis } from "../check.js";
import { predictBuild } from "./account/build-prediction.js";
import { buildLog } from "./account/build-reading.js";
import { describeAnswer, type AwsRefusal } from "./answers.js";
import { logCause } from "./build-log.js";
import type { AwsCauseCode } from "./causes.js";
import type { BuildGrant } from "./codebuild.js";
import { cause, diagnosis, type AwsRun } from "./run.js";

/** Which of a function's builds it is: the first creates, the second updates. */
export type Deployment = "create" | "update";

/** No evidence of verify's reads them. */
const NOT_READ = ["service control policies", "resource control policies"];

const ASSUME_ROLE: readonly AwsCauseCode[] = ["aws.codebuild.role-missing", "aws.codebuild.role-trust", "aws.codebuild.role-trust-other-project"];

/** What may stand behind every call of a build that is refused. */
const CAPS: readonly AwsCauseCode[] = ["aws.build.denied", "aws.build.boundary", "aws.build.organisation-denies"];

/** StartBuild was refused for another reason than a missing right. Undefined when the answer says nothing. */
export async function startDiagnosis(run: AwsRun, grant: BuildGrant, refusal: AwsRefusal): Promise<Diagnosis | undefined> {
  const answered = `StartBuild: ${describeAnswer(refusal)}`;
  switch (refusal.code) {
    case codeBuildRefusals.projectNotFound("").code:
      return narrow(run, grant, ["aws.codebuild.project-missing", "aws.codebuild.project-other-region"], answered);
    case codeBuildRefusals.queueFull(0).code:
      return diagnosis([{ confirmed: true, cause: cause(run, "aws.codebuild.quota", answered) }]);
    default:
      return /sts:AssumeRole/.test(refusal.message) ? narrow(run, grant, ASSUME_ROLE, answered) : undefined;
  }
}

/** What became of the build, in a line. */
export function describeBuild(build: Build): string {
  const failed = failedPhase(build);
  const { statusCode = "", message = "" } = failed?.contexts?.[0] ?? {};
  const where = failed ? `, ${failed.phaseType ?? ""} ${statusCode}: ${oneLine(message)}` : "";
  return `build ${build.id ?? ""} ${build.buildStatus ?? ""}${where}`;
}

/** Commands may be scripts of many lines. */
function oneLine(message: string): string {
  const [first = "", ...more] = message.split("\n");
  const reason = /Reason: (.*)$/s.exec(message)?.[1];
  return more.length === 0 ? first : `${first.slice(0, 120)} …${reason === undefined ? "" : ` Reason: ${reason}`}`;
}

/** Later phases may fail because this one did. */
function failedPhase({ phases = [] }: Build): BuildPhase | undefined {
  return phases.find(({ phaseStatus }) => phaseStatus !== undefined && phaseStatus !== "SUCCEEDED" && phaseStatus !== "IN_PROGRESS");
}

export async function buildDiagnosis(run: AwsRun, grant: BuildGrant, build: Build, deployment: Deployment): Promise<Diagnosis | undefined> {
  const told = describeBuild(build);
  const own = environmentCause(run, build, told);
  if (own) return diagnosis([{ confirmed: true, cause: own }]);
  const suspects = suspectsOf(grant, build, deployment);
  const logged = run.account && (await buildLog(run.account, grant.region, build));
  const found = logged?.status === "read" ? logCause(run, grant, logged.value, told) : undefined;
  if (found) {
    const code = found.code as AwsCauseCode;
    const elsewhere = elsewhereCause(run, grant, build, code, found.evidence);
    if (elsewhere) return diagnosis([{ confirmed: true, cause: elsewhere }]);
    // The configuration tells more than the log where both speak of the same.
    const predicted = await predictedCause(run, grant, [code, ...(MORE_EXACT[code] ?? [])], told);
    return diagnosis([{ confirmed: true, cause: predicted ? { ...predicted, evidence: [...found.evidence, ...predicted.evidence.slice(1)] } : found }]);
  }
  return narrow(run, grant, suspects, told);
}

/** What the log calls by one name and the configuration by several. */
const MORE_EXACT: Readonly<Partial<Record<AwsCauseCode, readonly AwsCauseCode[]>>> = {
  "aws.build.cannot-read": ["aws.build.cannot-decrypt", "aws.build.boundary", "aws.build.denied"],
  "aws.lambda.execution-role-trust": ["aws.lambda.execution-role-missing"],
};

/** The one that the account's configuration confirms; else all of them. */
async function narrow(run: AwsRun, grant: BuildGrant, codes: readonly AwsCauseCode[], answered: string): Promise<Diagnosis | undefined> {
  const predicted = await predictedCause(run, grant, codes, answered);
  if (predicted) return diagnosis([{ confirmed: true, cause: predicted }]);
  return diagnosis(codes.map((code): Suspect => ({ confirmed: false, cause: cause(run, code, answered) })), NOT_READ);
}

async function predictedCause(run: AwsRun, grant: BuildGrant, codes: readonly AwsCauseCode[], answered: string): Promise<Cause | undefined> {
  if (!run.account) return undefined;
  const causes = await predictBuild(run, run.account, grant);
  const found = causes.find(({ code }) => (codes as readonly string[]).includes(code));
  return found && { ...found, evidence: [answered, ...found.evidence] };
}

/** Calls that fail when a variable of the project leads to something else than the contract's, where builds have no rights. */
const LED_BY: Readonly<Record<(typeof dcfProjectVariables)[number], readonly AwsCauseCode[]>> = {
  ECR_REPOSITORY_URI: ["aws.build.cannot-push", "aws.ecr.repository-missing", "aws.ecr.lambda-not-admitted"],
  LAMBDA_EXECUTION_ROLE_ARN: ["aws.build.cannot-pass-role", "aws.lambda.execution-role-missing", "aws.lambda.execution-role-trust"],
};

/** The build ran as another role, or was led to other things, than the contract has: what failed there is not to be mended there. */
function elsewhereCause(run: AwsRun, grant: BuildGrant, build: Build, code: AwsCauseCode, evidence: string[]): Cause | undefined {
  const role = otherRole(grant, build);
  if (role !== undefined && code.startsWith("aws.build.")) return cause(run, "aws.codebuild.role-differs", [...evidence, `the build ran as ${role}`], { expected: grant.serviceRoleArn });
  const variable = otherVariables(grant, build).find(({ name }) => LED_BY[name].includes(code));
  return variable && cause(run, "aws.codebuild.variable-differs", [...evidence, `${variable.name} of the build is ${variable.value}, the contract has ${variable.expected}`], { subject: variable.name, expected: variable.expected });
}

function otherRole({ serviceRoleArn }: BuildGrant, { serviceRole }: Build): string | undefined {
  return serviceRoleArn === undefined || serviceRole === serviceRoleArn ? undefined : serviceRole;
}

/** Variables of the build that are set, and not as the contract has them. */
function otherVariables({ repositoryUri, executionRoleArn }: BuildGrant, { environment }: Build) {
  const values = new Map((environment?.environmentVariables ?? []).map(({ name, value }) => [name, value]));
  const wanted = { ECR_REPOSITORY_URI: repositoryUri, LAMBDA_EXECUTION_ROLE_ARN: executionRoleArn };
  return dcfProjectVariables.flatMap((name) => {
    const [value, expected] = [values.get(name), wanted[name]];
    return value === undefined || expected === undefined || value === expected ? [] : [{ name, value, expected }];
  });
}

/** A build tells with what environment it ran. */
function environmentCause(run: AwsRun, build: Build, told: string): Cause | undefined {
  const { phaseType, contexts = [] } = failedPhase(build) ?? {};
  const message = contexts[0]?.message ?? "";
  const { environment } = build;
  const set = new Set((environment?.environmentVariables ?? []).filter(({ value }) => value !== "").map(({ name }) => name));
  const unset = dcfProjectVariables.find((name) => !set.has(name));
  if (environment && unset !== undefined && phaseType !== undefined && message.includes(unset)) return cause(run, VARIABLE_CAUSES[unset], [told, `the build's environment has no ${unset}`]);
  if (environment && environment.privilegedMode !== true && /\bdocker (build|push|info|tag)\b/.test(message)) return cause(run, "aws.codebuild.not-privileged", [told, "the build's environment has privilegedMode false"]);
  return undefined;
}

export const VARIABLE_CAUSES: Readonly<Record<(typeof dcfProjectVariables)[number], AwsCauseCode>> = {
  ECR_REPOSITORY_URI: "aws.codebuild.repository-variable-missing",
  LAMBDA_EXECUTION_ROLE_ARN: "aws.codebuild.execution-role-variable-missing",
};

/** What the failed phase leaves possible. */
function suspectsOf(grant: BuildGrant, build: Build, deployment: Deployment): AwsCauseCode[] {
  // Builds that run as another role fail by what that one lacks.
  return [...(otherRole(grant, build) === undefined ? [] : (["aws.codebuild.role-differs"] as const)), ...suspectsOfPhase(grant, build, deployment)];
}

function suspectsOfPhase(grant: BuildGrant, build: Build, deployment: Deployment): AwsCauseCode[] {
  const phase = failedPhase(build);
  const { statusCode = "", message = "" } = phase?.contexts?.[0] ?? {};
  if (/sts:AssumeRole/.test(message)) return [...ASSUME_ROLE];
  if (/log stream/i.test(message)) return ["aws.build.cannot-write-log", "aws.codebuild.log-group-missing", ...CAPS];
  if (statusCode === "VPC_CLIENT_ERROR") return ["aws.codebuild.network-not-allowed"];
  if (statusCode === "YAML_FILE_ERROR") return ["aws.codebuild.buildspec-refused"];
  const network: AwsCauseCode[] = build.vpcConfig?.vpcId === undefined ? [] : ["aws.codebuild.no-way-out"];
  const others = otherVariables(grant, build).map(({ name }) => name);
  const differs = (...names: typeof others): AwsCauseCode[] => (names.some((name) => others.includes(name)) ? ["aws.codebuild.variable-differs"] : []);
  const commands: readonly (readonly [RegExp, readonly AwsCauseCode[]])[] = [
    [/\baws s3 cp\b/, ["aws.build.cannot-read", "aws.build.cannot-decrypt", ...CAPS, ...network]],
    [/\bget-login-password\b|\bdocker login\b/, ["aws.build.cannot-push", ...differs("ECR_REPOSITORY_URI"), ...CAPS, ...network]],
    [/\bdocker build\b/, ["aws.codebuild.image-not-built", ...network]],
    [/\bdocker push\b/, deployment === "update" ? ["aws.ecr.tag-immutable"] : ["aws.build.cannot-push", "aws.ecr.repository-missing", ...differs("ECR_REPOSITORY_URI"), ...CAPS]],
    [
      /\blambda (create-function|update-function-code)(?![\w-])/,
      deployment === "update"
        ? ["aws.build.cannot-update", ...CAPS]
        : [
            "aws.build.cannot-see-function",
            "aws.build.cannot-create",
            "aws.build.cannot-tag",
            "aws.build.cannot-pass-role",
            "aws.lambda.execution-role-missing",
            "aws.lambda.execution-role-trust",
            "aws.ecr.lambda-not-admitted",
            ...differs("ECR_REPOSITORY_URI", "LAMBDA_EXECUTION_ROLE_ARN"),
            ...CAPS,
          ],
    ],
    [/\blambda (create-function-url-config|add-permission)\b/, ["aws.build.cannot-set-url", ...(deployment === "update" ? [] : (["aws.build.cannot-permit"] as const)), ...CAPS]],
  ];
  const found = commands.find(([words]) => words.test(message))?.[1];
  return [...(found ?? ["aws.codebuild.build-failed"])];
}
