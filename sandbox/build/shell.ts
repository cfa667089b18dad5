/** Runs a build's commands: one shell for the whole build, its variables, its folder, its programs. */
import { posix } from "node:path";
import type { BuildFiles } from "./files.js";
import { type AndOr, type Command, type List, type Part, type Pipeline, type Redirect, ShellSyntaxError, type Word, parseScript } from "./shell-syntax.js";

export interface ProgramCall {
  name: string;
  args: readonly string[];
  stdin: string;
  out: (text: string) => void;
  err: (text: string) => void;
  shell: Shell;
}

/** Answers the exit status. */
export type Program = (call: ProgramCall) => number | Promise<number>;

/** Thrown through the shell when the build is stopped or out of time. */
export class Interrupted extends Error {}

export interface ShellParts {
  files: BuildFiles;
  programs: Readonly<Record<string, Program>>;
  variables: Record<string, string>;
  folder: string;
  /** Throws {@link Interrupted} when the build must end now. */
  checkpoint(): void;
}

interface Streams {
  stdin: string;
  out: (text: string) => void;
  err: (text: string) => void;
}

class Exit extends Error {
  constructor(readonly status: number) {
    super();
  }
}

/** Exit statuses of shells. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_08 */
const SYNTAX_ERROR = 2;
const NOT_FOUND = 127;

export class Shell {
  readonly variables: Map<string, string>;
  folder: string;
  lastStatus = 0;
  /** `set -e`, `set -u`, `set -o pipefail`. */
  readonly options = { errexit: false, nounset: false, pipefail: false };
  /** Above 0 inside a test, where `set -e` does not count. */
  #testing = 0;
  /** Status of the last command substitution. */
  #substituted = 0;

  constructor(private readonly parts: ShellParts) {
    this.variables = new Map(Object.entries(parts.variables));
    this.folder = parts.folder;
  }

  get files(): BuildFiles {
    return this.parts.files;
  }

  checkpoint(): void {
    this.parts.checkpoint();
  }

  path(name: string): string {
    return posix.resolve(this.folder, name);
  }

  /** Runs one command of a buildspec; answers its exit status. */
  async run(command: string, out: (text: string) => void): Promise<number> {
    const streams: Streams = { stdin: "", out, err: out };
    try {
      return await this.#list(parseScript(command), streams);
    } catch (error) {
      if (error instanceof Exit) return error.status;
      if (!(error instanceof ShellSyntaxError)) throw error;
      out(`sh: ${error.message}\n`);
      return SYNTAX_ERROR;
    }
  }

  /** Runs one program with its arguments as they are; answers its exit status. */
  async exec(name: string, args: string[], out: (text: string) => void): Promise<number> {
    this.checkpoint();
    return this.#program(name, args, { stdin: "", out, err: out });
  }

  /** Ends the command at hand. */
  exit(status: number): never {
    throw new Exit(status);
  }

  async #list(list: List, streams: Streams): Promise<number> {
    let status = 0;
    for (const each of list) status = await this.#andOr(each, streams);
    return status;
  }

  async #andOr({ first, rest }: AndOr, streams: Streams): Promise<number> {
    const last = rest.length;
    let ranLast = last === 0;
    let status = await this.#conditional(last > 0, () => this.#pipeline(first, streams));
    for (const [index, { operator, pipeline }] of rest.entries()) {
      if ((operator === "&&") !== (status === 0)) continue;
      ranLast = index === last - 1;
      status = await this.#conditional(!ranLast, () => this.#pipeline(pipeline, streams));
    }
    if (status !== 0 && ranLast && this.options.errexit && this.#testing === 0) throw new Exit(status);
    return status;
  }

  async #conditional<T>(isTest: boolean, run: () => Promise<T>): Promise<T> {
    if (!isTest) return run();
    this.#testing += 1;
    try {
      return await run();
    } finally {
      this.#testing -= 1;
    }
  }

  async #pipeline({ negated, commands }: Pipeline, streams: Streams): Promise<number> {
    let stdin = streams.stdin;
    const statuses: number[] = [];
    for (const [index, command] of commands.entries()) {
      let piped = "";
      const out = index === commands.length - 1 ? streams.out : (text: string) => void (piped += text);
      statuses.push(await this.#command(command, { stdin, out, err: streams.err }));
      stdin = piped;
    }
    const failed = this.options.pipefail ? statuses.findLast((status) => status !== 0) : undefined;
    const status = failed ?? statuses.at(-1) ?? 0;
    this.lastStatus = negated ? Number(status === 0) : status;
    return this.lastStatus;
  }

  async #command(command: Command, streams: Streams): Promise<number> {
    this.checkpoint();
    const redirected = await this.#redirect(command.redirects, streams);
    if (redirected === undefined) return 1;
    switch (command.kind) {
      case "if":
        return this.#if(command, redirected);
      case "group":
        return this.#list(command.body, redirected);
      case "simple":
        return this.#simple(command, redirected);
    }
  }

  async #if({ clauses, otherwise = [] }: Extract<Command, { kind: "if" }>, streams: Streams): Promise<number> {
    for (const { test, body } of clauses) {
      if ((await this.#conditional(true, () => this.#list(test, streams))) === 0) return this.#list(body, streams);
    }
    return this.#list(otherwise, streams);
  }

  async #simple({ assignments, words }: Extract<Command, { kind: "simple" }>, streams: Streams): Promise<number> {
    this.#substituted = 0;
    const [name, ...args] = await this.#expand(words, streams);
    const values: [string, string][] = [];
    for (const { name: variable, value } of assignments) values.push([variable, await this.#text(value, streams)]);
    const before = values.map(([variable]) => [variable, this.variables.get(variable)] as const);
    for (const [variable, value] of values) this.variables.set(variable, value);
    // An assignment alone has the status of its command substitution.
    if (name === undefined) return this.#substituted;
    try {
      return await this.#program(name, args, streams);
    } finally {
      for (const [variable, value] of before) {
        if (value === undefined) this.variables.delete(variable);
        else this.variables.set(variable, value);
      }
    }
  }

  async #program(name: string, args: string[], streams: Streams): Promise<number> {
    const { programs } = this.parts;
    const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
    if (program) return program({ name, args, ...streams, shell: this });
    streams.err(`sh: ${name}: command not found (the sandbox's builds know: ${Object.keys(programs).sort().join(", ")})\n`);
    return NOT_FOUND;
  }

  /** Undefined when a file cannot be read. */
  async #redirect(redirects: readonly Redirect[], streams: Streams): Promise<Streams | undefined> {
    const result = { ...streams };
    for (const { descriptor, operator, target } of redirects) {
      const name = await this.#text(target, streams);
      if (operator === "<") {
        const data = this.files.read(this.path(name));
        if (!data) {
          streams.err(`sh: ${name}: No such file or directory\n`);
          return undefined;
        }
        result.stdin = data.toString("utf8");
        continue;
      }
      const sink = operator === ">&" ? (name === "2" ? result.err : result.out) : this.#file(name, operator === ">>");
      if (descriptor === 2) result.err = sink;
      else result.out = sink;
    }
    return result;
  }

  #file(name: string, append: boolean): (text: string) => void {
    if (name === "/dev/null") return () => undefined;
    const path = this.path(name);
    const before = append ? this.files.read(path) : undefined;
    this.files.write(path, before ?? Buffer.alloc(0));
    return (text) => this.files.write(path, Buffer.concat([this.files.read(path) ?? Buffer.alloc(0), Buffer.from(text)]));
  }

  /** Words as arguments: what is not quoted is split at blanks, and vanishes when it is empty. */
  async #expand(words: readonly Word[], streams: Streams): Promise<string[]> {
    const args: string[] = [];
    for (const word of words) {
      let current: string | undefined;
      for (const part of word) {
        const value = await this.#part(part, streams);
        if (part.kind === "text" || part.quoted) {
          current = (current ?? "") + value;
          continue;
        }
        const [first = "", ...others] = value.trim().split(/\s+/);
        if (first === "" && others.length === 0) continue;
        current = (current ?? "") + first;
        for (const other of others) {
          args.push(current);
          current = other;
        }
      }
      if (current !== undefined) args.push(current);
    }
    return args;
  }

  async #text(word: Word, streams: Streams): Promise<string> {
    let text = "";
    for (const part of word) text += await this.#part(part, streams);
    return text;
  }

  async #part(part: Part, streams: Streams): Promise<string> {
    if (part.kind === "text") return part.text;
    if (part.kind === "parameter") return this.#parameter(part, streams);
    let output = "";
    const variables = new Map(this.variables);
    const { folder } = this;
    try {
      this.#substituted = await this.#list(part.script, { ...streams, out: (text) => void (output += text) });
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
      this.#substituted = error.status;
    }
    // A substitution runs in a shell of its own.
    this.variables.clear();
    for (const [name, value] of variables) this.variables.set(name, value);
    this.folder = folder;
    return output.replace(/\n+$/, "");
  }

  async #parameter({ name, operator, operand = [] }: Extract<Part, { kind: "parameter" }>, streams: Streams): Promise<string> {
    const value = name === "?" ? String(this.lastStatus) : this.variables.get(name);
    if (operator === undefined) {
      if (value === undefined && this.options.nounset) this.#fail(`${name}: unbound variable`, streams);
      return value ?? "";
    }
    const other = await this.#text(operand, streams);
    const missing = operator.startsWith(":") ? value === undefined || value === "" : value === undefined;
    switch (operator.replace(":", "")) {
      case "-":
        return missing ? other : (value ?? "");
      case "+":
        return missing ? "" : other;
      case "?":
        if (missing) this.#fail(`${name}: ${other === "" ? "parameter null or not set" : other}`, streams);
        return value ?? "";
      default:
        return strip(value ?? "", operator, other);
    }
  }

  #fail(problem: string, streams: Streams): never {
    streams.err(`sh: ${problem}\n`);
    throw new Exit(1);
  }
}

/** `%` and `%%` take a pattern off the end, `#` and `##` off the beginning; doubled, the longest piece. */
function strip(value: string, operator: string, pattern: string): string {
  const body = Array.from(pattern, (character) => (character === "*" ? ".*" : character === "?" ? "." : character.replace(/[.+^${}()|[\]\\]/, "\\$&"))).join("");
  const matches = new RegExp(`^(?:${body})$`, "s");
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  if (operator.length === 2) lengths.reverse();
  const fromEnd = operator.startsWith("%");
  const found = lengths.find((length) => matches.test(fromEnd ? value.slice(value.length - length) : value.slice(0, length)));
  if (found === undefined) return value;
  return fromEnd ? value.slice(0, value.length - found) : value.slice(found);
}
