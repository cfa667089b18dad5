/** What can be wrong between a workload and a GCP project: codes, meaning, and the change that helps. */
import type { Contract, GcpExchange } from "../../contract/schema.js";
import type { Cause, CauseEntry } from "../causes.js";
import { buildCauses } from "./causes/builds.js";
import { exchangeCauses } from "./causes/exchange.js";
import { gkeCauses } from "./causes/gke.js";
import { impersonationCauses } from "./causes/impersonation.js";
import { issuerCauses } from "./causes/issuer.js";
import { registryCauses } from "./causes/registry.js";
import { rightsCauses } from "./causes/rights.js";
import { serviceCauses } from "./causes/service.js";
import { storageCauses } from "./causes/storage.js";
import { tokenCauses } from "./causes/token.js";

/** The values of a run that fixes are written with. */
export interface GcpCauseValues {
  contract: Contract;
  exchange: GcpExchange;
  /** What the failing thing is called: a bucket, a repository, a key id, an API. */
  subject?: string | undefined;
  /** Permission that was refused. */
  permission?: string | undefined;
  /** Role that gives it. */
  role?: string | undefined;
  /** Project that it is about, where that is not the contract's. */
  project?: string | undefined;
  expected?: string | undefined;
  found?: string | undefined;
}

export type GcpEntry = CauseEntry<GcpCauseValues>;

const entries = {
  ...tokenCauses,
  ...issuerCauses,
  ...exchangeCauses,
  ...impersonationCauses,
  ...rightsCauses,
  ...registryCauses,
  ...storageCauses,
  ...buildCauses,
  ...serviceCauses,
  ...gkeCauses,
  "contract.inconsistent": {
    title: "The contract contradicts itself",
    explanation: "It was edited, or put together from two stacks.",
    fix: () => "Take the contract from `pulumi stack output --json` of one stack.",
  },
} as const satisfies Record<string, GcpEntry>;

export type GcpCauseCode = keyof typeof entries;

export const gcpCauses: Readonly<Record<GcpCauseCode, GcpEntry>> = entries;

/** The cause with this run's values. */
export function gcpCause(code: GcpCauseCode, values: GcpCauseValues, ...evidence: string[]): Cause {
  const { title, failureMode, explanation, fix } = gcpCauses[code];
  return { code, title, ...(failureMode === undefined ? {} : { failureMode }), explanation, evidence, fix: fix(values) };
}
