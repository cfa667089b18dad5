/** What a run came to, as data: the one form that every output is made of. */
import type { Contract } from "../contract/schema.js";
import type { Cause } from "./causes.js";
import type { CheckResult, CheckStatus, Diagnosis, EvidenceGrade, Residue } from "./check.js";
import type { RunResult } from "./runner.js";

export const REPORT_KIND = "cloud-federation/report";
/** Raised by changes that a reader of the report has to know of; new optional members are none. */
export const REPORT_VERSION = 1;

export type Evidence = "token" | "account";

export interface ReportCheck {
  id: string;
  title: string;
  status: CheckStatus;
  grade: EvidenceGrade;
  required: boolean;
  durationMs: number;
  /** Of pass and fail. */
  seen?: string;
  /** Of unknown and not-tested. */
  reason?: string;
  /** Of a failure whose evidence leaves one cause. */
  cause?: Cause;
  /** Of a failure whose evidence leaves several. */
  oneOf?: Cause[];
  /** Layers that could have refused too and could not be read. */
  layersNotRead?: string[];
}

/** A cause, or a choice of causes, with all the checks that failed by it. */
export interface Finding {
  checks: string[];
  /** One: it is this. Several: one of these. */
  causes: Cause[];
  layersNotRead: string[];
}

export interface ReportWait {
  check: string;
  code: string;
  seconds: number;
  attempts: number;
}

/** One hop of the exchange as it was made: what was sent and what came back, without any token. */
export interface ReportHop {
  /** Such as `Security Token Service`. */
  name: string;
  endpoint: string;
  /** Parameters and claims that are no secret. */
  sent: Record<string, string>;
  /** In the service's own words: status, code and message, or what was given. */
  answer: string;
  durationMs: number;
}

export interface Report {
  kind: typeof REPORT_KIND;
  version: typeof REPORT_VERSION;
  /** ISO 8601. */
  startedAt: string;
  durationMs: number;
  runId: string;
  environment: Contract["environment"];
  evidence: Evidence[];
  /** What the evidence cannot show, such as service control policies. */
  notRead: string[];
  contract: Pick<Contract, "integration" | "version" | "workload" | "exchange"> & { grants: string[] };
  /** A name for the token that does not disclose it. */
  tokenFingerprint?: string;
  outcome: "passed" | "failed" | "unknown" | "interrupted";
  /** 0 all required checks passed, 1 a check failed, 3 a required check without a verdict, 130 interrupted. */
  exitCode: 0 | 1 | 3 | 130;
  checks: ReportCheck[];
  findings: Finding[];
  residue: Residue[];
  waits: ReportWait[];
  remarks: string[];
  /** Only when asked for. */
  hops?: ReportHop[];
}

export interface ReportFacts {
  startedAt: Date;
  durationMs: number;
  runId: string;
  contract: Contract;
  evidence: Evidence[];
  notRead: string[];
  tokenFingerprint: string | undefined;
  waits: ReportWait[];
  hops: ReportHop[] | undefined;
}

export function buildReport({ results, residue, remarks, interrupted }: RunResult, facts: ReportFacts): Report {
  const { integration, version, workload, exchange, grants, environment } = facts.contract;
  const exitCode = interrupted ? 130 : exitCodeOf(results);
  return {
    kind: REPORT_KIND,
    version: REPORT_VERSION,
    startedAt: facts.startedAt.toISOString(),
    durationMs: facts.durationMs,
    runId: facts.runId,
    environment,
    evidence: facts.evidence,
    notRead: facts.notRead,
    contract: { integration, version, workload, exchange, grants: grants.map(({ id, kind }) => `${id} (${kind})`) },
    ...(facts.tokenFingerprint === undefined ? {} : { tokenFingerprint: facts.tokenFingerprint }),
    outcome: OUTCOMES[exitCode],
    exitCode,
    checks: results.map(reportCheck),
    findings: findings(results),
    residue,
    waits: facts.waits,
    remarks,
    ...(facts.hops === undefined ? {} : { hops: facts.hops }),
  };
}

const OUTCOMES = { 0: "passed", 1: "failed", 3: "unknown", 130: "interrupted" } as const;

function exitCodeOf(results: readonly CheckResult[]): 0 | 1 | 3 {
  if (results.some(({ verdict }) => verdict.status === "fail")) return 1;
  return results.some(({ verdict, required }) => required && verdict.status === "unknown") ? 3 : 0;
}

/** One check's result as it stands in the report. */
export function reportCheck({ verdict, ...check }: CheckResult): ReportCheck {
  const common = { id: check.id, title: check.title, status: verdict.status, grade: check.grade, required: check.required, durationMs: check.durationMs };
  switch (verdict.status) {
    case "pass":
      return { ...common, seen: verdict.seen };
    case "fail":
      return { ...common, seen: verdict.seen, ...diagnosed(verdict.diagnosis) };
    default:
      return { ...common, reason: verdict.reason };
  }
}

function diagnosed({ causes, layersNotRead }: Diagnosis): Pick<ReportCheck, "cause" | "oneOf" | "layersNotRead"> {
  const [only, ...others] = causes;
  return {
    ...(only && others.length === 0 ? { cause: only } : { oneOf: causes }),
    ...(layersNotRead.length === 0 ? {} : { layersNotRead }),
  };
}

/** Checks that failed by the same thing are one finding. */
function findings(results: readonly CheckResult[]): Finding[] {
  const found = new Map<string, Finding>();
  for (const { id, verdict } of results) {
    if (verdict.status !== "fail") continue;
    const { causes, layersNotRead } = verdict.diagnosis;
    const key = causes.map(({ code }) => code).sort().join(" ");
    const known = found.get(key);
    if (!known) found.set(key, { checks: [id], causes, layersNotRead });
    else found.set(key, { ...known, checks: [...known.checks, id], causes: merged(known.causes, causes) });
  }
  return [...found.values()];
}

function merged(causes: readonly Cause[], more: readonly Cause[]): Cause[] {
  return causes.map((cause) => {
    const twin = more.find(({ code }) => code === cause.code);
    return { ...cause, evidence: [...new Set([...cause.evidence, ...(twin?.evidence ?? [])])] };
  });
}
