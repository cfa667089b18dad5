/** Paths of Resource Manager's methods as API references write them: `/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/…`. */
import type { Properties } from "../../types.js";
import { text } from "./values.js";

/** A parameter that takes a path, written with or without slashes at its ends. */
const SCOPE = "scope";
/** Given by the provider, not by the program. */
const SUBSCRIPTION = "subscriptionId";

export function parametersOf(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => (name === undefined || name === SUBSCRIPTION ? [] : [name]));
}

export function pathOf(path: string, inputs: Properties, subscriptionId: string): string {
  return path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    if (name === SCOPE) return String(inputs[name]).replace(/^\/+|\/+$/g, "");
    return encodeURIComponent(name === SUBSCRIPTION ? (text(inputs[name]) ?? subscriptionId) : String(inputs[name]));
  });
}

/** Values of the parameters that an id has, `{scope}` with its slash; undefined where it is the id of something else. */
export function readPath(path: string, id: string): Properties | undefined {
  const pattern = path.replace(/[.()]/g, "\\$&").replace(/\{(\w+)\}/g, (_whole, name: string) => (name === SCOPE ? "(?<scope>.+)" : `(?<${name}>[^/]+)`));
  const groups = new RegExp(`^${pattern}$`, "i").exec(id)?.groups;
  if (!groups) return undefined;
  return Object.fromEntries(parametersOf(path).map((name) => [name, name === SCOPE ? `/${groups[name] ?? ""}` : decodeURIComponent(groups[name] ?? "")]));
}
