/** The objects of all clusters, in the store. */
import { randomUUID } from "node:crypto";
import type { ApiResource } from "../../facts/kubernetes/api.js";
import type { Clock, ResourceStore } from "../types.js";

export interface ManagedFieldsEntry {
  manager: string;
  operation: "Apply" | "Update";
  apiVersion: string;
  time?: string;
  fieldsType: "FieldsV1";
  fieldsV1: Record<string, unknown>;
  subresource?: string;
}

export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  /** RFC 3339 in whole seconds, as everywhere in the API. */
  creationTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
}

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [member: string]: unknown;
}

const REVISION = "kubernetes:cluster/revision";

export function timestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** Changes of RBAC objects are seen at once, as by a real API server, whose own watch is faster than any client. */
export class KubernetesObjects {
  constructor(
    private readonly store: ResourceStore,
    private readonly clock: Clock,
  ) {}

  get(cluster: string, resource: ApiResource, namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.store.get<KubernetesObject>(typeOf(resource), idOf(cluster, namespace, name));
  }

  /** In the order of their names, of one namespace or of all. */
  list(cluster: string, resource: ApiResource, namespace?: string): KubernetesObject[] {
    const prefix = namespace === undefined ? `${cluster}/` : idOf(cluster, namespace, "");
    return this.store
      .list<KubernetesObject>(typeOf(resource))
      .filter(({ id }) => id.startsWith(prefix))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ value }) => value);
  }

  /** Writes under the next version; a new object gets its uid and time. Answers with what was written. */
  put(cluster: string, resource: ApiResource, object: KubernetesObject): KubernetesObject {
    const { metadata } = object;
    const written: KubernetesObject = {
      ...object,
      metadata: {
        ...metadata,
        uid: metadata.uid ?? randomUUID(),
        creationTimestamp: metadata.creationTimestamp ?? timestamp(this.clock.now()),
        resourceVersion: this.#next(cluster),
      },
    };
    this.store.put(typeOf(resource), idOf(cluster, metadata.namespace, metadata.name), written);
    return written;
  }

  delete(cluster: string, resource: ApiResource, object: KubernetesObject): void {
    this.#next(cluster);
    this.store.delete(typeOf(resource), idOf(cluster, object.metadata.namespace, object.metadata.name));
  }

  /** Of the whole cluster: what a list answers with, and a watch begins from. */
  revision(cluster: string): string {
    return String(this.store.get<number>(REVISION, cluster) ?? 1);
  }

  #next(cluster: string): string {
    const next = Number(this.revision(cluster)) + 1;
    this.store.put(REVISION, cluster, next);
    return String(next);
  }
}

/** What secrets hold stays out of what the administrator's API lists. */
function typeOf({ group, resource }: ApiResource): string {
  return `${resource === "secrets" ? "secret:" : ""}kubernetes:${group === "" ? "core" : group}/${resource}`;
}

function idOf(cluster: string, namespace: string | undefined, name: string): string {
  return namespace === undefined ? `${cluster}/${name}` : `${cluster}/${namespace}/${name}`;
}
