/** Azure Resource Manager: what every resource provider stands on. https://learn.microsoft.com/rest/api/resources/ */
import { ArmOperations } from "./arm-operations.js";
import { lockRoutes } from "./locks.js";
import { providerRoutes } from "./providers.js";
import { resourceGroupRoutes } from "./resource-groups.js";
import type { AzureService, AzureServiceContext } from "./service.js";

export function createArm(context: AzureServiceContext): AzureService[] {
  return [{ name: "arm", arm: true, routes: [...resourceGroupRoutes(context), ...providerRoutes(context), ...lockRoutes(context), ...new ArmOperations(context.core).routes()] }];
}
