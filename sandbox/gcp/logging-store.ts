/** What Cloud Logging keeps. https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry */
import { randomBytes } from "node:crypto";
import type { SandboxCore } from "../types.js";

const ENTRY = "gcp:logging/entry";
/** The oldest of a project go when there are more. */
const MAX_ENTRIES = 2000;

export interface LogEntry {
  /** `projects/ID/logs/LOG`, the log's own name percent-encoded. */
  logName: string;
  resource: { type: string; labels?: Readonly<Record<string, string>> };
  timestamp: string;
  receiveTimestamp: string;
  insertId: string;
  severity?: string;
  labels?: Readonly<Record<string, string>>;
  textPayload?: string;
  jsonPayload?: object;
  protoPayload?: object;
}

/** An entry as it is written; the rest is filled in. */
export type NewLogEntry = Omit<LogEntry, "timestamp" | "receiveTimestamp" | "insertId"> & { timestamp?: string | undefined; insertId?: string | undefined };

export class LogEntries {
  #serial = 0;

  constructor(private readonly core: SandboxCore) {}

  write(projectId: string, entry: NewLogEntry): void {
    const received = this.core.clock.now().toISOString();
    const insertId = entry.insertId ?? randomBytes(8).toString("hex");
    this.#serial += 1;
    // Ids sort as entries came in, also those of one millisecond.
    const id = `projects/${projectId}/${received}-${String(this.#serial).padStart(9, "0")}-${insertId}`;
    this.core.store.put(ENTRY, id, { ...entry, timestamp: entry.timestamp ?? received, receiveTimestamp: received, insertId });
    this.#forget(projectId);
  }

  /** Oldest first. */
  list(projectId: string): LogEntry[] {
    return this.#of(projectId).map(({ value }) => value);
  }

  #of(projectId: string): { id: string; value: LogEntry }[] {
    const prefix = `projects/${projectId}/`;
    return this.core.store
      .list<LogEntry>(ENTRY)
      .filter(({ id }) => id.startsWith(prefix))
      .sort((a, b) => (a.value.timestamp === b.value.timestamp ? (a.id < b.id ? -1 : 1) : a.value.timestamp < b.value.timestamp ? -1 : 1));
  }

  #forget(projectId: string): void {
    if (this.#serial % 100 !== 0) return;
    const entries = this.#of(projectId);
    for (const { id } of entries.slice(0, Math.max(0, entries.length - MAX_ENTRIES))) this.core.store.delete(ENTRY, id);
  }
}
