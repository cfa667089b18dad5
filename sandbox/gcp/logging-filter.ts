/**
 * The query language of Cloud Logging, as far as clients use it: comparisons of fields, joined by AND, OR and NOT, and plain words.
 * https://cloud.google.com/logging/docs/view/logging-query-language
 */
import { invalidArgument } from "./errors.js";
import type { LogEntry } from "./logging-store.js";

type Test = (entry: LogEntry) => boolean;

const TOKEN = /\s*(?:(\(|\)|!=|>=|<=|=~|!~|[=<>:])|"((?:[^"\\]|\\.)*)"|(-(?=[\w("]))|([^\s()=<>:!"]+))/y;

interface Token {
  text: string;
  quoted: boolean;
}

const COMPARATORS = ["=", "!=", ">", ">=", "<", "<=", ":", "=~", "!~"];
const SEVERITIES = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"];

/** Throws INVALID_ARGUMENT for text that is no query. */
export function compileFilter(filter: string): Test {
  const tokens = tokenise(filter);
  let at = 0;
  const peek = (): Token | undefined => tokens[at];
  const is = (text: string): boolean => peek()?.quoted === false && peek()?.text === text;
  const bad = (): Error => invalidArgument(`Unparseable filter: syntax error at line 1, column 1, token '${peek()?.text ?? "end of filter"}'`);

  function either(): Test {
    const tests = [both()];
    while (is("OR")) {
      at += 1;
      tests.push(both());
    }
    return (entry) => tests.some((test) => test(entry));
  }
  function both(): Test {
    const tests = [single()];
    while (peek() && !is("OR") && !is(")")) {
      if (is("AND")) at += 1;
      tests.push(single());
    }
    return (entry) => tests.every((test) => test(entry));
  }
  function single(): Test {
    if (is("NOT") || is("-")) {
      at += 1;
      const test = single();
      return (entry) => !test(entry);
    }
    if (is("(")) {
      at += 1;
      const test = either();
      if (!is(")")) throw bad();
      at += 1;
      return test;
    }
    const first = peek();
    if (!first || (!first.quoted && [...COMPARATORS, ")", "AND", "OR"].includes(first.text))) throw bad();
    at += 1;
    const comparator = peek();
    if (!comparator || comparator.quoted || !COMPARATORS.includes(comparator.text)) return (entry) => JSON.stringify(entry).toLowerCase().includes(first.text.toLowerCase());
    at += 1;
    if (!is("(")) return comparison(first.text, comparator.text, value());
    at += 1;
    const values = [value()];
    while (is("OR")) {
      at += 1;
      values.push(value());
    }
    if (!is(")")) throw bad();
    at += 1;
    const tests = values.map((each) => comparison(first.text, comparator.text, each));
    return (entry) => tests.some((test) => test(entry));
  }
  function value(): string {
    const found = peek();
    if (!found || (!found.quoted && [...COMPARATORS, "(", ")"].includes(found.text))) throw bad();
    at += 1;
    return found.text;
  }

  if (tokens.length === 0) return () => true;
  const test = either();
  if (peek()) throw bad();
  return test;
}

function tokenise(filter: string): Token[] {
  const tokens: Token[] = [];
  const text = filter.replace(/^\s*--.*$/gm, "").trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const [whole, symbol, quoted, minus, word] = TOKEN.exec(text) ?? [];
    if (whole === undefined) throw invalidArgument(`Unparseable filter: ${filter}`);
    if (quoted !== undefined) tokens.push({ text: quoted.replace(/\\(.)/g, "$1"), quoted: true });
    else tokens.push({ text: symbol ?? minus ?? word ?? "", quoted: false });
  }
  return tokens;
}

function comparison(field: string, comparator: string, wanted: string): Test {
  const ordered = (compare: (order: number) => boolean): Test => (entry) => valuesAt(entry, field).some((found) => compare(order(field, found, wanted)));
  switch (comparator) {
    case "=":
      return (entry) => valuesAt(entry, field).some((found) => found.toLowerCase() === wanted.toLowerCase());
    case "!=":
      return (entry) => !valuesAt(entry, field).some((found) => found.toLowerCase() === wanted.toLowerCase());
    case ":":
      return (entry) => valuesAt(entry, field).some((found) => wanted === "*" || found.toLowerCase().includes(wanted.toLowerCase()));
    case "=~":
      return (entry) => valuesAt(entry, field).some((found) => pattern(wanted).test(found));
    case "!~":
      return (entry) => !valuesAt(entry, field).some((found) => pattern(wanted).test(found));
    case ">":
      return ordered((result) => result > 0);
    case ">=":
      return ordered((result) => result >= 0);
    case "<":
      return ordered((result) => result < 0);
    default:
      return ordered((result) => result <= 0);
  }
}

function pattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw invalidArgument(`Unparseable filter: invalid regular expression ${source}`);
  }
}

function order(field: string, found: string, wanted: string): number {
  if (field === "severity") return SEVERITIES.indexOf(found) - SEVERITIES.indexOf(wanted.toUpperCase());
  if (/timestamp$/i.test(field)) return Date.parse(found) - Date.parse(wanted);
  const [left, right] = [Number(found), Number(wanted)];
  return Number.isNaN(left) || Number.isNaN(right) ? (found < wanted ? -1 : found === wanted ? 0 : 1) : left - right;
}

/** Texts at a path such as `protoPayload.authorizationInfo.permission`; a list stands for each of its members. */
function valuesAt(entry: LogEntry, path: string): string[] {
  let found: unknown[] = [entry];
  for (const name of path.split(".")) {
    found = found.flatMap((value): unknown[] => {
      if (typeof value !== "object" || value === null) return [];
      const member: unknown = (value as Record<string, unknown>)[name];
      return Array.isArray(member) ? member : [member];
    });
  }
  return found.filter((value) => value !== undefined && value !== null).map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean)));
}
