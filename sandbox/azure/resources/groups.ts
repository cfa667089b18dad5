/** The package's `resources` module. https://learn.microsoft.com/rest/api/resources/ */
import type { Properties } from "../../types.js";
import type { Api } from "./api.js";
import type { ArmDefinition, ParameterRule } from "./arm-behaviour.js";

export const groupName: ParameterRule = { minLength: 1, maxLength: 90, pattern: /^[-\w._()]+$/ };

const apiVersion = "2024-03-01";

export const resourceGroup: ArmDefinition = {
  type: "azure-native:resources:ResourceGroup",
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}",
  apiVersion,
  inputs: ["location", "managedBy", "tags"],
  nested: true,
  required: ["location"],
  autoName: "random",
  rules: { resourceGroupName: groupName },
  replaceOn: ["location"],
};

/** Changes only the tags that it names: other tags of the scope stay, and a tag that the program no longer names stays, too. */
export const tagAtScope: ArmDefinition = {
  type: "azure-native:resources:TagAtScope",
  path: "/{scope}/providers/Microsoft.Resources/tags/default",
  apiVersion,
  inputs: ["properties"],
  nested: true,
  required: ["properties"],
  adopts: true,
  write: (api, id, inputs) => patchTags(api, id, "Merge", inputs),
  remove: (api, id, inputs) => patchTags(api, id, "Delete", inputs),
};

const patchTags = (api: Api, id: string, operation: "Merge" | "Delete", { properties }: Properties): Promise<Properties> => api.call("PATCH", id, apiVersion, { operation, properties });

export const deployment: ArmDefinition = {
  type: "azure-native:resources:Deployment",
  path: "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}/providers/Microsoft.Resources/deployments/{deploymentName}",
  apiVersion,
  inputs: ["location", "properties", "tags"],
  nested: true,
  required: ["properties"],
  ownLocation: true,
  autoName: "random",
  rules: { resourceGroupName: groupName, deploymentName: { minLength: 1, maxLength: 64, pattern: /^[-\w._()]+$/ } },
  readOnly: ["correlationId", "dependencies", "diagnostics", "duration", "error", "extensions", "outputResources", "outputs", "providers", "provisioningState", "templateHash", "timestamp", "validatedResources"].map(
    (name) => `properties.${name}`,
  ),
};
