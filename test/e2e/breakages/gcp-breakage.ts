/** How a breakage of GCP's trust and storage is written down. */
import type { Contract } from "../../../contract/index.js";
import type { Sandbox, TokenOrder } from "../../../sandbox/index.js";
import type { FailureMode } from "../../../verify/causes.js";
import type { GcpCauseCode } from "../../../verify/gcp/causes.js";
import type { Depth } from "../../../verify/options.js";
import type { TokenSource } from "../../../verify/index.js";
import type { GcpAdministrator } from "../../support/gcp-administrator.js";
import type { Refused } from "../../support/gcp-platform.js";
import type { Klavi } from "../../support/klavi.js";

/** Which stack is broken. */
export type GcpStack = "dcf-gcp" | "klavi-gcp" | RuntimeStack;

/** DCF's with the role on the project, with the right to make services public besides, with builds as the default account, and for a cluster. */
export type RuntimeStack = "dcf-gcp-project" | "dcf-gcp-public" | "dcf-gcp-default-builds" | "dcf-gcp-gke";

export interface GcpBreakage {
  name: string;
  /** Default `dcf-gcp`. */
  stack?: GcpStack;
  failureMode?: FailureMode;
  depth?: Depth;
  /** Lets the canary be public for a moment. */
  allowPublicCanary?: true;
  break?: (administrator: GcpAdministrator) => Promise<void>;
  /** The token as it comes from the platform. */
  token?: (sandbox: Sandbox, contract: Contract) => Promise<Partial<TokenOrder>>;
  /** Who signs, for Klavi. Default: the role that Klavi delivers with, in a session named `delivery`. */
  signer?: (klavi: Klavi) => Promise<TokenSource>;
  contract?: (contract: Contract) => Contract;
  /** What Google answers the platform, and a part of the words; `none` for what it does not notice. */
  answers: Refused;
  /** The causes that each kind of evidence leaves; one means that it is named alone. */
  expect: Record<"token" | "account" | "both", readonly GcpCauseCode[]>;
}

/** The platform's side is at fault: only with its token can that be seen. */
export const live = (code: GcpCauseCode): GcpBreakage["expect"] => ({ token: [code], account: [], both: [code] });

/** The platform does not notice: only the project's configuration shows it. */
export const read = (code: GcpCauseCode): GcpBreakage["expect"] => ({ token: [], account: [code], both: [code] });

/** The same with every kind of evidence. */
export const always = (...codes: GcpCauseCode[]): GcpBreakage["expect"] => ({ token: codes, account: codes, both: codes });

/** Several with a token alone; with the project's configuration one. */
export const narrowed = (candidates: readonly GcpCauseCode[], code: GcpCauseCode): GcpBreakage["expect"] => ({ token: candidates, account: [code], both: [code] });
