/** How long a refusal that may be propagation is waited for. */
import { setTimeout as sleep } from "node:timers/promises";
import type { CheckScope } from "./check.js";
import { InputError } from "./input-error.js";

const UNITS = { "": 1, s: 1, m: 60, h: 3600 } as const;

/**
 * Seconds of a duration such as `30s`, `5m`, `1h` or `0`.
 *
 * @throws InputError
 */
export function parseDuration(text: string): number {
  const match = /^(\d+)([smh]?)$/.exec(text);
  const unit = match?.[2] as keyof typeof UNITS | undefined;
  if (!match || unit === undefined) throw new InputError(`--wait takes a duration such as 30s, 5m or 0; got ${JSON.stringify(text)}.`);
  return Number(match[1]) * UNITS[unit];
}

export interface WaitPolicy {
  /** Seconds from the run's start until which attempts are repeated. */
  seconds: number;
  /** One more attempt although no time is to be waited: a change that nobody knows of may just have been made. */
  retryOnce: boolean;
}

/**
 * Waiting is only worth something after a change: within the cloud's time since the contract's, or when it was asked for.
 *
 * @param asked seconds that the caller asked for; undefined: the cloud's default applies
 */
export function waitPolicy(asked: number | undefined, defaultSeconds: number, provisionedAt: string | undefined, now: Date): WaitPolicy {
  if (asked !== undefined) return { seconds: asked, retryOnce: false };
  const age = provisionedAt === undefined ? Infinity : (now.getTime() - Date.parse(provisionedAt)) / 1000;
  return age < defaultSeconds ? { seconds: defaultSeconds - Math.max(0, age), retryOnce: false } : { seconds: 0, retryOnce: true };
}

const FIRST_PAUSE_SECONDS = 2;
const LONGEST_PAUSE_SECONDS = 8;

export interface Waited<T> {
  answer: T;
  attempts: number;
  /** The whole time was waited: what is still refused is not refused because it is new. */
  exhausted: boolean;
}

/** Repeats attempts within one run's common time. */
export class Waiter {
  readonly #end: number;
  /** What was waited in all, by check, for the report. */
  readonly waits: { check: string; code: string; seconds: number; attempts: number }[] = [];

  constructor(
    private readonly policy: WaitPolicy,
    private readonly clock: () => number = () => performance.now(),
    private readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<unknown> = (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
  ) {
    this.#end = clock() + policy.seconds * 1000;
  }

  /**
   * Attempts until the answer is none that may be propagation, or the time is over.
   *
   * @param attempt makes a whole new attempt, with a fresh token where it needs one
   * @param suspicious the code of an answer that may be propagation; undefined for any other answer
   */
  async until<T>(check: string, scope: CheckScope, attempt: () => Promise<T>, suspicious: (answer: T) => string | undefined | Promise<string | undefined>): Promise<Waited<T>> {
    const began = this.clock();
    let pauseSeconds = FIRST_PAUSE_SECONDS;
    for (let attempts = 1; ; attempts += 1) {
      const answer = await attempt();
      const code = await suspicious(answer);
      const remaining = (this.#end - this.clock()) / 1000;
      const again = code !== undefined && (remaining > 0 || (this.policy.retryOnce && attempts === 1));
      if (!again) {
        if (attempts > 1) this.waits.push({ check, code: code ?? "", seconds: Math.round((this.clock() - began) / 1000), attempts });
        return { answer, attempts, exhausted: code !== undefined && this.policy.seconds > 0 && remaining <= 0 };
      }
      const jittered = pauseSeconds * (0.75 + Math.random() / 4);
      const seconds = remaining > 0 ? Math.min(jittered, remaining + 0.1) : jittered;
      scope.waiting({ code, seconds, remainingSeconds: Math.max(0, remaining) });
      await this.pause(seconds * 1000, scope.signal);
      pauseSeconds = Math.min(pauseSeconds * 2, LONGEST_PAUSE_SECONDS);
    }
  }
}
