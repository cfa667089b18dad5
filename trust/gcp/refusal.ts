/** How STS refuses an exchange. */
import { STS_REFUSALS, STS_STATUS, type StsRefusalName } from "../../facts/gcp/sts.js";
import type { ExchangeReason, TokenExchangeAnswer } from "./types.js";

export type ExchangeRefusal = Extract<TokenExchangeAnswer, { allowed: false }>;

/** `values` go into Google's text; `detail` names the values at fault and never holds the token. */
export function refuse<N extends StsRefusalName>(reason: ExchangeReason, name: N, values: Parameters<(typeof STS_REFUSALS)[N]["text"]>, detail: string): ExchangeRefusal {
  const { code, text } = STS_REFUSALS[name];
  const write: (...values: string[]) => string = text;
  return { allowed: false, reason, httpStatus: STS_STATUS[code], error: code, description: write(...values), detail };
}

export function isRefusal(value: object): value is ExchangeRefusal {
  return "allowed" in value && value.allowed === false;
}
