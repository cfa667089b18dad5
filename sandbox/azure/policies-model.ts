/** Policy definitions and assignments, as stored. https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-basics */

export const POLICY_ASSIGNMENT_TYPE = "Microsoft.Authorization/policyAssignments";
export const POLICY_DEFINITION_TYPE = "Microsoft.Authorization/policyDefinitions";

/** Whose rights a policy that modifies asks for. */
export const ROLE_CONTRIBUTOR_ID = "/providers/microsoft.authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c";

export interface PolicyDefinitionProperties {
  displayName: string;
  policyType: "BuiltIn" | "Custom";
  /** `Indexed`: only what has tags and a location. */
  mode: string;
  parameters: Readonly<Record<string, { type?: string; defaultValue?: unknown }>>;
  policyRule: { if: unknown; then: { effect: unknown; details?: unknown } };
}

export interface PolicyAssignmentProperties {
  displayName: string;
  policyDefinitionId: string;
  scope: string;
  notScopes: readonly string[];
  parameters: Readonly<Record<string, { value: unknown }>>;
  enforcementMode: "Default" | "DoNotEnforce";
}
