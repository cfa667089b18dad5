/** Watching: the events since a version, in one answer that ends; clients ask again. https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
import type { ResourceStore } from "../types.js";
import type { KubernetesObject } from "./objects.js";

/**
 * Milliseconds that a watch waits for a change: as long as clients take for a watch that worked, and no longer, since they
 * cannot end before it is answered.
 */
const LONGEST_WAIT_MS = 1_000;

export interface WatchOrder {
  /** From where events count; undefined or `0` begins with everything that there is. */
  since: string | undefined;
  timeoutSeconds: number | undefined;
  list(): KubernetesObject[];
}

/** One JSON object a line. */
export async function watchEvents(store: ResourceStore, order: WatchOrder): Promise<string> {
  const before = order.list();
  const fresh = order.since === undefined || order.since === "" || order.since === "0";
  const missed = fresh ? before : before.filter(({ metadata }) => Number(metadata.resourceVersion) > Number(order.since));
  if (missed.length > 0) return lines(missed.map((object) => ({ type: fresh ? "ADDED" : "MODIFIED", object })));
  await nextChange(store, Math.min(LONGEST_WAIT_MS, (order.timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000), () => changes(before, order.list()).length > 0);
  return lines(changes(before, order.list()));
}

function changes(before: readonly KubernetesObject[], after: readonly KubernetesObject[]): { type: string; object: KubernetesObject }[] {
  const versions = new Map(before.map((object) => [object.metadata.uid, object.metadata.resourceVersion]));
  const uids = new Set(after.map(({ metadata }) => metadata.uid));
  return [
    ...before.filter(({ metadata }) => !uids.has(metadata.uid)).map((object) => ({ type: "DELETED", object })),
    ...after
      .filter(({ metadata }) => versions.get(metadata.uid) !== metadata.resourceVersion)
      .map((object) => ({ type: versions.has(object.metadata.uid) ? "MODIFIED" : "ADDED", object })),
  ];
}

/** Holds no process: a sandbox that closes ends the connection, and nobody is left to answer. */
function nextChange(store: ResourceStore, longestMs: number, happened: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(end, longestMs).unref();
    const stop = store.onChange(() => {
      if (happened()) end();
    });
  });
}

function lines(events: readonly object[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

/** `metadata.name=x` and label selectors, as lists and watches are narrowed. */
export function selected(objects: readonly KubernetesObject[], query: URLSearchParams): KubernetesObject[] {
  const fields = terms(query.get("fieldSelector"));
  const labels = terms(query.get("labelSelector"));
  return objects.filter(
    ({ metadata }) =>
      fields.every(({ key, operator, value }) => operator === "in" || ((key === "metadata.name" ? metadata.name : key === "metadata.namespace" ? metadata.namespace : value) === value) === (operator === "=")) &&
      labels.every((term) => labelHolds(metadata.labels ?? {}, term)),
  );
}

interface Term {
  key: string;
  operator: "=" | "!=" | "in" | "notin" | "exists" | "absent";
  value: string;
}

function terms(selector: string | null): Term[] {
  const parts = (selector ?? "").match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  return parts.map((part): Term => {
    const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(part);
    if (set) return { key: set[1] ?? "", operator: set[2] === "in" ? "in" : "notin", value: set[3] ?? "" };
    const equality = /^\s*([^=!\s]+)\s*(==?|!=)\s*(.*?)\s*$/.exec(part);
    if (equality) return { key: equality[1] ?? "", operator: equality[2] === "!=" ? "!=" : "=", value: equality[3] ?? "" };
    const name = part.trim();
    return name.startsWith("!") ? { key: name.slice(1), operator: "absent", value: "" } : { key: name, operator: "exists", value: "" };
  });
}

function labelHolds(labels: Readonly<Record<string, string>>, { key, operator, value }: Term): boolean {
  const found = Object.hasOwn(labels, key) ? labels[key] : undefined;
  const values = value.split(",").map((each) => each.trim());
  switch (operator) {
    case "=":
      return found === value;
    case "!=":
      return found !== value;
    case "in":
      return found !== undefined && values.includes(found);
    case "notin":
      return found === undefined || !values.includes(found);
    case "exists":
      return found !== undefined;
    case "absent":
      return found === undefined;
  }
}
