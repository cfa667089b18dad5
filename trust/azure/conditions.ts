/** Conditions of role assignments. https://learn.microsoft.com/azure/role-based-access-control/conditions-format */
import type { Action } from "./roles.js";
import type { RoleAssignment } from "./types.js";

export interface ConditionContext extends Action {
  attributes: Readonly<Record<string, string | readonly string[]>>;
  now: Date | undefined;
}

/** Why an assignment's condition does not hold; undefined where it does, or where there is none. */
export function conditionProblem({ condition }: Pick<RoleAssignment, "condition" | "conditionVersion">, _context: ConditionContext): string | undefined {
  return condition === undefined || condition === "" ? undefined : "it cannot be evaluated here";
}
