/** Fields of configuration schemas: the message has a rule's words, the JSON Schema its length and form. */
import { z } from "zod";
import { numberViolation, textViolation, type NumberRule, type TextRule } from "../facts/rules.js";

/** Text that follows a rule. */
export function text(rule: TextRule, description: string, violation = (value: string) => textViolation(rule, value)) {
  return z
    .string()
    .superRefine((value, context) => {
      const message = violation(value);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .meta({ description, minLength: rule.min, maxLength: rule.max, pattern: rule.pattern.source, examples: [rule.example] });
}

export function wholeNumber(rule: NumberRule, description: string, example: number, violation = (value: number) => numberViolation(rule, value)) {
  return z
    .number()
    .superRefine((value, context) => {
      const message = violation(value);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .meta({ description: `${description}, in ${rule.unit}`, type: "integer", minimum: rule.min, maximum: rule.max, examples: [example] });
}

export function choice<const T extends string>(values: readonly [T, ...T[]], description: string) {
  return z.enum(values).meta({ description, examples: [values[0]] });
}

/** Adds a mistake at a key of the object that is being refined. */
export function refuser(context: z.RefinementCtx) {
  return (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
}
