/**
 * What Google's STS and the IAM Service Account Credentials API demand and answer: limits, codes, texts. Sources:
 * - https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 * - https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation
 * - recorded answers of the real service (2026-09-28): https://github.com/danielbodart/frisket
 * - answers that users posted: https://github.com/google-github-actions/auth/issues
 */
import type { Grade } from "../rules.js";

export const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange";
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";
/** Of tokens that are JWTs; STS takes either. */
export const JWT_TOKEN_TYPES: readonly string[] = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];
export const AWS_TOKEN_TYPE = "urn:ietf:params:aws:token-type:aws4_request";

export const GCP_TOKEN_LIMITS = {
  /** Tolerated between the issuer's clock and Google's, both ways. Live. */
  clockSkewSeconds: 60,
  /** Between `iat` and the exchange. Documented. */
  maxAgeSeconds: 86_400,
  /** Of the token's text. Documented. */
  maxBytes: 12_288,
  /** Documented. */
  algorithms: ["RS256", "ES256"] as readonly string[],
  /** Required, as are `iat` and `exp`. Documented. */
  namingClaims: ["iss", "sub", "aud"] as readonly string[],
  /** What a federated token lives at most; less where the subject token ends before. Live. */
  federatedSeconds: 3_600,
} as const;

export const GCP_ISSUER_LIMITS = {
  /** Time that the issuer has for each document. Inferred: Google states none. */
  timeoutMs: 5_000,
  /** Keys of one type that are read. Inferred: Google states none. */
  maxKeysPerType: 100,
} as const;

/** Of access tokens of service accounts, in seconds; `extended` only where an organisation's policy allows it. https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken */
export const SERVICE_ACCOUNT_TOKEN_SECONDS = { default: 3_600, max: 3_600, extended: 43_200 } as const;
export const LIFETIME_EXTENSION_CONSTRAINT = "constraints/iam.allowServiceAccountCredentialLifetimeExtension";

/** OAuth error codes of STS with their HTTP status. */
export const STS_STATUS = {
  internal_error: 500,
  invalid_grant: 400,
  invalid_request: 400,
  invalid_target: 400,
  quota_exceeded: 429,
  unauthorized_client: 400,
} as const;

export type GcpStsCode = keyof typeof STS_STATUS;

const ISSUES = "https://github.com/google-github-actions/auth/issues";
const TROUBLESHOOTING = "https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation";
const RECORDED = "https://github.com/danielbodart/frisket";
const API = "https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token";
const AWS_API = "https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds";

export interface StsRefusalFact {
  readonly code: GcpStsCode;
  /** Of the text; the code is never less certain. */
  readonly grade: Grade;
  readonly source: string;
  /** `error_description`. */
  text(...values: readonly string[]): string;
}

/** STS's refusals, in the order in which an exchange meets them. Several causes may share one. */
export const STS_REFUSALS = {
  parameter: { code: "invalid_request", grade: "inferred", source: API, text: (name) => `Invalid value for "${name}".` },
  audienceParameter: {
    code: "invalid_request",
    grade: "documented",
    source: `${ISSUES}/60`,
    text: () => `Invalid value for "audience". This value should be the full resource name of the Identity Provider. See ${API} for the list of possible formats.`,
  },
  target: {
    code: "invalid_target",
    grade: "live",
    source: `${ISSUES}/202`,
    text: () =>
      `The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.`,
  },
  unreadable: { code: "invalid_grant", grade: "inferred", source: API, text: () => "Unable to parse the ID Token." },
  issuer: {
    code: "invalid_grant",
    grade: "documented",
    source: "https://github.com/siderolabs/talos/issues/13210",
    text: (found, expected) => `The issuer in ID Token ${found} does not match the expected one in config: ${expected}`,
  },
  audience: {
    code: "invalid_grant",
    grade: "documented",
    source: `${ISSUES}/161`,
    text: (found) => `The audience in ID Token [${found}] does not match the expected audience.`,
  },
  stale: { code: "invalid_grant", grade: "live", source: RECORDED, text: (issuedAt) => `ID Token issued at ${issuedAt} is stale to sign-in.` },
  /** A token that would end as it begins. */
  nearlyExpired: { code: "internal_error", grade: "inferred", source: RECORDED, text: () => "Internal error encountered." },
  discoveryIssuer: {
    code: "invalid_grant",
    grade: "documented",
    source: "https://github.com/siderolabs/talos/issues/13210",
    text: () => "`issuer` claim in OIDC discovery document does not match the issuer specified in the request.",
  },
  issuerUnreachable: { code: "invalid_grant", grade: "live", source: TROUBLESHOOTING, text: () => "Error connecting to the given credential's issuer." },
  signature: { code: "invalid_grant", grade: "live", source: RECORDED, text: () => "Unable to verify the ID Token signature." },
  awsFormat: {
    code: "invalid_grant",
    grade: "documented",
    source: "https://github.com/googleapis/google-api-python-client/issues/1136",
    text: (problem) => `Invalid format of AWS credentials: ${problem}`,
  },
  awsTarget: {
    code: "invalid_grant",
    grade: "inferred",
    source: AWS_API,
    text: () => "Invalid format of AWS credentials: the header x-goog-cloud-target-resource does not match the audience.",
  },
  awsRefused: {
    code: "invalid_grant",
    grade: "documented",
    source: "https://github.com/googleapis/js-genai/issues/1216",
    text: (code, message) => `Received invalid AWS response of type ${code} with error message: ${message}`,
  },
  awsAccount: {
    code: "invalid_grant",
    grade: "inferred",
    source: AWS_API,
    text: (found, expected) => `The AWS account ${found} does not match the expected one in config: ${expected}`,
  },
  subjectMissing: { code: "invalid_request", grade: "inferred", source: TROUBLESHOOTING, text: () => "Could not obtain a value for google.subject from the given credential." },
  attributeType: {
    code: "unauthorized_client",
    grade: "documented",
    source: `${ISSUES}/378`,
    text: (attribute) => `The mapped attribute '${attribute}' must be of type STRING.`,
  },
  subjectTooLong: {
    code: "invalid_request",
    grade: "documented",
    source: TROUBLESHOOTING,
    text: () =>
      "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.",
  },
  attributesTooLarge: { code: "invalid_request", grade: "inferred", source: API, text: () => "The size of the mapped attributes exceeds the 8 KB limit." },
  condition: { code: "unauthorized_client", grade: "live", source: "https://github.com/terraform-google-modules/terraform-example-foundation/issues/1362", text: () => "The given credential is rejected by the attribute condition." },
  throttled: {
    code: "quota_exceeded",
    grade: "live",
    source: RECORDED,
    text: (metric) => `The request was throttled due to rate limit: ${metric}`,
  },
} as const satisfies Record<string, StsRefusalFact>;

export type StsRefusalName = keyof typeof STS_REFUSALS;

/** What an answer of STS lets one suspect. */
export type StsHint =
  | "attributes-too-large"
  | "audience"
  | "audience-parameter"
  | "aws-account"
  | "aws-malformed"
  | "aws-refused"
  | "aws-target"
  | "condition"
  | "discovery-issuer"
  | "issuer"
  | "issuer-unreachable"
  | "mapping"
  | "signature"
  | "stale"
  | "subject-too-long"
  | "target"
  | "token-malformed";

/** Parts of texts that tell refusals with the same code apart; the first that fits counts. */
const HINTS: readonly { code: string; text: RegExp; means: readonly StsHint[] }[] = [
  { code: "invalid_request", text: /^Invalid value for "audience"/, means: ["audience-parameter"] },
  { code: "invalid_target", text: /./, means: ["target"] },
  { code: "invalid_grant", text: /^The audience in ID Token/, means: ["audience"] },
  { code: "invalid_grant", text: /^The issuer in ID Token/, means: ["issuer"] },
  { code: "invalid_grant", text: /OIDC discovery document does not match/, means: ["discovery-issuer"] },
  { code: "unauthorized_client", text: /attribute condition/, means: ["condition"] },
  { code: "unauthorized_client", text: /mapped attribute/, means: ["mapping"] },
  { code: "invalid_grant", text: /stale to sign-in/, means: ["stale"] },
  { code: "invalid_grant", text: /^Unable to verify the ID Token signature/, means: ["signature"] },
  { code: "invalid_grant", text: /given credential's issuer/, means: ["issuer-unreachable"] },
  { code: "invalid_request", text: /google\.subject exceeds/, means: ["subject-too-long"] },
  { code: "invalid_request", text: /mapped attributes exceeds/, means: ["attributes-too-large"] },
  { code: "invalid_request", text: /^Could not obtain a value for/, means: ["mapping"] },
  { code: "invalid_grant", text: /^Received invalid AWS response/, means: ["aws-refused"] },
  { code: "invalid_grant", text: /x-goog-cloud-target-resource/i, means: ["aws-target"] },
  { code: "invalid_grant", text: /AWS credentials/, means: ["aws-malformed"] },
  { code: "invalid_grant", text: /AWS account/, means: ["aws-account"] },
  { code: "invalid_grant", text: /parse the ID Token/, means: ["token-malformed"] },
];

/** What an answer may mean, by `error` and `error_description`; empty when neither is known. */
export function stsHints(code: string, description: string): readonly StsHint[] {
  return HINTS.find((hint) => hint.code === code && hint.text.test(description))?.means ?? [];
}

/** Codes after which the same exchange may succeed without any change. */
export const STS_RETRYABLE_CODES: readonly string[] = ["quota_exceeded", "internal_error"];
