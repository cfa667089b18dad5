import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { Harness, OWNER, STRANGER, allow, refusal, roleSession } from "./s3-kms-harness";

const BUCKET = "artifacts-of-acme";
const admin = roleSession("admin", [allow("*")]);

async function bucketIn(harness: Harness, region = "eu-west-1", name = BUCKET): Promise<void> {
  await harness.s3(admin, { region }).send(
    new CreateBucketCommand({ Bucket: name, ...(region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: region as "eu-west-1" } }) }),
  );
}

describe("objects", () => {
  it("come back byte for byte, are listed, and are gone after a delete", async () => {
    const harness = new Harness();
    await bucketIn(harness);
    const s3 = harness.s3(admin);
    const body = Buffer.from([0, 1, 2, 255, 254, 13, 10]);
    const put = await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "a/b c+ü.bin", Body: body, Metadata: { made: "here" } }));
    expect(put.ETag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(put.ServerSideEncryption).toBe("AES256");
    const got = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: "a/b c+ü.bin" }));
    expect(Buffer.from(await got.Body!.transformToByteArray())).toEqual(body);
    expect(got.Metadata).toEqual({ made: "here" });
    const list = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: "a/" }));
    expect(list.Contents?.map((each) => [each.Key, each.Size])).toEqual([["a/b c+ü.bin", 7]]);
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "a/b c+ü.bin" }));
    const after = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    expect(after.KeyCount).toBe(0);
    expect(harness.entered.slice(-2)).toEqual(["s3:DeleteObject", "s3:ListObjectsV2"]);
  });
});
