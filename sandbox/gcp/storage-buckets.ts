/** Buckets: made, read, changed, deleted. https://cloud.google.com/storage/docs/json_api/v1/buckets */
import { DEFAULT_BUCKET_LOCATION, STORAGE_LIMITS, bucketLocations, defaultBucketBindings, storageRefusals } from "../../facts/gcp/storage.js";
import { type GcpRequest, type GcpRoute, type GcpServiceContext, RawAnswer } from "./service.js";
import { type StorageAccess, bucketName } from "./storage-access.js";
import { StorageError, refuse } from "./storage-errors.js";
import { checkPreconditions, preconditionsOf } from "./storage-generations.js";
import { page } from "./storage-pages.js";
import { readSettings } from "./storage-settings.js";
import { type Bucket, type StorageStore, isLive } from "./storage-store.js";
import { shownBucket } from "./storage-views.js";
import type { GcpProject } from "./types.js";

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Throws for names that nobody can have; those with dots are domains, which somebody would have to prove to own. */
function checkBucketName(name: string): void {
  const { min, max, pattern } = STORAGE_LIMITS.bucketName;
  const tooLong = name.includes(".") ? name.length > 222 || name.split(".").some((label) => label.length > max) : name.length > max;
  const reserved = name.startsWith("goog") || /g[o0]{2}g[l1]e/.test(name) || /^\d+\.\d+\.\d+\.\d+$/.test(name) || /\.\.|\.-|-\./.test(name);
  if (name.length < min || tooLong || !pattern.test(name) || reserved) throw refuse(storageRefusals.bucketNameInvalid(name));
  if (name.includes(".")) throw refuse(storageRefusals.bucketNameUnverified());
}

export function bucketRoutes(context: GcpServiceContext, store: StorageStore, access: StorageAccess): GcpRoute[] {
  /** The project of a request's `project`, given by id or number. */
  function projectOf({ query }: GcpRequest): GcpProject {
    const named = query.get("project");
    if (named === null || named === "") throw refuse(storageRefusals.required("project"));
    const project = context.cloud.project(named);
    if (!project) throw refuse(storageRefusals.projectUnknown(named));
    return project;
  }

  function requireNoAcl({ query }: GcpRequest, uniform: boolean, body: unknown): void {
    const asked = ["predefinedAcl", "predefinedDefaultObjectAcl"].some((name) => query.has(name)) || (isObject(body) && ("acl" in body || "defaultObjectAcl" in body));
    if (uniform && asked) throw refuse(storageRefusals.aclOfUniformBucket());
  }

  async function insert(request: GcpRequest): Promise<object> {
    const { caller, body } = request;
    const project = projectOf(request);
    access.requireProject(caller, project.projectId, "storage.buckets.create");
    const { name, location: given } = isObject(body) ? body : {};
    if (typeof name !== "string") throw refuse(storageRefusals.required("name"));
    checkBucketName(name);
    const location = (typeof given === "string" && given !== "" ? given : DEFAULT_BUCKET_LOCATION).toUpperCase();
    const locationType = bucketLocations.get(location);
    if (!locationType) throw refuse(storageRefusals.locationInvalid());
    const taken = store.bucket(name);
    if (taken) throw refuse(taken.projectId === project.projectId ? storageRefusals.bucketOwned() : storageRefusals.bucketTaken());
    const now = store.now();
    const settings = readSettings({ body, over: undefined, before: undefined, locationType, now });
    requireNoAcl(request, settings.iamConfiguration.uniformBucketLevelAccess.enabled, body);
    const bucket: Bucket = {
      name,
      projectId: project.projectId,
      projectNumber: project.projectNumber,
      location,
      locationType,
      generation: String(BigInt(new Date(now).getTime()) * 1000n),
      metageneration: 1,
      timeCreated: now,
      updated: now,
      settings,
    };
    store.putBucket(bucket);
    // Access control lists are not played: what the default one gives is in the policy here.
    const bindings = defaultBucketBindings.map(({ role, of }) => ({ role, members: of.map((kind) => `${kind}:${project.projectId}`) }));
    context.policies.seed(bucketName(name), bindings);
    return shownBucket(bucket);
  }

  async function list(request: GcpRequest): Promise<object> {
    const project = projectOf(request);
    access.requireProject(request.caller, project.projectId, "storage.buckets.list");
    const prefix = request.query.get("prefix") ?? "";
    const { items, nextPageToken } = page(store.buckets(project.projectId).filter(({ name }) => name.startsWith(prefix)), request.query, ({ name }) => name);
    return { kind: "storage#buckets", ...(items.length > 0 && { items: items.map(shownBucket) }), ...nextPageToken };
  }

  async function get(request: GcpRequest): Promise<object> {
    const bucket = access.open(request, request.params["bucket"] ?? "", "storage.buckets.get");
    if (request.query.get("projection") === "full") access.requireBucket(request.caller, bucket, "storage.buckets.getIamPolicy");
    const { ifMetagenerationMatch, ifMetagenerationNotMatch } = preconditionsOf(request.query);
    const conditions = { ...(ifMetagenerationMatch !== undefined && { ifMetagenerationMatch }), ...(ifMetagenerationNotMatch !== undefined && { ifMetagenerationNotMatch }) };
    checkPreconditions(conditions, { generation: bucket.generation, metageneration: bucket.metageneration }, true);
    return shownBucket(bucket);
  }

  const write = (mode: "patch" | "update") => async (request: GcpRequest) => {
    const bucket = access.open(request, request.params["bucket"] ?? "", "storage.buckets.update");
    checkPreconditions(preconditionsOf(request.query), { generation: bucket.generation, metageneration: bucket.metageneration });
    const { settings: before, locationType } = bucket;
    const now = store.now();
    const settings = readSettings({ body: request.body, over: mode === "patch" ? before : undefined, before, locationType, now });
    requireNoAcl(request, settings.iamConfiguration.uniformBucketLevelAccess.enabled, request.body);
    if (settings.iamConfiguration.publicAccessPrevention !== before.iamConfiguration.publicAccessPrevention) {
      access.requireBucket(request.caller, bucket, "storage.buckets.setIamPolicy");
    }
    const changed: Bucket = { ...bucket, settings, updated: now, metageneration: bucket.metageneration + 1 };
    store.putBucket(changed);
    return shownBucket(changed);
  };

  async function remove(request: GcpRequest): Promise<RawAnswer> {
    const bucket = access.open(request, request.params["bucket"] ?? "", "storage.buckets.delete");
    checkPreconditions(preconditionsOf(request.query), { generation: bucket.generation, metageneration: bucket.metageneration });
    const kept = store.objects(bucket.name).some(({ generations }) => generations.some((each) => isLive(each) || each.softDeleteTime === undefined));
    if (kept) throw refuse(storageRefusals.bucketNotEmpty());
    store.deleteBucket(bucket.name);
    context.policies.delete(bucketName(bucket.name));
    return new RawAnswer({ status: 204 });
  }

  async function lockRetentionPolicy(request: GcpRequest): Promise<object> {
    const bucket = access.open(request, request.params["bucket"] ?? "", "storage.buckets.update");
    checkPreconditions(preconditionsOf(request.query), { generation: bucket.generation, metageneration: bucket.metageneration });
    const { retentionPolicy } = bucket.settings;
    if (!retentionPolicy) throw new StorageError(400, "invalid", "The bucket has no retention policy to lock.");
    const locked: Bucket = { ...bucket, metageneration: bucket.metageneration + 1, updated: store.now(), settings: { ...bucket.settings, retentionPolicy: { ...retentionPolicy, isLocked: true } } };
    store.putBucket(locked);
    return shownBucket(locked);
  }

  async function storageLayout(request: GcpRequest): Promise<object> {
    const name = request.params["bucket"] ?? "";
    const bucket = access.bucket(request, name);
    if (!access.mayBucket(request.caller, bucket, "storage.buckets.get")) access.requireBucket(request.caller, bucket, "storage.objects.list");
    const { location, locationType, settings } = bucket;
    return { kind: "storage#storageLayout", bucket: name, location, locationType, hierarchicalNamespace: settings.hierarchicalNamespace ?? { enabled: false } };
  }

  /** There are none, as nothing here makes one. */
  async function managedFolders(request: GcpRequest): Promise<object> {
    access.open(request, request.params["bucket"] ?? "", "storage.managedFolders.list");
    return { kind: "storage#managedFolders" };
  }

  async function managedFolder(request: GcpRequest): Promise<never> {
    access.open(request, request.params["bucket"] ?? "", "storage.managedFolders.get");
    throw refuse(storageRefusals.managedFolderMissing());
  }

  async function projectServiceAccount({ caller, params }: GcpRequest): Promise<object> {
    const project = context.projectOf(params["project"] ?? "");
    access.requireProject(caller, project.projectId, "resourcemanager.projects.get");
    return { kind: "storage#serviceAccount", email_address: `service-${project.projectNumber}@gs-project-accounts.iam.gserviceaccount.com` };
  }

  const ofProject = { consumer: ({ query }: GcpRequest) => query.get("project") ?? undefined };
  const path = "/storage/v1/b/{bucket}";
  return [
    { method: "POST", path: "/storage/v1/b", operation: "storage:buckets.insert", anonymous: true, ...ofProject, run: insert },
    { method: "GET", path: "/storage/v1/b", operation: "storage:buckets.list", anonymous: true, ...ofProject, run: list },
    { method: "GET", path, operation: "storage:buckets.get", anonymous: true, run: get },
    { method: "PATCH", path, operation: "storage:buckets.patch", anonymous: true, run: write("patch") },
    { method: "PUT", path, operation: "storage:buckets.update", anonymous: true, run: write("update") },
    { method: "DELETE", path, operation: "storage:buckets.delete", anonymous: true, run: remove },
    { method: "POST", path: `${path}/lockRetentionPolicy`, operation: "storage:buckets.lockRetentionPolicy", anonymous: true, run: lockRetentionPolicy },
    { method: "GET", path: `${path}/storageLayout`, operation: "storage:buckets.getStorageLayout", anonymous: true, run: storageLayout },
    { method: "GET", path: `${path}/managedFolders`, operation: "storage:managedFolders.list", anonymous: true, run: managedFolders },
    { method: "GET", path: `${path}/managedFolders/{folder}`, operation: "storage:managedFolders.get", anonymous: true, run: managedFolder },
    { method: "GET", path: "/storage/v1/projects/{project}/serviceAccount", operation: "storage:projects.serviceAccount.get", anonymous: true, run: projectServiceAccount },
  ];
}
