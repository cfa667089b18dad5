/** Resource groups. https://learn.microsoft.com/rest/api/resources/resource-groups */
import { GROUP_TYPE, groupId, subscriptionId } from "./arm-ids.js";
import { badRequest, groupNotFound, invalidContent } from "./arm-errors.js";
import { type ArmResource, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";

const READ = "Microsoft.Resources/subscriptions/resourcegroups/read";
const WRITE = "Microsoft.Resources/subscriptions/resourcegroups/write";

export function resourceGroupRoutes(context: AzureServiceContext): AzureRoute[] {
  const path = "/subscriptions/{subscription}/resourceGroups/{group}";
  return [
    { method: "GET", path, operation: "arm:ResourceGroups_Get", run: async (request) => view(find(context, request)) },
    { method: "PUT", path, operation: "arm:ResourceGroups_CreateOrUpdate", run: async (request) => put(context, request) },
  ];
}

function place({ params }: AzureRequest): { subscription: string; group: string; id: string } {
  const { subscription = "", group = "" } = params;
  return { subscription, group, id: groupId(subscription, group) };
}

function find(context: AzureServiceContext, request: AzureRequest): ArmResource {
  const { group, id } = place(request);
  context.require(request.caller, READ, id);
  const found = context.resources.get(id);
  if (!found) throw groupNotFound(group);
  return found;
}

function put(context: AzureServiceContext, request: AzureRequest): RawAnswer {
  const { subscription, group, id } = place(request);
  context.require(request.caller, WRITE, id);
  context.assertUnlocked(id, "write");
  const before = context.resources.get(id);
  const { location, tags } = (request.body ?? {}) as { location?: unknown; tags?: Record<string, string> };
  if (typeof location !== "string") throw invalidContent("Required property 'location' not found in JSON");
  if (before && before.location !== location.toLowerCase().replaceAll(" ", "")) throw badRequest(`Invalid resource group location '${location}'.`);
  const next = context.applyPolicies({ id: before?.id ?? `${subscriptionId(subscription)}/resourceGroups/${group}`, name: group, type: GROUP_TYPE, location, ...(tags && { tags }), properties: { provisioningState: "Succeeded" } });
  return RawAnswer.json(before ? 200 : 201, view(context.resources.put(next)));
}

const view = ({ id, name, type, location, tags, properties }: ArmResource): object => ({ id, name, type, location, ...(tags && { tags }), properties });
