/**
 * Would Google's STS exchange this token? https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 *
 * What the request says comes first, then whether there is such a provider, then what the token says of itself; only then
 * are its issuer's keys (or AWS) asked, and what they vouch for is mapped and put to the condition.
 */
import { ACCESS_TOKEN_TYPE, AWS_TOKEN_TYPE, GCP_TOKEN_LIMITS, GRANT_TYPE, JWT_TOKEN_TYPES } from "../../facts/gcp/sts.js";
import { isJsonObject, type DecodedJwt, type JsonObject } from "../jwt.js";
import { parseStsAudience } from "./audience.js";
import { checkTarget, readAwsRequest } from "./aws-request.js";
import { checkSignature, discoveryMistakes } from "./issuer-keys.js";
import { conditionRefusal, mapAttributes, mappingOf } from "./mapping.js";
import { federatedIdentity } from "./principal.js";
import { isRefusal, refuse, type ExchangeRefusal } from "./refusal.js";
import { checkAudience, checkIssuer, checkRequiredClaims, checkTimes, lifetime, readToken, type OidcProvider } from "./token-claims.js";
import type { AwsIdentity, IssuerEvidence, TokenExchangeAnswer, TokenExchangeQuestion, WorkloadIdentityPool, WorkloadIdentityPoolProvider } from "./types.js";

/** Asks the issuer, or AWS, at most once, and only for a token that has passed everything before. */
export async function evaluateTokenExchange(question: TokenExchangeQuestion): Promise<TokenExchangeAnswer> {
  const { provider } = question;
  const refused = checkRequest(question) ?? checkProvider(question.pool, provider);
  if (refused !== undefined) return refused;
  if (provider?.aws !== undefined) return exchangeAws(question, { ...provider, aws: provider.aws });
  if (provider?.oidc !== undefined) return exchangeJwt(question, { ...provider, oidc: provider.oidc });
  return refuse("token-type-mismatch", "parameter", ["subject_token_type"], "the provider is neither for OIDC nor for AWS");
}

/** The request's own parameters. */
function checkRequest(question: TokenExchangeQuestion): ExchangeRefusal | undefined {
  const wrong = (name: string, detail: string) => refuse("request-malformed", "parameter", [name], detail);
  if (question.grantType !== GRANT_TYPE) return wrong("grant_type", `grant_type must be ${GRANT_TYPE}; it is ${JSON.stringify(question.grantType)}`);
  if (question.requestedTokenType !== ACCESS_TOKEN_TYPE) return wrong("requested_token_type", `requested_token_type must be ${ACCESS_TOKEN_TYPE}; it is ${JSON.stringify(question.requestedTokenType)}`);
  if (parseStsAudience(question.audience) === undefined) {
    return refuse("audience-malformed", "audienceParameter", [], `audience must be //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER; it is ${JSON.stringify(question.audience)}`);
  }
  if (![...JWT_TOKEN_TYPES, AWS_TOKEN_TYPE].includes(question.subjectTokenType)) return wrong("subject_token_type", `subject_token_type is ${JSON.stringify(question.subjectTokenType)}`);
  if (question.subjectToken === "") return wrong("subject_token", "there is no subject_token");
  return (question.scope ?? "").trim() === "" ? wrong("scope", "there is no scope; an access token needs one, such as https://www.googleapis.com/auth/cloud-platform") : undefined;
}

/** Undefined when tokens may be exchanged at this provider. All that is wrong with it looks alike from outside. */
export function checkProvider(pool: WorkloadIdentityPool | undefined, provider: WorkloadIdentityPoolProvider | undefined): ExchangeRefusal | undefined {
  const none = (reason: "pool-deleted" | "pool-disabled" | "pool-missing" | "provider-deleted" | "provider-disabled" | "provider-missing", detail: string) => refuse(reason, "target", [], detail);
  if (pool === undefined) return none("pool-missing", "there is no such pool (the audience needs the number of the pool's project, not its id)");
  if (pool.state === "DELETED") return none("pool-deleted", `the pool ${pool.name} is deleted; it can be restored within 30 days`);
  if (pool.disabled) return none("pool-disabled", `the pool ${pool.name} is disabled`);
  if (provider === undefined) return none("provider-missing", `the pool ${pool.name} has no such provider`);
  if (provider.state === "DELETED") return none("provider-deleted", `the provider ${provider.name} is deleted; it can be restored within 30 days`);
  return provider.disabled ? none("provider-disabled", `the provider ${provider.name} is disabled`) : undefined;
}

async function exchangeJwt(question: TokenExchangeQuestion, provider: WorkloadIdentityPoolProvider & OidcProvider): Promise<TokenExchangeAnswer> {
  if (!JWT_TOKEN_TYPES.includes(question.subjectTokenType)) return mismatch(question, "of OIDC");
  const token = readToken(question.subjectToken);
  if (isRefusal(token)) return token;
  const { claims } = token;
  const refused = checkRequiredClaims(claims) ?? checkIssuer(claims, provider) ?? checkAudience(claims, provider) ?? checkTimes(claims, question.now) ?? (await checkKeys(question, token, provider));
  if (refused !== undefined) return refused;
  const seconds = lifetime(claims, question.now);
  return typeof seconds === "number" ? admit(provider, claims, seconds) : seconds;
}

async function checkKeys(question: TokenExchangeQuestion, token: DecodedJwt, { oidc }: OidcProvider): Promise<ExchangeRefusal | undefined> {
  return signatureRefusal(token, oidc.jwksJson === undefined ? discoveredKeys(oidc.issuerUri, await question.issuer(oidc.issuerUri)) : uploadedKeys(oidc.jwksJson));
}

/** A key document, not yet read. */
interface KeyDocument {
  jwks: unknown;
}

/** Keys that were uploaded with the provider: the issuer's documents are not asked for. */
export function uploadedKeys(jwksJson: string): KeyDocument | ExchangeRefusal {
  try {
    return { jwks: JSON.parse(jwksJson) };
  } catch {
    return unreachable("the provider's uploaded keys are no JSON");
  }
}

/** The issuer's key document, where its discovery document is its own. */
export function discoveredKeys(issuerUri: string, evidence: IssuerEvidence): KeyDocument | ExchangeRefusal {
  if (evidence.status === "unavailable") return unreachable(`the issuer's documents cannot be had: ${evidence.detail}`);
  const named = isJsonObject(evidence.discovery) ? evidence.discovery["issuer"] : undefined;
  const mistake = discoveryMistakes(issuerUri, evidence.discovery)[0];
  if (typeof named === "string" && named !== issuerUri) return refuse("discovery-issuer-differs", "discoveryIssuer", [], mistake ?? "");
  return mistake === undefined ? { jwks: evidence.jwks } : unreachable(mistake);
}

/** Undefined when one of the keys made the token's signature. */
export function signatureRefusal(token: DecodedJwt, keys: KeyDocument | ExchangeRefusal): ExchangeRefusal | undefined {
  if (isRefusal(keys)) return keys;
  const problem = checkSignature(token, keys.jwks);
  if (problem === undefined) return undefined;
  return refuse(problem.reason, problem.reason === "signature-invalid" ? "signature" : "issuerUnreachable", [], problem.detail);
}

function unreachable(detail: string): ExchangeRefusal {
  return refuse("issuer-unavailable", "issuerUnreachable", [], detail);
}

async function exchangeAws(question: TokenExchangeQuestion, provider: WorkloadIdentityPoolProvider & { aws: { accountId: string } }): Promise<TokenExchangeAnswer> {
  if (question.subjectTokenType !== AWS_TOKEN_TYPE) return mismatch(question, "of AWS");
  const request = readAwsRequest(question.subjectToken);
  if (isRefusal(request)) return request;
  const elsewhere = checkTarget(request, provider.name);
  if (elsewhere !== undefined) return elsewhere;
  const identity = await question.awsIdentity(request);
  if (identity.status === "refused") return refuse("aws-refused", "awsRefused", [identity.code, identity.message], `AWS refused the signed request: ${identity.code}`);
  return checkAccount(identity, provider.aws.accountId) ?? admit(provider, awsAssertion(identity), GCP_TOKEN_LIMITS.federatedSeconds);
}

function mismatch({ subjectTokenType }: TokenExchangeQuestion, kind: string): ExchangeRefusal {
  return refuse("token-type-mismatch", "parameter", ["subject_token_type"], `the provider is ${kind}; subject_token_type is ${subjectTokenType}`);
}

type CallerIdentity = Extract<AwsIdentity, { status: "ok" }>;

export function checkAccount({ account, arn }: CallerIdentity, expected: string): ExchangeRefusal | undefined {
  return account === expected ? undefined : refuse("aws-account-differs", "awsAccount", [account, expected], `the request was signed in account ${account} (${arn}), the provider is for ${expected}`);
}

/** What mappings and conditions see of an AWS identity. */
export function awsAssertion({ account, arn, userId }: CallerIdentity): JsonObject {
  return { account, arn, userid: userId };
}

/** What is vouched for, mapped and put to the provider's condition. */
export function admit(provider: WorkloadIdentityPoolProvider, assertion: JsonObject, expiresInSeconds: number): TokenExchangeAnswer {
  const mapped = mapAttributes(mappingOf(provider), assertion);
  if (isRefusal(mapped)) return mapped;
  return conditionRefusal(provider.attributeCondition, assertion, mapped) ?? { allowed: true, identity: federatedIdentity(provider.name, mapped), expiresInSeconds };
}
