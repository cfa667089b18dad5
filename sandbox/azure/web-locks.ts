/** One writer at a time: who comes while another writes is sent away to try again. */
import type { AzureError } from "./types.js";

/** Milliseconds that a write takes. */
const WRITE_MS = 5;

export class WriteLocks {
  readonly #held = new Set<string>();

  async hold<T>(key: string, refusal: () => AzureError, write: () => T): Promise<T> {
    if (this.#held.has(key)) throw refusal();
    this.#held.add(key);
    try {
      await new Promise((resolve) => setTimeout(resolve, WRITE_MS));
      return write();
    } finally {
      this.#held.delete(key);
    }
  }
}
