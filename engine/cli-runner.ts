/**
 * Runs an unchanged Pulumi project with the real engine against a provider server, its state and configuration in a
 * folder of their own: nothing is written into the project, no account of Pulumi's is used.
 */
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parse, stringify } from "yaml";

export interface PulumiCli {
  version: string;
  path: string;
}

/** The engine must not be older than the SDK that the programs use. */
export const minimumPulumiVersion = "3.248.0";

/** The `pulumi` on PATH; undefined when there is none or when it is older than {@link minimumPulumiVersion}. */
export function findPulumi(): PulumiCli | undefined {
  const asked = spawnSync("pulumi", ["version"], {
    encoding: "utf8",
    timeout: 20_000,
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  if (asked.status !== 0) return undefined;
  const version = /^v?(\d+\.\d+\.\d+)/.exec(asked.stdout)?.[1];
  if (version === undefined || !isAtLeast(version, minimumPulumiVersion)) return undefined;
  return { path: "pulumi", version };
}

function isAtLeast(version: string, minimum: string): boolean {
  return version.localeCompare(minimum, "en", { numeric: true }) >= 0;
}

export interface CliStackOptions {
  cli: PulumiCli;
  /** The folder of the project's Pulumi.yaml. */
  projectDirectory: string;
  stack: string;
  /** Of the provider server. */
  port: number;
  /** The packages that it serves, such as `aws`. */
  packages: readonly string[];
  /** As in a stack's configuration file; a key without a namespace is the project's own. */
  config?: Readonly<Record<string, unknown>>;
  secretConfig?: Readonly<Record<string, string>>;
  /** Further variables for the engine and the program. */
  environment?: Readonly<Record<string, string>>;
  /** An earlier stack's `directory`, to work on with its state and passphrase. Default: a new one. */
  directory?: string;
  /** Seconds for one command. Default 300. */
  deadlineSeconds?: number;
  /** Interrupts the running command as Ctrl-C does: what is under way is finished and recorded. */
  signal?: AbortSignal;
  onEvent?: (event: EngineEvent) => void;
}

/** The part of the engine's events that is of use here: https://www.pulumi.com/docs/iac/automation-api/concepts/ */
export interface EngineEvent {
  diagnosticEvent?: { severity: string; message: string; urn?: string };
  resourcePreEvent?: { metadata: StepMetadata };
  resOutputsEvent?: { metadata: StepMetadata };
  resOpFailedEvent?: { metadata: StepMetadata };
  summaryEvent?: { resourceChanges: Record<string, number> };
}

interface StepMetadata {
  op: string;
  urn: string;
  type: string;
  detailedDiff: Record<string, { diffKind: string; inputDiff: boolean }> | null;
}

export interface CliStep {
  /** `create`, `same`, `update`, `replace`, `create-replacement`, `delete-replaced`, `delete`, `refresh`, `import` … */
  op: string;
  urn: string;
  type: string;
  /** The properties that differ, with the kind of the difference (`update`, `update-replace`, `add` …). */
  differences: Record<string, string>;
}

export interface CliRun {
  ok: boolean;
  /** Pulumi's: 1 failed, 6 no such stack, 7 `--expect-no-changes` did not hold. */
  exitCode: number;
  /** Number of resources by operation, as the summary has it. */
  changes: Record<string, number>;
  steps: CliStep[];
  /** The engine's error diagnostics, secrets blotted out. */
  errors: string[];
}

export interface CliStack {
  /** Holds state, configuration and passphrase. */
  readonly directory: string;
  up(...args: string[]): Promise<CliRun>;
  preview(...args: string[]): Promise<CliRun>;
  refresh(...args: string[]): Promise<CliRun>;
  destroy(...args: string[]): Promise<CliRun>;
  /** The stack's outputs, secret ones in clear. */
  outputs(): Promise<Record<string, unknown>>;
  /** The stack's state as the backend has it, secrets encrypted. */
  exportState(): Promise<unknown>;
  setConfig(config: Readonly<Record<string, unknown>>): Promise<void>;
  /** Removes `directory`; the resources, if any are left, stay where they are. */
  remove(): Promise<void>;
}

/** Makes the stack if it is new. Throws one line when a command cannot be run at all; a failed `up` is a {@link CliRun}. */
export async function openCliStack(options: CliStackOptions): Promise<CliStack> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "cloud-federation-pulumi-")));
  const runner = new Runner(options, directory);
  try {
    await runner.prepare();
  } catch (error) {
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    throw error;
  }
  return {
    directory,
    up: (...args) => runner.operation("up", ["--yes", "--skip-preview", ...args]),
    preview: (...args) => runner.operation("preview", args),
    refresh: (...args) => runner.operation("refresh", ["--yes", "--skip-preview", ...args]),
    destroy: (...args) => runner.operation("destroy", ["--yes", "--skip-preview", ...args]),
    outputs: async () => JSON.parse(await runner.query("stack", "output", "--json", "--show-secrets")) as Record<string, unknown>,
    exportState: async () => JSON.parse(await runner.query("stack", "export")) as unknown,
    setConfig: (config) => runner.writeConfig(config),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

interface Finished {
  exitCode: number;
  stdout: string;
  stderr: string;
}

class Runner {
  private readonly configFile: string;
  private readonly configDirectory: string;
  private passphrase = "";

  constructor(
    private readonly options: CliStackOptions,
    private readonly directory: string,
  ) {
    this.configDirectory = join(directory, "project");
    this.configFile = join(this.configDirectory, `Pulumi.${options.stack}.yaml`);
  }

  /** `stack init` and `config set` write beside the Pulumi.yaml that they find: they are shown one of our own. */
  async prepare(): Promise<void> {
    const project = parse(await readFile(join(this.options.projectDirectory, "Pulumi.yaml"), "utf8")) as { name: string };
    await mkdir(join(this.directory, "state"), { recursive: true });
    await mkdir(this.configDirectory, { recursive: true });
    const passphraseFile = join(this.directory, "passphrase");
    this.passphrase = await readFile(passphraseFile, "utf8").catch(() => "");
    if (this.passphrase === "") {
      this.passphrase = randomBytes(24).toString("base64url");
      await writeFile(passphraseFile, this.passphrase, { mode: 0o600 });
      await writeFile(join(this.configDirectory, "Pulumi.yaml"), stringify({ name: project.name, runtime: "nodejs" }));
      await this.require(["stack", "init", this.options.stack, "--cwd", this.configDirectory]);
    }
    if (this.options.config) await this.writeConfig(this.options.config, project.name);
    for (const [key, value] of Object.entries(this.options.secretConfig ?? {})) {
      const args = ["config", "set", "--secret", key, "--stack", this.options.stack, "--cwd", this.configDirectory];
      await this.require(args, value);
    }
  }

  /** Sets these keys and keeps the others. */
  async writeConfig(config: Readonly<Record<string, unknown>>, projectName?: string): Promise<void> {
    const file = parse(await readFile(this.configFile, "utf8").catch(() => "{}")) as { config?: Record<string, unknown> };
    const name = projectName ?? (parse(await readFile(join(this.configDirectory, "Pulumi.yaml"), "utf8")) as { name: string }).name;
    const full = Object.entries(config).map(([key, value]) => [key.includes(":") ? key : `${name}:${key}`, value] as const);
    await writeFile(this.configFile, stringify({ ...file, config: { ...file.config, ...Object.fromEntries(full) } }));
  }

  async operation(command: string, args: readonly string[]): Promise<CliRun> {
    const run: CliRun = { ok: false, exitCode: -1, changes: {}, steps: [], errors: [] };
    const finished = await this.execute([command, ...this.stackArguments(), "--config-file", this.configFile, "--json", ...args], {
      onLine: (line) => this.readEvent(line, run),
    });
    if (finished.exitCode !== 0 && run.errors.length === 0) run.errors.push(this.scrub(lastWords(finished)));
    return { ...run, ok: finished.exitCode === 0, exitCode: finished.exitCode };
  }

  async query(...args: string[]): Promise<string> {
    return this.require([...args, ...this.stackArguments()]);
  }

  private stackArguments(): string[] {
    return ["--stack", this.options.stack, "--cwd", this.options.projectDirectory];
  }

  private readEvent(line: string, run: CliRun): void {
    let event: EngineEvent;
    try {
      event = JSON.parse(line) as EngineEvent;
    } catch {
      return;
    }
    this.options.onEvent?.(event);
    const { diagnosticEvent, resourcePreEvent, summaryEvent } = event;
    if (diagnosticEvent?.severity === "error") run.errors.push(this.scrub(diagnosticEvent.message.trim()));
    if (summaryEvent) run.changes = summaryEvent.resourceChanges;
    if (resourcePreEvent) {
      const { op, urn, type, detailedDiff } = resourcePreEvent.metadata;
      const differences = Object.entries(detailedDiff ?? {}).map(([property, { diffKind }]) => [property, diffKind]);
      run.steps.push({ op, urn, type, differences: Object.fromEntries(differences) as Record<string, string> });
    }
  }

  private async require(args: readonly string[], input?: string): Promise<string> {
    const finished = await this.execute(args, input === undefined ? {} : { input });
    if (finished.exitCode === 0) return finished.stdout;
    throw new Error(`pulumi ${args[0] ?? ""} ${args[1] ?? ""} failed: ${this.scrub(lastWords(finished))}`);
  }

  private scrub(text: string): string {
    const secrets = [this.passphrase, ...Object.values(this.options.secretConfig ?? {})].filter((secret) => secret !== "");
    return secrets.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, "[secret]"), text);
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      ...this.options.environment,
      PULUMI_HOME: join(this.directory, "home"),
      PULUMI_BACKEND_URL: `file://${join(this.directory, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: this.passphrase,
      PULUMI_DEBUG_PROVIDERS: this.options.packages.map((name) => `${name}:${this.options.port}`).join(","),
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
  }

  private execute(args: readonly string[], io: { input?: string; onLine?: (line: string) => void }): Promise<Finished> {
    const { cli, signal, deadlineSeconds = 300 } = this.options;
    return new Promise((resolve, reject) => {
      const child = spawn(cli.path, [...args, "--non-interactive"], { env: this.environment(), stdio: "pipe" });
      const finished: Finished = { exitCode: -1, stdout: "", stderr: "" };
      let pending = "";
      let kill: NodeJS.Timeout | undefined;
      // Once: creates under way finish and are recorded. Only a CLI that does not come back is killed.
      const interrupt = () => {
        child.kill("SIGINT");
        kill ??= setTimeout(() => child.kill("SIGKILL"), 30_000);
      };
      const deadline = setTimeout(() => {
        finished.stderr += `\nerror: no end after ${deadlineSeconds} s, interrupted`;
        interrupt();
      }, deadlineSeconds * 1000);
      signal?.addEventListener("abort", interrupt, { once: true });
      const stop = () => {
        clearTimeout(deadline);
        clearTimeout(kill);
        signal?.removeEventListener("abort", interrupt);
      };

      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        if (!io.onLine) {
          finished.stdout += chunk;
          return;
        }
        const lines = (pending + chunk).split("\n");
        pending = lines.pop() ?? "";
        lines.forEach(io.onLine);
      });
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => (finished.stderr += chunk));
      child.on("error", (error) => {
        stop();
        reject(new Error(`cannot run ${cli.path}: ${error.message}`));
      });
      const settle = (code: number | null) => {
        stop();
        if (pending !== "") io.onLine?.(pending);
        pending = "";
        resolve({ ...finished, exitCode: code ?? -1 });
      };
      child.on("close", settle);
      // After a program's mistake its language host can outlive the CLI and keep the pipes open.
      child.on("exit", (code) => setTimeout(() => settle(code), 1000).unref());
      child.stdin.on("error", () => undefined).end(io.input ?? "");
      if (signal?.aborted) interrupt();
    });
  }
}

function lastWords({ stderr, stdout, exitCode }: Finished): string {
  const lines = `${stdout}\n${stderr}`.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const error = [...lines].reverse().find((line) => line.startsWith("error:"));
  return error?.replace(/^error:\s*/, "") ?? lines.at(-1) ?? `exit code ${exitCode}`;
}
