/** Bodies of two parts, metadata and data. https://cloud.google.com/storage/docs/json_api/v1/how-tos/multipart-upload */
import { storageRefusals } from "../../facts/gcp/storage.js";
import { refuse } from "./storage-errors.js";

export interface TwoParts {
  metadata: unknown;
  data: Buffer;
  /** Of the data's part. */
  contentType: string | undefined;
}

/** From the header, where clients quote it singly, doubly or not; a call past the wire has none, but the body begins with it. */
function boundaryOf(contentType: string | undefined, body: Buffer): string | undefined {
  const header = /boundary=(?:"([^"]+)"|'([^']+)'|([^;\s]+))/i.exec(contentType ?? "");
  const named = header?.[1] ?? header?.[2] ?? header?.[3];
  return named ?? /^\s*--([^\r\n]+)\r?\n/.exec(body.subarray(0, 256).toString("latin1"))?.[1];
}

/** Lines may end with LF alone. Throws 400 for a body of any other shape. */
export function readTwoParts(contentType: string | undefined, body: Buffer): TwoParts {
  const boundary = boundaryOf(contentType, body);
  const parts = boundary === undefined ? [] : split(body, Buffer.from(`--${boundary}`, "latin1"));
  const [first, second] = parts.map(readPart);
  if (!first || !second || parts.length !== 2) throw refuse(storageRefusals.invalid("Malformed multipart body."));
  try {
    return { metadata: JSON.parse(first.data.toString("utf8")), data: second.data, contentType: second.contentType };
  } catch {
    throw refuse(storageRefusals.invalid("Parse Error"));
  }
}

/** What is between delimiters, from the end of the delimiter's line to the line end before the next. */
function split(body: Buffer, delimiter: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = body.indexOf(delimiter); at !== -1; ) {
    const begin = lineAfter(body, at + delimiter.length);
    const next = body.indexOf(delimiter, begin);
    if (next === -1) return parts;
    const end = body[next - 1] === LF ? next - (body[next - 2] === CR && body[begin - 2] === CR ? 2 : 1) : next;
    parts.push(body.subarray(begin, Math.max(begin, end)));
    at = next;
  }
  return parts;
}

const CR = 0x0d;
const LF = 0x0a;

function lineAfter(body: Buffer, from: number): number {
  const end = body.indexOf(LF, from);
  return end === -1 ? body.length : end + 1;
}

function readPart(part: Buffer): { contentType: string | undefined; data: Buffer } {
  const headers: string[] = [];
  let at = 0;
  while (at < part.length) {
    const next = lineAfter(part, at);
    const line = part.subarray(at, next).toString("latin1").trim();
    at = next;
    if (line === "") break;
    headers.push(line);
  }
  const contentType = headers.map((line) => /^content-type:\s*(.*)$/i.exec(line)?.[1]).find((value) => value !== undefined);
  return { contentType, data: part.subarray(at) };
}
