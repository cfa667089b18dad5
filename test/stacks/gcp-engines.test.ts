/** The examples of the integrations on Google Cloud, run against the sandbox by both engines. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { readContract } from "../../contract/index.js";
import { openCliStack, type PulumiCli } from "../../engine/cli-runner.js";
import { destroyEmbedded } from "../../engine/destroy.js";
import { runEmbedded } from "../../engine/embedded.js";
import { startProviderServer, type ProviderServer } from "../../engine/provider-server.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import program from "../../stacks/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { describeWithPulumi, pulumi } from "../engine/project.js";

forwardRejections();
jest.setTimeout(300_000);

const examples = {
  "dcf-gcp": "dcf-gcp/Pulumi.dcf-gcp.yaml",
  "dcf-gcp on GKE": "dcf-gcp/Pulumi.dcf-gcp-gke.yaml",
  "klavi-gcp": "klavi-gcp/Pulumi.klavi-gcp.yaml",
} as const;

function config(example: keyof typeof examples): Record<string, string> {
  const { config: values } = parse(readFileSync(join(__dirname, "../../examples", examples[example]), "utf8")) as { config: Record<string, unknown> };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

let sandbox: Sandbox;
let empty: SandboxSnapshot;
beforeAll(async () => {
  sandbox = await startSandbox();
  empty = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(empty));
afterAll(() => sandbox.close());

/** What stays on destroy, by logical name. */
const kept: Readonly<Record<keyof typeof examples, string[]>> = {
  "dcf-gcp": ["dcf-images", "dcf-pool", "dcf-provider"],
  "dcf-gcp on GKE": ["dcf-gke-deployments-namespace", "dcf-images", "dcf-pool", "dcf-provider"],
  "klavi-gcp": ["klavi-audit-storage", "klavi-pool", "klavi-provider"],
};

const options = (example: keyof typeof examples) => ({ program, project: "cloud-federation", stack: "test", config: config(example), tables: sandbox.tables });

describe.each(Object.keys(examples) as (keyof typeof examples)[])("%s by the embedded engine", (example) => {
  it("previews, provisions, changes nothing twice, and destroys", async () => {
    const preview = await runEmbedded({ ...options(example), preview: true });
    expect(preview.errors).toEqual([]);
    const up = await runEmbedded(options(example));
    expect(up.errors).toEqual([]);
    expect(readContract(up.outputs.contract?.value).environment).toBe("sandbox");
    const again = await runEmbedded({ ...options(example), previous: up.resources });
    expect(again.errors).toEqual([]);
    expect(again.resources.filter(({ custom, status }) => custom && status !== "same" && status !== "created")).toEqual([]);
    const destroyed = await destroyEmbedded(up.resources, sandbox.tables);
    expect(destroyed.errors).toEqual([]);
    expect(destroyed.resources.filter(({ status }) => status === "kept").map(({ name }) => name).sort()).toEqual(kept[example]);
  });
});

describe("dcf-gcp after destroy", () => {
  it("adopts what was kept, and says what stands in the way where it is not told to", async () => {
    const up = await runEmbedded(options("dcf-gcp"));
    await destroyEmbedded(up.resources, sandbox.tables);
    const taken = await runEmbedded(options("dcf-gcp"));
    expect(taken.errors).toContainEqual(expect.stringContaining("Requested entity already exists"));
    await destroyEmbedded(taken.resources, sandbox.tables);
    const existing = JSON.stringify({ mode: "existing" });
    const adopting = { "cloud-federation:pool": existing, "cloud-federation:provider": existing, "cloud-federation:repository": JSON.stringify({ name: "customer-dcf-repo", mode: "existing" }) };
    const adopted = await runEmbedded({ ...options("dcf-gcp"), config: { ...config("dcf-gcp"), ...adopting } });
    expect(adopted.errors).toEqual([]);
    const { exchange, targets } = readContract(adopted.outputs.contract?.value);
    expect(exchange).toEqual(readContract(up.outputs.contract?.value).exchange);
    expect(targets.filter(({ ownership }) => ownership === "existing").map(({ kind }) => kind)).toEqual(["workload-identity-pool", "workload-identity-pool-provider", "artifact-registry-repository"]);
  });
});

const root = resolve(__dirname, "../..");
const built = existsSync(join(root, "dist/stacks/dcf-gcp.js"));
const describeBuilt = built ? describeWithPulumi : (name: string, tests: () => void) => describe.skip(`${name} (skipped: not built)`, tests);

describeBuilt("by the real engine", () => {
  let server: ProviderServer;
  beforeAll(async () => {
    server = await startProviderServer(sandbox.tables);
  });
  afterAll(() => server.close());

  it.each(Object.keys(examples) as (keyof typeof examples)[])("%s is provisioned once, and a taken pool explained", async (example) => {
    const stack = await openCliStack({ cli: pulumi as PulumiCli, projectDirectory: root, stack: "e2e", port: server.port, packages: ["gcp", "kubernetes"], config: config(example) });
    try {
      expect((await stack.up()).errors).toEqual([]);
      expect(readContract((await stack.outputs()).contract).environment).toBe("sandbox");
      expect(await stack.preview("--expect-no-changes")).toMatchObject({ exitCode: 0, errors: [] });
      expect((await stack.destroy()).errors).toEqual([]);
      const again = await stack.up();
      expect(again.errors.join("\n")).toMatch(/bring it back with `gcloud iam workload-identity-pools undelete (dcf-pool|klavi-access-pool) --project=customer-app-prod --location=global`/);
    } finally {
      await stack.remove();
    }
  });
});
