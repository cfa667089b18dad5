/** What a check is and how it can end. */
import type { Cause } from "./causes.js";

/** `live`: the answer of the real call. `predicted`: concluded from what the account's configuration says. */
export type EvidenceGrade = "live" | "predicted";

/** Why a check failed: one cause when the evidence excludes every other, several when it does not. */
export interface Diagnosis {
  /** Never empty. One: it is this. Several: it is one of these. */
  causes: Cause[];
  /** Layers that could have refused and that nobody here can read, such as "service control policies". */
  layersNotRead: string[];
}

export type Verdict =
  | { status: "pass"; seen: string }
  | { status: "fail"; seen: string; diagnosis: Diagnosis }
  /** No verdict although one was wanted: no answer, or a right to read is missing. */
  | { status: "unknown"; reason: string }
  /** Left out by design: no evidence for it, switched off, or what it stands on did not hold. */
  | { status: "not-tested"; reason: string };

export type CheckStatus = Verdict["status"];

/** Something that verify made and could not remove. */
export interface Residue {
  what: string;
  /** The command with which somebody who has the right removes it. */
  remove: string;
}

/** What a running check can use of its run. */
export interface CheckScope {
  /** Aborted by the check's deadline and by the run's end. */
  readonly signal: AbortSignal;
  /** How another check of the run ended; waits for it. Undefined when the run has no such check. */
  outcome(id: string): Promise<Verdict | undefined>;
  /** Runs after all checks, also after failures and Ctrl-C, latest first, with its own deadline. */
  cleanUp(action: (signal: AbortSignal) => Promise<void>): void;
  leaves(residue: Residue): void;
  /** A disagreement or remark that is no verdict of its own. */
  remark(text: string): void;
  waiting(notice: WaitNotice): void;
  /** Where something long has got to. */
  progress(text: string): void;
}

/** A refusal that may be propagation is being waited for. */
export interface WaitNotice {
  code: string;
  /** Until the next attempt. */
  seconds: number;
  /** Left of the time that may be waited in all. */
  remainingSeconds: number;
}

export interface Check {
  /** Stable, such as `aws.exchange`. */
  id: string;
  title: string;
  grade: EvidenceGrade;
  /** A required check without a verdict makes the run's exit code 3. */
  required: boolean;
  /** Ids of checks that have to pass first; otherwise this one is left out and not blamed. */
  needs: string[];
  /** Ids of checks that have to have ended first, in whatever way. */
  after?: string[];
  /** Milliseconds. The time that is waited for propagation comes on top. */
  deadlineMs: number;
  run(scope: CheckScope): Promise<Verdict>;
}

export interface CheckResult {
  id: string;
  title: string;
  grade: EvidenceGrade;
  required: boolean;
  verdict: Verdict;
  durationMs: number;
}

export function pass(seen: string): Verdict {
  return { status: "pass", seen };
}

export function fail(seen: string, diagnosis: Diagnosis | Cause): Verdict {
  return { status: "fail", seen, diagnosis: "causes" in diagnosis ? diagnosis : { causes: [diagnosis], layersNotRead: [] } };
}

export function unknown(reason: string): Verdict {
  return { status: "unknown", reason };
}

export function notTested(reason: string): Verdict {
  return { status: "not-tested", reason };
}
