/** Reads the ARM ids that components are given. https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#resourceid */

export interface ResourceId {
  subscriptionId: string;
  resourceGroup: string;
  /** Such as `Microsoft.ManagedIdentity/userAssignedIdentities`, as written. */
  type: string;
  name: string;
}

const RESOURCE_ID = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/([^/]+)\/([^/]+)\/([^/]+)$/i;

/** Undefined for what is no id of a resource that is directly in a group. */
export function parseResourceId(id: string): ResourceId | undefined {
  const [, subscriptionId, resourceGroup, namespace, type, name] = RESOURCE_ID.exec(id) ?? [];
  if (subscriptionId === undefined || resourceGroup === undefined || namespace === undefined || type === undefined || name === undefined) return undefined;
  return { subscriptionId, resourceGroup, type: `${namespace}/${type}`, name };
}

/** Why a text is no id of a resource of this type. */
export function resourceIdViolation(type: string, value: string): string | undefined {
  const form = `/subscriptions/<id>/resourceGroups/<group>/providers/${type}/<name>`;
  return parseResourceId(value)?.type.toLowerCase() === type.toLowerCase() ? undefined : `must be an ARM id of the form ${form}; got ${JSON.stringify(value)}`;
}
