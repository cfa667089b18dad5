/** What DCF has in a customer's subscription, made by hand with the sandbox's administrator: no stack of ours is proven by it. */
import { randomUUID } from "node:crypto";
import { readContract, type Contract } from "../../contract/index.js";
import { actionsOf } from "../../facts/azure/permissions.js";
import type { Sandbox } from "../../sandbox/index.js";
import { functionToken, type TokenSource } from "../../verify/index.js";
import { armCall, WORKLOAD } from "../support/azure.js";

const ROLES = {
  Owner: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
  Contributor: "b24988ac-6180-42a0-ab88-20f7382dd24c",
  Reader: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
  AcrPull: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
  "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
  "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
} as const;
export type RoleName = keyof typeof ROLES;

const LOCATION = "westeurope";
const VERSIONS = { identity: "2023-01-31", resources: "2021-04-01", roles: "2022-04-01", storage: "2023-05-01", registry: "2023-07-01", web: "2023-12-01" } as const;

export class Scene {
  readonly subscriptionId: string;
  readonly group: string;
  readonly identityId: string;
  readonly pullId: string;
  readonly accountId: string;
  readonly containerId: string;
  readonly registryId: string;
  readonly planId: string;
  readonly siteId: string;
  contract!: Contract;

  constructor(readonly sandbox: Sandbox) {
    this.subscriptionId = sandbox.azure.defaultSubscription.subscriptionId;
    this.group = `/subscriptions/${this.subscriptionId}/resourceGroups/rg-acme-dcf`;
    const identities = `/subscriptions/${this.subscriptionId}/resourceGroups/rg-acme-identity/providers/Microsoft.ManagedIdentity/userAssignedIdentities`;
    this.identityId = `${identities}/id-dcf`;
    this.pullId = `${this.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-dcf-pull`;
    this.accountId = `${this.group}/providers/Microsoft.Storage/storageAccounts/acmedcfartifacts`;
    this.containerId = `${this.accountId}/blobServices/default/containers/artifacts`;
    this.registryId = `${this.group}/providers/Microsoft.ContainerRegistry/registries/acmedcf`;
    this.planId = `${this.group}/providers/Microsoft.Web/serverfarms/plan-acme-dcf`;
    this.siteId = `${this.group}/providers/Microsoft.Web/sites/app-acme-dcf`;
  }

  /** As the administrator, past the wire. */
  arm<T = Record<string, unknown>>(method: string, id: string, version: keyof typeof VERSIONS, body?: unknown): Promise<T> {
    return armCall<T>(this.sandbox, method, `${id}?api-version=${VERSIONS[version]}`, body);
  }

  async assign(role: RoleName, scope: string, principalId: string): Promise<string> {
    const name = randomUUID();
    await this.arm("PUT", `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`, "roles", {
      properties: { roleDefinitionId: `/subscriptions/${this.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${ROLES[role]}`, principalId, principalType: "ServicePrincipal" },
    });
    return `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
  }

  /** Removes every assignment of the identity on exactly this scope. */
  unassign(scope: string): Promise<void> {
    return this.#unassign(scope, this.exchange().principalId);
  }

  async #unassign(scope: string, principalId: string): Promise<void> {
    const { value } = await this.arm<{ value: { id: string; properties: { scope: string; principalId: string } }[] }>("GET", `${scope}/providers/Microsoft.Authorization/roleAssignments`, "roles");
    for (const { id, properties } of value) {
      if (properties.principalId === principalId && properties.scope.toLowerCase() === scope.toLowerCase()) await this.arm("DELETE", id, "roles");
    }
  }

  /** Takes the pull identity's role on the registry away. */
  async revokePull(): Promise<void> {
    const pull = await this.arm<{ properties: { principalId: string } }>("GET", this.pullId, "identity");
    await this.#unassign(this.registryId, pull.properties.principalId);
  }

  exchange() {
    const { exchange } = this.contract;
    if (exchange.type !== "azure-client-assertion") throw new Error(`the contract's exchange is ${exchange.type}`);
    return exchange;
  }

  credential(changes: Partial<Record<"issuer" | "subject" | "audience", string>> = {}): Promise<unknown> {
    const { issuer, subject, audience } = { ...WORKLOAD, ...changes };
    return this.arm("PUT", `${this.identityId}/federatedIdentityCredentials/dcf`, "identity", { properties: { issuer, subject, audiences: [audience] } });
  }

  /** The platform's own issuer, which can make broken tokens too. */
  token(): TokenSource {
    return functionToken((order) => this.sandbox.issuers.mint({ ...WORKLOAD, ...order }), ["subject", "audience", "expiresInSeconds"]);
  }

  async provision(): Promise<void> {
    const { arm } = { arm: this.arm.bind(this) };
    for (const namespace of ["Microsoft.ManagedIdentity", "Microsoft.ContainerRegistry", "Microsoft.Web"]) await arm("POST", `/subscriptions/${this.subscriptionId}/providers/${namespace}/register`, "resources");
    await arm("PUT", this.group, "resources", { location: LOCATION, tags: { dcfCorrelationId: "dcf-4711-5f0c9a2e", owner: "acme" } });
    await arm("PUT", `/subscriptions/${this.subscriptionId}/resourceGroups/rg-acme-identity`, "resources", { location: LOCATION });
    const identity = await arm<{ properties: { clientId: string; principalId: string } }>("PUT", this.identityId, "identity", { location: LOCATION });
    const pull = await arm<{ properties: { clientId: string; principalId: string } }>("PUT", this.pullId, "identity", { location: LOCATION });
    await this.credential();
    const { principalId, clientId } = identity.properties;
    await this.assign("Contributor", this.group, principalId);
    await arm("PUT", this.accountId, "storage", { location: LOCATION, kind: "StorageV2", sku: { name: "Standard_LRS" }, properties: { allowSharedKeyAccess: false, allowBlobPublicAccess: false, minimumTlsVersion: "TLS1_2" } });
    await arm("PUT", this.containerId, "storage", { properties: {} });
    await arm("PUT", `${this.accountId}/blobServices/default/containers/refusal`, "storage", { properties: {} });
    await this.assign("Storage Blob Data Contributor", this.containerId, principalId);
    const registry = await arm<{ properties: { loginServer: string } }>("PUT", this.registryId, "registry", { location: LOCATION, sku: { name: "Basic" }, properties: { adminUserEnabled: false } });
    await this.assign("AcrPull", this.registryId, pull.properties.principalId);
    await arm("PUT", this.planId, "web", { location: LOCATION, kind: "linux", sku: { name: "B1" }, properties: { reserved: true } });
    const site = await arm<{ properties: { defaultHostName: string } }>("PUT", this.siteId, "web", {
      location: LOCATION,
      kind: "app,linux,container",
      identity: { type: "UserAssigned", userAssignedIdentities: { [this.pullId]: {} } },
      properties: {
        serverFarmId: this.planId,
        httpsOnly: true,
        siteConfig: {
          linuxFxVersion: "DOCKER|mcr.microsoft.com/appsvc/staticsite:latest",
          acrUseManagedIdentityCreds: true,
          acrUserManagedIdentityID: pull.properties.clientId,
          appSettings: [{ name: "WEBSITES_PORT", value: "8080" }],
        },
      },
    });
    this.contract = this.#contract({ clientId, principalId }, registry.properties.loginServer, site.properties.defaultHostName);
  }

  #contract(ids: { clientId: string; principalId: string }, loginServer: string, hostName: string): Contract {
    const { subscriptionId } = this;
    const inGroup = { subscriptionId, resourceGroup: "rg-acme-dcf" };
    const blobEndpoint = "https://acmedcfartifacts.blob.core.windows.net/";
    return readContract({
      kind: "cloud-federation/contract",
      version: 1,
      integration: "dcf-azure",
      environment: "sandbox",
      workload: WORKLOAD,
      exchange: {
        type: "azure-client-assertion",
        cloud: "public",
        tenantId: this.sandbox.azure.defaultTenant.tenantId,
        subscriptionId,
        ...ids,
        identity: { kind: "managed-identity", resourceId: this.identityId },
        federatedCredential: "dcf",
      },
      grants: [
        { id: "group", kind: "azure-resource-group", role: "Contributor", permissions: actionsOf("azure-resource-group"), ...inGroup, correlationId: "dcf-4711-5f0c9a2e" },
        { id: "artifacts", kind: "blob-container", role: "Storage Blob Data Contributor", permissions: actionsOf("blob-container"), ...inGroup, account: "acmedcfartifacts", container: "artifacts", blobEndpoint, grantedOn: "container" },
        {
          id: "service",
          kind: "app-service",
          role: "Contributor",
          permissions: [...actionsOf("app-service"), ...actionsOf("app-service-canary")],
          ...inGroup,
          plan: "plan-acme-dcf",
          site: "app-acme-dcf",
          hostName,
          registry: "acmedcf",
          loginServer,
          pullIdentityId: this.pullId,
          containerPort: 8080,
        },
      ],
      targets: [],
      refusalTargets: [{ kind: "blob-container", account: "acmedcfartifacts", container: "refusal", blobEndpoint }],
    });
  }
}
