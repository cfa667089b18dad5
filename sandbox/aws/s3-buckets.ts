/** Buckets as such: made, found, listed, removed. */
import type {
  CreateBucketOutput,
  CreateBucketRequest,
  GetBucketLocationOutput,
  HeadBucketOutput,
  ListBucketsOutput,
  ListBucketsRequest,
} from "@aws-sdk/client-s3";
import { ACCOUNT_REGIONAL_BUCKET, NEW_BUCKET, bucketNameProblem } from "../../facts/aws/s3.js";
import { type S3Handler, denied, requestConditions } from "./s3-access.js";
import { s3Error } from "./s3-errors.js";
import { type Bucket, type S3State, bucketArn, compareKeys, partitionOf } from "./s3-state.js";
import type { AwsServiceContext, Operation, OperationRequest } from "./service.js";

/** The owner's canonical user id: stable, and no secret. */
export function canonicalId(accountId: string): string {
  return Buffer.from(accountId.padEnd(32, "0")).toString("hex");
}

const DEFAULT_REGION = "us-east-1";
/** How the API writes Ireland's old name. */
const OLD_NAMES: Readonly<Record<string, string>> = { EU: "eu-west-1" };

/**
 * Where the new bucket goes: the endpoint's own region, or, from the global endpoint's region, the one asked for.
 * Throws InvalidLocationConstraint and IllegalLocationConstraintException.
 */
function regionOf(request: OperationRequest, input: CreateBucketRequest): string {
  const constraint = input.CreateBucketConfiguration?.LocationConstraint;
  if (constraint === undefined) {
    if (request.region !== DEFAULT_REGION) throw s3Error("IllegalLocationConstraintException");
    return DEFAULT_REGION;
  }
  const region = OLD_NAMES[constraint] ?? constraint;
  if (region === DEFAULT_REGION || !/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(region))
    throw s3Error("InvalidLocationConstraint", { LocationConstraint: constraint });
  if (request.region !== region && request.region !== DEFAULT_REGION) {
    const text = `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`;
    throw s3Error("IllegalLocationConstraintException", {}, text);
  }
  return region;
}

/** Names of the account regional namespace belong to the account and region that they end with. */
function checkNamespace(name: string, namespace: string | undefined, accountId: string, region: string): void {
  const regional = ACCOUNT_REGIONAL_BUCKET.exec(name)?.groups;
  if (regional === undefined) {
    if (namespace === "account-regional")
      throw s3Error("InvalidBucketNamespace", { BucketName: name }, `The bucket name must end with -${accountId}-${region}-an for the account regional namespace.`);
    return;
  }
  if (regional["accountId"] !== accountId || regional["region"] !== region)
    throw s3Error("InvalidBucketNamespace", { BucketName: name }, "The bucket name belongs to the account regional namespace of another account or Region.");
  if (namespace !== "account-regional")
    throw s3Error("InvalidBucketNamespace", { BucketName: name }, "The bucket name belongs to the account regional namespace: send x-amz-bucket-namespace: account-regional.");
}

export function bucketOperations(context: AwsServiceContext, state: S3State) {
  function requireAccount(request: OperationRequest, action: string, resource: string, conditions: Record<string, string> = {}): void {
    const resourceAccountId = request.caller.principal.accountId;
    const question = { request, action, resource, resourceAccountId, context: conditions };
    const answer = context.authoriser.decide(question);
    if (!answer.allowed) throw denied(question, answer.because);
  }

  const CreateBucket: Operation = async (request) => {
    const input = request.input as unknown as CreateBucketRequest;
    const name = input.Bucket ?? "";
    const { accountId } = request.caller.principal;
    if (bucketNameProblem(name) !== undefined) throw s3Error("InvalidBucketName", { BucketName: name });
    const region = regionOf(request, input);
    const partition = partitionOf(region);
    const conditions = {
      ...requestConditions("CreateBucket", request.input),
      ...(input.CreateBucketConfiguration?.LocationConstraint === undefined ? {} : { "s3:LocationConstraint": region }),
    };
    requireAccount(request, "s3:CreateBucket", bucketArn({ partition, name }), conditions);
    checkNamespace(name, input.BucketNamespace, accountId, region);
    const output: CreateBucketOutput = { Location: `/${name}`, BucketArn: bucketArn({ partition, name }) };
    const existing = state.bucket(name);
    if (existing !== undefined) {
      if (existing.accountId !== accountId) throw s3Error("BucketAlreadyExists", { BucketName: name });
      // The oldest region alone keeps answering its owner with success.
      if (region !== DEFAULT_REGION || existing.region !== DEFAULT_REGION)
        throw s3Error("BucketAlreadyOwnedByYou", { BucketName: name });
      return { ...output };
    }
    const tags = input.CreateBucketConfiguration?.Tags;
    const bucket: Bucket = {
      name,
      accountId,
      partition,
      region,
      creationDate: context.core.clock.now().toISOString(),
      publicAccessBlock: { ...NEW_BUCKET.publicAccessBlock },
      objectOwnership: input.ObjectOwnership ?? NEW_BUCKET.objectOwnership,
      ...(tags === undefined || tags.length === 0 ? {} : { tags }),
    };
    state.putBucket(bucket);
    return { ...output };
  };

  const ListBuckets: Operation = async (request) => {
    const input = request.input as unknown as ListBucketsRequest;
    requireAccount(request, "s3:ListAllMyBuckets", "*");
    const { accountId } = request.caller.principal;
    const after = input.ContinuationToken === undefined ? "" : Buffer.from(input.ContinuationToken, "base64url").toString("utf8");
    const owned = state
      .buckets()
      .filter((each) => each.accountId === accountId && each.partition === partitionOf(request.region))
      .filter((each) => each.name.startsWith(input.Prefix ?? "") && (input.BucketRegion ?? each.region) === each.region)
      .filter((each) => each.name > after)
      .sort((a, b) => compareKeys(a.name, b.name));
    const page = owned.slice(0, input.MaxBuckets ?? owned.length);
    const last = page.at(-1);
    const output: ListBucketsOutput = {
      Owner: { ID: canonicalId(accountId) },
      Buckets: page.map((each) => ({
        Name: each.name,
        CreationDate: new Date(each.creationDate),
        BucketRegion: each.region,
        BucketArn: bucketArn(each),
      })),
      ...(input.Prefix === undefined ? {} : { Prefix: input.Prefix }),
      ...(page.length < owned.length && last !== undefined
        ? { ContinuationToken: Buffer.from(last.name).toString("base64url") }
        : {}),
    };
    return { ...output };
  };

  const HeadBucket: S3Handler<unknown, HeadBucketOutput> = ({ bucket }) => ({
    BucketRegion: bucket.region,
    BucketArn: bucketArn(bucket),
    AccessPointAlias: false,
  });

  const DeleteBucket: S3Handler = ({ bucket }) => {
    if (state.objects(bucket.name).length > 0) throw s3Error("BucketNotEmpty", { BucketName: bucket.name });
    state.deleteBucket(bucket.name);
    return {};
  };

  /** The oldest region has no name here. */
  const GetBucketLocation: S3Handler<unknown, Partial<GetBucketLocationOutput>> = ({ bucket }) =>
    bucket.region === DEFAULT_REGION
      ? {}
      : { LocationConstraint: bucket.region as NonNullable<GetBucketLocationOutput["LocationConstraint"]> };

  return { service: { CreateBucket, ListBuckets }, bucket: { HeadBucket, DeleteBucket, GetBucketLocation } };
}
