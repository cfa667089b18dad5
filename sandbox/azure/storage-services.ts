/** An account's Blob service and its lifecycle rules in ARM. https://learn.microsoft.com/rest/api/storagerp/blob-services and …/management-policies */
import { storageLimits } from "../../facts/azure/storage.js";
import { type AzureAnswer, type AzureRequest, type AzureRoute, RawAnswer } from "./service.js";
import { ACCOUNT, BLOB_SERVICE, type StorageArm, invalidValue, isObject, propertiesOf } from "./storage-arm.js";
import { type Account, BLOB_SERVICE_TYPE, type BlobServiceProperties, MANAGEMENT_POLICY_TYPE, blobServiceId } from "./storage-state.js";
import { AzureError } from "./types.js";

const POLICY = `${ACCOUNT}/managementPolicies/default`;

export function serviceRoutes(arm: StorageArm): AzureRoute[] {
  const route = (method: AzureRoute["method"], path: string, operation: string, run: (request: AzureRequest) => AzureAnswer): AzureRoute => ({
    method,
    path,
    operation: `storage:${operation}`,
    run: async (request) => run(request),
  });
  const serviceView = (account: Account): object => {
    const properties = arm.state.blobService(account);
    return { sku: account.sku, id: blobServiceId(account), name: "default", type: BLOB_SERVICE_TYPE, properties };
  };
  return [
    route("GET", `${ACCOUNT}/blobServices`, "BlobServices_List", (request) => ({ value: [serviceView(arm.account(request, "blobServices/read", "/blobServices/default"))] })),
    route("GET", BLOB_SERVICE, "BlobServices_GetServiceProperties", (request) => serviceView(arm.account(request, "blobServices/read", "/blobServices/default"))),
    route("PUT", BLOB_SERVICE, "BlobServices_SetServiceProperties", (request) => {
      const account = arm.changed(request, "blobServices/write", "/blobServices/default");
      arm.state.putBlobService(account, { ...arm.state.blobService(account), ...readService(request, account) });
      return serviceView(account);
    }),
    route("GET", POLICY, "ManagementPolicies_Get", (request) => {
      const account = arm.account(request, "managementPolicies/read", "/managementPolicies/default");
      const found = arm.context.resources.get(policyId(account));
      if (!found) throw new AzureError(404, "ManagementPolicyNotFound", "No ManagementPolicy found for account " + account.name);
      return found;
    }),
    route("PUT", POLICY, "ManagementPolicies_CreateOrUpdate", (request) => {
      const account = arm.changed(request, "managementPolicies/write", "/managementPolicies/default");
      const { policy } = propertiesOf(request);
      if (!isObject(policy) || !Array.isArray(policy["rules"]) || policy["rules"].length === 0) throw invalidValue(policy, "policy");
      const properties = { policy, lastModifiedTime: arm.state.now().toISOString() };
      return arm.context.resources.put({ id: policyId(account), name: "DefaultManagementPolicy", type: MANAGEMENT_POLICY_TYPE, properties });
    }),
    route("DELETE", POLICY, "ManagementPolicies_Delete", (request) => {
      const account = arm.changed(request, "managementPolicies/delete", "/managementPolicies/default");
      return RawAnswer.json(arm.context.resources.delete(policyId(account)) ? 200 : 204);
    }),
  ];
}

const policyId = (account: Account): string => `${account.id}/managementPolicies/default`;

const POLICIES = ["deleteRetentionPolicy", "containerDeleteRetentionPolicy", "restorePolicy"] as const;
/** Kept as written. */
const OTHERS = ["automaticSnapshotPolicyEnabled", "changeFeed", "cors", "defaultServiceVersion", "lastAccessTimeTrackingPolicy"] as const;

/** Members that the body leaves out stay as they are. */
function readService(request: AzureRequest, account: Account): Partial<BlobServiceProperties> {
  const given = propertiesOf(request);
  const read: Record<string, unknown> = {};
  for (const name of POLICIES) if (given[name] !== undefined && given[name] !== null) read[name] = readRetention(name, given[name]);
  for (const name of OTHERS) if (given[name] !== undefined && given[name] !== null) read[name] = given[name];
  const { isVersioningEnabled } = given;
  if (isVersioningEnabled !== undefined && isVersioningEnabled !== null) {
    if (typeof isVersioningEnabled !== "boolean") throw invalidValue(isVersioningEnabled, "isVersioningEnabled");
    // https://learn.microsoft.com/azure/storage/blobs/versioning-overview: not where the namespace is hierarchical.
    if (isVersioningEnabled && account.properties["isHnsEnabled"] === true) {
      throw new AzureError(409, "FeatureNotSupportedForAccount", "Versioning is not supported for the account.");
    }
    read["isVersioningEnabled"] = isVersioningEnabled;
  }
  return read;
}

function readRetention(name: string, value: unknown): object {
  if (!isObject(value)) throw invalidValue(value, name);
  const { enabled = false, days } = value;
  if (typeof enabled !== "boolean") throw invalidValue(enabled, `${name}.enabled`);
  if (!enabled) return { ...value, enabled };
  const { min, max } = storageLimits.softDelete;
  if (typeof days !== "number" || !Number.isInteger(days) || days < min || days > max) throw invalidValue(days, `${name}.days`);
  return { ...(name === "deleteRetentionPolicy" && { allowPermanentDelete: false }), ...value, enabled, days };
}
