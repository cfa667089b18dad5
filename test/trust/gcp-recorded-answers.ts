/**
 * What Google's STS answers, row by row, apart from how it is asked: a test gives the factory (issuer, keys, clock) and presents
 * the row to the function or over the wire. Texts are written out here, not taken from the tables under test. Live rows were
 * recorded from the service (https://github.com/danielbodart/frisket, 2026-09-28); documented ones are texts that users posted
 * or that Google's troubleshooting page has; the others are conclusions.
 */
import type { Grade } from "../../facts/rules.js";
import type { ExchangeReason, WorkloadIdentityPool, WorkloadIdentityPoolProvider } from "../../trust/gcp.js";
import type { JsonObject } from "../../trust/jwt.js";
import { discoveryOf, makeKey, signToken, type TestKey } from "./tokens.js";

export const POOL = "projects/123456789012/locations/global/workloadIdentityPools/dcf-pool";
export const PROVIDER = `${POOL}/providers/dcf-provider`;
export const ISSUER = "https://oidc.dcf.example";
export const SUBJECT = "system:serviceaccount:dcf:project-4711";
/** Whole seconds since 1970. */
export const NOW = 1_790_000_000;

export interface Factory {
  rsa: TestKey;
  es: TestKey;
  p384: TestKey;
  foreign: TestKey;
}

export const makeFactory = (): Factory => ({ rsa: makeKey("rsa-1"), es: makeKey("es-1", "ES256"), p384: makeKey("es-384", "ES384"), foreign: makeKey("rsa-1") });

export interface Presented {
  token: string;
  /** Of the request; defaults: all right. */
  audience?: string;
  grantType?: string;
  requestedTokenType?: string;
  subjectTokenType?: string;
  scope?: string | undefined;
  /** What the issuer serves; default: a sound discovery document and all keys. `null`: it cannot be had. */
  jwks?: JsonObject | null;
  discovery?: JsonObject;
  pool?: Partial<WorkloadIdentityPool> | null;
  provider?: Partial<WorkloadIdentityPoolProvider> | null;
}

export interface RecordedAnswer {
  name: string;
  grade: Grade;
  present(factory: Factory): Presented;
  /** Absent: accepted with this life, as {@link SUBJECT}. */
  refusal?: { status: number; error: string; description: string; reason: ExchangeReason };
  seconds?: number;
}

export const goodClaims = (): JsonObject => ({ iss: ISSUER, sub: SUBJECT, aud: `https://iam.googleapis.com/${PROVIDER}`, iat: NOW - 10, exp: NOW + 600 });

const present = (members: JsonObject): JsonObject => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

export function token(factory: Factory, claims: JsonObject = {}, header: JsonObject = {}, key: TestKey = factory.rsa): string {
  return signToken(present({ alg: "RS256", typ: "JWT", kid: "rsa-1", ...header }), present({ ...goodClaims(), ...claims }), key.privateKey);
}

export const goodProvider = (): WorkloadIdentityPoolProvider => ({
  name: PROVIDER,
  state: "ACTIVE",
  disabled: false,
  attributeMapping: { "google.subject": "assertion.sub" },
  attributeCondition: `assertion.sub == '${SUBJECT}'`,
  oidc: { issuerUri: ISSUER },
});

export const keysOf = (factory: Factory): JsonObject => ({ keys: [factory.rsa.jwk, factory.es.jwk, factory.p384.jwk] });

const TARGET =
  "The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.";
const AUDIENCE_FORM =
  'Invalid value for "audience". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.';
const CONNECTING = "Error connecting to the given credential's issuer.";
const SIGNATURE = "Unable to verify the ID Token signature.";
const CONDITION = "The given credential is rejected by the attribute condition.";
const SUBJECT_LIMIT =
  "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.";
const stale = (iat: number) => `ID Token issued at ${iat} is stale to sign-in.`;
const otherIssuer = (found: string) => `The issuer in ID Token ${found} does not match the expected one in config: ${ISSUER}`;
const otherAudience = (found: string) => `The audience in ID Token [${found}] does not match the expected audience.`;

type Present = RecordedAnswer["present"];
const accepted = (name: string, grade: Grade, present: Present, seconds = 600): RecordedAnswer => ({ name, grade, present, seconds });
const refused = (name: string, grade: Grade, error: string, description: string, reason: ExchangeReason, present: Present, status = 400): RecordedAnswer => ({
  name,
  grade,
  present,
  refusal: { status, error, description, reason },
});
const grant = (name: string, grade: Grade, description: string, reason: ExchangeReason, present: Present) => refused(name, grade, "invalid_grant", description, reason, present);
const claims =
  (changes: JsonObject): Present =>
  (factory) => ({ token: token(factory, changes) });
const header =
  (changes: JsonObject): Present =>
  (factory) => ({ token: token(factory, {}, changes) });
const request =
  (changes: Partial<Presented>): Present =>
  (factory) => ({ token: token(factory), ...changes });
const audiences = (allowedAudiences: string[], aud: unknown): Present => (factory) => ({ token: token(factory, { aud }), provider: { oidc: { issuerUri: ISSUER, allowedAudiences } } });
const mapped = (attributeMapping: Record<string, string>, changes: JsonObject = {}, attributeCondition = ""): Present => (factory) => ({ token: token(factory, changes), provider: { attributeMapping, attributeCondition } });

const requestRows: RecordedAnswer[] = [
  accepted("a good token", "live", request({})),
  accepted("the other token type for JWTs", "documented", request({ subjectTokenType: "urn:ietf:params:oauth:token-type:id_token" })),
  ...[
    `https://iam.googleapis.com/${PROVIDER}`,
    PROVIDER,
    `//iam.googleapis.com/${POOL}`,
    `//iam.googleapis.com/${PROVIDER.replace("global", "us-central1")}`,
    `//iam.googleapis.com/${PROVIDER}/`,
    "",
  ].map((audience) => refused(`asked with the audience ${JSON.stringify(audience)}`, "documented", "invalid_request", AUDIENCE_FORM, "audience-malformed", request({ audience }))),
  ...(["grantType", "requestedTokenType", "subjectTokenType", "scope"] as const).map((member) => {
    const name = member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return refused(`another ${name}`, "inferred", "invalid_request", `Invalid value for "${name}".`, "request-malformed", request({ [member]: member === "scope" ? " " : "x" }));
  }),
  refused("no scope", "inferred", "invalid_request", 'Invalid value for "scope".', "request-malformed", request({ scope: undefined })),
  refused("no token", "inferred", "invalid_request", 'Invalid value for "subject_token".', "request-malformed", () => ({ token: "" })),
  refused("a token type of AWS", "inferred", "invalid_request", 'Invalid value for "subject_token_type".', "token-type-mismatch", request({ subjectTokenType: "urn:ietf:params:aws:token-type:aws4_request" })),
  refused("no such pool (or the project's id for its number)", "documented", "invalid_target", TARGET, "pool-missing", request({ pool: null, provider: null })),
  refused("a deleted pool", "documented", "invalid_target", TARGET, "pool-deleted", request({ pool: { state: "DELETED" } })),
  refused("a disabled pool", "documented", "invalid_target", TARGET, "pool-disabled", request({ pool: { disabled: true } })),
  refused("no such provider", "documented", "invalid_target", TARGET, "provider-missing", request({ provider: null })),
  refused("a deleted provider", "documented", "invalid_target", TARGET, "provider-deleted", request({ provider: { state: "DELETED" } })),
  refused("a disabled provider", "documented", "invalid_target", TARGET, "provider-disabled", request({ provider: { disabled: true } })),
];

const claimRows: RecordedAnswer[] = [
  accepted("the audience without https:", "live", claims({ aud: `//iam.googleapis.com/${PROVIDER}` })),
  accepted("the audience among others", "inferred", claims({ aud: ["x", `//iam.googleapis.com/${PROVIDER}`] })),
  ...[`http://iam.googleapis.com/${PROVIDER}`, PROVIDER, `https://iam.googleapis.com/${PROVIDER}/`, `https://iam.googleapis.com/${POOL}`, "sts.amazonaws.com"].map((aud) =>
    grant(`the audience ${aud}`, "documented", otherAudience(aud), "audience-differs", claims({ aud })),
  ),
  grant("several audiences, none of them right", "inferred", otherAudience("x, y"), "audience-differs", claims({ aud: ["x", "y"] })),
  accepted("an allowed audience", "live", audiences(["dcf", "other"], "other")),
  grant("an audience off by case", "inferred", otherAudience("DCF"), "audience-differs", audiences(["dcf"], "DCF")),
  grant("the default audience where others are allowed", "live", otherAudience(`https://iam.googleapis.com/${PROVIDER}`), "audience-differs", audiences(["dcf"], `https://iam.googleapis.com/${PROVIDER}`)),
  accepted("the default audience where it is allowed too", "inferred", audiences(["dcf", `https://iam.googleapis.com/${PROVIDER}`], `https://iam.googleapis.com/${PROVIDER}`)),
  accepted("an empty list of allowed audiences", "inferred", audiences([], `https://iam.googleapis.com/${PROVIDER}`)),
  grant("another issuer", "documented", otherIssuer("https://other.example"), "issuer-differs", claims({ iss: "https://other.example" })),
  grant("the issuer with a slash behind it", "documented", otherIssuer(`${ISSUER}/`), "issuer-differs", claims({ iss: `${ISSUER}/` })),
  accepted("issued a minute ahead", "live", claims({ iat: NOW + 60 })),
  grant("issued more than a minute ahead", "live", stale(NOW + 61), "token-not-yet-valid", claims({ iat: NOW + 61 })),
  accepted("not before a minute ahead", "inferred", claims({ nbf: NOW + 60 })),
  grant("not before more than a minute ahead", "inferred", stale(NOW - 10), "token-not-yet-valid", claims({ nbf: NOW + 61 })),
  accepted("a day old", "documented", claims({ iat: NOW - 86_400 })),
  grant("older than a day", "documented", stale(NOW - 86_401), "token-too-old", claims({ iat: NOW - 86_401 })),
  grant("expired a minute ago", "live", stale(NOW - 600), "token-expired", claims({ iat: NOW - 600, exp: NOW - 60 })),
  refused("one second of life left", "inferred", "internal_error", "Internal error encountered.", "token-nearly-expired", claims({ exp: NOW + 1 }), 500),
  refused("expired within the tolerance", "inferred", "internal_error", "Internal error encountered.", "token-nearly-expired", claims({ exp: NOW - 59 }), 500),
  accepted("two seconds of life left", "inferred", claims({ exp: NOW + 2 }), 2),
  accepted("a life longer than an hour", "live", claims({ exp: NOW + 7200 }), 3600),
  grant("no iat", "live", stale(0), "token-claim-missing", claims({ iat: undefined })),
  grant("no exp", "inferred", stale(NOW - 10), "token-claim-missing", claims({ exp: undefined })),
  grant("iat a text", "inferred", stale(0), "token-claim-missing", claims({ iat: String(NOW) })),
  ...["iss", "sub", "aud"].map((name) => grant(`no ${name}`, "inferred", "Unable to parse the ID Token.", "token-claim-missing", claims({ [name]: undefined }))),
  grant("no JWT", "inferred", "Unable to parse the ID Token.", "token-malformed", () => ({ token: "a.b" })),
  refused("more than 12 KB", "documented", "invalid_request", 'Invalid value for "subject_token".', "token-malformed", claims({ more: "x".repeat(12_288) })),
];

const keyRows: RecordedAnswer[] = [
  accepted("ES256", "documented", (factory) => ({ token: token(factory, {}, { alg: "ES256", kid: "es-1" }, factory.es) })),
  grant("signed by another key of the same id", "live", SIGNATURE, "signature-invalid", (factory) => ({ token: token(factory, {}, {}, factory.foreign) })),
  grant("one claim changed behind the signature's back", "live", SIGNATURE, "signature-invalid", (factory) => {
    const [head = "", , signature = ""] = token(factory).split(".");
    const [, forged = ""] = token(factory, { sub: SUBJECT, extra: 1 }).split(".");
    return { token: `${head}.${forged}.${signature}` };
  }),
  grant("an unknown kid", "live", CONNECTING, "key-unknown", header({ kid: "other" })),
  grant("no kid", "documented", CONNECTING, "key-unknown", header({ kid: undefined })),
  grant("an empty kid", "inferred", CONNECTING, "key-unknown", (factory) => ({ token: token(factory, {}, { kid: "" }), jwks: { keys: [{ ...factory.rsa.jwk, kid: "" }] } })),
  grant("a key of another type", "live", CONNECTING, "key-unusable", header({ kid: "es-1" })),
  grant("a curve that Google does not take", "live", CONNECTING, "key-unusable", (factory) => ({ token: token(factory, {}, { alg: "ES384", kid: "es-384" }, factory.p384) })),
  grant("an algorithm that Google does not take", "documented", CONNECTING, "key-unusable", header({ alg: "RS512" })),
  grant("alg none", "documented", CONNECTING, "key-unusable", header({ alg: "none" })),
  grant("a key that is not for signatures", "inferred", CONNECTING, "key-unusable", (factory) => ({ token: token(factory), jwks: { keys: [{ ...factory.rsa.jwk, use: "enc" }] } })),
  grant("a key that is none", "inferred", CONNECTING, "key-unusable", (factory) => ({ token: token(factory), jwks: { keys: [{ kty: "RSA", kid: "rsa-1", e: "AQAB" }] } })),
  grant("an issuer that cannot be reached", "live", CONNECTING, "issuer-unavailable", request({ jwks: null })),
  grant("a key document without keys", "live", CONNECTING, "key-unknown", request({ jwks: { keys: "x" } })),
  grant("a discovery document without jwks_uri", "inferred", CONNECTING, "issuer-unavailable", request({ discovery: { issuer: ISSUER } })),
  grant(
    "a discovery document of another issuer",
    "documented",
    "`issuer` claim in OIDC discovery document does not match the issuer specified in the request.",
    "discovery-issuer-differs",
    request({ discovery: discoveryOf("https://other.example") }),
  ),
  accepted("uploaded keys, and an issuer that cannot be reached", "documented", (factory) => ({ token: token(factory), jwks: null, provider: { oidc: { issuerUri: ISSUER, jwksJson: JSON.stringify(keysOf(factory)) } } })),
  grant("uploaded keys without the token's, though the issuer serves it", "live", CONNECTING, "key-unknown", (factory) => ({
    token: token(factory),
    provider: { oidc: { issuerUri: ISSUER, jwksJson: JSON.stringify({ keys: [factory.es.jwk] }) } },
  })),
  grant("uploaded keys that are no JSON", "live", CONNECTING, "issuer-unavailable", request({ provider: { oidc: { issuerUri: ISSUER, jwksJson: "{" } } })),
];

const MULTIBYTE = "é".repeat(63);
const mappingRows: RecordedAnswer[] = [
  refused("a condition that is false", "live", "unauthorized_client", CONDITION, "condition-false", claims({ sub: "system:serviceaccount:dcf:project-4712" })),
  refused("a condition that cannot be evaluated", "inferred", "unauthorized_client", CONDITION, "condition-failed", mapped({ "google.subject": "assertion.sub" }, {}, "assertion.nothing == 'x'")),
  refused("a condition that is no boolean", "inferred", "unauthorized_client", CONDITION, "condition-failed", mapped({ "google.subject": "assertion.sub" }, {}, "assertion.sub")),
  accepted("no condition", "documented", mapped({ "google.subject": "assertion.sub" })),
  accepted("a condition on what is mapped", "documented", mapped({ "google.subject": "assertion.sub", "attribute.ns": "assertion.sub.split(':')[2]" }, {}, "attribute.ns == 'dcf' && google.subject.endsWith('-4711')")),
  refused("a subject of 128 bytes", "documented", "invalid_request", SUBJECT_LIMIT, "subject-too-long", mapped({ "google.subject": "assertion.long" }, { long: "x".repeat(128) })),
  refused("a subject of 64 characters in 128 bytes", "documented", "invalid_request", SUBJECT_LIMIT, "subject-too-long", mapped({ "google.subject": "assertion.long" }, { long: `${MULTIBYTE}é` })),
  refused("a subject without a value", "inferred", "invalid_request", "Could not obtain a value for google.subject from the given credential.", "subject-missing", mapped({ "google.subject": "assertion.nothing" })),
  refused("an empty subject", "inferred", "invalid_request", "Could not obtain a value for google.subject from the given credential.", "subject-missing", mapped({ "google.subject": "''" })),
  refused("a subject that is no text", "documented", "unauthorized_client", "The mapped attribute 'google.subject' must be of type STRING.", "mapping-failed", mapped({ "google.subject": `assertion.sub == '${SUBJECT}'` })),
  refused("groups that are no list", "inferred", "unauthorized_client", "The mapped attribute 'google.groups' must be of type STRING.", "mapping-failed", mapped({ "google.subject": "assertion.sub", "google.groups": "assertion.sub" })),
  refused("groups that are not all texts", "inferred", "unauthorized_client", "The mapped attribute 'google.groups' must be of type STRING.", "mapping-failed", mapped({ "google.subject": "assertion.sub", "google.groups": "[assertion.sub, 1]" })),
  refused("an attribute that is no text", "inferred", "unauthorized_client", "The mapped attribute 'attribute.n' must be of type STRING.", "mapping-failed", mapped({ "google.subject": "assertion.sub", "attribute.n": "assertion.iat" })),
  accepted("an attribute of a claim that is not there", "inferred", mapped({ "google.subject": "assertion.sub", "attribute.n": "assertion.nothing" })),
  refused("more than 8 KB of attributes", "documented", "invalid_request", "The size of the mapped attributes exceeds the 8 KB limit.", "attributes-too-large", mapped({ "google.subject": "assertion.sub", "attribute.a": "assertion.big" }, { big: "x".repeat(8_193 - SUBJECT.length) })),
  accepted("8 KB of attributes", "documented", mapped({ "google.subject": "assertion.sub", "attribute.a": "assertion.big" }, { big: "x".repeat(8_192 - SUBJECT.length) })),
];

export const RECORDED_ANSWERS: readonly RecordedAnswer[] = [...requestRows, ...claimRows, ...keyRows, ...mappingRows];
