import { rm } from "node:fs/promises";
import { startProviderServer, type ProviderServer } from "../engine/provider-server.js";
import { startSandbox, type Sandbox } from "../sandbox/index.js";
import { replaceFile } from "../sandbox/persistence.js";
import { CliError, oneLine } from "./output.js";
import type { StartOptions } from "./sandbox.js";

/** Runs until a signal comes: the first ends in order, the second at once. */
export async function start(options: StartOptions): Promise<void> {
  const stop = firstSignal();
  const sandbox = await open(options);
  try {
    const providers = await openProviders(sandbox, options.port);
    sandbox.providersPort = providers.port;
    try {
      const ready = readyLine(sandbox);
      if (options.readyFile !== undefined) await writeReadyFile(options.readyFile, ready);
      process.stdout.write(`${JSON.stringify(ready)}\n`);
      await stop;
      if (options.readyFile !== undefined) await rm(options.readyFile, { force: true });
    } finally {
      await providers.close();
    }
  } finally {
    await sandbox.close();
  }
}

async function open(options: StartOptions): Promise<Sandbox> {
  const { port, state, propagationDelay, latency } = options;
  try {
    return await startSandbox({
      port,
      ...(state !== undefined && { stateFile: state }),
      ...(propagationDelay !== undefined && { propagationDelaySeconds: propagationDelay }),
      ...(latency !== undefined && { latencyMs: latency }),
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new CliError(
        `Port ${port} is in use, perhaps by a sandbox that runs already: stop what listens there, or choose another with --port.`,
      );
    }
    if (code === "EACCES") throw new CliError(`Port ${port} may not be used by this user: choose another with --port.`);
    throw new CliError(oneLine(error));
  }
}

/** On the port after the sandbox's, where that is free: a shell's variables then outlive a restart. */
async function openProviders(sandbox: Sandbox, chosenPort: number): Promise<ProviderServer> {
  if (chosenPort === 0 || chosenPort === 65535) return startProviderServer(sandbox.tables);
  return startProviderServer(sandbox.tables, { port: chosenPort + 1 }).catch(() => startProviderServer(sandbox.tables));
}

/** What others need to find the sandbox; nothing secret, `sandbox env` has the keys. */
function readyLine(sandbox: Sandbox): Record<string, unknown> {
  return {
    ready: true,
    url: sandbox.url,
    endpointUrl: sandbox.endpointUrl,
    pid: process.pid,
    providersPort: sandbox.providersPort,
    caFile: sandbox.caFile,
    accountId: sandbox.aws.defaultAccountId,
    projectId: sandbox.gcp.defaultProject.projectId,
    projectNumber: sandbox.gcp.defaultProject.projectNumber,
    tenantId: sandbox.azure.defaultTenant.tenantId,
    subscriptionId: sandbox.azure.defaultSubscription.subscriptionId,
  };
}

async function writeReadyFile(file: string, ready: unknown): Promise<void> {
  try {
    await replaceFile(file, ready, 0o644);
  } catch (error) {
    throw new CliError(`The ready file ${file} cannot be written: ${oneLine(error)}`);
  }
}

function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let seen = false;
    for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15]] as const) {
      process.on(signal, () => {
        if (seen) process.exit(128 + number);
        seen = true;
        process.stderr.write("sandbox: stopping\n");
        resolve();
      });
    }
  });
}
