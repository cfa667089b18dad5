import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { forwardRejections } from "../engine/forward-rejections.js";
import { runGcp } from "./fake-gcp.js";

forwardRejections();

const root = join(__dirname, "../..");
const file = join(root, "examples/gcp-components/index.ts");

describe("examples/gcp-components", () => {
  it("has 30 lines or fewer", () => {
    expect(readFileSync(file, "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(30);
  });

  it("type-checks under strict settings", () => {
    const options: ts.CompilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      noEmit: true,
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
      // As an installed package would resolve it, from the sources instead of the build's output.
      paths: { "cloud-federation/gcp": [join(root, "components/gcp/index.ts")] },
    };
    const problems = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
    // A cold compiler on a busy machine.
  }, 180_000);

  it("runs", async () => {
    jest.doMock("cloud-federation/gcp", () => jest.requireActual<object>("../../components/gcp/index.js"), { virtual: true });
    const { result, bindings, child } = await runGcp(() => jest.requireActual<Record<string, unknown>>(file));
    expect(result.errors).toEqual([]);
    const pool = "projects/123456789012/locations/global/workloadIdentityPools/github-actions";
    expect(bindings()).toEqual([
      { on: "acme-builds", role: "roles/storage.objectAdmin", member: `principal://iam.googleapis.com/${pool}/subject/repo:acme/app:environment:production` },
    ]);
    expect(child("github-provider").inputs.attributeCondition).toBe("assertion.sub == 'repo:acme/app:environment:production'");
    expect(result.outputs.tokenAudience?.value).toBe(`https://iam.googleapis.com/${pool}/providers/acme-app`);
  });
});
