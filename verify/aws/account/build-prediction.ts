/**
 * What would stop a build, by the account's own configuration: each part of it on its own, in the order in which a build
 * meets them.
 */
import { environmentTypes } from "../../../facts/aws/codebuild.js";
import { CODEBUILD_PRINCIPAL } from "../../../facts/aws/codebuild.js";
import { dcfProjectVariables } from "../../../facts/aws/dcf-buildspec.js";
import { imagePullActions } from "../../../facts/aws/ecr.js";
import { architectures, lambdaDefaults, LAMBDA_PRINCIPAL } from "../../../facts/aws/lambda.js";
import { authorize } from "../../../trust/aws/authorize.js";
import type { Cause } from "../../causes.js";
import { VARIABLE_CAUSES } from "../build-diagnosis.js";
import { projectArn, type BuildGrant } from "../codebuild.js";
import { nameOf } from "../fixes.js";
import { canaryName, functionArn } from "../lambda.js";
import { cause, type AwsRun } from "../run.js";
import { readProject, readRepository, regionOfProject } from "./build-reading.js";
import { rightsOfBuild } from "./build-rights.js";
import type { AccountReader, Reading } from "./reader.js";

/** What was found in one part; `reason` when it could not be read. */
export type PartFindings = { status: "read"; causes: Cause[]; seen: string } | { status: "unknown"; reason: string };

const found = (seen: string, ...causes: (Cause | undefined)[]): PartFindings => ({ status: "read", seen, causes: causes.filter((each) => each !== undefined) });

export function unread(reading: Exclude<Reading<unknown>, { status: "read" }>): PartFindings {
  return { status: "unknown", reason: reading.status === "absent" ? reading.detail : reading.reason };
}

/** Causes of all parts that could be read, those first that a build meets first. */
export async function predictBuild(run: AwsRun, account: AccountReader, grant: BuildGrant): Promise<Cause[]> {
  const parts = await Promise.all([projectPart, rolePart, rightsPart, repositoryPart, executionRolePart].map((part) => part(run, account, grant)));
  return parts.flatMap((part) => (part.status === "read" ? part.causes : []));
}

export async function projectPart(run: AwsRun, account: AccountReader, grant: BuildGrant): Promise<PartFindings> {
  const reading = await readProject(account, grant);
  if (reading.status === "unreadable") return unread(reading);
  if (reading.status === "absent") {
    const region = await regionOfProject(account, grant);
    return region === undefined
      ? found(reading.detail, cause(run, "aws.codebuild.project-missing", reading.detail))
      : found(`in ${region}`, cause(run, "aws.codebuild.project-other-region", [reading.detail, `there is one in ${region}`], { found: region }));
  }
  const { environment, serviceRole, vpcConfig } = reading.value;
  const variables = new Map((environment?.environmentVariables ?? []).map(({ name, value }) => [name, value]));
  const expected = { ECR_REPOSITORY_URI: grant.repositoryUri, LAMBDA_EXECUTION_ROLE_ARN: grant.executionRoleArn };
  const wrongVariables = dcfProjectVariables.map((name) => {
    const value = variables.get(name) ?? "";
    const wanted = expected[name];
    if (value === "") return cause(run, VARIABLE_CAUSES[name], `project ${grant.project} has no environment variable ${name}`);
    return wanted === undefined || value === wanted ? undefined : cause(run, "aws.codebuild.variable-differs", `${name} of project ${grant.project} is ${value}, the contract has ${wanted}`, { subject: name, expected: wanted });
  });
  const privileged = environment?.privilegedMode === true;
  const type = environment?.type ?? "";
  const architecture = Object.entries(environmentTypes).find(([name]) => name === type)?.[1].architecture;
  const foreign = architecture !== undefined && architecture !== architectures[lambdaDefaults.architecture];
  const seen = [`${privileged ? "" : "not "}privileged`, type, `runs as ${nameOf(serviceRole ?? "")}`, ...(vpcConfig?.vpcId === undefined ? [] : [`in VPC ${vpcConfig.vpcId}`])].join(", ");
  return found(
    seen,
    ...wrongVariables,
    privileged ? undefined : cause(run, "aws.codebuild.not-privileged", `privilegedMode of project ${grant.project} is false`),
    foreign ? cause(run, "aws.codebuild.architecture", `the environment of project ${grant.project} is ${type}, which makes images for ${architecture}`) : undefined,
    grant.serviceRoleArn !== undefined && serviceRole !== grant.serviceRoleArn
      ? cause(run, "aws.codebuild.role-differs", `project ${grant.project} runs as ${serviceRole ?? "no role"}, the contract has ${grant.serviceRoleArn}`, { expected: grant.serviceRoleArn })
      : undefined,
  );
}

/** The role that builds run as: the project's own word counts, then the contract's. */
export async function serviceRoleOf(account: AccountReader, grant: BuildGrant): Promise<string | undefined> {
  const project = await readProject(account, grant);
  return (project.status === "read" ? project.value.serviceRole : undefined) ?? grant.serviceRoleArn;
}

export async function rolePart(run: AwsRun, account: AccountReader, grant: BuildGrant): Promise<PartFindings> {
  const arn = await serviceRoleOf(account, grant);
  if (arn === undefined) return { status: "unknown", reason: "the contract does not name the project's service role" };
  return ofContractsRole(run, grant, arn, await trustPart(run, account, grant, arn));
}

async function trustPart(run: AwsRun, account: AccountReader, grant: BuildGrant, arn: string): Promise<PartFindings> {
  const reading = await account.role(arn);
  const values = { found: nameOf(arn) };
  if (reading.status === "absent") return found(reading.detail, cause(run, "aws.codebuild.role-missing", `there is no role ${arn}: ${reading.detail}`, values));
  if (reading.status === "unreadable") return unread(reading);
  const source = { service: CODEBUILD_PRINCIPAL, arn: projectArn(run, grant) };
  const { trustPolicy } = reading.value;
  if (!trusts(run, trustPolicy, arn, source)) {
    const condition = trusts(run, withoutConditions(trustPolicy), arn, source);
    const code = condition ? "aws.codebuild.role-trust-other-project" : "aws.codebuild.role-trust";
    const why = condition ? `a condition of its trust policy does not hold for ${source.arn}` : `its trust policy does not let ${CODEBUILD_PRINCIPAL} assume it`;
    return found(why, cause(run, code, `role ${nameOf(arn)}: ${why}`, { ...values, subject: source.arn }));
  }
  const ours = run.contract.targets.some(({ id, ownership }) => id === arn && ownership === "created");
  const stranger = { service: CODEBUILD_PRINCIPAL, arn: `arn:${run.exchange.partition}:codebuild:${grant.region}:${STRANGER}:project/${grant.project}`, account: STRANGER };
  const open = ours && trusts(run, trustPolicy, arn, stranger);
  return found(`${nameOf(arn)}: CodeBuild may assume it for this project`, open ? cause(run, "aws.codebuild.role-trust-open", `role ${nameOf(arn)}: CodeBuild could assume it for a project of another account`, values) : undefined);
}

/** An account that is nobody's here. https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html uses such ones */
const STRANGER = "000000000000";

export async function rightsPart(run: AwsRun, account: AccountReader, grant: BuildGrant): Promise<PartFindings> {
  const arn = await serviceRoleOf(account, grant);
  if (arn === undefined) return { status: "unknown", reason: "the contract does not name the project's service role" };
  return ofContractsRole(run, grant, arn, await rightsOfBuild(run, account, grant, arn));
}

/** What another role than the contract's lacks is no reason to give it that. */
function ofContractsRole(run: AwsRun, { project, serviceRoleArn }: BuildGrant, arn: string, part: PartFindings): PartFindings {
  if (serviceRoleArn === undefined || arn === serviceRoleArn || part.status !== "read" || part.causes.length === 0) return part;
  const evidence = [`project ${project} runs as ${arn}, the contract has ${serviceRoleArn}`, ...part.causes.flatMap(({ evidence: of }) => of)];
  return { ...part, causes: [cause(run, "aws.codebuild.role-differs", evidence, { expected: serviceRoleArn })] };
}

export async function repositoryPart(run: AwsRun, account: AccountReader, grant: BuildGrant): Promise<PartFindings> {
  const { repositoryUri: uri } = grant;
  if (uri === undefined) return { status: "unknown", reason: "the contract does not name the repository" };
  const reading = await readRepository(account, uri, grant.region);
  if (reading.status === "absent") return found(reading.detail, cause(run, "aws.ecr.repository-missing", reading.detail));
  if (reading.status === "unreadable") return unread(reading);
  const { policy, tagMutability } = reading.value;
  if (policy.status === "unreadable") return unread(policy);
  const fixed = tagMutability === "IMMUTABLE" ? cause(run, "aws.ecr.tag-immutable", `imageTagMutability of ${uri} is ${tagMutability}`) : undefined;
  const name = canaryName({ functionNamePrefix: grant.functionNamePrefix ?? "" }, run.runId);
  const source = { service: LAMBDA_PRINCIPAL, arn: functionArn(run, grant, name) };
  const document = policy.status === "read" ? onAll(policy.value) : undefined;
  const refused = imagePullActions.filter((action) => document === undefined || !serviceMay(run, { name: `policy of repository ${uri}`, document }, action, uri, source));
  const closed = refused.length === 0 ? undefined : cause(run, "aws.ecr.lambda-not-admitted", policy.status === "read" ? `the repository's policy does not allow ${refused.join(", ")} to ${LAMBDA_PRINCIPAL} for ${source.arn}` : `repository ${uri} has no policy`);
  return found(`tags ${tagMutability}, Lambda ${refused.length === 0 ? "may" : "may not"} pull`, closed, fixed);
}

export async function executionRolePart(run: AwsRun, account: AccountReader, grant: BuildGrant): Promise<PartFindings> {
  const { executionRoleArn: arn } = grant;
  if (arn === undefined) return { status: "unknown", reason: "the contract does not name the execution role" };
  const reading = await account.role(arn);
  if (reading.status === "absent") return found(reading.detail, cause(run, "aws.lambda.execution-role-missing", `there is no role ${arn}: ${reading.detail}`));
  if (reading.status === "unreadable") return unread(reading);
  if (trusts(run, reading.value.trustPolicy, arn, { service: LAMBDA_PRINCIPAL })) return found(`${nameOf(arn)}: Lambda may assume it`);
  const why = `the trust policy of ${arn} does not let ${LAMBDA_PRINCIPAL} assume it for account ${run.exchange.accountId}`;
  return found(why, cause(run, "aws.lambda.execution-role-trust", why));
}

interface ServiceSource {
  service: string;
  /** ARN of the resource on whose behalf, where the service says it. */
  arn?: string;
  /** Its account; default: the contract's. */
  account?: string;
}

function trusts(run: AwsRun, trustPolicy: string, roleArn: string, source: ServiceSource): boolean {
  return serviceMay(run, { name: "trust policy", document: onAll(trustPolicy) }, "sts:AssumeRole", roleArn, source);
}

function serviceMay(run: AwsRun, policy: { name: string; document: string }, action: string, resource: string, { service, arn, account = run.exchange.accountId }: ServiceSource): boolean {
  const context = { "aws:SecureTransport": "true", "aws:SourceAccount": account, ...(arn === undefined ? {} : { "aws:SourceArn": arn }) };
  return authorize({ principal: { kind: "service", arn: service, accountId: account }, action, resource, resourceAccountId: run.exchange.accountId, context }, { identity: [], resource: policy, resourcePolicyDecides: true }).allowed;
}

/** Trust and repository policies are about the one thing that they belong to and name none. */
function onAll(document: string): string {
  return rewritten(document, (statement) => ({ Resource: "*", ...statement }));
}

function withoutConditions(document: string): string {
  return rewritten(document, ({ Condition: _condition, ...statement }) => statement);
}

function rewritten(document: string, change: (statement: Record<string, unknown>) => object): string {
  const { Statement: statements = [], ...rest } = JSON.parse(document) as { Statement?: Record<string, unknown> | Record<string, unknown>[] };
  return JSON.stringify({ ...rest, Statement: [statements].flat().map(change) });
}
