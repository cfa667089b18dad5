/** Graph's refusals in Graph's envelope. https://learn.microsoft.com/graph/errors */
import { randomUUID } from "node:crypto";
import type { ServiceErrorFact } from "../../facts/azure/arm-errors.js";
import { GRAPH_ERRORS, type GraphErrorName } from "../../facts/azure/graph-errors.js";
import type { Clock, WireResponse } from "../types.js";
import { asAzureError, json } from "./errors.js";
import { AzureError } from "./types.js";

export function graphError(name: GraphErrorName, ...values: readonly string[]): AzureError {
  const fact: ServiceErrorFact = GRAPH_ERRORS[name];
  return new AzureError(fact.httpStatus, fact.code, fact.text(...values));
}

export const badRequest = (message: string): AzureError => new AzureError(400, "Request_BadRequest", message);

export function renderGraphError(error: unknown, clock: Clock): WireResponse {
  const { status, code, message } = inGraphsWords(asAzureError(error));
  const id = randomUUID();
  const date = clock.now().toISOString().slice(0, 19);
  return json(status, { error: { code, message, innerError: { date, "request-id": id, "client-request-id": id } } }, status === 401 ? { "www-authenticate": 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"' } : {});
}

/** What the front says of tokens and bodies for every service. */
function inGraphsWords(error: AzureError): AzureError {
  switch (error.code) {
    case "AuthenticationFailed":
      return graphError("tokenMissing");
    case "InvalidAuthenticationTokenAudience":
      return graphError("tokenAudience");
    case "InvalidAuthenticationToken":
      return new AzureError(401, "InvalidAuthenticationToken", "IDX14100: JWT is not well formed.");
    case "ExpiredAuthenticationToken":
      return new AzureError(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.");
    case "InvalidRequestContent":
      return new AzureError(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.");
    case "NotFound":
      return new AzureError(400, "BadRequest", error.message);
    default:
      return error;
  }
}
