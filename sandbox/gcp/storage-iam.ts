/** IAM policies of buckets. https://cloud.google.com/storage/docs/json_api/v1/buckets/setIamPolicy */
import { projectOnlyPermissions, storageRefusals, testablePermission } from "../../facts/gcp/storage.js";
import type { GcpRequest, GcpRoute, GcpServiceContext } from "./service.js";
import { type StorageAccess, bucketName } from "./storage-access.js";
import { refuse } from "./storage-errors.js";
import { type Bucket, bucketPath } from "./storage-store.js";

const PUBLIC = ["allUsers", "allAuthenticatedUsers"];

interface WrittenBinding {
  members?: unknown;
  condition?: unknown;
}

export function iamRoutes(context: GcpServiceContext, access: StorageAccess): GcpRoute[] {
  function shown(bucket: Bucket): object {
    const { bindings, etag, version } = context.policies.get(bucketName(bucket.name));
    const conditional = bindings.some(({ condition }) => condition !== undefined);
    return { kind: "storage#policy", resourceId: bucketPath(bucket.name), version: conditional ? 3 : (version ?? 1), etag, bindings };
  }

  async function get(request: GcpRequest): Promise<object> {
    return shown(access.open(request, request.params["bucket"] ?? "", "storage.buckets.getIamPolicy"));
  }

  async function set(request: GcpRequest): Promise<object> {
    const bucket = access.open(request, request.params["bucket"] ?? "", "storage.buckets.setIamPolicy");
    const { iamConfiguration } = bucket.settings;
    const { bindings = [], etag, version } = (request.body ?? {}) as { bindings?: WrittenBinding[]; etag?: string; version?: number };
    const written = Array.isArray(bindings) ? bindings : [];
    const toPublic = written.some(({ members }) => Array.isArray(members) && members.some((member) => PUBLIC.includes(String(member))));
    if (toPublic && iamConfiguration.publicAccessPrevention === "enforced") throw refuse(storageRefusals.publicAccessPrevented());
    if (written.some(({ condition }) => condition !== undefined) && !iamConfiguration.uniformBucketLevelAccess.enabled) throw refuse(storageRefusals.conditionNeedsUniformAccess());
    const policy = { bindings, ...(etag !== undefined && { etag }), ...(version !== undefined && { version }) };
    context.policies.set(bucketName(bucket.name), policy, bucket.projectId);
    return shown(bucket);
  }

  async function test(request: GcpRequest): Promise<object> {
    const bucket = access.bucket(request, request.params["bucket"] ?? "");
    const asked = request.query.getAll("permissions");
    if (asked.length === 0) throw refuse(storageRefusals.required("permissions"));
    for (const permission of asked) {
      if (!testablePermission.test(permission) || projectOnlyPermissions.includes(permission)) throw refuse(storageRefusals.permissionNotOfBuckets(permission));
    }
    const permissions = asked.filter((permission) => access.mayBucket(request.caller, bucket, permission));
    return { kind: "storage#testIamPermissionsResponse", ...(permissions.length > 0 && { permissions }) };
  }

  const path = "/storage/v1/b/{bucket}/iam";
  return [
    { method: "GET", path, operation: "storage:buckets.getIamPolicy", anonymous: true, run: get },
    { method: "PUT", path, operation: "storage:buckets.setIamPolicy", anonymous: true, run: set },
    { method: "GET", path: `${path}/testPermissions`, operation: "storage:buckets.testIamPermissions", anonymous: true, run: test },
  ];
}
