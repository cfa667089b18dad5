/** ARM's refusals. https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors */
import { type ArmId, parseArmId } from "./arm-ids.js";
import { AzureError, type AzureCaller } from "./types.js";

export const authorizationFailed = ({ name, objectId }: AzureCaller, action: string, scope: string): AzureError =>
  new AzureError(
    403,
    "AuthorizationFailed",
    `The client '${name}' with object id '${objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );

export const groupNotFound = (group: string): AzureError => new AzureError(404, "ResourceGroupNotFound", `Resource group '${group}' could not be found.`);

/** Of a resource in a group, or of one directly below the subscription. */
export function resourceNotFound(id: ArmId | string): AzureError {
  const parsed = typeof id === "string" ? parseArmId(id) : id;
  const { type, names, group } = parsed ?? { type: "", names: [String(id)], group: undefined };
  const [namespace = "", first = "", ...types] = type.split("/");
  const path = [namespace, first, names[0], ...types.flatMap((each, index) => [each, names[index + 1]])].join("/");
  return new AzureError(
    404,
    "ResourceNotFound",
    `The Resource '${path}'${group === undefined ? "" : ` under resource group '${group}'`} was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

export const parentNotFound = (operation: "read" | "write" | "delete", type: string, parent: string): AzureError =>
  new AzureError(404, "ParentResourceNotFound", `Failed to perform '${operation}' on resource(s) of type '${type}', because the parent resource '${parent}' could not be found.`);

export const invalidContent = (message: string): AzureError => new AzureError(400, "InvalidRequestContent", `The request content was invalid and could not be deserialized: '${message}'.`);

export const badRequest = (message: string): AzureError => new AzureError(400, "BadRequest", message);
