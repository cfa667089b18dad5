/** CodeBuild and CloudWatch Logs of the sandbox: projects, roles, and builds that run with their role's rights alone. */
import { dcfBuildspec } from "../../../facts/aws/dcf-buildspec.js";
import { type Sandbox, startSandbox } from "../../../sandbox/index.js";
import { type AwsCaller, AwsError, type AwsServiceName } from "../../../sandbox/aws/types.js";
import { json, send, signed } from "./wire.js";
import { zip } from "../zip.js";

const REGION = "eu-west-1";
type Members = Record<string, unknown>;

interface Phase {
  phaseType: string;
  phaseStatus?: string;
  contexts?: { statusCode: string; message: string }[];
}

/** A build as the API shows it. */
interface Build {
  id: string;
  arn: string;
  buildStatus: string;
  buildNumber: number;
  buildComplete: boolean;
  initiator: string;
  phases: Phase[];
  logs: { groupName?: string; streamName?: string };
}

interface Event {
  message: string;
}

let sandbox: Sandbox;
let account: string;
let admin: AwsCaller;

beforeAll(async () => {
  sandbox = await startSandbox();
  account = sandbox.aws.defaultAccountId;
  admin = sandbox.aws.administrator(account).caller;
});
afterAll(() => sandbox.close());

async function call<T = Members>(service: AwsServiceName, operation: string, input: Members, caller = admin, region = REGION): Promise<T> {
  return (await sandbox.aws.call(caller, service, operation, input, region)) as T;
}

async function refusal(call: Promise<unknown>): Promise<{ code: string; status: number; message: string }> {
  const error: unknown = await call.then(
    () => new Error("The call was not refused"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof AwsError)) throw error;
  return { code: error.code, status: error.status, message: error.message };
}

let roles = 0;
const allow = (Action: string | string[], Resource: string | string[] = "*") => ({ Effect: "Allow", Action, Resource });
const trust = (condition?: object) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole", ...(condition && { Condition: condition }) }],
  });

async function role(statements: object[], trustPolicy = trust()): Promise<string> {
  const RoleName = `build-${++roles}`;
  const { Role } = await call<{ Role: { Arn: string } }>("iam", "CreateRole", { RoleName, AssumeRolePolicyDocument: trustPolicy });
  if (statements.length > 0) await call("iam", "PutRolePolicy", { RoleName, PolicyName: "inline", PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: statements }) });
  return Role.Arn;
}

const LOGS = allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]);
const spec = (...commands: string[]) => JSON.stringify({ version: "0.2", phases: { build: { commands } } });

let projects = 0;
interface ProjectOrder extends Members {
  name?: string;
  serviceRole?: string;
  region?: string;
  environment?: Members;
}

async function project(given: ProjectOrder = {}): Promise<string> {
  const { environment, region = REGION, ...others } = given;
  const name = given.name ?? `project-${++projects}`;
  await call(
    "codebuild",
    "CreateProject",
    {
      name,
      source: { type: "NO_SOURCE", buildspec: spec("true") },
      artifacts: { type: "NO_ARTIFACTS" },
      environment: { type: "LINUX_CONTAINER", image: "aws/codebuild/amazonlinux-x86_64-standard:5.0", computeType: "BUILD_GENERAL1_SMALL", ...environment },
      serviceRole: given.serviceRole ?? (await role([LOGS])),
      ...others,
    },
    admin,
    region,
  );
  return name;
}

async function finished(id: string, caller = admin): Promise<Build> {
  for (;;) {
    const { builds } = await call<{ builds: Build[] }>("codebuild", "BatchGetBuilds", { ids: [id] }, caller);
    if (builds[0]!.buildComplete) return builds[0]!;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function start(input: Members, caller = admin, region = REGION): Promise<Build> {
  return (await call<{ build: Build }>("codebuild", "StartBuild", input, caller, region)).build;
}

async function build(projectName: string, overrides: Members = {}): Promise<Build> {
  return finished((await start({ projectName, ...overrides })).id);
}

async function log({ logs }: Build): Promise<string> {
  const { events } = await call<{ events: Event[] }>("logs", "GetLogEvents", { logGroupName: logs.groupName, logStreamName: logs.streamName, startFromHead: true });
  return events.map(({ message }) => message).join("");
}

const uuidOf = ({ id }: Build): string => id.split(":")[1]!;

/** Type, status and context of the phase that failed. */
function failure({ phases }: Build): Members | undefined {
  const failed = phases.find(({ phaseStatus }) => phaseStatus !== undefined && phaseStatus !== "SUCCEEDED");
  return failed && { phase: failed.phaseType, status: failed.phaseStatus, ...failed.contexts?.[0] };
}

/** What commands printed after "> ". */
async function output(...commands: string[]): Promise<{ status: string; text: string }> {
  const done = await build(await project(), { buildspecOverride: spec(...commands) });
  const text = (await log(done)).split("\n").flatMap((line) => (line.startsWith("> ") ? [line.slice(2)] : []));
  return { status: done.buildStatus, text: text.join("\n") };
}

describe("builds", () => {
  it("go through every phase and write their log", async () => {
    const name = await project();
    const done = await build(name, { buildspecOverride: spec('echo "hello $WHO"'), environmentVariablesOverride: [{ name: "WHO", value: "world" }] });
    expect(done.buildStatus).toBe("SUCCEEDED");
    expect(done.phases.map(({ phaseType }) => phaseType)).toEqual(["SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"]);
    expect(done.logs).toMatchObject({ groupName: `/aws/codebuild/${name}`, streamName: uuidOf(done) });
    expect(await log(done)).toContain("hello world\n");
  });

  it("fail at the command that fails, with its status", async () => {
    const done = await build(await project(), { buildspecOverride: spec("echo before", "false", "echo after") });
    expect(done.buildStatus).toBe("FAILED");
    expect(failure(done)).toEqual({ phase: "BUILD", status: "FAILED", statusCode: "COMMAND_EXECUTION_ERROR", message: "Error while executing command: false. Reason: exit status 1" });
    expect(await log(done)).not.toContain("after");
  });
});

describe("the build's shell", () => {
  it("knows variables, conditions, pipes, substitutions and redirections", async () => {
    const commands = [
      'A="one two"; B=$(echo "$A" | cut -d " " -f 2); echo "> $B"',
      'if [ -z "$NOTHING" ] && [ "$B" = "two" ]; then echo "> yes"; else echo "> no"; fi',
      'X=a/b/c; echo "> ${X%%/*} ${X##*/} ${NOTHING:-default}"',
      "cat missing.txt 2> err.txt || { grep -q 'No such file' err.txt && echo '> caught'; }",
      "false || echo '> rescued' > out.txt; cat out.txt",
      "if false; then echo '> 1'\nelif true; then echo '> 2'\nelse echo '> 3'\nfi",
      "false; echo \"> $?\"; A=$(false) || echo '> substituted'",
      "mkdir -p a && cd a && echo in > here; ls; cd ..; [ -f a/here ] && echo '> there'",
      "set -e\nfalse\necho '> unreachable'",
    ];
    const { status, text } = await output(...commands);
    expect(text.split("\n")).toEqual(["two", "yes", "a c default", "caught", "rescued", "2", "1", "substituted", "there"]);
    expect(status).toBe("FAILED");
  });

  it.each([
    ["[ -x file ]", "[: the sandbox does not know '-x file'"],
    ["terraform apply", "sh: terraform: command not found"],
    ["for x in a; do echo $x; done", "the sandbox's shell does not know `for'"],
    ["echo $((1 + 1)", "the sandbox's shell has no subshells"],
    ["sleep 1 &", "the sandbox's shell runs nothing in the background"],
    ["aws ec2 describe-instances", "the sandbox's builds know: s3, codebuild, ecr"],
    ["aws lambda frobnicate", "the sandbox does not know 'lambda frobnicate'"],
    ["docker compose up", "docker: 'compose' is not a docker command of the sandbox"],
  ])("names what it does not know: %s", async (command, problem) => {
    const done = await build(await project(), { buildspecOverride: spec(command) });
    expect(failure(done)).toMatchObject({ phase: "BUILD", statusCode: "COMMAND_EXECUTION_ERROR" });
    expect(await log(done)).toContain(problem);
  });
});


// ---- what DCF's builds need ----

const FUNCTION = "dcf-orders";
const KEY = "canary/app.zip";
const RESPONSE = JSON.stringify({ statusCode: 200, body: "hello" });
const APP = { "src/index.js": "// app", Dockerfile: `FROM public.ecr.aws/lambda/nodejs:22\nCOPY src/ /var/task/\nLABEL cloud-federation.sandbox.response='${RESPONSE}'\nCMD ["index.handler"]\n` };

interface Deployment {
  project: string;
  bucket: string;
  repository: string;
  buildRole: string;
  executionRole: string;
}

let deployments = 0;

/** Bucket, repository, roles and project of one integration; `rights` are the build role's. */
async function deployment(change: { rights?: (rights: Record<string, object>) => object[]; environment?: Members & { variables?: Record<string, string | undefined> }; trustPolicy?: string; repositoryPolicy?: boolean; tagMutability?: string } = {}): Promise<Deployment> {
  const number = ++deployments;
  const [bucket, repository] = [`dcf-artifacts-${number}`, `dcf/apps-${number}`];
  const location = { CreateBucketConfiguration: { LocationConstraint: REGION } };
  await call("s3", "CreateBucket", { Bucket: bucket, ...location });
  await call("s3", "PutObject", { Bucket: bucket, Key: KEY, Body: zip(APP) });
  await call("ecr", "CreateRepository", { repositoryName: repository, imageTagMutability: change.tagMutability ?? "MUTABLE" });
  if (change.repositoryPolicy ?? true) {
    const pull = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] };
    await call("ecr", "SetRepositoryPolicy", { repositoryName: repository, policyText: JSON.stringify({ Version: "2012-10-17", Statement: [pull] }) });
  }
  const execution = `execution-${number}`;
  const lambdaTrust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }] };
  const { Role } = await call<{ Role: { Arn: string } }>("iam", "CreateRole", { RoleName: execution, AssumeRolePolicyDocument: JSON.stringify(lambdaTrust) });
  const functions = `arn:aws:lambda:${REGION}:${account}:function:dcf-*`;
  const rights: Record<string, object> = {
    read: allow("s3:GetObject", `arn:aws:s3:::${bucket}/*`),
    logs: LOGS,
    token: allow("ecr:GetAuthorizationToken"),
    push: allow(["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"], `arn:aws:ecr:${REGION}:${account}:repository/${repository}`),
    get: allow(["lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:GetFunctionUrlConfig"], functions),
    create: allow("lambda:CreateFunction", functions),
    update: allow(["lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"], functions),
    tag: allow("lambda:TagResource", functions),
    url: allow(["lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"], functions),
    permission: allow("lambda:AddPermission", functions),
    passRole: { ...allow("iam:PassRole", Role.Arn), Condition: { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } } },
  };
  const buildRole = await role(change.rights?.(rights) ?? Object.values(rights), change.trustPolicy);
  const variables: Record<string, string | undefined> = { ECR_REPOSITORY_URI: `${account}.dkr.ecr.${REGION}.amazonaws.com/${repository}`, LAMBDA_EXECUTION_ROLE_ARN: Role.Arn, ...change.environment?.variables };
  const environmentVariables = Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
  const { variables: _variables, ...environment } = change.environment ?? {};
  const name = await project({ serviceRole: buildRole, environment: { privilegedMode: true, ...environment, environmentVariables } });
  return { project: name, bucket, repository, buildRole, executionRole: Role.Arn };
}

function deploy({ project: name, bucket }: Deployment, overrides: Record<string, string> = {}, buildspecOverride = dcfBuildspec): Promise<Build> {
  const variables = { S3_BUCKET: bucket, S3_KEY: KEY, FUNCTION_NAME: `${FUNCTION}-${name}`, AWS_REGION: REGION, ...overrides };
  return build(name, { buildspecOverride, environmentVariablesOverride: Object.entries(variables).map(([key, value]) => ({ name: key, value })) });
}

const without = (right: string) => (rights: Record<string, object>) => Object.entries(rights).flatMap(([name, statement]) => (name === right ? [] : [statement]));

describe("DCF's build", () => {
  it("turns a staged archive into a function with a public URL, and again into its next version", async () => {
    const target = await deployment();
    const first = await deploy(target);
    expect({ status: first.buildStatus, log: first.buildStatus === "SUCCEEDED" ? "" : await log(first) }).toEqual({ status: "SUCCEEDED", log: "" });
    const FunctionName = `${FUNCTION}-${target.project}`;
    const created = await call<{ Configuration: { CodeSha256: string } }>("lambda", "GetFunction", { FunctionName });
    expect(created.Configuration).toMatchObject({ State: "Active", Role: target.executionRole, PackageType: "Image" });
    const { Policy } = await call<{ Policy: string }>("lambda", "GetPolicy", { FunctionName });
    expect((JSON.parse(Policy) as { Statement: { Action: string }[] }).Statement.map(({ Action }) => Action).sort()).toEqual(["lambda:InvokeFunction", "lambda:InvokeFunctionUrl"]);
    expect((await call("lambda", "GetFunctionUrlConfig", { FunctionName })).AuthType).toBe("NONE");
    const answer = await call<{ Payload: string }>("lambda", "Invoke", { FunctionName });
    expect(JSON.parse(answer.Payload)).toMatchObject({ statusCode: 200, body: "hello" });

    const second = await deploy(target);
    expect(second.buildStatus).toBe("SUCCEEDED");
    const updated = await call<{ Configuration: { CodeSha256: string } }>("lambda", "GetFunction", { FunctionName });
    expect(updated.Configuration.CodeSha256).not.toBe(created.Configuration.CodeSha256);
    const { events } = await call<{ events: Event[] }>("logs", "FilterLogEvents", { logGroupName: `/aws/codebuild/${target.project}`, filterPattern: "password" });
    expect(events.filter(({ message }) => !message.includes("get-login-password"))).toEqual([]);
  });

  it("gives no URL where the project says so", async () => {
    const target = await deployment({ environment: { variables: { PUBLIC_URL: "false" } } });
    expect((await deploy(target)).buildStatus).toBe("SUCCEEDED");
    expect(await refusal(call("lambda", "GetFunctionUrlConfig", { FunctionName: `${FUNCTION}-${target.project}` }))).toMatchObject({ code: "ResourceNotFoundException" });
  });

  const denied = (action: string) => `is not authorized to perform: ${action} on resource: `;
  const broken: [string, Parameters<typeof deployment>[0], Members, string][] = [
    ["the repository's URI", { environment: { variables: { ECR_REPOSITORY_URI: undefined } } }, { phase: "PRE_BUILD" }, "ECR_REPOSITORY_URI is required"],
    ["the execution role's ARN", { environment: { variables: { LAMBDA_EXECUTION_ROLE_ARN: undefined } } }, { phase: "PRE_BUILD" }, "LAMBDA_EXECUTION_ROLE_ARN is required"],
    ["privileged mode", { environment: { privilegedMode: false } }, { phase: "BUILD" }, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"],
    ["the right to read", { rights: without("read") }, { phase: "PRE_BUILD" }, "fatal error: An error occurred (403) when calling the HeadObject operation: Forbidden"],
    ["the right to log in", { rights: without("token") }, { phase: "PRE_BUILD" }, `An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: `],
    ["the right to push", { rights: without("push") }, { phase: "BUILD" }, `denied: User: arn:aws:sts::`],
    ["the right to create", { rights: without("create") }, { phase: "POST_BUILD" }, denied("lambda:CreateFunction")],
    ["the right to look", { rights: without("get") }, { phase: "POST_BUILD" }, denied("lambda:GetFunction")],
    ["the right to tag", { rights: without("tag") }, { phase: "POST_BUILD" }, denied("lambda:TagResource")],
    ["the right to pass the role", { rights: without("passRole") }, { phase: "POST_BUILD" }, denied("iam:PassRole")],
    ["the right to make URLs", { rights: without("url") }, { phase: "POST_BUILD" }, denied("lambda:CreateFunctionUrlConfig")],
    ["the right to open URLs", { rights: without("permission") }, { phase: "POST_BUILD" }, denied("lambda:AddPermission")],
  ];
  it.each(broken)("fails without %s, and its log says why", async (_what, change, at, line) => {
    const done = await deploy(await deployment(change));
    expect(done.buildStatus).toBe("FAILED");
    expect(failure(done)).toMatchObject({ ...at, status: "FAILED", statusCode: "COMMAND_EXECUTION_ERROR" });
    expect(await log(done)).toContain(line);
  });

  it("fails to update without the right, where it could create", async () => {
    const target = await deployment({ rights: without("update") });
    expect((await deploy(target)).buildStatus).toBe("SUCCEEDED");
    const second = await deploy(target);
    expect(failure(second)).toMatchObject({ phase: "POST_BUILD", statusCode: "COMMAND_EXECUTION_ERROR", message: expect.stringMatching(/Reason: exit status 254$/) });
    expect(await log(second)).toContain(denied("lambda:UpdateFunctionCode"));
  });

  it("fails at a tag that exists in a repository with immutable tags", async () => {
    const target = await deployment({ tagMutability: "IMMUTABLE" });
    expect((await deploy(target)).buildStatus).toBe("SUCCEEDED");
    const second = await deploy(target);
    expect(failure(second)).toMatchObject({ phase: "BUILD" });
    expect(await log(second)).toMatch(/tag invalid: The image tag .* already exists/);
  });

  it.each([
    ["MUTABLE", "SUCCEEDED"],
    ["IMMUTABLE", "FAILED"],
  ])("pushes the same image again where tags are %s: %s", async (tagMutability, status) => {
    const push = '      - docker push "$IMAGE_URI"\n';
    const done = await deploy(await deployment({ tagMutability }), {}, dcfBuildspec.replace(push, push + push));
    expect(done.buildStatus).toBe(status);
    expect((await log(done)).includes("because the tag is immutable")).toBe(status === "FAILED");
  });

  it("fails at a function outside the prefix", async () => {
    const done = await deploy(await deployment(), { FUNCTION_NAME: "other" });
    expect(failure(done)).toMatchObject({ phase: "POST_BUILD" });
    expect(await log(done)).toContain(denied("lambda:GetFunction"));
  });

  it("fails at an archive that is not there: 404 only for those who may list", async () => {
    const hidden = await deploy(await deployment(), { S3_KEY: "canary/absent.zip" });
    expect(await log(hidden)).toContain("An error occurred (403) when calling the HeadObject operation: Forbidden");
    const listing = await deployment({ rights: (rights) => [...Object.values(rights), allow("s3:ListBucket")] });
    const absent = await deploy(listing, { S3_KEY: "canary/absent.zip" });
    expect(await log(absent)).toContain('An error occurred (404) when calling the HeadObject operation: Key "canary/absent.zip" does not exist');
  });
});

describe("projects", () => {
  const invalid = (message: string) => ({ code: "InvalidInputException", status: 400, message });
  const arn = (name: string, region = REGION) => `arn:aws:codebuild:${region}:${account}:project/${name}`;

  it("are made, read, changed, listed and deleted", async () => {
    const name = await project({ description: "first", tags: [{ key: "team", value: "a" }] });
    await call("codebuild", "UpdateProject", { name, description: "second", timeoutInMinutes: 30 });
    const { projects: found, projectsNotFound } = await call("codebuild", "BatchGetProjects", { names: [name, "absent"] });
    expect(found).toMatchObject([{ name, arn: arn(name), description: "second", timeoutInMinutes: 30, queuedTimeoutInMinutes: 480, tags: [{ key: "team", value: "a" }], environment: { privilegedMode: false } }]);
    expect(projectsNotFound).toEqual(["absent"]);
    expect((await call("codebuild", "ListProjects", {})).projects).toContain(name);
    await call("codebuild", "DeleteProject", { name });
    expect((await call("codebuild", "BatchGetProjects", { names: [name] })).projectsNotFound).toEqual([name]);
  });

  it("are of one region, and their names are taken there", async () => {
    const name = await project();
    expect(await refusal(call("codebuild", "StartBuild", { projectName: name }, admin, "eu-central-1"))).toEqual({
      code: "ResourceNotFoundException",
      status: 400,
      message: `Project cannot be found: ${arn(name, "eu-central-1")}`,
    });
    expect(await refusal(project({ name }))).toEqual({ code: "ResourceAlreadyExistsException", status: 400, message: `Project already exists: ${arn(name)}` });
    await project({ name, region: "eu-central-1" });
    expect((await start({ projectName: name }, admin, "eu-central-1")).buildNumber).toBe(1);
  });

  it.each([
    [{ name: "x" }, /'name' failed to satisfy constraint: Member must have length greater than or equal to 2/],
    [{ timeoutInMinutes: 4 }, /'timeoutInMinutes' failed to satisfy constraint: Member must have value greater than or equal to 5/],
    [{ source: { type: "NO_SOURCE" } }, /a buildspec is required/],
    [{ source: { type: "GITHUB", location: "https://github.com/example/app" } }, /the sandbox plays NO_SOURCE and S3, not GITHUB/],
    [{ fileSystemLocations: [{ type: "EFS" }] }, /does not play fileSystemLocations/],
    [{ environment: { environmentVariables: [{ name: "A", value: "/a", type: "PARAMETER_STORE" }] } }, /A: the sandbox has no PARAMETER_STORE/],
  ])("refuse what the model or the sandbox does not have: %j", async (given, message) => {
    expect(await refusal(project(given))).toMatchObject({ code: "InvalidInputException", status: 400, message: expect.stringMatching(message) });
  });

  it("take a role that the caller may pass and CodeBuild may assume, for this account and project only", async () => {
    const lambdaOnly = await role([], trust().replace("codebuild", "lambda"));
    expect(await refusal(project({ serviceRole: lambdaOnly }))).toEqual(invalid(`CodeBuild is not authorized to perform: sts:AssumeRole on ${lambdaOnly}`));
    const absent = `arn:aws:iam::${account}:role/absent`;
    expect(await refusal(project({ serviceRole: absent }))).toEqual(invalid(`CodeBuild is not authorized to perform: sts:AssumeRole on ${absent}`));
    const others = await role([], trust({ StringEquals: { "aws:SourceAccount": "444455556666" } }));
    expect(await refusal(project({ serviceRole: others }))).toMatchObject(invalid(`CodeBuild is not authorized to perform: sts:AssumeRole on ${others}`));
    const pinned = await role([LOGS], trust({ StringEquals: { "aws:SourceAccount": account }, ArnEquals: { "aws:SourceArn": arn("pinned") } }));
    expect(await refusal(project({ name: "unpinned", serviceRole: pinned }))).toMatchObject({ code: "InvalidInputException" });
    expect((await build(await project({ name: "pinned", serviceRole: pinned }))).buildStatus).toBe("SUCCEEDED");
  });

  it("refuse to start once their role cannot be assumed any more", async () => {
    const serviceRole = await role([LOGS]);
    const name = await project({ serviceRole });
    await call("iam", "UpdateAssumeRolePolicy", { RoleName: serviceRole.split("/")[1], PolicyDocument: trust({ ArnEquals: { "aws:SourceArn": arn("other") } }) });
    expect(await refusal(call("codebuild", "StartBuild", { projectName: name }))).toEqual(invalid(`CodeBuild is not authorized to perform: sts:AssumeRole on ${serviceRole}`));
  });
});

describe("rights", () => {
  /** A session of a role with these statements. */
  async function as(...statements: object[]): Promise<AwsCaller> {
    const trustAccount = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "sts:AssumeRole" }] });
    const roleArn = await role(statements, trustAccount);
    const { Role } = await call<{ Role: { RoleName: string; RoleId: string } }>("iam", "GetRole", { RoleName: roleArn.split("/")[1] });
    const sessionArn = `arn:aws:sts::${account}:assumed-role/${Role.RoleName}/platform`;
    return { principal: { kind: "role-session", arn: sessionArn, accountId: account, roleArn, uniqueId: Role.RoleId, sessionName: "platform" } };
  }

  it("on builds are those on their project", async () => {
    const [own, other] = [await project(), await project()];
    const on = (name: string) => `arn:aws:codebuild:${REGION}:${account}:project/${name}`;
    const platform = await as(allow(["codebuild:StartBuild", "codebuild:BatchGetBuilds"], on(own)));
    const started = await start({ projectName: own }, platform);
    expect((await finished(started.id, platform)).initiator).toMatch(/^build-\d+\/platform$/);
    const denied = (action: string, resource: string) => ({
      code: "AccessDeniedException",
      status: 400,
      message: `User: ${platform.principal.arn} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
    });
    expect(await refusal(call("codebuild", "StartBuild", { projectName: other }, platform))).toEqual(denied("codebuild:StartBuild", on(other)));
    // Whether it exists is told only to those who may start it.
    expect(await refusal(call("codebuild", "StartBuild", { projectName: "absent" }, platform))).toEqual(denied("codebuild:StartBuild", on("absent")));
    expect(await refusal(call("codebuild", "BatchGetProjects", { names: [own] }, platform))).toEqual(denied("codebuild:BatchGetProjects", on(own)));
    expect(await refusal(call("codebuild", "StopBuild", { id: started.id }, platform))).toEqual(denied("codebuild:StopBuild", on(own)));
    expect(await refusal(call("codebuild", "ListProjects", {}, platform))).toEqual(denied("codebuild:ListProjects", "*"));
  });

  it("to make a project include the right to pass its role to CodeBuild", async () => {
    const serviceRole = await role([LOGS]);
    const input = { name: "passed", source: { type: "NO_SOURCE", buildspec: spec("true") }, artifacts: { type: "NO_ARTIFACTS" }, environment: { type: "LINUX_CONTAINER", image: "i", computeType: "BUILD_GENERAL1_SMALL" }, serviceRole };
    const pass = (service: string) => ({ ...allow("iam:PassRole", serviceRole), Condition: { StringEquals: { "iam:PassedToService": service } } });
    for (const caller of [await as(allow("codebuild:*")), await as(allow("codebuild:*"), pass("lambda.amazonaws.com"))]) {
      expect(await refusal(call("codebuild", "CreateProject", input, caller))).toMatchObject({
        code: "AccessDeniedException",
        message: expect.stringContaining(`is not authorized to perform: iam:PassRole on resource: ${serviceRole}`),
      });
    }
    expect(await call("codebuild", "CreateProject", input, await as(allow("codebuild:*"), pass("codebuild.amazonaws.com")))).toMatchObject({ project: { name: "passed" } });
  });

  it("on a log group end in :*", async () => {
    const group = `arn:aws:logs:${REGION}:${account}:log-group:/aws/codebuild/scoped`;
    await call("logs", "CreateLogGroup", { logGroupName: "/aws/codebuild/scoped" });
    const [with_, without_] = [await as(allow("logs:CreateLogStream", `${group}:*`)), await as(allow("logs:CreateLogStream", group))];
    await call("logs", "CreateLogStream", { logGroupName: "/aws/codebuild/scoped", logStreamName: "a" }, with_);
    expect(await refusal(call("logs", "CreateLogStream", { logGroupName: "/aws/codebuild/scoped", logStreamName: "b" }, without_))).toEqual({
      code: "AccessDeniedException",
      status: 400,
      message: `User: ${without_.principal.arn} is not authorized to perform: logs:CreateLogStream on resource: ${group}:log-stream:b because no identity-based policy allows the logs:CreateLogStream action`,
    });
  });
});

describe("builds that do not run as they should", () => {
  it("are refused when the account may run none", async () => {
    const name = await project();
    const place = `${account}/${REGION}`;
    sandbox.store.put("aws:codebuild/quota", place, { concurrentBuilds: 0 });
    expect(await refusal(call("codebuild", "StartBuild", { projectName: name }))).toEqual({ code: "AccountLimitExceededException", status: 400, message: "Cannot have more than 0 builds in queue for the account" });
    sandbox.store.put("aws:codebuild/quota", place, { concurrentBuilds: 1 });
    expect((await build(name)).buildStatus).toBe("SUCCEEDED");
    sandbox.store.delete("aws:codebuild/quota", place);
  });

  it("fail before they begin where the role may not open its log", async () => {
    const serviceRole = await role([]);
    const name = await project({ serviceRole });
    const done = await build(name);
    const stream = `arn:aws:logs:${REGION}:${account}:log-group:/aws/codebuild/${name}:log-stream:${uuidOf(done)}`;
    const session = `arn:aws:sts::${account}:assumed-role/${serviceRole.split("/")[1]}/AWSCodeBuild-${uuidOf(done)}`;
    expect(failure(done)).toEqual({
      phase: "PROVISIONING",
      status: "FAILED",
      statusCode: "ACCESS_DENIED",
      message: `Service role ${serviceRole} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build ${done.arn}. Error message: User: ${session} is not authorized to perform: logs:CreateLogStream on resource: ${stream} because no identity-based policy allows the logs:CreateLogStream action`,
    });
    expect(done.logs.groupName).toBeUndefined();
    const silent = await project({ serviceRole, logsConfig: { cloudWatchLogs: { status: "DISABLED" } } });
    expect((await build(silent)).buildStatus).toBe("SUCCEEDED");
  });

  it("stop when they are told to, and at their time limit", async () => {
    const name = await project({ timeoutInMinutes: 5 });
    const sleeping = { projectName: name, buildspecOverride: spec("sleep 3600") };
    const first = await start(sleeping);
    expect(first).toMatchObject({ buildStatus: "IN_PROGRESS", buildComplete: false });
    expect((await call("codebuild", "StopBuild", { id: first.id })).build).toMatchObject({ buildStatus: "STOPPED", buildComplete: true, currentPhase: "COMPLETED" });
    const second = await start(sleeping);
    sandbox.core.clock.advance(301);
    expect((await finished(second.id)).buildStatus).toBe("TIMED_OUT");
    sandbox.core.clock.advance(-301);
    expect((await call("codebuild", "ListBuildsForProject", { projectName: name })).ids).toEqual([second.id, first.id]);
    expect(await refusal(call("codebuild", "StopBuild", { id: `${name}:absent` }))).toMatchObject({ code: "ResourceNotFoundException" });
  });

  it("end as a fault where the sandbox was set back meanwhile", async () => {
    const name = await project();
    const started = await start({ projectName: name, buildspecOverride: spec("sleep 3600") });
    const snapshot = sandbox.snapshot();
    await call("codebuild", "StopBuild", { id: started.id });
    sandbox.restore(snapshot);
    expect((await finished(started.id)).buildStatus).toBe("FAULT");
  });

  it.each([
    ["version: 0.2\nphases:\n  build:\n    commands:\n      - a: b\n", "YAML_FILE_ERROR: Expected Commands[0] to be of string type: found subkeys instead"],
    ["version: 7\nphases: {}\n", "YAML_FILE_ERROR: invalid buildspec version; the sandbox knows 0.2"],
    ["missing.yml", "YAML_FILE_ERROR: stat /codebuild/output/src/missing.yml: no such file or directory"],
  ])("fail at a buildspec that is none", async (buildspecOverride, message) => {
    expect(failure(await build(await project(), { buildspecOverride }))).toEqual({ phase: "DOWNLOAD_SOURCE", status: "FAILED", statusCode: "YAML_FILE_ERROR", message });
  });

  it("in a VPC need rights on its network, and a way out", async () => {
    const vpcConfig = { vpcId: "vpc-1", subnets: ["subnet-1"], securityGroupIds: ["sg-1"] };
    expect(await refusal(project({ vpcConfig }))).toEqual({ code: "InvalidInputException", status: 400, message: "Not authorized to perform DescribeSecurityGroups" });
    const halfway = await project({ vpcConfig, serviceRole: await role([LOGS, allow("ec2:Describe*")]) });
    expect(failure(await build(halfway))).toMatchObject({ phase: "PROVISIONING", statusCode: "VPC_CLIENT_ERROR", message: "Unexpected EC2 error: UnauthorizedOperation" });
    const name = await project({ vpcConfig, serviceRole: await role([LOGS, allow("ec2:*"), allow("sts:*")]) });
    const override = { buildspecOverride: spec("aws sts get-caller-identity") };
    const cut = await build(name, override);
    expect(failure(cut)).toMatchObject({ phase: "BUILD", message: "Error while executing command: aws sts get-caller-identity. Reason: exit status 255" });
    expect(await log(cut)).toContain(`Connect timeout on endpoint URL: "https://sts.${REGION}.amazonaws.com/"`);
    sandbox.store.put("aws:ec2/subnet", "subnet-1", { egress: true });
    expect((await build(name, override)).buildStatus).toBe("SUCCEEDED");
  });
});

describe("images", () => {
  it("have the architecture of the project's environment", async () => {
    for (const [type, architecture] of [["LINUX_CONTAINER", "amd64"], ["ARM_CONTAINER", "arm64"]] as const) {
      const target = await deployment({ environment: { type, variables: { PUBLIC_URL: "false" } } });
      await deploy(target);
      const image = { repositoryName: target.repository, imageIds: [{ imageTag: `${FUNCTION}-${target.project}` }] };
      const { images } = await call<{ images: { imageManifest: string }[] }>("ecr", "BatchGetImage", image);
      const manifest = JSON.parse(images[0]!.imageManifest) as { config: { digest: string }; layers: unknown[] };
      expect(manifest.layers).toHaveLength(1);
      const layer = sandbox.store.list("aws:ecr/layer").find(({ id }) => id.includes(manifest.config.digest));
      expect(Buffer.from((layer!.value as { data: string }).data, "base64").toString("utf8")).toContain(`"architecture":"${architecture}"`);
    }
  });
});

describe("over the wire", () => {
  const key = () => sandbox.aws.administrator(account).accessKey;
  const ask = async (target: string, body: object, service: string) => {
    const answer = await send(sandbox, await signed(sandbox, json(target, body), { key: key(), service, region: REGION }));
    return { status: answer.status, body: JSON.parse(answer.text) as Members };
  };

  it("answers in the JSON protocol, with times in seconds", async () => {
    const name = await project();
    const answer = await ask("CodeBuild_20161006.BatchGetProjects", { names: [name] }, "codebuild");
    expect(answer).toMatchObject({ status: 200, body: { projects: [{ name, created: expect.any(Number) }], projectsNotFound: [] } });
    expect(await ask("CodeBuild_20161006.StartBuild", { projectName: "absent" }, "codebuild")).toEqual({
      status: 400,
      body: { __type: "ResourceNotFoundException", message: `Project cannot be found: arn:aws:codebuild:${REGION}:${account}:project/absent` },
    });
    expect(await ask("Logs_20140328.DescribeLogStreams", { logGroupName: "absent" }, "logs")).toEqual({ status: 400, body: { __type: "ResourceNotFoundException", message: "The specified log group does not exist." } });
  });

  it("refuses operations that a service does not have, and signatures for another service", async () => {
    expect(await ask("CodeBuild_20161006.InvalidateProjectCache", {}, "codebuild")).toMatchObject({ status: 400, body: { __type: "UnknownOperationException" } });
    expect(await ask("Logs_20140328.DescribeLogGroups", {}, "codebuild")).toMatchObject({ status: 400, body: { __type: "UnknownOperationException" } });
    const unsigned = await send(sandbox, json("CodeBuild_20161006.ListProjects"));
    expect({ status: unsigned.status, body: JSON.parse(unsigned.text) as Members }).toMatchObject({ status: 400, body: { __type: "MissingAuthenticationTokenException" } });
  });
});

describe("an encrypted bucket", () => {
  it("lets builds read with the right to decrypt, and not without", async () => {
    const { KeyMetadata } = await call<{ KeyMetadata: { Arn: string } }>("kms", "CreateKey", {});
    for (const [extra, line] of [[[], "fatal error: An error occurred (403)"], [[allow("kms:Decrypt", KeyMetadata.Arn)], "download: s3://"]] as const) {
      const target = await deployment({ rights: (rights) => [...Object.values(rights), ...extra], environment: { variables: { PUBLIC_URL: "false" } } });
      await call("s3", "PutObject", { Bucket: target.bucket, Key: KEY, Body: zip(APP), ServerSideEncryption: "aws:kms", SSEKMSKeyId: KeyMetadata.Arn });
      const done = await deploy(target);
      expect([extra.length, done.buildStatus]).toEqual([extra.length, extra.length === 0 ? "FAILED" : "SUCCEEDED"]);
      expect(await log(done)).toContain(line);
    }
  });
});

describe("log groups", () => {
  const name = { logGroupName: "/test/group" };

  it("keep streams and events, and find them by time and terms", async () => {
    await call("logs", "CreateLogGroup", { ...name, tags: { a: "1" } });
    expect(await refusal(call("logs", "CreateLogGroup", name))).toEqual({ code: "ResourceAlreadyExistsException", status: 400, message: "The specified log group already exists" });
    expect(await refusal(call("logs", "PutLogEvents", { ...name, logStreamName: "s", logEvents: [{ timestamp: 1, message: "m" }] }))).toMatchObject({ code: "ResourceNotFoundException", message: "The specified log stream does not exist." });
    await call("logs", "CreateLogStream", { ...name, logStreamName: "s" });
    const now = sandbox.core.clock.now().getTime();
    const logEvents = ["one error", "two", "three error"].map((message, index) => ({ timestamp: now + index, message }));
    await call("logs", "PutLogEvents", { ...name, logStreamName: "s", logEvents });
    expect(await refusal(call("logs", "PutLogEvents", { ...name, logStreamName: "s", logEvents: [...logEvents].reverse() }))).toMatchObject({ code: "InvalidParameterException" });
    const found = async (operation: string, input: Members) => (await call<{ events: Event[] }>("logs", operation, { ...name, ...input })).events.map(({ message }) => message);
    expect(await found("FilterLogEvents", { filterPattern: "error -one" })).toEqual(["three error"]);
    expect(await found("GetLogEvents", { logStreamName: "s", startTime: now + 1, endTime: now + 2 })).toEqual(["two"]);
    expect(await found("GetLogEvents", { logStreamName: "s", limit: 1 })).toEqual(["three error"]);
    const forward = await call("logs", "GetLogEvents", { ...name, logStreamName: "s", limit: 2, startFromHead: true });
    expect(await found("GetLogEvents", { logStreamName: "s", nextToken: forward.nextForwardToken })).toEqual(["three error"]);
    expect(await call("logs", "DescribeLogStreams", name)).toMatchObject({ logStreams: [{ logStreamName: "s", firstEventTimestamp: now, lastEventTimestamp: now + 2 }] });
  });

  it("have a retention that CloudWatch Logs offers, and tags", async () => {
    await call("logs", "PutRetentionPolicy", { ...name, retentionInDays: 30 });
    expect(await refusal(call("logs", "PutRetentionPolicy", { ...name, retentionInDays: 31 }))).toMatchObject({ code: "InvalidParameterException", status: 400 });
    const { logGroups } = await call<{ logGroups: { retentionInDays: number; logGroupArn: string; arn: string }[] }>("logs", "DescribeLogGroups", { logGroupNamePrefix: "/test/" });
    const [{ retentionInDays, logGroupArn, arn }] = logGroups as [(typeof logGroups)[0]];
    expect([retentionInDays, arn]).toEqual([30, `${logGroupArn}:*`]);
    await call("logs", "TagResource", { resourceArn: logGroupArn, tags: { b: "2" } });
    await call("logs", "UntagResource", { resourceArn: logGroupArn, tagKeys: ["a"] });
    expect(await call("logs", "ListTagsForResource", { resourceArn: logGroupArn })).toEqual({ tags: { b: "2" } });
    await call("logs", "DeleteLogGroup", name);
    expect(await refusal(call("logs", "DescribeLogStreams", name))).toMatchObject({ code: "ResourceNotFoundException" });
  });
});
