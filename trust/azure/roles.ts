/** What a role definition permits. https://learn.microsoft.com/azure/role-based-access-control/role-definitions */
import { BUILT_IN_ROLES, type BuiltInRole } from "../../facts/azure/roles.js";
import type { RoleDefinition } from "./types.js";

export interface Action {
  action: string;
  /** Whether it is on data. */
  data: boolean;
}

/** What one entry takes away from itself (`notActions`), another one may still give. */
export function permits(permissions: RoleDefinition["permissions"], { action, data }: Action): boolean {
  return permissions.some(({ actions, notActions, dataActions, notDataActions }) => {
    const matches = (pattern: string) => matchesAction(pattern, action);
    return data ? dataActions.some(matches) && !notDataActions.some(matches) : actions.some(matches) && !notActions.some(matches);
  });
}

/** A `*` stands for any text, none and slashes included; case does not count. */
export function matchesAction(pattern: string, action: string): boolean {
  const [first = "", ...others] = pattern.toLowerCase().split("*");
  const text = action.toLowerCase();
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** How much a role is about, by its patterns: everything, one verb of everything, everything of a kind, one operation; exceptions make it narrower. */
function breadth({ permissions: [{ actions, notActions, dataActions }] }: BuiltInRole): number {
  const weight = (pattern: string) => (pattern === "*" ? 100_000 : pattern.startsWith("*") ? 1_000 : pattern.includes("*") ? 30 : 1);
  return [...actions, ...dataActions].reduce((sum, pattern) => sum + weight(pattern), -notActions.length);
}

/** The narrowest of the built-in roles known here that permits all of these actions; undefined where none does. */
export function narrowestRole(actions: readonly Action[]): BuiltInRole | undefined {
  const [narrowest] = [...BUILT_IN_ROLES.values()].filter(({ permissions }) => actions.every((action) => permits(permissions, action))).sort((a, b) => breadth(a) - breadth(b));
  return narrowest;
}
