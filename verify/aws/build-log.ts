/** What a build's log says: the words of the AWS CLI and of Docker, as hints to what the configuration then confirms. */
import type { Cause } from "../causes.js";
import { awsPermissions } from "../../facts/aws/permissions.js";
import type { AwsCauseCode } from "./causes.js";
import type { BuildGrant } from "./codebuild.js";
import { readDenial } from "./denial-text.js";
import { cause, type AwsRun } from "./run.js";
import { nameOf } from "./fixes.js";

/** The cause behind each right of the build's role. */
export const RIGHT_CAUSES: Readonly<Record<string, AwsCauseCode>> = {
  "s3:GetObject": "aws.build.cannot-read",
  "kms:Decrypt": "aws.build.cannot-decrypt",
  ...Object.fromEntries(awsPermissions["lambda-build"].flatMap(({ action }) => (action.startsWith("ecr:") ? [[action, "aws.build.cannot-push"] as const] : []))),
  "logs:CreateLogStream": "aws.build.cannot-write-log",
  "logs:PutLogEvents": "aws.build.cannot-write-log",
  "lambda:GetFunction": "aws.build.cannot-see-function",
  "lambda:GetFunctionConfiguration": "aws.build.cannot-see-function",
  "lambda:CreateFunction": "aws.build.cannot-create",
  "lambda:TagResource": "aws.build.cannot-tag",
  "lambda:UpdateFunctionCode": "aws.build.cannot-update",
  "lambda:UpdateFunctionConfiguration": "aws.build.cannot-update",
  "lambda:GetFunctionUrlConfig": "aws.build.cannot-set-url",
  "lambda:CreateFunctionUrlConfig": "aws.build.cannot-set-url",
  "lambda:UpdateFunctionUrlConfig": "aws.build.cannot-set-url",
  "lambda:AddPermission": "aws.build.cannot-permit",
  "iam:PassRole": "aws.build.cannot-pass-role",
};

const LINES: readonly (readonly [RegExp, AwsCauseCode])[] = [
  [/^ECR_REPOSITORY_URI is required/, "aws.codebuild.repository-variable-missing"],
  [/^LAMBDA_EXECUTION_ROLE_ARN is required/, "aws.codebuild.execution-role-variable-missing"],
  [/Cannot connect to the Docker daemon/, "aws.codebuild.not-privileged"],
  [/Could not connect to the endpoint URL|Connect timeout on endpoint URL|request canceled while waiting for connection/, "aws.codebuild.no-way-out"],
  [/does not have permission to access the ECR image/, "aws.ecr.lambda-not-admitted"],
  [/tag invalid: |ImageTagAlreadyExists/, "aws.ecr.tag-immutable"],
  [/name unknown: |RepositoryNotFoundException/, "aws.ecr.repository-missing"],
  [/cannot be assumed by Lambda/, "aws.lambda.execution-role-trust"],
  [/\(403\) when calling the HeadObject operation|calling the GetObject operation: Access Denied/, "aws.build.cannot-read"],
];

/** How the AWS CLI reports an answer that is an error. */
const CALL_FAILED = /^An error occurred \(\w+\) when calling the \w+ operation/;

/** Undefined when no line is known. */
export function logCause(run: AwsRun, grant: BuildGrant, lines: readonly string[], told: string): Cause | undefined {
  for (const line of lines) {
    // What CodeBuild itself says repeats the commands, with everything that they might say.
    if (line.startsWith("[Container]")) continue;
    const denied = /not authorized to perform: ([\w-]+:\w+)/.exec(line)?.[1];
    const code = denied === undefined ? LINES.find(([words]) => words.test(line))?.[1] : deniedCode(line, denied);
    if (code !== undefined) return logged(run, grant, code, told, line, denied);
  }
  const failed = lines.find((line) => CALL_FAILED.test(line.trim()));
  return failed === undefined ? undefined : logged(run, grant, "aws.build.call-failed", told, failed);
}

function logged(run: AwsRun, { serviceRoleArn: role }: BuildGrant, code: AwsCauseCode, told: string, line: string, action?: string): Cause {
  const { resource, explicit } = readDenial(line) ?? {};
  return cause(run, code, [told, `the build's log says: ${line.trim()}`], {
    ...(action === undefined ? {} : { action }),
    ...(resource === undefined ? {} : { subject: resource }),
    explicit,
    ...(role === undefined ? {} : { found: nameOf(role) }),
  });
}

function deniedCode(line: string, action: string): AwsCauseCode | undefined {
  const { layer, explicit = false } = readDenial(line) ?? {};
  if (layer === "service-control" || layer === "resource-control") return "aws.build.organisation-denies";
  if (layer === "boundary") return "aws.build.boundary";
  return explicit ? "aws.build.denied" : RIGHT_CAUSES[action];
}
