/** The last line of defence: whatever is printed or written goes through here. */

const shapes: readonly RegExp[] = [
  /\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\bSignature=[0-9a-f]{64}\b/g,
];

const REMOVED = "[removed]";

/** Replaces the secrets of a run, and anything of a secret's shape, by `[removed]`. */
export class Scrubber {
  readonly #secrets = new Set<string>();

  /** Short texts are not registered: they would be found where they mean nothing. */
  register(...secrets: (string | undefined)[]): void {
    for (const secret of secrets) if (secret !== undefined && secret.length >= 8) this.#secrets.add(secret);
  }

  text(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, REMOVED);
    for (const shape of shapes) clean = clean.replace(shape, REMOVED);
    return clean;
  }

  /** A copy of plain data with every text in it scrubbed. */
  data<T>(value: T): T {
    return this.#copy(value) as T;
  }

  #copy(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#copy(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#copy(item)]));
  }
}
