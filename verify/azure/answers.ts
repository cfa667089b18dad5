/** Calls of Entra, ARM, Graph, Blob storage and registries, and what they came to: by status and code, not by text. */
import { setTimeout as sleep } from "node:timers/promises";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { send, type Network } from "../network.js";

export interface AzureRefusal {
  ok: false;
  kind: "refused";
  /** `AADSTS700213`, ARM's and Graph's `code`, Blob storage's `x-ms-error-code`, a registry's first error; the HTTP status where the answer has none. */
  code: string;
  httpStatus: number;
  /** Without trace ids and time. */
  message: string;
  /** OAuth's `error`, of Entra's answers. */
  oauthError: string | undefined;
  headers: Readonly<Record<string, string>>;
}

export interface NoAnswer {
  ok: false;
  kind: "no-answer";
  detail: string;
}

export interface AzureSuccess {
  ok: true;
  httpStatus: number;
  headers: Readonly<Record<string, string>>;
  /** Parsed; an empty object where the answer is no JSON object. */
  json: JsonObject;
  body: Buffer;
}

export type AzureAnswer = AzureSuccess | AzureRefusal | NoAnswer;
export type AzureFailure = AzureRefusal | NoAnswer;

export interface AzureCall {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: string;
  /** Bearer token; never shown. */
  accessToken?: string | undefined;
  /** An object is sent as JSON, parameters as a form. */
  body?: object | URLSearchParams | undefined;
  /** Sent as it is. */
  raw?: { contentType: string; content: string | Buffer } | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** False for calls that must not happen twice. Default true. */
  repeatable?: boolean | undefined;
}

/** Attempts for overload and broken connections, which say nothing about rights. */
const ATTEMPTS = 3;
const RETRY_PAUSE_MS = 250;
/** What a `Retry-After` is followed up to. */
const LONGEST_PAUSE_MS = 5_000;
const CALL_DEADLINE_MS = 20_000;

/** Makes a call; never rejects. */
export async function ask(network: Network, call: AzureCall, signal: AbortSignal): Promise<AzureAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await once(network, call, signal);
    const passing = !answer.ok && (answer.kind === "no-answer" ? !isUnknownHost(answer) : isOverload(answer));
    if (!passing || call.repeatable === false || attempt === ATTEMPTS || signal.aborted) return answer;
    await sleep(pauseOf(answer, attempt), undefined, { signal }).catch(() => undefined);
  }
}

function pauseOf(answer: AzureFailure, attempt: number): number {
  const asked = answer.kind === "refused" ? Number(answer.headers["retry-after"]) : NaN;
  return Number.isFinite(asked) ? Math.min(asked * 1000, LONGEST_PAUSE_MS) : RETRY_PAUSE_MS * attempt;
}

/** Whether the refusal speaks of overload or of a broken service, and not of the caller. https://learn.microsoft.com/azure/architecture/best-practices/retry-service-specific */
export function isOverload({ httpStatus }: AzureRefusal): boolean {
  return httpStatus === 429 || httpStatus === 408 || httpStatus >= 500;
}

/** No such name in DNS: storage accounts, registries and sites have host names of their own. */
export function isUnknownHost({ detail }: NoAnswer): boolean {
  return detail === "ENOTFOUND";
}

/** One line of an answer for reports. */
export function describeAnswer(answer: AzureFailure): string {
  if (answer.kind === "no-answer") return `no answer: ${answer.detail}`;
  const oauth = answer.oauthError === undefined ? "" : `, ${answer.oauthError}`;
  return `${answer.code} (${answer.httpStatus}${oauth})${answer.message === "" ? "" : `: ${answer.message}`}`;
}

async function once(network: Network, call: AzureCall, signal: AbortSignal): Promise<AzureAnswer> {
  const { method, url, accessToken, headers } = call;
  const content = contentOf(call);
  const answer = await send(network, {
    method,
    url: new URL(url),
    headers: {
      accept: "application/json",
      ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
      ...(content ? { "content-type": content.contentType } : {}),
      ...headers,
    },
    // PUT and POST need a length, which an absent body does not have.
    body: content?.content ?? (method === "PUT" || method === "POST" ? "" : undefined),
    deadlineMs: CALL_DEADLINE_MS,
    signal,
  });
  if (answer.status === "failed") return { ok: false, kind: "no-answer", detail: answer.detail };
  const json = parsed(answer.body);
  if (answer.httpStatus < 300) return { ok: true, httpStatus: answer.httpStatus, headers: answer.headers, json, body: answer.body };
  return refusal(answer.httpStatus, answer.headers, json, answer.body);
}

function contentOf({ body, raw }: AzureCall): { contentType: string; content: string | Buffer } | undefined {
  if (raw) return raw;
  if (body instanceof URLSearchParams) return { contentType: "application/x-www-form-urlencoded", content: body.toString() };
  return body && { contentType: "application/json", content: JSON.stringify(body) };
}

function parsed(body: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * In the shape of whoever answers: Entra's OAuth error (https://learn.microsoft.com/entra/identity-platform/reference-error-codes),
 * ARM's and Graph's `error` object, App Service's flat `Code` and `Message`, Blob storage's XML with its code in a header too, or a
 * registry's list (https://distribution.github.io/distribution/spec/api/#errors).
 */
function refusal(httpStatus: number, headers: Readonly<Record<string, string>>, json: JsonObject, body: Buffer): AzureRefusal {
  const known = { ok: false, kind: "refused", httpStatus, headers, oauthError: undefined } as const;
  const { error, errors } = json;
  if (typeof error === "string") return { ...known, ...entraError(json, error), oauthError: error };
  if (isJsonObject(error)) return { ...known, code: text(error["code"]) || String(httpStatus), message: text(error["message"]) };
  if (Array.isArray(errors) && isJsonObject(errors[0])) return { ...known, code: text(errors[0]["code"]) || String(httpStatus), message: text(errors[0]["message"]) };
  if (typeof json["Code"] === "string") return { ...known, code: json["Code"], message: text(json["Message"]) };
  const storageCode = headers["x-ms-error-code"];
  if (storageCode !== undefined) return { ...known, code: storageCode, message: firstLine(/<Message>([^<]*)/.exec(body.toString("utf8"))?.[1] ?? "") };
  return { ...known, code: String(httpStatus), message: firstLine(body.toString("utf8").replace(/<[^>]*>/g, " ")) };
}

function entraError(json: JsonObject, error: string): { code: string; message: string } {
  const { error_codes: codes, error_description: description } = json;
  const said = text(description);
  const number: unknown = Array.isArray(codes) ? codes[0] : undefined;
  const code = typeof number === "number" ? `AADSTS${number}` : (/^AADSTS\d+/.exec(said)?.[0] ?? error);
  return { code, message: firstLine(said.replace(/^AADSTS\d+:\s*/, "").replace(/\s*Trace ID:[\s\S]*$/, "")) };
}

function firstLine(content: string): string {
  const line = content.split("\n").find((one) => one.trim() !== "")?.trim() ?? "";
  return line.length > 600 ? `${line.slice(0, 600)}…` : line;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
