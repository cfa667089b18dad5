/**
 * The grammar of the shell in a build, as far as buildspecs go: lists, pipelines, `if`, groups, redirections, quotes,
 * parameters, command substitution.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html
 */

export type Part =
  | { kind: "text"; text: string; quoted: boolean }
  | { kind: "parameter"; name: string; quoted: boolean; operator?: string; operand?: Word }
  | { kind: "command"; script: List; quoted: boolean };

export type Word = Part[];

export interface Redirect {
  /** Of the stream that is redirected. */
  descriptor: 0 | 1 | 2;
  operator: "<" | ">" | ">>" | ">&";
  target: Word;
}

export type Command =
  | { kind: "simple"; assignments: { name: string; value: Word }[]; words: Word[]; redirects: Redirect[] }
  | { kind: "if"; clauses: { test: List; body: List }[]; otherwise?: List; redirects: Redirect[] }
  | { kind: "group"; body: List; redirects: Redirect[] };

export interface Pipeline {
  negated: boolean;
  commands: Command[];
}

export interface AndOr {
  first: Pipeline;
  rest: { operator: "&&" | "||"; pipeline: Pipeline }[];
}

export type List = AndOr[];

/** What the grammar has no place for. The message names it. */
export class ShellSyntaxError extends Error {}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
const UNSUPPORTED = new Set(["for", "while", "until", "case", "function", "select", "[[", "(("]);
const CLOSING = new Set(["then", "elif", "else", "fi", "}", "do", "done", "esac"]);

export function parseScript(text: string): List {
  const parser = new Parser(text);
  const list = parser.list([]);
  parser.expectEnd();
  return list;
}

class Parser {
  #at = 0;

  constructor(private readonly text: string) {}

  /** Commands up to one of the closing words, which is left to be read. */
  list(until: readonly string[], closingParenthesis = false): List {
    const list: List = [];
    for (;;) {
      this.#separators();
      if (this.#at >= this.text.length || (closingParenthesis && this.#peek() === ")")) return list;
      const next = this.#bareWord();
      if (next !== undefined && until.includes(next)) return list;
      if (next !== undefined && CLOSING.has(next)) throw new ShellSyntaxError(`syntax error near unexpected token \`${next}'`);
      list.push(this.#andOr());
    }
  }

  expectEnd(): void {
    if (this.#at < this.text.length) throw new ShellSyntaxError(`syntax error near unexpected token \`${this.#peek()}'`);
  }

  #andOr(): AndOr {
    const first = this.#pipeline();
    const rest: AndOr["rest"] = [];
    for (;;) {
      this.#blanks();
      const operator = (["&&", "||"] as const).find((each) => this.text.startsWith(each, this.#at));
      if (operator === undefined) break;
      this.#at += 2;
      this.#separators();
      rest.push({ operator, pipeline: this.#pipeline() });
    }
    if (this.#peek() === "&") throw new ShellSyntaxError("the sandbox's shell runs nothing in the background (&)");
    return { first, rest };
  }

  #pipeline(): Pipeline {
    this.#blanks();
    const negated = /^!\s/.test(this.text.slice(this.#at, this.#at + 2));
    if (negated) this.#at += 1;
    const commands = [this.#command()];
    while (this.#atPipe()) {
      this.#at += 1;
      this.#separators();
      commands.push(this.#command());
    }
    return { negated, commands };
  }

  #command(): Command {
    this.#blanks();
    const word = this.#bareWord();
    if (word !== undefined && UNSUPPORTED.has(word)) throw new ShellSyntaxError(`the sandbox's shell does not know \`${word}'`);
    if (word === "if") return this.#if();
    if (word === "{") return this.#group();
    if (this.#peek() === "(") throw new ShellSyntaxError("the sandbox's shell has no subshells ( … )");
    return this.#simple();
  }

  #if(): Command {
    const clauses: { test: List; body: List }[] = [];
    let keyword = this.#keyword("if", "elif");
    let otherwise: List | undefined;
    while (keyword === "if" || keyword === "elif") {
      const test = this.list(["then"]);
      this.#keyword("then");
      clauses.push({ test, body: this.list(["elif", "else", "fi"]) });
      keyword = this.#keyword("elif", "else", "fi");
    }
    if (keyword === "else") {
      otherwise = this.list(["fi"]);
      this.#keyword("fi");
    }
    return { kind: "if", clauses, ...(otherwise && { otherwise }), redirects: this.#redirects() };
  }

  #group(): Command {
    this.#keyword("{");
    const body = this.list(["}"]);
    this.#keyword("}");
    return { kind: "group", body, redirects: this.#redirects() };
  }

  #simple(): Command {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (;;) {
      this.#blanks();
      const redirect = this.#redirect();
      if (redirect) {
        redirects.push(redirect);
        continue;
      }
      if (this.#atBreak()) break;
      const name = words.length === 0 ? /^[A-Za-z_][A-Za-z0-9_]*(?==)/.exec(this.text.slice(this.#at))?.[0] : undefined;
      if (name !== undefined) {
        this.#at += name.length + 1;
        assignments.push({ name, value: this.#word() });
      } else words.push(this.#word());
    }
    if (assignments.length + words.length + redirects.length === 0) {
      throw new ShellSyntaxError(`syntax error near unexpected token \`${this.#peek() || "end of file"}'`);
    }
    return { kind: "simple", assignments, words, redirects };
  }

  #redirects(): Redirect[] {
    const redirects: Redirect[] = [];
    for (;;) {
      this.#blanks();
      const redirect = this.#redirect();
      if (!redirect) return redirects;
      redirects.push(redirect);
    }
  }

  #redirect(): Redirect | undefined {
    const found = /^([012]?)(>>|>&|>|<<|<)/.exec(this.text.slice(this.#at, this.#at + 3));
    if (!found) return undefined;
    const operator = found[2] ?? "";
    if (operator === "<<") throw new ShellSyntaxError("the sandbox's shell has no here-documents (<<)");
    this.#at += found[0].length;
    this.#blanks();
    const descriptor = found[1] === "" || found[1] === undefined ? (operator === "<" ? 0 : 1) : (Number(found[1]) as 0 | 1 | 2);
    return { descriptor, operator: operator as Redirect["operator"], target: this.#word() };
  }

  #word(): Word {
    const word: Word = [];
    while (!this.#atBreak()) {
      const character = this.#peek();
      if (character === "'") word.push({ kind: "text", text: this.#until("'"), quoted: true });
      else if (character === '"') word.push(...this.#doubleQuoted());
      else if (character === "$" || character === "`") word.push(this.#expansion(false));
      else if (character === "<" || character === ">") break;
      else word.push({ kind: "text", text: this.#literal(), quoted: false });
    }
    return word;
  }

  #literal(): string {
    let text = "";
    while (!this.#atBreak() && !"'\"$`<>".includes(this.#peek())) {
      if (this.#peek() === "\\") this.#at += 1;
      text += this.#peek();
      this.#at += 1;
    }
    return text;
  }

  #until(quote: string): string {
    const end = this.text.indexOf(quote, this.#at + 1);
    if (end < 0) throw new ShellSyntaxError(`unexpected EOF while looking for matching \`${quote}'`);
    const text = this.text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return text;
  }

  #doubleQuoted(): Word {
    const word: Word = [{ kind: "text", text: "", quoted: true }];
    this.#at += 1;
    for (let text = ""; ; ) {
      const character = this.#peek();
      if (character === "") throw new ShellSyntaxError("unexpected EOF while looking for matching `\"'");
      if (character === '"' || character === "$" || character === "`") {
        if (text !== "") word.push({ kind: "text", text, quoted: true });
        text = "";
        if (character === '"') break;
        word.push(this.#expansion(true));
        continue;
      }
      const escaped = character === "\\" && '"$`\\'.includes(this.text[this.#at + 1] ?? "x");
      if (escaped) this.#at += 1;
      text += this.#peek();
      this.#at += 1;
    }
    this.#at += 1;
    return word;
  }

  #expansion(quoted: boolean): Part {
    if (this.#peek() === "`") return { kind: "command", script: parseScript(this.#until("`")), quoted };
    this.#at += 1;
    if (this.#peek() === "(") {
      this.#at += 1;
      const script = this.list([], true);
      if (this.#peek() !== ")") throw new ShellSyntaxError("unexpected EOF while looking for matching `)'");
      this.#at += 1;
      return { kind: "command", script, quoted };
    }
    if (this.#peek() === "{") return this.#braces(quoted);
    const name = NAME.exec(this.text.slice(this.#at))?.[0] ?? (/^[?#@*0-9]/.exec(this.#peek())?.[0]);
    if (name === undefined) return { kind: "text", text: "$", quoted };
    this.#at += name.length;
    return { kind: "parameter", name, quoted };
  }

  #braces(quoted: boolean): Part {
    const end = this.#closingBrace();
    const inner = this.text.slice(this.#at + 1, end);
    this.#at = end + 1;
    const name = NAME.exec(inner)?.[0];
    if (name === undefined) throw new ShellSyntaxError(`\${${inner}}: bad substitution`);
    if (inner === name) return { kind: "parameter", name, quoted };
    const operator = /^(:-|:\+|:\?|-|\+|\?|%%|%|##|#)/.exec(inner.slice(name.length))?.[0];
    if (operator === undefined) throw new ShellSyntaxError(`\${${inner}}: bad substitution`);
    const operand = new Parser(`"${inner.slice(name.length + operator.length).replaceAll('"', "")}"`).#word();
    return { kind: "parameter", name, quoted, operator, operand };
  }

  #closingBrace(): number {
    let depth = 0;
    for (let at = this.#at; at < this.text.length; at++) {
      if (this.text[at] === "{") depth += 1;
      if (this.text[at] === "}" && --depth === 0) return at;
    }
    throw new ShellSyntaxError("unexpected EOF while looking for matching `}'");
  }

  #keyword(...allowed: string[]): string {
    this.#separators();
    const word = this.#bareWord();
    if (word === undefined || !allowed.includes(word)) throw new ShellSyntaxError(`syntax error: expected \`${allowed.join("' or `")}'`);
    this.#at += word.length;
    return word;
  }

  /** The word at hand where it is one without quotes and expansions. */
  #bareWord(): string | undefined {
    return /^(?:[A-Za-z_]+|\{|\}|\[\[|\(\()(?=[\s;&|)]|$)/.exec(this.text.slice(this.#at))?.[0];
  }

  #peek(): string {
    return this.text[this.#at] ?? "";
  }

  #atPipe(): boolean {
    this.#blanks();
    return this.#peek() === "|" && this.text[this.#at + 1] !== "|";
  }

  #atBreak(): boolean {
    return /^(?:$|[\s;|&()])/.test(this.#peek());
  }

  #blanks(): void {
    this.#at += /^(?:[ \t]|\\\n)*/.exec(this.text.slice(this.#at))?.[0].length ?? 0;
    if (this.#peek() === "#") this.#at += /^[^\n]*/.exec(this.text.slice(this.#at))?.[0].length ?? 0;
  }

  #separators(): void {
    for (let before = -1; before !== this.#at; ) {
      before = this.#at;
      this.#at += /^[\s;]*/.exec(this.text.slice(this.#at))?.[0].length ?? 0;
      this.#blanks();
    }
  }
}
