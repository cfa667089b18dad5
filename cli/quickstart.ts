import { Option, type Command } from "commander";
import { colours } from "./output.js";
import { packageFolder } from "./package.js";

export function registerQuickstart(program: Command): void {
  program
    .command("quickstart")
    .description("show all of it on this machine: sandbox, provisioning, proof, and the diagnosis of one thing broken on purpose")
    .addOption(new Option("--integration <name...>", "which integrations to show").choices(["dcf-aws", "dcf-gcp", "dcf-azure", "klavi-gcp", "ddoe-azure"]).default(["dcf-aws", "dcf-gcp", "dcf-azure"]))
    .addHelpText(
      "after",
      `
Examples:
  $ npm run quickstart
  $ npm run quickstart -- --integration klavi-gcp ddoe-azure
  $ npx cloud-federation quickstart --integration dcf-aws

Exit codes: 0 everything went as it should, 1 it did not.`,
    )
    .action(async ({ integration: integrations }: { integration: string[] }) => {
      // The SDK's notice about a later Node floor is not for this reader.
      process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
      const [{ quickstart }, { VerifyProgress }] = await Promise.all([import("../quickstart/index.js"), import("./verify-progress.js")]);
      const interrupt = new AbortController();
      process.once("SIGINT", () => interrupt.abort());
      const ok = await quickstart({
        root: packageFolder(),
        integrations,
        print: (text) => process.stdout.write(text),
        paint: colours(process.stdout),
        showRun: () => {
          const progress = new VerifyProgress(process.stdout, process.stderr);
          return (event) => progress.show(event);
        },
        signal: interrupt.signal,
      });
      process.exitCode = ok ? 0 : 1;
    });
}
