import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { forwardRejections } from "../engine/forward-rejections.js";
import { document, run } from "./fake-aws.js";

forwardRejections();

const root = join(__dirname, "../..");
const file = join(root, "examples/aws-components/index.ts");

describe("examples/aws-components", () => {
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
      paths: { "cloud-federation/aws": [join(root, "components/aws/index.ts")] },
    };
    const problems = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
    // A cold compiler on a busy machine.
  }, 180_000);

  it("runs", async () => {
    jest.doMock("cloud-federation/aws", () => jest.requireActual<object>("../../components/aws/index.js"), { virtual: true });
    const { result, child } = await run(() => jest.requireActual<Record<string, unknown>>(file));
    expect(result.errors).toEqual([]);
    expect(result.outputs.roleArn?.value).toBe("arn:aws:iam::111122223333:role/github-builds");
    expect(result.outputs.bucketName?.value).toBe("acme-builds-111122223333-eu-west-1-an");
    expect(document(child("github-builds"), "assumeRolePolicy").Statement[0]?.Condition).toEqual({
      StringEquals: {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:acme/app:environment:production",
      },
    });
  });
});
