/** The language between brackets in templates and policies: `[concat('tags[', parameters('tagName'), ']')]`. https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions */

/** By name in lower case. */
export type ExpressionFunctions = Readonly<Record<string, (...values: unknown[]) => unknown>>;

/** What is wrong with an expression, in words for InvalidTemplate. */
export class ExpressionError extends Error {}

type Node =
  | { kind: "value"; value: unknown }
  | { kind: "call"; name: string; parts: readonly Node[] }
  | { kind: "member"; of: Node; key: Node };

/** Evaluates every expression in a JSON value, also in the names of members. */
export function evaluateAll(value: unknown, functions: ExpressionFunctions): unknown {
  if (typeof value === "string") return evaluate(value, functions);
  if (Array.isArray(value)) return value.map((each: unknown) => evaluateAll(each, functions));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [String(evaluate(name, functions)), evaluateAll(member, functions)]));
}

/** A text that does not begin with a bracket is itself; `[[` stands for a bracket. */
export function evaluate(text: string, functions: ExpressionFunctions): unknown {
  if (!text.startsWith("[") || !text.endsWith("]")) return text;
  if (text.startsWith("[[")) return text.slice(1);
  return run(new Parser(text.slice(1, -1)).expression(), functions);
}

function run(node: Node, functions: ExpressionFunctions): unknown {
  switch (node.kind) {
    case "value":
      return node.value;
    case "call": {
      const named = node.name.toLowerCase();
      if (named === "if") {
        const [condition, yes, no] = node.parts;
        const chosen = condition && run(condition, functions) === true ? yes : no;
        return chosen && run(chosen, functions);
      }
      const found = Object.hasOwn(functions, named) ? functions[named] : undefined;
      if (!found) throw new ExpressionError(`The template function '${node.name}' is not valid or not played by the sandbox.`);
      return found(...node.parts.map((part) => run(part, functions)));
    }
    case "member":
      return memberOf(run(node.of, functions), run(node.key, functions));
  }
}

function memberOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value) && typeof key === "number") return value[key];
  if (typeof value === "object" && value !== null) {
    const found = Object.entries(value).find(([name]) => name.toLowerCase() === String(key).toLowerCase());
    if (found) return found[1];
  }
  throw new ExpressionError(`The language expression property '${String(key)}' doesn't exist.`);
}

const TOKEN = /\s*(?:('(?:[^']|'')*')|(-?\d+)|([A-Za-z_]\w*)|([()[\],.]))/y;

class Parser {
  #tokens: string[] = [];

  constructor(private readonly text: string) {
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const at = TOKEN.lastIndex;
      const match = TOKEN.exec(text);
      if (!match) throw new ExpressionError(`Unable to parse language expression '${text}': unexpected character at ${at}.`);
      this.#tokens.push(match[0].trim());
    }
  }

  expression(): Node {
    const node = this.#node();
    if (this.#tokens.length > 0) throw this.#unexpected();
    return node;
  }

  #node(): Node {
    let node = this.#primary();
    for (;;) {
      if (this.#take(".")) node = { kind: "member", of: node, key: { kind: "value", value: this.#name() } };
      else if (this.#take("[")) {
        node = { kind: "member", of: node, key: this.#node() };
        this.#expect("]");
      } else return node;
    }
  }

  #primary(): Node {
    const token = this.#tokens.shift();
    if (token === undefined) throw this.#unexpected();
    if (token.startsWith("'")) return { kind: "value", value: token.slice(1, -1).replaceAll("''", "'") };
    if (/^-?\d+$/.test(token)) return { kind: "value", value: Number(token) };
    if (!/^\w+$/.test(token)) throw this.#unexpected();
    this.#expect("(");
    const parts: Node[] = [];
    if (this.#take(")")) return { kind: "call", name: token, parts };
    do parts.push(this.#node());
    while (this.#take(","));
    this.#expect(")");
    return { kind: "call", name: token, parts };
  }

  #name(): string {
    const token = this.#tokens.shift() ?? "";
    if (!/^\w+$/.test(token)) throw this.#unexpected();
    return token;
  }

  #take(token: string): boolean {
    if (this.#tokens[0] !== token) return false;
    this.#tokens.shift();
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#unexpected();
  }

  #unexpected(): ExpressionError {
    return new ExpressionError(`Unable to parse language expression '${this.text}'.`);
  }
}
