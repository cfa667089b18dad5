/** The vocabulary of Kubernetes' authorisation, in the API's own shapes: https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */

export interface PolicyRule {
  verbs: readonly string[];
  /** `""` is the core group; `*` any. */
  apiGroups?: readonly string[];
  /** `deployments`, `deployments/status`, `*`, or a subresource of anything: `*\/scale`. */
  resources?: readonly string[];
  /** Absent or empty means every name, and none (a list, a create by generated name). */
  resourceNames?: readonly string[];
  /** Of cluster roles alone: `/healthz`, or with a `*` at the end. */
  nonResourceURLs?: readonly string[];
}

export interface Subject {
  kind: string;
  apiGroup?: string;
  name: string;
  /** Of a service account; in a role binding the binding's own where it is left out. */
  namespace?: string;
}

export interface RoleRef {
  apiGroup: string;
  kind: string;
  name: string;
}

export interface LabelSelector {
  matchLabels?: Readonly<Record<string, string>>;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

interface Named {
  metadata: { name: string; labels?: Readonly<Record<string, string>> };
}

interface Namespaced extends Named {
  metadata: Named["metadata"] & { namespace: string };
}

export interface Role extends Namespaced {
  rules?: readonly PolicyRule[] | undefined;
}

export interface ClusterRole extends Named {
  rules?: readonly PolicyRule[] | undefined;
  /** With it the rules are those of the cluster roles that any selector matches; `rules` itself counts for nothing. */
  aggregationRule?: { clusterRoleSelectors?: readonly LabelSelector[] } | undefined;
}

export interface RoleBinding extends Namespaced {
  subjects?: readonly Subject[] | undefined;
  roleRef: RoleRef;
}

export interface ClusterRoleBinding extends Named {
  subjects?: readonly Subject[] | undefined;
  roleRef: RoleRef;
}

/** Everything that RBAC decides by. */
export interface RbacPolicy {
  roles: readonly Role[];
  clusterRoles: readonly ClusterRole[];
  roleBindings: readonly RoleBinding[];
  clusterRoleBindings: readonly ClusterRoleBinding[];
}

export interface User {
  username: string;
  groups: readonly string[];
}

export interface ResourceAttributes {
  verb: string;
  /** `""` is the core group. */
  group: string;
  resource: string;
  subresource?: string;
  /** Absent for the cluster's own resources, and for a list over all namespaces. */
  namespace?: string;
  name?: string;
}

export interface NonResourceAttributes {
  verb: string;
  path: string;
}

export type AccessAttributes = ResourceAttributes | NonResourceAttributes;

export interface RbacAnswer {
  allowed: boolean;
  /** The binding that grants, in the API server's words; empty where none does. */
  reason: string;
}
