/**
 * How the IAM Service Account Credentials API refuses, in Google's error envelope.
 * https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
 */
import type { Grade } from "../rules.js";
import { LIFETIME_EXTENSION_CONSTRAINT } from "./sts.js";

export interface CredentialsRefusalFact {
  readonly status: "INVALID_ARGUMENT" | "NOT_FOUND" | "PERMISSION_DENIED";
  readonly grade: Grade;
  readonly source: string;
  text(...values: readonly string[]): string;
}

const ISSUES = "https://github.com/google-github-actions/auth/issues";
const RECORDED = "https://github.com/danielbodart/frisket";

export const CREDENTIALS_REFUSALS = {
  /** Also where the account is not there and the caller may not know it; the ErrorInfo has reason `IAM_PERMISSION_DENIED` and `metadata.permission`. */
  denied: {
    status: "PERMISSION_DENIED",
    grade: "documented",
    source: `${ISSUES}/340`,
    text: (permission) => `Permission '${permission}' denied on resource (or it may not exist).`,
  },
  /** Only to callers who could have had a token of it. */
  unknownAccount: { status: "NOT_FOUND", grade: "documented", source: `${ISSUES}/471`, text: (email) => `Not found; Gaia id not found for email ${email}` },
  /** A malformed email address, no scope, or one that is none. */
  invalid: { status: "INVALID_ARGUMENT", grade: "documented", source: `${ISSUES}/139`, text: () => "Request contains an invalid argument." },
  lifetimeZero: { status: "INVALID_ARGUMENT", grade: "live", source: RECORDED, text: () => "Lifetime of access token must be larger then zero." },
  lifetimeTooLong: {
    status: "INVALID_ARGUMENT",
    grade: "live",
    source: RECORDED,
    text: (email) =>
      `Service account ${email} can not have lifetimes of more than 1 hour. Use the Org Policy Constraint ${LIFETIME_EXTENSION_CONSTRAINT} to allow up to 12 hours.`,
  },
} as const satisfies Record<string, CredentialsRefusalFact>;
