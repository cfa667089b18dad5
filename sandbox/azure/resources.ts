/** Pulumi's packages for Azure as the sandbox plays them: their resource types, their functions, their providers' configuration. */
import type { ProviderTable, ResourceBehaviour } from "../types.js";
import { armBehaviour, type ArmDefinition } from "./resources/arm-behaviour.js";
import * as authorization from "./resources/authorization.js";
import * as containerRegistry from "./resources/container-registry.js";
import { createDirectoryInvokes } from "./resources/directory-invokes.js";
import * as directory from "./resources/directory.js";
import { graphBehaviour, type GraphDefinition } from "./resources/graph-behaviour.js";
import * as groups from "./resources/groups.js";
import { createInvokes } from "./resources/invokes.js";
import * as managedIdentity from "./resources/managed-identity.js";
import { azureAdScope, azureNativeScope } from "./resources/scope.js";
import * as storage from "./resources/storage.js";
import * as web from "./resources/web.js";
import type { AzureCloud, AzureScope } from "./types.js";

const definitions: readonly ArmDefinition[] = [
  authorization.managementLockAtResourceGroupLevel,
  authorization.managementLockByScope,
  authorization.roleAssignment,
  authorization.roleDefinition,
  containerRegistry.registry,
  groups.deployment,
  groups.resourceGroup,
  groups.tagAtScope,
  managedIdentity.federatedIdentityCredential,
  managedIdentity.userAssignedIdentity,
  storage.blobContainer,
  storage.blobContainerImmutabilityPolicy,
  storage.blobServiceProperties,
  storage.managementPolicy,
  storage.storageAccount,
  web.appServicePlan,
  web.webApp,
  web.webAppApplicationSettings,
  web.webAppSlot,
];

export function createAzureNativeTable(cloud: AzureCloud): ProviderTable<AzureScope> {
  return {
    package: "azure-native",
    scope: (config) => azureNativeScope(cloud, config),
    resources: new Map(definitions.map((definition): [string, ResourceBehaviour<AzureScope>] => [definition.type, armBehaviour(cloud, definition)])),
    invokes: createInvokes(cloud, definitions),
  };
}

const directoryDefinitions: readonly GraphDefinition[] = [directory.application, directory.applicationFederatedIdentityCredential, directory.applicationRegistration, directory.servicePrincipal];

export function createAzureAdTable(cloud: AzureCloud): ProviderTable<AzureScope> {
  return {
    package: "azuread",
    scope: (config) => azureAdScope(cloud, config),
    resources: new Map(directoryDefinitions.map((definition): [string, ResourceBehaviour<AzureScope>] => [definition.type, graphBehaviour(cloud, definition)])),
    invokes: createDirectoryInvokes(cloud),
  };
}
