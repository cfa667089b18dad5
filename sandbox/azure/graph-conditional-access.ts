/** Conditional Access for workload identities: policies, and whether one of them blocks a service principal. https://learn.microsoft.com/entra/identity/conditional-access/workload-identity */
import { randomUUID } from "node:crypto";
import type { ResourceStore } from "../types.js";
import type { DirectoryPrincipal } from "./directory.js";
import type { GraphMethod, GraphParts } from "./graph.js";
import { GraphAccess } from "./graph-access.js";
import { graphError } from "./graph-errors.js";
import { bodyOf, textOf, without } from "./graph-input.js";
import { collection, entity } from "./graph-query.js";
import { type AzureAnswer, type AzureRequest, RawAnswer } from "./service.js";
import { CONDITIONAL_ACCESS_POLICY } from "./store-types.js";

/** https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy */
export interface ConditionalAccessPolicy {
  id: string;
  displayName: string;
  state: "enabled" | "disabled" | "enabledForReportingButNotEnforced";
  conditions?: { clientApplications?: { includeServicePrincipals?: readonly string[]; excludeServicePrincipals?: readonly string[] } | null };
  grantControls?: { operator?: string; builtInControls?: readonly string[] } | null;
  [member: string]: unknown;
}

/** Stands for every service principal of the tenant's own applications. */
const EVERY_OWN = "ServicePrincipalsInMyTenant";

export function conditionalAccessRoutes({ core, directory }: GraphParts): GraphMethod[] {
  const { store } = core;
  const access = new GraphAccess(directory);
  const all = ({ caller }: AzureRequest): ConditionalAccessPolicy[] => policiesOf(store, caller.tenantId);
  const path = "/identity/conditionalAccess/policies";
  const find = (request: AzureRequest, right: "policies:read" | "policies:write"): ConditionalAccessPolicy => {
    access.require(request.caller, right);
    const id = request.params["id"] ?? "";
    const found = all(request).find((policy) => policy.id === id);
    if (!found) throw graphError("notFound", id);
    return found;
  };
  const put = ({ caller }: AzureRequest, policy: ConditionalAccessPolicy): void => store.put(CONDITIONAL_ACCESS_POLICY, `${caller.tenantId}/${policy.id}`, policy, { propagates: true });
  const list = (request: AzureRequest): AzureAnswer => {
    access.require(request.caller, "policies:read");
    return collection(request, "identity/conditionalAccess/policies", all(request));
  };
  const create = (request: AzureRequest): AzureAnswer => {
    access.require(request.caller, "policies:write");
    const body = bodyOf(request);
    const policy: ConditionalAccessPolicy = { ...body, id: randomUUID(), displayName: textOf(body, "displayName", "ConditionalAccessPolicy"), state: stateOf(body) };
    put(request, policy);
    return RawAnswer.json(201, entity(request, "identity/conditionalAccess/policies", policy));
  };
  const update = (request: AzureRequest): AzureAnswer => {
    const before = find(request, "policies:write");
    const merged = { ...before, ...without(bodyOf(request), "id") };
    put(request, { ...merged, state: stateOf(merged) });
    return RawAnswer.json(204);
  };
  const remove = (request: AzureRequest): AzureAnswer => {
    store.delete(CONDITIONAL_ACCESS_POLICY, `${request.caller.tenantId}/${find(request, "policies:write").id}`, { propagates: true });
    return RawAnswer.json(204);
  };
  return [
    ["GET", path, "ListConditionalAccessPolicies", list],
    ["POST", path, "CreateConditionalAccessPolicy", create],
    ["GET", `${path}/{id}`, "GetConditionalAccessPolicy", (request) => entity(request, "identity/conditionalAccess/policies", find(request, "policies:read"))],
    ["PATCH", `${path}/{id}`, "UpdateConditionalAccessPolicy", update],
    ["DELETE", `${path}/{id}`, "DeleteConditionalAccessPolicy", remove],
  ];
}

/** Name of the policy that blocks it. Managed identities are beyond the reach of policies. */
export function blockingPolicy(store: ResourceStore, { tenantId, objectId, kind }: DirectoryPrincipal): string | undefined {
  if (kind === "ManagedIdentity") return undefined;
  const blocks = ({ state, conditions, grantControls }: ConditionalAccessPolicy): boolean => {
    const { includeServicePrincipals = [], excludeServicePrincipals = [] } = conditions?.clientApplications ?? {};
    const included = includeServicePrincipals.some((id) => id === EVERY_OWN || id.toLowerCase() === objectId);
    return state === "enabled" && included && !excludeServicePrincipals.includes(objectId) && grantControls?.builtInControls?.includes("block") === true;
  };
  return policiesOf(store, tenantId, "effective").find(blocks)?.displayName;
}

function policiesOf(store: ResourceStore, tenantId: string, view: "written" | "effective" = "written"): ConditionalAccessPolicy[] {
  const all = view === "effective" ? store.listEffective<ConditionalAccessPolicy>(CONDITIONAL_ACCESS_POLICY) : store.list<ConditionalAccessPolicy>(CONDITIONAL_ACCESS_POLICY);
  return all.flatMap(({ id, value }) => (id.startsWith(`${tenantId}/`) ? [value] : []));
}

function stateOf({ state }: Readonly<Record<string, unknown>>): ConditionalAccessPolicy["state"] {
  if (state === "enabled" || state === "disabled" || state === "enabledForReportingButNotEnforced") return state;
  throw graphError("badRequest", "state");
}
