/** Which tenant and subscription a stack works in, and what of them can be known before anything is registered. */
import * as pulumi from "@pulumi/pulumi";
import { getClientConfig } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { listSubscriptions } from "@pulumi/azure-native/authorization/listSubscriptions.js";
import { getUserAssignedIdentity } from "@pulumi/azure-native/managedidentity/getUserAssignedIdentity.js";
import { getResourceGroup } from "@pulumi/azure-native/resources/getResourceGroup.js";
import { getBlobContainer } from "@pulumi/azure-native/storage/getBlobContainer.js";
import { getStorageAccount } from "@pulumi/azure-native/storage/getStorageAccount.js";
import { getApplication } from "@pulumi/azuread/getApplication.js";
import { getClientConfig as getDirectoryConfig } from "@pulumi/azuread/getClientConfig.js";
import { getServicePrincipal } from "@pulumi/azuread/getServicePrincipal.js";
import { parseResourceId } from "../components/azure/arm-id.js";
import { tagConflicts } from "../components/azure/resource-group.js";
import type { Contract } from "../contract/index.js";
import { azureClouds, type AzureCloudFacts, type AzureCloudName } from "../facts/azure/clouds.js";
import { SANDBOX_SUBSCRIPTION_TAG } from "../facts/sandbox.js";
import { firstLine, type Lookup } from "./lookups.js";

export interface AzurePlace {
  cloud: AzureCloudFacts;
  tenantId: string;
  subscriptionId: string;
  environment: Contract["environment"];
}

export interface WantedPlace {
  cloud: AzureCloudName;
  tenantId: string;
  subscriptionId: string;
  /** Whether applications are made or looked up: the directory's provider has credentials of its own. */
  directory: boolean;
}

/** Stops before anything is registered when the providers are configured for somewhere else, or the subscription cannot be seen. */
export async function findAzurePlace(wanted: WantedPlace): Promise<AzurePlace> {
  const { tenantId, subscriptionId } = wanted;
  const cloud = azureClouds[wanted.cloud];
  const packages = wanted.directory ? ["azure-native", "azuread"] : ["azure-native"];
  for (const name of packages) {
    expect(`${name}:environment`, new pulumi.Config(name).get("environment"), cloud.providerEnvironment, `cloud ${cloud.name}`, cloud.name === "public");
    expect(`${name}:tenantId`, new pulumi.Config(name).get("tenantId"), tenantId, `tenant ${tenantId}`, true);
  }
  expect("azure-native:subscriptionId", new pulumi.Config("azure-native").get("subscriptionId"), subscriptionId, `subscription ${subscriptionId}`, true);

  const client = await asked("whose credentials these are", () => getClientConfig());
  sameOrStop("tenantId", "tenant", tenantId, client.tenantId, "azure-native:tenantId", `az login --tenant ${tenantId}`);
  sameOrStop("subscriptionId", "subscription", subscriptionId, client.subscriptionId, "azure-native:subscriptionId", `az account set --subscription ${subscriptionId}`);
  if (wanted.directory) {
    const directory = await asked("whose credentials for the directory these are", () => getDirectoryConfig());
    sameOrStop("tenantId", "tenant", tenantId, directory.tenantId, "azuread:tenantId", `az login --tenant ${tenantId}`);
  }
  return { cloud, tenantId, subscriptionId, environment: await environmentOf(wanted) };
}

/** A provider's own setting, where the stack has one. */
function expect(key: string, configured: string | undefined, value: string, what: string, mayBeMissing: boolean): void {
  if (configured === undefined ? mayBeMissing : configured.toLowerCase() === value.toLowerCase()) return;
  const is = configured === undefined ? `${key} is not set` : `${key} is ${configured}`;
  throw new pulumi.RunError(`This stack is for ${what}, but ${is}. Nothing was changed. Set it with \`pulumi config set ${key} ${value}\`${configured === undefined ? "" : `, or choose the stack of ${configured}`}.`);
}

function sameOrStop(path: string, what: string, wanted: string, got: string, key: string, login: string): void {
  if (got.toLowerCase() === wanted.toLowerCase()) return;
  throw new pulumi.RunError(
    `${path}: this stack is for the ${what} ${wanted}, but the credentials are for ${got === "" ? "none" : got}. Nothing was changed. Set it with \`pulumi config set ${key} ${wanted}\`, or use credentials of that ${what} (\`${login}\`).`,
  );
}

async function asked<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw new pulumi.RunError(`Azure does not tell ${what}: ${firstLine(error)}. Nothing was changed. Check the credentials (\`az login\`).`);
  }
}

/** Every caller sees the subscriptions in which it has a role on anything; other lookups of a subscription need a role on the whole of it. */
async function environmentOf({ tenantId, subscriptionId }: WantedPlace): Promise<Contract["environment"]> {
  const { value = [] } = await asked("which subscriptions there are", () => listSubscriptions({}));
  const found = value.find((one) => one.subscriptionId?.toLowerCase() === subscriptionId.toLowerCase());
  const stop = (problem: string, wayOut: string) => new pulumi.RunError(`subscriptionId: ${problem}. Nothing was changed. ${wayOut}`);
  if (!found) throw stop(`the subscription ${subscriptionId} is not there, or the credentials have no role in it`, "Check the id (`az account list`) and the roles (`az role assignment list --all --assignee <object id>`).");
  if (found.tenantId !== undefined && found.tenantId.toLowerCase() !== tenantId.toLowerCase()) throw stop(`the subscription ${subscriptionId} is of the tenant ${found.tenantId}, not of ${tenantId}`, "Set tenantId to that, or use a subscription of the tenant.");
  if (found.state !== undefined && found.state !== "Enabled" && found.state !== "Warned") throw stop(`the subscription ${subscriptionId} is ${found.state}: nothing can be made in it`, "Have its owner enable it again.");
  return found.tags?.[SANDBOX_SUBSCRIPTION_TAG] === "true" ? "sandbox" : "cloud";
}

/** @param tags That it is to have, by the configuration's keys of the same names */
export function lookUpGroup(path: string, name: string, tags: Record<string, string> = {}): Lookup {
  return looked(path, `the resource group ${name}`, async () => {
    const group = await getResourceGroup({ resourceGroupName: name });
    return Object.entries(tags).flatMap(([key, value]) => tagConflicts(group, { [key]: value }).map(({ reason }) => `${key}: ${reason}`));
  });
}

export function lookUpIdentity(path: string, id: string, { subscriptionId }: AzurePlace): Lookup {
  const parsed = parseResourceId(id);
  if (parsed?.type.toLowerCase() !== "microsoft.managedidentity/userassignedidentities") {
    return Promise.resolve([`${path}: must be the ARM id of a user-assigned managed identity, as \`az identity show --query id\` prints it; got ${JSON.stringify(id)}`]);
  }
  if (parsed.subscriptionId.toLowerCase() !== subscriptionId.toLowerCase()) return Promise.resolve([`${path}: must be in the subscription ${subscriptionId}; got one of ${parsed.subscriptionId}`]);
  return looked(path, `the managed identity ${parsed.name} in ${parsed.resourceGroup}`, async () => {
    await getUserAssignedIdentity({ resourceGroupName: parsed.resourceGroup, resourceName: parsed.name });
    return [];
  });
}

/** Kinds of accounts that have blobs. https://learn.microsoft.com/azure/storage/common/storage-account-overview */
const BLOB_KINDS = ["StorageV2", "BlobStorage", "BlockBlobStorage", "Storage"];

export function lookUpAccount(resourceGroupName: string, accountName: string): Lookup {
  return looked("storageAccount.name", `the storage account ${accountName} in ${resourceGroupName}`, async () => {
    const { kind, allowSharedKeyAccess, networkRuleSet, publicNetworkAccess } = await getStorageAccount({ resourceGroupName, accountName });
    if (!BLOB_KINDS.includes(kind)) return [`storageAccount.name: ${accountName} is a ${kind} account, which has no blobs: use another`];
    if (allowSharedKeyAccess !== false) {
      warn("storageAccount", `${accountName} takes its keys, which everybody with Contributor on the resource group may list: they open every container, whatever roles say. Switch them off with \`az storage account update -g ${resourceGroupName} -n ${accountName} --allow-shared-key-access false\` where nobody needs them.`);
    }
    if (publicNetworkAccess === "Disabled" || networkRuleSet.defaultAction === "Deny") {
      warn("storageAccount", `${accountName} refuses networks that it does not name (${publicNetworkAccess === "Disabled" ? "public network access is disabled" : "its default action is Deny"}): calls from the platform's addresses fail with AuthorizationFailure, whatever roles it has, unless they are let in.`);
    }
    return [];
  });
}

export function lookUpContainer(resourceGroupName: string, accountName: string, containerName: string): Lookup {
  return looked("container.name", `the container ${containerName} in ${accountName}`, async () => {
    const { publicAccess, hasImmutabilityPolicy, hasLegalHold } = await getBlobContainer({ resourceGroupName, accountName, containerName });
    if (hasImmutabilityPolicy || hasLegalHold) warn("container", `${containerName} keeps its blobs from being changed or deleted (${hasLegalHold ? "a legal hold" : "an immutability policy"}): the platform cannot replace or remove artifacts in it.`);
    return publicAccess === undefined || publicAccess === "None" ? [] : [`container.name: ${containerName} lets everybody read its blobs (publicAccess ${publicAccess}): close it with \`az storage container-rm update --storage-account ${accountName} -n ${containerName} --public-access off\``];
  });
}

export function lookUpApplication(path: string, clientId: string, { tenantId }: AzurePlace): Lookup {
  return looked(path, `the application ${clientId} in the tenant ${tenantId}`, async () => {
    const { displayName } = await getApplication({ clientId });
    try {
      const { accountEnabled } = await getServicePrincipal({ clientId });
      return accountEnabled ? [] : [`${path}: the service principal of ${displayName} is disabled: enable it with \`az ad sp update --id ${clientId} --set accountEnabled=true\``];
    } catch (error) {
      return [`${path}: ${displayName} has no service principal in the tenant ${tenantId} that can be read: ${firstLine(error)}. Make one with \`az ad sp create --id ${clientId}\``];
    }
  });
}

/**
 * Whether the subscription knows a namespace at all: Azure answers reads in one that it does not know with the same code as
 * writes. That there is nothing to read yet is as it should be.
 */
export async function lookUpRegistration(namespace: string, read: () => Promise<unknown>): Lookup {
  try {
    await read();
    return [];
  } catch (error) {
    if (!firstLine(error).includes("MissingSubscriptionRegistration")) return [];
    return [`subscriptionId: the subscription has not registered ${namespace}: do so with \`az provider register --namespace ${namespace} --wait\`, which takes minutes and ${namespace}/register/action on the subscription`];
  }
}

/** A lookup, or one line where the thing cannot be read. */
export async function looked(path: string, what: string, work: () => Promise<string[]>): Lookup {
  try {
    return await work();
  } catch (error) {
    return [`${path}: ${what} cannot be read: ${firstLine(error)}`];
  }
}

export function warn(key: string, message: string): void {
  void pulumi.log.warn(`${key}: ${message}`);
}
