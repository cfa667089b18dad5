/** A sandbox with a storage account and a container, and identities of their own to call it as. */
import { randomUUID } from "node:crypto";
import type { Sandbox } from "../../../sandbox/index.js";
import { ARM, type AzureReceived, WORKLOAD, accessToken, administratorToken, armCall, azureSend } from "../../support/azure.js";

export const ACCOUNT = "acmedcfartifacts";
export const CONTAINER = "function-artifacts";
export const BLOB_HOST = `https://${ACCOUNT}.blob.core.windows.net`;
export const STORAGE_SCOPE = "https://storage.azure.com/.default";
export const VERSION = "2026-04-06";
const API = "api-version=2024-01-01";

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
export const ROLES = {
  contributor: "b24988ac-6180-42a0-ab88-20f7382dd24c",
  reader: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
  blobContributor: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
  blobOwner: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
  blobReader: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
} as const;

export interface Identity {
  clientId: string;
  principalId: string;
  /** For the Blob service. */
  token: string;
}

export class StorageScene {
  readonly group: string;
  readonly account: string;
  readonly container: string;

  constructor(readonly sandbox: Sandbox) {
    this.group = `/subscriptions/${sandbox.azure.defaultSubscription.subscriptionId}/resourceGroups/rg-acme-dcf`;
    this.account = `${this.group}/providers/Microsoft.Storage/storageAccounts/${ACCOUNT}`;
    this.container = `${this.account}/blobServices/default/containers/${CONTAINER}`;
  }

  /** Makes group, account and container. */
  async build(): Promise<void> {
    await this.makeGroup(this.group);
    await this.arm("PUT", this.account, { location: "westeurope", kind: "StorageV2", sku: { name: "Standard_LRS" } });
    await this.arm("PUT", this.container, { properties: {} });
  }

  makeGroup(id: string): Promise<object> {
    return this.arm("PUT", id, { location: "westeurope" }, "api-version=2024-11-01");
  }

  /** As the administrator of US Government's tenant, whose group is there after the first call. */
  async agency<T = Record<string, unknown>>(name: string, body: object): Promise<T> {
    const { caller } = this.sandbox.azure.administrator("ccccdddd-2222-eeee-3333-ffff4444aaaa");
    const group = "https://management.usgovcloudapi.net/subscriptions/cccc2c2c-dd3d-ee4e-ff5f-aaaaaa6a6a6a/resourceGroups/rg-agency";
    await this.sandbox.azure.call(caller, "PUT", `${group}?api-version=2024-11-01`, { location: "usgovvirginia" });
    return this.sandbox.azure.call<T>(caller, "PUT", `${group}/providers/Microsoft.Storage/storageAccounts/${name}?${API}`, { location: "usgovvirginia", ...body });
  }

  /** As the administrator, past the wire; `id` may end in a method such as `/listKeys`. */
  arm<T = Record<string, unknown>>(method: string, id: string, body?: unknown, query = API): Promise<T> {
    return armCall<T>(this.sandbox, method, `${id}?${query}`, body);
  }

  /** Over the wire, as whoever has the token. */
  async send(method: string, id: string, token: string, body?: object, query = API): Promise<AzureReceived> {
    return azureSend(this.sandbox)(method, `${ARM}${id}?${query}`, { token, body });
  }

  /** One request of the Blob service; `path` from the host on, `token` empty for nobody's. */
  blob(method: string, path: string, token: string, headers: Record<string, string> = {}, body: string | Buffer = ""): Promise<AzureReceived> {
    return azureSend(this.sandbox)(method, path.startsWith("https://") ? path : `${BLOB_HOST}${path}`, { token: token === "" ? undefined : token, headers: { "x-ms-version": VERSION, ...headers }, body });
  }

  put(name: string, token: string, body: string | Buffer = "content", headers: Record<string, string> = {}): Promise<AzureReceived> {
    return this.blob("PUT", `/${CONTAINER}/${name}`, token, { "x-ms-blob-type": "BlockBlob", ...headers }, body);
  }

  administrator(scope = STORAGE_SCOPE): Promise<string> {
    return administratorToken(this.sandbox, { scope });
  }

  /** A managed identity that trusts a workload of its own name. */
  async identity(name: string): Promise<Identity> {
    await armCall(this.sandbox, "POST", `/subscriptions/${this.sandbox.azure.defaultSubscription.subscriptionId}/providers/Microsoft.ManagedIdentity/register?api-version=2021-04-01`);
    const id = `${this.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
    const { properties } = await armCall<{ properties: { clientId: string; principalId: string } }>(this.sandbox, "PUT", `${id}?api-version=2024-11-30`, { location: "westeurope" });
    const credential = { issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience] };
    await armCall(this.sandbox, "PUT", `${id}/federatedIdentityCredentials/dcf?api-version=2024-11-30`, { properties: credential });
    const token = await accessToken(this.sandbox, { clientId: properties.clientId, scope: STORAGE_SCOPE });
    return { clientId: properties.clientId, principalId: properties.principalId, token };
  }

  async assign(principalId: string, role: string, scope: string, condition?: string): Promise<string> {
    const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
    const roleDefinitionId = `${this.group.split("/resourceGroups")[0] ?? ""}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
    const properties = { roleDefinitionId, principalId, principalType: "ServicePrincipal", ...(condition !== undefined && { condition, conditionVersion: "2.0" }) };
    await armCall(this.sandbox, "PUT", `${id}?api-version=2022-04-01`, { properties });
    return id;
  }
}

/** Code and message of an answer's XML, the message's first line. */
export function xmlError({ status, text, headers }: AzureReceived): { status: number; code: string | undefined; message: string | undefined; header: string | undefined } {
  return { status, code: /<Code>(.*?)<\/Code>/.exec(text)?.[1], message: /<Message>(.*)/.exec(text)?.[1], header: headers["x-ms-error-code"] };
}

/** What {@link xmlError} is of a refusal. */
export const refused = (status: number, code: string, message = expect.any(String) as string) => ({ status, code, message, header: code });
