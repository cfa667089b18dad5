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
  const commands = everyCommand(program);
  requireOptionsLast(program, commands);
  for (const command of commands) nameWayOut(command);
  return program;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** Commander asks for what is missing before it names the flag that was misspelt, which may be the very same. */
function requireOptionsLast(program: Command, commands: readonly Command[]): void {
  const required = new Map(commands.map((command) => [command, command.options.filter(({ mandatory }) => mandatory)]));
  for (const option of [...required.values()].flat()) option.mandatory = false;
  program.hook("preAction", (_, command) => {
    const missing = required.get(command)?.find((option) => command.getOptionValue(option.attributeName()) === undefined);
    if (missing) command.error(`required option '${missing.flags}' not specified`);
  });
}

/** Mistakes of usage that say nothing of how it is right. */
const WITHOUT_WAY_OUT = /^(?:unknown|required|missing|too many) .*[^?)]$/;

function nameWayOut(command: Command): void {
  const names: string[] = [];
  for (let each: Command | null = command; each; each = each.parent) names.unshift(each.name());
  command.configureOutput({
    // One line: a suggestion comes on a line of its own.
    outputError: (text) => {
      const line = oneLine(text.replace(/^error: /, ""));
      printError(WITHOUT_WAY_OUT.test(line) ? `${line}; see \`${names.join(" ")} --help\`` : line);
    },
  });
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
