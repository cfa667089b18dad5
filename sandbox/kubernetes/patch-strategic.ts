/**
 * Strategic merge: lists of named things are merged by their names, directives delete, replace and order.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
import { MAP_LISTS, SET_LISTS } from "../../facts/kubernetes/list-types.js";
import { isJsonObject } from "../../trust/jwt.js";
import { badRequest } from "./errors.js";

type Json = Record<string, unknown>;

export function applyStrategicMergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const { $patch: directive, $retainKeys: retained, ...members } = patch;
  if (directive === "replace") return members;
  if (directive === "delete") return {};
  const merged: Json = isJsonObject(target) ? { ...target } : {};
  if (Array.isArray(retained)) {
    for (const key of Object.keys(merged)) if (!retained.includes(key)) Reflect.deleteProperty(merged, key);
  }
  for (const [key, value] of Object.entries(members)) {
    const [, removedFrom] = /^\$deleteFromPrimitiveList\/(.*)$/.exec(key) ?? [];
    if (removedFrom !== undefined) merged[removedFrom] = asList(merged[removedFrom]).filter((item) => !asList(value).includes(item));
    else if (key.startsWith("$setElementOrder/")) continue;
    else if (value === null) Reflect.deleteProperty(merged, key);
    else if (Array.isArray(value)) merged[key] = mergeList(key, asList(merged[key]), value, patch[`$setElementOrder/${key}`]);
    else merged[key] = applyStrategicMergePatch(merged[key], value);
  }
  return merged;
}

function mergeList(name: string, current: unknown[], patch: unknown[], order: unknown): unknown[] {
  const [key] = Object.hasOwn(MAP_LISTS, name) ? (MAP_LISTS[name] ?? []) : [];
  if (key !== undefined) return ordered(mergeByKey(key, current, patch), order, (item) => (isJsonObject(item) ? item[key] : item));
  if (SET_LISTS.includes(name)) return ordered([...new Set([...current, ...patch])], order, (item) => item);
  return patch;
}

function mergeByKey(key: string, current: unknown[], patch: unknown[]): unknown[] {
  if (patch.some((item) => isJsonObject(item) && item.$patch === "replace")) return patch.filter((item) => isJsonObject(item) && item.$patch === undefined);
  const merged = [...current];
  for (const item of patch) {
    if (!isJsonObject(item) || item[key] === undefined) throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    const at = merged.findIndex((each) => isJsonObject(each) && each[key] === item[key]);
    if (item.$patch === "delete") {
      if (at >= 0) merged.splice(at, 1);
    } else if (at >= 0) merged[at] = applyStrategicMergePatch(merged[at], item);
    else merged.push(applyStrategicMergePatch({}, item));
  }
  return merged;
}

/** Items that the order names come in it; the others stay where they are, after them. */
function ordered(items: unknown[], order: unknown, keyOf: (item: unknown) => unknown): unknown[] {
  if (!Array.isArray(order)) return items;
  const keys = order.map(keyOf);
  const rank = (item: unknown): number => {
    const at = keys.indexOf(keyOf(item));
    return at < 0 ? keys.length : at;
  };
  return items.map((item, at) => ({ item, at })).sort((a, b) => rank(a.item) - rank(b.item) || a.at - b.at).map(({ item }) => item);
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
