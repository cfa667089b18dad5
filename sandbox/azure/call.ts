/** Calls of methods past the wire: by the resource tables, and by services of each other. */
import { FaultError } from "../types.js";
import { asAzureError } from "./errors.js";
import type { Gate } from "./gate.js";
import { cloudOf, type Router } from "./router.js";
import { type AzureRequest, RawAnswer } from "./service.js";
import { AzureError, type AzureCaller, type AzureCloud } from "./types.js";

export function createCall({ router, gate }: { router: Router; gate: Gate }): AzureCloud["call"] {
  return async <T>(caller: AzureCaller, method: string, address: string, body?: unknown): Promise<T> => {
    const url = new URL(address);
    const match = router.find(method, url.pathname, router.servicesAt(url.hostname));
    if (!match) throw new AzureError(404, "NotFound", `The sandbox has no ${method} ${url.pathname} at ${url.hostname}.`);
    const content: Pick<AzureRequest, "body" | "raw"> = Buffer.isBuffer(body) ? { body: undefined, raw: body } : { body, raw: Buffer.from(body === undefined ? "" : JSON.stringify(body)) };
    const answer = await gate.pass(match, () => ({ caller, cloud: cloudOf(url.hostname), method, url, query: url.searchParams, headers: {}, ...content })).catch((error: unknown) => {
      throw error instanceof FaultError ? asAzureError(error) : error;
    });
    return (answer instanceof RawAnswer ? valueOf(answer) : answer) as T;
  };
}

/** JSON parsed, anything else as it is. */
function valueOf({ response: { status, headers = {}, body = "" } }: RawAnswer): unknown {
  const isJson = /json/.test(headers["content-type"] ?? "") && body.length > 0;
  const value: unknown = isJson ? JSON.parse(body.toString()) : body;
  if (status < 400) return value;
  const { error } = (isJson ? value : {}) as { error?: { code?: string; message?: string } };
  throw new AzureError(status, error?.code ?? headers["x-ms-error-code"] ?? "Unknown", error?.message ?? body.toString());
}
