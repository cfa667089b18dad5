/** What the build's role may do, of all that DCF's buildspec needs; and whether it may pass on more than it should. */
import { partitionNamed } from "../../../facts/aws/partitions.js";
import { awsPermissions, type Permission } from "../../../facts/aws/permissions.js";
import { LAMBDA_PRINCIPAL } from "../../../facts/aws/lambda.js";
import { authorize } from "../../../trust/aws/authorize.js";
import type { Authorization, NamedPolicy, Principal } from "../../../trust/aws/types.js";
import type { Cause } from "../../causes.js";
import { RIGHT_CAUSES } from "../build-log.js";
import { bucketArn } from "../bucket.js";
import { canaryKey, stagingGrant } from "../canary-staging.js";
import type { AwsCauseCode } from "../causes.js";
import type { BuildGrant } from "../codebuild.js";
import { nameOf } from "../fixes.js";
import { canaryName, functionArn } from "../lambda.js";
import { cause, SESSION_PREFIX, type AwsRun } from "../run.js";
import type { PartFindings } from "./build-prediction.js";
import { readLogGroup, readProject, readRepository } from "./build-reading.js";
import type { AccountReader, RoleFacts, RolePolicies } from "./reader.js";

interface Need {
  action: string;
  resource: string;
  context?: Record<string, string>;
  resourcePolicy?: NamedPolicy | undefined;
  resourcePolicyDecides?: boolean;
}

export async function rightsOfBuild(run: AwsRun, account: AccountReader, grant: BuildGrant, roleArn: string): Promise<PartFindings> {
  const [role, policies] = await Promise.all([account.role(roleArn), account.policies(roleArn)]);
  if (role.status === "unreadable") return { status: "unknown", reason: role.reason };
  if (policies.status === "unreadable") return { status: "unknown", reason: policies.reason };
  // A role that does not exist is another part's finding.
  if (role.status === "absent" || policies.status === "absent") return { status: "read", causes: [], seen: `${roleArn} does not exist` };
  const needs = await needsOf(run, account, grant);
  if ("reason" in needs) return { status: "unknown", reason: needs.reason };
  const caller = new BuildCaller(run, role.value, policies.value);
  const refused = needs.all.map((need) => ({ need, decision: caller.decide(need) })).filter(({ decision }) => !decision.allowed);
  const causes = grouped(run, refused, nameOf(roleArn));
  const group = causes.some(({ code }) => code === "aws.build.cannot-write-log") ? undefined : await missingLogGroup(run, account, grant, caller);
  const wide = widePassRole(run, grant, caller, nameOf(roleArn));
  const seen = refused.length === 0 ? `${needs.all.length} actions that builds need would be allowed` : `${refused.map(({ need }) => need.action).join(", ")} would be refused`;
  return { status: "read", seen, causes: [...(group ? [group] : []), ...causes, ...(wide ? [wide] : [])] };
}

class BuildCaller {
  readonly #principal: Principal;

  constructor(
    private readonly run: AwsRun,
    role: RoleFacts,
    private readonly policies: RolePolicies,
  ) {
    const { partition, accountId } = run.exchange;
    const sessionName = `AWSCodeBuild-${run.runId}`;
    this.#principal = { kind: "role-session", arn: `arn:${partition}:sts::${accountId}:assumed-role/${nameOf(role.arn)}/${sessionName}`, accountId, roleArn: role.arn, uniqueId: role.roleId, sessionName };
  }

  decide({ action, resource, context, resourcePolicy, resourcePolicyDecides }: Need): Authorization {
    return authorize(
      // Bucket ARNs name no account.
      { principal: this.#principal, action, resource, resourceAccountId: resource.split(":")[4] || this.run.exchange.accountId, context: { "aws:SecureTransport": "true", ...context } },
      { identity: this.policies.identity, boundary: this.policies.boundary, resource: resourcePolicy, ...(resourcePolicyDecides === undefined ? {} : { resourcePolicyDecides }) },
    );
  }
}

/** Name of the log group that the project writes to, where it writes one. */
async function logGroupOf(account: AccountReader, grant: BuildGrant): Promise<string | undefined> {
  const project = await readProject(account, grant);
  const logs = project.status === "read" ? project.value.logsConfig?.cloudWatchLogs : undefined;
  return logs?.status === "DISABLED" ? undefined : (logs?.groupName ?? `/aws/codebuild/${grant.project}`);
}

async function needsOf(run: AwsRun, account: AccountReader, grant: BuildGrant): Promise<{ all: Need[] } | { reason: string }> {
  const { partition, accountId } = run.exchange;
  const { region, repositoryUri, executionRoleArn } = grant;
  const staging = stagingGrant(run.contract.grants, grant);
  const logGroup = await logGroupOf(account, grant);
  const [repository, bucket] = await Promise.all([
    repositoryUri === undefined ? undefined : readRepository(account, repositoryUri, region),
    staging && account.bucket(staging.bucket, staging.region),
  ]);
  const bucketPolicy = bucket?.policy;
  if (bucketPolicy?.status === "unreadable") return { reason: bucketPolicy.reason };
  const repositoryPolicy = repository?.status === "read" ? repository.value.policy : undefined;
  const named = (name: string, reading: typeof bucketPolicy): NamedPolicy | undefined => (reading?.status === "read" ? { name, document: reading.value } : undefined);
  const [registry = "", ...path] = (repositoryUri ?? "").split("/");
  const repositoryArn = `arn:${partition}:ecr:${region}:${registry.split(".")[0] ?? accountId}:repository/${path.join("/")}`;
  const resources: Readonly<Partial<Record<Permission["on"], Omit<Need, "action">>>> = {
    ...(staging ? { object: { resource: `${bucketArn(run, staging.bucket)}/${canaryKey(staging, grant, run.runId, 1)}`, context: { "aws:ResourceAccount": staging.accountId, "s3:ResourceAccount": staging.accountId }, resourcePolicy: named(`policy of bucket ${staging.bucket}`, bucketPolicy) } } : {}),
    any: { resource: "*" },
    // A repository's policy names no resource.
    ...(repositoryUri === undefined ? {} : { repository: { resource: repositoryArn, resourcePolicy: repositoryPolicy?.status === "read" ? { name: `policy of repository ${repositoryUri}`, document: withResource(repositoryPolicy.value) } : undefined } }),
    ...(logGroup === undefined ? {} : { "log-stream": { resource: `arn:${partition}:logs:${region}:${accountId}:log-group:${logGroup}:log-stream:${run.runId}` } }),
    function: { resource: functionArn(run, grant, canaryName({ functionNamePrefix: grant.functionNamePrefix ?? "" }, run.runId)) },
    ...(executionRoleArn === undefined ? {} : { role: { resource: executionRoleArn, context: { "iam:PassedToService": LAMBDA_PRINCIPAL } } }),
  };
  const all = awsPermissions["lambda-build"].flatMap(({ action, on }): Need[] => {
    const resource = resources[on];
    return resource ? [{ action, ...resource }] : [];
  });
  const key = staging?.kmsKeyArn;
  if (key === undefined || staging === undefined) return { all };
  const { policy } = await account.key(key, staging.region);
  if (policy.status !== "read") return { reason: policy.status === "absent" ? policy.detail : policy.reason };
  const viaS3 = { "kms:ViaService": `s3.${staging.region}.${partitionNamed(partition)?.dnsSuffix ?? ""}`, "kms:CallerAccount": accountId, "kms:EncryptionContext:aws:s3:arn": bucketArn(run, staging.bucket) };
  const decrypt = awsPermissions["lambda-build-kms"].map(({ action }): Need => ({ action, resource: key, context: viaS3, resourcePolicy: { name: `policy of key ${key}`, document: policy.value }, resourcePolicyDecides: true }));
  return { all: [...all, ...decrypt] };
}

function withResource(document: string): string {
  const { Statement: statements = [], ...rest } = JSON.parse(document) as { Statement?: object | object[] };
  return JSON.stringify({ ...rest, Statement: [statements].flat().map((statement) => ({ Resource: "*", ...statement })) });
}

/** One cause for rights that are missing alike. */
function grouped(run: AwsRun, refused: readonly { need: Need; decision: Authorization }[], role: string): Cause[] {
  const byCode = new Map<AwsCauseCode, { need: Need; decision: Authorization }[]>();
  for (const each of refused) {
    const code = refusalCode(each.decision, each.need.action);
    if (code !== undefined) byCode.set(code, [...(byCode.get(code) ?? []), each]);
  }
  return [...byCode].map(([code, all]) => {
    const actions = all.map(({ need }) => need.action).join(", ");
    const evidence = all.map(({ need, decision: { because, statement } }) => `by the account's policies, ${need.action} on ${need.resource}: ${because}${statement === undefined ? "" : ` (${statement.policy})`}`);
    return cause(run, code, evidence, { action: actions, subject: all[0]?.need.resource, found: role, explicit: all[0]?.decision.decision === "explicit-deny" });
  });
}

function refusalCode({ layer, decision }: Authorization, action: string): AwsCauseCode | undefined {
  if (layer === "boundary") return "aws.build.boundary";
  return decision === "explicit-deny" ? "aws.build.denied" : RIGHT_CAUSES[action];
}

async function missingLogGroup(run: AwsRun, account: AccountReader, grant: BuildGrant, caller: BuildCaller): Promise<Cause | undefined> {
  const name = await logGroupOf(account, grant);
  if (name === undefined) return undefined;
  const exists = await readLogGroup(account, name, grant.region);
  if (exists.status !== "read" || exists.value) return undefined;
  const resource = `arn:${run.exchange.partition}:logs:${grant.region}:${run.exchange.accountId}:log-group:${name}:*`;
  if (caller.decide({ action: "logs:CreateLogGroup", resource }).allowed) return undefined;
  return cause(run, "aws.codebuild.log-group-missing", `there is no log group ${name}, and the build's role may not create it`, { subject: name });
}

/** Another service that runs what it is given, and a role that is not for functions. */
function widePassRole(run: AwsRun, { executionRoleArn }: BuildGrant, caller: BuildCaller, role: string): Cause | undefined {
  if (executionRoleArn === undefined) return undefined;
  const { partition, accountId } = run.exchange;
  const stranger = `arn:${partition}:iam::${accountId}:role/${SESSION_PREFIX}`;
  const questions = [
    { resource: executionRoleArn, service: "ec2.amazonaws.com" },
    { resource: stranger, service: LAMBDA_PRINCIPAL },
  ];
  const allowed = questions.filter(({ resource, service }) => caller.decide({ action: "iam:PassRole", resource, context: { "iam:PassedToService": service } }).allowed);
  if (allowed.length === 0) return undefined;
  return cause(run, "aws.build.pass-role-too-wide", allowed.map(({ resource, service }) => `iam:PassRole of ${resource} to ${service} would be allowed`), { found: role });
}
