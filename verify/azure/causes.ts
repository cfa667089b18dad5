/** What can be wrong between a workload and an Azure subscription: codes, meaning, and the change that helps. */
import type { AzureExchange, Contract } from "../../contract/schema.js";
import type { AzureCloudFacts } from "../../facts/azure/clouds.js";
import type { Cause, CauseEntry } from "../causes.js";
import { clientCauses } from "./causes/client.js";
import { credentialCauses } from "./causes/credential.js";
import { exchangeCauses } from "./causes/exchange.js";
import { graphCauses } from "./causes/graph.js";
import { groupCauses } from "./causes/group.js";
import { issuerCauses } from "./causes/issuer.js";
import { registryCauses } from "./causes/registry.js";
import { rightsCauses } from "./causes/rights.js";
import { siteCauses } from "./causes/site.js";
import { storageCauses } from "./causes/storage.js";
import { subscriptionCauses } from "./causes/subscription.js";
import { tokenCauses } from "./causes/token.js";

/** The values of a run that fixes are written with. */
export interface AzureCauseValues {
  contract: Contract;
  exchange: AzureExchange;
  cloud: AzureCloudFacts;
  /** What the failing thing is called: an account, a container, a registry, a site, a key id, a namespace. */
  subject?: string | undefined;
  resourceGroup?: string | undefined;
  /** ARM id that the right is on. */
  scope?: string | undefined;
  /** Action that was refused. */
  action?: string | undefined;
  /** Role that gives it. */
  role?: string | undefined;
  expected?: string | undefined;
  found?: string | undefined;
}

export type AzureEntry = CauseEntry<AzureCauseValues>;

const entries = {
  ...tokenCauses,
  ...issuerCauses,
  ...credentialCauses,
  ...clientCauses,
  ...exchangeCauses,
  ...subscriptionCauses,
  ...groupCauses,
  ...rightsCauses,
  ...graphCauses,
  ...storageCauses,
  ...registryCauses,
  ...siteCauses,
  "contract.inconsistent": {
    title: "The contract contradicts itself",
    explanation: "It was edited, or put together from two stacks.",
    fix: () => "Take the contract from `pulumi stack output --json` of one stack.",
  },
} as const satisfies Record<string, AzureEntry>;

export type AzureCauseCode = keyof typeof entries;

export const azureCauses: Readonly<Record<AzureCauseCode, AzureEntry>> = entries;

/** The cause with this run's values. */
export function azureCause(code: AzureCauseCode, values: AzureCauseValues, ...evidence: string[]): Cause {
  const { title, failureMode, explanation, fix } = azureCauses[code];
  return { code, title, ...(failureMode === undefined ? {} : { failureMode }), explanation, evidence, fix: fix(values) };
}
