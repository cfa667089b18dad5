/**
 * The GCP rules, without any Google client: would STS exchange this token, would IAM allow this call, is this provider safe.
 * Everything here is pure, except that {@link evaluateTokenExchange} asks the issuer and AWS through the functions that it
 * is given.
 */
export { audiencesOf, namesProvider, normaliseAudience, parseStsAudience, type ProviderAudiences } from "./gcp/audience.js";
export { authorizeAccess } from "./gcp/authorize.js";
export { readAwsRequest, signsTarget, TARGET_HEADER } from "./gcp/aws-request.js";
export { evaluateTokenExchange } from "./gcp/exchange.js";
export { checkSignature, GCP_ISSUER_RULES } from "./gcp/issuer-keys.js";
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
