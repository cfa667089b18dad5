/** What can be wrong between a workload and an AWS account: codes, meaning, and the change that helps. */
import type { AwsExchange, Contract } from "../../contract/schema.js";
import type { Cause, CauseEntry } from "../causes.js";
import { buildCauses } from "./codebuild-entries.js";
import { exchangeCauses } from "./exchange-entries.js";
import { storageCauses } from "./storage-entries.js";
import { tokenCauses } from "./token-entries.js";

/** The values of a run that fixes are written with. */
export interface AwsCauseValues {
  contract: Contract;
  exchange: AwsExchange;
  /** What the failing thing is called: a bucket, a key's ARN, a condition key. */
  subject?: string | undefined;
  /** IAM action that was refused. */
  action?: string | undefined;
  expected?: string | undefined;
  found?: string | undefined;
  /** A statement denies it; otherwise none allows it. */
  explicit?: boolean | undefined;
}

type Entry = CauseEntry<AwsCauseValues>;

const entries = {
  ...tokenCauses,
  ...exchangeCauses,
  ...storageCauses,
  ...buildCauses,
  // ---- the contract ----
  "contract.inconsistent": {
    title: "The contract contradicts itself",
    explanation: "It was edited, or put together from two stacks.",
    fix: () => "Take the contract from `pulumi stack output --json` of one stack.",
  },
} as const satisfies Record<string, Entry>;

export type AwsCauseCode = keyof typeof entries;

export const awsCauses: Readonly<Record<AwsCauseCode, Entry>> = entries;

/** The cause with this run's values. */
export function awsCause(code: AwsCauseCode, values: AwsCauseValues, ...evidence: string[]): Cause {
  const { title, failureMode, explanation, fix } = awsCauses[code];
  return { code, title, ...(failureMode === undefined ? {} : { failureMode }), explanation, evidence, fix: fix(values) };
}
