/**
 * Runs a Pulumi program in this process against the sandbox's resource tables, without the Pulumi CLI: it previews,
 * creates and destroys. Updates, replacements, refreshes and imports with changes are the real engine's.
 */
import { LogSeverity, type LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import { RunError } from "@pulumi/pulumi/errors.js";
import * as runtime from "@pulumi/pulumi/runtime/index.js";
import * as state from "@pulumi/pulumi/runtime/state.js";

import type { Properties, ProviderScope, ProviderTable } from "../sandbox/types.js";
import { EmbeddedMonitor, stackType } from "./monitor.js";
import { messageOf } from "./operations.js";
import { hasSecret, hasUnknown, unwrap } from "./properties.js";

export interface EmbeddedOptions {
  /** What a Pulumi project's main module would export as a function: registers resources, returns the stack's outputs. */
  program: () => Promise<Record<string, unknown> | undefined>;
  project: string;
  stack: string;
  /** As in a stack's configuration file: `aws:region`, `cloud-federation:integration`; structured values as JSON texts. */
  config: Readonly<Record<string, string>>;
  /** Keys of `config` whose values are secret. */
  secretKeys?: readonly string[];
  tables: readonly ProviderTable[];
  /** Default false. Nothing is changed; ids and other outputs that the cloud chooses are unknown. */
  preview?: boolean;
  /** The resources that an earlier run left. Default none. */
  previous?: readonly EmbeddedResource[];
  onEvent?: (event: EmbeddedEvent) => void;
}

export interface EmbeddedResource {
  urn: string;
  type: string;
  name: string;
  /** Empty for components, in previews, and for what was not created. */
  id: string;
  parent?: string;
  custom: boolean;
  /** `same`: nothing to do. `skipped`: something that it depends on failed. */
  status: "created" | "failed" | "skipped" | "same";
  error?: string;
  seconds: number;
  /** Secrets are in the engine's envelopes, here and in `outputs`. */
  inputs: Properties;
  outputs: Properties;
  dependencies: readonly string[];
  protect: boolean;
  retainOnDelete: boolean;
  scope?: ProviderScope;
}

export interface EmbeddedOutput {
  /** Without envelopes; undefined where not known. */
  value: unknown;
  secret: boolean;
  /** False in previews, and where something that it depends on failed. */
  known: boolean;
}

export type EmbeddedEvent =
  | { kind: "started"; urn: string; type: string; name: string }
  | { kind: "finished"; resource: EmbeddedResource }
  | { kind: "log"; severity: "debug" | "info" | "warning" | "error"; message: string; urn: string };

export interface EmbeddedResult {
  /** In order of registration. Pass them to `previous` or to `destroyEmbedded`. */
  resources: EmbeddedResource[];
  outputs: Record<string, EmbeddedOutput>;
  /** One line each: of failed resources, of the program itself, of its error logs. */
  errors: string[];
  ok: boolean;
}

/** The part of the SDK's state that its declarations leave out; the Automation API runs its inline programs the same way. */
interface ProgramState {
  withLocalStorage<T>(callback: () => T): T;
  getLocalStore(): { settings: { engine?: unknown } } | undefined;
}
const programState = state as unknown as ProgramState;

/** Several programs may run at once in one process. Rejects only when the tables or the options themselves are at fault. */
export async function runEmbedded(options: EmbeddedOptions): Promise<EmbeddedResult> {
  return programState.withLocalStorage(() => runIsolated(options));
}

async function runIsolated(options: EmbeddedOptions): Promise<EmbeddedResult> {
  const onEvent = options.onEvent ?? (() => undefined);
  const preview = options.preview ?? false;
  const monitor = new EmbeddedMonitor({ ...options, preview, previous: options.previous ?? [], onEvent });
  const errors: string[] = [];
  runtime.setMockOptions(monitor, options.project, options.stack, preview, "organization");
  runtime.setAllConfig({ ...options.config }, [...(options.secretKeys ?? [])]);
  await (runtime as unknown as { awaitFeatureSupport(): Promise<void> }).awaitFeatureSupport();
  const store = programState.getLocalStore();
  if (store) store.settings.engine = programLog(onEvent, errors);

  const { report, failed } = failures(errors);
  if (store) reportRejections(store, report);
  // What waits for a failed output never settles, and the SDK's end of the run waits for all of that.
  await Promise.race([runProgram(options.program, report), failed.then(() => monitor.quiet())]);
  monitor.end();
  // A rejection is reported one turn after the last thing that could cause it.
  await new Promise((resolve) => setImmediate(resolve));
  return result(options, monitor, errors);
}

/** Never rejects. */
async function runProgram(program: EmbeddedOptions["program"], report: (error: unknown) => void): Promise<void> {
  const reported = async () => {
    try {
      return await program();
    } catch (error) {
      report(error);
      return {};
    }
  };
  await runtime.runInPulumiStack(reported).catch(report);
  await runtime.disconnect().catch(report);
}

/** Collects what the program fails with, once each: everything that waits for a failed output rejects with the same error. */
function failures(errors: string[]) {
  const seen = new Set<unknown>();
  let resolve: () => void = () => undefined;
  /** Settled by the first. */
  const failed = new Promise<void>((settle) => (resolve = settle));
  const report = (error: unknown): void => {
    if (!seen.has(error)) errors.push(describe(error));
    seen.add(error);
    resolve();
  };
  return { report, failed };
}

function result(options: EmbeddedOptions, monitor: EmbeddedMonitor, programErrors: readonly string[]): EmbeddedResult {
  const resources = [...monitor.resources.values()];
  const gone = (options.previous ?? []).filter(({ id, custom, urn }) => custom && id !== "" && !monitor.resources.has(urn));
  const errors = [...new Set([...monitor.errors, ...programErrors])];
  if (errors.length === 0) {
    for (const { type, name } of gone) {
      errors.push(`${type} (${name}) is no longer in the program: the embedded engine does not delete single resources; install the Pulumi CLI, or destroy the stack`);
    }
  }
  const outputs = Object.entries(monitor.stackOutputs).map(([name, value]): [string, EmbeddedOutput] => {
    const known = !hasUnknown(value);
    return [name, { value: known ? unwrap({ value }).plain.value : undefined, secret: hasSecret(value), known }];
  });
  return {
    resources: [...resources.filter(({ type }) => type !== stackType), ...gone],
    outputs: Object.fromEntries(outputs),
    errors,
    ok: errors.length === 0,
  };
}

const programs = new WeakMap<object, (error: unknown) => void>();
let listening = false;

/**
 * What a program leaves dangling (a throw in an `apply`) comes as an unhandled rejection, possibly when its run is long
 * over. One of no program ends the process as it would without us.
 */
function reportRejections(store: object, report: (error: unknown) => void): void {
  programs.set(store, report);
  if (listening) return;
  listening = true;
  process.on("unhandledRejection", (error) => {
    const owner = programState.getLocalStore();
    const program = owner && programs.get(owner);
    if (program) program(error);
    else if (process.listenerCount("unhandledRejection") === 1) throw error;
  });
}

/** Takes the place of the engine's log; an error logged there fails the run, as it does with the real engine. */
function programLog(onEvent: (event: EmbeddedEvent) => void, errors: string[]) {
  const severities = { [LogSeverity.DEBUG]: "debug", [LogSeverity.INFO]: "info", [LogSeverity.WARNING]: "warning", [LogSeverity.ERROR]: "error" } as const;
  return {
    log(request: LogRequest, callback: () => void): void {
      const severity = severities[request.getSeverity()];
      onEvent({ kind: "log", severity, message: request.getMessage(), urn: request.getUrn() });
      if (severity === "error") errors.push(messageOf(request.getMessage()));
      callback();
    },
    setRootResource(_request: unknown, callback: (error: null) => void): void {
      callback(null);
    },
  };
}

/** A mistake that the program explains itself keeps its lines; of anything else the message. */
function describe(error: unknown): string {
  return RunError.isInstance(error) ? error.message : messageOf(error);
}
