import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { contractSchema } from "../../contract/index.js";
import { fakeAws, run, type FakeAws } from "../components/fake-aws.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import program = require("../../stacks/index.js");

forwardRejections();

const example = parse(readFileSync(join(__dirname, "../../examples/dcf-aws/Pulumi.dcf-aws.yaml"), "utf8")) as { config: Record<string, unknown> };

/** The example's configuration as the engine passes it, with changes; undefined takes a key away. */
function config(changes: Record<string, unknown> = {}): Record<string, string> {
  const merged = { ...example.config, ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [`cloud-federation:${key}`, value])) };
  const entries = Object.entries(merged).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

const up = (changes?: Record<string, unknown>, cloud?: FakeAws) => run(program, cloud ?? fakeAws(), config(changes));

describe("dcf-aws", () => {
  it("provisions the example", async () => {
    const { result } = await up();
    expect(result.errors).toEqual([]);
    console.log(JSON.stringify(result.outputs, null, 1), result.resources.map((r) => [r.urn, r.inputs]));
    expect(contractSchema.parse(result.outputs.contract?.value)).toEqual(result.outputs.contract?.value);
  });
});
