/** The package's `managedidentity` module. https://learn.microsoft.com/rest/api/managedidentity/ */
import type { ArmDefinition } from "./arm-behaviour.js";
import { groupName } from "./groups.js";

const apiVersion = "2023-01-31";
const identities = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}";

export const userAssignedIdentity: ArmDefinition = {
  type: "azure-native:managedidentity:UserAssignedIdentity",
  path: identities,
  apiVersion,
  inputs: ["location", "tags"],
  autoName: "random",
  rules: { resourceGroupName: groupName },
  replaceOn: ["location"],
};

/** Those of one identity are not written one after the other: the program has to chain them. https://github.com/pulumi/pulumi-azure-native/issues/4343 */
export const federatedIdentityCredential: ArmDefinition = {
  type: "azure-native:managedidentity:FederatedIdentityCredential",
  path: `${identities}/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}`,
  apiVersion,
  inputs: ["audiences", "issuer", "subject"],
  required: ["audiences", "issuer", "subject"],
  autoName: "copy",
  rules: { resourceGroupName: groupName, federatedIdentityCredentialResourceName: { pattern: /^[a-zA-Z0-9]{1}[a-zA-Z0-9-_]{2,119}$/ } },
};
