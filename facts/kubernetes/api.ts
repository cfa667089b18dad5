/**
 * The part of the Kubernetes API that platforms deploy with, as its discovery documents list it.
 * https://kubernetes.io/docs/reference/kubernetes-api/ (v1.32), graded documented.
 */

/** Of the clusters that are played; kubectl picks its behaviour by it. */
export const KUBERNETES_VERSION = { major: "1", minor: "32", gitVersion: "v1.32.4" } as const;
export const GKE_VERSION = "1.32.4-gke.1415000";

export interface ApiResource {
  /** `""` is the core group. */
  group: string;
  version: string;
  kind: string;
  /** The plural in paths. */
  resource: string;
  singular: string;
  shortNames?: readonly string[];
  categories?: readonly string[];
  namespaced: boolean;
  verbs: readonly string[];
  subresources?: readonly ApiSubresource[];
}

export interface ApiSubresource {
  name: string;
  /** Of what the subresource takes and answers. */
  group: string;
  version: string;
  kind: string;
  verbs: readonly string[];
}

const stored = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const namespaceVerbs = stored.filter((verb) => verb !== "deletecollection");
const asked = ["create"];
const rbac = "rbac.authorization.k8s.io";
const authorization = "authorization.k8s.io";
const authentication = "authentication.k8s.io";
const status = (group: string, kind: string): ApiSubresource => ({ name: "status", group, version: "v1", kind, verbs: ["get", "patch", "update"] });

export const API_RESOURCES: readonly ApiResource[] = [
  { group: "", version: "v1", kind: "ConfigMap", resource: "configmaps", singular: "configmap", shortNames: ["cm"], namespaced: true, verbs: stored },
  { group: "", version: "v1", kind: "Namespace", resource: "namespaces", singular: "namespace", shortNames: ["ns"], namespaced: false, verbs: namespaceVerbs, subresources: [status("", "Namespace")] },
  { group: "", version: "v1", kind: "Pod", resource: "pods", singular: "pod", shortNames: ["po"], categories: ["all"], namespaced: true, verbs: stored, subresources: [status("", "Pod")] },
  { group: "", version: "v1", kind: "Secret", resource: "secrets", singular: "secret", namespaced: true, verbs: stored },
  {
    group: "",
    version: "v1",
    kind: "ServiceAccount",
    resource: "serviceaccounts",
    singular: "serviceaccount",
    shortNames: ["sa"],
    namespaced: true,
    verbs: stored,
    subresources: [{ name: "token", group: authentication, version: "v1", kind: "TokenRequest", verbs: ["create"] }],
  },
  {
    group: "apps",
    version: "v1",
    kind: "Deployment",
    resource: "deployments",
    singular: "deployment",
    shortNames: ["deploy"],
    categories: ["all"],
    namespaced: true,
    verbs: stored,
    subresources: [status("apps", "Deployment")],
  },
  { group: rbac, version: "v1", kind: "ClusterRole", resource: "clusterroles", singular: "clusterrole", namespaced: false, verbs: stored },
  { group: rbac, version: "v1", kind: "ClusterRoleBinding", resource: "clusterrolebindings", singular: "clusterrolebinding", namespaced: false, verbs: stored },
  { group: rbac, version: "v1", kind: "Role", resource: "roles", singular: "role", namespaced: true, verbs: stored },
  { group: rbac, version: "v1", kind: "RoleBinding", resource: "rolebindings", singular: "rolebinding", namespaced: true, verbs: stored },
  { group: authorization, version: "v1", kind: "LocalSubjectAccessReview", resource: "localsubjectaccessreviews", singular: "localsubjectaccessreview", namespaced: true, verbs: asked },
  { group: authorization, version: "v1", kind: "SelfSubjectAccessReview", resource: "selfsubjectaccessreviews", singular: "selfsubjectaccessreview", namespaced: false, verbs: asked },
  { group: authorization, version: "v1", kind: "SelfSubjectRulesReview", resource: "selfsubjectrulesreviews", singular: "selfsubjectrulesreview", namespaced: false, verbs: asked },
  { group: authorization, version: "v1", kind: "SubjectAccessReview", resource: "subjectaccessreviews", singular: "subjectaccessreview", namespaced: false, verbs: asked },
  { group: authentication, version: "v1", kind: "SelfSubjectReview", resource: "selfsubjectreviews", singular: "selfsubjectreview", namespaced: false, verbs: asked },
  { group: authentication, version: "v1", kind: "TokenReview", resource: "tokenreviews", singular: "tokenreview", namespaced: false, verbs: asked },
];

export function apiResource(group: string, resource: string): ApiResource | undefined {
  return API_RESOURCES.find((each) => each.group === group && each.resource === resource);
}

/** `apps/v1`; the core group has no name. */
export function apiVersionOf({ group, version }: { group: string; version: string }): string {
  return group === "" ? version : `${group}/${version}`;
}

/** How errors name a resource: `deployments.apps`, `pods`. */
export function qualified(group: string, name: string): string {
  return group === "" ? name : `${name}.${group}`;
}

/** Seconds that a requested token may live. https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
export const TOKEN_LIFETIME = { default: 3600, min: 600, max: 2 ** 32 } as const;

/** Names of most objects (RFC 1123 subdomain) and of namespaces and containers (RFC 1123 label). https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
export const NAME_RULES = {
  subdomain: {
    maxLength: 253,
    pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    message:
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  },
  label: {
    maxLength: 63,
    pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    message:
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  },
} as const;
