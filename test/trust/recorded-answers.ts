/**
 * What the real STS answers, row by row, apart from how it is asked: a test gives the factory (its issuer, its keys, its
 * clock) and presents the token to the function or over the wire. Live rows were recorded from the service in us-east-1
 * on 2026-09-11 (https://github.com/radkawar/stackd); the others say where they are from.
 */
import { STS_MESSAGES, type Grade } from "../../facts/aws/sts.js";
import type { WebIdentityReason } from "../../trust/aws.js";
import type { JsonObject } from "../../trust/jwt.js";
import { discoveryOf, makeKey, signToken, type TestKey } from "./tokens.js";

/** The world that every row starts from: a provider with the client ids `client-a` and `client-b`, and a role that trusts it. */
export interface Factory {
  /** `https://…`, without trailing slash. */
  issuer: string;
  roleArn: string;
  providerArn: string;
  /** Whole seconds since 1970 by the service's clock. */
  now: number;
  /** Private key for `rsa` (RS256), `es` (ES256), and another RSA key that the issuer never had. */
  keys: { rsa: TestKey; es: TestKey; foreign: TestKey };
}

export interface Presented {
  token: string;
  /** What the issuer serves; default: both keys and a sound discovery document. */
  jwks?: JsonObject[];
  discovery?: JsonObject;
  /** Default: trusts the provider for `sub` subject-probe, with `sts:AssumeRoleWithWebIdentity` and `sts:TagSession`. */
  trust?: JsonObject;
  durationSeconds?: number;
  sessionName?: string;
  roleArn?: string;
}

export interface Expected {
  /** Absent: accepted. */
  code?: string;
  status?: number;
  message?: string;
  reason?: WebIdentityReason;
  /** Of accepted ones. */
  audience?: string;
  subject?: string;
}

export interface RecordedAnswer {
  name: string;
  grade: Grade;
  present: (factory: Factory) => Presented;
  expect: (factory: Factory) => Expected;
}

export function makeFactory(input: Omit<Factory, "keys">): Factory {
  return { ...input, keys: { rsa: makeKey("rsa-1"), es: makeKey("es-1", "ES256"), foreign: makeKey("rsa-1") } };
}

export function goodClaims({ issuer, now }: Factory): JsonObject {
  return { iss: issuer, aud: "client-a", sub: "subject-probe", iat: now, exp: now + 900 };
}

export function token(factory: Factory, claims: JsonObject = {}, header: JsonObject = {}, key: TestKey = factory.keys.rsa): string {
  const all = Object.fromEntries(Object.entries({ ...goodClaims(factory), ...claims }).filter(([, value]) => value !== undefined));
  return signToken({ alg: "RS256", typ: "JWT", kid: "rsa-1", ...header }, all, key.privateKey);
}

export function goodTrust({ issuer, providerArn }: Factory, change: JsonObject = {}): JsonObject {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: providerArn },
        Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
        Condition: { StringEquals: { [`${issuer.slice("https://".length)}:sub`]: "subject-probe" } },
        ...change,
      },
    ],
  };
}

const key = (factory: Factory, change: JsonObject = {}): JsonObject => {
  const changed = { ...factory.keys.rsa.jwk, ...change };
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
};

const withClaims = (claims: JsonObject) => (factory: Factory) => ({ token: token(factory, claims) });
const withHeader = (header: JsonObject) => (factory: Factory) => ({ token: token(factory, {}, header) });
const withKeys = (jwks: (factory: Factory) => JsonObject[], header: JsonObject = {}) => (factory: Factory) => ({
  token: token(factory, {}, header),
  jwks: jwks(factory),
});

const accepted = (expected: Partial<Expected> = {}) => () => ({ audience: "client-a", subject: "subject-probe", ...expected });
const refused = (code: string, status: number, message: string, reason: WebIdentityReason) => () => ({ code, status, message, reason });
const invalid = (message: string, reason: WebIdentityReason) => refused("InvalidIdentityToken", 400, message, reason);
const notAuthorized = (reason: WebIdentityReason, action = "sts:AssumeRoleWithWebIdentity") =>
  refused("AccessDenied", 403, STS_MESSAGES.notAuthorized(action), reason);

const GENERIC = STS_MESSAGES.tokenNotValidated();
const NO_KEY = STS_MESSAGES.keyNotRetrieved();
const NO_JWT = STS_MESSAGES.notAJwt();
const TIMESTAMP = STS_MESSAGES.invalidTimestamp();

function row(name: string, grade: Grade, present: RecordedAnswer["present"], expect: RecordedAnswer["expect"]): RecordedAnswer {
  return { name, grade, present, expect };
}

const claimRows: RecordedAnswer[] = [
  row("a good token", "live", withClaims({}), accepted()),
  row("the other client id", "live", withClaims({ aud: "client-b" }), accepted({ audience: "client-b" })),
  row("aud not registered", "live", withClaims({ aud: "client-c" }), invalid(GENERIC, "audience-not-registered")),
  row("aud of another case", "inferred", withClaims({ aud: "Client-a" }), invalid(GENERIC, "audience-not-registered")),
  row("aud empty", "live", withClaims({ aud: "" }), invalid(GENERIC, "audience-not-registered")),
  row("aud of one element", "live", withClaims({ aud: ["client-a"] }), accepted()),
  row("aud an empty list", "live", withClaims({ aud: [] }), invalid(STS_MESSAGES.emptyClaim("aud"), "token-claim-invalid")),
  row("several aud without azp", "live", withClaims({ aud: ["client-a", "client-b"] }), invalid(STS_MESSAGES.severalAudiences(), "token-claim-invalid")),
  row("several aud with azp", "live", withClaims({ aud: ["client-a", "x"], azp: "client-b" }), accepted({ audience: "client-b" })),
  row("azp over aud, registered", "live", withClaims({ aud: "nobody", azp: "client-a" }), accepted()),
  row("azp over aud, not registered", "live", withClaims({ azp: "nobody" }), invalid(GENERIC, "audience-not-registered")),
  row("azp empty", "live", withClaims({ azp: "" }), invalid(GENERIC, "audience-not-registered")),
  row("azp null", "inferred", withClaims({ azp: null }), invalid(GENERIC, "token-claim-invalid")),
  row("aud a number", "inferred", withClaims({ aud: 1 }), invalid(GENERIC, "token-claim-invalid")),
  row(
    "aud twice: the last counts",
    "live",
    (factory) => ({ token: duplicated(factory, `"aud":"client-a"`, `"aud":"other"`) }),
    invalid(GENERIC, "audience-not-registered"),
  ),
  row("aud twice: the last is registered", "live", (factory) => ({ token: duplicated(factory, `"aud":"other"`, `"aud":"client-a"`) }), accepted()),
  ...["iss", "sub", "aud", "iat", "exp"].map((name) =>
    row(`${name} missing`, "live", withClaims({ [name]: undefined }), invalid(STS_MESSAGES.missingClaim(name), "token-claim-missing")),
  ),
  row("iss a number", "inferred", withClaims({ iss: 7 }), invalid(GENERIC, "token-claim-invalid")),
  row("sub null", "live", withClaims({ sub: null }), refused("InternalFailure", 500, STS_MESSAGES.unknownTokenError(), "token-claim-invalid")),
  row("sub a list", "inferred", withClaims({ sub: ["subject-probe"] }), invalid(GENERIC, "token-claim-invalid")),
  row(
    "sub empty, and a trust without sub",
    "live",
    (factory) => ({ token: token(factory, { sub: "" }), trust: goodTrust(factory, { Condition: {} }) }),
    accepted({ subject: "" }),
  ),
  row("sub empty, and a trust with sub", "live", withClaims({ sub: "" }), notAuthorized("trust-refused")),
  row(
    "sub a number counts as its digits",
    "live",
    (factory) => ({ token: token(factory, { sub: 42 }), trust: goodTrust(factory, { Condition: { StringEquals: { [`${host(factory)}:sub`]: "42" } } }) }),
    accepted({ subject: "42" }),
  ),
  row("exp fractional", "live", (factory) => withClaims({ exp: factory.now + 900.5 })(factory), invalid(TIMESTAMP, "token-claim-invalid")),
  row("exp null", "live", withClaims({ exp: null }), invalid(TIMESTAMP, "token-claim-invalid")),
  row("iat fractional", "live", (factory) => withClaims({ iat: factory.now - 0.5 })(factory), invalid(TIMESTAMP, "token-claim-invalid")),
  row("nbf fractional", "live", (factory) => withClaims({ nbf: factory.now - 0.5 })(factory), invalid(TIMESTAMP, "token-claim-invalid")),
  row("exp an integer as text", "live", (factory) => withClaims({ exp: String(factory.now + 900) })(factory), accepted()),
  row("exp any other text", "inferred", withClaims({ exp: "tomorrow" }), invalid(TIMESTAMP, "token-claim-invalid")),
];

function host({ issuer }: Factory): string {
  return issuer.slice("https://".length);
}

function duplicated(factory: Factory, first: string, last: string): string {
  const { iss, sub, iat, exp } = goodClaims(factory);
  const text = `{"iss":${JSON.stringify(iss)},${first},"sub":${JSON.stringify(sub)},"iat":${String(iat)},"exp":${String(exp)},${last}}`;
  return signToken({ alg: "RS256", kid: "rsa-1" }, text, factory.keys.rsa.privateKey);
}

const at = (name: string, seconds: number) => (factory: Factory) => withClaims({ [name]: factory.now + seconds })(factory);
const expired = (seconds: number) => (factory: Factory) => ({
  code: "ExpiredTokenException",
  status: 400,
  message: `Token expired: current date/time ${factory.now - 300} must be before the expiration date/time ${factory.now - seconds}`,
  reason: "token-expired" as const,
});
const notYet = (seconds: number) => (factory: Factory) => ({
  code: "InvalidIdentityToken",
  status: 400,
  message: `Token not yet valid: current date/time ${factory.now + 300} must be after or equal to the not-before date/time ${factory.now + seconds}`,
  reason: "token-not-yet-valid" as const,
});

const timeRows: RecordedAnswer[] = [
  row("expired by 1 s", "live", at("exp", -1), accepted()),
  row("expired by 299 s", "inferred", at("exp", -299), accepted()),
  // The text says that the time must be before: at 300 s it is equal.
  row("expired by 300 s", "inferred", at("exp", -300), expired(300)),
  row("expired by 301 s", "live", at("exp", -301), expired(301)),
  row("nbf 300 s ahead", "live", at("nbf", 300), accepted()),
  row("nbf 301 s ahead", "live", at("nbf", 301), notYet(301)),
  row("iat 300 s ahead", "live", at("iat", 300), accepted()),
  row("iat 301 s ahead", "live", at("iat", 301), notYet(301)),
  row("a session longer than the token lives", "live", (factory) => ({ token: token(factory, { exp: factory.now + 60 }), durationSeconds: 3600 }), accepted()),
];

const formRows: RecordedAnswer[] = [
  row("no JWT at all", "documented", () => ({ token: "an-access-token" }), invalid(NO_JWT, "token-malformed")),
  row("two parts", "inferred", (factory) => ({ token: token(factory).split(".").slice(0, 2).join(".") }), invalid(NO_JWT, "token-malformed")),
  row("a payload that is no JSON", "inferred", (factory) => ({ token: signToken({ alg: "RS256", kid: "rsa-1" }, "no json", factory.keys.rsa.privateKey) }), invalid(NO_JWT, "token-malformed")),
  row("crit in the header", "live", withHeader({ crit: ["exp"] }), invalid(NO_JWT, "token-malformed")),
  row("kid a number", "inferred", withHeader({ kid: 1 }), invalid(NO_JWT, "token-malformed")),
  row("alg none", "inferred", withHeader({ alg: "none" }), invalid(NO_JWT, "token-malformed")),
  row("alg HS256", "inferred", withHeader({ alg: "HS256" }), invalid(NO_JWT, "token-malformed")),
  row("alg EdDSA", "live", withHeader({ alg: "EdDSA" }), invalid(NO_JWT, "token-malformed")),
  row("alg PS256", "inferred", withHeader({ alg: "PS256" }), invalid(NO_JWT, "token-malformed")),
];

const signatureRows: RecordedAnswer[] = [
  row(
    "another key under the right kid",
    "live",
    (factory) => ({ token: token(factory, {}, {}, factory.keys.foreign) }),
    invalid(GENERIC, "signature-invalid"),
  ),
  row("a changed payload", "live", (factory) => ({ token: spliced(factory, 1) }), invalid(GENERIC, "signature-invalid")),
  row("a signature of another length", "inferred", (factory) => ({ token: `${token(factory, {}, { alg: "ES256", kid: "es-1" }, factory.keys.es)}AA` }), invalid(GENERIC, "signature-invalid")),
  row("RS384 with a key marked RS256", "live", withHeader({ alg: "RS384" }), accepted()),
  row("RS512 with a key marked RS256", "live", withHeader({ alg: "RS512" }), accepted()),
  row("ES256", "live", (factory) => ({ token: token(factory, {}, { alg: "ES256", kid: "es-1" }, factory.keys.es) }), accepted()),
  ...["ES384", "ES512"].map((alg) => {
    const own = makeKey("es-2", alg);
    return row(alg, "live", (factory) => ({ token: token(factory, {}, { alg, kid: "es-2" }, own), jwks: [own.jwk] }), accepted());
  }),
  row(
    "ES384 with a P-256 key",
    "inferred",
    (factory) => ({ token: token(factory, {}, { alg: "ES384", kid: "es-1" }, factory.keys.es) }),
    invalid(GENERIC, "signature-invalid"),
  ),
  row(
    "ES256 under the kid of an RSA key",
    "inferred",
    (factory) => ({ token: token(factory, {}, { alg: "ES256" }, factory.keys.es) }),
    invalid(NO_KEY, "key-unknown"),
  ),
];

/** A good token with the payload of another one. */
function spliced(factory: Factory, index: number): string {
  const parts = token(factory).split(".");
  parts[index] = token(factory, { jti: "another" }).split(".")[index] ?? "";
  return parts.join(".");
}

const keyRows: RecordedAnswer[] = [
  row("kid unknown", "live", withHeader({ kid: "nobody" }), invalid(NO_KEY, "key-unknown")),
  row("kid empty", "live", withHeader({ kid: "" }), invalid(NO_KEY, "key-unknown")),
  row("kid missing, several keys", "live", withHeader({ kid: undefined }), invalid(NO_KEY, "key-unknown")),
  row("kid missing, one key", "live", withKeys((factory) => [key(factory)], { kid: undefined }), accepted()),
  row("kid missing, one key of another type", "inferred", withKeys((factory) => [factory.keys.es.jwk], { kid: undefined }), invalid(NO_KEY, "key-unknown")),
  row("kid missing, the only one for signatures", "inferred", withKeys((factory) => [key(factory), key(factory, { kid: "other", use: "enc" })], { kid: undefined }), accepted()),
  row("JWK without kid", "live", withKeys((factory) => [key(factory, { kid: undefined })]), invalid(NO_KEY, "key-unknown")),
  row("JWK and token without kid", "live", withKeys((factory) => [key(factory, { kid: undefined })], { kid: undefined }), invalid(NO_KEY, "key-unknown")),
  row(
    "kid twice: the last is wrong",
    "live",
    withKeys((factory) => [key(factory), factory.keys.foreign.jwk]),
    invalid(GENERIC, "signature-invalid"),
  ),
  row("kid twice: the last is right", "live", withKeys((factory) => [factory.keys.foreign.jwk, key(factory)]), accepted()),
  row("key_ops sign", "live", withKeys((factory) => [key(factory, { key_ops: ["sign"] })]), invalid(GENERIC, "key-unusable")),
  row("key_ops verify", "live", withKeys((factory) => [key(factory, { key_ops: ["verify"] })]), invalid(GENERIC, "key-unusable")),
  row("use enc", "live", withKeys((factory) => [key(factory, { use: "enc" })]), invalid(NO_KEY, "key-unknown")),
  row("no use", "live", withKeys((factory) => [key(factory, { use: undefined })]), accepted()),
  row("alg of the JWK contradicts", "live", withKeys((factory) => [key(factory, { alg: "RS512" })]), accepted()),
  row("no parameters", "live", withKeys((factory) => [key(factory, { n: undefined, e: undefined })]), invalid(NO_KEY, "key-unusable")),
  row("x5c unreadable", "inferred", withKeys((factory) => [key(factory, { x5c: ["AAAA"] })]), invalid(GENERIC, "key-unusable")),
  row("100 RSA keys", "live", withKeys((factory) => [...copies(factory.keys.foreign, 99), key(factory)]), accepted()),
  row("101 RSA keys", "live", withKeys((factory) => [...copies(factory.keys.foreign, 100), key(factory)]), invalid(NO_KEY, "key-unknown")),
  row(
    "101 RSA keys, EC token",
    "live",
    (factory) => ({
      token: token(factory, {}, { alg: "ES256", kid: "es-1" }, factory.keys.es),
      jwks: [...copies(factory.keys.foreign, 101), factory.keys.es.jwk],
    }),
    accepted(),
  ),
  row(
    "101 EC keys, EC token",
    "documented",
    (factory) => ({
      token: token(factory, {}, { alg: "ES256", kid: "es-1" }, factory.keys.es),
      jwks: [...copies(factory.keys.es, 100), factory.keys.es.jwk],
    }),
    invalid(NO_KEY, "key-unknown"),
  ),
  row("no keys", "documented", withKeys(() => []), invalid(NO_KEY, "key-unknown")),
];

function copies({ jwk }: TestKey, count: number): JsonObject[] {
  return Array.from({ length: count }, (_, index) => ({ ...jwk, kid: `copy-${index}` }));
}

const withDiscovery = (change: (factory: Factory) => JsonObject) => (factory: Factory) => ({
  token: token(factory),
  discovery: Object.fromEntries(Object.entries({ ...discoveryOf(factory.issuer), ...change(factory) }).filter(([, value]) => value !== undefined)),
});

const discoveryRows: RecordedAnswer[] = [
  ...["issuer", "jwks_uri", "response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"].map((name) =>
    row(`discovery without ${name}`, "documented", withDiscovery(() => ({ [name]: undefined })), invalid(NO_KEY, "issuer-unavailable")),
  ),
  row("discovery with a trailing slash", "documented", withDiscovery(({ issuer }) => ({ issuer: `${issuer}/` })), invalid(NO_KEY, "issuer-unavailable")),
  row("discovery of another case", "documented", withDiscovery(({ issuer }) => ({ issuer: issuer.toUpperCase() })), invalid(NO_KEY, "issuer-unavailable")),
];

const issuerRows: RecordedAnswer[] = [
  row("issuer with a trailing slash", "live", ({ issuer, ...factory }) => ({ token: token({ issuer: `${issuer}/`, ...factory }) }), invalid(GENERIC, "provider-missing")),
  row("issuer of another case", "live", ({ issuer, ...factory }) => ({ token: token({ issuer: `https://${host({ issuer, ...factory }).toUpperCase()}`, ...factory }) }), invalid(GENERIC, "provider-missing")),
  row("issuer with a further path", "documented", ({ issuer, ...factory }) => ({ token: token({ issuer: `${issuer}/tenant`, ...factory }) }), invalid(GENERIC, "provider-missing")),
  row("issuer without scheme", "inferred", (factory) => ({ token: token(factory, { iss: host(factory) }) }), invalid(GENERIC, "provider-missing")),
];

const statement = (change: (factory: Factory) => JsonObject, claims: JsonObject = {}) => (factory: Factory) => ({
  token: token(factory, claims),
  trust: goodTrust(factory, change(factory)),
});
const condition = (of: (factory: Factory) => JsonObject, claims: JsonObject = {}) => statement((factory) => ({ Condition: of(factory) }), claims);

const trustRows: RecordedAnswer[] = [
  row("the wrong subject", "live", withClaims({ sub: "subject-probe2" }), notAuthorized("trust-refused")),
  row("a subject of another case", "live", withClaims({ sub: "Subject-probe" }), notAuthorized("trust-refused")),
  row("trust on another aud", "documented", condition((factory) => ({ StringEquals: { [`${host(factory)}:aud`]: "client-b" } })), notAuthorized("trust-refused")),
  row("trust on the same aud", "live", condition((factory) => ({ StringEquals: { [`${host(factory)}:aud`]: "client-a" } })), accepted()),
  row("trust on aud, which is azp", "live", condition((factory) => ({ StringEquals: { [`${host(factory)}:aud`]: "client-b" } }), { azp: "client-b" }), accepted({ audience: "client-b" })),
  row("trust on oaud, which is aud", "documented", condition((factory) => ({ StringEquals: { [`${host(factory)}:oaud`]: "client-a" } }), { azp: "client-b" }), accepted({ audience: "client-b" })),
  row("trust on email", "documented", condition((factory) => ({ StringEquals: { [`${host(factory)}:email`]: "a@example.com" } }), { email: "a@example.com" }), accepted()),
  row("trust on amr", "documented", condition((factory) => ({ "ForAnyValue:StringEquals": { [`${host(factory)}:amr`]: "mfa" } }), { amr: ["pwd", "mfa"] }), accepted()),
  row("trust on a claim that IAM does not expose", "documented", condition((factory) => ({ StringEquals: { [`${host(factory)}:tenant`]: "t1" } }), { tenant: "t1" }), notAuthorized("trust-refused")),
  row("condition key of another provider", "documented", condition(() => ({ StringEquals: { "issuer.invalid:sub": "subject-probe" } })), notAuthorized("trust-refused")),
  row("principal AWS *", "live", statement(() => ({ Principal: { AWS: "*" } })), notAuthorized("trust-refused")),
  row("principal *", "live", statement(() => ({ Principal: "*" })), notAuthorized("trust-refused")),
  row("principal of another provider", "live", statement(({ providerArn }) => ({ Principal: { Federated: `${providerArn}2` } })), notAuthorized("trust-refused")),
  row("principal in a list", "live", statement(({ providerArn }) => ({ Principal: { Federated: [`${providerArn}2`, providerArn] } })), accepted()),
  row("action AssumeRole", "live", statement(() => ({ Action: "sts:AssumeRole" })), notAuthorized("trust-refused")),
  row("action sts:*", "documented", statement(() => ({ Action: "sts:*" })), accepted()),
  row("action of another case", "documented", statement(() => ({ Action: "STS:assumerolewithwebidentity" })), accepted()),
  row("no aws:PrincipalArn", "live", condition(() => ({ Null: { "aws:PrincipalArn": "true" } })), accepted()),
  row("aws:PrincipalType", "live", condition(() => ({ StringEquals: { "aws:PrincipalType": "User" } })), accepted()),
  row("aws:PrincipalAccount is the provider's", "live", condition(({ providerArn }) => ({ StringEquals: { "aws:PrincipalAccount": providerArn.split(":")[4] ?? "" } })), accepted()),
  row("aws:userid is the provider", "live", condition(({ providerArn }) => ({ StringEquals: { "aws:userid": providerArn } })), accepted()),
  row("aws:FederatedProvider", "documented", condition(({ providerArn }) => ({ StringEquals: { "aws:FederatedProvider": providerArn } })), accepted()),
  row("session name as pinned", "documented", (factory) => ({ ...condition(() => ({ StringLike: { "sts:RoleSessionName": "dcf-*" } }))(factory), sessionName: "dcf-1" }), accepted()),
  row("session name not as pinned", "documented", (factory) => ({ ...condition(() => ({ StringLike: { "sts:RoleSessionName": "dcf-*" } }))(factory), sessionName: "other" }), notAuthorized("trust-refused")),
  row("a Deny beside the Allow", "documented", (factory) => ({ token: token(factory), trust: withDeny(factory, "subject-probe") }), notAuthorized("trust-refused")),
  row("a Deny for others", "documented", (factory) => ({ token: token(factory), trust: withDeny(factory, "somebody-else") }), accepted()),
  row("another role", "documented", (factory) => ({ token: token(factory), roleArn: `${factory.roleArn}-missing` }), notAuthorized("role-missing")),
];

function withDeny(factory: Factory, subject: string): JsonObject {
  const trust = goodTrust(factory);
  const deny = {
    Effect: "Deny",
    Principal: "*",
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${host(factory)}:sub`]: subject } },
  };
  return { ...trust, Statement: [...(trust["Statement"] as JsonObject[]), deny] };
}

const TAGS = "https://aws.amazon.com/tags";
const ROLES = "https://aws.amazon.com/roles";
const tagged = { [TAGS]: { principal_tags: { Tenant: ["t1"] }, transitive_tag_keys: ["Tenant"] } };
const roles = (value: (factory: Factory) => unknown) => (factory: Factory) => ({ token: token(factory, { [ROLES]: value(factory) }) });
const authorised = (value: string, claims: (factory: Factory) => JsonObject) => (factory: Factory) => ({
  token: token(factory, claims(factory)),
  trust: goodTrust(factory, { Condition: { Bool: { "sts:RoleAuthorizedByIdp": value } } }),
});

const sessionRows: RecordedAnswer[] = [
  row("session tags that the trust allows", "documented", withClaims(tagged), accepted()),
  row(
    "session tags that the trust does not allow",
    "inferred",
    (factory) => ({ token: token(factory, tagged), trust: goodTrust(factory, { Action: "sts:AssumeRoleWithWebIdentity" }) }),
    notAuthorized("tag-session-refused", "sts:TagSession"),
  ),
  row("a flat session tag", "live", withClaims({ [`${TAGS}/principal_tags/Tenant`]: "t1" }), accepted()),
  row("a tag that the trust demands", "documented", condition(() => ({ StringEquals: { "aws:RequestTag/Tenant": "t1" } }), tagged), accepted()),
  row("another tag than the trust demands", "documented", condition(() => ({ StringEquals: { "aws:RequestTag/Tenant": "t2" } }), tagged), notAuthorized("trust-refused")),
  row("tag keys that the trust allows", "documented", condition(() => ({ "ForAllValues:StringEquals": { "aws:TagKeys": ["Tenant"] } }), tagged), accepted()),
  row("tag values that are no list", "live", withClaims({ [TAGS]: { principal_tags: { Tenant: "t1" } } }), invalid(STS_MESSAGES.malformedTags(), "token-claim-invalid")),
  row("tag values of two", "live", withClaims({ [TAGS]: { principal_tags: { Tenant: ["a", "b"] } } }), invalid(STS_MESSAGES.malformedTags(), "token-claim-invalid")),
  row("a transitive key without tag", "inferred", withClaims({ [TAGS]: { principal_tags: { Tenant: ["a"] }, transitive_tag_keys: ["Other"] } }), invalid(STS_MESSAGES.malformedTags(), "token-claim-invalid")),
  row("roles claim with the role", "live", roles(({ roleArn }) => [roleArn]), accepted()),
  row("roles claim as text", "live", roles(({ roleArn }) => `${roleArn}2; ${roleArn}`), accepted()),
  row("roles claim null", "live", roles(() => null), accepted()),
  row("roles claim with other roles", "live", roles(({ roleArn }) => [`${roleArn}2`]), invalid(STS_MESSAGES.roleNotInClaim(), "roles-claim-refused")),
  row("roles claim empty", "live", roles(() => []), invalid(STS_MESSAGES.noRoleInClaim(), "roles-claim-refused")),
  row("roles claim without an ARN of a role", "live", roles(() => ["admin", 7]), invalid(STS_MESSAGES.noRoleInClaim(), "roles-claim-refused")),
  row("authorised by the issuer", "live", authorised("true", ({ roleArn }) => ({ [ROLES]: [roleArn] })), accepted()),
  row("not authorised by the issuer", "live", authorised("true", () => ({})), notAuthorized("trust-refused")),
  row("false without the claim", "live", authorised("false", () => ({})), accepted()),
];

const VALIDATION = "1 validation error detected: Value '";
const requestRows: RecordedAnswer[] = [
  row("the role's longest session", "documented", (factory) => ({ token: token(factory), durationSeconds: 3600 }), accepted()),
  row("longer than the role's sessions", "live", (factory) => ({ token: token(factory), durationSeconds: 3601 }), refused("ValidationError", 400, STS_MESSAGES.durationTooLong(), "duration-too-long")),
  row("the shortest session", "documented", (factory) => ({ token: token(factory), durationSeconds: 900 }), accepted()),
  row(
    "shorter than any session",
    "documented",
    (factory) => ({ token: token(factory), durationSeconds: 899 }),
    refused("ValidationError", 400, `${VALIDATION}899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900`, "duration-invalid"),
  ),
  row(
    "longer than any session",
    "documented",
    (factory) => ({ token: token(factory), durationSeconds: 43_201 }),
    refused("ValidationError", 400, `${VALIDATION}43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200`, "duration-invalid"),
  ),
  row(
    "session name with a space",
    "documented",
    (factory) => ({ token: token(factory), sessionName: "a b" }),
    refused("ValidationError", 400, `${VALIDATION}a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`, "session-name-invalid"),
  ),
  row(
    "session name of one character",
    "documented",
    (factory) => ({ token: token(factory), sessionName: "a" }),
    refused("ValidationError", 400, `${VALIDATION}a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2`, "session-name-invalid"),
  ),
  row("session name of 64 characters", "documented", (factory) => ({ token: token(factory), sessionName: "a".repeat(64) }), accepted()),
  row(
    "session name of 65 characters",
    "documented",
    (factory) => ({ token: token(factory), sessionName: "a".repeat(65) }),
    refused("ValidationError", 400, `${VALIDATION}${"a".repeat(65)}' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64`, "session-name-invalid"),
  ),
];

/** Every row; the first is the acceptance that each denial is the edge of. */
export const RECORDED_ANSWERS: readonly RecordedAnswer[] = [
  ...claimRows,
  ...timeRows,
  ...formRows,
  ...signatureRows,
  ...keyRows,
  ...discoveryRows,
  ...issuerRows,
  ...trustRows,
  ...sessionRows,
  ...requestRows,
];
