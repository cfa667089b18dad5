/** A cluster as GKE describes it: what clients read of it, and nothing that the sandbox does not have. */
import { GKE_VERSION } from "../../facts/kubernetes/api.js";
import type { KubernetesCluster } from "../kubernetes/types.js";

/** Settings that a cluster has where its owner chose none. https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters */
const DEFAULTS = {
  network: "default",
  subnetwork: "default",
  clusterIpv4Cidr: "10.8.0.0/14",
  servicesIpv4Cidr: "34.118.224.0/20",
  loggingService: "logging.googleapis.com/kubernetes",
  monitoringService: "monitoring.googleapis.com/kubernetes",
  createTime: "2025-01-15T09:00:00+00:00",
  nodeScopes: ["https://www.googleapis.com/auth/devstorage.read_only", "https://www.googleapis.com/auth/logging.write", "https://www.googleapis.com/auth/monitoring"],
} as const;

export function clusterView({ server, dnsEndpoint, gke }: KubernetesCluster, caPem: string): object {
  const { projectId = "", location = "", cluster: name = "" } = gke ?? {};
  const endpoint = new URL(server).hostname;
  const { network, subnetwork, clusterIpv4Cidr, servicesIpv4Cidr, loggingService, monitoringService, createTime, nodeScopes } = DEFAULTS;
  // `default` is the project's Compute Engine account.
  const nodeConfig = { machineType: "e2-medium", diskSizeGb: 100, oauthScopes: nodeScopes, serviceAccount: "default", imageType: "COS_CONTAINERD" };
  return {
    name,
    id: name,
    location,
    zone: location,
    locations: [location],
    status: "RUNNING",
    endpoint,
    selfLink: `https://container.googleapis.com/v1/projects/${projectId}/locations/${location}/clusters/${name}`,
    masterAuth: { clientCertificateConfig: {}, clusterCaCertificate: Buffer.from(caPem).toString("base64") },
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: { endpoint: dnsEndpoint, allowExternalTraffic: true, enableK8sTokensViaDns: false },
      ipEndpointsConfig: { enabled: true, enablePublicEndpoint: true, publicEndpoint: endpoint },
    },
    workloadIdentityConfig: { workloadPool: `${projectId}.svc.id.goog` },
    nodeConfig,
    nodePools: [{ name: "default-pool", config: nodeConfig, initialNodeCount: 1, status: "RUNNING", version: GKE_VERSION, locations: [location] }],
    currentMasterVersion: GKE_VERSION,
    currentNodeVersion: GKE_VERSION,
    initialClusterVersion: GKE_VERSION,
    currentNodeCount: 1,
    initialNodeCount: 1,
    network,
    subnetwork,
    clusterIpv4Cidr,
    servicesIpv4Cidr,
    loggingService,
    monitoringService,
    createTime,
    releaseChannel: { channel: "REGULAR" },
    labelFingerprint: "a9dc16a7",
  };
}
