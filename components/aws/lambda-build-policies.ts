/** The policies around a build that deploys functions: who may become its roles, what these may do, and who may pull the image. */
import { CODEBUILD_PRINCIPAL } from "../../facts/aws/codebuild.js";
import { actionsOf, type Permission } from "../../facts/aws/index.js";
import { LAMBDA_PRINCIPAL } from "../../facts/aws/lambda.js";
import { parseArn } from "../../trust/aws/arn.js";
import { functionsArn } from "./lambda-functions-grant.js";
import { policyDocument, serializePolicy, type PolicyStatement } from "./policy.js";
import { s3ServiceOf } from "./s3-objects-grant.js";

/** Where builds and functions live. */
export interface BuildPlace {
  partition: string;
  region: string;
  accountId: string;
}

export interface BuildRights extends BuildPlace {
  projectName: string;
  repositoryArn: string;
  executionRoleArn: string;
  functionNamePrefix: string;
  bucketArn: string;
  bucketAccountId: string;
  /** Key prefix of the staged archives. */
  stagedPrefix: string;
  kmsKeyArn: string | undefined;
}

export function projectArn({ partition, region, accountId }: BuildPlace, projectName: string): string {
  return `arn:${partition}:codebuild:${region}:${accountId}:project/${projectName}`;
}

/** Name of the log group that CodeBuild itself would write a project's builds to. */
export function buildLogGroup(projectName: string): string {
  return `/aws/codebuild/${projectName}`;
}

/**
 * CodeBuild may become the role for this one project, and for no other customer's.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
 */
export function buildRoleTrust(place: BuildPlace, projectName: string): string {
  return serviceTrust(CODEBUILD_PRINCIPAL, { StringEquals: { "aws:SourceAccount": place.accountId }, ArnEquals: { "aws:SourceArn": projectArn(place, projectName) } });
}

/**
 * Lambda may become the role for functions of this account. Which ones: those that the build role, alone with the right
 * to pass the role, makes.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html#cross-service-confused-deputy-prevention
 */
export function executionRoleTrust({ accountId }: BuildPlace): string {
  return serviceTrust(LAMBDA_PRINCIPAL, { StringEquals: { "aws:SourceAccount": accountId } });
}

/** What DCF's buildspec needs, on the one bucket, repository, log group, execution role and on the functions of the prefix. */
export function buildRoleDocument(rights: BuildRights): string {
  const { partition, region, accountId, bucketAccountId, kmsKeyArn } = rights;
  const on = (kind: Permission["on"]) => actionsOf("lambda-build", kind);
  const statements: PolicyStatement[] = [
    {
      Sid: "ReadStagedArchive",
      Effect: "Allow",
      Action: on("object"),
      Resource: `${rights.bucketArn}/${rights.stagedPrefix}*`,
      Condition: { StringEquals: { "aws:ResourceAccount": bucketAccountId } },
    },
    { Sid: "LogInToRegistry", Effect: "Allow", Action: on("any"), Resource: "*" },
    { Sid: "PushImage", Effect: "Allow", Action: on("repository"), Resource: rights.repositoryArn },
    { Sid: "WriteBuildLog", Effect: "Allow", Action: on("log-stream"), Resource: `arn:${partition}:logs:${region}:${accountId}:log-group:${buildLogGroup(rights.projectName)}:*` },
    { Sid: "DeployFunctions", Effect: "Allow", Action: on("function"), Resource: functionsArn(rights) },
    {
      Sid: "PassExecutionRole",
      Effect: "Allow",
      Action: on("role"),
      Resource: rights.executionRoleArn,
      Condition: { StringEquals: { "iam:PassedToService": LAMBDA_PRINCIPAL } },
    },
  ];
  if (kmsKeyArn !== undefined) {
    statements.push({
      Sid: "DecryptStagedArchive",
      Effect: "Allow",
      Action: actionsOf("lambda-build-kms"),
      Resource: kmsKeyArn,
      Condition: { StringEquals: { "kms:ViaService": s3ServiceOf(kmsKeyArn) } },
    });
  }
  return serializePolicy(policyDocument(statements));
}

/** The function's own log. One pattern for group and streams: Lambda begins both, and asks for either with its own ARN. */
export function executionRoleDocument({ partition, region, accountId }: BuildPlace, functionNamePrefix: string): string {
  const Resource = `arn:${partition}:logs:${region}:${accountId}:log-group:/aws/lambda/${functionNamePrefix}*`;
  return serializePolicy(policyDocument([{ Sid: "WriteFunctionLog", Effect: "Allow", Action: actionsOf("lambda-execution"), Resource }]));
}

/**
 * Lambda may pull images for the functions of the prefix, and for nobody else's functions.
 * https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-permissions
 */
export function repositoryPolicy(place: BuildPlace, functionNamePrefix: string): string {
  const Condition = { StringLike: { "aws:SourceArn": functionsArn({ ...place, functionNamePrefix }) } };
  return serializePolicy(
    policyDocument([{ Sid: "LambdaPullsImages", Effect: "Allow", Principal: { Service: LAMBDA_PRINCIPAL }, Action: actionsOf("lambda-image-pull"), Condition }]),
  );
}

/** Whether a role's ARN is of this account: Lambda takes no role of another one. */
export function roleAccountViolation(arn: string, accountId: string): string | undefined {
  const owner = parseArn(arn)?.accountId;
  return owner === accountId ? undefined : `must be a role of account ${accountId}, since Lambda takes no role of another one; got ${arn}`;
}

function serviceTrust(service: string, condition: Record<string, Record<string, string>>): string {
  return serializePolicy(policyDocument([{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole", Condition: condition }]));
}
