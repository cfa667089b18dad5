/** Runs checks: each as soon as what it needs has passed, independent ones at the same time. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { notTested, unknown, type Check, type CheckResult, type CheckScope, type Residue, type Verdict, type WaitNotice } from "./check.js";

export type RunEvent =
  /** All checks of the run, in their order; comes first. */
  | { type: "planned"; checks: readonly Check[] }
  | { type: "started"; check: Check }
  | { type: "waiting"; check: Check; notice: WaitNotice }
  | { type: "progress"; check: Check; text: string }
  | { type: "finished"; check: Check; result: CheckResult }
  | { type: "cleaning" };

export interface RunOptions {
  /** Ctrl-C: running checks end without a verdict, cleaning up still happens. */
  signal?: AbortSignal | undefined;
  onEvent?: ((event: RunEvent) => void) | undefined;
  /** Milliseconds for each cleaning action. Default 10 000. */
  cleanUpDeadlineMs?: number;
}

export interface RunResult {
  /** In the order in which the checks were given. */
  results: CheckResult[];
  residue: Residue[];
  remarks: string[];
  interrupted: boolean;
}

/** How often a check that waits for propagation tells so is its own matter; how long it may run is not. */
export async function runChecks(checks: readonly Check[], options: RunOptions = {}): Promise<RunResult> {
  assertOrder(checks);
  const run = new Run(checks, options);
  return run.finish();
}

/** Checks stand in an order in which each comes after those that it names, so no two can wait for each other. */
function assertOrder(checks: readonly Check[]): void {
  const known = new Set<string>();
  for (const { id, needs, after = [] } of checks) {
    const missing = needs.find((need) => !known.has(need)) ?? after.find((other) => !known.has(other) && checks.some((check) => check.id === other));
    if (missing !== undefined || known.has(id)) throw new Error(`check ${id} ${missing === undefined ? "is there twice" : `stands before ${missing}`}`);
    known.add(id);
  }
}

/** The checks of which most come one after another: all that lie on such a chain. */
function longestChain(checks: readonly Check[]): ReadonlySet<string> {
  const before = new Map<string, number>();
  const after = new Map<string, number>();
  const needed = ({ needs, after: others = [] }: Check): string[] => [...needs, ...others];
  const most = (ids: readonly string[], of: ReadonlyMap<string, number>): number => Math.max(0, ...ids.map((id) => (of.get(id) ?? -1) + 1));
  for (const check of checks) before.set(check.id, most(needed(check), before));
  for (const { id } of [...checks].reverse()) after.set(id, most(checks.filter((other) => needed(other).includes(id)).map((other) => other.id), after));
  const length = ({ id }: Check): number => (before.get(id) ?? 0) + (after.get(id) ?? 0);
  const longest = Math.max(0, ...checks.map(length));
  return new Set(checks.filter((check) => length(check) === longest).map(({ id }) => id));
}

class Run {
  readonly #ended = new Map<string, Promise<CheckResult>>();
  readonly #cleaning: ((signal: AbortSignal) => Promise<void>)[] = [];
  readonly #residue: Residue[] = [];
  readonly #remarks: string[] = [];
  readonly #aborted: Promise<void>;

  constructor(
    private readonly checks: readonly Check[],
    private readonly options: RunOptions,
  ) {
    const { signal } = options;
    this.#aborted = new Promise((resolve) => {
      if (signal?.aborted) resolve();
      else signal?.addEventListener("abort", () => resolve(), { once: true });
    });
    options.onEvent?.({ type: "planned", checks });
    const longest = longestChain(checks);
    for (const check of checks) this.#ended.set(check.id, this.#start(check, longest.has(check.id)));
  }

  async finish(): Promise<RunResult> {
    const ended = new Map((await Promise.all(this.#ended.values())).map((result) => [result.id, result]));
    const results = this.checks.flatMap(({ id }) => ended.get(id) ?? []);
    if (this.#cleaning.length > 0) this.options.onEvent?.({ type: "cleaning" });
    for (const action of this.#cleaning.reverse()) {
      // What cannot be removed reports itself as residue; an error here must not hide the report.
      await action(AbortSignal.timeout(this.options.cleanUpDeadlineMs ?? 10_000)).catch(() => undefined);
    }
    return { results, residue: this.#residue, remarks: this.#remarks, interrupted: this.options.signal?.aborted ?? false };
  }

  /** @param first whether it is on the longest chain, which decides how long the run takes: the others let it go ahead */
  async #start(check: Check, first: boolean): Promise<CheckResult> {
    // Starts no check before all are registered, so that every one finds those that it names.
    await Promise.resolve();
    const { id, title, grade, required } = check;
    const blocked = await this.#blocked(check);
    if (!blocked && !first) await nextTurn();
    const began = performance.now();
    if (!blocked) this.options.onEvent?.({ type: "started", check });
    const verdict = blocked ?? (await this.#run(check));
    const result: CheckResult = { id, title, grade, required, verdict, durationMs: blocked ? 0 : Math.round(performance.now() - began) };
    this.options.onEvent?.({ type: "finished", check, result });
    return result;
  }

  async #blocked({ needs, after = [] }: Check): Promise<Verdict | undefined> {
    await Promise.all([...needs, ...after].map(async (id) => this.#ended.get(id)));
    const needed = await Promise.all(needs.map(async (id) => this.#ended.get(id)));
    const missing = needed.find((result) => result?.verdict.status !== "pass");
    if (missing) return notTested(`left out because "${missing.title}" ${missing.verdict.status === "fail" ? "failed" : "has no result"}`);
    return this.options.signal?.aborted ? notTested("left out because the run was interrupted") : undefined;
  }

  async #run(check: Check): Promise<Verdict> {
    const controller = new AbortController();
    const deadline = new Deadline(check.deadlineMs);
    const scope: CheckScope = {
      signal: controller.signal,
      outcome: async (id) => (await this.#ended.get(id))?.verdict,
      cleanUp: (action) => this.#cleaning.push(action),
      leaves: (residue) => this.#residue.push(residue),
      remark: (text) => this.#remarks.push(text),
      waiting: (notice) => {
        deadline.extend(notice.seconds * 1000);
        this.options.onEvent?.({ type: "waiting", check, notice });
      },
      progress: (text) => this.options.onEvent?.({ type: "progress", check, text }),
    };
    try {
      return await Promise.race([
        check.run(scope),
        this.#aborted.then(() => unknown("interrupted")),
        deadline.passed.then(() => unknown(`no result within ${check.deadlineMs / 1000} s`)),
      ]);
    } catch (error) {
      return unknown(error instanceof Error ? error.message : String(error));
    } finally {
      deadline.clear();
      controller.abort();
    }
  }
}

class Deadline {
  readonly passed: Promise<void>;
  #end: number;
  #timer: NodeJS.Timeout | undefined;
  #resolve: () => void = () => undefined;

  constructor(milliseconds: number) {
    this.#end = performance.now() + milliseconds;
    this.passed = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#arm();
  }

  /** Later than it would have been. */
  extend(milliseconds: number): void {
    this.#end += milliseconds;
    this.#arm();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#resolve, Math.max(0, this.#end - performance.now()));
  }
}
