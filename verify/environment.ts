/** A sandbox contract says nothing about a real account, and the other way round. */
import type { Contract } from "../contract/schema.js";
import { SANDBOX_VARIABLE } from "../facts/sandbox.js";
import { InputError } from "./input-error.js";

/** @throws InputError when contract and surroundings do not belong together */
export function assertEnvironment({ environment }: Contract, env: NodeJS.ProcessEnv): void {
  const inSandbox = (env[SANDBOX_VARIABLE] ?? "") !== "";
  if (environment === "sandbox" && !inSandbox) {
    throw new InputError(`This contract is of a sandbox, and ${SANDBOX_VARIABLE} is not set: run \`eval "$(npx cloud-federation sandbox env)"\` first, or give the contract of a real account.`);
  }
  if (environment === "cloud" && inSandbox) {
    throw new InputError(`This contract is of a real account, and this shell is pointed at a sandbox (${SANDBOX_VARIABLE} is set): use a fresh shell, or give the sandbox's contract.`);
  }
}
