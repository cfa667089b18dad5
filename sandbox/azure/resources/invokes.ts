/** Functions of Pulumi's azure-native package: what programs look up. https://www.pulumi.com/registry/packages/azure-native/api-docs/ */
import { azureClouds } from "../../../facts/azure/clouds.js";
import type { InvokeBehaviour, Properties } from "../../types.js";
import type { AzureCloud, AzureScope } from "../types.js";
import { Api, CallError } from "./api.js";
import type { ArmDefinition } from "./arm-behaviour.js";
import { toOutputs } from "./arm-body.js";
import { parametersOf, pathOf } from "./arm-paths.js";
import { accessToken, callerOf } from "./credentials.js";
import { compact, object, secret, text } from "./values.js";

export function createInvokes(cloud: AzureCloud, definitions: readonly ArmDefinition[]): ReadonlyMap<string, InvokeBehaviour<AzureScope>> {
  const getters = definitions.flatMap((definition): [string, InvokeBehaviour<AzureScope>][] => (definition.singleton && definition.read ? [] : [[getterOf(definition.type), getter(cloud, definition)]]));
  const lists = POSTS.map((post): [string, InvokeBehaviour<AzureScope>] => [post.token, lister(cloud, post)]);
  return new Map([
    ...getters,
    ...lists,
    [
      "azure-native:authorization:getClientConfig",
      async (_args, scope) => {
        const { clientId, objectId, tenantId } = await callerOf(cloud, scope);
        return { clientId, objectId, subscriptionId: scope.subscriptionId, tenantId };
      },
    ],
    [
      "azure-native:authorization:listSubscriptions",
      async ({ apiVersion }, scope) => compact(await requested("/subscriptions", new Api(cloud, scope).call("GET", "/subscriptions", text(apiVersion) ?? "2022-12-01"))),
    ],
    [
      "azure-native:authorization:getClientToken",
      async ({ endpoint }, scope) => ({ token: secret(await accessToken(cloud, scope, text(endpoint) ?? `https://${azureClouds[scope.cloud].armHost}/`)) }),
    ],
  ]);
}

/** `azure-native:storage:StorageAccount` is looked up by `azure-native:storage:getStorageAccount`. */
const getterOf = (type: string): string => type.replace(/:(\w+)$/, ":get$1");

function getter(cloud: AzureCloud, definition: ArmDefinition): InvokeBehaviour<AzureScope> {
  const { path, apiVersion } = definition;
  return async (args, scope) => {
    const id = idOf(path, args, scope);
    const body = await requested(id, new Api(cloud, scope).call("GET", id, apiVersion));
    return { ...toOutputs(definition, body), id: text(body.id) ?? id, azureApiVersion: apiVersion };
  };
}

interface Post {
  token: string;
  path: string;
  apiVersion: string;
  secrets: readonly string[];
}

/** What services answer to a `POST` alone. */
const POSTS: readonly Post[] = [
  {
    token: "azure-native:storage:listStorageAccountKeys",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/listKeys",
    apiVersion: "2024-01-01",
    secrets: ["keys"],
  },
  {
    token: "azure-native:containerregistry:listRegistryCredentials",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.ContainerRegistry/registries/{registryName}/listCredentials",
    apiVersion: "2023-01-01-preview",
    secrets: ["passwords"],
  },
  {
    token: "azure-native:web:listWebAppApplicationSettings",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Web/sites/{name}/config/appsettings/list",
    apiVersion: "2025-05-01",
    secrets: [],
  },
];

function lister(cloud: AzureCloud, { path, apiVersion, secrets }: Post): InvokeBehaviour<AzureScope> {
  return async (args, scope) => {
    const id = idOf(path, args, scope);
    const body = await requested(id, new Api(cloud, scope).call("POST", id, apiVersion, {}));
    return Object.fromEntries(Object.entries(compact(body)).map(([name, value]) => [name, secrets.includes(name) ? secret(value) : value]));
  };
}

function idOf(path: string, args: Properties, scope: AzureScope): string {
  for (const name of parametersOf(path)) {
    if (args[name] === undefined) throw new Error(`missing required property '${name}'`);
  }
  return pathOf(path, args, scope.subscriptionId);
}

async function requested(id: string, work: Promise<Properties>): Promise<Properties> {
  try {
    return object(await work);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    throw new Error(`request failed ${id}: ${error.message}`);
  }
}
