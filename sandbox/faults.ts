import { setTimeout as sleep } from "node:timers/promises";
import { FaultError, type Fault } from "./types.js";

/** An answer of the wrong kind for every operation that the pattern matches. */
export interface OrderedFault extends Fault {
  id: string;
  /** `sts:AssumeRoleWithWebIdentity`, or with `*` for any characters: `s3:*`. */
  operation: string;
  /** How often it still strikes; absent: until it is removed. */
  count?: number;
}

export interface FaultPlan {
  /** Milliseconds by operation pattern; where several match, the largest counts. */
  latency: Record<string, number>;
  faults: OrderedFault[];
}

/** Latency and wrong answers that the administrator ordered. Time here is real time, whatever the sandbox's clock says. */
export class Faults {
  #latency = new Map<string, number>();
  #faults: OrderedFault[] = [];
  #nextId = 1;

  constructor(
    private readonly globalLatencyMs: () => number,
    private readonly changed: () => void = () => undefined,
    private readonly wait: (milliseconds: number) => Promise<void> = waitUnheld,
  ) {}

  /** Orders a fault; `count` is how often it strikes (default: until removed). Returns its id. */
  add(order: Omit<OrderedFault, "id">): string {
    const id = `fault-${this.#nextId++}`;
    this.#faults.push({ ...order, id });
    this.changed();
    return id;
  }

  remove(id: string): boolean {
    const before = this.#faults.length;
    this.#faults = this.#faults.filter((fault) => fault.id !== id);
    this.changed();
    return this.#faults.length < before;
  }

  /** Removes every fault and every latency of single operations. */
  clear(): void {
    this.plan = { latency: {}, faults: [] };
  }

  /** Adds latency to the operations that the pattern matches, besides the global one; 0 removes it. */
  setLatency(pattern: string, milliseconds: number): void {
    if (milliseconds > 0) this.#latency.set(pattern, milliseconds);
    else this.#latency.delete(pattern);
    this.changed();
  }

  get plan(): FaultPlan {
    return { latency: Object.fromEntries(this.#latency), faults: this.#faults.map((fault) => ({ ...fault })) };
  }

  set plan(plan: FaultPlan) {
    this.#latency = new Map(Object.entries(plan.latency));
    this.#faults = plan.faults.map((fault) => ({ ...fault }));
    for (const { id } of this.#faults) this.#nextId = Math.max(this.#nextId, Number(id.replace(/\D/g, "")) + 1);
    this.changed();
  }

  /** What every served operation goes through: the wait, then the fault. Throws {@link FaultError}. */
  async enter(operation: string, from: "client" | "inside" = "client"): Promise<void> {
    const matching = [...this.#latency].filter(([pattern]) => matches(pattern, operation)).map(([, ms]) => ms);
    const wait = (from === "client" ? this.globalLatencyMs() : 0) + Math.max(0, ...matching);
    if (wait > 0) await this.wait(wait);
    const fault = this.#faults.find((candidate) => matches(candidate.operation, operation));
    if (!fault) return;
    if (fault.count !== undefined && --fault.count <= 0) this.#faults = this.#faults.filter((other) => other !== fault);
    this.changed();
    throw new FaultError({ status: fault.status, code: fault.code, message: fault.message });
  }
}

/** Keeps no process alive: a sandbox that is stopped does not wait for its own latency. */
function waitUnheld(milliseconds: number): Promise<void> {
  return sleep(milliseconds, undefined, { ref: false });
}

/** Operations are compared without case, as clients and documentation differ in it. */
function matches(pattern: string, operation: string): boolean {
  const source = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  return new RegExp(`^${source}$`, "i").test(operation);
}
