/** What Kubernetes in the sandbox offers to the resource table, to GKE and to the administrator. */
import type { GcpCloud } from "../gcp/types.js";

export { KubernetesError } from "./errors.js";

/** What clusters of GKE ask Google: whom a token proves, and what IAM lets him do. */
export type GoogleIdentities = Pick<GcpCloud, "authenticate" | "allows" | "project" | "defaultProject">;

/** Where Pulumi's Kubernetes provider acts. */
export interface KubernetesScope {
  cluster: string;
  /** Bearer token of the kubeconfig's user; undefined acts as the cluster's administrator. */
  token: string | undefined;
  namespace: string;
  /** True where a preview does not know the cluster yet: nothing can be asked of it. */
  unknown?: boolean;
  /** `upsertExistingObjects`: what exists already is taken over rather than refused. */
  upsert?: boolean;
  /** `enablePatchForce`: fields are taken from whoever manages them. */
  force?: boolean;
}

/** Who calls, as authentication made it out: https://kubernetes.io/docs/reference/access-authn-authz/authentication/ */
export interface KubernetesUser {
  username: string;
  groups: readonly string[];
}

export interface KubernetesCluster {
  /** Unique in the sandbox. */
  name: string;
  /** Issuer of its service accounts' tokens; one of the sandbox's issuers. */
  issuer: string;
  /** `https://…` where clients reach it through the proxy. */
  server: string;
  /** Where it is a GKE cluster: Google's access tokens are users of it. */
  gke?: { projectId: string; location: string; cluster: string };
  /** Of a GKE cluster: its other address, for callers with `container.clusters.connect` and a token of Google. */
  dnsEndpoint?: string;
}

export interface KubernetesCloud {
  clusters(): KubernetesCluster[];
  cluster(name: string): KubernetesCluster | undefined;
  /** The cluster that the platform's workload runs in: its service accounts' tokens are those that customers trust. */
  readonly platformCluster: KubernetesCluster;
  createCluster(cluster: Omit<KubernetesCluster, "server" | "dnsEndpoint">): KubernetesCluster;
  deleteCluster(name: string): void;
  /** Certificate of the authority that signs for every cluster: PEM. */
  readonly caPem: string;
  /** Makes the cluster's issuer where nobody has needed it yet, and answers with its keys as they are published. */
  issuerKeys(name: string): Promise<readonly Readonly<Record<string, string>>[]>;
  /** A kubeconfig for the cluster's administrator: YAML, with a secret token. With a proxy's URL, clients need no other setting to come here. */
  kubeconfig(name: string, proxyUrl?: string): string;
  /** Calls the cluster's API past the wire: `call("platform", admin, "GET", "/apis/apps/v1/namespaces/default/deployments")`. Throws KubernetesError. */
  call<T = Record<string, unknown>>(cluster: string, user: KubernetesUser, method: string, path: string, body?: unknown, contentType?: string): Promise<T>;
  /** `system:masters`. */
  readonly administrator: KubernetesUser;
}
