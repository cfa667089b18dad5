/**
 * What `sts:AssumeRoleWithWebIdentity` demands and answers: limits, error codes, texts. Sources:
 * - API reference: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 * - recorded answers of the real service (us-east-1, 2026-09-11): https://github.com/radkawar/stackd, the STS service's
 *   OIDC test data
 * - texts that users posted: https://github.com/aws-actions/configure-aws-credentials/issues and
 *   https://repost.aws/knowledge-center/iam-sts-invalididentitytoken
 */

import type { Grade } from "../rules.js";

export type { Grade };

export interface StsErrorFact {
  readonly code: string;
  readonly httpStatus: number;
  /** Of the text; the code is never less certain. */
  readonly grade: Grade;
  readonly source: string;
}

const RECORDED = "https://github.com/radkawar/stackd";
const API = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html";

/** Error codes of the operation with their HTTP status. */
export const STS_STATUS = {
  AccessDenied: 403,
  ExpiredTokenException: 400,
  IDPCommunicationError: 400,
  IDPRejectedClaim: 403,
  InternalFailure: 500,
  InvalidIdentityToken: 400,
  MalformedPolicyDocument: 400,
  PackedPolicyTooLarge: 400,
  RegionDisabledException: 403,
  ValidationError: 400,
} as const;

export type StsCode = keyof typeof STS_STATUS;

/** Codes after which the same call may succeed without any change: slow issuers, overload. */
export const STS_RETRYABLE_CODES: readonly string[] = ["IDPCommunicationError", "InternalFailure", "Throttling", "ThrottlingException"];

export const STS_LIMITS = {
  /** Tolerated between the issuer's clock and AWS's, both ways. Live. */
  clockSkewSeconds: 300,
  /** Time that the issuer has for each document. Documented at repost.aws (InvalidIdentityToken). */
  issuerTimeoutMs: 5_000,
  /** Keys of one type; more make tokens of that type fail, the other type is not affected. Live. */
  maxIssuerKeysPerType: 100,
  tokenLength: { min: 4, max: 20_000 },
  roleArnLength: { min: 20, max: 2_048 },
  sessionNameLength: { min: 2, max: 64 },
  sessionNamePattern: "[\\w+=,.@-]*",
  durationSeconds: { min: 900, max: 43_200, default: 3_600 },
  sessionTags: { max: 50, keyLength: 128, valueLength: 256, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u },
  sourceIdentity: /^[\w+=,.@-]{2,64}$/,
} as const;

/** Signature algorithms that STS verifies; the token's header chooses, the key's `alg` member does not count. Live. */
export const STS_ALGORITHMS: readonly string[] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];

/** Members without which STS does not use an issuer's discovery document. Documented. */
export const STS_DISCOVERY_MEMBERS: readonly string[] = [
  "issuer",
  "jwks_uri",
  "response_types_supported",
  "subject_types_supported",
  "id_token_signing_alg_values_supported",
];

/** Claims without which a token is refused, in the order in which STS misses them. Live. */
export const STS_REQUIRED_CLAIMS: readonly string[] = ["iss", "sub", "aud", "iat", "exp"];

/** Claims that STS itself reads. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html */
export const STS_CLAIMS = {
  roles: "https://aws.amazon.com/roles",
  sourceIdentity: "https://aws.amazon.com/source_identity",
  tags: "https://aws.amazon.com/tags",
  flatTag: "https://aws.amazon.com/tags/principal_tags/",
  flatTransitiveTagKeys: "https://aws.amazon.com/tags/transitive_tag_keys",
} as const;

const GENERIC =
  "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.";

/** The texts of today's service, one builder a text. */
export const STS_MESSAGES = {
  /** Audience, provider, signature and key usage share this one. */
  tokenNotValidated: () => GENERIC,
  /** Two spaces after the comma, as the service has them. */
  keyNotRetrieved: () =>
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
  notAJwt: () => "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
  missingClaim: (name: string) => `Missing a required claim: ${name}`,
  emptyClaim: (name: string) => `Claim is not allowed to be empty: ${name}`,
  severalAudiences: () => "Token audience contains more than one audience while authorized party is not present",
  invalidTimestamp: () => "Invalid timestamp in token claims.",
  unknownTokenError: () => "Unknown error validating third-party token",
  /** Seconds since 1970; `now` is the service's clock less the tolerance. */
  expired: (now: number, exp: number) => `Token expired: current date/time ${now} must be before the expiration date/time ${exp}`,
  /** Seconds since 1970; `now` is the service's clock plus the tolerance. */
  notYetValid: (now: number, notBefore: number) =>
    `Token not yet valid: current date/time ${now} must be after or equal to the not-before date/time ${notBefore}`,
  malformedTags: () => "principal_tags passed in claim is not in correct format.",
  roleNotInClaim: () => "The target role ARN is not present in the roles claim of the identity token",
  noRoleInClaim: () => "The roles claim contains no valid role ARNs",
  notAuthorized: (action: string) => `Not authorized to perform ${action}`,
  durationTooLong: () => "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
  invalidRoleArn: () => "Request ARN is invalid",
} as const;

/** Grade and source of each text in {@link STS_MESSAGES}. */
export const STS_MESSAGE_FACTS: Readonly<Record<keyof typeof STS_MESSAGES, StsErrorFact>> = {
  tokenNotValidated: fact("InvalidIdentityToken", "live", RECORDED),
  keyNotRetrieved: fact("InvalidIdentityToken", "live", RECORDED),
  notAJwt: fact("InvalidIdentityToken", "live", RECORDED),
  missingClaim: fact("InvalidIdentityToken", "live", RECORDED),
  emptyClaim: fact("InvalidIdentityToken", "live", RECORDED),
  severalAudiences: fact("InvalidIdentityToken", "live", RECORDED),
  invalidTimestamp: fact("InvalidIdentityToken", "live", RECORDED),
  unknownTokenError: fact("InternalFailure", "live", RECORDED),
  expired: fact("ExpiredTokenException", "live", RECORDED),
  notYetValid: fact("InvalidIdentityToken", "live", RECORDED),
  malformedTags: fact("InvalidIdentityToken", "live", RECORDED),
  roleNotInClaim: fact("InvalidIdentityToken", "live", RECORDED),
  noRoleInClaim: fact("InvalidIdentityToken", "live", RECORDED),
  notAuthorized: fact("AccessDenied", "live", RECORDED),
  durationTooLong: fact("ValidationError", "live", "https://github.com/kreuzwerker/awsu/issues/27"),
  invalidRoleArn: fact("ValidationError", "inferred", API),
};

function fact(code: StsCode, grade: Grade, source: string): StsErrorFact {
  return { code, httpStatus: STS_STATUS[code], grade, source };
}

/**
 * Texts by which a refusal can be told from others with the same code, both generations (the service changed several in
 * 2026 and may again): hints, to be used after the code. More than one cause may share a text.
 */
export const STS_MESSAGE_HINTS: readonly { readonly code: StsCode; readonly text: RegExp; readonly means: readonly StsHint[]; readonly generation: "current" | "former" }[] = [
  { code: "InvalidIdentityToken", text: /^The web identity token provided could not be validated/, means: ["audience", "provider", "signature", "key-usage"], generation: "current" },
  { code: "InvalidIdentityToken", text: /^Couldn't retrieve verification key/, means: ["keys"], generation: "current" },
  { code: "InvalidIdentityToken", text: /not a valid JWT/, means: ["malformed"], generation: "current" },
  { code: "InvalidIdentityToken", text: /^(Missing a required claim|Claim is not allowed to be empty|Invalid timestamp|Token audience contains)/, means: ["claims"], generation: "current" },
  { code: "InvalidIdentityToken", text: /^Token not yet valid/, means: ["clock"], generation: "current" },
  { code: "InvalidIdentityToken", text: /roles claim/, means: ["roles-claim"], generation: "current" },
  { code: "InvalidIdentityToken", text: /^principal_tags /, means: ["claims"], generation: "current" },
  { code: "InvalidIdentityToken", text: /^Incorrect token audience/, means: ["audience"], generation: "former" },
  { code: "InvalidIdentityToken", text: /^No OpenIDConnect provider found in your account for/, means: ["provider"], generation: "former" },
  { code: "InvalidIdentityToken", text: /certificate doesn't match configured thumbprint/, means: ["thumbprint"], generation: "former" },
  { code: "ExpiredTokenException", text: /^Token expired/, means: ["clock"], generation: "current" },
  { code: "AccessDenied", text: /sts:AssumeRoleWithWebIdentity/, means: ["trust"], generation: "current" },
  { code: "AccessDenied", text: /sts:TagSession/, means: ["tag-session"], generation: "current" },
  { code: "AccessDenied", text: /sts:SetSourceIdentity/, means: ["source-identity"], generation: "current" },
  { code: "ValidationError", text: /MaxSessionDuration/, means: ["duration"], generation: "current" },
];

export type StsHint =
  | "audience"
  | "claims"
  | "clock"
  | "duration"
  | "key-usage"
  | "keys"
  | "malformed"
  | "provider"
  | "roles-claim"
  | "signature"
  | "source-identity"
  | "tag-session"
  | "thumbprint"
  | "trust";

/** What an answer of STS may mean, by code and text; empty when neither is known. */
export function stsHints(code: string, message: string): readonly StsHint[] {
  return STS_MESSAGE_HINTS.find((hint) => hint.code === code && hint.text.test(message))?.means ?? [];
}

/** How the query protocol words a request that breaks the API model; the values of secret members are left out. */
export function validationMessage(failures: readonly { member: string; value?: string; constraint: string }[]): string {
  const listed = failures.map(
    ({ member, value, constraint }) =>
      `Value ${value === undefined ? "" : `'${value}' `}at '${member}' failed to satisfy constraint: ${constraint}`,
  );
  return `${listed.length} validation error${listed.length === 1 ? "" : "s"} detected: ${listed.join("; ")}`;
}
