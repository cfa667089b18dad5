/**
 * The rule against escalation: whoever writes a role or a binding has to hold every right in it, unless granted the
 * verb `escalate` or `bind`. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
import { rulesFor } from "./rbac.js";
import type { PolicyRule, RbacPolicy, User } from "./types.js";

/** Rights among `granted` that the user does not hold in the namespace, put together where only verbs differ. */
export function missingRights(policy: RbacPolicy, user: User, namespace: string | undefined, granted: readonly PolicyRule[]): PolicyRule[] {
  const held = rulesFor(policy, user, namespace);
  return compact(granted.flatMap(single).filter((right) => !held.some((rule) => covers(rule, right))));
}

/** What the API server says of them. */
export function escalationMessage(user: User, missing: readonly PolicyRule[]): string {
  const descriptions = [...new Set(missing.map(describeRule))].sort();
  return `user ${JSON.stringify(user.username)} (groups=${quoted(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${descriptions.join("\n")}`;
}

/** A rule taken apart: one verb on one resource of one group, or on one name of it, or on one URL. */
function single(rule: PolicyRule): PolicyRule[] {
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [], verbs } = rule;
  const names = resourceNames.length === 0 ? [{}] : resourceNames.map((name) => ({ resourceNames: [name] }));
  const onResources = apiGroups.flatMap((group) =>
    resources.flatMap((resource) => verbs.flatMap((verb) => names.map((name) => ({ apiGroups: [group], resources: [resource], verbs: [verb], ...name })))),
  );
  return [...onResources, ...nonResourceURLs.flatMap((url) => verbs.map((verb) => ({ nonResourceURLs: [url], verbs: [verb] })))];
}

/** A wildcard is covered by the same wildcard alone: holding every verb by name is not holding `*`. */
function covers(held: PolicyRule, right: PolicyRule): boolean {
  const everyOf = (wanted: readonly string[] = [], has: (value: string) => boolean): boolean => wanted.every(has);
  const either = (values: readonly string[] = []) => (value: string): boolean => values.includes("*") || values.includes(value);
  const names = held.resourceNames ?? [];
  const rightNames = right.resourceNames ?? [];
  return (
    everyOf(right.verbs, either(held.verbs)) &&
    everyOf(right.apiGroups, either(held.apiGroups)) &&
    everyOf(right.resources, (resource) => resourceCovered(held.resources ?? [], resource)) &&
    everyOf(right.nonResourceURLs, (url) => (held.nonResourceURLs ?? []).some((pattern) => urlCovered(pattern, url))) &&
    (names.length === 0 || (rightNames.length > 0 && rightNames.every((name) => names.includes(name))))
  );
}

function resourceCovered(held: readonly string[], resource: string): boolean {
  const [, subresource] = resource.split(/\/(.*)/s);
  return held.includes("*") || held.includes(resource) || (subresource !== undefined && held.includes(`*/${subresource}`));
}

function urlCovered(pattern: string, url: string): boolean {
  return pattern === url || (pattern.endsWith("*") && url.startsWith(pattern.replace(/\*+$/, "")));
}

function compact(rights: readonly PolicyRule[]): PolicyRule[] {
  const byTarget = new Map<string, PolicyRule>();
  for (const { verbs, ...target } of rights) {
    const key = JSON.stringify(target);
    const before = byTarget.get(key);
    byTarget.set(key, { ...target, verbs: [...(before?.verbs ?? []), ...verbs] });
  }
  return [...byTarget.values()];
}

function describeRule({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const members: [string, readonly string[] | undefined][] = [
    ["APIGroups", apiGroups],
    ["Resources", resources],
    ["NonResourceURLs", nonResourceURLs],
    ["ResourceNames", resourceNames],
    ["Verbs", verbs],
  ];
  const shown = members.flatMap(([name, values]) => (values !== undefined && values.length > 0 ? [`${name}:${quoted(values)}`] : []));
  return `{${shown.join(", ")}}`;
}

/** As Go prints a list of texts. */
function quoted(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(" ")}]`;
}
