import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { readContract } from "../../contract/index.js";
import { SANDBOX_PROJECT_LABEL } from "../../facts/sandbox.js";
import program from "../../stacks/index.js";
import { publishSchemas } from "../../stacks/publish.js";
import { fakeGcp, runGcp, type FakeGcp } from "../components/fake-gcp.js";
import { forwardRejections } from "../engine/forward-rejections.js";

forwardRejections();

const exampleOf = (file: string) => (parse(readFileSync(join(__dirname, "../../examples/dcf-gcp", file), "utf8")) as { config: Record<string, unknown> }).config;
const cloudRun = exampleOf("Pulumi.dcf-gcp.yaml");
const gke = exampleOf("Pulumi.dcf-gcp-gke.yaml");

/** An example's configuration as the engine passes it, with changes; undefined takes a key away. */
function config(changes: Record<string, unknown>, example: Record<string, unknown>): Record<string, string> {
  const merged = { ...example, ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [key.includes(":") ? key : `cloud-federation:${key}`, value])) };
  const entries = Object.entries(merged).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

const cluster = { getCluster: { "dcf-apps": { endpoint: "203.0.113.7", masterAuths: [{ clusterCaCertificate: "Q0E=" }] } } };
const start = (changes: Record<string, unknown> = {}, cloud: FakeGcp = fakeGcp({ found: cluster }), example = cloudRun) => runGcp(program, cloud, config(changes, example));

async function up(changes?: Record<string, unknown>, cloud?: FakeGcp, example?: Record<string, unknown>) {
  const done = await start(changes, cloud, example);
  expect(done.result.errors).toEqual([]);
  const outputs = Object.fromEntries(Object.entries(done.result.outputs).map(([name, { value }]) => [name, value]));
  return { ...done, outputs, contract: readContract(outputs.contract) };
}

/** The one message of a program that registered nothing. */
async function refusal(changes: Record<string, unknown>, cloud?: FakeGcp, example?: Record<string, unknown>): Promise<string> {
  const { result } = await start(changes, cloud, example);
  expect(result.resources).toEqual([]);
  expect(result.errors).toHaveLength(1);
  return result.errors[0] ?? "";
}

const projectId = "customer-app-prod";
const POOL = "projects/123456789012/locations/global/workloadIdentityPools/dcf-pool";
const SUBJECT = "system:serviceaccount:dcf:project-4711";
const PRINCIPAL = `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`;
const email = (id: string) => `${id}@customer-app-prod.iam.gserviceaccount.com`;
const account = (id: string) => `projects/customer-app-prod/serviceAccounts/${email(id)}`;
const DEPLOYER = `serviceAccount:${email("dcf-deployer")}`;
const BUILDER = `serviceAccount:${email("dcf-build")}`;

const buildBindings = [
  { on: projectId, role: "roles/cloudbuild.builds.editor", member: DEPLOYER },
  { on: "customer-dcf-repo", role: "roles/artifactregistry.reader", member: DEPLOYER },
  { on: account("dcf-build"), role: "roles/iam.serviceAccountUser", member: DEPLOYER },
  { on: "dcf-gcs-bucket", role: "roles/storage.objectViewer", member: BUILDER },
  { on: "customer-dcf-repo", role: "roles/artifactregistry.writer", member: BUILDER },
  { on: projectId, role: "roles/logging.logWriter", member: BUILDER },
];
const commonBindings = [
  { on: account("dcf-deployer"), role: "roles/iam.workloadIdentityUser", member: PRINCIPAL },
  { on: "dcf-gcs-bucket", role: "roles/storage.objectAdmin", member: DEPLOYER },
  ...buildBindings,
];
const sorted = (bindings: { on: string; role: unknown; member: unknown }[]) => bindings.map((binding) => JSON.stringify(binding)).sort();

describe("dcf-gcp on Cloud Run", () => {
  it("provisions the example, and says so in its contract", async () => {
    const { contract, outputs, children, bindings } = await up();
    expect([...children.keys()].sort()).toEqual([
      "dcf-apis-artifactregistry",
      "dcf-apis-cloudbuild",
      "dcf-apis-iam",
      "dcf-apis-iamcredentials",
      "dcf-apis-run",
      "dcf-apis-sts",
      "dcf-artifacts",
      "dcf-artifacts-member",
      "dcf-builds-account",
      "dcf-builds-act-as",
      "dcf-builds-images",
      "dcf-builds-log",
      "dcf-builds-push",
      "dcf-builds-source",
      "dcf-builds-starter",
      "dcf-deployer-account",
      "dcf-deployer-impersonation",
      "dcf-images",
      "dcf-pool",
      "dcf-provider",
      "dcf-refusal",
      "dcf-run-act-as",
      "dcf-run-deployer",
      "dcf-run-runtime",
      "dcf-run-service",
    ]);
    expect(sorted(bindings())).toEqual(
      sorted([
        ...commonBindings,
        { on: account("dcf-runtime"), role: "roles/iam.serviceAccountUser", member: DEPLOYER },
        { on: "dartcloudfunctions-test", role: "roles/run.developer", member: DEPLOYER },
      ]),
    );
    const place = { region: "us-central1", ownership: "created" };
    const repository = "projects/customer-app-prod/locations/us-central1/repositories/customer-dcf-repo";
    expect(contract).toEqual({
      kind: "cloud-federation/contract",
      version: 1,
      integration: "dcf-gcp",
      environment: "cloud",
      workload: { issuer: "https://oidc.dcf.example", subject: SUBJECT, audience: `https://iam.googleapis.com/${POOL}/providers/dcf-provider` },
      exchange: {
        type: "gcp-workload-identity",
        projectId,
        projectNumber: "123456789012",
        poolProjectNumber: "123456789012",
        pool: "dcf-pool",
        provider: "dcf-provider",
        subjectTokenType: "jwt",
        issuerKeys: "discovery",
        attributeMapping: { "google.subject": "assertion.sub" },
        attributeCondition: `assertion.sub == '${SUBJECT}'`,
        principal: PRINCIPAL,
        serviceAccountEmail: email("dcf-deployer"),
      },
      grants: [
        {
          id: "artifacts",
          kind: "gcs-bucket",
          role: "roles/storage.objectAdmin",
          permissions: ["storage.objects.create", "storage.objects.get", "storage.objects.list", "storage.objects.delete"],
          bucket: "dcf-gcs-bucket",
          projectId,
        },
        {
          id: "images",
          kind: "artifact-registry-repository",
          role: "roles/artifactregistry.reader",
          permissions: ["artifactregistry.repositories.get", "artifactregistry.repositories.downloadArtifacts"],
          repository: "customer-dcf-repo",
          location: "us-central1",
          projectId,
        },
        {
          id: "builds",
          kind: "cloud-build",
          role: "roles/cloudbuild.builds.editor",
          permissions: ["cloudbuild.builds.create", "cloudbuild.builds.get", "cloudbuild.builds.list"],
          projectId,
          region: "us-central1",
          serviceAccountEmail: email("dcf-build"),
          sourceBucket: "dcf-gcs-bucket",
        },
        {
          id: "service",
          kind: "cloud-run-service",
          role: "roles/run.developer",
          permissions: ["run.services.get", "run.services.update"],
          service: "dartcloudfunctions-test",
          region: "us-central1",
          projectId,
          runtimeServiceAccountEmail: email("dcf-runtime"),
          publicAccess: "private",
        },
      ],
      targets: [
        { kind: "workload-identity-pool", id: POOL, ownership: "created" },
        { kind: "workload-identity-pool-provider", id: `${POOL}/providers/dcf-provider`, ownership: "created" },
        { kind: "service-account", id: account("dcf-deployer"), ownership: "created" },
        { kind: "gcs-bucket", id: "projects/_/buckets/dcf-gcs-bucket", ...place },
        { kind: "artifact-registry-repository", id: repository, ...place },
        { kind: "service-account", id: account("dcf-build"), ownership: "created" },
        { kind: "cloud-run-service", id: "projects/customer-app-prod/locations/us-central1/services/dartcloudfunctions-test", ...place },
        { kind: "service-account", id: account("dcf-runtime"), ownership: "created" },
        { kind: "gcs-bucket", id: "projects/_/buckets/dcf-gcs-bucket-refusal", ...place },
      ],
      refusalTargets: [{ kind: "gcs-bucket", bucket: "dcf-gcs-bucket-refusal", projectId }],
      unrecognised: [],
    });
    expect(outputs).toMatchObject({
      registerPayload: {
        gcpProjectId: projectId,
        serviceAccountEmail: email("dcf-deployer"),
        workloadIdentityProjectNumber: "123456789012",
        workloadIdentityPool: "dcf-pool",
        workloadIdentityProvider: "dcf-provider",
      },
      bucketConfig: { bucketName: "dcf-gcs-bucket", region: "us-central1", artifactRepository: "customer-dcf-repo", runtimeTarget: "cloud_run", serviceName: "dartcloudfunctions-test" },
      deploymentTarget: {
        runtimeTarget: "cloud_run",
        region: "us-central1",
        artifactRepository: "customer-dcf-repo",
        namespace: "default",
        deploymentName: "dartcloudfunctions-test",
        containerName: "dartcloudfunctions-test",
      },
    });
    expect(Object.keys(outputs.registerPayload as object)).toHaveLength(5);
    expect(Object.keys(outputs.bucketConfig as object)).toHaveLength(5);
  });

  it("hosts the pool in another project, with the APIs that are needed there", async () => {
    const { contract, children, outputs } = await up({ pool: { projectId: "platform-host" } });
    expect([...children.keys()].filter((name) => name.includes("-apis-")).sort()).toEqual([
      "dcf-apis-artifactregistry",
      "dcf-apis-cloudbuild",
      "dcf-apis-iam",
      "dcf-apis-iamcredentials",
      "dcf-apis-run",
      "dcf-pool-apis-iam",
      "dcf-pool-apis-iamcredentials",
      "dcf-pool-apis-sts",
    ]);
    expect(children.get("dcf-pool-apis-sts")?.inputs.project).toBe("platform-host");
    expect(children.get("dcf-pool")?.inputs.project).toBe("platform-host");
    expect(contract.exchange).toMatchObject({ projectNumber: "123456789012", poolProjectNumber: "210987654321", principal: PRINCIPAL.replace("123456789012", "210987654321") });
    expect(outputs.registerPayload).toMatchObject({ workloadIdentityProjectNumber: "210987654321" });
  });

  it("gives the rights to the pool's identity itself without a service account", async () => {
    const { contract, outputs, bindings } = await up({ serviceAccount: { mode: "none" } });
    expect(contract.exchange).not.toHaveProperty("serviceAccountEmail");
    expect(outputs.registerPayload).not.toHaveProperty("serviceAccountEmail");
    expect(bindings()).toContainEqual({ on: "dcf-gcs-bucket", role: "roles/storage.objectAdmin", member: PRINCIPAL });
    expect(bindings().filter(({ member, role }) => member === DEPLOYER || role === "roles/iam.workloadIdentityUser")).toEqual([]);
  });

  it("grants a custom role on the bucket, the project and public access where asked to", async () => {
    const changes = {
      bucket: { name: "dcf-gcs-bucket", access: "artifact-objects" },
      cloudRun: { serviceName: "api", grantOn: "project", publicAccess: "platform" },
      deployment: { name: "dcf-4711", containerName: "app" },
      logs: "viewer",
    };
    const { contract, bindings, outputs } = await up(changes);
    const role = (purpose: string) => `projects/customer-app-prod/roles/dcf_gcp_test_${purpose}`;
    expect(bindings()).toContainEqual({ on: "dcf-gcs-bucket", role: role("artifacts"), member: DEPLOYER });
    expect(bindings()).toContainEqual({ on: projectId, role: "roles/run.developer", member: DEPLOYER });
    expect(bindings()).toContainEqual({ on: projectId, role: role("public_access"), member: DEPLOYER });
    expect(bindings()).toContainEqual({ on: projectId, role: "roles/viewer", member: DEPLOYER });
    expect(contract.grants.find(({ kind }) => kind === "cloud-run-service")).not.toHaveProperty("service");
    expect(contract.grants.find(({ kind }) => kind === "cloud-run-service")?.permissions).toEqual([
      "run.services.get",
      "run.services.update",
      "run.services.create",
      "run.operations.get",
      "run.services.setIamPolicy",
    ]);
    expect(contract.targets.filter(({ kind }) => kind === "iam-custom-role").map(({ id }) => id)).toEqual([role("artifacts"), role("public_access")]);
    expect(contract.grants.at(-1)).toEqual({ id: "logs", kind: "project-logs", role: "roles/viewer", permissions: ["logging.logEntries.list"], projectId });
    expect(outputs.deploymentTarget).toMatchObject({ deploymentName: "dcf-4711", containerName: "app" });
  });

  it("makes nothing of what exists, and says whose it is", async () => {
    const found = {
      getWorkloadIdentityPool: { "dcf-pool": { state: "ACTIVE", disabled: false } },
      getWorkloadIdentityPoolProvider: {
        "dcf-provider": {
          state: "ACTIVE",
          disabled: false,
          attributeMapping: { "google.subject": "assertion.sub" },
          attributeCondition: `assertion.sub == '${SUBJECT}'`,
          oidcs: [{ issuerUri: "https://oidc.dcf.example", allowedAudiences: [], jwksJson: "" }],
          aws: [],
        },
      },
      getAccount: Object.fromEntries(["dcf-deployer", "theirs-build", "theirs-runtime"].map((id) => [email(id), { email: email(id), name: account(id), uniqueId: "1", disabled: false }])),
      getBucket: { "dcf-gcs-bucket": { location: "US-CENTRAL1", projectNumber: 123456789012, uniformBucketLevelAccess: true, publicAccessPrevention: "enforced" } },
      getRepository: { "customer-dcf-repo": { format: "DOCKER" } },
      getService: { api: { uri: "https://api.run.app" } },
    };
    const changes = {
      pool: { mode: "existing" },
      provider: { mode: "existing" },
      serviceAccount: { mode: "existing" },
      bucket: { name: "dcf-gcs-bucket", mode: "existing" },
      repository: { name: "customer-dcf-repo", mode: "existing" },
      build: { mode: "existing", email: email("theirs-build") },
      cloudRun: { serviceName: "api", mode: "existing", runtimeAccount: { mode: "existing", email: email("theirs-runtime") } },
      refusalBucket: { enabled: false },
    };
    const { contract, children } = await up(changes, fakeGcp({ found }));
    expect([...children.values()].filter(({ type }) => !/IAMMember$|IamMember$|projects\/service:/.test(type))).toEqual([]);
    expect(contract.targets.map(({ ownership }) => ownership)).toEqual(Array(8).fill("existing"));
    expect(contract.refusalTargets).toEqual([]);
  });

  it("leaves builds to the project's default account where told to", async () => {
    const { contract, bindings } = await up({ build: { mode: "default" } });
    expect(contract.grants.find(({ kind }) => kind === "cloud-build")).not.toHaveProperty("serviceAccountEmail");
    expect(bindings().filter(({ member }) => member === BUILDER)).toEqual([]);
  });

  it("adds audit logs where asked to", async () => {
    const auditLogs = [{ service: "storage.googleapis.com", logTypes: ["DATA_WRITE"] }];
    expect((await up({ auditLogs })).child("dcf-audit-storage").inputs).toMatchObject({ project: projectId, service: "storage.googleapis.com", auditLogConfigs: [{ logType: "DATA_WRITE" }] });
  });

  it("tells the sandbox by the project's label", async () => {
    const labelled = (value: string) => fakeGcp({ projects: { [projectId]: { number: "123456789012", labels: { [SANDBOX_PROJECT_LABEL]: value } } } });
    expect((await up({}, labelled("true"))).contract.environment).toBe("sandbox");
    expect((await up({}, labelled("false"))).contract.environment).toBe("cloud");
  });
});

describe("dcf-gcp on GKE", () => {
  it("provisions the example, and says so in its contract", async () => {
    const { contract, outputs, bindings, children } = await up({}, undefined, gke);
    expect(sorted(bindings())).toEqual(
      sorted([
        ...commonBindings,
        { on: projectId, role: "projects/customer-app-prod/roles/dcf_gcp_test_cluster_access", member: DEPLOYER },
        { on: projectId, role: "roles/logging.viewer", member: DEPLOYER },
      ]),
    );
    expect([...children.keys()].filter((name) => name.startsWith("dcf-gke"))).toEqual(
      expect.arrayContaining(["dcf-gke-cluster-role", "dcf-gke-cluster", "dcf-gke-deployments-namespace", "dcf-gke-deployments-role", "dcf-gke-deployments-binding"]),
    );
    expect(children.has("dcf-apis-container")).toBe(true);
    expect(children.has("dcf-apis-run")).toBe(false);
    expect(contract.grants.slice(3)).toEqual([
      {
        id: "deployments",
        kind: "gke-deployments",
        permissions: ["container.clusters.get", "get deployments.apps", "patch deployments.apps", "update deployments.apps"],
        cluster: "dcf-apps",
        location: "us-central1",
        projectId,
        namespace: "dcf-apps",
        deployments: ["dcf-function-4711"],
        containerName: "app",
      },
      { id: "logs", kind: "project-logs", role: "roles/logging.viewer", permissions: ["logging.logEntries.list"], projectId },
    ]);
    expect(outputs).toMatchObject({
      bucketConfig: { bucketName: "dcf-gcs-bucket", region: "us-central1", artifactRepository: "customer-dcf-repo", runtimeTarget: "gke", namespace: "dcf-apps" },
      deploymentTarget: { runtimeTarget: "gke", namespace: "dcf-apps", deploymentName: "dcf-function-4711", containerName: "app" },
    });
    expect(outputs).not.toHaveProperty("serviceUri");
  });
});

describe("dcf-gcp refuses", () => {
  const one = (line: string) => `The configuration of dcf-gcp has a mistake:\n  ${line}`;

  it("a configuration without a runtime target, in DCF's words", async () => {
    expect(await refusal({ runtimeTarget: undefined })).toBe(one("runtimeTarget: is required (GCP_RUNTIME_TARGET_REQUIRED); it is not set; set it with `pulumi config set runtimeTarget cloud_run`"));
    expect(await refusal({ runtimeTarget: "lambda" })).toBe(one('runtimeTarget: must be cloud_run or gke; got "lambda"; set it with `pulumi config set runtimeTarget cloud_run`'));
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a project number", { projectId: "123456789012", "gcp:project": undefined }, "projectId: must be a project id, and 123456789012 is a project number"],
    ["a raw STS audience", { workload: { issuer: "https://oidc.dcf.example", subject: SUBJECT, tokenAudience: "//iam.googleapis.com/x" } }, "workload.tokenAudience: must be the `aud` in the platform's tokens, and //iam.googleapis.com/x is the audience of the STS request"],
    ["an unknown key", { workloadIdentityAudience: "x" }, "workloadIdentityAudience: is no key of this configuration"],
    ["a runtime without its settings", { cloudRun: undefined }, "cloudRun: is required with runtimeTarget cloud_run"],
    ["the other runtime's settings", { gke: { cluster: "c", namespace: "n", deployments: ["d"], containerName: "a" } }, "gke: goes with runtimeTarget gke only: leave it out, or change runtimeTarget"],
    ["a provider in a pool that is not there yet", { provider: { mode: "existing" } }, "provider.mode: must be create in a pool that the stack creates: an existing provider is in a pool that exists, so set pool.mode to existing too"],
    ["a condition of one's own", { provider: { attributeCondition: "true" } }, "provider.attributeCondition: goes with mode existing only: a created provider's is made of the workload, exactly"],
    ["settings of an existing bucket", { bucket: { name: "dcf-gcs-bucket", mode: "existing", versioning: true } }, "bucket.versioning: has no effect on an existing bucket, which is never changed: leave it out"],
    ["settings of an existing repository", { repository: { name: "r", mode: "existing", immutableTags: true } }, "repository.immutableTags: has no effect on an existing repository, which is never changed: leave it out"],
    ["an existing account without its email", { build: { mode: "existing" } }, "build.email: is required with mode existing: the email of the account"],
    ["an email of an account to create", { build: { email: email("theirs") } }, "build.email: goes with mode existing only"],
    ["a name for the default account", { build: { mode: "default", id: "dcf-build" } }, "build.id: goes with mode create only"],
    ["a zone", { region: "us-central1-a" }, 'region: must be a region, such as us-central1 (no zone, no multi-region); got "us-central1-a"'],
    ["audit logs of one service twice", { auditLogs: [{ service: "sts.googleapis.com", logTypes: ["DATA_READ"] }, { service: "sts.googleapis.com", logTypes: ["DATA_READ"] }] }, "auditLogs: must name every service once; sts.googleapis.com is there twice"],
    ["a label in capitals", { labels: { Team: "a" } }, "labels.Team: the key must be 1 to 63 lower-case letters"],
  ])("%s", async (_name, changes, line) => {
    expect(await refusal(changes)).toContain(`The configuration of dcf-gcp has a mistake:\n  ${line}`);
  });

  it("a deployment name that DCF may not change", async () => {
    expect(await refusal({ deployment: { name: "other" } }, undefined, gke)).toContain('deployment.name: must be one of gke.deployments, which alone DCF may change; got "other"');
  });

  it("a private key, without showing it", async () => {
    const text = await refusal({ workload: { issuer: "https://oidc.dcf.example", subject: SUBJECT, jwksJson: '{"keys":[{"kty":"RSA","kid":"a","n":"x","e":"AQAB","d":"PRIVATE"}]}' } });
    expect(text).toContain("workload.jwksJson: must have public keys only: keys[0] has the private d. Treat that key as leaked, and replace it");
    expect(text).not.toContain("PRIVATE");
  });

  it("all mistakes at once", async () => {
    const text = await refusal({ projectId: "X", region: "x", bucket: { name: "B" }, runtimeTarget: undefined });
    expect(text).toMatch(/^The configuration of dcf-gcp has 4 mistakes:\n {2}projectId: .*\n {2}region: .*\n {2}bucket\.name: .*\n {2}runtimeTarget: /);
  });

  it("another project than the provider's, and one that cannot be read", async () => {
    expect(await refusal({ "gcp:project": "other-project" })).toBe(
      "This stack is for project customer-app-prod, but gcp:project is other-project. Nothing was changed. Set it with `pulumi config set gcp:project customer-app-prod`, or choose the stack of other-project.",
    );
    expect(await refusal({ projectId: "someone-elses", "gcp:project": undefined })).toMatch(
      /^projectId: the project someone-elses cannot be read: .*Error 403: The caller does not have permission, forbidden\. Nothing was changed\. Check the id, the credentials/,
    );
    expect(await refusal({ pool: { projectId: "someone-elses" } })).toMatch(/^pool\.projectId: the project someone-elses cannot be read: /);
  });

  it("a pool of the other world", async () => {
    const cloud = fakeGcp({ projects: { [projectId]: { number: "1", labels: { [SANDBOX_PROJECT_LABEL]: "true" } }, "platform-host": { number: "2" } } });
    expect(await refusal({ pool: { projectId: "platform-host" } }, cloud)).toContain("pool.projectId: platform-host is of the cloud, and customer-app-prod of the sandbox.");
  });

  it("existing things that do not fit, all at once and before any change", async () => {
    const found = {
      getWorkloadIdentityPool: { "dcf-pool": { state: "ACTIVE", disabled: true } },
      getBucket: { "dcf-gcs-bucket": { location: "EUROPE-WEST1", projectNumber: 999, uniformBucketLevelAccess: false, publicAccessPrevention: "inherited" } },
      getRepository: { "customer-dcf-repo": { format: "NPM" } },
      getAccount: { [email("dcf-deployer")]: { disabled: true } },
    };
    const changes = {
      pool: { mode: "existing" },
      serviceAccount: { mode: "existing" },
      bucket: { name: "dcf-gcs-bucket", mode: "existing" },
      repository: { name: "customer-dcf-repo", mode: "existing" },
      cloudRun: { serviceName: "api", mode: "existing" },
    };
    const text = await refusal(changes, fakeGcp({ found }));
    const lines = text.split("\n");
    expect(lines[0]).toBe("dcf-gcp cannot be provisioned, and nothing was changed:");
    expect(lines.slice(1).map((line) => line.trim().slice(0, 69))).toEqual([
      "pool.id: the pool dcf-pool of customer-app-prod is disabled, and what t",
      `serviceAccount.id: ${email("dcf-deployer")}`.slice(0, 70),
      "bucket.name: dcf-gcs-bucket is in the project with the number 999, not",
      "bucket.name: dcf-gcs-bucket is in europe-west1, not in us-central1: us",
      "bucket.name: dcf-gcs-bucket has object ACLs: switch to uniform access ",
      "bucket.name: dcf-gcs-bucket does not prevent public access: do so with",
      "repository.name: customer-dcf-repo is for NPM, not for Docker images, ",
      "cloudRun.serviceName: the service api in us-central1 of customer-app-p",
    ].map((line) => line.slice(0, 69)));
  });

  it("a cluster that is not there, but not one whose API is not enabled yet", async () => {
    expect(await refusal({}, fakeGcp(), gke)).toMatch(/gke\.cluster: the cluster dcf-apps in us-central1 of customer-app-prod cannot be read: .*not found$/);
    const disabled = new Error("googleapi: Error 403: Kubernetes Engine API has not been used in project 123456789012 before or it is disabled.");
    const { result } = await start({}, fakeGcp({ found: { getCluster: { "dcf-apps": disabled } } }), gke);
    expect(result.resources.filter(({ name }) => name === "dcf-apis-container")).toHaveLength(1);
  });
});

describe("the published schema of dcf-gcp", () => {
  it("is there, and requires what the program requires", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cloud-federation-schemas-"));
    try {
      await publishSchemas(folder);
      const schema = JSON.parse(readFileSync(join(folder, "stacks/dcf-gcp.schema.json"), "utf8")) as { required: string[]; properties: Record<string, unknown> };
      expect(schema.required).toEqual(["projectId", "region", "workload", "bucket", "repository", "runtimeTarget"]);
      expect(schema.properties.runtimeTarget).toMatchObject({ enum: ["cloud_run", "gke"] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("names every integration in Pulumi.yaml", () => {
    const project = parse(readFileSync(join(__dirname, "../../Pulumi.yaml"), "utf8")) as { config: { integration: { description: string } } };
    for (const name of ["dcf-aws", "dcf-gcp", "klavi-gcp"]) expect(project.config.integration.description).toContain(name);
  });
});
