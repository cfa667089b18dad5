/** Property values of Pulumi's Azure packages, and how they are compared. */
import type { Properties } from "../../types.js";

export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function object(value: unknown): Properties {
  return isObject(value) ? value : {};
}

export function list<T = unknown>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}

/** Without the members that are undefined or null, which the services write where there is nothing. */
export function compact(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined && value !== null));
}

/** The named members, where they are there. */
export function pick(properties: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(names.filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]]));
}

export function without(properties: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}

/** Equal as JSON, whatever the order of members. */
export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (isObject(a) && isObject(b)) return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => same(a[key], b[key]));
  return a === b;
}

/** Without the member at a path such as `identity.principalId`; lists on the way are passed through. */
export function withoutPath(value: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(value)) return value.map((item) => withoutPath(item, path));
  if (!isObject(value) || !(key in value)) return value;
  return rest.length === 0 ? without(value, [key]) : { ...value, [key]: withoutPath(value[key], rest) };
}

/** Undefined for what holds nothing: what an import leaves out. */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(withoutEmpty).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  if (!isObject(value)) return value;
  const members = compact(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutEmpty(item)])));
  return Object.keys(members).length === 0 ? undefined : members;
}

/** `West Europe` is `westeurope`. */
export function normalisedLocation(location: string): string {
  return location.replaceAll(" ", "").toLowerCase();
}

/** A value that the engines keep out of sight. https://www.pulumi.com/docs/iac/concepts/secrets/ */
export function secret(value: unknown): Properties {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}

/** The member at a path such as `info.marketingUrl`. */
export function memberAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((member, key) => object(member)[key], value);
}

/** Puts a member at a path; what is beside it stays. */
export function withMember(value: Properties, path: string, member: unknown): Properties {
  const [key = "", ...rest] = path.split(".");
  return { ...value, [key]: rest.length === 0 ? member : withMember(object(value[key]), rest.join("."), member) };
}

/** Lists that are sets keep the order in which the program wrote them, so that the service's order is no drift. */
export function inOrderOf(values: unknown, before: unknown): unknown[] {
  const order = list(before);
  const rank = (value: unknown): number => (order.includes(value) ? order.indexOf(value) : order.length);
  return [...list(values)].sort((a, b) => rank(a) - rank(b));
}
