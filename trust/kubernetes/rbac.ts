/**
 * Role-based access control as the API server evaluates it: purely additive, so that a request is allowed by the first
 * rule of any binding that matches. https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
import { matchesSelector } from "./selectors.js";
import type { AccessAttributes, ClusterRole, PolicyRule, RbacAnswer, RbacPolicy, RoleRef, Subject, User } from "./types.js";

export type * from "./types.js";

/** Members of this group may do everything, whatever the bindings say. */
export const SUPERUSERS = "system:masters";

const SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:";

export function serviceAccountUsername(namespace: string, name: string): string {
  return `${SERVICE_ACCOUNT_PREFIX}${namespace}:${name}`;
}

/** Whether the policy lets the user do this; nothing but a matching rule allows, and nothing denies. */
export function evaluateRbac(policy: RbacPolicy, user: User, attributes: AccessAttributes): RbacAnswer {
  const namespace = "resource" in attributes ? attributes.namespace : undefined;
  for (const { rule, source } of boundRules(policy, user, namespace)) {
    if (ruleAllows(rule, attributes)) return { allowed: true, reason: `RBAC: allowed by ${source}` };
  }
  return { allowed: false, reason: "" };
}

/** Every rule that holds for the user in the namespace, those of cluster role bindings first; without a namespace those alone. */
export function rulesFor(policy: RbacPolicy, user: User, namespace: string | undefined): PolicyRule[] {
  return [...boundRules(policy, user, namespace)].map(({ rule }) => rule);
}

/** The rules of a role by reference; undefined where it does not exist. A role binding finds roles in its own namespace alone. */
export function rulesOfRole(policy: RbacPolicy, reference: RoleRef, namespace: string | undefined): readonly PolicyRule[] | undefined {
  if (reference.kind === "ClusterRole") {
    const found = policy.clusterRoles.find(({ metadata }) => metadata.name === reference.name);
    return found && rulesOfClusterRole(found, policy.clusterRoles);
  }
  if (reference.kind !== "Role" || namespace === undefined) return undefined;
  const found = policy.roles.find(({ metadata }) => metadata.name === reference.name && metadata.namespace === namespace);
  return found && (found.rules ?? []);
}

/** With an aggregation rule: those of the selected roles, without repetitions. */
export function rulesOfClusterRole(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] {
  if (!role.aggregationRule) return role.rules ?? [];
  const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
  const selected = all.filter(({ metadata }) => selectors.some((selector) => matchesSelector(selector, metadata.labels)));
  // Without the role itself, so that roles which select each other come to an end.
  const others = all.filter((other) => other !== role);
  const rules = selected.flatMap((each) => rulesOfClusterRole(each, others));
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

function* boundRules(policy: RbacPolicy, user: User, namespace: string | undefined): Generator<{ rule: PolicyRule; source: string }> {
  for (const { metadata, roleRef, subjects } of policy.clusterRoleBindings) {
    const subject = subjects?.find((each) => appliesTo(each, user, undefined));
    const source = subject && `ClusterRoleBinding "${metadata.name}" of ${roleRef.kind} "${roleRef.name}" to ${describe(subject, "")}`;
    if (source === undefined) continue;
    for (const rule of rulesOfRole(policy, roleRef, undefined) ?? []) yield { rule, source };
  }
  for (const { metadata, roleRef, subjects } of policy.roleBindings) {
    if (metadata.namespace !== namespace) continue;
    const subject = subjects?.find((each) => appliesTo(each, user, namespace));
    const source = subject && `RoleBinding "${metadata.name}/${namespace}" of ${roleRef.kind} "${roleRef.name}" to ${describe(subject, namespace)}`;
    if (source === undefined) continue;
    for (const rule of rulesOfRole(policy, roleRef, namespace) ?? []) yield { rule, source };
  }
}

function appliesTo(subject: Subject, user: User, namespace: string | undefined): boolean {
  switch (subject.kind) {
    case "User":
      return user.username === subject.name;
    case "Group":
      return user.groups.includes(subject.name);
    case "ServiceAccount": {
      const home = given(subject.namespace) ?? namespace;
      return home !== undefined && user.username === serviceAccountUsername(home, subject.name);
    }
    default:
      return false;
  }
}

/** The API server writes a service account as `name/namespace`. */
function describe(subject: Subject, namespace: string): string {
  const name = subject.kind === "ServiceAccount" ? `${subject.name}/${given(subject.namespace) ?? namespace}` : subject.name;
  return `${subject.kind} "${name}"`;
}

const given = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

export function ruleAllows(rule: PolicyRule, attributes: AccessAttributes): boolean {
  if (!wildcardOr(rule.verbs, attributes.verb)) return false;
  if (!("resource" in attributes)) return (rule.nonResourceURLs ?? []).some((url) => urlMatches(url, attributes.path));
  const { group, resource, subresource = "", name = "" } = attributes;
  return wildcardOr(rule.apiGroups, group) && (rule.resources ?? []).some((each) => resourceMatches(each, resource, subresource)) && nameMatches(rule, name);
}

function wildcardOr(values: readonly string[] = [], wanted: string): boolean {
  return values.includes("*") || values.includes(wanted);
}

/** A resource is not its subresources: `deployments` does not grant `deployments/scale`, `*` grants both. */
function resourceMatches(pattern: string, resource: string, subresource: string): boolean {
  if (pattern === "*") return true;
  return subresource === "" ? pattern === resource : pattern === `${resource}/${subresource}` || pattern === `*/${subresource}`;
}

/** A request without a name (a list, a create) is refused by every rule that names any. */
function nameMatches({ resourceNames = [] }: PolicyRule, name: string): boolean {
  return resourceNames.length === 0 || resourceNames.includes(name);
}

function urlMatches(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith("*") && path.startsWith(pattern.replace(/\*+$/, "")));
}
