/** Proves who calls: every request's signature is made again with the caller's secret and compared. */
import { createHmac } from "node:crypto";
import type { Clock, WireRequest } from "../types.js";
import { type AuthErrors, authErrors } from "./auth-errors.js";
import { STREAMING_PAYLOADS, decodeChunked } from "./aws-chunked.js";
import { type Credentials, type KeyRecord, sameText } from "./credentials.js";
import type { AwsHost } from "./hosts.js";
import {
  MAX_SKEW_MS,
  type SentSignature,
  UNSIGNED_PAYLOAD,
  UnreadableSignature,
  canonicalRequest,
  readSignature,
  scopeOf,
  sha256Hex,
  signingKey,
  signingTime,
  stringToSign,
} from "./sigv4-form.js";
import { AwsError, type AwsCaller } from "./types.js";

export interface Authenticated {
  caller: AwsCaller;
  /** From the credential's scope. */
  region: string;
  /** As the client meant it: with the body put together where it came in pieces, and the trailers among the headers. */
  request: WireRequest;
  presigned: boolean;
  /** How long ago it was signed, in milliseconds. */
  ageMs: number;
}

export class SignatureVerifier {
  constructor(
    private readonly credentials: Credentials,
    private readonly clock: Clock,
  ) {}

  /**
   * Who signed the request; undefined when it carries no signature at all. Throws the service's own error when the
   * signature proves nothing.
   */
  verify(request: WireRequest, target: AwsHost): Authenticated | undefined {
    const errors = authErrors[target.service];
    const sent = read(request, errors);
    if (!sent) return undefined;
    const sentAt = signingTime(sent.time);
    if (!sentAt)
      throw errors.malformed(`Date must be in ISO-8601 'basic format'. Got '${sent.time}'. See http://en.wikipedia.org/wiki/ISO_8601`, placeOf(request));
    assertSignedHeaders(request, sent, target, errors);
    const { key, caller } = this.#key(sent, errors);
    assertScope(sent, target, errors);
    this.#assertTime(sent, sentAt, errors);
    const payload = payloadHash(request, sent, target);
    const derived = signingKey(key.secretAccessKey, sent);
    const expected = createHmac("sha256", derived).update(stringToSign(sent, canonicalRequest(request, sent, payload))).digest("hex");
    const mismatch = (): AwsError => errors.mismatch(sent.accessKeyId);
    if (!sameText(expected, sent.signature)) throw mismatch();
    return {
      caller,
      region: sent.region,
      request: STREAMING_PAYLOADS.includes(payload) ? decoded(request, payload, { key: derived, time: sent.time, scope: scopeOf(sent), seed: expected }, mismatch) : request,
      presigned: sent.expiresInSeconds !== undefined,
      ageMs: this.clock.now().getTime() - sentAt.getTime(),
    };
  }

  #key(sent: SentSignature, errors: AuthErrors): { key: KeyRecord; caller: AwsCaller } {
    const key = this.credentials.find(sent.accessKeyId);
    if (!key) throw errors.unknownKey(sent.accessKeyId);
    if (key.kind === "session") {
      if (sent.sessionToken === undefined) throw errors.unknownKey(sent.accessKeyId);
      if (!sameText(key.sessionToken, sent.sessionToken)) throw errors.badSessionToken(sent.accessKeyId);
      if (Date.parse(key.expiresAt) <= this.clock.now().getTime()) throw errors.expiredSession();
    } else if (sent.sessionToken !== undefined) throw errors.badSessionToken(sent.accessKeyId);
    const caller = this.credentials.caller(key);
    if (!caller) throw key.kind === "session" ? errors.badSessionToken(sent.accessKeyId) : errors.unknownKey(sent.accessKeyId);
    return { key, caller };
  }

  #assertTime(sent: SentSignature, sentAt: Date, errors: AuthErrors): void {
    const now = this.clock.now();
    const age = now.getTime() - sentAt.getTime();
    if (age < -MAX_SKEW_MS) throw errors.tooEarly(sent.time, sentAt, now);
    if (sent.expiresInSeconds !== undefined) {
      const expiresAt = new Date(sentAt.getTime() + sent.expiresInSeconds * 1000);
      if (now > expiresAt) throw errors.presignedExpired(sent.time, expiresAt, now);
    } else if (age > MAX_SKEW_MS) throw errors.tooLate(sent.time, sentAt, now);
    if (sent.day !== sent.time.slice(0, 8))
      throw errors.wrongScope(
        `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${sent.day}' != '${sent.time.slice(0, 8)}', from '${sent.time}'.`,
      );
  }
}

function read(request: WireRequest, errors: AuthErrors): SentSignature | undefined {
  try {
    return readSignature(request);
  } catch (error) {
    if (error instanceof UnreadableSignature) throw errors.malformed(error.message, placeOf(request));
    throw error;
  }
}

function placeOf(request: WireRequest): "headers" | "query" {
  return request.headers["authorization"] === undefined ? "query" : "headers";
}

/** What is not signed could have been put in by anybody on the way. */
function assertSignedHeaders(request: WireRequest, sent: SentSignature, target: AwsHost, errors: AuthErrors): void {
  if (!sent.signedHeaders.includes("host"))
    throw errors.malformed("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.", placeOf(request));
  const unsigned = Object.keys(request.headers).filter((name) => name.startsWith("x-amz-") && !sent.signedHeaders.includes(name));
  if (target.service === "s3" && unsigned.length > 0)
    throw new AwsError("AccessDenied", 403, "There were headers present in the request which were not signed", { HeadersNotSigned: unsigned.join(", ") });
}

function assertScope(sent: SentSignature, target: AwsHost, errors: AuthErrors): void {
  if (sent.service !== target.service)
    throw errors.wrongScope(
      target.service === "s3"
        ? `incorrect service "${sent.service}". This endpoint belongs to "s3".`
        : `Credential should be scoped to correct service: '${target.service}'.`,
    );
  if (target.region !== undefined && sent.region !== target.region)
    throw errors.wrongScope(
      target.service === "s3" ? `the region '${sent.region}' is wrong; expecting '${target.region}'` : "Credential should be scoped to a valid region.",
      target.region,
    );
}

/** What stands for the body in the canonical request. Only S3 lets the client say so itself, and then holds it to it. */
function payloadHash(request: WireRequest, sent: SentSignature, target: AwsHost): string {
  const computed = sha256Hex(request.body);
  if (target.service !== "s3") return computed;
  const declared = request.headers["x-amz-content-sha256"] ?? request.url.searchParams.get("X-Amz-Content-Sha256") ?? undefined;
  if (declared === undefined) {
    if (sent.expiresInSeconds !== undefined) return UNSIGNED_PAYLOAD;
    throw new AwsError("InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256");
  }
  if (declared === UNSIGNED_PAYLOAD || STREAMING_PAYLOADS.includes(declared)) return declared;
  if (!/^[0-9a-f]{64}$/.test(declared))
    throw new AwsError(
      "InvalidArgument",
      400,
      `x-amz-content-sha256 must be ${UNSIGNED_PAYLOAD}, ${STREAMING_PAYLOADS.join(", ")} or a valid sha256 value.`,
      { ArgumentName: "x-amz-content-sha256" },
    );
  if (!sameText(declared, computed))
    throw new AwsError("XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match what was computed.", {
      ClientComputedContentSHA256: declared,
      S3ComputedContentSHA256: computed,
    });
  return declared;
}

function decoded(request: WireRequest, payload: string, signer: Parameters<typeof decodeChunked>[2], mismatch: () => AwsError): WireRequest {
  const { body, trailers } = decodeChunked(payload, request.body, signer, mismatch, sameText);
  const announced = request.headers["x-amz-decoded-content-length"];
  if (announced === undefined) throw new AwsError("MissingContentLength", 411, "You must provide the Content-Length HTTP header.");
  if (Number(announced) !== body.length)
    throw new AwsError("IncompleteBody", 400, "You did not provide the number of bytes specified by the Content-Length HTTP header");
  const { "content-encoding": encoding, ...headers } = request.headers;
  const left = (encoding ?? "").split(",").map((each) => each.trim()).filter((each) => each !== "" && each !== "aws-chunked");
  return { ...request, body, headers: { ...headers, ...trailers, ...(left.length > 0 && { "content-encoding": left.join(",") }), "content-length": String(body.length) } };
}
