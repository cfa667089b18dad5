/** Members of an operation's input, checked against the API model and refused in its words. */
import * as z from "zod";
import type { TextRule } from "../../facts/rules.js";
import type { Operation, OperationRequest } from "./service.js";
import { AwsError } from "./types.js";

/** A text member. `wording` replaces the usual sentence about the pattern. */
export function text(rule: Pick<TextRule, "min" | "max"> & { pattern?: RegExp }, wording?: string): z.ZodString {
  const bounded = z.string().min(rule.min).max(rule.max);
  return rule.pattern ? bounded.regex(rule.pattern, wording === undefined ? undefined : { error: wording }) : bounded;
}

/** Numbers are digits in the query protocol. */
export function integer(rule: { min: number; max: number }): z.ZodPreprocess<z.ZodNumber> {
  return z.preprocess((value) => (typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value), z.number().int().min(rule.min).max(rule.max));
}

export const flag = z.preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean());

/** An empty list is an empty text in the query protocol. */
export function list<T extends z.ZodType>(item: T, bounds: { min?: number; max?: number } = {}): z.ZodPreprocess<z.ZodArray<T>> {
  return z.preprocess((value) => (value === "" ? [] : value), z.array(item).min(bounds.min ?? 0).max(bounds.max ?? Number.MAX_SAFE_INTEGER));
}

/** Values of these never show. */
const SECRET_MEMBERS: readonly string[] = ["webIdentityToken"];

/** An operation whose input is checked before it runs. `code` is how its service refuses what breaks the model. */
export function operation<S extends z.ZodType<object>>(
  schema: S,
  run: (input: z.output<S>, request: OperationRequest) => object | Promise<object>,
  code = "ValidationError",
): Operation {
  return async (request) => {
    const parsed = schema.safeParse(request.input, { reportInput: true });
    if (!parsed.success) throw validationError(parsed.error.issues, code);
    return { ...(await run(parsed.data, request)) };
  };
}

function validationError(issues: readonly z.core.$ZodIssue[], code: string): AwsError {
  const worded = issues.find((issue) => issue.code === "invalid_format" && issue.message.startsWith("The specified value for "));
  if (worded) return new AwsError(code, 400, worded.message);
  const failures = issues.map((issue) => {
    const member = memberPath(issue.path);
    return `Value ${shown(member, issue.input)}at '${member}' failed to satisfy constraint: Member must ${constraint(issue)}`;
  });
  return new AwsError(code, 400, `${failures.length} validation error${failures.length === 1 ? "" : "s"} detected: ${failures.join("; ")}`);
}

/** `roleName`, `tags.1.member.key`. */
function memberPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `${part + 1}.member` : String(part).charAt(0).toLowerCase() + String(part).slice(1)))
    .join(".");
}

function shown(member: string, value: unknown): string {
  if (SECRET_MEMBERS.includes(member)) return "";
  if (value === undefined) return "null ";
  return `'${typeof value === "string" ? value : JSON.stringify(value)}' `;
}

function constraint(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small":
      return issue.origin === "number" || issue.origin === "int"
        ? `have value greater than or equal to ${String(issue.minimum)}`
        : `have length greater than or equal to ${String(issue.minimum)}`;
    case "too_big":
      return issue.origin === "number" || issue.origin === "int"
        ? `have value less than or equal to ${String(issue.maximum)}`
        : `have length less than or equal to ${String(issue.maximum)}`;
    case "invalid_format":
      return `satisfy regular expression pattern: ${(issue.pattern ?? "").replace(/^\/\^?|\$?\/u?$/g, "")}`;
    case "invalid_value":
      return `satisfy enum value set: [${issue.values.map(String).join(", ")}]`;
    default:
      return issue.input === undefined ? "not be null" : `be of another type: ${issue.message}`;
  }
}
