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
    // The configuration tells more than the log where both speak of the same.
    const predicted = await predictedCause(run, grant, [found.code as AwsCauseCode, ...(MORE_EXACT[found.code] ?? [])], told);
    return diagnosis([{ confirmed: true, cause: predicted ? { ...predicted, evidence: [...found.evidence, ...predicted.evidence.slice(1)] } : found }]);
  }
  return narrow(run, grant, suspects, told);
}

/** What the log calls by one name and the configuration by several. */
const MORE_EXACT: Readonly<Record<string, readonly AwsCauseCode[]>> = {
  "aws.build.cannot-read": ["aws.build.cannot-decrypt", "aws.build.boundary"],
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
function suspectsOf({ repositoryUri, executionRoleArn }: BuildGrant, build: Build, deployment: Deployment): AwsCauseCode[] {
  const phase = failedPhase(build);
  const { statusCode = "", message = "" } = phase?.contexts?.[0] ?? {};
  if (/sts:AssumeRole/.test(message)) return [...ASSUME_ROLE];
  if (/log stream/i.test(message)) return ["aws.build.cannot-write-log", "aws.codebuild.log-group-missing", "aws.build.boundary", "aws.build.organisation-denies"];
  if (statusCode === "VPC_CLIENT_ERROR") return ["aws.codebuild.network-not-allowed"];
  if (statusCode === "YAML_FILE_ERROR") return ["aws.codebuild.buildspec-refused"];
  const network: AwsCauseCode[] = build.vpcConfig?.vpcId === undefined ? [] : ["aws.codebuild.no-way-out"];
  const caps: AwsCauseCode[] = ["aws.build.boundary", "aws.build.organisation-denies"];
  const values = new Map((build.environment?.environmentVariables ?? []).map(({ name, value }) => [name, value]));
  const differs: AwsCauseCode[] = values.get("ECR_REPOSITORY_URI") !== repositoryUri || values.get("LAMBDA_EXECUTION_ROLE_ARN") !== executionRoleArn ? ["aws.codebuild.variable-differs"] : [];
  const commands: readonly (readonly [RegExp, readonly AwsCauseCode[]])[] = [
    [/\baws s3 cp\b/, ["aws.build.cannot-read", "aws.build.cannot-decrypt", ...caps, ...network]],
    [/\bget-login-password\b|\bdocker login\b/, ["aws.build.cannot-push", ...differs, ...caps, ...network]],
    [/\bdocker build\b/, ["aws.codebuild.image-not-built", ...network]],
    [/\bdocker push\b/, deployment === "update" ? ["aws.ecr.tag-immutable"] : ["aws.build.cannot-push", "aws.ecr.repository-missing", ...differs, ...caps]],
    [
      /\blambda (create-function|update-function-code)(?![\w-])/,
      deployment === "update"
        ? ["aws.build.cannot-update", ...caps]
        : [
            "aws.build.cannot-see-function",
            "aws.build.cannot-create",
            "aws.build.cannot-tag",
            "aws.build.cannot-pass-role",
            "aws.lambda.execution-role-missing",
            "aws.lambda.execution-role-trust",
            "aws.ecr.lambda-not-admitted",
            ...differs,
            ...caps,
          ],
    ],
    [/\blambda (create-function-url-config|add-permission)\b/, ["aws.build.cannot-set-url", ...(deployment === "update" ? [] : (["aws.build.cannot-permit"] as const)), ...caps]],
  ];
  const found = commands.find(([words]) => words.test(message))?.[1];
  return [...(found ?? ["aws.codebuild.build-failed"])];
}
