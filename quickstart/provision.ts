/** Provisions an example into a sandbox, with the Pulumi CLI where there is one and with the embedded engine where there is not. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { findPulumi, openCliStack, type PulumiCli } from "../engine/cli-runner.js";
import { runEmbedded } from "../engine/embedded.js";
import { startProviderServer } from "../engine/provider-server.js";
import type { Sandbox } from "../sandbox/index.js";

export interface ProvisionedResource {
  type: string;
  name: string;
  /** Nesting below the stack. */
  depth: number;
}

export interface Provisioned {
  /** Such as "Pulumi 3.260.0" or "the embedded engine (no pulumi on PATH)". */
  engine: string;
  resources: ProvisionedResource[];
  outputs: Record<string, unknown>;
}

export interface ProvisionOptions {
  sandbox: Sandbox;
  /** The package's folder, where Pulumi.yaml and examples/ are. */
  root: string;
  integration: string;
  onResource?: (resource: ProvisionedResource) => void;
}

const stack = "quickstart";

/** Throws an Error with the engine's own lines when the program or a resource fails. */
export async function provision(options: ProvisionOptions): Promise<Provisioned> {
  const file = join(options.root, "examples", options.integration, `Pulumi.${options.integration}.yaml`);
  const { config } = parse(await readFile(file, "utf8")) as { config: Record<string, unknown> };
  const cli = findPulumi();
  return cli ? withCli(options, config, cli) : withoutCli(options, config);
}

async function withCli(options: ProvisionOptions, config: Record<string, unknown>, cli: PulumiCli): Promise<Provisioned> {
  const server = await startProviderServer(options.sandbox.tables);
  const resources: ProvisionedResource[] = [];
  try {
    const opened = await openCliStack({
      cli,
      projectDirectory: options.root,
      stack,
      port: server.port,
      packages: options.sandbox.tables.map((table) => table.package),
      config,
      deadlineSeconds: 60,
      onEvent: ({ resOutputsEvent }) => {
        if (resOutputsEvent?.metadata.op !== "create") return;
        const resource = fromUrn(resOutputsEvent.metadata.urn);
        if (!resource) return;
        resources.push(resource);
        options.onResource?.(resource);
      },
    });
    try {
      const run = await opened.up();
      if (!run.ok) throw new Error(run.errors.join("\n"));
      return { engine: `Pulumi ${cli.version}, found on PATH`, resources, outputs: await opened.outputs() };
    } finally {
      await opened.remove();
    }
  } finally {
    await server.close();
  }
}

async function withoutCli(options: ProvisionOptions, config: Record<string, unknown>): Promise<Provisioned> {
  const { program } = await import("../stacks/index.js").then((module) => ({ program: module.default }));
  const resources: ProvisionedResource[] = [];
  const result = await runEmbedded({
    program,
    project: "cloud-federation",
    stack,
    config: Object.fromEntries(Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)])),
    tables: options.sandbox.tables,
    onEvent: (event) => {
      if (event.kind !== "finished" || event.resource.status !== "created") return;
      const resource = fromUrn(event.resource.urn);
      if (!resource) return;
      resources.push(resource);
      options.onResource?.(resource);
    },
  });
  if (!result.ok) throw new Error(result.errors.join("\n"));
  const outputs = Object.fromEntries(Object.entries(result.outputs).map(([name, { value }]) => [name, value]));
  return { engine: "the embedded engine (no pulumi on PATH)", resources, outputs };
}

/** `urn:pulumi:STACK::PROJECT::[parent types$]type::name`; undefined for the stack itself and for providers. */
function fromUrn(urn: string): ProvisionedResource | undefined {
  const [, , types, name] = urn.split("::");
  const chain = types?.split("$") ?? [];
  const type = chain.at(-1);
  if (type === undefined || name === undefined || type === "pulumi:pulumi:Stack" || type.startsWith("pulumi:providers:")) return undefined;
  return { type, name, depth: chain.filter((one) => one !== "pulumi:pulumi:Stack").length - 1 };
}
