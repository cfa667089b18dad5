/** The examples of the integrations on Azure, run against the sandbox by both engines. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { readContract } from "../../contract/index.js";
import { openCliStack, type PulumiCli } from "../../engine/cli-runner.js";
import { destroyEmbedded } from "../../engine/destroy.js";
import { runEmbedded, type EmbeddedResult } from "../../engine/embedded.js";
import { startProviderServer, type ProviderServer } from "../../engine/provider-server.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import program from "../../stacks/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { describeWithPulumi, pulumi } from "../engine/project.js";
import { armCall } from "../support/azure.js";
import { registerProviders } from "../support/azure-stack.js";

forwardRejections();
jest.setTimeout(300_000);

type Example = "dcf-azure" | "ddoe-azure";
interface Variant {
  example: Example;
  changes?: Record<string, unknown>;
  /** What stays on destroy, by logical name. */
  kept: string[];
}

const DCF_KEPT = ["dcf-app-registry", "dcf-artifacts-account", "dcf-artifacts-container", "dcf-artifacts-service", "dcf-group"];
const DDOE_KEPT = ["ddoe-artifacts-account", "ddoe-artifacts-container", "ddoe-artifacts-service", "ddoe-group"];
const variants: Record<string, Variant> = {
  "dcf-azure": { example: "dcf-azure", kept: [...DCF_KEPT, "dcf-identity-group"] },
  "dcf-azure with an application": { example: "dcf-azure", changes: { identityKind: "application", identityResourceGroup: undefined }, kept: DCF_KEPT },
  "ddoe-azure": { example: "ddoe-azure", kept: DDOE_KEPT },
  "ddoe-azure with a managed identity": { example: "ddoe-azure", changes: { identityKind: "managed-identity" }, kept: DDOE_KEPT },
};

function config({ example, changes = {} }: Pick<Variant, "example" | "changes">): Record<string, string> {
  const { config: values } = parse(readFileSync(join(__dirname, "../../examples", example, `Pulumi.${example}.yaml`), "utf8")) as { config: Record<string, unknown> };
  const merged = { ...values, ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [key.includes(":") ? key : `cloud-federation:${key}`, value])) };
  const kept = Object.entries(merged).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

let sandbox: Sandbox;
let empty: SandboxSnapshot;
beforeAll(async () => {
  sandbox = await startSandbox();
  await registerProviders(sandbox);
  empty = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(empty));
afterAll(() => sandbox.close());

const options = (variant: Pick<Variant, "example" | "changes">) => ({ program, project: "cloud-federation", stack: "test", config: config(variant), tables: sandbox.tables });
const group = (name: string) => `/subscriptions/${sandbox.azure.defaultSubscription.subscriptionId}/resourceGroups/${name}`;
const groupTags = async (name: string) => (await armCall<{ tags?: Record<string, string> }>(sandbox, "GET", `${group(name)}?api-version=2024-03-01`)).tags;

async function succeeded(running: Promise<EmbeddedResult>): Promise<EmbeddedResult> {
  const result = await running;
  expect(result.errors).toEqual([]);
  return result;
}

describe.each(Object.entries(variants))("%s by the embedded engine", (_name, variant) => {
  it("previews, provisions, changes nothing twice, and destroys", async () => {
    await succeeded(runEmbedded({ ...options(variant), preview: true }));
    const up = await succeeded(runEmbedded(options(variant)));
    const contract = readContract(up.outputs.contract?.value);
    expect(contract).toMatchObject({ integration: variant.example, environment: "sandbox", unrecognised: [] });
    const again = await succeeded(runEmbedded({ ...options(variant), previous: up.resources }));
    expect(again.resources.filter(({ custom, status }) => custom && status !== "same" && status !== "created")).toEqual([]);
    expect(readContract(again.outputs.contract?.value)).toEqual(contract);
    const destroyed = await destroyEmbedded(up.resources, sandbox.tables);
    expect(destroyed.errors).toEqual([]);
    expect(destroyed.resources.filter(({ status }) => status === "kept").map(({ name }) => name).sort()).toEqual(variant.kept);
  });
});

describe("dcf-azure", () => {
  const existingGroup = { name: "rg-acme-dcf", mode: "existing" };
  const kept = {
    resourceGroup: existingGroup,
    identityResourceGroup: { name: "rg-acme-identity", mode: "existing" },
    storageAccount: { name: "acmedcfartifacts", mode: "existing" },
    container: { name: "artifacts", mode: "existing" },
    appService: { registry: { name: "acmedcf", mode: "existing" }, plan: { name: "plan-acme-dcf" }, site: { name: "app-acme-dcf" } },
  };

  it("adopts what was kept after destroy, and says what stands in the way where it is not told to", async () => {
    const up = await succeeded(runEmbedded(options({ example: "dcf-azure" })));
    await destroyEmbedded(up.resources, sandbox.tables);
    const taken = await runEmbedded(options({ example: "dcf-azure" }));
    expect(taken.errors).toContainEqual(expect.stringMatching(/dcf-group\): .*cannot create already existing resource/));
    await destroyEmbedded(taken.resources, sandbox.tables);
    // The name of a deleted container is taken for at least 30 seconds.
    sandbox.core.clock.advance(120);
    const adopted = await succeeded(runEmbedded(options({ example: "dcf-azure", changes: kept })));
    const { targets, grants } = readContract(adopted.outputs.contract?.value);
    expect(targets.filter(({ ownership }) => ownership === "existing").map(({ kind }) => kind)).toEqual(["resource-group", "storage-account", "blob-container", "container-registry"]);
    expect(grants).toEqual(readContract(up.outputs.contract?.value).grants);
  });

  it("leaves nothing behind where told so", async () => {
    const variant = { example: "dcf-azure", changes: { retainOnDestroy: false } } as const;
    const up = await succeeded(runEmbedded(options(variant)));
    const destroyed = await destroyEmbedded(up.resources, sandbox.tables);
    expect(destroyed.errors).toEqual([]);
    expect(destroyed.resources.filter(({ status }) => status === "kept")).toEqual([]);
    await expect(groupTags("rg-acme-dcf")).rejects.toThrow(/could not be found/);
  });

  describe("in an existing group", () => {
    beforeEach(() => armCall(sandbox, "PUT", `${group("rg-acme-dcf")}?api-version=2024-03-01`, { location: "westeurope", tags: { "cost-centre": "42" } }));
    const variant = { example: "dcf-azure", changes: { resourceGroup: existingGroup } } as const;

    it("merges its tag into the group's own, and leaves all of them on destroy", async () => {
      const up = await succeeded(runEmbedded(options(variant)));
      const merged = { "cost-centre": "42", dcfCorrelationId: "dcf-4711-5f0c9a2e" };
      expect(await groupTags("rg-acme-dcf")).toEqual(merged);
      expect((await destroyEmbedded(up.resources, sandbox.tables)).errors).toEqual([]);
      expect(await groupTags("rg-acme-dcf")).toEqual(merged);
    });

    it("refuses one of another onboarding session before anything is changed, and takes it once its tag is changed", async () => {
      const tagged = (value: string) =>
        armCall(sandbox, "PATCH", `${group("rg-acme-dcf")}/providers/Microsoft.Resources/tags/default?api-version=2024-03-01`, { operation: "Merge", properties: { tags: { dcfCorrelationId: value } } });
      await tagged("dcf-1");
      const refused = await runEmbedded(options(variant));
      expect(refused.resources).toEqual([]);
      expect(refused.errors).toEqual([expect.stringContaining('dcfCorrelationId: is to be "dcf-4711-5f0c9a2e", but the resource group rg-acme-dcf has the tag dcfCorrelationId with the value "dcf-1"')]);
      await tagged("dcf-4711-5f0c9a2e");
      await succeeded(runEmbedded(options(variant)));
    });
  });

  it("says in Azure's words that a namespace is not registered", async () => {
    await armCall(sandbox, "POST", `/subscriptions/${sandbox.azure.defaultSubscription.subscriptionId}/providers/Microsoft.Web/unregister?api-version=2021-04-01`);
    const { errors } = await runEmbedded(options({ example: "dcf-azure" }));
    expect(errors).toContainEqual(expect.stringContaining("The subscription is not registered to use namespace 'Microsoft.Web'"));
  });
});

describe.each([
  ["usgovernment", "ccccdddd-2222-eeee-3333-ffff4444aaaa", "cccc2c2c-dd3d-ee4e-ff5f-aaaaaa6a6a6a", "usgovvirginia", "https://acmedcfartifacts.blob.core.usgovcloudapi.net/"],
  ["china", "ddddeeee-3333-ffff-4444-aaaa5555bbbb", "dddd3d3d-ee4e-ff5f-aa6a-bbbbbb7b7b7b", "chinaeast2", "https://acmedcfartifacts.blob.core.chinacloudapi.cn/"],
])("dcf-azure in %s", (cloud, tenantId, subscriptionId, region, blobEndpoint) => {
  it("is provisioned by the same program", async () => {
    const changes = {
      cloud,
      tenantId,
      subscriptionId,
      region,
      "azure-native:tenantId": tenantId,
      "azure-native:subscriptionId": subscriptionId,
      "azure-native:environment": cloud,
      identityKind: "application",
      identityResourceGroup: undefined,
      appService: undefined,
      "azuread:tenantId": tenantId,
      "azuread:environment": cloud,
    };
    const up = await succeeded(runEmbedded(options({ example: "dcf-azure", changes })));
    const contract = readContract(up.outputs.contract?.value);
    expect(contract.exchange).toMatchObject({ cloud, tenantId, subscriptionId });
    expect(contract.grants[1]).toMatchObject({ blobEndpoint });
  });
});

const root = resolve(__dirname, "../..");
const built = existsSync(join(root, "dist/stacks/dcf-azure.js"));
const describeBuilt = built ? describeWithPulumi : (name: string, tests: () => void) => describe.skip(`${name} (skipped: not built)`, tests);

describeBuilt("by the real engine", () => {
  let server: ProviderServer;
  beforeAll(async () => {
    server = await startProviderServer(sandbox.tables);
  });
  afterAll(() => server.close());

  it("explains what Azure's words leave open, and finishes what was begun", async () => {
    const web = (operation: string) => armCall(sandbox, "POST", `/subscriptions/${sandbox.azure.defaultSubscription.subscriptionId}/providers/Microsoft.Web/${operation}?api-version=2021-04-01`);
    await web("unregister");
    const stack = await openCliStack({ cli: pulumi as PulumiCli, projectDirectory: root, stack: "e2e", port: server.port, packages: ["azure-native", "azuread"], config: config({ example: "dcf-azure" }) });
    try {
      expect((await stack.up()).errors).toContainEqual(expect.stringContaining("The subscription has not registered Microsoft.Web. Do so with `az provider register --namespace Microsoft.Web --wait`"));
      await web("register");
      expect((await stack.up()).errors).toEqual([]);
    } finally {
      await stack.remove();
    }
  });

  it.each(["dcf-azure", "ddoe-azure"] as const)("%s is provisioned once, stays as it is, and is destroyed", async (example) => {
    const stack = await openCliStack({ cli: pulumi as PulumiCli, projectDirectory: root, stack: "e2e", port: server.port, packages: ["azure-native", "azuread"], config: config({ example }) });
    try {
      expect((await stack.up()).errors).toEqual([]);
      expect(readContract((await stack.outputs()).contract).environment).toBe("sandbox");
      expect(await stack.preview("--expect-no-changes")).toMatchObject({ exitCode: 0, errors: [] });
      expect((await stack.destroy()).errors).toEqual([]);
    } finally {
      await stack.remove();
    }
  });
});
