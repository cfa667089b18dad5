/** Property values of Pulumi's GCP package, and how ids, labels and lists of its resources are read. */
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

/** Without the members that are undefined, so that what is left out and what is empty compare as the same. */
export function compact(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}

/** The named members, where they are there. */
export function pick(properties: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(names.filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]]));
}

/** Names of inputs that an update changes: what a `PATCH` names in its `updateMask`. */
export function changed(olds: Properties, news: Properties, names: readonly string[]): string[] {
  return names.filter((name) => JSON.stringify(olds[name] ?? null) !== JSON.stringify(news[name] ?? null));
}

/** Lists that are sets keep the order in which the program wrote them, so that the service's order is no drift. */
export function inOrderOf<T>(values: readonly T[], before: unknown): T[] {
  const order = list(before).map((value) => JSON.stringify(value));
  const rank = (value: T) => {
    const index = order.indexOf(JSON.stringify(value));
    return index === -1 ? order.length : index;
  };
  return [...values].sort((a, b) => rank(a) - rank(b));
}

export type Labels = Record<string, string>;

export function labelsOf(value: unknown): Labels {
  return Object.fromEntries(Object.entries(object(value)).map(([key, item]) => [key, String(item)]));
}

/**
 * Reads an id by the first form that fits, as imports may give it: `projects/{project}/serviceAccounts/{email}`, then
 * `{project}/{email}`, then `{email}`. Each variable is one segment, `{name=**}` takes the rest.
 */
export function parseId(id: string, forms: readonly string[]): Record<string, string> | undefined {
  for (const form of forms) {
    const variables = [...form.matchAll(/\{(\w+)(=\*\*)?\}/g)].map(([, name = ""]) => name);
    const pattern = form.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+=\\\*\\\*\}/g, "(.+)").replace(/\{\w+\}/g, "([^/]+)");
    const found = new RegExp(`^${pattern}$`).exec(id);
    if (found) return Object.fromEntries(variables.map((name, index) => [name, found[index + 1] ?? ""]));
  }
  return undefined;
}

/** Last segment of a resource name. */
export function lastSegment(name: unknown): string {
  const whole = text(name) ?? "";
  return whole.slice(whole.lastIndexOf("/") + 1);
}

/** A value that the engines keep out of sight. https://www.pulumi.com/docs/iac/concepts/secrets/ */
export function secret(value: string): Properties {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}
