/** A sandbox with the integration `dcf-aws` in it, provisioned by the embedded engine from the example's configuration. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { readContract, type AwsExchange, type Contract, type GrantOf } from "../../contract/index.js";
import { runEmbedded } from "../../engine/embedded.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";

const example = join(__dirname, "../../examples/dcf-aws/Pulumi.dcf-aws.yaml");

/** How the artifact bucket encrypts. */
export type Encryption = "sse-s3" | "kms";

/** What was provisioned, and how to come back to it. */
export interface Provisioned {
  contract: Contract;
  healthy: SandboxSnapshot;
}

const builds = "cloud-federation:lambdaBuild";

/**
 * The example's configuration as the engine takes it, with changes to the integration's own keys. Builds are in it only
 * where a change speaks of them: a broken bucket breaks builds too, and most tests are about one thing.
 */
async function configuration(changes: Record<string, object>): Promise<Record<string, string>> {
  const { config } = parse(await readFile(example, "utf8")) as { config: Record<string, unknown> };
  const changed = Object.entries(changes).map(([key, value]) => [`cloud-federation:${key}`, { ...(config[`cloud-federation:${key}`] as object), ...value }] as const);
  const kept = Object.entries(config).filter(([key]) => key !== builds);
  const entries = Object.entries({ ...Object.fromEntries(kept), ...Object.fromEntries(changed) });
  return Object.fromEntries(entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

/** Provisions the stack. Throws with the engine's own lines when that fails. */
export async function provisionDcfAws(sandbox: Sandbox, changes: Record<string, object> = {}): Promise<Contract> {
  const { default: program } = await import("../../stacks/index.js");
  const config = await configuration(changes);
  const { ok, errors, outputs } = await runEmbedded({ program, project: "cloud-federation", stack: "test", config, tables: sandbox.tables });
  if (!ok) throw new Error(errors.join("\n"));
  return readContract(outputs["contract"]?.value);
}

/** A sandbox that holds the stack's trust and storage, without builds, once for each encryption; `restore` one of them before using it. */
export async function startDcfAws(): Promise<{ sandbox: Sandbox; stacks: Record<Encryption, Provisioned> }> {
  const sandbox = await startSandbox();
  const empty = sandbox.snapshot();
  const provision = async (encryption: Encryption): Promise<Provisioned> => {
    sandbox.restore(empty);
    const contract = await provisionDcfAws(sandbox, { bucket: { encryption } });
    return { contract, healthy: sandbox.snapshot() };
  };
  return { sandbox, stacks: { "sse-s3": await provision("sse-s3"), kms: await provision("kms") } };
}

export function exchangeOf({ exchange }: Contract): AwsExchange {
  if (exchange.type !== "aws-web-identity") throw new Error(`The contract's exchange is ${exchange.type}.`);
  return exchange;
}

export function bucketGrantOf({ grants }: Contract): GrantOf<"s3-objects"> {
  const grant = grants.find((candidate) => candidate.kind === "s3-objects");
  if (!grant) throw new Error("The contract grants no bucket.");
  return grant;
}
