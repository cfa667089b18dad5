/** What a verification would do, before it does anything. */
import type { ReadContract } from "../contract/index.js";
import type { VerifyOptions } from "./options.js";

export function planText(contract: ReadContract, options: VerifyOptions): string {
  return `${contract.integration} ${options.depth ?? "storage"}\n`;
}
