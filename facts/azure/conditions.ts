/** Operators of role assignment conditions. https://learn.microsoft.com/azure/role-based-access-control/conditions-format#operators */

export type ConditionFamily = "string" | "number" | "time" | "boolean" | "guid";
export type ConditionComparison = "equals" | "starts" | "like" | "greater" | "greater-or-equal" | "less" | "less-or-equal";

export interface ConditionOperatorFact {
  family: ConditionFamily;
  comparison: ConditionComparison;
  negated: boolean;
  /** Of texts; nothing else has case. */
  ignoreCase: boolean;
}

const STRING: Readonly<Record<string, ConditionComparison>> = { Equals: "equals", StartsWith: "starts", Like: "like" };
const ORDERED: Readonly<Record<string, ConditionComparison>> = {
  Equals: "equals",
  GreaterThan: "greater",
  GreaterThanEquals: "greater-or-equal",
  LessThan: "less",
  LessThanEquals: "less-or-equal",
};

function* operators(): Generator<[string, ConditionOperatorFact]> {
  for (const [word, comparison] of Object.entries(STRING)) {
    for (const negated of [false, true]) {
      for (const ignoreCase of [false, true]) {
        yield [`String${negated ? "Not" : ""}${word}${ignoreCase ? "IgnoreCase" : ""}`, { family: "string", comparison, negated, ignoreCase }];
      }
    }
  }
  for (const [prefix, family] of [["Numeric", "number"], ["DateTime", "time"]] as const) {
    for (const [word, comparison] of Object.entries(ORDERED)) yield [`${prefix}${word}`, { family, comparison, negated: false, ignoreCase: false }];
    yield [`${prefix}NotEquals`, { family, comparison: "equals", negated: true, ignoreCase: false }];
  }
  for (const [prefix, family] of [["Bool", "boolean"], ["Guid", "guid"]] as const) {
    for (const negated of [false, true]) yield [`${prefix}${negated ? "Not" : ""}Equals`, { family, comparison: "equals", negated, ignoreCase: false }];
  }
}

/** By name, in lower case. */
export const CONDITION_OPERATORS: ReadonlyMap<string, ConditionOperatorFact> = new Map([...operators()].map(([name, fact]) => [name.toLowerCase(), fact]));

/** How many of the values on the left, and of those on the right, a comparison must hold for. */
export const CONDITION_SETS: Readonly<Record<string, { left: "any" | "all"; right: "any" | "all" }>> = {
  foranyofanyvalues: { left: "any", right: "any" },
  forallofanyvalues: { left: "all", right: "any" },
  foranyofallvalues: { left: "any", right: "all" },
  forallofallvalues: { left: "all", right: "all" },
};

/** Where an attribute is looked for. */
export const CONDITION_SOURCES: readonly string[] = ["resource", "request", "principal", "environment"];

/** Of a condition's text. https://learn.microsoft.com/azure/role-based-access-control/conditions-faq */
export const CONDITION_MAX_BYTES = 8_192;

/** The only version of the syntax, and what is meant where none is given. */
export const CONDITION_VERSION = "2.0";
