import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { forwardRejections } from "../engine/forward-rejections.js";
import { armId, guidOf, runAzure } from "./fake-azure.js";

forwardRejections();

const root = join(__dirname, "../..");
const file = join(root, "examples/azure-components/index.ts");

describe("examples/azure-components", () => {
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
      paths: { "cloud-federation/azure": [join(root, "components/azure/index.ts")] },
    };
    const problems = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
    // A cold compiler on a busy machine.
  }, 180_000);

  it("runs", async () => {
    jest.doMock("cloud-federation/azure", () => jest.requireActual<object>("../../components/azure/index.js"), { virtual: true });
    const { result, assignments, child } = await runAzure(() => jest.requireActual<Record<string, unknown>>(file));
    expect(result.errors).toEqual([]);
    const scope = `${armId("rg-acme-builds", "Microsoft.Storage/storageAccounts", "acmebuilds")}/blobServices/default/containers/artifacts`;
    expect(assignments()).toEqual([{ scope, role: "ba92f5b4-2d11-453d-a403-e96b0029c9fe", principalId: guidOf("principal of id-acme-github") }]);
    expect(child("github-credential").inputs.subject).toBe("repo:acme/app:environment:production");
    expect(result.outputs.clientId?.value).toBe(guidOf("client of id-acme-github"));
  });
});
