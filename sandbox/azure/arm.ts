/** Azure Resource Manager: what every resource provider stands on. https://learn.microsoft.com/rest/api/resources/ */
import { resourceGroupRoutes } from "./resource-groups.js";
import type { AzureService, AzureServiceContext } from "./service.js";

export function createArm(context: AzureServiceContext): AzureService[] {
  return [{ name: "arm", arm: true, routes: [...resourceGroupRoutes(context)] }];
}
