/** Reads the text of a condition. https://learn.microsoft.com/azure/role-based-access-control/conditions-format#condition-syntax */
import { CONDITION_MAX_BYTES, CONDITION_OPERATORS, CONDITION_SETS, CONDITION_SOURCES, type ConditionOperatorFact } from "../../facts/azure/conditions.js";

export interface ConditionAttribute {
  /** In lower case: `resource`, `request`, `principal` or `environment`. */
  source: string;
  /** As written between the brackets. */
  name: string;
}

export type ConditionOperand = { attribute: ConditionAttribute } | { values: readonly string[] };

export interface ConditionOperator {
  /** As written. */
  name: string;
  fact: ConditionOperatorFact;
  /** Undefined: one value against one. */
  sets: { left: "any" | "all"; right: "any" | "all" } | undefined;
}

export type Condition =
  | { kind: "and" | "or"; parts: readonly Condition[] }
  | { kind: "not"; of: Condition }
  | { kind: "action"; patterns: readonly string[] }
  | { kind: "sub-operation"; names: readonly string[] }
  | { kind: "exists"; attribute: ConditionAttribute }
  | { kind: "comparison"; left: ConditionOperand; operator: ConditionOperator; right: ConditionOperand };

/** What is wrong with a text is a sentence's end: "the condition …". */
export class ConditionSyntaxError extends Error {}

/** Throws {@link ConditionSyntaxError}. */
export function parseCondition(text: string): Condition {
  if (Buffer.byteLength(text) > CONDITION_MAX_BYTES) throw new ConditionSyntaxError(`is longer than ${CONDITION_MAX_BYTES} bytes`);
  const parser = new Parser(tokensOf(text));
  const condition = parser.expression();
  parser.end();
  return condition;
}

interface Token {
  kind: "sign" | "word" | "text" | "attribute";
  text: string;
  at: number;
}

const TOKEN = /\s*(?:(?<attribute>@\w+\[[^\]]*\])|'(?<text>[^']*)'|(?<sign>&&|\|\||[(){},!])|(?<word>[\w.:-]+))/y;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) throw new ConditionSyntaxError(`cannot be read at ${JSON.stringify(text.slice(at, at + 20).trim())}`);
    const [kind, value] = Object.entries(groups).find((entry): entry is [Token["kind"], string] => (entry[1] as string | undefined) !== undefined) ?? ["sign" as const, ""];
    tokens.push({ kind, text: value, at });
  }
  return tokens;
}

const JOINERS: Readonly<Record<string, "and" | "or">> = { and: "and", "&&": "and", or: "or", "||": "or" };

class Parser {
  #next = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  /** Of two joiners without parentheses, neither comes first: Azure asks for parentheses. */
  expression(): Condition {
    const parts = [this.#term()];
    let kind: "and" | "or" | undefined;
    for (let joiner = this.#joiner(); joiner !== undefined; joiner = this.#joiner()) {
      if (kind !== undefined && kind !== joiner) throw new ConditionSyntaxError("joins with AND and OR without parentheses");
      kind = joiner;
      this.#next += 1;
      parts.push(this.#term());
    }
    const [first] = parts;
    return kind === undefined && first !== undefined ? first : { kind: kind ?? "and", parts };
  }

  end(): void {
    const token = this.tokens[this.#next];
    if (token !== undefined) throw new ConditionSyntaxError(`goes on with ${JSON.stringify(token.text)} where it should end`);
  }

  #joiner(): "and" | "or" | undefined {
    const token = this.tokens[this.#next];
    return token === undefined || (token.kind !== "word" && token.kind !== "sign") ? undefined : JOINERS[token.text.toLowerCase()];
  }

  #term(): Condition {
    if (this.#takes("!") || this.#takes("NOT")) return { kind: "not", of: this.#term() };
    if (this.#takes("(")) {
      const inner = this.expression();
      this.#expect(")");
      return inner;
    }
    if (this.#takes("ActionMatches")) return { kind: "action", patterns: this.#list() };
    if (this.#takes("SubOperationMatches")) return { kind: "sub-operation", names: this.#list() };
    if (this.#takes("Exists")) return { kind: "exists", attribute: this.#attribute() };
    return { kind: "comparison", left: this.#operand(), operator: this.#operator(), right: this.#operand() };
  }

  #operator(): ConditionOperator {
    const { text } = this.#take("word", "an operator");
    const [name = "", set, ...more] = text.split(":").reverse();
    const fact = CONDITION_OPERATORS.get(name.toLowerCase());
    const sets = set === undefined ? undefined : CONDITION_SETS[set.toLowerCase()];
    if (fact === undefined || (set !== undefined && sets === undefined) || more.length > 0) throw new ConditionSyntaxError(`has the operator ${text}, which is not known here`);
    return { name: text, fact, sets };
  }

  #operand(): ConditionOperand {
    const token = this.tokens[this.#next];
    if (token?.kind === "attribute") return { attribute: this.#attribute() };
    return { values: token?.kind === "sign" && token.text === "{" ? this.#list() : [this.#literal()] };
  }

  #attribute(): ConditionAttribute {
    const { text } = this.#take("attribute", "an attribute such as @Resource[…]");
    const bracket = text.indexOf("[");
    const source = text.slice(1, bracket).toLowerCase();
    const name = text.slice(bracket + 1, -1).trim();
    if (!CONDITION_SOURCES.includes(source) || name === "") throw new ConditionSyntaxError(`has the attribute ${text}, which is not known here`);
    return { source, name };
  }

  #list(): string[] {
    this.#expect("{");
    const values = [this.#literal()];
    while (this.#takes(",")) values.push(this.#literal());
    this.#expect("}");
    return values;
  }

  #literal(): string {
    const token = this.tokens[this.#next];
    if (token?.kind !== "text" && token?.kind !== "word") throw this.#unexpected("a value");
    this.#next += 1;
    return token.text;
  }

  /** Without regard to case. */
  #takes(text: string): boolean {
    const token = this.tokens[this.#next];
    if (token === undefined || token.kind === "text" || token.kind === "attribute" || token.text.toLowerCase() !== text.toLowerCase()) return false;
    this.#next += 1;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#takes(sign)) throw this.#unexpected(sign);
  }

  #take(kind: Token["kind"], what: string): Token {
    const token = this.tokens[this.#next];
    if (token?.kind !== kind) throw this.#unexpected(what);
    this.#next += 1;
    return token;
  }

  #unexpected(what: string): ConditionSyntaxError {
    const token = this.tokens[this.#next];
    return new ConditionSyntaxError(token === undefined ? `ends where ${what} should be` : `has ${JSON.stringify(token.text)} where ${what} should be`);
  }
}
