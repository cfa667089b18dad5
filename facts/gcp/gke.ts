/** How GKE maps requests to a cluster's Kubernetes API onto IAM permissions: https://cloud.google.com/kubernetes-engine/docs/reference/api-permissions, graded documented. */

/** IAM's word for a Kubernetes resource; a resource that is not here has no permission of its own. */
const RESOURCES: Readonly<Record<string, string>> = {
  clusterrolebindings: "clusterRoleBindings",
  clusterroles: "clusterRoles",
  configmaps: "configMaps",
  controllerrevisions: "controllerRevisions",
  cronjobs: "cronJobs",
  daemonsets: "daemonSets",
  deployments: "deployments",
  endpoints: "endpoints",
  events: "events",
  ingresses: "ingresses",
  jobs: "jobs",
  localsubjectaccessreviews: "localSubjectAccessReviews",
  namespaces: "namespaces",
  nodes: "nodes",
  persistentvolumeclaims: "persistentVolumeClaims",
  pods: "pods",
  replicasets: "replicaSets",
  rolebindings: "roleBindings",
  roles: "roles",
  secrets: "secrets",
  selfsubjectaccessreviews: "selfSubjectAccessReviews",
  selfsubjectrulesreviews: "selfSubjectRulesReviews",
  serviceaccounts: "serviceAccounts",
  services: "services",
  statefulsets: "statefulSets",
  subjectaccessreviews: "subjectAccessReviews",
  tokenreviews: "tokenReviews",
};

const VERBS: Readonly<Record<string, string>> = {
  bind: "bind",
  create: "create",
  delete: "delete",
  deletecollection: "delete",
  escalate: "escalate",
  get: "get",
  list: "list",
  patch: "update",
  update: "update",
  watch: "list",
};

/** Permissions of subresources, by `resource/subresource verb`. */
const SUBRESOURCES: Readonly<Record<string, string>> = {
  "serviceaccounts/token create": "container.serviceAccounts.createToken",
  "pods/exec create": "container.pods.exec",
  "pods/exec get": "container.pods.exec",
  "pods/log get": "container.pods.getLogs",
  "pods/attach create": "container.pods.attach",
  "pods/portforward create": "container.pods.portForward",
  "pods/eviction create": "container.pods.evict",
};

/**
 * The IAM permission on the cluster that lets a Google identity do this, besides RBAC; undefined where IAM has none.
 * Resources of groups that Kubernetes does not bring along are `container.thirdPartyObjects`.
 */
export function containerPermission(group: string, resource: string, subresource: string, verb: string): string | undefined {
  const action = VERBS[verb];
  if (action === undefined) return undefined;
  if (group.includes(".") && !group.endsWith(".k8s.io")) return `container.thirdPartyObjects.${action}`;
  const name = RESOURCES[resource];
  if (subresource === "") return name === undefined ? undefined : `container.${name}.${action}`;
  if (name !== undefined && subresource === "status" && (action === "get" || action === "update")) return `container.${name}.${action}Status`;
  if (name !== undefined && subresource === "scale" && (action === "get" || action === "update")) return `container.${name}.${action}Scale`;
  return SUBRESOURCES[`${resource}/${subresource} ${verb}`];
}

/** To reach a cluster by its DNS endpoint. https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation#dns-based_endpoint */
export const CONNECT_PERMISSION = "container.clusters.connect";

/** Full resource name, and type as IAM conditions see it. https://cloud.google.com/iam/docs/full-resource-names */
export function clusterResource(projectId: string, location: string, cluster: string): { name: string; type: string; projectId: string } {
  return { name: `//container.googleapis.com/projects/${projectId}/locations/${location}/clusters/${cluster}`, type: "container.googleapis.com/Cluster", projectId };
}
