/** What a call to AWS came to, by code: the SDK's exceptions as data. */
import { setTimeout as sleep } from "node:timers/promises";
import { STS_RETRYABLE_CODES, STS_STATUS } from "../../facts/aws/sts.js";

export interface AwsRefusal {
  ok: false;
  kind: "refused";
  /** The service's own code, such as `InvalidIdentityToken`. */
  code: string;
  httpStatus: number;
  /** Without request ids. */
  message: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
}

export interface NoAnswer {
  ok: false;
  kind: "no-answer";
  detail: string;
}

export type AwsAnswer<T> = { ok: true; output: T } | AwsRefusal | NoAnswer;

/** Attempts for overload and broken connections, which say nothing about rights. */
const ATTEMPTS = 3;
const RETRY_PAUSE_MS = 250;

const OVERLOAD: ReadonlySet<string> = new Set([...STS_RETRYABLE_CODES, "SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "TooManyRequestsException", "RequestLimitExceeded"]);

export interface CallOptions {
  signal: AbortSignal;
  /** False for calls that must not happen twice. Default true. */
  repeatable?: boolean;
}

/** Sends a command; never rejects. */
export async function ask<T>(send: (signal: AbortSignal) => Promise<T>, { signal, repeatable = true }: CallOptions): Promise<AwsAnswer<T>> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await once(send, signal);
    const passing = !answer.ok && (answer.kind === "no-answer" || OVERLOAD.has(answer.code) || answer.httpStatus >= 500);
    if (!passing || !repeatable || attempt === ATTEMPTS || signal.aborted) return answer;
    await sleep(RETRY_PAUSE_MS * attempt, undefined, { signal }).catch(() => undefined);
  }
}

/** Whether the refusal speaks of overload or of a broken service, and not of the caller. */
export function isOverload(answer: AwsRefusal): boolean {
  return OVERLOAD.has(answer.code) || answer.httpStatus >= 500;
}

/** One line of an answer for reports. */
export function describeAnswer(answer: AwsRefusal | NoAnswer): string {
  return answer.kind === "refused" ? `${answer.code} (${answer.httpStatus})${answer.message === "" ? "" : `: ${answer.message}`}` : `no answer: ${answer.detail}`;
}

async function once<T>(send: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<AwsAnswer<T>> {
  try {
    return { ok: true, output: await send(signal) };
  } catch (error) {
    return read(error);
  }
}

function read(error: unknown): AwsRefusal | NoAnswer {
  if (!isRecord(error)) return { ok: false, kind: "no-answer", detail: String(error) };
  const metadata = isRecord(error["$metadata"]) ? error["$metadata"] : {};
  const httpStatus = metadata["httpStatusCode"];
  const message = cleanMessage(text(error["message"]));
  if (typeof httpStatus !== "number") {
    const code = text(error["code"]);
    return { ok: false, kind: "no-answer", detail: [code, message].filter((part) => part !== "").join(": ") || text(error["name"]) };
  }
  const response = isRecord(error["$response"]) ? error["$response"] : {};
  const headers = isRecord(response["headers"]) ? response["headers"] : {};
  return { ok: false, kind: "refused", code: wireCode(text(error["Code"]) || text(error["name"])), httpStatus, message, headers: lowerCased(headers) };
}

/** The SDK names exceptions after their shapes, which may end otherwise than the code on the wire. */
function wireCode(name: string): string {
  const short = name.replace(/Exception$/, "");
  return !(name in STS_STATUS) && short in STS_STATUS ? short : name;
}

/** Request and host ids differ each time and mean nothing to a reader. */
function cleanMessage(message: string): string {
  return message.replace(/[\s,;(]*\b(?:Service: [^;]+; )?(?:Status Code: \d+; )?(?:S3 Extended )?(?:Request ID|RequestId|HostId|x-amz-id-2)\b\s*[:=]?\s*[\w/+=-]+\)?/gi, "").trim();
}

function lowerCased(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name.toLowerCase(), value]] : [])));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
