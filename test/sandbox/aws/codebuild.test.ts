/** CodeBuild and CloudWatch Logs of the sandbox: projects, roles, and builds that run with their role's rights alone. */
import { deflateRawSync } from "node:zlib";
import { dcfBuildspec } from "../../../facts/aws/dcf-buildspec.js";
import { type Sandbox, startSandbox } from "../../../sandbox/index.js";
import type { AwsCaller, AwsServiceName } from "../../../sandbox/aws/types.js";

const REGION = "eu-west-1";
type Members = Record<string, any>;

let sandbox: Sandbox;
let account: string;
let admin: AwsCaller;

beforeAll(async () => {
  sandbox = await startSandbox();
  account = sandbox.aws.defaultAccountId;
  admin = sandbox.aws.administrator(account).caller;
});
afterAll(() => sandbox.close());

function call(service: AwsServiceName, operation: string, input: Members, caller = admin, region = REGION): Promise<Members> {
  return sandbox.aws.call(caller, service, operation, input, region);
}

async function refusal(call: Promise<unknown>): Promise<{ code: string; status: number; message: string }> {
  const error: any = await call.then(
    () => Promise.reject(new Error("The call was not refused")),
    (reason: unknown) => reason,
  );
  return { code: error.code, status: error.status, message: error.message };
}

/** A ZIP archive of texts. */
function zip(files: Record<string, string>): Buffer {
  const local: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const data = deflateRawSync(Buffer.from(text));
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(8, 8);
    header.writeUInt32LE(data.length, 18);
    header.writeUInt32LE(Buffer.byteLength(text), 22);
    header.writeUInt16LE(Buffer.byteLength(name), 26);
    local.push(header, Buffer.from(name), data);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt32LE(Buffer.byteLength(text), 24);
    entry.writeUInt16LE(Buffer.byteLength(name), 28);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + data.length;
  }
  const end = Buffer.alloc(22);
  const size = Buffer.concat(directory).length;
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(directory.length / 2, 8);
  end.writeUInt16LE(directory.length / 2, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, ...directory, end]);
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
  const { Role } = await call("iam", "CreateRole", { RoleName, AssumeRolePolicyDocument: trustPolicy });
  if (statements.length > 0) await call("iam", "PutRolePolicy", { RoleName, PolicyName: "inline", PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: statements }) });
  return Role.Arn;
}

const LOGS = allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]);
const spec = (...commands: string[]) => JSON.stringify({ version: "0.2", phases: { build: { commands } } });

let projects = 0;
async function project(given: { serviceRole?: string; region?: string; environment?: Members } & Members = {}): Promise<string> {
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

async function finished(id: string, caller = admin): Promise<Members> {
  for (;;) {
    const { builds } = await call("codebuild", "BatchGetBuilds", { ids: [id] }, caller);
    if (builds[0].buildComplete) return builds[0];
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function build(projectName: string, overrides: Members = {}): Promise<Members> {
  const started = await call("codebuild", "StartBuild", { projectName, ...overrides });
  return finished(started.build.id);
}

async function log({ logs }: Members): Promise<string> {
  const { events } = await call("logs", "GetLogEvents", { logGroupName: logs.groupName, logStreamName: logs.streamName, startFromHead: true });
  return events.map(({ message }: Members) => message).join("");
}

/** Type, status and context of the phase that failed. */
function failure({ phases }: Members): Members | undefined {
  const failed = phases.find(({ phaseStatus }: Members) => phaseStatus !== undefined && phaseStatus !== "SUCCEEDED");
  return failed && { phase: failed.phaseType, status: failed.phaseStatus, ...failed.contexts[0] };
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
    expect(done.phases.map(({ phaseType }: Members) => phaseType)).toEqual(["SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"]);
    expect(done.logs).toMatchObject({ groupName: `/aws/codebuild/${name}`, streamName: done.id.split(":")[1] });
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

void [dcfBuildspec, zip];
