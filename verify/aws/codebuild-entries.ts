/** What can be wrong between a staged archive and a function that answers. */
import type { CauseEntry, FailureMode } from "../causes.js";
import type { AwsCauseValues } from "./causes.js";
import { boundaryFix, nameOf, roleName, up } from "./fixes.js";

type Entry = CauseEntry<AwsCauseValues>;

const NOT_UPDATED: FailureMode = "CodeBuild starts but Lambda is not updated";
const MISSING: FailureMode = "CodeBuild project missing";

const buildGrant = ({ contract }: AwsCauseValues) => contract.grants.find((grant) => grant.kind === "codebuild-project");
const project = (values: AwsCauseValues) => buildGrant(values)?.project ?? "";
const buildRole = (values: AwsCauseValues) => values.found ?? nameOf(buildGrant(values)?.serviceRoleArn ?? "the project's service role");
const executionRole = (values: AwsCauseValues) => buildGrant(values)?.executionRoleArn ?? "the execution role";
const repository = (values: AwsCauseValues) => buildGrant(values)?.repositoryUri?.split("/").slice(1).join("/") ?? "the repository";
const inRegion = ({ exchange }: AwsCauseValues) => `--region ${exchange.region}`;

/** A right of the build's role. */
const right = (title: string, explanation: string, actions: string): Entry => ({
  title,
  failureMode: NOT_UPDATED,
  explanation,
  fix: (values) => `${up}, or add ${values.action ?? actions} on ${values.subject ?? "what builds deploy"} to the policies of the build's role ${buildRole(values)}.`,
});

const variable = (name: "ECR_REPOSITORY_URI" | "LAMBDA_EXECUTION_ROLE_ARN", value: (values: AwsCauseValues) => string): Entry => ({
  title: `The project does not set ${name}`,
  failureMode: `${name} is required`,
  explanation: "DCF's buildspec takes it from the project's environment variables and stops without it.",
  fix: (values) => `${up}, or add the environment variable ${name}=${value(values)} to project ${project(values)}.`,
});

export const buildCauses = {
  // ---- the project ----
  "aws.codebuild.project-missing": {
    title: "The CodeBuild project does not exist",
    failureMode: MISSING,
    explanation: "It was deleted, never created under this name, or is in another region: projects are looked for in one region.",
    fix: (values) => `${up}; the contract names ${project(values)} in ${values.exchange.region}.`,
  },
  "aws.codebuild.project-other-region": {
    title: "The CodeBuild project is in another region",
    failureMode: MISSING,
    explanation: "Projects are looked for in the contract's region.",
    fix: (values) => `Set the region to ${values.found ?? "the project's own"} in the stack's configuration (\`pulumi config set aws:region ${values.found ?? "…"}\`) and run \`pulumi up\`, or make the project in ${values.exchange.region}.`,
  },
  "aws.codebuild.action-not-allowed": {
    title: "The role may not use the CodeBuild project",
    explanation: "No policy of the role allows the action on the project.",
    fix: (values) => `${up}, or add ${values.action ?? "codebuild:StartBuild and codebuild:BatchGetBuilds"} on project ${project(values)} to the policy of role ${roleName(values)}.`,
  },
  "aws.codebuild.quota": {
    title: "The account may not run another build",
    failureMode: NOT_UPDATED,
    explanation: "The quota of builds that run at a time is used up; in new accounts it may be zero.",
    fix: (values) => `Ask for more "concurrently running builds" of CodeBuild in the console of Service Quotas (${values.exchange.region}), or wait for builds that are under way.`,
  },
  "aws.codebuild.role-missing": {
    title: "The build's service role does not exist",
    failureMode: NOT_UPDATED,
    explanation: "The project names a role that is no more.",
    fix: (values) => `${up}; the project's role is ${buildRole(values)}.`,
  },
  "aws.codebuild.role-trust": {
    title: "CodeBuild may not take on the build's service role",
    failureMode: NOT_UPDATED,
    explanation: "The role's trust policy has to let codebuild.amazonaws.com assume it.",
    fix: (values) => `${up}, or set in the trust policy of role ${buildRole(values)}: "Principal": { "Service": "codebuild.amazonaws.com" }, "Action": "sts:AssumeRole".`,
  },
  "aws.codebuild.role-trust-other-project": {
    title: "The service role's trust is for another project",
    failureMode: NOT_UPDATED,
    explanation: "Its condition on aws:SourceArn or aws:SourceAccount, which keeps CodeBuild from being used as a confused deputy, does not name this project.",
    fix: (values) => `${up}, or set aws:SourceArn in the trust policy of role ${buildRole(values)} to ${values.subject ?? `the ARN of project ${project(values)}`}.`,
  },
  "aws.codebuild.role-trust-open": {
    title: "The service role's trust lacks the condition on its project",
    explanation: "Without aws:SourceArn or aws:SourceAccount, another customer's CodeBuild could be made to use the role.",
    fix: () => `${up}.`,
  },
  "aws.codebuild.role-differs": {
    title: "The project runs as another role than the contract's",
    failureMode: NOT_UPDATED,
    explanation: "The project was changed after the contract was written; what builds need is granted to the contract's role.",
    fix: (values) => `${up}, or: aws codebuild update-project --name ${project(values)} --service-role ${values.expected ?? "<the contract's role>"} ${inRegion(values)}`,
  },
  "aws.codebuild.not-privileged": {
    title: "The project is not privileged",
    failureMode: NOT_UPDATED,
    explanation: "Docker's daemon runs inside the build only in privileged mode.",
    fix: (values) => `${up}, or switch "Privileged" on in the environment of project ${project(values)}.`,
  },
  "aws.codebuild.repository-variable-missing": variable("ECR_REPOSITORY_URI", (values) => buildGrant(values)?.repositoryUri ?? "<repository URI>"),
  "aws.codebuild.execution-role-variable-missing": variable("LAMBDA_EXECUTION_ROLE_ARN", executionRole),
  "aws.codebuild.variable-differs": {
    title: "An environment variable of the project is not the contract's",
    failureMode: NOT_UPDATED,
    explanation: "Builds push to one repository and hand one role to functions; their rights are on the contract's.",
    fix: (values) => `${up}, or set ${values.subject ?? "the variable"}=${values.expected ?? ""} in project ${project(values)}.`,
  },
  "aws.codebuild.architecture": {
    title: "The project builds for another processor than functions run on",
    failureMode: NOT_UPDATED,
    explanation: "An image has the processor of the machine that built it; functions are x86_64 unless they say otherwise.",
    fix: (values) => `${up}, or set the environment of project ${project(values)} to LINUX_CONTAINER.`,
  },
  "aws.codebuild.no-way-out": {
    title: "Builds run in a VPC that has no way out",
    failureMode: NOT_UPDATED,
    explanation: "A build has to reach S3, ECR, Lambda and CloudWatch Logs: by a NAT gateway or by VPC endpoints.",
    fix: (values) => `Give the subnets of project ${project(values)} a NAT gateway or VPC endpoints, or take the project out of the VPC.`,
  },
  "aws.codebuild.network-not-allowed": {
    title: "The build's role may not place builds in the project's VPC",
    failureMode: NOT_UPDATED,
    explanation: "CodeBuild makes network interfaces in the role's name.",
    fix: (values) => `Grant ec2:CreateNetworkInterface, ec2:DescribeNetworkInterfaces, ec2:DeleteNetworkInterface, ec2:DescribeSubnets, ec2:DescribeSecurityGroups, ec2:DescribeDhcpOptions, ec2:DescribeVpcs and ec2:CreateNetworkInterfacePermission to role ${buildRole(values)}, or take project ${project(values)} out of the VPC.`,
  },
  "aws.codebuild.buildspec-refused": {
    title: "CodeBuild cannot read the buildspec",
    failureMode: NOT_UPDATED,
    explanation: "The buildspec of the platform was overridden, or changed on its way.",
    fix: (values) => `Check what answers as CodeBuild for project ${project(values)}: ${values.found ?? "see the evidence"}.`,
  },
  "aws.codebuild.build-failed": {
    title: "The build failed for a reason that its phases do not tell",
    failureMode: NOT_UPDATED,
    explanation: "The platform may not read build logs, where the reason stands.",
    fix: (values) => `Read the build's log: aws logs tail /aws/codebuild/${project(values)} ${inRegion(values)}; or run verify with --account.`,
  },
  "aws.codebuild.image-not-built": {
    title: "The image could not be built",
    failureMode: NOT_UPDATED,
    explanation: "`docker build` failed although Docker runs: often the base image cannot be pulled.",
    fix: (values) => `Read the build's log: aws logs tail /aws/codebuild/${project(values)} ${inRegion(values)}.`,
  },
  "aws.codebuild.log-group-missing": {
    title: "The project's log group does not exist",
    failureMode: NOT_UPDATED,
    explanation: "A build begins with its log; its role may write to the group but not create it.",
    fix: (values) => `${up}, or: aws logs create-log-group --log-group-name ${values.subject ?? `/aws/codebuild/${project(values)}`} ${inRegion(values)}`,
  },
  // ---- the build's role ----
  "aws.build.cannot-read": right("The build's role may not read the staged archive", "The archive is read from the bucket with the build's own role.", "s3:GetObject"),
  "aws.build.cannot-decrypt": {
    title: "The build's role may not use the bucket's KMS key",
    failureMode: NOT_UPDATED,
    explanation: "S3 decrypts the staged archive in the role's name: the role's policy and the key's own must both allow it.",
    fix: (values) => `${up}, or allow kms:Decrypt through S3 on ${values.subject ?? "the bucket's key"} for role ${buildRole(values)}, in its policy and in the key's.`,
  },
  "aws.build.cannot-push": right("The build's role may not push images", "A push asks for layers, uploads them and stores a manifest.", "the actions of a push"),
  "aws.build.cannot-write-log": right("The build's role may not write the build's log", "A build begins with its log stream; without one it does not start.", "logs:CreateLogStream and logs:PutLogEvents"),
  "aws.build.cannot-see-function": right("The build's role may not read functions", "Whether to create or to update shows by reading.", "lambda:GetFunction and lambda:GetFunctionConfiguration"),
  "aws.build.cannot-create": right("The build's role may not create functions", "The first deployment creates the function.", "lambda:CreateFunction"),
  "aws.build.cannot-tag": right("The build's role may not tag functions", "A function that is created with tags needs the right to tag too.", "lambda:TagResource"),
  "aws.build.cannot-update": right("The build's role may not update functions", "Every deployment after the first updates code and configuration.", "lambda:UpdateFunctionCode and lambda:UpdateFunctionConfiguration"),
  "aws.build.cannot-set-url": right("The build's role may not give functions a URL", "A public function has a URL, which is made once and kept up to date.", "lambda:CreateFunctionUrlConfig, lambda:UpdateFunctionUrlConfig and lambda:GetFunctionUrlConfig"),
  "aws.build.cannot-permit": right("The build's role may not let the public call functions", "A public URL needs lambda:InvokeFunctionUrl and lambda:InvokeFunction for everybody in the function's policy.", "lambda:AddPermission"),
  "aws.build.cannot-pass-role": {
    title: "The build's role may not hand the execution role to Lambda",
    failureMode: NOT_UPDATED,
    explanation: "Creating a function with a role needs iam:PassRole on that role, to lambda.amazonaws.com.",
    fix: (values) => `${up}, or allow iam:PassRole on ${executionRole(values)} with iam:PassedToService lambda.amazonaws.com to role ${buildRole(values)}.`,
  },
  "aws.build.pass-role-too-wide": {
    title: "The build's role may pass on more than the execution role to Lambda",
    explanation: "Whoever starts builds could run code as any role that the build's role may pass.",
    fix: (values) => `${up}, or restrict iam:PassRole of role ${buildRole(values)} to ${executionRole(values)} and to lambda.amazonaws.com.`,
  },
  "aws.build.boundary": {
    title: "The permissions boundary of the build's role does not allow what builds need",
    failureMode: NOT_UPDATED,
    explanation: "A boundary caps what the role's policies grant.",
    fix: (values) => boundaryFix(values, values.subject ?? "what builds deploy", buildRole(values)),
  },
  "aws.build.denied": {
    title: "A policy denies what the build does",
    failureMode: NOT_UPDATED,
    explanation: "An explicit deny, in a policy of the build's role or of the thing itself, wins over every grant.",
    fix: (values) => `Take the statement that denies ${values.action ?? "the action"} on ${values.subject ?? "what builds deploy"} to role ${buildRole(values)} out of the policy that the evidence names; where the stack made that policy, \`pulumi up\` puts it back.`,
  },
  "aws.build.call-failed": {
    title: "A call of the build was answered with an error that is not about rights",
    failureMode: NOT_UPDATED,
    explanation: "The service was asked too often, did not work, or did not take what it was given: its own words are in the evidence.",
    fix: (values) => `Where the evidence speaks of a rate or of an internal error, deploy again; otherwise read the build's log: aws logs tail /aws/codebuild/${project(values)} ${inRegion(values)}.`,
  },
  "aws.build.organisation-denies": {
    title: "A policy of the organisation denies what the build does",
    failureMode: NOT_UPDATED,
    explanation: "Service and resource control policies cap every identity of the account.",
    fix: (values) => `Ask the organisation's administrators to allow ${values.action ?? "the action"} for role ${buildRole(values)} in account ${values.exchange.accountId}.`,
  },
  // ---- the repository ----
  "aws.ecr.repository-missing": {
    title: "The ECR repository does not exist",
    failureMode: NOT_UPDATED,
    explanation: "Images are pushed to a repository in the project's region.",
    fix: (values) => `${up}, or: aws ecr create-repository --repository-name ${repository(values)} ${inRegion(values)}`,
  },
  "aws.ecr.tag-immutable": {
    title: "The repository's tags are immutable",
    failureMode: NOT_UPDATED,
    explanation: "DCF's buildspec tags a function's image with the function's name: the second deployment moves the tag.",
    fix: (values) => `aws ecr put-image-tag-mutability --repository-name ${repository(values)} --image-tag-mutability MUTABLE ${inRegion(values)} (and lambdaBuild.repository.immutableTags false in the stack's configuration)`,
  },
  "aws.ecr.lambda-not-admitted": {
    title: "The repository's policy does not let Lambda pull images",
    failureMode: NOT_UPDATED,
    explanation: "Lambda reads a function's image by leave of the repository's policy.",
    fix: (values) => `${up}, or allow ecr:BatchGetImage and ecr:GetDownloadUrlForLayer to lambda.amazonaws.com in the policy of repository ${repository(values)}.`,
  },
  // ---- functions ----
  "aws.lambda.action-not-allowed": {
    title: "The role may not use functions of the contract's prefix",
    explanation: "Rights on functions are scoped by the name's beginning: no policy of the role allows the action there.",
    fix: (values) => `${up}, or add ${values.action ?? "the action"} on ${values.subject ?? "functions of the prefix"} to the policy of role ${roleName(values)}.`,
  },
  "aws.lambda.execution-role-missing": {
    title: "The functions' execution role does not exist",
    failureMode: NOT_UPDATED,
    explanation: "Lambda creates no function with a role that is not there.",
    fix: (values) => `${up}; the contract names ${executionRole(values)}.`,
  },
  "aws.lambda.execution-role-trust": {
    title: "Lambda may not take on the execution role",
    failureMode: NOT_UPDATED,
    explanation: "The role's trust policy has to let lambda.amazonaws.com assume it for this account.",
    fix: (values) => `${up}, or set in the trust policy of ${executionRole(values)}: "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole".`,
  },
  "aws.lambda.not-deployed": {
    title: "The build succeeded, and there is no function",
    failureMode: NOT_UPDATED,
    explanation: "The buildspec deploys under the name that it is given; something else ran.",
    fix: (values) => `Read the build's log: aws logs tail /aws/codebuild/${project(values)} ${inRegion(values)}.`,
  },
  "aws.lambda.not-updated": {
    title: "The build succeeded, and the function has its former image",
    failureMode: NOT_UPDATED,
    explanation: "The second build pushed another image, which the function does not run.",
    fix: (values) => `Read the build's log: aws logs tail /aws/codebuild/${project(values)} ${inRegion(values)}.`,
  },
  "aws.lambda.url-not-public": {
    title: "The function's URL refuses the public",
    explanation: "A public URL needs two permissions in the function's policy: lambda:InvokeFunctionUrl and lambda:InvokeFunction (the latter by URL). One of them is missing, or the URL asks for IAM.",
    fix: (values) => `Compare \`aws lambda get-policy --function-name ${values.subject ?? "<function>"} ${inRegion(values)}\`: Principal "*" must be allowed both actions.`,
  },
  "aws.lambda.function-fails": {
    title: "The function is called and fails",
    explanation: "Its URL answers with an error of Lambda: it does not start, or it ends with an error.",
    fix: (values) => `Read its log: aws logs tail /aws/lambda/${values.subject ?? "<function>"} ${inRegion(values)}.`,
  },
  // ---- either ----
  "aws.builds.boundary": {
    title: "The role's permissions boundary does not allow the use of builds and functions",
    explanation: "A boundary caps what the role's policies grant.",
    fix: (values) => boundaryFix(values, values.subject ?? "it", roleName(values)),
  },
  "aws.builds.organisation-denies": {
    title: "A policy of the organisation denies the use of builds and functions",
    explanation: "Service and resource control policies cap every identity of the account.",
    fix: (values) => `Ask the organisation's administrators to allow ${values.action ?? "the action"} for role ${roleName(values)} in account ${values.exchange.accountId}.`,
  },
  "aws.builds.not-propagated": {
    title: "The change of a policy has not taken effect yet",
    explanation: "New policies take up to a few minutes.",
    fix: () => "Run verify again with --wait 2m.",
  },
} as const satisfies Record<string, Entry>;
