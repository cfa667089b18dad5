/** Calls of Google's REST APIs, and what they came to: by status and reason, not by text. */
import { setTimeout as sleep } from "node:timers/promises";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { send, type Network } from "../network.js";

export interface GcpRefusal {
  ok: false;
  kind: "refused";
  /** The canonical code (`PERMISSION_DENIED`), OAuth's error (`invalid_grant`), or the HTTP status where the answer has neither. */
  code: string;
  httpStatus: number;
  message: string;
  /** ErrorInfo's reason, such as `SERVICE_DISABLED`. */
  reason: string | undefined;
  /** ErrorInfo's metadata, such as `permission` and `resource`. */
  metadata: Readonly<Record<string, string>>;
}

export interface NoAnswer {
  ok: false;
  kind: "no-answer";
  detail: string;
}

export interface GcpSuccess {
  ok: true;
  httpStatus: number;
  headers: Readonly<Record<string, string>>;
  /** Parsed; an empty object where the answer is no JSON. */
  json: JsonObject;
  body: Buffer;
}

export type GcpAnswer = GcpSuccess | GcpRefusal | NoAnswer;

export interface GcpCall {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: string;
  /** Bearer token; never shown. */
  accessToken?: string | undefined;
  /** An object is sent as JSON. */
  body?: object | undefined;
  /** Sent as it is. */
  raw?: { contentType: string; content: string | Buffer } | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** False for calls that must not happen twice. Default true. */
  repeatable?: boolean | undefined;
}

/** Attempts for overload and broken connections, which say nothing about rights. */
const ATTEMPTS = 3;
const RETRY_PAUSE_MS = 250;
const CALL_DEADLINE_MS = 20_000;

/** Makes a call; never rejects. */
export async function ask(network: Network, call: GcpCall, signal: AbortSignal): Promise<GcpAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await once(network, call, signal);
    const passing = !answer.ok && (answer.kind === "no-answer" || isOverload(answer));
    if (!passing || call.repeatable === false || attempt === ATTEMPTS || signal.aborted) return answer;
    await sleep(RETRY_PAUSE_MS * attempt, undefined, { signal }).catch(() => undefined);
  }
}

/** Whether the refusal speaks of overload or of a broken service, and not of the caller. https://cloud.google.com/apis/design/errors#error_retries */
export function isOverload(answer: GcpRefusal): boolean {
  return answer.httpStatus === 429 || answer.httpStatus === 408 || answer.httpStatus >= 500;
}

/** One line of an answer for reports. */
export function describeAnswer(answer: GcpRefusal | NoAnswer): string {
  if (answer.kind === "no-answer") return `no answer: ${answer.detail}`;
  const reason = answer.reason === undefined ? "" : `, ${answer.reason}`;
  return `${answer.code} (${answer.httpStatus}${reason})${answer.message === "" ? "" : `: ${answer.message}`}`;
}

async function once(network: Network, call: GcpCall, signal: AbortSignal): Promise<GcpAnswer> {
  const { method, url, accessToken, body, raw, headers } = call;
  const content = raw ? { type: raw.contentType, body: raw.content } : body ? { type: "application/json", body: JSON.stringify(body) } : undefined;
  const answer = await send(network, {
    method,
    url: new URL(url),
    headers: {
      accept: "application/json",
      ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
      ...(content ? { "content-type": content.type } : {}),
      ...headers,
    },
    body: content?.body,
    deadlineMs: CALL_DEADLINE_MS,
    signal,
  });
  if (answer.status === "failed") return { ok: false, kind: "no-answer", detail: answer.detail };
  const json = parsed(answer.body);
  if (answer.httpStatus < 300) return { ok: true, httpStatus: answer.httpStatus, headers: answer.headers, json, body: answer.body };
  return refusal(answer.httpStatus, json, answer.body);
}

function parsed(body: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** Google's envelope (https://cloud.google.com/apis/design/errors), Cloud Storage's with `errors`, or STS's flat OAuth error. */
function refusal(httpStatus: number, json: JsonObject, body: Buffer): GcpRefusal {
  const { error } = json;
  const known = { ok: false, kind: "refused", httpStatus } as const;
  if (typeof error === "string") return { ...known, code: error, message: text(json["error_description"]), reason: undefined, metadata: {} };
  if (!isJsonObject(error)) return { ...known, code: String(httpStatus), message: firstLine(body), reason: undefined, metadata: {} };
  const info = list(error["details"]).find((detail) => text(detail["@type"]).endsWith("google.rpc.ErrorInfo"));
  const [legacy] = list(error["errors"]);
  const metadata = isJsonObject(info?.["metadata"]) ? info["metadata"] : {};
  return {
    ...known,
    code: text(error["status"]) || String(httpStatus),
    message: text(error["message"]),
    reason: text(info?.["reason"]) || text(legacy?.["reason"]) || undefined,
    metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, String(value)])),
  };
}

/** Of an answer that is no error document, such as a web server's page. */
function firstLine(body: Buffer): string {
  const line = body.toString("utf8").replace(/<[^>]*>/g, " ").split("\n").find((one) => one.trim() !== "")?.trim() ?? "";
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

function list(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
