/** Creating, changing and deleting objects, whoever asked: authorisation of the request itself has been. */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { API_RESOURCES, apiVersionOf, type ApiResource } from "../../facts/kubernetes/api.js";
import type { JsonObject } from "../../trust/jwt.js";
import type { Clock } from "../types.js";
import type { AuthenticatedUser } from "./authenticator.js";
import type { Authoriser } from "./authoriser.js";
import { known, serviceAccountObject } from "./clusters.js";
import { alreadyExists, badRequest, conflict, invalid, notFound } from "./errors.js";
import { applyConfiguration, recordUpdate, type Writer } from "./field-managers.js";
import { timestamp, type KubernetesObject, type KubernetesObjects } from "./objects.js";
import { requireNoEscalation } from "./rbac-objects.js";
import { deletionRefusal, strategyOf } from "./strategies.js";
import type { KubernetesCluster } from "./types.js";
import { metadataErrors, readObject } from "./validation.js";

/** Where and how something is written. */
export interface WriteContext {
  cluster: KubernetesCluster;
  user: AuthenticatedUser;
  resource: ApiResource;
  namespace: string | undefined;
  fieldManager: string;
  /** Everything but the writing itself. */
  dryRun: boolean;
}

export class Registry {
  constructor(
    private readonly objects: KubernetesObjects,
    private readonly authoriser: Authoriser,
    private readonly clock: Clock,
  ) {}

  get({ cluster, resource, namespace }: Pick<WriteContext, "cluster" | "resource" | "namespace">, name: string): KubernetesObject {
    const found = this.objects.get(cluster.name, resource, resource.namespaced ? namespace : undefined, name);
    if (!found) throw notFound(resource, name);
    return found;
  }

  create(context: WriteContext, body: unknown): KubernetesObject {
    const read = this.#placed(context, readObject(body, context.resource));
    const { generateName } = read.metadata;
    const name = read.metadata.name === "" && generateName !== undefined ? `${generateName}${suffix()}` : read.metadata.name;
    if (read.metadata.resourceVersion !== undefined && read.metadata.resourceVersion !== "") throw badRequest("resourceVersion should not be set on objects to be created");
    const object = withDefaults(context.resource, { ...read, metadata: { ...withoutIdentity(read), name } });
    return this.#write(context, undefined, recordUpdate(undefined, withoutStatus(object), this.#writer(context)));
  }

  /** PUT: the whole object, of the version that it is based on where it says one. */
  replace(context: WriteContext, name: string, body: unknown): KubernetesObject {
    const read = this.#placed(context, readObject(body, context.resource));
    if (read.metadata.name !== "" && read.metadata.name !== name) throw badRequest(`the name of the object (${read.metadata.name}) does not match the name on the URL (${name})`);
    return this.#update(context, this.get(context, name), read);
  }

  /** Changes the object as it is now; `resourceVersion` in what comes out is a condition, as in a PUT. */
  patch(context: WriteContext, name: string, change: (object: KubernetesObject) => unknown): KubernetesObject {
    const before = this.get(context, name);
    return this.#update(context, before, this.#placed(context, readObject(change(before), context.resource)));
  }

  /** Server-side apply, which makes what is not there: then it needs the right to create, too. */
  apply(context: WriteContext, name: string, body: unknown, force: boolean): { object: KubernetesObject; created: boolean } {
    const { cluster, resource, user, namespace } = context;
    const applied = this.#placed(context, readObject(body, resource));
    if (applied.metadata.managedFields !== undefined) throw badRequest("metadata.managedFields must be nil");
    const given = { ...withoutStatus(applied), metadata: { ...withoutIdentity(applied), name } };
    const before = this.objects.get(cluster.name, resource, resource.namespaced ? namespace : undefined, name);
    if (!before) this.authoriser.require(cluster, user, { verb: "create", group: resource.group, resource: resource.resource, name, ...(namespace !== undefined && { namespace }) });
    const asked = applied.metadata.resourceVersion;
    if (asked !== undefined && asked !== before?.metadata.resourceVersion) throw conflict(resource, name);
    const merged = applyConfiguration(before, given, this.#writer(context), force);
    return { object: this.#write(context, before, withDefaults(resource, merged)), created: !before };
  }

  delete(context: WriteContext, name: string, preconditions: JsonObject = {}): KubernetesObject {
    const { cluster, resource } = context;
    const refusal = deletionRefusal(resource, name);
    if (refusal) throw refusal;
    const found = this.get(context, name);
    requirePreconditions(resource, found, preconditions);
    if (context.dryRun) return found;
    if (resource.resource === "namespaces") {
      for (const each of API_RESOURCES.filter(({ namespaced }) => namespaced)) {
        for (const object of this.objects.list(cluster.name, each, name)) this.objects.delete(cluster.name, each, object);
      }
    }
    this.objects.delete(cluster.name, resource, found);
    return found;
  }

  #update(context: WriteContext, before: KubernetesObject, after: KubernetesObject): KubernetesObject {
    const { resource } = context;
    const { resourceVersion, uid } = after.metadata;
    if (resourceVersion !== undefined && resourceVersion !== "" && resourceVersion !== before.metadata.resourceVersion) throw conflict(resource, before.metadata.name);
    requirePreconditions(resource, before, { uid });
    const object = withDefaults(resource, { ...after, metadata: { ...withoutIdentity(after), name: before.metadata.name } });
    // Who writes managers of fields himself, takes fields from somebody or gives them up.
    const managedFields = after.metadata.managedFields ?? before.metadata.managedFields ?? [];
    const managed = { ...withoutStatus(before), metadata: { ...before.metadata, managedFields } };
    return this.#write(context, before, recordUpdate(managed, withoutStatus(object), this.#writer(context)));
  }

  /** Checks and keeps what is to be the object from now on. What changes nothing keeps its version. */
  #write(context: WriteContext, before: KubernetesObject | undefined, object: KubernetesObject): KubernetesObject {
    const { cluster, resource, user, namespace, dryRun } = context;
    const { name } = object.metadata;
    const strategy = strategyOf(resource);
    if (resource.namespaced && !this.objects.get(cluster.name, known("", "namespaces"), undefined, namespace ?? "")) throw notFound(known("", "namespaces"), namespace ?? "");
    requireValid(resource, object, before);
    if (resource.group === "rbac.authorization.k8s.io") requireNoEscalation(this.authoriser, cluster, user, resource, object, before);
    if (!before && this.objects.get(cluster.name, resource, resource.namespaced ? namespace : undefined, name)) throw alreadyExists(resource, name);
    if (before && isDeepStrictEqual(content(before), content(object)) && isDeepStrictEqual(before.metadata.managedFields, object.metadata.managedFields)) return before;
    const now = timestamp(this.clock.now());
    const { uid, creationTimestamp = now, generation = 0 } = before?.metadata ?? {};
    const counted = strategy.generation === true && { generation: generation + (isDeepStrictEqual(before?.spec, object.spec) ? 0 : 1) };
    const kept: KubernetesObject = { ...object, metadata: { ...object.metadata, ...(uid !== undefined && { uid }), creationTimestamp, ...counted } };
    const settled = strategy.settle?.(kept, before, now) ?? kept;
    if (dryRun) return settled;
    const written = this.objects.put(cluster.name, resource, settled);
    if (!before && resource.resource === "namespaces") this.objects.put(cluster.name, known("", "serviceaccounts"), serviceAccountObject(name, "default"));
    return written;
  }

  #placed({ resource, namespace }: WriteContext, object: KubernetesObject): KubernetesObject {
    const { namespace: written, ...metadata } = object.metadata;
    if (!resource.namespaced || namespace === undefined) return { ...object, metadata };
    if (written !== undefined && written !== "" && written !== namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    return { ...object, metadata: { ...metadata, namespace } };
  }

  #writer({ fieldManager }: WriteContext): Writer {
    return { manager: fieldManager, time: timestamp(this.clock.now()) };
  }
}

function requirePreconditions(resource: ApiResource, { metadata }: KubernetesObject, preconditions: JsonObject): void {
  const checks = [["UID", preconditions.uid, metadata.uid], ["ResourceVersion", preconditions.resourceVersion, metadata.resourceVersion]] as const;
  for (const [what, wanted, found = ""] of checks) {
    if (typeof wanted === "string" && wanted !== found) throw conflict(resource, metadata.name, `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`);
  }
}

function requireValid(resource: ApiResource, object: KubernetesObject, before: KubernetesObject | undefined): void {
  const errors = [...metadataErrors(resource, object), ...(strategyOf(resource).errors?.(object, before) ?? [])];
  if (errors.length > 0) throw invalid(resource, object.metadata.name, errors);
}

function withDefaults(resource: ApiResource, object: KubernetesObject): KubernetesObject {
  return strategyOf(resource).defaults?.(object) ?? object;
}

/** Metadata without what only the server says. */
function withoutIdentity({ metadata }: KubernetesObject): KubernetesObject["metadata"] {
  const { uid: _uid, resourceVersion: _version, generation: _generation, creationTimestamp: _created, managedFields: _managed, ...own } = metadata;
  return own;
}

function withoutStatus(object: KubernetesObject): KubernetesObject {
  const { status: _status, ...rest } = object;
  return { ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
}

/** What a change is a change of. */
function content(object: KubernetesObject): unknown {
  const { labels = {}, annotations = {}, finalizers = [] } = object.metadata;
  return [labels, Object.entries(annotations).filter(([key]) => !key.startsWith("deployment.kubernetes.io/")), finalizers, { ...withoutStatus(object), metadata: undefined }];
}

/** As generated names end: five of the characters that make no words. */
function suffix(): string {
  const characters = "bcdfghjklmnpqrstvwxz2456789";
  return [...randomBytes(5)].map((byte) => characters[byte % characters.length]).join("");
}

export function listOf(resource: ApiResource, items: readonly KubernetesObject[], resourceVersion: string): object {
  return { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata: { resourceVersion }, items };
}

/** What the answer to a deletion says. */
export function deletionStatus(resource: ApiResource, object: KubernetesObject): object {
  const { group, resource: kind } = resource;
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details: { name: object.metadata.name, ...(group !== "" && { group }), kind, uid: object.metadata.uid } };
}

