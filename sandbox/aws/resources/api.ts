/** Calls of the sandbox's AWS services on behalf of a Pulumi provider, and errors in its words. */
import { randomUUID } from "node:crypto";

import { partitionOfRegion } from "../../../facts/aws/partitions.js";
import { FaultError } from "../../types.js";
import { AwsError, type AwsCloud, type AwsScope } from "../types.js";

type Service = Parameters<AwsCloud["call"]>[1];
export type Members = Record<string, unknown>;

/**
 * Codes that the provider's SDK knows as types and shows by their names alone; all others it shows as `api error CODE`.
 * https://pkg.go.dev/github.com/aws/aws-sdk-go-v2/service/iam/types, and the same of each other service
 */
const typedErrors: Readonly<Record<Service, RegExp>> = {
  codebuild: /^(AccountLimitExceeded|InvalidInput|OAuthProvider|ResourceAlreadyExists|ResourceNotFound)Exception$/,
  ecr: /^(EmptyUpload|Image\w+|Invalid\w+|Kms|Layer\w+|Lifecycle\w+|LimitExceeded|Referenced\w+|Repository\w+|Server|TooManyTags|UploadNotFound|Validation)Exception$/,
  lambda: /^(CodeStorageExceeded|InvalidParameterValue|InvalidRequestContent|PolicyLengthExceeded|PreconditionFailed|Resource(Conflict|InUse|NotFound|NotReady)|Service|TooManyRequests|UnsupportedMediaType)Exception$/,
  logs: /^(DataAlreadyAccepted|InvalidParameter|InvalidSequenceToken|LimitExceeded|OperationAborted|Resource(AlreadyExists|NotFound)|ServiceUnavailable|TooManyTags|UnrecognizedClient|Validation)Exception$/,
  iam: /^(ConcurrentModification|DeleteConflict|EntityAlreadyExists|EntityTemporarilyUnmodifiable|InvalidInput|LimitExceeded|MalformedPolicyDocument|NoSuchEntity|PolicyNotAttachable|UnmodifiableEntity)$/,
  s3: /^(BucketAlreadyExists|BucketAlreadyOwnedByYou|NoSuchBucket|NoSuchKey|NoSuchUpload|NotFound)$/,
  kms: /^(AlreadyExists|DependencyTimeout|Disabled|InvalidAliasName|InvalidArn|KMSInternal|KMSInvalidState|LimitExceeded|MalformedPolicyDocument|NotFound|Tag|UnsupportedOperation)Exception$/,
  sts: /^(ExpiredToken|IDPCommunicationError|InvalidIdentityToken|MalformedPolicyDocument|RegionDisabled)Exception$/,
};
const serviceNames: Readonly<Record<Service, string>> = {
  codebuild: "CodeBuild",
  ecr: "ECR",
  iam: "IAM",
  kms: "KMS",
  lambda: "Lambda",
  logs: "CloudWatch Logs",
  s3: "S3",
  sts: "STS",
};

/** A failed call, as the provider prints it. */
export class CallError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "CallError";
  }
}

/** The services as one provider instance sees them: in its account, by default in its region. */
export class Api {
  constructor(
    private readonly cloud: AwsCloud,
    readonly scope: AwsScope,
  ) {}

  get partition(): string {
    return partitionOfRegion(this.scope.region)?.name ?? "aws";
  }

  get dnsSuffix(): string {
    return partitionOfRegion(this.scope.region)?.dnsSuffix ?? "amazonaws.com";
  }

  /** How long a provider has to wait until what it made is seen. */
  get propagationDelaySeconds(): number {
    return this.cloud.propagationDelaySeconds;
  }

  /** Throws {@link CallError}. */
  async call(service: Service, operation: string, input: Members, region = this.scope.region): Promise<Members> {
    const { caller } = this.cloud.administrator(this.scope.accountId);
    try {
      return await this.cloud.call(caller, service, operation, input, region);
    } catch (error) {
      throw callError(service, operation, error);
    }
  }

  /** As `call`, but undefined when the service says one of these codes. */
  async find(service: Service, operation: string, input: Members, absent: readonly string[], region?: string): Promise<Members | undefined> {
    return unless(absent, this.call(service, operation, input, region));
  }
}

/** The answer, or undefined where the service said that there is no such thing. */
export async function unless<T>(absent: readonly string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CallError && absent.includes(error.code)) return undefined;
    throw error;
  }
}

/** Puts what was being done before the error: `creating IAM Role (x): operation error …`. */
export async function during<T>(doing: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    throw new CallError(error.code, `${doing}: ${error.message}`);
  }
}

function callError(service: Service, operation: string, error: unknown): unknown {
  const refusal = error instanceof FaultError ? new AwsError(error.fault.code, error.fault.status, error.fault.message) : error;
  if (!(refusal instanceof AwsError)) return error;
  const { code, status, message } = refusal;
  const hostId = service === "s3" ? ` HostID: ${randomUUID().replaceAll("-", "")},` : "";
  const shown = typedErrors[service].test(code) ? code : `api error ${code}`;
  const request = `https response error StatusCode: ${status}, RequestID: ${randomUUID()},${hostId}`;
  return new CallError(code, `operation error ${serviceNames[service]}: ${operation}, ${request} ${shown}: ${message}`);
}
