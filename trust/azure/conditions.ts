/**
 * Does the condition of a role assignment hold? What it cannot be told, it takes for unknown, and what is unknown does not hold: negated
 * neither. https://learn.microsoft.com/azure/role-based-access-control/conditions-format
 */
import { CONDITION_VERSION, type ConditionFamily, type ConditionOperatorFact } from "../../facts/azure/conditions.js";
import { ConditionSyntaxError, parseCondition, type Condition, type ConditionAttribute, type ConditionOperand, type ConditionOperator } from "./condition-syntax.js";
import { matchesAction, type Action } from "./roles.js";
import type { RoleAssignment } from "./types.js";

export interface ConditionContext extends Action {
  /** As of {@link AzureAccessQuestion.attributes}. */
  attributes: Readonly<Record<string, string | readonly string[]>>;
  now: Date | undefined;
}

/** Why an assignment's condition does not hold; undefined where it does, or where there is none. */
export function conditionProblem({ condition, conditionVersion }: Pick<RoleAssignment, "condition" | "conditionVersion">, context: ConditionContext): string | undefined {
  if (condition === undefined || condition.trim() === "") return undefined;
  if (conditionVersion !== undefined && conditionVersion !== CONDITION_VERSION) return `the condition is of version ${conditionVersion}, which is not known here`;
  try {
    const truth = evaluate(parseCondition(condition), context);
    if (truth === true) return undefined;
    return truth === false ? `the condition does not hold for ${context.action}` : `the condition cannot be decided: ${truth.unknown}`;
  } catch (error) {
    if (error instanceof ConditionSyntaxError) return `the condition ${error.message}`;
    throw error;
  }
}

/** What is wrong with a condition's text, as the end of a sentence that begins with it; undefined where it can be read. */
export function conditionMistake(condition: string): string | undefined {
  try {
    parseCondition(condition);
    return undefined;
  } catch (error) {
    if (error instanceof ConditionSyntaxError) return error.message;
    throw error;
  }
}

/** Kleene's three values; the third says why. */
type Truth = boolean | { unknown: string };

function evaluate(condition: Condition, context: ConditionContext): Truth {
  switch (condition.kind) {
    case "and":
      return all(condition.parts.map((part) => evaluate(part, context)));
    case "or":
      return any(condition.parts.map((part) => evaluate(part, context)));
    case "not":
      return not(evaluate(condition.of, context));
    case "action":
      return condition.patterns.some((pattern) => matchesAction(pattern, context.action));
    case "sub-operation":
      return subOperations(context).some((own) => condition.names.some((name) => name.toLowerCase() === own.toLowerCase()));
    case "exists":
      return valuesOf(condition.attribute, context) !== undefined;
    case "comparison":
      return compare(condition.left, condition.operator, condition.right, context);
  }
}

function all(truths: readonly Truth[]): Truth {
  return truths.includes(false) ? false : (truths.find((truth) => truth !== true) ?? true);
}

function any(truths: readonly Truth[]): Truth {
  return truths.includes(true) ? true : (truths.find((truth) => truth !== false) ?? false);
}

function not(truth: Truth): Truth {
  return typeof truth === "boolean" ? !truth : truth;
}

/** A call without one is of the operation itself. */
function subOperations(context: ConditionContext): readonly string[] {
  return valuesOf({ source: "request", name: "subOperation" }, context) ?? [];
}

/** Undefined where the call has no such attribute. */
function valuesOf({ source, name }: ConditionAttribute, { attributes, now }: ConditionContext): readonly string[] | undefined {
  const wanted = [`@${source}[${name}]`, ...(source === "resource" || source === "request" ? [name] : [])].map(attributeKey);
  const found = Object.entries(attributes).find(([key]) => wanted.includes(attributeKey(key)))?.[1];
  const values = found === undefined ? [] : [found].flat();
  if (values.length > 0) return values;
  return source === "environment" && name.toLowerCase() === "utcnow" && now !== undefined ? [now.toISOString()] : undefined;
}

/** Names compare without regard to case, but for keys of blob index tags that say so. */
function attributeKey(key: string): string {
  const colon = key.includes("<$key_case_sensitive$>") ? key.indexOf(":") : key.length;
  return key.slice(0, colon).toLowerCase() + key.slice(colon);
}

function compare(left: ConditionOperand, operator: ConditionOperator, right: ConditionOperand, context: ConditionContext): Truth {
  const [ours, theirs] = [operandValues(left, context), operandValues(right, context)];
  if (!Array.isArray(ours)) return ours;
  if (!Array.isArray(theirs)) return theirs;
  const { sets, fact, name } = operator;
  if (sets === undefined && (ours.length > 1 || theirs.length > 1)) return { unknown: `${name} compares one value with one, and there are more` };
  const combine = { any, all };
  const { left: ofLeft, right: ofRight } = sets ?? { left: "all", right: "all" };
  return combine[ofLeft](ours.map((one) => combine[ofRight](theirs.map((other) => compareValues(fact, one, other)))));
}

function operandValues(operand: ConditionOperand, context: ConditionContext): string[] | { unknown: string } {
  if ("values" in operand) return [...operand.values];
  const values = valuesOf(operand.attribute, context);
  return values === undefined ? { unknown: `the call has no ${operand.attribute.name} (${operand.attribute.source})` } : [...values];
}

function compareValues(fact: ConditionOperatorFact, one: string, other: string): Truth {
  const [left, right] = [read(fact, one), read(fact, other)];
  if (left === undefined || right === undefined) return { unknown: `${JSON.stringify(left === undefined ? one : other)} is no ${KIND[fact.family]}` };
  const holds = COMPARISONS[fact.comparison](left, right);
  return fact.negated ? !holds : holds;
}

type Value = string | number;

const KIND: Readonly<Record<ConditionFamily, string>> = { string: "text", number: "whole number", time: "time", boolean: "true or false", guid: "GUID" };
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Undefined for what is not of the operator's family. */
function read({ family, ignoreCase }: ConditionOperatorFact, text: string): Value | undefined {
  const folded = text.toLowerCase();
  switch (family) {
    case "string":
      return ignoreCase ? folded : text;
    case "number":
      return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
    case "time": {
      const time = Date.parse(text);
      return Number.isNaN(time) ? undefined : time;
    }
    case "boolean":
      return folded === "true" || folded === "false" ? folded : undefined;
    case "guid":
      return GUID.test(folded) ? folded : undefined;
  }
}

const COMPARISONS: Readonly<Record<ConditionOperatorFact["comparison"], (left: Value, right: Value) => boolean>> = {
  equals: (left, right) => left === right,
  starts: (left, right) => String(left).startsWith(String(right)),
  like: (left, right) => wildcard(String(right)).test(String(left)),
  greater: (left, right) => left > right,
  "greater-or-equal": (left, right) => left >= right,
  less: (left, right) => left < right,
  "less-or-equal": (left, right) => left <= right,
};

/** `*` stands for any text, `?` for one character; behind a backslash they stand for themselves. */
function wildcard(pattern: string): RegExp {
  const source = pattern.replace(/\\[*?]|[\\^$.*+?()[\]{}|/-]/g, (found) => {
    if (found === "*") return "[^]*";
    return found === "?" ? "[^]" : `\\${found.slice(-1)}`;
  });
  return new RegExp(`^${source}$`, "u");
}
