/** How STS refuses a web identity. */
import { STS_STATUS, type StsCode } from "../../facts/aws/sts.js";
import type { WebIdentityAnswer, WebIdentityReason } from "./types.js";

export type WebIdentityRefusal = Extract<WebIdentityAnswer, { allowed: false }>;

/** `detail` names the values at fault; it never holds the token. */
export function refuse(code: StsCode, message: string, reason: WebIdentityReason, detail: string): WebIdentityRefusal {
  return { allowed: false, code, httpStatus: STS_STATUS[code], message, reason, detail };
}
