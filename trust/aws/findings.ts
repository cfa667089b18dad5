import type { Finding } from "../findings.js";

/** What IAM itself refuses in a document. */
export function malformedFindings(mistakes: readonly { path: string; message: string }[]): Finding[] {
  return mistakes.map(({ path, message }) => ({
    code: "policy-malformed",
    severity: "error",
    path,
    message: `IAM refuses the policy: ${message}`,
    fix: "Correct the policy document at this place.",
  }));
}
