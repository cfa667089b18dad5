/** Calls of methods past the wire: by the resource table, and by services of each other. */
import { statusOf } from "./errors.js";
import type { Gate } from "./gate.js";
import { askedOperation, type Operations } from "./operations.js";
import type { Router } from "./router.js";
import { type GcpRequest, RawAnswer } from "./service.js";
import { GcpError, type GcpCaller, type GcpCloud } from "./types.js";

export function createCall({ router, gate, operations }: { router: Router; gate: Gate; operations: Operations }): GcpCloud["call"] {
  return async <T>(caller: GcpCaller, method: string, address: string, body?: unknown): Promise<T> => {
    const url = new URL(address);
    const services = router.servicesAt(url.hostname);
    const match = router.find(method, url.pathname, services);
    if (!match) {
      const asked = askedOperation(method, url.pathname, services[0]);
      if (asked) return operations.get(asked.service.name, asked.name) as T;
      throw new GcpError("UNIMPLEMENTED", `The sandbox has no ${method} ${url.pathname} at ${url.hostname}.`);
    }
    const content: Pick<GcpRequest, "body" | "raw"> = Buffer.isBuffer(body) ? { body: undefined, raw: body } : { body, raw: Buffer.from(body === undefined ? "" : JSON.stringify(body)) };
    const answer = await gate.pass(match, () => ({ caller, method, url, query: url.searchParams, headers: {}, ...content }));
    return (answer instanceof RawAnswer ? valueOf(answer) : answer) as T;
  };
}

/** JSON parsed, anything else as it is. */
function valueOf({ response: { status, headers = {}, body = "" } }: RawAnswer): unknown {
  const isJson = /json/.test(headers["content-type"] ?? "") && body.length > 0;
  const value: unknown = isJson ? JSON.parse(body.toString()) : body;
  if (status < 400) return value;
  const { error } = (isJson ? value : {}) as { error?: { message?: string } };
  throw new GcpError(statusOf(status), error?.message ?? body.toString());
}
