/** What DCF and DDOE need in a customer's subscription: each operation with its reason, and the built-in roles that grant them. */
import type { Grade } from "../rules.js";

export interface NeededAction {
  /** As roles name it. */
  action: string;
  /** On what is in a resource, not on the resource: roles grant it by `dataActions`. */
  data: boolean;
  reason: string;
  source: string;
  grade: Grade;
}

const dcf = "DCF, Cloud Integrations: Azure, permissions to grant";
const groups = "https://learn.microsoft.com/azure/role-based-access-control/permissions/management-and-governance";
const blobs = "https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-blob-service-operations";
const registry = "https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview";
const web = "https://learn.microsoft.com/azure/role-based-access-control/permissions/web-and-mobile";
const identities = "https://learn.microsoft.com/azure/app-service/configure-custom-container#use-managed-identity-to-pull-image-from-azure-container-registry";

const documented = { grade: "documented" } as const;
const management = { data: false, ...documented } as const;
const onData = { data: true, ...documented } as const;

const BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";

export const neededActions = {
  /** On the resource group that the platform is connected to. */
  "azure-resource-group": [
    { action: "Microsoft.Resources/subscriptions/resourceGroups/read", reason: "See that the resource group is there, and read its dcfCorrelationId tag", source: dcf, ...management },
    { action: "Microsoft.Resources/subscriptions/resourceGroups/resources/read", reason: "Find what the resource group holds", source: groups, ...management },
    { action: "Microsoft.Storage/storageAccounts/read", reason: "Inspect the storage accounts of the resource group", source: dcf, ...management },
    { action: "Microsoft.Storage/storageAccounts/blobServices/containers/read", reason: "See that the artifacts' container is there", source: dcf, ...management },
  ],
  /** On one container, or on the account that it is in: the data plane. */
  "blob-container": [
    { action: "Microsoft.Storage/storageAccounts/blobServices/containers/read", reason: "Read the container's properties, and tell a missing container from a forbidden one", source: blobs, ...management },
    { action: `${BLOBS}/read`, reason: "Read artifacts back, and find them", source: dcf, ...onData },
    { action: `${BLOBS}/write`, reason: "Upload artifacts", source: dcf, ...onData },
    { action: `${BLOBS}/delete`, reason: "Remove artifacts that are no longer deployed", source: dcf, ...onData },
  ],
  /** On one container for whoever only reads it. */
  "blob-container-reading": [
    { action: "Microsoft.Storage/storageAccounts/blobServices/containers/read", reason: "Read the container's properties", source: blobs, ...management },
    { action: `${BLOBS}/read`, reason: "Read blobs, and find them", source: blobs, ...onData },
  ],
  /** On registry, plan and site, which the resource group holds. */
  "app-service": [
    { action: "Microsoft.ContainerRegistry/registries/read", reason: "See that the container registry is there, and find its host name", source: dcf, ...management },
    { action: "Microsoft.ContainerRegistry/registries/pull/read", reason: "Ask the registry which layers are there already", source: registry, ...management },
    { action: "Microsoft.ContainerRegistry/registries/push/write", reason: "Push the image of a function", source: registry, ...management },
    { action: "Microsoft.Web/serverfarms/read", reason: "See that the App Service plan is there", source: dcf, ...management },
    { action: "Microsoft.Web/serverfarms/join/action", reason: "Put a site on the plan", source: web, ...management },
    { action: "Microsoft.Web/sites/read", reason: "See that the App Service is there, and find its host name", source: dcf, ...management },
    { action: "Microsoft.Web/sites/write", reason: "Deploy a new image", source: dcf, ...management },
    { action: "Microsoft.Web/sites/config/write", reason: "Set the image, the port and the settings of a site", source: web, ...management },
    { action: "Microsoft.Web/sites/restart/action", reason: "Restart a site with its new image", source: web, ...management },
    { action: "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", reason: "Let a site pull images as the managed identity for it", source: identities, ...management },
  ],
  /** In addition, for a canary deployment that is removed again. */
  "app-service-canary": [
    { action: "Microsoft.Web/sites/delete", reason: "Remove the canary's site", source: web, ...management },
    { action: "Microsoft.ContainerRegistry/registries/artifacts/delete", reason: "Remove the canary's image", source: registry, ...management },
  ],
  /** Of the managed identity that sites pull images with, on the registry. */
  "image-pull": [{ action: "Microsoft.ContainerRegistry/registries/pull/read", reason: "Pull the image that a site runs", source: identities, ...management }],
} as const satisfies Record<string, readonly NeededAction[]>;

/** Names of the operations that a grant needs, for the contract. */
export function actionsOf(grant: keyof typeof neededActions): string[] {
  return neededActions[grant].map(({ action }) => action);
}

/** Built-in roles that the integrations grant, by the names that facts/azure/roles.ts has them under. Never among them: Owner, and whatever assigns roles. */
export const grantedRoles = {
  contributor: "Contributor",
  blobDataContributor: "Storage Blob Data Contributor",
  blobDataReader: "Storage Blob Data Reader",
  acrPull: "AcrPull",
} as const;
