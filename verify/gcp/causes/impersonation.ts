/** From the federated token to the service account's. */
import type { GcpEntry } from "../causes.js";
import { accountOf, bindingCommand, quote, up } from "../fixes.js";

const BINDING = "WORKLOAD_IDENTITY_BINDING_MISSING";

export const impersonationCauses = {
  "gcp.impersonation.binding-missing": {
    title: "The workload's principal may not impersonate the service account",
    failureMode: BINDING,
    explanation: "roles/iam.workloadIdentityUser for exactly this principal must stand in the service account's own policy.",
    fix: (values) => `${up}, or: ${bindingCommand(values)}`,
  },
  "gcp.impersonation.member-differs": {
    title: "The service account's policy names another principal than the workload's",
    failureMode: BINDING,
    explanation: "The member must have the pool's project number, pool and subject byte for byte.",
    fix: (values) => `${up}, or: ${bindingCommand(values)}; the policy has ${values.found ?? "another one"}.`,
  },
  "gcp.impersonation.binding-elsewhere": {
    title: "The right to impersonate was given in the wrong place",
    failureMode: BINDING,
    explanation: "roles/iam.workloadIdentityUser belongs into the policy of the service account, with the principal as member: given to the account it says nothing about who may become it, and given on the project it opens every account there.",
    fix: (values) => `${bindingCommand(values)}; then remove ${values.found ?? "the other binding"}.`,
  },
  "gcp.impersonation.condition-false": {
    title: "The binding that allows the impersonation has a condition that is not true now",
    failureMode: BINDING,
    explanation: "A conditional binding counts only while its condition is true; one with an end date ends by itself.",
    fix: (values) => `${up}, or put the binding back without the condition ${values.found ?? ""}: ${bindingCommand(values)}`,
  },
  "gcp.impersonation.too-wide": {
    title: "More than the workload may impersonate the service account",
    explanation: "A principalSet is everybody whom the pool lets in with that attribute, and principalSet://…/* everybody whom it lets in at all.",
    fix: (values) => `${bindingCommand(values)}; then remove ${values.found ?? "the wider binding"}.`,
  },
  "gcp.impersonation.denied": {
    title: "A deny policy forbids the impersonation",
    explanation: "Deny policies win over every binding.",
    fix: (values) => `Make an exception for ${values.exchange.principal} in the deny policy ${values.subject ?? ""}, or remove iam.googleapis.com/serviceAccounts.getAccessToken from it.`,
  },
  "gcp.impersonation.not-propagated": {
    title: "The binding is too new",
    explanation: "A binding is seen after about a minute, sometimes after five or more.",
    fix: () => "Wait some minutes and verify again, or verify with --wait 10m.",
  },
  "gcp.impersonation.constrained": {
    title: "Something above the project forbids it",
    explanation: "A deny policy, an organisation policy, a principal access boundary or VPC Service Controls refuse with the same answer as a missing binding.",
    fix: () => "Ask the organisation's administrators for deny policies and service perimeters on the project; their audit log has the refusal with its reason.",
  },
  "gcp.service-account.missing": {
    title: "The service account does not exist",
    explanation: "A caller without rights on it gets the same answer as for a missing binding.",
    fix: (values) => `${up}, or, within 30 days of its deletion: gcloud iam service-accounts undelete UNIQUE_ID --project=${values.exchange.projectId}`,
  },
  "gcp.service-account.disabled": {
    title: "The service account is disabled",
    explanation: "A disabled account gives no tokens, and the ones that it gave do not work.",
    fix: (values) => `gcloud iam service-accounts enable ${accountOf(values)} --project=${values.exchange.projectId}`,
  },
  "gcp.service-account.recreated": {
    title: "The service account was deleted and made again",
    explanation: "Policies keep naming the deleted one (`deleted:serviceAccount:…?uid=…`); the new one with the same address has none of its rights.",
    fix: (values) => `${up} --refresh; it gives the rights to the new account. What names the old one: ${values.found ?? "see the evidence"}.`,
  },
  "gcp.service-account.malformed": {
    title: "The service account's address is not one",
    explanation: "IAM Credentials takes ID@PROJECT.iam.gserviceaccount.com.",
    fix: (values) => `Take the contract from \`pulumi stack output --json\`; it has ${quote(accountOf(values))}.`,
  },
  "gcp.impersonation.refused": {
    title: "IAM Credentials refuses the token for the service account",
    explanation: "The answer does not say why.",
    fix: (values) => `Verify again with --account, or look by hand: gcloud iam service-accounts get-iam-policy ${accountOf(values)} --project=${values.exchange.projectId}`,
  },
} as const satisfies Record<string, GcpEntry>;
