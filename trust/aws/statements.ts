/** Whether a statement is about a request: its actions, resources and conditions. Principals are matched elsewhere. */
import { evaluateCondition, type ConditionResult, type RequestContext } from "./conditions.js";
import { compilePattern, matchesAction, matchesArn, type VariableLookup } from "./pattern.js";
import type { PolicyDocument, Statement } from "./policy.js";

/** Whether `${…}` in this document is a variable rather than text. */
export function knowsVariables(document: PolicyDocument): boolean {
  return document.version === "2012-10-17";
}

export function coversAction(statement: Statement, action: string): boolean {
  const covers = (pattern: string) => matchesAction(pattern, action);
  return statement.actions?.some(covers) ?? (statement.notActions !== undefined && !statement.notActions.some(covers));
}

export function coversResource(statement: Statement, resource: string, variables: VariableLookup | undefined): boolean {
  const covers = (text: string) => {
    const pattern = compilePattern(text, { wildcards: true, variables });
    return pattern !== undefined && matchesArn(pattern, resource);
  };
  return statement.resources?.some(covers) ?? (statement.notResources !== undefined && !statement.notResources.some(covers));
}

export function conditionResults(statement: Statement, context: RequestContext, document: PolicyDocument): ConditionResult[] {
  return statement.conditions.map((test) => {
    const holds = context.supposed(test.key, statement.effect);
    if (holds === undefined) return evaluateCondition(test, context, knowsVariables(document));
    return { operator: test.operator, key: test.key, expected: test.values, presented: undefined, holds, supposed: true };
  });
}

export function conditionsHold(statement: Statement, context: RequestContext, document: PolicyDocument): boolean {
  return conditionResults(statement, context, document).every(({ holds }) => holds);
}
