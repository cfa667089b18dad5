/**
 * The AWS rules, without any AWS client: would STS accept this token for this trust, would IAM allow this request, is this
 * trust safe, would IAM store this document. Everything here is pure, except that {@link evaluateWebIdentityLazily} asks the
 * issuer through the function that it is given.
 */
export { accessDeniedMessage, authorize } from "./aws/authorize.js";
export { evaluateCondition, parseOperator, RequestContext, type ConditionResult, type ConditionTest } from "./aws/conditions.js";
export { arnAccount, parseArn, type Arn } from "./aws/arn.js";
export { takesUnnamedAudience } from "./aws/audience.js";
export { discoveryMistakes, selectKey } from "./aws/issuer-keys.js";
export {
  lintPermissions,
  lintTrustPolicy,
  type Finding,
  type PermissionsLintOptions,
  type Severity,
  type TrustLintOptions,
} from "./aws/lint.js";
export { parsePolicy, PolicyError, type ParsedPolicy, type PolicyDocument, type PolicyKind, type PolicyMistake } from "./aws/policy.js";
export {
  explainTrust,
  WEB_IDENTITY_ACTION,
  type TrustExplanation,
  type TrustPart,
  type TrustRequest,
  type TrustStatementExplanation,
} from "./aws/trust-policy.js";
export { evaluateWebIdentity, evaluateWebIdentityLazily } from "./aws/web-identity.js";
export type * from "./aws/types.js";
