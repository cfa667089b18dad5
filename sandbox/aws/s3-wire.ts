/** S3's REST protocol: which bucket and operation a request means, its members, and answers and errors as S3 sends them. */
import { randomBytes } from "node:crypto";
import type { WireRequest, WireResponse } from "../types.js";
import { s3Error } from "./s3-errors.js";
import { type Member, type OperationModel, S3_OPERATIONS, type Shape } from "./s3-model.js";
import { parseXml, readScalar, renderError, renderText, renderXml, writeScalar } from "./s3-xml.js";
import type { AwsError } from "./types.js";

/**
 * `[<bucket>.]s3[-fips][.dualstack][.<region>].<suffix>`; the dash before the region is the older form.
 * https://docs.aws.amazon.com/general/latest/gr/s3.html
 */
const S3_HOST =
  /^(?:(?<bucket>.+?)\.)?s3(?:-fips)?(?:\.dualstack)?(?:[.-](?<region>[a-z]{2,}(?:-[a-z]+)+-\d+))?\.amazonaws\.com(?:\.cn)?$/;

export interface S3Address {
  bucket?: string;
  key?: string;
  /** Region in the host name; absent for the global endpoint and for endpoints given by a variable. */
  region?: string;
  /** `direct`: an endpoint variable points at the listener itself. */
  style: "virtual-hosted" | "path" | "direct";
}

/** True for every host name that S3 answers for in any partition. */
export function isS3Host(host: string): boolean {
  return S3_HOST.test(host);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw s3Error("InvalidArgument", { Resource: segment }, "The specified URI couldn't be parsed");
  }
}

/** Bucket and key that a request addresses. Keys are taken from the target as sent: dots and double slashes belong to them. */
export function addressOf(request: Pick<WireRequest, "host" | "rawTarget">): S3Address {
  const path = (request.rawTarget.split("?")[0] ?? "").replace(/^https?:\/\/[^/]*/i, "").replace(/^\//, "");
  const host = S3_HOST.exec(request.host)?.groups;
  const region = host?.["region"] === undefined ? {} : { region: host["region"] };
  const virtual = host?.["bucket"];
  if (virtual !== undefined)
    return { bucket: virtual, ...(path === "" ? {} : { key: decode(path) }), ...region, style: "virtual-hosted" };
  const slash = path.indexOf("/");
  const bucket = decode(slash < 0 ? path : path.slice(0, slash));
  const key = slash < 0 ? "" : path.slice(slash + 1);
  return {
    ...(bucket === "" ? {} : { bucket }),
    ...(key === "" ? {} : { key: decode(key) }),
    ...region,
    style: host === undefined ? "direct" : "path",
  };
}

function levelOf(address: S3Address): OperationModel["level"] {
  if (address.key !== undefined) return "object";
  return address.bucket === undefined ? "service" : "bucket";
}

/** How well a request fits an operation: its fixed and required parameters, or -1 when one is missing. */
function fit(model: OperationModel, query: URLSearchParams, headers: Readonly<Record<string, string>>): number {
  const literals = model.literals.every(([name, value]) => query.has(name) && (value === "" || query.get(name) === value));
  if (!literals) return -1;
  let score = model.literals.length;
  for (const each of model.input.members) {
    if (!each.required || (each.location !== "query" && each.location !== "header")) continue;
    const given = each.location === "query" ? query.has(each.wireName) : headers[each.wireName] !== undefined;
    if (!given) return -1;
    score += 1;
  }
  return score;
}

/** The operation that the request's method, path and parameters mean. Throws MethodNotAllowed. */
export function operationOf(request: WireRequest, address: S3Address): OperationModel {
  const level = levelOf(address);
  let best: { model: OperationModel; score: number } | undefined;
  for (const model of S3_OPERATIONS.values()) {
    if (model.method !== request.method || model.level !== level) continue;
    const score = fit(model, request.url.searchParams, request.headers);
    if (score >= 0 && (best === undefined || score > best.score)) best = { model, score };
  }
  if (best === undefined)
    throw s3Error("MethodNotAllowed", { Method: request.method, ResourceType: level.toUpperCase() });
  return best.model;
}

function scalar(member: Member, value: string): unknown {
  const shape = member.shape();
  const refuse = () => s3Error("InvalidArgument", { ArgumentName: member.wireName, ArgumentValue: value });
  if (shape.kind === "list") return value.split(",").map((each) => each.trim());
  if (shape.kind === "structure" || shape.kind === "map") throw refuse();
  return readScalar(shape.kind, value, refuse);
}

function payload(member: Member, body: Buffer): unknown {
  const shape = member.shape();
  if (shape.kind === "structure") {
    const text = body.toString("utf8");
    if (text.trim() !== "") return parseXml(text, shape, member.wireName === "" ? shape.xmlName : member.wireName);
    if (member.required) throw s3Error("MalformedXML");
    return undefined;
  }
  return shape.kind === "string" ? body.toString("utf8") : body;
}

function prefixed(headers: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

function readMember(member: Member, request: WireRequest, address: S3Address): unknown {
  switch (member.location) {
    case "label":
      return member.name === "Bucket" ? address.bucket : address.key;
    case "header": {
      const value = request.headers[member.wireName];
      return value === undefined ? undefined : scalar(member, value);
    }
    case "prefix-headers":
      return prefixed(request.headers, member.wireName);
    case "query": {
      const value = request.url.searchParams.get(member.wireName);
      return value === null ? undefined : scalar(member, value);
    }
    case "payload":
      return payload(member, request.body);
    case "body":
      return undefined;
  }
}

/** The members of the operation's input. Throws InvalidArgument and MalformedXML. */
export function readInput(model: OperationModel, request: WireRequest, address: S3Address): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const member of model.input.members) {
    const value = readMember(member, request, address);
    if (value !== undefined) input[member.name] = value;
  }
  return input;
}

/** The two ids of every answer, by which AWS support finds it. */
export interface AnswerIds {
  requestId: string;
  hostId: string;
}

export function answerIds(): AnswerIds {
  return { requestId: randomBytes(8).toString("hex").toUpperCase(), hostId: randomBytes(56).toString("base64") };
}

function idHeaders(ids: AnswerIds): Record<string, string> {
  return { "x-amz-request-id": ids.requestId, "x-amz-id-2": ids.hostId, server: "AmazonS3" };
}

function outputHeaders(members: readonly Member[], output: Record<string, unknown>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const member of members) {
    const value = output[member.name];
    if (value === undefined) continue;
    const shape = member.shape();
    if (member.location === "prefix-headers") {
      for (const [name, text] of Object.entries(value as Record<string, string>)) headers[member.wireName + name] = text;
    } else if (member.location === "header" && shape.kind !== "structure" && shape.kind !== "list" && shape.kind !== "map") {
      headers[member.wireName] = writeScalar(shape.kind, value, "header");
    }
  }
  return headers;
}

function structureBody(shape: Shape, member: Member, value: unknown): string {
  if (shape.kind !== "structure") return String(value);
  const root = member.wireName === "" ? shape.xmlName : member.wireName;
  return renderXml(root, shape.members, value as Record<string, unknown>);
}

function locationOf(output: Record<string, unknown>): string {
  const location = output["LocationConstraint"];
  return typeof location === "string" ? location : "";
}

function outputBody(model: OperationModel, output: Record<string, unknown>): { body?: string | Buffer; xml: boolean } {
  if (model.output === undefined) return { xml: false };
  // The one document whose root is the value itself.
  if (model.name === "GetBucketLocation")
    return { body: renderText(model.output.xmlName, locationOf(output)), xml: true };
  const carried = model.output.members.find((each) => each.location === "payload");
  if (carried !== undefined) {
    const value = output[carried.name];
    if (value === undefined) return { xml: false };
    const shape = carried.shape();
    return Buffer.isBuffer(value)
      ? { body: value, xml: false }
      : { body: structureBody(shape, carried, value), xml: shape.kind === "structure" };
  }
  const members = model.output.members.filter((each) => each.location === "body");
  return members.length === 0 ? { xml: false } : { body: renderXml(model.output.xmlName, members, output), xml: true };
}

/** An operation's output as S3's answer. A `ContentRange` makes it 206. */
export function renderOutput(model: OperationModel, output: Record<string, unknown>, ids: AnswerIds): WireResponse {
  const { body, xml } = outputBody(model, output);
  return {
    status: output["ContentRange"] === undefined ? model.status : 206,
    headers: {
      ...idHeaders(ids),
      ...(xml ? { "content-type": "application/xml" } : {}),
      ...(model.output === undefined ? {} : outputHeaders(model.output.members, output)),
    },
    ...(body === undefined ? {} : { body }),
  };
}

/** A refusal as S3's answer; answers to HEAD have no body. */
export function renderFailure(method: string, error: AwsError, ids: AnswerIds, headers: Readonly<Record<string, string>>): WireResponse {
  const bodiless = method === "HEAD" || error.status === 304;
  return {
    status: error.status,
    headers: { ...idHeaders(ids), "content-type": "application/xml", ...headers },
    ...(bodiless
      ? {}
      : {
          body: renderError({
            Code: error.code,
            Message: error.message,
            ...error.extra,
            RequestId: ids.requestId,
            HostId: ids.hostId,
          }),
        }),
  };
}
