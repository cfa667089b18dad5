/**
 * Management locks: they hold for the management plane, below their scope, whatever role the caller has; never for data.
 * https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
 */
import { normaliseScope, scopeCovers } from "./scopes.js";
import type { ManagementLock } from "./types.js";

/** Of a call on the management plane. */
export type LockedOperation = "read" | "write" | "delete" | "action";

/** What an operation is, by the end of its name, as `Microsoft.Storage/storageAccounts/listKeys/action`. */
export function operationOf(action: string): LockedOperation {
  const last = action.slice(action.lastIndexOf("/") + 1).toLowerCase();
  return last === "read" || last === "write" || last === "delete" ? last : "action";
}

/** Locks are managed in spite of themselves: whoever may write them may remove them. */
const OF_LOCKS = /^microsoft\.authorization\/locks\//i;

/**
 * The lock that forbids a call, the nearest first; undefined where none does. Deleting takes what is below along, so that its locks count.
 * A read-only lock forbids every POST, reading the keys of a storage account included, because that gives writing away.
 */
export function lockOn(locks: readonly ManagementLock[], scope: string, action: string): ManagementLock | undefined {
  if (OF_LOCKS.test(action)) return undefined;
  const operation = operationOf(action);
  const holding = locks.filter((lock) => {
    if (operation === "read") return false;
    if (operation === "delete") return scopeCovers(lock.scope, scope) || scopeCovers(scope, lock.scope);
    return lock.level === "ReadOnly" && scopeCovers(lock.scope, scope);
  });
  return holding.sort((a, b) => normaliseScope(b.scope).length - normaliseScope(a.scope).length)[0];
}
