import { createHash, createHmac } from "node:crypto";
import { S3Client, CreateBucketCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { AwsAccessKey } from "../../../sandbox/aws/types.js";
import { startSandbox, type Sandbox } from "../../../sandbox/index.js";
import { form, json, presigned, refusal, send, signed, type Wire } from "./wire.js";

const ACCOUNT = "111122223333";
const ADMINISTRATOR = `arn:aws:iam::${ACCOUNT}:user/cloud-federation-sandbox/administrator`;
const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

let sandbox: Sandbox;
let key: AwsAccessKey;

beforeAll(async () => {
  sandbox = await startSandbox();
  key = sandbox.aws.administrator(ACCOUNT).accessKey;
});
afterAll(() => sandbox.close());

const whoAmI = form("GetCallerIdentity");
const sts = (wire: Wire = whoAmI, change: object = {}) => signed(sandbox, wire, { key, service: "sts", ...change });
const minutesAgo = (minutes: number): Date => new Date(sandbox.core.clock.now().getTime() - minutes * 60_000);

describe("STS and IAM", () => {
  it("takes a signature in the headers", async () => {
    const answer = await send(sandbox, await sts());
    expect(answer.status).toBe(200);
    expect(answer.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.text).toContain('xmlns="https://sts.amazonaws.com/doc/2011-06-15/"');
    expect(answer.xml["GetCallerIdentityResponse"]?.["GetCallerIdentityResult"]).toMatchObject({ Account: ACCOUNT, Arn: ADMINISTRATOR });
  });

  it("takes a presigned GET", async () => {
    const wire = { method: "GET", path: "/?Action=GetCallerIdentity&Version=2011-06-15", headers: {}, body: "" };
    const answer = await send(sandbox, await presigned(sandbox, wire, { key, service: "sts" }));
    expect(answer.xml["GetCallerIdentityResponse"]?.["GetCallerIdentityResult"]).toMatchObject({ Arn: ADMINISTRATOR });
    const old = await presigned(sandbox, wire, { key, service: "sts", expiresIn: 60, date: minutesAgo(2) });
    expect(refusal(await send(sandbox, old))).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
  });

  it("refuses another secret under the right key id", async () => {
    const answer = await send(sandbox, await sts(whoAmI, { key: { ...key, secretAccessKey: "x".repeat(40) } }));
    expect(refusal(answer)).toEqual({ status: 403, code: "SignatureDoesNotMatch", message: MISMATCH });
  });

  it.each<[string, (wire: Wire) => Wire]>([
    ["the body", (wire) => ({ ...wire, body: wire.body.replace("GetCallerIdentity", "AssumeRole") })],
    ["a signed header", (wire) => ({ ...wire, headers: { ...wire.headers, "content-type": "application/x-www-form-urlencoded" } })],
    ["the path", (wire) => ({ ...wire, path: "/x" })],
    ["the query", (wire) => ({ ...wire, path: "/?a=b" })],
    ["the method", (wire) => ({ ...wire, method: "PUT" })],
    ["the time", (wire) => ({ ...wire, headers: { ...wire.headers, "x-amz-date": `${wire.headers["x-amz-date"]!.slice(0, 9)}000000Z` } })],
  ])("refuses when %s was changed after signing", async (_, tamper) => {
    const wire = await sts(form("GetCallerIdentity"));
    expect((await send(sandbox, wire)).status).toBe(200);
    const answer = refusal(await send(sandbox, tamper(wire)));
    expect(["SignatureDoesNotMatch", "MissingAction"]).toContain(answer.code);
    expect(answer.status).not.toBe(200);
  });

  it("tolerates 14 minutes of skew and not 16, either way", async () => {
    expect((await send(sandbox, await sts(whoAmI, { date: minutesAgo(14) }))).status).toBe(200);
    expect((await send(sandbox, await sts(whoAmI, { date: minutesAgo(-14) }))).status).toBe(200);
    const late = refusal(await send(sandbox, await sts(whoAmI, { date: minutesAgo(16) })));
    expect(late).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
    expect(late.message).toMatch(/^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)$/);
    const early = refusal(await send(sandbox, await sts(whoAmI, { date: minutesAgo(-16) })));
    expect(early).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
    expect(early.message).toMatch(/^Signature not yet current: /);
  });

  it("refuses an unknown key, and a session key without its token", async () => {
    const unknown = await sts(whoAmI, { key: { ...key, accessKeyId: "AKIAIOSFODNN7EXAMPLE" } });
    const text = "The security token included in the request is invalid.";
    expect(refusal(await send(sandbox, unknown))).toEqual({ status: 403, code: "InvalidClientTokenId", message: text });
    const foreign = await sts(whoAmI, { key: { ...key, sessionToken: "of-somebody-else" } });
    expect(refusal(await send(sandbox, foreign))).toMatchObject({ status: 403, code: "InvalidClientTokenId" });
  });

  it("refuses no signature, and half a one", async () => {
    expect(refusal(await send(sandbox, whoAmI))).toEqual({ status: 403, code: "MissingAuthenticationToken", message: "Request is missing Authentication Token" });
    const wire = await sts();
    const cut = { ...wire, headers: { ...wire.headers, authorization: wire.headers["authorization"]!.replace(/, Signature=.*/, "") } };
    expect(refusal(await send(sandbox, cut))).toEqual({ status: 400, code: "IncompleteSignature", message: "Authorization header requires 'Signature' parameter." });
    const basic = { ...whoAmI, headers: { ...whoAmI.headers, authorization: "Basic abc" } };
    expect(refusal(await send(sandbox, basic))).toMatchObject({ status: 400, code: "IncompleteSignature" });
  });

  it("holds the scope to the host's service and region", async () => {
    const handle = async (host: string, scope: { service: string; region: string }): Promise<string | undefined> => {
      const { SignatureVerifier } = await import("../../../sandbox/aws/sigv4.js");
      const { Credentials } = await import("../../../sandbox/aws/credentials.js");
      const { IamStore } = await import("../../../sandbox/aws/iam-store.js");
      const { parseAwsHost } = await import("../../../sandbox/aws/hosts.js");
      const { clock, store } = sandbox.core;
      const verifier = new SignatureVerifier(new Credentials(store, new IamStore(store), clock), clock);
      const wire = await signed(sandbox, whoAmI, { key, ...scope });
      const request = { method: "POST", url: new URL(`https://${host}/`), rawTarget: "/", host, headers: wire.headers, body: Buffer.from(wire.body), secure: true };
      try {
        return verifier.verify(request, parseAwsHost(host)!)?.region;
      } catch (error) {
        return (error as Error).message;
      }
    };
    await expect(handle("sts.eu-west-1.amazonaws.com", { service: "sts", region: "eu-west-1" })).resolves.toBe("eu-west-1");
    await expect(handle("sts.eu-west-1.amazonaws.com", { service: "sts", region: "us-east-1" })).resolves.toBe("Credential should be scoped to a valid region.");
    await expect(handle("sts.amazonaws.com", { service: "sts", region: "us-east-1" })).resolves.toBe("us-east-1");
    await expect(handle("sts.amazonaws.com", { service: "iam", region: "us-east-1" })).resolves.toBe("Credential should be scoped to correct service: 'sts'.");
    await expect(handle("iam.amazonaws.com", { service: "iam", region: "us-east-1" })).resolves.toBe("us-east-1");
    await expect(handle("sts.cn-north-1.amazonaws.com.cn", { service: "sts", region: "cn-north-1" })).resolves.toBe("cn-north-1");
    await expect(handle("iam.us-gov.amazonaws.com", { service: "iam", region: "us-gov-west-1" })).resolves.toBe("us-gov-west-1");
  });

  it("names the operation that it does not know", async () => {
    expect(refusal(await send(sandbox, await sts(form("GetFederationToken"))))).toEqual({
      status: 400,
      code: "InvalidAction",
      message: "Could not find operation GetFederationToken for version 2011-06-15",
    });
    // Nothing that every object has is an operation.
    expect(refusal(await send(sandbox, await sts(form("constructor"))))).toMatchObject({ code: "InvalidAction" });
  });

  it("shows an ordered fault in the protocol's shape", async () => {
    const id = sandbox.faults.add({ operation: "sts:GetCallerIdentity", status: 400, code: "Throttling", message: "Rate exceeded" });
    expect(refusal(await send(sandbox, await sts()))).toEqual({ status: 400, code: "Throttling", message: "Rate exceeded" });
    sandbox.faults.remove(id);
    expect((await send(sandbox, await sts())).status).toBe(200);
  });

  it("puts no secret and no signature into a refusal", async () => {
    const wire = await sts(whoAmI, { key: { ...key, secretAccessKey: "y".repeat(40) } });
    const { text } = await send(sandbox, wire);
    expect(text).not.toContain(/Signature=([0-9a-f]+)/.exec(wire.headers["authorization"]!)![1]);
    expect(text).not.toContain(key.secretAccessKey);
  });
});

describe("KMS", () => {
  const kms = (change: object = {}) => signed(sandbox, json("TrentService.ListKeys"), { key, service: "kms", ...change });
  const outcome = async (wire: Wire) => {
    const answer = await send(sandbox, wire);
    return { status: answer.status, type: JSON.parse(answer.text).__type };
  };

  it("refuses in the words of its protocol", async () => {
    expect(await outcome(await kms())).toEqual({ status: 200, type: undefined });
    expect(await outcome(await kms({ key: { ...key, secretAccessKey: "no" } }))).toEqual({ status: 400, type: "InvalidSignatureException" });
    expect(await outcome(await kms({ key: { ...key, accessKeyId: "AKIAIOSFODNN7EXAMPLE" } }))).toEqual({ status: 400, type: "UnrecognizedClientException" });
    expect(await outcome(await kms({ date: minutesAgo(16) }))).toEqual({ status: 400, type: "InvalidSignatureException" });
    expect(await outcome(json("TrentService.ListKeys"))).toEqual({ status: 400, type: "MissingAuthenticationTokenException" });
    expect(await outcome(await signed(sandbox, json("TrentService.Nothing"), { key, service: "kms" }))).toEqual({ status: 400, type: "UnknownOperationException" });
  });
});

describe("S3", () => {
  const bucket = "signatures-111122223333";
  let client: S3Client;

  beforeAll(async () => {
    client = new S3Client({ region: "us-east-1", endpoint: sandbox.url, credentials: key, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  });

  const put = (body: string, headers: Record<string, string> = {}, path = `/${bucket}/object`): Wire => ({ method: "PUT", path, headers, body });
  const s3 = (wire: Wire, change: object = {}) => signed(sandbox, wire, { key, service: "s3", ...change });

  it.each(["plain", "with space+plus", "a/b//c/../d", "ümläut/日本", "~!*'()&=;:@$,", "100%25"])("signs and verifies the key %s", async (name) => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: name }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: name }));
    expect(await Body!.transformToString()).toBe(name);
  });

  it("holds a body to the hash that was declared", async () => {
    const wire = await s3(put("one"));
    expect((await send(sandbox, wire)).status).toBe(200);
    expect(refusal(await send(sandbox, { ...wire, body: "two" }))).toMatchObject({ status: 400, code: "XAmzContentSHA256Mismatch" });
    const lied = { ...wire, body: "two", headers: { ...wire.headers, "x-amz-content-sha256": createHash("sha256").update("two").digest("hex") } };
    expect(refusal(await send(sandbox, lied))).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
    const unsigned = await s3(put("three", { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }));
    expect((await send(sandbox, unsigned)).status).toBe(200);
  });

  it("wants the hash, and every x-amz header signed", async () => {
    const wire = await s3(put("one"));
    expect(refusal(await send(sandbox, { ...wire, headers: { ...wire.headers, "x-amz-acl": "public-read" } }))).toEqual({
      status: 403,
      code: "AccessDenied",
      message: "There were headers present in the request which were not signed",
    });
    const { "x-amz-content-sha256": _, ...headers } = wire.headers;
    expect(refusal(await send(sandbox, { ...wire, headers }))).toMatchObject({ status: 400, code: "InvalidRequest" });
  });

  it("refuses skew, unknown keys and another secret in its own words", async () => {
    expect(refusal(await send(sandbox, await s3(put("x"), { date: minutesAgo(16) })))).toEqual({
      status: 403,
      code: "RequestTimeTooSkewed",
      message: "The difference between the request time and the current time is too large.",
    });
    expect((await send(sandbox, await s3(put("x"), { date: minutesAgo(14) }))).status).toBe(200);
    expect(refusal(await send(sandbox, await s3(put("x"), { key: { ...key, accessKeyId: "AKIAIOSFODNN7EXAMPLE" } })))).toMatchObject({ status: 403, code: "InvalidAccessKeyId" });
    expect(refusal(await send(sandbox, await s3(put("x"), { key: { ...key, secretAccessKey: "z" } })))).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
    expect(refusal(await send(sandbox, put("x")))).toMatchObject({ status: 403, code: "AccessDenied" });
  });

  it("takes presigned requests until they expire", async () => {
    await send(sandbox, await s3(put("one")));
    const get = { method: "GET", path: `/${bucket}/object`, headers: {}, body: "" };
    const good = await presigned(sandbox, get, { key, service: "s3", expiresIn: 60 });
    expect(await send(sandbox, good)).toMatchObject({ status: 200, text: "one" });
    expect(refusal(await send(sandbox, { ...good, path: good.path.replace("/object", "/other") }))).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
    const old = await presigned(sandbox, get, { key, service: "s3", expiresIn: 60, date: minutesAgo(2) });
    expect(refusal(await send(sandbox, old))).toEqual({ status: 403, code: "AccessDenied", message: "Request has expired" });
    const forever = { ...good, path: good.path.replace("X-Amz-Expires=60", "X-Amz-Expires=604801") };
    expect(refusal(await send(sandbox, forever))).toMatchObject({ status: 400, code: "AuthorizationQueryParametersError" });
  });

  describe("bodies in pieces", () => {
    const SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    const hex = (data: string): string => createHash("sha256").update(data).digest("hex");

    /** Signs the request with the SDK's signer, then each piece as the specification says. */
    async function streamed(pieces: string[], payload = SIGNED, trailer?: [string, string]): Promise<Wire> {
      const length = pieces.join("").length;
      const wire = await s3(
        put("", {
          "x-amz-content-sha256": payload,
          "x-amz-decoded-content-length": String(length),
          "content-encoding": "aws-chunked",
          ...(trailer && { "x-amz-trailer": trailer[0] }),
        }),
      );
      const time = wire.headers["x-amz-date"]!;
      const [, scope, seed] = /Credential=[^/]+\/([^,]+),.*Signature=([0-9a-f]+)/.exec(wire.headers["authorization"]!)!;
      const signing = ["us-east-1", "s3", "aws4_request"].reduce<Buffer>(
        (from, part) => createHmac("sha256", from).update(part).digest(),
        createHmac("sha256", `AWS4${key.secretAccessKey}`).update(time.slice(0, 8)).digest(),
      );
      let previous = seed!;
      const sign = (algorithm: string, ...hashes: string[]): string =>
        (previous = createHmac("sha256", signing).update([algorithm, time, scope, previous, ...hashes].join("\n")).digest("hex"));
      const frame = (data: string): string => {
        const signature = payload.includes("UNSIGNED") ? "" : `;chunk-signature=${sign("AWS4-HMAC-SHA256-PAYLOAD", hex(""), hex(data))}`;
        return `${data.length.toString(16)}${signature}\r\n${data}${data === "" ? "" : "\r\n"}`;
      };
      const body = [...pieces, ""].map(frame).join("");
      if (!trailer) return { ...wire, body: `${body}\r\n` };
      const line = `${trailer[0]}:${trailer[1]}`;
      const end = payload.includes("UNSIGNED") ? "" : `x-amz-trailer-signature:${sign("AWS4-HMAC-SHA256-TRAILER", hex(`${line}\n`))}\r\n`;
      return { ...wire, body: `${body}${line}\r\n${end}\r\n` };
    }

    const stored = async (): Promise<string> => (await client.send(new GetObjectCommand({ Bucket: bucket, Key: "object" }))).Body!.transformToString();
    const crc32OfAbcdef = Buffer.from("4b8e39ef", "hex").toString("base64");

    it("puts signed pieces together", async () => {
      expect((await send(sandbox, await streamed(["abc", "def"]))).status).toBe(200);
      expect(await stored()).toBe("abcdef");
    });

    it("refuses a changed, a dropped and a swapped piece", async () => {
      const wire = await streamed(["abc", "def"]);
      expect(refusal(await send(sandbox, { ...wire, body: wire.body.replace("abc", "abd") }))).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
      const [first, second] = [...wire.body.matchAll(/3;chunk-signature=[0-9a-f]{64}\r\n\w{3}\r\n/g)].map(([frame]) => frame);
      expect(refusal(await send(sandbox, { ...wire, body: wire.body.replace(first!, "") }))).toMatchObject({ code: "SignatureDoesNotMatch" });
      expect(refusal(await send(sandbox, { ...wire, body: wire.body.replace(first! + second!, second! + first!) }))).toMatchObject({ code: "SignatureDoesNotMatch" });
      expect(refusal(await send(sandbox, { ...wire, body: wire.body.slice(0, 100) }))).toMatchObject({ status: 400, code: "IncompleteBody" });
    });

    it("takes trailers, signed or not, and verifies the signed ones", async () => {
      const trailer: [string, string] = ["x-amz-checksum-crc32", crc32OfAbcdef];
      const withSigned = await streamed(["abc", "def"], `${SIGNED}-TRAILER`, trailer);
      expect((await send(sandbox, withSigned)).status).toBe(200);
      expect((await send(sandbox, await streamed(["abcdef"], "STREAMING-UNSIGNED-PAYLOAD-TRAILER", trailer))).status).toBe(200);
      const changed = { ...withSigned, body: withSigned.body.replace(crc32OfAbcdef, "AAAAAA==") };
      expect(refusal(await send(sandbox, changed))).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
      const wrong = await streamed(["abcdef"], "STREAMING-UNSIGNED-PAYLOAD-TRAILER", ["x-amz-checksum-crc32", "AAAAAA=="]);
      expect(refusal(await send(sandbox, wrong))).toMatchObject({ status: 400, code: "BadDigest" });
    });
  });
});
