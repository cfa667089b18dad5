/** Role definitions: Azure's own and the customer's. https://learn.microsoft.com/rest/api/authorization/role-definitions */
import { ruleViolation } from "../../facts/azure/limits.js";
import { BUILT_IN_ROLES, type BuiltInRole, builtInRole, roleDefinitionId, roleGuid } from "../../facts/azure/roles.js";
import { armError, badRequest, invalidContent } from "./arm-errors.js";
import { covers, parseArmId } from "./arm-ids.js";
import { parseFilter } from "./arm-lists.js";
import { atScopes, idAt, scopeOf } from "./arm-scopes.js";
import { type Permissions, ROLE_ASSIGNMENT_TYPE, ROLE_DEFINITION_TYPE, type RoleDefinitionProperties } from "./role-store.js";
import { type ArmResource, type AzureAnswer, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

interface Definition {
  name: string;
  properties: RoleDefinitionProperties;
}

export function roleDefinitionRoutes(context: AzureServiceContext): AzureRoute[] {
  const one = `${ROLE_DEFINITION_TYPE}/{role}`;
  const at = (method: AzureRoute["method"], path: string, operation: string, run: (request: AzureRequest) => AzureAnswer): AzureRoute[] =>
    atScopes(method, path, `arm:RoleDefinitions_${operation}`, async (request) => run(request));
  return [
    ...at("GET", ROLE_DEFINITION_TYPE, "List", (request) => {
      authorise(context, request, "read", scopeOf(request));
      return { value: listed(context, request).map((definition) => view(request, definition)) };
    }),
    ...at("GET", one, "Get", (request) => {
      const id = idAt(request, ROLE_DEFINITION_TYPE, "role");
      authorise(context, request, "read", id);
      const found = find(context, id);
      if (!found) throw armError("roleNotFound", request.params["role"] ?? "");
      return view(request, found);
    }),
    ...at("PUT", one, "CreateOrUpdate", (request) => put(context, request)),
    ...at("DELETE", one, "Delete", (request) => {
      const id = idAt(request, ROLE_DEFINITION_TYPE, "role");
      context.require(request.caller, `${ROLE_DEFINITION_TYPE}/delete`, id);
      return remove(context, request, id);
    }),
  ];
}

/** Azure's own roles are everybody's to read at the tenant's root. */
function authorise(context: AzureServiceContext, { caller }: AzureRequest, right: "read" | "write", scope: string): void {
  if (right === "read" && parseArmId(scope)?.subscription === undefined) return;
  context.require(caller, `${ROLE_DEFINITION_TYPE}/${right}`, scope);
}

const ownRoles = ({ resources }: AzureServiceContext): ArmResource[] => resources.list(ROLE_DEFINITION_TYPE);

const asDefinition = ({ name, properties }: ArmResource): Definition => ({ name, properties: properties as unknown as RoleDefinitionProperties });

const ofBuiltIn = ({ name, roleName, description, permissions }: BuiltInRole): Definition => ({
  name,
  properties: { roleName, type: "BuiltInRole", description, assignableScopes: ["/"], permissions },
});

function find(context: AzureServiceContext, id: string): Definition | undefined {
  const builtIn = builtInRole(id);
  if (builtIn) return ofBuiltIn(builtIn);
  const own = ownRoles(context).find(({ name }) => name.toLowerCase() === roleGuid(id));
  return own && asDefinition(own);
}

/** Azure's own, and of the customer's those that can be assigned at the scope. */
function listed(context: AzureServiceContext, request: AzureRequest): Definition[] {
  const scope = scopeOf(request);
  const own = ownRoles(context)
    .map(asDefinition)
    .filter(({ properties }) => properties.assignableScopes.some((each) => covers(each, scope) || covers(scope, each)));
  const all = [...[...BUILT_IN_ROLES.values()].map(ofBuiltIn), ...own];
  const filter = (request.query.get("$filter") ?? "").replace(/^\s*atScope(?:AndBelow)?\(\)\s*(?:and\s*)?/i, "").trim();
  if (filter === "") return all;
  const test = parseFilter(filter);
  return all.filter(({ name, properties }) => test((field) => ({ name, roleName: properties.roleName, type: properties.type })[field]));
}

function view(request: AzureRequest, { name, properties }: Definition): object {
  const subscription = parseArmId(scopeOf(request))?.subscription;
  const id = subscription === undefined ? `/providers/${ROLE_DEFINITION_TYPE}/${name}` : roleDefinitionId(subscription, name);
  return { properties, id, type: ROLE_DEFINITION_TYPE, name };
}

function put(context: AzureServiceContext, request: AzureRequest): AzureAnswer {
  const name = (request.params["role"] ?? "").toLowerCase();
  const { properties } = (request.body ?? {}) as { properties?: { roleName?: unknown; description?: unknown; permissions?: unknown; assignableScopes?: unknown } };
  if (!properties) throw invalidContent("Required property 'properties' not found in JSON");
  const { roleName, description, permissions, assignableScopes } = properties;
  const scopes = Array.isArray(assignableScopes) ? assignableScopes.filter((scope): scope is string => typeof scope === "string") : [];
  if (scopes.length === 0) throw new AzureError(400, "MissingAssignableScopes", "Role definition must have at least one assignable scope.");
  for (const scope of scopes) context.require(request.caller, `${ROLE_DEFINITION_TYPE}/write`, scope);
  if (ruleViolation("objectId", name) !== undefined) throw badRequest(`The role definition ID '${name}' is not valid. The role definition ID must be a GUID.`);
  if (BUILT_IN_ROLES.has(name)) throw new AzureError(403, "RoleDefinitionUpdateNotPermitted", "Built-in roles can not be changed.");
  if (typeof roleName !== "string" || roleName === "") throw badRequest("The role definition's name is missing.");
  const taken = builtInRole(roleName) ?? ownRoles(context).find((own) => own.name !== name && asDefinition(own).properties.roleName.toLowerCase() === roleName.toLowerCase());
  if (taken) throw new AzureError(409, "RoleDefinitionWithSameNameExists", "A custom role with the same name already exists in this directory. Use a different name.");
  const before = find(context, name);
  const subscription = parseArmId(scopes[0] ?? "")?.subscription;
  const stored = context.resources.put(
    {
      id: subscription === undefined ? `/providers/${ROLE_DEFINITION_TYPE}/${name}` : roleDefinitionId(subscription, name),
      name,
      type: ROLE_DEFINITION_TYPE,
      properties: { roleName, type: "CustomRole", description: typeof description === "string" ? description : "", assignableScopes: scopes, permissions: readPermissions(permissions) },
    },
    { propagates: true },
  );
  return RawAnswer.json(before ? 200 : 201, view(request, asDefinition(stored)));
}

/** Members that are left out grant nothing. */
export function readPermissions(value: unknown): Permissions {
  const texts = (list: unknown): string[] => (Array.isArray(list) ? list.filter((each): each is string => typeof each === "string") : []);
  const entries = Array.isArray(value) ? value.filter((each): each is Record<string, unknown> => typeof each === "object" && each !== null) : [];
  return entries.map((entry) => ({
    actions: texts(entry["actions"]),
    notActions: texts(entry["notActions"]),
    dataActions: texts(entry["dataActions"]),
    notDataActions: texts(entry["notDataActions"]),
  }));
}

function remove(context: AzureServiceContext, request: AzureRequest, id: string): AzureAnswer {
  const own = ownRoles(context).find(({ name }) => name.toLowerCase() === roleGuid(id));
  if (!own) {
    if (builtInRole(id)) throw new AzureError(403, "RoleDefinitionDeleteNotPermitted", "Built-in roles can not be deleted.");
    return RawAnswer.json(204);
  }
  const used = context.resources.list(ROLE_ASSIGNMENT_TYPE).some(({ properties }) => roleGuid(String(properties["roleDefinitionId"])) === own.name.toLowerCase());
  if (used) throw new AzureError(400, "RoleDefinitionHasAssignments", "There are existing role assignments referencing role.");
  context.resources.delete(own.id, { propagates: true });
  return view(request, asDefinition(own));
}
