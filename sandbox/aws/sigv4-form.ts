/**
 * Signature version 4 as text: where a request carries it, and what it is made over.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from "node:crypto";
import type { WireRequest } from "../types.js";

export const ALGORITHM = "AWS4-HMAC-SHA256";
/** Tolerated between the client's clock and AWS's, in milliseconds. */
export const MAX_SKEW_MS = 15 * 60 * 1000;
export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

/** What the client says about who signed, and how. */
export interface SentSignature {
  accessKeyId: string;
  /** Day, region and service that the key was derived for. */
  day: string;
  region: string;
  service: string;
  signedHeaders: string[];
  signature: string;
  /** `YYYYMMDDTHHMMSSZ`, as sent. */
  time: string;
  sessionToken?: string;
  /** Seconds for which a presigned request is good; absent where headers carry the signature. */
  expiresInSeconds?: number;
}

/** The authentication members cannot be read; the message is a sentence in AWS's words. */
export class UnreadableSignature extends Error {}

/** The signature that a request carries in its headers or its query; undefined when it carries none. Throws {@link UnreadableSignature}. */
export function readSignature(request: WireRequest): SentSignature | undefined {
  const authorization = request.headers["authorization"];
  if (authorization !== undefined) return fromHeaders(authorization, request.headers);
  const query = request.url.searchParams;
  return query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm") ? fromQuery(query) : undefined;
}

function fromHeaders(authorization: string, headers: WireRequest["headers"]): SentSignature {
  const [algorithm, ...rest] = authorization.split(" ");
  if (algorithm !== ALGORITHM) throw new UnreadableSignature(`the authorization mechanism is not supported. Please use ${ALGORITHM}.`);
  const parameters = new Map(
    rest
      .join(" ")
      .split(",")
      .map((part) => part.trim())
      .map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]),
  );
  const missing = ["Credential", "Signature", "SignedHeaders"].filter((name) => !parameters.get(name));
  if (missing.length > 0) throw new UnreadableSignature(missing.map((name) => `Authorization header requires '${name}' parameter.`).join(" "));
  const time = headers["x-amz-date"] ?? httpDate(headers["date"]);
  if (time === undefined) throw new UnreadableSignature("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  const sessionToken = headers["x-amz-security-token"];
  return {
    ...credential(parameters.get("Credential") ?? ""),
    signedHeaders: (parameters.get("SignedHeaders") ?? "").split(";"),
    signature: parameters.get("Signature") ?? "",
    time,
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

function fromQuery(query: URLSearchParams): SentSignature {
  const get = (name: string): string => {
    const value = query.get(name);
    if (value === null || value === "") throw new UnreadableSignature(`AWS query-string parameters must include '${name}'.`);
    return value;
  };
  if (get("X-Amz-Algorithm") !== ALGORITHM) throw new UnreadableSignature(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const expiresInSeconds = Number(query.get("X-Amz-Expires") ?? 900);
  if (!Number.isInteger(expiresInSeconds) || expiresInSeconds < 0) throw new UnreadableSignature("X-Amz-Expires should be a number");
  if (expiresInSeconds > 604_800)
    throw new UnreadableSignature("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds");
  const sessionToken = query.get("X-Amz-Security-Token");
  return {
    ...credential(get("X-Amz-Credential")),
    signedHeaders: get("X-Amz-SignedHeaders").split(";"),
    signature: get("X-Amz-Signature"),
    time: get("X-Amz-Date"),
    expiresInSeconds,
    ...(sessionToken !== null && { sessionToken }),
  };
}

function credential(text: string): Pick<SentSignature, "accessKeyId" | "day" | "region" | "service"> {
  const [accessKeyId, day, region, service, terminator, ...rest] = text.split("/");
  if (!accessKeyId || !day || !region || !service || terminator !== "aws4_request" || rest.length > 0)
    throw new UnreadableSignature(`Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${text}'`);
  return { accessKeyId, day, region, service };
}

function httpDate(header: string | undefined): string | undefined {
  const time = header === undefined ? Number.NaN : Date.parse(header);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, "");
}

/** The moment that `YYYYMMDDTHHMMSSZ` names; undefined for other text. */
export function signingTime(text: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = Date.parse(`${year ?? ""}-${month ?? ""}-${day ?? ""}T${hour ?? ""}:${minute ?? ""}:${second ?? ""}Z`);
  return Number.isNaN(time) ? undefined : new Date(time);
}

export function sha256Hex(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Key of a day, region and service. */
export function signingKey(secret: string, sent: Pick<SentSignature, "day" | "region" | "service">): Buffer {
  return [sent.day, sent.region, sent.service, "aws4_request"].reduce<Buffer>(
    (key, part) => createHmac("sha256", key).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  );
}

export function scopeOf(sent: Pick<SentSignature, "day" | "region" | "service">): string {
  return `${sent.day}/${sent.region}/${sent.service}/aws4_request`;
}

export function stringToSign(sent: SentSignature, canonicalRequest: string): string {
  return [ALGORITHM, sent.time, scopeOf(sent), sha256Hex(canonicalRequest)].join("\n");
}

/** The request as both sides write it down before signing. `payloadHash` stands for the body. */
export function canonicalRequest(request: WireRequest, sent: SentSignature, payloadHash: string): string {
  const [path, query] = split(request.rawTarget);
  const headers = sent.signedHeaders.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/\s+/g, " ")}\n`);
  return [
    request.method,
    sent.service === "s3" ? escapeSegments(decodeSegments(path)) : escapeSegments(normalised(path)),
    canonicalQuery(query),
    headers.join(""),
    sent.signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

function split(target: string): [string, string] {
  const mark = target.indexOf("?");
  return mark < 0 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
}

/** Everything but the unreserved characters of RFC 3986 as `%XX` of its UTF-8 bytes. */
export function uriEscape(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const decodeSegments = (path: string): string => path.split("/").map(decode).join("/");
/** What is escaped on the way is escaped once more, except by S3. */
const escapeSegments = (path: string): string => path.split("/").map(uriEscape).join("/");

/** Without dot segments and empty ones (RFC 3986 section 5.2.4); S3 alone takes keys as they are. */
function normalised(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return `/${kept.join("/")}${path.endsWith("/") && kept.length > 0 ? "/" : ""}`;
}

function canonicalQuery(query: string): string {
  return query
    .split("&")
    .filter((part) => part !== "")
    .map((part): [string, string] => {
      const equals = part.indexOf("=");
      return equals < 0 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
    })
    .map(([name, value]): [string, string] => [uriEscape(decode(name)), uriEscape(decode(value))])
    .filter(([name]) => name !== "X-Amz-Signature")
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
