/** The sandbox's tenants and subscriptions, and who administrates them. */
import { randomUUID } from "node:crypto";
import { builtInRole, roleDefinitionId } from "../../facts/azure/roles.js";
import { SANDBOX_SUBSCRIPTION_TAG } from "../../facts/sandbox.js";
import type { SandboxCore } from "../types.js";
import type { DirectoryStore } from "./directory.js";
import { type GraphStore, newSecretText } from "./graph-store.js";
import type { ArmResources } from "./service.js";
import { ADMINISTRATOR, SUBSCRIPTION, TENANT } from "./store-types.js";
import type { AzureCaller, AzureSubscription, AzureTenant } from "./types.js";

export const DEFAULT_TENANT_ID = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
export const DEFAULT_SUBSCRIPTION_ID = "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";

/** The customer's, one of somebody else without subscription, and one in each of the other clouds. */
const OWN_TENANTS: readonly AzureTenant[] = [
  { tenantId: DEFAULT_TENANT_ID, domain: "customer.onmicrosoft.example", cloud: "public" },
  { tenantId: "bbbbcccc-1111-dddd-2222-eeee3333ffff", domain: "elsewhere.onmicrosoft.example", cloud: "public" },
  { tenantId: "ccccdddd-2222-eeee-3333-ffff4444aaaa", domain: "agency.onmicrosoft.example", cloud: "usgovernment" },
  { tenantId: "ddddeeee-3333-ffff-4444-aaaa5555bbbb", domain: "branch.partner.onmschina.example", cloud: "china" },
];

const OWN_SUBSCRIPTIONS: readonly Omit<AzureSubscription, "state" | "tags">[] = [
  { subscriptionId: DEFAULT_SUBSCRIPTION_ID, displayName: "customer-app-prod", tenantId: DEFAULT_TENANT_ID },
  { subscriptionId: "bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f", displayName: "customer-app-test", tenantId: DEFAULT_TENANT_ID },
  { subscriptionId: "cccc2c2c-dd3d-ee4e-ff5f-aaaaaa6a6a6a", displayName: "agency-app", tenantId: "ccccdddd-2222-eeee-3333-ffff4444aaaa" },
  { subscriptionId: "dddd3d3d-ee4e-ff5f-aa6a-bbbbbb7b7b7b", displayName: "branch-app", tenantId: "ddddeeee-3333-ffff-4444-aaaa5555bbbb" },
];

const ADMINISTRATOR_NAME = "cloud-federation-sandbox-administrator";

/** What an administrator's service principal may do in its directory. https://learn.microsoft.com/graph/permissions-reference */
const ADMINISTRATOR_PERMISSIONS = ["Application.ReadWrite.All", "Directory.ReadWrite.All", "Policy.ReadWrite.ConditionalAccess"] as const;

export class Accounts {
  constructor(private readonly core: SandboxCore) {}

  tenant(idOrDomain: string): AzureTenant | undefined {
    const wanted = idOrDomain.toLowerCase();
    return this.core.store.get<AzureTenant>(TENANT, wanted) ?? this.core.store.list<AzureTenant>(TENANT).find(({ value }) => value.domain === wanted)?.value;
  }

  tenants(): AzureTenant[] {
    return this.core.store.list<AzureTenant>(TENANT).map(({ value }) => value);
  }

  subscription(id: string): AzureSubscription | undefined {
    return this.core.store.get<AzureSubscription>(SUBSCRIPTION, id.toLowerCase());
  }

  /** Those of one tenant, or all. */
  subscriptions(tenantId?: string): AzureSubscription[] {
    return this.core.store.list<AzureSubscription>(SUBSCRIPTION).flatMap(({ value }) => (tenantId === undefined || value.tenantId === tenantId ? [value] : []));
  }
}

export interface OwnAccountsParts {
  core: SandboxCore;
  directory: DirectoryStore;
  graph: GraphStore;
  resources: ArmResources;
}

/** Makes what a fresh sandbox lacks; one that comes from a state file is left as it is. */
export function createOwnAccounts(parts: OwnAccountsParts): void {
  const { core, resources } = parts;
  for (const tenant of OWN_TENANTS) {
    if (core.store.get(TENANT, tenant.tenantId)) continue;
    core.store.put(TENANT, tenant.tenantId, tenant);
    const principalId = createAdministrator(parts, tenant.tenantId);
    for (const own of OWN_SUBSCRIPTIONS.filter(({ tenantId }) => tenantId === tenant.tenantId)) {
      const subscription: AzureSubscription = { ...own, state: "Enabled", tags: { [SANDBOX_SUBSCRIPTION_TAG]: "true" } };
      core.store.put(SUBSCRIPTION, own.subscriptionId, subscription);
      const scope = `/subscriptions/${own.subscriptionId}`;
      const name = randomUUID();
      resources.put({
        id: `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`,
        name,
        type: "Microsoft.Authorization/roleAssignments",
        properties: { roleDefinitionId: roleDefinitionId(own.subscriptionId, builtInRole("Owner")?.name ?? ""), principalId, principalType: "ServicePrincipal", scope },
      });
    }
  }
}

/** Answers the object id. */
function createAdministrator({ core, directory, graph }: OwnAccountsParts, tenantId: string): string {
  const now = core.clock.now();
  const application = graph.newApplication(tenantId, { displayName: ADMINISTRATOR_NAME });
  const principal = directory.create({ tenantId, displayName: ADMINISTRATOR_NAME, kind: "Application", clientId: application.appId }, { atOnce: true, graphPermissions: ADMINISTRATOR_PERMISSIONS });
  graph.putSecret({
    tenantId,
    appId: application.appId,
    keyId: randomUUID(),
    displayName: null,
    secretText: newSecretText(),
    startDateTime: now.toISOString(),
    endDateTime: new Date(Date.UTC(now.getUTCFullYear() + 100, 0)).toISOString(),
  });
  core.store.put(ADMINISTRATOR, tenantId, { clientId: application.appId });
  return principal.objectId;
}

/** Throws where somebody deleted it. */
export function administratorOf({ core, directory, graph }: Omit<OwnAccountsParts, "resources">, tenantId = DEFAULT_TENANT_ID): { caller: AzureCaller; clientId: string; clientSecret: string } {
  const clientId = core.store.get<{ clientId: string }>(ADMINISTRATOR, tenantId)?.clientId ?? "";
  const principal = directory.find(tenantId, clientId);
  const [secret] = graph.secrets(tenantId, clientId);
  if (!principal || !secret) throw new Error(`The sandbox's tenant ${tenantId} has no administrator.`);
  const caller: AzureCaller = { kind: "servicePrincipal", tenantId, objectId: principal.objectId, clientId, name: clientId, audience: "" };
  return { caller, clientId, clientSecret: secret.secretText };
}
