import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { DeploymentPatch } from "@pulumi/kubernetes/apps/v1/deploymentPatch.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { NamespacePatch } from "@pulumi/kubernetes/core/v1/namespacePatch.js";
import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole.js";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import { getCluster } from "@pulumi/gcp/container/getCluster.js";

import { openCliStack, type CliStack, type PulumiCli } from "../../engine/cli-runner.js";
import { destroyEmbedded } from "../../engine/destroy.js";
import { runEmbedded, type EmbeddedOptions, type EmbeddedResource, type EmbeddedResult } from "../../engine/embedded.js";
import { compareInputs, readInputs, resourceBehaviour } from "../../engine/operations.js";
import { unwrap } from "../../engine/properties.js";
import { startProviderServer, type ProviderServer } from "../../engine/provider-server.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { describeWithPulumi, pulumi, temporaryProject, type TemporaryProject } from "./project.js";

jest.setTimeout(300_000);

const CLUSTER = "dcf-apps";
const NAMESPACE = "dcf-functions";
const RBAC = "rbac.authorization.k8s.io";

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let config: Record<string, string>;
beforeAll(async () => {
  sandbox = await startSandbox();
  const { kubernetes } = sandbox;
  await kubernetes.call(CLUSTER, kubernetes.administrator, "POST", "/api/v1/namespaces", { metadata: { name: NAMESPACE } });
  config = { "kubernetes:kubeconfig": kubernetes.kubeconfig(CLUSTER), "kubernetes:namespace": NAMESPACE, "gcp:project": "customer-app-prod" };
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

interface Live {
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string>; managedFields: { manager: string; operation: string }[] };
  spec: Record<string, unknown>;
  rules: { verbs: string[] }[];
}
const call = (method: string, path: string, body?: unknown, contentType?: string) =>
  sandbox.kubernetes.call<Live>(CLUSTER, sandbox.kubernetes.administrator, method, path, body, contentType);
const roles = `/apis/${RBAC}/v1/namespaces/${NAMESPACE}/roles`;
const deployments = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const merge = "application/merge-patch+json";

const run = (program: EmbeddedOptions["program"], more: Partial<EmbeddedOptions> = {}) =>
  runEmbedded({ program, project: "proj", stack: "dev", config, tables: sandbox.tables, ...more });
const single = (register: () => unknown, more: Partial<EmbeddedOptions> = {}) =>
  run(async () => {
    register();
    return {};
  }, more);
const named = (result: EmbeddedResult, name: string): EmbeddedResource => result.resources.find((resource) => resource.name === name)!;

const rules = [{ apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["dcf-function"], verbs: ["get", "patch"] }];
const labels = { app: "web" };
const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: "app", image: "x:1", ports: [{ containerPort: 8080 }] }] } } };

/** One of everything that programs make, most of it named by the provider. */
async function everything(): Promise<Record<string, unknown>> {
  const namespace = new Namespace("space", { metadata: { labels: { team: "x" } } });
  const role = new Role("role", { rules });
  const binding = new RoleBinding("binding", { roleRef: { apiGroup: RBAC, kind: "Role", name: role.metadata.name }, subjects: [{ apiGroup: RBAC, kind: "User", name: "jane" }] });
  const clusterRole = new ClusterRole("cluster-role", { metadata: { name: "readers" }, rules: [{ apiGroups: [""], resources: ["namespaces"], verbs: ["get"] }] });
  const clusterBinding = new ClusterRoleBinding("cluster-binding", { roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: clusterRole.metadata.name }, subjects: [{ kind: "ServiceAccount", name: "robot", namespace: NAMESPACE }] });
  const account = new ServiceAccount("robot", { metadata: { name: "robot" } });
  const settings = new ConfigMap("settings", { metadata: { namespace: namespace.metadata.name }, data: { a: "b" } });
  const secret = new Secret("secret", { stringData: { key: "value" } });
  const deployment = new Deployment("web", { metadata: { name: "web" }, spec });
  const patch = new NamespacePatch("patch", { metadata: { name: NAMESPACE, labels: { patched: "yes" } } });
  return { name: role.metadata.name, role: role.id, binding, clusterBinding, account, settings, secret, deployment, patch };
}

describe("the Kubernetes resource table", () => {
  it("creates one of everything, with the provider's ids and names", async () => {
    const result = await run(everything);
    expect(result.errors).toEqual([]);
    expect(named(result, "role").id).toMatch(new RegExp(`^${NAMESPACE}/role-[0-9a-f]{8}$`));
    expect(named(result, "role").outputs).toMatchObject({ apiVersion: `${RBAC}/v1`, kind: "Role", rules, metadata: { namespace: NAMESPACE, annotations: { "pulumi.com/autonamed": "true" }, uid: expect.any(String) } });
    expect(named(result, "space").id).toMatch(/^space-[0-9a-f]{8}$/);
    expect([named(result, "cluster-role").id, named(result, "robot").id]).toEqual(["readers", `${NAMESPACE}/robot`]);
    expect(named(result, "settings").id).toMatch(/^space-[0-9a-f]{8}\/settings-[0-9a-f]{8}$/);
    expect(named(result, "web").outputs).toMatchObject({ metadata: { generation: 1 }, spec: { replicas: 1 }, status: { availableReplicas: 1 } });
    expect((await call("GET", `${roles}/${String(result.outputs["name"]!.value)}`)).rules).toEqual(rules);
    expect((await call("GET", `/api/v1/namespaces/${NAMESPACE}`)).metadata.labels).toMatchObject({ patched: "yes" });
  });

  it("changes nothing in a second run, and reads everything back as it was given", async () => {
    const first = await run(everything);
    const again = await run(everything, { previous: first.resources });
    expect(again.errors).toEqual([]);
    expect(new Set(again.resources.map(({ status }) => status))).toEqual(new Set(["same"]));
    for (const { type, name, id, scope, ...resource } of first.resources) {
      const behaviour = resourceBehaviour(sandbox.tables, type);
      const [inputs, outputs] = [unwrap(resource.inputs).plain, unwrap(resource.outputs).plain];
      const found = await behaviour.read(id, scope!, outputs);
      const { changes } = compareInputs(behaviour, readInputs(behaviour, found!.inputs, inputs), inputs);
      expect([name, [...changes.keys()]]).toEqual([name, []]);
    }
  });

  it("sees what others changed of what it gave, and not what they added", async () => {
    const { resources } = await run(everything);
    const drift = async (name: string): Promise<string[]> => {
      const { type, id, scope, inputs, outputs } = resources.find((each) => each.name === name)!;
      const behaviour = resourceBehaviour(sandbox.tables, type);
      const found = await behaviour.read(id, scope!, outputs);
      return [...compareInputs(behaviour, found!.inputs, inputs).changes.keys()];
    };
    await call("PATCH", `${deployments}/web`, { metadata: { labels: { theirs: "1" } }, spec: { replicas: 3 } }, merge);
    expect(await drift("web")).toEqual([]);
    await call("PATCH", `${deployments}/web`, [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "x:2" }], "application/json-patch+json");
    expect(await drift("web")).toEqual(["spec"]);
    const role = resources.find(({ name }) => name === "role")!;
    await call("PATCH", `/apis/${RBAC}/v1/namespaces/${role.id.replace("/", "/roles/")}`, { rules: [{ ...rules[0], verbs: ["*"] }] }, merge);
    expect(await drift("role")).toEqual(["rules"]);
    await call("DELETE", `/apis/${RBAC}/v1/namespaces/${role.id.replace("/", "/roles/")}`);
    const behaviour = resourceBehaviour(sandbox.tables, role.type);
    expect(await behaviour.read(role.id, role.scope!, role.outputs)).toBeUndefined();
  });

  it("imports by namespace and name, and gets what there is", async () => {
    await call("POST", roles, { metadata: { name: "existing", labels: { a: "b" } }, rules });
    const metadata = { name: "existing", labels: { a: "b" } };
    const imported = await single(() => new Role("mine", { metadata, rules }, { import: `${NAMESPACE}/existing` }));
    expect([imported.errors, named(imported, "mine")]).toMatchObject([[], { status: "same", id: `${NAMESPACE}/existing` }]);
    const differs = await single(() => new Role("mine", { metadata, rules: [] }, { import: `${NAMESPACE}/existing` }));
    expect(differs.errors).toEqual([expect.stringContaining("rules changed")]);
    const got = await run(async () => ({ rules: Role.get("there", `${NAMESPACE}/existing`).rules, short: Role.get("short", "existing").metadata.uid }));
    expect([got.errors, got.outputs["rules"]!.value, got.outputs["short"]!.value]).toEqual([[], rules, expect.any(String)]);
    const missing = resourceBehaviour(sandbox.tables, `kubernetes:${RBAC}/v1:Role`);
    expect(await missing.read(`${NAMESPACE}/gone`, named(imported, "mine").scope!)).toBeUndefined();
  });

  it("words refusals as the provider does", async () => {
    await call("POST", roles, { metadata: { name: "taken" }, rules });
    const errors = async (register: () => unknown, more: Partial<EmbeddedOptions> = {}) => (await single(register, more)).errors;
    const prefix = `kubernetes:${RBAC}/v1:Role (r): resource "${NAMESPACE}/taken" was not successfully created by the Kubernetes API server: `;
    expect(await errors(() => new Role("r", { metadata: { name: "taken" }, rules }))).toEqual([`${prefix}roles.${RBAC} "taken" already exists`]);
    expect(await errors(() => new Role("r", { metadata: { name: "lost", namespace: "nowhere" }, rules }))).toEqual([expect.stringContaining('namespaces "nowhere" not found')]);
    expect(await errors(() => new Role("r", { metadata: { name: "wrong" }, rules: [{ verbs: [] }] }))).toEqual([expect.stringContaining('Role.rbac.authorization.k8s.io "wrong" is invalid: [rules[0].verbs: Required value')]);
    expect(await errors(() => new DeploymentPatch("p", { spec: { replicas: 2 } }))).toEqual([expect.stringContaining("patch resources require the `metadata.name` field to be set")]);
    const upsert = { config: { ...config, "kubernetes:upsertExistingObjects": "true" } };
    expect(await errors(() => new Role("r", { metadata: { name: "taken" }, rules }), upsert)).toEqual([]);
    const taking = new RegExp(`Server-Side Apply field conflict detected.*: Apply failed with 1 conflict: conflict with "sandbox" using ${RBAC}/v1: \\.rules$`);
    expect(await errors(() => new Role("r", { metadata: { name: "taken" }, rules: [{ ...rules[0]!, verbs: ["get"] }] }), upsert)).toEqual([expect.stringMatching(/Apply failed with 1 conflict/)]);
    await call("POST", roles, { metadata: { name: "foreign" }, rules });
    expect(await errors(() => new Role("r", { metadata: { name: "foreign" }, rules: [{ ...rules[0]!, verbs: ["get"] }] }), upsert)).toEqual([expect.stringMatching(taking)]);
    expect(await errors(() => new Role("r", { metadata: { name: "foreign" }, rules: [{ ...rules[0]!, verbs: ["get"] }] }), { config: { ...upsert.config, "kubernetes:enablePatchForce": "true" } })).toEqual([]);
  });

  it("acts as whom the kubeconfig names, where it says", async () => {
    const kubeconfig = sandbox.kubernetes.kubeconfig(CLUSTER);
    const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
    const file = join(folder, "config");
    writeFileSync(file, kubeconfig);
    const token = sandbox.gcp.administrator().accessToken;
    const exec = JSON.stringify({
      "current-context": "c",
      clusters: [{ name: "c", cluster: { server: `https://${sandbox.kubernetes.cluster(CLUSTER)!.dnsEndpoint}` } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u", namespace: NAMESPACE } }],
      users: [{ name: "u", user: { exec: { command: "gke-gcloud-auth-plugin" } } }],
    });
    const make = (kubernetes: Record<string, string>) => single(() => new ConfigMap("m", { data: {} }), { config: Object.fromEntries(Object.entries(kubernetes).map(([key, value]) => [`kubernetes:${key}`, value])) });
    expect((await make({ kubeconfig: file })).resources[0]!.id).toMatch(/^default\/m-/);
    expect((await make({ kubeconfig: exec })).resources[0]!.id).toMatch(new RegExp(`^${NAMESPACE}/m-`));
    expect((await make({ kubeconfig: kubeconfig.replace(/token: .*/, `token: ${token}`) })).errors).toEqual([]);
    expect((await make({ kubeconfig: kubeconfig.replace(/token: .*/, "token: unknown") })).errors).toEqual([expect.stringContaining("the server has asked for the client to provide credentials")]);
    expect((await make({ kubeconfig: kubeconfig.replace(/https:.*/, "https://192.0.2.1") })).errors).toEqual([expect.stringContaining("the sandbox has no cluster at https://192.0.2.1")]);
    expect((await make({ kubeconfig: "nowhere" })).errors).toEqual([expect.stringContaining("the kubeconfig is neither YAML nor JSON, nor the path of such a file")]);
    expect((await make({ kubeconfig, context: "other" })).errors).toEqual([expect.stringContaining('context "other" does not exist')]);
    expect((await make({})).errors).toEqual([expect.stringContaining("the sandbox's provider does not see the shell's KUBECONFIG")]);
    rmSync(folder, { recursive: true });
  });

  it("takes a provider made of the cluster that a program looks up", async () => {
    const program = async () => {
      const cluster = await getCluster({ name: CLUSTER, location: "us-central1" });
      const kubeconfig = JSON.stringify({
        "current-context": "c",
        clusters: [{ name: "c", cluster: { server: `https://${cluster.endpoint}`, "certificate-authority-data": cluster.masterAuths[0]!.clusterCaCertificate } }],
        contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
        users: [{ name: "u", user: { exec: { command: "gke-gcloud-auth-plugin" } } }],
      });
      const provider = new Provider("cluster", { kubeconfig, enableServerSideApply: true });
      return { id: new Role("role", { metadata: { name: "r", namespace: NAMESPACE }, rules }, { provider }).id };
    };
    const disabled = await run(program);
    expect(disabled.errors).toEqual([expect.stringContaining("Kubernetes Engine API has not been used in project")]);
    await sandbox.gcp.call(sandbox.gcp.administrator().caller, "POST", "https://serviceusage.googleapis.com/v1/projects/customer-app-prod/services/container.googleapis.com:enable");
    const preview = await run(program, { preview: true });
    const result = await run(program);
    expect([preview.errors, result.errors, result.outputs["id"]!.value]).toEqual([[], [], `${NAMESPACE}/r`]);
  });

  it("destroys what it made; a patch gives up its fields", async () => {
    const { resources } = await run(everything);
    const destroyed = await destroyEmbedded(resources, sandbox.tables);
    expect(destroyed.errors).toEqual([]);
    await expect(call("GET", `${deployments}/web`)).rejects.toMatchObject({ code: 404 });
    expect((await call("GET", `/api/v1/namespaces/${NAMESPACE}`)).metadata.labels).toEqual({ "kubernetes.io/metadata.name": NAMESPACE });
    expect((await destroyEmbedded(resources, sandbox.tables)).errors).toEqual([]);
  });
});

describeWithPulumi("the Kubernetes resource table by the real engine", () => {
  let server: ProviderServer;
  let project: TemporaryProject;
  let stack: CliStack | undefined;
  beforeAll(async () => {
    server = await startProviderServer(sandbox.tables);
  });
  beforeEach(() => {
    project = temporaryProject("");
  });
  afterEach(async () => {
    project.remove();
    await stack?.remove();
    stack = undefined;
  });
  afterAll(() => server.close());

  const files = ["apps/v1/deployment", "rbac/v1/role", "rbac/v1/roleBinding"].map((file) => `...require("@pulumi/kubernetes/${file}.js")`);
  const rewrite = (program: string): void => project.write(`const k8s = { ${files.join(", ")} };\n${program}`);
  const open = async (program: string): Promise<CliStack> => {
    rewrite(program);
    const { "kubernetes:kubeconfig": kubeconfig = "", "kubernetes:namespace": namespace } = config;
    stack = await openCliStack({
      cli: pulumi as PulumiCli,
      projectDirectory: project.directory,
      stack: "dev",
      port: server.port,
      packages: ["kubernetes"],
      config: { "kubernetes:namespace": namespace },
      secretConfig: { "kubernetes:kubeconfig": kubeconfig },
    });
    return stack;
  };

  it("previews, creates, updates in place, replaces, refreshes, imports and destroys", async () => {
    const program = (verbs: string[], role = "role.metadata.name", image = "x:1") => `
      const role = new k8s.Role("role", { rules: [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ${JSON.stringify(verbs)} }] });
      new k8s.RoleBinding("binding", { metadata: { name: "binding" }, roleRef: { apiGroup: "${RBAC}", kind: "Role", name: ${role} }, subjects: [{ kind: "User", name: "jane" }] });
      const labels = { app: "web" };
      new k8s.Deployment("web", { metadata: { name: "web" }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: "app", image: "${image}" }] } } } });
      module.exports = { id: role.id, name: role.metadata.name };`;
    const opened = await open(program(["get"]));
    const preview = await opened.preview();
    expect([preview.errors, preview.changes]).toEqual([[], { create: 4 }]);
    const up = await opened.up();
    expect([up.errors, up.changes]).toEqual([[], { create: 4 }]);
    const { id, name } = (await opened.outputs()) as { id: string; name: string };
    expect(id).toBe(`${NAMESPACE}/${name}`);
    const again = await opened.preview("--expect-no-changes");
    expect([again.errors, again.exitCode]).toEqual([[], 0]);

    rewrite(program(["get", "patch"], undefined, "x:2"));
    const updated = await opened.up();
    expect([updated.errors, updated.changes]).toEqual([[], { same: 2, update: 2 }]);
    expect((await call("GET", `${roles}/${name}`)).rules).toMatchObject([{ verbs: ["get", "patch"] }]);
    const { metadata } = await call("GET", `${deployments}/web`);
    expect(metadata.managedFields).toMatchObject([{ manager: expect.stringMatching(/^pulumi-kubernetes-[0-9a-f]{8}$/), operation: "Apply" }]);

    await call("PATCH", `${roles}/${name}`, { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] }, merge);
    const refreshed = await opened.refresh();
    expect(refreshed.changes).toMatchObject({ update: 1 });
    const repaired = await opened.up();
    expect(repaired.errors).toContainEqual(expect.stringContaining('Apply failed with 1 conflict: conflict with "sandbox" using rbac.authorization.k8s.io/v1: .rules'));
    await call("PATCH", `${roles}/${name}`, { rules: [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "patch"] }] }, merge);
    await opened.refresh();

    // A binding's role cannot be changed: the old one goes first, since its name is the program's.
    await call("POST", roles, { metadata: { name: "other" }, rules: [] });
    rewrite(program(["get", "patch"], '"other"', "x:2"));
    const replaced = await opened.up();
    expect(replaced.errors).toEqual([]);
    expect(replaced.steps.filter(({ op }) => op !== "same").map(({ op }) => op)).toEqual(["delete-replaced", "replace", "create-replacement"]);

    await call("POST", roles, { metadata: { name: "existing" }, rules: [] });
    rewrite(`${program(["get", "patch"], '"other"', "x:2")}\nnew k8s.Role("existing", { metadata: { name: "existing" }, rules: [] }, { import: "${NAMESPACE}/existing" });`);
    const imported = await opened.up();
    expect([imported.errors, imported.changes]).toMatchObject([[], { import: 1 }]);
    const destroyed = await opened.destroy();
    expect([destroyed.errors, destroyed.changes]).toEqual([[], { delete: 5 }]);
    await expect(call("GET", `${roles}/${name}`)).rejects.toMatchObject({ code: 404 });
  });
});
