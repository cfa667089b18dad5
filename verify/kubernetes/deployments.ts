/** Deployments, read and changed only in thought. https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run */
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { askCluster, type ClusterAccess, type KubernetesAnswer } from "./api.js";

const pathOf = (namespace: string, name: string): string => `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments/${encodeURIComponent(name)}`;

export function readDeployment(cluster: ClusterAccess, namespace: string, name: string, signal: AbortSignal): Promise<KubernetesAnswer> {
  return askCluster(cluster, { method: "GET", path: pathOf(namespace, name) }, signal);
}

/** The cluster checks rights, admission and form of the change, and stores nothing. */
export function dryRunAnnotation(cluster: ClusterAccess, namespace: string, name: string, annotations: Readonly<Record<string, string>>, signal: AbortSignal): Promise<KubernetesAnswer> {
  const call = { method: "PATCH", path: `${pathOf(namespace, name)}?dryRun=All`, contentType: "application/strategic-merge-patch+json", body: { metadata: { annotations } } } as const;
  return askCluster(cluster, call, signal);
}

/** Names of a Deployment's containers. */
export function containersOf({ spec }: JsonObject): string[] {
  const template = isJsonObject(spec) ? spec["template"] : undefined;
  const pod = isJsonObject(template) ? template["spec"] : undefined;
  const containers = isJsonObject(pod) ? pod["containers"] : undefined;
  return Array.isArray(containers) ? containers.filter(isJsonObject).map(({ name }) => String(name)) : [];
}
