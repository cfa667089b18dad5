/** What every cloud's limits and formats are made of: rules as data, and what is wrong with a value, in their words. */

/** How well a fact is known: recorded from the real service, written in its documentation, or concluded from either. */
export type Grade = "live" | "documented" | "inferred";

export interface TextRule {
  /** What the text is, as in "an IAM role name". */
  what: string;
  min: number;
  max: number;
  pattern: RegExp;
  /** The pattern in words, to finish the sentence "must be …". */
  form: string;
  /** A value that passes, for documentation and messages. */
  example: string;
  source: string;
  grade: Grade;
}

export interface NumberRule {
  what: string;
  min: number;
  max: number;
  unit: string;
  source: string;
  grade: Grade;
}

/** Why a text breaks a rule, as the end of a sentence that begins with its path; undefined when it does not. */
export function textViolation(rule: TextRule, value: string): string | undefined {
  return value.length < rule.min || value.length > rule.max || !rule.pattern.test(value) ? `must be ${rule.form}; got ${JSON.stringify(value)}` : undefined;
}

/** As {@link textViolation}, for one of few values. */
export function choiceViolation<T extends string | number>(choices: readonly T[], value: T): string | undefined {
  return choices.includes(value) ? undefined : `must be one of ${choices.join(", ")}; got ${JSON.stringify(value)}`;
}

/** As {@link textViolation}, for whole numbers. */
export function numberViolation(rule: NumberRule, value: number): string | undefined {
  return !Number.isInteger(value) || value < rule.min || value > rule.max
    ? `must be a whole number from ${rule.min} to ${rule.max} (${rule.unit}); got ${value}`
    : undefined;
}
