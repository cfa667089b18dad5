/** How a GKE cluster is reached, without any secret in it. */

export interface GkeEndpoint {
  /** IP address or name, as Google has it: without scheme. */
  endpoint: string;
  /** PEM in base64, as Google has it. */
  caCertificate: string;
}

/**
 * A kubeconfig as JSON, which is YAML too. Who calls is found out when the cluster is called, by Google's plugin for
 * Kubernetes clients and the ambient credentials: no token gets into the stack's state.
 * https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin
 */
export function gkeKubeconfig(name: string, { endpoint, caCertificate }: GkeEndpoint): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server: `https://${endpoint}`, "certificate-authority-data": caCertificate } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [
      {
        name,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "gke-gcloud-auth-plugin",
            installHint: "Install gke-gcloud-auth-plugin: gcloud components install gke-gcloud-auth-plugin",
            interactiveMode: "Never",
            provideClusterInfo: true,
          },
        },
      },
    ],
  });
}
