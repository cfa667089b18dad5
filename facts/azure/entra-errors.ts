/**
 * How Entra refuses a client assertion: codes, HTTP statuses, OAuth errors, texts. Microsoft promises only `error`; codes and texts
 * have changed before. https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import type { Grade } from "../rules.js";

/** When the same request may succeed without any change: a new credential or identity spreads within minutes, a new issuer or key within half an hour, what is busy within seconds. */
export type EntraRetry = "never" | "propagation" | "issuer" | "transient";

export interface EntraErrorFact {
  /** Number behind `AADSTS`. */
  readonly code: number;
  readonly httpStatus: number;
  /** OAuth's `error`. */
  readonly error: string;
  readonly retry: EntraRetry;
  /** Of code and text; where the HTTP status is less certain, a comment says so. */
  readonly grade: Grade;
  readonly source: string;
  /** `error_description` without `AADSTS…: `, ids and time. */
  text(...values: readonly string[]): string;
}

const REFERENCE = "https://learn.microsoft.com/entra/identity-platform/reference-error-codes";
const FEDERATION = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation";
const CONSIDERATIONS = `${FEDERATION}-considerations`;
const AZWI = "https://github.com/Azure/azure-workload-identity/issues";
const LOGIN = "https://github.com/Azure/login/issues";

const unmatched = `Check your federated identity credential Subject, Audience and Issuer against the presented assertion. ${FEDERATION}`;

export const ENTRA_ERRORS = {
  // ---- tenant ----
  tenantMalformed: {
    code: 900023,
    httpStatus: 400,
    error: "invalid_request",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/error-code-aadsts900023",
    text: (tenant) => `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid external domain.`,
  },
  tenantMissing: {
    code: 90002,
    httpStatus: 400,
    error: "invalid_request",
    retry: "never",
    grade: "documented",
    source: "https://github.com/Azure/azure-cli/issues/22145",
    text: (tenant) =>
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  },
  /** What a client with a credential of its own is told at another cloud's authority. */
  cloudDiffers: {
    code: 900382,
    httpStatus: 400,
    error: "invalid_request",
    retry: "never",
    grade: "documented",
    source: REFERENCE,
    text: () => "Confidential Client is not supported in Cross Cloud request.",
  },
  /** What others are told there, and clients with a credential were in earlier years. */
  cloudRedirect: {
    code: 90038,
    httpStatus: 400,
    error: "invalid_request",
    retry: "never",
    grade: "documented",
    source: REFERENCE,
    text: (tenant, cloud) => `Tenant '${tenant}' request is being redirected to the National Cloud '${cloud}'.`,
  },

  // ---- client ----
  clientMissing: {
    code: 700016,
    httpStatus: 400,
    error: "unauthorized_client",
    retry: "propagation",
    grade: "documented",
    source: "https://github.com/hashicorp/terraform-provider-azurerm/issues/20623",
    text: (client, tenant) =>
      `Application with identifier '${client}' was not found in the directory '${tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  },
  servicePrincipalMissing: {
    code: 7000229,
    httpStatus: 401,
    error: "invalid_client",
    retry: "propagation",
    grade: "documented",
    source: "https://github.com/Azure/Commercial-Marketplace-SaaS-Accelerator/issues/830",
    text: (client, tenant) => `The client application ${client} is missing service principal in the tenant ${tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119`,
  },
  /** The HTTP status is inferred. */
  servicePrincipalDisabled: {
    code: 7000112,
    httpStatus: 400,
    error: "unauthorized_client",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/error-code-aadsts7000112-application-is-disabled",
    text: (client, name) => `Application '${client}'(${name}) is disabled.`,
  },
  /** Error and HTTP status are those of interactive sign-ins. */
  conditionalAccess: {
    code: 53003,
    httpStatus: 400,
    error: "invalid_grant",
    retry: "never",
    grade: "inferred",
    source: "https://learn.microsoft.com/entra/identity/conditional-access/workload-identity",
    text: () => "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
  },

  // ---- request ----
  parameterMissing: {
    code: 900144,
    httpStatus: 400,
    error: "invalid_request",
    retry: "never",
    grade: "documented",
    source: REFERENCE,
    text: (name) => `The request body must contain the following parameter: '${name}'.`,
  },
  grantType: {
    code: 70003,
    httpStatus: 400,
    error: "unsupported_grant_type",
    retry: "never",
    grade: "documented",
    source: REFERENCE,
    text: (grantType) => `The app requested an unsupported grant type '${grantType}'.`,
  },
  /** Also, it is concluded, where `client_assertion_type` is none that Entra knows. */
  assertionMissing: {
    code: 7000218,
    httpStatus: 401,
    error: "invalid_client",
    retry: "never",
    grade: "documented",
    source: REFERENCE,
    text: () => "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  },
  scope: {
    code: 1002012,
    httpStatus: 400,
    error: "invalid_scope",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/error-code-aadsts1002012",
    text: (scope) =>
      `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
  },
  resourceUnknown: {
    code: 500011,
    httpStatus: 400,
    error: "invalid_resource",
    retry: "never",
    grade: "documented",
    source: REFERENCE,
    text: (resource, tenant) =>
      `The resource principal named ${resource} was not found in the tenant named ${tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
  },

  // ---- assertion ----
  assertionMalformed: {
    code: 50027,
    httpStatus: 400,
    error: "invalid_request",
    retry: "never",
    grade: "documented",
    source: "https://github.com/panva/openid-client/issues/348",
    text: () => "JWT token is invalid or malformed.",
  },
  assertionType: {
    code: 5002727,
    httpStatus: 400,
    error: "invalid_request",
    retry: "never",
    grade: "documented",
    source: "https://github.com/Azure/azure-workload-identity/issues",
    text: () => "Invalid JWT header type specified. Allowed types: 'JWT','http://openid.net/specs/jwt/1.0'.",
  },
  /** The HTTP status is inferred from that of the neighbouring codes. */
  algorithm: {
    code: 5002738,
    httpStatus: 400,
    error: "invalid_request",
    retry: "never",
    grade: "documented",
    source: "https://github.com/AzureAD/microsoft-identity-web/issues/3467",
    text: (algorithm) => `Invalid JWT token. '${algorithm}' is not a supported signature algorithm.`,
  },
  keyUnusable: {
    code: 5002730,
    httpStatus: 400,
    error: "invalid_request",
    retry: "never",
    grade: "documented",
    source: "https://github.com/AzureAD/microsoft-authentication-library-for-dotnet/issues/4712",
    text: () => "Invalid JWT token. Unsupported key for the signing algorithm.",
  },
  assertionTime: {
    code: 700024,
    httpStatus: 401,
    error: "invalid_client",
    retry: "never",
    grade: "documented",
    source: `${LOGIN}/180`,
    text: (now, from, until) =>
      `Client assertion is not within its valid time range. Current time: ${now}, assertion valid from ${from}, expiry time of assertion ${until}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .`,
  },

  // ---- credentials ----
  noCredentials: {
    code: 70025,
    httpStatus: 401,
    error: "invalid_client",
    retry: "propagation",
    grade: "documented",
    source: CONSIDERATIONS,
    text: (name) => `The client '${name}' has no configured federated identity credentials.`,
  },
  issuer: {
    code: 700211,
    httpStatus: 401,
    error: "invalid_client",
    retry: "propagation",
    grade: "documented",
    source: `${AZWI}/1200`,
    text: (issuer) => `No matching federated identity record found for presented assertion issuer '${issuer}'. ${unmatched}`,
  },
  audience: {
    code: 700212,
    httpStatus: 401,
    error: "invalid_client",
    retry: "propagation",
    grade: "documented",
    source: "https://github.com/hashicorp/terraform-provider-azuread/issues/1755",
    text: (audience) => `No matching federated identity record found for presented assertion audience '${audience}'. ${unmatched}`,
  },
  subject: {
    code: 700213,
    httpStatus: 401,
    error: "invalid_client",
    retry: "propagation",
    grade: "documented",
    source: `${LOGIN}/482`,
    text: (subject) => `No matching federated identity record found for presented assertion subject '${subject}'. ${unmatched}`,
  },
  subjectCase: {
    code: 7002138,
    httpStatus: 401,
    error: "invalid_client",
    retry: "never",
    grade: "documented",
    source: `${LOGIN}/515`,
    text: (subject) =>
      `No matching federated identity record found for presented assertion subject '${subject}'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ${unmatched}`,
  },
  /** For tokens of Entra's own, as of a managed identity that an application trusts. */
  subjectOfEntra: {
    code: 7002137,
    httpStatus: 401,
    error: "invalid_client",
    retry: "propagation",
    grade: "documented",
    source: "https://github.com/microsoft/Agents/issues/202",
    text: (subject) => `No matching federated identity record found for presented assertion subject '${subject}'. ${unmatched}`,
  },
  /** Where one of the credentials is flexible: an expression of claims instead of a subject. */
  subjectOrExpression: {
    code: 7002131,
    httpStatus: 401,
    error: "invalid_client",
    retry: "propagation",
    grade: "documented",
    source: "https://learn.microsoft.com/entra/workload-id/workload-identities-flexible-federated-identity-credentials",
    text: (subject) => `No matching federated identity record found for presented assertion subject '${subject}' or no federated identity credential expression matched. ${unmatched}`,
  },
  /** Of earlier years, and while a credential spreads. */
  unmatched: {
    code: 70021,
    httpStatus: 400,
    error: "invalid_request",
    retry: "propagation",
    grade: "documented",
    source: `${AZWI}/576`,
    text: (issuer, subject, audience) =>
      `No matching federated identity record found for presented assertion. Assertion Issuer: '${issuer}'. Assertion Subject: '${subject}'. Assertion Audience: '${audience}'. ${FEDERATION}`,
  },
  issuerNotAllowed: {
    code: 700222,
    httpStatus: 400,
    error: "invalid_request",
    retry: "never",
    grade: "documented",
    source: "https://github.com/MicrosoftDocs/azure-docs/issues/90276",
    text: () => "AAD-issued tokens may not be used for federated identity flows.",
  },

  // ---- the issuer's keys ----
  issuerEndpoint: {
    code: 501661,
    httpStatus: 400,
    error: "invalid_request",
    retry: "issuer",
    grade: "documented",
    source: `${LOGIN}/283`,
    text: () => "Request to External OIDC endpoint failed.",
  },
  issuerMetadata: {
    code: 50166,
    httpStatus: 400,
    error: "invalid_request",
    retry: "issuer",
    grade: "documented",
    source: `${AZWI}/605`,
    text: () => "Request to External OIDC endpoint failed.",
  },
  issuerRequest: {
    code: 90061,
    httpStatus: 400,
    error: "invalid_request",
    retry: "issuer",
    grade: "documented",
    source: `${AZWI}/642`,
    text: () => "Request to External OIDC endpoint failed.",
  },
  /** The HTTP status is that of the other codes about an assertion; how the key's id is written is inferred. */
  keyUnknown: {
    code: 7000272,
    httpStatus: 401,
    error: "invalid_client",
    retry: "issuer",
    grade: "documented",
    source: `${AZWI}/1232`,
    text: (key, issuer) =>
      `The certificate with identifier ${key} used to sign the federated credential could not be found in the metadata of identity provider ${issuer}. Please validate that your Identity Provider's metadata exposes the key used to sign the incoming token.`,
  },
  signature: {
    code: 7000274,
    httpStatus: 401,
    error: "invalid_client",
    retry: "never",
    grade: "inferred",
    source: "https://github.com/AzureAD/microsoft-identity-web/blob/master/src/Microsoft.Identity.Web.TokenAcquisition/Constants.cs",
    text: () => "Client assertion contains an invalid signature.",
  },
  /** Of clients that have certificates instead of federated credentials. */
  certificate: {
    code: 700027,
    httpStatus: 401,
    error: "invalid_client",
    retry: "never",
    grade: "documented",
    source: REFERENCE,
    text: () => "The certificate with identifier used to sign the client assertion is not registered on application.",
  },

  // ---- other secrets, for whoever has one ----
  secretInvalid: {
    code: 7000215,
    httpStatus: 401,
    error: "invalid_client",
    retry: "never",
    grade: "documented",
    source: REFERENCE,
    text: (client) => `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${client}'.`,
  },
  secretExpired: {
    code: 7000222,
    httpStatus: 401,
    error: "invalid_client",
    retry: "never",
    grade: "documented",
    source: REFERENCE,
    text: (client) => `The provided client secret keys for app '${client}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.`,
  },

  // ---- busy ----
  unavailable: {
    code: 90033,
    httpStatus: 503,
    error: "temporarily_unavailable",
    retry: "transient",
    grade: "documented",
    source: REFERENCE,
    text: () => "A transient error has occurred. Please try again.",
  },
  throttled: {
    code: 90055,
    httpStatus: 429,
    error: "temporarily_unavailable",
    retry: "transient",
    grade: "documented",
    source: REFERENCE,
    text: () => "The tenant is throttled because there were too many requests.",
  },
} as const satisfies Record<string, EntraErrorFact>;

export type EntraErrorName = keyof typeof ENTRA_ERRORS;

const byCode = new Map<number, EntraErrorName>(Object.entries(ENTRA_ERRORS).map(([name, { code }]) => [code, name as EntraErrorName]));

/** By the number of an AADSTS code; undefined for one that is not known here. */
export function entraErrorName(code: number): EntraErrorName | undefined {
  return byCode.get(code);
}
