import { checkLine, reportCheck, type RunEvent } from "../verify/index.js";
import { coloured, colours } from "./output.js";

type Finished = Extract<RunEvent, { type: "finished" }>;

/**
 * Shows a run while it goes: finished checks in their own order, and on a terminal one line with what is still running.
 */
export class VerifyProgress {
  #order: string[] = [];
  readonly #finished = new Map<string, Finished>();
  readonly #running = new Map<string, string>();
  #statusShown = false;

  /**
   * @param lines where checks are printed; undefined: nowhere
   * @param status where the passing line goes, if that is a terminal
   */
  constructor(
    private readonly lines: NodeJS.WriteStream | undefined,
    private readonly status: NodeJS.WriteStream,
  ) {}

  show(event: RunEvent): void {
    this.#clear();
    switch (event.type) {
      case "planned":
        this.#order = event.checks.map(({ id }) => id);
        break;
      case "started":
        this.#running.set(event.check.id, event.check.title);
        break;
      case "waiting": {
        const { code, seconds, remainingSeconds } = event.notice;
        const left = remainingSeconds > 0 ? `, up to ${Math.ceil(remainingSeconds)} s more` : "";
        const waiting = `waiting for a change to take effect (${code}${left})`;
        this.#running.set(event.check.id, `${event.check.title}: ${waiting}`);
        if (!coloured(this.status)) this.lines?.write(`waiting    ${event.check.title}: ${code}, again in ${seconds.toFixed(1)} s${left}\n`);
        break;
      }
      case "progress":
        this.#running.set(event.check.id, `${event.check.title}: ${event.text}`);
        if (!coloured(this.status)) this.lines?.write(`progress   ${event.check.title}: ${event.text}\n`);
        break;
      case "finished":
        this.#running.delete(event.check.id);
        this.#finished.set(event.check.id, event);
        this.#release();
        break;
      case "cleaning":
        this.#running.set("cleaning", "removing what was stored");
        break;
    }
    this.#draw();
  }

  end(): void {
    this.#running.clear();
    this.#clear();
  }

  /** Prints what is finished and whose turn it is. */
  #release(): void {
    for (let next = this.#order[0]; next !== undefined; next = this.#order[0]) {
      const event = this.#finished.get(next);
      if (!event) return;
      this.#order.shift();
      this.lines?.write(`${checkLine(reportCheck(event.result), colours(this.lines))}\n`);
    }
  }

  #draw(): void {
    const running = [...this.#running.values()].at(-1);
    if (!coloured(this.status) || running === undefined) return;
    const more = this.#running.size > 1 ? ` (and ${this.#running.size - 1} more)` : "";
    this.status.write(`… ${running}${more}`.slice(0, Math.max(20, this.status.columns - 1)));
    this.#statusShown = true;
  }

  #clear(): void {
    if (this.#statusShown) this.status.write("\r\u001b[K");
    this.#statusShown = false;
  }
}
