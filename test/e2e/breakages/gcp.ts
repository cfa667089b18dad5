/** Pool, provider, account, bindings, APIs and the bucket: what can be wrong in a Google Cloud project, and what is then named. */
import type { Contract } from "../../../contract/index.js";
import type { GcpCauseCode } from "../../../verify/gcp/causes.js";
import { gcpExchangeOf } from "../../support/gcp.js";
import { including, instead, without } from "../../support/gcp-administrator.js";
import { always, live, narrowed, read, type GcpBreakage } from "./gcp-breakage.js";

const BINDING = "WORKLOAD_IDENTITY_BINDING_MISSING" as const;
const DENIED = "permission denied" as const;

/** STS says the same of all of these. */
const target: readonly GcpCauseCode[] = ["gcp.pool.missing", "gcp.pool.disabled", "gcp.pool.deleted", "gcp.provider.missing", "gcp.provider.disabled", "gcp.provider.deleted"];
const invalidTarget = { hop: "sts", code: "invalid_target", message: "The target service indicated by the" } as const;
const byCondition: readonly GcpCauseCode[] = ["gcp.provider.condition-refuses", "gcp.provider.condition-fails"];
const notAllowed: readonly GcpCauseCode[] = ["gcp.impersonation.binding-missing", "gcp.service-account.missing", "gcp.service-account.disabled", "gcp.impersonation.constrained"];
const refusedAccount = { hop: "iamcredentials", code: "PERMISSION_DENIED", message: "iam.serviceAccounts.getAccessToken" } as const;
const right: readonly GcpCauseCode[] = ["gcp.iam.permission-missing", "gcp.iam.constrained"];
const refusedObject = { hop: "storage.create", code: "403", message: "storage.objects.create" } as const;

const accepted = { hop: "none" } as const;
const otherAudience = { hop: "sts", code: "invalid_grant", message: "The audience in ID Token" } as const;

const NAMESPACE = "assertion.sub.startsWith('system:serviceaccount:dcf:')";

/** The audience that the platform mints for, from the provider's name. */
const withAudience =
  (form: (provider: string) => string) =>
  (contract: Contract): Contract => {
    const { poolProjectNumber, pool, provider } = gcpExchangeOf(contract);
    return { ...contract, workload: { ...contract.workload, audience: form(`projects/${poolProjectNumber}/locations/global/workloadIdentityPools/${pool}/providers/${provider}`) } };
  };

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
    expect: narrowed(byCondition, "gcp.provider.condition-refuses"),
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
    name: "the condition asks for a claim that the token does not have",
    break: (admin) => admin.updateProvider({ attributeCondition: "assertion.project == '4711'" }),
    answers: { hop: "sts", code: "unauthorized_client", message: "rejected by the attribute condition" },
    expect: narrowed(byCondition, "gcp.provider.condition-fails"),
  },
  {
    name: "the mapping asks for a claim that the token does not have",
    break: (admin) => admin.updateProvider({ attributeMapping: { "google.subject": "assertion.email" } }),
    answers: { hop: "sts", code: "invalid_request", message: "Could not obtain a value for google.subject" },
    expect: always("gcp.provider.mapping-fails"),
  },
  {
    name: "the mapped attributes are larger than 8 KB",
    break: (admin) => admin.updateProvider({ attributeMapping: { "google.subject": "assertion.sub", "attribute.groups": "has(assertion.groups) ? assertion.groups : ''" } }),
    token: async () => ({ claims: { groups: "g".repeat(8_200) } }),
    answers: { hop: "sts", code: "invalid_request", message: "mapped attributes exceeds" },
    expect: live("gcp.provider.attributes-too-large"),
  },
  { name: "the condition was removed", break: (admin) => admin.updateProvider({ attributeCondition: "" }), answers: accepted, expect: read("gcp.provider.too-wide") },
  { name: "the condition only says who is not let in", break: (admin) => admin.updateProvider({ attributeCondition: "assertion.sub != 'nobody'" }), answers: accepted, expect: read("gcp.provider.too-wide") },
  {
    name: "mapping and condition do not mind the case of the subject",
    break: (admin) => admin.updateProvider({ attributeMapping: { "google.subject": "assertion.sub.lowerAscii()" }, attributeCondition: `assertion.sub.lowerAscii() == '${admin.contract.workload.subject}'` }),
    answers: accepted,
    expect: read("gcp.provider.too-wide"),
  },
  {
    name: "the provider lets all of a namespace in, and the binding names the one workload",
    break: (admin) => admin.updateProvider({ attributeCondition: NAMESPACE }),
    contract: (contract) => ({ ...contract, exchange: { ...gcpExchangeOf(contract), attributeCondition: NAMESPACE } }),
    answers: accepted,
    expect: always(),
  },
  {
    name: "another provider of the pool makes the same principal",
    break: (admin) => admin.createProvider("second-provider", { oidc: { issuerUri: "https://oidc.another.example" }, attributeMapping: { "google.subject": "assertion.sub" }, attributeCondition: "assertion.aud == 'another'" }),
    answers: accepted,
    expect: read("gcp.provider.other-provider"),
  },
  {
    name: "another provider of the pool makes other principals",
    break: (admin) => admin.createProvider("second-provider", { oidc: { issuerUri: "https://oidc.another.example" }, attributeMapping: { "google.subject": "'another:' + assertion.sub" }, attributeCondition: "assertion.sub == 'deployer'" }),
    answers: accepted,
    expect: always(),
  },
  {
    name: "allowed audiences have the contract's",
    break: async (admin) => {
      const { oidc } = await admin.describeProvider();
      await admin.updateProvider({ oidc: { ...(oidc as object), allowedAudiences: ["dcf-platform"] } });
    },
    contract: withAudience(() => "dcf-platform"),
    answers: accepted,
    expect: always(),
  },
  { name: "the audience is the provider's name with https:", contract: withAudience((name) => `https://iam.googleapis.com/${name}`), answers: accepted, expect: always() },
  { name: "the audience is the provider's name with //", contract: withAudience((name) => `//iam.googleapis.com/${name}`), answers: accepted, expect: always() },
  { name: "the audience is the provider's name with http:", contract: withAudience((name) => `http://iam.googleapis.com/${name}`), answers: otherAudience, expect: always("gcp.provider.audience-not-allowed") },
  { name: "the audience is the provider's bare name", contract: withAudience((name) => name), answers: otherAudience, expect: always("gcp.provider.audience-not-allowed") },
  { name: "the audience is the pool's name", contract: withAudience((name) => `//iam.googleapis.com/${name.replace(/\/providers\/.*/, "")}`), answers: otherAudience, expect: always("gcp.provider.audience-not-allowed") },
  {
    name: "the audience has the project's id instead of its number",
    contract: withAudience((name) => `//iam.googleapis.com/${name.replace(/projects\/\d+/, "projects/customer-app-prod")}`),
    answers: otherAudience,
    expect: always("gcp.provider.audience-not-allowed"),
  },
  {
    name: "the contract's principal is of another pool",
    contract: (contract) => ({ ...contract, exchange: { ...gcpExchangeOf(contract), principal: gcpExchangeOf(contract).principal.replace(/workloadIdentityPools\/[^/]+/, "workloadIdentityPools/another-pool") } }),
    answers: accepted,
    expect: always("contract.inconsistent"),
  },
  {
    name: "the STS API is not enabled in the pool's project",
    break: (admin) => admin.disableApi("sts.googleapis.com"),
    answers: { hop: "sts", code: "PERMISSION_DENIED", message: "Security Token Service API has not been used in project" },
    expect: always("gcp.api-disabled"),
  },
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
    name: "the role was given to the principal on the project",
    failureMode: BINDING,
    break: async (admin) => {
      await admin.editAccountPolicy(without(isUser));
      await admin.editProjectPolicy(including({ role: "roles/iam.workloadIdentityUser", members: [admin.principal] }));
    },
    answers: accepted,
    expect: read("gcp.impersonation.binding-elsewhere"),
  },
  {
    name: "the binding is for everybody of the pool",
    break: (admin) => admin.editAccountPolicy(instead(admin.principal, admin.principal.replace(/^principal:(.*)\/subject\/.*$/, "principalSet:$1/*"))),
    answers: accepted,
    expect: read("gcp.impersonation.too-wide"),
  },
  {
    name: "the binding is for everybody with the issuer's tokens",
    break: async (admin) => {
      await admin.updateProvider({ attributeMapping: { "google.subject": "assertion.sub", "attribute.issuer": "assertion.iss" } });
      await admin.editAccountPolicy(instead(admin.principal, admin.principal.replace(/^principal:(.*)\/subject\/.*$/, `principalSet:$1/attribute.issuer/${admin.contract.workload.issuer}`)));
    },
    answers: accepted,
    expect: read("gcp.impersonation.too-wide"),
  },
  {
    name: "the role is the one that can create tokens of every kind",
    break: (admin) => admin.editAccountPolicy(() => [{ role: "roles/iam.serviceAccountTokenCreator", members: [admin.principal] }]),
    answers: accepted,
    expect: always(),
  },
  {
    name: "the contract names an account of another project",
    contract: (contract) => ({ ...contract, exchange: { ...gcpExchangeOf(contract), serviceAccountEmail: "dcf-deployer@platform-host.iam.gserviceaccount.com" } }),
    answers: refusedAccount,
    expect: narrowed(notAllowed, "gcp.service-account.missing"),
  },
  {
    name: "the contract's account is no address",
    contract: (contract) => ({ ...contract, exchange: { ...gcpExchangeOf(contract), serviceAccountEmail: "dcf-deployer" } }),
    answers: { hop: "iamcredentials", code: "INVALID_ARGUMENT", message: "Request contains an invalid argument." },
    expect: always("gcp.service-account.malformed"),
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
    name: "the IAM Credentials API is enabled in another project only",
    break: async (admin) => {
      await admin.enableApi("iamcredentials.googleapis.com", "platform-host");
      await admin.disableApi("iamcredentials.googleapis.com");
    },
    answers: { hop: "iamcredentials", code: "PERMISSION_DENIED", message: "IAM Service Account Credentials API has not been used in project" },
    expect: always("gcp.api-disabled"),
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
  {
    name: "the role on the bucket does not allow objects to be created",
    failureMode: DENIED,
    break: (admin) => admin.editBucketPolicy((bindings) => bindings.map((binding) => (ARTIFACTS(binding) ? { ...binding, role: "roles/storage.objectViewer" } : binding))),
    answers: refusedObject,
    expect: narrowed(right, "gcp.iam.permission-missing"),
  },
  {
    name: "the role on the bucket allows objects to be created and nothing else",
    failureMode: DENIED,
    break: (admin) => admin.editBucketPolicy((bindings) => bindings.map((binding) => (ARTIFACTS(binding) ? { ...binding, role: "roles/storage.objectCreator" } : binding))),
    answers: accepted,
    expect: narrowed(right, "gcp.iam.permission-missing"),
  },
  {
    name: "a deny policy forbids objects to be created",
    failureMode: DENIED,
    break: (admin) => admin.deny("storage.googleapis.com/objects.create", ["principalSet://goog/public:all"]),
    answers: refusedObject,
    expect: narrowed(right, "gcp.iam.denied"),
  },
  {
    name: "the bucket keeps every object for a day",
    break: (admin) => admin.patchBucket({ retentionPolicy: { retentionPeriod: "86400" } }),
    answers: accepted,
    expect: always("gcp.bucket.retained"),
  },
  {
    name: "the account may do everything with every bucket of the project",
    break: (admin) => admin.editProjectPolicy(including({ role: "roles/storage.objectAdmin", members: [`serviceAccount:${admin.email}`] })),
    answers: accepted,
    expect: always("gcp.iam.too-wide"),
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
    answers: accepted,
    expect: read("gcp.bucket.other-project"),
  },
  {
    name: "public access prevention was switched off",
    break: (admin) => admin.patchBucket({ iamConfiguration: { publicAccessPrevention: "inherited" } }),
    answers: accepted,
    expect: read("gcp.bucket.settings-differ"),
  },
];

export const gcpBreakages: readonly GcpBreakage[] = [...gcpTrustRows, ...gcpAccountRows, ...gcpStorageRows];
