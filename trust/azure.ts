/**
 * The Azure rules, without any Azure client: would Entra give a token for this assertion, would a role assignment allow this call, is
 * this federation safe. Everything here is pure, except that {@link evaluateClientAssertion} asks the issuer through the function that
 * it is given.
 */
export { checkTenant, evaluateClientAssertion } from "./azure/assertion.js";
export { authorize } from "./azure/authorize.js";
export { conditionMistake, conditionProblem, type ConditionContext } from "./azure/conditions.js";
export { matchCredential } from "./azure/credentials.js";
export { differenceOf, hasInvisible, visible, type Difference } from "./azure/difference.js";
export { explainAssertion, type AssertionExplanation, type AssertionStep, type AssertionStepFinding, type AssertionToExplain, type CredentialComparison } from "./azure/explain.js";
export { AZURE_ISSUER_RULES, checkSignature } from "./azure/issuer-keys.js";
export { lintAssignments, lintCredentials, valueFindings, type AssignmentLintOptions, type CredentialLintOptions, type FederatedValue, type Finding, type Severity } from "./azure/lint.js";
export { lockOn, operationOf, type LockedOperation } from "./azure/locks.js";
export { matchesAction, narrowestRole, permits, type Action } from "./azure/roles.js";
export { normaliseScope, scopeCovers, scopeLevel, type ScopeLevel } from "./azure/scopes.js";
export type { WorkloadClaims } from "./azure/token-claims.js";
export type * from "./azure/types.js";
