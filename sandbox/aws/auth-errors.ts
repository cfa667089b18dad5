/**
 * How each kind of service refuses a request whose signature does not prove who calls. The same mistake has another
 * code in STS and IAM, in KMS, and in S3.
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 * https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import { MAX_SKEW_MS } from "./sigv4-form.js";
import type { AwsService } from "./service.js";
import { AwsError } from "./types.js";

export interface AuthErrors {
  missing(): AwsError;
  /** The authentication members cannot be read; `problem` is a sentence. */
  malformed(problem: string, place: "headers" | "query"): AwsError;
  unknownKey(accessKeyId: string): AwsError;
  /** The session token is missing, foreign, or of a principal that is gone. */
  badSessionToken(accessKeyId: string): AwsError;
  expiredSession(): AwsError;
  /** The credential is scoped to another service, region or day. */
  wrongScope(problem: string, expectedRegion?: string): AwsError;
  tooLate(sent: string, sentAt: Date, now: Date): AwsError;
  tooEarly(sent: string, sentAt: Date, now: Date): AwsError;
  /** A presigned request after its own expiry. */
  presignedExpired(sent: string, expiresAt: Date, now: Date): AwsError;
  mismatch(accessKeyId: string): AwsError;
}

const basic = (date: Date): string => date.toISOString().replace(/[-:]|\.\d{3}/g, "");
const extended = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

const expiredText = (sent: string, now: Date): string =>
  `Signature expired: ${sent} is now earlier than ${basic(new Date(now.getTime() - MAX_SKEW_MS))} (${basic(now)} - 15 min.)`;
const notYetText = (sent: string, now: Date): string =>
  `Signature not yet current: ${sent} is still later than ${basic(new Date(now.getTime() + MAX_SKEW_MS))} (${basic(now)} + 15 min.)`;
const presignedText = (sent: string, expiresAt: Date, now: Date): string =>
  `Signature expired: ${sent} is now earlier than ${basic(now)} (it expired at ${basic(expiresAt)})`;
const mismatchText =
  "The request signature we calculated does not match the signature you provided. " +
  "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const invalidToken = "The security token included in the request is invalid.";
const expiredToken = "The security token included in the request is expired";

const query: AuthErrors = {
  missing: () => new AwsError("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
  malformed: (problem) => new AwsError("IncompleteSignature", 400, problem),
  unknownKey: () => new AwsError("InvalidClientTokenId", 403, invalidToken),
  badSessionToken: () => new AwsError("InvalidClientTokenId", 403, invalidToken),
  expiredSession: () => new AwsError("ExpiredToken", 403, expiredToken),
  wrongScope: (problem) => new AwsError("SignatureDoesNotMatch", 403, problem),
  tooLate: (sent, _sentAt, now) => new AwsError("SignatureDoesNotMatch", 403, expiredText(sent, now)),
  tooEarly: (sent, _sentAt, now) => new AwsError("SignatureDoesNotMatch", 403, notYetText(sent, now)),
  presignedExpired: (sent, expiresAt, now) => new AwsError("SignatureDoesNotMatch", 403, presignedText(sent, expiresAt, now)),
  mismatch: () => new AwsError("SignatureDoesNotMatch", 403, mismatchText),
};

const json: AuthErrors = {
  missing: () => new AwsError("MissingAuthenticationTokenException", 400, "Missing Authentication Token"),
  malformed: (problem) => new AwsError("IncompleteSignatureException", 400, problem),
  unknownKey: () => new AwsError("UnrecognizedClientException", 400, invalidToken),
  badSessionToken: () => new AwsError("UnrecognizedClientException", 400, invalidToken),
  expiredSession: () => new AwsError("ExpiredTokenException", 400, expiredToken),
  wrongScope: (problem) => new AwsError("InvalidSignatureException", 400, problem),
  tooLate: (sent, _sentAt, now) => new AwsError("InvalidSignatureException", 400, expiredText(sent, now)),
  tooEarly: (sent, _sentAt, now) => new AwsError("InvalidSignatureException", 400, notYetText(sent, now)),
  presignedExpired: (sent, expiresAt, now) => new AwsError("InvalidSignatureException", 400, presignedText(sent, expiresAt, now)),
  mismatch: () => new AwsError("InvalidSignatureException", 400, mismatchText),
};

const skewed = (sentAt: Date, now: Date): AwsError =>
  new AwsError("RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large.", {
    RequestTime: basic(sentAt),
    ServerTime: extended(now),
    MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
  });

const s3: AuthErrors = {
  missing: () => new AwsError("AccessDenied", 403, "Access Denied"),
  malformed: (problem, place) =>
    place === "query"
      ? new AwsError("AuthorizationQueryParametersError", 400, problem)
      : new AwsError("AuthorizationHeaderMalformed", 400, `The authorization header is malformed; ${problem}`),
  unknownKey: (id) =>
    new AwsError("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records.", { AWSAccessKeyId: id }),
  badSessionToken: () => new AwsError("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
  expiredSession: () => new AwsError("ExpiredToken", 400, "The provided token has expired."),
  wrongScope: (problem, region) =>
    new AwsError("AuthorizationHeaderMalformed", 400, `The authorization header is malformed; ${problem}`, region === undefined ? {} : { Region: region }),
  tooLate: (_sent, sentAt, now) => skewed(sentAt, now),
  tooEarly: (_sent, sentAt, now) => skewed(sentAt, now),
  presignedExpired: (_sent, expiresAt, now) =>
    new AwsError("AccessDenied", 403, "Request has expired", { Expires: extended(expiresAt), ServerTime: extended(now) }),
  mismatch: (id) =>
    new AwsError("SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your key and signing method.", {
      AWSAccessKeyId: id,
    }),
};

/** The REST services among the newer ones say the same with 403. https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html */
const forbidden = (error: AwsError): AwsError => new AwsError(error.code, 403, error.message);
const rest: AuthErrors = {
  missing: () => forbidden(json.missing()),
  malformed: (problem, place) => forbidden(json.malformed(problem, place)),
  unknownKey: (id) => forbidden(json.unknownKey(id)),
  badSessionToken: (id) => forbidden(json.badSessionToken(id)),
  expiredSession: () => forbidden(json.expiredSession()),
  wrongScope: (problem) => forbidden(json.wrongScope(problem)),
  tooLate: (...times) => forbidden(json.tooLate(...times)),
  tooEarly: (...times) => forbidden(json.tooEarly(...times)),
  presignedExpired: (...times) => forbidden(json.presignedExpired(...times)),
  mismatch: (id) => forbidden(json.mismatch(id)),
};

export const authErrors: Readonly<Record<AwsService["name"], AuthErrors>> = {
  codebuild: json,
  ecr: json,
  iam: query,
  kms: json,
  lambda: rest,
  logs: json,
  s3,
  sts: query,
};
