/**
 * What Entra's token endpoint answers to an assertion, row by row, apart from how it is asked: a test gives the factory (keys) and presents
 * the row to the function or over the wire. Texts are written out here, not taken from the tables under test. Documented rows are texts of
 * Microsoft's pages, or that users posted of the service's answers (https://github.com/Azure/login/issues,
 * https://github.com/Azure/azure-workload-identity/issues); the others are conclusions.
 */
import type { AzureCloudName } from "../../facts/azure/clouds.js";
import type { Grade } from "../../facts/rules.js";
import type { AssertionReason, FederatedClient, FederatedIdentityCredential } from "../../trust/azure.js";
import type { JsonObject } from "../../trust/jwt.js";
import { discoveryOf, makeKey, signToken, type TestKey } from "./tokens.js";

export const TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
export const CLIENT = "00001111-aaaa-2222-bbbb-3333cccc4444";
export const PRINCIPAL = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb";
export const ISSUER = "https://oidc.dcf.example";
export const SUBJECT = "system:serviceaccount:dcf:project-4711";
export const AUDIENCE = "api://AzureADTokenExchange";
/** Whole seconds since 1970. */
export const NOW = 1_790_000_000;

export interface Factory {
  rsa: TestKey;
  es: TestKey;
  foreign: TestKey;
}

export const makeFactory = (): Factory => ({ rsa: makeKey("rsa-1"), es: makeKey("es-1", "ES256"), foreign: makeKey("rsa-1") });

export interface PresentedAssertion {
  assertion: string;
  /** Of the request and the tenant; defaults: all right. */
  cloud?: AzureCloudName;
  tenant?: string;
  knownTenant?: { tenantId: string; cloud: AzureCloudName } | null;
  clientId?: string;
  grantType?: string;
  assertionType?: string;
  scope?: string;
  client?: Partial<FederatedClient> | null;
  blockedBy?: string;
  /** What the issuer serves; default: a sound discovery document and all keys. `null`: it cannot be had. */
  jwks?: JsonObject | null;
  discovery?: unknown;
}

export interface RecordedAssertion {
  name: string;
  grade: Grade;
  present(factory: Factory): PresentedAssertion;
  /** Absent: accepted. */
  refusal?: { status: number; error: string; code: number; message: string; reason: AssertionReason };
}

export const goodCredential = (changes: Partial<FederatedIdentityCredential> = {}): FederatedIdentityCredential => ({ name: "dcf", issuer: ISSUER, subject: SUBJECT, audiences: [AUDIENCE], ...changes });

export const goodClient = (changes: Partial<FederatedClient> = {}): FederatedClient => ({
  kind: "managed-identity",
  clientId: CLIENT,
  displayName: "id-acme-dcf",
  servicePrincipal: { objectId: PRINCIPAL, enabled: true },
  credentials: [goodCredential()],
  ...changes,
});

export const goodClaims = (): JsonObject => ({ iss: ISSUER, sub: SUBJECT, aud: AUDIENCE, iat: NOW - 10, nbf: NOW - 10, exp: NOW + 600 });

const there = (members: JsonObject): JsonObject => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

export function assertion(factory: Factory, claims: JsonObject = {}, header: JsonObject = {}, key: TestKey = factory.rsa): string {
  return signToken(there({ alg: "RS256", typ: "JWT", kid: "rsa-1", ...header }), there({ ...goodClaims(), ...claims }), key.privateKey);
}

export const keysOf = (factory: Factory): JsonObject => ({ keys: [factory.rsa.jwk, factory.es.jwk] });

const CHECK = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation";
const noIssuer = (found: string) => `No matching federated identity record found for presented assertion issuer '${found}'. ${CHECK}`;
const noAudience = (found: string) => `No matching federated identity record found for presented assertion audience '${found}'. ${CHECK}`;
const noSubject = (found: string) => `No matching federated identity record found for presented assertion subject '${found}'. ${CHECK}`;
const byCase = (found: string) =>
  `No matching federated identity record found for presented assertion subject '${found}'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ${CHECK}`;
const outOfTime = (from: number, until: number) =>
  `Client assertion is not within its valid time range. Current time: ${stamp(NOW)}, assertion valid from ${stamp(from)}, expiry time of assertion ${stamp(until)}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .`;
const stamp = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}.0000000Z`;
const NO_TENANT = (tenant: string) =>
  `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`;
const MALFORMED = "JWT token is invalid or malformed.";
const ENDPOINT = "Request to External OIDC endpoint failed.";
const TYPE = "Invalid JWT header type specified. Allowed types: 'JWT','http://openid.net/specs/jwt/1.0'.";
const SCOPE = (scope: string) =>
  `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`;
const NO_ASSERTION = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
/** Of `rsa-1`, as base64url. */
const KEY_ID = "AEC6BE";

type Present = RecordedAssertion["present"];
type Refusal = NonNullable<RecordedAssertion["refusal"]>;
const accepted = (name: string, grade: Grade, present: Present): RecordedAssertion => ({ name, grade, present });
const refused =
  (status: number, error: string) =>
  (name: string, grade: Grade, code: number, message: string, reason: Refusal["reason"], present: Present): RecordedAssertion => ({ name, grade, present, refusal: { status, error, code, message, reason } });
const invalidClient = refused(401, "invalid_client");
const invalidRequest = refused(400, "invalid_request");

const claims =
  (changes: JsonObject, more: Partial<PresentedAssertion> = {}): Present =>
  (factory) => ({ assertion: assertion(factory, changes), ...more });
const header =
  (changes: JsonObject): Present =>
  (factory) => ({ assertion: assertion(factory, {}, changes) });
const request =
  (changes: Partial<PresentedAssertion>): Present =>
  (factory) => ({ assertion: assertion(factory), ...changes });
const credentials = (...list: Partial<FederatedIdentityCredential>[]): Partial<PresentedAssertion> => ({ client: { credentials: list.map((changes, index) => goodCredential({ name: `c${index}`, ...changes })) } });

const tenantRows: RecordedAssertion[] = [
  accepted("a good assertion", "documented", request({})),
  accepted("the tenant's domain", "documented", request({ tenant: "customer.onmicrosoft.example" })),
  ...["undefined", "customer", "cust omer.example", "-a.example", ".example", `${TENANT}0`].map((tenant) =>
    invalidRequest(`the tenant ${tenant}`, "documented", 900023, `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid external domain.`, "tenant-malformed", request({ tenant, knownTenant: null })),
  ),
  invalidRequest("a tenant that nobody has", "documented", 90002, NO_TENANT("bbbbcccc-1111-dddd-2222-eeee3333ffff"), "tenant-missing", request({ tenant: "bbbbcccc-1111-dddd-2222-eeee3333ffff", knownTenant: null })),
  invalidRequest("another cloud's authority", "documented", 900382, "Confidential Client is not supported in Cross Cloud request.", "cloud-differs", request({ cloud: "usgovernment" })),
  accepted("a tenant of that cloud", "documented", request({ cloud: "usgovernment", knownTenant: { tenantId: TENANT, cloud: "usgovernment" } })),
];

const requestRows: RecordedAssertion[] = [
  invalidRequest("no grant_type", "documented", 900144, "The request body must contain the following parameter: 'grant_type'.", "request-malformed", request({ grantType: "" })),
  invalidRequest("no client_id", "documented", 900144, "The request body must contain the following parameter: 'client_id'.", "request-malformed", request({ clientId: "" })),
  invalidRequest("no scope", "documented", 900144, "The request body must contain the following parameter: 'scope'.", "request-malformed", request({ scope: "" })),
  refused(400, "unsupported_grant_type")("another grant type", "documented", 70003, "The app requested an unsupported grant type 'token_exchange'.", "request-malformed", request({ grantType: "token_exchange" })),
  invalidClient("another assertion type", "inferred", 7000218, NO_ASSERTION, "request-malformed", request({ assertionType: "urn:ietf:params:oauth:client-assertion-type:saml2-bearer" })),
  invalidClient("no assertion", "documented", 7000218, NO_ASSERTION, "request-malformed", () => ({ assertion: "" })),
  ...["https://management.azure.com", "https://management.azure.com/user_impersonation", "/.default", "https://a.example/.default https://b.example/.default"].map((scope) =>
    refused(400, "invalid_scope")(`the scope ${scope}`, "documented", 1002012, SCOPE(scope), "request-malformed", request({ scope })),
  ),
  accepted("a scope with two slashes, as az writes it", "documented", request({ scope: "https://management.azure.com//.default" })),
  refused(400, "invalid_resource")(
    "a resource that the tenant does not know",
    "documented",
    500011,
    `The resource principal named https://nobody.example was not found in the tenant named ${TENANT}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
    "resource-unknown",
    request({ scope: "https://nobody.example/.default" }),
  ),
];

const clientRows: RecordedAssertion[] = [
  refused(400, "unauthorized_client")(
    "a client that the tenant does not have",
    "documented",
    700016,
    `Application with identifier '${CLIENT}' was not found in the directory '${TENANT}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
    "client-missing",
    request({ client: null }),
  ),
  invalidClient(
    "an application without service principal",
    "documented",
    7000229,
    `The client application ${CLIENT} is missing service principal in the tenant ${TENANT}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119`,
    "service-principal-missing",
    request({ client: { kind: "application", servicePrincipal: undefined } }),
  ),
  refused(400, "unauthorized_client")("a disabled service principal", "documented", 7000112, `Application '${CLIENT}'(id-acme-dcf) is disabled.`, "service-principal-disabled", request({ client: { servicePrincipal: { objectId: PRINCIPAL, enabled: false } } })),
  refused(400, "invalid_grant")(
    "a Conditional Access policy",
    "inferred",
    53003,
    "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    "conditional-access",
    request({ blockedBy: "Workloads from known places" }),
  ),
  invalidClient("a client without credentials", "documented", 70025, "The client 'id-acme-dcf' has no configured federated identity credentials.", "no-credentials", request({ client: { credentials: [] } })),
];

const formRows: RecordedAssertion[] = [
  ...["no.jwt", "x", "a.b.c.d"].map((text) => invalidRequest(`${text} for an assertion`, "documented", 50027, MALFORMED, "assertion-malformed", () => ({ assertion: text }))),
  ...["iss", "sub", "aud", "exp"].map((name) => invalidRequest(`no ${name}`, "inferred", 50027, MALFORMED, "assertion-malformed", claims({ [name]: undefined }))),
  invalidRequest("a subject that is no text", "inferred", 50027, MALFORMED, "assertion-malformed", claims({ sub: 4711 })),
  invalidRequest("an expiry that is no number", "inferred", 50027, MALFORMED, "assertion-malformed", claims({ exp: "soon" })),
  accepted("a list of one audience, as Kubernetes writes it", "documented", claims({ aud: [AUDIENCE] })),
  invalidRequest("two audiences", "inferred", 50027, MALFORMED, "assertion-malformed", claims({ aud: [AUDIENCE, "sts.amazonaws.com"] })),
  accepted("no typ", "inferred", header({ typ: undefined })),
  accepted("the other typ", "documented", header({ typ: "http://openid.net/specs/jwt/1.0" })),
  accepted("a typ in lower case", "inferred", header({ typ: "jwt" })),
  invalidRequest("the typ at+jwt", "documented", 5002727, TYPE, "assertion-type-invalid", header({ typ: "at+jwt" })),
  invalidRequest("a typ that is no text", "inferred", 5002727, TYPE, "assertion-type-invalid", header({ typ: 1 })),
  invalidRequest("ES256", "documented", 5002738, "Invalid JWT token. 'ES256' is not a supported signature algorithm.", "algorithm-unsupported", (factory) => ({ assertion: assertion(factory, {}, { alg: "ES256", kid: "es-1" }, factory.es) })),
  ...["RS384", "none", "HS256"].map((alg) => invalidRequest(alg, "inferred", 5002738, `Invalid JWT token. '${alg}' is not a supported signature algorithm.`, "algorithm-unsupported", header({ alg }))),
  invalidRequest("no alg", "inferred", 5002738, "Invalid JWT token. '' is not a supported signature algorithm.", "algorithm-unsupported", header({ alg: undefined })),
];

const timeRows: RecordedAssertion[] = [
  accepted("expired as long ago as is tolerated", "inferred", claims({ exp: NOW - 300 })),
  invalidClient("expired a second longer ago", "documented", 700024, outOfTime(NOW - 10, NOW - 301), "assertion-expired", claims({ exp: NOW - 301 })),
  accepted("ahead as far as is tolerated", "inferred", claims({ nbf: NOW + 300 })),
  invalidClient("a second further ahead", "documented", 700024, outOfTime(NOW + 301, NOW + 600), "assertion-not-yet-valid", claims({ nbf: NOW + 301 })),
  invalidClient("issued ahead, without nbf", "inferred", 700024, outOfTime(NOW + 301, NOW + 600), "assertion-not-yet-valid", claims({ nbf: undefined, iat: NOW + 301 })),
  accepted("issued ahead, with an nbf in time", "inferred", claims({ iat: NOW + 301 })),
  accepted("neither nbf nor iat", "inferred", claims({ nbf: undefined, iat: undefined })),
];

const matchRows: RecordedAssertion[] = [
  ...[`${ISSUER}/`, "https://OIDC.dcf.example", "https://oidc.ddoe.example", ` ${ISSUER}`, `${ISSUER}\u200B`].map((iss) => invalidClient(`the issuer ${JSON.stringify(iss)}`, "documented", 700211, noIssuer(iss), "issuer-differs", claims({ iss }))),
  ...[`${AUDIENCE}USGov`, "api://azureadtokenexchange", `${AUDIENCE}/`, "sts.amazonaws.com", ""].map((aud) => invalidClient(`the audience ${JSON.stringify(aud)}`, "documented", 700212, noAudience(aud), "audience-differs", claims({ aud }))),
  ...["system:serviceaccount:dcf:project-4712", "project-4711", `${SUBJECT} `, `${SUBJECT}/`, ""].map((sub) => invalidClient(`the subject ${JSON.stringify(sub)}`, "documented", 700213, noSubject(sub), "subject-differs", claims({ sub }))),
  invalidClient("the subject in another case", "documented", 7002138, byCase("system:serviceaccount:DCF:project-4711"), "subject-case-differs", claims({ sub: "system:serviceaccount:DCF:project-4711" })),
  invalidClient("issuer and subject wrong", "inferred", 700211, noIssuer("https://x.example"), "issuer-differs", claims({ iss: "https://x.example", sub: "x" })),
  invalidClient("audience and subject wrong", "inferred", 700212, noAudience("x"), "audience-differs", claims({ aud: "x", sub: "x" })),
  accepted("a second credential that fits", "documented", claims({}, credentials({ subject: "other" }, {}))),
  invalidClient("three credentials with a right value each", "inferred", 700212, noAudience(AUDIENCE), "audience-differs", claims({}, credentials({ audiences: ["x"] }, { issuer: "https://x.example" }, { issuer: "https://y.example", audiences: ["y"] }))),
  invalidClient("issuer and audience on one credential, subject on another", "inferred", 700213, noSubject(SUBJECT), "subject-differs", claims({}, credentials({ audiences: ["x"] }, { subject: "other" }))),
  invalidClient("the subject's case on a credential for another audience", "inferred", 700213, noSubject(SUBJECT), "subject-differs", claims({}, credentials({ audiences: ["x"], subject: SUBJECT.toUpperCase() }, { subject: "other" }))),
  invalidClient("a wildcard in the credential", "documented", 700213, noSubject(SUBJECT), "subject-differs", claims({}, credentials({ subject: "system:serviceaccount:dcf:*" }))),
  invalidClient("an expression in the credential", "inferred", 700211, noIssuer(ISSUER), "issuer-differs", claims({}, credentials({ subject: "", claimsMatchingExpression: "claims['sub'] matches '*'" }))),
];

const keyRows: RecordedAssertion[] = [
  invalidRequest("an issuer out of reach", "documented", 501661, ENDPOINT, "issuer-unavailable", request({ jwks: null })),
  ...["issuer", "jwks_uri", "subject_types_supported"].map((name) => invalidRequest(`metadata without ${name}`, "documented", 501661, ENDPOINT, "metadata-invalid", request({ discovery: there({ ...discoveryOf(ISSUER), [name]: undefined }) }))),
  invalidRequest("metadata with no subject types", "documented", 501661, ENDPOINT, "metadata-invalid", request({ discovery: { ...discoveryOf(ISSUER), subject_types_supported: [] } })),
  invalidRequest("metadata with an empty authorization_endpoint", "documented", 501661, ENDPOINT, "metadata-invalid", request({ discovery: { ...discoveryOf(ISSUER), authorization_endpoint: "" } })),
  accepted("metadata with an authorization_endpoint", "documented", request({ discovery: { ...discoveryOf(ISSUER), authorization_endpoint: `${ISSUER}/authorize` } })),
  invalidRequest("metadata of another issuer", "inferred", 501661, ENDPOINT, "metadata-invalid", request({ discovery: { ...discoveryOf(ISSUER), issuer: `${ISSUER}/` } })),
  invalidRequest("metadata that is no object", "inferred", 501661, ENDPOINT, "metadata-invalid", request({ discovery: [] })),
  ...(["rsa-1", ""] as const).map((kid) =>
    invalidClient(
      kid === "" ? "no kid" : "a key that the issuer does not have",
      kid === "" ? "inferred" : "documented",
      7000272,
      `The certificate with identifier ${kid === "" ? "" : KEY_ID} used to sign the federated credential could not be found in the metadata of identity provider ${ISSUER}. Please validate that your Identity Provider's metadata exposes the key used to sign the incoming token.`,
      "key-unknown",
      (factory) => ({ assertion: assertion(factory, {}, { kid: kid === "" ? undefined : kid }), jwks: { keys: [factory.es.jwk] } }),
    ),
  ),
  invalidClient("somebody else's key with the right kid", "inferred", 7000274, "Client assertion contains an invalid signature.", "signature-invalid", (factory) => ({ assertion: assertion(factory, {}, {}, factory.foreign) })),
  invalidRequest("a key of another type with the right kid", "documented", 5002730, "Invalid JWT token. Unsupported key for the signing algorithm.", "key-unusable", header({ kid: "es-1" })),
  invalidRequest("a key that is not for signatures", "inferred", 5002730, "Invalid JWT token. Unsupported key for the signing algorithm.", "key-unusable", (factory) => ({ assertion: assertion(factory), jwks: { keys: [{ ...factory.rsa.jwk, use: "enc" }] } })),
];

/** Where two things are wrong: which is told. */
const orderRows: RecordedAssertion[] = [
  invalidRequest("tenant before request", "inferred", 90002, NO_TENANT(TENANT), "tenant-missing", request({ knownTenant: null, scope: "" })),
  invalidRequest("request before client", "inferred", 900144, "The request body must contain the following parameter: 'scope'.", "request-malformed", request({ scope: "", client: null })),
  invalidRequest("tenant before client", "inferred", 90002, NO_TENANT(TENANT), "tenant-missing", request({ knownTenant: null, client: null })),
  invalidClient("credentials before times", "inferred", 700213, noSubject("x"), "subject-differs", claims({ sub: "x", exp: NOW - 900 })),
  invalidClient("times before keys", "inferred", 700024, outOfTime(NOW - 10, NOW - 900), "assertion-expired", claims({ exp: NOW - 900 }, { jwks: null })),
  invalidRequest("keys before the service principal", "inferred", 501661, ENDPOINT, "issuer-unavailable", request({ jwks: null, client: { servicePrincipal: undefined } })),
  refused(400, "unauthorized_client")("the service principal before the resource", "inferred", 7000112, `Application '${CLIENT}'(id-acme-dcf) is disabled.`, "service-principal-disabled", request({ client: { servicePrincipal: { objectId: PRINCIPAL, enabled: false } }, scope: "https://nobody.example/.default" })),
];

export const RECORDED_ASSERTIONS: readonly RecordedAssertion[] = [...tenantRows, ...requestRows, ...clientRows, ...formRows, ...timeRows, ...matchRows, ...keyRows, ...orderRows];
