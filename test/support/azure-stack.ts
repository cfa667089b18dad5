/** A sandbox with an integration for Azure in it, provisioned by the embedded engine from the example's configuration. */
import { readContract, type Contract } from "../../contract/index.js";
import { runEmbedded } from "../../engine/embedded.js";
import type { Sandbox } from "../../sandbox/index.js";
import type { VerifyOptions } from "../../verify/index.js";
import { administratorToken, armCall } from "./azure.js";
import { exampleConfig } from "./example-config.js";

/** What a customer does once in a subscription, by hand: `az provider register`. */
export async function registerProviders(sandbox: Sandbox): Promise<void> {
  const subscription = `/subscriptions/${sandbox.azure.defaultSubscription.subscriptionId}`;
  for (const namespace of ["Microsoft.ManagedIdentity", "Microsoft.ContainerRegistry", "Microsoft.Web"]) await armCall(sandbox, "POST", `${subscription}/providers/${namespace}/register?api-version=2021-04-01`);
}

/**
 * Provisions the stack: the contract and all outputs. Throws with the engine's own lines when that fails.
 *
 * @param changes as {@link exampleConfig} makes them
 */
export async function provisionAzure(sandbox: Sandbox, example: string, changes: Record<string, unknown> = {}): Promise<{ contract: Contract; outputs: Record<string, unknown> }> {
  await registerProviders(sandbox);
  const { default: program } = await import("../../stacks/index.js");
  const { ok, errors, outputs } = await runEmbedded({ program, project: "cloud-federation", stack: "test", config: await exampleConfig(example, example, changes), tables: sandbox.tables });
  if (!ok) throw new Error(errors.join("\n"));
  return { contract: readContract(outputs["contract"]?.value), outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])) };
}

/** Somebody who may read subscription and directory: the sandbox's administrator. */
export function azureReader(sandbox: Sandbox): NonNullable<VerifyOptions["account"]> {
  return { getToken: async (scope) => ({ token: await administratorToken(sandbox, { scope }) }) };
}
