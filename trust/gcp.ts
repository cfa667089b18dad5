/**
 * The GCP rules, without any Google client: would STS exchange this token, would IAM allow this call, is this provider safe.
 * Everything here is pure, except that {@link evaluateTokenExchange} asks the issuer and AWS through the functions that it
 * is given.
 */
export { credentialOf, type Adversary, type AdversaryCode, type IntendedIdentity } from "./gcp/adversaries.js";
export { aliases, reachablePrincipals, reaches, type ReachingProvider } from "./gcp/aliases.js";
export { audiencesOf, namesProvider, normaliseAudience, parseStsAudience, type ProviderAudiences } from "./gcp/audience.js";
export { authorizeAccess } from "./gcp/authorize.js";
export { readAwsRequest, signsTarget, TARGET_HEADER } from "./gcp/aws-request.js";
export { evaluateTokenExchange } from "./gcp/exchange.js";
export { explainExchange, type ExchangeExplanation, type ExchangeStep, type ExchangeToExplain, type Presented, type StepFinding } from "./gcp/explain.js";
export { checkSignature, GCP_ISSUER_RULES } from "./gcp/issuer-keys.js";
export { lintProvider, type Finding, type ProviderLintOptions, type Severity } from "./gcp/lint.js";
export { mapAttributes, mappingMistakes, mappingOf, type MappedAttributes, type MappingMistake } from "./gcp/mapping.js";
export {
  attributePrincipalSet,
  groupPrincipalSet,
  memberViolation,
  parseFederatedMember,
  poolPrincipalSet,
  subjectPrincipal,
  type FederatedMember,
} from "./gcp/principal.js";
export type * from "./gcp/types.js";
