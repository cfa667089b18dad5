/**
 * The JSON 1.1 protocol: service and operation in a header, JSON in and out.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
import type { WireRequest, WireResponse } from "../types.js";
import { AwsError, type AwsServiceName } from "./types.js";

/** By what each service begins the target header, and its name in sentences. */
export const JSON_SERVICES = {
  codebuild: { target: "CodeBuild_20161006", title: "CodeBuild" },
  ecr: { target: "AmazonEC2ContainerRegistry_V20150921", title: "ECR" },
  kms: { target: "TrentService", title: "KMS" },
  logs: { target: "Logs_20140328", title: "CloudWatch Logs" },
} as const satisfies Partial<Record<AwsServiceName, { target: string; title: string }>>;

export type JsonService = keyof typeof JSON_SERVICES;

/** The service that the target header names; undefined for none that the sandbox plays. */
export function jsonService(request: WireRequest): JsonService | undefined {
  const target = request.headers["x-amz-target"]?.split(".")[0];
  return (Object.keys(JSON_SERVICES) as JsonService[]).find((service) => JSON_SERVICES[service].target === target);
}

/** The operation that the target header names, without the service's prefix; undefined when there is none. */
export function jsonOperation(request: WireRequest): string | undefined {
  return request.headers["x-amz-target"]?.split(".").at(-1);
}

/** Throws SerializationException. */
export function readJson(request: WireRequest): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(request.body.toString("utf8") || "{}");
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // As below: the client sent something else.
  }
  throw new AwsError("SerializationException", 400, "The request body is no JSON object.");
}

/** Times are seconds since 1970, bytes base64. */
function jsonValue(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  if (original instanceof Date) return original.getTime() / 1000;
  if (original instanceof Uint8Array) return Buffer.from(original).toString("base64");
  return value;
}

export function renderJson(output: Record<string, unknown>, requestId: string): WireResponse {
  return { status: 200, headers: headers(requestId), body: JSON.stringify(output, jsonValue) };
}

export function renderJsonError(error: AwsError, requestId: string): WireResponse {
  // What other protocols answer with 403 is a 400 here.
  const code = error.code === "AccessDenied" ? "AccessDeniedException" : error.code;
  return {
    status: error.status === 403 ? 400 : error.status,
    headers: { ...headers(requestId), "x-amzn-errortype": code },
    body: JSON.stringify({ ...error.extra, __type: code, message: error.message }),
  };
}

/** The same in the REST protocol, where the status is the error's own. https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html */
export function renderRestError(error: AwsError, requestId: string): WireResponse {
  const code = error.code === "AccessDenied" ? "AccessDeniedException" : error.code;
  return {
    status: error.status,
    headers: { "content-type": "application/json", "x-amzn-requestid": requestId, "x-amzn-errortype": code },
    body: JSON.stringify({ ...error.extra, Message: error.message }),
  };
}

function headers(requestId: string): Record<string, string> {
  return { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": requestId };
}
