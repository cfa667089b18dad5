/** Roles and bindings: their checks, and the rule against escalation. */
import { isDeepStrictEqual } from "node:util";
import type { ApiResource } from "../../facts/kubernetes/api.js";
import { rulesOfRole, type PolicyRule, type RoleRef } from "../../trust/kubernetes/rbac.js";
import type { AuthenticatedUser } from "./authenticator.js";
import type { Authoriser } from "./authoriser.js";
import { forbidden, invalidValue, notFound, required, unsupported, type FieldError } from "./errors.js";
import type { KubernetesObject } from "./objects.js";
import type { KubernetesCluster } from "./types.js";
import { list, object, text } from "./validation.js";

const GROUP = "rbac.authorization.k8s.io";
const isBinding = (resource: ApiResource): boolean => resource.resource.endsWith("bindings");

/** The API groups that a binding may leave out. */
export function defaultBinding(binding: KubernetesObject): KubernetesObject {
  const subjects = list(binding.subjects).map((subject) => ({ ...(subject.kind !== "ServiceAccount" && { apiGroup: GROUP }), ...subject }));
  return { ...binding, ...(binding.subjects !== undefined && { subjects }), roleRef: { apiGroup: GROUP, ...object(binding.roleRef) } };
}

export function rbacErrors(resource: ApiResource, role: KubernetesObject, before?: KubernetesObject): FieldError[] {
  return isBinding(resource) ? bindingErrors(resource, role, before) : list(role.rules).flatMap((rule, index) => ruleErrors(`rules[${index}]`, rule, resource.namespaced));
}

function ruleErrors(field: string, rule: Record<string, unknown>, namespaced: boolean): FieldError[] {
  const count = (member: string): number => (Array.isArray(rule[member]) ? rule[member].length : 0);
  const errors: FieldError[] = count("verbs") === 0 ? [required(`${field}.verbs`, "verbs must contain at least one value")] : [];
  if (count("nonResourceURLs") > 0) {
    if (namespaced) errors.push(invalidValue(`${field}.nonResourceURLs`, rule.nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"));
    const mixed = ["apiGroups", "resources", "resourceNames"].some((member) => count(member) > 0);
    if (mixed) errors.push(invalidValue(`${field}.nonResourceURLs`, rule.nonResourceURLs, "rules cannot apply to both regular resources and non-resource URLs"));
    return errors;
  }
  if (count("apiGroups") === 0) errors.push(required(`${field}.apiGroups`, "resource rules must supply at least one api group"));
  if (count("resources") === 0) errors.push(required(`${field}.resources`, "resource rules must supply at least one resource"));
  return errors;
}

function bindingErrors(resource: ApiResource, binding: KubernetesObject, before: KubernetesObject | undefined): FieldError[] {
  const roleRef = object(binding.roleRef);
  const kinds = resource.namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  const errors: FieldError[] = [];
  if (roleRef.apiGroup !== GROUP) errors.push(unsupported("roleRef.apiGroup", roleRef.apiGroup, [GROUP]));
  if (!kinds.includes(text(roleRef.kind))) errors.push(unsupported("roleRef.kind", roleRef.kind ?? "", kinds));
  if (text(roleRef.name) === "") errors.push(required("roleRef.name"));
  list(binding.subjects).forEach((subject, index) => errors.push(...subjectErrors(`subjects[${index}]`, subject, resource.namespaced)));
  if (before && !isDeepStrictEqual(before.roleRef, roleRef)) errors.push(invalidValue("roleRef", roleRef, "cannot change roleRef"));
  return errors;
}

function subjectErrors(field: string, { kind, apiGroup, name, namespace }: Record<string, unknown>, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = text(name) === "" ? [required(`${field}.name`)] : [];
  const account = kind === "ServiceAccount";
  if (!account && kind !== "User" && kind !== "Group") return [...errors, unsupported(`${field}.kind`, kind ?? "", ["Group", "ServiceAccount", "User"])];
  const group = account ? "" : GROUP;
  if ((apiGroup ?? "") !== group) errors.push(unsupported(`${field}.apiGroup`, apiGroup, [group]));
  if (account && !namespaced && text(namespace) === "") errors.push(required(`${field}.namespace`));
  return errors;
}

/**
 * Refuses a role with rights that its writer does not hold, or a binding to such a role, unless the writer may
 * `escalate` or `bind`. What is not changed is not asked about again.
 *
 * @throws KubernetesError 403; 404 for a binding to a role that is not there, which cannot be compared
 */
export function requireNoEscalation(
  authoriser: Authoriser,
  cluster: KubernetesCluster,
  user: AuthenticatedUser,
  resource: ApiResource,
  role: KubernetesObject,
  before?: KubernetesObject,
): void {
  const { name, namespace } = role.metadata;
  const binding = isBinding(resource);
  const granting = ({ rules, aggregationRule, subjects, roleRef }: KubernetesObject): unknown => (binding ? [subjects ?? [], roleRef] : [rules ?? [], aggregationRule]);
  if (before && isDeepStrictEqual(granting(before), granting(role))) return;
  const roleRef = binding ? (role.roleRef as RoleRef) : undefined;
  const target = roleRef ? (roleRef.kind === "Role" ? "roles" : "clusterroles") : resource.resource;
  const place = namespace === undefined ? {} : { namespace };
  const may = authoriser.decide(cluster, user, { verb: binding ? "bind" : "escalate", group: GROUP, resource: target, name: roleRef?.name ?? name, ...place });
  if (may.allowed) return;
  const policy = authoriser.policy(cluster.name);
  const rules = roleRef ? rulesOfRole(policy, roleRef, namespace) : grantedRules(role);
  if (!rules) throw notFound({ group: GROUP, resource: target }, roleRef?.name ?? name);
  const message = authoriser.escalation(cluster, user, namespace, rules);
  if (message !== undefined) throw forbidden(resource, name, message);
}

/** A role that aggregates others could come to grant anything: only who holds everything may write it. */
function grantedRules(role: KubernetesObject): readonly PolicyRule[] {
  if (role.aggregationRule !== undefined) return [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, { verbs: ["*"], nonResourceURLs: ["*"] }];
  return list(role.rules) as unknown as PolicyRule[];
}
