/** Storage accounts in ARM. https://learn.microsoft.com/rest/api/storagerp/storage-accounts */
import { textRules } from "../../facts/azure/limits.js";
import { subscriptionId } from "./arm-ids.js";
import { invalidContent } from "./arm-errors.js";
import { readLocation } from "./arm-locations.js";
import { type AzureAnswer, type AzureRequest, type AzureRoute, RawAnswer } from "./service.js";
import { assertChangeable, accountView, changedAccount, newAccount, precise, readPatch } from "./storage-account-properties.js";
import { ACCOUNT, ACCOUNTS, type StorageArm, isObject } from "./storage-arm.js";
import { assertDeletable } from "./storage-immutability.js";
import { ACCOUNT_TYPE, type Account } from "./storage-state.js";
import { AzureError } from "./types.js";

const NAME = textRules.storageAccount.pattern;

export function accountRoutes(arm: StorageArm): AzureRoute[] {
  const route = (method: AzureRoute["method"], path: string, operation: string, run: (request: AzureRequest) => AzureAnswer): AzureRoute => ({
    method,
    path,
    operation: `storage:StorageAccounts_${operation}`,
    run: async (request) => run(request),
  });
  const view = (account: Account): object => accountView(account, arm.state.cloudOf(account));
  return [
    route("POST", "/subscriptions/{subscription}/providers/Microsoft.Storage/checkNameAvailability", "CheckNameAvailability", (request) => checkName(arm, request)),
    route("GET", `/subscriptions/{subscription}/providers/${ACCOUNT_TYPE}`, "List", (request) => {
      const scope = subscriptionId(request.params["subscription"] ?? "");
      return { value: visible(arm, request, scope).map(view) };
    }),
    route("GET", ACCOUNTS, "ListByResourceGroup", (request) => {
      const scope = arm.accountId(request).split("/providers/")[0] ?? "";
      const found = visible(arm, request, scope);
      arm.requireGroup(request);
      return { value: found.map(view) };
    }),
    route("GET", ACCOUNT, "GetProperties", (request) => view(arm.account(request, "read"))),
    route("PUT", ACCOUNT, "Create", (request) => view(create(arm, request))),
    route("PATCH", ACCOUNT, "Update", (request) => view(update(arm, request, arm.changed(request, "write")))),
    route("DELETE", ACCOUNT, "Delete", (request) => remove(arm, request)),
    route("POST", `${ACCOUNT}/listKeys`, "ListKeys", (request) => keysView(arm, arm.changed(request, "listKeys/action"))),
    route("POST", `${ACCOUNT}/regenerateKey`, "RegenerateKey", (request) => {
      const account = arm.changed(request, "regenerateKey/action");
      const name = isObject(request.body) ? request.body["keyName"] : undefined;
      if (name !== "key1" && name !== "key2") throw new AzureError(400, "InvalidValuesForRequestParameters", "Values for request parameters are invalid: keyName.");
      const { [name]: renewed } = arm.state.regenerateKey(account, name);
      const keyCreationTime = { ...(account.properties["keyCreationTime"] as object), [name]: precise(new Date(renewed.creationTime)) };
      return keysView(arm, arm.context.resources.put({ ...account, properties: { ...account.properties, keyCreationTime } }) as Account);
    }),
  ];
}

/** A list holds what the caller may read; a right to the scope as a whole is not needed. */
function visible(arm: StorageArm, { caller }: AzureRequest, scope: string): Account[] {
  const all = arm.state.accounts(scope);
  if (arm.context.allows(caller, `${ACCOUNT_TYPE}/read`, scope)) return all;
  const some = all.filter(({ id }) => arm.context.allows(caller, `${ACCOUNT_TYPE}/read`, id));
  if (some.length === 0) arm.context.require(caller, `${ACCOUNT_TYPE}/read`, scope);
  return some;
}

const nameText = (name: string): string =>
  `${name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.`;
const takenText = (name: string): string => `The storage account named ${name} is already taken.`;

function checkName(arm: StorageArm, { caller, params, body }: AzureRequest): object {
  const subscription = params["subscription"] ?? "";
  arm.context.require(caller, "Microsoft.Storage/checkNameAvailability/read", subscriptionId(subscription));
  const name = isObject(body) ? body["name"] : undefined;
  if (typeof name !== "string") throw invalidContent("Required property 'name' not found in JSON");
  if (!NAME.test(name)) return { nameAvailable: false, reason: "AccountNameInvalid", message: nameText(name) };
  const taken = arm.state.account(name) !== undefined || arm.state.isHeldBack(name, tenantOf(arm, subscription));
  return taken ? { nameAvailable: false, reason: "AlreadyExists", message: takenText(name) } : { nameAvailable: true };
}

const tenantOf = (arm: StorageArm, subscription: string): string => arm.context.cloud.subscription(subscription)?.tenantId ?? "";

function create(arm: StorageArm, request: AzureRequest): Account {
  const { subscription = "", group = "", account: name = "" } = request.params;
  const id = arm.accountId(request);
  arm.context.require(request.caller, `${ACCOUNT_TYPE}/write`, id);
  arm.requireGroup(request);
  arm.context.assertUnlocked(id, "write");
  if (!NAME.test(name)) throw new AzureError(400, "AccountNameInvalid", nameText(name));
  const standing = arm.state.account(name);
  const given = isObject(request.body) ? request.body["location"] : undefined;
  if (typeof given !== "string" || given === "") throw new AzureError(400, "LocationRequired", "The location property is required for this definition.");
  const location = readLocation(request.cloud.name, given, { type: ACCOUNT_TYPE });
  if (standing) {
    assertSamePlace(standing, id, location, { subscription, group });
    return update(arm, request, standing);
  }
  if (arm.state.isHeldBack(name, tenantOf(arm, subscription))) throw new AzureError(409, "StorageAccountAlreadyTaken", takenText(name));
  const made = newAccount(id, name, location, readPatch(request), arm.state.now());
  return arm.context.resources.put(arm.context.applyPolicies(made)) as Account;
}

function assertSamePlace(standing: Account, id: string, location: string, { subscription, group }: { subscription: string; group: string }): void {
  if (standing.id.toLowerCase() !== id.toLowerCase()) {
    const own = standing.id.toLowerCase().startsWith(`${subscriptionId(subscription)}/`.toLowerCase());
    throw own
      ? new AzureError(409, "StorageAccountAlreadyExists", `The storage account named ${standing.name} already exists under the subscription.`)
      : new AzureError(409, "StorageAccountAlreadyTaken", takenText(standing.name));
  }
  if (standing.location !== location) {
    const text = `The resource '${standing.name}' already exists in location '${standing.location ?? ""}' in resource group '${group}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`;
    throw new AzureError(409, "InvalidResourceLocation", text);
  }
}

function update(arm: StorageArm, request: AzureRequest, standing: Account): Account {
  const patch = readPatch(request);
  assertChangeable(standing, patch);
  return arm.context.resources.put(arm.context.applyPolicies(changedAccount(standing, patch, arm.state.now()))) as Account;
}

function remove(arm: StorageArm, request: AzureRequest): AzureAnswer {
  const id = arm.accountId(request);
  arm.context.require(request.caller, `${ACCOUNT_TYPE}/delete`, id);
  arm.requireGroup(request);
  const account = arm.context.resources.get(id) as Account | undefined;
  if (!account) return RawAnswer.json(204);
  arm.context.assertUnlocked(id, "delete");
  assertDeletable(account, arm.state.containers(account));
  arm.state.deleteAccount(account);
  return RawAnswer.json(200);
}

/** Keys are listed, whether or not the account lets them be used. https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent */
function keysView(arm: StorageArm, account: Account): object {
  const keys = arm.state.keys(account);
  return { keys: (["key1", "key2"] as const).map((keyName) => ({ creationTime: precise(new Date(keys[keyName].creationTime)), keyName, value: keys[keyName].value, permissions: "FULL" })) };
}
