import type { Clock, PutOptions, ResourceStore, StoreSnapshot } from "./types.js";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A value (absent when the resource is not there) and the time from which enforcement sees it. */
interface Version {
  value?: Json;
  /** Milliseconds since the epoch, sandbox time. */
  visibleAt: number;
}

/** What a snapshot holds for one resource; the last version is what reads see. */
interface SnapshotEntry {
  type: string;
  id: string;
  versions: Version[];
}

/** Seconds until enforcement sees a change that propagates. */
export interface PropagationSetting {
  readonly propagationDelaySeconds: number;
}

/**
 * Keeps every resource with its versions still propagating. Stored values are never changed in place: `put` copies
 * what comes in, `get` what goes out, and snapshots share the rest.
 */
export class MemoryStore implements ResourceStore {
  readonly #types = new Map<string, Map<string, Version[]>>();
  readonly #listeners = new Set<() => void>();

  constructor(
    private readonly clock: Clock,
    private readonly settings: PropagationSetting,
  ) {}

  get<T>(type: string, id: string): T | undefined {
    return copyOut<T>(this.#versions(type, id)?.at(-1));
  }

  effective<T>(type: string, id: string): T | undefined {
    const now = this.clock.now().getTime();
    return copyOut<T>(this.#versions(type, id)?.findLast((version) => version.visibleAt <= now));
  }

  list<T>(type: string): { id: string; value: T }[] {
    return this.#list(type, (versions) => versions.at(-1));
  }

  listEffective<T>(type: string): { id: string; value: T }[] {
    const now = this.clock.now().getTime();
    return this.#list(type, (versions) => versions.findLast((version) => version.visibleAt <= now));
  }

  types(): string[] {
    return [...this.#types]
      .filter(([, ids]) => [...ids.values()].some((versions) => versions.at(-1)?.value !== undefined))
      .map(([type]) => type)
      .sort();
  }

  put(type: string, id: string, value: unknown, options: PutOptions = {}): void {
    const copy = copyJson(value, `${type} ${id}`);
    if (copy === undefined) throw new TypeError(`The store keeps JSON values: ${type} ${id} is undefined.`);
    this.#add(type, id, copy, options);
    this.#notify();
  }

  delete(type: string, id: string, options: PutOptions = {}): boolean {
    if (this.#versions(type, id)?.at(-1)?.value === undefined) return false;
    this.#add(type, id, undefined, options);
    this.#notify();
    return true;
  }

  snapshot(): StoreSnapshot {
    const entries: SnapshotEntry[] = [];
    for (const [type, ids] of this.#types) {
      for (const [id, versions] of ids) entries.push({ type, id, versions: [...versions] });
    }
    return { entries };
  }

  restore(snapshot: StoreSnapshot): void {
    const entries = snapshotEntries(snapshot);
    this.#types.clear();
    for (const { type, id, versions } of entries) this.#ids(type).set(id, [...versions]);
    this.#notify();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #list<T>(type: string, pick: (versions: readonly Version[]) => Version | undefined): { id: string; value: T }[] {
    const found: { id: string; value: T }[] = [];
    for (const [id, versions] of this.#types.get(type) ?? []) {
      const value = copyOut<T>(pick(versions));
      if (value !== undefined) found.push({ id, value });
    }
    return found;
  }

  #versions(type: string, id: string): Version[] | undefined {
    return this.#types.get(type)?.get(id);
  }

  #ids(type: string): Map<string, Version[]> {
    const ids = this.#types.get(type) ?? new Map<string, Version[]>();
    this.#types.set(type, ids);
    return ids;
  }

  /** The delay counts from the change: a later change of the setting does not hide what is already seen. */
  #add(type: string, id: string, value: Json | undefined, { propagates = false }: PutOptions): void {
    const now = this.clock.now().getTime();
    const visibleAt = propagates ? now + this.settings.propagationDelaySeconds * 1000 : now;
    const earlier = this.#versions(type, id) ?? [];
    const seen = earlier.findLastIndex((version) => version.visibleAt <= now);
    const kept = earlier.slice(Math.max(seen, 0)).filter((version) => version.visibleAt < visibleAt);
    const next: Version = value === undefined ? { visibleAt } : { value, visibleAt };
    const versions = visibleAt <= now ? [next] : [...kept, next];
    if (versions.every((version) => version.value === undefined)) this.#types.get(type)?.delete(id);
    else this.#ids(type).set(id, versions);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** The entries of a snapshot, or an Error when it is none. */
export function snapshotEntries(snapshot: StoreSnapshot): SnapshotEntry[] {
  const { entries } = snapshot;
  if (!Array.isArray(entries) || !entries.every(isSnapshotEntry)) throw new Error("Not a snapshot of a sandbox store.");
  return entries;
}

function isSnapshotEntry(entry: unknown): entry is SnapshotEntry {
  if (typeof entry !== "object" || entry === null) return false;
  const { type, id, versions } = entry as Partial<SnapshotEntry>;
  return (
    typeof type === "string" &&
    typeof id === "string" &&
    Array.isArray(versions) &&
    versions.every((version: unknown) => typeof (version as Partial<Version> | null)?.visibleAt === "number")
  );
}

function copyOut<T>(version: Version | undefined): T | undefined {
  return copyJson(version?.value, "") as T | undefined;
}

/** A copy of plain JSON; members that are undefined are left out, anything else that JSON has not is an error. */
function copyJson(value: unknown, path: string): Json | undefined {
  if (value === undefined || value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item: unknown, index) => copyJson(item, `${path}[${index}]`) ?? null);
  const prototype: unknown = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (prototype === null || (prototype !== undefined && isObjectPrototype(prototype))) {
    const copy: Record<string, Json> = {};
    for (const [key, member] of Object.entries(value as Record<string, unknown>)) {
      const copied = copyJson(member, `${path}.${key}`);
      if (copied !== undefined) copy[key] = copied;
    }
    return copy;
  }
  const found = typeof value === "object" ? "an object with a class" : `a ${typeof value}`;
  throw new TypeError(`The store keeps JSON values: ${path} is ${found}.`);
}

/** True for the prototype of plain objects of any realm: test runners give each file its own. */
function isObjectPrototype(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, "hasOwnProperty");
}
