/**
 * IAM's text patterns: `*` and `?` as wildcards, `${…}` as policy variables.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */

const ANY = Symbol("any number of characters");
const ONE = Symbol("one character");

/** A character that must be there, or a wildcard. */
type Token = string | typeof ANY | typeof ONE;
export type Pattern = readonly Token[];

/** The value of a policy variable; undefined when the request has none (or several). */
export type VariableLookup = (name: string) => string | undefined;

export interface PatternOptions {
  /** Whether `*` and `?` are wildcards rather than themselves. */
  wildcards: boolean;
  /** Absent where variables are not expanded: policies of version 2008-10-17 and actions. */
  variables?: VariableLookup | undefined;
}

/** Undefined when the text has a variable without a value: such a text matches nothing. */
export function compilePattern(text: string, options: PatternOptions): Pattern | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const end = options.variables !== undefined && text.startsWith("${", at) ? text.indexOf("}", at) : -1;
    if (end >= 0 && options.variables !== undefined) {
      const value = expand(text.slice(at + 2, end), options.variables);
      if (value === undefined) return undefined;
      tokens.push(...value);
      at = end;
    } else {
      const character = text.charAt(at);
      tokens.push(options.wildcards && character === "*" ? ANY : options.wildcards && character === "?" ? ONE : character);
    }
  }
  return tokens;
}

const DEFAULTED = /^([^,]+?)\s*,\s*'([^']*)'\s*$/;

/** A value's characters are themselves, wildcards or not. */
function expand(variable: string, lookup: VariableLookup): string[] | undefined {
  if (variable === "*" || variable === "?" || variable === "$") return [variable];
  const defaulted = DEFAULTED.exec(variable);
  const value = lookup((defaulted?.[1] ?? variable).trim()) ?? defaulted?.[2];
  return value?.split("");
}

/** Linear in time for any pattern that people write, quadratic at worst. */
export function matchesPattern(pattern: Pattern, value: string): boolean {
  let token = 0;
  let at = 0;
  let retryToken = -1;
  let retryAt = 0;
  while (at < value.length) {
    const expected = pattern[token];
    if (expected === ANY) {
      retryToken = token;
      retryAt = at;
      token += 1;
    } else if (expected !== undefined && (expected === ONE || expected === value[at])) {
      token += 1;
      at += 1;
    } else if (retryToken >= 0) {
      token = retryToken + 1;
      retryAt += 1;
      at = retryAt;
    } else {
      return false;
    }
  }
  return pattern.slice(token).every((rest) => rest === ANY);
}

/**
 * ARNs match part by part, so that a wildcard does not reach over a colon into the next part; the sixth part, the
 * resource, is the rest of the text.
 */
export function matchesArn(pattern: Pattern, arn: string): boolean {
  if (pattern.length === 1 && pattern[0] === ANY) return true;
  const expected = patternParts(pattern);
  const actual = arn.split(":");
  if (expected.length !== ARN_PARTS || actual.length < ARN_PARTS) return false;
  const parts = [...actual.slice(0, ARN_PARTS - 1), actual.slice(ARN_PARTS - 1).join(":")];
  return expected.every((part, index) => matchesPattern(part, parts[index] ?? ""));
}

const ARN_PARTS = 6;

function patternParts(pattern: Pattern): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of pattern) {
    if (parts.length < ARN_PARTS && token === ":") parts.push([]);
    else parts[parts.length - 1]?.push(token);
  }
  return parts;
}

/** Actions match without regard to case. */
export function matchesAction(pattern: string, action: string): boolean {
  const compiled = compilePattern(pattern.toLowerCase(), { wildcards: true });
  return compiled !== undefined && matchesPattern(compiled, action.toLowerCase());
}
