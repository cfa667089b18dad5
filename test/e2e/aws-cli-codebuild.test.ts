/**
 * The real `aws` CLI against the sandbox's CodeBuild and CloudWatch Logs, through the proxy with the real host names.
 * Skipped, with the reason, where it is not installed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Sandbox, startSandbox } from "../../sandbox/index.js";
import { clientEnvironment, hasCli, runClient } from "../support/aws-cli.js";

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

const aws = (...args: string[]) => runClient("aws", args, clientEnvironment(sandbox, folder, "proxy", REGION), folder);

async function read<T>(...args: string[]): Promise<T> {
  const { status, stdout, stderr } = await aws(...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return (stdout === "" ? {} : JSON.parse(stdout)) as T;
}

(hasCli() ? describe : describe.skip)("aws CLI", () => {
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
