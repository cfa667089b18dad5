/** The example of dcf-azure, run against the sandbox by the embedded engine. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { readContract } from "../../contract/index.js";
import { destroyEmbedded } from "../../engine/destroy.js";
import { runEmbedded } from "../../engine/embedded.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import program from "../../stacks/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";

forwardRejections();
jest.setTimeout(300_000);

function config(example: string): Record<string, string> {
  const { config: values } = parse(readFileSync(join(__dirname, "../../examples", example, `Pulumi.${example}.yaml`), "utf8")) as { config: Record<string, unknown> };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

let sandbox: Sandbox;
let empty: SandboxSnapshot;
beforeAll(async () => {
  sandbox = await startSandbox();
  const { caller } = sandbox.azure.administrator();
  for (const [namespace, version] of [["Microsoft.ManagedIdentity", "2023-01-31"], ["Microsoft.ContainerRegistry", "2023-07-01"], ["Microsoft.Web", "2025-05-01"]]) {
    await sandbox.azure.call(caller, "POST", `https://management.azure.com/subscriptions/${sandbox.azure.defaultSubscription.subscriptionId}/providers/${namespace}/register?api-version=${version}`);
  }
  empty = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(empty));
afterAll(() => sandbox.close());

const options = (example: string) => ({ program, project: "cloud-federation", stack: "test", config: config(example), tables: sandbox.tables });

describe.each(["dcf-azure", "ddoe-azure"])("%s by the embedded engine", (example) => {
  it("previews, provisions, changes nothing twice, and destroys", async () => {
    const preview = await runEmbedded({ ...options(example), preview: true });
    expect(preview.errors).toEqual([]);
    const up = await runEmbedded(options(example));
    expect(up.errors).toEqual([]);
    const contract = readContract(up.outputs.contract?.value);
    console.log(JSON.stringify(contract, null, 1));
    expect(contract.environment).toBe("sandbox");
    const again = await runEmbedded({ ...options(example), previous: up.resources });
    expect(again.errors).toEqual([]);
    expect(again.resources.filter(({ custom, status }) => custom && status !== "same" && status !== "created")).toEqual([]);
    const destroyed = await destroyEmbedded(up.resources, sandbox.tables);
    expect(destroyed.errors).toEqual([]);
    console.log(destroyed.resources.map((r) => `${r.name} ${r.status}`).join("\n"));
  });
});
