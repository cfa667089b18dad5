/** `aws` in a build: the options of the real CLI as members of an operation, and its words for what goes wrong. */
import { setTimeout as pause } from "node:timers/promises";
import { type BuildCloud, NoRoute } from "./build-cloud.js";
import { copy } from "./build-cli-s3.js";
import { readOptions } from "./build-cli-options.js";
import type { Program, ProgramCall } from "../build/shell.js";
import { AwsError, type AwsServiceName } from "./types.js";

/** Exit statuses. https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html */
const USAGE = 252;
const REFUSED = 254;
const FAILED = 255;

/** Services as the CLI names them, and how their members are written. */
const COMMANDS: Readonly<Record<string, { service: AwsServiceName; members: "Pascal" | "camel" }>> = {
  codebuild: { service: "codebuild", members: "camel" },
  ecr: { service: "ecr", members: "camel" },
  iam: { service: "iam", members: "Pascal" },
  lambda: { service: "lambda", members: "Pascal" },
  logs: { service: "logs", members: "camel" },
  s3api: { service: "s3", members: "Pascal" },
  sts: { service: "sts", members: "Pascal" },
};

interface Waiter {
  operation: string;
  /** Where in the answer the state is. */
  path: string;
  done: string;
  failed: string;
}

/** https://docs.aws.amazon.com/cli/latest/reference/lambda/wait/ */
const LAMBDA_WAITERS: Readonly<Record<string, Waiter>> = {
  "function-active": { operation: "GetFunctionConfiguration", path: "State", done: "Active", failed: "Failed" },
  "function-active-v2": { operation: "GetFunction", path: "Configuration.State", done: "Active", failed: "Failed" },
  "function-updated": { operation: "GetFunctionConfiguration", path: "LastUpdateStatus", done: "Successful", failed: "Failed" },
  "function-updated-v2": { operation: "GetFunction", path: "Configuration.LastUpdateStatus", done: "Successful", failed: "Failed" },
};
const WAITER_ATTEMPTS = 60;
/** Real milliseconds between two looks: the sandbox's functions are ready sooner than Lambda's. */
const WAITER_PAUSE_MS = 20;

export function awsProgram(cloud: BuildCloud): Program {
  return async (call) => {
    const [command = "", operation = "", ...rest] = call.args;
    const region = regionOf(call, rest);
    try {
      if (command === "--version") return print(call, "aws-cli/2 (sandbox)\n");
      if (command === "s3" && operation === "cp") return await copy(cloud, call, rest, region);
      if (command === "ecr" && operation === "get-login-password") return await loginPassword(cloud, call, region);
      if (command === "lambda" && operation === "wait") return await wait(cloud, call, rest, region);
      return await invoke(cloud, call, command, operation, rest, region);
    } catch (error) {
      if (!(error instanceof NoRoute)) throw error;
      call.err(`\n${error.message}\n`);
      return FAILED;
    }
  };
}

function print({ out }: ProgramCall, text: string): number {
  out(text);
  return 0;
}

function usage({ err }: ProgramCall, problem: string): number {
  err(`\naws: error: ${problem}\n`);
  return USAGE;
}

/** https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html */
function regionOf({ shell }: ProgramCall, args: readonly string[]): string {
  const given = args.indexOf("--region");
  return (given < 0 ? undefined : args[given + 1]) ?? shell.variables.get("AWS_REGION") ?? shell.variables.get("AWS_DEFAULT_REGION") ?? "";
}

const pascal = (text: string): string => text.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
const camel = (text: string): string => pascal(text).charAt(0).toLowerCase() + pascal(text).slice(1);

async function invoke(cloud: BuildCloud, call: ProgramCall, command: string, operation: string, args: readonly string[], region: string): Promise<number> {
  const known = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (!known) return usage(call, `argument command: Invalid choice (the sandbox's builds know: s3, ${Object.keys(COMMANDS).join(", ")}); got '${command}'`);
  const options = readOptions(args, known.members === "Pascal" ? pascal : camel);
  if (typeof options === "string") return usage(call, options);
  try {
    const output = await cloud.call(known.service, pascal(operation), options.input, region);
    call.out(render(output, options.query, options.output));
    return 0;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (error.code === "InvalidAction") return usage(call, `argument operation: Invalid choice; the sandbox does not know '${command} ${operation}'`);
    call.err(`\n${refusalText(error, pascal(operation))}\n`);
    return REFUSED;
  }
}

export function refusalText({ code, message }: AwsError, operation: string): string {
  return `An error occurred (${code}) when calling the ${operation} operation: ${message}`;
}

async function loginPassword(cloud: BuildCloud, call: ProgramCall, region: string): Promise<number> {
  try {
    const { authorizationData } = await cloud.call("ecr", "GetAuthorizationToken", {}, region);
    const [first] = authorizationData as { authorizationToken?: string }[];
    const password = Buffer.from(first?.authorizationToken ?? "", "base64").toString("utf8").replace(/^AWS:/, "");
    cloud.registryPasswords.add(password);
    call.out(`${password}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    call.err(`\n${refusalText(error, "GetAuthorizationToken")}\n`);
    return REFUSED;
  }
}

async function wait(cloud: BuildCloud, call: ProgramCall, [name = "", ...args]: readonly string[], region: string): Promise<number> {
  const waiter = Object.hasOwn(LAMBDA_WAITERS, name) ? LAMBDA_WAITERS[name] : undefined;
  const options = readOptions(args, pascal);
  if (!waiter || typeof options === "string") return usage(call, `argument waiter: Invalid choice; the sandbox does not know 'lambda wait ${name}'`);
  const failed = (why: string): number => {
    call.err(`\nWaiter ${pascal(name)} failed: ${why}\n`);
    return FAILED;
  };
  for (let attempt = 0; attempt < WAITER_ATTEMPTS; attempt++) {
    call.shell.checkpoint();
    try {
      const state = select(await cloud.call("lambda", waiter.operation, options.input, region), waiter.path);
      if (state === waiter.done) return 0;
      if (state === waiter.failed) return failed(`Waiter encountered a terminal failure state: For expression "${waiter.path}" we matched expected path: "${waiter.failed}"`);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return failed(refusalText(error, waiter.operation));
    }
    await pause(WAITER_PAUSE_MS);
  }
  return failed("Max attempts exceeded");
}

/** A path of members and indices, the part of JMESPath that scripts use to take one value out. */
function select(output: unknown, query: string): unknown {
  return query.split(/[.[\]]+/).filter((step) => step !== "").reduce<unknown>((value, step) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined), output);
}

function render(output: Record<string, unknown>, query: string | undefined, format: string | undefined): string {
  const value = query === undefined ? output : select(output, query);
  if (format === "text") return `${typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : value === undefined ? "None" : JSON.stringify(value)}\n`;
  if (query === undefined && Object.keys(output).length === 0) return "";
  return `${JSON.stringify(value ?? null, null, 4)}\n`;
}
