/** Registries, images in them and principals with roles on them, as tests of registries and sites need them. */
import { createHash, randomUUID } from "node:crypto";
import type { Sandbox } from "../../../sandbox/index.js";
import type { AzureCaller } from "../../../sandbox/azure/types.js";
import { type AzureReceived, type AzureSend, armCall, askToken, azureSend, graphCall } from "../../support/azure.js";
import { type TestImage, testImage } from "../aws/images.js";

export const GROUP = "rg-acme-dcf";
export const LOCATION = "westeurope";
export const REGISTRY_API = "api-version=2025-11-01";
export const WEB_API = "api-version=2025-05-01";
export const ACR_SCOPE = "https://containerregistry.azure.net/.default";
export const ROLES = {
  contributor: "b24988ac-6180-42a0-ab88-20f7382dd24c",
  reader: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
  websiteContributor: "de139f84-1756-47ae-9be6-808fbbe84772",
  acrPull: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
  acrPush: "8311e382-0749-4cb8-b61a-304f252e45ec",
  acrDelete: "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
  repositoryReader: "b93aa761-3e63-49ed-ac28-beffa264f7ac",
  repositoryWriter: "2a1e307c-b015-4ebd-883e-5b7698a07328",
  catalogLister: "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7",
} as const;

const sha256 = (data: Buffer | string): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

export const subscriptionPath = (sandbox: Sandbox): string => `/subscriptions/${sandbox.azure.defaultSubscription.subscriptionId}`;
export const groupPath = (sandbox: Sandbox, group = GROUP): string => `${subscriptionPath(sandbox)}/resourceGroups/${group}`;
export const registryPath = (sandbox: Sandbox, name: string): string => `${groupPath(sandbox)}/providers/Microsoft.ContainerRegistry/registries/${name}`;

/** The group, and the providers that a fresh subscription has not registered. */
export async function prepare(sandbox: Sandbox): Promise<void> {
  await armCall(sandbox, "PUT", `${groupPath(sandbox)}?api-version=2024-11-01`, { location: LOCATION });
  for (const namespace of ["Microsoft.ContainerRegistry", "Microsoft.Web", "Microsoft.ManagedIdentity"]) {
    await armCall(sandbox, "POST", `${subscriptionPath(sandbox)}/providers/${namespace}/register?api-version=2024-11-01`);
  }
}

export function createRegistry(sandbox: Sandbox, name: string, properties: object = {}, sku = "Basic"): Promise<{ id: string; properties: { loginServer: string } }> {
  return armCall(sandbox, "PUT", `${registryPath(sandbox, name)}?${REGISTRY_API}`, { location: LOCATION, sku: { name: sku }, properties });
}

export interface Assignee {
  objectId: string;
  clientId: string;
}

/** Answers the assignment's path. */
export async function assign(sandbox: Sandbox, { objectId }: Pick<Assignee, "objectId">, role: string, scope: string, condition?: string): Promise<string> {
  const path = `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}?api-version=2022-04-01`;
  const roleDefinitionId = `${subscriptionPath(sandbox)}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
  await armCall(sandbox, "PUT", path, { properties: { roleDefinitionId, principalId: objectId, principalType: "ServicePrincipal", ...(condition !== undefined && { condition, conditionVersion: "2.0" }) } });
  return path;
}

export interface Principal extends Assignee {
  caller: AzureCaller;
  token(scope?: string): Promise<string>;
}

/** An application with a secret. */
export async function newPrincipal(sandbox: Sandbox, displayName: string): Promise<Principal> {
  const { appId: clientId, id } = await graphCall<{ appId: string; id: string }>(sandbox, "POST", "/applications", { displayName });
  const { id: objectId } = await graphCall<{ id: string }>(sandbox, "POST", "/servicePrincipals", { appId: clientId });
  const { secretText } = await graphCall<{ secretText: string }>(sandbox, "POST", `/applications/${id}/addPassword`, { passwordCredential: { displayName: "test" } });
  const caller: AzureCaller = { kind: "servicePrincipal", tenantId: sandbox.azure.defaultTenant.tenantId, objectId, clientId, name: clientId, audience: "" };
  const token = async (scope?: string): Promise<string> => {
    const { json } = await askToken(sandbox, { clientId, ...(scope !== undefined && { scope }) }, { client_secret: secretText });
    return String(json["access_token"]);
  };
  return { clientId, objectId, caller, token };
}

/** A registry as a container client sees it. */
export class RegistryClient {
  readonly #send: AzureSend;

  constructor(
    sandbox: Sandbox,
    readonly host: string,
  ) {
    this.#send = azureSend(sandbox);
  }

  request(method: string, path: string, token?: string, body?: Buffer | string, type?: string): Promise<AzureReceived> {
    return this.#send(method, `https://${this.host}${path}`, { token, body, headers: type === undefined ? {} : { "content-type": type } });
  }

  basic(method: string, path: string, user: string, password: string): Promise<AzureReceived> {
    return this.#send(method, `https://${this.host}${path}`, { headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` } });
  }

  exchange(accessToken: string, changes: Record<string, string> = {}): Promise<AzureReceived> {
    const form = { grant_type: "access_token", service: this.host, access_token: accessToken, ...changes };
    return this.#send("POST", `https://${this.host}/oauth2/exchange`, { body: new URLSearchParams(form) });
  }

  tokenFor(refreshToken: string, scope: string): Promise<AzureReceived> {
    const form = { grant_type: "refresh_token", service: this.host, scope, refresh_token: refreshToken };
    return this.#send("POST", `https://${this.host}/oauth2/token`, { body: new URLSearchParams(form) });
  }

  /** Exchanges the Entra token, and asks for a token of these scopes. */
  async login(entraToken: string, scope: string): Promise<string> {
    const { json } = await this.exchange(entraToken);
    return String((await this.tokenFor(String(json["refresh_token"]), scope)).json["access_token"]);
  }

  async push(token: string, repository: string, tag: string, { config, layer, manifest }: TestImage): Promise<AzureReceived> {
    for (const data of [config, layer]) {
      const begun = await this.request("POST", `/v2/${repository}/blobs/uploads/`, token);
      if (begun.status !== 202) return begun;
      const sent = await this.request("PATCH", String(begun.headers["location"]), token, data);
      const done = await this.request("PUT", `${String(sent.headers["location"])}?digest=${sha256(data)}`, token);
      if (done.status !== 201) return done;
    }
    return this.request("PUT", `/v2/${repository}/manifests/${tag}`, token, manifest, "application/vnd.docker.distribution.manifest.v2+json");
  }
}

/** An image that listens on these ports, if on any. */
export function imageListening(ports: readonly number[], changes: { architecture?: string; content?: string; labels?: Record<string, string> } = {}): TestImage {
  const { config, layer, manifest } = testImage(changes);
  const parsed = JSON.parse(config.toString("utf8")) as { config: object };
  const exposing = Buffer.from(JSON.stringify({ ...parsed, config: { ...parsed.config, ExposedPorts: Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}])) } }));
  const changed = manifest.replace(sha256(config), sha256(exposing)).replace(`"size":${config.length}`, `"size":${exposing.length}`);
  return { config: exposing, layer, manifest: changed, digest: sha256(changed) };
}

/** The administrator pushes an image. Answers its digest. */
export async function pushed(sandbox: Sandbox, host: string, repository: string, tag: string, image: TestImage, entraToken: string): Promise<string> {
  const client = new RegistryClient(sandbox, host);
  const answer = await client.push(await client.login(entraToken, `repository:${repository}:pull,push`), repository, tag, image);
  if (answer.status !== 201) throw new Error(`The registry answered ${answer.status}: ${answer.text}`);
  return image.digest;
}
