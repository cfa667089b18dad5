/** Google Kubernetes Engine, as far as clients need it to find a cluster. https://cloud.google.com/kubernetes-engine/docs/reference/rest */
import { clusterResource } from "../../facts/gcp/gke.js";
import type { KubernetesCloud, KubernetesCluster } from "../kubernetes/types.js";
import { clusterView } from "./container-views.js";
import { RawAnswer, type GcpAnswer, type GcpRequest, type GcpRoute, type GcpService, type GcpServiceContext } from "./service.js";
import { GcpError } from "./types.js";

/** Zonal clusters have paths of their own, from the API's first days. */
const PARENTS = ["locations", "zones"] as const;
const VERSIONS = ["v1", "v1beta1"] as const;
/** https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity */
const ISSUER_PATH = "/v1/projects/{project}/locations/{location}/clusters/{cluster}";

/** `kubernetes` is asked at each call: it is built on Google's identities, which come first. */
export function createContainer(context: GcpServiceContext, kubernetes: () => KubernetesCloud): GcpService {
  const find = (project: string, location: string, name: string): KubernetesCluster | undefined =>
    kubernetes().clusters().find(({ gke }) => gke?.projectId === project && gke.location === location && gke.cluster === name);
  const view = (cluster: KubernetesCluster): object => clusterView(cluster, kubernetes().caPem);

  function getCluster({ caller, params }: GcpRequest): GcpAnswer {
    const { projectId } = context.projectOf(params.project ?? "");
    const { location = "", cluster: name = "" } = params;
    context.require(caller, "container.clusters.get", clusterResource(projectId, location, name));
    const found = find(projectId, location, name);
    if (!found) throw new GcpError("NOT_FOUND", `Not found: projects/${projectId}/locations/${location}/clusters/${name}.`);
    return view(found);
  }

  function listClusters({ caller, params }: GcpRequest): GcpAnswer {
    const { projectId } = context.projectOf(params.project ?? "");
    const { location = "-" } = params;
    const resource = { name: `//cloudresourcemanager.googleapis.com/projects/${projectId}`, type: "cloudresourcemanager.googleapis.com/Project", projectId };
    context.require(caller, "container.clusters.list", resource);
    const found = kubernetes().clusters().filter(({ gke }) => gke?.projectId === projectId && (location === "-" || gke.location === location));
    return found.length === 0 ? {} : { clusters: found.map(view) };
  }

  /** What anybody may read, as it is for who verifies the cluster's tokens. */
  const issuerDocument = (document: (cluster: KubernetesCluster) => Promise<object>) => async ({ params }: GcpRequest): Promise<GcpAnswer> => {
    const found = find(context.projectOf(params.project ?? "").projectId, params.location ?? "", params.cluster ?? "");
    if (!found) throw new GcpError("NOT_FOUND", "Requested entity was not found.");
    return new RawAnswer({ status: 200, headers: { "content-type": "application/json", "cache-control": "public, max-age=3600" }, body: JSON.stringify(await document(found)) });
  };

  const consumer = ({ params }: GcpRequest): string | undefined => params.project;
  const routes = VERSIONS.flatMap((version) =>
    PARENTS.flatMap((parent): GcpRoute[] => {
      const path = `/${version}/projects/{project}/${parent}/{location}`;
      return [
        { method: "GET", path: `${path}/clusters/{cluster}`, operation: "container:GetCluster", consumer, run: async (request) => getCluster(request) },
        { method: "GET", path: `${path}/clusters`, operation: "container:ListClusters", consumer, run: async (request) => listClusters(request) },
      ];
    }),
  );
  return {
    name: "container",
    api: "container.googleapis.com",
    serves: (host) => host === "container.googleapis.com",
    routes: [
      ...routes,
      {
        method: "GET",
        path: `${ISSUER_PATH}/.well-known/openid-configuration`,
        operation: "container:GetOpenidConfig",
        anonymous: true,
        run: issuerDocument(async (cluster) => discovery(cluster)),
      },
      {
        method: "GET",
        path: `${ISSUER_PATH}/jwks`,
        operation: "container:GetJwks",
        anonymous: true,
        run: issuerDocument(async ({ name }) => ({ keys: await kubernetes().issuerKeys(name) })),
      },
    ],
  };
}

function discovery({ issuer }: KubernetesCluster): object {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    claims_supported: ["iss", "sub", "kubernetes.io"],
    grant_types: ["urn:kubernetes:grant_type:programmatic_authorization"],
  };
}
