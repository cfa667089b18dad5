import type { IncomingMessage, ServerResponse } from "node:http";
import type { WireRequest, WireResponse } from "./types.js";

/** The largest request that the sandbox takes, in bytes. */
export const maxRequestBytes = 100 * 1024 * 1024;

/** A refusal of the sandbox itself, before any service. */
export class WireError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "WireError";
  }
}

/** `host[:port]` taken apart; IPv6 without its brackets. Undefined when it is neither. */
export function parseAuthority(authority: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:/?#@\s]+))(?::(\d{1,5}))?$/.exec(authority);
  const host = match?.[1] ?? match?.[2];
  return host === undefined ? undefined : { host: host.toLowerCase(), port: match?.[3] ?? "" };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Stands for every request to a host, where only the host is known yet. `port` is empty for https's own. */
export function anyRequestTo(host: string, port: string): WireRequest {
  const url = new URL(`https://${host.includes(":") ? `[${host}]` : host}${port === "" ? "" : `:${port}`}/`);
  return { method: "GET", url, rawTarget: "/", host, headers: {}, body: Buffer.alloc(0), secure: true };
}

/** Reads a whole request. Throws {@link WireError} when it is too large or has no usable target. */
export async function readRequest(incoming: IncomingMessage, secure: boolean, defaultAuthority: string): Promise<WireRequest> {
  const headers = joinHeaders(incoming.rawHeaders);
  const target = incoming.url ?? "/";
  // The absolute form (RFC 9112 section 3.2.2) names the host itself and wins over the header.
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target);
  const authority = absolute?.[1] ?? headers["host"] ?? defaultAuthority;
  const parsed = parseAuthority(authority);
  if (!parsed) throw new WireError(400, `The host ${JSON.stringify(authority)} cannot be read.`);
  const rest = absolute?.[2] ?? target;
  const rawTarget = rest.startsWith("/") ? rest : `/${rest === "*" ? "" : rest}`;
  const scheme = secure || /^https:/i.test(target) ? "https" : "http";
  const text = `${scheme}://${authority}${rawTarget}`;
  if (!URL.canParse(text)) throw new WireError(400, `The request target ${JSON.stringify(target)} cannot be read.`);
  const body = await readBody(incoming);
  return { method: incoming.method ?? "GET", url: new URL(text), rawTarget, host: parsed.host, headers, body, secure };
}

/** Throws {@link WireError} 413 when the announced length is over the limit: before the client is told to go on. */
export function assertAcceptableLength(incoming: IncomingMessage): void {
  if (Number(incoming.headers["content-length"] ?? 0) > maxRequestBytes) throw tooLarge();
}

/** Reads on past the limit, keeping nothing: a client that is still sending would miss the answer. */
async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  // Who waits for the word to go on sends nothing until then.
  if (incoming.headers.expect !== undefined) assertAcceptableLength(incoming);
  let chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxRequestBytes) chunks = [];
    else chunks.push(chunk);
  }
  if (length > maxRequestBytes) throw tooLarge();
  return Buffer.concat(chunks, length);
}

function tooLarge(): WireError {
  return new WireError(413, `The sandbox takes requests of ${maxRequestBytes / 1024 / 1024} MB at most.`);
}

function joinHeaders(raw: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const value = raw[index + 1] ?? "";
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : `${earlier},${value}`;
  }
  return headers;
}

export function writeResponse(outgoing: ServerResponse, method: string, response: WireResponse): void {
  if (outgoing.destroyed || outgoing.headersSent) return;
  const body = typeof response.body === "string" ? Buffer.from(response.body) : (response.body ?? Buffer.alloc(0));
  outgoing.statusCode = response.status;
  for (const [name, value] of Object.entries(response.headers ?? {})) outgoing.setHeader(name, value);
  const bodyless = method === "HEAD" || response.status === 204 || response.status === 304;
  // A HEAD answer tells the length of the body that it leaves out; the service may know it better.
  if (response.status !== 204 && !(bodyless && outgoing.hasHeader("content-length"))) {
    outgoing.setHeader("content-length", body.length);
  }
  outgoing.end(bodyless ? undefined : body);
}

export function textResponse(status: number, line: string): WireResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: `${line}\n` };
}
