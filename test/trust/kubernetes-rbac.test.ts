import { escalationMessage, missingRights } from "../../trust/kubernetes/escalation.js";
import { evaluateRbac, rulesFor, rulesOfRole, serviceAccountUsername, type PolicyRule, type RbacPolicy, type ResourceAttributes, type RoleRef, type Subject, type User } from "../../trust/kubernetes/rbac.js";
import { matchesSelector } from "../../trust/kubernetes/selectors.js";

const GROUP = "rbac.authorization.k8s.io";
const deployer: User = { username: "dcf-deployer@p.iam.gserviceaccount.com", groups: ["system:authenticated", "team"] };
const user = (name: string): Subject => ({ kind: "User", apiGroup: GROUP, name });
const role = (name: string): RoleRef => ({ apiGroup: GROUP, kind: "Role", name });
const clusterRole = (name: string): RoleRef => ({ apiGroup: GROUP, kind: "ClusterRole", name });
const none: RbacPolicy = { roles: [], clusterRoles: [], roleBindings: [], clusterRoleBindings: [] };

/** One role in the namespace `apps`, bound there. */
const bound = (rules: PolicyRule[], subjects: Subject[] = [user(deployer.username)], roleRef = role("r")): RbacPolicy => ({
  ...none,
  roles: [{ metadata: { name: "r", namespace: "apps" }, rules }],
  roleBindings: [{ metadata: { name: "b", namespace: "apps" }, subjects, roleRef }],
});
const asked: ResourceAttributes = { verb: "patch", group: "apps", resource: "deployments", name: "web", namespace: "apps" };
const rule: PolicyRule = { verbs: ["patch"], apiGroups: ["apps"], resources: ["deployments"] };
const allows = (policy: RbacPolicy, change: Partial<ResourceAttributes> = {}, who = deployer): boolean => evaluateRbac(policy, who, { ...asked, ...change }).allowed;

describe("rules", () => {
  it("allow what they name, and only that", () => {
    const policy = bound([rule]);
    expect(evaluateRbac(policy, deployer, asked)).toEqual({ allowed: true, reason: `RBAC: allowed by RoleBinding "b/apps" of Role "r" to User "${deployer.username}"` });
    const others: Partial<ResourceAttributes>[] = [{ verb: "get" }, { group: "" }, { group: "extensions" }, { resource: "daemonsets" }, { subresource: "scale" }, { namespace: "other" }];
    for (const other of others) expect([other, evaluateRbac(policy, deployer, { ...asked, ...other })]).toEqual([other, { allowed: false, reason: "" }]);
    const { namespace: _namespace, ...everywhere } = asked;
    expect(evaluateRbac(policy, deployer, everywhere).allowed).toBe(false);
    expect(evaluateRbac(none, deployer, asked).allowed).toBe(false);
  });

  it("take wildcards for verbs, groups and resources, each by itself", () => {
    expect(allows(bound([{ ...rule, verbs: ["*"] }]), { verb: "delete" })).toBe(true);
    expect(allows(bound([{ ...rule, verbs: ["*"] }]), { verb: "delete", group: "" })).toBe(false);
    expect(allows(bound([{ ...rule, apiGroups: ["*"] }]), { group: "extensions" })).toBe(true);
    expect(allows(bound([{ ...rule, apiGroups: ["*"] }]), { group: "extensions", verb: "get" })).toBe(false);
    expect(allows(bound([{ ...rule, resources: ["*"] }]), { resource: "daemonsets", subresource: "status" })).toBe(true);
    expect(allows(bound([{ ...rule, resources: ["*"] }]), { resource: "daemonsets", group: "" })).toBe(false);
    // No pattern but the one character: these are names that nothing has.
    expect(allows(bound([{ ...rule, verbs: ["pat*"] }]))).toBe(false);
    expect(allows(bound([{ ...rule, resources: ["deploy*"] }]))).toBe(false);
  });

  it("keep subresources apart from their resource", () => {
    const scale = { subresource: "scale" };
    expect(allows(bound([{ ...rule, resources: ["deployments/scale"] }]), scale)).toBe(true);
    expect(allows(bound([{ ...rule, resources: ["deployments/scale"] }]))).toBe(false);
    expect(allows(bound([{ ...rule, resources: ["*/scale"] }]), scale)).toBe(true);
    expect(allows(bound([{ ...rule, resources: ["*/scale"] }]), { subresource: "status" })).toBe(false);
    expect(allows(bound([{ ...rule, resources: ["*/scale"] }]))).toBe(false);
    expect(allows(bound([{ ...rule, resources: ["deployments/*"] }]), scale)).toBe(false);
  });

  it("with names allow these, and neither lists nor creates", () => {
    const policy = bound([{ ...rule, verbs: ["patch", "list", "create"], resourceNames: ["web", "api"] }]);
    expect(allows(policy)).toBe(true);
    expect(allows(policy, { name: "api" })).toBe(true);
    expect(allows(policy, { name: "web2" })).toBe(false);
    expect(allows(policy, { verb: "list", name: "" })).toBe(false);
    expect(allows(bound([{ ...rule, resourceNames: [] }]), { name: "anything" })).toBe(true);
    expect(allows(bound([{ ...rule, resourceNames: ["*"] }]))).toBe(false);
  });

  it("are additive over all rules and bindings", () => {
    const policy = bound([{ ...rule, verbs: ["get"] }, rule]);
    expect([allows(policy), allows(policy, { verb: "get" }), allows(policy, { verb: "delete" })]).toEqual([true, true, false]);
  });
});

describe("paths that are no resources", () => {
  const anywhere = (nonResourceURLs: string[], verbs = ["get"]): RbacPolicy => ({
    ...none,
    clusterRoles: [{ metadata: { name: "paths" }, rules: [{ verbs, nonResourceURLs }] }],
    clusterRoleBindings: [{ metadata: { name: "b" }, subjects: [user(deployer.username)], roleRef: clusterRole("paths") }],
  });
  const may = (policy: RbacPolicy, path: string, verb = "get"): boolean => evaluateRbac(policy, deployer, { verb, path }).allowed;

  it("are granted exactly, by a prefix, or all", () => {
    expect([may(anywhere(["/version"]), "/version"), may(anywhere(["/version"]), "/version/"), may(anywhere(["/version"]), "/version", "post")]).toEqual([true, false, false]);
    expect([may(anywhere(["/apis/*"]), "/apis/apps/v1"), may(anywhere(["/apis/*"]), "/apis")]).toEqual([true, false]);
    expect([may(anywhere(["*"]), "/anything"), may(anywhere(["*"], ["*"]), "/anything", "delete")]).toEqual([true, true]);
  });

  it("are no resources, and the other way round", () => {
    expect(evaluateRbac(anywhere(["*"], ["*"]), deployer, asked).allowed).toBe(false);
    const everything = { ...anywhere([]), clusterRoles: [{ metadata: { name: "paths" }, rules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }] }] };
    expect([evaluateRbac(everything, deployer, asked).allowed, may(everything, "/version")]).toEqual([true, false]);
  });
});

describe("bindings", () => {
  it("are for users, groups and service accounts by their exact names", () => {
    const admits = (subject: Subject, who: User): boolean => allows(bound([rule], [subject]), {}, who);
    const account: User = { username: serviceAccountUsername("apps", "robot"), groups: [] };
    expect([admits(user(deployer.username), deployer), admits(user("dcf-deployer"), deployer), admits(user("team"), deployer)]).toEqual([true, false, false]);
    expect([admits({ kind: "Group", name: "team" }, deployer), admits({ kind: "Group", name: "tea" }, deployer), admits({ kind: "Group", name: deployer.username }, deployer)]).toEqual([true, false, false]);
    expect(admits({ kind: "ServiceAccount", name: "robot", namespace: "apps" }, account)).toBe(true);
    expect(admits({ kind: "ServiceAccount", name: "robot", namespace: "other" }, account)).toBe(false);
    expect(admits({ kind: "ServiceAccount", name: "robo", namespace: "apps" }, account)).toBe(false);
    // A service account is also a user by its full name.
    expect(admits(user(account.username), account)).toBe(true);
    expect(admits({ kind: "Anything", name: deployer.username }, deployer)).toBe(false);
  });

  it("of a namespace complete service accounts with it, those of the cluster do not", () => {
    const account: User = { username: serviceAccountUsername("apps", "robot"), groups: [] };
    const subject: Subject = { kind: "ServiceAccount", name: "robot" };
    const policy = bound([rule], [subject]);
    expect(evaluateRbac(policy, account, asked)).toEqual({ allowed: true, reason: 'RBAC: allowed by RoleBinding "b/apps" of Role "r" to ServiceAccount "robot/apps"' });
    const cluster: RbacPolicy = { ...none, clusterRoles: [{ metadata: { name: "c" }, rules: [rule] }], clusterRoleBindings: [{ metadata: { name: "b" }, subjects: [subject], roleRef: clusterRole("c") }] };
    for (const username of [account.username, "system:serviceaccount:undefined:robot"]) expect(allows(cluster, {}, { username, groups: [] })).toBe(false);
  });

  it("of the cluster reach every namespace, those of a namespace only their own", () => {
    const roles = [{ metadata: { name: "c" }, rules: [rule] }];
    const cluster: RbacPolicy = { ...none, clusterRoles: roles, clusterRoleBindings: [{ metadata: { name: "b" }, subjects: [user(deployer.username)], roleRef: clusterRole("c") }] };
    const local: RbacPolicy = { ...none, clusterRoles: roles, roleBindings: [{ metadata: { name: "b", namespace: "apps" }, subjects: [user(deployer.username)], roleRef: clusterRole("c") }] };
    expect([allows(cluster), allows(cluster, { namespace: "other" }), allows(local), allows(local, { namespace: "other" })]).toEqual([true, true, true, false]);
    expect(evaluateRbac(cluster, deployer, asked).reason).toBe(`RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "c" to User "${deployer.username}"`);
    const { namespace: _namespace, ...everywhere } = asked;
    expect([evaluateRbac(cluster, deployer, everywhere).allowed, evaluateRbac(local, deployer, everywhere).allowed]).toEqual([true, false]);
  });

  it("to roles that are not there, or are of another namespace or kind, grant nothing", () => {
    expect(allows(bound([rule], undefined, role("gone")))).toBe(false);
    expect(allows(bound([rule], undefined, clusterRole("r")))).toBe(false);
    expect(allows(bound([rule], undefined, { ...role("r"), kind: "Rolle" }))).toBe(false);
    const elsewhere: RbacPolicy = { ...bound([rule]), roles: [{ metadata: { name: "r", namespace: "other" }, rules: [rule] }] };
    expect(allows(elsewhere)).toBe(false);
    const ofCluster: RbacPolicy = { ...bound([rule]), roleBindings: [], clusterRoleBindings: [{ metadata: { name: "b" }, subjects: [user(deployer.username)], roleRef: role("r") }] };
    expect(allows(ofCluster)).toBe(false);
    expect(rulesOfRole(bound([rule]), role("r"), undefined)).toBeUndefined();
    expect(rulesOfRole(bound([rule]), role("r"), "apps")).toEqual([rule]);
  });

  it("without subjects or rules grant nothing", () => {
    expect(allows({ ...bound([rule]), roleBindings: [{ metadata: { name: "b", namespace: "apps" }, roleRef: role("r") }] })).toBe(false);
    expect(allows({ ...bound([rule]), roles: [{ metadata: { name: "r", namespace: "apps" } }] })).toBe(false);
  });

  it("add up for the list of a user's rules", () => {
    const policy = bound([rule]);
    expect([rulesFor(policy, deployer, "apps"), rulesFor(policy, deployer, "other"), rulesFor(policy, deployer, undefined)]).toEqual([[rule], [], []]);
  });
});

describe("aggregation", () => {
  const label = { aggregate: "true" };
  const aggregated = (clusterRoles: RbacPolicy["clusterRoles"]): RbacPolicy => ({ ...bound([], undefined, clusterRole("all")), clusterRoles });
  const all = { metadata: { name: "all" }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: label }] } };

  it("takes the rules of the selected roles, over several steps, and not its own", () => {
    const inner = { metadata: { name: "inner", labels: label }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { deeper: "true" } }] } };
    const deep = { metadata: { name: "deep", labels: { deeper: "true" } }, rules: [rule] };
    expect(allows(aggregated([all, { metadata: { name: "part", labels: label }, rules: [rule] }]))).toBe(true);
    expect(allows(aggregated([all, { metadata: { name: "part", labels: { aggregate: "false" } }, rules: [rule] }]))).toBe(false);
    expect(allows(aggregated([all, inner, deep]))).toBe(true);
    expect(allows(aggregated([{ ...all, rules: [rule] }]))).toBe(false);
    // Roles that select each other come to an end.
    expect(allows(aggregated([{ ...all, metadata: { name: "all", labels: label } }, { ...all, metadata: { name: "twin", labels: label } }]))).toBe(false);
  });

  it("selects by labels and expressions", () => {
    const expression = (operator: string, values?: string[]) => ({ matchExpressions: [{ key: "a", operator, ...(values && { values }) }] });
    const table: [object, Record<string, string> | undefined, boolean][] = [
      [{}, undefined, true],
      [{ matchLabels: { a: "1" } }, { a: "1", b: "2" }, true],
      [{ matchLabels: { a: "1", b: "1" } }, { a: "1", b: "2" }, false],
      [expression("In", ["1", "2"]), { a: "2" }, true],
      [expression("In", ["1", "2"]), { a: "3" }, false],
      [expression("In", ["1"]), {}, false],
      [expression("NotIn", ["1"]), {}, true],
      [expression("NotIn", ["1"]), { a: "1" }, false],
      [expression("Exists"), { a: "" }, true],
      [expression("Exists"), {}, false],
      [expression("DoesNotExist"), {}, true],
      [expression("DoesNotExist"), { a: "1" }, false],
      [expression("Gt", ["1"]), { a: "2" }, false],
      [{ matchExpressions: [{ key: "constructor", operator: "Exists" }] }, {}, false],
      [{ matchLabels: { a: "1" }, ...expression("NotIn", ["1"]) }, { a: "1" }, false],
    ];
    for (const [selector, labels, expected] of table) expect([selector, labels, matchesSelector(selector, labels)]).toEqual([selector, labels, expected]);
  });
});

describe("escalation", () => {
  const missing = (held: PolicyRule[], granted: PolicyRule[]): PolicyRule[] => missingRights(bound(held), deployer, "apps", granted);
  const wide: PolicyRule = { verbs: ["*"], apiGroups: ["*"], resources: ["*"] };

  it("is no escalation to give what one holds, part by part", () => {
    expect(missing([rule], [rule])).toEqual([]);
    expect(missing([{ ...rule, verbs: ["get"] }, rule], [{ ...rule, verbs: ["get", "patch"] }])).toEqual([]);
    expect(missing([wide], [rule, { ...rule, resourceNames: ["web"] }, wide])).toEqual([]);
    expect(missing([rule], [{ ...rule, resourceNames: ["web"] }])).toEqual([]);
    expect(missing([{ ...rule, resources: ["*/scale"] }], [{ ...rule, resources: ["deployments/scale"] }])).toEqual([]);
    expect(missing([{ verbs: ["get"], nonResourceURLs: ["/apis/*"] }], [{ verbs: ["get"], nonResourceURLs: ["/apis/apps"] }])).toEqual([]);
  });

  it("names what is missing, verbs of one resource together", () => {
    expect(missing([rule], [{ ...rule, verbs: ["get", "patch", "delete"] }])).toEqual([{ ...rule, verbs: ["get", "delete"] }]);
    expect(missing([rule], [{ ...rule, apiGroups: ["apps", ""] }])).toEqual([{ ...rule, apiGroups: [""] }]);
    expect(missing([rule], [{ ...rule, resources: ["deployments/scale"] }])).toEqual([{ ...rule, resources: ["deployments/scale"] }]);
    expect(missing([{ ...rule, resources: ["*/scale"] }], [rule])).toEqual([rule]);
    expect(missing([{ ...rule, resourceNames: ["web"] }], [rule])).toEqual([rule]);
    expect(missing([{ ...rule, resourceNames: ["web"] }], [{ ...rule, resourceNames: ["web", "api"] }])).toEqual([{ ...rule, resourceNames: ["api"] }]);
    expect(missing([{ verbs: ["get"], nonResourceURLs: ["/apis/*"] }], [{ verbs: ["get"], nonResourceURLs: ["/api"] }])).toEqual([{ verbs: ["get"], nonResourceURLs: ["/api"] }]);
    expect(missing([{ verbs: ["get"], nonResourceURLs: ["/apis"] }], [{ verbs: ["get"], nonResourceURLs: ["/apis/apps"] }])).toEqual([{ verbs: ["get"], nonResourceURLs: ["/apis/apps"] }]);
    // Each name alone is not the wildcard.
    expect(missing([rule], [{ ...rule, verbs: ["*"] }])).toEqual([{ ...rule, verbs: ["*"] }]);
    // Only what is held in this namespace counts.
    expect(missingRights(bound([rule]), deployer, "other", [rule])).toEqual([rule]);
  });

  it("is told in the API server's words", () => {
    const rules = missing([], [rule, { verbs: ["get"], apiGroups: [""], resources: ["secrets"], resourceNames: ["a", "b"] }, { verbs: ["get"], nonResourceURLs: ["/x"] }]);
    expect(escalationMessage(deployer, rules)).toBe(
      [
        `user "${deployer.username}" (groups=["system:authenticated" "team"]) is attempting to grant RBAC permissions not currently held:`,
        '{APIGroups:[""], Resources:["secrets"], ResourceNames:["a"], Verbs:["get"]}',
        '{APIGroups:[""], Resources:["secrets"], ResourceNames:["b"], Verbs:["get"]}',
        '{APIGroups:["apps"], Resources:["deployments"], Verbs:["patch"]}',
        '{NonResourceURLs:["/x"], Verbs:["get"]}',
      ].join("\n"),
    );
  });
});
