/** JUnit XML as CI systems read it: https://github.com/testmoapp/junitxml */
import type { Report, ReportCheck } from "../report.js";
import { escapeMarkup } from "./markup.js";

export function junitReport(report: Report): string {
  const { checks, durationMs, contract, startedAt, environment } = report;
  const count = (status: ReportCheck["status"]) => checks.filter((check) => check.status === status).length;
  const attributes = `name="${escapeMarkup(`${contract.integration}${environment === "sandbox" ? " (sandbox)" : ""}`)}" tests="${checks.length}" failures="${count("fail")}" errors="${count("unknown")}" skipped="${count("not-tested")}" time="${seconds(durationMs)}"`;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites ${attributes}>`,
    `  <testsuite ${attributes} timestamp="${startedAt}">`,
    ...checks.map(testCase),
    `  </testsuite>`,
    `</testsuites>`,
    "",
  ].join("\n");
}

function testCase(check: ReportCheck): string {
  const open = `    <testcase classname="${escapeMarkup(check.id)}" name="${escapeMarkup(check.title)}" time="${seconds(check.durationMs)}"`;
  const body = outcome(check);
  return body === undefined ? `${open}/>` : `${open}>${body}</testcase>`;
}

function outcome(check: ReportCheck): string | undefined {
  const causes = check.cause ? [check.cause] : (check.oneOf ?? []);
  switch (check.status) {
    case "pass":
      return undefined;
    case "fail": {
      const text = causes.map(({ code, title, evidence, fix }) => [`${code}: ${title}`, ...evidence, `fix: ${fix}`].join("\n")).join("\n\n");
      return `<failure type="${escapeMarkup(causes.map(({ code }) => code).join(" | "))}" message="${escapeMarkup(check.seen ?? "")}">${escapeMarkup(text)}</failure>`;
    }
    case "unknown":
      return `<error type="unknown" message="${escapeMarkup(check.reason ?? "")}"/>`;
    case "not-tested":
      return `<skipped message="${escapeMarkup(check.reason ?? "")}"/>`;
  }
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
