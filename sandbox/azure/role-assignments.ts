/** Role assignments, on any scope. https://learn.microsoft.com/rest/api/authorization/role-assignments */
import { ruleViolation } from "../../facts/azure/limits.js";
import { roleDefinitionId, roleGuid } from "../../facts/azure/roles.js";
import { conditionMistake } from "../../trust/azure/conditions.js";
import { armError, badRequest, invalidContent, resourceNotFound } from "./arm-errors.js";
import { covers, groupId, normalised, parseArmId } from "./arm-ids.js";
import { removeResource } from "./arm-removal.js";
import { atScopes, idAt, scopeOf } from "./arm-scopes.js";
import { ROLE_ASSIGNMENT_TYPE, type RoleAssignmentProperties, RoleStore } from "./role-store.js";
import { type ArmResource, type AzureAnswer, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

const READ = `${ROLE_ASSIGNMENT_TYPE}/read`;

export function roleAssignmentRoutes(context: AzureServiceContext): AzureRoute[] {
  const one = `${ROLE_ASSIGNMENT_TYPE}/{assignment}`;
  const at = (method: AzureRoute["method"], path: string, operation: string, run: (request: AzureRequest) => AzureAnswer): AzureRoute[] =>
    atScopes(method, path, `arm:RoleAssignments_${operation}`, async (request) => run(request));
  return [
    ...at("GET", ROLE_ASSIGNMENT_TYPE, "ListForScope", (request) => ({ value: listed(context, request).map(view) })),
    ...at("GET", one, "Get", (request) => {
      const id = idAt(request, ROLE_ASSIGNMENT_TYPE, "assignment");
      context.require(request.caller, READ, id);
      const found = context.resources.get(id);
      if (!found) throw new AzureError(404, "RoleAssignmentNotFound", `The role assignment '${request.params["assignment"] ?? ""}' is not found.`);
      return view(found);
    }),
    ...at("PUT", one, "Create", (request) => put(context, request)),
    ...at("DELETE", one, "Delete", (request) => {
      const id = idAt(request, ROLE_ASSIGNMENT_TYPE, "assignment");
      context.require(request.caller, `${ROLE_ASSIGNMENT_TYPE}/delete`, id);
      const found = context.resources.get(id);
      if (!found) return RawAnswer.json(204);
      context.assertUnlocked(id, "delete");
      removeResource(context, id);
      return view(found);
    }),
  ];
}

const propertiesOf = ({ properties }: ArmResource): RoleAssignmentProperties => properties as unknown as RoleAssignmentProperties;

/** Those of the scope with what is inherited from above; unless the filter says `atScope()`, those below it too. */
function listed(context: AzureServiceContext, request: AzureRequest): ArmResource[] {
  const scope = scopeOf(request);
  context.require(request.caller, READ, scope);
  const filter = request.query.get("$filter") ?? "";
  const principal = /^\s*(?:atScope\(\)\s+and\s+)?(?:principalId\s+eq\s+'([^']*)'|assignedTo\('([^']*)'\))\s*$/i.exec(filter);
  const atScopeOnly = /^\s*atScope\(\)/i.test(filter);
  if (filter.trim() !== "" && !principal && !/^\s*atScope\(\)\s*$/i.test(filter)) {
    throw badRequest(`The filter '${filter}' is not supported. Supported filters are either 'atScope()' or 'principalId eq '{value}'' or 'assignedTo('{value}')'.`);
  }
  const wanted = (principal?.[1] ?? principal?.[2])?.toLowerCase();
  return context.resources.list(ROLE_ASSIGNMENT_TYPE).filter((assignment) => {
    const { scope: own, principalId } = propertiesOf(assignment);
    return (wanted === undefined || principalId.toLowerCase() === wanted) && (covers(own, scope) || (!atScopeOnly && covers(scope, own)));
  });
}

function put(context: AzureServiceContext, request: AzureRequest): AzureAnswer {
  const { caller } = request;
  const name = request.params["assignment"] ?? "";
  const scope = scopeOf(request);
  const id = idAt(request, ROLE_ASSIGNMENT_TYPE, "assignment");
  context.require(caller, `${ROLE_ASSIGNMENT_TYPE}/write`, id);
  if (ruleViolation("roleAssignmentName", name) !== undefined) throw armError("assignmentName", name);
  assertScope(context, scope);
  const asked = readAssignment(context, request, scope);
  const before = context.resources.get(id);
  if (before) assertSame(propertiesOf(before), asked);
  else assertNew(context, asked);
  context.assertUnlocked(id, "write");
  const now = context.core.clock.now().toISOString();
  const { createdOn = now, createdBy = caller.objectId } = before?.properties ?? {};
  const stored = context.resources.put(
    { id, name, type: ROLE_ASSIGNMENT_TYPE, properties: { ...asked, createdOn, updatedOn: now, createdBy, updatedBy: caller.objectId, delegatedManagedIdentityResourceId: null } },
    { propagates: true },
  );
  return RawAnswer.json(201, view(stored));
}

/** Group and resource have to be there; of a resource's children (a container, say) ARM does not know. */
function assertScope(context: AzureServiceContext, scope: string): void {
  const id = parseArmId(scope);
  if (id?.subscription === undefined || id.group === undefined) return;
  context.groupOf(id.subscription, id.group);
  const group = groupId(id.subscription, id.group);
  const [, namespace = "", type = "", name = ""] = /^\/providers\/([^/]+)\/([^/]+)\/([^/]+)/i.exec(scope.slice(group.length)) ?? [];
  const parent = `${group}/providers/${namespace}/${type}/${name}`;
  if (name !== "" && !context.resources.get(parent)) throw resourceNotFound(parent);
}

interface AskedAssignment extends RoleAssignmentProperties {
  description: string | null;
}

function readAssignment(context: AzureServiceContext, request: AzureRequest, scope: string): AskedAssignment {
  const { properties } = (request.body ?? {}) as { properties?: Partial<Record<keyof AskedAssignment, unknown>> };
  const { roleDefinitionId: role, principalId, principalType, condition, conditionVersion, description } = properties ?? {};
  if (typeof role !== "string" || typeof principalId !== "string") throw invalidContent("Required properties 'roleDefinitionId' and 'principalId' not found in JSON");
  const guid = roleGuid(role);
  const definition = new RoleStore(context.resources).role(role, "written");
  if (guid === undefined || !definition) throw armError("roleNotFound", guid ?? role);
  if (ruleViolation("objectId", principalId) !== undefined) throw new AzureError(400, "InvalidPrincipalId", `The Principal ID '${principalId}' is not valid. Principal ID must be a GUID.`);
  const conditioned = typeof condition === "string" && condition !== "";
  if (conditioned) assertCondition(condition, conditionVersion);
  const subscription = parseArmId(scope)?.subscription;
  return {
    roleDefinitionId: subscription === undefined ? `/providers/Microsoft.Authorization/roleDefinitions/${guid}` : roleDefinitionId(subscription, guid),
    principalId: principalId.toLowerCase(),
    principalType: principalTypeOf(context, request, principalId, principalType),
    scope,
    condition: conditioned ? condition : null,
    conditionVersion: conditioned ? "2.0" : null,
    description: typeof description === "string" ? description : null,
  };
}

/** Given, it spares the look into the directory, which may not have the principal yet; what it names need not be there then. */
function principalTypeOf(context: AzureServiceContext, { caller }: AzureRequest, principalId: string, given: unknown): string {
  const { tenantId } = caller;
  const principal = context.directory.find(tenantId, principalId, "effective");
  const found = principal?.objectId.toLowerCase() === principalId.toLowerCase() ? "ServicePrincipal" : undefined;
  if (typeof given !== "string" || given === "") {
    if (found === undefined) throw armError("principalNotFound", principalId.replaceAll("-", ""), tenantId);
    return found;
  }
  if (found !== undefined && given !== found) throw armError("principalType", principalId, found, given);
  return given;
}

function assertCondition(condition: string, version: unknown): void {
  if (version !== "2.0") throw new AzureError(400, "InvalidConditionVersion", `The role assignment condition version '${String(version)}' is not valid. It must be '2.0'.`);
  const mistake = conditionMistake(condition);
  if (mistake !== undefined) throw new AzureError(400, "InvalidCondition", `The given role assignment condition is invalid: it ${mistake}.`);
}

function assertSame(before: RoleAssignmentProperties, { principalId, roleDefinitionId: role, principalType }: RoleAssignmentProperties): void {
  const same = before.principalId === principalId && roleGuid(before.roleDefinitionId) === roleGuid(role) && before.principalType === principalType;
  if (!same) throw armError("assignmentFixed");
}

function assertNew({ resources }: AzureServiceContext, { scope, principalId, roleDefinitionId: role }: RoleAssignmentProperties): void {
  const twin = resources.list(ROLE_ASSIGNMENT_TYPE).find((assignment) => {
    const other = propertiesOf(assignment);
    return normalised(other.scope) === normalised(scope) && other.principalId === principalId && roleGuid(other.roleDefinitionId) === roleGuid(role);
  });
  if (twin) throw armError("assignmentExists");
}

const view = ({ id, name, type, properties }: ArmResource): object => ({ properties, id, type, name });
