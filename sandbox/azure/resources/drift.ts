/** How the azure-native provider infers changed inputs from changed outputs: services answer with far more than what was asked for. */
import type { Properties } from "../../types.js";
import { isObject, same } from "./values.js";

/**
 * The inputs with what changed between two answers. What did not change stays as the program wrote it, so that what the
 * service decided by itself is no drift until somebody changes it.
 */
export function changedInputs(inputs: Properties, before: Properties, after: Properties): Properties {
  const members = new Map(Object.entries(inputs));
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (same(before[key], after[key])) continue;
    if (after[key] === undefined) members.delete(key);
    else members.set(key, changedValue(inputs[key], before[key], after[key]));
  }
  return Object.fromEntries(members);
}

function changedValue(value: unknown, before: unknown, after: unknown): unknown {
  if (same(before, after)) return value;
  if (isObject(value) && isObject(before) && isObject(after)) return changedInputs(value, before, after);
  if (Array.isArray(value) && Array.isArray(before) && Array.isArray(after)) {
    return after.map((item: unknown, index): unknown => (index < value.length && index < before.length ? changedValue(value[index], before[index], item) : item));
  }
  return after;
}
