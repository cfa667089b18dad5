import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AwsCaller } from "../../../sandbox/aws/types.js";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { type EcrAnswer, type EcrCall, ociLayout, pushBlob, pushImage, testImage } from "./images.js";
import { json, send, signed } from "./wire.js";

const ACCOUNT = "111122223333";
const OTHER = "444455556666";
const region = "eu-west-1";
const repositoryName = "dcf/functions";
const repositoryArn = `arn:aws:ecr:${region}:${ACCOUNT}:repository/${repositoryName}`;
const host = `${ACCOUNT}.dkr.ecr.${region}.amazonaws.com`;
const sha256 = (data: Buffer | string): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

const hasSkopeo = spawnSync("skopeo", ["--version"]).status === 0;
const hasCli = spawnSync("aws", ["--version"]).status === 0;
if (!hasSkopeo) process.stderr.write("skipped: skopeo is not on PATH\n");
if (!hasCli) process.stderr.write("skipped: the aws CLI is not on PATH\n");

let sandbox: Sandbox;
let administrator: AwsCaller;
let fresh: SandboxSnapshot;
let ecr: EcrCall;

const as =
  (caller: AwsCaller, at = region): EcrCall =>
  (operation, input) =>
    sandbox.aws.call(caller, "ecr", operation, { ...input }, at) as Promise<unknown> as Promise<EcrAnswer>;
const policy = (...statements: object[]): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const allow = (Action: string | string[], Resource: string | string[] = repositoryArn): object => ({ Effect: "Allow", Action, Resource });

/** A session of a new role that has these statements. */
async function session(RoleName: string, statements: object[], account = ACCOUNT): Promise<AwsCaller> {
  const { caller } = sandbox.aws.administrator(account);
  const iam = (operation: string, input: object) => sandbox.aws.call(caller, "iam", operation, { ...input }, region);
  const trust = policy({ Effect: "Allow", Principal: { AWS: account }, Action: "sts:AssumeRole" });
  const { Role } = (await iam("CreateRole", { RoleName, AssumeRolePolicyDocument: trust })) as { Role: { Arn: string; RoleId: string } };
  if (statements.length > 0) await iam("PutRolePolicy", { RoleName, PolicyName: "inline", PolicyDocument: policy(...statements) });
  const arn = `arn:aws:sts::${account}:assumed-role/${RoleName}/build`;
  return { principal: { kind: "role-session", arn, accountId: account, roleArn: Role.Arn, uniqueId: Role.RoleId, sessionName: "build" } };
}

beforeAll(async () => {
  sandbox = await startSandbox();
  administrator = sandbox.aws.administrator(ACCOUNT).caller;
  sandbox.aws.administrator(OTHER);
  ecr = as(administrator);
  await ecr("CreateRepository", { repositoryName });
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("repositories", () => {
  it("are made once, described, changed and deleted when they are empty", async () => {
    const { repositories } = await ecr("DescribeRepositories", { repositoryNames: [repositoryName] });
    expect(repositories).toEqual([
      {
        repositoryArn,
        registryId: ACCOUNT,
        repositoryName,
        repositoryUri: `${host}/${repositoryName}`,
        createdAt: expect.any(Date),
        imageTagMutability: "MUTABLE",
        imageScanningConfiguration: { scanOnPush: false },
        encryptionConfiguration: { encryptionType: "AES256" },
      },
    ]);
    await expect(ecr("CreateRepository", { repositoryName })).rejects.toMatchObject({
      code: "RepositoryAlreadyExistsException",
      message: `The repository with name '${repositoryName}' already exists in the registry with id '${ACCOUNT}'`,
    });
    await ecr("PutImageScanningConfiguration", { repositoryName, imageScanningConfiguration: { scanOnPush: true } });
    await ecr("PutImageTagMutability", { repositoryName, imageTagMutability: "IMMUTABLE" });
    expect((await ecr("DescribeRepositories", {})).repositories[0]).toMatchObject({ imageTagMutability: "IMMUTABLE", imageScanningConfiguration: { scanOnPush: true } });
    await pushImage(ecr, repositoryName, testImage());
    await expect(ecr("DeleteRepository", { repositoryName })).rejects.toMatchObject({ code: "RepositoryNotEmptyException", status: 400 });
    await ecr("DeleteRepository", { repositoryName, force: true });
    await expect(ecr("DescribeRepositories", { repositoryNames: [repositoryName] })).rejects.toMatchObject({
      code: "RepositoryNotFoundException",
      message: `The repository with name '${repositoryName}' does not exist in the registry with id '${ACCOUNT}'`,
    });
    await ecr("CreateRepository", { repositoryName });
    expect((await ecr("ListImages", { repositoryName })).imageIds).toEqual([]);
  });

  it.each(["a", "Upper", "-begin", "a//b", "a".repeat(257)])("refuse the name %p", async (name) => {
    await expect(ecr("CreateRepository", { repositoryName: name })).rejects.toMatchObject({ code: "InvalidParameterException" });
  });

  it("have tags, by which policies may decide", async () => {
    const owner = await session("tagger", [{ ...allow(["ecr:TagResource", "ecr:CreateRepository"], "*"), Condition: { "ForAllValues:StringEquals": { "aws:TagKeys": ["Owner"] } } }]);
    const tag = (Key: string) => as(owner)("TagResource", { resourceArn: repositoryArn, tags: [{ Key, Value: "team-a" }] });
    await tag("Owner");
    await expect(tag("Secret")).rejects.toMatchObject({ code: "AccessDeniedException" });
    expect((await ecr("ListTagsForResource", { resourceArn: repositoryArn })).tags).toEqual([{ Key: "Owner", Value: "team-a" }]);
    await ecr("UntagResource", { resourceArn: repositoryArn, tagKeys: ["Owner"] });
    expect((await ecr("ListTagsForResource", { resourceArn: repositoryArn })).tags).toEqual([]);
    const untagged = await session("plain", [allow("ecr:CreateRepository", "*")]);
    await as(untagged)("CreateRepository", { repositoryName: "one" });
    await expect(as(untagged)("CreateRepository", { repositoryName: "two", tags: [{ Key: "a", Value: "b" }] })).rejects.toMatchObject({
      message: expect.stringContaining("is not authorized to perform: ecr:TagResource"),
    });
  });

  it("have a lifecycle policy of the documented shape", async () => {
    const rule = { rulePriority: 1, description: "a".repeat(60), selection: { tagStatus: "untagged", countType: "imageCountMoreThan", countNumber: 3 }, action: { type: "expire" } };
    const lifecyclePolicyText = JSON.stringify({ rules: [rule] });
    await expect(ecr("GetLifecyclePolicy", { repositoryName })).rejects.toMatchObject({ code: "LifecyclePolicyNotFoundException" });
    await ecr("PutLifecyclePolicy", { repositoryName, lifecyclePolicyText });
    expect((await ecr("GetLifecyclePolicy", { repositoryName })).lifecyclePolicyText).toBe(lifecyclePolicyText);
    const broken = lifecyclePolicyText.replace("imageCountMoreThan", "imagesMoreThan");
    await expect(ecr("PutLifecyclePolicy", { repositoryName, lifecyclePolicyText: broken })).rejects.toMatchObject({ code: "InvalidParameterException" });
  });
});

describe("access", () => {
  it("is asked for on the repository, and the refusal names it", async () => {
    const reader = await session("reader", [allow("ecr:DescribeRepositories")]);
    await as(reader)("DescribeRepositories", { repositoryNames: [repositoryName] });
    await expect(as(reader)("InitiateLayerUpload", { repositoryName })).rejects.toMatchObject({
      code: "AccessDeniedException",
      status: 400,
      message: `User: ${reader.principal.arn} is not authorized to perform: ecr:InitiateLayerUpload on resource: ${repositoryArn} because no identity-based policy allows the ecr:InitiateLayerUpload action`,
    });
    await expect(as(reader)("DescribeRepositories", { repositoryNames: ["other"] })).rejects.toMatchObject({ code: "AccessDeniedException" });
  });

  it("gives authorization tokens on * alone", async () => {
    const narrow = await session("narrow", [allow("ecr:GetAuthorizationToken")]);
    await expect(as(narrow)("GetAuthorizationToken", {})).rejects.toMatchObject({ message: expect.stringContaining("ecr:GetAuthorizationToken on resource: * ") });
    const { authorizationData } = await as(await session("wide", [allow("ecr:GetAuthorizationToken", "*")]))("GetAuthorizationToken", {});
    expect(authorizationData).toEqual([{ authorizationToken: expect.any(String), expiresAt: expect.any(Date), proxyEndpoint: `https://${host}` }]);
    expect(Buffer.from(authorizationData[0]?.authorizationToken ?? "", "base64").toString("utf8")).toMatch(/^AWS:.{100,}$/);
  });

  it("is widened and narrowed by the repository's policy, across accounts too", async () => {
    const guest = await session("guest", [allow("ecr:ListImages")], OTHER);
    const list = () => as(guest)("ListImages", { registryId: ACCOUNT, repositoryName });
    await expect(list()).rejects.toMatchObject({ code: "AccessDeniedException" });
    await expect(ecr("GetRepositoryPolicy", { repositoryName })).rejects.toMatchObject({ code: "RepositoryPolicyNotFoundException" });
    const statement = { Sid: "Guest", Effect: "Allow", Principal: { AWS: guest.principal.roleArn }, Action: "ecr:ListImages" };
    await ecr("SetRepositoryPolicy", { repositoryName, policyText: policy(statement) });
    expect((await list()).imageIds).toEqual([]);
    expect(JSON.parse((await ecr("GetRepositoryPolicy", { repositoryName })).policyText).Statement).toEqual([statement]);
    await ecr("DeleteRepositoryPolicy", { repositoryName });
    await expect(list()).rejects.toMatchObject({ code: "AccessDeniedException" });
  });

  it.each([
    ["no JSON", "{"],
    ["a resource", policy({ Effect: "Allow", Principal: "*", Action: "ecr:ListImages", Resource: "*" })],
    ["a principal that is not there", policy({ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/gone` }, Action: "ecr:ListImages" })],
    ["nobody", policy({ Effect: "Allow", Action: "ecr:ListImages" })],
  ])("takes no policy with %s", async (_what, policyText) => {
    await expect(ecr("SetRepositoryPolicy", { repositoryName, policyText })).rejects.toMatchObject({
      code: "InvalidParameterException",
      message: "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
    });
  });

  it("keeps the caller from locking itself out, unless it insists", async () => {
    const policyText = policy({ Effect: "Deny", Principal: "*", Action: "ecr:SetRepositoryPolicy" });
    await expect(ecr("SetRepositoryPolicy", { repositoryName, policyText })).rejects.toMatchObject({ code: "InvalidParameterException" });
    await ecr("SetRepositoryPolicy", { repositoryName, policyText, force: true });
    await expect(ecr("SetRepositoryPolicy", { repositoryName, policyText: policy() })).rejects.toMatchObject({ code: "AccessDeniedException" });
  });
});

describe("images", () => {
  it("need their layers, whose digests are checked", async () => {
    const image = testImage();
    const put = () => ecr("PutImage", { repositoryName, imageManifest: image.manifest, imageTag: "v1" });
    await expect(put()).rejects.toMatchObject({
      code: "LayersNotFoundException",
      message: `Layers with digests '[${sha256(image.config)}, ${sha256(image.layer)}]' required for pushing image into repository with name '${repositoryName}' in the registry with id '${ACCOUNT}' do not exist`,
    });
    const { uploadId } = await ecr("InitiateLayerUpload", { repositoryName });
    const part = (layerPartBlob: Buffer, partFirstByte: number) => ecr("UploadLayerPart", { repositoryName, uploadId, partFirstByte, partLastByte: partFirstByte + layerPartBlob.length - 1, layerPartBlob });
    const complete = (digest: string) => ecr("CompleteLayerUpload", { repositoryName, uploadId, layerDigests: [digest] });
    await expect(complete(sha256(image.layer))).rejects.toMatchObject({ code: "EmptyUploadException" });
    await part(image.layer.subarray(0, 10), 0);
    await expect(part(image.layer.subarray(20), 20)).rejects.toMatchObject({ code: "InvalidLayerPartException" });
    await expect(complete(sha256(image.layer))).rejects.toMatchObject({ code: "InvalidLayerException" });
    await part(image.layer.subarray(10), 10);
    expect(await complete(sha256(image.layer))).toMatchObject({ layerDigest: sha256(image.layer) });
    await expect(complete(sha256(image.layer))).rejects.toMatchObject({ code: "UploadNotFoundException" });
    await expect(pushBlob(ecr, repositoryName, image.layer)).rejects.toMatchObject({ code: "LayerAlreadyExistsException" });
    await pushBlob(ecr, repositoryName, image.config);
    expect((await put()).image.imageId).toEqual({ imageDigest: image.digest, imageTag: "v1" });
    const { downloadUrl } = await ecr("GetDownloadUrlForLayer", { repositoryName, layerDigest: sha256(image.layer) });
    expect(await registry("GET", downloadUrl.replace(`https://${host}`, ""))).toMatchObject({ status: 200, body: image.layer });
    expect(await registry("GET", downloadUrl.replace(`https://${host}`, "").replace(/ticket=..../, "ticket=0000"))).toMatchObject({ status: 403 });
  });

  it("move their tags in a mutable repository, and in an immutable one do not", async () => {
    const [first, second] = [testImage({ content: "1" }), testImage({ content: "2" })];
    await pushImage(ecr, repositoryName, first, "v1");
    await pushImage(ecr, repositoryName, second, "v1");
    expect((await ecr("DescribeImages", { repositoryName, imageIds: [{ imageTag: "v1" }] })).imageDetails[0]?.imageDigest).toBe(second.digest);
    await expect(pushImage(ecr, repositoryName, second, "v1")).rejects.toMatchObject({ code: "ImageAlreadyExistsException" });
    await ecr("PutImageTagMutability", { repositoryName, imageTagMutability: "IMMUTABLE" });
    await expect(pushImage(ecr, repositoryName, first, "v1")).rejects.toMatchObject({
      code: "ImageTagAlreadyExistsException",
      message: `The image tag 'v1' already exists in the '${repositoryName}' repository and cannot be overwritten because the tag is immutable.`,
    });
    await pushImage(ecr, repositoryName, first, "v2");
    const imageTagMutabilityExclusionFilters = [{ filterType: "WILDCARD", filter: "v*" }];
    await ecr("PutImageTagMutability", { repositoryName, imageTagMutability: "IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters });
    await pushImage(ecr, repositoryName, second, "v2");
  });

  it("are found and deleted by tag and by digest", async () => {
    const image = testImage();
    await pushImage(ecr, repositoryName, image, "a");
    await ecr("PutImage", { repositoryName, imageManifest: image.manifest, imageTag: "b" });
    const { images, failures } = await ecr("BatchGetImage", { repositoryName, imageIds: [{ imageTag: "a" }, { imageTag: "c" }] });
    expect(images).toMatchObject([{ imageManifest: image.manifest, imageId: { imageDigest: image.digest, imageTag: "a" } }]);
    expect(failures).toEqual([{ imageId: { imageTag: "c" }, failureCode: "ImageNotFound", failureReason: "Requested image not found" }]);
    await expect(ecr("DescribeImages", { repositoryName, imageIds: [{ imageTag: "c" }] })).rejects.toMatchObject({ code: "ImageNotFoundException" });
    await ecr("BatchDeleteImage", { repositoryName, imageIds: [{ imageTag: "a" }] });
    expect((await ecr("ListImages", { repositoryName })).imageIds).toEqual([{ imageDigest: image.digest, imageTag: "b" }]);
    await ecr("BatchDeleteImage", { repositoryName, imageIds: [{ imageDigest: image.digest }] });
    expect((await ecr("ListImages", { repositoryName })).imageIds).toEqual([]);
  });
});

interface RegistryAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** A request as a container client sends it, but over plain HTTP. */
function registry(method: string, path: string, { token, body, headers = {} }: { token?: string; body?: Buffer | string; headers?: Record<string, string> } = {}): Promise<RegistryAnswer> {
  const all = { host, ...headers, ...(token !== undefined && { authorization: `Basic ${token}` }) };
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port: sandbox.port, method, path, headers: all }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const errorOf = ({ status, body }: RegistryAnswer): object => ({ status, ...(JSON.parse(body.toString("utf8")) as { errors: object[] }).errors[0] });
const tokenOf = async (caller: AwsCaller): Promise<string> => (await as(caller)("GetAuthorizationToken", {})).authorizationData[0]?.authorizationToken ?? "";

async function pushByRegistry(token: string, tag: string, image = testImage()): Promise<RegistryAnswer> {
  for (const data of [image.config, image.layer]) {
    const begun = await registry("POST", `/v2/${repositoryName}/blobs/uploads/`, { token });
    if (begun.status !== 202) return begun;
    const patched = await registry("PATCH", begun.headers.location ?? "", { token, body: data });
    await registry("PUT", `${patched.headers.location ?? ""}?digest=${sha256(data)}`, { token });
  }
  return registry("PUT", `/v2/${repositoryName}/manifests/${tag}`, { token, body: image.manifest, headers: { "content-type": "application/vnd.docker.distribution.manifest.v2+json" } });
}

describe("the registry", () => {
  it("asks for a token, and takes it for 12 hours", async () => {
    const unauthorised = await registry("GET", "/v2/");
    expect(unauthorised).toMatchObject({ status: 401 });
    expect(unauthorised.headers["www-authenticate"]).toBe(`Basic realm="https://${host}/",service="ecr.amazonaws.com"`);
    const token = await tokenOf(administrator);
    expect(await registry("GET", "/v2/", { token })).toMatchObject({ status: 200 });
    expect(await registry("GET", "/v2/", { token: Buffer.from("AWS:nonsense").toString("base64") })).toMatchObject({ status: 400 });
    const snapshot = sandbox.snapshot();
    sandbox.restore({ ...snapshot, clockOffsetSeconds: 12 * 3600 + 1 });
    expect(errorOf(await registry("GET", "/v2/", { token }))).toEqual({ status: 403, code: "DENIED", message: "Your authorization token has expired. Reauthenticate and try again." });
  });

  it("takes and gives images", async () => {
    const token = await tokenOf(administrator);
    const image = testImage();
    const pushed = await pushByRegistry(token, "v1", image);
    expect(pushed).toMatchObject({ status: 201 });
    expect(pushed.headers["docker-content-digest"]).toBe(image.digest);
    expect((await pushByRegistry(token, "v1", image)).status).toBe(201);
    const manifest = await registry("GET", `/v2/${repositoryName}/manifests/v1`, { token });
    expect(manifest.body.toString("utf8")).toBe(image.manifest);
    expect((await registry("GET", `/v2/${repositoryName}/blobs/${sha256(image.layer)}`, { token })).body).toEqual(image.layer);
    expect((await registry("HEAD", `/v2/${repositoryName}/blobs/${sha256("none")}`, { token })).status).toBe(404);
    expect(errorOf(await registry("GET", `/v2/${repositoryName}/manifests/v2`, { token }))).toMatchObject({ status: 404, code: "MANIFEST_UNKNOWN" });
    expect(JSON.parse((await registry("GET", `/v2/${repositoryName}/tags/list`, { token })).body.toString("utf8"))).toEqual({ name: repositoryName, tags: ["v1"] });
    await ecr("PutImageTagMutability", { repositoryName, imageTagMutability: "IMMUTABLE" });
    expect(errorOf(await pushByRegistry(token, "v1", testImage({ content: "2" })))).toMatchObject({ status: 400, code: "TAG_INVALID", message: expect.stringContaining("because the tag is immutable") });
  });

  it("gives the token's principal the rights that it has, no more", async () => {
    const reader = await session("login", [allow("ecr:GetAuthorizationToken", "*")]);
    expect(errorOf(await pushByRegistry(await tokenOf(reader), "v1"))).toEqual({
      status: 403,
      code: "DENIED",
      message: `User: ${reader.principal.arn} is not authorized to perform: ecr:InitiateLayerUpload on resource: ${repositoryArn} because no identity-based policy allows the ecr:InitiateLayerUpload action`,
    });
    const pusher = await session("pusher", [allow("ecr:GetAuthorizationToken", "*"), allow(["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"])]);
    const token = await tokenOf(pusher);
    expect((await pushByRegistry(token, "v1")).status).toBe(201);
    expect(errorOf(await registry("GET", `/v2/${repositoryName}/manifests/v1`, { token }))).toMatchObject({ status: 403, code: "DENIED", message: expect.stringContaining("ecr:BatchGetImage") });
    expect(errorOf(await registry("POST", "/v2/absent/blobs/uploads/", { token: await tokenOf(administrator) }))).toEqual({
      status: 404,
      code: "NAME_UNKNOWN",
      message: `The repository with name 'absent' does not exist in the registry with id '${ACCOUNT}'`,
    });
  });
});

it("answers signed requests in the JSON protocol", async () => {
  const { accessKey: key } = sandbox.aws.administrator(ACCOUNT);
  const wire = json("AmazonEC2ContainerRegistry_V20150921.DescribeRepositories", { repositoryNames: ["absent"] });
  const answer = await send(sandbox, await signed(sandbox, wire, { key, service: "ecr", region }));
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text)).toMatchObject({ __type: "RepositoryNotFoundException" });
});

describe("real clients", () => {
  interface Result {
    status: number;
    stdout: string;
    stderr: string;
  }
  const folder = mkdtempSync(join(tmpdir(), "ecr-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(program: string, args: string[]): Promise<Result> {
    const certificates = join(folder, "certificates");
    const { AWS_CA_BUNDLE: ca = "", ...env } = sandbox.env({ region });
    const endpoints = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("AWS_ENDPOINT")));
    mkdirSync(certificates, { recursive: true });
    if (ca !== "") cpSync(ca, join(certificates, "ca.crt"));
    const all = { ...endpoints, AWS_CA_BUNDLE: ca, SSL_CERT_FILE: ca, PATH: process.env["PATH"] ?? "", HOME: folder, AWS_MAX_ATTEMPTS: "1", AWS_PAGER: "" };
    return new Promise((resolve) => {
      execFile(program, args, { env: all, timeout: 60_000 }, (error, stdout, stderr) => resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr }));
    });
  }

  const layout = (): string => ociLayout(join(folder, "layout"), testImage());

  (hasSkopeo ? it : it.skip)("skopeo pushes and pulls through the proxy", async () => {
    const credentials = Buffer.from(await tokenOf(administrator), "base64").toString("utf8");
    const target = `docker://${host}/${repositoryName}:v1`;
    const policyFile = join(folder, "policy.json");
    writeFileSync(policyFile, JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
    const common = ["--policy", policyFile];
    expect(await run("skopeo", [...common, "copy", "--dest-creds", credentials, "--dest-cert-dir", join(folder, "certificates"), `oci:${layout()}:v1`, target])).toMatchObject({ status: 0 });
    expect((await ecr("ListImages", { repositoryName })).imageIds).toMatchObject([{ imageTag: "v1" }]);
    const inspected = await run("skopeo", [...common, "inspect", "--creds", credentials, "--cert-dir", join(folder, "certificates"), target]);
    expect(inspected).toMatchObject({ status: 0 });
    expect(JSON.parse(inspected.stdout)).toMatchObject({ Name: `${host}/${repositoryName}`, Architecture: "amd64" });
    const absent = await run("skopeo", [...common, "copy", "--dest-creds", credentials, "--dest-cert-dir", join(folder, "certificates"), `oci:${layout()}:v1`, target.replace(repositoryName, "absent")]);
    expect(absent.status).not.toBe(0);
    expect(absent.stderr).toContain("The repository with name 'absent' does not exist");
  });

  (hasCli ? it : it.skip)("the aws CLI logs in and describes", async () => {
    const password = await run("aws", ["ecr", "get-login-password"]);
    expect(password).toMatchObject({ status: 0 });
    const token = Buffer.from(`AWS:${password.stdout.trim()}`).toString("base64");
    expect(await registry("GET", "/v2/", { token })).toMatchObject({ status: 200 });
    const described = await run("aws", ["ecr", "describe-repositories", "--repository-names", "absent"]);
    expect(described.status).not.toBe(0);
    expect(described.stderr).toContain("An error occurred (RepositoryNotFoundException) when calling the DescribeRepositories operation: The repository with name 'absent' does not exist");
  });
});

describe("Pulumi's resource types", () => {
  const behaviour = (type: string) => {
    const found = sandbox.tables[0]?.resources.get(type);
    if (!found) throw new Error(`${type} is not in the table`);
    return found;
  };
  const scope = { region, accountId: ACCOUNT };

  it("make, change, read back and delete a repository with its documents", async () => {
    const repository = behaviour("aws:ecr/repository:Repository");
    const { inputs, failures } = repository.check({ encryptionConfigurations: [{}], tags: { Owner: "team-a" } }, scope, "Functions");
    expect(failures).toEqual([]);
    expect(inputs).toMatchObject({ name: expect.stringMatching(/^functions-[0-9a-f]{7}$/), imageTagMutability: "MUTABLE", encryptionConfigurations: [{ encryptionType: "AES256" }] });
    const { id, outputs } = await repository.create(inputs, scope);
    expect(outputs).toMatchObject({ ...inputs, ...repository.preview?.(inputs, scope), registryId: ACCOUNT, repositoryUrl: `${host}/${id}` });
    const changed = await repository.update(id, outputs, { ...inputs, imageTagMutability: "IMMUTABLE", tags: {}, imageScanningConfiguration: { scanOnPush: true } }, scope);
    expect(changed).toMatchObject({ imageTagMutability: "IMMUTABLE", tags: {}, imageScanningConfiguration: { scanOnPush: true } });

    const rule = { rulePriority: 1, description: "keeps the last images only", selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 3 }, action: { type: "expire" } };
    const documents: [string, object][] = [
      ["aws:ecr/repositoryPolicy:RepositoryPolicy", JSON.parse(policy({ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "ecr:BatchGetImage" })) as object],
      ["aws:ecr/lifecyclePolicy:LifecyclePolicy", { rules: [rule] }],
    ];
    for (const [type, document] of documents) {
      const resource = behaviour(type);
      const checked = resource.check({ repository: id, policy: document }, scope, "document");
      const created = await resource.create(checked.inputs, scope);
      expect(created).toMatchObject({ id, outputs: { policy: JSON.stringify(document), repository: id, registryId: ACCOUNT } });
      expect((await resource.read(id, scope, created.outputs))?.inputs).toEqual(checked.inputs);
      await resource.delete(id, created.outputs, scope);
      expect(await resource.read(id, scope)).toBeUndefined();
    }
    await pushImage(ecr, id, testImage());
    await expect(repository.delete(id, changed, scope)).rejects.toThrow(/^deleting ECR Repository \(functions-[0-9a-f]{7}\): operation error ECR: DeleteRepository, .* RepositoryNotEmptyException: /);
    await repository.delete(id, { ...changed, forceDelete: true }, scope);
    expect(await repository.read(id, scope)).toBeUndefined();
  });
});
