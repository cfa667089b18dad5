/**
 * S3 and KMS without sockets, signatures or IAM: AWS's own clients hand their requests straight to the services, as a
 * caller whose policies the test sets.
 */
import { Readable } from "node:stream";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { createKms } from "../../../sandbox/aws/kms";
import { type S3, createS3 } from "../../../sandbox/aws/s3";
import type { AccessQuestion, Authoriser, AwsServiceContext } from "../../../sandbox/aws/service";
import { type AwsCaller, AwsError } from "../../../sandbox/aws/types";
import { SandboxClock } from "../../../sandbox/clock";
import { MemoryStore } from "../../../sandbox/store";
import type { FaultError, SandboxCore, WireRequest, WireResponse } from "../../../sandbox/types";
import { accessDeniedMessage, authorize } from "../../../trust/aws/authorize";
import type { NamedPolicy } from "../../../trust/aws/types";

export const OWNER = "111122223333";
export const STRANGER = "444455556666";

export interface Identity {
  caller: AwsCaller;
  policies: NamedPolicy[];
}

export function allow(action: string | string[], resource: string | string[] = "*", condition?: object): object {
  return { Effect: "Allow", Action: action, Resource: resource, ...(condition === undefined ? {} : { Condition: condition }) };
}

export function policy(...statements: object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

/** A session of a role with these statements; the role's unique id follows from its name and `generation`. */
export function roleSession(name: string, statements: object[], accountId = OWNER, generation = "A"): Identity {
  const roleArn = `arn:aws:iam::${accountId}:role/${name}`;
  return {
    caller: {
      principal: {
        kind: "role-session",
        arn: `arn:aws:sts::${accountId}:assumed-role/${name}/session`,
        accountId,
        roleArn,
        uniqueId: `AROA${name.toUpperCase().replaceAll(/[^A-Z]/g, "").padEnd(16, "X")}${generation}`,
        sessionName: "session",
      },
    },
    policies: statements.length === 0 ? [] : [{ name: "inline", document: policy(...statements) }],
  };
}

export const anonymous: Identity = { caller: { principal: { kind: "anonymous", arn: "", accountId: "" } }, policies: [] };

export class Harness {
  readonly clock = new SandboxClock();
  readonly settings = { latencyMs: 0, propagationDelaySeconds: 0 };
  readonly store = new MemoryStore(this.clock, this.settings);
  /** ARN to unique id, of the roles that exist. */
  readonly roles = new Map<string, string>();
  readonly entered: string[] = [];
  /** What the administrator ordered for the next operations. */
  fault: FaultError | undefined;
  private readonly identities = new Map<AwsCaller, Identity>();
  private readonly context: AwsServiceContext;
  readonly s3Service: S3;
  readonly kmsService;

  constructor() {
    const core: SandboxCore = {
      clock: this.clock,
      store: this.store,
      settings: this.settings,
      enter: (operation) => {
        this.entered.push(operation);
        return this.fault === undefined ? Promise.resolve() : Promise.reject(this.fault);
      },
      fetchPublic: () => Promise.resolve({ status: "unreachable", detail: "not here" }),
    };
    this.context = {
      core,
      authoriser: this.authoriser(),
      defaultAccountId: OWNER,
      principalId: (arn) => this.roles.get(arn),
      principalArn: (id) => [...this.roles].find(([, each]) => each === id)?.[0],
    };
    this.s3Service = createS3(this.context);
    this.kmsService = createKms(this.context);
  }

  private authoriser(): Authoriser {
    const ask = ({ request, action, resource, resourceAccountId, context, resourcePolicy, resourcePolicyDecides }: AccessQuestion) => {
      const question = { principal: request.caller.principal, action, resource, resourceAccountId, context: { ...request.context, ...context } };
      const identity = this.identities.get(request.caller)?.policies ?? [];
      return { question, answer: authorize(question, { identity, resource: resourcePolicy, resourcePolicyDecides: resourcePolicyDecides ?? false }) };
    };
    return {
      decide: (question) => ask(question).answer,
      require: (question) => {
        const { answer, question: asked } = ask(question);
        if (!answer.allowed) throw new AwsError("AccessDenied", 403, accessDeniedMessage(asked, answer));
      },
    };
  }

  /** Makes the role known under its unique id, as IAM would. */
  live(identity: Identity): Identity {
    const { roleArn, uniqueId } = identity.caller.principal;
    if (roleArn !== undefined && uniqueId !== undefined) this.roles.set(roleArn, uniqueId);
    return identity;
  }

  /** AWS's client, as this identity. `endpoint` is for clients that are pointed at the sandbox by a variable. */
  s3(identity: Identity, config: S3ClientConfig = {}): S3Client {
    this.identities.set(identity.caller, identity);
    const region = typeof config.region === "string" ? config.region : "eu-west-1";
    return new S3Client({
      credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "not-checked-here" },
      maxAttempts: 1,
      ...config,
      region,
      requestHandler: {
        handle: async (request: SdkRequest) => {
          const { caller } = identity;
          return { response: sdkResponse(await this.s3Service.handleWire(wireRequest(request), { caller, region, context: {} })) };
        },
      },
    });
  }

  kms(identity: Identity, region = "eu-west-1"): KMSClient {
    this.identities.set(identity.caller, identity);
    return new KMSClient({
      region,
      credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "not-checked-here" },
      maxAttempts: 1,
      requestHandler: { handle: async (request: SdkRequest) => ({ response: sdkResponse(await this.answerKms(wireRequest(request), identity, region)) }) },
    });
  }

  /** The JSON protocol, as far as a test needs it. */
  private async answerKms(request: WireRequest, identity: Identity, region: string): Promise<WireResponse> {
    const name = request.headers["x-amz-target"]?.split(".")[1] ?? "";
    const input = JSON.parse(request.body.toString("utf8")) as Record<string, unknown>;
    try {
      const output = await this.kmsService.operations[name]?.({ caller: identity.caller, region, input, context: {} });
      return { status: 200, body: JSON.stringify(output, jsonValue) };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return { status: error.status, body: JSON.stringify({ __type: error.code, message: error.message }) };
    }
  }
}

function jsonValue(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  if (original instanceof Date) return original.getTime() / 1000;
  return original instanceof Uint8Array ? Buffer.from(original).toString("base64") : value;
}

/** What the clients hand to a request handler. */
interface SdkRequest {
  method: string;
  protocol: string;
  hostname: string;
  path: string;
  query?: Record<string, string | string[] | null>;
  headers: Record<string, string>;
  body?: unknown;
}

function wireRequest(request: SdkRequest): WireRequest {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {}))
    for (const each of Array.isArray(value) ? value : [value ?? ""]) query.append(name, each);
  const rawTarget = request.path + (query.size === 0 ? "" : `?${query.toString()}`);
  return {
    method: request.method,
    url: new URL(`${request.protocol}//${request.hostname}${rawTarget}`),
    rawTarget,
    host: request.hostname,
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: bytesOf(request.body),
    secure: request.protocol === "https:",
  };
}

function bytesOf(body: unknown): Buffer {
  if (typeof body === "string") return Buffer.from(body);
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : Buffer.alloc(0);
}

function sdkResponse(response: WireResponse) {
  return { statusCode: response.status, headers: response.headers ?? {}, body: Readable.from([Buffer.from(response.body ?? "")]) };
}

/** Code, status and message with which a call was refused. */
export async function refusal(call: Promise<unknown>): Promise<{ code: string; status: number; message: string }> {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { code: name, status: $metadata?.httpStatusCode ?? 0, message };
  }
  throw new Error("The call was not refused");
}
