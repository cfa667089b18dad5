/** Scopes: ARM ids, compared without regard to case and by whole segments. https://learn.microsoft.com/azure/role-based-access-control/scope-overview */

/** For comparison: lower case, without a slash at the end; empty for the tenant's root. */
export function normaliseScope(scope: string): string {
  return scope.toLowerCase().replace(/\/+$/, "");
}

/** Whether what is said of a scope holds for another one: that itself, and what is below it. */
export function scopeCovers(scope: string, other: string): boolean {
  const above = normaliseScope(scope);
  const below = normaliseScope(other);
  return below === above || below.startsWith(`${above}/`);
}

export type ScopeLevel = "tenant" | "management-group" | "subscription" | "resource-group" | "resource";

/** How wide a scope is; by its form alone. */
export function scopeLevel(scope: string): ScopeLevel {
  const normal = normaliseScope(scope);
  if (normal === "") return "tenant";
  if (/^\/providers\/microsoft\.management\/managementgroups\/[^/]+$/.test(normal)) return "management-group";
  if (/^\/subscriptions\/[^/]+$/.test(normal)) return "subscription";
  return /^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+$/.test(normal) ? "resource-group" : "resource";
}
