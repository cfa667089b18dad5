/** Where each of Azure's services is, by cloud, and what a token for it is asked as. */
import { API_VERSIONS } from "../../facts/azure/api-versions.js";
import type { AzureCloudFacts } from "../../facts/azure/clouds.js";
import { RESOURCES as SERVICES } from "../../facts/azure/entra.js";

/** Every resource has tokens of its own. */
export const RESOURCES = ["arm", "storage", "graph", "registry"] as const;
export type Resource = (typeof RESOURCES)[number];

export const RESOURCE_TITLES: Readonly<Record<Resource, string>> = {
  arm: "Azure Resource Manager",
  storage: "Azure Storage",
  graph: "Microsoft Graph",
  registry: "Azure Container Registry",
};

/** https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-default-scope */
export function scopeOf(resource: Resource, cloud: AzureCloudFacts): string {
  const [identifier = ""] = SERVICES[resource === "registry" ? "containerRegistry" : resource].identifiers(cloud);
  return `${identifier.replace(/\/$/, "")}/.default`;
}

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow */
export function tokenUrl(cloud: AzureCloudFacts, tenantId: string): string {
  return `https://${cloud.loginHost}/${tenantId}/oauth2/v2.0/token`;
}

export function tenantMetadataUrl(cloud: AzureCloudFacts, tenantId: string): string {
  return `https://${cloud.loginHost}/${tenantId}/v2.0/.well-known/openid-configuration`;
}

/** @param path ARM id, with what follows it */
export function armUrl(cloud: AzureCloudFacts, path: string, version: keyof typeof API_VERSIONS, query = ""): string {
  return `https://${cloud.armHost}${encodeURI(path)}?api-version=${API_VERSIONS[version]}${query}`;
}

export function groupId(subscriptionId: string, resourceGroup: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
}

interface InGroup {
  subscriptionId: string;
  resourceGroup: string;
}

export function accountId({ subscriptionId, resourceGroup, account }: InGroup & { account: string }): string {
  return `${groupId(subscriptionId, resourceGroup)}/providers/Microsoft.Storage/storageAccounts/${account}`;
}

export function containerId(grant: InGroup & { account: string; container: string }): string {
  return `${accountId(grant)}/blobServices/default/containers/${grant.container}`;
}

export function registryId({ subscriptionId, resourceGroup, registry }: InGroup & { registry: string }): string {
  return `${groupId(subscriptionId, resourceGroup)}/providers/Microsoft.ContainerRegistry/registries/${registry}`;
}

export function planId({ subscriptionId, resourceGroup, plan }: InGroup & { plan: string }): string {
  return `${groupId(subscriptionId, resourceGroup)}/providers/Microsoft.Web/serverfarms/${plan}`;
}

export function siteId({ subscriptionId, resourceGroup }: InGroup, site: string): string {
  return `${groupId(subscriptionId, resourceGroup)}/providers/Microsoft.Web/sites/${site}`;
}
