/**
 * The Condition element: every operator, set operators, `IfExists`, policy variables.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
import { BlockList, isIP } from "node:net";
import { CONDITION_OPERATORS, type Comparison, type ConditionOperatorFact } from "../../facts/aws/conditions.js";
import { compilePattern, matchesArn, matchesPattern, type VariableLookup } from "./pattern.js";

/** One key under one operator. */
export interface ConditionTest {
  /** As written, such as `ForAnyValue:StringLike` or `StringEqualsIfExists`. */
  operator: string;
  /** As written; compared without regard to case. */
  key: string;
  values: string[];
}

export interface ConditionResult {
  operator: string;
  key: string;
  expected: string[];
  /** Undefined when the request has no such key. */
  presented: string[] | undefined;
  holds: boolean;
  /** Set when the key is an unknown one, so that `holds` is a supposition. */
  supposed?: true;
}

/** Keys whose values are not known, and what is supposed of every condition on them: what lets the request in, or what keeps it out. */
export interface Supposition {
  unknownKeys: readonly string[];
  in: "favour" | "disfavour";
}

export interface ConditionOperator {
  set: "ForAllValues" | "ForAnyValue" | undefined;
  ifExists: boolean;
  name: string;
  fact: ConditionOperatorFact;
}

/** The request's condition keys; names are compared without regard to case. */
export class RequestContext {
  readonly #values = new Map<string, string[]>();
  #supposition: Supposition | undefined;

  constructor(values: Readonly<Record<string, string | readonly string[] | undefined>> = {}) {
    this.add(values);
  }

  /** Sets keys, over those that are there. */
  add(values: Readonly<Record<string, string | readonly string[] | undefined>>): this {
    for (const [key, value] of Object.entries(values)) {
      if (value !== undefined) this.#values.set(key.toLowerCase(), typeof value === "string" ? [value] : [...value]);
    }
    return this;
  }

  /** A key without values is an absent key. */
  get(key: string): string[] | undefined {
    const values = this.#values.get(key.toLowerCase());
    return values === undefined || values.length === 0 ? undefined : values;
  }

  /** From now on conditions on these keys are supposed and not evaluated. */
  suppose(supposition: Supposition | undefined): this {
    this.#supposition = supposition;
    return this;
  }

  /** Whether a condition on the key is supposed to hold in such a statement; undefined when the key is no unknown one. */
  supposed(key: string, effect: "Allow" | "Deny"): boolean | undefined {
    const { unknownKeys = [], in: side } = this.#supposition ?? {};
    if (!unknownKeys.some((unknown) => unknown.toLowerCase() === key.toLowerCase())) return undefined;
    return (side === "favour") === (effect === "Allow");
  }

  /** Names in lower case. */
  toRecord(): Record<string, string[]> {
    return Object.fromEntries(this.#values);
  }

  /** What a policy variable stands for: only keys with one value can be used. */
  readonly variable: VariableLookup = (name) => {
    const values = this.get(name);
    return values?.length === 1 ? values[0] : undefined;
  };
}

const OPERATOR = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/** Undefined for a name that IAM does not know. */
export function parseOperator(operator: string): ConditionOperator | undefined {
  const [, set, name = "", ifExists] = OPERATOR.exec(operator) ?? [];
  const fact = CONDITION_OPERATORS.get(name);
  if (fact === undefined || (fact.family === "null" && ifExists !== undefined)) return undefined;
  return { set: set === "ForAllValues" || set === "ForAnyValue" ? set : undefined, ifExists: ifExists !== undefined, name, fact };
}

/**
 * Whether one condition holds. All conditions of a statement must hold; several values of one key are alternatives.
 * `variables` says whether `${…}` is expanded (policies of version 2012-10-17). An unknown operator holds never.
 */
export function evaluateCondition(test: ConditionTest, context: RequestContext, variables: boolean): ConditionResult {
  const presented = context.get(test.key);
  const operator = parseOperator(test.operator);
  const holds = operator !== undefined && evaluate(operator, test.values, presented, variables ? context.variable : undefined);
  return { operator: test.operator, key: test.key, expected: test.values, presented, holds };
}

function evaluate(
  { set, ifExists, fact }: ConditionOperator,
  expected: readonly string[],
  presented: readonly string[] | undefined,
  variables: VariableLookup | undefined,
): boolean {
  if (fact.family === "null") {
    const absent = presented === undefined;
    return expected.some((value) => value.toLowerCase() === String(absent));
  }
  if (presented === undefined) {
    // ForAllValues is true of no value at all; ForAnyValue is not, unless IfExists excuses the absence.
    return set === "ForAllValues" || ifExists || (set === undefined && fact.negated);
  }
  const matchers = expected.map((value) => matcher(fact, value, variables));
  const matchesOne = (value: string) => matchers.some((matches) => matches(value));
  const satisfies = (value: string) => matchesOne(value) !== fact.negated;
  if (set === "ForAllValues") return presented.every(satisfies);
  if (set === "ForAnyValue") return presented.some(satisfies);
  return presented.some(matchesOne) !== fact.negated;
}

type Matcher = (value: string) => boolean;
const never: Matcher = () => false;

function matcher(fact: ConditionOperatorFact, expected: string, variables: VariableLookup | undefined): Matcher {
  switch (fact.family) {
    case "string":
      return stringMatcher(fact, expected, variables);
    case "arn": {
      const pattern = compilePattern(expected, { wildcards: true, variables });
      return pattern === undefined ? never : (value) => matchesArn(pattern, value);
    }
    case "numeric":
      return orderMatcher(fact.comparison, numberOf, expected);
    case "date":
      return orderMatcher(fact.comparison, timeOf, expected);
    case "bool":
      return (value) => value.toLowerCase() === expected.toLowerCase();
    case "binary":
      return (value) => Buffer.from(value, "base64").equals(Buffer.from(expected, "base64"));
    case "ip":
      return ipMatcher(expected);
    case "null":
      return never;
  }
}

function stringMatcher(fact: ConditionOperatorFact, expected: string, variables: VariableLookup | undefined): Matcher {
  const folded = (text: string) => (fact.ignoreCase ? text.toLowerCase() : text);
  const lookup: VariableLookup | undefined =
    variables === undefined
      ? undefined
      : (name) => {
          const value = variables(name);
          return value === undefined ? undefined : folded(value);
        };
  const pattern = compilePattern(folded(expected), { wildcards: fact.comparison === "like", variables: lookup });
  return pattern === undefined ? never : (value) => matchesPattern(pattern, folded(value));
}

function orderMatcher(comparison: Comparison, read: (text: string) => number | undefined, expected: string): Matcher {
  const limit = read(expected);
  if (limit === undefined) return never;
  return (text) => {
    const value = read(text);
    return value !== undefined && compares(comparison, value, limit);
  };
}

function compares(comparison: Comparison, value: number, limit: number): boolean {
  switch (comparison) {
    case "equal":
      return value === limit;
    case "less":
      return value < limit;
    case "less-or-equal":
      return value <= limit;
    case "greater":
      return value > limit;
    case "greater-or-equal":
      return value >= limit;
    default:
      return false;
  }
}

function numberOf(text: string): number | undefined {
  return /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

const ISO_DATE = /^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?)?)?$/;

/** Milliseconds since 1970 of a W3C date, or of seconds since 1970. */
function timeOf(text: string): number | undefined {
  if (ISO_DATE.test(text) && !/^\d{4}$/.test(text)) {
    const time = Date.parse(text);
    return Number.isNaN(time) ? undefined : time;
  }
  const seconds = numberOf(text);
  return seconds === undefined ? undefined : seconds * 1000;
}

function ipMatcher(expected: string): Matcher {
  const [network = "", bits] = expected.split("/");
  const family = isIP(network);
  if (family === 0) return never;
  const longest = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (!(prefix <= longest)) return never;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return (value) => isIP(value) === family && list.check(value, type);
}
