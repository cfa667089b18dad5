import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { CliError, oneLine, printError } from "./output.js";
import { packageFolder } from "./package.js";
import { registerQuickstart } from "./quickstart.js";
import { registerSandbox } from "./sandbox.js";
import { registerVerify } from "./verify.js";

/**
 * The command line. Sets `process.exitCode`: 0 done, 1 a check failed, 2 wrong usage, unreadable input or something that
 * could not be done, 3 a required check without a verdict.
 *
 * Everything heavy is loaded inside the action that needs it, so that `--help` stays as quick as Node itself.
 */
export async function main(argv: readonly string[]): Promise<void> {
  endQuietlyWithoutReader();
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      printError(error);
      process.exit(2);
    });
  }
  try {
    await createProgram().parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed the reason; help and version are no mistakes.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    printError(error);
    process.exitCode = error instanceof CliError ? error.exitCode : 2;
  }
}

export function createProgram(): Command {
  const program = new Command("cloud-federation")
    .description("Keyless trust for an outside platform in your own cloud accounts: provisioned with Pulumi, proven with real tokens.")
    .version(packageVersion(), "--version", "print the version")
    .helpOption("--help", "show help")
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      // One line: the suggestion comes on a line of its own.
      outputError: (text) => printError(oneLine(text.replace(/^error: /, ""))),
    })
    .addHelpText(
      "after",
      `
Examples:
  $ cloud-federation quickstart
  $ cloud-federation sandbox start
  $ eval "$(cloud-federation sandbox env)"
  $ pulumi stack output --json | cloud-federation verify --contract - --account

Exit codes: 0 done, 1 a check failed, 2 wrong usage or unreadable input, 3 a required check without a verdict.`,
    );
  registerQuickstart(program);
  registerSandbox(program);
  registerVerify(program);
  return program;
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8")) as { version: string };
  return version;
}

/** `cloud-federation … | head -1` is no mistake. */
function endQuietlyWithoutReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}
