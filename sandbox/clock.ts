import { InputError } from "./errors.js";
import type { Clock } from "./types.js";

/** Real time plus an offset. The offset alone is kept in snapshots and state files, so time goes on while the sandbox is off. */
export class SandboxClock implements Clock {
  #offsetMs = 0;

  /** `changed` is called after every change of the offset. */
  constructor(private readonly changed: () => void = () => undefined) {}

  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  advance(seconds: number): void {
    this.offsetSeconds = this.offsetSeconds + seconds;
  }

  /** Seconds ahead of real time; negative when behind. */
  get offsetSeconds(): number {
    return this.#offsetMs / 1000;
  }

  set offsetSeconds(seconds: number) {
    if (!Number.isFinite(seconds)) throw new InputError(`The clock moves by a finite number of seconds, not ${seconds}.`);
    this.#offsetMs = Math.round(seconds * 1000);
    this.changed();
  }
}
