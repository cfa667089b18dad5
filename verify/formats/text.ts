/** The report for people, on a terminal or in a log. */
import type { Contract } from "../../contract/schema.js";
import type { Cause } from "../causes.js";
import type { CheckStatus } from "../check.js";
import { placeOf } from "../cloud.js";
import type { Evidence, Finding, Report, ReportCheck, ReportHop } from "../report.js";

/** Colours of a terminal; the identity in a pipe. */
export interface Paint {
  green: (text: string) => string;
  red: (text: string) => string;
  yellow: (text: string) => string;
  dim: (text: string) => string;
  bold: (text: string) => string;
}

const plain = (text: string): string => text;
export const noPaint: Paint = { green: plain, red: plain, yellow: plain, dim: plain, bold: plain };

const LABELS: Readonly<Record<CheckStatus, string>> = { pass: "pass", fail: "FAIL", unknown: "unknown", "not-tested": "not tested" };

export function statusLabel(status: CheckStatus, paint: Paint): string {
  const label = LABELS[status].padEnd(10);
  switch (status) {
    case "pass":
      return paint.green(label);
    case "fail":
      return paint.red(label);
    case "unknown":
      return paint.yellow(label);
    case "not-tested":
      return paint.dim(label);
  }
}

/** One check in one line. */
export function checkLine(check: Pick<ReportCheck, "title" | "status" | "grade" | "durationMs" | "seen" | "reason">, paint: Paint): string {
  const grade = check.grade === "predicted" ? " (predicted)" : "";
  const time = check.durationMs > 0 ? paint.dim(`  ${check.durationMs} ms`) : "";
  return `${statusLabel(check.status, paint)} ${check.title}${paint.dim(grade)}${time}\n${paint.dim(`           ${check.seen ?? check.reason ?? ""}`)}`;
}

/** All but the checks' own lines, which a run may have printed while it went. */
export function conclusion(report: Report, paint: Paint): string {
  const lines: string[] = [];
  for (const hop of report.hops ?? []) lines.push("", ...hopLines(hop, paint));
  for (const finding of report.findings) lines.push("", ...findingLines(finding, report, paint));
  if (report.residue.length > 0) lines.push("", paint.yellow("Left behind:"), ...report.residue.flatMap(({ what, remove }) => [`  ${what}`, `  remove it: ${remove}`]));
  for (const remark of report.remarks) lines.push("", `Note: ${remark}`);
  lines.push("", summary(report, paint), "");
  return lines.join("\n");
}

/** What is verified, where, and by what evidence. */
export function heading({ integration, environment, exchange }: Pick<Contract, "integration" | "environment" | "exchange">, evidence: readonly Evidence[], paint: Paint): string {
  return `${paint.bold(`${integration} in ${placeOf(exchange)}`)}${environment === "sandbox" ? ", SANDBOX" : ""}, evidence: ${evidence.join(" and ")}`;
}

export function textReport(report: Report, paint: Paint = noPaint): string {
  return [heading({ ...report.contract, environment: report.environment }, report.evidence, paint), "", ...report.checks.map((check) => checkLine(check, paint)), conclusion(report, paint)].join("\n");
}

function hopLines({ name, endpoint, sent, answer, durationMs }: ReportHop, paint: Paint): string[] {
  return [paint.bold(`Hop: ${name}`), `  ${endpoint}`, ...Object.entries(sent).map(([key, value]) => `  ${key}: ${value}`), `  answer, after ${durationMs} ms: ${answer}`];
}

function findingLines({ causes, checks, layersNotRead }: Finding, report: Report, paint: Paint): string[] {
  const titles = checks.map((id) => report.checks.find((check) => check.id === id)?.title ?? id);
  const lead = causes.length > 1 ? [paint.red(paint.bold(`One of ${causes.length} causes; the evidence at hand does not tell them apart:`))] : [];
  return [
    ...lead,
    ...causes.flatMap((cause) => causeLines(cause, causes.length > 1, paint)),
    ...(layersNotRead.length > 0 ? [`  not read: ${layersNotRead.join(", ")}`] : []),
    paint.dim(`  seen in: ${titles.join("; ")}`),
  ];
}

function causeLines({ title, failureMode, code, explanation, evidence, fix }: Cause, choice: boolean, paint: Paint): string[] {
  const name = failureMode === undefined ? "" : ` (${failureMode})`;
  return [
    choice ? `- ${paint.bold(title)}${name}` : paint.red(paint.bold(`Cause: ${title}${name}`)),
    paint.dim(`  ${code}`),
    ...(choice ? [] : [`  ${explanation}`]),
    ...(choice ? [] : evidence.map((sentence) => `  evidence: ${sentence}`)),
    `  fix: ${fix}`,
  ];
}

function summary({ checks, outcome, environment, notRead, waits, durationMs }: Report, paint: Paint): string {
  const count = (status: CheckStatus) => checks.filter((check) => check.status === status).length;
  const counts = [`${count("pass")} passed`, `${count("fail")} failed`, `${count("unknown")} unknown`, `${count("not-tested")} not tested`].join(", ");
  const waited = waits.map(({ check, code, seconds, attempts }) => `\nWaited ${seconds} s in ${check} for ${code === "" ? "a change to take effect" : code} (${attempts} attempts)`).join("");
  const where = environment === "sandbox" ? " In the sandbox: nothing here is about a real account." : "";
  const colour = outcome === "passed" ? paint.green : outcome === "failed" ? paint.red : paint.yellow;
  return `${colour(outcome.toUpperCase())}: ${counts} in ${(durationMs / 1000).toFixed(1)} s.${where}\nCannot be read by verify: ${notRead.join(", ")}.${waited}`;
}
