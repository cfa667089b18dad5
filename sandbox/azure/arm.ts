/** Azure Resource Manager: what every resource provider stands on. https://learn.microsoft.com/rest/api/resources/ */
import { genericRoutes } from "./arm-generic.js";
import { ArmOperations } from "./arm-operations.js";
import { denyAssignmentRoutes } from "./deny-assignments.js";
import { deploymentRoutes } from "./deployments.js";
import { lockRoutes } from "./locks.js";
import { credentialRoutes } from "./managed-identity-credentials.js";
import { managedIdentityRoutes } from "./managed-identity.js";
import { policyRoutes } from "./policies.js";
import { providerRoutes } from "./providers.js";
import { resourceGroupRoutes } from "./resource-groups.js";
import { roleAssignmentRoutes } from "./role-assignments.js";
import { roleDefinitionRoutes } from "./role-definitions.js";
import { permissionRoutes } from "./role-permissions.js";
import type { AzureService, AzureServiceContext } from "./service.js";
import { subscriptionRoutes } from "./subscriptions.js";
import { tagRoutes } from "./tags.js";

export function createArm(context: AzureServiceContext): AzureService[] {
  const routes = [
    ...subscriptionRoutes(context),
    ...resourceGroupRoutes(context),
    ...genericRoutes(context),
    ...tagRoutes(context),
    ...providerRoutes(context),
    ...lockRoutes(context),
    ...deploymentRoutes(context),
    ...new ArmOperations(context.core).routes(),
  ];
  return [
    { name: "arm", arm: true, routes },
    { name: "authorization", arm: true, routes: [...roleAssignmentRoutes(context), ...roleDefinitionRoutes(context), ...denyAssignmentRoutes(context), ...permissionRoutes(context), ...policyRoutes(context)] },
    { name: "managedidentity", arm: true, routes: [...managedIdentityRoutes(context), ...credentialRoutes(context)] },
  ];
}
