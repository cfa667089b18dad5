/** Causes of failures: stable codes, what they mean, what to do. */

/** DCF's names for what customers meet most, from its documentation: Cloud Integrations, Common AWS Failure Modes, Common Azure Failure Modes and Common Failure Modes of GCP. */
export type FailureMode =
  | "Invalid OIDC token"
  | "Access denied assuming role"
  | "Bucket exists but access is denied"
  | "CodeBuild project missing"
  | "ECR_REPOSITORY_URI is required"
  | "LAMBDA_EXECUTION_ROLE_ARN is required"
  | "CodeBuild starts but Lambda is not updated"
  | "GCP_RUNTIME_TARGET_REQUIRED"
  | "WORKLOAD_IDENTITY_BINDING_MISSING"
  | "permission denied"
  | "repository not found"
  | "build succeeds but deploy fails"
  | "403 Forbidden on endpoint"
  | "Contributor role assignment missing or not yet propagated"
  | "Resource group not found"
  | "Correlation ID mismatch"
  | "Azure container exists but blob access is denied";

/** A cause as it stands in a report, with the values of this run. */
export interface Cause {
  /** Stable, such as `aws.oidc-provider.audience-not-registered`. */
  code: string;
  title: string;
  /** DCF's name for the failure, where it has one. */
  failureMode?: FailureMode;
  explanation: string;
  /** What was seen that speaks for it, a sentence each. */
  evidence: string[];
  /** What to change: a command or a line of configuration, with the real values. */
  fix: string;
}

/** What is known of a cause in general; `Values` are the values of the run that its fix needs. */
export interface CauseEntry<Values> {
  title: string;
  failureMode?: FailureMode;
  explanation: string;
  fix: (values: Values) => string;
}

/** A cause that the evidence at hand speaks for or at least allows; those that it excludes are no suspects. */
export interface Suspect {
  cause: Cause;
  /** Confirmed by something that was seen, not just left over. */
  confirmed: boolean;
}

/** Confirmed suspects outweigh all that are merely possible; the first of them is what stopped the call. */
export function judge(suspects: readonly Suspect[]): Cause[] {
  const confirmed = suspects.find((suspect) => suspect.confirmed);
  return confirmed ? [confirmed.cause] : suspects.map(({ cause }) => cause);
}
