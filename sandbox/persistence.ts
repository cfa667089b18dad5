import { X509Certificate, createPrivateKey, randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { z } from "zod";
import type { CaMaterial } from "./certificates.js";
import type { SandboxSnapshot } from "./index.js";
import { snapshotEntries } from "./store.js";

/** Store types that start so hold secrets: kept apart from the state, never listed, never shown. */
export const secretPrefix = "secret:";

/** Everything that a state file and its keys file bring back. */
export interface SavedState {
  snapshot?: SandboxSnapshot;
  ca: CaMaterial;
}

const stateFormat = "cloud-federation-sandbox-state";
const keysFormat = "cloud-federation-sandbox-keys";
const version = 1;
/** What a file that somebody edited may have lost; the store checks the resources. */
const savedSettings = z.object({
  resources: z.object({}),
  clockOffsetSeconds: z.number(),
  latencyMs: z.number().nonnegative(),
  propagationDelaySeconds: z.number().nonnegative(),
  faults: z.object({
    latency: z.record(z.string(), z.number()),
    faults: z.array(
      z.object({
        id: z.string(),
        operation: z.string(),
        status: z.number(),
        code: z.string(),
        message: z.string(),
        count: z.number().optional(),
      }),
    ),
  }),
});
/** Milliseconds: changes come in bursts, and each write is a whole file. */
const debounceMs = 100;

export const keysFile = (stateFile: string): string => `${stateFile}.keys`;

/** The locks of this process: another one that had its id before a crash, as in a container, left a lock that looks like ours. */
const held = new Set<string>();

/**
 * Claims a state file for one sandbox with `<file>.lock`, which holds the process id, and returns what gives it back.
 * Takes over the lock of a process that has gone. Rejects with one line where the sandbox of another one runs.
 */
export async function lockState(file: string): Promise<() => void> {
  const lock = `${file}.lock`;
  while (!take(file, lock)) {
    const pid = Number(await readFile(lock, "utf8").catch(() => "0"));
    if (pid === process.pid ? held.has(lock) : isRunning(pid)) {
      throw new Error(`The state file ${file} is in use by process ${pid}: stop that sandbox, or name another --state file. If it is no sandbox, delete ${lock}.`);
    }
    await rm(lock, { force: true });
  }
  held.add(lock);
  return () => {
    if (held.delete(lock)) rmSync(lock, { force: true });
  };
}

function take(file: string, lock: string): boolean {
  try {
    // At once rather than asynchronously: nobody should see the lock before the number is in it.
    writeFileSync(lock, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw new Error(`The state file ${file} cannot be written: ${message}`);
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return !hasEnded(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Whether the process is a zombie: ended, but nobody has asked for its status, as in a container whose first process does not
 * (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the state follows the name in parentheses).
 */
function hasEnded(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Undefined where neither file exists yet. Rejects with one line when one is unreadable; nothing is changed. */
export async function readState(file: string): Promise<SavedState | undefined> {
  const state = await readDocument(file, stateFormat);
  const keys = await readDocument(keysFile(file), keysFormat);
  if (!keys) {
    if (!state) return undefined;
    throw new Error(`The state file ${file} has lost its keys: ${keysFile(file)} is missing. Bring it back, or name another --state file.`);
  }
  const ca = keys["ca"] as CaMaterial | undefined;
  if (typeof ca?.certPem !== "string" || typeof ca.keyPem !== "string") throw foreign(keysFile(file), "it holds no CA");
  if (!isPair(ca)) throw foreign(keysFile(file), "its CA cannot be read");
  if (!state) return { ca };
  if (!savedSettings.safeParse(state["sandbox"]).success) throw foreign(file, "its settings cannot be read");
  const { resources, ...settings } = state["sandbox"] as SandboxSnapshot;
  try {
    const entries = [...snapshotEntries(resources), ...snapshotEntries({ entries: keys["entries"] })];
    return { ca, snapshot: { ...settings, resources: { entries } } };
  } catch {
    throw foreign(file, "its resources cannot be read");
  }
}

function isPair({ certPem, keyPem }: CaMaterial): boolean {
  try {
    return new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

async function readDocument(file: string, format: string): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new Error(`The state file ${file} cannot be read: ${message}`);
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw foreign(file, "it is not JSON");
  }
  const { format: found, version: written } = (document ?? {}) as Record<string, unknown>;
  if (found !== format) throw foreign(file, `it is no ${format}`);
  if (written !== version) throw foreign(file, `it is of version ${String(written)}, this is version ${version}`);
  return document as Record<string, unknown>;
}

function foreign(file: string, why: string): Error {
  return new Error(`${file} is not a sandbox's state (${why}). It was left as it is; name another --state file.`);
}

/** Writes the state some time after every change, and at the end. */
export class Persistence {
  #pending: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly file: string,
    private readonly current: () => Required<SavedState>,
    private readonly log: (line: string) => void,
  ) {}

  schedule(): void {
    this.#pending ??= setTimeout(() => {
      this.#pending = undefined;
      void this.write().catch((error: unknown) => this.log((error as Error).message));
    }, debounceMs);
  }

  /** Writes now, after a write that is under way. Rejects with one line. */
  write(): Promise<void> {
    clearTimeout(this.#pending);
    this.#pending = undefined;
    const writing = this.#writing.then(() => this.#replace());
    this.#writing = writing.catch(() => undefined);
    return writing;
  }

  /** Keys first: a state without the keys that it names would be useless, the other way round does no harm. */
  async #replace(): Promise<void> {
    const { snapshot, ca } = this.current();
    const entries = snapshotEntries(snapshot.resources);
    const secret = entries.filter((entry) => entry.type.startsWith(secretPrefix));
    const open = entries.filter((entry) => !entry.type.startsWith(secretPrefix));
    try {
      await replaceFile(keysFile(this.file), { format: keysFormat, version, ca, entries: secret }, 0o600);
      await replaceFile(this.file, { format: stateFormat, version, sandbox: { ...snapshot, resources: { entries: open } } }, 0o644);
    } catch (error) {
      throw new Error(`The state file ${this.file} cannot be written: ${(error as Error).message}`);
    }
  }
}

/** All or nothing: a reader, or a start after a crash, sees the old file or the new one. */
export async function replaceFile(file: string, content: unknown, mode: number): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(`${JSON.stringify(content)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
