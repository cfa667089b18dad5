/** What a customer has in a cluster before anything is deployed to it. */
import type { Contract } from "../../contract/index.js";
import type { Sandbox } from "../../sandbox/index.js";
import { grantOf } from "./gcp.js";

/** Calls the cluster's API as its administrator. */
export function callCluster<T = Record<string, unknown>>({ kubernetes }: Sandbox, cluster: string, method: string, path: string, body?: object, contentType = "application/json"): Promise<T> {
  return kubernetes.call<T>(cluster, kubernetes.administrator, method, path, body, body && contentType);
}

/** The Deployments of the contract, each with its container. */
export async function createDeployment(sandbox: Sandbox, contract: Contract, containerName = grantOf(contract, "gke-deployments").containerName ?? "app"): Promise<void> {
  const { cluster, namespace, deployments } = grantOf(contract, "gke-deployments");
  for (const name of deployments) {
    const labels = { app: name };
    const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: containerName, image: "us-docker.pkg.dev/cloudrun/container/hello" }] } } };
    await callCluster(sandbox, cluster, "POST", `/apis/apps/v1/namespaces/${namespace}/deployments`, { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec });
  }
}
