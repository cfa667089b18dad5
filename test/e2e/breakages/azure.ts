/** Trust, rights, resource group and container: what can be wrong, what Azure then answers, and what is named. */
import { randomUUID } from "node:crypto";
import { grantedRoles } from "../../../facts/azure/permissions.js";
import type { AzureCauseCode } from "../../../verify/azure/causes.js";

import { always, arm, blob, entra, live, narrowed, read, unnoticed, type AzureBreakage } from "./azure-breakage.js";

const CONTRIBUTOR = "Contributor role assignment missing or not yet propagated" as const;
const GROUP = "Resource group not found" as const;
const CORRELATION = "Correlation ID mismatch" as const;
const BLOBS = "Azure container exists but blob access is denied" as const;

/** What a refusal to read the group may come from, as far as a token shows. */
const groupDenied: readonly AzureCauseCode[] = ["azure.rbac.assignment-missing", "azure.group.missing"];
const blobsDenied: readonly AzureCauseCode[] = ["azure.storage.data-role-missing", "azure.storage.constrained"];
/** Who has nothing on the group and the container: neither can be read. */
const flip = (text: string): string => (text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase());

const credentialRows: readonly AzureBreakage[] = [
  { name: "the credential's issuer ends in a slash", break: (admin) => admin.editCredential(({ issuer }) => ({ issuer: `${issuer}/` })), answers: entra(700211), expect: always("azure.credential.issuer-differs") },
  { name: "the credential's issuer is written with a capital", break: (admin) => admin.editCredential(({ issuer }) => ({ issuer: issuer.replace("oidc", "OIDC") })), answers: entra(700211), expect: always("azure.credential.issuer-differs") },
  { name: "the credential is for another audience", break: (admin) => admin.editCredential(() => ({ audiences: ["api://AzureADTokenExchangeUSGov"] })), answers: entra(700212), expect: always("azure.credential.audience-differs") },
  { name: "the credential is for another subject", break: (admin) => admin.editCredential(({ subject }) => ({ subject: `${subject}-other` })), answers: entra(700213), expect: always("azure.credential.subject-differs") },
  { name: "the credential's subject ends in a blank", break: (admin) => admin.editCredential(({ subject }) => ({ subject: `${subject} ` })), answers: entra(700213), expect: always("azure.credential.subject-differs") },
  { name: "the credential's subject differs by case", break: (admin) => admin.editCredential(({ subject }) => ({ subject: subject.replace(/[a-z]/, flip) })), answers: entra(7002138), expect: always("azure.credential.subject-case-differs") },
  { name: "the credential was deleted", break: (admin) => admin.deleteCredential(), answers: entra(70025), expect: always("azure.credential.missing") },
  {
    name: "the credential is on another identity",
    break: async (admin) => {
      const credential = await admin.credential();
      await admin.deleteCredential();
      const other = await admin.createIdentity("dcf-azure-new");
      await admin.put(`${other}/federatedIdentityCredentials/${credential.name}`, "managedIdentity", { properties: { issuer: credential.issuer, subject: credential.subject, audiences: credential.audiences } });
    },
    answers: entra(70025),
    expect: narrowed(["azure.credential.missing"], "azure.credential.on-other-identity"),
  },
  {
    name: "the identity is full of credentials for others",
    break: async (admin) => {
      const credential = await admin.credential();
      await admin.deleteCredential();
      for (let index = 0; index < 20; index += 1) await admin.putCredential({ ...credential, name: `other-${index}`, subject: `${credential.subject}-${index}` });
    },
    answers: entra(700213),
    expect: narrowed(["azure.credential.subject-differs"], "azure.credential.limit"),
  },
  {
    name: "the identity has a credential for somebody else too",
    break: async (admin) => {
      const credential = await admin.credential();
      await admin.putCredential({ ...credential, name: "other", subject: `${credential.subject}-other` });
    },
    answers: unnoticed,
    expect: read("azure.credential.too-wide"),
  },
  { name: "the application's credential is for another subject", stack: "dcf-azure-application", break: (admin) => admin.editCredential(({ subject }) => ({ subject: `${subject}-other` })), answers: entra(700213), expect: always("azure.credential.subject-differs") },
  { name: "DDOE's credential has the issuer with a slash at its end", stack: "ddoe-azure", break: (admin) => admin.editCredential(({ issuer }) => ({ issuer: `${issuer}/` })), answers: entra(700211), expect: always("azure.credential.issuer-differs") },
];

const identityRows: readonly AzureBreakage[] = [
  { name: "the identity was deleted", break: (admin) => admin.deleteIdentity(), answers: entra(700016, 400), expect: narrowed(["azure.client.missing", "azure.client.recreated"], "azure.client.missing") },
  { name: "the identity was deleted and made anew", break: (admin) => admin.recreateIdentity(), answers: entra(700016, 400), expect: narrowed(["azure.client.missing", "azure.client.recreated"], "azure.client.recreated") },
  {
    name: "client id and principal id are swapped",
    contract: (contract) => {
      const { exchange } = contract;
      return exchange.type === "azure-client-assertion" ? { ...contract, exchange: { ...exchange, clientId: exchange.principalId, principalId: exchange.clientId } } : contract;
    },
    answers: entra(700016, 400),
    expect: always("azure.client.is-principal-id"),
  },
  {
    name: "the application has no service principal",
    stack: "dcf-azure-application",
    break: async (admin) => {
      await admin.graph("DELETE", `/servicePrincipals/${admin.exchange.principalId}`);
    },
    answers: entra(7000229),
    expect: always("azure.client.service-principal-missing"),
  },
  {
    name: "the service principal is disabled",
    stack: "dcf-azure-application",
    break: async (admin) => {
      await admin.graph("PATCH", `/servicePrincipals/${admin.exchange.principalId}`, { accountEnabled: false });
    },
    answers: entra(7000112, 400),
    expect: always("azure.client.disabled"),
  },
  {
    name: "a Conditional Access policy blocks the workload",
    stack: "dcf-azure-application",
    break: async (admin) => {
      await admin.graph("POST", "/identity/conditionalAccess/policies", {
        displayName: "breaker",
        state: "enabled",
        conditions: { clientApplications: { includeServicePrincipals: [admin.exchange.principalId] }, applications: { includeApplications: ["All"] } },
        grantControls: { operator: "OR", builtInControls: ["block"] },
      });
    },
    answers: entra(53003, 400),
    expect: live("azure.exchange.conditional-access"),
  },
];

const rightsRows: readonly AzureBreakage[] = [
  { name: "Contributor on the resource group is missing", failureMode: CONTRIBUTOR, break: (admin) => admin.unassign(admin.group), answers: arm("AuthorizationFailed"), expect: narrowed(groupDenied, "azure.rbac.assignment-missing") },
  {
    name: "Contributor is on another resource group",
    failureMode: CONTRIBUTOR,
    break: async (admin) => admin.reassign(admin.group, grantedRoles.contributor, { scope: await admin.createGroup("rg-acme-other") }),
    answers: arm("AuthorizationFailed"),
    expect: narrowed(groupDenied, "azure.rbac.wrong-scope"),
  },
  {
    name: "Contributor was given to the app registration's object id",
    stack: "dcf-azure-application",
    failureMode: CONTRIBUTOR,
    break: (admin) => admin.reassign(admin.group, grantedRoles.contributor, { principalId: admin.application }),
    answers: arm("AuthorizationFailed"),
    expect: narrowed(groupDenied, "azure.rbac.wrong-principal"),
  },
  {
    name: "Contributor was given to the client id",
    failureMode: CONTRIBUTOR,
    break: (admin) => admin.reassign(admin.group, grantedRoles.contributor, { principalId: admin.exchange.clientId }),
    answers: arm("AuthorizationFailed"),
    expect: narrowed(groupDenied, "azure.rbac.wrong-principal"),
  },
  {
    name: "Reader is on the group instead of Contributor",
    depth: "deploy",
    failureMode: CONTRIBUTOR,
    break: (admin) => admin.reassign(admin.group, "Reader"),
    answers: unnoticed,
    expect: narrowed(["azure.rbac.role-too-narrow"], "azure.rbac.role-too-narrow"),
  },
  { name: "Contributor is on the storage account only", failureMode: CONTRIBUTOR, break: (admin) => admin.reassign(admin.group, grantedRoles.contributor, { scope: admin.account }), answers: arm("AuthorizationFailed"), expect: narrowed(groupDenied, "azure.rbac.wrong-scope") },
  { name: "Contributor is on the whole subscription, too", break: (admin) => admin.assign(grantedRoles.contributor, admin.subscription), answers: unnoticed, expect: read("azure.rbac.too-wide") },
  { name: "a deny assignment takes reading the group away", break: (admin) => admin.deny(admin.group, { actions: ["Microsoft.Resources/subscriptions/resourceGroups/read"] }), answers: arm("DenyAssignmentAuthorizationFailed"), expect: always("azure.rbac.denied") },
  { name: "a lock lets nobody change the group", depth: "deploy", break: (admin) => admin.lock(admin.group, "ReadOnly"), answers: unnoticed, expect: always("azure.group.locked") },
];

const groupRows: readonly AzureBreakage[] = [
  { name: "the contract names another resource group", failureMode: GROUP, contract: (contract) => renamed(contract, "rg-acme-dfc"), answers: arm("AuthorizationFailed"), expect: narrowed(groupDenied, "azure.group.missing") },
  { name: "the tag is of another registration", failureMode: CORRELATION, break: (admin) => admin.tag({ dcfCorrelationId: "dcf-4711-00000000" }), answers: unnoticed, expect: always("azure.group.correlation-differs") },
  { name: "the tag is gone", failureMode: CORRELATION, break: (admin) => admin.tag({ dcfCorrelationId: undefined }), answers: unnoticed, expect: always("azure.group.correlation-missing") },
  {
    name: "a policy writes another correlation id",
    failureMode: CORRELATION,
    break: async (admin) => {
      const definition = `${admin.subscription}/providers/Microsoft.Authorization/policyDefinitions/correlation`;
      const operations = [{ operation: "addOrReplace", field: "tags['dcfCorrelationId']", value: "by-policy" }];
      await admin.put(definition, "policies", {
        properties: {
          mode: "All",
          policyRule: { if: { field: "type", equals: "Microsoft.Resources/subscriptions/resourceGroups" }, then: { effect: "modify", details: { roleDefinitionIds: ["/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"], operations } } },
        },
      });
      await admin.put(`${admin.subscription}/providers/Microsoft.Authorization/policyAssignments/correlation`, "policies", { properties: { policyDefinitionId: definition } });
      await admin.tag({ owner: "acme" });
    },
    answers: unnoticed,
    expect: narrowed(["azure.group.correlation-differs"], "azure.group.tag-policy"),
  },
  {
    name: "the contract is of another subscription of the tenant",
    failureMode: GROUP,
    contract: (contract) => JSON.parse(JSON.stringify(contract).replaceAll('"subscriptionId":"aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"', '"subscriptionId":"bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f"')) as typeof contract,
    answers: arm("AuthorizationFailed"),
    expect: narrowed(groupDenied, "azure.group.missing"),
  },
];

function renamed<T>(contract: T, name: string): T {
  return JSON.parse(JSON.stringify(contract).replaceAll("\"resourceGroup\":\"rg-acme-dcf\"", `"resourceGroup":"${name}"`)) as T;
}

const condition = (name: string): string =>
  `((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'}) AND !(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals '${name}'))`;

const storageRows: readonly AzureBreakage[] = [
  { name: "the data role is missing", failureMode: BLOBS, break: (admin) => admin.unassign(admin.container), answers: blob("AuthorizationPermissionMismatch"), expect: narrowed(blobsDenied, "azure.storage.data-role-missing") },
  { name: "the data role is missing for DDOE", stack: "ddoe-azure", failureMode: BLOBS, break: (admin) => admin.unassign(admin.container), answers: blob("AuthorizationPermissionMismatch"), expect: narrowed(["azure.storage.container-missing", ...blobsDenied], "azure.storage.data-role-missing") },
  { name: "the data role reads only", failureMode: BLOBS, break: (admin) => admin.reassign(admin.container, grantedRoles.blobDataReader), answers: blob("AuthorizationPermissionMismatch"), expect: narrowed(["azure.storage.reader-only", "azure.storage.constrained"], "azure.storage.reader-only") },
  {
    name: "the data role is on another container",
    failureMode: BLOBS,
    break: async (admin) => {
      const other = admin.container.replace(/[^/]+$/, "archive");
      await admin.put(other, "storage", { properties: {} });
      await admin.reassign(admin.container, grantedRoles.blobDataContributor, { scope: other });
    },
    answers: blob("AuthorizationPermissionMismatch"),
    expect: narrowed(blobsDenied, "azure.storage.data-role-elsewhere"),
  },
  {
    name: "the data role is a former identity's",
    failureMode: BLOBS,
    break: (admin) => admin.reassign(admin.container, grantedRoles.blobDataContributor, { principalId: randomUUID() }),
    answers: blob("AuthorizationPermissionMismatch"),
    expect: narrowed(blobsDenied, "azure.storage.data-role-wrong-principal"),
  },
  {
    name: "the data role has a condition for another container",
    break: (admin) => admin.reassign(admin.container, grantedRoles.blobDataContributor, { condition: condition("archive") }),
    answers: blob("AuthorizationPermissionMismatch"),
    expect: narrowed(["azure.storage.reader-only", "azure.storage.constrained"], "azure.rbac.condition-false"),
  },
  {
    name: "a deny assignment keeps blobs from being written",
    break: (admin) => admin.deny(admin.account, { dataActions: ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action"] }),
    answers: blob("AuthorizationPermissionMismatch"),
    expect: narrowed(["azure.storage.reader-only", "azure.storage.constrained"], "azure.rbac.denied"),
  },
  { name: "the firewall denies by default", break: (admin) => admin.patch(admin.account, "storage", { properties: { networkAcls: { defaultAction: "Deny", bypass: "AzureServices" } } }), answers: blob("AuthorizationFailure"), expect: always("azure.storage.firewall") },
  { name: "public network access is off", break: (admin) => admin.patch(admin.account, "storage", { properties: { publicNetworkAccess: "Disabled" } }), answers: blob("AuthorizationFailure"), expect: always("azure.storage.firewall") },
  {
    name: "the container keeps blobs for a time",
    break: async (admin) => {
      await admin.put(`${admin.container}/immutabilityPolicies/default`, "storage", { properties: { immutabilityPeriodSinceCreationInDays: 3 } });
    },
    answers: unnoticed,
    expect: always("azure.storage.immutable"),
  },
  {
    name: "the storage account is in another resource group than the contract has it in",
    contract: (contract) => ({ ...contract, grants: contract.grants.map((grant) => (grant.kind === "blob-container" ? { ...grant, resourceGroup: "rg-acme-identity" } : grant)) }),
    answers: unnoticed,
    expect: read("azure.storage.account-missing"),
  },
  { name: "the container was deleted", break: (admin) => admin.delete(admin.container, "storage"), answers: blob("AuthorizationPermissionMismatch"), expect: always("azure.storage.container-missing") },
  {
    name: "the container is public",
    break: async (admin) => {
      await admin.patch(admin.account, "storage", { properties: { allowBlobPublicAccess: true } });
      await admin.patch(admin.container, "storage", { properties: { publicAccess: "Blob" } });
    },
    answers: unnoticed,
    expect: always("azure.storage.public"),
  },
  {
    name: "the data role is on the whole account",
    break: (admin) => admin.assign(grantedRoles.blobDataContributor, admin.account),
    answers: unnoticed,
    expect: live("azure.rbac.too-wide"),
  },
];

/** Everything that does not need the platform's deployments. */
export const azureBreakages: readonly AzureBreakage[] = [...credentialRows, ...identityRows, ...rightsRows, ...groupRows, ...storageRows];


