/** Azure's formats of names and values, as data: what a value must look like, in whose words, from which page. */
import { textViolation, type NumberRule, type TextRule } from "../rules.js";

const names = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules";
const credentials = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations";
const credentialApi = "https://learn.microsoft.com/graph/api/resources/federatedidentitycredential";
const containerNames = "https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata";

const GUID = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

/** Of a tenant, subscription, application or object; which of them, only the directory can tell. */
function guid(what: string, example: string, source: string): TextRule {
  return { what, min: 36, max: 36, pattern: GUID, form: `${what}: a GUID such as ${example}`, example, source, grade: "documented" };
}

/** Length of a federated identity credential's issuer, subject, audience and description. */
const FEDERATED_LENGTH = 600;

export const textRules = {
  tenantId: guid("a tenant id", "aaaabbbb-0000-cccc-1111-dddd2222eeee", "https://learn.microsoft.com/entra/fundamentals/how-to-find-tenant"),
  subscriptionId: guid("a subscription id", "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e", "https://learn.microsoft.com/azure/azure-portal/get-subscription-tenant-id"),
  clientId: guid("an application (client) id", "00001111-aaaa-2222-bbbb-3333cccc4444", "https://learn.microsoft.com/entra/identity-platform/app-objects-and-service-principals"),
  objectId: guid("an object id", "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb", "https://learn.microsoft.com/entra/identity-platform/app-objects-and-service-principals"),
  roleAssignmentName: guid("a role assignment's name", "00000000-0000-0000-0000-000000000000", "https://learn.microsoft.com/azure/role-based-access-control/role-assignments#name"),
  resourceGroup: {
    what: "a resource group's name",
    min: 1,
    max: 90,
    pattern: /^[-\p{L}\p{N}._()]{0,89}[-\p{L}\p{N}_()]$/u,
    form: "1 to 90 letters, digits or any of -._() that do not end with a period",
    example: "rg-acme-dcf",
    source: names,
    grade: "documented",
  },
  location: {
    what: "a region",
    min: 3,
    max: 40,
    pattern: /^[a-z][a-z0-9]+$/,
    form: "a region's short name, in lower case and without blanks",
    example: "westeurope",
    source: "https://learn.microsoft.com/azure/reliability/regions-list",
    grade: "documented",
  },
  tagName: {
    what: "a tag's name",
    min: 1,
    max: 512,
    pattern: /^(?!(?:azure|microsoft|windows))[^<>%&\\?/]+$/i,
    form: "1 to 512 characters without any of <>%&\\?/ that do not begin with azure, microsoft or windows",
    example: "dcfCorrelationId",
    source: "https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations",
    grade: "documented",
  },
  tagValue: {
    what: "a tag's value",
    min: 0,
    max: 256,
    pattern: /^[\s\S]*$/,
    form: "at most 256 characters",
    example: "3f0c1c1e-dcf",
    source: "https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations",
    grade: "documented",
  },
  managedIdentity: {
    what: "a user-assigned managed identity's name",
    min: 3,
    max: 128,
    pattern: /^[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}$/,
    form: "3 to 128 letters, digits, hyphens or underscores that begin with a letter or digit",
    example: "id-acme-dcf",
    source: names,
    grade: "documented",
  },
  applicationName: {
    what: "an app registration's name",
    min: 1,
    max: 120,
    pattern: /^[^<>;&%\p{C}]+$/u,
    form: "1 to 120 characters without any of <>;&%",
    example: "Acme DDOE",
    source: "https://learn.microsoft.com/entra/identity-platform/reference-app-manifest",
    grade: "documented",
  },
  federatedCredential: {
    what: "a federated identity credential's name",
    min: 3,
    max: 120,
    pattern: /^[a-zA-Z0-9][a-zA-Z0-9_-]{2,119}$/,
    form: "3 to 120 letters, digits, hyphens or underscores that begin with a letter or digit",
    example: "dcf-project-4711",
    source: credentials,
    grade: "documented",
  },
  issuer: {
    what: "an issuer's URL",
    min: 9,
    max: FEDERATED_LENGTH,
    pattern: /^https:\/\/[A-Za-z0-9.-]+(?::\d+)?(?:\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?$/,
    form: "an https URL without user, query, fragment and blanks, equal to the `iss` of the tokens letter for letter, a slash at the end included",
    example: "https://oidc.dcf.example",
    source: credentials,
    grade: "documented",
  },
  subject: {
    what: "the subject of a token",
    min: 1,
    max: FEDERATED_LENGTH,
    // Entra takes wildcards and blanks literally: none is meant so. Invisible characters never are.
    pattern: /^[^\s\p{C}*?](?:[^\p{C}*?]*[^\s\p{C}*?])?$/u,
    form: "one exact subject: 1 to 600 characters without blanks at the ends, invisible characters and wildcards",
    example: "system:serviceaccount:dcf:project-4711",
    source: credentials,
    grade: "documented",
  },
  audience: {
    what: "the audience of a token",
    min: 1,
    max: FEDERATED_LENGTH,
    pattern: /^[^\s\p{C}*?]+$/u,
    form: "one exact audience: 1 to 600 characters without blanks, invisible characters and wildcards",
    example: "api://AzureADTokenExchange",
    source: credentials,
    grade: "documented",
  },
  federatedDescription: {
    what: "a federated identity credential's description",
    min: 0,
    max: FEDERATED_LENGTH,
    pattern: /^[^\p{C}]*$/u,
    form: "at most 600 characters",
    example: "DCF's runtime",
    source: credentialApi,
    grade: "documented",
  },
  storageAccount: {
    what: "a storage account's name",
    min: 3,
    max: 24,
    pattern: /^[a-z0-9]{3,24}$/,
    form: "3 to 24 lower-case letters or digits",
    example: "acmedcfartifacts",
    source: names,
    grade: "documented",
  },
  blobContainer: {
    what: "a blob container's name",
    min: 3,
    max: 63,
    pattern: /^[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$/,
    form: "3 to 63 lower-case letters, digits or single hyphens that begin and end with a letter or digit",
    example: "artifacts",
    source: containerNames,
    grade: "documented",
  },
  blobName: {
    what: "a blob's name",
    min: 1,
    max: 1024,
    pattern: /^(?!.*[./\\]$)[^\p{C}]+$/u,
    form: "1 to 1,024 characters that do not end with a period or a slash",
    example: "functions/project-4711.zip",
    source: containerNames,
    grade: "documented",
  },
  containerRegistry: {
    what: "a container registry's name",
    min: 5,
    max: 50,
    pattern: /^[a-zA-Z0-9]{5,50}$/,
    form: "5 to 50 letters or digits",
    example: "acmedcf",
    source: names,
    grade: "documented",
  },
  appServicePlan: {
    what: "an App Service plan's name",
    min: 1,
    max: 60,
    pattern: /^[a-zA-Z0-9-]{1,60}$/,
    form: "1 to 60 letters, digits or hyphens",
    example: "plan-acme-dcf",
    source: names,
    grade: "documented",
  },
  site: {
    what: "a web app's name",
    min: 2,
    max: 60,
    pattern: /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,58}[a-zA-Z0-9])$/,
    form: "2 to 60 letters, digits or hyphens that neither begin nor end with a hyphen",
    example: "app-acme-dcf",
    source: names,
    grade: "documented",
  },
} as const satisfies Record<string, TextRule>;

export const numberRules = {
  federatedCredentials: {
    what: "federated identity credentials of one application or managed identity",
    min: 0,
    max: 20,
    unit: "credentials",
    source: credentials,
    grade: "documented",
  },
  tags: {
    what: "tags of one resource or resource group",
    min: 0,
    max: 50,
    unit: "tags",
    source: "https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations",
    grade: "documented",
  },
  softDeleteDays: {
    what: "how long deleted blobs and containers are kept",
    min: 1,
    max: 365,
    unit: "days",
    source: "https://learn.microsoft.com/azure/storage/blobs/soft-delete-blob-overview",
    grade: "documented",
  },
} as const satisfies Record<string, NumberRule>;

/** Words that the name of a resource with an endpoint of its own must not be, have in it, or begin with. https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-reserved-resource-name */
const RESERVED_WORDS = {
  whole:
    "access app_code app_themes app_data app_globalresources app_localresources app_webreferences app_browsers azure bing bizspark biztalk cortana directx dotnet dynamics excel exchange forefront groove hololens hyperv kinect lync msdn o365 office office365 onedrive onenote outlook powerpoint sharepoint skype visio visualstudio web.config xbox".split(
      " ",
    ),
  anywhere: ["microsoft", "windows"],
  atStart: ["login", "xbox"],
};

/** The reserved word that such a name has; undefined where it has none. */
export function reservedWord(name: string): string | undefined {
  const { whole, anywhere, atStart } = RESERVED_WORDS;
  const lower = name.toLowerCase();
  return whole.find((word) => lower === word) ?? anywhere.find((word) => lower.includes(word)) ?? atStart.find((word) => lower.startsWith(word));
}

/** Why a text breaks one of these rules. */
export function ruleViolation(rule: keyof typeof textRules, value: string): string | undefined {
  return textViolation(textRules[rule], value);
}
