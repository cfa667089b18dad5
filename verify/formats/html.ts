/** The report as one page that needs nothing else: no script, no font, no image from anywhere. */
import type { Cause } from "../causes.js";
import { placeOf } from "../cloud.js";
import type { Finding, Report, ReportCheck } from "../report.js";
import { escapeMarkup as text } from "./markup.js";

const STYLE = `
:root { color-scheme: light dark; --ok: #1a7f37; --bad: #cf222e; --open: #9a6700; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
code, pre { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
.pass { color: var(--ok); } .fail { color: var(--bad); font-weight: 600; } .unknown { color: var(--open); } .not-tested, .dim { opacity: .65; }
.finding { border-left: 4px solid var(--bad); padding: .1rem 1rem; margin: 1rem 0; } .sandbox { background: #bf8700; color: #fff; padding: .2rem .6rem; border-radius: .3rem; }
`;

export function htmlReport(report: Report): string {
  const { contract, environment, startedAt, evidence, outcome } = report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text(`${contract.integration}: ${outcome}`)}</title><style>${STYLE}</style></head><body>
<h1>${text(contract.integration)}: <span class="${classOf(outcome)}">${text(outcome)}</span> ${environment === "sandbox" ? '<span class="sandbox">sandbox</span>' : ""}</h1>
<p class="dim">${text(`${placeOf(contract.exchange)} · ${startedAt} · evidence: ${evidence.join(" and ")} · run ${report.runId}`)}</p>
<p><code>${text(contract.workload.subject)}</code> of <code>${text(contract.workload.issuer)}</code>, audience <code>${text(contract.workload.audience)}</code></p>
${report.findings.map(findingSection).join("\n")}
<h2>Checks</h2>
<table><thead><tr><th>Result</th><th>Check</th><th>Evidence</th><th>Time</th></tr></thead><tbody>
${report.checks.map(checkRow).join("\n")}
</tbody></table>
${list("Hops", (report.hops ?? []).map(({ name, endpoint, sent, answer, durationMs }) => `${text(name)}: <code>${text(endpoint)}</code><br>${Object.entries(sent).map(([key, value]) => text(`${key}: ${value}`)).join("<br>")}<br>${text(`${answer} (${durationMs} ms)`)}`))}
${list("Left behind", report.residue.map(({ what, remove }) => `${text(what)}<br><code>${text(remove)}</code>`))}
${list("Waited", report.waits.map(({ check, code, seconds, attempts }) => text(`${seconds} s in ${check} for ${code === "" ? "a change" : code}, ${attempts} attempts`)))}
${list("Notes", report.remarks.map(text))}
<p class="dim">Cannot be read by verify: ${text(report.notRead.join(", "))}.</p>
</body></html>
`;
}

function classOf(outcome: Report["outcome"]): string {
  return outcome === "passed" ? "pass" : outcome === "failed" ? "fail" : "unknown";
}

function findingSection({ causes, layersNotRead }: Finding): string {
  const lead = causes.length > 1 ? `<h2>One of ${causes.length} causes</h2>` : "";
  const unread = layersNotRead.length > 0 ? `<p class="dim">Not read: ${text(layersNotRead.join(", "))}</p>` : "";
  return `<section class="finding">${lead}${causes.map(causeBlock).join("\n")}${unread}</section>`;
}

function causeBlock({ title, failureMode, code, explanation, evidence, fix }: Cause): string {
  const name = failureMode === undefined ? "" : ` <span class="dim">(${text(failureMode)})</span>`;
  return `<h3>${text(title)}${name}</h3><p class="dim"><code>${text(code)}</code></p><p>${text(explanation)}</p><ul>${evidence.map((sentence) => `<li>${text(sentence)}</li>`).join("")}</ul><p>Fix:</p><pre>${text(fix)}</pre>`;
}

function checkRow({ id, title, status, grade, durationMs, seen, reason }: ReportCheck): string {
  return `<tr><td class="${status}">${text(status)}</td><td>${text(title)}<br><code class="dim">${text(id)}</code></td><td>${text(seen ?? reason ?? "")} <span class="dim">${grade}</span></td><td>${durationMs} ms</td></tr>`;
}

function list(title: string, items: readonly string[]): string {
  return items.length === 0 ? "" : `<h2>${title}</h2><ul>${items.map((item) => `<li>${item}</li>`).join("")}</ul>`;
}
