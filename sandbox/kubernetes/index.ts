/** Kubernetes in the sandbox: clusters with an API server each, for real clients and for the engines. */
import type { Issuers } from "../issuers.js";
import { defaultIssuerUrl } from "../issuers.js";
import type { ProviderTable, SandboxCore, WireService } from "../types.js";
import { ApiServer } from "./api-server.js";
import { ADMINISTRATOR, Authenticator } from "./authenticator.js";
import { Authoriser } from "./authoriser.js";
import { Clusters, known, namespaceObject, serviceAccountObject } from "./clusters.js";
import { KubernetesFront } from "./front.js";
import { writeKubeconfig } from "./kubeconfig.js";
import { KubernetesObjects } from "./objects.js";
import { Registry } from "./registry.js";
import { createKubernetesTable } from "./resources.js";
import { ServiceAccountTokens } from "./service-account-tokens.js";
import type { GoogleIdentities, KubernetesCloud, KubernetesScope } from "./types.js";

export interface KubernetesOptions {
  issuers: Issuers;
  google: GoogleIdentities;
  /** Certificate of the authority that signs for every host of the sandbox. */
  caPem: string;
}

/** The platform's own cluster, where its workload runs under the default issuer's tokens. */
export const PLATFORM_CLUSTER = "platform";
const PLATFORM_NAMESPACE = "dcf";
const PLATFORM_SERVICE_ACCOUNT = "project-4711";

/** The customer's cluster on GKE. */
export const GKE_CLUSTER = "dcf-apps";
const GKE_LOCATION = "us-central1";

/** Builds Kubernetes on the sandbox's core, with its two clusters where it has none yet. */
export function createKubernetes(core: SandboxCore, options: KubernetesOptions): { cloud: KubernetesCloud; service: WireService; table: ProviderTable<KubernetesScope> } {
  const { issuers, google, caPem } = options;
  const { store, clock } = core;
  const objects = new KubernetesObjects(store, clock);
  const clusters = new Clusters(store, objects, (projectId) => google.project(projectId)?.projectNumber);
  const authenticator = new Authenticator({ clusters, objects, issuers, clock, google });
  const authoriser = new Authoriser(objects, google);
  const tokens = new ServiceAccountTokens(issuers, objects, clock);
  const registry = new Registry(objects, authoriser, clock);
  const api = new ApiServer({ core, objects, registry, authenticator, authoriser, tokens });

  const cloud: KubernetesCloud = {
    administrator: ADMINISTRATOR,
    caPem,
    get platformCluster() {
      return clusters.get(PLATFORM_CLUSTER);
    },
    clusters: () => clusters.list(),
    cluster: (name) => clusters.find(name),
    createCluster: (cluster) => clusters.create(cluster),
    deleteCluster: (name) => clusters.delete(name),
    issuerKeys: async (name) => (await tokens.issuer(clusters.get(name))).keys.map(({ jwk }) => jwk),
    kubeconfig: (name, proxyUrl) => writeKubeconfig(clusters.get(name), clusters.token(name), caPem, proxyUrl),
    call: async <T>(cluster: string, user: KubernetesCloud["administrator"], method: string, path: string, body?: unknown, contentType?: string) => {
      const url = new URL(path, clusters.get(cluster).server);
      const headers = { "user-agent": "sandbox", ...(contentType !== undefined && { "content-type": contentType }) };
      const answer = await api.answer(clusters.get(cluster), user, { method, path: url.pathname, query: url.searchParams, headers, body });
      return answer.body as T;
    },
  };

  if (clusters.list().length === 0) {
    clusters.create({ name: PLATFORM_CLUSTER, issuer: defaultIssuerUrl });
    objects.put(PLATFORM_CLUSTER, known("", "namespaces"), namespaceObject(PLATFORM_NAMESPACE));
    for (const account of ["default", PLATFORM_SERVICE_ACCOUNT]) objects.put(PLATFORM_CLUSTER, known("", "serviceaccounts"), serviceAccountObject(PLATFORM_NAMESPACE, account));
    const gke = { projectId: google.defaultProject.projectId, location: GKE_LOCATION, cluster: GKE_CLUSTER };
    clusters.create({ name: GKE_CLUSTER, issuer: gkeIssuer(gke), gke });
  }
  const identify = (cluster: string, token: string) => authenticator.fromToken(clusters.get(cluster), token);
  return { cloud, service: new KubernetesFront({ clusters, api, authenticator, google }), table: createKubernetesTable(cloud, identify) };
}

/** https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity */
export function gkeIssuer({ projectId, location, cluster }: { projectId: string; location: string; cluster: string }): string {
  return `https://container.googleapis.com/v1/projects/${projectId}/locations/${location}/clusters/${cluster}`;
}
