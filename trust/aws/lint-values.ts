/**
 * The values that a trust policy compares claims with: which never match, and which match more than they seem to.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
import { parseOperator, type ConditionTest } from "./conditions.js";
import type { Finding } from "../findings.js";

/** Whether the operator compares whole texts, byte for byte. */
export function isExactPin({ operator }: ConditionTest): boolean {
  const parsed = parseOperator(operator);
  return parsed?.fact.family === "string" && parsed.fact.comparison === "equal" && !parsed.fact.ignoreCase;
}

function isPattern({ operator }: ConditionTest): boolean {
  return parseOperator(operator)?.fact.comparison === "like";
}

/** Of any claim. */
export function valueFindings(test: ConditionTest, path: string): Finding[] {
  return test.values.flatMap((value) => {
    const found = (code: string, message: string, fix: string): Finding => ({ code, severity: "error", path, message, fix });
    const shown = JSON.stringify(value);
    const findings: Finding[] = [];
    if (value === "") findings.push(found("value-empty", "The empty text matches a token whose claim is empty, which AWS accepts.", "Give the value that the token has."));
    if (value.includes("${")) {
      findings.push(found("value-policy-variable", `${shown} has a policy variable: IAM replaces it by a value of the request itself, and the test can hold for every token.`, "Write the value itself."));
    }
    if (/\s/.test(value)) findings.push(found("value-whitespace", `${shown} has whitespace, which is compared like any character.`, "Remove the whitespace."));
    if (isExactPin(test) && /[*?]/.test(value.replaceAll(/\$\{[^}]*\}/g, ""))) {
      findings.push(found("wildcard-literal", `${test.operator} takes ${shown} literally: no token has that value.`, "Write the exact value; StringLike takes wildcards, and admits more."));
    }
    return findings;
  });
}

/** Of the subject: how much a pattern admits. */
export function subjectValueFindings(test: ConditionTest, path: string, patternMeant: boolean): Finding[] {
  const parsed = parseOperator(test.operator);
  if (parsed?.fact.ignoreCase === true) {
    return [{ code: "sub-not-exact", severity: "warning", path, message: `${test.operator} does not tell subjects apart by case, the issuer may.`, fix: "Use StringEquals." }];
  }
  if (!isPattern(test)) return [];
  return test.values.flatMap((value): Finding[] => {
    const shown = JSON.stringify(value);
    if (/^[*?]/.test(value)) {
      return [{ code: "sub-leading-wildcard", severity: "error", path, message: `${shown} begins with a wildcard: the issuer's other tenants and workloads match it.`, fix: "Begin with the fixed part that names the tenant, or use StringEquals." }];
    }
    if (!/[*?]/.test(value)) {
      return [{ code: "sub-not-exact", severity: "info", path, message: `${test.operator} is used for the exact subject ${shown}.`, fix: "Use StringEquals, which stays exact whatever the value becomes." }];
    }
    const severity = patternMeant ? "info" : "warning";
    if (value.endsWith(":*")) {
      return [{ code: "sub-trailing-wildcard", severity, path, message: `${shown} admits every subject that begins so, pull requests and other branches included where the issuer has them.`, fix: "List the subjects under StringEquals." }];
    }
    return [{ code: "sub-pattern", severity, path, message: `${shown} admits every subject of this form.`, fix: "List the subjects under StringEquals." }];
  });
}
