/**
 * The query protocol of STS and IAM: form in, XML out.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
import type { WireRequest, WireResponse } from "../types.js";
import { uriEscape } from "./sigv4-form.js";
import type { AwsError } from "./types.js";

export interface QueryService {
  version: string;
  namespace: string;
}

export const QUERY_SERVICES: Readonly<Record<"iam" | "sts", QueryService>> = {
  iam: { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
  sts: { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
};

export interface QueryCall {
  action: string | undefined;
  input: Record<string, unknown>;
}

/** The operation and its members, from the body of a POST or the query of a GET. */
export function readQuery(request: WireRequest): QueryCall {
  // A POST may have them in its query string too, as the signed requests do that other clouds replay.
  const parameters = new URLSearchParams([...request.url.searchParams, ...(request.method === "POST" ? new URLSearchParams(request.body.toString("utf8")) : [])]);
  const action = parameters.get("Action") ?? undefined;
  const root: Tree = new Map();
  for (const [name, value] of parameters) if (!IGNORED.test(name)) insert(root, name.split("."), value);
  return { action, input: toValue(root) as Record<string, unknown> };
}

/** Members of the protocol, not of the operation. */
const IGNORED = /^(?:Action|Version|X-Amz-.*)$/;

type Tree = Map<string, Tree | string>;

function insert(tree: Tree, [head = "", ...rest]: string[], value: string): void {
  if (rest.length === 0) {
    tree.set(head, value);
    return;
  }
  const known = tree.get(head);
  const below: Tree = known instanceof Map ? known : new Map<string, Tree | string>();
  tree.set(head, below);
  insert(below, rest, value);
}

/** `Name.member.1` is the first element of a list. */
function toValue(tree: Tree): unknown {
  const members = tree.get("member");
  if (members instanceof Map && tree.size === 1)
    return [...members]
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, value]) => (typeof value === "string" ? value : toValue(value)));
  return Object.fromEntries([...tree].map(([name, value]) => [name, typeof value === "string" ? value : toValue(value)]));
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;" };

function escapeXml(text: string): string {
  return text.replace(/[&<>\r]/g, (character) => ENTITIES[character] ?? character);
}

/** Policy documents travel URL-encoded in IAM's answers. */
const DOCUMENT_MEMBERS: readonly string[] = ["AssumeRolePolicyDocument", "Document", "PolicyDocument"];

function element(name: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  return `<${name}>${content(name, value)}</${name}>`;
}

function content(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => element("member", item)).join("");
  if (value instanceof Map) return [...value].map(([key, item]) => `<entry>${element("key", key)}${element("value", item)}</entry>`).join("");
  if (typeof value === "object" && value !== null) return members(value);
  const text = String(value);
  return escapeXml(DOCUMENT_MEMBERS.includes(name) ? uriEscape(text) : text);
}

function members(value: object): string {
  return Object.entries(value)
    .map(([name, item]) => element(name, item))
    .join("");
}

export function renderQuery(service: QueryService, action: string, output: Record<string, unknown>, requestId: string): WireResponse {
  const body = `<${action}Response xmlns="${service.namespace}"><${action}Result>${members(output)}</${action}Result>${element("ResponseMetadata", { RequestId: requestId })}</${action}Response>`;
  return { status: 200, headers: headers(requestId), body };
}

export function renderQueryError(service: QueryService, error: AwsError, requestId: string): WireResponse {
  const fault = { Type: error.status < 500 ? "Sender" : "Receiver", Code: error.code, Message: error.message };
  const body = `<ErrorResponse xmlns="${service.namespace}">${element("Error", fault)}${element("RequestId", requestId)}</ErrorResponse>`;
  return { status: error.status, headers: headers(requestId), body };
}

function headers(requestId: string): Record<string, string> {
  return { "content-type": "text/xml", "x-amzn-requestid": requestId };
}
