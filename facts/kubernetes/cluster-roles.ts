/**
 * Roles and bindings that a cluster has from the start, as far as they concern what is played of its API.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings, graded documented.
 */

interface Rule {
  verbs: readonly string[];
  apiGroups?: readonly string[];
  resources?: readonly string[];
  nonResourceURLs?: readonly string[];
}

export interface DefaultClusterRole {
  name: string;
  labels?: Readonly<Record<string, string>>;
  rules?: readonly Rule[];
  /** Roles with this label make up this one. */
  aggregates?: string;
}

const aggregateTo = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`;
const read = ["get", "list", "watch"];
const write = ["create", "delete", "deletecollection", "patch", "update"];
const core = ["configmaps", "persistentvolumeclaims", "pods", "serviceaccounts", "services"];
const apps = ["daemonsets", "deployments", "replicasets", "statefulsets"];

export const DEFAULT_CLUSTER_ROLES: readonly DefaultClusterRole[] = [
  { name: "cluster-admin", rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }, { nonResourceURLs: ["*"], verbs: ["*"] }] },
  { name: "admin", aggregates: aggregateTo("admin") },
  { name: "edit", aggregates: aggregateTo("edit"), labels: { [aggregateTo("admin")]: "true" } },
  { name: "view", aggregates: aggregateTo("view"), labels: { [aggregateTo("edit")]: "true" } },
  {
    name: "system:aggregate-to-view",
    labels: { [aggregateTo("view")]: "true" },
    rules: [
      { apiGroups: [""], resources: [...core, "pods/log", "pods/status", "endpoints", "events", "namespaces", "namespaces/status", "replicationcontrollers"], verbs: read },
      { apiGroups: ["apps"], resources: [...apps, ...apps.map((each) => `${each}/status`), "deployments/scale", "replicasets/scale", "statefulsets/scale", "controllerrevisions"], verbs: read },
    ],
  },
  {
    name: "system:aggregate-to-edit",
    labels: { [aggregateTo("edit")]: "true" },
    rules: [
      { apiGroups: [""], resources: ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"], verbs: read },
      { apiGroups: [""], resources: ["serviceaccounts"], verbs: ["impersonate"] },
      { apiGroups: [""], resources: ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], verbs: write },
      { apiGroups: [""], resources: ["pods/eviction"], verbs: ["create"] },
      { apiGroups: [""], resources: ["configmaps", "persistentvolumeclaims", "replicationcontrollers", "secrets", "serviceaccounts", "services"], verbs: write },
      { apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["create"] },
      { apiGroups: ["apps"], resources: [...apps, "deployments/rollback", "deployments/scale", "replicasets/scale", "statefulsets/scale"], verbs: write },
    ],
  },
  {
    name: "system:aggregate-to-admin",
    labels: { [aggregateTo("admin")]: "true" },
    rules: [
      { apiGroups: ["authorization.k8s.io"], resources: ["localsubjectaccessreviews"], verbs: ["create"] },
      { apiGroups: ["rbac.authorization.k8s.io"], resources: ["rolebindings", "roles"], verbs: [...read, ...write] },
    ],
  },
  {
    name: "system:basic-user",
    rules: [
      { apiGroups: ["authorization.k8s.io"], resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], verbs: ["create"] },
      { apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"], verbs: ["create"] },
    ],
  },
  { name: "system:discovery", rules: [{ nonResourceURLs: ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"], verbs: ["get"] }] },
  { name: "system:public-info-viewer", rules: [{ nonResourceURLs: ["/healthz", "/livez", "/readyz", "/version", "/version/"], verbs: ["get"] }] },
  { name: "system:service-account-issuer-discovery", rules: [{ nonResourceURLs: ["/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/"], verbs: ["get"] }] },
];

/** Groups by cluster role. */
export const DEFAULT_CLUSTER_ROLE_BINDINGS: Readonly<Record<string, readonly string[]>> = {
  "cluster-admin": ["system:masters"],
  "system:basic-user": ["system:authenticated"],
  "system:discovery": ["system:authenticated"],
  "system:public-info-viewer": ["system:authenticated", "system:unauthenticated"],
  "system:service-account-issuer-discovery": ["system:serviceaccounts"],
};

export const DEFAULT_NAMESPACES: readonly string[] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/** What a default role or binding is told by. */
export const BOOTSTRAPPING_LABEL = { "kubernetes.io/bootstrapping": "rbac-defaults" } as const;
