/** GCP at depths runtime and deploy: what verify shows without a build, with one, and of a cluster. */
import type { Contract } from "../../contract/index.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { planVerification, verifyContract, type Report, type RunEvent, type VerifyOptions } from "../../verify/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { GcpAdministrator } from "../support/gcp-administrator.js";
import { gcpExchangeOf, grantOf, platformToken, provisionGcp } from "../support/gcp.js";
import { createDeployment } from "../support/gcp-runtime.js";

forwardRejections();

let sandbox: Sandbox;
const stages = new Map<string, { contract: Contract; healthy: SandboxSnapshot }>();
let contract: Contract;

/** Stacks by what they are tried for. */
const STACKS = {
  service: ["dcf-gcp", {}],
  project: ["dcf-gcp", { cloudRun: { grantOn: "project", publicAccess: "platform" } }],
  gke: ["dcf-gcp-gke", {}],
} as const;

beforeAll(async () => {
  sandbox = await startSandbox();
  const empty = sandbox.snapshot();
  for (const [name, [example, changes]] of Object.entries(STACKS)) {
    sandbox.restore(empty);
    const made = await provisionGcp(sandbox, example, changes);
    if (name === "gke") await createDeployment(sandbox, made.contract);
    stages.set(name, { contract: made.contract, healthy: sandbox.snapshot() });
  }
});
afterAll(() => sandbox.close());

function stage(name: keyof typeof STACKS): void {
  const { contract: made, healthy } = stages.get(name)!;
  sandbox.restore(healthy);
  contract = made;
}

const options = (): VerifyOptions => ({ contract, token: platformToken(sandbox, contract), env: sandbox.env(), ca: sandbox.caPem, waitSeconds: 0 });
const verify = (more: Partial<VerifyOptions> = {}): Promise<Report> => verifyContract({ ...options(), ...more });
const withoutPass = ({ checks }: Report) => checks.filter(({ required, status }) => required && status !== "pass").map(({ id, status, seen, reason }) => `${id}: ${status}: ${seen ?? reason ?? ""}`);
const statuses = ({ checks }: Report, prefix: string) => Object.fromEntries(checks.filter(({ id }) => id.startsWith(prefix)).map(({ id, status }) => [id.slice(prefix.length), status]));
const kept = (type: string) => sandbox.store.list(type).map(({ id }) => id);
/** Soft delete keeps what was removed: what is listed counts. */
async function objects(): Promise<string[]> {
  const { caller } = sandbox.gcp.administrator();
  const { items = [] } = await sandbox.gcp.call<{ items?: { name: string }[] }>(caller, "GET", "https://storage.googleapis.com/storage/v1/b/dcf-gcs-bucket/o");
  return items.map(({ name }) => name);
}
const services = () => kept("gcp:run/service").filter((id) => id.includes("cf-verify"));

describe("Cloud Run at depth runtime", () => {
  beforeEach(() => stage("service"));

  it("shows the rights and the service without a side effect", async () => {
    const report = await verify({ depth: "runtime", account: { accessToken: sandbox.gcp.administrator().accessToken } });
    expect(withoutPass(report)).toEqual([]);
    expect(statuses(report, "gcp.service.service.")).toEqual({ there: "pass", endpoint: "pass" });
    expect(report.checks.find(({ id }) => id === "gcp.service.service.endpoint")?.seen).toMatch(/^GET https:\/\/\S+ without a token: 403: private, as configured/);
    expect([kept("gcp:cloudbuild/build"), await objects(), report.residue]).toEqual([[], [], []]);
  });
});

describe("a service that everybody may invoke", () => {
  const account = () => ({ accessToken: sandbox.gcp.administrator().accessToken });
  const fixes = ({ checks }: Report) => [...new Set(checks.flatMap(({ cause }) => (cause ? [`${cause.code}: ${cause.fix}`] : [])))];
  const SERVICE = "dartcloudfunctions-test --region=us-central1 --project=customer-app-prod";
  beforeEach(() => stage("service"));

  it("since nobody is asked for a role, is not helped by removing one", async () => {
    const admin = new GcpAdministrator(sandbox, contract);
    await admin.call("PATCH", "https://run.googleapis.com/v2/projects/customer-app-prod/locations/us-central1/services/dartcloudfunctions-test?updateMask=invokerIamDisabled", { invokerIamDisabled: true });
    for (const evidence of [{ account: account() }, {}]) {
      expect(fixes(await verify({ depth: "runtime", ...evidence }))).toEqual([`gcp.service.public: Run \`pulumi up --refresh\` in the stack's project, or: gcloud run services update ${SERVICE} --invoker-iam-check`]);
    }
  });

  it("is closed to those who are let in", async () => {
    const admin = new GcpAdministrator(sandbox, contract);
    const url = "https://run.googleapis.com/v2/projects/customer-app-prod/locations/us-central1/services/dartcloudfunctions-test";
    await admin.call("POST", `${url}:setIamPolicy`, { policy: { bindings: [{ role: "roles/run.developer", members: [`serviceAccount:${admin.email}`] }, { role: "roles/run.invoker", members: ["allAuthenticatedUsers"] }] } });
    expect(fixes(await verify({ account: account() }))).toEqual([expect.stringContaining(`${SERVICE} --role=roles/run.invoker --member=allAuthenticatedUsers`)]);
  });
});

describe("rights beyond the contract", () => {
  const readable = () => ({ account: { accessToken: sandbox.gcp.administrator().accessToken } });
  const failed = (report: Report) => report.checks.filter(({ status }) => status === "fail").map(({ id }) => id);
  const give = (role: string) => new GcpAdministrator(sandbox, contract).editProjectPolicy((bindings) => [...bindings, { role, members: ["serviceAccount:dcf-deployer@customer-app-prod.iam.gserviceaccount.com"] }]);
  beforeEach(() => stage("service"));

  it.each(["roles/owner", "roles/editor", "roles/storage.objectViewer", "roles/iam.serviceAccountTokenCreator"])("show in the project's policies: %s", async (role) => {
    const before = await verify({ token: undefined, ...readable() });
    expect(before.checks.find(({ id }) => id === "gcp.account.surplus")).toMatchObject({ status: "pass", grade: "predicted" });
    await give(role);
    const report = await verify({ token: undefined, ...readable() });
    expect(failed(report)).toContain("gcp.account.surplus");
    expect(report.checks.find(({ id }) => id === "gcp.account.surplus")?.cause?.evidence.join("\n")).toContain(`by ${role} on //cloudresourcemanager.googleapis.com/projects/customer-app-prod`);
  });

  it("show live where uploading is all that is granted, on the bucket that is not", async () => {
    await give("roles/storage.objectCreator");
    expect(failed(await verify())).toEqual(["gcp.refusal.bucket.dcf-gcs-bucket-refusal"]);
  });
});

describe("depth deploy", () => {
  it("does nothing that would stay, unless that is accepted", async () => {
    stage("service");
    const report = await verify({ depth: "deploy" });
    expect(withoutPass(report)).toEqual(["gcp.canary.builds: not-tested: it would leave an image and the record of a build with its log, which the granted rights cannot remove: allow that with --accept-residue"]);
    expect([report.exitCode, kept("gcp:cloudbuild/build"), await objects()]).toEqual([0, [], []]);
  });

  it("builds, and leaves a service that it may only update alone", async () => {
    stage("service");
    const report = await verify({ depth: "deploy", acceptResidue: true });
    expect(withoutPass(report)).toEqual([expect.stringMatching(/^gcp\.canary\.builds\.deploy: not-tested: run\.services\.create is not granted: a canary of its own needs the role on the project/)]);
    expect(statuses(report, "gcp.canary.builds.")).toEqual({ stage: "pass", build: "pass", log: "pass", deploy: "not-tested" });
    expect(await objects()).toEqual([]);
  });

  it("builds, deploys a private service, calls it and removes what it can", async () => {
    stage("project");
    const progress: string[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type === "progress") progress.push(event.text);
    };
    const report = await verify({ depth: "deploy", acceptResidue: true, onEvent });
    expect(withoutPass(report)).toEqual(["gcp.canary.builds.public: not-tested: the canary stays private: allow making it public for a moment with --allow-public-canary"]);
    expect(statuses(report, "gcp.canary.builds.")).toEqual({ stage: "pass", build: "pass", log: "pass", deploy: "pass", private: "pass", call: "pass", public: "not-tested", remove: "pass" });
    const seen = (id: string) => report.checks.find((check) => check.id === `gcp.canary.builds.${id}`)?.seen ?? "";
    expect(seen("build")).toMatch(/^build [0-9a-f-]+ SUCCESS, sha256:[0-9a-f]{64}$/);
    expect(seen("private")).toBe(`GET ${seen("deploy")} without a token: 403`);
    expect(seen("call")).toBe(`GET ${seen("deploy")} with an identity token of dcf-deployer@customer-app-prod.iam.gserviceaccount.com: 200`);
    expect([services(), await objects()]).toEqual([[], []]);
    const image = `us-central1-docker.pkg.dev/customer-app-prod/customer-dcf-repo/cloud-federation-verify:cf-verify-${report.runId}`;
    expect(report.residue).toEqual([{ what: `the image ${image}, if the build got so far`, remove: `gcloud artifacts docker images delete ${image} --delete-tags --project=customer-app-prod` }]);
    expect(progress.every((text) => /^(build|service) /.test(text))).toBe(true);
  });

  it("is public only where that is allowed", async () => {
    stage("project");
    const report = await verify({ depth: "deploy", acceptResidue: true, allowPublicCanary: true, account: { accessToken: sandbox.gcp.administrator().accessToken } });
    expect(withoutPass(report)).toEqual([]);
    expect(report.checks.find(({ id }) => id === "gcp.canary.builds.public")?.seen).toMatch(/without a token, made public: 200$/);
    expect(services()).toEqual([]);
  });

  it("removes what it made when it is interrupted", async () => {
    stage("project");
    const interrupt = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === "finished" && event.result.id === "gcp.canary.builds.deploy") interrupt.abort();
    };
    const report = await verify({ depth: "deploy", acceptResidue: true, signal: interrupt.signal, onEvent });
    expect([report.exitCode, services(), await objects()]).toEqual([130, [], []]);
  });

  it("cancels a build that it does not wait for", async () => {
    stage("project");
    const interrupt = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === "progress") interrupt.abort();
    };
    const report = await verify({ depth: "deploy", acceptResidue: true, signal: interrupt.signal, onEvent });
    expect([report.exitCode, services(), await objects()]).toEqual([130, [], []]);
    expect(report.residue.map(({ remove }) => remove.split(" ").slice(0, 4).join(" "))).toEqual(["gcloud artifacts docker images"]);
  });

  it("is described by the plan", async () => {
    stage("project");
    const plan = await planVerification({ ...options(), depth: "deploy", acceptResidue: true });
    expect(plan).toContain("cloudbuild.builds.create");
    expect(plan).toContain("run.services.create cf-verify-<run id>, private");
    expect(plan).toContain("Cost:");
    expect(plan).toContain("customer-dcf-repo: the image cloud-federation-verify:cf-verify-<run id>");
    expect(await planVerification({ ...options(), depth: "deploy" })).toContain("no canary without --accept-residue");
    expect(plan).not.toContain("--account");
    const read = await planVerification({ ...options(), account: { accessToken: "unused" } });
    for (const line of ["getIamPolicy of customer-app-prod;", "buckets.get and getIamPolicy of dcf-gcs-bucket", "buckets.getIamPolicy of dcf-gcs-bucket-refusal"]) expect(read).toContain(line);
  });

  it("is described for who may only upload, and signs as an AWS role", async () => {
    stage("service");
    const uploads: Contract = {
      ...contract,
      exchange: { ...gcpExchangeOf(contract), subjectTokenType: "aws4_request" },
      grants: [{ ...grantOf(contract, "gcs-bucket"), permissions: ["storage.objects.create"] }],
    };
    const plan = (acceptResidue: boolean) => planVerification({ ...options(), contract: uploads, acceptResidue });
    const none = await plan(false);
    expect(none).toContain("token exchange with a corrupted signature, to be refused");
    expect(none).toContain("token exchange with a request that is signed for another provider, to be refused");
    expect(none).toContain("  storage.objects.list, to be refused\n");
    expect(none).not.toContain("storage.objects.insert");
    expect(await plan(true)).toContain("  storage.objects.insert of the same name, to be refused\n  storage.objects.delete, to be refused\n");
  });
});

describe("GKE", () => {
  beforeEach(() => stage("gke"));

  it("says how a deployment is made that has the container", async () => {
    const name = "dcf-function-4711";
    for (const { id } of sandbox.store.list("kubernetes:apps/deployments")) sandbox.store.delete("kubernetes:apps/deployments", id);
    const { cause } = (await verify({ depth: "runtime" })).checks.find(({ status }) => status === "fail") ?? {};
    expect(cause?.code).toBe("gcp.gke.deployment-missing");
    expect(cause?.fix).toContain(`kubectl create deployment ${name} --image=us-docker.pkg.dev/cloudrun/container/hello --namespace=dcf-apps && kubectl patch deployment ${name} --namespace=dcf-apps --type=json --patch='[{"op":"replace","path":"/spec/template/spec/containers/0/name","value":"app"}]'`);
  });

  it("asks the cluster for every right, and changes a deployment only in thought", async () => {
    const before = JSON.stringify(sandbox.store.list("kubernetes:apps/deployments"));
    const report = await verify({ depth: "runtime", account: { accessToken: sandbox.gcp.administrator().accessToken } });
    expect(withoutPass(report)).toEqual([]);
    expect(statuses(report, "gcp.gke.deployments.")).toEqual({ cluster: "pass", reach: "pass", rights: "pass", refused: "pass", deployments: "pass", change: "pass" });
    expect(report.checks.find(({ id }) => id === "gcp.gke.deployments.rights")?.seen).toBe(
      ["get", "patch", "update"].map((verb) => `${verb} deployments.apps/dcf-function-4711 in dcf-apps`).join(", "),
    );
    expect(report.remarks.join("\n")).toContain("DCF makes nothing on GKE public");
    expect(JSON.stringify(sandbox.store.list("kubernetes:apps/deployments"))).toBe(before);
  });
});
