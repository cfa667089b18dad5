import * as pulumi from "@pulumi/pulumi";
import { AwsFederatedRole, AwsLambdaBuild, type AwsFederatedRoleArgs, type AwsLambdaBuildArgs } from "../../components/aws/index.js";
import { codebuildProjectStatements } from "../../components/aws/codebuild-project-grant.js";
import { lambdaFunctionsStatements } from "../../components/aws/lambda-functions-grant.js";
import { policyDocument, serializePolicy } from "../../components/aws/policy.js";
import { s3ObjectsStatements } from "../../components/aws/s3-objects-grant.js";
import { dcfBuildspec, dcfProjectVariables } from "../../facts/aws/dcf-buildspec.js";
import { awsPermissions, logRetentionDays, policySize } from "../../facts/aws/index.js";
import { authorize } from "../../trust/aws/authorize.js";
import { lintPermissions } from "../../trust/aws/lint.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { document, fakeAws, run, type FakeAws, type Run } from "./fake-aws.js";

forwardRejections();

const ACCOUNT = "111122223333";
const PROJECT = `arn:aws:codebuild:eu-west-1:${ACCOUNT}:project/acme`;
const REPOSITORY = `arn:aws:ecr:eu-west-1:${ACCOUNT}:repository/acme/functions`;
const EXECUTION = `arn:aws:iam::${ACCOUNT}:role/acme-execution`;
const FUNCTIONS = `arn:aws:lambda:eu-west-1:${ACCOUNT}:function:acme-dcf-`;
const LOGS = `arn:aws:logs:eu-west-1:${ACCOUNT}:log-group:`;
const BUCKET = "arn:aws:s3:::acme-artifacts";
const KEY = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/00000000-0000-0000-0000-000000000001`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/theirs`;

const least: AwsLambdaBuildArgs = {
  functionNamePrefix: "acme-dcf-",
  artifacts: { bucketArn: BUCKET, bucketAccountId: ACCOUNT },
  project: { name: "acme" },
  repository: { name: "acme/functions" },
};

const buildWith = (args: Partial<AwsLambdaBuildArgs> = {}, cloud?: FakeAws) =>
  run(() => {
    const made = new AwsLambdaBuild("b", { ...least, ...args });
    const { projectName, projectArn, serviceRoleArn, repositoryArn, repositoryUri, executionRoleArn, environment } = made;
    return { projectName, projectArn, serviceRoleArn, repositoryArn, repositoryUri, executionRoleArn, environment };
  }, cloud);

const roleWith = (args: Partial<AwsFederatedRoleArgs>) =>
  run(() => {
    const providerArn = `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.dcf.example`;
    new AwsFederatedRole("dcf", { workloads: [{ issuer: "https://oidc.dcf.example", subject: "s", audience: "a", providerArn }], ...args });
  });

async function accepted(running: Promise<Run>): Promise<Run> {
  const done = await running;
  expect(done.result.errors).toEqual([]);
  return done;
}

/** The mistakes that a run ended with, given that it made nothing. */
async function mistakes(running: Promise<Run>): Promise<string> {
  const { result, children } = await running;
  expect([...children.keys()]).toEqual([]);
  expect(result.errors).toHaveLength(1);
  return result.errors[0] ?? "";
}

const outputsOf = ({ result }: Run) => Object.fromEntries(Object.entries(result.outputs).map(([name, { value }]) => [name, value]));

describe("AwsLambdaBuild", () => {
  it("makes project, repository, both roles and the log group, all under itself", async () => {
    const done = await accepted(buildWith());
    const base = "urn:pulumi:test::cloud-federation::cloud-federation:index:AwsLambdaBuild";
    expect(done.result.resources.map(({ urn }) => urn).sort()).toEqual([
      `${base}$aws:cloudwatch/logGroup:LogGroup::b-logs`,
      `${base}$aws:codebuild/project:Project::b-project`,
      `${base}$aws:ecr/repository:Repository::b-repository`,
      `${base}$aws:ecr/repositoryPolicy:RepositoryPolicy::b-repository-policy`,
      `${base}$aws:iam/role:Role::b-build`,
      `${base}$aws:iam/role:Role::b-execution`,
      `${base}$aws:iam/rolePolicy:RolePolicy::b-build-rights`,
      `${base}$aws:iam/rolePolicy:RolePolicy::b-execution-logs`,
      `${base}::b`,
    ]);
    const repositoryUri = `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/acme/functions`;
    expect(outputsOf(done)).toEqual({
      projectName: "acme",
      projectArn: PROJECT,
      serviceRoleArn: `arn:aws:iam::${ACCOUNT}:role/acme-build`,
      repositoryArn: REPOSITORY,
      repositoryUri,
      executionRoleArn: EXECUTION,
      environment: { ECR_REPOSITORY_URI: repositoryUri, LAMBDA_EXECUTION_ROLE_ARN: EXECUTION },
    });
  });

  it("makes a privileged project that waits for a buildspec, with the variables that DCF's asks for", async () => {
    const done = await accepted(buildWith());
    const { source, environment, ...project } = done.child("b-project").inputs as Record<string, Record<string, unknown>>;
    expect(project).toEqual({
      name: "acme",
      description: "Builds and deploys functions; started by DCF with its own buildspec",
      serviceRole: `arn:aws:iam::${ACCOUNT}:role/acme-build`,
      buildTimeout: 30,
      artifacts: { type: "NO_ARTIFACTS" },
      logsConfig: { cloudwatchLogs: { status: "ENABLED", groupName: "/aws/codebuild/acme" } },
    });
    expect(source).toEqual({ type: "NO_SOURCE", buildspec: expect.stringContaining("exit 1") });
    expect(environment).toMatchObject({ type: "LINUX_CONTAINER", computeType: "BUILD_GENERAL1_SMALL", image: "aws/codebuild/amazonlinux-x86_64-standard:5.0", privilegedMode: true });
    const variables = environment?.environmentVariables as { name: string; value: string }[];
    expect(variables.map(({ name }) => name)).toEqual([...dcfProjectVariables]);
    expect(variables.every(({ value }) => value !== "")).toBe(true);
    expect(done.child("b-logs").inputs).toEqual({ name: "/aws/codebuild/acme", retentionInDays: 30 });
    expect(done.child("b-project").dependencies).toContain(done.child("b-build-rights").urn);
  });

  it("makes a repository that is scanned and encrypted, and takes a tag again unless told not to", async () => {
    const done = await accepted(buildWith());
    const repository = { name: "acme/functions", imageTagMutability: "MUTABLE", imageScanningConfiguration: { scanOnPush: true }, encryptionConfigurations: [{ encryptionType: "AES256" }] };
    expect(done.child("b-repository").inputs).toEqual(repository);
    const strict = await accepted(buildWith({ repository: { name: "acme/functions", immutableTags: true, forceDestroy: true } }));
    expect(strict.child("b-repository").inputs).toEqual({ ...repository, imageTagMutability: "IMMUTABLE", forceDelete: true });
  });

  it("gives the build role exactly what the buildspec needs", async () => {
    const done = await accepted(buildWith({ artifacts: { ...least.artifacts, kmsKeyArn: KEY } }));
    expect(document(done.child("b-build-rights"), "policy").Statement).toEqual([
      { Sid: "ReadStagedArchive", Effect: "Allow", Action: ["s3:GetObject"], Resource: `${BUCKET}/builds/*`, Condition: { StringEquals: { "aws:ResourceAccount": ACCOUNT } } },
      { Sid: "LogInToRegistry", Effect: "Allow", Action: ["ecr:GetAuthorizationToken"], Resource: "*" },
      {
        Sid: "PushImage",
        Effect: "Allow",
        Action: ["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage"],
        Resource: REPOSITORY,
      },
      { Sid: "WriteBuildLog", Effect: "Allow", Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: `${LOGS}/aws/codebuild/acme:*` },
      {
        Sid: "DeployFunctions",
        Effect: "Allow",
        Action: [
          "lambda:GetFunction",
          "lambda:GetFunctionConfiguration",
          "lambda:CreateFunction",
          "lambda:TagResource",
          "lambda:UpdateFunctionCode",
          "lambda:UpdateFunctionConfiguration",
          "lambda:GetFunctionUrlConfig",
          "lambda:CreateFunctionUrlConfig",
          "lambda:UpdateFunctionUrlConfig",
          "lambda:AddPermission",
        ],
        Resource: `${FUNCTIONS}*`,
      },
      { Sid: "PassExecutionRole", Effect: "Allow", Action: ["iam:PassRole"], Resource: EXECUTION, Condition: { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } } },
      { Sid: "DecryptStagedArchive", Effect: "Allow", Action: ["kms:Decrypt"], Resource: KEY, Condition: { StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } } },
    ]);
    expect(lintPermissions(String(done.child("b-build-rights").inputs.policy), { partition: "aws" })).toEqual([]);
    expect(lintPermissions(String(done.child("b-execution-logs").inputs.policy), { partition: "aws" })).toEqual([]);
    expect(document((await accepted(buildWith())).child("b-build-rights"), "policy").Statement.map(({ Sid }) => Sid)).not.toContain("DecryptStagedArchive");
  });

  it("names every role's owner in its trust: one project's builds, one account's functions", async () => {
    const done = await accepted(buildWith());
    const service = (name: string, condition: object) => ({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: name }, Condition: condition }],
    });
    const account = { StringEquals: { "aws:SourceAccount": ACCOUNT } };
    expect(document(done.child("b-build"), "assumeRolePolicy")).toEqual(service("codebuild.amazonaws.com", { ...account, ArnEquals: { "aws:SourceArn": PROJECT } }));
    expect(document(done.child("b-execution"), "assumeRolePolicy")).toEqual(service("lambda.amazonaws.com", account));
    expect(document(done.child("b-repository-policy"), "policy").Statement).toEqual([
      {
        Sid: "LambdaPullsImages",
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        Condition: { StringLike: { "aws:SourceArn": `${FUNCTIONS}*` } },
      },
    ]);
  });

  it("bounds, places and tags both roles alike", async () => {
    const permissionsBoundaryArn = `arn:aws:iam::${ACCOUNT}:policy/Boundary`;
    const done = await accepted(buildWith({ permissionsBoundaryArn, rolePath: "/dcf/", tags: { Owner: "team-a" } }));
    for (const role of ["b-build", "b-execution"]) expect(done.child(role).inputs).toMatchObject({ permissionsBoundary: permissionsBoundaryArn, path: "/dcf/", tags: { Owner: "team-a" } });
    for (const tagged of ["b-project", "b-repository", "b-logs"]) expect(done.child(tagged).inputs.tags).toEqual({ Owner: "team-a" });
    expect(document(done.child("b-build-rights"), "policy").Statement).toContainEqual(expect.objectContaining({ Sid: "PassExecutionRole", Resource: `arn:aws:iam::${ACCOUNT}:role/dcf/acme-execution` }));
    const plain = await accepted(buildWith());
    for (const role of ["b-build", "b-execution"]) expect(plain.child(role).inputs).not.toHaveProperty("permissionsBoundary");
  });

  it.each<[string, Partial<AwsLambdaBuildArgs>, string[], Record<string, unknown>]>([
    [
      "project",
      { project: { name: "acme", existing: true, serviceRoleArn: ROLE } },
      ["b-execution", "b-execution-logs", "b-repository", "b-repository-policy"],
      { projectArn: PROJECT, projectName: "acme", serviceRoleArn: ROLE },
    ],
    [
      "project with a role unknown",
      { project: { name: "acme", existing: true } },
      ["b-execution", "b-execution-logs", "b-repository", "b-repository-policy"],
      { serviceRoleArn: undefined },
    ],
    [
      "repository",
      { repository: { name: "acme/functions", existing: true } },
      ["b-build", "b-build-rights", "b-execution", "b-execution-logs", "b-logs", "b-project"],
      { repositoryArn: REPOSITORY, repositoryUri: `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/acme/functions` },
    ],
    [
      "execution role",
      { executionRole: { existingArn: ROLE } },
      ["b-build", "b-build-rights", "b-logs", "b-project", "b-repository", "b-repository-policy"],
      { executionRoleArn: ROLE, environment: { ECR_REPOSITORY_URI: `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/acme/functions`, LAMBDA_EXECUTION_ROLE_ARN: ROLE } },
    ],
  ])("makes nothing of an existing %s", async (_what, args, children, outputs) => {
    const done = await accepted(buildWith(args));
    expect([...done.children.keys()].sort()).toEqual(children);
    const found = outputsOf(done);
    for (const [name, value] of Object.entries(outputs)) expect([name, found[name]]).toEqual([name, value]);
    if (args.executionRole) expect(document(done.child("b-build-rights"), "policy").Statement).toContainEqual(expect.objectContaining({ Sid: "PassExecutionRole", Resource: ROLE }));
  });

  it.each([
    ["us-gov-west-1", "aws-us-gov", "amazonaws.com"],
    ["cn-north-1", "aws-cn", "amazonaws.com.cn"],
  ])("keeps to its partition in %s", async (region, partition, suffix) => {
    const artifacts = { bucketArn: `arn:${partition}:s3:::acme-artifacts`, bucketAccountId: ACCOUNT };
    const done = await accepted(buildWith({ artifacts, repository: { name: "acme", existing: true } }, fakeAws({ region, partition })));
    expect(outputsOf(done).repositoryUri).toBe(`${ACCOUNT}.dkr.ecr.${region}.${suffix}/acme`);
    for (const policy of ["b-build-rights", "b-execution-logs"]) expect(lintPermissions(String(done.child(policy).inputs.policy), { partition })).toEqual([]);
    expect(String(done.child("b-build").inputs.assumeRolePolicy)).toContain(`arn:${partition}:codebuild:${region}:${ACCOUNT}:project/acme`);
  });

  it("makes the same inputs again", async () => {
    const inputs = async () => (await accepted(buildWith())).result.resources.map(({ urn, inputs: given }) => [urn, JSON.stringify(given)]).sort();
    expect(await inputs()).toEqual(await inputs());
  });

  it("takes values that are known later", async () => {
    const later = await accepted(
      buildWith({ functionNamePrefix: pulumi.output("acme-dcf-"), artifacts: { bucketArn: pulumi.output(BUCKET), bucketAccountId: pulumi.output(ACCOUNT) }, project: { name: pulumi.output("acme") } }),
    );
    const known = await accepted(buildWith());
    expect(later.child("b-build-rights").inputs).toEqual(known.child("b-build-rights").inputs);
    expect(later.child("b-project").inputs).toEqual(known.child("b-project").inputs);
  });

  it("refuses an execution role of another account as soon as its own is known", async () => {
    const { result } = await buildWith({ project: { name: "acme", existing: true }, executionRole: { existingArn: "arn:aws:iam::444455556666:role/theirs" } });
    expect(result.errors.join("\n")).toContain(
      'AwsLambdaBuild "b" has a mistake in its inputs: executionRole.existingArn: must be a role of account 111122223333, since Lambda takes no role of another one; got arn:aws:iam::444455556666:role/theirs',
    );
  });

  it("reports all mistakes at once, with their paths, and makes nothing", async () => {
    const message = await mistakes(
      buildWith({
        functionNamePrefix: "a",
        artifacts: { bucketArn: "acme", bucketAccountId: "1", prefix: "/builds", kmsKeyArn: "alias/x" },
        project: { name: "a", serviceRoleName: "a b", computeType: "LARGE", timeoutMinutes: 4, logRetentionDays: 2, serviceRoleArn: ROLE },
        repository: { name: "Acme" },
        executionRole: { name: "x/y" },
        rolePath: "dcf",
        permissionsBoundaryArn: "Boundary",
        tags: { "aws:x": "y" },
      }),
    );
    expect(message).toMatch(/^AwsLambdaBuild "b" has 16 mistakes in its inputs: /);
    for (const path of [
      "functionNamePrefix",
      "project.name",
      "repository.name",
      "artifacts.bucketArn",
      "artifacts.bucketAccountId",
      "artifacts.prefix",
      "artifacts.kmsKeyArn",
      "project.serviceRoleName",
      "project.computeType",
      "project.timeoutMinutes",
      "project.logRetentionDays",
      "executionRole.name",
      "rolePath",
      "permissionsBoundaryArn",
      'tags["aws:x"]',
      "project.serviceRoleArn",
    ]) {
      expect(message).toContain(`${path}: `);
    }
  });

  it.each<[string, Partial<AwsLambdaBuildArgs>, Partial<AwsLambdaBuildArgs>]>([
    ["functionNamePrefix", { functionNamePrefix: "a_b" }, { functionNamePrefix: "ab" }],
    ["functionNamePrefix", { functionNamePrefix: "a".repeat(40) }, { functionNamePrefix: "a".repeat(41) }],
    ["functionNamePrefix", { functionNamePrefix: "a-b" }, { functionNamePrefix: "a*b" }],
    ["functionNamePrefix", { functionNamePrefix: "A-b" }, { functionNamePrefix: "a:b" }],
    ["project.name", { project: { name: "ab" } }, { project: { name: "a", serviceRoleName: "r" } }],
    ["project.name", { project: { name: "a".repeat(150), serviceRoleName: "r" }, executionRole: { name: "x" } }, { project: { name: "a".repeat(151), serviceRoleName: "r" }, executionRole: { name: "x" } }],
    ["project.name", { project: { name: "a_-" } }, { project: { name: "_a" } }],
    ["project.serviceRoleName", { project: { name: "acme", serviceRoleName: "a".repeat(64) } }, { project: { name: "acme", serviceRoleName: "a".repeat(65) } }],
    ["project.timeoutMinutes", { project: { name: "acme", timeoutMinutes: 5 } }, { project: { name: "acme", timeoutMinutes: 4 } }],
    ["project.timeoutMinutes", { project: { name: "acme", timeoutMinutes: 2160 } }, { project: { name: "acme", timeoutMinutes: 2161 } }],
    ["project.logRetentionDays", { project: { name: "acme", logRetentionDays: 3653 } }, { project: { name: "acme", logRetentionDays: 3652 } }],
    ["project.computeType", { project: { name: "acme", computeType: "BUILD_GENERAL1_2XLARGE" } }, { project: { name: "acme", computeType: "BUILD_LAMBDA_1GB" } }],
    ["project.computeType", { project: { name: "acme", existing: true } }, { project: { name: "acme", existing: true, computeType: "BUILD_GENERAL1_SMALL" } }],
    ["project.serviceRoleName", { project: { name: "acme", existing: true } }, { project: { name: "acme", existing: true, serviceRoleName: "r" } }],
    ["project.serviceRoleArn", { project: { name: "acme", existing: true, serviceRoleArn: ROLE } }, { project: { name: "acme", serviceRoleArn: ROLE } }],
    ["repository.name", { repository: { name: "ab" } }, { repository: { name: "a" } }],
    ["repository.name", { repository: { name: "a".repeat(256) } }, { repository: { name: "a".repeat(257) } }],
    ["repository.name", { repository: { name: "a/b__c.d--e" } }, { repository: { name: "a//b" } }],
    ["repository.name", { repository: { name: "a_b" } }, { repository: { name: "a___b" } }],
    ["repository.immutableTags", { repository: { name: "acme", existing: true } }, { repository: { name: "acme", existing: true, immutableTags: true } }],
    ["repository.forceDestroy", { repository: { name: "acme", existing: true, forceDestroy: false } }, { repository: { name: "acme", existing: true, forceDestroy: true } }],
    ["executionRole.existingArn", { executionRole: { existingArn: ROLE } }, { executionRole: { existingArn: "theirs" } }],
    ["executionRole.name", { executionRole: { name: "theirs" } }, { executionRole: { existingArn: ROLE, name: "theirs" } }],
    ["artifacts.prefix", { artifacts: { ...least.artifacts, prefix: "builds/" } }, { artifacts: { ...least.artifacts, prefix: "builds/*" } }],
    ["artifacts.kmsKeyArn", { artifacts: { ...least.artifacts, kmsKeyArn: KEY } }, { artifacts: { ...least.artifacts, kmsKeyArn: `arn:aws:kms:eu-west-1:${ACCOUNT}:alias/dcf` } }],
    ["permissionsBoundaryArn", { permissionsBoundaryArn: "arn:aws:iam::aws:policy/PowerUserAccess" }, { permissionsBoundaryArn: "PowerUserAccess" }],
    ["rolePath", { rolePath: "/a/" }, { rolePath: "/a" }],
    ['tags["Owner"]', { tags: { Owner: "x".repeat(255) } }, { tags: { Owner: "x".repeat(256) } }],
    [`tags["${"k".repeat(128)}"]`, { tags: { ["k".repeat(127)]: "x" } }, { tags: { ["k".repeat(128)]: "x" } }],
    [`tags["${"k".repeat(129)}"]`, { project: { name: "acme", existing: true }, tags: { ["k".repeat(128)]: "x" } }, { project: { name: "acme", existing: true }, tags: { ["k".repeat(129)]: "x" } }],
    ["tags", { tags: { Owner: "x" } }, { tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, ""])) }],
  ])("%s has its limit", async (path, good, bad) => {
    await accepted(buildWith(good));
    expect(await mistakes(buildWith(bad))).toContain(`in its inputs: ${path}: `);
  });
});

describe("what a build and its functions can reach", () => {
  const session = (roleArn: string) => ({
    kind: "role-session" as const,
    arn: `${roleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/s`,
    accountId: ACCOUNT,
    roleArn,
    uniqueId: "AROAEXAMPLE:s",
    sessionName: "s",
  });
  type Context = Record<string, string>;
  const may = (policy: string, action: string, resource: string, context: Context = {}, resourceAccountId = ACCOUNT) =>
    authorize({ principal: session(`arn:aws:iam::${ACCOUNT}:role/acme-build`), action, resource, resourceAccountId, context }, { identity: [{ name: "p", document: policy }] }).allowed;

  let build: string;
  let execution: string;
  let trust: { build: string; execution: string };
  let pull: string;
  beforeAll(async () => {
    const done = await accepted(buildWith({ artifacts: { ...least.artifacts, kmsKeyArn: KEY } }));
    build = String(done.child("b-build-rights").inputs.policy);
    execution = String(done.child("b-execution-logs").inputs.policy);
    trust = { build: String(done.child("b-build").inputs.assumeRolePolicy), execution: String(done.child("b-execution").inputs.assumeRolePolicy) };
    pull = String(done.child("b-repository-policy").inputs.policy);
  });

  const PASS = { "iam:PassedToService": "lambda.amazonaws.com" };
  const VIA = { "kms:ViaService": "s3.eu-west-1.amazonaws.com" };
  it.each<[string, [string, Context?, string?], [string, Context?, string?]]>([
    ["s3:GetObject", [`${BUCKET}/builds/app.zip`], [`${BUCKET}/secrets/app.zip`]],
    ["s3:GetObject", [`${BUCKET}/builds/canary.zip`], [`${BUCKET}2/builds/app.zip`]],
    ["s3:GetObject", [`${BUCKET}/builds/app.zip`], [`${BUCKET}/builds/app.zip`, {}, "444455556666"]],
    ["ecr:PutImage", [REPOSITORY], [`${REPOSITORY}2`]],
    ["ecr:GetAuthorizationToken", ["*"], [""]],
    ["logs:PutLogEvents", [`${LOGS}/aws/codebuild/acme:log-stream:x`], [`${LOGS}/aws/codebuild/acme2:log-stream:x`]],
    ["lambda:CreateFunction", [`${FUNCTIONS}app`], [`arn:aws:lambda:eu-west-1:${ACCOUNT}:function:acme-dcg-app`]],
    ["lambda:UpdateFunctionCode", [`${FUNCTIONS}app`], [`arn:aws:lambda:us-east-1:${ACCOUNT}:function:acme-dcf-app`]],
    ["lambda:AddPermission", [`${FUNCTIONS}app`], [`arn:aws:lambda:eu-west-1:444455556666:function:acme-dcf-app`]],
    ["iam:PassRole", [EXECUTION, PASS], [`${EXECUTION}2`, PASS]],
    ["iam:PassRole", [EXECUTION, PASS], [EXECUTION, { "iam:PassedToService": "ec2.amazonaws.com" }]],
    ["iam:PassRole", [EXECUTION, PASS], [EXECUTION]],
    ["kms:Decrypt", [KEY, VIA], [KEY, { "kms:ViaService": "lambda.eu-west-1.amazonaws.com" }]],
    ["kms:Decrypt", [KEY, VIA], [KEY]],
  ])("a build may %s here and not there", (action, [here, context, account], [there, otherContext, otherAccount]) => {
    expect(may(build, action, here, context, account)).toBe(true);
    if (there !== "") expect(may(build, action, there, otherContext, otherAccount)).toBe(false);
  });

  it.each([
    ["s3:PutObject", `${BUCKET}/builds/app.zip`],
    ["s3:GetObjectVersion", `${BUCKET}/builds/app.zip`],
    ["s3:ListBucket", BUCKET],
    ["ecr:SetRepositoryPolicy", REPOSITORY],
    ["ecr:BatchDeleteImage", REPOSITORY],
    ["lambda:DeleteFunction", `${FUNCTIONS}app`],
    ["lambda:InvokeFunction", `${FUNCTIONS}app`],
    ["lambda:RemovePermission", `${FUNCTIONS}app`],
    ["iam:CreateRole", EXECUTION],
    ["iam:PutRolePolicy", EXECUTION],
    ["codebuild:StartBuild", PROJECT],
    ["kms:GenerateDataKey", KEY],
    ["logs:CreateLogGroup", `${LOGS}/aws/codebuild/acme`],
  ])("a build may not %s", (action, resource) => {
    expect(may(build, action, resource, { ...PASS, ...VIA })).toBe(false);
  });

  it("a function may write its own log and nothing else", () => {
    for (const action of ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]) {
      expect([action, may(execution, action, `${LOGS}/aws/lambda/acme-dcf-app:log-stream:x`)]).toEqual([action, true]);
      expect([action, may(execution, action, `${LOGS}/aws/lambda/other:log-stream:x`)]).toEqual([action, false]);
    }
    expect(may(execution, "s3:GetObject", `${BUCKET}/builds/app.zip`)).toBe(false);
  });

  /** Policies of roles and repositories name no resource: they are about what they are attached to. */
  const attached = (policy: string) => {
    const { Statement, ...rest } = JSON.parse(policy) as { Statement: object[] };
    return JSON.stringify({ ...rest, Statement: Statement.map((statement) => ({ ...statement, Resource: "*" })) });
  };
  const serviceMay = (policy: string, service: string, action: string, context: Context) =>
    authorize(
      { principal: { kind: "service", arn: service, accountId: "" }, action, resource: REPOSITORY, resourceAccountId: ACCOUNT, context },
      { identity: [], resource: { name: "p", document: attached(policy) } },
    ).allowed;
  const ours = { "aws:SourceAccount": ACCOUNT, "aws:SourceArn": PROJECT };
  it.each<[string, "build" | "execution", string, Context, boolean]>([
    ["CodeBuild, for the project", "build", "codebuild.amazonaws.com", ours, true],
    ["CodeBuild, for another project", "build", "codebuild.amazonaws.com", { ...ours, "aws:SourceArn": `${PROJECT}2` }, false],
    ["CodeBuild, for another account", "build", "codebuild.amazonaws.com", { ...ours, "aws:SourceAccount": "444455556666" }, false],
    ["CodeBuild, for nobody", "build", "codebuild.amazonaws.com", {}, false],
    ["Lambda, as the build", "build", "lambda.amazonaws.com", ours, false],
    ["Lambda, for the account", "execution", "lambda.amazonaws.com", { "aws:SourceAccount": ACCOUNT }, true],
    ["Lambda, for another account", "execution", "lambda.amazonaws.com", { "aws:SourceAccount": "444455556666" }, false],
    ["CodeBuild, as the function", "execution", "codebuild.amazonaws.com", ours, false],
  ])("its role is assumed by %s: %p", (_who, role, service, context, expected) => {
    expect(serviceMay(trust[role], service, "sts:AssumeRole", context)).toBe(expected);
  });

  it.each<[string, string, string, Context, boolean]>([
    ["Lambda for a function of the prefix", "lambda.amazonaws.com", "ecr:BatchGetImage", { "aws:SourceArn": `${FUNCTIONS}app` }, true],
    ["Lambda for its layers", "lambda.amazonaws.com", "ecr:GetDownloadUrlForLayer", { "aws:SourceArn": `${FUNCTIONS}app` }, true],
    ["Lambda for another function", "lambda.amazonaws.com", "ecr:BatchGetImage", { "aws:SourceArn": `arn:aws:lambda:eu-west-1:${ACCOUNT}:function:other` }, false],
    ["Lambda for another account's function", "lambda.amazonaws.com", "ecr:BatchGetImage", { "aws:SourceArn": "arn:aws:lambda:eu-west-1:444455556666:function:acme-dcf-app" }, false],
    ["Lambda to push", "lambda.amazonaws.com", "ecr:PutImage", { "aws:SourceArn": `${FUNCTIONS}app` }, false],
    ["another service", "ecs.amazonaws.com", "ecr:BatchGetImage", { "aws:SourceArn": `${FUNCTIONS}app` }, false],
  ])("the image is pulled by %s", (_who, service, action, context, expected) => {
    expect(serviceMay(pull, service, action, context)).toBe(expected);
  });

  it("covers every AWS call of the buildspec that DCF is assumed to bring", () => {
    const calls = new Set([...dcfBuildspec.matchAll(/aws (s3|ecr|lambda) (wait )?([a-z][a-z-]*)/g)].map(([, service, , operation]) => `${service ?? ""} ${operation ?? ""}`));
    const needs: Record<string, string[]> = {
      "s3 cp": ["s3:GetObject"],
      "ecr get-login-password": ["ecr:GetAuthorizationToken"],
      "lambda function-updated": ["lambda:GetFunctionConfiguration"],
      "lambda function-active": ["lambda:GetFunctionConfiguration"],
      "lambda create-function": ["lambda:CreateFunction", "lambda:TagResource", "iam:PassRole"],
      "lambda update-function-configuration": ["lambda:UpdateFunctionConfiguration", "iam:PassRole"],
    };
    const operationOf = (call: string) => `lambda:${call.replace("lambda ", "").replace(/(?:^|-)([a-z])/g, (_match, letter: string) => letter.toUpperCase())}`;
    const granted = awsPermissions["lambda-build"].map(({ action }): string => action);
    expect(calls.size).toBeGreaterThan(8);
    for (const call of calls) for (const action of needs[call] ?? [operationOf(call)]) expect(granted).toContain(action);
  });
});

describe("the grants on builds and functions", () => {
  const builds = { projectArn: PROJECT };
  const functions = { functionNamePrefix: "acme-dcf-", region: "eu-west-1", accountId: ACCOUNT };

  it("become an inline policy each", async () => {
    const done = await accepted(roleWith({ codebuildProjects: [builds], lambdaFunctions: [functions] }));
    expect([...done.children.keys()]).toEqual(["dcf", "dcf-codebuild-project", "dcf-lambda-functions"]);
    expect(done.child("dcf-codebuild-project").inputs.name).toBe("codebuild-project");
    expect(document(done.child("dcf-codebuild-project"), "policy").Statement).toEqual([
      { Effect: "Allow", Action: ["codebuild:StartBuild", "codebuild:BatchGetBuilds"], Resource: PROJECT, Condition: { Null: { "codebuild:serviceRole": "true" } } },
    ]);
    expect(document(done.child("dcf-lambda-functions"), "policy").Statement).toEqual([
      { Effect: "Allow", Action: ["lambda:GetFunction", "lambda:GetFunctionUrlConfig"], Resource: `${FUNCTIONS}*` },
    ]);
    for (const name of ["dcf-codebuild-project", "dcf-lambda-functions"]) expect(lintPermissions(String(done.child(name).inputs.policy), { partition: "aws" })).toEqual([]);
  });

  it("let builds be started as the project's own service role alone, whatever else is overridden", () => {
    const policy = serializePolicy(policyDocument(codebuildProjectStatements(builds)));
    const may = (resource: string, context: Record<string, string> = {}) =>
      authorize(
        { principal: { kind: "role-session", arn: `arn:aws:sts::${ACCOUNT}:assumed-role/dcf/s`, accountId: ACCOUNT, roleArn: ROLE }, action: "codebuild:StartBuild", resource, resourceAccountId: ACCOUNT, context },
        { identity: [{ name: "p", document: policy }] },
      ).allowed;
    expect(may(PROJECT)).toBe(true);
    expect(may(PROJECT, { "codebuild:source.buildspec": "version: 0.2" })).toBe(true);
    expect(may(PROJECT, { "codebuild:serviceRole": ROLE })).toBe(false);
    expect(may(`${PROJECT}2`)).toBe(false);
  });

  it("let functions be removed only when asked to", () => {
    const actions = (undeploy: boolean) => lambdaFunctionsStatements({ ...functions, undeploy }).flatMap(({ Action }) => Action);
    expect(actions(false).filter((action) => /Delete|Remove/.test(action))).toEqual([]);
    expect(actions(true)).toEqual(["lambda:GetFunction", "lambda:GetFunctionUrlConfig", "lambda:DeleteFunctionUrlConfig", "lambda:RemovePermission", "lambda:DeleteFunction"]);
  });

  it.each<[string, Partial<AwsFederatedRoleArgs>]>([
    ["codebuildProjects[0].projectArn", { codebuildProjects: [{ projectArn: "acme" }] }],
    ["codebuildProjects[0].projectArn", { codebuildProjects: [{ projectArn: `arn:aws:codebuild:eu-west-1:${ACCOUNT}:project/*` }] }],
    ["lambdaFunctions[0].functionNamePrefix", { lambdaFunctions: [{ ...functions, functionNamePrefix: "*" }] }],
    ["lambdaFunctions[0].region", { lambdaFunctions: [{ ...functions, region: "*" }] }],
    ["lambdaFunctions[0].accountId", { lambdaFunctions: [{ ...functions, accountId: "*" }] }],
  ])("%s takes no wildcard and nothing malformed", async (path, args) => {
    expect(await mistakes(roleWith(args))).toContain(`in its inputs: ${path}: must be `);
  });

  it("share the room that a role's inline policies have", async () => {
    const objects = (count: number) => Array.from({ length: count }, (_, index) => ({ bucketArn: `arn:aws:s3:::acme-${index}`, bucketAccountId: ACCOUNT }));
    const size = (count: number) => policySize(serializePolicy(policyDocument(objects(count).flatMap(s3ObjectsStatements))));
    const most = Array.from({ length: 100 }, (_, count) => count).filter((count) => size(count) <= 10240).at(-1) ?? 0;
    const project = policySize(serializePolicy(policyDocument(codebuildProjectStatements(builds))));
    const projects = Math.ceil((10240 - size(most)) / project) + 1;
    await accepted(roleWith({ s3Objects: objects(most) }));
    expect(await mistakes(roleWith({ s3Objects: objects(most), codebuildProjects: Array.from({ length: projects }, () => builds) }))).toContain("s3Objects, codebuildProjects: make a policy of ");
  });
});

describe("the facts of builds", () => {
  it("have the retention periods in order", () => {
    expect([...logRetentionDays].sort((a, b) => a - b)).toEqual([...logRetentionDays]);
  });
});
