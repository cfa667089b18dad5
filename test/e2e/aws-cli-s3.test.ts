/**
 * The real `aws` CLI and boto3 against the sandbox's S3, through the proxy with the real host names and by an endpoint
 * variable. Skipped, with the reason, where they are not installed.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Sandbox, startSandbox } from "../../sandbox/index.js";
import { clientEnvironment, hasBoto3, hasCli, runClient, type Way } from "../support/aws-cli.js";

const REGION = "eu-west-1";
const BIG = Buffer.alloc(9 * 1024 * 1024 + 17, "0123456789abcdef");
const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex");

let sandbox: Sandbox;
let folder: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  folder = mkdtempSync(join(tmpdir(), "aws-cli-s3-"));
  writeFileSync(join(folder, "big.bin"), BIG);
  writeFileSync(join(folder, "small.txt"), "hello");
});

afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

function environment(way: Way, accountId?: string): Record<string, string> {
  const key = accountId === undefined ? undefined : sandbox.aws.administrator(accountId).accessKey;
  return clientEnvironment(sandbox, folder, way, REGION, key && { AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey });
}

const run = (program: string, args: string[], env: Record<string, string>) => runClient(program, args, env, folder);
const aws = (way: Way, args: string[], accountId?: string) => run("aws", args, environment(way, accountId));
const ok = { status: 0, stderr: "" };

(hasCli() ? describe.each<Way>(["proxy", "endpoint"]) : describe.skip.each<Way>(["proxy"]))("aws CLI by %s", (way) => {
  const bucket = `cli-by-${way}`;

  it("makes a bucket, copies both ways, lists, also from another region, and cleans up", async () => {
    expect(await aws(way, ["s3", "mb", `s3://${bucket}`])).toEqual({ ...ok, stdout: `make_bucket: ${bucket}\n` });
    expect(await aws(way, ["s3", "cp", "small.txt", `s3://${bucket}/builds/small ü+.txt`])).toMatchObject(ok);
    expect(await aws(way, ["s3", "cp", "big.bin", `s3://${bucket}/builds/big.bin`])).toMatchObject(ok);
    const listed = await aws(way, ["s3", "ls", `s3://${bucket}`, "--recursive"]);
    expect(listed.stdout.trim().split("\n").map((line) => line.replace(/^\S+ \S+ +/, ""))).toEqual([`${BIG.length} builds/big.bin`, "5 builds/small ü+.txt"]);
    // From another region the client follows S3's hints.
    expect(await aws(way, ["s3", "ls", `s3://${bucket}`, "--region", "us-west-2"])).toMatchObject({ ...ok, stdout: expect.stringMatching(/^ +PRE builds\/\n$/) });
    expect(await aws(way, ["s3", "cp", `s3://${bucket}/builds/big.bin`, "back.bin"])).toMatchObject(ok);
    expect(sha256(readFileSync(join(folder, "back.bin")))).toBe(sha256(BIG));
    expect(await aws(way, ["s3", "cp", `s3://${bucket}/builds/small ü+.txt`, "-"])).toEqual({ ...ok, stdout: "hello" });
    expect(await aws(way, ["s3", "rm", `s3://${bucket}`, "--recursive"])).toMatchObject(ok);
    expect(await aws(way, ["s3", "rb", `s3://${bucket}`])).toMatchObject(ok);
  });

});

(hasCli() ? describe : describe.skip)("aws CLI", () => {
  const way = "proxy";
  const bucket = "cli-settings";
  const at = ["--bucket", bucket];

  it("sets a bucket up and reads it back", async () => {
    await aws(way, ["s3", "mb", `s3://${bucket}`]);
    const read = async (operation: string) => JSON.parse((await aws(way, ["s3api", operation, ...at])).stdout) as Record<string, unknown>;
    const set = async (operation: string, ...args: string[]) => expect(await aws(way, ["s3api", operation, ...at, ...args])).toMatchObject(ok);
    const lifecycle = { Rules: [{ ID: "old", Status: "Enabled", Filter: { Prefix: "builds/" }, Expiration: { Days: 30 } }] };
    await Promise.all([
      set("put-bucket-lifecycle-configuration", "--lifecycle-configuration", JSON.stringify(lifecycle)),
      set("put-bucket-versioning", "--versioning-configuration", "Status=Enabled"),
    ]);
    const reads = ["location", "lifecycle-configuration", "versioning", "acl"].map((each) => read(`get-bucket-${each}`));
    expect(await Promise.all([...reads, read("get-public-access-block")])).toEqual([
      { LocationConstraint: REGION },
      expect.objectContaining(lifecycle),
      { Status: "Enabled" },
      expect.objectContaining({ Grants: [{ Grantee: { ID: expect.any(String), Type: "CanonicalUser" }, Permission: "FULL_CONTROL" }] }),
      { PublicAccessBlockConfiguration: expect.objectContaining({ BlockPublicPolicy: true }) },
    ]);
    const tls = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`], Condition: { Bool: { "aws:SecureTransport": "false" } } },
      ],
    });
    await set("put-bucket-policy", "--policy", tls);
    expect(await read("get-bucket-policy-status")).toEqual({ PolicyStatus: { IsPublic: false } });
    expect(await aws(way, ["s3", "cp", "small.txt", `s3://${bucket}/k`])).toMatchObject(ok);
    await set("head-bucket");
  });

  it("shows S3's own refusals", async () => {
    const refused = async (args: string[], accountId?: string) => {
      const { status, stderr } = await aws(way, args, accountId);
      // Generations of the CLI differ in the status of a refusal.
      expect(status).not.toBe(0);
      return stderr.trim();
    };
    expect(await refused(["s3api", "get-object", ...at, "--key", "none", "x"])).toBe(
      "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist.",
    );
    expect(await refused(["s3api", "head-object", ...at, "--key", "none"])).toBe("An error occurred (404) when calling the HeadObject operation: Not Found");
    expect(await refused(["s3api", "get-object", ...at, "--key", "k", "x"], "444455556666")).toBe(
      "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
    );
    expect(await refused(["s3api", "head-bucket", ...at], "444455556666")).toBe("An error occurred (403) when calling the HeadBucket operation: Forbidden");
    expect(await refused(["s3api", "get-bucket-location", "--bucket", "nobody-has-this"])).toBe(
      "An error occurred (NoSuchBucket) when calling the GetBucketLocation operation: The specified bucket does not exist",
    );
    expect(await refused(["s3", "mb", `s3://${bucket}`], "444455556666")).toContain("(BucketAlreadyExists) when calling the CreateBucket operation");
    expect(await refused(["s3", "rb", `s3://${bucket}`])).toContain("(BucketNotEmpty) when calling the DeleteBucket operation");
    expect(await refused(["s3api", "get-object", ...at, "--key", "k", "x", "--expected-bucket-owner", "444455556666"])).toContain("(AccessDenied)");
  });
});

const BOTO3 = `
import hashlib, json, sys, boto3
from botocore.exceptions import ClientError
bucket, path = sys.argv[1:]
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "${REGION}"})
s3.upload_file(path, bucket, "big.bin")
head = s3.head_object(Bucket=bucket, Key="big.bin")
body = s3.get_object(Bucket=bucket, Key="big.bin")["Body"].read()
try:
    s3.put_object(Bucket=bucket, Key="big.bin", Body=b"x", IfNoneMatch="*")
    refused = "nothing"
except ClientError as error:
    refused = error.response["Error"]["Code"]
keys = [each["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket) for each in page["Contents"]]
deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
s3.delete_bucket(Bucket=bucket)
print(json.dumps({"etag": head["ETag"], "sha256": hashlib.sha256(body).hexdigest(), "refused": refused, "keys": keys, "deleted": len(deleted["Deleted"])}))
`;

(hasBoto3() ? describe.each<Way>(["proxy", "endpoint"]) : describe.skip.each<Way>(["proxy"]))("boto3 by %s", (way) => {
  it("uploads in parts, reads, lists and deletes", async () => {
    const { status, stdout, stderr } = await run("python3", ["-c", BOTO3, `boto3-by-${way}`, join(folder, "big.bin")], environment(way));
    expect({ status, stderr }).toEqual(ok);
    expect(JSON.parse(stdout)).toEqual({
      etag: expect.stringMatching(/^"[0-9a-f]{32}-2"$/),
      sha256: sha256(BIG),
      refused: "PreconditionFailed",
      keys: ["big.bin"],
      deleted: 1,
    });
  });
});
