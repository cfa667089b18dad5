/**
 * Sets of fields of an object, as field management keeps them: paths of leaves, with `k:{…}` for an item of a list by
 * its keys and `v:…` for one by its value. https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
import { ATOMIC_MAPS, MAP_LIST_DEFAULTS, MAP_LISTS, SET_LISTS } from "../../facts/kubernetes/list-types.js";
import { isJsonObject } from "../../trust/jwt.js";

/** Path elements, each as `fieldsV1` writes it. */
export type FieldPath = readonly string[];
/** Paths in JSON, to be compared. */
export type FieldSet = ReadonlySet<string>;

type Json = Record<string, unknown>;

export const pathKey = (path: FieldPath): string => JSON.stringify(path);
export const pathOf = (key: string): FieldPath => JSON.parse(key) as string[];

/** Identity and bookkeeping are nobody's. */
const UNMANAGED = new Set(["apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.resourceVersion", "metadata.generation", "metadata.creationTimestamp", "metadata.managedFields", "metadata.generateName"]);

/** All leaves of an object with their values. */
export function fieldsOf(object: Json): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const visit = (value: unknown, path: FieldPath, name: string, dotted: string): void => {
    if (UNMANAGED.has(dotted)) return;
    const items = Array.isArray(value) ? elements(name, value) : undefined;
    if (items && items.length > 0) {
      for (const { element, item } of items) {
        found.set(pathKey([...path, element, "."]), element);
        if (isJsonObject(item)) members(item, [...path, element], dotted);
      }
    } else if (isJsonObject(value) && Object.keys(value).length > 0 && !(path.length > 1 && ATOMIC_MAPS.includes(name))) {
      members(value, path, dotted);
    } else found.set(pathKey(path), value);
  };
  const members = (object_: Json, path: FieldPath, dotted: string): void => {
    for (const [key, value] of Object.entries(object_)) {
      if (value !== undefined && value !== null) visit(value, [...path, `f:${key}`], key, dotted === "" ? key : `${dotted}.${key}`);
    }
  };
  members(object, [], "");
  return found;
}

/** Items of a list that is a map or a set, by their path elements; undefined for a list that is one value. */
function elements(name: string, list: readonly unknown[]): { element: string; item: unknown }[] | undefined {
  if (SET_LISTS.includes(name)) return list.map((item) => ({ element: `v:${JSON.stringify(item)}`, item }));
  const keys = Object.hasOwn(MAP_LISTS, name) ? MAP_LISTS[name] : undefined;
  if (!keys || !list.every(isJsonObject)) return undefined;
  return list.map((item) => ({ element: `k:${JSON.stringify(keysOf(name, keys, item))}`, item }));
}

function keysOf(name: string, keys: readonly string[], item: Json): Json {
  const values: Json = { ...MAP_LIST_DEFAULTS[name], ...item };
  return Object.fromEntries([...keys].sort().filter((key) => values[key] !== undefined).map((key) => [key, values[key]]));
}

/** Puts the fields of `applied` over `live`, list items by their keys, and removes the paths in `removed` first. */
export function mergeFields(live: Json, applied: Json, removed: FieldSet): Json {
  const kept = [...removed].map(pathOf).reduce<Json>((object, path) => removeField(object, path, "") as Json, live);
  return mergeValue(kept, applied, "", 0) as Json;
}

function mergeValue(live: unknown, applied: unknown, name: string, depth: number): unknown {
  if (Array.isArray(applied)) {
    const items = elements(name, applied);
    const before = Array.isArray(live) ? elements(name, live) : undefined;
    if (!items || !before) return applied;
    const merged = before.map(({ element, item }) => {
      const over = items.find((each) => each.element === element);
      return over ? mergeValue(item, over.item, "", depth + 1) : item;
    });
    return [...merged, ...items.filter(({ element }) => !before.some((each) => each.element === element)).map(({ item }) => item)];
  }
  if (!isJsonObject(applied) || !isJsonObject(live) || (depth > 1 && ATOMIC_MAPS.includes(name))) return applied;
  const merged: Json = { ...live };
  for (const [key, value] of Object.entries(applied)) merged[key] = mergeValue(live[key], value, key, depth + 1);
  return merged;
}

/** Undefined where nothing is left of the value; a map or list that becomes empty goes, too. */
function removeField(value: unknown, path: FieldPath, name: string): unknown {
  const [element, ...rest] = path;
  if (element === undefined) return undefined;
  if (element === ".") return value;
  if (Array.isArray(value)) {
    const items = elements(name, value) ?? [];
    const left = items.flatMap((each) => {
      if (each.element !== element) return [each.item];
      const item = rest.length === 0 || rest[0] === "." ? undefined : removeField(each.item, rest, "");
      return item === undefined ? [] : [item];
    });
    return left.length === 0 ? undefined : left;
  }
  if (!isJsonObject(value) || !element.startsWith("f:")) return value;
  const key = element.slice(2);
  const changed: Json = { ...value, [key]: removeField(value[key], rest, key) };
  if (changed[key] === undefined) Reflect.deleteProperty(changed, key);
  return Object.keys(changed).length === 0 && rest.length === 0 ? undefined : changed;
}

/** `{"f:spec":{"f:replicas":{}}}` */
export function toFieldsV1(set: FieldSet): Json {
  const root: Json = {};
  for (const path of [...set].map(pathOf)) {
    path.reduce<Json>((node, element) => {
      const next = (node[element] ?? {}) as Json;
      node[element] = next;
      return next;
    }, root);
  }
  return root;
}

export function fromFieldsV1(fields: Json): FieldSet {
  const found = new Set<string>();
  const visit = (node: Json, path: FieldPath): void => {
    const entries = Object.entries(node);
    if (entries.length === 0 && path.length > 0) found.add(pathKey(path));
    for (const [element, child] of entries) visit(child as Json, [...path, element]);
  };
  visit(fields, []);
  return found;
}

/** As errors name it: `.spec.template.spec.containers[name="app"].image`. */
export function displayPath(path: FieldPath): string {
  return path
    .filter((element) => element !== ".")
    .map((element) => {
      if (element.startsWith("f:")) return `.${element.slice(2)}`;
      if (element.startsWith("v:")) return `[=${element.slice(2)}]`;
      const keys = JSON.parse(element.slice(2)) as Json;
      return `[${Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
    })
    .join("");
}
