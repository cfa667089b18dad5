/** Calls of a cluster's API on behalf of a Pulumi provider. */
import { createHash } from "node:crypto";
import { apiVersionOf, type ApiResource } from "../../../facts/kubernetes/api.js";
import { FaultError } from "../../types.js";
import type { AuthenticatedUser } from "../authenticator.js";
import { KubernetesError } from "../errors.js";
import type { KubernetesObject } from "../objects.js";
import type { KubernetesCloud, KubernetesScope } from "../types.js";

/** Whom a kubeconfig's token proves. */
export type Identify = (cluster: string, token: string) => AuthenticatedUser | undefined;

export interface ObjectName {
  namespace: string | undefined;
  name: string;
}

/** As ids are: `namespace/name`, or the name alone for what is in no namespace. */
export function idOf({ namespace, name }: ObjectName): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** An id without a namespace means the provider's, as `kubectl` would take it. */
export function nameOf(id: string, resource: ApiResource, fallback: string): ObjectName {
  const slash = id.indexOf("/");
  if (!resource.namespaced) return { namespace: undefined, name: id.slice(slash + 1) };
  return slash < 0 ? { namespace: fallback, name: id } : { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
}

export class ObjectApi {
  constructor(
    private readonly cloud: KubernetesCloud,
    private readonly identify: Identify,
  ) {}

  get(scope: KubernetesScope, resource: ApiResource, name: ObjectName): Promise<KubernetesObject> {
    return this.#call(scope, "GET", path(resource, name));
  }

  async find(scope: KubernetesScope, resource: ApiResource, name: ObjectName): Promise<KubernetesObject | undefined> {
    try {
      return await this.get(scope, resource, name);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  create(scope: KubernetesScope, resource: ApiResource, namespace: string | undefined, object: object): Promise<KubernetesObject> {
    const manager = managerOf(resource, object as KubernetesObject);
    return this.#call(scope, "POST", `${path(resource, { namespace, name: "" })}?fieldManager=${manager}`, object);
  }

  /** Server-side apply, of the whole object or of a patch. */
  apply(scope: KubernetesScope, resource: ApiResource, name: ObjectName, object: object, part: Part = "object"): Promise<KubernetesObject> {
    const query = new URLSearchParams({ fieldManager: managerOf(resource, object as KubernetesObject, part), force: String(scope.force === true) });
    return this.#call(scope, "PATCH", `${path(resource, name)}?${query.toString()}`, object, "application/apply-patch+yaml");
  }

  /** What a client-side create left as updated by the provider becomes applied by it, as it does itself before it applies. */
  async adoptFields(scope: KubernetesScope, resource: ApiResource, name: ObjectName): Promise<void> {
    const live = await this.get(scope, resource, name);
    const manager = managerOf(resource, live);
    const isOurs = (entry: { manager: string; operation: string }): boolean => entry.manager === manager && entry.operation === "Update";
    const managed = live.metadata.managedFields ?? [];
    if (!managed.some(isOurs)) return;
    const value = managed.map((entry) => (isOurs(entry) ? { ...entry, operation: "Apply" } : entry));
    await this.#call(scope, "PATCH", path(resource, name), [{ op: "replace", path: "/metadata/managedFields", value }], "application/json-patch+json");
  }

  async delete(scope: KubernetesScope, resource: ApiResource, name: ObjectName): Promise<void> {
    try {
      await this.#call(scope, "DELETE", path(resource, name));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** A user without a token of his own, who gets one by a command, is the cluster's administrator: the sandbox runs no commands. */
  #call<T>(scope: KubernetesScope, method: string, path_: string, body?: unknown, contentType?: string): Promise<T> {
    const user = scope.token === undefined ? this.cloud.administrator : this.identify(scope.cluster, scope.token);
    if (!user) throw new KubernetesError(401, "Unauthorized", "the server has asked for the client to provide credentials");
    return this.cloud.call<T>(scope.cluster, user, method, path_, body, contentType);
  }
}

type Part = "object" | "patch";

/** The provider gives every resource a field manager of its own; here it follows from the object, so that no state is needed for it. */
function managerOf({ group, resource }: ApiResource, { metadata: { namespace, name } }: KubernetesObject, part: Part = "object"): string {
  const hash = createHash("sha256").update(`${part}/${group}/${resource}/${namespace ?? ""}/${name}`).digest("hex");
  return `pulumi-kubernetes-${hash.slice(0, 8)}`;
}

function path(resource: ApiResource, { namespace, name }: ObjectName): string {
  const root = resource.group === "" ? "/api" : "/apis";
  const place = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${apiVersionOf(resource)}${place}/${resource.resource}${name === "" ? "" : `/${encodeURIComponent(name)}`}`;
}

function isMissing(error: unknown): boolean {
  return error instanceof KubernetesError && error.code === 404;
}

/** One line: what was being done, to what, and what the API server said. */
export async function reported<T>(what: string, done: "created" | "updated" | "deleted" | "read", work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const message = error instanceof KubernetesError ? error.message : error instanceof FaultError ? error.fault.message : undefined;
    if (message === undefined) throw error;
    const isConflict = error instanceof KubernetesError && error.reason === "Conflict" && message.startsWith("Apply failed");
    const help = "Server-Side Apply field conflict detected. See https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources for troubleshooting help.: ";
    throw new Error(`resource ${JSON.stringify(what)} was not successfully ${done} by the Kubernetes API server: ${isConflict ? help : ""}${message}`);
  }
}
