/**
 * Bodies that S3 clients send in signed pieces (`Content-Encoding: aws-chunked`), with or without trailers.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { createHmac } from "node:crypto";
import { ALGORITHM, sha256Hex } from "./sigv4-form.js";
import { AwsError } from "./types.js";

const SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_WITH_TRAILER = `${SIGNED}-TRAILER`;
const UNSIGNED_WITH_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/** Values of `x-amz-content-sha256` with which the body comes in pieces. */
export const STREAMING_PAYLOADS: readonly string[] = [SIGNED, SIGNED_WITH_TRAILER, UNSIGNED_WITH_TRAILER];

/** With what the pieces are signed: each signature goes into the next. */
export interface ChunkSigner {
  key: Buffer;
  time: string;
  scope: string;
  /** The request's own signature. */
  seed: string;
}

export interface DecodedBody {
  body: Buffer;
  /** Names in lower case. */
  trailers: Record<string, string>;
}

/**
 * Takes a body in pieces apart. Where the pieces are signed each signature is verified: `mismatch` is thrown when one is
 * wrong. Throws IncompleteBody for a body that ends early or is no such body.
 */
export function decodeChunked(payload: string, encoded: Buffer, signer: ChunkSigner, mismatch: () => AwsError, same: (a: string, b: string) => boolean): DecodedBody {
  const signed = payload !== UNSIGNED_WITH_TRAILER;
  const pieces: Buffer[] = [];
  let previous = signer.seed;
  const verify = (expected: string, sent: string | undefined): void => {
    if (sent === undefined || !same(expected, sent)) throw mismatch();
    previous = expected;
  };
  let offset = 0;
  for (;;) {
    const end = encoded.indexOf("\r\n", offset);
    if (end < 0) throw incomplete();
    const [size = "", ...extensions] = encoded.toString("latin1", offset, end).split(";");
    if (!/^[0-9a-fA-F]{1,8}$/.test(size)) throw incomplete();
    const length = Number.parseInt(size, 16);
    const start = end + 2;
    const data = encoded.subarray(start, start + length);
    if (data.length < length) throw incomplete();
    if (signed) {
      const sent = extensions.find((each) => each.startsWith("chunk-signature="))?.slice("chunk-signature=".length);
      verify(sign(signer, `${ALGORITHM}-PAYLOAD`, previous, [sha256Hex(""), sha256Hex(data)]), sent);
    }
    offset = start + length;
    if (length === 0) break;
    pieces.push(data);
    if (encoded.toString("latin1", offset, offset + 2) !== "\r\n") throw incomplete();
    offset += 2;
  }
  const trailers = readTrailers(encoded.toString("utf8", offset));
  if (payload === SIGNED_WITH_TRAILER) {
    const { "x-amz-trailer-signature": sent, ...rest } = trailers;
    const lines = Object.entries(rest).map(([name, value]) => `${name}:${value}\n`).join("");
    verify(sign(signer, `${ALGORITHM}-TRAILER`, previous, [sha256Hex(lines)]), sent);
    return { body: Buffer.concat(pieces), trailers: rest };
  }
  return { body: Buffer.concat(pieces), trailers };
}

function sign(signer: ChunkSigner, algorithm: string, previous: string, hashes: string[]): string {
  const text = [algorithm, signer.time, signer.scope, previous, ...hashes].join("\n");
  return createHmac("sha256", signer.key).update(text).digest("hex");
}

function readTrailers(text: string): Record<string, string> {
  const trailers: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0) trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return trailers;
}

function incomplete(): AwsError {
  return new AwsError("IncompleteBody", 400, "You did not provide the number of bytes specified by the Content-Length HTTP header");
}
