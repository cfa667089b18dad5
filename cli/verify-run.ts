import { constants } from "node:fs";
import { access, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import {
  awsRequestToken,
  commandToken,
  environmentToken,
  fileToken,
  formatReport,
  formatReportFile,
  conclusion,
  describeVerification,
  InputError,
  parseDuration,
  planVerification,
  verifyContract,
  workloadOf,
  type RunEvent,
  type TokenSource,
  type VerifyOptions,
} from "../verify/index.js";
import { CliError, colours, oneLine } from "./output.js";
import type { VerifyCommandOptions } from "./verify.js";
import { VerifyProgress } from "./verify-progress.js";

/** Seconds that a token lives which a command is asked for and that is to be accepted. */
const TOKEN_LIFETIME_SECONDS = 900;

/** Runs the command; the exit code. */
export async function runVerify(options: VerifyCommandOptions): Promise<number> {
  try {
    const contract = await readContractFile(options.contract);
    const settings: VerifyOptions = {
      contract,
      token: tokenSource(options, contract),
      account: options.account ?? false,
      depth: options.depth,
      refusals: options.refusals === "on",
      acceptResidue: options.acceptResidue ?? false,
      allowPublicCanary: options.allowPublicCanary ?? false,
      diagnostics: options.diagnostics ?? false,
      ...(options.credentialFile === undefined ? {} : { credentialFile: await readCredentialFile(options.credentialFile) }),
      ...(options.wait === undefined ? {} : { waitSeconds: parseDuration(options.wait) }),
    };
    if (options.plan) {
      process.stdout.write(await planVerification(settings));
      return 0;
    }
    return await verify(settings, options);
  } catch (error) {
    if (error instanceof InputError) throw new CliError(error.message);
    throw error;
  }
}

async function verify(settings: VerifyOptions, { format, report: file }: VerifyCommandOptions): Promise<number> {
  // The SDK's notice about a later Node floor is not about the run.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const streamed = format === "text";
  const heading = describeVerification(settings, colours(process.stdout));
  if (file !== undefined) await assertWritable(file);
  const progress = new VerifyProgress(streamed ? process.stdout : undefined, process.stderr);
  const interrupt = new AbortController();
  const onInterrupt = (): void => {
    if (interrupt.signal.aborted) process.exit(130);
    process.stderr.write("\nInterrupted: removing what was stored (once more to stop at once).\n");
    interrupt.abort();
  };
  process.on("SIGINT", onInterrupt).on("SIGTERM", onInterrupt);
  const onEvent = (event: RunEvent): void => {
    // Not before the evidence is there: a token that cannot be had is one line, and nothing else.
    if (streamed && event.type === "planned") process.stdout.write(`${heading}\n\n`);
    progress.show(event);
  };
  try {
    const report = await verifyContract({ ...settings, signal: interrupt.signal, onEvent });
    progress.end();
    process.stdout.write(streamed ? conclusion(report, colours(process.stdout)) : formatReport(report, format));
    if (file !== undefined) await writeReport(file, formatReportFile(report, file, format));
    return report.exitCode;
  } finally {
    progress.end();
    process.off("SIGINT", onInterrupt).off("SIGTERM", onInterrupt);
  }
}

async function readContractFile(file: string): Promise<unknown> {
  const name = file === "-" ? "standard input" : file;
  const content = await (file === "-" ? text(process.stdin) : readFile(file, "utf8")).catch((error: unknown) => {
    throw new CliError(`The contract ${name} cannot be read: ${oneLine(error)}. Give --contract a file, or - for standard input.`);
  });
  try {
    return JSON.parse(content) as unknown;
  } catch {
    throw new CliError(`The contract ${name} is no JSON${content.trim() === "" ? ": it is empty" : ""}. Give it the stack's output \`contract\`, or all of \`pulumi stack output --json\`.`);
  }
}

async function readCredentialFile(file: string): Promise<unknown> {
  const content = await readFile(file, "utf8").catch((error: unknown) => {
    throw new CliError(`The credential file ${file} cannot be read: ${oneLine(error)}. Give --credential-file the JSON file that the platform was given.`);
  });
  try {
    return JSON.parse(content) as unknown;
  } catch {
    throw new CliError(`The credential file ${file} is no JSON. Give --credential-file the JSON file that the platform was given.`);
  }
}

function tokenSource({ tokenFile, tokenCommand, tokenEnv, tokenAws }: VerifyCommandOptions, contract: unknown): TokenSource | undefined {
  if (tokenAws) return awsRequestToken(workloadOf(contract).audience);
  if (tokenFile !== undefined) return fileToken(tokenFile);
  if (tokenEnv !== undefined) return environmentToken(tokenEnv);
  if (tokenCommand === undefined) return undefined;
  const { subject, audience } = workloadOf(contract);
  return commandToken(tokenCommand, { subject, audience, expiresInSeconds: TOKEN_LIFETIME_SECONDS });
}

/** Before anything is called: a verdict should not be lost to a mistyped folder. */
async function assertWritable(file: string): Promise<void> {
  await access(dirname(file), constants.W_OK).catch(unwritable);
}

function unwritable(error: unknown): never {
  throw new CliError(`The report cannot be written: ${oneLine(error)}. Give --report a file in a folder that exists.`);
}

async function writeReport(file: string, content: string): Promise<void> {
  await writeFile(file, content).catch(unwritable);
}
