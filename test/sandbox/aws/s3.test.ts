import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeletePublicAccessBlockCommand,
  GetBucketAclCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketAclCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { bucketNameProblem, s3Action } from "../../../facts/aws/s3";
import { combineChecksums, verifyChecksums } from "../../../sandbox/aws/s3-checksums";
import { addressOf, isS3Host } from "../../../sandbox/aws/s3";
import { FaultError } from "../../../sandbox/types";
import { Harness, OWNER, STRANGER, allow, anonymous, policy, refusal, roleSession } from "./s3-kms-harness";

const BUCKET = "artifacts-of-acme";
const ARN = `arn:aws:s3:::${BUCKET}`;
const DENIED = { code: "AccessDenied", status: 403 };
const admin = roleSession("admin", [allow("*")]);

async function withBucket(region = "eu-west-1"): Promise<{ harness: Harness; s3: S3Client }> {
  const harness = new Harness();
  const s3 = harness.s3(admin, { region });
  await createBucket(s3, BUCKET, region);
  return { harness, s3 };
}

function createBucket(s3: S3Client, name: string, region: string) {
  const constraint = region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: region as "eu-west-1" } };
  return s3.send(new CreateBucketCommand({ Bucket: name, ...constraint }));
}

const put = (s3: S3Client, Key: string, Body: string | Buffer = "x") => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
const get = (s3: S3Client, Key: string) => s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
const list = (s3: S3Client, Prefix?: string) => s3.send(new ListObjectsV2Command({ Bucket: BUCKET, ...(Prefix === undefined ? {} : { Prefix }) }));
const setPolicy = (s3: S3Client, ...statements: object[]) => s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: policy(...statements) }));

describe("objects", () => {
  it("come back byte for byte, are listed, and are gone after a delete", async () => {
    const { harness, s3 } = await withBucket();
    const body = Buffer.from([0, 1, 2, 255, 254, 13, 10]);
    const key = "a/b c+ü/../%.bin";
    const answer = await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, Metadata: { made: "here" }, ContentType: "text/plain" }));
    expect(answer).toMatchObject({ ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/), ServerSideEncryption: "AES256", ChecksumType: "FULL_OBJECT" });
    const got = await get(s3, key);
    expect(Buffer.from(await got.Body!.transformToByteArray())).toEqual(body);
    expect(got).toMatchObject({ Metadata: { made: "here" }, ContentType: "text/plain", ContentLength: 7 });
    expect((await list(s3, "a/")).Contents).toMatchObject([{ Key: key, Size: 7, StorageClass: "STANDARD", ETag: answer.ETag }]);
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
    expect((await list(s3)).KeyCount).toBe(0);
    expect(harness.entered.slice(-2)).toEqual(["s3:DeleteObject", "s3:ListObjectsV2"]);
  });

  it("are read in ranges", async () => {
    const { s3 } = await withBucket();
    await put(s3, "k", "0123456789");
    const part = (Range: string) => s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: "k", Range }));
    const middle = await part("bytes=2-4");
    expect([await middle.Body!.transformToString(), middle.ContentRange, middle.$metadata.httpStatusCode]).toEqual(["234", "bytes 2-4/10", 206]);
    expect(await (await part("bytes=-3")).Body!.transformToString()).toBe("789");
    expect(await (await part("bytes=8-99")).Body!.transformToString()).toBe("89");
    expect(await refusal(part("bytes=10-"))).toMatchObject({ code: "InvalidRange", status: 416 });
  });

  it("are written and read under conditions", async () => {
    const { s3 } = await withBucket();
    const fresh = () => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: "x", IfNoneMatch: "*" }));
    const { ETag } = await fresh();
    expect(await refusal(fresh())).toMatchObject({ code: "PreconditionFailed", status: 412 });
    const over = (etag: string | undefined, Key = "k") => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: "x", IfMatch: etag }));
    await over(ETag);
    expect(await refusal(over('"0"'))).toMatchObject({ code: "PreconditionFailed", status: 412 });
    expect(await refusal(over(ETag, "none"))).toMatchObject({ code: "NoSuchKey", status: 404 });
    expect((await refusal(s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: "k", IfNoneMatch: ETag })))).status).toBe(304);
  });

  it("are refused when they are not what was announced", async () => {
    const { s3 } = await withBucket();
    const wrong = (members: object) => refusal(s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: "hello", ...members })));
    expect(await wrong({ ChecksumCRC32: "AAAAAA==" })).toMatchObject({ code: "BadDigest", status: 400 });
    expect(await wrong({ ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg==" })).toMatchObject({ code: "BadDigest", status: 400 });
    expect(await wrong({ ContentMD5: "nonsense" })).toMatchObject({ code: "InvalidDigest", status: 400 });
    expect((await list(s3)).KeyCount).toBe(0);
    for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: ChecksumAlgorithm, Body: "hello", ...(ChecksumAlgorithm === "CRC64NVME" ? {} : { ChecksumAlgorithm }) }));
    expect((await list(s3)).KeyCount).toBe(5);
  });

  it("have the checksums that the algorithms' authors publish", () => {
    const data = Buffer.from("123456789");
    const hex = (member: string) => Buffer.from(verifyChecksums({}, data, member).value, "base64").toString("hex");
    expect(hex("ChecksumCRC32")).toBe("cbf43926");
    expect(hex("ChecksumCRC32C")).toBe("e3069283");
    expect(hex("ChecksumCRC64NVME")).toBe("ae8b14860a799888");
    const part = verifyChecksums({}, data, "ChecksumCRC32");
    expect(combineChecksums("ChecksumCRC32", "COMPOSITE", data, [part, part]).value).toMatch(/-2$/);
  });

  it("are copied, with the right to read the source", async () => {
    const { harness, s3 } = await withBucket();
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "from/ü", Body: "data", Metadata: { a: "1" }, Tagging: "t=1" }));
    const copy = (client: S3Client) => client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: "to", CopySource: encodeURI(`${BUCKET}/from/ü`) }));
    await copy(s3);
    const got = await get(s3, "to");
    expect([await got.Body!.transformToString(), got.Metadata]).toEqual(["data", { a: "1" }]);
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key: "to" }))).TagSet).toEqual([{ Key: "t", Value: "1" }]);
    const writer = harness.s3(roleSession("writer", [allow("s3:PutObject")]));
    expect(await refusal(copy(writer))).toMatchObject({ ...DENIED, message: expect.stringContaining("s3:GetObject on resource") });
    const itself = s3.send(new CopyObjectCommand({ Bucket: BUCKET, Key: "to", CopySource: `${BUCKET}/to` }));
    expect(await refusal(itself)).toMatchObject({ code: "InvalidRequest", status: 400 });
  });
});

describe("lists", () => {
  it("go page by page, fold at the delimiter and keep the order of bytes", async () => {
    const { s3 } = await withBucket();
    for (const key of ["b/1", "b/2", "a", "c", "\u{1F600}", "\uFF5E", "d/x/y"]) await put(s3, key);
    const folded = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Delimiter: "/" }));
    expect(folded.Contents?.map((each) => each.Key)).toEqual(["a", "c", "\uFF5E", "\u{1F600}"]);
    expect(folded.CommonPrefixes).toEqual([{ Prefix: "b/" }, { Prefix: "d/" }]);
    const keys: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, MaxKeys: 2, Delimiter: "/", ContinuationToken }));
      expect(page.KeyCount).toBeLessThanOrEqual(2);
      keys.push(...(page.Contents ?? []).map((each) => each.Key), ...(page.CommonPrefixes ?? []).map((each) => each.Prefix));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(keys.sort()).toEqual(["a", "b/", "c", "d/", "\uFF5E", "\u{1F600}"].sort());
    const first = await s3.send(new ListObjectsCommand({ Bucket: BUCKET, MaxKeys: 1, Delimiter: "/" }));
    expect([first.IsTruncated, first.NextMarker]).toEqual([true, "a"]);
    const next = await s3.send(new ListObjectsCommand({ Bucket: BUCKET, Marker: "d/x/y" }));
    expect(next.Contents?.map((each) => each.Key)).toEqual(["\uFF5E", "\u{1F600}"]);
    expect((await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, MaxKeys: 0 }))).IsTruncated).toBe(false);
    expect(await refusal(s3.send(new ListObjectsV2Command({ Bucket: BUCKET, MaxKeys: -1 })))).toMatchObject({ code: "InvalidArgument", status: 400 });
    const encoded = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, EncodingType: "url", StartAfter: "d" }));
    expect(encoded.Contents?.map((each) => each.Key)).toEqual(["d/x/y", "%EF%BD%9E", "%F0%9F%98%80"]);
  });

  it("show versions and markers, and a version is removed for itself", async () => {
    const { harness, s3 } = await withBucket();
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket: BUCKET }))).Status).toBeUndefined();
    await put(s3, "k", "0");
    await s3.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: "Enabled" } }));
    const one = await put(s3, "k", "1");
    const marker = await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "k" }));
    expect(marker.DeleteMarker).toBe(true);
    expect(await refusal(get(s3, "k"))).toMatchObject({ code: "NoSuchKey", status: 404 });
    const versions = () => s3.send(new ListObjectVersionsCommand({ Bucket: BUCKET }));
    const shown = await versions();
    expect(shown.Versions?.map((each) => [each.VersionId, each.IsLatest])).toEqual([[one.VersionId, false], ["null", false]]);
    expect(shown.DeleteMarkers).toMatchObject([{ VersionId: marker.VersionId, IsLatest: true }]);
    const paged = await s3.send(new ListObjectVersionsCommand({ Bucket: BUCKET, MaxKeys: 1 }));
    const rest = await s3.send(new ListObjectVersionsCommand({ Bucket: BUCKET, KeyMarker: paged.NextKeyMarker, VersionIdMarker: paged.NextVersionIdMarker }));
    expect(rest.Versions?.map((each) => each.VersionId)).toEqual([one.VersionId, "null"]);
    expect(await refusal(s3.send(new DeleteBucketCommand({ Bucket: BUCKET })))).toMatchObject({ code: "BucketNotEmpty", status: 409 });
    const old = (client: S3Client) => client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "k", VersionId: "null" }));
    expect(await (await old(s3)).Body!.transformToString()).toBe("0");
    expect(await refusal(old(harness.s3(roleSession("reader", [allow("s3:GetObject")]))))).toMatchObject(DENIED);
    expect(await (await old(harness.s3(roleSession("historian", [allow("s3:GetObjectVersion")])))).Body!.transformToString()).toBe("0");
    for (const VersionId of [one.VersionId, "null", marker.VersionId]) await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "k", VersionId }));
    expect(await versions()).toMatchObject({ IsTruncated: false });
    await s3.send(new DeleteBucketCommand({ Bucket: BUCKET }));
  });
});

describe("buckets", () => {
  it("have names by S3's rules", async () => {
    const s3 = new Harness().s3(admin, { region: "us-east-1" });
    for (const name of ["ab", "has_underscore", "UPPER-case", "two..dots", "192.168.5.4", "-edge", "xn--bucket", "sthree-x", "amzn-s3-demo-x", "x-s3alias", "x--ol-s3", "x.mrap", "x--x-s3", "x--table-s3", "y".repeat(64)])
      expect([name, bucketNameProblem(name)]).toEqual([name, expect.any(String)]);
    for (const name of ["abc", "y".repeat(63), "a.b-c.9"]) expect(bucketNameProblem(name)).toBeUndefined();
    expect(await refusal(createBucket(s3, "sthree-x", "us-east-1"))).toMatchObject({ code: "InvalidBucketName", status: 400 });
  });

  it("exist once in the partition", async () => {
    const { harness, s3 } = await withBucket();
    expect(await refusal(createBucket(s3, BUCKET, "eu-west-1"))).toMatchObject({ code: "BucketAlreadyOwnedByYou", status: 409 });
    const stranger = harness.s3(roleSession("admin", [allow("*")], STRANGER));
    expect(await refusal(createBucket(stranger, BUCKET, "eu-west-1"))).toMatchObject({ code: "BucketAlreadyExists", status: 409 });
    const oldest = harness.s3(admin, { region: "us-east-1" });
    await createBucket(oldest, "in-the-oldest-region", "us-east-1");
    await createBucket(oldest, "in-the-oldest-region", "us-east-1");
    expect((await oldest.send(new ListBucketsCommand())).Buckets?.map((each) => [each.Name, each.BucketRegion])).toEqual([
      [BUCKET, "eu-west-1"],
      ["in-the-oldest-region", "us-east-1"],
    ]);
    expect((await stranger.send(new ListBucketsCommand())).Buckets ?? []).toEqual([]);
  });

  it("go where the constraint and the endpoint agree", async () => {
    const harness = new Harness();
    const at = (region: string) => harness.s3(admin, { region });
    const illegal = { code: "IllegalLocationConstraintException", status: 400 };
    expect(await refusal(createBucket(at("eu-west-1"), "bucket-1", "eu-central-1"))).toMatchObject(illegal);
    // AWS's client adds the constraint by itself; other clients do not.
    const bare = { caller: admin.caller, region: "eu-west-1", input: { Bucket: "bucket-1" }, context: {} };
    await expect(harness.s3Service.service.operations["CreateBucket"]!(bare)).rejects.toMatchObject(illegal);
    expect(await refusal(createBucket(at("us-east-1"), "bucket-1", "moon"))).toMatchObject({ code: "InvalidLocationConstraint", status: 400 });
    await createBucket(at("us-east-1"), "bucket-1", "eu-central-1");
    await createBucket(at("us-east-1"), "bucket-2", "us-east-1");
    const location = async (region: string, Bucket: string) => (await at(region).send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint;
    expect(await location("eu-central-1", "bucket-1")).toBe("eu-central-1");
    expect(await location("us-east-1", "bucket-2")).toBeUndefined();
    const china = await at("cn-north-1").send(new CreateBucketCommand({ Bucket: "bucket-3", CreateBucketConfiguration: { LocationConstraint: "cn-north-1" } }));
    expect(china.BucketArn).toBe("arn:aws-cn:s3:::bucket-3");
  });

  it("of the account regional namespace belong to the account and region in their name", async () => {
    const harness = new Harness();
    const name = `acme-${OWNER}-eu-west-1-an`;
    const create = (client: S3Client, Bucket: string, BucketNamespace?: "account-regional") =>
      client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" }, ...(BucketNamespace && { BucketNamespace }) }));
    const owner = harness.s3(admin);
    const stranger = harness.s3(roleSession("admin", [allow("*")], STRANGER));
    const refused = { code: "InvalidBucketNamespace", status: 400 };
    expect(await refusal(create(stranger, name, "account-regional"))).toMatchObject(refused);
    expect(await refusal(create(owner, `acme-${OWNER}-eu-west-2-an`, "account-regional"))).toMatchObject(refused);
    expect(await refusal(create(owner, "acme", "account-regional"))).toMatchObject(refused);
    await create(owner, name, "account-regional");
  });

  it("start closed: no public access, owner enforced, encrypted by S3", async () => {
    const { s3 } = await withBucket();
    const at = { Bucket: BUCKET };
    expect((await s3.send(new GetPublicAccessBlockCommand(at))).PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    });
    expect((await s3.send(new GetBucketOwnershipControlsCommand(at))).OwnershipControls?.Rules).toEqual([{ ObjectOwnership: "BucketOwnerEnforced" }]);
    expect((await s3.send(new GetBucketEncryptionCommand(at))).ServerSideEncryptionConfiguration?.Rules).toEqual([
      { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: false },
    ]);
    expect((await s3.send(new GetBucketAclCommand(at))).Grants).toMatchObject([{ Grantee: { Type: "CanonicalUser" }, Permission: "FULL_CONTROL" }]);
    expect(await refusal(s3.send(new PutBucketAclCommand({ ...at, ACL: "public-read" })))).toMatchObject({ code: "AccessControlListNotSupported", status: 400 });
    await s3.send(new DeletePublicAccessBlockCommand(at));
    expect(await refusal(s3.send(new GetPublicAccessBlockCommand(at)))).toMatchObject({ code: "NoSuchPublicAccessBlockConfiguration", status: 404 });
    expect(await refusal(s3.send(new GetBucketTaggingCommand(at)))).toMatchObject({ code: "NoSuchTagSet", status: 404 });
    await s3.send(new PutBucketTaggingCommand({ ...at, Tagging: { TagSet: [{ Key: "a<b", Value: "c&d" }] } }));
    expect((await s3.send(new GetBucketTaggingCommand(at))).TagSet).toEqual([{ Key: "a<b", Value: "c&d" }]);
    const cors = s3.send(new PutBucketCorsCommand({ ...at, CORSConfiguration: { CORSRules: [{ AllowedMethods: ["GET"], AllowedOrigins: ["*"] }] } }));
    expect(await refusal(cors)).toMatchObject({ code: "NotImplemented", status: 501 });
  });

  it("keep their lifecycle as it was put", async () => {
    const { s3 } = await withBucket();
    const Rules = [
      {
        ID: "staged",
        Status: "Enabled" as const,
        Filter: { Prefix: "builds/" },
        Expiration: { Days: 30 },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      },
    ];
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: BUCKET, LifecycleConfiguration: { Rules } }));
    expect((await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: BUCKET }))).Rules).toEqual(Rules);
    await s3.send(new DeleteBucketLifecycleCommand({ Bucket: BUCKET }));
    expect(await refusal(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: BUCKET })))).toMatchObject({ code: "NoSuchLifecycleConfiguration" });
  });

  it("are found by their region only", async () => {
    const { harness, s3 } = await withBucket();
    expect((await s3.send(new HeadBucketCommand({ Bucket: BUCKET }))).BucketRegion).toBe("eu-west-1");
    const elsewhere = harness.s3(admin, { region: "us-west-2" });
    expect(await refusal(get(elsewhere, "k"))).toMatchObject({ code: "PermanentRedirect", status: 301 });
    const wire = (host: string, method = "GET") =>
      harness.s3Service.handleWire(
        { method, url: new URL(`https://${host}/`), rawTarget: "/", host, headers: {}, body: Buffer.alloc(0), secure: true },
        { caller: admin.caller, region: "us-east-1", context: {} },
      );
    const global = await wire(`${BUCKET}.s3.amazonaws.com`);
    expect([global.status, String(global.body)]).toEqual([400, expect.stringContaining("<Code>AuthorizationHeaderMalformed</Code>")]);
    expect(String(global.body)).toContain("<Region>eu-west-1</Region>");
    const head = await wire(`${BUCKET}.s3.us-east-1.amazonaws.com`, "HEAD");
    expect([head.status, head.body, head.headers?.["x-amz-bucket-region"]]).toEqual([301, undefined, "eu-west-1"]);
    expect(await refusal(s3.send(new GetBucketLocationCommand({ Bucket: "not-there" })))).toMatchObject({ code: "NoSuchBucket", status: 404 });
  });

  it("are addressed by host or path in every partition", () => {
    const of = (host: string, rawTarget: string) => addressOf({ host, rawTarget });
    expect(of("a.b.s3.eu-west-1.amazonaws.com", "/k/l?x=1")).toEqual({ bucket: "a.b", key: "k/l", region: "eu-west-1", style: "virtual-hosted" });
    expect(of("s3.dualstack.us-gov-west-1.amazonaws.com", "/b//k")).toEqual({ bucket: "b", key: "/k", region: "us-gov-west-1", style: "path" });
    expect(of("s3.cn-north-1.amazonaws.com.cn", "/")).toEqual({ region: "cn-north-1", style: "path" });
    expect(of("b.s3-us-west-2.amazonaws.com", "/")).toEqual({ bucket: "b", region: "us-west-2", style: "virtual-hosted" });
    expect(of("127.0.0.1", "/b/k%2Bl%20m")).toEqual({ bucket: "b", key: "k+l m", style: "direct" });
    expect(["s3.amazonaws.com", "b.s3.amazonaws.com", "s3-fips.us-east-1.amazonaws.com"].map(isS3Host)).toEqual([true, true, true]);
    expect(["sts.amazonaws.com", "s3.amazonaws.com.evil.example", "s3.example.com"].map(isS3Host)).toEqual([false, false, false]);
  });
});

describe("the wire", () => {
  it("shows an ordered fault and a failure of its own as S3 would", async () => {
    const { harness, s3 } = await withBucket();
    harness.fault = new FaultError({ status: 503, code: "SlowDown", message: "Please reduce your request rate." });
    expect(await refusal(list(s3))).toEqual({ code: "SlowDown", status: 503, message: "Please reduce your request rate." });
    harness.fault = undefined;
    harness.store.put("aws:s3/bucket-policy", BUCKET, { document: "no policy" });
    expect(await refusal(list(s3))).toMatchObject({ code: "InternalError", status: 500 });
  });

  it("refuses what is no S3 request", async () => {
    const { harness } = await withBucket();
    const send = async (method: string, rawTarget: string, body = "", headers: Record<string, string> = {}) => {
      const request = { method, url: new URL(`http://127.0.0.1${rawTarget}`), rawTarget, host: "127.0.0.1", headers, body: Buffer.from(body), secure: false };
      const answer = await harness.s3Service.handleWire(request, { caller: admin.caller, region: "eu-west-1", context: {} });
      return [answer.status, /<Code>(\w+)<\/Code>/.exec(String(answer.body))?.[1]];
    };
    expect(await send("PATCH", `/${BUCKET}`)).toEqual([405, "MethodNotAllowed"]);
    expect(await send("PUT", `/${BUCKET}?versioning`, "<VersioningConfiguration>")).toEqual([400, "MalformedXML"]);
    expect(await send("PUT", `/${BUCKET}?versioning`, "<Other/>")).toEqual([400, "MalformedXML"]);
    expect(await send("PUT", `/${BUCKET}?versioning`, "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")).toEqual([200, undefined]);
    expect(await send("GET", `/${BUCKET}?max-keys=many`)).toEqual([400, "InvalidArgument"]);
    expect(await send("GET", `/${BUCKET}/%ZZ`)).toEqual([400, "InvalidArgument"]);
    const entity = '<!DOCTYPE a [<!ENTITY x "y">]><Delete><Object><Key>&x;</Key></Object></Delete>';
    expect(await send("POST", `/${BUCKET}?delete`, entity)).toEqual([400, "MalformedXML"]);
  });
});

describe("permission", () => {
  const reader = roleSession("reader", [allow("s3:GetObject", `${ARN}/in/*`), allow("s3:ListBucket", ARN, { StringLike: { "s3:prefix": "in/*" } })]);

  it("is needed for each operation, and the refusal names user, action and resource", async () => {
    const { harness, s3 } = await withBucket();
    await put(s3, "in/k");
    await put(s3, "out/k");
    const client = harness.s3(reader);
    expect(await (await get(client, "in/k")).Body!.transformToString()).toBe("x");
    expect(await refusal(get(client, "out/k"))).toEqual({
      ...DENIED,
      message: `User: arn:aws:sts::${OWNER}:assumed-role/reader/session is not authorized to perform: s3:GetObject on resource: "${ARN}/out/k" because no identity-based policy allows the s3:GetObject action`,
    });
    expect((await list(client, "in/")).KeyCount).toBe(1);
    expect(await refusal(list(client, "out/"))).toMatchObject(DENIED);
    expect(await refusal(list(client))).toMatchObject(DENIED);
    expect(await refusal(put(client, "in/k"))).toMatchObject(DENIED);
    expect(await refusal(client.send(new GetBucketLocationCommand({ Bucket: BUCKET })))).toMatchObject(DENIED);
    expect(await refusal(client.send(new ListBucketsCommand()))).toMatchObject(DENIED);
    expect(await refusal(createBucket(client, "another-bucket", "eu-west-1"))).toMatchObject(DENIED);
  });

  it("decides whether a missing key is missing or forbidden", async () => {
    const { harness } = await withBucket();
    const lister = harness.s3(roleSession("lister", [allow("s3:GetObject", `${ARN}/*`), allow("s3:ListBucket", ARN)]));
    const blind = harness.s3(roleSession("blind", [allow("s3:GetObject", `${ARN}/*`)]));
    expect(await refusal(get(lister, "none"))).toMatchObject({ code: "NoSuchKey", status: 404 });
    expect(await refusal(get(blind, "none"))).toMatchObject({ ...DENIED, message: expect.stringContaining("s3:ListBucket") });
    const head = (client: S3Client) => refusal(client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "none" })));
    expect([(await head(lister)).status, (await head(blind)).status]).toEqual([404, 403]);
  });

  it("is decided key by key in a batch of deletes", async () => {
    const { harness, s3 } = await withBucket();
    for (const key of ["mine/1", "theirs/1"]) await put(s3, key);
    const client = harness.s3(roleSession("cleaner", [allow("s3:DeleteObject", `${ARN}/mine/*`)]));
    const Objects = ["mine/1", "theirs/1", "mine/none"].map((Key) => ({ Key }));
    const answer = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    expect(answer.Deleted?.map((each) => each.Key)).toEqual(["mine/1", "mine/none"]);
    expect(answer.Errors).toMatchObject([{ Key: "theirs/1", Code: "AccessDenied" }]);
    expect((await list(s3)).Contents?.map((each) => each.Key)).toEqual(["theirs/1"]);
  });

  it("is refused to the wrong expected owner, and to nobody else", async () => {
    const { s3 } = await withBucket();
    const expecting = (ExpectedBucketOwner: string) => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: "x", ExpectedBucketOwner }));
    await expecting(OWNER);
    expect(await refusal(expecting(STRANGER))).toEqual({ ...DENIED, message: "Access Denied" });
  });

  it("across accounts needs both sides, and says nothing more than no", async () => {
    const { harness, s3 } = await withBucket();
    await put(s3, "k");
    const partner = harness.live(roleSession("partner", [allow("s3:GetObject", `${ARN}/*`)], STRANGER));
    const lazy = harness.live(roleSession("lazy", [], STRANGER));
    expect(await refusal(get(harness.s3(partner), "k"))).toEqual({ ...DENIED, message: "Access Denied" });
    const share = { Sid: "Share", Principal: { AWS: `arn:aws:iam::${STRANGER}:root` }, ...allow("s3:GetObject", `${ARN}/*`) };
    await setPolicy(s3, share);
    expect(await (await get(harness.s3(partner), "k")).Body!.transformToString()).toBe("x");
    expect(await refusal(get(harness.s3(lazy), "k"))).toMatchObject(DENIED);
    expect(await refusal(get(harness.s3(anonymous), "k"))).toEqual({ ...DENIED, message: "Access Denied" });
  });

  it("maps operations to IAM's actions", () => {
    const actions = ["HeadObject", "HeadBucket", "ListObjectsV2", "UploadPart", "AbortMultipartUpload", "GetBucketEncryption", "PutBucketLifecycleConfiguration", "GetPublicAccessBlock", "GetBucketLocation"];
    expect(actions.map(s3Action)).toEqual([
      "s3:GetObject",
      "s3:ListBucket",
      "s3:ListBucket",
      "s3:PutObject",
      "s3:AbortMultipartUpload",
      "s3:GetEncryptionConfiguration",
      "s3:PutLifecycleConfiguration",
      "s3:GetBucketPublicAccessBlock",
      "s3:GetBucketLocation",
    ]);
  });
});

describe("bucket policy", () => {
  const deny = (condition: object, action = "s3:*") => ({ Sid: "No", Effect: "Deny", Principal: "*", Action: action, Resource: [ARN, `${ARN}/*`], Condition: condition });

  it("denies over every allow", async () => {
    const { harness, s3 } = await withBucket();
    const worker = harness.s3(roleSession("worker", [allow("s3:*")]));
    await put(worker, "k");
    await setPolicy(s3, { Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: `${ARN}/*` });
    expect(await refusal(put(worker, "k"))).toEqual({
      ...DENIED,
      message: `User: arn:aws:sts::${OWNER}:assumed-role/worker/session is not authorized to perform: s3:PutObject on resource: "${ARN}/k" with an explicit deny in a resource-based policy`,
    });
    expect(await (await get(worker, "k")).Body!.transformToString()).toBe("x");
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: BUCKET }));
    await put(worker, "k");
    expect(await refusal(s3.send(new GetBucketPolicyCommand({ Bucket: BUCKET })))).toMatchObject({ code: "NoSuchBucketPolicy", status: 404 });
  });

  it("can shut out all that does not come from a VPC endpoint, but not the account's root", async () => {
    const { harness, s3 } = await withBucket();
    await put(s3, "k");
    await setPolicy(s3, deny({ StringNotEquals: { "aws:SourceVpce": "vpce-1a2b3c4d" } }));
    expect(await refusal(get(s3, "k"))).toMatchObject({ ...DENIED, message: expect.stringContaining("explicit deny in a resource-based policy") });
    const root = harness.s3({ caller: { principal: { kind: "root", arn: `arn:aws:iam::${OWNER}:root`, accountId: OWNER } }, policies: [] });
    expect(await refusal(get(root, "k"))).toMatchObject(DENIED);
    await root.send(new DeleteBucketPolicyCommand({ Bucket: BUCKET }));
    await get(s3, "k");
  });

  it("asks for TLS, which a direct request is taken to have", async () => {
    const { harness, s3 } = await withBucket();
    await setPolicy(s3, deny({ Bool: { "aws:SecureTransport": "false" } }));
    await put(s3, "k");
    const through = (host: string, rawTarget: string, secure: boolean) =>
      harness.s3Service.handleWire(
        { method: "GET", url: new URL(`http://${host}${rawTarget}`), rawTarget, host, headers: {}, body: Buffer.alloc(0), secure },
        { caller: admin.caller, region: "eu-west-1", context: {} },
      );
    expect((await through(`${BUCKET}.s3.eu-west-1.amazonaws.com`, "/k", true)).status).toBe(200);
    expect((await through(`${BUCKET}.s3.eu-west-1.amazonaws.com`, "/k", false)).status).toBe(403);
    expect((await through("127.0.0.1", `/${BUCKET}/k`, false)).status).toBe(200);
  });

  it("sees the request's own headers", async () => {
    const { s3 } = await withBucket();
    await setPolicy(s3, deny({ StringNotEquals: { "s3:x-amz-server-side-encryption": "AES256" } }, "s3:PutObject"));
    const encrypted = (members: object) => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: "x", ...members }));
    await encrypted({ ServerSideEncryption: "AES256" });
    expect(await refusal(encrypted({}))).toMatchObject(DENIED);
  });

  it("keeps a role by its id: one made again under the name is another", async () => {
    const { harness, s3 } = await withBucket();
    await put(s3, "k");
    const before = harness.live(roleSession("platform", [], OWNER, "A"));
    const roleArn = `arn:aws:iam::${OWNER}:role/platform`;
    await setPolicy(s3, { Effect: "Allow", Principal: { AWS: roleArn }, Action: "s3:GetObject", Resource: `${ARN}/*` });
    await get(harness.s3(before), "k");
    const shown = async () => {
      const { Policy = "" } = await s3.send(new GetBucketPolicyCommand({ Bucket: BUCKET }));
      return (JSON.parse(Policy) as { Statement: { Principal: unknown }[] }).Statement[0]?.Principal;
    };
    expect(await shown()).toEqual({ AWS: roleArn });
    const after = harness.live(roleSession("platform", [], OWNER, "B"));
    expect(await refusal(get(harness.s3(after), "k"))).toMatchObject(DENIED);
    expect(await shown()).toEqual({ AWS: before.caller.principal.uniqueId });
  });

  it("is checked when it is put", async () => {
    const { s3 } = await withBucket();
    const good = { Effect: "Allow", Principal: { AWS: OWNER }, Action: "s3:GetObject", Resource: `${ARN}/*` };
    const refused = async (Policy: string) => {
      const { code, message } = await refusal(s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy })));
      return `${code}: ${message}`;
    };
    expect(await refused("nonsense")).toBe("MalformedPolicy: Policies must be valid JSON and the first byte must be '{'");
    expect(await refused(policy({ ...good, Principal: { AWS: `arn:aws:iam::${OWNER}:role/none` } }))).toBe("MalformedPolicy: Invalid principal in policy");
    expect(await refused(policy({ ...good, Resource: "arn:aws:s3:::another/*" }))).toBe("MalformedPolicy: Policy has invalid resource");
    expect(await refused(policy({ ...good, Action: "sts:AssumeRole" }))).toBe("MalformedPolicy: Policy has invalid action");
    expect(await refused(policy({ ...good, Extra: 1 }))).toBe("MalformedPolicy: Unknown field Extra");
    const { Principal: _principal, ...nobody } = good;
    expect(await refused(policy(nobody))).toBe("MalformedPolicy: Missing required field Principal");
    await setPolicy(s3, good);
  });

  it("may be public only where the public access block lets it", async () => {
    const { harness, s3 } = await withBucket();
    await put(s3, "k");
    const everybody = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `${ARN}/*` };
    expect(await refusal(setPolicy(s3, everybody))).toMatchObject({ ...DENIED, message: expect.stringContaining("BlockPublicPolicy") });
    await setPolicy(s3, { ...everybody, Condition: { StringEquals: { "aws:SourceVpce": "vpce-1a2b3c4d" } } });
    const isPublic = async () => (await s3.send(new GetBucketPolicyStatusCommand({ Bucket: BUCKET }))).PolicyStatus?.IsPublic;
    expect(await isPublic()).toBe(false);
    const block = (PublicAccessBlockConfiguration: object) => s3.send(new PutPublicAccessBlockCommand({ Bucket: BUCKET, PublicAccessBlockConfiguration }));
    await block({ RestrictPublicBuckets: true });
    await setPolicy(s3, everybody);
    expect(await isPublic()).toBe(true);
    const stranger = harness.s3(roleSession("partner", [allow("s3:GetObject")], STRANGER));
    for (const client of [stranger, harness.s3(anonymous)]) expect(await refusal(get(client, "k"))).toMatchObject(DENIED);
    await get(harness.s3(roleSession("inside", [])), "k");
    await block({});
    for (const client of [stranger, harness.s3(anonymous)]) await get(client, "k");
  });

  it("is enforced only after the propagation delay", async () => {
    const { harness, s3 } = await withBucket();
    harness.settings.propagationDelaySeconds = 30;
    await setPolicy(s3, { Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: `${ARN}/*` });
    await put(s3, "k");
    harness.clock.advance(31);
    expect(await refusal(put(s3, "k"))).toMatchObject(DENIED);
  });
});

describe("multipart upload", () => {
  const MIB = 1024 * 1024;

  it("puts parts together in order", async () => {
    const { s3 } = await withBucket();
    const at = { Bucket: BUCKET, Key: "big" };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, ContentType: "application/zip", ChecksumAlgorithm: "CRC32" }));
    const upload = (PartNumber: number, Body: Buffer) => s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }));
    const bodies = [Buffer.alloc(5 * MIB, "a"), Buffer.from("the end")];
    const parts = [];
    for (const [index, body] of bodies.entries()) {
      const { ChecksumCRC32, ETag } = await upload(index + 1, body);
      parts.push({ PartNumber: index + 1, ETag, ChecksumCRC32 });
    }
    expect((await s3.send(new ListPartsCommand({ ...at, UploadId }))).Parts?.map((each) => each.Size)).toEqual([5 * MIB, 7]);
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads).toMatchObject([{ Key: "big", UploadId }]);
    const complete = (Parts: object[]) => refusal(s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } })));
    expect(await complete([...parts].reverse())).toMatchObject({ code: "InvalidPartOrder", status: 400 });
    expect(await complete([{ PartNumber: 3, ETag: '"0"' }])).toMatchObject({ code: "InvalidPart", status: 400 });
    const done = await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts: parts } }));
    expect([done.ETag, done.ChecksumCRC32, done.ChecksumType]).toEqual([expect.stringMatching(/-2"$/), expect.stringMatching(/-2$/), "COMPOSITE"]);
    const got = await get(s3, "big");
    expect(got.ContentType).toBe("application/zip");
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Buffer.concat(bodies))).toBe(true);
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? []).toEqual([]);
  });

  it("takes parts from other objects", async () => {
    const { harness, s3 } = await withBucket();
    await put(s3, "from", "0123456789");
    const at = { Bucket: BUCKET, Key: "to" };
    const upload = async (client: S3Client) => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
      const part = { ...at, UploadId, PartNumber: 1, CopySource: `${BUCKET}/from`, CopySourceRange: "bytes=2-5" };
      const { CopyPartResult } = await client.send(new UploadPartCopyCommand(part));
      const Parts = [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
      await client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
    };
    await upload(s3);
    expect(await (await get(s3, "to")).Body!.transformToString()).toBe("2345");
    expect(await refusal(upload(harness.s3(roleSession("writer", [allow("s3:PutObject")]))))).toMatchObject(DENIED);
  });

  it("refuses small parts before the last, and forgets an aborted upload", async () => {
    const { harness, s3 } = await withBucket();
    const at = { Bucket: BUCKET, Key: "big" };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
    const Parts = [];
    for (const PartNumber of [1, 2]) Parts.push({ PartNumber, ETag: (await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body: "x" }))).ETag });
    const complete = s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
    expect(await refusal(complete)).toMatchObject({ code: "EntityTooSmall", status: 400 });
    const abort = (client: S3Client) => client.send(new AbortMultipartUploadCommand({ ...at, UploadId }));
    expect(await refusal(abort(harness.s3(roleSession("writer", [allow("s3:PutObject")]))))).toMatchObject(DENIED);
    await abort(harness.s3(roleSession("aborter", [allow("s3:AbortMultipartUpload")])));
    expect(await refusal(abort(s3))).toMatchObject({ code: "NoSuchUpload", status: 404 });
  });
});
