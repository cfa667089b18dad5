/** A bucket's settings, as its account can read them. */
import { regionOf } from "../bucket.js";
import { describeAnswer, type AwsRefusal } from "../answers.js";
import type { AccountReader, Reading } from "./reader.js";

/** AWS's own key for S3, which every role of the account may use through S3. */
export const AWS_MANAGED_KEY = "aws/s3";

export interface BucketFacts {
  /** Where the bucket is, or why it is not this account's. */
  place: Reading<string> | { status: "elsewhere"; region: string | undefined } | { status: "stranger"; detail: string };
  /** JSON text; absent when there is none. */
  policy: Reading<string>;
  /** True when all public access is blocked. */
  publicAccessBlocked: Reading<boolean>;
  /** ARN, id or alias of the KMS key that encrypts by default, as the bucket has it; empty for S3's own keys. */
  kmsKey: Reading<string>;
  /** `Enabled`, `Suspended`, or empty when versions were never kept. */
  versioning: Reading<string>;
  /** Such as `BucketOwnerEnforced`. */
  ownership: Reading<string>;
}

export async function readBucket(reader: AccountReader, bucket: string, region: string, owner: string): Promise<BucketFacts> {
  const [s3, client] = await Promise.all([import("@aws-sdk/client-s3"), reader.clients.s3(region, reader.signer)]);
  const where = { Bucket: bucket, ExpectedBucketOwner: owner };
  const [place, policy, publicAccessBlocked, kmsKey, versioning, ownership] = await Promise.all([
    readPlace(reader, bucket, region, owner),
    reader.read("s3:GetBucketPolicy", ["NoSuchBucketPolicy"], async (abortSignal) => (await client.send(new s3.GetBucketPolicyCommand(where), { abortSignal })).Policy ?? ""),
    reader.read("s3:GetBucketPublicAccessBlock", ["NoSuchPublicAccessBlockConfiguration"], async (abortSignal) => {
      const { PublicAccessBlockConfiguration: block } = await client.send(new s3.GetPublicAccessBlockCommand(where), { abortSignal });
      return [block?.BlockPublicAcls, block?.BlockPublicPolicy, block?.IgnorePublicAcls, block?.RestrictPublicBuckets].every((on) => on === true);
    }),
    reader.read("s3:GetEncryptionConfiguration", ["ServerSideEncryptionConfigurationNotFoundError"], async (abortSignal) => {
      const { ServerSideEncryptionConfiguration: encryption } = await client.send(new s3.GetBucketEncryptionCommand(where), { abortSignal });
      const rule = encryption?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
      return rule?.SSEAlgorithm?.startsWith("aws:kms") ? (rule.KMSMasterKeyID ?? AWS_MANAGED_KEY) : "";
    }),
    reader.read("s3:GetBucketVersioning", [], async (abortSignal) => (await client.send(new s3.GetBucketVersioningCommand(where), { abortSignal })).Status ?? ""),
    reader.read("s3:GetBucketOwnershipControls", ["OwnershipControlsNotFoundError"], async (abortSignal) => {
      const { OwnershipControls: controls } = await client.send(new s3.GetBucketOwnershipControlsCommand(where), { abortSignal });
      return controls?.Rules?.[0]?.ObjectOwnership ?? "";
    }),
  ]);
  // Any setting that was read from this region, of the expected owner, shows where and whose the bucket is.
  const seen = [policy, publicAccessBlocked, kmsKey, versioning, ownership].some(({ status }) => status !== "unreadable");
  return { place: place.status === "unreadable" && seen ? { status: "read", value: region } : place, policy, publicAccessBlocked, kmsKey, versioning, ownership };
}

async function readPlace(reader: AccountReader, bucket: string, region: string, owner: string): Promise<BucketFacts["place"]> {
  const [{ GetBucketLocationCommand }, client] = await Promise.all([import("@aws-sdk/client-s3"), reader.clients.s3(region, reader.signer)]);
  const command = new GetBucketLocationCommand({ Bucket: bucket, ExpectedBucketOwner: owner });
  const answer = await reader.ask((abortSignal) => client.send(command, { abortSignal }));
  if (answer.ok) return { status: "read", value: regionOf(answer.output.LocationConstraint) };
  const reason = `s3:GetBucketLocation: ${describeAnswer(answer)}`;
  if (answer.kind === "no-answer") return { status: "unreadable", reason };
  if (answer.code === "NoSuchBucket") return { status: "absent", detail: describeAnswer(answer) };
  if (answer.code === "AccessDenied") {
    const stranger = await strangerDetail(reader, bucket, region, owner);
    return stranger === undefined ? { status: "unreadable", reason } : { status: "stranger", detail: `${stranger}, and ${reason}` };
  }
  return isElsewhere(answer) ? { status: "elsewhere", region: answer.headers["x-amz-bucket-region"] } : { status: "unreadable", reason };
}

function isElsewhere({ code }: AwsRefusal): boolean {
  return ["PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"].includes(code);
}

/** S3 refuses the wrong owner and the missing right alike; the account's own list of buckets tells them apart. Undefined when it does not. */
async function strangerDetail(reader: AccountReader, bucket: string, region: string, owner: string): Promise<string | undefined> {
  const { accountId } = reader.exchange;
  const [{ paginateListBuckets }, client] = await Promise.all([import("@aws-sdk/client-s3"), reader.clients.s3(region, reader.signer)]);
  const own = await reader.read("s3:ListAllMyBuckets", [], async () => {
    const names: string[] = [];
    for await (const page of paginateListBuckets({ client }, { Prefix: bucket })) names.push(...(page.Buckets ?? []).flatMap(({ Name }) => (Name === undefined ? [] : [Name])));
    return names;
  });
  if (own.status !== "read") return undefined;
  const isOwn = own.value.includes(bucket);
  if (owner === accountId) return isOwn ? undefined : `account ${accountId} has no bucket ${bucket}`;
  return isOwn ? `bucket ${bucket} belongs to account ${accountId}, the contract has ${owner}` : undefined;
}
