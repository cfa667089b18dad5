/** Between the staged archive and the function that answers: what builds stumble over. */
import type { AwsCauseCode } from "../../../verify/aws/causes.js";
import type { FailureMode } from "../../../verify/causes.js";
import { policyText, type Statement } from "../../support/administrator.js";
import type { BuildAdministrator } from "../../support/build-administrator.js";
import { always, live, narrowed, unnoticed, type Evidence } from "./breakage.js";

export interface BuildBreakage {
  name: string;
  failureMode?: FailureMode;
  /** Default: the bucket encrypts with S3's own keys. */
  encryption?: "kms";
  break(administrator: BuildAdministrator): Promise<unknown>;
  /** What AWS tells the platform, in a part of the failed check's text; absent when the platform does not notice. */
  told?: string;
  expect: Record<Evidence, readonly AwsCauseCode[]>;
  /** A part of what every cause that is named alone tells to do. */
  fix?: string;
}

const NOT_UPDATED: FailureMode = "CodeBuild starts but Lambda is not updated";

const CAPS: readonly AwsCauseCode[] = ["aws.build.denied", "aws.build.boundary", "aws.build.organisation-denies"];
const READING: readonly AwsCauseCode[] = ["aws.build.cannot-read", "aws.build.cannot-decrypt", ...CAPS];
const PUSHING: readonly AwsCauseCode[] = ["aws.build.cannot-push", "aws.ecr.repository-missing", ...CAPS];
const CREATING: readonly AwsCauseCode[] = [
  "aws.build.cannot-see-function",
  "aws.build.cannot-create",
  "aws.build.cannot-tag",
  "aws.build.cannot-pass-role",
  "aws.lambda.execution-role-missing",
  "aws.lambda.execution-role-trust",
  "aws.ecr.lambda-not-admitted",
  ...CAPS,
];
const OPENING: readonly AwsCauseCode[] = ["aws.build.cannot-set-url", "aws.build.cannot-permit", ...CAPS];
const LOGGING: readonly AwsCauseCode[] = ["aws.build.cannot-write-log", "aws.codebuild.log-group-missing", ...CAPS];
const ASSUMING: readonly AwsCauseCode[] = ["aws.codebuild.role-missing", "aws.codebuild.role-trust", "aws.codebuild.role-trust-other-project"];
const ABSENT: readonly AwsCauseCode[] = ["aws.codebuild.project-missing", "aws.codebuild.project-other-region"];

const serviceTrust = (service: string, condition?: Statement["Condition"]): Statement => ({ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole", ...(condition ? { Condition: condition } : {}) });

/** The build's role without one right. */
const without = (action: string, told: string, oneOf: readonly AwsCauseCode[], cause: AwsCauseCode): BuildBreakage => ({
  name: `the build's role lacks ${action}`,
  failureMode: NOT_UPDATED,
  break: (administrator) => administrator.withholdFromBuild(action),
  told,
  expect: narrowed(oneOf, cause),
});

const projectRows: BuildBreakage[] = [
  {
    name: "the project does not exist",
    failureMode: "CodeBuild project missing",
    break: (administrator) => administrator.deleteProject(),
    told: "ResourceNotFoundException",
    expect: narrowed(ABSENT, "aws.codebuild.project-missing"),
  },
  {
    name: "the project is in another region",
    failureMode: "CodeBuild project missing",
    break: (administrator) => administrator.moveProject("eu-central-1"),
    told: "ResourceNotFoundException",
    expect: narrowed(ABSENT, "aws.codebuild.project-other-region"),
  },
  {
    name: "the project does not set ECR_REPOSITORY_URI",
    failureMode: "ECR_REPOSITORY_URI is required",
    break: (administrator) => administrator.setVariables(({ name }) => name !== "ECR_REPOSITORY_URI"),
    told: "PRE_BUILD COMMAND_EXECUTION_ERROR",
    expect: always("aws.codebuild.repository-variable-missing"),
  },
  {
    name: "the project does not set LAMBDA_EXECUTION_ROLE_ARN",
    failureMode: "LAMBDA_EXECUTION_ROLE_ARN is required",
    break: (administrator) => administrator.setVariables(({ name }) => name !== "LAMBDA_EXECUTION_ROLE_ARN"),
    told: "PRE_BUILD COMMAND_EXECUTION_ERROR",
    expect: always("aws.codebuild.execution-role-variable-missing"),
  },
  {
    name: "the project is not privileged",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.updateEnvironment({ privilegedMode: false }),
    told: "BUILD COMMAND_EXECUTION_ERROR",
    expect: always("aws.codebuild.not-privileged"),
  },
  {
    name: "the project builds images for another processor",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.updateEnvironment({ type: "ARM_CONTAINER", image: "aws/codebuild/amazonlinux-aarch64-standard:3.0" }),
    told: ": 502",
    expect: narrowed(["aws.codebuild.architecture", "aws.lambda.function-fails"], "aws.codebuild.architecture"),
  },
  {
    name: "builds run in a VPC without a way out",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.placeInNetwork(),
    told: "PRE_BUILD COMMAND_EXECUTION_ERROR",
    expect: { token: [...READING, "aws.codebuild.no-way-out"], account: [], both: ["aws.codebuild.no-way-out"] },
  },
  {
    name: "the account may run no builds",
    failureMode: NOT_UPDATED,
    break: async (administrator) => administrator.allowBuilds(0),
    told: "AccountLimitExceededException",
    expect: live("aws.codebuild.quota"),
  },
  {
    name: "the project pushes to a repository on which builds have no rights",
    failureMode: NOT_UPDATED,
    break: async (administrator) => {
      await administrator.call("ecr", "CreateRepository", { repositoryName: "other" });
      await administrator.setVariable("ECR_REPOSITORY_URI", (uri) => uri.replace(/\/.*$/, "/other"));
    },
    told: "BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed([...PUSHING, "aws.codebuild.variable-differs"], "aws.codebuild.variable-differs"),
  },
  {
    name: "the project gives functions another role than the execution role",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.setVariable("LAMBDA_EXECUTION_ROLE_ARN", (arn) => arn.replace(/[^/]*$/, administrator.buildRole)),
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed([...CREATING, "aws.codebuild.variable-differs"], "aws.codebuild.variable-differs"),
  },
  {
    name: "the project runs as a role that has no rights",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.runBuildsAs("somebody-else", serviceTrust("codebuild.amazonaws.com")),
    told: "PROVISIONING ACCESS_DENIED",
    expect: narrowed([...LOGGING, "aws.codebuild.role-differs"], "aws.codebuild.role-differs"),
  },
  {
    name: "the project's log group was deleted",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.deleteLogGroup(),
    told: "PROVISIONING ACCESS_DENIED",
    expect: narrowed(LOGGING, "aws.codebuild.log-group-missing"),
  },
];

const buildRoleRows: BuildBreakage[] = [
  {
    name: "CodeBuild may not assume the service role",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.setTrustOf(administrator.buildRole, serviceTrust("ec2.amazonaws.com")),
    told: "sts:AssumeRole",
    expect: narrowed(ASSUMING, "aws.codebuild.role-trust"),
  },
  {
    name: "the service role's trust is for another project",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.setTrustOf(administrator.buildRole, serviceTrust("codebuild.amazonaws.com", { ArnEquals: { "aws:SourceArn": `${administrator.projectArn}-old` } })),
    told: "sts:AssumeRole",
    expect: narrowed(ASSUMING, "aws.codebuild.role-trust-other-project"),
  },
  {
    name: "the service role's trust has no condition against a confused deputy",
    break: (administrator) => administrator.setTrustOf(administrator.buildRole, serviceTrust("codebuild.amazonaws.com")),
    expect: unnoticed("aws.codebuild.role-trust-open"),
  },
  {
    name: "the service role was deleted",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.deleteRoleOf(administrator.buildRole, "lambda-build"),
    told: "sts:AssumeRole",
    expect: narrowed(ASSUMING, "aws.codebuild.role-missing"),
  },
  without("s3:GetObject", "PRE_BUILD COMMAND_EXECUTION_ERROR", READING, "aws.build.cannot-read"),
  without("ecr:GetAuthorizationToken", "PRE_BUILD COMMAND_EXECUTION_ERROR", ["aws.build.cannot-push", ...CAPS], "aws.build.cannot-push"),
  without("ecr:InitiateLayerUpload", "BUILD COMMAND_EXECUTION_ERROR", PUSHING, "aws.build.cannot-push"),
  without("ecr:PutImage", "BUILD COMMAND_EXECUTION_ERROR", PUSHING, "aws.build.cannot-push"),
  without("logs:CreateLogStream", "PROVISIONING ACCESS_DENIED", LOGGING, "aws.build.cannot-write-log"),
  without("lambda:GetFunction", "POST_BUILD COMMAND_EXECUTION_ERROR", CREATING, "aws.build.cannot-see-function"),
  without("lambda:GetFunctionConfiguration", "POST_BUILD COMMAND_EXECUTION_ERROR", CREATING, "aws.build.cannot-see-function"),
  without("lambda:CreateFunction", "POST_BUILD COMMAND_EXECUTION_ERROR", CREATING, "aws.build.cannot-create"),
  without("lambda:TagResource", "POST_BUILD COMMAND_EXECUTION_ERROR", CREATING, "aws.build.cannot-tag"),
  without("iam:PassRole", "POST_BUILD COMMAND_EXECUTION_ERROR", CREATING, "aws.build.cannot-pass-role"),
  without("lambda:UpdateFunctionCode", "POST_BUILD COMMAND_EXECUTION_ERROR", ["aws.build.cannot-update", ...CAPS], "aws.build.cannot-update"),
  without("lambda:UpdateFunctionConfiguration", "POST_BUILD COMMAND_EXECUTION_ERROR", ["aws.build.cannot-update", ...CAPS], "aws.build.cannot-update"),
  without("lambda:GetFunctionUrlConfig", "POST_BUILD COMMAND_EXECUTION_ERROR", OPENING, "aws.build.cannot-set-url"),
  without("lambda:CreateFunctionUrlConfig", "POST_BUILD COMMAND_EXECUTION_ERROR", OPENING, "aws.build.cannot-set-url"),
  without("lambda:UpdateFunctionUrlConfig", "POST_BUILD COMMAND_EXECUTION_ERROR", ["aws.build.cannot-set-url", ...CAPS], "aws.build.cannot-set-url"),
  without("lambda:AddPermission", "POST_BUILD COMMAND_EXECUTION_ERROR", OPENING, "aws.build.cannot-permit"),
  {
    name: "the build's role may give a function's URL the first of its two permissions only",
    failureMode: NOT_UPDATED,
    break: async (administrator) => {
      await administrator.withholdFromBuild("lambda:AddPermission");
      await administrator.addToBuild({ Effect: "Allow", Action: "lambda:AddPermission", Resource: "*", Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } } });
    },
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(OPENING, "aws.build.cannot-permit"),
  },
  {
    name: "the build's role lacks logs:PutLogEvents",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.withholdFromBuild("logs:PutLogEvents"),
    expect: unnoticed("aws.build.cannot-write-log"),
  },
  {
    name: "the bucket's policy denies the build's role to read",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.addToBucketPolicy({ Effect: "Deny", Principal: { AWS: administrator.buildRoleArn }, Action: "s3:GetObject", Resource: `${administrator.bucketArn}/*` }),
    told: "PRE_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(READING, "aws.build.denied"),
  },
  {
    name: "the build's role may hand the execution role to another service only",
    failureMode: NOT_UPDATED,
    break: (administrator) =>
      administrator.editBuildRights((statement) => (statement.Action === "iam:PassRole" || [statement.Action].flat().includes("iam:PassRole") ? { ...statement, Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } } } : statement)),
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(CREATING, "aws.build.cannot-pass-role"),
  },
  {
    name: "the build's role may pass on every role",
    break: (administrator) => administrator.addToBuild({ Effect: "Allow", Action: "iam:PassRole", Resource: "*" }),
    expect: unnoticed("aws.build.pass-role-too-wide"),
  },
  {
    name: "the build's rights are on functions of another prefix",
    failureMode: NOT_UPDATED,
    break: (administrator) =>
      administrator.editBuildRights((statement) => (String(statement.Resource).includes(":function:") ? { ...statement, Resource: String(statement.Resource).replace(/:function:.*$/, ":function:other-*") } : statement)),
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(CREATING, "aws.build.cannot-see-function"),
  },
  {
    name: "the boundary of the build's role does not allow functions to be created",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.boundBuild({ Effect: "Allow", Action: ["s3:*", "ecr:*", "logs:*", "iam:*", "lambda:Get*", "lambda:Update*", "lambda:Add*", "lambda:TagResource", "lambda:CreateFunctionUrlConfig"], Resource: "*" }),
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(CREATING, "aws.build.boundary"),
    fix: "Add lambda:CreateFunction",
  },
  {
    name: "the boundary of the build's role denies that functions are created",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.boundBuild({ Effect: "Allow", Action: "*", Resource: "*" }, { Effect: "Deny", Action: "lambda:CreateFunction", Resource: "*" }),
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(CREATING, "aws.build.boundary"),
    fix: "Remove the Deny of lambda:CreateFunction on ",
  },
  {
    name: "a service control policy denies function URLs",
    failureMode: NOT_UPDATED,
    break: async (administrator) => administrator.control("scp", { Effect: "Deny", Action: "lambda:CreateFunctionUrlConfig", Resource: "*" }),
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: { token: OPENING, account: [], both: ["aws.build.organisation-denies"] },
  },
  {
    name: "the KMS key's policy does not let the build's role read",
    failureMode: NOT_UPDATED,
    encryption: "kms",
    break: async (administrator) => {
      const { Statement: statements } = await administrator.keyPolicy();
      await administrator.setKeyPolicy(statements.map((statement) => administrator.withoutBuildRole(statement)));
    },
    told: "PRE_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(READING, "aws.build.cannot-decrypt"),
  },
];

const repositoryRows: BuildBreakage[] = [
  {
    name: "the repository does not exist",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.call("ecr", "DeleteRepository", { repositoryName: administrator.repository, force: true }),
    told: "BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(PUSHING, "aws.ecr.repository-missing"),
  },
  {
    name: "the repository's policy denies the build's role to push",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.call("ecr", "SetRepositoryPolicy", { repositoryName: administrator.repository, policyText: policyText({ Effect: "Deny", Principal: { AWS: administrator.buildRoleArn }, Action: "ecr:PutImage" }, { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] }) }),
    told: "BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(PUSHING, "aws.build.denied"),
  },
  {
    name: "the repository's tags are immutable",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.call("ecr", "PutImageTagMutability", { repositoryName: administrator.repository, imageTagMutability: "IMMUTABLE" }),
    told: "BUILD COMMAND_EXECUTION_ERROR",
    expect: always("aws.ecr.tag-immutable"),
  },
  {
    name: "the repository's policy does not let Lambda pull",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.call("ecr", "DeleteRepositoryPolicy", { repositoryName: administrator.repository }),
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(CREATING, "aws.ecr.lambda-not-admitted"),
  },
];

const functionRows: BuildBreakage[] = [
  {
    name: "Lambda may not assume the execution role",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.setTrustOf(administrator.executionRole, serviceTrust("ec2.amazonaws.com")),
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(CREATING, "aws.lambda.execution-role-trust"),
  },
  {
    name: "the execution role was deleted",
    failureMode: NOT_UPDATED,
    break: (administrator) => administrator.deleteRoleOf(administrator.executionRole, "lambda-execution"),
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: narrowed(CREATING, "aws.lambda.execution-role-missing"),
  },
  {
    name: "Lambda is asked to create functions too often",
    failureMode: NOT_UPDATED,
    break: async (administrator) => administrator.failCalls("lambda:CreateFunction", { status: 429, code: "TooManyRequestsException", message: "Rate exceeded" }),
    told: "POST_BUILD COMMAND_EXECUTION_ERROR",
    expect: { token: CREATING, account: [], both: ["aws.build.call-failed"] },
  },
  {
    name: "the role may not follow builds",
    break: (administrator) => administrator.withholdFromRole("codebuild:BatchGetBuilds"),
    told: "not authorized to perform: codebuild:BatchGetBuilds",
    expect: narrowed(["aws.codebuild.action-not-allowed", "aws.builds.not-propagated"], "aws.codebuild.action-not-allowed"),
  },
  {
    name: "a service control policy denies builds",
    break: async (administrator) => administrator.control("scp", { Effect: "Deny", Action: "codebuild:StartBuild", Resource: "*" }),
    told: "with an explicit deny in a service control policy",
    expect: live("aws.builds.organisation-denies"),
  },
  {
    name: "the role may not start builds",
    break: (administrator) => administrator.withholdFromRole("codebuild:StartBuild"),
    told: "not authorized to perform: codebuild:StartBuild",
    expect: narrowed(["aws.codebuild.action-not-allowed", "aws.builds.not-propagated"], "aws.codebuild.action-not-allowed"),
  },
  {
    name: "the role's rights are on functions of another prefix",
    break: (administrator) => administrator.editRights((statement) => (String(statement.Resource).includes(":function:") ? { ...statement, Resource: String(statement.Resource).replace(/:function:.*$/, ":function:other-*") } : statement)),
    told: "not authorized to perform: lambda:GetFunction",
    expect: narrowed(["aws.lambda.action-not-allowed", "aws.builds.not-propagated"], "aws.lambda.action-not-allowed"),
  },
  {
    name: "the role may read every function and the project",
    break: (administrator) => administrator.setPermissions([{ Effect: "Allow", Action: ["lambda:Get*", "codebuild:BatchGet*"], Resource: "*" }], "everything"),
    expect: { token: ["aws.grants.too-wide"], account: [], both: ["aws.grants.too-wide"] },
  },
];

export const buildRows: readonly BuildBreakage[] = [...projectRows, ...buildRoleRows, ...repositoryRows, ...functionRows];

