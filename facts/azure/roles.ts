/**
 * Built-in roles: those that the integrations use, those that are granted instead of them by mistake or for ease, and the
 * privileged ones. Contents are Azure's, unabridged and live, as its API answered on 2026-08-22 (https://github.com/iann0036/iam-dataset,
 * azure/built-in-roles-raw.json). https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
 */
export interface BuiltInRole {
  /** The GUID that every tenant and cloud has it under. */
  name: string;
  roleName: string;
  description: string;
  permissions: readonly [RolePermissions];
}

/** `actions` are on resources, `dataActions` on what is in them. A `*` stands for any text, slashes included; names compare without regard to case. */
export interface RolePermissions {
  actions: readonly string[];
  /** Taken from `actions`: no denial, another role may grant them. */
  notActions: readonly string[];
  dataActions: readonly string[];
  notDataActions: readonly string[];
}

type Row = Pick<BuiltInRole, "name" | "roleName" | "description"> & Partial<RolePermissions>;

const rows: readonly Row[] = [
  {
    name: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    roleName: "Owner",
    description: "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
    actions: ["*"],
  },
  {
    name: "b24988ac-6180-42a0-ab88-20f7382dd24c",
    roleName: "Contributor",
    description: "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage assignments in Azure Blueprints, or share image galleries.",
    actions: ["*"],
    notActions: [
      "Microsoft.Authorization/*/Delete",
      "Microsoft.Authorization/*/Write",
      "Microsoft.Authorization/elevateAccess/Action",
      "Microsoft.Blueprint/blueprintAssignments/write",
      "Microsoft.Blueprint/blueprintAssignments/delete",
      "Microsoft.Compute/galleries/share/action",
      "Microsoft.Purview/consents/write",
      "Microsoft.Purview/consents/delete",
      "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
      "Microsoft.Subscription/cancel/action",
      "Microsoft.Subscription/enable/action",
    ],
  },
  {
    name: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    roleName: "Reader",
    description: "View all resources, but does not allow you to make any changes.",
    actions: ["*/read"],
  },
  {
    name: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    roleName: "User Access Administrator",
    description: "Lets you manage user access to Azure resources.",
    actions: ["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
  },
  {
    name: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    roleName: "Role Based Access Control Administrator",
    description: "Manage access to Azure resources by assigning roles using Azure RBAC. This role does not allow you to manage access using other ways, such as Azure Policy.",
    actions: ["Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete", "*/read", "Microsoft.Support/*"],
  },
  {
    name: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    roleName: "Storage Blob Data Owner",
    description: "Allows for full access to Azure Storage blob containers and data, including assigning POSIX access control.",
    actions: [
      "Microsoft.Storage/storageAccounts/blobServices/containers/*",
      "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
    ],
    dataActions: ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*"],
  },
  {
    name: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    roleName: "Storage Blob Data Contributor",
    description: "Allows for read, write and delete access to Azure Storage blob containers and data",
    actions: [
      "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
      "Microsoft.Storage/storageAccounts/blobServices/containers/read",
      "Microsoft.Storage/storageAccounts/blobServices/containers/write",
      "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
    ],
    dataActions: [
      "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
      "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
      "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
      "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/move/action",
      "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
    ],
  },
  {
    name: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    roleName: "Storage Blob Data Reader",
    description: "Allows for read access to Azure Storage blob containers and data",
    actions: [
      "Microsoft.Storage/storageAccounts/blobServices/containers/read",
      "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
    ],
    dataActions: ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"],
  },
  {
    name: "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
    roleName: "Storage Blob Delegator",
    description: "Allows for generation of a user delegation key which can be used to sign SAS tokens",
    actions: ["Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"],
  },
  {
    name: "17d1049b-9a84-46fb-8f53-869881c3d3ab",
    roleName: "Storage Account Contributor",
    description: "Lets you manage storage accounts, including accessing storage account keys which provide full access to storage account data.",
    actions: [
      "Microsoft.Authorization/*/read",
      "Microsoft.Insights/alertRules/*",
      "Microsoft.Insights/diagnosticSettings/*",
      "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
      "Microsoft.ResourceHealth/availabilityStatuses/read",
      "Microsoft.Resources/deployments/*",
      "Microsoft.Resources/subscriptions/resourceGroups/read",
      "Microsoft.Storage/storageAccounts/*",
      "Microsoft.Support/*",
    ],
  },
  {
    name: "81a9662b-bebf-436f-a333-f67b29880f12",
    roleName: "Storage Account Key Operator Service Role",
    description: "Storage Account Key Operators are allowed to list and regenerate keys on Storage Accounts",
    actions: ["Microsoft.Storage/storageAccounts/listkeys/action", "Microsoft.Storage/storageAccounts/regeneratekey/action"],
  },
  {
    name: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    roleName: "AcrPull",
    description: "acr pull",
    actions: ["Microsoft.ContainerRegistry/registries/pull/read"],
  },
  {
    name: "8311e382-0749-4cb8-b61a-304f252e45ec",
    roleName: "AcrPush",
    description: "acr push",
    actions: ["Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"],
  },
  {
    name: "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
    roleName: "AcrDelete",
    description: "acr delete",
    actions: ["Microsoft.ContainerRegistry/registries/artifacts/delete"],
  },
  {
    name: "b93aa761-3e63-49ed-ac28-beffa264f7ac",
    roleName: "Container Registry Repository Reader",
    description: "Allows for read access to Azure Container Registry repositories, but excluding catalog listing.",
    dataActions: [
      "Microsoft.ContainerRegistry/registries/repositories/metadata/read",
      "Microsoft.ContainerRegistry/registries/repositories/content/read",
    ],
  },
  {
    name: "2a1e307c-b015-4ebd-883e-5b7698a07328",
    roleName: "Container Registry Repository Writer",
    description: "Allows for read and write access to Azure Container Registry repositories, but excluding catalog listing.",
    dataActions: [
      "Microsoft.ContainerRegistry/registries/repositories/metadata/read",
      "Microsoft.ContainerRegistry/registries/repositories/content/read",
      "Microsoft.ContainerRegistry/registries/repositories/metadata/write",
      "Microsoft.ContainerRegistry/registries/repositories/content/write",
    ],
  },
  {
    name: "2efddaa5-3f1f-4df3-97df-af3f13818f4c",
    roleName: "Container Registry Repository Contributor",
    description: "Allows for read, write, and delete access to Azure Container Registry repositories, but excluding catalog listing.",
    dataActions: [
      "Microsoft.ContainerRegistry/registries/repositories/metadata/read",
      "Microsoft.ContainerRegistry/registries/repositories/content/read",
      "Microsoft.ContainerRegistry/registries/repositories/metadata/write",
      "Microsoft.ContainerRegistry/registries/repositories/content/write",
      "Microsoft.ContainerRegistry/registries/repositories/metadata/delete",
      "Microsoft.ContainerRegistry/registries/repositories/content/delete",
    ],
  },
  {
    name: "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7",
    roleName: "Container Registry Repository Catalog Lister",
    description: "Allows for listing all repositories in an Azure Container Registry.",
    dataActions: ["Microsoft.ContainerRegistry/registries/catalog/read"],
  },
  {
    name: "de139f84-1756-47ae-9be6-808fbbe84772",
    roleName: "Website Contributor",
    description: "Lets you manage websites (not web plans), but not access to them.",
    actions: [
      "Microsoft.Authorization/*/read",
      "Microsoft.Insights/alertRules/*",
      "Microsoft.Insights/components/*",
      "Microsoft.ResourceHealth/availabilityStatuses/read",
      "Microsoft.Resources/deployments/*",
      "Microsoft.Resources/subscriptions/resourceGroups/read",
      "Microsoft.Support/*",
      "Microsoft.Web/certificates/*",
      "Microsoft.Web/listSitesAssignedToHostName/read",
      "Microsoft.Web/register/action",
      "Microsoft.Web/serverFarms/join/action",
      "Microsoft.Web/serverFarms/read",
      "Microsoft.Web/sites/*",
    ],
  },
  {
    name: "2cc479cb-7b4d-49a8-b449-8c00fd0f0a4b",
    roleName: "Web Plan Contributor",
    description: "Lets you manage the web plans for websites, but not access to them.",
    actions: [
      "Microsoft.Authorization/*/read",
      "Microsoft.Insights/alertRules/*",
      "Microsoft.ResourceHealth/availabilityStatuses/read",
      "Microsoft.Resources/deployments/*",
      "Microsoft.Resources/subscriptions/resourceGroups/read",
      "Microsoft.Support/*",
      "Microsoft.Web/serverFarms/*",
      "Microsoft.Web/hostingEnvironments/Join/Action",
      "Microsoft.Insights/autoscalesettings/*",
    ],
  },
  {
    name: "f1a07417-d97a-45cb-824c-7a7467783830",
    roleName: "Managed Identity Operator",
    description: "Read and Assign User Assigned Identity",
    actions: [
      "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
      "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
      "Microsoft.Authorization/*/read",
      "Microsoft.Insights/alertRules/*",
      "Microsoft.Resources/subscriptions/resourceGroups/read",
      "Microsoft.Resources/deployments/*",
      "Microsoft.Support/*",
    ],
  },
  {
    name: "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
    roleName: "Managed Identity Contributor",
    description: "Create, Read, Update, and Delete User Assigned Identity",
    actions: [
      "Microsoft.ManagedIdentity/userAssignedIdentities/read",
      "Microsoft.ManagedIdentity/userAssignedIdentities/write",
      "Microsoft.ManagedIdentity/userAssignedIdentities/delete",
      "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read",
      "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
      "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete",
      "Microsoft.ManagedIdentity/userAssignedIdentities/revokeTokens/action",
      "Microsoft.Authorization/*/read",
      "Microsoft.Insights/alertRules/*",
      "Microsoft.Resources/subscriptions/resourceGroups/read",
      "Microsoft.Resources/deployments/*",
      "Microsoft.Support/*",
    ],
  },
  {
    name: "4633458b-17de-408a-b874-0445c86b69e6",
    roleName: "Key Vault Secrets User",
    description: "Read secret contents. Only works for key vaults that use the 'Azure role-based access control' permission model.",
    dataActions: ["Microsoft.KeyVault/vaults/secrets/getSecret/action", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
  },
  {
    name: "12338af0-0e69-4776-bea7-57ae8d297424",
    roleName: "Key Vault Crypto User",
    description: "Perform cryptographic operations using keys. Only works for key vaults that use the 'Azure role-based access control' permission model.",
    dataActions: [
      "Microsoft.KeyVault/vaults/keys/read",
      "Microsoft.KeyVault/vaults/keys/update/action",
      "Microsoft.KeyVault/vaults/keys/backup/action",
      "Microsoft.KeyVault/vaults/keys/encrypt/action",
      "Microsoft.KeyVault/vaults/keys/decrypt/action",
      "Microsoft.KeyVault/vaults/keys/wrap/action",
      "Microsoft.KeyVault/vaults/keys/unwrap/action",
      "Microsoft.KeyVault/vaults/keys/sign/action",
      "Microsoft.KeyVault/vaults/keys/verify/action",
    ],
  },
  {
    name: "4a9ae827-6dc8-4573-8ac7-8239d42aa03f",
    roleName: "Tag Contributor",
    description: "Lets you manage tags on entities, without providing access to the entities themselves.",
    actions: [
      "Microsoft.Authorization/*/read",
      "Microsoft.Resources/subscriptions/resourceGroups/read",
      "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
      "Microsoft.Resources/subscriptions/resources/read",
      "Microsoft.Resources/deployments/*",
      "Microsoft.Insights/alertRules/*",
      "Microsoft.Support/*",
      "Microsoft.Resources/tags/*",
    ],
  },
  {
    name: "c12c1c16-33a1-487b-954d-41c89c60f349",
    roleName: "Reader and Data Access",
    description: "Lets you view everything but will not let you delete or create a storage account or contained resource. It will also allow read/write access to all data contained in a storage account via access to storage account keys.",
    actions: [
      "Microsoft.Storage/storageAccounts/listKeys/action",
      "Microsoft.Storage/storageAccounts/ListAccountSas/action",
      "Microsoft.Storage/storageAccounts/read",
    ],
  },
];

const GUID_AT_END = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** By GUID, in lower case. */
export const BUILT_IN_ROLES: ReadonlyMap<string, BuiltInRole> = new Map(
  rows.map(({ name, roleName, description, actions = [], notActions = [], dataActions = [], notDataActions = [] }): [string, BuiltInRole] => [
    name,
    { name, roleName, description, permissions: [{ actions, notActions, dataActions, notDataActions }] },
  ]),
);

/** The GUID of a role definition, in lower case, from its ARM id or itself; undefined where there is none at the end. */
export function roleGuid(roleDefinitionId: string): string | undefined {
  return GUID_AT_END.exec(roleDefinitionId)?.[0].toLowerCase();
}

/** By GUID, by an ARM id that ends in it, or by the role's name without regard to case; undefined for one that is not known here. */
export function builtInRole(idOrName: string): BuiltInRole | undefined {
  const guid = roleGuid(idOrName);
  if (guid !== undefined) return BUILT_IN_ROLES.get(guid);
  const wanted = idOrName.toLowerCase();
  return [...BUILT_IN_ROLES.values()].find(({ roleName }) => roleName.toLowerCase() === wanted);
}

/** ARM id of a role definition, as role assignments of a subscription name it. */
export function roleDefinitionId(subscriptionId: string, guid: string): string {
  return `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;
}
