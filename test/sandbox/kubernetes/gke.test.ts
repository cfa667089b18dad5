/** GKE: finding a cluster by its API, Google's identities in it, its issuer; gcloud and kubectl where they are on PATH. */
import { spawnSync } from "node:child_process";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../../sandbox/index.js";
import { decodeJwt } from "../../../trust/jwt.js";
import { Clients, onPath } from "../gcp/clients.js";
import { proxied, serviceAccount } from "../gcp/proxied.js";
import { administratorToken, apiOf, bringDeployment, type Call } from "./clients.js";

const CLUSTER = "dcf-apps";
const NAMESPACE = "dcf-functions";
const PROJECT = "customer-app-prod";
const NUMBER = "123456789012";
const API = "https://container.googleapis.com/v1";
const PATH = `projects/${PROJECT}/locations/us-central1/clusters/${CLUSTER}`;
const ONE = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/dcf-function`;
const MERGE = "application/merge-patch+json";
const GROUP = "rbac.authorization.k8s.io";

const hasGcloud = onPath("gcloud");
const hasPlugin = hasGcloud && spawnSync("gke-gcloud-auth-plugin", ["--version"]).status === 0;
if (!hasPlugin) process.stderr.write("skipped: gke-gcloud-auth-plugin is not on PATH\n");

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let deployer: { email: string; member: string; token: string };
let asDeployer: Call;

const google = (method: string, url: string, body?: unknown) => sandbox.gcp.call(sandbox.gcp.administrator().caller, method, url, body);

/** Adds bindings of roles on the project. */
async function bindProject(...roles: string[]): Promise<void> {
  const url = `https://cloudresourcemanager.googleapis.com/v1/projects/${PROJECT}`;
  const policy = (await google("POST", `${url}:getIamPolicy`, { options: { requestedPolicyVersion: 3 } })) as { bindings: object[] };
  await google("POST", `${url}:setIamPolicy`, { policy: { ...policy, bindings: [...policy.bindings, ...roles.map((role) => ({ role, members: [deployer.member] }))] } });
}

async function customRole(roleId: string, ...includedPermissions: string[]): Promise<string> {
  await google("POST", `https://iam.googleapis.com/v1/projects/${PROJECT}/roles`, { roleId, role: { title: roleId, includedPermissions } });
  return `projects/${PROJECT}/roles/${roleId}`;
}

/** As the customer's administrator of the cluster: the Role that the platform gets. */
async function bindDeployment(subject: object): Promise<void> {
  const admin = apiOf(sandbox, CLUSTER, administratorToken(sandbox, CLUSTER));
  const at = `/apis/${GROUP}/v1/namespaces/${NAMESPACE}`;
  await admin("POST", `${at}/roles`, { metadata: { name: "dcf" }, rules: [{ apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["dcf-function"], verbs: ["get", "patch"] }] });
  expect(await admin("POST", `${at}/rolebindings`, { metadata: { name: "dcf" }, roleRef: { kind: "Role", name: "dcf" }, subjects: [subject] })).toMatchObject({ status: 201 });
}

beforeAll(async () => {
  sandbox = await startSandbox();
  await google("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services/container.googleapis.com:enable`);
  await bringDeployment(sandbox, CLUSTER);
  deployer = await serviceAccount(sandbox, "dcf-deployer");
  asDeployer = apiOf(sandbox, CLUSTER, deployer.token);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("the GKE API", () => {
  it("shows a cluster to who may get it, and lists to who may list", async () => {
    const send = proxied(sandbox);
    const get = (path: string) => send("GET", `${API}/${path}`, { token: deployer.token });
    expect(await get(PATH)).toMatchObject({ status: 403, body: { error: { status: "PERMISSION_DENIED" } } });
    await bindProject(await customRole("clusterAccess", "container.clusters.get"));
    const { kubernetes } = sandbox;
    const { server, dnsEndpoint } = kubernetes.cluster(CLUSTER)!;
    expect(dnsEndpoint).toMatch(new RegExp(`^gke-[0-9a-f]{32}-${NUMBER}\\.us-central1\\.gke\\.goog$`));
    const described = {
      name: CLUSTER,
      location: "us-central1",
      status: "RUNNING",
      endpoint: server.replace("https://", ""),
      masterAuth: { clusterCaCertificate: Buffer.from(sandbox.caPem).toString("base64") },
      controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint: dnsEndpoint, allowExternalTraffic: true } },
      workloadIdentityConfig: { workloadPool: `${PROJECT}.svc.id.goog` },
      nodeConfig: { serviceAccount: "default" },
    };
    expect(await get(PATH)).toMatchObject({ status: 200, body: described });
    expect(await send("GET", `https://container.googleapis.com/v1beta1/projects/${NUMBER}/zones/us-central1/clusters/${CLUSTER}`, { token: deployer.token })).toMatchObject({ status: 200, body: { name: CLUSTER } });
    expect(await get(`projects/${PROJECT}/locations/us-central1/clusters/gone`)).toMatchObject({ status: 404, body: { error: { message: `Not found: projects/${PROJECT}/locations/us-central1/clusters/gone.`, status: "NOT_FOUND" } } });
    expect(await get(`projects/${PROJECT}/locations/-/clusters`)).toMatchObject({ status: 403 });
    await bindProject("roles/container.clusterViewer");
    expect(await get(`projects/${PROJECT}/locations/-/clusters`)).toMatchObject({ status: 200, body: { clusters: [described] } });
    expect(await get(`projects/${PROJECT}/locations/europe-west1/clusters`)).toMatchObject({ status: 200, body: {} });
  });

  it("is refused where the project has not enabled it", async () => {
    await google("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services/container.googleapis.com:disable`, {});
    const refused = await proxied(sandbox)("GET", `${API}/${PATH}`, { token: sandbox.gcp.administrator().accessToken });
    expect(refused).toMatchObject({ status: 403, body: { error: { details: expect.arrayContaining([expect.objectContaining({ reason: "SERVICE_DISABLED" })]) } } });
  });

  it("publishes the cluster's issuer to everybody, and its tokens verify by it", async () => {
    const send = proxied(sandbox);
    const issuer = `https://container.googleapis.com/v1/${PATH}`;
    const discovery = await send("GET", `${issuer}/.well-known/openid-configuration`);
    expect(discovery).toMatchObject({ status: 200, body: { issuer, jwks_uri: `${issuer}/jwks`, id_token_signing_alg_values_supported: expect.arrayContaining(["RS256"]) } });
    const keys = await send("GET", `${issuer}/jwks`);
    const admin = apiOf(sandbox, CLUSTER, administratorToken(sandbox, CLUSTER));
    const { body } = await admin("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", { spec: { audiences: ["x"] } });
    const { header, claims } = decodeJwt(String(body.status["token"]))!;
    expect(claims["iss"]).toBe(issuer);
    expect(keys.body).toMatchObject({ keys: [{ kid: header["kid"], kty: "RSA" }] });
    // As Google's token service fetches it, now that the issuer has keys.
    expect(await sandbox.core.fetchPublic(`${issuer}/.well-known/openid-configuration`, 5000)).toMatchObject({ status: "ok", httpStatus: 200, body: expect.stringContaining(`"${issuer}/jwks"`) });
    expect(await sandbox.core.fetchPublic(`${issuer}/jwks`, 5000)).toMatchObject({ status: "ok", httpStatus: 200, body: expect.stringContaining(String(header["kid"])) });
    expect((await send("GET", `https://container.googleapis.com/v1/projects/${PROJECT}/locations/us-central1/clusters/gone/jwks`)).status).toBe(404);
    expect((await send("GET", `${API}/${PATH}`, { token: sandbox.gcp.administrator().accessToken })).status).toBe(200);
  });
});

describe("Google's identities in a cluster", () => {
  it("are users by their address, whom RBAC lets do what it says", async () => {
    expect(await asDeployer("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})).toMatchObject({ status: 201, body: { status: { userInfo: { username: deployer.email, groups: ["system:authenticated"] } } } });
    expect(await asDeployer("PATCH", ONE, {}, MERGE)).toMatchObject({
      status: 403,
      body: {
        reason: "Forbidden",
        message: `deployments.apps "dcf-function" is forbidden: User "${deployer.email}" cannot patch resource "deployments" in API group "apps" in the namespace "${NAMESPACE}": requires one of ["container.deployments.update"] permission(s).`,
      },
    });
    await bindDeployment({ kind: "User", name: deployer.email });
    expect((await asDeployer("PATCH", ONE, {}, MERGE)).status).toBe(200);
    expect(await asDeployer("DELETE", ONE)).toMatchObject({ status: 403, body: { message: expect.stringContaining('requires one of ["container.deployments.delete"] permission(s).') } });
    expect((await apiOf(sandbox, CLUSTER, "ya29.unknown")("GET", "/version")).status).toBe(401);
    expect((await apiOf(sandbox, "platform", deployer.token)("GET", "/version")).status).toBe(401);
  });

  it("may do by IAM what the project grants them, without any RBAC", async () => {
    const review = async (attributes: object) => (await asDeployer("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec: { resourceAttributes: { namespace: NAMESPACE, group: "apps", resource: "deployments", ...attributes } } })).body.status;
    expect(await review({ verb: "patch", name: "dcf-function" })).toMatchObject({ allowed: false });
    await bindProject(await customRole("deploy", "container.deployments.update"));
    expect(await review({ verb: "patch", name: "dcf-function" })).toEqual({ allowed: true, reason: "access granted by IAM permissions." });
    expect((await asDeployer("PATCH", ONE, {}, MERGE)).status).toBe(200);
    // On every namespace, which is why a Role is better.
    expect(await review({ verb: "update", namespace: "kube-system" })).toMatchObject({ allowed: true });
    expect(await review({ verb: "get", name: "dcf-function" })).toMatchObject({ allowed: false });
    expect((await asDeployer("GET", ONE)).status).toBe(403);
    expect((await asDeployer("GET", `/api/v1/namespaces/${NAMESPACE}/secrets`)).status).toBe(403);
    await bindProject("roles/container.developer");
    expect((await asDeployer("GET", `/api/v1/namespaces/${NAMESPACE}/secrets`)).status).toBe(200);
    expect((await asDeployer("POST", `/apis/${GROUP}/v1/clusterroles`, { metadata: { name: "x" }, rules: [] })).status).toBe(403);
  });

  it("are users by their principal when they are federated, and groups by its attributes", async () => {
    const pools = `https://iam.googleapis.com/v1/projects/${PROJECT}/locations/global/workloadIdentityPools`;
    await google("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services/sts.googleapis.com:enable`);
    await google("POST", `${pools}?workloadIdentityPoolId=dcf-pool`, {});
    await google("POST", `${pools}/dcf-pool/providers?workloadIdentityPoolProviderId=dcf-oidc`, {
      attributeMapping: { "google.subject": "assertion.sub", "attribute.tenant": "assertion.tenant" },
      attributeCondition: "assertion.sub.startsWith('system:serviceaccount:dcf:')",
      oidc: { issuerUri: "https://oidc.dcf.example" },
    });
    const pool = `iam.googleapis.com/projects/${NUMBER}/locations/global/workloadIdentityPools/dcf-pool`;
    const audience = `//${pool}/providers/dcf-oidc`;
    const subject = "system:serviceaccount:dcf:project-4711";
    const form = new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience,
      scope: "https://www.googleapis.com/auth/cloud-platform",
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      subject_token: await sandbox.issuers.mint({ subject, audience: `https:${audience}`, claims: { tenant: "acme" } }),
    });
    const exchanged = await proxied(sandbox)("POST", "https://sts.googleapis.com/v1/token", { headers: { "content-type": "application/x-www-form-urlencoded" }, body: form.toString() });
    const federated = apiOf(sandbox, CLUSTER, (exchanged.body as unknown as { access_token: string }).access_token);
    const { userInfo } = (await federated("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})).body.status as { userInfo: { username: string; groups: string[] } };
    expect(userInfo.username).toBe(`principal://${pool}/subject/${subject}`);
    expect(userInfo.groups).toEqual(expect.arrayContaining([`principalSet://${pool}/attribute.tenant/acme`, "system:authenticated"]));
    expect((await federated("PATCH", ONE, {}, MERGE)).status).toBe(403);
    await bindDeployment({ kind: "Group", name: `principalSet://${pool}/attribute.tenant/acme` });
    expect((await federated("PATCH", ONE, {}, MERGE)).status).toBe(200);
  });

  it("reach the DNS endpoint only with the right to connect, and service accounts of the cluster never", async () => {
    const { dnsEndpoint } = sandbox.kubernetes.cluster(CLUSTER)!;
    const byName = apiOf(sandbox, CLUSTER, deployer.token, dnsEndpoint);
    expect(await byName("GET", "/version")).toMatchObject({ status: 403, body: { error: { status: "PERMISSION_DENIED", message: expect.stringContaining("container.clusters.connect") } } });
    await bindProject("roles/container.clusterViewer");
    expect((await byName("GET", "/version")).status).toBe(200);
    expect((await byName("GET", ONE)).status).toBe(403);
    expect((await apiOf(sandbox, CLUSTER, administratorToken(sandbox, CLUSTER), dnsEndpoint)("GET", "/version")).status).toBe(401);
    expect((await apiOf(sandbox, CLUSTER, undefined, dnsEndpoint)("GET", "/version")).status).toBe(401);
  });
});

(hasPlugin ? describe : describe.skip)("gcloud and kubectl", () => {
  it("get the cluster's credentials and use them", async () => {
    const clients = new Clients(() => sandbox);
    const getCredentials = () => clients.gcloud(deployer.token, "container", "clusters", "get-credentials", CLUSTER, "--region=us-central1", `--project=${PROJECT}`);
    const refused = await getCredentials();
    expect([refused.status, refused.err]).toEqual([1, expect.stringContaining("container.clusters.get")]);
    await bindProject(await customRole("clusterAccess", "container.clusters.get"));
    expect(await getCredentials()).toMatchObject({ status: 0, err: expect.stringContaining(`kubeconfig entry generated for ${CLUSTER}.`) });
    const kubectl = (...args: string[]) => clients.run("kubectl", ["--token", deployer.token, "-n", NAMESPACE, ...args], { KUBECONFIG: `${clients.folder}/.kube/config` });
    expect(await kubectl("set", "image", "deployment/dcf-function", "app=x:2")).toMatchObject({ status: 1, err: expect.stringContaining("Error from server (Forbidden)") });
    await bindDeployment({ kind: "User", name: deployer.email });
    expect(await kubectl("set", "image", "deployment/dcf-function", "app=x:2")).toMatchObject({ status: 0, out: "deployment.apps/dcf-function image updated\n" });
    expect(await kubectl("auth", "can-i", "patch", "deployments.apps/dcf-function")).toMatchObject({ status: 0, out: "yes\n" });
    expect(await kubectl("auth", "can-i", "delete", "deployments.apps/dcf-function")).toMatchObject({ status: 1, out: expect.stringMatching(/^no/) });
  });
});
