import { InputError } from "./errors.js";
/** Latency and propagation delay: numbers of zero or more, checked when they are set. */
export class Settings {
  #latencyMs = 0;
  #propagationDelaySeconds = 0;

  constructor(private readonly changed: () => void = () => undefined) {}

  /** Milliseconds added to every served operation. */
  get latencyMs(): number {
    return this.#latencyMs;
  }

  set latencyMs(value: number) {
    this.#latencyMs = nonNegative("latency in milliseconds", value);
    this.changed();
  }

  /** Seconds until trust and grants are seen by enforcement. */
  get propagationDelaySeconds(): number {
    return this.#propagationDelaySeconds;
  }

  set propagationDelaySeconds(value: number) {
    this.#propagationDelaySeconds = nonNegative("propagation delay in seconds", value);
    this.changed();
  }
}

function nonNegative(what: string, value: number): number {
  if (!Number.isFinite(value) || value < 0) throw new InputError(`The ${what} is a number of 0 or more, not ${value}.`);
  return value;
}
