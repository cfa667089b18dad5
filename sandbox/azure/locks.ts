/** Management locks. https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources */
import { lockOn } from "../../trust/azure/locks.js";
import type { ManagementLock } from "../../trust/azure/types.js";
import { armError, badRequest, invalidContent } from "./arm-errors.js";
import { covers, parseArmId } from "./arm-ids.js";
import { atScopes, idAt, scopeOf } from "./arm-scopes.js";
import { type ArmResource, type ArmResources, type AzureAnswer, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

export const LOCK_TYPE = "Microsoft.Authorization/locks";
const LEVELS: readonly unknown[] = ["CanNotDelete", "ReadOnly"] satisfies ManagementLock["level"][];

export class Locks {
  constructor(private readonly resources: ArmResources) {}

  assertUnlocked(scope: string, operation: "write" | "delete"): void {
    const locks = this.resources.list(LOCK_TYPE).map(({ id, properties }): ManagementLock => ({ id, scope: lockedScope(id), level: properties["level"] as ManagementLock["level"] }));
    const held = lockOn(locks, scope, operation);
    if (held) throw armError("scopeLocked", scope, operation, held.scope);
  }
}

const lockedScope = (id: string): string => parseArmId(id)?.scope ?? id;

/** Locks do not hold for locks themselves: whoever may write them may remove them. */
export function lockRoutes(context: AzureServiceContext): AzureRoute[] {
  const { resources } = context;
  const find = (request: AzureRequest): ArmResource => {
    const id = idAt(request, LOCK_TYPE, "lock");
    context.require(request.caller, `${LOCK_TYPE}/read`, id);
    const found = resources.get(id);
    if (!found) throw new AzureError(404, "LockNotFound", `The lock '${request.params["lock"] ?? ""}' could not be found.`);
    return found;
  };
  return [
    ...atScopes("GET", `${LOCK_TYPE}/{lock}`, "arm:ManagementLocks_GetByScope", async (request) => view(find(request))),
    ...atScopes("PUT", `${LOCK_TYPE}/{lock}`, "arm:ManagementLocks_CreateOrUpdateByScope", async (request) => put(context, request)),
    ...atScopes("DELETE", `${LOCK_TYPE}/{lock}`, "arm:ManagementLocks_DeleteByScope", async (request) => {
      const id = idAt(request, LOCK_TYPE, "lock");
      context.require(request.caller, `${LOCK_TYPE}/delete`, id);
      return RawAnswer.json(resources.delete(id) ? 200 : 204);
    }),
    ...atScopes("GET", LOCK_TYPE, "arm:ManagementLocks_ListByScope", async (request) => {
      const scope = scopeOf(request);
      context.require(request.caller, `${LOCK_TYPE}/read`, scope);
      const atScopeOnly = /atscope\(\)/i.test(request.query.get("$filter") ?? "");
      const found = resources.list(LOCK_TYPE).filter(({ id }) => covers(lockedScope(id), scope) || (!atScopeOnly && covers(scope, lockedScope(id))));
      return { value: found.map(view) };
    }),
  ];
}

function put(context: AzureServiceContext, request: AzureRequest): AzureAnswer {
  const id = idAt(request, LOCK_TYPE, "lock");
  context.require(request.caller, `${LOCK_TYPE}/write`, id);
  const { properties } = (request.body ?? {}) as { properties?: { level?: unknown; notes?: unknown } };
  if (!properties) throw invalidContent("Required property 'properties' not found in JSON");
  const { level, notes } = properties;
  if (!LEVELS.includes(level)) throw badRequest(`The lock level '${String(level)}' is invalid. It must be 'CanNotDelete' or 'ReadOnly'.`);
  const isNew = context.resources.get(id) === undefined;
  const name = parseArmId(id)?.name ?? "";
  const stored = context.resources.put({ id, name, type: LOCK_TYPE, properties: { level, ...(typeof notes === "string" && { notes }) } });
  return RawAnswer.json(isNew ? 201 : 200, view(stored));
}

const view = ({ id, name, type, properties }: ArmResource): object => ({ id, name, type, properties });
