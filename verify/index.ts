/** Proves a contract: walks every hop as the platform does, reads the account as its owner can, and says what is wrong. */
import { randomBytes } from "node:crypto";
import { ContractError, readContract, type ReadContract, type Workload } from "../contract/index.js";
import { clouds, type VerifyCloud } from "./cloud.js";
import { assertEnvironment } from "./environment.js";
import { InputError } from "./input-error.js";
import { heading, noPaint, type Paint } from "./formats/text.js";
import { Network } from "./network.js";
import type { VerifyOptions } from "./options.js";
import { buildReport, type Report } from "./report.js";
import { runChecks } from "./runner.js";
import { Scrubber } from "./scrub.js";
import { Turns } from "./turns.js";

export type { Cause } from "./causes.js";
export type { Check, CheckResult, CheckStatus, Residue, Verdict } from "./check.js";
export { InputError } from "./input-error.js";
export { formatReport, formatReportFile } from "./formats/index.js";
export { checkLine, conclusion, noPaint, type Paint } from "./formats/text.js";
export { DEPTHS, FORMATS, type Depth, type Format, type VerifyOptions } from "./options.js";
export { Network, type NetworkOptions } from "./network.js";
export { reportCheck, type Finding, type Report, type ReportCheck } from "./report.js";
export type { RunEvent } from "./runner.js";
export { commandToken, environmentToken, fileToken, functionToken, type TokenOrder, type TokenSource } from "./token-source.js";
export { awsCredentialsToken, awsRequestToken } from "./gcp/aws-request.js";
export { parseDuration } from "./waiting.js";

/**
 * Verifies a contract and reports every check. Nothing secret is in the report or in the events.
 *
 * @throws InputError when the contract cannot be read, no evidence is given, the token source gives no token, or the
 *   credentials are of another account
 */
export async function verifyContract(options: VerifyOptions): Promise<Report> {
  const contract = readInput(options);
  return turns.take(() => verify(contract, options));
}

/**
 * Runs of one process at the same time; others wait for their turn. With more, deadlines would measure this machine and
 * not what is verified.
 */
const RUNS_AT_ONCE = 16;
const turns = new Turns(RUNS_AT_ONCE);

async function verify(contract: ReadContract, options: VerifyOptions): Promise<Report> {
  const startedAt = new Date();
  const began = performance.now();
  const scrubber = new Scrubber();
  const network = options.network ?? new Network({ env: options.env, ca: options.ca });
  try {
    const runId = randomBytes(6).toString("hex");
    const cloud = await cloudOf(contract);
    const prepared = await cloud.prepare({ ...options, contract, network, scrubber, runId, now: startedAt });
    const { onEvent } = options;
    const result = await runChecks(prepared.checks, {
      signal: options.signal,
      onEvent: onEvent && ((event) => onEvent(event.type === "finished" ? { ...event, result: scrubber.data(event.result) } : event)),
    });
    const report = buildReport(result, {
      startedAt,
      durationMs: Math.round(performance.now() - began),
      runId,
      contract,
      evidence: prepared.evidence,
      notRead: prepared.notRead,
      tokenFingerprint: prepared.tokenFingerprint,
      waits: prepared.waits,
      hops: options.diagnostics ? (prepared.hops ?? []) : undefined,
    });
    return scrubber.data(report);
  } catch (error) {
    if (error instanceof InputError) throw new InputError(scrubber.text(error.message));
    throw error;
  } finally {
    if (!options.network) network.close();
  }
}

/**
 * Every call that {@link verifyContract} would make with these options, every object, what it costs and what may stay; for
 * people. Nothing is done.
 *
 * @throws InputError
 */
export async function planVerification(options: VerifyOptions): Promise<string> {
  const contract = readInput(options);
  return (await cloudOf(contract)).plan(contract, options);
}

/**
 * The workload that a contract is for, such as for the placeholders of a token command.
 *
 * @throws InputError
 */
export function workloadOf(contract: unknown): Workload {
  return readContractInput(contract).workload;
}

/**
 * What a verification with these options is about, in one line.
 *
 * @throws InputError
 */
export function describeVerification(options: VerifyOptions, paint: Paint = noPaint): string {
  return heading(readInput(options), [...(options.token ? (["token"] as const) : []), ...(options.account ? (["account"] as const) : [])], paint);
}

function readInput(options: VerifyOptions): ReadContract {
  const contract = readContractInput(options.contract);
  assertEnvironment(contract, options.env ?? process.env);
  if (!options.token && !options.account) {
    throw new InputError("There is nothing to verify with: give a token (--token-file, --token-command or --token-env), or --account to read the account with your own credentials, or both.");
  }
  if (!clouds[contract.exchange.type]) throw new InputError(`This release cannot verify an exchange of type ${contract.exchange.type}; it can ${Object.keys(clouds).join(", ")}.`);
  if (options.credentialFile !== undefined && contract.exchange.type !== "azure-client-assertion") throw new InputError(`A credential file belongs to an Azure contract; this one's exchange is of type ${contract.exchange.type}.`);
  return contract;
}

async function cloudOf({ exchange: { type } }: ReadContract): Promise<VerifyCloud> {
  const load = clouds[type];
  if (!load) throw new InputError(`This release cannot verify an exchange of type ${type}.`);
  return load();
}

function readContractInput(value: unknown): ReadContract {
  try {
    return readContract(value);
  } catch (error) {
    if (error instanceof ContractError) throw new InputError(error.message);
    throw error;
  }
}
