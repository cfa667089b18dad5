/** What verify knows of a cloud: each cloud's folder makes the checks of its exchanges, and says what they would do. */
import type { Exchange, ReadContract } from "../contract/index.js";
import type { Check } from "./check.js";
import type { Network } from "./network.js";
import type { VerifyOptions } from "./options.js";
import type { Evidence, ReportHop, ReportWait } from "./report.js";
import type { Scrubber } from "./scrub.js";

/** What a run is made of. */
export interface Setting extends VerifyOptions {
  contract: ReadContract;
  network: Network;
  scrubber: Scrubber;
  /** Names this run in everything that it makes. */
  runId: string;
  now: Date;
}

export interface Prepared {
  checks: Check[];
  evidence: Evidence[];
  /** Layers that could refuse and that this run cannot read. */
  notRead: string[];
  tokenFingerprint: string | undefined;
  /** Filled while the checks run. */
  waits: ReportWait[];
  /** Of the exchange, for `diagnostics`; filled while the checks run. */
  hops?: ReportHop[];
}

export interface VerifyCloud {
  /**
   * Gets the evidence and puts the checks together.
   *
   * @throws InputError when there is no token where one was promised, or the credentials are of another account
   */
  prepare(setting: Setting): Promise<Prepared>;
  /** Every call, object, cost and residue of a run with these options; for people. */
  plan(contract: ReadContract, options: VerifyOptions): string;
}

/** Loaded only for a contract of that cloud: its SDK costs start-up time. */
export const clouds: Partial<Readonly<Record<Exchange["type"], () => Promise<VerifyCloud>>>> = {
  "aws-web-identity": async () => (await import("./aws/index.js")).verifyAws,
  "azure-client-assertion": async () => (await import("./azure/index.js")).verifyAzure,
  "gcp-workload-identity": async () => (await import("./gcp/index.js")).verifyGcp,
};

/** Where a contract's resources are, in a few words: `account 111122223333, eu-west-1`. */
export function placeOf(exchange: Exchange): string {
  switch (exchange.type) {
    case "aws-web-identity":
      return `account ${exchange.accountId}, ${exchange.region}`;
    case "gcp-workload-identity":
      return `project ${exchange.projectId}`;
    case "azure-client-assertion":
      return exchange.subscriptionId === undefined ? `tenant ${exchange.tenantId}` : `subscription ${exchange.subscriptionId}`;
  }
}
