/** Who may do what with buckets and objects. https://cloud.google.com/storage/docs/access-control/iam-json */
import { SCOPE_PREFIX, type DeniedOn, storageRefusals, storageScopes } from "../../facts/gcp/storage.js";
import type { GcpRequest, GcpServiceContext } from "./service.js";
import { refuse } from "./storage-errors.js";
import { type Bucket, type StorageStore, bucketPath, objectPath } from "./storage-store.js";
import type { GcpCaller, GcpResource } from "./types.js";

const PUBLIC = ["allUsers", "allAuthenticatedUsers"];

export const bucketName = (bucket: string): string => `//storage.googleapis.com/${bucketPath(bucket)}`;

/** As far as a request for access goes: by the JSON API, by the XML API or by the holder of an upload session. */
export type Requester = Pick<GcpRequest, "caller" | "headers" | "query">;

export class StorageAccess {
  constructor(
    private readonly context: GcpServiceContext,
    private readonly store: StorageStore,
  ) {}

  /** Throws 404 for a bucket that nobody has, 400 where the requester has to pay and names no project. */
  bucket({ caller, headers, query }: Requester, name: string): Bucket {
    if (caller.kind === "anonymous" && headers["authorization"] !== undefined) throw refuse(storageRefusals.tokenInvalid());
    const bucket = this.store.bucket(name);
    if (!bucket) throw refuse(storageRefusals.bucketMissing());
    if (bucket.settings.billing?.requesterPays === true) {
      const payer = query.get("userProject") ?? headers["x-goog-user-project"];
      const ownProject = { name: `//cloudresourcemanager.googleapis.com/projects/${bucket.projectId}`, type: "cloudresourcemanager.googleapis.com/Project", projectId: bucket.projectId };
      const exempt = this.context.allows(caller, "resourcemanager.projects.createBillingAssignment", ownProject);
      if (payer === null || payer === undefined) {
        if (!exempt) throw refuse(storageRefusals.payerMissing());
      } else {
        const { projectId } = this.context.projectOf(payer);
        this.context.require(caller, "serviceusage.services.use", { ...ownProject, name: `//cloudresourcemanager.googleapis.com/projects/${projectId}`, projectId });
      }
    }
    return bucket;
  }

  /** The bucket, where the caller has the permission on it. */
  open(request: Requester, name: string, permission: string): Bucket {
    const bucket = this.bucket(request, name);
    this.requireBucket(request.caller, bucket, permission);
    return bucket;
  }

  requireBucket(caller: GcpCaller, bucket: Bucket, permission: string): void {
    const on = permission.startsWith("storage.managedFolders.") ? "managedFolder" : "bucket";
    this.#require(caller, permission, on, this.#mayOnBucket(caller, bucket, permission));
  }

  requireObject(caller: GcpCaller, bucket: Bucket, name: string, permission: string): void {
    this.#require(caller, permission, "object", this.mayObject(caller, bucket, name, permission));
  }

  requireProject(caller: GcpCaller, projectId: string, permission: string): void {
    const resource: GcpResource = { name: `//cloudresourcemanager.googleapis.com/projects/${projectId}`, type: "cloudresourcemanager.googleapis.com/Project", projectId };
    this.#require(caller, permission, "project", this.context.allows(caller, permission, resource));
  }

  mayBucket(caller: GcpCaller, bucket: Bucket, permission: string): boolean {
    return this.#mayOnBucket(caller, bucket, permission);
  }

  mayObject(caller: GcpCaller, bucket: Bucket, name: string, permission: string): boolean {
    const resource: GcpResource = {
      name: `${bucketName(bucket.name)}/objects/${name}`,
      type: "storage.googleapis.com/Object",
      conditionName: objectPath(bucket.name, name),
      parents: [bucketName(bucket.name)],
      projectId: bucket.projectId,
    };
    return this.context.allows(asSeenBy(bucket, caller), permission, resource);
  }

  #mayOnBucket(caller: GcpCaller, bucket: Bucket, permission: string): boolean {
    const resource: GcpResource = {
      name: bucketName(bucket.name),
      type: "storage.googleapis.com/Bucket",
      conditionName: bucketPath(bucket.name),
      projectId: bucket.projectId,
    };
    return this.context.allows(asSeenBy(bucket, caller), permission, resource);
  }

  #require(caller: GcpCaller, permission: string, on: DeniedOn, allowed: boolean): void {
    if (allowed) return requireScope(caller, permission);
    if (caller.kind === "anonymous") throw refuse(storageRefusals.anonymous(permission, on));
    // Identities of pools have no name that the service would show.
    throw refuse(storageRefusals.denied(caller.kind === "federated" ? "Caller" : caller.name, permission, on));
  }
}

/** Where public access is prevented, grants to everybody do not count. https://cloud.google.com/storage/docs/public-access-prevention */
function asSeenBy({ settings }: Bucket, caller: GcpCaller): GcpCaller {
  if (settings.iamConfiguration.publicAccessPrevention !== "enforced") return caller;
  return { ...caller, members: caller.members.filter((member) => !PUBLIC.includes(member)) };
}

function requireScope(caller: GcpCaller, permission: string): void {
  if (caller.scopes.length === 0) return;
  const kind = permission.endsWith("IamPolicy") ? "control" : /\.(?:get|list)$/.test(permission) ? "read" : "write";
  const sufficient = (storageScopes[kind] ?? []).some((scope) => caller.scopes.includes(`${SCOPE_PREFIX}${scope}`));
  if (!sufficient) throw refuse(storageRefusals.scopeTooSmall());
}
