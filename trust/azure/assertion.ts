/**
 * Would Entra give a token for this assertion?
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential
 *
 * What the path and the request say comes first, then whether there is such a client, then what the assertion says of itself and which
 * credential it is matched by; only then are its issuer's keys asked. What the tenant allows the client comes last.
 */
import { azureClouds } from "../../facts/azure/clouds.js";
import { ASSERTION_TYPE, GRANT_TYPE, resourceOfScope } from "../../facts/azure/entra.js";
import type { DecodedJwt } from "../jwt.js";
import { matchCredential } from "./credentials.js";
import { checkSignature, discoveryMistakes } from "./issuer-keys.js";
import { isRefusal, refuse, type AssertionRefusal } from "./refusal.js";
import { checkTimes, readAssertion, workloadOf } from "./token-claims.js";
import type { AssertionIssuerEvidence, ClientAssertionAnswer, ClientAssertionQuestion, FederatedClient, FederatedIdentityCredential } from "./types.js";

/** Asks the issuer at most once, and only for an assertion that a credential matches and that is in time. */
export async function evaluateClientAssertion(question: ClientAssertionQuestion): Promise<ClientAssertionAnswer> {
  const refused = checkTenant(question) ?? checkRequest(question);
  if (refused !== undefined) return refused;
  const { client } = question;
  if (client === undefined) return refuse("client-missing", "clientMissing", [question.clientId, question.tenant], `the tenant ${question.tenant} has no application or managed identity with the client id ${question.clientId}`);
  const token = readAssertion(question.assertion);
  if (isRefusal(token)) return token;
  const claims = workloadOf(token.claims);
  if (isRefusal(claims)) return claims;
  const credential = matchCredential(client, claims);
  if (isRefusal(credential)) return credential;
  const rejected = checkTimes(token.claims, question.now) ?? checkKeys(token, credential.issuer, await question.issuer(credential.issuer)) ?? checkServicePrincipal(client, question.tenant);
  return rejected ?? decideResource(question, credential);
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DOMAIN = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i;

/** Undefined when the tenant in the path is there, in the cloud that was asked. */
export function checkTenant({ tenant, knownTenant, cloud }: Pick<ClientAssertionQuestion, "tenant" | "knownTenant" | "cloud">): AssertionRefusal | undefined {
  if (!GUID.test(tenant) && !DOMAIN.test(tenant)) return refuse("tenant-malformed", "tenantMalformed", [tenant], `${JSON.stringify(tenant)} is neither a tenant id (a GUID) nor a domain name`);
  if (knownTenant === undefined) return refuse("tenant-missing", "tenantMissing", [tenant], `there is no tenant ${tenant}`);
  if (knownTenant.cloud === cloud) return undefined;
  const { title, loginHost } = azureClouds[knownTenant.cloud];
  return refuse("cloud-differs", "cloudDiffers", [], `the tenant ${tenant} is of ${title}, whose authority is https://${loginHost}; asked was ${azureClouds[cloud].loginHost}`);
}

/** The request's own parameters. */
function checkRequest({ grantType, assertionType, assertion, scope, clientId }: ClientAssertionQuestion): AssertionRefusal | undefined {
  const missing = Object.entries({ grant_type: grantType, client_id: clientId, scope }).find(([, value]) => value === "")?.[0];
  if (missing !== undefined) return refuse("request-malformed", "parameterMissing", [missing], `the request has no ${missing}`);
  if (grantType !== GRANT_TYPE) return refuse("request-malformed", "grantType", [grantType], `grant_type must be ${GRANT_TYPE}; it is ${JSON.stringify(grantType)}`);
  if (assertion === "") return refuse("request-malformed", "assertionMissing", [], "the request has no client_assertion");
  if (assertionType !== ASSERTION_TYPE) return refuse("request-malformed", "assertionMissing", [], `client_assertion_type must be ${ASSERTION_TYPE}; it is ${JSON.stringify(assertionType)}`);
  return resourceOfScope(scope) === undefined ? refuse("request-malformed", "scope", [scope], `scope must be one resource with /.default behind it; it is ${JSON.stringify(scope)}`) : undefined;
}

/** Undefined when the issuer's documents vouch for the token. */
export function checkKeys(token: DecodedJwt, issuer: string, evidence: AssertionIssuerEvidence): AssertionRefusal | undefined {
  if (evidence.status === "unavailable") return refuse("issuer-unavailable", "issuerEndpoint", [], `the documents of ${issuer} cannot be had: ${evidence.detail}`);
  const [mistake] = discoveryMistakes(issuer, evidence.discovery);
  if (mistake !== undefined) return refuse("metadata-invalid", "issuerEndpoint", [], mistake);
  const problem = checkSignature(token, evidence.jwks);
  if (problem === undefined) return undefined;
  if (problem.reason === "key-unknown") return refuse("key-unknown", "keyUnknown", [keyIdentifier(token.header["kid"]), issuer], problem.detail);
  return refuse(problem.reason, problem.reason === "key-unusable" ? "keyUnusable" : "signature", [], problem.detail);
}

/** Entra shows ids of keys as it shows thumbprints: the bytes that they stand for. */
function keyIdentifier(kid: unknown): string {
  return typeof kid === "string" ? Buffer.from(kid, "base64url").toString("hex").toUpperCase() : "";
}

/** Undefined when the tenant has an enabled service principal of the client. */
export function checkServicePrincipal({ clientId, displayName, servicePrincipal }: FederatedClient, tenant: string): AssertionRefusal | undefined {
  if (servicePrincipal === undefined) return refuse("service-principal-missing", "servicePrincipalMissing", [clientId, tenant], `the application ${displayName} has no service principal in the tenant ${tenant}`);
  return servicePrincipal.enabled ? undefined : refuse("service-principal-disabled", "servicePrincipalDisabled", [clientId, displayName], `the service principal ${servicePrincipal.objectId} of ${displayName} is disabled`);
}

function decideResource(question: ClientAssertionQuestion, credential: FederatedIdentityCredential): ClientAssertionAnswer {
  const { tenant, blockedBy } = question;
  const resource = resourceOfScope(question.scope) ?? "";
  if (!question.knownResource(resource)) return refuse("resource-unknown", "resourceUnknown", [resource, tenant], `the tenant ${tenant} knows no resource ${JSON.stringify(resource)}`);
  if (blockedBy !== undefined) return refuse("conditional-access", "conditionalAccess", [], `the Conditional Access policy ${JSON.stringify(blockedBy)} blocks this workload identity`);
  return { allowed: true, credential, resource };
}
