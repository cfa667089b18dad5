/** May this caller do this to this bucket or object? Every S3 operation goes through here. */
import type { NamedPolicy } from "../../trust/aws/types.js";
import { s3Action } from "../../facts/aws/s3.js";
import { s3Error } from "./s3-errors.js";
import { S3_OPERATIONS } from "./s3-model.js";
import { isPublicPolicy } from "./s3-policy.js";
import { type Bucket, type S3State, bucketArn, dnsSuffix, objectArn } from "./s3-state.js";
import type { AccessQuestion, AwsServiceContext, OperationRequest } from "./service.js";
import type { AwsError } from "./types.js";

/** One call of an operation on an existing bucket that the request may address. */
export interface S3Call<Input = Record<string, unknown>> {
  request: OperationRequest;
  operation: string;
  input: Input;
  bucket: Bucket;
  /** Empty for operations on the bucket. */
  key: string;
}

/** What an operation does once it is authorised; input and output are the API model's. */
export type S3Handler<Input = never, Output extends object = object> = (call: S3Call<Input>) => Output | Promise<Output>;

/** Query parameters that are condition keys too. */
const QUERY_CONDITIONS: Readonly<Record<string, string>> = {
  delimiter: "s3:delimiter",
  "max-keys": "s3:max-keys",
  prefix: "s3:prefix",
  versionId: "s3:VersionId",
};

/**
 * The condition keys that the members of a request give: S3 names them after its headers and query parameters.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
export function requestConditions(operation: string, input: Readonly<Record<string, unknown>>): Record<string, string> {
  const conditions: Record<string, string> = {};
  for (const member of S3_OPERATIONS.get(operation)?.input.members ?? []) {
    const value = input[member.name];
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") continue;
    const key = member.location === "query" ? QUERY_CONDITIONS[member.wireName] : headerCondition(member.location, member.wireName);
    if (key !== undefined) conditions[key] = String(value);
  }
  return conditions;
}

function headerCondition(location: string, header: string): string | undefined {
  if (location !== "header") return undefined;
  return header.startsWith("x-amz-") || header.startsWith("if-") ? `s3:${header}` : undefined;
}

export class S3Access {
  constructor(
    private readonly context: AwsServiceContext,
    private readonly state: S3State,
  ) {}

  /**
   * The bucket that a request names. Throws NoSuchBucket, PermanentRedirect for a bucket of another region, and
   * AccessDenied when the owner is not the expected one; nobody needs a permission to be told so.
   */
  open(request: OperationRequest, operation: string): S3Call {
    const name = text(request.input["Bucket"]);
    const bucket = this.state.bucket(name);
    if (bucket === undefined) throw s3Error("NoSuchBucket", { BucketName: name });
    if (bucket.region !== request.region) throw redirect(bucket);
    const expected = text(request.input["ExpectedBucketOwner"]);
    if (expected !== "" && expected !== bucket.accountId) throw s3Error("AccessDenied");
    return { request, operation, input: request.input, bucket, key: text(request.input["Key"]) };
  }

  /** Authorises the operation itself on the bucket or object that it addresses. */
  authorise(call: S3Call): void {
    this.require(call, versioned(s3Action(call.operation), call.input), this.resource(call));
  }

  resource(call: S3Call<unknown>): string {
    return call.key === "" ? bucketArn(call.bucket) : objectArn(call.bucket, call.key);
  }

  /** Throws AccessDenied. `conditions` are added to those of the request. */
  require(call: S3Call<unknown>, action: string, resource: string, conditions: Record<string, string> = {}): void {
    const question = this.question(call, action, resource, conditions);
    const answer = this.context.authoriser.decide(question);
    if (!answer.allowed) throw denied(question, answer.because);
  }

  permits(call: S3Call<unknown>, action: string, resource: string): boolean {
    return this.context.authoriser.decide(this.question(call, action, resource, {})).allowed;
  }

  private question(call: S3Call<unknown>, action: string, resource: string, conditions: Record<string, string>): AccessQuestion {
    const { bucket, request } = call;
    return {
      request,
      action,
      resource,
      resourceAccountId: bucket.accountId,
      context: {
        ...requestConditions(call.operation, request.input),
        "s3:ResourceAccount": bucket.accountId,
        "aws:ResourceAccount": bucket.accountId,
        ...conditions,
      },
      resourcePolicy: this.policyFor(bucket, request),
    };
  }

  /** A public policy under RestrictPublicBuckets counts for nobody but the owner's account and AWS services. */
  private policyFor(bucket: Bucket, request: OperationRequest): NamedPolicy | undefined {
    const document = this.state.effectivePolicy(bucket.name);
    if (document === undefined) return undefined;
    const { kind, accountId } = request.caller.principal;
    const outsider = kind !== "service" && accountId !== bucket.accountId;
    if (outsider && bucket.publicAccessBlock?.RestrictPublicBuckets === true && isPublicPolicy(document)) return undefined;
    return { name: `bucket policy of ${bucket.name}`, document };
  }
}

/** Acting on a version is a right of its own. */
function versioned(action: string, input: Readonly<Record<string, unknown>>): string {
  if (text(input["VersionId"]) === "") return action;
  return action.replace(/^s3:(Get|Delete|Put)Object(?=$|Tagging$)/, "s3:$1ObjectVersion");
}

/**
 * S3 explains a refusal only to callers of the bucket's own account.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
 */
export function denied(question: AccessQuestion, because: string): AwsError {
  const { principal } = question.request.caller;
  if (principal.kind === "anonymous" || principal.accountId !== question.resourceAccountId) return s3Error("AccessDenied");
  const message = `User: ${principal.arn} is not authorized to perform: ${question.action} on resource: "${question.resource}" ${because}`;
  return s3Error("AccessDenied", {}, message);
}

function redirect(bucket: Bucket): AwsError {
  const Endpoint = `${bucket.name}.s3.${bucket.region}.${dnsSuffix(bucket.region)}`;
  return s3Error("PermanentRedirect", { Endpoint, Bucket: bucket.name });
}

/** A member that is a string, or the empty string. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
