/** Amazon S3 in the sandbox: general purpose buckets over the REST protocol, every request authorised. */
import { FaultError, type WireRequest, type WireResponse } from "../types.js";
import { KmsKeys } from "./kms-keys.js";
import { S3Access, type S3Handler } from "./s3-access.js";
import { bucketOperations } from "./s3-buckets.js";
import { mayRepairPolicy, settingsOperations } from "./s3-bucket-settings.js";
import { S3Encryption } from "./s3-encryption.js";
import { s3Error } from "./s3-errors.js";
import { listingOperations } from "./s3-listing.js";
import { multipartOperations } from "./s3-multipart.js";
import { objectOperations } from "./s3-objects.js";
import { S3State } from "./s3-state.js";
import { type S3Address, addressOf, answerIds, operationOf, readInput, renderFailure, renderOutput } from "./s3-wire.js";
import type { AwsService, AwsServiceContext, Operation, OperationRequest } from "./service.js";
import { type AwsCaller, AwsError } from "./types.js";

/** What the signature of a request proved. */
export interface AuthenticatedRequest {
  caller: AwsCaller;
  /** Of the signature's scope; for unsigned requests, the caller's best guess. */
  region: string;
  /** Condition keys that the transport gives. */
  context: Record<string, string | string[]>;
}

export interface S3 {
  service: AwsService;
  handleWire(request: WireRequest, authenticated: AuthenticatedRequest): Promise<WireResponse>;
}

/** Authorises the keys that it is given one by one. */
const AUTHORISES_ITSELF = new Set(["DeleteObjects"]);

/**
 * Condition keys of S3 that tell how the request came. A request by an endpoint variable reaches the sandbox over plain
 * HTTP on loopback and stands for one to the real service, which the same client would have sent over TLS: so it counts
 * as secure, or every bucket that refuses plain HTTP would be closed to it.
 */
function transportConditions(request: WireRequest, address: S3Address): Record<string, string> {
  const secure = request.secure || address.style === "direct";
  const presigned = request.url.searchParams.has("X-Amz-Signature");
  const signed = presigned || request.headers["authorization"] !== undefined;
  return {
    "aws:SecureTransport": String(secure),
    ...(secure ? { "s3:TlsVersion": "1.3" } : {}),
    ...(signed ? { "s3:signatureversion": "AWS4-HMAC-SHA256", "s3:authType": presigned ? "REST-QUERY-STRING" : "REST-HEADER" } : {}),
  };
}

export function createS3(context: AwsServiceContext): S3 {
  const { clock, store } = context.core;
  const state = new S3State(store);
  const access = new S3Access(context, state);
  const encryption = new S3Encryption(new KmsKeys(context));
  const buckets = bucketOperations(context, state);
  const objects = objectOperations(state, clock, access, encryption);
  const multipart = multipartOperations({ state, clock, access, encryption, copySource: objects.copySource });
  const handlers: Record<string, S3Handler> = {
    ...buckets.bucket,
    ...settingsOperations(context, state),
    ...listingOperations(state),
    ...objects.bucket,
    ...objects.object,
    ...multipart.bucket,
    ...multipart.object,
  };

  function guarded(name: string, handler: S3Handler): Operation {
    return async (request) => {
      const call = access.open(request, name);
      if (!AUTHORISES_ITSELF.has(name) && !mayRepairPolicy(call)) access.authorise(call);
      return { ...(await handler({ ...call, input: call.input as never })) };
    };
  }

  const operations: Record<string, Operation> = {
    ...buckets.service,
    ...Object.fromEntries(Object.entries(handlers).map(([name, handler]) => [name, guarded(name, handler)])),
  };

  async function answer(name: string, request: OperationRequest): Promise<Record<string, unknown>> {
    await context.core.enter(`s3:${name}`);
    const operation = operations[name];
    if (operation === undefined) throw s3Error("NotImplemented", { Operation: name }, `The sandbox does not implement s3:${name}`);
    return operation(request);
  }

  function bucketRegion(address: S3Address): string | undefined {
    return address.bucket === undefined ? undefined : state.bucket(address.bucket)?.region;
  }

  /** Where a request arrived: an unsigned one, or one to the bucket's global host name, is led to the bucket's region. */
  function regionAsked(address: S3Address, { caller, region }: AuthenticatedRequest): string {
    if (caller.principal.kind !== "anonymous") return region;
    return address.region ?? bucketRegion(address) ?? region;
  }

  /** The region of an existing bucket, which S3 tells those who ask at the wrong place. */
  function regionHeader(address: S3Address): Record<string, string> {
    const region = bucketRegion(address);
    return region === undefined ? {} : { "x-amz-bucket-region": region };
  }

  /**
   * A request that reached the bucket's own region under a signature for another one has a wrong signature; elsewhere the
   * request itself is at the wrong place.
   */
  function misplaced(error: AwsError, address: S3Address, signedRegion: string): AwsError {
    if (error.code !== "PermanentRedirect" || address.style === "direct") return error;
    const region = bucketRegion(address);
    // The global host name of a bucket leads to the bucket's region.
    const arrived = address.region ?? (address.style === "virtual-hosted" ? region : signedRegion);
    if (region === undefined || arrived !== region) return error;
    const text = `The authorization header is malformed; the region '${signedRegion}' is wrong; expecting '${region}'`;
    return s3Error("AuthorizationHeaderMalformed", { Region: region }, text);
  }

  async function handleWire(request: WireRequest, authenticated: AuthenticatedRequest): Promise<WireResponse> {
    const ids = answerIds();
    let address: S3Address = { style: "direct" };
    try {
      address = addressOf(request);
      const model = operationOf(request, address);
      const output = await answer(model.name, {
        caller: authenticated.caller,
        region: regionAsked(address, authenticated),
        input: readInput(model, request, address),
        context: { ...authenticated.context, ...transportConditions(request, address) },
      });
      return renderOutput(model, output, ids);
    } catch (error) {
      const failure = asAwsError(error);
      const located = failure.status === 301 || failure.status === 400 || request.method === "HEAD";
      return renderFailure(request.method, misplaced(failure, address, authenticated.region), ids, located ? regionHeader(address) : {});
    }
  }

  return { service: { name: "s3", operations }, handleWire };
}

function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  if (error instanceof FaultError) return new AwsError(error.fault.code, error.fault.status, error.fault.message);
  const detail = error instanceof Error ? error.message : String(error);
  return new AwsError("InternalError", 500, `The sandbox failed at this request: ${detail}`);
}

export { addressOf, isS3Host } from "./s3-wire.js";
