/**
 * The real `aws` CLI against the sandbox's CodeBuild and CloudWatch Logs, through the proxy with the real host names.
 * Skipped, with the reason, where it is not installed.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Sandbox, startSandbox } from "../../sandbox/index.js";

const hasCli = spawnSync("aws", ["--version"]).status === 0;
if (!hasCli) process.stderr.write("skipped: the aws CLI is not on PATH\n");

const REGION = "eu-west-1";
const PROJECT = "by-cli";

let sandbox: Sandbox;
let folder: string;
beforeAll(async () => {
  sandbox = await startSandbox();
  folder = mkdtempSync(join(tmpdir(), "aws-cli-codebuild-"));
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

function aws(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  // Through the proxy: nothing says where the endpoint is.
  const env = Object.fromEntries(Object.entries(sandbox.env({ region: REGION })).filter(([name]) => !name.startsWith("AWS_ENDPOINT")));
  const own = { PATH: process.env.PATH ?? "", HOME: folder, AWS_CONFIG_FILE: join(folder, "config"), AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"), AWS_PAGER: "" };
  return new Promise((resolve) => {
    execFile("aws", args, { env: { ...env, ...own }, cwd: folder, timeout: 50_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

async function read<T>(...args: string[]): Promise<T> {
  const { status, stdout, stderr } = await aws(...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return (stdout === "" ? {} : JSON.parse(stdout)) as T;
}

(hasCli ? describe : describe.skip)("aws CLI", () => {
  it("makes a project, runs a build and reads its log", async () => {
    const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" }] };
    const { Role } = await read<{ Role: { Arn: string } }>("iam", "create-role", "--role-name", "builds", "--assume-role-policy-document", JSON.stringify(trust));
    const logs = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "logs:*", Resource: "*" }] };
    await read("iam", "put-role-policy", "--role-name", "builds", "--policy-name", "logs", "--policy-document", JSON.stringify(logs));
    writeFileSync(join(folder, "buildspec.yml"), 'version: 0.2\nphases:\n  build:\n    commands:\n      - echo "hello $WHO"\n');
    await read(
      "codebuild", "create-project", "--name", PROJECT, "--service-role", Role.Arn, "--artifacts", "type=NO_ARTIFACTS",
      "--source", "type=NO_SOURCE,buildspec=buildspec.yml", "--environment", "type=LINUX_CONTAINER,image=aws/codebuild/standard:7.0,computeType=BUILD_GENERAL1_SMALL",
    );
    const { build } = await read<{ build: { id: string; buildStatus: string } }>(
      "codebuild", "start-build", "--project-name", PROJECT, "--buildspec-override", "file://buildspec.yml",
      "--environment-variables-override", "name=WHO,value=world",
    );
    expect(build.buildStatus).toBe("IN_PROGRESS");
    const { builds } = await read<{ builds: { buildStatus: string; logs: { groupName: string; streamName: string } }[] }>("codebuild", "batch-get-builds", "--ids", build.id);
    expect(builds[0]!.buildStatus).toBe("SUCCEEDED");
    const { groupName, streamName } = builds[0]!.logs;
    const { events } = await read<{ events: { message: string }[] }>("logs", "get-log-events", "--log-group-name", groupName, "--log-stream-name", streamName);
    expect(events.map(({ message }) => message)).toContain("hello world\n");
    expect(await read("codebuild", "list-builds-for-project", "--project-name", PROJECT)).toEqual({ ids: [build.id] });
    expect(await read("logs", "describe-log-groups", "--log-group-name-prefix", "/aws/codebuild/")).toMatchObject({ logGroups: [{ logGroupName: `/aws/codebuild/${PROJECT}` }] });
  });

  it("shows CodeBuild's own refusals", async () => {
    const refused = await aws("codebuild", "start-build", "--project-name", "absent");
    expect(refused.status).not.toBe(0);
    expect(refused.stderr.trim()).toBe(
      `An error occurred (ResourceNotFoundException) when calling the StartBuild operation: Project cannot be found: arn:aws:codebuild:${REGION}:${sandbox.aws.defaultAccountId}:project/absent`,
    );
  });
});
