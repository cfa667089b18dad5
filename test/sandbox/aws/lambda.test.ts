import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FUNCTION_URL_FORBIDDEN } from "../../../facts/aws/lambda.js";
import { RESPONSE_LABEL } from "../../../sandbox/containers.js";
import type { AwsCaller } from "../../../sandbox/aws/types.js";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { type Call, type EcrAnswer, type EcrCall, pushImage, testImage } from "./images.js";
import { type Wire, send, signed } from "./wire.js";

const ACCOUNT = "111122223333";
const OTHER = "444455556666";
const region = "eu-west-1";
const repositoryName = "functions";
const ImageUri = `${ACCOUNT}.dkr.ecr.${region}.amazonaws.com/${repositoryName}:latest`;
const FunctionName = "acme-canary";
const functionArn = `arn:aws:lambda:${region}:${ACCOUNT}:function:${FunctionName}`;
const Role = `arn:aws:iam::${ACCOUNT}:role/execution`;

const hasCli = spawnSync("aws", ["--version"]).status === 0;
if (!hasCli) process.stderr.write("skipped: the aws CLI is not on PATH\n");

let sandbox: Sandbox;
let administrator: AwsCaller;
let fresh: SandboxSnapshot;
let ecr: EcrCall;
let lambda: Call<Answer>;
let iam: Call<Answer>;

/** The members of answers that tests look into, of all operations together. */
interface Answer {
  Functions: object[];
  FunctionError?: string;
  FunctionUrl: string;
  LastUpdateStatus: string;
  Payload: string;
  Policy: string;
  Role: { Arn: string; RoleId: string };
  Statement: string;
  StatusCode: number;
  logGroups: { logGroupName: string }[];
}

const as =
  (caller: AwsCaller, service: "iam" | "lambda" | "logs" = "lambda"): Call<Answer> =>
  (operation, input) =>
    sandbox.aws.call(caller, service, operation, { ...input }, region) as Promise<unknown> as Promise<Answer>;
const policy = (...statements: object[]): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const allow = (Action: string | string[], Resource: string | string[] = functionArn, Condition?: object): object => ({ Effect: "Allow", Action, Resource, ...(Condition && { Condition }) });
const trustLambda = (Condition?: object): string => policy({ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole", ...(Condition && { Condition }) });
const pull = (change: object = {}): object => ({ Sid: "Pull", Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], ...change });
const setRepositoryPolicy = (...statements: object[]) => ecr("SetRepositoryPolicy", { repositoryName, policyText: policy(...statements) });

async function session(RoleName: string, ...statements: object[]): Promise<AwsCaller> {
  const { Role: made } = await iam("CreateRole", { RoleName, AssumeRolePolicyDocument: policy({ Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "sts:AssumeRole" }) });
  await iam("PutRolePolicy", { RoleName, PolicyName: "inline", PolicyDocument: policy(...statements) });
  const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/${RoleName}/build`;
  return { principal: { kind: "role-session", arn, accountId: ACCOUNT, roleArn: made.Arn, uniqueId: made.RoleId, sessionName: "build" } };
}

const definition = (change: object = {}): object => ({ FunctionName, PackageType: "Image", Code: { ImageUri }, Role, ...change });
/** The time moves on, so that Lambda is through with what it does. */
function settle(seconds = 5): void {
  const snapshot = sandbox.snapshot();
  sandbox.restore({ ...snapshot, clockOffsetSeconds: snapshot.clockOffsetSeconds + seconds });
}
async function deployed(change: object = {}): Promise<void> {
  await lambda("CreateFunction", definition(change));
  settle();
}

beforeAll(async () => {
  sandbox = await startSandbox();
  administrator = sandbox.aws.administrator(ACCOUNT).caller;
  sandbox.aws.administrator(OTHER);
  ecr = (operation, input) => sandbox.aws.call(administrator, "ecr", operation, { ...input }, region) as Promise<unknown> as Promise<EcrAnswer>;
  lambda = as(administrator);
  iam = as(administrator, "iam");
  await ecr("CreateRepository", { repositoryName });
  await setRepositoryPolicy(pull());
  await pushImage(ecr, repositoryName, testImage());
  await iam("CreateRole", { RoleName: "execution", AssumeRolePolicyDocument: trustLambda({ StringEquals: { "aws:SourceAccount": ACCOUNT } }) });
  // Tests go back a minute to where Lambda is still busy, and what is here must be there already.
  settle(600);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("functions", () => {
  it("are pending at first, then active; while one changes it takes no other change and serves what it had", async () => {
    const created = await lambda("CreateFunction", definition({ Description: "canary", Timeout: 30, MemorySize: 512, Tags: { ManagedBy: "dcf" } }));
    expect(created).toMatchObject({ FunctionName, FunctionArn: functionArn, Role, PackageType: "Image", State: "Pending", StateReasonCode: "Creating", Timeout: 30, MemorySize: 512, Architectures: ["x86_64"], CodeSha256: testImage().digest.slice(7) });
    settle(-60);
    await expect(lambda("UpdateFunctionConfiguration", { FunctionName, Timeout: 10 })).rejects.toMatchObject({
      code: "ResourceConflictException",
      status: 409,
      message: "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    });
    await expect(lambda("Invoke", { FunctionName })).rejects.toMatchObject({ code: "ResourceConflictException" });
    settle(120);
    expect(await lambda("GetFunction", { FunctionName })).toMatchObject({
      Configuration: { State: "Active", LastUpdateStatus: "Successful" },
      Code: { RepositoryType: "ECR", ImageUri, ResolvedImageUri: expect.stringContaining(`${repositoryName}@${testImage().digest}`) },
      Tags: { ManagedBy: "dcf" },
    });
    const next = testImage({ content: "next" });
    await pushImage(ecr, repositoryName, next);
    expect(await lambda("UpdateFunctionCode", { FunctionName, ImageUri })).toMatchObject({ State: "Active", LastUpdateStatus: "InProgress", CodeSha256: next.digest.slice(7) });
    settle(-60);
    await expect(lambda("UpdateFunctionCode", { FunctionName, ImageUri })).rejects.toMatchObject({
      code: "ResourceConflictException",
      message: `The operation cannot be performed at this time. An update is in progress for resource: ${functionArn}`,
    });
    expect((await lambda("Invoke", { FunctionName })).Payload).toContain(testImage().digest);
    settle(120);
    expect((await lambda("GetFunctionConfiguration", { FunctionName })).LastUpdateStatus).toBe("Successful");
    expect((await lambda("Invoke", { FunctionName })).Payload).toContain(next.digest);
    expect((await lambda("ListFunctions", {})).Functions).toMatchObject([{ FunctionName }]);
    await lambda("DeleteFunction", { FunctionName: functionArn });
    await expect(lambda("GetFunction", { FunctionName })).rejects.toMatchObject({ code: "ResourceNotFoundException", status: 404, message: `Function not found: ${functionArn}` });
  });

  it("are made once under a name", async () => {
    await deployed();
    await expect(lambda("CreateFunction", definition())).rejects.toMatchObject({ code: "ResourceConflictException", status: 409, message: `Function already exist: ${FunctionName}` });
  });

  it.each([
    ["a name of 65 characters", { FunctionName: "a".repeat(65) }, "ValidationException"],
    ["a name with a dot", { FunctionName: "a.b" }, "ValidationException"],
    ["a timeout over 900", { Timeout: 901 }, "ValidationException"],
    ["memory under 128", { MemorySize: 127 }, "ValidationException"],
    ["an unknown architecture", { Architectures: ["mips"] }, "ValidationException"],
    ["no container image", { PackageType: "Zip", Code: { S3Bucket: "b", S3Key: "k" } }, "InvalidParameterValueException"],
    ["more than 4 KB of environment", { Environment: { Variables: { BIG: "x".repeat(5000) } } }, "InvalidParameterValueException"],
    ["an image of another region", { Code: { ImageUri: ImageUri.replace(region, "us-east-1") } }, "InvalidParameterValueException"],
  ])("refuse %s", async (_what, change, code) => {
    await expect(lambda("CreateFunction", definition(change))).rejects.toMatchObject({ code, status: 400 });
  });

  it("tell who may look that there is none, and all others nothing", async () => {
    const scoped = as(await session("deployer", allow("lambda:GetFunction", `arn:aws:lambda:${region}:${ACCOUNT}:function:acme-*`)));
    await expect(scoped("GetFunction", { FunctionName: "acme-absent" })).rejects.toMatchObject({ code: "ResourceNotFoundException", status: 404 });
    await expect(scoped("GetFunction", { FunctionName: "other-absent" })).rejects.toMatchObject({
      code: "AccessDeniedException",
      status: 403,
      message: expect.stringContaining(`is not authorized to perform: lambda:GetFunction on resource: arn:aws:lambda:${region}:${ACCOUNT}:function:other-absent`),
    });
  });

  it("have tags, which take a right of their own", async () => {
    const pass = allow("iam:PassRole", Role, { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } });
    const plain = as(await session("plain", allow("lambda:CreateFunction"), pass));
    await expect(plain("CreateFunction", definition({ Tags: { a: "b" } }))).rejects.toMatchObject({ code: "AccessDeniedException", message: expect.stringContaining("lambda:TagResource") });
    await plain("CreateFunction", definition());
    await lambda("TagResource", { Resource: functionArn, Tags: { a: "b", c: "d" } });
    await lambda("UntagResource", { Resource: functionArn, TagKeys: ["a"] });
    expect(await lambda("ListTags", { Resource: functionArn })).toEqual({ Tags: { c: "d" } });
  });
});

describe("execution roles", () => {
  it.each([
    ["the right role and service", Role, "lambda.amazonaws.com", undefined],
    ["another service", Role, "ec2.amazonaws.com", "AccessDeniedException"],
    ["another role", `${Role}-other`, "lambda.amazonaws.com", "AccessDeniedException"],
  ])("are handed over by leave for %s", async (_what, resource, service, code) => {
    const caller = as(await session("deployer", allow("lambda:CreateFunction"), allow("iam:PassRole", resource, { StringEquals: { "iam:PassedToService": service } })));
    const created = caller("CreateFunction", definition());
    if (code === undefined) expect(await created).toMatchObject({ State: "Pending" });
    else await expect(created).rejects.toMatchObject({ code, status: 403, message: expect.stringContaining(`is not authorized to perform: iam:PassRole on resource: ${Role} `) });
  });

  it.each([
    ["another service", trustLambda().replace("lambda.", "ec2.")],
    ["another account's functions", trustLambda({ StringEquals: { "aws:SourceAccount": OTHER } })],
  ])("cannot be taken on when they trust %s", async (_what, PolicyDocument) => {
    await iam("UpdateAssumeRolePolicy", { RoleName: "execution", PolicyDocument });
    const refused = { code: "InvalidParameterValueException", status: 400, message: "The role defined for the function cannot be assumed by Lambda." };
    await expect(lambda("CreateFunction", definition())).rejects.toMatchObject(refused);
  });

  it("must be there", async () => {
    await expect(lambda("CreateFunction", definition({ Role: `${Role}-absent` }))).rejects.toMatchObject({ code: "InvalidParameterValueException" });
  });

  it("write the log of a call, and say nothing when they may not", async () => {
    await deployed();
    const groups = async () => (await as(administrator, "logs")("DescribeLogGroups", {})).logGroups.map(({ logGroupName }) => logGroupName);
    expect((await lambda("Invoke", { FunctionName })).StatusCode).toBe(200);
    expect(await groups()).toEqual([]);
    const rights = allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], `arn:aws:logs:${region}:${ACCOUNT}:log-group:/aws/lambda/acme-*`);
    await iam("PutRolePolicy", { RoleName: "execution", PolicyName: "logs", PolicyDocument: policy(rights) });
    await lambda("Invoke", { FunctionName });
    expect(await groups()).toEqual([`/aws/lambda/${FunctionName}`]);
  });
});

describe("images", () => {
  const denied = { code: "AccessDeniedException", status: 403, message: "Lambda does not have permission to access the ECR image. Check the ECR permissions." };
  const passing = [allow(["lambda:CreateFunction", "lambda:UpdateFunctionCode"]), allow("iam:PassRole", Role)];
  const repositoryArn = `arn:aws:ecr:${region}:${ACCOUNT}:repository/${repositoryName}`;

  it("must be there", async () => {
    const uri = ImageUri.replace("latest", "absent");
    await expect(lambda("CreateFunction", definition({ Code: { ImageUri: uri } }))).rejects.toMatchObject({
      code: "InvalidParameterValueException",
      message: `Source image ${uri} does not exist. Provide a valid source image.`,
    });
  });

  it.each([
    ["Lambda", [pull()], true],
    ["this function", [pull({ Condition: { StringLike: { "aws:SourceArn": `arn:aws:lambda:${region}:${ACCOUNT}:function:acme-*` } } })], true],
    ["other functions", [pull({ Condition: { StringLike: { "aws:SourceArn": `arn:aws:lambda:${region}:${ACCOUNT}:function:other-*` } } })], false],
    ["another service", [pull({ Principal: { Service: "codebuild.amazonaws.com" } })], false],
    ["Lambda to half of it", [pull({ Action: "ecr:BatchGetImage" })], false],
  ])("are pulled where the repository's policy allows it to %s", async (_whom, statements, allowed) => {
    await setRepositoryPolicy(...statements);
    const created = as(await session("deployer", ...passing))("CreateFunction", definition());
    if (allowed) expect(await created).toMatchObject({ State: "Pending" });
    else await expect(created).rejects.toMatchObject(denied);
  });

  it("come with the policy that Lambda writes where the caller could, and not against a denial", async () => {
    await ecr("DeleteRepositoryPolicy", { repositoryName });
    const deployer = as(await session("deployer", ...passing, allow(["ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy"], repositoryArn)));
    await deployer("CreateFunction", definition());
    const { policyText } = await ecr("GetRepositoryPolicy", { repositoryName });
    expect(JSON.parse(policyText).Statement).toMatchObject([{ Sid: "LambdaECRImageRetrievalPolicy", Principal: { Service: "lambda.amazonaws.com" }, Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] }]);
    await setRepositoryPolicy(pull({ Effect: "Deny" }));
    settle();
    await expect(deployer("UpdateFunctionCode", { FunctionName, ImageUri })).rejects.toMatchObject(denied);
  });

  it("of another architecture start and fail", async () => {
    await pushImage(ecr, repositoryName, testImage({ architecture: "arm64" }), "arm");
    const code = { ImageUri: ImageUri.replace("latest", "arm") };
    await deployed({ Code: code });
    const { FunctionError, Payload } = await lambda("Invoke", { FunctionName });
    expect(FunctionError).toBe("Unhandled");
    expect(JSON.parse(Payload)).toEqual({ errorType: "Runtime.InvalidEntrypoint", errorMessage: expect.stringContaining("Error: fork/exec /lambda-entrypoint.sh: exec format error") });
    await lambda("UpdateFunctionCode", { FunctionName, ImageUri: code.ImageUri, Architectures: ["arm64"] });
    settle();
    expect(await lambda("Invoke", { FunctionName })).not.toHaveProperty("FunctionError");
  });

  it("that list others are none", async () => {
    const mediaType = "application/vnd.oci.image.index.v1+json";
    await ecr("PutImage", { repositoryName, imageTag: "list", imageManifest: JSON.stringify({ schemaVersion: 2, mediaType, manifests: [{ digest: testImage().digest }] }) });
    await expect(lambda("CreateFunction", definition({ Code: { ImageUri: ImageUri.replace("latest", "list") } }))).rejects.toMatchObject({
      code: "InvalidParameterValueException",
      message: expect.stringContaining("is not supported"),
    });
  });
});

describe("permissions", () => {
  beforeEach(() => deployed());
  const add = (change: object) => lambda("AddPermission", { FunctionName, StatementId: "one", Action: "lambda:InvokeFunction", Principal: "*", ...change });

  it("are statements with ids of their own", async () => {
    await expect(lambda("GetPolicy", { FunctionName })).rejects.toMatchObject({ code: "ResourceNotFoundException", status: 404, message: "The resource you requested does not exist." });
    const { Statement } = await add({ Principal: "events.amazonaws.com", SourceArn: `arn:aws:events:${region}:${ACCOUNT}:rule/x`, SourceAccount: ACCOUNT });
    expect(JSON.parse(Statement)).toEqual({
      Sid: "one",
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: "lambda:InvokeFunction",
      Resource: functionArn,
      Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT }, ArnLike: { "AWS:SourceArn": `arn:aws:events:${region}:${ACCOUNT}:rule/x` } },
    });
    await expect(add({})).rejects.toMatchObject({
      code: "ResourceConflictException",
      status: 409,
      message: "The statement id (one) provided already exists. Please provide a new statement id, or remove the existing statement.",
    });
    await add({ StatementId: "two" });
    await lambda("RemovePermission", { FunctionName, StatementId: "one" });
    await expect(lambda("RemovePermission", { FunctionName, StatementId: "one" })).rejects.toMatchObject({ code: "ResourceNotFoundException" });
    expect(JSON.parse((await lambda("GetPolicy", { FunctionName })).Policy)).toMatchObject({ Id: "default", Statement: [{ Sid: "two" }] });
  });

  it.each([
    ["a principal of no kind", { Principal: "nobody" }],
    ["a role that is not there", { Principal: `arn:aws:iam::${ACCOUNT}:role/gone` }],
    ["an authentication type for another action", { FunctionUrlAuthType: "NONE" }],
    ["calls by URL for another action", { Action: "lambda:InvokeFunctionUrl", InvokedViaFunctionUrl: true }],
  ])("do not come with %s", async (_what, change) => {
    await expect(add(change)).rejects.toMatchObject({ code: "InvalidParameterValueException", status: 400 });
  });

  it("may be given by a policy for one kind of URL alone", async () => {
    const condition = { StringEquals: { "lambda:FunctionUrlAuthType": "AWS_IAM" } };
    const scoped = as(await session("scoped", allow(["lambda:AddPermission", "lambda:CreateFunctionUrlConfig"], functionArn, condition)));
    await expect(scoped("CreateFunctionUrlConfig", { FunctionName, AuthType: "NONE" })).rejects.toMatchObject({ code: "AccessDeniedException", status: 403 });
    await scoped("CreateFunctionUrlConfig", { FunctionName, AuthType: "AWS_IAM" });
  });
});

interface UrlAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** A call of a function's URL, over plain HTTP. */
function call(url: string, headers: Record<string, string> = {}): Promise<UrlAnswer> {
  const { host, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port: sandbox.port, path: pathname, headers: { host, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString("utf8") }));
    });
    request.on("error", reject);
    request.end();
  });
}

describe("function URLs", () => {
  const byUrl = { StatementId: "url", Action: "lambda:InvokeFunctionUrl", Principal: "*", FunctionUrlAuthType: "NONE" };
  const invoke = { StatementId: "invoke", Action: "lambda:InvokeFunction", Principal: "*", InvokedViaFunctionUrl: true };
  const forbidden = { status: 403, body: JSON.stringify({ Message: FUNCTION_URL_FORBIDDEN }) };
  const published = async (...permissions: object[]): Promise<string> => {
    for (const each of permissions) await lambda("AddPermission", { FunctionName, ...each });
    return (await lambda("CreateFunctionUrlConfig", { FunctionName, AuthType: "NONE" })).FunctionUrl;
  };

  it("are made, changed and deleted", async () => {
    await deployed();
    await expect(lambda("GetFunctionUrlConfig", { FunctionName })).rejects.toMatchObject({ code: "ResourceNotFoundException", message: "The resource you requested does not exist." });
    const url = await published();
    expect(url).toMatch(/^https:\/\/[a-z0-9]{32}\.lambda-url\.eu-west-1\.on\.aws\/$/);
    await expect(published()).rejects.toMatchObject({ code: "ResourceConflictException", message: `Failed to create function url config for [functionArn = ${functionArn}]. Error message:  FunctionUrlConfig exists for this Lambda function` });
    expect(await lambda("UpdateFunctionUrlConfig", { FunctionName, AuthType: "AWS_IAM" })).toMatchObject({ FunctionUrl: url, AuthType: "AWS_IAM", InvokeMode: "BUFFERED" });
    await lambda("DeleteFunctionUrlConfig", { FunctionName });
    expect((await call(url)).status).toBe(404);
  });

  it.each([
    ["neither permission", [], false],
    ["the one for the URL alone", [byUrl], false],
    ["the one for the function alone", [invoke], false],
    ["both", [byUrl, invoke], true],
    ["one for the other kind of URL", [{ ...byUrl, FunctionUrlAuthType: "AWS_IAM" }, invoke], false],
  ])("answer everybody with %s", async (_which, permissions, open) => {
    await deployed();
    const url = await published(...permissions);
    const answer = await call(url);
    expect(answer).toMatchObject(open ? { status: 200, body: JSON.stringify({ functionName: FunctionName, imageDigest: testImage().digest }) } : forbidden);
  });

  it("answer 502 for an image of another architecture, and what an image says for itself", async () => {
    await pushImage(ecr, repositoryName, testImage({ architecture: "arm64" }), "arm");
    await deployed({ Code: { ImageUri: ImageUri.replace("latest", "arm") } });
    const url = await published(byUrl, invoke);
    expect(await call(url)).toMatchObject({ status: 502, body: "Internal Server Error" });
    await pushImage(ecr, repositoryName, testImage({ labels: { [RESPONSE_LABEL]: JSON.stringify({ statusCode: 418, body: "short and stout" }) } }), "tea");
    await lambda("UpdateFunctionCode", { FunctionName, ImageUri: ImageUri.replace("latest", "tea") });
    settle();
    expect(await call(url)).toMatchObject({ status: 418, body: "short and stout" });
    expect((await call(url.replace("https://", "https://0"))).status).toBe(404);
  });

  it.each([
    ["no JSON", "tea", true],
    ["JSON with a status that is none", JSON.stringify({ statusCode: "418" }), false],
    ["other JSON", JSON.stringify(["tea"]), undefined],
  ])("answer as Lambda does for an image that says %s", async (_what, label, functionError) => {
    await pushImage(ecr, repositoryName, testImage({ labels: { [RESPONSE_LABEL]: label } }), "label");
    await deployed({ Code: { ImageUri: ImageUri.replace("latest", "label") } });
    const url = await published(byUrl, invoke);
    expect(await call(url)).toMatchObject(functionError === undefined ? { status: 200, body: label } : { status: 502, body: "Internal Server Error" });
    const { FunctionError, Payload } = await lambda("Invoke", { FunctionName });
    expect(FunctionError).toBe(functionError ? "Unhandled" : undefined);
    expect(functionError ? (JSON.parse(Payload) as object) : Payload).toEqual(functionError ? { errorType: "Sandbox.ResponseLabel", errorMessage: `The image's label ${RESPONSE_LABEL} is not JSON` } : label);
  });

  it.each([
    ["a bearer's", "Bearer abc"],
    ["a broken signature", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20200101/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=00"],
  ])("leave %s Authorization to the function, unless they ask for IAM", async (_which, authorization) => {
    await deployed();
    const url = await published(byUrl, invoke);
    expect(await call(url, { authorization })).toMatchObject({ status: 200 });
    await lambda("UpdateFunctionUrlConfig", { FunctionName, AuthType: "AWS_IAM" });
    expect(await call(url, { authorization })).toMatchObject({ status: 403 });
  });

  it("of the kind AWS_IAM answer whom a policy allows", async () => {
    await deployed();
    await published();
    const { FunctionUrl: url } = await lambda("UpdateFunctionUrlConfig", { FunctionName, AuthType: "AWS_IAM" });
    expect(await call(url)).toMatchObject(forbidden);
  });
});

describe("the REST protocol", () => {
  const rest = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const { accessKey: key } = sandbox.aws.administrator(ACCOUNT);
    const wire: Wire = { method, path, headers: { "content-type": "application/json", ...headers }, body: body === undefined ? "" : JSON.stringify(body) };
    const answer = await send(sandbox, await signed(sandbox, wire, { key, service: "lambda", region }));
    return { status: answer.status, headers: answer.headers, body: (answer.text === "" ? undefined : JSON.parse(answer.text)) as unknown };
  };
  const at = `/2015-03-31/functions/${FunctionName}`;

  it("carries every operation", async () => {
    expect(await rest("GET", at)).toMatchObject({ status: 404, body: { Message: `Function not found: ${functionArn}`, Type: "User" }, headers: { "x-amzn-errortype": "ResourceNotFoundException" } });
    expect(await rest("POST", "/2015-03-31/functions", definition())).toMatchObject({ status: 201, body: { State: "Pending" } });
    settle();
    expect(await rest("GET", `${at}/configuration`)).toMatchObject({ status: 200, body: { State: "Active" } });
    expect(await rest("PUT", `${at}/configuration`, { Timeout: 10 })).toMatchObject({ status: 200, body: { Timeout: 10 } });
    settle();
    expect(await rest("PUT", `${at}/code`, { ImageUri })).toMatchObject({ status: 200, body: { LastUpdateStatus: "InProgress" } });
    settle();
    expect(await rest("POST", `${at}/policy`, { StatementId: "one", Action: "lambda:InvokeFunction", Principal: "*" })).toMatchObject({ status: 201 });
    expect(await rest("GET", `${at}/policy`)).toMatchObject({ status: 200, body: { Policy: expect.any(String) } });
    expect(await rest("DELETE", `${at}/policy/one`)).toMatchObject({ status: 204 });
    expect(await rest("POST", `/2021-10-31/functions/${FunctionName}/url`, { AuthType: "NONE" })).toMatchObject({ status: 201, body: { AuthType: "NONE" } });
    expect(await rest("PUT", `/2021-10-31/functions/${FunctionName}/url`, { AuthType: "AWS_IAM" })).toMatchObject({ status: 200 });
    expect(await rest("GET", `/2021-10-31/functions/${FunctionName}/url`)).toMatchObject({ status: 200 });
    expect(await rest("DELETE", `/2021-10-31/functions/${FunctionName}/url`)).toMatchObject({ status: 204 });
    const tags = `/2017-03-31/tags/${encodeURIComponent(functionArn)}`;
    expect(await rest("POST", tags, { Tags: { a: "b" } })).toMatchObject({ status: 204 });
    expect(await rest("GET", tags)).toMatchObject({ status: 200, body: { Tags: { a: "b" } } });
    expect(await rest("DELETE", `${tags}?tagKeys=a`)).toMatchObject({ status: 204 });
    expect(await rest("POST", `${at}/invocations`, {})).toMatchObject({ status: 200, body: { statusCode: 200 }, headers: { "x-amz-executed-version": "$LATEST" } });
    expect(await rest("POST", `${at}/invocations`, {}, { "x-amz-invocation-type": "DryRun" })).toMatchObject({ status: 204 });
    expect(await rest("GET", "/2015-03-31/functions?MaxItems=1")).toMatchObject({ status: 200, body: { Functions: [{ FunctionName }] } });
    expect(await rest("DELETE", at)).toMatchObject({ status: 204 });
    expect(await rest("PATCH", at)).toMatchObject({ status: 404 });
  });
});

(hasCli ? it : it.skip)("the aws CLI makes, waits for, publishes and calls a function", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lambda-"));
  const env = { ...Object.fromEntries(Object.entries(sandbox.env({ region })).filter(([name]) => !name.startsWith("AWS_ENDPOINT"))), PATH: process.env["PATH"] ?? "", HOME: folder, AWS_MAX_ATTEMPTS: "1", AWS_PAGER: "" };
  const aws = (...args: string[]): Promise<{ failed: boolean; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile("aws", ["lambda", ...args], { env, timeout: 60_000 }, (error, stdout, stderr) => resolve({ failed: error !== null, stdout, stderr }));
    });
  const name = ["--function-name", FunctionName];
  try {
    expect((await aws("get-function", ...name)).stderr).toContain(`An error occurred (ResourceNotFoundException) when calling the GetFunction operation: Function not found: ${functionArn}`);
    expect(await aws("create-function", ...name, "--package-type", "Image", "--code", `ImageUri=${ImageUri}`, "--role", Role, "--tags", "ManagedBy=dcf")).toMatchObject({ failed: false, stderr: "" });
    settle();
    expect(await aws("wait", "function-active-v2", ...name)).toMatchObject({ failed: false, stderr: "" });
    const config = JSON.parse((await aws("create-function-url-config", ...name, "--auth-type", "NONE")).stdout) as { FunctionUrl: string };
    const permission = (id: string, ...rest: string[]) => aws("add-permission", ...name, "--statement-id", id, "--principal", "*", "--action", ...rest);
    expect(await permission("one", "lambda:InvokeFunctionUrl", "--function-url-auth-type", "NONE")).toMatchObject({ failed: false, stderr: "" });
    expect(await permission("two", "lambda:InvokeFunction", "--invoked-via-function-url")).toMatchObject({ failed: false, stderr: "" });
    expect((await permission("two", "lambda:InvokeFunction")).stderr).toContain("(ResourceConflictException)");
    expect(await call(config.FunctionUrl)).toMatchObject({ status: 200 });
    expect(await aws("delete-function", ...name)).toMatchObject({ failed: false, stderr: "" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
