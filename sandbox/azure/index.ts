/** Azure in the sandbox: tenants, subscriptions and the services that integrations use, over their own protocols, and the same methods for the engines. */
import { azureClouds } from "../../facts/azure/clouds.js";
import type { ProviderTable, SandboxCore, WireService } from "../types.js";
import { Accounts, administratorOf, createOwnAccounts, DEFAULT_SUBSCRIPTION_ID, DEFAULT_TENANT_ID } from "./accounts.js";
import { checkArmCall } from "./arm-checks.js";
import { createArmContext } from "./arm-context.js";
import { createArm } from "./arm.js";
import { createBlob } from "./blob.js";
import { createCall } from "./call.js";
import { createContainerRegistry } from "./container-registry.js";
import { DirectoryStore } from "./directory.js";
import { createEntra } from "./entra.js";
import { subscriptionNotFound, wrongTenant } from "./errors.js";
import { AzureFront } from "./front.js";
import { Gate } from "./gate.js";
import { GraphStore } from "./graph-store.js";
import { createGraph } from "./graph.js";
import { createMetadata } from "./metadata.js";
import { createAzureAdTable, createAzureNativeTable } from "./resources.js";
import { Router } from "./router.js";
import type { AzureService, AzureServiceContext } from "./service.js";
import { createStorage } from "./storage.js";
import { Tokens } from "./tokens.js";
import type { AzureCaller, AzureCloud, AzureScope, AzureSubscription, AzureTenant } from "./types.js";
import { createWeb } from "./web.js";

/** Builds Azure on the sandbox's core; everything that it knows is in the core's store. */
export function createAzure(core: SandboxCore): { cloud: AzureCloud; service: WireService; tables: readonly ProviderTable<AzureScope>[] } {
  const accounts = new Accounts(core);
  const directory = new DirectoryStore(core);
  const graph = new GraphStore(core);
  const arm = createArmContext(core);
  const { resources } = arm;
  const tokens = new Tokens(core);
  createOwnAccounts({ core, directory, graph, resources });

  const subscriptionOf = (caller: AzureCaller, id: string): AzureSubscription => {
    const subscription = accounts.subscription(id);
    if (!subscription) throw subscriptionNotFound(id);
    if (caller.kind !== "anonymous" && caller.tenantId !== subscription.tenantId) throw wrongTenant(azureClouds[tenantOf(subscription).cloud], caller.tenantId, subscription.tenantId);
    return subscription;
  };
  const tenantOf = ({ tenantId }: AzureSubscription): AzureTenant => found(accounts.tenant(tenantId), `tenant ${tenantId}`);
  const cloud: AzureCloud = {
    get defaultTenant() {
      return found(accounts.tenant(DEFAULT_TENANT_ID), `tenant ${DEFAULT_TENANT_ID}`);
    },
    get defaultSubscription() {
      return found(accounts.subscription(DEFAULT_SUBSCRIPTION_ID), `subscription ${DEFAULT_SUBSCRIPTION_ID}`);
    },
    get propagationDelaySeconds() {
      return core.settings.propagationDelaySeconds;
    },
    tenant: (idOrDomain) => accounts.tenant(idOrDomain),
    subscription: (id) => accounts.subscription(id),
    tenants: () => accounts.tenants(),
    subscriptions: () => accounts.subscriptions(),
    administrator: (tenantId) => administratorOf({ core, directory, graph }, tenantId),
    authenticate: (accessToken, audiences) => {
      const inspected = tokens.inspect(accessToken, audiences);
      return "caller" in inspected ? inspected.caller : undefined;
    },
    call: (...call) => invoke(...call),
  };
  const context: AzureServiceContext = {
    ...arm,
    core,
    cloud,
    directory,
    subscriptionOf,
    actAs: (identity) => {
      const principal = directory.ofResource(identity, "effective");
      return principal && { kind: "servicePrincipal", tenantId: principal.tenantId, objectId: principal.objectId, clientId: principal.clientId, name: principal.clientId, audience: "" };
    },
  };
  const services: AzureService[] = [
    ...createArm(context),
    ...createContainerRegistry(context),
    createStorage(context),
    createBlob(context),
    ...createWeb(context),
    createMetadata(),
    createGraph({ core, accounts, directory, graph }),
    createEntra({ core, accounts, directory, graph, resources, tokens, audiences: (of) => [`https://${of.armHost}`, of.armLegacyAudience, ...services.flatMap((service) => service.audiences?.(of) ?? [])] }),
  ];
  const router = new Router(services);
  const gate = new Gate({ core, checkArm: (request) => checkArmCall(context, request) });
  const invoke = createCall({ router, gate });
  return { cloud, service: new AzureFront({ router, gate, tokens, accounts }), tables: [createAzureNativeTable(cloud), createAzureAdTable(cloud)] };
}

/** What the sandbox makes at its start, and somebody may have removed. */
function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`The sandbox has no ${what} any more.`);
  return value;
}
