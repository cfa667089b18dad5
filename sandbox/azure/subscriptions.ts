/** Subscriptions, tenants and locations. https://learn.microsoft.com/rest/api/resources/subscriptions */
import { Accounts } from "./accounts.js";
import { subscriptionId } from "./arm-ids.js";
import { LOCATIONS, locationName } from "./arm-locations.js";
import { hasRoleWithin } from "./authoriser.js";
import type { AzureRequest, AzureRoute, AzureServiceContext } from "./service.js";
import type { AzureSubscription, AzureTenant } from "./types.js";

const READ = "Microsoft.Resources/subscriptions/read";

/** A right to one group of it does not include the subscription itself: such a caller finds it in the list only. */
export function subscriptionRoutes(context: AzureServiceContext): AzureRoute[] {
  const accounts = new Accounts(context.core);
  const get = (path: string, operation: string, run: AzureRoute["run"]): AzureRoute => ({ method: "GET", path, operation: `arm:${operation}`, run });
  const find = ({ caller, params }: AzureRequest): AzureSubscription => {
    const subscription = context.subscriptionOf(caller, params["subscription"] ?? "");
    context.require(caller, READ, subscriptionId(subscription.subscriptionId));
    return subscription;
  };
  return [
    get("/subscriptions", "Subscriptions_List", async ({ caller }) => ({
      value: accounts
        .subscriptions()
        .filter((subscription) => subscription.tenantId === caller.tenantId && hasRoleWithin(context.resources, caller, subscriptionId(subscription.subscriptionId)))
        .map(viewOf),
    })),
    get("/subscriptions/{subscription}", "Subscriptions_Get", async (request) => viewOf(find(request))),
    get("/subscriptions/{subscription}/locations", "Subscriptions_ListLocations", async (request) => {
      const subscription = find(request);
      return { value: LOCATIONS[request.cloud.name].map((displayName) => locationView(subscription, displayName)) };
    }),
    get("/tenants", "Tenants_List", async ({ caller }) => ({ value: [accounts.tenant(caller.tenantId)].flatMap((tenant) => (tenant ? [tenantView(tenant)] : [])) })),
  ];
}

const viewOf = ({ subscriptionId: id, displayName, tenantId, state, tags }: AzureSubscription): object => ({
  id: subscriptionId(id),
  authorizationSource: "RoleBased",
  managedByTenants: [],
  ...(Object.keys(tags).length > 0 && { tags }),
  subscriptionId: id,
  tenantId,
  displayName,
  state,
  subscriptionPolicies: { locationPlacementId: "Public_2014-09-01", quotaId: "PayAsYouGo_2014-09-01", spendingLimit: "Off" },
});

const locationView = ({ subscriptionId: id }: AzureSubscription, displayName: string): object => ({
  id: `${subscriptionId(id)}/locations/${locationName(displayName)}`,
  name: locationName(displayName),
  type: "Region",
  displayName,
  regionalDisplayName: displayName,
  metadata: { regionType: "Physical", regionCategory: "Recommended" },
});

const tenantView = ({ tenantId, domain }: AzureTenant): object => ({
  id: `/tenants/${tenantId}`,
  tenantId,
  displayName: domain.split(".")[0],
  defaultDomain: domain,
  domains: [domain],
  tenantCategory: "Home",
  tenantType: "AAD",
});
