import type { LabelSelector } from "./types.js";

/**
 * Whether labels satisfy all requirements of a selector; an empty one matches everything, an unknown operator nothing.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function matchesSelector(selector: LabelSelector, labels: Readonly<Record<string, string>> = {}): boolean {
  const value = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, wanted]) => value(key) === wanted);
  return equal && (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => expression(value(key), operator, values));
}

function expression(found: string | undefined, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case "In":
      return found !== undefined && values.includes(found);
    case "NotIn":
      return found === undefined || !values.includes(found);
    case "Exists":
      return found !== undefined;
    case "DoesNotExist":
      return found === undefined;
    default:
      return false;
  }
}
