/** ARM's refusals, as the sandbox throws them. */
import { ARM_ERRORS, type ArmErrorName, type ServiceErrorFact } from "../../facts/azure/arm-errors.js";
import { type ArmId, parseArmId } from "./arm-ids.js";
import { AzureError, type AzureCaller } from "./types.js";

/** `values` are those of the fact's text. */
export function armError(name: ArmErrorName, ...values: readonly string[]): AzureError {
  const fact: ServiceErrorFact = ARM_ERRORS[name];
  return new AzureError(fact.httpStatus, fact.code, fact.text(...values));
}

export const authorizationFailed = ({ name, objectId }: AzureCaller, action: string, scope: string): AzureError => armError("authorizationFailed", name, objectId, action, scope);

export const groupNotFound = (group: string): AzureError => armError("groupNotFound", group);

/** Of a resource in a group, or of one directly below the subscription. */
export function resourceNotFound(id: ArmId | string): AzureError {
  const parsed = typeof id === "string" ? parseArmId(id) : id;
  const { type, names, group } = parsed ?? { type: "", names: [], group: undefined };
  const [namespace = "", first = "", ...types] = type.split("/");
  const path = [namespace, first, names[0] ?? "", ...types.flatMap((each, index) => [each, names[index + 1] ?? ""])].join("/");
  if (group !== undefined) return armError("resourceNotFound", path, group);
  return new AzureError(404, "ResourceNotFound", `The Resource '${path}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`);
}

export function parentNotFound(operation: "read" | "write" | "delete", type: string, parent: string): AzureError {
  const { httpStatus, code, text } = ARM_ERRORS.parentNotFound;
  return new AzureError(httpStatus, code, text(type, parent).replace("'write'", `'${operation}'`));
}

export const invalidContent = (message: string): AzureError => new AzureError(400, "InvalidRequestContent", `The request content was invalid and could not be deserialized: '${message}'.`);

export const badRequest = (message: string): AzureError => new AzureError(400, "BadRequest", message);
