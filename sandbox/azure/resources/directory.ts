/** Pulumi's azuread package: applications, their service principals and credentials. https://www.pulumi.com/registry/packages/azuread/api-docs/ */
import type { CheckFailure } from "../../types.js";
import { during, quoted } from "./graph-api.js";
import type { GraphDefinition } from "./graph-behaviour.js";
import { list, text } from "./values.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Of a path that is `/COLLECTION/UUID`. */
const plainPath =
  (collection: string) =>
  (id: string): string | undefined => {
    const [, first, objectId = "", ...rest] = id.split("/");
    return id.startsWith("/") && first === collection && UUID.test(objectId) && rest.length === 0 ? id : undefined;
  };

const informational = { marketingUrl: "info.marketingUrl", privacyStatementUrl: "info.privacyStatementUrl", supportUrl: "info.supportUrl", termsOfServiceUrl: "info.termsOfServiceUrl" };
const applicationAnswered = { clientId: "appId", disabledByMicrosoft: "disabledByMicrosoftStatus", logoUrl: "info.logoUrl", objectId: "id", publisherDomain: "publisherDomain" };

const applicationPlace = {
  collection: () => "/applications",
  idForm: "/applications/OBJECT_ID",
  id: (path: string) => path,
  path: plainPath("applications"),
} as const satisfies Partial<GraphDefinition>;

export const application: GraphDefinition = {
  ...applicationPlace,
  type: "azuread:index/application:Application",
  noun: "application",
  inputs: {
    ...informational,
    description: "description",
    deviceOnlyAuthEnabled: "isDeviceOnlyAuthSupported",
    displayName: "displayName",
    fallbackPublicClientEnabled: "isFallbackPublicClient",
    groupMembershipClaims: "groupMembershipClaims",
    identifierUris: "identifierUris",
    notes: "notes",
    oauth2PostResponseRequired: "oauth2RequirePostResponse",
    serviceManagementReference: "serviceManagementReference",
    signInAudience: "signInAudience",
    tags: "tags",
  },
  answered: applicationAnswered,
  fallbacks: { appRoleIds: {}, disabledByMicrosoft: "<nil>", featureTags: [], logoUrl: "", oauth2PermissionScopeIds: {}, owners: [], publisherDomain: "", templateId: "" },
  required: ["displayName"],
  sets: ["groupMembershipClaims", "identifierUris", "tags"],
  defaults: { signInAudience: "AzureADMyOrg" },
  replaceOn: [],
  local: ["preventDuplicateNames"],
  notPlayed: ["api", "appRoles", "featureTags", "logoImage", "optionalClaims", "owners", "password", "publicClient", "requiredResourceAccesses", "singlePageApplication", "templateId", "web"],
  before: async ({ displayName, preventDuplicateNames }, api) => {
    if (preventDuplicateNames !== true) return undefined;
    const [existing] = await during("Could not check for existing application(s)", api.matching("applications", `displayName eq ${quoted(String(displayName))}`));
    if (!existing) return undefined;
    throw new Error(
      `An existing "azuread_application" with name "${String(displayName)}" (ID: "${String(existing.id)}") was found and \`prevent_duplicate_names\` was specified: To be managed via Terraform, this resource needs to be imported into the State. Please see the resource documentation for "azuread_application" for more information.`,
    );
  },
};

export const applicationRegistration: GraphDefinition = {
  ...applicationPlace,
  type: "azuread:index/applicationRegistration:ApplicationRegistration",
  noun: "application registration",
  inputs: {
    ...informational,
    description: "description",
    displayName: "displayName",
    groupMembershipClaims: "groupMembershipClaims",
    homepageUrl: "web.homePageUrl",
    implicitAccessTokenIssuanceEnabled: "web.implicitGrantSettings.enableAccessTokenIssuance",
    implicitIdTokenIssuanceEnabled: "web.implicitGrantSettings.enableIdTokenIssuance",
    logoutUrl: "web.logoutUrl",
    notes: "notes",
    requestedAccessTokenVersion: "api.requestedAccessTokenVersion",
    serviceManagementReference: "serviceManagementReference",
    signInAudience: "signInAudience",
  },
  answered: { clientId: applicationAnswered.clientId, disabledByMicrosoft: applicationAnswered.disabledByMicrosoft, objectId: applicationAnswered.objectId, publisherDomain: applicationAnswered.publisherDomain },
  fallbacks: { disabledByMicrosoft: "", publisherDomain: "" },
  required: ["displayName"],
  sets: ["groupMembershipClaims"],
  defaults: { requestedAccessTokenVersion: 2, signInAudience: "AzureADMyOrg" },
  replaceOn: [],
};

export const servicePrincipal: GraphDefinition = {
  type: "azuread:index/servicePrincipal:ServicePrincipal",
  noun: "service principal",
  inputs: {
    accountEnabled: "accountEnabled",
    alternativeNames: "alternativeNames",
    appRoleAssignmentRequired: "appRoleAssignmentRequired",
    clientId: "appId",
    description: "description",
    loginUrl: "loginUrl",
    notes: "notes",
    notificationEmailAddresses: "notificationEmailAddresses",
    preferredSingleSignOnMode: "preferredSingleSignOnMode",
    tags: "tags",
  },
  answered: {
    applicationTenantId: "appOwnerOrganizationId",
    displayName: "displayName",
    homepageUrl: "homepage",
    logoutUrl: "logoutUrl",
    objectId: "id",
    redirectUris: "replyUrls",
    servicePrincipalNames: "servicePrincipalNames",
    signInAudience: "signInAudience",
    type: "servicePrincipalType",
  },
  fallbacks: { appRoleIds: {}, appRoles: [], featureTags: [], features: [], homepageUrl: "", logoutUrl: "", oauth2PermissionScopeIds: {}, oauth2PermissionScopes: [], owners: [], redirectUris: [], samlMetadataUrl: "", servicePrincipalNames: [], signInAudience: "" },
  required: ["clientId"],
  sets: ["alternativeNames", "notificationEmailAddresses", "tags"],
  defaults: { accountEnabled: true },
  replaceOn: ["clientId"],
  local: ["useExisting"],
  notPlayed: ["featureTags", "features", "owners", "samlSingleSignOn"],
  collection: () => "/servicePrincipals",
  idForm: "/servicePrincipals/OBJECT_ID",
  id: (path) => path,
  path: plainPath("servicePrincipals"),
  before: async ({ clientId, useExisting }, api) => {
    const [existing] = await during("Could not list existing service principals", api.matching("servicePrincipals", `appId eq ${quoted(String(clientId))}`));
    if (!existing) return undefined;
    const path = `/servicePrincipals/${String(existing.id)}`;
    if (useExisting === true) return path;
    throw new Error(
      `A resource with the ID "${path}" already exists: To be managed via Terraform, this resource needs to be imported into the State. Please see the resource documentation for "azuread_service_principal" for more information.`,
    );
  },
};

const CREDENTIAL = "federatedIdentityCredential";

export const applicationFederatedIdentityCredential: GraphDefinition = {
  type: "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential",
  noun: "federated identity credential",
  inputs: { audiences: "audiences", description: "description", displayName: "name", issuer: "issuer", subject: "subject" },
  answered: { credentialId: "id" },
  required: ["applicationId", "audiences", "displayName", "issuer", "subject"],
  replaceOn: ["applicationId", "displayName"],
  validate: ({ applicationId, audiences, displayName }) => [
    ...(typeof applicationId === "string" && plainPath("applications")(applicationId) === undefined
      ? [{ property: "applicationId", reason: `expected application_id to be the resource ID of an application, such as /applications/OBJECT_ID, got ${applicationId}` }]
      : []),
    ...(list(audiences).length > 1 ? [{ property: "audiences", reason: "Too many list items: attribute supports 1 item maximum, but config has " + String(list(audiences).length) + " declared." }] : []),
    ...nameFailures(displayName),
  ],
  collection: ({ applicationId }) => `${String(applicationId)}/${CREDENTIAL}s`,
  idForm: `OBJECT_ID/${CREDENTIAL}/CREDENTIAL_ID`,
  id: (path) => path.replace(/^\/applications\/([^/]+)\/\w+\/([^/]+)$/, `$1/${CREDENTIAL}/$2`),
  path: (id) => {
    const [objectId = "", kind, credentialId, ...rest] = id.split("/");
    return UUID.test(objectId) && kind === CREDENTIAL && credentialId !== undefined && rest.length === 0 ? `/applications/${objectId}/${CREDENTIAL}s/${credentialId}` : undefined;
  },
  located: (path) => ({ applicationId: path.split("/").slice(0, 3).join("/") }),
  // Credentials of one application are written one after the other.
  lock: (path) => path.split("/").slice(0, 3).join("/"),
};

function nameFailures(displayName: unknown): CheckFailure[] {
  const name = text(displayName);
  return name !== undefined && name.length > 120 ? [{ property: "displayName", reason: `expected length of display_name to be in the range (1 - 120), got ${name}` }] : [];
}
