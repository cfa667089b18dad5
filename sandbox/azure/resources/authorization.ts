/** The package's `authorization` module. https://learn.microsoft.com/rest/api/authorization/ and https://learn.microsoft.com/rest/api/resources/management-locks */
import type { ArmDefinition } from "./arm-behaviour.js";
import { groupName } from "./groups.js";

export const roleAssignment: ArmDefinition = {
  type: "azure-native:authorization:RoleAssignment",
  path: "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
  apiVersion: "2022-04-01",
  inputs: ["condition", "conditionVersion", "delegatedManagedIdentityResourceId", "description", "principalId", "principalType", "roleDefinitionId"],
  required: ["principalId", "roleDefinitionId"],
  autoName: "uuid",
  replaceOn: ["principalId"],
};

export const roleDefinition: ArmDefinition = {
  type: "azure-native:authorization:RoleDefinition",
  path: "/{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}",
  apiVersion: "2022-05-01-preview",
  inputs: ["assignableScopes", "description", "permissions", "roleName", "roleType"],
  renamed: { roleType: "type" },
  readOnly: ["permissions.condition", "permissions.conditionVersion"],
  autoName: "uuid",
};

const lock = { apiVersion: "2020-05-01", inputs: ["level", "notes", "owners"], required: ["level"], autoName: "random" } as const satisfies Partial<ArmDefinition>;

export const managementLockByScope: ArmDefinition = {
  ...lock,
  type: "azure-native:authorization:ManagementLockByScope",
  path: "/{scope}/providers/Microsoft.Authorization/locks/{lockName}",
};

export const managementLockAtResourceGroupLevel: ArmDefinition = {
  ...lock,
  type: "azure-native:authorization:ManagementLockAtResourceGroupLevel",
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Authorization/locks/{lockName}",
  rules: { resourceGroupName: groupName },
};
