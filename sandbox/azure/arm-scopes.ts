/** Methods of extension resources, which can be on any scope: tenant, subscription, group or resource. https://learn.microsoft.com/azure/azure-resource-manager/management/extension-resource-types */
import type { AzureRequest, AzureRoute } from "./service.js";

/** `path` as after `…/providers/`: `Microsoft.Authorization/locks/{lock}`. One route for the tenant's root, one for every other scope. */
export function atScopes(method: AzureRoute["method"], path: string, operation: string, run: AzureRoute["run"]): AzureRoute[] {
  return [`/providers/${path}`, `/{scope=**}/providers/${path}`].map((each) => ({ method, path: each, operation, run }));
}

/** Without a slash at the end; empty for the tenant's root. */
export function scopeOf({ params }: AzureRequest): string {
  const scope = (params["scope"] ?? "").replace(/\/+$/, "");
  return scope === "" ? "" : `/${scope.replace(/^\/+/, "")}`;
}

/** Id of the extension resource that the request names by the variable. */
export const idAt = (request: AzureRequest, type: string, variable: string): string => `${scopeOf(request)}/providers/${type}/${request.params[variable] ?? ""}`;
