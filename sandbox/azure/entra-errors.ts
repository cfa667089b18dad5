/** Entra's refusals: OAuth's error with an AADSTS code in its text. https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
import { randomUUID } from "node:crypto";
import { ENTRA_ERRORS, type EntraErrorFact, type EntraErrorName } from "../../facts/azure/entra-errors.js";
import type { ClientAssertionAnswer } from "../../trust/azure/types.js";
import type { Clock, WireResponse } from "../types.js";
import { asAzureError, json } from "./errors.js";
import { AzureError } from "./types.js";

/** `code` is OAuth's, such as `invalid_client`. */
export class EntraError extends AzureError {
  constructor(
    status: number,
    code: string,
    /** Of the AADSTS code. */
    readonly number: number,
    text: string,
  ) {
    super(status, code, `AADSTS${number}: ${text}`);
    this.name = "EntraError";
  }
}

export function entraError(name: EntraErrorName, ...values: readonly string[]): EntraError {
  const fact: EntraErrorFact = ENTRA_ERRORS[name];
  return new EntraError(fact.httpStatus, fact.error, fact.code, fact.text(...values));
}

/** A refusal that the rules of trust decided. */
export const refusalError = ({ httpStatus, error, code, message }: Pick<Extract<ClientAssertionAnswer, { allowed: false }>, "httpStatus" | "error" | "code" | "message">): EntraError =>
  new EntraError(httpStatus, error, code, message);

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes#handling-error-codes-in-your-application */
export function renderEntraError(error: unknown, clock: Clock): WireResponse {
  if (!(error instanceof EntraError)) {
    const { status, code, message } = asAzureError(error);
    const oauth = error instanceof AzureError && status === 404 ? "invalid_request" : status >= 500 || status === 429 ? "temporarily_unavailable" : code;
    return json(status, { error: oauth, error_description: message }, { "cache-control": "no-store, no-cache" });
  }
  const timestamp = `${clock.now().toISOString().slice(0, 19).replace("T", " ")}Z`;
  const [trace, correlation] = [randomUUID(), randomUUID()];
  const body = {
    error: error.code,
    error_description: `${error.message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
    error_codes: [error.number],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${error.number}`,
  };
  return json(error.status, body, { "cache-control": "no-store, no-cache" });
}
