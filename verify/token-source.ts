/** Where the workload's token comes from, and which broken tokens can be made there. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { decodeJwt } from "../trust/jwt.js";
import { within } from "./deadline.js";
import { InputError } from "./input-error.js";

/** A token that must be refused, by what is wrong with it. */
export interface TokenOrder {
  subject?: string;
  audience?: string;
  /** Seconds from now; negative for a token that is expired already. */
  expiresInSeconds?: number;
}

export type Variation = keyof TokenOrder;

export interface TokenSource {
  /** For people, without secrets: `the file /var/run/token`. */
  readonly description: string;
  /** What can be ordered otherwise than the workload's own. */
  readonly variations: ReadonlySet<Variation>;
  /** A token, fresh where the source makes fresh ones. Rejects with {@link InputError}. */
  token(signal: AbortSignal, order?: TokenOrder): Promise<string>;
}

/** What the placeholders of a token command stand for when nothing else is ordered. */
export interface TokenDefaults {
  subject: string;
  audience: string;
  expiresInSeconds: number;
}

export const TOKEN_DEADLINE_MS = 30_000;

/** A file that the platform renews, such as a projected service account token; read anew each time. */
export function fileToken(path: string): TokenSource {
  return {
    description: `the file ${path}`,
    variations: new Set(),
    token: async (signal) => {
      const text = await readFile(path, { encoding: "utf8", signal }).catch((error: unknown) => {
        throw new InputError(`The token file ${path} cannot be read (${errorCode(error)}): give the path of a file that holds a token to --token-file.`);
      });
      return assertJwt(text.trim(), `The file ${path}`, "It must hold one JWT and nothing else.");
    },
  };
}

export function environmentToken(name: string, env: NodeJS.ProcessEnv = process.env): TokenSource {
  return {
    description: `the environment variable ${name}`,
    variations: new Set(),
    token: async () => {
      const text = env[name]?.trim() ?? "";
      if (text === "") throw new InputError(`The environment variable ${name} is ${env[name] === undefined ? "not set" : "empty"}: put the token into it, or name another one with --token-env.`);
      return assertJwt(text, `The environment variable ${name}`, "It must hold one JWT and nothing else.");
    },
  };
}

const PLACEHOLDERS: Readonly<Record<Variation, string>> = { subject: "{subject}", audience: "{audience}", expiresInSeconds: "{expires-in}" };

/**
 * A command that prints a token. It is split into words at spaces, with single and double quotes and backslashes as in a
 * shell, and run without one: no variables, pipes or globs. Its output is never shown.
 *
 * `{subject}`, `{audience}` and `{expires-in}` (seconds) in it are filled in; a command that has one can make the broken
 * token of that kind, which verify then presents too.
 */
export function commandToken(command: string, defaults: TokenDefaults, env: NodeJS.ProcessEnv = process.env): TokenSource {
  const words = splitWords(command);
  const program = words[0];
  if (program === undefined) throw new InputError("--token-command is empty: give it a command that prints a token.");
  const names = Object.keys(PLACEHOLDERS) as Variation[];
  return {
    description: `the command ${program}`,
    variations: new Set(names.filter((name) => words.some((word) => word.includes(PLACEHOLDERS[name])))),
    token: async (signal, order = {}) => {
      const values = { ...defaults, ...order };
      const filled = words.map((word) => names.reduce((text, name) => text.replaceAll(PLACEHOLDERS[name], String(values[name])), word));
      const printed = await within(TOKEN_DEADLINE_MS, signal, (bounded) => run(filled, env, bounded));
      return assertJwt(printed.trim(), `The output of ${program}`, "--token-command must print one JWT and nothing else.");
    },
  };
}

/** A source in this process. */
export function functionToken(make: (order: TokenOrder) => Promise<string>, variations: Iterable<Variation> = []): TokenSource {
  return { description: "the calling program", variations: new Set(variations), token: async (_signal, order = {}) => assertJwt(await make(order), "What the calling program gave", "It must be one JWT.") };
}

function assertJwt(text: string, what: string, wayOut: string): string {
  if (text === "") throw new InputError(`${what} is empty. ${wayOut}`);
  if (decodeJwt(text) === undefined) throw new InputError(`${what} is no JWT (${text.length} characters, which are not shown). ${wayOut}`);
  return text;
}

function run([program = "", ...args]: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (reason: string) => new InputError(`The token command ${program} ${reason}. Its output is not shown, since it may hold a token: run it by hand to see it.`);
    const child = spawn(program, args, { env, signal, stdio: ["ignore", "pipe", "ignore"], killSignal: "SIGKILL" });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", (error) => {
      if (signal.aborted) reject(failed(`printed no token within ${TOKEN_DEADLINE_MS / 1000} s`));
      else reject(errorCode(error) === "ENOENT" ? new InputError(`The token command ${program} was not found: check --token-command (it is run without a shell).`) : failed(`could not be run (${errorCode(error)})`));
    });
    child.on("close", (status, ended) => {
      if (status === 0) resolve(Buffer.concat(chunks).toString("utf8"));
      else reject(failed(status === null ? `was ended by ${ended ?? "a signal"}` : `ended with status ${status}`));
    });
  });
}

/** Words as a POSIX shell would split them, without expanding anything. */
export function splitWords(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < command.length; index += 1) {
    const character = command.charAt(index);
    if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === undefined && (character === "'" || character === '"')) {
      quote = character;
      word ??= "";
    } else if (character === quote) {
      quote = undefined;
    } else if (character === "\\" && quote !== "'" && index + 1 < command.length) {
      index += 1;
      word = (word ?? "") + command.charAt(index);
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== undefined) throw new InputError(`--token-command has a ${quote} that is never closed.`);
  if (word !== undefined) words.push(word);
  return words;
}

function errorCode(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "unknown error";
}
