import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  type KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-kms";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Harness, OWNER, STRANGER, allow, policy, refusal, roleSession } from "./s3-kms-harness";

const DENIED = { code: "AccessDeniedException", status: 400 };
const admin = roleSession("admin", [allow("*")]);
const root = `arn:aws:iam::${OWNER}:root`;
const ofRoot = { Effect: "Allow", Principal: { AWS: root }, Action: "kms:*", Resource: "*" };
const roleArn = (name: string, account = OWNER) => `arn:aws:iam::${account}:role/${name}`;

async function withKey(keyPolicy?: string): Promise<{ harness: Harness; kms: KMSClient; KeyId: string }> {
  const harness = new Harness();
  for (const name of ["admin", "worker", "other"]) harness.live(roleSession(name, []));
  harness.live(roleSession("partner", [], STRANGER));
  const kms = harness.kms(admin);
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(keyPolicy === undefined ? {} : { Policy: keyPolicy }));
  return { harness, kms, KeyId: KeyMetadata?.Arn ?? "" };
}

const encrypt = (kms: KMSClient, KeyId: string) => kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from("plain") }));

describe("keys", () => {
  it("encrypt what only they and the same context decrypt", async () => {
    const { kms, KeyId } = await withKey();
    const EncryptionContext = { a: "1", b: "2" };
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from("plain"), EncryptionContext }));
    const decrypt = (context?: Record<string, string>, blob = CiphertextBlob) => kms.send(new DecryptCommand({ CiphertextBlob: blob, ...(context && { EncryptionContext: context }) }));
    expect(Buffer.from((await decrypt({ b: "2", a: "1" })).Plaintext!).toString()).toBe("plain");
    expect(await refusal(decrypt())).toMatchObject({ code: "InvalidCiphertextException", status: 400 });
    expect(await refusal(decrypt(EncryptionContext, Buffer.from("nonsense")))).toMatchObject({ code: "InvalidCiphertextException" });
    const data = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256" }));
    expect(data.Plaintext).toHaveLength(32);
    expect((await decrypt(undefined, data.CiphertextBlob)).Plaintext).toEqual(data.Plaintext);
    const other = (await kms.send(new CreateKeyCommand())).KeyMetadata?.KeyId;
    const wrong = kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId: other }));
    expect(await refusal(wrong)).toMatchObject({ code: "IncorrectKeyException" });
  });

  it("are found by id, ARN and alias, in their own region", async () => {
    const { harness, kms, KeyId } = await withKey();
    const AliasName = "alias/artifacts";
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
    const arnOf = async (reference: string, client = kms) => (await client.send(new DescribeKeyCommand({ KeyId: reference }))).KeyMetadata?.Arn;
    const bare = KeyId.split("/")[1] ?? "";
    for (const reference of [KeyId, bare, AliasName, `arn:aws:kms:eu-west-1:${OWNER}:${AliasName}`]) expect(await arnOf(reference)).toBe(KeyId);
    expect((await kms.send(new ListAliasesCommand({ KeyId }))).Aliases).toMatchObject([{ AliasName, TargetKeyId: bare }]);
    expect((await kms.send(new ListKeysCommand())).Keys).toEqual([{ KeyArn: KeyId, KeyId: bare }]);
    const again = kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
    expect(await refusal(again)).toMatchObject({ code: "AlreadyExistsException", status: 400 });
    await kms.send(new DeleteAliasCommand({ AliasName }));
    const missing = { code: "NotFoundException", status: 400 };
    for (const reference of [AliasName, "nonsense", KeyId.replace(/.$/, "z")]) expect(await refusal(arnOf(reference))).toMatchObject(missing);
    expect(await refusal(arnOf(KeyId, harness.kms(admin, "us-east-1")))).toMatchObject({ ...missing, message: "Invalid arn eu-west-1" });
    expect(await refusal(arnOf(bare, harness.kms(roleSession("partner", [allow("*")], STRANGER))))).toMatchObject(missing);
  });

  it("are disabled, enabled, scheduled for deletion, saved, and gone", async () => {
    const { harness, kms, KeyId } = await withKey();
    await kms.send(new DisableKeyCommand({ KeyId }));
    expect(await refusal(encrypt(kms, KeyId))).toMatchObject({ code: "DisabledException", status: 400 });
    await kms.send(new EnableKeyCommand({ KeyId }));
    await encrypt(kms, KeyId);
    const schedule = (days: number) => kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: days }));
    expect(await refusal(schedule(6))).toMatchObject({ code: "ValidationException" });
    expect((await schedule(7)).DeletionDate).toBeInstanceOf(Date);
    expect(await refusal(encrypt(kms, KeyId))).toMatchObject({ code: "KMSInvalidStateException", status: 400 });
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
    expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState).toBe("Disabled");
    await schedule(7);
    harness.clock.advance(7 * 86_400 + 1);
    expect(await refusal(kms.send(new DescribeKeyCommand({ KeyId })))).toMatchObject({ code: "NotFoundException" });
  });

  it("rotate and carry tags that policies can ask for", async () => {
    const { harness, kms, KeyId } = await withKey();
    const rotation = async () => (await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled;
    expect(await rotation()).toBe(false);
    await kms.send(new EnableKeyRotationCommand({ KeyId }));
    expect(await rotation()).toBe(true);
    const worker = harness.kms(roleSession("worker", [allow("kms:Encrypt", "*", { StringEquals: { "aws:ResourceTag/team": "a" } })]));
    expect(await refusal(encrypt(worker, KeyId))).toMatchObject(DENIED);
    await kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: "team", TagValue: "a" }] }));
    await encrypt(worker, KeyId);
    await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ["team"] }));
    expect((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([]);
  });
});

describe("key policy", () => {
  it("of a new key hands the decision to the account's IAM policies", async () => {
    const { harness, KeyId } = await withKey();
    const may = harness.kms(roleSession("worker", [allow("kms:Encrypt", KeyId)]));
    await encrypt(may, KeyId);
    const mayNot = harness.kms(roleSession("other", [allow("kms:Decrypt", KeyId)]));
    expect(await refusal(encrypt(mayNot, KeyId))).toEqual({
      ...DENIED,
      message: `User: arn:aws:sts::${OWNER}:assumed-role/other/session is not authorized to perform: kms:Encrypt on resource: ${KeyId} because no identity-based policy allows the kms:Encrypt action`,
    });
  });

  it("that names roles decides alone", async () => {
    const named = { Effect: "Allow", Principal: { AWS: roleArn("worker") }, Action: "kms:Encrypt", Resource: "*" };
    const own = { Effect: "Allow", Principal: { AWS: roleArn("admin") }, Action: "kms:*", Resource: "*" };
    const { harness, KeyId } = await withKey(policy(own, named));
    await encrypt(harness.kms(roleSession("worker", [])), KeyId);
    const other = harness.kms(roleSession("other", [allow("kms:*")]));
    expect(await refusal(encrypt(other, KeyId))).toMatchObject({ ...DENIED, message: expect.stringContaining("because no resource-based policy allows the kms:Encrypt action") });
  });

  it("keeps principals by id, refuses unknown ones, and does not lock its author out", async () => {
    const { harness, kms, KeyId } = await withKey();
    const change = (...statements: object[]) => kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policy(...statements) }));
    const malformed = { code: "MalformedPolicyDocumentException", status: 400 };
    const forWorker = { Effect: "Allow", Principal: { AWS: roleArn("worker") }, Action: "kms:Encrypt", Resource: "*" };
    expect(await refusal(change(forWorker))).toMatchObject({ ...malformed, message: "The new key policy will not allow you to update the key policy in the future." });
    const unknown = { ...forWorker, Principal: { AWS: roleArn("nobody") } };
    expect(await refusal(change(ofRoot, unknown))).toMatchObject({ ...malformed, message: "Policy contains a statement with one or more invalid principals." });
    await change(ofRoot, forWorker);
    await encrypt(harness.kms(roleSession("worker", [])), KeyId);
    const again = harness.live(roleSession("worker", [], OWNER, "B"));
    expect(await refusal(encrypt(harness.kms(again), KeyId))).toMatchObject(DENIED);
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId }));
    expect(Policy).toContain(roleSession("worker", []).caller.principal.uniqueId);
  });

  it("lets another account in only together with that account's own policies", async () => {
    const { harness, KeyId } = await withKey(policy(ofRoot, { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${STRANGER}:root` }, Action: "kms:Encrypt", Resource: "*" }));
    await encrypt(harness.kms(roleSession("partner", [allow("kms:Encrypt", KeyId)], STRANGER)), KeyId);
    expect(await refusal(encrypt(harness.kms(roleSession("partner", [], STRANGER)), KeyId))).toMatchObject(DENIED);
  });
});

describe("S3 with a KMS key", () => {
  const Bucket = "artifacts-of-acme";
  const S3_DENIED = { code: "AccessDenied", status: 403 };
  const put = (s3: S3Client, members: object = {}) => s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", ...members }));
  const get = (s3: S3Client) => s3.send(new GetObjectCommand({ Bucket, Key: "k" }));

  async function withBucket(keyPolicy?: string) {
    const made = await withKey(keyPolicy);
    const s3 = made.harness.s3(admin);
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
    const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms" as const, KMSMasterKeyID: made.KeyId }, BucketKeyEnabled: true };
    await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } }));
    return { ...made, s3 };
  }

  it("needs GenerateDataKey to write and Decrypt to read", async () => {
    const { harness, KeyId, s3 } = await withBucket();
    const written = await put(s3);
    expect(written).toMatchObject({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: KeyId, BucketKeyEnabled: true });
    const objects = allow(["s3:PutObject", "s3:GetObject"]);
    const writer = harness.s3(roleSession("worker", [objects, allow("kms:GenerateDataKey", KeyId)]));
    await put(writer);
    expect(await refusal(get(writer))).toMatchObject({ ...S3_DENIED, message: expect.stringContaining(`is not authorized to perform: kms:Decrypt on resource: ${KeyId}`) });
    const reader = harness.s3(roleSession("other", [objects, allow("kms:Decrypt", KeyId)]));
    await get(reader);
    expect(await refusal(put(reader))).toMatchObject({
      ...S3_DENIED,
      message: `User: arn:aws:sts::${OWNER}:assumed-role/other/session is not authorized to perform: kms:GenerateDataKey on resource: ${KeyId} because no identity-based policy allows the kms:GenerateDataKey action`,
    });
    await put(reader, { ServerSideEncryption: "AES256" });
  });

  it("is refused when the key policy does not know the role", async () => {
    const { harness, s3 } = await withBucket(policy({ Effect: "Allow", Principal: { AWS: roleArn("admin") }, Action: "kms:*", Resource: "*" }));
    await put(s3);
    const worker = harness.s3(roleSession("worker", [allow(["s3:*", "kms:*"])]));
    expect(await refusal(put(worker))).toMatchObject({ ...S3_DENIED, message: expect.stringContaining("because no resource-based policy allows the kms:GenerateDataKey action") });
    expect(await refusal(get(worker))).toMatchObject(S3_DENIED);
  });

  it("comes through S3 and says for what", async () => {
    const { harness, KeyId, s3 } = await withBucket();
    const through = (keys: object) => harness.s3(roleSession("worker", [allow("s3:*"), allow("kms:*", KeyId, { StringEquals: keys })]));
    await put(through({ "kms:ViaService": "s3.eu-west-1.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": `arn:aws:s3:::${Bucket}` }));
    expect(await refusal(put(through({ "kms:ViaService": "s3.us-east-1.amazonaws.com" })))).toMatchObject(S3_DENIED);
    await put(through({ "kms:EncryptionContext:aws:s3:arn": `arn:aws:s3:::${Bucket}/k` }), { BucketKeyEnabled: false });
    await get(s3);
  });

  it("needs both for an upload in parts", async () => {
    const { harness, KeyId } = await withBucket();
    const upload = async (...actions: string[]) => {
      const s3 = harness.s3(roleSession("worker", [allow("s3:*"), allow(actions, KeyId)]));
      const at = { Bucket, Key: "big" };
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
      const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: "x" }));
      await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }));
    };
    await upload("kms:GenerateDataKey", "kms:Decrypt");
    expect(await refusal(upload("kms:GenerateDataKey"))).toMatchObject({ ...S3_DENIED, message: expect.stringContaining("kms:Decrypt") });
  });

  it("fails with KMS's code when the key cannot be used", async () => {
    const { kms, KeyId, s3 } = await withBucket();
    await put(s3);
    await kms.send(new DisableKeyCommand({ KeyId }));
    expect(await refusal(put(s3))).toMatchObject({ code: "KMS.DisabledException", status: 400 });
    expect(await refusal(get(s3))).toMatchObject({ code: "KMS.DisabledException", status: 400 });
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    expect(await refusal(get(s3))).toMatchObject({ code: "KMS.KMSInvalidStateException", status: 400 });
    expect(await refusal(put(s3, { ServerSideEncryption: "aws:kms", SSEKMSKeyId: KeyId.replace(/.$/, "z") }))).toMatchObject({ code: "KMS.NotFoundException", status: 400 });
    await put(s3, { ServerSideEncryption: "AES256" });
  });

  it("uses the account's own aws/s3 key where no key is named, open to all whom S3 lets in", async () => {
    const { harness } = await withBucket();
    const worker = harness.s3(roleSession("worker", [allow("s3:*")]));
    const { SSEKMSKeyId = "" } = await put(worker, { ServerSideEncryption: "aws:kms" });
    await get(worker);
    const kms = harness.kms(admin);
    expect((await kms.send(new ListAliasesCommand())).Aliases?.map((each) => each.AliasName)).toEqual(["alias/aws/s3"]);
    expect(await refusal(encrypt(harness.kms(roleSession("worker", [allow("kms:*")])), SSEKMSKeyId))).toMatchObject(DENIED);
    expect(await refusal(kms.send(new DisableKeyCommand({ KeyId: SSEKMSKeyId })))).toMatchObject(DENIED);
  });
});
