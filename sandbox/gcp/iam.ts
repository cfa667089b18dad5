/** Google Cloud Identity and Access Management: pools and their providers, service accounts, roles, deny policies. */
import { accountPolicyRoutes } from "./iam-account-policies.js";
import { iamContext } from "./iam-context.js";
import { denyPolicyRoutes } from "./iam-deny-policies.js";
import { permissionRoutes } from "./iam-permissions.js";
import { poolRoutes } from "./iam-pools.js";
import { providerRoutes } from "./iam-providers.js";
import { roleRoutes } from "./iam-roles.js";
import { serviceAccountRoutes } from "./iam-service-accounts.js";
import type { GcpService, GcpServiceContext } from "./service.js";

const HOST = "iam.googleapis.com";

export function createIam(context: GcpServiceContext): GcpService {
  const iam = iamContext(context);
  return {
    name: "iam",
    api: HOST,
    serves: (host) => host === HOST,
    routes: [
      ...poolRoutes(iam),
      ...providerRoutes(iam),
      ...serviceAccountRoutes(iam),
      ...accountPolicyRoutes(iam),
      ...roleRoutes(iam),
      ...permissionRoutes(),
      ...denyPolicyRoutes(iam),
    ],
  };
}
