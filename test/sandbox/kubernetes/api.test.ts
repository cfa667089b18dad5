/** The API server over the wire: objects, patches, refusals in its own words, reviews, tokens. */
import { decodeJwt } from "../../../trust/jwt.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../../sandbox/index.js";
import { KubernetesError } from "../../../sandbox/kubernetes/types.js";
import { administratorToken, apiOf, bringDeployment, deployment, type ApiObject, type Call } from "./clients.js";

const CLUSTER = "platform";
const NAMESPACE = "dcf-functions";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const ONE = `${DEPLOYMENTS}/dcf-function`;
const STRATEGIC = "application/strategic-merge-patch+json";
const MERGE = "application/merge-patch+json";
const JSON_PATCH = "application/json-patch+json";
const APPLY = "application/apply-patch+yaml";

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let admin: Call;

beforeAll(async () => {
  sandbox = await startSandbox();
  await bringDeployment(sandbox, CLUSTER);
  admin = apiOf(sandbox, CLUSTER, administratorToken(sandbox, CLUSTER));
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

/** A service account's token for the API itself. */
async function tokenOf(name: string, namespace = NAMESPACE): Promise<string> {
  await admin("POST", `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
  const { body } = await admin("POST", `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, { spec: {} });
  return String(body.status["token"]);
}

/** Lets the service account `robot` do what the rules say, in the namespace. */
async function grant(rules: object[], name = "robot"): Promise<void> {
  const role = await admin("POST", `${RBAC}/namespaces/${NAMESPACE}/roles`, { metadata: { name }, rules });
  const binding = await admin("POST", `${RBAC}/namespaces/${NAMESPACE}/rolebindings`, { metadata: { name }, roleRef: { kind: "Role", name }, subjects: [{ kind: "ServiceAccount", name: "robot", namespace: NAMESPACE }] });
  expect([role.status, binding.status]).toEqual([201, 201]);
}

const image = (body: ApiObject): unknown => ((body.spec["template"] as { spec: { containers: { image: string }[] } }).spec.containers[0] ?? {}).image;
const status = (code: number, reason: string, message: string, details?: object) => ({ status: code, body: { kind: "Status", apiVersion: "v1", status: "Failure", reason, message, code, ...(details && { details }) } });

describe("who asks", () => {
  it("is nobody without a token, and refused with one that proves nobody", async () => {
    expect(await apiOf(sandbox, CLUSTER)("GET", "/version")).toMatchObject({ status: 200, body: { major: "1", minor: "32", gitVersion: "v1.32.4" } });
    expect(await apiOf(sandbox, CLUSTER)("GET", "/api/v1/namespaces")).toMatchObject(
      status(403, "Forbidden", 'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" at the cluster scope', { kind: "namespaces" }),
    );
    expect(await apiOf(sandbox, CLUSTER)("GET", "/apis")).toMatchObject(status(403, "Forbidden", 'forbidden: User "system:anonymous" cannot get path "/apis"'));
    expect(await apiOf(sandbox, CLUSTER, "wrong")("GET", "/version")).toMatchObject(status(401, "Unauthorized", "Unauthorized"));
    expect(await apiOf(sandbox, CLUSTER, administratorToken(sandbox, "dcf-apps"))("GET", "/version")).toMatchObject({ status: 401 });
  });

  it("is a service account by a token for this API, while the account lives and the token lasts", async () => {
    const token = await tokenOf("robot");
    const robot = apiOf(sandbox, CLUSTER, token);
    expect(await robot("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})).toMatchObject({
      status: 201,
      body: { status: { userInfo: { username: `system:serviceaccount:${NAMESPACE}:robot`, groups: ["system:serviceaccounts", `system:serviceaccounts:${NAMESPACE}`, "system:authenticated"] } } },
    });
    const other = await admin("POST", `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/robot/token`, { spec: { audiences: ["https://else.example"] } });
    expect((await apiOf(sandbox, CLUSTER, String(other.body.status["token"]))("GET", "/version")).status).toBe(401);
    const foreign = await sandbox.issuers.mint({ subject: `system:serviceaccount:${NAMESPACE}:robot`, audience: "https://oidc.dcf.example", foreignKey: true, claims: { "kubernetes.io": decodeJwt(token)!.claims["kubernetes.io"] } });
    expect((await apiOf(sandbox, CLUSTER, foreign)("GET", "/version")).status).toBe(401);

    sandbox.core.clock.advance(3601);
    expect((await robot("GET", "/version")).status).toBe(401);
    sandbox.core.clock.advance(-3601);
    expect((await robot("GET", "/version")).status).toBe(200);
    // One of the same name is another account.
    await admin("DELETE", `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/robot`);
    await admin("POST", `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, { metadata: { name: "robot" } });
    expect((await robot("GET", "/version")).status).toBe(401);
  });

  it("may be another one for who may impersonate", async () => {
    const token = await tokenOf("robot");
    const as = (user: string, who = token, more: Record<string, string> = {}) => apiOf(sandbox, CLUSTER, who, undefined, { "impersonate-user": user, ...more });
    const whoami = ["POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}] as const;
    expect(await as("jane")(...whoami)).toMatchObject(status(403, "Forbidden", `users "jane" is forbidden: User "system:serviceaccount:${NAMESPACE}:robot" cannot impersonate resource "users" in API group "" at the cluster scope`));
    const administrator = administratorToken(sandbox, CLUSTER);
    expect(await as("jane", administrator, { "impersonate-group": "team" })(...whoami)).toMatchObject({ status: 201, body: { status: { userInfo: { username: "jane", groups: ["team", "system:authenticated"] } } } });
    expect(await as("jane", administrator)("GET", DEPLOYMENTS)).toMatchObject({ status: 403 });
  });
});

describe("what the rights of a role are", () => {
  it("is what the platform needs of one Deployment, and nothing beside it", async () => {
    const robot = apiOf(sandbox, CLUSTER, await tokenOf("robot"));
    const patch = { spec: { template: { spec: { containers: [{ name: "app", image: "registry.example/app:2" }] } } } };
    const username = `system:serviceaccount:${NAMESPACE}:robot`;
    expect(await robot("PATCH", ONE, patch, STRATEGIC)).toMatchObject(
      status(403, "Forbidden", `deployments.apps "dcf-function" is forbidden: User "${username}" cannot patch resource "deployments" in API group "apps" in the namespace "${NAMESPACE}"`, { name: "dcf-function", group: "apps", kind: "deployments" }),
    );
    await grant([{ apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["dcf-function"], verbs: ["get", "patch", "update"] }]);
    const patched = await robot("PATCH", ONE, patch, STRATEGIC);
    expect([patched.status, image(patched.body)]).toEqual([200, "registry.example/app:2"]);

    await admin("POST", DEPLOYMENTS, deployment("other"));
    const refused = [
      ["GET", `${DEPLOYMENTS}/other`, `deployments.apps "other" is forbidden: User "${username}" cannot get resource "deployments" in API group "apps" in the namespace "${NAMESPACE}"`],
      ["GET", DEPLOYMENTS, `deployments.apps is forbidden: User "${username}" cannot list resource "deployments" in API group "apps" in the namespace "${NAMESPACE}"`],
      ["DELETE", ONE, `deployments.apps "dcf-function" is forbidden: User "${username}" cannot delete resource "deployments" in API group "apps" in the namespace "${NAMESPACE}"`],
      ["GET", `${ONE}/status`, `deployments.apps "dcf-function" is forbidden: User "${username}" cannot get resource "deployments/status" in API group "apps" in the namespace "${NAMESPACE}"`],
      ["GET", `/api/v1/namespaces/${NAMESPACE}/secrets/x`, `secrets "x" is forbidden: User "${username}" cannot get resource "secrets" in API group "" in the namespace "${NAMESPACE}"`],
      ["GET", "/apis/apps/v1/namespaces/default/deployments/dcf-function", `deployments.apps "dcf-function" is forbidden: User "${username}" cannot get resource "deployments" in API group "apps" in the namespace "default"`],
      ["POST", `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/robot/token`, `serviceaccounts "robot" is forbidden: User "${username}" cannot create resource "serviceaccounts/token" in API group "" in the namespace "${NAMESPACE}"`],
    ] as const;
    for (const [method, path, message] of refused) expect(await robot(method, path)).toMatchObject(status(403, "Forbidden", message));
  });

  it("is asked by reviews, which everybody may post for himself", async () => {
    const robot = apiOf(sandbox, CLUSTER, await tokenOf("robot"));
    await grant([{ apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["dcf-function"], verbs: ["patch"] }]);
    const review = (attributes: object, who = robot) => who("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec: { resourceAttributes: { namespace: NAMESPACE, group: "apps", resource: "deployments", ...attributes } } });
    expect(await review({ verb: "patch", name: "dcf-function" })).toMatchObject({ status: 201, body: { kind: "SelfSubjectAccessReview", status: { allowed: true, reason: expect.stringContaining('RoleBinding "robot/dcf-functions" of Role "robot"') } } });
    for (const refused of [{ verb: "delete", name: "dcf-function" }, { verb: "patch" }, { verb: "patch", name: "dcf-function", namespace: "default" }]) {
      expect(await review(refused)).toMatchObject({ status: 201, body: { status: { allowed: false } } });
    }
    const rules = await robot("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", { spec: { namespace: NAMESPACE } });
    expect(rules.body.status).toMatchObject({ incomplete: false, resourceRules: expect.arrayContaining([{ apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["dcf-function"], verbs: ["patch"] }]) });

    const ofOther = { spec: { user: `system:serviceaccount:${NAMESPACE}:robot`, resourceAttributes: { namespace: NAMESPACE, group: "apps", resource: "deployments", verb: "patch", name: "dcf-function" } } };
    expect(await robot("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", ofOther)).toMatchObject({ status: 403 });
    expect(await admin("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", ofOther)).toMatchObject({ status: 201, body: { status: { allowed: true } } });
    expect(await review({})).toMatchObject({ status: 201, body: { status: { allowed: false } } });
    expect(await robot("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec: {} })).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    expect(await robot("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec: { nonResourceAttributes: { path: "/apis/apps", verb: "get" } } })).toMatchObject({ body: { status: { allowed: true } } });
  });

  it("is never more than who gives them holds, unless he may escalate or bind", async () => {
    const robot = apiOf(sandbox, CLUSTER, await tokenOf("robot"));
    const own = { apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"] };
    const roles = `${RBAC}/namespaces/${NAMESPACE}/roles`;
    const bindings = `${RBAC}/namespaces/${NAMESPACE}/rolebindings`;
    const writing = { apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles", "rolebindings"], verbs: ["create", "update"] };
    await grant([own, writing]);
    const user = `system:serviceaccount:${NAMESPACE}:robot`;
    const groups = `["system:serviceaccounts" "system:serviceaccounts:${NAMESPACE}" "system:authenticated"]`;
    const attempt = (who: string, rule: string) => `${who} is forbidden: user "${user}" (groups=${groups}) is attempting to grant RBAC permissions not currently held:\n${rule}`;

    expect(await robot("POST", roles, { metadata: { name: "same" }, rules: [own] })).toMatchObject({ status: 201 });
    const more = { metadata: { name: "more" }, rules: [{ ...own, verbs: ["patch", "delete"] }] };
    expect(await robot("POST", roles, more)).toMatchObject(status(403, "Forbidden", attempt('roles.rbac.authorization.k8s.io "more"', '{APIGroups:["apps"], Resources:["deployments"], Verbs:["delete"]}')));
    // An update is held to what it changes.
    const same = (await admin("GET", `${roles}/same`)).body;
    expect(await robot("PUT", `${roles}/same`, { ...same, metadata: { ...same.metadata, labels: { a: "b" } } })).toMatchObject({ status: 200 });
    expect(await robot("PUT", `${roles}/same`, { ...same, metadata: { name: "same" }, rules: more.rules })).toMatchObject({ status: 403 });

    const bind = (name: string, roleRef: object) => robot("POST", bindings, { metadata: { name }, roleRef, subjects: [{ kind: "User", name: "jane" }] });
    expect(await bind("same", { kind: "Role", name: "same" })).toMatchObject({ status: 201 });
    expect(await bind("view", { kind: "ClusterRole", name: "cluster-admin" })).toMatchObject(
      status(403, "Forbidden", attempt('rolebindings.rbac.authorization.k8s.io "view"', '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}')),
    );
    expect(await bind("gone", { kind: "Role", name: "gone" })).toMatchObject(status(404, "NotFound", 'roles.rbac.authorization.k8s.io "gone" not found'));
    await grant([{ apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"], verbs: ["escalate"] }, { apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"], resourceNames: ["cluster-admin"], verbs: ["bind"] }], "robot-more");
    expect(await robot("POST", roles, more)).toMatchObject({ status: 201 });
    expect(await bind("view", { kind: "ClusterRole", name: "cluster-admin" })).toMatchObject({ status: 201 });
    expect(await bind("edit", { kind: "ClusterRole", name: "edit" })).toMatchObject({ status: 403 });
  });

  it("come as view, edit, admin and cluster-admin from the start", async () => {
    const may = async (clusterRole: string, verb: string, resource: string, group = ""): Promise<unknown> => {
      const name = clusterRole;
      await admin("POST", `${RBAC}/namespaces/${NAMESPACE}/rolebindings`, { metadata: { name }, roleRef: { kind: "ClusterRole", name }, subjects: [{ kind: "User", name }] });
      const { body } = await admin("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { spec: { user: name, resourceAttributes: { namespace: NAMESPACE, verb, resource, group } } });
      return body.status["allowed"];
    };
    const rbac = "rbac.authorization.k8s.io";
    expect([await may("view", "get", "deployments", "apps"), await may("view", "patch", "deployments", "apps"), await may("view", "get", "secrets")]).toEqual([true, false, false]);
    expect([await may("edit", "patch", "deployments", "apps"), await may("edit", "get", "secrets"), await may("edit", "create", "roles", rbac)]).toEqual([true, true, false]);
    expect([await may("admin", "create", "roles", rbac), await may("admin", "get", "deployments", "apps"), await may("admin", "get", "nodes")]).toEqual([true, true, false]);
    expect([await may("cluster-admin", "get", "nodes"), await may("cluster-admin", "escalate", "roles", rbac)]).toEqual([true, true]);
  });
});

describe("objects", () => {
  it("are made once, in a namespace that is there, of what their path says", async () => {
    const made = await admin("POST", `${DEPLOYMENTS}?fieldManager=tester`, deployment("web"));
    expect(made).toMatchObject({
      status: 201,
      body: {
        metadata: { name: "web", namespace: NAMESPACE, generation: 1, uid: expect.stringMatching(/^[0-9a-f-]{36}$/), creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/), annotations: { "deployment.kubernetes.io/revision": "1" } },
        spec: { replicas: 1, strategy: { type: "RollingUpdate" }, template: { spec: { containers: [{ name: "app", imagePullPolicy: "IfNotPresent" }] } } },
        status: { observedGeneration: 1, availableReplicas: 1, conditions: [{ type: "Available", status: "True" }, { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" }] },
      },
    });
    expect(made.body.metadata.managedFields).toMatchObject([{ manager: "tester", operation: "Update", fieldsV1: { "f:spec": { "f:replicas": {} } } }]);
    expect(await admin("POST", DEPLOYMENTS, deployment("web"))).toMatchObject(status(409, "AlreadyExists", 'deployments.apps "web" already exists', { name: "web", group: "apps", kind: "deployments" }));
    expect(await admin("GET", `${DEPLOYMENTS}/gone`)).toMatchObject(status(404, "NotFound", 'deployments.apps "gone" not found', { name: "gone", group: "apps", kind: "deployments" }));
    expect(await admin("POST", "/apis/apps/v1/namespaces/nowhere/deployments", deployment("web"))).toMatchObject(status(404, "NotFound", 'namespaces "nowhere" not found', { name: "nowhere", kind: "namespaces" }));
    expect(await admin("GET", "/apis/apps/v1/namespaces/default/daemonsets")).toMatchObject(status(404, "NotFound", "the server could not find the requested resource"));
    expect(await admin("POST", DEPLOYMENTS, { kind: "Role" })).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    expect(await admin("POST", DEPLOYMENTS, { ...deployment("web2"), metadata: { name: "web2", namespace: "default" } })).toMatchObject(
      status(400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request"),
    );
    expect(await admin("POST", DEPLOYMENTS, "<a/>", "text/xml")).toMatchObject({ status: 415, body: { reason: "UnsupportedMediaType" } });
    expect(await admin("PATCH", ONE, {})).toMatchObject({ status: 415 });
    expect(await admin("PUT", DEPLOYMENTS, {})).toMatchObject({ status: 405, body: { reason: "MethodNotAllowed" } });
    const yaml = await admin("POST", `/api/v1/namespaces/${NAMESPACE}/configmaps`, "metadata: {generateName: settings-}\ndata: {a: b}\n", "application/yaml");
    expect(yaml).toMatchObject({ status: 201, body: { metadata: { name: expect.stringMatching(/^settings-[a-z0-9]{5}$/) }, data: { a: "b" } } });
  });

  it("are checked field by field", async () => {
    const { spec } = deployment("web");
    const pod = (containers: object[]) => ({ ...spec, template: { ...spec.template, spec: { containers } } });
    const table: [object, string, string][] = [
      [{ ...spec, selector: undefined }, "spec.selector: Required value", "FieldValueRequired"],
      [{ ...spec, selector: { matchLabels: { app: "other" } } }, 'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`', "FieldValueInvalid"],
      [pod([]), "spec.template.spec.containers: Required value", "FieldValueRequired"],
      [pod([{ name: "app" }]), "spec.template.spec.containers[0].image: Required value", "FieldValueRequired"],
      [pod([{ name: "a", image: "x" }, { name: "a", image: "y" }]), 'spec.template.spec.containers[1].name: Duplicate value: "a"', "FieldValueDuplicate"],
      [{ ...spec, replicas: -1 }, "spec.replicas: Invalid value: -1: must be greater than or equal to 0", "FieldValueInvalid"],
    ];
    for (const [wrong, message, reason] of table) {
      const field = message.slice(0, message.indexOf(":"));
      expect(await admin("POST", DEPLOYMENTS, { ...deployment("web"), spec: wrong })).toMatchObject(status(422, "Invalid", `Deployment.apps "web" is invalid: ${message}`, { name: "web", group: "apps", kind: "Deployment", causes: [{ reason, field }] }));
    }
    expect(await admin("POST", DEPLOYMENTS, { ...deployment("Web"), spec: { ...spec, selector: undefined } })).toMatchObject({
      status: 422,
      body: { message: expect.stringMatching(/^Deployment\.apps "Web" is invalid: \[metadata\.name: Invalid value: "Web": a lowercase RFC 1123 subdomain .*, spec\.selector: Required value\]$/) },
    });
    expect(await admin("PATCH", ONE, { spec: { selector: { matchLabels: { app: "x" } }, template: { metadata: { labels: { app: "x" } } } } }, MERGE)).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining("spec.selector: Invalid value") as string, details: { causes: [{ message: expect.stringContaining("field is immutable") }] } },
    });
    const roles = `${RBAC}/namespaces/${NAMESPACE}/roles`;
    expect(await admin("POST", roles, { metadata: { name: "r" }, rules: [{ resources: ["pods"], verbs: [] }] })).toMatchObject(
      status(422, "Invalid", 'Role.rbac.authorization.k8s.io "r" is invalid: [rules[0].verbs: Required value: verbs must contain at least one value, rules[0].apiGroups: Required value: resource rules must supply at least one api group]'),
    );
    expect(await admin("POST", roles, { metadata: { name: "r" }, rules: [{ nonResourceURLs: ["/x"], verbs: ["get"] }] })).toMatchObject({ status: 422 });
    const bindings = `${RBAC}/namespaces/${NAMESPACE}/rolebindings`;
    expect(await admin("POST", bindings, { metadata: { name: "b" }, roleRef: { kind: "Rolle", name: "r" } })).toMatchObject(
      status(422, "Invalid", 'RoleBinding.rbac.authorization.k8s.io "b" is invalid: roleRef.kind: Unsupported value: "Rolle": supported values: "Role", "ClusterRole"'),
    );
    await admin("POST", roles, { metadata: { name: "r" }, rules: [] });
    const binding = { metadata: { name: "b" }, roleRef: { kind: "Role", name: "r" }, subjects: [{ kind: "User", name: "jane" }] };
    expect(await admin("POST", bindings, binding)).toMatchObject({ status: 201, body: { roleRef: { apiGroup: "rbac.authorization.k8s.io" }, subjects: [{ apiGroup: "rbac.authorization.k8s.io" }] } });
    expect(await admin("PUT", `${bindings}/b`, { ...binding, roleRef: { kind: "ClusterRole", name: "view" } })).toMatchObject({ status: 422, body: { message: expect.stringContaining("cannot change roleRef") } });
  });

  it("change from the version that a writer has seen", async () => {
    const { body: seen } = await admin("GET", ONE);
    const changed = { ...seen, spec: { ...seen.spec, replicas: 2 } };
    const written = await admin("PUT", ONE, changed);
    expect(written).toMatchObject({ status: 200, body: { metadata: { generation: 2 }, status: { replicas: 2, observedGeneration: 2 } } });
    expect(Number(written.body.metadata.resourceVersion)).toBeGreaterThan(Number(seen.metadata.resourceVersion));
    expect(await admin("PUT", ONE, changed)).toMatchObject(
      status(409, "Conflict", 'Operation cannot be fulfilled on deployments.apps "dcf-function": the object has been modified; please apply your changes to the latest version and try again'),
    );
    const { resourceVersion: _version, managedFields: _managers, ...metadata } = seen.metadata;
    expect(await admin("PUT", ONE, { ...changed, metadata })).toMatchObject({ status: 200, body: { metadata: { resourceVersion: written.body.metadata.resourceVersion } } });
    expect(await admin("DELETE", ONE, { preconditions: { uid: "another" } })).toMatchObject({ status: 409 });
    expect(await admin("DELETE", ONE, { preconditions: { uid: seen.metadata.uid } })).toMatchObject({ status: 200, body: { kind: "Status", status: "Success", details: { name: "dcf-function", group: "apps", kind: "deployments" } } });
    expect((await admin("GET", ONE)).status).toBe(404);
  });

  it("go with their namespace, and some namespaces stay", async () => {
    expect((await admin("DELETE", `/api/v1/namespaces/${NAMESPACE}`)).status).toBe(200);
    expect((await admin("GET", DEPLOYMENTS)).body.items).toEqual([]);
    expect(await admin("DELETE", "/api/v1/namespaces/kube-system")).toMatchObject(status(403, "Forbidden", 'namespaces "kube-system" is forbidden: this namespace may not be deleted'));
  });

  it("are listed by namespace, over all of them, and by selectors", async () => {
    await admin("POST", DEPLOYMENTS, { ...deployment("b"), metadata: { name: "b", labels: { tier: "web", env: "prod" } } });
    await admin("POST", "/apis/apps/v1/namespaces/default/deployments", { ...deployment("a"), metadata: { name: "a", labels: { tier: "db" } } });
    const names = async (path: string): Promise<string[]> => (await admin("GET", path)).body.items.map(({ metadata }) => metadata.name);
    expect([await names("/apis/apps/v1/deployments"), await names(DEPLOYMENTS)]).toEqual([["b", "dcf-function", "a"], ["b", "dcf-function"]]);
    for (const [selector, expected] of [["tier=web", ["b"]], ["tier!=web", ["dcf-function"]], ["tier in (web,db),env", ["b"]], ["!tier", ["dcf-function"]], ["tier notin (web)", ["dcf-function"]]] as const) {
      expect([selector, await names(`${DEPLOYMENTS}?labelSelector=${encodeURIComponent(selector)}`)]).toEqual([selector, expected]);
    }
    expect(await names(`${DEPLOYMENTS}?fieldSelector=metadata.name%3Db`)).toEqual(["b"]);
    const { body } = await admin("GET", DEPLOYMENTS);
    expect(body).toMatchObject({ kind: "DeploymentList", apiVersion: "apps/v1", metadata: { resourceVersion: expect.stringMatching(/^\d+$/) } });
  });

  it("can be watched from a version on", async () => {
    const { body } = await admin("GET", DEPLOYMENTS);
    const watching = admin("GET", `${DEPLOYMENTS}?watch=true&resourceVersion=${body.metadata.resourceVersion}&timeoutSeconds=30`);
    await admin("PATCH", ONE, { spec: { replicas: 3 } }, MERGE);
    expect((await watching).body).toMatchObject({ type: "MODIFIED", object: { spec: { replicas: 3 } } });
    expect(await admin("GET", `${DEPLOYMENTS}?watch=true`)).toMatchObject({ body: { type: "ADDED", object: { metadata: { name: "dcf-function" } } } });
  });
});

describe("patches", () => {
  it("merge strategically by names, with directives", async () => {
    const containers = (patch: unknown[], more: object = {}) => admin("PATCH", ONE, { spec: { template: { spec: { containers: patch, ...more } } } }, STRATEGIC);
    const of = ({ body }: { body: ApiObject }) => ((body.spec["template"] as { spec: { containers: { name: string; image?: string }[] } }).spec.containers).map(({ name, image: tag }) => `${name}=${tag ?? ""}`);
    expect(of(await containers([{ name: "app", image: "x:2" }]))).toEqual(["app=x:2"]);
    expect(of(await containers([{ name: "side", image: "y:1" }], { "$setElementOrder/containers": [{ name: "side" }, { name: "app" }] }))).toEqual(["side=y:1", "app=x:2"]);
    expect(of(await containers([{ name: "side", $patch: "delete" }]))).toEqual(["app=x:2"]);
    expect(of(await containers([{ $patch: "replace" }, { name: "only", image: "z:1" }]))).toEqual(["only=z:1"]);
    expect(await containers([{ image: "no name" }])).toMatchObject({ status: 400 });
    const env = await containers([{ name: "only", env: [{ name: "A", value: "1" }] }]);
    expect(env.body.spec).toMatchObject({ template: { spec: { containers: [{ image: "z:1", env: [{ name: "A", value: "1" }] }] } } });
  });

  it("merge plainly, and by operations", async () => {
    expect(await admin("PATCH", ONE, { metadata: { labels: { a: "1", b: "2" } } }, MERGE)).toMatchObject({ status: 200, body: { metadata: { labels: { a: "1", b: "2" } } } });
    const gone = await admin("PATCH", ONE, { metadata: { labels: { a: null } } }, MERGE);
    expect(gone.body.metadata.labels).toEqual({ b: "2" });
    // A plain merge knows no names: the list is the new one.
    expect(await admin("PATCH", ONE, { spec: { template: { spec: { containers: [{ name: "app" }] } } } }, MERGE)).toMatchObject({ status: 422 });
    const path = "/spec/template/spec/containers/0/image";
    const replaced = await admin("PATCH", ONE, [{ op: "test", path, value: "registry.example/app:1" }, { op: "replace", path, value: "x:9" }, { op: "add", path: "/metadata/labels/c~1d", value: "3" }], JSON_PATCH);
    expect([replaced.status, image(replaced.body), replaced.body.metadata.labels]).toEqual([200, "x:9", { b: "2", "c/d": "3" }]);
    expect(await admin("PATCH", ONE, [{ op: "test", path, value: "else" }], JSON_PATCH)).toMatchObject({ status: 422 });
    expect(await admin("PATCH", ONE, [{ op: "remove", path: "/spec/nowhere" }], JSON_PATCH)).toMatchObject({ status: 422 });
    expect(await admin("PATCH", ONE, { op: "remove" }, JSON_PATCH)).toMatchObject({ status: 400 });
    expect((await admin("PATCH", ONE, [{ op: "copy", from: "/metadata/labels/b", path: "/metadata/labels/e" }, { op: "move", from: "/metadata/labels/e", path: "/metadata/labels/f" }, { op: "remove", path: "/metadata/labels/b" }], JSON_PATCH)).body.metadata.labels).toEqual({ "c/d": "3", f: "2" });
    expect(await admin("PATCH", `${DEPLOYMENTS}/gone`, {}, MERGE)).toMatchObject({ status: 404 });
  });

  it("for a dry run go through everything but the writing", async () => {
    const before = await admin("GET", ONE);
    const dry = await admin("PATCH", `${ONE}?dryRun=All`, { spec: { replicas: 5 } }, MERGE);
    expect(dry).toMatchObject({ status: 200, body: { spec: { replicas: 5 } } });
    expect((await admin("GET", ONE)).body).toEqual(before.body);
    expect(await admin("PATCH", `${ONE}?dryRun=All`, { spec: { replicas: -1 } }, MERGE)).toMatchObject({ status: 422 });
    expect(await admin("PATCH", `${ONE}?dryRun=Some`, {}, MERGE)).toMatchObject({ status: 422, body: { message: expect.stringContaining('dryRun: Unsupported value: "Some": supported values: "All"') } });
    expect(await admin("POST", `${DEPLOYMENTS}?dryRun=All`, deployment("dry"))).toMatchObject({ status: 201 });
    expect((await admin("GET", `${DEPLOYMENTS}/dry`)).status).toBe(404);
    expect((await admin("DELETE", `${ONE}?dryRun=All`)).status).toBe(200);
    expect((await admin("GET", ONE)).status).toBe(200);
  });
});

describe("server-side apply", () => {
  const apply = (manager: string, object: object, query = "", who = admin) => who("PATCH", `${ONE}?fieldManager=${manager}${query}`, { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "dcf-function", namespace: NAMESPACE }, ...object }, APPLY);
  const withImage = (tag: string) => ({ spec: { template: { spec: { containers: [{ name: "app", image: tag }] } } } });

  it("refuses a field that another manager holds with another value, and takes it by force", async () => {
    const refused = await apply("platform", withImage("x:2"));
    expect(refused).toMatchObject(
      status(409, "Conflict", 'Apply failed with 1 conflict: conflict with "sandbox" using apps/v1: .spec.template.spec.containers[name="app"].image', {
        causes: [{ reason: "FieldManagerConflict", message: 'conflict with "sandbox" using apps/v1', field: '.spec.template.spec.containers[name="app"].image' }],
      }),
    );
    expect(await apply("platform", { spec: { replicas: 4, ...withImage("x:2").spec } })).toMatchObject(
      status(409, "Conflict", 'Apply failed with 2 conflicts: conflicts with "sandbox" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name="app"].image'),
    );
    const forced = await apply("platform", withImage("x:2"), "&force=true");
    expect([forced.status, image(forced.body)]).toEqual([200, "x:2"]);
    expect(forced.body.metadata.managedFields).toContainEqual(expect.objectContaining({ manager: "platform", operation: "Apply", fieldsV1: { "f:spec": { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"app"}': { ".": {}, "f:image": {}, "f:name": {} } } } } } } }));
    expect(await apply("somebody", withImage("x:3"))).toMatchObject({ body: { message: 'Apply failed with 1 conflict: conflict with "platform": .spec.template.spec.containers[name="app"].image' } });
    // The same value is shared, not fought over.
    expect((await apply("somebody", withImage("x:2"))).status).toBe(200);
  });

  it("removes what its manager no longer applies, and nobody else's", async () => {
    const labels = (manager: string, values: object, query = "") => apply(manager, { metadata: { name: "dcf-function", namespace: NAMESPACE, labels: values } }, query);
    await labels("one", { a: "1", b: "1" });
    await labels("two", { b: "1", c: "1" });
    expect((await labels("one", {})).body.metadata.labels).toEqual({ b: "1", c: "1" });
    expect((await labels("two", { c: "2" })).body.metadata.labels).toEqual({ c: "2" });
    // Who updates a field by other means takes it over.
    await admin("PATCH", `${ONE}?fieldManager=editor`, { metadata: { labels: { c: "3" } } }, MERGE);
    expect((await labels("two", {})).body.metadata.labels).toEqual({ c: "3" });
    await admin("PATCH", ONE, { metadata: { labels: null } }, MERGE);
    const sidecar = (list: object[]) => apply("three", { spec: { template: { spec: { containers: list } } } });
    const names = ({ body }: { body: ApiObject }) => (body.spec["template"] as { spec: { containers: { name: string }[] } }).spec.containers.map(({ name }) => name);
    expect(names(await sidecar([{ name: "side", image: "s:1" }]))).toEqual(["app", "side"]);
    expect(names(await sidecar([]))).toEqual(["app"]);
  });

  it("makes what is not there for who may also create, and names its manager", async () => {
    const target = `${DEPLOYMENTS}/new`;
    const body = JSON.stringify(deployment("new"));
    expect(await admin("PATCH", target, body, APPLY)).toMatchObject(status(422, "Invalid", 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'));
    const robot = apiOf(sandbox, CLUSTER, await tokenOf("robot"));
    await grant([{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"] }]);
    expect(await robot("PATCH", `${target}?fieldManager=robot`, body, APPLY)).toMatchObject({ status: 403, body: { message: expect.stringContaining('cannot create resource "deployments"') } });
    expect(await admin("PATCH", `${target}?fieldManager=admin`, body, APPLY)).toMatchObject({ status: 201, body: { metadata: { managedFields: [{ manager: "admin", operation: "Apply" }] } } });
    expect(await robot("PATCH", `${target}?fieldManager=robot&dryRun=All`, JSON.stringify({ ...deployment("new"), spec: { replicas: 2 } }), APPLY)).toMatchObject({ status: 200, body: { spec: { replicas: 2 } } });
    expect((await admin("GET", target)).body.spec).toMatchObject({ replicas: 1 });
  });
});

describe("tokens of service accounts", () => {
  const request = (spec: object, name = "project-4711", namespace = "dcf", who = admin) => who("POST", `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });

  it("carry the workload's identity, signed by the cluster's issuer", async () => {
    const audience = "https://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/p/providers/q";
    const { status: code, body } = await request({ audiences: [audience], expirationSeconds: 900 });
    const { header, claims } = decodeJwt(String(body.status["token"]))!;
    const account = await admin("GET", "/api/v1/namespaces/dcf/serviceaccounts/project-4711");
    expect([code, header]).toEqual([201, { alg: "RS256", kid: sandbox.issuers.get("https://oidc.dcf.example").signingKid }]);
    expect(claims).toMatchObject({
      iss: "https://oidc.dcf.example",
      sub: "system:serviceaccount:dcf:project-4711",
      aud: [audience],
      "kubernetes.io": { namespace: "dcf", serviceaccount: { name: "project-4711", uid: account.body.metadata.uid } },
    });
    expect(Number(claims["exp"]) - Number(claims["iat"])).toBe(900);
    expect(body.status["expirationTimestamp"]).toBe(new Date(Number(claims["exp"]) * 1000).toISOString().replace(".000", ""));
    const review = { spec: { token: body.status["token"], audiences: [audience] } };
    expect(await admin("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)).toMatchObject({ body: { status: { authenticated: true, user: { username: "system:serviceaccount:dcf:project-4711" }, audiences: [audience] } } });
    expect(await admin("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { spec: { ...review.spec, audiences: ["other"] } })).toMatchObject({ body: { status: { authenticated: false } } });
  });

  it("last at least ten minutes, and are bound to what is there", async () => {
    expect(await request({ expirationSeconds: 599 })).toMatchObject(status(422, "Invalid", 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes'));
    expect((await request({ expirationSeconds: 600 })).status).toBe(201);
    expect(await request({}, "nobody")).toMatchObject(status(404, "NotFound", 'serviceaccounts "nobody" not found'));
    const pod = await admin("POST", "/api/v1/namespaces/dcf/pods", { metadata: { name: "worker" }, spec: { containers: [{ name: "a", image: "b", imagePullPolicy: "Always" }] } });
    const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: "worker", uid: pod.body.metadata.uid };
    const bound = await request({ boundObjectRef });
    expect(decodeJwt(String(bound.body.status["token"]))!.claims["kubernetes.io"]).toMatchObject({ pod: { name: "worker", uid: pod.body.metadata.uid } });
    expect(await request({ boundObjectRef: { ...boundObjectRef, uid: "else" } })).toMatchObject({ status: 409 });
    expect(await request({ boundObjectRef: { ...boundObjectRef, name: "gone" } })).toMatchObject(status(404, "NotFound", 'pods "gone" not found'));
    const api = apiOf(sandbox, CLUSTER, String(bound.body.status["token"]));
    expect((await api("GET", "/version")).status).toBe(200);
    await admin("DELETE", "/api/v1/namespaces/dcf/pods/worker");
    expect((await api("GET", "/version")).status).toBe(401);
  });
});

describe("the sandbox around it", () => {
  it("discovers in both ways, and publishes the issuer to its accounts", async () => {
    expect((await admin("GET", "/api")).body).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
    expect((await admin("GET", "/apis/apps/v1")).body).toMatchObject({ kind: "APIResourceList", groupVersion: "apps/v1", resources: expect.arrayContaining([expect.objectContaining({ name: "deployments", kind: "Deployment", namespaced: true })]) });
    const aggregated = apiOf(sandbox, CLUSTER, administratorToken(sandbox, CLUSTER), undefined, { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json" });
    expect((await aggregated("GET", "/apis")).body).toMatchObject({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", items: expect.arrayContaining([expect.objectContaining({ metadata: { name: "apps", creationTimestamp: null } })]) });
    const robot = apiOf(sandbox, CLUSTER, await tokenOf("robot"));
    expect((await robot("GET", "/.well-known/openid-configuration")).body).toMatchObject({ issuer: "https://oidc.dcf.example" });
    expect((await robot("GET", "/openid/v1/jwks")).body["keys"]).toHaveLength(1);
    expect((await apiOf(sandbox, CLUSTER)("GET", "/openid/v1/jwks")).status).toBe(403);
  });

  it("answers past the wire with the same refusals, and obeys ordered faults", async () => {
    const jane = { username: "jane", groups: [] };
    await expect(sandbox.kubernetes.call(CLUSTER, jane, "GET", ONE)).rejects.toThrow(KubernetesError);
    expect(await sandbox.kubernetes.call(CLUSTER, sandbox.kubernetes.administrator, "GET", ONE)).toMatchObject({ metadata: { name: "dcf-function" } });
    sandbox.faults.add({ operation: "kubernetes:PatchDeployment", status: 503, code: "ServiceUnavailable", message: "the server is currently unable to handle the request", count: 1 });
    expect(await admin("PATCH", ONE, {}, MERGE)).toMatchObject(status(503, "ServiceUnavailable", "the server is currently unable to handle the request"));
    expect((await admin("PATCH", ONE, {}, MERGE)).status).toBe(200);
  });

  it("hands kubeconfigs that lead here to its own administrator", async () => {
    const get = async (query: string) => (await fetch(`${sandbox.url}/_sandbox/v1/kubeconfig${query}`)).json() as Promise<Record<string, string>>;
    expect((await get("?cluster=dcf-apps"))["kubeconfig"]).toBe(sandbox.kubernetes.kubeconfig("dcf-apps", sandbox.url));
    expect((await get(""))["kubeconfig"]).toContain(`server: ${sandbox.kubernetes.platformCluster.server}`);
    expect((await get("?cluster=dcf-apps"))["kubeconfig"]).toContain(`proxy-url: ${sandbox.url}`);
    expect(await get("?cluster=gone")).toEqual({ error: "No Kubernetes cluster gone in this sandbox (there is: platform, dcf-apps)." });
  });

  it("makes and deletes clusters, which keep to themselves", async () => {
    const { kubernetes } = sandbox;
    expect(kubernetes.clusters().map(({ name }) => name)).toEqual(["platform", "dcf-apps"]);
    const made = kubernetes.createCluster({ name: "extra", issuer: "https://extra.example" });
    expect(made.server).toBe("https://extra.kubernetes.dcf.example");
    const extra = apiOf(sandbox, "extra", administratorToken(sandbox, "extra"));
    expect((await extra("GET", "/api/v1/namespaces")).body.items.map(({ metadata }) => metadata.name)).toEqual(["default", "kube-node-lease", "kube-public", "kube-system"]);
    expect(await extra("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", { spec: {} })).toMatchObject({ status: 201 });
    expect(sandbox.issuers.find("https://extra.example")).toBeDefined();
    expect(() => kubernetes.createCluster({ name: "extra", issuer: "https://extra.example" })).toThrow("The Kubernetes cluster extra exists already.");
    kubernetes.deleteCluster("extra");
    expect(() => kubernetes.kubeconfig("extra")).toThrow("No Kubernetes cluster extra in this sandbox (there is: platform, dcf-apps).");
    expect(sandbox.store.types().filter((type) => type.startsWith("kubernetes:"))).toEqual(expect.arrayContaining(["kubernetes:apps/deployments", "kubernetes:core/namespaces"]));
    expect(JSON.stringify(sandbox.store.types().filter((type) => !type.startsWith("secret:")).map((type) => sandbox.store.list(type)))).not.toContain(administratorToken(sandbox, CLUSTER));
  });
});
