/** The clusters of a sandbox: where they are, who administers them, and what each has from the start. */
import { createHash, randomBytes } from "node:crypto";
import { API_RESOURCES, apiResource, apiVersionOf, type ApiResource } from "../../facts/kubernetes/api.js";
import { BOOTSTRAPPING_LABEL, DEFAULT_CLUSTER_ROLE_BINDINGS, DEFAULT_CLUSTER_ROLES, DEFAULT_NAMESPACES } from "../../facts/kubernetes/cluster-roles.js";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import { InputError } from "../errors.js";
import type { ResourceStore } from "../types.js";
import type { KubernetesObject, KubernetesObjects } from "./objects.js";
import type { KubernetesCluster } from "./types.js";

const CLUSTER = "kubernetes:cluster/cluster";
/** Under this type the store keeps secrets: they are persisted apart and never listed. */
const TOKEN = "secret:kubernetes/administrator-token";

/** Hosts of clusters that are not GKE's begin with their name. */
const HOST = "kubernetes.dcf.example";

export class Clusters {
  constructor(
    private readonly store: ResourceStore,
    private readonly objects: KubernetesObjects,
    private readonly projectNumber: (projectId: string) => string | undefined,
  ) {}

  list(): KubernetesCluster[] {
    return this.store.list<KubernetesCluster>(CLUSTER).map(({ value }) => value);
  }

  find(name: string): KubernetesCluster | undefined {
    return this.store.get<KubernetesCluster>(CLUSTER, name);
  }

  /** Throws an Error that names what exists. */
  get(name: string): KubernetesCluster {
    const found = this.find(name);
    if (found) return found;
    throw new InputError(`No Kubernetes cluster ${name} in this sandbox (there is: ${this.list().map((each) => each.name).join(", ") || "none"}).`);
  }

  at(host: string): KubernetesCluster | undefined {
    return this.list().find((cluster) => hostOf(cluster.server) === host || cluster.dnsEndpoint === host);
  }

  create(order: Omit<KubernetesCluster, "server" | "dnsEndpoint">): KubernetesCluster {
    if (this.find(order.name)) throw new InputError(`The Kubernetes cluster ${order.name} exists already.`);
    const cluster: KubernetesCluster = { ...order, ...this.#addresses(order) };
    this.store.put(CLUSTER, cluster.name, cluster);
    this.store.put(TOKEN, cluster.name, `${SANDBOX_SECRET_MARK}${randomBytes(24).toString("base64url")}`);
    for (const namespace of DEFAULT_NAMESPACES) this.#namespace(cluster.name, namespace);
    this.#defaultRoles(cluster.name);
    return cluster;
  }

  delete(name: string): void {
    this.get(name);
    for (const resource of API_RESOURCES) {
      for (const object of this.objects.list(name, resource)) this.objects.delete(name, resource, object);
    }
    this.store.delete(TOKEN, name);
    this.store.delete(CLUSTER, name);
  }

  /** The administrator's bearer token: a secret. */
  token(name: string): string {
    this.get(name);
    return this.store.get<string>(TOKEN, name) ?? "";
  }

  /** A namespace comes with the service account `default`. */
  #namespace(cluster: string, name: string): void {
    this.objects.put(cluster, known("", "namespaces"), namespaceObject(name));
    this.objects.put(cluster, known("", "serviceaccounts"), serviceAccountObject(name, "default"));
  }

  #defaultRoles(cluster: string): void {
    const role = known("rbac.authorization.k8s.io", "clusterroles");
    for (const { name, labels, rules, aggregates } of DEFAULT_CLUSTER_ROLES) {
      const aggregationRule = aggregates === undefined ? {} : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregates]: "true" } }] } };
      this.objects.put(cluster, role, { ...empty(role, name), metadata: { name, labels: { ...BOOTSTRAPPING_LABEL, ...labels } }, rules: rules ?? [], ...aggregationRule });
    }
    const binding = known("rbac.authorization.k8s.io", "clusterrolebindings");
    const { group } = binding;
    for (const [name, groups] of Object.entries(DEFAULT_CLUSTER_ROLE_BINDINGS)) {
      const subjects = groups.map((each) => ({ kind: "Group", apiGroup: group, name: each }));
      const roleRef = { apiGroup: group, kind: "ClusterRole", name };
      this.objects.put(cluster, binding, { ...empty(binding, name), metadata: { name, labels: { ...BOOTSTRAPPING_LABEL } }, subjects, roleRef });
    }
  }

  /** A GKE cluster has an IP address (of those that are nobody's, RFC 5737) and a DNS endpoint. */
  #addresses({ name, gke }: Omit<KubernetesCluster, "server">): { server: string; dnsEndpoint?: string } {
    if (!gke) return { server: `https://${name}.${HOST}` };
    const hash = createHash("sha256").update(`${gke.projectId}/${gke.location}/${gke.cluster}`).digest("hex");
    const region = gke.location.replace(/-[a-z]$/, "");
    const taken = new Set(this.list().map(({ server }) => hostOf(server)));
    const first = Number.parseInt(hash.slice(0, 4), 16) % 254;
    const free = Array.from({ length: 254 }, (_, index) => `203.0.113.${((first + index) % 254) + 1}`).find((address) => !taken.has(address));
    if (free === undefined) throw new InputError("This sandbox has no address left for another GKE cluster: delete one.");
    return { server: `https://${free}`, dnsEndpoint: `gke-${hash.slice(0, 32)}-${this.projectNumber(gke.projectId) ?? "0"}.${region}.gke.goog` };
  }
}

export function hostOf(server: string): string {
  return new URL(server).hostname;
}

/** A resource that the API is known to have. */
export function known(group: string, resource: string): ApiResource {
  const found = apiResource(group, resource);
  if (!found) throw new Error(`The API has no ${resource} in the group ${JSON.stringify(group)}.`);
  return found;
}

function empty(resource: ApiResource, name: string): KubernetesObject {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name } };
}

export function namespaceObject(name: string): KubernetesObject {
  const labels = { "kubernetes.io/metadata.name": name };
  return { ...empty(known("", "namespaces"), name), metadata: { name, labels }, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } };
}

export function serviceAccountObject(namespace: string, name: string): KubernetesObject {
  return { ...empty(known("", "serviceaccounts"), name), metadata: { name, namespace } };
}
