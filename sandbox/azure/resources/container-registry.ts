/** The package's `containerregistry` module. https://learn.microsoft.com/rest/api/containerregistry/ */
import type { ArmDefinition } from "./arm-behaviour.js";
import { groupName } from "./groups.js";

export const registry: ArmDefinition = {
  type: "azure-native:containerregistry:Registry",
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.ContainerRegistry/registries/{registryName}",
  apiVersion: "2023-01-01-preview",
  inputs: [
    "adminUserEnabled",
    "anonymousPullEnabled",
    "dataEndpointEnabled",
    "encryption",
    "identity",
    "location",
    "networkRuleBypassOptions",
    "networkRuleSet",
    "policies",
    "publicNetworkAccess",
    "sku",
    "tags",
    "zoneRedundancy",
  ],
  required: ["sku"],
  renamed: { "networkRuleSet.ipRules.iPAddressOrRange": "value" },
  readOnly: ["sku.tier", "policies.retentionPolicy.lastUpdatedTime", "policies.softDeletePolicy.lastUpdatedTime"],
  autoName: "random",
  rules: { resourceGroupName: groupName, registryName: { minLength: 5, maxLength: 50, pattern: /^[a-zA-Z0-9]*$/ } },
  replaceOn: ["location"],
};
