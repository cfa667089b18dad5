/** Lambda's REST protocol: method and path to an operation, and back. https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html */
import { randomUUID } from "node:crypto";
import type { WireRequest, WireResponse } from "../types.js";
import { AwsError } from "./types.js";

interface Route {
  method: string;
  path: RegExp;
  operation: string;
  /** Of the answer, where it is not the output's `StatusCode`. */
  status: number;
}

const FUNCTIONS = "/2015-03-31/functions";
const route = (method: string, path: string, operation: string, status: number): Route => ({ method, path: new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}/?$`), operation, status });

const ROUTES: readonly Route[] = [
  route("GET", FUNCTIONS, "ListFunctions", 200),
  route("POST", FUNCTIONS, "CreateFunction", 201),
  route("GET", `${FUNCTIONS}/{FunctionName}`, "GetFunction", 200),
  route("DELETE", `${FUNCTIONS}/{FunctionName}`, "DeleteFunction", 204),
  route("GET", `${FUNCTIONS}/{FunctionName}/configuration`, "GetFunctionConfiguration", 200),
  route("PUT", `${FUNCTIONS}/{FunctionName}/configuration`, "UpdateFunctionConfiguration", 200),
  route("PUT", `${FUNCTIONS}/{FunctionName}/code`, "UpdateFunctionCode", 200),
  route("GET", `${FUNCTIONS}/{FunctionName}/policy`, "GetPolicy", 200),
  route("POST", `${FUNCTIONS}/{FunctionName}/policy`, "AddPermission", 201),
  route("DELETE", `${FUNCTIONS}/{FunctionName}/policy/{StatementId}`, "RemovePermission", 204),
  route("POST", `${FUNCTIONS}/{FunctionName}/invocations`, "Invoke", 200),
  route("GET", "/2021-10-31/functions/{FunctionName}/url", "GetFunctionUrlConfig", 200),
  route("POST", "/2021-10-31/functions/{FunctionName}/url", "CreateFunctionUrlConfig", 201),
  route("PUT", "/2021-10-31/functions/{FunctionName}/url", "UpdateFunctionUrlConfig", 200),
  route("DELETE", "/2021-10-31/functions/{FunctionName}/url", "DeleteFunctionUrlConfig", 204),
  route("GET", "/2017-03-31/tags/{Resource}", "ListTags", 200),
  route("POST", "/2017-03-31/tags/{Resource}", "TagResource", 204),
  route("DELETE", "/2017-03-31/tags/{Resource}", "UntagResource", 204),
];

/** Members of `Invoke` that travel in headers. */
const HEADERS: Readonly<Record<string, string>> = { "x-amz-invocation-type": "InvocationType", "x-amz-log-type": "LogType", "x-amz-client-context": "ClientContext" };

export interface RestCall {
  operation: string;
  input: Record<string, unknown>;
  status: number;
}

/** Throws UnknownOperationException and SerializationException. */
export function readRest(request: WireRequest): RestCall {
  const path = request.rawTarget.split("?")[0] ?? "";
  for (const { method, path: pattern, operation, status } of ROUTES) {
    const match = method === request.method ? pattern.exec(path) : null;
    if (!match) continue;
    const inPath = Object.fromEntries(Object.entries(match.groups ?? {}).map(([name, value]) => [name, decoded(value)]));
    return { operation, status, input: { ...bodyOf(request, operation), ...queryOf(request), ...inPath } };
  }
  throw new AwsError("UnknownOperationException", 404, `Lambda has no operation at ${request.method} ${path}`);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function bodyOf(request: WireRequest, operation: string): Record<string, unknown> {
  if (operation === "Invoke") {
    const inHeaders = Object.entries(HEADERS).flatMap(([header, member]) => (request.headers[header] === undefined ? [] : [[member, request.headers[header]]]));
    return { Payload: request.body, ...(Object.fromEntries(inHeaders) as Record<string, unknown>) };
  }
  if (request.body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(request.body.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // As below: the client sent something else.
  }
  throw new AwsError("SerializationException", 400, "The request body is no JSON object.");
}

function queryOf({ url }: WireRequest): Record<string, unknown> {
  const query = Object.fromEntries([...url.searchParams].filter(([name]) => /^[A-Z][A-Za-z]+$/.test(name)));
  const tagKeys = url.searchParams.getAll("tagKeys");
  return tagKeys.length === 0 ? query : { ...query, TagKeys: tagKeys };
}

export function renderRest({ operation, status }: RestCall, output: Record<string, unknown>): WireResponse {
  const headers = { "content-type": "application/json", "x-amzn-requestid": randomUUID() };
  if (operation !== "Invoke") return { status, headers, body: status === 204 ? "" : JSON.stringify(output) };
  const { StatusCode, FunctionError, ExecutedVersion, Payload } = output as { StatusCode: number; FunctionError?: string; ExecutedVersion?: string; Payload?: string };
  return {
    status: StatusCode,
    headers: {
      ...headers,
      ...(FunctionError !== undefined && { "x-amz-function-error": FunctionError }),
      ...(ExecutedVersion !== undefined && { "x-amz-executed-version": ExecutedVersion }),
    },
    body: Payload ?? "",
  };
}
