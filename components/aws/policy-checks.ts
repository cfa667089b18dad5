/** The last look at a policy that a component built: does it fit into IAM, and is it one that verification would pass? */
import { policySize, quotas } from "../../facts/aws/index.js";
import { lintPermissions, lintTrustPolicy, type Finding } from "../../trust/aws/lint.js";

export function trustTooLong(document: string): string | undefined {
  return sizeViolation([document], quotas.trustPolicySize);
}

/** IAM counts all inline policies of a role together. */
export function permissionsTooLong(documents: string[]): string | undefined {
  return sizeViolation(documents, quotas.roleInlinePolicySize);
}

export function webIdentityTrustViolation(document: string): string | undefined {
  // Wildcards were asked for by name, or were refused before this.
  return trustTooLong(document) ?? lintViolation(lintTrustPolicy(document, { allowSubjectPattern: true }));
}

export function permissionsViolation(documents: string[]): string | undefined {
  return permissionsTooLong(documents) ?? lintViolation(documents.flatMap((document) => lintPermissions(document)));
}

function lintViolation(findings: Finding[]): string | undefined {
  const error = findings.find(({ severity }) => severity === "error");
  return error && `make a policy that must not be: ${error.path}: ${error.message} ${error.fix}`;
}

function sizeViolation(documents: string[], quota: { limit: number; what: string }): string | undefined {
  const size = documents.reduce((sum, document) => sum + policySize(document), 0);
  return size > quota.limit ? `make a policy of ${size} characters; the limit is ${quota.limit} ${quota.what}. Use several roles` : undefined;
}
