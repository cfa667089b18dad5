/** Writes the audit log of calls. https://cloud.google.com/logging/docs/audit */
import type { Authorization } from "./audit.js";
import type { CalledMethod } from "./errors.js";
import type { GcpRequest } from "./service.js";

export interface CallLog {
  record(called: CalledMethod, request: GcpRequest, authorizations: readonly Authorization[], outcome: { value: unknown } | { error: unknown }): void;
}
