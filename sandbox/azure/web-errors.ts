/** Refusals of Microsoft.Web, which come in an envelope of their own. https://learn.microsoft.com/rest/api/appservice/ */
import type { Grade } from "../../facts/rules.js";
import type { WireResponse } from "../types.js";
import { json, renderError } from "./errors.js";
import { AzureError } from "./types.js";

interface Refusal {
  status: number;
  code: string;
  message: string;
  extendedCode?: string;
  source: string;
  grade: Grade;
}

export class WebError extends AzureError {
  constructor({ status, code, message, extendedCode }: Refusal) {
    const entity = { ...(extendedCode !== undefined && { ExtendedCode: extendedCode }), Code: code, Message: message };
    super(status, code, message, { details: [{ Message: message }, { Code: code }, { ErrorEntity: entity }] });
    this.name = "WebError";
  }
}

export const refuseWeb = (refusal: Refusal): WebError => new WebError(refusal);

/** What Resource Manager says itself is in its own envelope. */
export function renderWebError(error: unknown): WireResponse {
  if (!(error instanceof WebError)) return renderError(error);
  const { status, code: Code, message: Message, extra } = error;
  return json(status, { Code, Message, Target: null, Details: extra.details ?? [], Innererror: null });
}
