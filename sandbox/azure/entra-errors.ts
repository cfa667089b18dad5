/** Entra's refusals: OAuth's error with an AADSTS code in its text. https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
import { randomUUID } from "node:crypto";
import type { Clock, WireResponse } from "../types.js";
import { asAzureError, json } from "./errors.js";
import { AzureError } from "./types.js";

/** `code` is the number of the AADSTS code, `message` its text alone. */
export class EntraError extends Error {
  constructor(
    readonly status: number,
    /** OAuth's, such as `invalid_client`. */
    readonly error: string,
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = "EntraError";
  }
}

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
    error: error.error,
    error_description: `AADSTS${error.code}: ${error.message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
    error_codes: [error.code],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${error.code}`,
  };
  return json(error.status, body, { "cache-control": "no-store, no-cache" });
}
