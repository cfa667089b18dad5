/** How a breakage of Azure's trust, rights, storage and services is written down. */
import type { Contract } from "../../../contract/index.js";
import type { Sandbox, TokenOrder } from "../../../sandbox/index.js";
import type { AzureCauseCode } from "../../../verify/azure/causes.js";
import type { FailureMode } from "../../../verify/causes.js";
import type { Depth } from "../../../verify/options.js";
import type { AzureAdministrator } from "../../support/azure-administrator.js";
import type { AzureRefused } from "../../support/azure-platform.js";

/** Which stack is broken: DCF's with a managed identity, DCF's with an app registration, DDOE's. */
export type AzureStack = "dcf-azure" | "dcf-azure-application" | "ddoe-azure";

export interface AzureBreakage {
  name: string;
  /** Default `dcf-azure`. */
  stack?: AzureStack;
  failureMode?: FailureMode;
  depth?: Depth;
  break?: (administrator: AzureAdministrator) => Promise<void>;
  /** The token as it comes from the platform. */
  token?: (sandbox: Sandbox, contract: Contract) => Promise<Partial<TokenOrder>>;
  contract?: (contract: Contract) => Contract;
  /** What Azure answers the platform; `none` for what it does not notice. */
  answers: AzureRefused;
  /** A part of what is said to somebody who would read the subscription, where that is where it ends. */
  refusesReader?: string;
  /** The causes that each kind of evidence leaves; one means that it is named alone. */
  expect: Record<"token" | "account" | "both", readonly AzureCauseCode[]>;
}

export const entra = (code: number, httpStatus = 401): AzureRefused => ({ hop: "entra", code: `AADSTS${code}`, httpStatus });
export const arm = (code: string, httpStatus = 403): AzureRefused => ({ hop: "group", code, httpStatus });
export const blob = (code: string, httpStatus = 403): AzureRefused => ({ hop: "blob", code, httpStatus });
export const unnoticed: AzureRefused = { hop: "none" };

/** The platform's side is at fault, or only its calls show it. */
export const live = (...codes: AzureCauseCode[]): AzureBreakage["expect"] => ({ token: codes, account: [], both: codes });

/** The platform does not notice: only the configuration shows it. */
export const read = (code: AzureCauseCode): AzureBreakage["expect"] => ({ token: [], account: [code], both: [code] });

/** The same with every kind of evidence. */
export const always = (...codes: AzureCauseCode[]): AzureBreakage["expect"] => ({ token: codes, account: codes, both: codes });

/** Several with a token alone; with the configuration one. */
export const narrowed = (candidates: readonly AzureCauseCode[], code: AzureCauseCode): AzureBreakage["expect"] => ({ token: candidates, account: [code], both: [code] });
