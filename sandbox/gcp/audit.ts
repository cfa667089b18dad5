/** Which permissions a call was asked for, for the audit log. https://cloud.google.com/logging/docs/audit */
import { AsyncLocalStorage } from "node:async_hooks";

export interface Authorization {
  permission: string;
  /** Full resource name. */
  resource: string;
  projectId: string;
  granted: boolean;
  /** Where the call has no caller, whom it let in. */
  principal?: string;
}

export class Audit {
  readonly #calls = new AsyncLocalStorage<Authorization[]>();

  note(authorization: Authorization): void {
    this.#calls.getStore()?.push(authorization);
  }

  /** Runs a call, and answers what it was authorised for beside what came of it. */
  async observe<T>(run: () => Promise<T>): Promise<{ outcome: { value: T } | { error: unknown }; authorizations: readonly Authorization[] }> {
    const authorizations: Authorization[] = [];
    try {
      return { outcome: { value: await this.#calls.run(authorizations, run) }, authorizations };
    } catch (error) {
      return { outcome: { error }, authorizations };
    }
  }
}
