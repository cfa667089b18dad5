/** Somebody who may do everything in the customer's subscription and directory, and breaks things as people do: by hand, past Pulumi. */
import { randomUUID } from "node:crypto";
import type { AzureExchange, Contract, GrantKind, GrantOf } from "../../contract/index.js";
import { API_VERSIONS } from "../../facts/azure/api-versions.js";
import { builtInRole, roleDefinitionId } from "../../facts/azure/roles.js";
import type { Sandbox } from "../../sandbox/index.js";
import { armCall, exchange, graphCall } from "./azure.js";

export interface Resource {
  id: string;
  name: string;
  location: string;
  tags?: Record<string, string>;
  properties: Record<string, unknown>;
  [member: string]: unknown;
}

export interface Credential {
  name: string;
  issuer: string;
  subject: string;
  audiences: string[];
}

export interface Assignment {
  id: string;
  name: string;
  properties: { scope: string; principalId: string; roleDefinitionId: string; condition?: string; conditionVersion?: string; principalType?: string };
}

type Version = keyof typeof API_VERSIONS;

export function azureExchangeOf({ exchange }: Contract): AzureExchange {
  if (exchange.type !== "azure-client-assertion") throw new Error(`The contract's exchange is ${exchange.type}.`);
  return exchange;
}

export class AzureAdministrator {
  constructor(
    readonly sandbox: Sandbox,
    readonly contract: Contract,
  ) {}

  get exchange(): AzureExchange {
    return azureExchangeOf(this.contract);
  }

  grant<K extends GrantKind>(kind: K): GrantOf<K> {
    const grant = this.contract.grants.find((candidate): candidate is GrantOf<K> => candidate.kind === kind);
    if (!grant) throw new Error(`The contract has no grant of kind ${kind}.`);
    return grant;
  }

  arm<T = Resource>(method: string, id: string, version: Version, body?: unknown, query = ""): Promise<T> {
    return armCall<T>(this.sandbox, method, `${id}?api-version=${API_VERSIONS[version]}${query}`, body);
  }

  graph<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    return graphCall<T>(this.sandbox, method, path, body);
  }

  /** Once as the platform, whatever comes of it. */
  async signIn(): Promise<void> {
    const { issuer, subject, audience } = this.contract.workload;
    await exchange(this.sandbox, { clientId: this.exchange.clientId, tenant: this.exchange.tenantId }, await this.sandbox.issuers.mint({ issuer, subject, audience }));
  }

  // ---- where things are ----

  get subscription(): string {
    return `/subscriptions/${this.exchange.subscriptionId ?? ""}`;
  }

  get group(): string {
    return `${this.subscription}/resourceGroups/${this.grant("azure-resource-group").resourceGroup}`;
  }

  get account(): string {
    const { resourceGroup, account } = this.grant("blob-container");
    return `${this.subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Storage/storageAccounts/${account}`;
  }

  get container(): string {
    return `${this.account}/blobServices/default/containers/${this.grant("blob-container").container}`;
  }

  get registry(): string {
    return `${this.group}/providers/Microsoft.ContainerRegistry/registries/${this.grant("app-service").registry}`;
  }

  get plan(): string {
    return `${this.group}/providers/Microsoft.Web/serverfarms/${this.grant("app-service").plan}`;
  }

  get site(): string {
    return `${this.group}/providers/Microsoft.Web/sites/${this.grant("app-service").site}`;
  }

  get identity(): string {
    const { identity } = this.exchange;
    if (identity.kind !== "managed-identity") throw new Error("The contract's identity is an application.");
    return identity.resourceId;
  }

  get application(): string {
    const { identity } = this.exchange;
    if (identity.kind !== "application") throw new Error("The contract's identity is a managed identity.");
    return identity.objectId;
  }

  // ---- trust ----

  async credential(): Promise<Credential> {
    const { identity, federatedCredential } = this.exchange;
    if (identity.kind === "managed-identity") {
      const { name, properties } = await this.arm("GET", `${identity.resourceId}/federatedIdentityCredentials/${federatedCredential}`, "managedIdentity");
      return { name, ...(properties as unknown as Omit<Credential, "name">) };
    }
    const { value } = await this.graph<{ value: Credential[] }>("GET", `/applications/${identity.objectId}/federatedIdentityCredentials`);
    return value.find(({ name }) => name === federatedCredential)!;
  }

  async editCredential(change: (credential: Credential) => Partial<Credential>): Promise<void> {
    const before = await this.credential();
    await this.putCredential({ ...before, ...change(before) });
  }

  async putCredential({ name, issuer, subject, audiences }: Credential): Promise<void> {
    const { identity } = this.exchange;
    if (identity.kind === "managed-identity") await this.arm("PUT", `${identity.resourceId}/federatedIdentityCredentials/${name}`, "managedIdentity", { properties: { issuer, subject, audiences } });
    else await this.graph("PATCH", `/applications/${identity.objectId}/federatedIdentityCredentials/${name}`, { issuer, subject, audiences });
  }

  async deleteCredential(): Promise<void> {
    const { identity, federatedCredential } = this.exchange;
    if (identity.kind === "managed-identity") await this.arm("DELETE", `${identity.resourceId}/federatedIdentityCredentials/${federatedCredential}`, "managedIdentity");
    else await this.graph("DELETE", `/applications/${identity.objectId}/federatedIdentityCredentials/${federatedCredential}`);
  }

  /** Another identity in the same group; answers its ARM id. */
  async createIdentity(name: string): Promise<string> {
    const id = this.identity.replace(/[^/]+$/, name);
    await this.arm("PUT", id, "managedIdentity", { location: "westeurope" });
    return id;
  }

  async deleteIdentity(): Promise<void> {
    await this.arm("DELETE", this.identity, "managedIdentity");
  }

  async recreateIdentity(): Promise<void> {
    const credential = await this.credential();
    await this.deleteIdentity();
    await this.arm("PUT", this.identity, "managedIdentity", { location: "westeurope" });
    await this.putCredential(credential);
  }

  // ---- rights ----

  async assignments(scope: string): Promise<Assignment[]> {
    const { value } = await this.arm<{ value: Assignment[] }>("GET", `${scope}/providers/Microsoft.Authorization/roleAssignments`, "roleAssignments", undefined, `&$filter=${encodeURIComponent("atScope()")}`);
    return value.filter(({ properties }) => properties.scope.toLowerCase() === scope.toLowerCase());
  }

  /** Of whoever, to whomever: the principal's own by default. */
  async assign(role: string, scope: string, { principalId = this.exchange.principalId, condition }: { principalId?: string; condition?: string } = {}): Promise<void> {
    const definition = roleDefinitionId(this.exchange.subscriptionId ?? "", builtInRole(role)?.name ?? role);
    await this.arm("PUT", `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`, "roleAssignments", {
      properties: { roleDefinitionId: definition, principalId, principalType: "ServicePrincipal", ...(condition !== undefined && { condition, conditionVersion: "2.0" }) },
    });
  }

  /** Every assignment of the principal on exactly this scope. */
  async unassign(scope: string, principalId = this.exchange.principalId): Promise<void> {
    for (const { id, properties } of await this.assignments(scope)) {
      if (properties.principalId === principalId) await this.arm("DELETE", id, "roleAssignments");
    }
  }

  async reassign(scope: string, role: string, more: { scope?: string; principalId?: string; condition?: string } = {}): Promise<void> {
    await this.unassign(scope);
    await this.assign(role, more.scope ?? scope, more);
  }

  async deny(scope: string, permissions: { actions?: string[]; dataActions?: string[] }): Promise<void> {
    await this.arm("PUT", `${scope}/providers/Microsoft.Authorization/denyAssignments/${randomUUID()}`, "denyAssignments", {
      properties: {
        denyAssignmentName: "breaker",
        scope,
        permissions: [{ actions: [], notActions: [], dataActions: [], notDataActions: [], ...permissions }],
        principals: [{ id: "00000000-0000-0000-0000-000000000000", type: "SystemDefined" }],
        excludePrincipals: [{ id: this.sandbox.azure.administrator().caller.objectId, type: "ServicePrincipal" }],
        doNotApplyToChildScopes: false,
      },
    });
  }

  async lock(scope: string, level: "CanNotDelete" | "ReadOnly"): Promise<void> {
    await this.arm("PUT", `${scope}/providers/Microsoft.Authorization/locks/breaker`, "locks", { properties: { level } });
  }

  // ---- resources ----

  async tag(tags: Record<string, string | undefined>): Promise<void> {
    const { location, tags: before = {} } = await this.arm("GET", this.group, "resources");
    const all = Object.fromEntries(Object.entries({ ...before, ...tags }).filter(([, value]) => value !== undefined));
    await this.arm("PUT", this.group, "resources", { location, tags: all });
  }

  async createGroup(name: string, subscription = this.subscription): Promise<string> {
    const id = `${subscription}/resourceGroups/${name}`;
    await this.arm("PUT", id, "resources", { location: "westeurope" });
    return id;
  }

  async delete(id: string, version: Version, query = ""): Promise<void> {
    await this.arm("DELETE", id, version, undefined, query);
  }

  async patch(id: string, version: Version, change: object): Promise<void> {
    await this.arm("PATCH", id, version, change);
  }

  async put(id: string, version: Version, body: object): Promise<void> {
    await this.arm("PUT", id, version, body);
  }

  async unregister(namespace: string): Promise<void> {
    await this.arm("POST", `${this.subscription}/providers/${namespace}/unregister`, "resources");
  }
}
