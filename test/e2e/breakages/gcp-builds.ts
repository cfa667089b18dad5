/** Builds, services and clusters: what can be wrong between a staged archive and what runs of it, and what is then named. */
import type { Contract, GrantKind, GrantOf } from "../../../contract/index.js";
import { buildTexts } from "../../../facts/gcp/cloud-build.js";
import { grantOf } from "../../support/gcp.js";
import { including, without, type Binding, type GcpAdministrator } from "../../support/gcp-administrator.js";
import { callCluster } from "../../support/gcp-runtime.js";
import type { GcpCauseCode } from "../../../verify/gcp/causes.js";
import { always, live, narrowed, type GcpBreakage } from "./gcp-breakage.js";

const DENIED = "permission denied" as const;
const DEPLOY = "build succeeds but deploy fails" as const;
const ENDPOINT = "403 Forbidden on endpoint" as const;

/** The bucket is in order in all of these rows. */
const answers = { hop: "none" } as const;
const deploy = { depth: "deploy", answers } as const;
const runtime = { depth: "runtime", answers } as const;

/** A right that is asked about alone. */
const candidates = (code: GcpCauseCode): readonly GcpCauseCode[] => [code, "gcp.iam.constrained"];

const has = (role: string, account = "") => (binding: Binding) => binding.role === role && binding.members.some((member) => member.includes(account));
const RUN = "https://run.googleapis.com/v2";
const REGISTRY = "https://artifactregistry.googleapis.com/v1";

const service = ({ contract }: GcpAdministrator): string => {
  const { projectId, region, service: name } = grantOf(contract, "cloud-run-service");
  return `${RUN}/projects/${projectId}/locations/${region}/services/${name ?? ""}`;
};
const repository = ({ contract }: GcpAdministrator): string => {
  const { projectId, location, repository: id } = grantOf(contract, "artifact-registry-repository");
  return `${REGISTRY}/projects/${projectId}/locations/${location}/repositories/${id}`;
};
const account = ({ projectId }: GcpAdministrator, email: string | undefined): string => `https://iam.googleapis.com/v1/projects/${projectId}/serviceAccounts/${email ?? ""}`;
const builder = ({ contract }: GcpAdministrator): string => grantOf(contract, "cloud-build").serviceAccountEmail ?? "";
const rbac = <T>({ contract, sandbox }: GcpAdministrator, method: string, path: string, body?: object): Promise<T> =>
  callCluster<T>(sandbox, grantOf(contract, "gke-deployments").cluster, method, path.replace("{namespace}", grantOf(contract, "gke-deployments").namespace), body);

/** The contract with another value in one grant. */
const withGrant =
  <K extends GrantKind>(kind: K, change: Partial<GrantOf<K>>) =>
  (contract: Contract): Contract => ({ ...contract, grants: contract.grants.map((grant) => (grant.kind === kind ? { ...grant, ...change } : grant)) });

const buildRows: readonly GcpBreakage[] = [
  {
    name: "the account may not start builds",
    ...deploy,
    failureMode: DENIED,
    break: (admin) => admin.editProjectPolicy(without(has("roles/cloudbuild.builds.editor"))),
    expect: narrowed(candidates("gcp.iam.permission-missing"), "gcp.iam.permission-missing"),
  },
  {
    name: "a deny policy forbids builds",
    ...deploy,
    failureMode: DENIED,
    break: (admin) => admin.deny("cloudbuild.googleapis.com/builds.create", ["principalSet://goog/public:all"]),
    expect: narrowed(candidates("gcp.iam.permission-missing"), "gcp.iam.denied"),
  },
  { name: "the Cloud Build API is not enabled", ...deploy, break: (admin) => admin.disableApi("cloudbuild.googleapis.com"), expect: always("gcp.api-disabled") },
  {
    name: "the account may not act as the build account",
    ...deploy,
    failureMode: DENIED,
    break: (admin) => admin.editPolicy(account(admin, builder(admin)), without(has("roles/iam.serviceAccountUser"))),
    expect: narrowed(candidates("gcp.builds.act-as-missing"), "gcp.builds.act-as-missing"),
  },
  {
    name: "the build account was deleted",
    ...deploy,
    break: async (admin) => {
      await admin.call("DELETE", account(admin, builder(admin)));
    },
    expect: narrowed(candidates("gcp.builds.act-as-missing"), "gcp.builds.account-missing"),
  },
  { name: "builds run as the default account, which has no rights", stack: "dcf-gcp-default-builds", ...deploy, failureMode: DENIED, expect: always("gcp.builds.default-account") },
  {
    // The build that is asked for is the platform's own, which names where its log goes: only a rule of Google's can make that too little.
    name: "a build under an account of its own says nothing of its log",
    ...deploy,
    break: async ({ sandbox }) => {
      sandbox.faults.add({ operation: "cloudbuild:CreateBuild", status: 400, code: "INVALID_ARGUMENT", message: buildTexts.loggingRequired });
    },
    expect: live("gcp.builds.logging-option-missing"),
  },
  {
    name: "the build account cannot read the source",
    ...deploy,
    failureMode: DENIED,
    break: (admin) => admin.editBucketPolicy(without(has("roles/storage.objectViewer", "dcf-build@"))),
    expect: always("gcp.builds.source-denied"),
  },
  {
    name: "the build account cannot push",
    ...deploy,
    failureMode: DENIED,
    break: (admin) => admin.editPolicy(repository(admin), without(has("roles/artifactregistry.writer")), "GET"),
    expect: narrowed(["gcp.builds.push-denied", "gcp.builds.failed"], "gcp.builds.push-denied"),
  },
  {
    name: "the build account cannot write the log",
    ...deploy,
    failureMode: DENIED,
    break: (admin) => admin.editProjectPolicy(without(has("roles/logging.logWriter"))),
    expect: always("gcp.builds.log-denied"),
  },
  {
    name: "the repository was deleted",
    ...deploy,
    break: async (admin) => {
      await admin.call("DELETE", repository(admin));
    },
    expect: narrowed(candidates("gcp.iam.permission-missing"), "gcp.registry.repository-missing"),
  },
  {
    name: "the repository is in another region",
    ...deploy,
    contract: withGrant("artifact-registry-repository", { location: "europe-west1" }),
    expect: narrowed(candidates("gcp.iam.permission-missing"), "gcp.registry.repository-missing"),
  },
];

const serviceRows: readonly GcpBreakage[] = [
  {
    name: "the account has no roles/run.developer on the project",
    stack: "dcf-gcp-project",
    ...deploy,
    failureMode: DEPLOY,
    break: (admin) => admin.editProjectPolicy(without(has("roles/run.developer"))),
    expect: narrowed(candidates("gcp.service.deployer-role-missing"), "gcp.service.deployer-role-missing"),
  },
  {
    name: "the account has no roles/run.developer on the service",
    ...deploy,
    failureMode: DEPLOY,
    break: (admin) => admin.editPolicy(service(admin), without(has("roles/run.developer")), "GET"),
    expect: narrowed(candidates("gcp.service.deployer-role-missing"), "gcp.service.deployer-role-missing"),
  },
  {
    name: "the account may not act as the runtime account",
    stack: "dcf-gcp-project",
    ...deploy,
    failureMode: DEPLOY,
    break: (admin) => admin.editPolicy(account(admin, grantOf(admin.contract, "cloud-run-service").runtimeServiceAccountEmail), without(has("roles/iam.serviceAccountUser"))),
    expect: narrowed(candidates("gcp.service.act-as-missing"), "gcp.service.act-as-missing"),
  },
  { name: "the Cloud Run API is not enabled", ...deploy, break: (admin) => admin.disableApi("run.googleapis.com"), expect: always("gcp.api-disabled") },
  {
    name: "the service was deleted",
    ...deploy,
    break: async (admin) => {
      await admin.call("DELETE", service(admin));
    },
    expect: narrowed(candidates("gcp.service.deployer-role-missing"), "gcp.service.missing"),
  },
  {
    name: "the service takes requests from inside only",
    ...runtime,
    break: async (admin) => {
      await admin.call("PATCH", `${service(admin)}?updateMask=ingress`, { ingress: "INGRESS_TRAFFIC_INTERNAL_ONLY" });
    },
    expect: always("gcp.service.internal-ingress"),
  },
  {
    name: "the organisation keeps allUsers out of policies",
    stack: "dcf-gcp-public",
    ...deploy,
    allowPublicCanary: true,
    break: (admin) => admin.restrictDomains("C0123abcd"),
    expect: live("gcp.service.public-forbidden"),
  },
  { name: "the service is private where the contract makes it public", ...runtime, failureMode: ENDPOINT, contract: withGrant("cloud-run-service", { publicAccess: "customer" }), expect: always("gcp.service.not-public") },
  {
    name: "somebody made the private service public",
    ...runtime,
    break: (admin) => admin.editPolicy(service(admin), including({ role: "roles/run.invoker", members: ["allUsers"] }), "GET"),
    expect: always("gcp.service.public"),
  },
];

const gkeRows: readonly GcpBreakage[] = [
  {
    name: "the account may not find the cluster",
    stack: "dcf-gcp-gke",
    ...runtime,
    failureMode: DENIED,
    break: (admin) => admin.editProjectPolicy(without(({ role }) => role.includes("cluster_access"))),
    expect: narrowed(candidates("gcp.iam.permission-missing"), "gcp.iam.permission-missing"),
  },
  { name: "the contract names a cluster that there is not", stack: "dcf-gcp-gke", ...runtime, contract: withGrant("gke-deployments", { cluster: "dcf-application" }), expect: always("gcp.gke.cluster-missing") },
  { name: "the Kubernetes Engine API is not enabled", stack: "dcf-gcp-gke", ...runtime, break: (admin) => admin.disableApi("container.googleapis.com"), expect: always("gcp.api-disabled") },
  {
    name: "the role binding in the cluster is missing",
    stack: "dcf-gcp-gke",
    ...runtime,
    failureMode: DENIED,
    break: async (admin) => {
      const path = "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings";
      const { items } = await rbac<{ items: { metadata: { name: string } }[] }>(admin, "GET", path);
      for (const { metadata } of items) await rbac(admin, "DELETE", `${path}/${metadata.name}`);
    },
    expect: live("gcp.gke.rbac-missing"),
  },
  { name: "the deployment is in another namespace", stack: "dcf-gcp-gke", ...runtime, failureMode: DENIED, contract: withGrant("gke-deployments", { namespace: "default" }), expect: live("gcp.gke.rbac-missing") },
  {
    name: "the deployment does not exist",
    stack: "dcf-gcp-gke",
    ...runtime,
    break: async (admin) => {
      await rbac(admin, "DELETE", `/apis/apps/v1/namespaces/{namespace}/deployments/${grantOf(admin.contract, "gke-deployments").deployments[0] ?? ""}`);
    },
    expect: live("gcp.gke.deployment-missing"),
  },
  { name: "the deployment's container has another name", stack: "dcf-gcp-gke", ...runtime, contract: withGrant("gke-deployments", { containerName: "application" }), expect: live("gcp.gke.container-missing") },
  {
    name: "the account can read secrets in the namespace",
    stack: "dcf-gcp-gke",
    ...runtime,
    break: async (admin) => {
      await rbac(admin, "POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name: "wide" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: admin.email }],
      });
    },
    expect: live("gcp.gke.rbac-too-wide"),
  },
  {
    name: "an IAM role opens every cluster of the project",
    stack: "dcf-gcp-gke",
    ...runtime,
    break: (admin) => admin.editProjectPolicy(including({ role: "roles/container.developer", members: [`serviceAccount:${admin.email}`] })),
    expect: live("gcp.gke.rbac-too-wide"),
  },
];

export const gcpRuntimeBreakages: readonly GcpBreakage[] = [...buildRows, ...serviceRows, ...gkeRows];
