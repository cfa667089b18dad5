/** How Entra refuses an assertion. */
import { ENTRA_ERRORS, type EntraErrorName } from "../../facts/azure/entra-errors.js";
import type { AssertionReason, ClientAssertionAnswer } from "./types.js";

export type AssertionRefusal = Extract<ClientAssertionAnswer, { allowed: false }>;

/** `values` go into Entra's text; `detail` names the values at fault and never holds the assertion. */
export function refuse<N extends EntraErrorName>(reason: AssertionReason, name: N, values: Parameters<(typeof ENTRA_ERRORS)[N]["text"]>, detail: string): AssertionRefusal {
  const { code, httpStatus, error, text } = ENTRA_ERRORS[name];
  const write: (...values: string[]) => string = text;
  return { allowed: false, reason, httpStatus, error, code, message: write(...values), detail };
}

export function isRefusal(value: object): value is AssertionRefusal {
  return "allowed" in value && value.allowed === false;
}
