/** Pool, provider, account, bindings, APIs and the bucket: what can be wrong in a Google Cloud project, and what is then named. */
import type { GcpCauseCode } from "../../../verify/gcp/causes.js";
import { gcpExchangeOf } from "../../support/gcp.js";
import { including, instead, without } from "../../support/gcp-administrator.js";
import { always, narrowed, type GcpBreakage } from "./gcp-breakage.js";

const BINDING = "WORKLOAD_IDENTITY_BINDING_MISSING" as const;
const DENIED = "permission denied" as const;

/** STS says the same of all of these. */
const target: readonly GcpCauseCode[] = ["gcp.pool.missing", "gcp.pool.disabled", "gcp.pool.deleted", "gcp.provider.missing", "gcp.provider.disabled", "gcp.provider.deleted"];
const invalidTarget = { hop: "sts", code: "invalid_target", message: "The target service indicated by the" } as const;
const notAllowed: readonly GcpCauseCode[] = ["gcp.impersonation.binding-missing", "gcp.service-account.missing", "gcp.service-account.disabled", "gcp.impersonation.constrained"];
const refusedAccount = { hop: "iamcredentials", code: "PERMISSION_DENIED", message: "iam.serviceAccounts.getAccessToken" } as const;
const right: readonly GcpCauseCode[] = ["gcp.iam.permission-missing", "gcp.iam.constrained"];
const refusedObject = { hop: "storage.create", code: "403", message: "storage.objects.create" } as const;

const isUser = (binding: { role: string }) => binding.role === "roles/iam.workloadIdentityUser";
const ARTIFACTS = (binding: { role: string; members: string[] }) => binding.members.some((member) => member.startsWith("serviceAccount:dcf-deployer@"));

export const gcpTrustRows: readonly GcpBreakage[] = [
  { name: "the pool is disabled", break: (admin) => admin.updatePool({ disabled: true }), answers: invalidTarget, expect: narrowed(target, "gcp.pool.disabled") },
  { name: "the pool is deleted", break: async (admin) => {
      await admin.call("DELETE", admin.pool);
    }, answers: invalidTarget, expect: narrowed(target, "gcp.pool.deleted") },
  { name: "the provider is disabled", break: (admin) => admin.updateProvider({ disabled: true }), answers: invalidTarget, expect: narrowed(target, "gcp.provider.disabled") },
  { name: "the provider is deleted", break: async (admin) => {
      await admin.call("DELETE", admin.provider);
    }, answers: invalidTarget, expect: narrowed(target, "gcp.provider.deleted") },
  {
    name: "the contract names a provider that there is not",
    contract: (contract) => ({ ...contract, exchange: { ...gcpExchangeOf(contract), provider: "another-provider" } }),
    answers: invalidTarget,
    expect: narrowed(target, "gcp.provider.missing"),
  },
  {
    name: "the provider is for another issuer",
    break: async (admin) => {
      const { oidc } = await admin.describeProvider();
      await admin.updateProvider({ oidc: { ...(oidc as object), issuerUri: `${admin.contract.workload.issuer}/` } });
    },
    answers: { hop: "sts", code: "invalid_grant", message: "The issuer in ID Token" },
    expect: always("gcp.provider.issuer-differs"),
  },
  {
    name: "allowed audiences switch the default off",
    break: async (admin) => {
      const { oidc } = await admin.describeProvider();
      await admin.updateProvider({ oidc: { ...(oidc as object), allowedAudiences: ["another-platform"] } });
    },
    answers: { hop: "sts", code: "invalid_grant", message: "The audience in ID Token" },
    expect: always("gcp.provider.audience-not-allowed"),
  },
  {
    name: "the condition is for another subject",
    break: (admin) => admin.updateProvider({ attributeCondition: "google.subject == 'system:serviceaccount:dcf:project-4712'" }),
    answers: { hop: "sts", code: "unauthorized_client", message: "rejected by the attribute condition" },
    expect: { token: ["gcp.provider.condition-refuses"], account: ["gcp.provider.condition-refuses"], both: ["gcp.provider.condition-refuses"] },
  },
  {
    name: "the mapping makes another subject than the bindings have",
    failureMode: BINDING,
    break: (admin) => admin.updateProvider({ attributeMapping: { "google.subject": "'x' + assertion.sub" }, attributeCondition: `assertion.sub == '${admin.contract.workload.subject}'` }),
    answers: refusedAccount,
    expect: { token: [...notAllowed], account: ["gcp.provider.mapping-differs"], both: ["gcp.provider.mapping-differs"] },
  },
  {
    name: "the mapped subject is longer than 127 bytes",
    break: (admin) => admin.updateProvider({ attributeMapping: { "google.subject": "assertion.sub + assertion.sub + assertion.sub + assertion.sub" }, attributeCondition: `assertion.sub == '${admin.contract.workload.subject}'` }),
    answers: { hop: "sts", code: "invalid_request", message: "exceeds the 127 bytes limit" },
    expect: always("gcp.provider.subject-too-long"),
  },
  {
    name: "the STS API is not enabled in the pool's project",
    break: (admin) => admin.disableApi("sts.googleapis.com"),
    answers: { hop: "sts", code: "PERMISSION_DENIED", message: "Security Token Service API has not been used in project" },
    expect: always("gcp.api-disabled"),
  },
];

export const gcpTokenRows: readonly GcpBreakage[] = [
  { name: "the token is of another subject", token: async (_sandbox, contract) => ({ subject: `${contract.workload.subject}-2` }), answers: { hop: "sts", code: "unauthorized_client", message: "rejected by the attribute condition" }, expect: { token: ["token.other-subject"], account: [], both: ["token.other-subject"] } },
  { name: "the token is for another audience", token: async () => ({ audience: "sts.amazonaws.com" }), answers: { hop: "sts", code: "invalid_grant", message: "The audience in ID Token" }, expect: { token: ["token.other-audience"], account: [], both: ["token.other-audience"] } },
  { name: "the token has expired", token: async () => ({ expiresInSeconds: -600 }), answers: { hop: "sts", code: "invalid_grant", message: "stale to sign-in" }, expect: { token: ["token.expired"], account: [], both: ["token.expired"] } },
];

export const gcpAccountRows: readonly GcpBreakage[] = [
  { name: "roles/iam.workloadIdentityUser is missing", failureMode: BINDING, break: (admin) => admin.editAccountPolicy(without(isUser)), answers: refusedAccount, expect: narrowed(notAllowed, "gcp.impersonation.binding-missing") },
  {
    name: "the binding names the subject with another ending",
    failureMode: BINDING,
    break: (admin) => admin.editAccountPolicy(instead(admin.principal, `${admin.principal}-2`)),
    answers: refusedAccount,
    expect: narrowed(notAllowed, "gcp.impersonation.member-differs"),
  },
  {
    name: "the binding names a pool of another project",
    failureMode: BINDING,
    break: async (admin) => {
      const { pool } = gcpExchangeOf(admin.contract);
      await admin.call("POST", `https://iam.googleapis.com/v1/projects/platform-host/locations/global/workloadIdentityPools?workloadIdentityPoolId=${pool}`, {});
      await admin.editAccountPolicy(instead(admin.principal, admin.principal.replace(/projects\/\d+/, "projects/210987654321")));
    },
    answers: refusedAccount,
    expect: narrowed(notAllowed, "gcp.impersonation.member-differs"),
  },
  {
    name: "the role was given to the account on itself",
    failureMode: BINDING,
    break: (admin) => admin.editAccountPolicy(() => [{ role: "roles/iam.workloadIdentityUser", members: [`serviceAccount:${admin.email}`] }]),
    answers: refusedAccount,
    expect: narrowed(notAllowed, "gcp.impersonation.binding-elsewhere"),
  },
  {
    name: "the role was given to the account on the project",
    failureMode: BINDING,
    break: async (admin) => {
      await admin.editAccountPolicy(without(isUser));
      await admin.editProjectPolicy(including({ role: "roles/iam.workloadIdentityUser", members: [`serviceAccount:${admin.email}`] }));
    },
    answers: refusedAccount,
    expect: narrowed(notAllowed, "gcp.impersonation.binding-elsewhere"),
  },
  {
    name: "the principal has another role on the account",
    failureMode: BINDING,
    break: (admin) => admin.editAccountPolicy(() => [{ role: "roles/iam.serviceAccountUser", members: [admin.principal] }]),
    answers: refusedAccount,
    expect: narrowed(notAllowed, "gcp.impersonation.binding-elsewhere"),
  },
  {
    name: "the binding has expired",
    failureMode: BINDING,
    break: (admin) => admin.editAccountPolicy(() => [{ role: "roles/iam.workloadIdentityUser", members: [admin.principal], condition: { title: "trial", expression: 'request.time < timestamp("2020-01-01T00:00:00Z")' } }]),
    answers: refusedAccount,
    expect: narrowed(notAllowed, "gcp.impersonation.condition-false"),
  },
  {
    name: "a deny policy forbids the impersonation",
    break: (admin) => admin.deny("iam.googleapis.com/serviceAccounts.getAccessToken", ["principalSet://goog/public:all"]),
    answers: refusedAccount,
    expect: narrowed(notAllowed, "gcp.impersonation.denied"),
  },
  { name: "the account is disabled", break: async (admin) => {
      await admin.call("POST", `${admin.accountUrl}:disable`, {});
    }, answers: refusedAccount, expect: narrowed(notAllowed, "gcp.service-account.disabled") },
  { name: "the account was deleted", break: (admin) => admin.deleteAccount(), answers: refusedAccount, expect: narrowed(notAllowed, "gcp.service-account.missing") },
  {
    name: "the account was deleted and made again",
    break: async (admin) => {
      await admin.deleteAccount();
      await admin.createAccount();
    },
    answers: refusedAccount,
    expect: narrowed(notAllowed, "gcp.service-account.recreated"),
  },
  {
    name: "the IAM Credentials API is not enabled",
    break: (admin) => admin.disableApi("iamcredentials.googleapis.com"),
    answers: { hop: "iamcredentials", code: "PERMISSION_DENIED", message: "IAM Service Account Credentials API has not been used in project" },
    expect: always("gcp.api-disabled"),
  },
];

export const gcpStorageRows: readonly GcpBreakage[] = [
  { name: "the account has no role on the bucket", failureMode: DENIED, break: (admin) => admin.editBucketPolicy(without(ARTIFACTS)), answers: refusedObject, expect: narrowed(right, "gcp.iam.permission-missing") },
  {
    name: "the role on the bucket has expired",
    failureMode: DENIED,
    break: (admin) => admin.editBucketPolicy((bindings) => bindings.map((binding) => (ARTIFACTS(binding) ? { ...binding, condition: { title: "trial", expression: 'request.time < timestamp("2020-01-01T00:00:00Z")' } } : binding))),
    answers: refusedObject,
    expect: narrowed(right, "gcp.iam.condition-false"),
  },
  { name: "the bucket is gone", break: (admin) => admin.deleteBucket(), answers: { hop: "storage.create", code: "404", message: "bucket does not exist" }, expect: always("gcp.bucket.missing") },
  {
    name: "the bucket is in another project",
    break: async (admin) => {
      const { bindings } = await admin.bucketPolicy();
      await admin.deleteBucket();
      await admin.createBucket(admin.bucket, "platform-host");
      await admin.editBucketPolicy((own) => [...own, ...bindings.filter(({ role }) => !role.includes("legacy"))]);
    },
    answers: { hop: "none" },
    expect: { token: [], account: ["gcp.bucket.other-project"], both: ["gcp.bucket.other-project"] },
  },
  {
    name: "public access prevention was switched off",
    break: (admin) => admin.patchBucket({ iamConfiguration: { publicAccessPrevention: "inherited" } }),
    answers: { hop: "none" },
    expect: { token: [], account: ["gcp.bucket.settings-differ"], both: ["gcp.bucket.settings-differ"] },
  },
];

export const gcpBreakages: readonly GcpBreakage[] = [...gcpTrustRows, ...gcpTokenRows, ...gcpAccountRows, ...gcpStorageRows];
