/** Property values of Pulumi's AWS package, and how they become members of the API's shapes. */
import type { Properties } from "../../types.js";

export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function object(value: unknown): Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Properties) : {};
}

export function list<T = unknown>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}

/** Without the members that say nothing, so that what is left out and what is empty compare as the same. */
export function compact(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}

export type Tags = Record<string, string>;

export function tagsOf(value: unknown): Tags {
  return Object.fromEntries(Object.entries(object(value)).map(([key, item]) => [key, String(item)]));
}

export interface TagChange {
  removed: string[];
  added: Tags;
}

export function tagChange(olds: unknown, news: unknown): TagChange {
  const [before, after] = [tagsOf(olds), tagsOf(news)];
  return {
    removed: Object.keys(before).filter((key) => !(key in after)),
    added: Object.fromEntries(Object.entries(after).filter(([key, value]) => before[key] !== value)),
  };
}

/** IAM and S3 write tags as `Key` and `Value`; KMS as `TagKey` and `TagValue`. */
export function tagList(tags: unknown): { Key: string; Value: string }[] {
  return Object.entries(tagsOf(tags)).map(([Key, Value]) => ({ Key, Value }));
}

export function tagMap(listed: unknown): Tags {
  return Object.fromEntries(list<{ Key: string; Value: string }>(listed).map(({ Key, Value }) => [Key, Value]));
}

/** Lists that are sets keep the order in which the program wrote them, so that the service's order is no drift. */
export function inOrderOf<T>(values: readonly T[], before: unknown): T[] {
  const order = list<T>(before);
  const rank = (value: T) => (order.includes(value) ? order.indexOf(value) : order.length);
  return [...values].sort((a, b) => rank(a) - rank(b));
}

export function sameList(a: unknown, b: unknown): boolean {
  return JSON.stringify([...list(a)].sort()) === JSON.stringify([...list(b)].sort());
}

/** IAM answers with documents in percent-encoding on the wire. */
export function policyText(document: unknown): string {
  const written = typeof document === "string" ? document : "";
  return written.startsWith("%7B") ? decodeURIComponent(written) : written;
}

/** `daysAfterInitiation` and `DaysAfterInitiation`, all the way down; `ID` is the API's one exception. */
export function toMembers(value: unknown): unknown {
  return renameKeys(value, (key) => (key === "id" ? "ID" : key.charAt(0).toUpperCase() + key.slice(1)));
}

export function fromMembers(value: unknown): unknown {
  return renameKeys(value, (key) => (key === "ID" ? "id" : key.charAt(0).toLowerCase() + key.slice(1)));
}

function renameKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renameKeys(item, rename));
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [rename(key), renameKeys(item, rename)]));
}
