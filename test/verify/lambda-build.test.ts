/** Builds and functions: what verify shows of them without a build, and with one. */
import type { Contract } from "../../contract/index.js";
import type { AwsAccessKey } from "../../sandbox/aws/types.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { functionToken, planVerification, verifyContract, type Report, type RunEvent, type VerifyOptions } from "../../verify/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { Administrator, policyText } from "../support/administrator.js";
import { provisionDcfAws } from "../support/dcf-aws.js";

forwardRejections();

let sandbox: Sandbox;
let contract: Contract;
let reader: AwsAccessKey;
let healthy: SandboxSnapshot;

beforeAll(async () => {
  sandbox = await startSandbox();
  contract = await provisionDcfAws(sandbox, { lambdaBuild: { undeploy: true } });
  reader = await new Administrator(sandbox, contract).createReader();
  healthy = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(healthy));
afterAll(() => sandbox.close());

const options = (): VerifyOptions => ({
  contract,
  token: functionToken((order) => sandbox.issuers.mint({ ...contract.workload, ...order }), ["subject", "audience", "expiresInSeconds"]),
  env: sandbox.env({ region: "eu-west-1" }),
  waitSeconds: 0,
});
const verify = (more: Partial<VerifyOptions> = {}): Promise<Report> => verifyContract({ ...options(), ...more });
const failing = ({ checks }: Report) => checks.filter(({ required, status }) => required && status !== "pass").map(({ id, seen, reason }) => `${id}: ${seen ?? reason ?? ""}`);
const statuses = ({ checks }: Report, prefix: string) => Object.fromEntries(checks.filter(({ id }) => id.startsWith(prefix)).map(({ id, status }) => [id.slice(prefix.length), status]));

const made = () => ({ builds: sandbox.store.list("aws:codebuild/build").length, functions: sandbox.store.list("aws:lambda/function").length });
const bucket = () => new Administrator(sandbox, contract).call("s3", "ListObjectsV2", { Bucket: "acme-dcf-artifacts" });

describe("depth runtime", () => {
  it("shows the rights without a side effect, and what must be refused", async () => {
    const report = await verify({ depth: "runtime" });
    expect(failing(report)).toEqual([]);
    expect(statuses(report, "aws.codebuild.builds.")).toEqual({ read: "pass", start: "not-tested" });
    expect(statuses(report, "aws.lambda.functions.")).toEqual({ read: "pass", url: "pass" });
    expect(statuses(report, "aws.refusal.")).toMatchObject({ "project.builds": "pass", "function.functions": "pass" });
    expect(made()).toEqual({ builds: 0, functions: 0 });
    expect(report.residue).toEqual([]);
  });
});

describe("the account", () => {
  it("is in order", async () => {
    expect(failing(await verify({ token: undefined, account: reader }))).toEqual([]);
  });

  it.each([
    ["codebuild:BatchGetProjects", ["aws.account.project.builds"]],
    ["ecr:DescribeRepositories", ["aws.account.repository.builds"]],
  ])("leaves checks without a verdict where %s is missing, and names it", async (action, checks) => {
    const PolicyDocument = policyText({ Effect: "Deny", Action: action, Resource: "*" });
    await new Administrator(sandbox, contract).call("iam", "PutUserPolicy", { UserName: "engineer", PolicyName: "guardrail", PolicyDocument });
    const report = await verify({ token: undefined, account: reader });
    expect(failing(report)).toEqual(checks.map((check) => `${check}: reading it needs ${action}, which is denied to these credentials by an explicit deny (identity-based policy)`));
    expect(report.exitCode).toBe(3);
  });

  it.each<[string, (administrator: Administrator, action: string) => unknown, string]>([
    ["the organisation denies", (administrator, Action) => administrator.control("scp", { Effect: "Deny", Action, Resource: "*" }), "is denied to these credentials by an explicit deny (service control policy)"],
    [
      "nobody grants",
      async (administrator, action) => {
        await administrator.call("iam", "DetachUserPolicy", { UserName: "engineer", PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" });
        await administrator.call("iam", "PutUserPolicy", { UserName: "engineer", PolicyName: "most", PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", NotAction: action, Resource: "*" } }) });
      },
      "these credentials do not have",
    ],
  ])("tells rights that %s from others", async (_who, change, reason) => {
    await change(new Administrator(sandbox, contract), "ecr:DescribeRepositories");
    const report = await verify({ token: undefined, account: reader });
    expect(failing(report)).toEqual([`aws.account.repository.builds: reading it needs ecr:DescribeRepositories, which ${reason}`]);
  });
});

describe("depth deploy", () => {
  it("does nothing that would stay, unless that is accepted", async () => {
    const report = await verify({ depth: "deploy" });
    expect(failing(report)).toEqual(["aws.canary.builds: it would leave two images, two build logs and the function's log, which the granted rights cannot remove: allow that with --accept-residue"]);
    expect([report.exitCode, report.residue, made()]).toEqual([0, [], { builds: 0, functions: 0 }]);
  });

  it("deploys a canary, calls it, updates it and removes what it can", async () => {
    const progress: string[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type === "progress") progress.push(event.text);
    };
    const report = await verify({ depth: "deploy", acceptResidue: true, onEvent });
    expect(failing(report)).toEqual([]);
    expect(statuses(report, "aws.canary.builds.")).toEqual({ stage: "pass", build: "pass", function: "pass", call: "pass", update: "pass", remove: "pass" });
    expect(progress).toEqual(expect.arrayContaining([expect.stringMatching(/^build dcf-aws-test:[0-9a-f-]{36}: [A-Z_]+$/)]));
    expect(made()).toEqual({ builds: 2, functions: 0 });
    expect((await bucket())["Contents"] ?? []).toEqual([]);
    expect(report.residue.map(({ remove }) => remove)).toEqual([
      expect.stringMatching(/^aws logs delete-log-stream --log-group-name \/aws\/codebuild\/dcf-aws-test --log-stream-name [0-9a-f-]{36} --region eu-west-1$/),
      expect.stringMatching(/^aws logs delete-log-stream /),
      expect.stringMatching(/^aws logs delete-log-group --log-group-name \/aws\/lambda\/acme-dcf-cf-verify-[0-9a-f]{12} --region eu-west-1$/),
      expect.stringMatching(/^aws ecr batch-delete-image --repository-name dcf-aws-test --image-ids imageTag=acme-dcf-cf-verify-[0-9a-f]{12} imageDigest=sha256:[0-9a-f]{64} --region eu-west-1$/),
    ]);
    const images = (await new Administrator(sandbox, contract).call("ecr", "ListImages", { repositoryName: "dcf-aws-test" })) as { imageIds: { imageDigest: string; imageTag?: string }[] };
    const untagged = images.imageIds.filter(({ imageTag }) => imageTag === undefined);
    expect([images.imageIds.length, untagged.length]).toEqual([2, 1]);
    expect(report.residue.at(-1)?.remove).toContain(`imageDigest=${untagged[0]!.imageDigest} `);
  });

  it("lists every version and delete marker that a bucket keeps of the archives, and what removes them", async () => {
    const administrator = new Administrator(sandbox, contract);
    const Bucket = administrator.bucket;
    await administrator.call("s3", "PutBucketVersioning", { Bucket, VersioningConfiguration: { Status: "Enabled" } });
    const report = await verify({ depth: "deploy", acceptResidue: true });
    expect(report.exitCode).toBe(0);
    const { Versions: versions = [], DeleteMarkers: markers = [] } = (await administrator.call("s3", "ListObjectVersions", { Bucket })) as Record<string, { Key: string; VersionId: string }[] | undefined>;
    // The probe's object and two archives.
    expect([versions.length, markers.length]).toEqual([3, 3]);
    const listed = report.residue.map(({ remove }) => remove).filter((remove) => remove.startsWith("aws s3api"));
    const left = [...versions, ...markers].map(({ Key, VersionId }) => `aws s3api delete-object --bucket ${Bucket} --key ${Key} --version-id ${VersionId} --region eu-west-1`);
    expect(listed.sort()).toEqual(left.sort());
  });

  it("leaves the function, and says how to remove it, where the contract has no right to", async () => {
    const grants = contract.grants.map((grant) => (grant.kind === "lambda-functions" ? { ...grant, permissions: ["lambda:GetFunction", "lambda:GetFunctionUrlConfig"] } : grant));
    const report = await verify({ contract: { ...contract, grants }, depth: "deploy", acceptResidue: true });
    expect(statuses(report, "aws.canary.builds.")).toMatchObject({ update: "pass", remove: "not-tested" });
    expect([report.exitCode, made().functions]).toEqual([0, 1]);
    expect(report.residue[0]).toEqual({ what: expect.stringMatching(/^function acme-dcf-cf-verify-[0-9a-f]{12}$/), remove: expect.stringMatching(/^aws lambda delete-function --function-name acme-dcf-cf-verify-[0-9a-f]{12} --region eu-west-1$/) });
  });

  it("names a URL that has lost one of its two permissions", async () => {
    const onEvent = (event: RunEvent) => {
      if (event.type !== "finished" || event.check.id !== "aws.canary.builds.build") return;
      const functions = sandbox.store.list<{ name: string }>("aws:lambda/function");
      for (const { value } of functions) void new Administrator(sandbox, contract).call("lambda", "RemovePermission", { FunctionName: value.name, StatementId: "FunctionURLInvokeAllowPublicAccess" });
    };
    const report = await verify({ depth: "deploy", acceptResidue: true, onEvent });
    expect(report.findings.map(({ causes }) => causes.map(({ code }) => code))).toEqual([["aws.lambda.url-not-public"]]);
  });

  it("removes the archives and names the build that goes on after an interruption", async () => {
    const interrupt = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === "progress") interrupt.abort();
    };
    const report = await verify({ depth: "deploy", acceptResidue: true, signal: interrupt.signal, onEvent });
    expect(report.exitCode).toBe(130);
    expect((await bucket())["Contents"] ?? []).toEqual([]);
    expect(report.residue.map(({ remove }) => remove)).toEqual(expect.arrayContaining([expect.stringMatching(/^aws codebuild stop-build --id dcf-aws-test:/)]));
  });

  it("is told in the plan: every call, what it costs, what stays", async () => {
    const plan = (more: Partial<VerifyOptions>) => planVerification({ ...options(), depth: "deploy", ...more });
    const full = await plan({ account: reader, acceptResidue: true });
    for (const line of [
      "codebuild:BatchGetProjects, ecr:DescribeRepositories, ecr:GetRepositoryPolicy, logs:DescribeLogGroups, logs:GetLogEvents",
      "s3:PutObject builds/cloud-federation-verify/<run id>-1.zip and builds/cloud-federation-verify/<run id>-2.zip in bucket acme-dcf-artifacts",
      "codebuild:StartBuild of dcf-aws-test, twice",
      "lambda:DeleteFunctionUrlConfig, lambda:RemovePermission, lambda:DeleteFunction on acme-dcf-cf-verify-<run id>",
      "0.02 to 0.10 USD",
      "repository 111122223333.dkr.ecr.eu-west-1.amazonaws.com/dcf-aws-test: two images",
    ]) {
      expect(full).toContain(line);
    }
    expect(await plan({})).toContain("no canary without --accept-residue");
    expect(await plan({})).not.toContain("StartBuild");
  });
});
