/** Resources of any type: lists over a subscription or a group. https://learn.microsoft.com/rest/api/resources/resources/list */
import { GROUP_TYPE, groupId, subscriptionId } from "./arm-ids.js";
import { resourceFilter } from "./arm-lists.js";
import { hasRoleWithin } from "./authoriser.js";
import type { ArmResource, AzureRequest, AzureRoute, AzureServiceContext } from "./service.js";

export function genericRoutes(context: AzureServiceContext): AzureRoute[] {
  const list = ({ caller, query }: AzureRequest, scope: string): object => {
    if (!hasRoleWithin(context.resources, caller, scope)) context.require(caller, "Microsoft.Resources/subscriptions/resources/read", scope);
    const top = Number(query.get("$top") ?? Number.POSITIVE_INFINITY);
    const seen = context.resources
      .below(scope)
      .filter(isTopLevel)
      .filter(({ id, type }) => context.allows(caller, `${type}/read`, id))
      .filter(resourceFilter(query.get("$filter")));
    return { value: seen.slice(0, top).map(view) };
  };
  return [
    {
      method: "GET",
      path: "/subscriptions/{subscription}/resources",
      operation: "arm:Resources_List",
      run: async (request) => list(request, subscriptionId(request.params["subscription"] ?? "")),
    },
    {
      method: "GET",
      path: "/subscriptions/{subscription}/resourceGroups/{group}/resources",
      operation: "arm:Resources_ListByResourceGroup",
      run: async (request) => {
        const { subscription = "", group = "" } = request.params;
        context.require(request.caller, "Microsoft.Resources/subscriptions/resourcegroups/resources/read", groupId(subscription, group));
        context.groupOf(subscription, group);
        return list(request, groupId(subscription, group));
      },
    },
  ];
}

/** Groups, extension resources and children without a location are not in these lists. */
const isTopLevel = ({ type, location }: ArmResource): boolean => location !== undefined && type !== GROUP_TYPE;

const view = ({ id, name, type, location, tags, kind, sku, identity }: ArmResource): object => ({
  id,
  name,
  type,
  ...(kind !== undefined && { kind }),
  ...(sku && { sku }),
  ...(identity && { identity }),
  location,
  ...(tags && { tags }),
});
