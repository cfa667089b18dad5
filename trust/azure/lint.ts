/**
 * Are the federated credentials of an identity safe, and can they work?
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
 */
import type { AzureCloudName } from "../../facts/azure/clouds.js";
import { numberRules } from "../../facts/azure/limits.js";
import { bySeverity, type Finding } from "../findings.js";
import { matchCredential } from "./credentials.js";
import { isRefusal } from "./refusal.js";
import { valueFindings, type FederatedValue } from "./lint-values.js";
import type { WorkloadClaims } from "./token-claims.js";
import type { FederatedIdentityCredential } from "./types.js";

export { lintAssignments, type AssignmentLintOptions } from "./lint-assignments.js";
export { valueFindings, type FederatedValue } from "./lint-values.js";
export type { Finding, Severity } from "../findings.js";

export interface CredentialLintOptions {
  /** Cloud of the tenant. Default: public. */
  cloud?: AzureCloudName | undefined;
  /** The workload that is meant; every other credential is somebody else's. Default: only what can be read is found. */
  intended?: WorkloadClaims | undefined;
  /** How the platform names this tenant in its subjects; a subject without it is a confused deputy. Default: guessed. */
  tenantHint?: string | undefined;
}

/** Findings in all federated credentials of one identity, the gravest first; empty where they admit exactly the workload. */
export function lintCredentials(credentials: readonly FederatedIdentityCredential[], options: CredentialLintOptions = {}): Finding[] {
  const { cloud = "public", intended } = options;
  return bySeverity([
    ...credentials.flatMap((credential) => credentialFindings(credential, cloud)),
    ...duplicateFindings(credentials),
    ...countFindings(credentials),
    ...deputyFindings(credentials, options),
    ...(intended === undefined ? [] : [...workloadFindings(credentials, intended), ...othersFindings(credentials, intended)]),
  ]);
}

function pathOf({ name }: FederatedIdentityCredential, member = ""): string {
  return `credentials[${JSON.stringify(name)}]${member}`;
}

function credentialFindings(credential: FederatedIdentityCredential, cloud: AzureCloudName): Finding[] {
  const { issuer, subject, audiences, claimsMatchingExpression } = credential;
  const at = (claim: FederatedValue, value: string) => valueFindings(claim, value, pathOf(credential, `.${claim}`), cloud);
  const [audience] = audiences;
  return [
    ...at("issuer", issuer),
    ...(claimsMatchingExpression === undefined ? at("subject", subject) : [expressionFinding(credential, claimsMatchingExpression)]),
    ...(audience === undefined || audiences.length > 1
      ? [{ code: "audience-count", severity: "error" as const, path: pathOf(credential, ".audiences"), message: `The credential has ${audiences.length} audiences; Entra takes exactly one.`, fix: "Leave one audience." }]
      : at("audience", audience)),
  ];
}

/** Only issuers of code hosts are supported, and a loose expression lets in whom it was not made for. */
function expressionFinding(credential: FederatedIdentityCredential, expression: string): Finding {
  return {
    code: "expression-refused",
    severity: "error",
    path: pathOf(credential, ".claimsMatchingExpression"),
    message: `The credential matches by the expression ${JSON.stringify(expression)} instead of one subject: every workload that fits it can act as the identity, and Entra supports that for a few issuers only.`,
    fix: "Make a credential with the exact subject.",
  };
}

function duplicateFindings(credentials: readonly FederatedIdentityCredential[]): Finding[] {
  const exact = credentials.filter(({ claimsMatchingExpression }) => claimsMatchingExpression === undefined);
  return exact.flatMap((credential, index): Finding[] => {
    const first = exact.slice(0, index).find(({ issuer, subject }) => issuer === credential.issuer && subject === credential.subject);
    if (first === undefined) return [];
    return [{ code: "credential-duplicate", severity: "error", path: pathOf(credential), message: `The credential has the issuer and subject of ${JSON.stringify(first.name)}: Azure takes each pair once for an identity.`, fix: "Remove one of the two." }];
  });
}

function countFindings({ length }: readonly FederatedIdentityCredential[]): Finding[] {
  const { max } = numberRules.federatedCredentials;
  if (length < max) return [];
  const full = { path: "credentials", fix: "Remove what is no longer used, or use a further identity." };
  if (length === max) return [{ ...full, code: "credentials-full", severity: "warning", message: `The identity has ${max} credentials: Azure takes no further one.` }];
  return [{ ...full, code: "credentials-too-many", severity: "error", message: `The identity would have ${length} credentials; Azure takes ${max}.` }];
}

/** Subjects that name a workload of the platform, not whom it works for, unless a number or an id is in it. */
function namesNobody(subject: string, tenantHint: string | undefined): boolean {
  if (tenantHint !== undefined) return !subject.includes(tenantHint);
  return /^system:serviceaccount:/.test(subject) && !/\d{3}|[0-9a-f]{8}/.test(subject);
}

function deputyFindings(credentials: readonly FederatedIdentityCredential[], { tenantHint }: CredentialLintOptions): Finding[] {
  return credentials
    .filter(({ subject, claimsMatchingExpression }) => claimsMatchingExpression === undefined && subject !== "" && namesNobody(subject, tenantHint))
    .map((credential) => ({
      code: "subject-names-no-tenant",
      severity: tenantHint === undefined ? "info" : "warning",
      path: pathOf(credential, ".subject"),
      message: `The subject ${JSON.stringify(credential.subject)} names no tenant: whoever else uses the platform can have it present the same token for this identity (a confused deputy; a federated credential has no external id).`,
      fix: "Have the platform put an unchangeable tenant id into the subject.",
    }));
}

function workloadFindings(credentials: readonly FederatedIdentityCredential[], intended: WorkloadClaims): Finding[] {
  const match = matchCredential({ credentials, displayName: "the identity" }, intended);
  if (!isRefusal(match)) return [];
  return [{ code: "workload-refused", severity: "error", path: "credentials", message: `The workload itself is refused: ${match.detail}.`, fix: `Make a credential with issuer ${JSON.stringify(intended.issuer)}, subject ${JSON.stringify(intended.subject)} and audience ${JSON.stringify(intended.audience)}.` }];
}

function othersFindings(credentials: readonly FederatedIdentityCredential[], { issuer, subject, audience }: WorkloadClaims): Finding[] {
  return credentials
    .filter((credential) => credential.issuer !== issuer || credential.subject !== subject || credential.audiences[0] !== audience)
    .map((credential) => ({
      code: "credential-of-others",
      severity: "warning",
      path: pathOf(credential),
      message: `${visibleWorkload(credential)} can act as the identity too, with everything that is granted to it.`,
      fix: "Give every workload an identity of its own, or remove the credential.",
    }));
}

function visibleWorkload({ issuer, subject, claimsMatchingExpression }: FederatedIdentityCredential): string {
  return `${claimsMatchingExpression === undefined ? JSON.stringify(subject) : "Whoever fits the expression"} of ${JSON.stringify(issuer)}`;
}
