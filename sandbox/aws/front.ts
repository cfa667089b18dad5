/** Where AWS's requests arrive: which service is meant, who calls, which protocol answers. */
import { randomUUID } from "node:crypto";
import { parseArn } from "../../trust/aws/arn.js";
import { FaultError, type WireRequest, type WireResponse, type WireService } from "../types.js";
import { authErrors } from "./auth-errors.js";
import { type AwsHost, isRegistryHost, parseAwsHost } from "./hosts.js";
import { JSON_SERVICES, type JsonService, jsonOperation, jsonService, readJson, renderJson, renderJsonError, renderRestError } from "./json-protocol.js";
import { QUERY_SERVICES, readQuery, renderQuery, renderQueryError } from "./query-protocol.js";
import { isFunctionUrlHost } from "./lambda-invoke.js";
import type { Lambda } from "./lambda.js";
import { answerIds, renderFailure } from "./s3-wire.js";
import type { S3 } from "./s3.js";
import type { AwsService, OperationRequest } from "./service.js";
import type { Authenticated, SignatureVerifier } from "./sigv4.js";
import { readSignature } from "./sigv4-form.js";
import { AwsError, type AwsCaller, type AwsServiceName } from "./types.js";

/** Runs an operation behind the gate of latency and faults. */
export type Invoke = (service: AwsService["name"], operation: string, request: OperationRequest) => Promise<Record<string, unknown>>;

export interface FrontParts {
  verifier: SignatureVerifier;
  invoke: Invoke;
  has(service: AwsService["name"], operation: string): boolean;
  /** The same principal as the partition of a region names it. */
  localise(caller: AwsCaller, region: string): AwsCaller;
  handleS3: S3["handleWire"];
  /** Lambda's REST API. */
  handleLambda: Lambda["handleWire"];
  /** The functions behind their URLs. */
  handleFunctionUrl: Lambda["handleFunctionUrl"];
  /** The registries of ECR, which have a protocol and credentials of their own. */
  handleRegistry(request: WireRequest): Promise<WireResponse>;
}

const ANONYMOUS: AwsCaller = { principal: { kind: "anonymous", arn: "", accountId: "" } };
const DEFAULT_REGION = "us-east-1";
/** Those whose signatures say which service is meant. */
const AWS_SERVICES: readonly AwsServiceName[] = ["codebuild", "ecr", "iam", "kms", "lambda", "logs", "s3", "sts"];
/** STS is asked for credentials by those who have none; a signature that comes along is not looked at. */
const UNSIGNED_OPERATIONS: readonly string[] = ["AssumeRoleWithWebIdentity"];

export class AwsFront implements WireService {
  constructor(private readonly parts: FrontParts) {}

  serves(host: string, direct: boolean): boolean {
    return direct || parseAwsHost(host) !== undefined;
  }

  handle(request: WireRequest): Promise<WireResponse> {
    const target = parseAwsHost(request.host) ?? meantByRequest(request);
    switch (target.service) {
      case "s3":
        return this.#s3(request, target);
      case "iam":
      case "sts":
        return this.#query(request, target, target.service);
      case "lambda":
        return this.#lambda(request, target);
      case "ecr":
        return isRegistryHost(request.host) ? this.parts.handleRegistry(request) : this.#json(request, target, "ecr");
      default:
        return this.#json(request, target, target.service);
    }
  }

  async #query(request: WireRequest, target: AwsHost, service: "iam" | "sts"): Promise<WireResponse> {
    const requestId = randomUUID();
    const protocol = QUERY_SERVICES[service];
    try {
      const { action, input } = readQuery(request);
      if (action === undefined) throw new AwsError("MissingAction", 400, "Missing Action");
      if (!this.parts.has(service, action)) throw new AwsError("InvalidAction", 400, `Could not find operation ${action} for version ${protocol.version}`);
      const unsigned = service === "sts" && UNSIGNED_OPERATIONS.includes(action);
      const from = unsigned ? { caller: ANONYMOUS, region: target.region ?? regionOfRole(input["RoleArn"]) } : this.#signedBy(request, target);
      const output = await this.parts.invoke(service, action, { ...from, input, context: transportConditions(request) });
      return renderQuery(protocol, action, output, requestId);
    } catch (error) {
      return renderQueryError(protocol, asAwsError(error), requestId);
    }
  }

  async #json(request: WireRequest, target: AwsHost, service: JsonService): Promise<WireResponse> {
    const requestId = randomUUID();
    try {
      const action = jsonOperation(request) ?? "";
      if (jsonService(request) !== service || !this.parts.has(service, action)) {
        throw new AwsError("UnknownOperationException", 400, `${JSON_SERVICES[service].title} has no operation ${JSON.stringify(action)}`);
      }
      const from = this.#signedBy(request, target);
      return renderJson(await this.parts.invoke(service, action, { ...from, input: readJson(request), context: transportConditions(request) }), requestId);
    } catch (error) {
      return renderJsonError(asAwsError(error), requestId);
    }
  }

  async #lambda(request: WireRequest, target: AwsHost): Promise<WireResponse> {
    const context = transportConditions(request);
    const signed = () => {
      const { caller = ANONYMOUS, region = target.region ?? DEFAULT_REGION, request: decoded = request } = this.parts.verifier.verify(request, target) ?? {};
      return { decoded, authenticated: { caller: this.parts.localise(caller, region), region, context } };
    };
    if (isFunctionUrlHost(request.host)) return this.parts.handleFunctionUrl(request, context, () => signed().authenticated.caller);
    try {
      const { decoded, authenticated } = signed();
      return await this.parts.handleLambda(decoded, authenticated);
    } catch (error) {
      return renderRestError(asAwsError(error), randomUUID());
    }
  }

  async #s3(request: WireRequest, target: AwsHost): Promise<WireResponse> {
    let authenticated: Authenticated | undefined;
    try {
      authenticated = this.parts.verifier.verify(request, target);
    } catch (error) {
      return renderFailure(request.method, asAwsError(error), answerIds(), {});
    }
    const context = transportConditions(request);
    if (!authenticated) return this.parts.handleS3(request, { caller: ANONYMOUS, region: target.region ?? DEFAULT_REGION, context });
    const { caller, region, presigned, ageMs } = authenticated;
    return this.parts.handleS3(authenticated.request, {
      caller: this.parts.localise(caller, region),
      region,
      context: { ...context, ...(presigned && { "s3:signatureAge": String(ageMs) }) },
    });
  }

  #signedBy(request: WireRequest, target: AwsHost): { caller: AwsCaller; region: string } {
    const authenticated = this.parts.verifier.verify(request, target);
    if (!authenticated) throw authErrors[target.service].missing();
    const { caller, region } = authenticated;
    return { caller: this.parts.localise(caller, region), region };
  }
}

/** Where neither host nor signature names a region, the role's partition says in which world the call is meant. */
function regionOfRole(roleArn: unknown): string {
  const partition = typeof roleArn === "string" ? parseArn(roleArn)?.partition : undefined;
  return partition === "aws-cn" ? "cn-north-1" : partition === "aws-us-gov" ? "us-gov-west-1" : DEFAULT_REGION;
}

/** At an endpoint that a variable gives, the host says nothing: the credential's scope does, or the form of an unsigned request. */
function meantByRequest(request: WireRequest): AwsHost {
  const scoped = scopedService(request);
  if (scoped !== undefined) return { service: scoped };
  if (request.headers["x-amz-target"] !== undefined) return { service: jsonService(request) ?? "kms" };
  const form = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true || request.url.searchParams.has("Action");
  return { service: form ? "sts" : "s3" };
}

function scopedService(request: WireRequest): AwsService["name"] | undefined {
  try {
    const service = readSignature(request)?.service;
    return AWS_SERVICES.find((known) => known === service);
  } catch {
    // Refused in the service's own words once it is known which one.
    return undefined;
  }
}

/**
 * What the transport tells of a call. One to an endpoint that a variable gives stands for the same client's call of the
 * real service, which is always in TLS.
 */
function transportConditions(request: WireRequest): Record<string, string> {
  const agent = request.headers["user-agent"];
  const direct = parseAwsHost(request.host) === undefined;
  return {
    "aws:SecureTransport": String(request.secure || direct),
    "aws:SourceIp": "127.0.0.1",
    ...(agent !== undefined && { "aws:UserAgent": agent }),
  };
}

function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  if (error instanceof FaultError) return new AwsError(error.fault.code, error.fault.status, error.fault.message);
  const detail = error instanceof Error ? error.message : String(error);
  return new AwsError("InternalFailure", 500, `The sandbox failed at this request: ${detail}`);
}
