/** The package's `storage` module. https://learn.microsoft.com/rest/api/storagerp/ */
import type { ArmDefinition } from "./arm-behaviour.js";
import { groupName } from "./groups.js";

const apiVersion = "2024-01-01";
const account = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}";
const container = `${account}/blobServices/default/containers/{containerName}`;
const accountRules = { resourceGroupName: groupName, accountName: { minLength: 3, maxLength: 24 } };
const containerRules = { ...accountRules, containerName: { minLength: 3, maxLength: 63 } };

export const storageAccount: ArmDefinition = {
  type: "azure-native:storage:StorageAccount",
  path: account,
  apiVersion,
  inputs: [
    "accessTier",
    "allowBlobPublicAccess",
    "allowCrossTenantReplication",
    "allowSharedKeyAccess",
    "allowedCopyScope",
    "azureFilesIdentityBasedAuthentication",
    "customDomain",
    "defaultToOAuthAuthentication",
    "dnsEndpointType",
    "enableExtendedGroups",
    "enableHttpsTrafficOnly",
    "enableNfsV3",
    "encryption",
    "extendedLocation",
    "identity",
    "immutableStorageWithVersioning",
    "isHnsEnabled",
    "isLocalUserEnabled",
    "isSftpEnabled",
    "keyPolicy",
    "kind",
    "largeFileSharesState",
    "location",
    "minimumTlsVersion",
    "networkRuleSet",
    "publicNetworkAccess",
    "routingPreference",
    "sasPolicy",
    "sku",
    "tags",
  ],
  required: ["kind", "sku"],
  renamed: {
    enableHttpsTrafficOnly: "supportsHttpsTrafficOnly",
    enableNfsV3: "isNfsV3Enabled",
    "encryption.encryptionIdentity": "identity",
    "encryption.encryptionIdentity.encryptionUserAssignedIdentity": "userAssignedIdentity",
    "encryption.encryptionIdentity.encryptionFederatedIdentityClientId": "federatedIdentityClientId",
    "encryption.keyVaultProperties": "keyvaultproperties",
    "encryption.keyVaultProperties.keyName": "keyname",
    "encryption.keyVaultProperties.keyVaultUri": "keyvaulturi",
    "encryption.keyVaultProperties.keyVersion": "keyversion",
    networkRuleSet: "networkAcls",
    "networkRuleSet.ipRules.iPAddressOrRange": "value",
    "networkRuleSet.virtualNetworkRules.virtualNetworkResourceId": "id",
  },
  readOnly: ["sku.tier", "encryption.services.blob.lastEnabledTime", "encryption.services.file.lastEnabledTime", "encryption.services.queue.lastEnabledTime", "encryption.services.table.lastEnabledTime"],
  autoName: "random",
  rules: accountRules,
  replaceOn: ["isHnsEnabled", "location"],
  restored: { networkRuleSet: { bypass: "AzureServices", defaultAction: "Allow", ipRules: [], virtualNetworkRules: [] } },
};

export const blobContainer: ArmDefinition = {
  type: "azure-native:storage:BlobContainer",
  path: container,
  apiVersion,
  inputs: ["defaultEncryptionScope", "denyEncryptionScopeOverride", "enableNfsV3AllSquash", "enableNfsV3RootSquash", "immutableStorageWithVersioning", "metadata", "publicAccess"],
  flattened: ["immutabilityPolicy"],
  readOnly: ["immutableStorageWithVersioning.migrationState", "immutableStorageWithVersioning.timeStamp"],
  autoName: "copy",
  rules: containerRules,
};

export const blobServiceProperties: ArmDefinition = {
  type: "azure-native:storage:BlobServiceProperties",
  path: `${account}/blobServices/{blobServicesName}`,
  apiVersion,
  inputs: [
    "automaticSnapshotPolicyEnabled",
    "changeFeed",
    "containerDeleteRetentionPolicy",
    "cors",
    "defaultServiceVersion",
    "deleteRetentionPolicy",
    "isVersioningEnabled",
    "lastAccessTimeTrackingPolicy",
    "restorePolicy",
  ],
  readOnly: ["restorePolicy.lastEnabledTime", "restorePolicy.minRestoreTime"],
  autoName: "copy",
  rules: accountRules,
  singleton: {},
};

export const managementPolicy: ArmDefinition = {
  type: "azure-native:storage:ManagementPolicy",
  path: `${account}/managementPolicies/{managementPolicyName}`,
  apiVersion,
  inputs: ["policy"],
  required: ["policy"],
  autoName: "copy",
  rules: accountRules,
};

export const blobContainerImmutabilityPolicy: ArmDefinition = {
  type: "azure-native:storage:BlobContainerImmutabilityPolicy",
  path: `${container}/immutabilityPolicies/{immutabilityPolicyName}`,
  apiVersion,
  inputs: ["allowProtectedAppendWrites", "allowProtectedAppendWritesAll", "immutabilityPeriodSinceCreationInDays"],
  autoName: "copy",
  rules: containerRules,
  adopts: ({ immutabilityPeriodSinceCreationInDays }) => (immutabilityPeriodSinceCreationInDays ?? 0) === 0,
};
