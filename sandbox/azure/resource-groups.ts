/** Resource groups. https://learn.microsoft.com/rest/api/resources/resource-groups */
import { textRules } from "../../facts/azure/limits.js";
import { groupNotFound, invalidContent } from "./arm-errors.js";
import { GROUP_TYPE, groupId, subscriptionId } from "./arm-ids.js";
import { resourceFilter } from "./arm-lists.js";
import { locationName, readLocation } from "./arm-locations.js";
import { removeResource } from "./arm-removal.js";
import { readTags } from "./arm-tags.js";
import { hasRoleWithin } from "./authoriser.js";
import { type ArmResource, type AzureAnswer, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

/** As Resource Manager's refusals write them. */
const READ = "Microsoft.Resources/subscriptions/resourcegroups/read";
const WRITE = "Microsoft.Resources/subscriptions/resourcegroups/write";
const DELETE = "Microsoft.Resources/subscriptions/resourcegroups/delete";

export function resourceGroupRoutes(context: AzureServiceContext): AzureRoute[] {
  const list = "/subscriptions/{subscription}/resourceGroups";
  const path = `${list}/{group}`;
  const route = (method: AzureRoute["method"], at: string, operation: string, run: AzureRoute["run"]): AzureRoute => ({ method, path: at, operation: `arm:ResourceGroups_${operation}`, run });
  return [
    route("GET", list, "List", async (request) => ({ value: listed(context, request).map(view) })),
    route("GET", path, "Get", async (request) => view(find(context, request, READ))),
    route("HEAD", path, "CheckExistence", async (request) => {
      const { id } = place(request);
      context.require(request.caller, READ, id);
      return RawAnswer.json(context.resources.get(id) ? 204 : 404);
    }),
    route("PUT", path, "CreateOrUpdate", async (request) => put(context, request)),
    route("PATCH", path, "Update", async (request) => patch(context, request)),
    route("DELETE", path, "Delete", async (request) => {
      const { id } = find(context, request, DELETE);
      context.assertUnlocked(id, "delete");
      removeResource(context, id);
      return context.accepted(request, undefined);
    }),
  ];
}

function place({ params }: AzureRequest): { subscription: string; group: string; id: string } {
  const { subscription = "", group = "" } = params;
  return { subscription, group, id: groupId(subscription, group) };
}

function find(context: AzureServiceContext, request: AzureRequest, action: string): ArmResource {
  const { group, id } = place(request);
  context.require(request.caller, action, messageScope(request));
  const found = context.resources.get(id);
  if (!found) throw groupNotFound(group);
  return found;
}

/** Refusals name the group's scope in lower-case words, whatever the client wrote. */
const messageScope = ({ params }: AzureRequest): string => `/subscriptions/${params["subscription"] ?? ""}/resourcegroups/${params["group"] ?? ""}`;

/** Whoever has a role somewhere in the subscription gets a list, be it an empty one. */
function listed(context: AzureServiceContext, { caller, params, query }: AzureRequest): ArmResource[] {
  const scope = subscriptionId(params["subscription"] ?? "");
  if (!hasRoleWithin(context.resources, caller, scope)) context.require(caller, READ, scope);
  return context.resources
    .list(GROUP_TYPE, scope)
    .filter(({ id }) => context.allows(caller, READ, id))
    .filter(resourceFilter(query.get("$filter")));
}

function put(context: AzureServiceContext, request: AzureRequest): AzureAnswer {
  const { subscription, group, id } = place(request);
  context.require(request.caller, WRITE, messageScope(request));
  const { min, max, pattern } = textRules.resourceGroup;
  if (group.length < min || group.length > max || !pattern.test(group)) {
    throw new AzureError(400, "InvalidResourceGroup", `The provided resource group name '${group}' is invalid. It must be at most '${max}' characters, match the pattern '^[-\\w\\._\\(\\)]+$' and not end with a period.`);
  }
  const before = context.resources.get(id);
  const { location, tags, managedBy } = bodyOf(request);
  if (typeof location !== "string" || location === "") throw new AzureError(400, "LocationRequired", "The location property is required for this definition.");
  if (before && before.location !== locationName(location)) {
    throw new AzureError(
      409,
      "InvalidResourceGroupLocation",
      `Invalid resource group location '${location}'. The Resource group already exists in location '${before.location ?? ""}'.`,
    );
  }
  context.assertUnlocked(id, "write");
  const next = context.applyPolicies({
    id,
    name: group,
    type: GROUP_TYPE,
    location: readLocation(request.cloud.name, location, { group: true }),
    tags: readTags(tags),
    properties: { provisioningState: "Succeeded", ...(typeof managedBy === "string" && { managedBy }) },
  });
  return RawAnswer.json(before ? 200 : 201, view(context.resources.put({ ...next, id: before?.id ?? groupId(subscription, group) })));
}

function patch(context: AzureServiceContext, request: AzureRequest): AzureAnswer {
  const found = find(context, request, WRITE);
  context.assertUnlocked(found.id, "write");
  const { tags } = bodyOf(request);
  return view(context.resources.put(context.applyPolicies({ ...found, ...(tags !== undefined && { tags: readTags(tags) }) })));
}

function bodyOf({ body }: AzureRequest): { location?: unknown; tags?: unknown; managedBy?: unknown } {
  if (typeof body !== "object" || body === null) throw invalidContent("The request body is empty or is no JSON object");
  return body;
}

function view({ id, name, type, location, tags, properties }: ArmResource): object {
  const { managedBy, ...rest } = properties;
  return { id, name, type, location, ...(tags && Object.keys(tags).length > 0 && { tags }), ...(managedBy !== undefined && { managedBy }), properties: rest };
}
