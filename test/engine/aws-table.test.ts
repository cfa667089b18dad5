import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import * as cloudwatch from "@pulumi/aws/cloudwatch/index.js";
import * as codebuild from "@pulumi/aws/codebuild/index.js";
import * as ecr from "@pulumi/aws/ecr/index.js";
import * as iam from "@pulumi/aws/iam/index.js";
import * as kms from "@pulumi/aws/kms/index.js";
import * as s3 from "@pulumi/aws/s3/index.js";
import { getCallerIdentity } from "@pulumi/aws/getCallerIdentity.js";
import { getPartition } from "@pulumi/aws/getPartition.js";
import { getRegion } from "@pulumi/aws/getRegion.js";
import { Provider } from "@pulumi/aws/provider.js";

import { destroyEmbedded } from "../../engine/destroy.js";
import { runEmbedded, type EmbeddedOptions, type EmbeddedResource, type EmbeddedResult } from "../../engine/embedded.js";
import { compareInputs, readInputs, resourceBehaviour } from "../../engine/operations.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";

const region = "eu-west-1";
const config = { "aws:region": region };
const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const allow = (action: string) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] });

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let account: string;
beforeAll(async () => {
  sandbox = await startSandbox();
  account = sandbox.aws.defaultAccountId;
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

const run = (program: EmbeddedOptions["program"], more: Partial<EmbeddedOptions> = {}) =>
  runEmbedded({ program, project: "proj", stack: "dev", config, tables: sandbox.tables, ...more });
const single = (register: () => unknown, more: Partial<EmbeddedOptions> = {}) =>
  run(async () => {
    register();
    return {};
  }, more);
const named = (result: EmbeddedResult, name: string): EmbeddedResource => result.resources.find((resource) => resource.name === name)!;
const call = (service: "iam" | "s3" | "kms", operation: string, input: Record<string, unknown>, at = region) =>
  sandbox.aws.call(sandbox.aws.administrator(account).caller, service, operation, input, at);

/** One of everything that the table plays, with most inputs given. */
async function everything(): Promise<Record<string, unknown>> {
  const provider = new iam.OpenIdConnectProvider("oidc", { url: "https://issuer.example.com/a", clientIdLists: ["z", "a"], tags: { Team: "x" } });
  const policy = new iam.Policy("policy", { policy: allow("s3:ListAllMyBuckets"), path: "/p/", description: "d", tags: { A: "1" } });
  const boundary = new iam.Policy("boundary", { name: "boundary", policy: allow("*") });
  const role = new iam.Role("role", {
    assumeRolePolicy: trust,
    path: "/deep/",
    description: "d",
    maxSessionDuration: 7200,
    permissionsBoundary: boundary.arn,
    inlinePolicies: [{ name: "zz", policy: allow("s3:*") }, { name: "aa", policy: allow("sts:*") }],
    managedPolicyArns: [policy.arn],
    tags: { Team: "x" },
  });
  const bare = new iam.Role("bare", { name: "bare", assumeRolePolicy: trust });
  const inline = new iam.RolePolicy("inline", { role: bare.name, policy: allow("s3:GetObject") });
  const attached = new iam.RolePolicyAttachment("attached", { role: bare.name, policyArn: policy.arn });
  const key = new kms.Key("key", { description: "k", enableKeyRotation: true, deletionWindowInDays: 7, tags: { K: "v" } });
  const alias = new kms.Alias("alias", { name: "alias/mine", targetKeyId: key.keyId });
  const bucket = new s3.Bucket("bucket", { tags: { B: "v" } });
  const block = new s3.BucketPublicAccessBlock("block", { bucket: bucket.bucket, blockPublicAcls: true, blockPublicPolicy: true });
  const ownership = new s3.BucketOwnershipControls("ownership", { bucket: bucket.bucket, rule: { objectOwnership: "BucketOwnerEnforced" } });
  const encryption = new s3.BucketServerSideEncryptionConfiguration("encryption", {
    bucket: bucket.bucket,
    rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: key.arn }, bucketKeyEnabled: true }],
  });
  const versioning = new s3.BucketVersioning("versioning", { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } });
  const bucketPolicy = new s3.BucketPolicy("bucket-policy", {
    bucket: bucket.bucket,
    policy: bucket.arn.apply((Resource) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:*", Resource, Condition: { Bool: { "aws:SecureTransport": "false" } } }],
      }),
    ),
  });
  const lifecycle = new s3.BucketLifecycleConfiguration("lifecycle", {
    bucket: bucket.bucket,
    rules: [
      { id: "staged", status: "Enabled", filter: { prefix: "builds/" }, expiration: { days: 30 }, noncurrentVersionExpiration: { noncurrentDays: 7 } },
      { id: "uploads", status: "Enabled", filter: { prefix: "" }, abortIncompleteMultipartUpload: { daysAfterInitiation: 1 } },
      { id: "both", status: "Disabled", filter: { and: { prefix: "a/", tags: { T: "v" } } }, expiration: { days: 3 } },
    ],
  });
  const logs = new cloudwatch.LogGroup("logs", { name: "/aws/codebuild/project", retentionInDays: 30, tags: { L: "v" } });
  const project = new codebuild.Project("project", {
    description: "p",
    serviceRole: bare.arn,
    buildTimeout: 30,
    source: { type: "NO_SOURCE", buildspec: "version: 0.2" },
    artifacts: { type: "NO_ARTIFACTS" },
    environment: { type: "LINUX_CONTAINER", computeType: "BUILD_GENERAL1_SMALL", image: "aws/codebuild/standard:7.0", privilegedMode: true, environmentVariables: [{ name: "A", value: "1" }] },
    logsConfig: { cloudwatchLogs: { status: "ENABLED", groupName: logs.name } },
    tags: { P: "v" },
  });
  const repository = new ecr.Repository("repository", { name: "repository", imageTagMutability: "IMMUTABLE", imageScanningConfiguration: { scanOnPush: true }, tags: { R: "v" } });
  const pull = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "ecr:BatchGetImage" }] });
  const repositoryPolicy = new ecr.RepositoryPolicy("repositoryPolicy", { repository: repository.name, policy: pull });
  const expiry = JSON.stringify({ rules: [{ rulePriority: 1, selection: { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 14 }, action: { type: "expire" } }] });
  const lifecyclePolicy = new ecr.LifecyclePolicy("lifecyclePolicy", { repository: repository.name, policy: expiry });
  return { project, repositoryPolicy, lifecyclePolicy, provider, policy, role, inline, attached, alias, block, ownership, encryption, versioning, bucketPolicy, lifecycle };
}

/** Properties of a class or result that the declarations do not allow to be undefined. */
function promised(file: string, kind: "class" | "Result"): string[] {
  const declarations = readFileSync(file, "utf8").replace(/\/\*\*[\s\S]*?\*\//g, "");
  const body = (kind === "class" ? /export declare class \w+ [^{]*\{([\s\S]*?)\n\}/ : /export interface \w+Result \{([\s\S]*?)\n\}/).exec(declarations)?.[1] ?? "";
  const members = [...body.matchAll(/^ {4}readonly (\w+)(\??): ((?:[^{};]|\{[^}]*\})*);/gm)];
  expect(members.length).toBeGreaterThan(0);
  return members.filter(([, , optional, type]) => optional === "" && !type!.includes("| undefined")).map(([, name]) => name!);
}

const awsPackage = resolve(__dirname, "../../node_modules/@pulumi/aws");
const declarationOf = (token: string): string => {
  const path = join(awsPackage, `${token.split(":")[1]!.replace(/^index\//, "")}.d.ts`);
  expect(existsSync(path)).toBe(true);
  return path;
};

describe("the AWS resource table", () => {
  /** The real provider gives none of these either where the feature is not configured. */
  const notConfigured: Record<string, string[]> = {
    "aws:s3/bucket:Bucket": ["logging", "objectLockConfiguration", "replicationConfiguration", "website", "websiteDomain", "websiteEndpoint"],
  };

  it("creates one of everything with all outputs that the declarations promise", async () => {
    const result = await run(everything);
    expect(result.errors).toEqual([]);
    expect(new Set(result.resources.map(({ type }) => type))).toEqual(new Set(sandbox.tables[0]!.resources.keys()));
    for (const { type, outputs } of result.resources) {
      const missing = promised(declarationOf(type), "class").filter((name) => outputs[name] === undefined);
      expect([type, missing.sort()]).toEqual([type, notConfigured[type] ?? []]);
    }

    const role = named(result, "role");
    expect(role.id).toMatch(/^role-[0-9a-f]{7}$/);
    expect(role.outputs).toMatchObject({ arn: `arn:aws:iam::${account}:role/deep/${role.id}`, name: role.id, uniqueId: expect.stringMatching(/^AROA/), tagsAll: { Team: "x" } });
    expect(named(result, "oidc")).toMatchObject({ id: `arn:aws:iam::${account}:oidc-provider/issuer.example.com/a`, outputs: { url: "issuer.example.com/a", clientIdLists: ["z", "a"] } });
    expect(named(result, "inline").id).toMatch(/^bare:inline-[0-9a-f]{7}$/);
    expect(named(result, "bucket").outputs).toMatchObject({ region, bucketRegion: region, bucketDomainName: `${named(result, "bucket").id}.s3.amazonaws.com` });
    expect(named(result, "alias").outputs).toMatchObject({ arn: `arn:aws:kms:${region}:${account}:alias/mine`, targetKeyArn: named(result, "key").outputs.arn });
  });

  it("changes nothing in a second run, and reads every input back as it was given, without and with the state", async () => {
    const first = await run(everything);
    const again = await run(everything, { previous: first.resources });
    expect(again.errors).toEqual([]);
    expect(new Set(again.resources.map(({ status }) => status))).toEqual(new Set(["same"]));
    for (const { type, name, id, inputs, outputs, scope } of first.resources) {
      const behaviour = resourceBehaviour(sandbox.tables, type);
      for (const olds of [outputs, undefined]) {
        const found = await behaviour.read(id, scope!, olds);
        const { changes } = compareInputs(behaviour, readInputs(behaviour, found!.inputs, inputs), inputs);
        const local = olds === undefined ? ["forceDetachPolicies", "deletionWindowInDays"] : [];
        const sets = olds === undefined ? ["clientIdLists", "inlinePolicies"] : [];
        expect([name, [...changes.keys()].filter((key) => ![...local, ...sets].includes(key))]).toEqual([name, []]);
      }
    }
  });

  it("previews with the ARNs that creation then gives", async () => {
    const arns = async () => {
      const role = new iam.Role("r", { name: "r", path: "/x/", assumeRolePolicy: trust });
      const bucket = new s3.Bucket("b", { bucket: "preview-bucket" });
      const provider = new iam.OpenIdConnectProvider("o", { url: "https://issuer.example.com", clientIdLists: ["a"] });
      const policy = new iam.Policy("p", { name: "p", policy: allow("*") });
      const key = new kms.Key("k");
      return { role: role.arn, bucket: bucket.arn, domain: bucket.bucketRegionalDomainName, provider: provider.arn, policy: policy.arn, key: key.arn, id: role.uniqueId };
    };
    const preview = await run(arns, { preview: true });
    expect(preview.errors).toEqual([]);
    const created = await run(arns);
    const { key, id, ...known } = preview.outputs;
    expect([key!.known, id!.known]).toEqual([false, false]);
    expect(created.outputs).toMatchObject(known);
  });

  it("destroys what it made, and only that", async () => {
    const result = await run(everything);
    const destroyed = await destroyEmbedded(result.resources, sandbox.tables);
    expect(destroyed.errors).toEqual([]);
    await expect(call("iam", "GetRole", { RoleName: "bare" })).rejects.toMatchObject({ code: "NoSuchEntity" });
    await expect(call("s3", "HeadBucket", { Bucket: named(result, "bucket").id })).rejects.toMatchObject({ status: 404 });
    const described = await call("kms", "DescribeKey", { KeyId: named(result, "key").id });
    expect(described.KeyMetadata).toMatchObject({ KeyState: "PendingDeletion" });
    // What is gone already is no mistake.
    expect((await destroyEmbedded(result.resources, sandbox.tables)).errors).toEqual([]);
  });

  it("words errors as the provider does", async () => {
    await call("iam", "CreateRole", { RoleName: "taken", AssumeRolePolicyDocument: trust });
    await call("s3", "CreateBucket", { Bucket: "taken-bucket", CreateBucketConfiguration: { LocationConstraint: region } });
    const requestId = "[0-9a-f-]{36}";
    const cases: [() => unknown, RegExp][] = [
      [
        () => new iam.Role("r", { name: "taken", assumeRolePolicy: trust }),
        new RegExp(`^creating IAM Role \\(taken\\): operation error IAM: CreateRole, https response error StatusCode: 409, RequestID: ${requestId}, EntityAlreadyExists: Role with name taken already exists\\.$`),
      ],
      [
        () => new iam.Role("r", { name: "m", assumeRolePolicy: "{}" }),
        new RegExp(`^creating IAM Role \\(m\\): operation error IAM: CreateRole, https response error StatusCode: 400, RequestID: ${requestId}, MalformedPolicyDocument: `),
      ],
      [() => new iam.Role("r", { assumeRolePolicy: "{not json" }), /^assumeRolePolicy: contains an invalid JSON policy$/],
      [
        () => new s3.Bucket("b", { bucket: "taken-bucket" }),
        /^creating S3 Bucket \(taken-bucket\): operation error S3: CreateBucket, https response error StatusCode: 409, RequestID: [0-9a-f-]+, HostID: [0-9a-f]+, BucketAlreadyOwnedByYou: /,
      ],
      [() => new s3.Bucket("b", { bucket: "UPPER" }), /api error InvalidBucketName: The specified bucket is not valid\.?$/],
      [() => new s3.Bucket("b", { acl: "private" }), /^acl: the sandbox does not play this input of aws:s3\/bucket:Bucket; use aws:s3\/bucketOwnershipControls/],
      [() => new s3.BucketPolicy("p", { bucket: "no-such-bucket-here", policy: allow("*") }), /^creating S3 Bucket \(no-such-bucket-here\) Policy: operation error S3: PutBucketPolicy, .*NoSuchBucket: /],
      [() => new kms.Alias("a", { name: "mine", targetKeyId: "x" }), /^creating KMS Alias \(mine\): operation error KMS: CreateAlias, /],
    ];
    for (const [register, message] of cases) {
      const result = await single(register);
      expect(result.resources[0]!.error).toMatch(message);
    }
    const missing = await single(() => new iam.RolePolicy("p", { role: "nobody", policy: allow("*") }));
    expect(missing.resources[0]!.error).toMatch(/NoSuchEntity: The role with name nobody cannot be found\.$/);
  });

  it("says in us-east-1 that a bucket exists, where S3 itself would not", async () => {
    await call("s3", "CreateBucket", { Bucket: "first-region-bucket" }, "us-east-1");
    const result = await single(() => new s3.Bucket("b", { bucket: "first-region-bucket" }), { config: { "aws:region": "us-east-1" } });
    expect(result.resources[0]!.error).toBe("creating S3 Bucket (first-region-bucket): BucketAlreadyExists");
  });

  it("keeps a role whose inline policy is refused, for the next attempt", async () => {
    const result = await single(() => new iam.Role("r", { name: "half", assumeRolePolicy: trust, inlinePolicies: [{ name: "bad", policy: "{}" }] }));
    expect(result.resources[0]).toMatchObject({ status: "failed", id: "half" });
    expect(result.resources[0]!.error).toMatch(/^creating IAM Role \(half\) inline policies: operation error IAM: PutRolePolicy, .*MalformedPolicyDocument: /);
    expect((await destroyEmbedded(result.resources, sandbox.tables)).ok).toBe(true);
  });

  it("refuses to delete a bucket with objects and a role with policies of others, unless told so", async () => {
    const program = (force: boolean) => async () => {
      new s3.Bucket("b", { bucket: "full-bucket", forceDestroy: force });
      new iam.Role("r", { name: "held", assumeRolePolicy: trust, forceDetachPolicies: force });
      return {};
    };
    const fill = async () => {
      await call("s3", "PutObject", { Bucket: "full-bucket", Key: "k", Body: Buffer.from("x") });
      await call("iam", "PutRolePolicy", { RoleName: "held", PolicyName: "others", PolicyDocument: allow("s3:*") });
    };
    const kept = await run(program(false));
    await fill();
    const refused = await destroyEmbedded(kept.resources, sandbox.tables);
    expect([...refused.errors].sort()).toEqual([
      expect.stringMatching(/^aws:iam\/role:Role \(r\): deleting IAM Role \(held\): operation error IAM: DeleteRole, .*StatusCode: 409, .*DeleteConflict: Cannot delete entity, must delete policies first\.$/),
      expect.stringMatching(/^aws:s3\/bucket:Bucket \(b\): deleting S3 Bucket \(full-bucket\): operation error S3: DeleteBucket, .*StatusCode: 409, .*api error BucketNotEmpty: /),
    ]);
    sandbox.restore(fresh);
    const forced = await run(program(true));
    await fill();
    expect((await destroyEmbedded(forced.resources, sandbox.tables)).errors).toEqual([]);
  });

  it("updates in place what can be, through the services", async () => {
    const made = await run(everything);
    const states = new Map(made.resources.map((resource) => [resource.name, resource]));
    const change = async (name: string, changes: Record<string, unknown>) => {
      const { type, id, inputs, outputs, scope } = states.get(name)!;
      const behaviour = resourceBehaviour(sandbox.tables, type);
      const { inputs: news, failures } = behaviour.check({ ...inputs, ...changes }, scope!, name, inputs);
      expect(failures).toEqual([]);
      expect(compareInputs(behaviour, inputs, news).replaces).toBe(false);
      const updated = await behaviour.update(id, outputs, news, scope!);
      const found = await behaviour.read(id, scope!, updated);
      expect([...compareInputs(behaviour, readInputs(behaviour, found!.inputs, news), news).changes.keys()]).toEqual([]);
      states.set(name, { ...states.get(name)!, inputs: news, outputs: updated });
    };
    await change("oidc", { clientIdLists: ["a", "new"], tags: { Other: "y" } });
    await change("policy", { policy: allow("s3:GetObject"), tags: {} });
    await change("role", { assumeRolePolicy: trust.replace("codebuild", "ecs-tasks"), description: "e", maxSessionDuration: 3600, permissionsBoundary: undefined, inlinePolicies: [], managedPolicyArns: [], tags: { New: "1" } });
    await change("inline", { policy: allow("s3:PutObject") });
    await change("key", { description: "l", enableKeyRotation: false, isEnabled: false, tags: { K: "w" } });
    await change("key", { description: "m", isEnabled: true, enableKeyRotation: true, rotationPeriodInDays: 100 });
    await change("bucket", { tags: { C: "x" } });
    await change("block", { ignorePublicAcls: true });
    await change("encryption", { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] });
    await change("versioning", { versioningConfiguration: { status: "Suspended" } });
    await change("lifecycle", { rules: [{ id: "only", status: "Enabled", filter: { prefix: "" }, expiration: { days: 1 } }] });
    for (let version = 0; version < 6; version += 1) await change("policy", { policy: allow(`s3:Get${version}`) });
  });

  it("answers what programs look up, in the shapes that the declarations promise", async () => {
    await run(everything);
    const made = await run(async () => {
      const role = await iam.getRole({ name: "bare" });
      const roles = await iam.getRoles({ nameRegex: "^ba", pathPrefix: "/" });
      const provider = await iam.getOpenIdConnectProvider({ url: "https://issuer.example.com/a" });
      const bucketRole = await iam.getPolicy({ name: "boundary" });
      return { caller: await getCallerIdentity(), region: await getRegion(), partition: await getPartition(), role, roles, provider, policy: bucketRole };
    });
    expect(made.errors).toEqual([]);
    const values = Object.fromEntries(Object.entries(made.outputs).map(([key, { value }]) => [key, value as Record<string, unknown>]));
    expect(values.caller).toMatchObject({ accountId: account, id: account });
    expect(values.region).toMatchObject({ region, name: region, description: "Europe (Ireland)", endpoint: "ec2.eu-west-1.amazonaws.com" });
    expect(values.partition).toEqual({ dnsSuffix: "amazonaws.com", id: "aws", partition: "aws", reverseDnsPrefix: "com.amazonaws" });
    expect(values.provider).toMatchObject({ clientIdLists: ["z", "a"], url: "issuer.example.com/a" });
    expect(values.roles).toMatchObject({ names: ["bare"], arns: [values.role!.arn] });
    const files = { caller: "getCallerIdentity", region: "getRegion", partition: "getPartition", role: "iam/getRole", roles: "iam/getRoles", provider: "iam/getOpenIdConnectProvider", policy: "iam/getPolicy" };
    for (const [name, file] of Object.entries(files)) {
      const missing = promised(join(awsPackage, `${file}.d.ts`), "Result").filter((property) => values[name]![property] === undefined);
      expect([name, missing]).toEqual([name, []]);
    }
    const bucket = await run(async () => {
      const created = new s3.Bucket("b", { bucket: "looked-up" });
      return { found: s3.getBucketOutput({ bucket: created.bucket }) };
    });
    const found = bucket.outputs.found!.value as Record<string, unknown>;
    expect(promised(join(awsPackage, "s3/getBucket.d.ts"), "Result").filter((property) => found[property] === undefined)).toEqual([]);
    const lost = await run(async () => ({ role: await iam.getRole({ name: "nobody" }) }));
    expect(lost.errors).toEqual(["invocation of aws:iam/getRole:getRole returned an error: reading IAM Role (nobody): couldn't find resource"]);
  });

  it("places a provider by its configuration", async () => {
    const other = sandbox.aws.administrator("999999999999").accessKey;
    const result = await run(async () => {
      const frankfurt = new Provider("frankfurt", { region: "eu-central-1" });
      const stranger = new Provider("stranger", { region: "us-west-2", accessKey: other.accessKeyId, secretKey: other.secretAccessKey });
      const a = new s3.Bucket("a", { bucket: "in-frankfurt" }, { provider: frankfurt });
      const b = new iam.Role("b", { name: "elsewhere", assumeRolePolicy: trust }, { provider: stranger });
      const c = new s3.Bucket("c", { bucket: "by-itself", region: "eu-north-1" });
      return { a: a.region, b: b.arn, c: c.bucketRegion, caller: (await getCallerIdentity({}, { provider: stranger })).accountId };
    });
    expect(result.errors).toEqual([]);
    expect(Object.values(result.outputs).map(({ value }) => value)).toEqual(["eu-central-1", "arn:aws:iam::999999999999:role/elsewhere", "eu-north-1", "999999999999"]);

    const table = sandbox.tables[0]!;
    expect(() => table.scope({})).toThrow("Missing region information. Set it with `pulumi config set aws:region us-west-2`: the sandbox's provider does not see the shell's AWS_REGION.");
    expect(() => table.scope({ region: "moon-1" })).toThrow("Invalid AWS Region: moon-1");
    expect(table.scope({ region, allowedAccountIds: JSON.stringify([account]) })).toEqual({ region, accountId: account });
    expect(() => table.scope({ region, allowedAccountIds: '["111111111111"]' })).toThrow(`AWS account ID not allowed: ${account}`);
    expect(() => table.scope({ region, accessKey: "AKIANOTHINGOFTHEKIND" })).toThrow(/InvalidClientTokenId/);
  });
});
