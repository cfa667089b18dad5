/** Azure Storage's refusals, by ARM and by the Blob service, which answers in XML. https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2 */
import { type StorageCode, storageRefusals } from "../../facts/azure/storage.js";
import type { WireResponse } from "../types.js";
import { asAzureError } from "./errors.js";
import { AzureError } from "./types.js";
import { XML_TYPE, element, xmlDocument } from "./storage-xml.js";

/** `elements` stand beside code and text: which header or parameter, and its value. */
export function storageRefusal(code: StorageCode, elements: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}): AzureError {
  const [status = 500, message = code] = storageRefusals[code] ?? [];
  return new AzureError(status, code, message, { details: [elements], headers });
}

/** Headers that every answer of the Blob service has come from whoever calls this; `requestId` is one of them. */
export function renderBlobError(error: unknown, requestId: string, now: Date): WireResponse {
  const { status, code, message, extra } = asAzureError(error);
  const text = `${message}\nRequestId:${requestId}\nTime:${now.toISOString().replace("Z", "0000Z")}`;
  const more = Object.entries(Object.assign({}, ...(extra.details ?? [])) as Record<string, string>).map(([name, value]) => element(name, value));
  return {
    status,
    headers: { "content-type": XML_TYPE, "x-ms-error-code": code, ...extra.headers },
    body: status === 304 ? "" : xmlDocument("Error", [element("Code", code), element("Message", text), ...more]),
  };
}
