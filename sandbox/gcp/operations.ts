/** Long-running operations. Those of the sandbox are done when they are answered; they are kept for clients that ask again. */
import type { SandboxCore } from "../types.js";
import type { GcpService } from "./service.js";
import { GcpError } from "./types.js";

interface OperationRecord {
  name: string;
  done: boolean;
  metadata?: object;
  response?: object;
}

const typeOf = (service: string): string => `gcp:${service}/operation`;
const PATH = /^\/v\d+(?:(?:alpha|beta)\d*)?\/((?:.+\/)?operations\/[^/:]+)$/;

export class Operations {
  constructor(private readonly core: SandboxCore) {}

  /** Keeps one that is done and answers it. */
  done(service: string, name: string, response: object | undefined, metadata?: object): object {
    const record: OperationRecord = { name, ...(metadata && { metadata }), done: true, ...(response && { response }) };
    this.core.store.put(typeOf(service), name, record);
    return record;
  }

  get(service: string, name: string): object {
    const found = this.core.store.get<OperationRecord>(typeOf(service), decodeURIComponent(name));
    if (!found) throw new GcpError("NOT_FOUND", `Operation not found: ${name}`);
    return found;
  }
}

/** Name of the operation that a GET asks for, at services that have no route of their own for it. */
export function askedOperation(method: string, path: string, service: GcpService | undefined): { service: GcpService; name: string } | undefined {
  const name = method === "GET" ? PATH.exec(path)?.[1] : undefined;
  return name === undefined || !service ? undefined : { service, name };
}
