/** A report in the form that somebody wants to read. */
import { extname } from "node:path";
import type { Format } from "../options.js";
import type { Report } from "../report.js";
import { htmlReport } from "./html.js";
import { jsonReport } from "./json.js";
import { junitReport } from "./junit.js";
import { textReport } from "./text.js";

const BY_FORMAT: Readonly<Record<Format, (report: Report) => string>> = { text: (report) => textReport(report), json: jsonReport, junit: junitReport };

export function formatReport(report: Report, format: Format): string {
  return BY_FORMAT[format](report);
}

/** By the file's extension: .json, .xml, .html, .txt; otherwise the format that was chosen. */
export function formatReportFile(report: Report, file: string, format: Format): string {
  switch (extname(file).toLowerCase()) {
    case ".json":
      return jsonReport(report);
    case ".xml":
      return junitReport(report);
    case ".html":
    case ".htm":
      return htmlReport(report);
    case ".txt":
      return textReport(report);
    default:
      return formatReport(report, format);
  }
}
