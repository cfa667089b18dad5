/** A sandbox with an integration for GCP in it, provisioned by the embedded engine from the example's configuration. */
import { readContract, type Contract, type GcpExchange, type GrantKind, type GrantOf } from "../../contract/index.js";
import { runEmbedded } from "../../engine/embedded.js";
import type { Sandbox } from "../../sandbox/index.js";
import { functionToken, type TokenSource } from "../../verify/index.js";
import { exampleConfig } from "./example-config.js";

/**
 * Provisions the stack: the contract and all outputs. Throws with the engine's own lines when that fails.
 *
 * @param example the file's name without `Pulumi.` and `.yaml`, such as `dcf-gcp` or `dcf-gcp-gke`
 * @param changes as {@link exampleConfig} makes them
 */
export async function provisionGcp(sandbox: Sandbox, example: string, changes: Record<string, unknown> = {}): Promise<{ contract: Contract; outputs: Record<string, unknown> }> {
  const { default: program } = await import("../../stacks/index.js");
  const { ok, errors, outputs } = await runEmbedded({ program, project: "cloud-federation", stack: "test", config: await exampleConfig(example.startsWith("dcf-gcp") ? "dcf-gcp" : example, example, changes), tables: sandbox.tables });
  if (!ok) throw new Error(errors.join("\n"));
  return { contract: readContract(outputs["contract"]?.value), outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])) };
}

export function gcpExchangeOf({ exchange }: Contract): GcpExchange {
  if (exchange.type !== "gcp-workload-identity") throw new Error(`The contract's exchange is ${exchange.type}.`);
  return exchange;
}

export function grantOf<K extends GrantKind>({ grants }: Contract, kind: K): GrantOf<K> {
  const grant = grants.find((candidate): candidate is GrantOf<K> => candidate.kind === kind);
  if (!grant) throw new Error(`The contract has no grant of kind ${kind}.`);
  return grant;
}

/** The platform's own issuer, which can make broken tokens too. */
export function platformToken(sandbox: Sandbox, { workload }: Contract): TokenSource {
  return functionToken((order) => sandbox.issuers.mint({ issuer: workload.issuer, subject: workload.subject, audience: workload.audience, ...order }), ["subject", "audience", "expiresInSeconds"]);
}
