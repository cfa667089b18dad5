import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { readContract } from "../../contract/index.js";
import program from "../../stacks/index.js";
import { fakeGcp, runGcp, type FakeGcp } from "../components/fake-gcp.js";
import { forwardRejections } from "../engine/forward-rejections.js";

forwardRejections();

const exampleOf = (file: string) => parse(readFileSync(join(__dirname, "../../examples/dcf-gcp", file), "utf8")) as { config: Record<string, unknown> };
const cloudRun = exampleOf("Pulumi.dcf-gcp.yaml").config;

function config(changes: Record<string, unknown> = {}, example = cloudRun): Record<string, string> {
  const merged = { ...example, ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [`cloud-federation:${key}`, value])) };
  const entries = Object.entries(merged).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}
const start = (changes?: Record<string, unknown>, cloud: FakeGcp = fakeGcp(), example = cloudRun) => runGcp(program, cloud, config(changes, example));

describe("dcf-gcp", () => {
  it("x", async () => {
    const done = await start();
    console.log(done.result.errors, [...done.children.keys()], done.bindings(), JSON.stringify(readContract(done.result.outputs.contract?.value), null, 1), JSON.stringify(done.result.outputs));
  });
});
