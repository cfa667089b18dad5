/** What a lint says: one finding a mistake, the gravest first. */

export const SEVERITIES = ["error", "warning", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  /** Stable, such as `sub-missing`. */
  code: string;
  /** `error`: unsafe, or never works. `warning`: wider than need be. `info`: worth knowing. */
  severity: Severity;
  /** Where in the document, such as `Statement[0].Condition`; empty for the whole. */
  path: string;
  message: string;
  fix: string;
}

/** The gravest first, then as they stand in the document. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}
