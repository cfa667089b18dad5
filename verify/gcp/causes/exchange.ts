/** Pool and provider: what Google's STS refuses a token for. */
import type { GcpEntry } from "../causes.js";
import { poolCommand, providerCommand, quote, up } from "../fixes.js";

export const exchangeCauses = {
  "gcp.pool.missing": {
    title: "The workload identity pool does not exist",
    explanation: "STS says the same of a pool or provider that does not exist, is deleted or is disabled.",
    fix: (values) => `${up}; it makes ${values.exchange.pool} in project ${values.exchange.poolProjectNumber}.`,
  },
  "gcp.pool.deleted": {
    title: "The workload identity pool is deleted",
    explanation: "A deleted pool is kept for 30 days, and its id cannot be used for another meanwhile.",
    fix: (values) => `${poolCommand(values, "undelete")}, then look at its providers and at the bindings that live again with it.`,
  },
  "gcp.pool.disabled": {
    title: "The workload identity pool is disabled",
    explanation: "A disabled pool takes no tokens, and the ones that it gave do not work while it is.",
    fix: (values) => poolCommand(values, "update", "--no-disabled"),
  },
  "gcp.provider.missing": {
    title: "The pool has no such provider",
    explanation: "The exchange names the provider by its id.",
    fix: () => `${up}; it makes the provider.`,
  },
  "gcp.provider.deleted": {
    title: "The provider is deleted",
    explanation: "A deleted provider is kept for 30 days, and its id cannot be used for another meanwhile.",
    fix: (values) => providerCommand(values, "undelete"),
  },
  "gcp.provider.disabled": {
    title: "The provider is disabled",
    explanation: "A disabled provider takes no tokens.",
    fix: (values) => providerCommand(values, "update", "--no-disabled"),
  },
  "gcp.provider.not-propagated": {
    title: "The pool or the provider is too new for STS",
    explanation: "A new pool or provider is seen within seconds to minutes.",
    fix: () => "Wait some minutes and verify again, or verify with --wait 10m.",
  },
  "gcp.exchange.audience-malformed": {
    title: "The exchange's audience is no provider's name",
    explanation: "It must be //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, with the project's number, not its id.",
    fix: () => "Take the contract from `pulumi stack output --json`; it names pool and provider with the project's number.",
  },
  "gcp.provider.issuer-differs": {
    title: "The provider is for another issuer",
    explanation: "The provider's issuer and the token's `iss` are compared byte for byte, slash and case included.",
    fix: (values) => `${up}, or: ${providerCommand(values, "update", `--issuer-uri=${quote(values.contract.workload.issuer)}`)}`,
  },
  "gcp.provider.audience-not-allowed": {
    title: "The provider does not allow the token's audience",
    explanation: "Once a provider has a list of allowed audiences, only those count, and the default (the provider's own name) no longer does.",
    fix: (values) => `${up}, or: ${providerCommand(values, "update", `--allowed-audiences=${quote(values.contract.workload.audience)}`)}`,
  },
  "gcp.provider.condition-refuses": {
    title: "The provider's attribute condition refuses the workload",
    explanation: "The condition is evaluated on the token's claims and the mapped attributes, and must be true.",
    fix: (values) =>
      `${up}, or: ${providerCommand(values, "update", `--attribute-condition=${quote(values.contract.exchange.type === "gcp-workload-identity" ? (values.contract.exchange.attributeCondition ?? "") : "")}`)}`,
  },
  "gcp.provider.condition-fails": {
    title: "The provider's attribute condition cannot be evaluated",
    explanation: "It names a claim or an attribute that the token does not have, or a function that there is not.",
    fix: (values) => `${up}; the condition fails with: ${values.found ?? "see the evidence"}.`,
  },
  "gcp.provider.mapping-fails": {
    title: "The provider's attribute mapping cannot be evaluated",
    explanation: "It names a claim that the token does not have, or gives something else than a text.",
    fix: (values) => `${up}; the mapping fails with: ${values.found ?? "see the evidence"}.`,
  },
  "gcp.provider.mapping-differs": {
    title: "The provider maps the workload to another principal than the one that has the rights",
    failureMode: "WORKLOAD_IDENTITY_BINDING_MISSING",
    explanation: "Bindings name the principal that the mapping makes: google.subject or an attribute, byte for byte.",
    fix: (values) => `${up}; the rights are for ${values.exchange.principal}, the mapping makes ${values.found ?? "another one"}.`,
  },
  "gcp.provider.subject-too-long": {
    title: "The mapped google.subject is longer than 127 bytes",
    explanation: "Google counts bytes of UTF-8, and refuses the exchange.",
    fix: () => "Map google.subject to something shorter that is as unique (for AWS: assertion.userid), and change the bindings that name it; or give the workload a shorter name.",
  },
  "gcp.provider.attributes-too-large": {
    title: "The mapped attributes are larger than 8 KB",
    explanation: "Google counts all of them together.",
    fix: () => "Map fewer or shorter claims.",
  },
  "gcp.provider.too-wide": {
    title: "The provider accepts what it must refuse",
    explanation: "Somebody else than the contract's workload gets Google credentials.",
    fix: (values) => `${up}; mapping and condition must pin issuer, subject and audience exactly: ${providerCommand(values, "describe")}`,
  },
  "gcp.provider.other-provider": {
    title: "Another provider of the pool lets somebody else become the workload's principal",
    explanation: "Policies name the pool and what its mappings make, not the provider: whoever comes in by another provider as the same principal has the same rights.",
    fix: (values) => `Keep one provider in the pool (${providerCommand({ ...values, exchange: { ...values.exchange, provider: values.subject ?? "OTHER" } }, "delete")}), or give ${values.found ?? "the other one"} a condition that never makes ${values.exchange.principal}.`,
  },
  "gcp.exchange.not-sts": {
    title: "What answered is not Google's STS",
    explanation: "It accepted a token that Google refuses.",
    fix: () => "Look at the proxy and at the name resolution of this machine: sts.googleapis.com must lead to Google.",
  },
  "gcp.exchange.refused": {
    title: "Google's STS refuses the exchange",
    explanation: "The answer does not say which part of the trust is at fault.",
    fix: (values) => `Verify again with --account, or compare by hand: ${providerCommand(values, "describe")}`,
  },
  "gcp.api-disabled": {
    title: "An API that the platform needs is not enabled",
    explanation: "Every API is enabled for each project by itself: STS where the pool is, the others where the service account and the resources are.",
    fix: (values) => `gcloud services enable ${values.subject ?? ""} --project=${values.project ?? values.exchange.projectId}`,
  },
  "gcp.aws.account-differs": {
    title: "The signed request is of another AWS account than the provider's",
    explanation: "An AWS provider takes one account, and it cannot be changed.",
    fix: (values) => `Present credentials of the account ${values.expected ?? "that the provider is for"}, or make a provider for ${values.found ?? "the other one"}.`,
  },
  "gcp.aws.other-role": {
    title: "The AWS credentials are not of the contract's role",
    explanation: "The provider's condition pins account and role exactly; a user, a role with another name or in another account is refused.",
    fix: (values) => `Run verify with a session of ${values.contract.workload.subject}; the credentials are of ${values.found ?? "somebody else"}.`,
  },
  "gcp.aws.request-refused": {
    title: "AWS refuses the signed request",
    explanation: "Google replays the signed GetCallerIdentity at AWS STS: it must be fresh (15 minutes), for a regional or the global endpoint of STS, and of credentials that AWS still accepts.",
    fix: () => "Refresh the AWS credentials, set the clock by NTP, and look whether the role still exists.",
  },
  "gcp.aws.other-target": {
    title: "The signed request is for another provider",
    explanation: "The header x-goog-cloud-target-resource names the provider that the request is meant for.",
    fix: (values) => `Sign for //iam.googleapis.com/projects/${values.exchange.poolProjectNumber}/locations/global/workloadIdentityPools/${values.exchange.pool}/providers/${values.exchange.provider}.`,
  },
} as const satisfies Record<string, GcpEntry>;
