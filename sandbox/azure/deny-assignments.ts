/**
 * Deny assignments. Azure's own services make most of them; since 2024 owners can, within limits that the sandbox does not have.
 * https://learn.microsoft.com/rest/api/authorization/deny-assignments
 */
import { ruleViolation } from "../../facts/azure/limits.js";
import { badRequest, invalidContent } from "./arm-errors.js";
import { covers } from "./arm-ids.js";
import { removeResource } from "./arm-removal.js";
import { atScopes, idAt, scopeOf } from "./arm-scopes.js";
import { readPermissions } from "./role-definitions.js";
import { DENY_ASSIGNMENT_TYPE, type DenyAssignmentProperties } from "./role-store.js";
import { type ArmResource, type AzureAnswer, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

export function denyAssignmentRoutes(context: AzureServiceContext): AzureRoute[] {
  const one = `${DENY_ASSIGNMENT_TYPE}/{deny}`;
  const at = (method: AzureRoute["method"], path: string, operation: string, run: (request: AzureRequest) => AzureAnswer): AzureRoute[] =>
    atScopes(method, path, `arm:DenyAssignments_${operation}`, async (request) => run(request));
  const opened = (request: AzureRequest, right: "read" | "write" | "delete"): string => {
    const id = idAt(request, DENY_ASSIGNMENT_TYPE, "deny");
    context.require(request.caller, `${DENY_ASSIGNMENT_TYPE}/${right}`, id);
    return id;
  };
  return [
    ...at("GET", DENY_ASSIGNMENT_TYPE, "ListForScope", (request) => {
      const scope = scopeOf(request);
      context.require(request.caller, `${DENY_ASSIGNMENT_TYPE}/read`, scope);
      const atScopeOnly = /^\s*atScope\(\)/i.test(request.query.get("$filter") ?? "");
      const found = context.resources.list(DENY_ASSIGNMENT_TYPE).filter(({ properties }) => covers(String(properties["scope"]), scope) || (!atScopeOnly && covers(scope, String(properties["scope"]))));
      return { value: found.map(view) };
    }),
    ...at("GET", one, "Get", (request) => {
      const found = context.resources.get(opened(request, "read"));
      if (!found) throw new AzureError(404, "DenyAssignmentNotFound", `The deny assignment '${request.params["deny"] ?? ""}' is not found.`);
      return view(found);
    }),
    ...at("PUT", one, "Create", (request) => {
      const id = opened(request, "write");
      const name = request.params["deny"] ?? "";
      if (ruleViolation("objectId", name) !== undefined) throw badRequest(`The deny assignment ID '${name}' is not valid. The deny assignment ID must be a GUID.`);
      const properties = readDeny(request);
      return RawAnswer.json(201, view(context.resources.put({ id, name, type: DENY_ASSIGNMENT_TYPE, properties: { ...properties } }, { propagates: true })));
    }),
    ...at("DELETE", one, "Delete", (request) => {
      const id = opened(request, "delete");
      const found = context.resources.get(id);
      if (!found) return RawAnswer.json(204);
      removeResource(context, id);
      return view(found);
    }),
  ];
}

function readDeny(request: AzureRequest): DenyAssignmentProperties {
  const { properties } = (request.body ?? {}) as { properties?: Partial<Record<keyof DenyAssignmentProperties, unknown>> };
  const principals = readPrincipals(properties?.principals);
  if (!properties || principals.length === 0) throw invalidContent("Required property 'principals' not found in JSON");
  const { denyAssignmentName, description } = properties;
  return {
    denyAssignmentName: typeof denyAssignmentName === "string" ? denyAssignmentName : (request.params["deny"] ?? ""),
    description: typeof description === "string" ? description : "",
    permissions: readPermissions(properties.permissions),
    scope: scopeOf(request),
    doNotApplyToChildScopes: properties.doNotApplyToChildScopes === true,
    principals,
    excludePrincipals: readPrincipals(properties.excludePrincipals),
    isSystemProtected: properties.isSystemProtected === true,
  };
}

function readPrincipals(value: unknown): { id: string; type?: string }[] {
  const entries: unknown[] = Array.isArray(value) ? value : [];
  return entries.flatMap((entry) => {
    const { id, type } = (entry ?? {}) as { id?: unknown; type?: unknown };
    return typeof id === "string" ? [{ id: id.toLowerCase(), ...(typeof type === "string" && { type }) }] : [];
  });
}

const view = ({ id, name, type, properties }: ArmResource): object => ({ properties, id, type, name });
