/** How a breakage of GCP's trust and storage is written down. */
import type { Contract } from "../../../contract/index.js";
import type { Sandbox } from "../../../sandbox/index.js";
import type { FailureMode } from "../../../verify/causes.js";
import type { GcpCauseCode } from "../../../verify/gcp/causes.js";
import type { Depth } from "../../../verify/options.js";
import type { TokenOrder } from "../../../verify/token-source.js";
import type { GcpAdministrator } from "../../support/gcp-administrator.js";

/** Which stack is broken. */
export type GcpStack = "dcf-gcp" | "klavi-gcp";

export interface GcpBreakage {
  name: string;
  /** Default `dcf-gcp`. */
  stack?: GcpStack;
  failureMode?: FailureMode;
  depth?: Depth;
  break?: (administrator: GcpAdministrator) => Promise<void>;
  /** The token as it comes from the platform; for Klavi who signs. */
  token?: (sandbox: Sandbox, contract: Contract) => Promise<TokenOrder & Record<string, unknown>>;
  contract?: (contract: Contract) => Contract;
  /** What Google answers the platform: hop and code. */
  answers: { hop: "sts" | "iamcredentials" | "storage.create" | "none"; code?: string; message?: string };
  /** The causes that each kind of evidence leaves; one means that it is named alone. */
  expect: { token: readonly GcpCauseCode[]; account: readonly GcpCauseCode[]; both: readonly GcpCauseCode[] };
}

/** The same with every kind of evidence. */
export const always = (...codes: GcpCauseCode[]): GcpBreakage["expect"] => ({ token: codes, account: codes, both: codes });

/** Several with a token alone; with the project's configuration one. */
export const narrowed = (candidates: readonly GcpCauseCode[], code: GcpCauseCode): GcpBreakage["expect"] => ({ token: candidates, account: [code], both: [code] });
