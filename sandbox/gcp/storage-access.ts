/** Who may do what with buckets and objects. https://cloud.google.com/storage/docs/access-control/iam-json */
import { SCOPE_PREFIX, type DeniedOn, storageRefusals, storageScopes } from "../../facts/gcp/storage.js";
import type { GcpRequest, GcpServiceContext } from "./service.js";
import { refuse } from "./storage-errors.js";
import { type Bucket, type StorageStore, bucketPath, objectPath } from "./storage-store.js";
import { type GcpCaller, GcpError, type GcpResource } from "./types.js";

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
      const payer = query.get("userProject") ?? headers["x-goog-user-project"] ?? undefined;
      const exempt = this.context.allows(caller, "resourcemanager.projects.createBillingAssignment", projectResource(bucket.projectId));
      if (payer !== undefined) this.context.require(caller, "serviceusage.services.use", projectResource(this.context.projectOf(payer).projectId));
      else if (!exempt) throw refuse(storageRefusals.payerMissing());
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
    this.#require(caller, permission, on, bucketResource(bucket), bucket);
  }

  requireObject(caller: GcpCaller, bucket: Bucket, name: string, permission: string): void {
    this.#require(caller, permission, "object", objectResource(bucket, name), bucket);
  }

  requireProject(caller: GcpCaller, projectId: string, permission: string): void {
    this.#require(caller, permission, "project", projectResource(projectId));
  }

  mayBucket(caller: GcpCaller, bucket: Bucket, permission: string): boolean {
    return this.context.allows(asSeenBy(bucket, caller), permission, bucketResource(bucket));
  }

  #require(caller: GcpCaller, permission: string, on: DeniedOn, resource: GcpResource, bucket?: Bucket): void {
    try {
      this.context.require(bucket ? asSeenBy(bucket, caller) : caller, permission, resource);
    } catch (error) {
      if (!(error instanceof GcpError) || error.status !== "PERMISSION_DENIED") throw error;
      if (caller.kind === "anonymous") throw refuse(storageRefusals.anonymous(permission, on));
      // Identities of pools have no name that the service would show.
      throw refuse(storageRefusals.denied(caller.kind === "federated" ? "Caller" : caller.name, permission, on));
    }
    requireScope(caller, permission);
  }
}

function projectResource(projectId: string): GcpResource {
  return { name: `//cloudresourcemanager.googleapis.com/projects/${projectId}`, type: "cloudresourcemanager.googleapis.com/Project", projectId };
}

function bucketResource({ name, projectId }: Bucket): GcpResource {
  return { name: bucketName(name), type: "storage.googleapis.com/Bucket", conditionName: bucketPath(name), projectId };
}

function objectResource({ name: bucket, projectId }: Bucket, name: string): GcpResource {
  return { name: `${bucketName(bucket)}/objects/${name}`, type: "storage.googleapis.com/Object", conditionName: objectPath(bucket, name), parents: [bucketName(bucket)], projectId };
}

/** Where public access is prevented, grants to everybody do not count. https://cloud.google.com/storage/docs/public-access-prevention */
function asSeenBy({ settings }: Bucket, caller: GcpCaller): GcpCaller {
  if (settings.iamConfiguration.publicAccessPrevention !== "enforced") return caller;
  return { ...caller, members: caller.members.filter((member) => !PUBLIC.includes(member)) };
}

function requireScope(caller: GcpCaller, permission: string): void {
  if (caller.scopes.length === 0) return;
  const kind = permission.endsWith("IamPolicy") ? "control" : /\.(?:get|list)$/.test(permission) ? "read" : "write";
  const sufficient = storageScopes[kind].some((scope) => caller.scopes.includes(`${SCOPE_PREFIX}${scope}`));
  if (!sufficient) throw refuse(storageRefusals.scopeTooSmall());
}
