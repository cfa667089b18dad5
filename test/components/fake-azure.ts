/**
 * Azure as far as the programs' own decisions need it: every resource is taken as it is given, and answered with the ids
 * that the real provider makes. The sandbox's own behaviour is tested elsewhere, against real clients.
 */
import { runEmbedded, type EmbeddedResource, type EmbeddedResult } from "../../engine/embedded.js";
import type { InvokeBehaviour, Properties, ProviderTable, ResourceBehaviour } from "../../sandbox/types.js";

export const TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
export const SUBSCRIPTION = "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";

export interface FakeAzure {
  client: { tenantId: string; subscriptionId: string; clientId: string; objectId: string };
  directory: { tenantId: string };
  subscriptions: Properties[];
  /** What lookups find, by the lookup's name and the thing's; an Error where it cannot be read. */
  found: Record<string, Record<string, Properties | Error>>;
}

export const fakeAzure = (overrides: Partial<FakeAzure> = {}): FakeAzure => ({
  client: { tenantId: TENANT, subscriptionId: SUBSCRIPTION, clientId: "", objectId: "" },
  directory: { tenantId: TENANT },
  subscriptions: [{ subscriptionId: SUBSCRIPTION, tenantId: TENANT, state: "Enabled", tags: {} }],
  found: {},
  ...overrides,
});

export const groupId = (group: string): string => `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}`;
export const armId = (group: string, type: string, name: string): string => `${groupId(group)}/providers/${type}/${name}`;

/** A GUID that is made of a name, so that the same thing always has the same. */
export function guidOf(name: string): string {
  const hex = [...Buffer.from(name)].reduce((hash, byte) => (hash * 31n + BigInt(byte)) % 0xffffffffffffn, 7n).toString(16).padStart(12, "0");
  return `00000000-0000-4000-8000-${hex}`;
}

type Made = { id: string } & Properties;

const inGroup = (type: string, key: string) => (inputs: Properties) => armId(String(inputs.resourceGroupName), type, String(inputs[key]));
const blobEndpoints = (account: unknown) => ({ primaryEndpoints: { blob: `https://${String(account)}.blob.core.windows.net/` } });
const identityOutputs = (name: string) => ({ clientId: guidOf(`client of ${name}`), principalId: guidOf(`principal of ${name}`), tenantId: TENANT });

const nativeTypes: Record<string, (inputs: Properties) => Made> = {
  "azure-native:resources:ResourceGroup": ({ resourceGroupName }) => ({ id: groupId(String(resourceGroupName)), name: resourceGroupName }),
  "azure-native:resources:TagAtScope": ({ scope }) => ({ id: `${String(scope)}/providers/Microsoft.Resources/tags/default`, name: "default" }),
  "azure-native:managedidentity:UserAssignedIdentity": (inputs) => ({
    id: inGroup("Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName")(inputs),
    name: inputs.resourceName,
    ...identityOutputs(String(inputs.resourceName)),
  }),
  "azure-native:managedidentity:FederatedIdentityCredential": (inputs) => ({
    id: `${inGroup("Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName")(inputs)}/federatedIdentityCredentials/${String(inputs.federatedIdentityCredentialResourceName)}`,
    name: inputs.federatedIdentityCredentialResourceName,
  }),
  "azure-native:authorization:RoleAssignment": ({ scope, roleAssignmentName }) => ({ id: `${String(scope)}/providers/Microsoft.Authorization/roleAssignments/${String(roleAssignmentName)}`, name: roleAssignmentName }),
  "azure-native:storage:StorageAccount": (inputs) => ({ id: inGroup("Microsoft.Storage/storageAccounts", "accountName")(inputs), name: inputs.accountName, ...blobEndpoints(inputs.accountName) }),
  "azure-native:storage:BlobServiceProperties": (inputs) => ({ id: `${inGroup("Microsoft.Storage/storageAccounts", "accountName")(inputs)}/blobServices/default`, name: "default" }),
  "azure-native:storage:ManagementPolicy": (inputs) => ({ id: `${inGroup("Microsoft.Storage/storageAccounts", "accountName")(inputs)}/managementPolicies/default`, name: "DefaultManagementPolicy" }),
  "azure-native:storage:BlobContainer": (inputs) => ({
    id: `${inGroup("Microsoft.Storage/storageAccounts", "accountName")(inputs)}/blobServices/default/containers/${String(inputs.containerName)}`,
    name: inputs.containerName,
  }),
  "azure-native:containerregistry:Registry": (inputs) => ({ id: inGroup("Microsoft.ContainerRegistry/registries", "registryName")(inputs), name: inputs.registryName, loginServer: `${String(inputs.registryName)}.azurecr.io` }),
  "azure-native:web:AppServicePlan": (inputs) => ({ id: inGroup("Microsoft.Web/serverfarms", "name")(inputs) }),
  "azure-native:web:WebApp": (inputs) => ({ id: inGroup("Microsoft.Web/sites", "name")(inputs), defaultHostName: `${String(inputs.name)}.azurewebsites.net` }),
};

const directoryTypes: Record<string, (inputs: Properties) => Made> = {
  "azuread:index/application:Application": ({ displayName }) => ({
    id: `/applications/${guidOf(`object of ${String(displayName)}`)}`,
    objectId: guidOf(`object of ${String(displayName)}`),
    clientId: guidOf(`client of ${String(displayName)}`),
  }),
  "azuread:index/servicePrincipal:ServicePrincipal": ({ clientId }) => ({
    id: `/servicePrincipals/${guidOf(`principal of ${String(clientId)}`)}`,
    objectId: guidOf(`principal of ${String(clientId)}`),
    applicationTenantId: TENANT,
  }),
  "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential": ({ applicationId, displayName }) => ({
    id: `${String(applicationId)}/federatedIdentityCredential/${guidOf(String(displayName))}`,
    credentialId: guidOf(String(displayName)),
  }),
};

/** Lookups of things that exist already, with the argument that names the thing. */
const nativeLookups: Record<string, string> = {
  "azure-native:resources:getResourceGroup": "resourceGroupName",
  "azure-native:managedidentity:getUserAssignedIdentity": "resourceName",
  "azure-native:storage:getStorageAccount": "accountName",
  "azure-native:storage:getBlobContainer": "containerName",
  "azure-native:containerregistry:getRegistry": "registryName",
  "azure-native:web:getAppServicePlan": "name",
  "azure-native:web:getWebApp": "name",
};
const directoryLookups: Record<string, string> = {
  "azuread:index/getApplication:getApplication": "clientId",
  "azuread:index/getServicePrincipal:getServicePrincipal": "clientId",
};

const missing = (name: string) => new Error(`request failed …/${name}: Status=404 Code="ResourceNotFound" Message="The Resource '${name}' was not found."`);

export function fakeAzureTables(cloud: FakeAzure): ProviderTable[] {
  const behaviour = (type: string, make: (inputs: Properties) => Made): ResourceBehaviour => ({
    type,
    replaceOn: [],
    check: (inputs) => ({ inputs, failures: [] }),
    create: async (inputs) => {
      const { id, ...outputs } = make(inputs);
      return { id, outputs: { ...inputs, ...outputs } };
    },
    read: async () => undefined,
    update: async (_id, _olds, news) => news,
    delete: async () => undefined,
  });
  const resources = (types: Record<string, (inputs: Properties) => Made>) => new Map(Object.entries(types).map(([type, make]) => [type, behaviour(type, make)]));
  const lookups = (tokens: Record<string, string>) =>
    Object.entries(tokens).map(([token, key]): [string, InvokeBehaviour] => [
      token,
      async (args) => {
        const name = String(args[key]);
        const found = cloud.found[token.slice(token.lastIndexOf(":") + 1)]?.[name];
        if (found === undefined) throw missing(name);
        if (found instanceof Error) throw found;
        return { ...args, name, ...found };
      },
    ]);
  return [
    {
      package: "azure-native",
      scope: () => ({}),
      resources: resources(nativeTypes),
      invokes: new Map<string, InvokeBehaviour>([
        ["azure-native:authorization:getClientConfig", async () => cloud.client],
        ["azure-native:authorization:listSubscriptions", async () => ({ value: cloud.subscriptions })],
        ...lookups(nativeLookups),
      ]),
    },
    {
      package: "azuread",
      scope: () => ({}),
      resources: resources(directoryTypes),
      invokes: new Map<string, InvokeBehaviour>([["azuread:index/getClientConfig:getClientConfig", async () => ({ ...cloud.directory, id: "client", clientId: "", objectId: "" })], ...lookups(directoryLookups)]),
    },
  ];
}

/** What lookups answer of a managed identity. */
export const foundIdentity = (group: string, name: string): Properties => ({ id: armId(group, "Microsoft.ManagedIdentity/userAssignedIdentities", name), ...identityOutputs(name) });
/** What lookups answer of a storage account that is set up well, with changes. */
export const foundAccount = (group: string, name: string, changes: Properties = {}): Properties => ({
  id: armId(group, "Microsoft.Storage/storageAccounts", name),
  kind: "StorageV2",
  allowSharedKeyAccess: false,
  networkRuleSet: { defaultAction: "Allow" },
  ...blobEndpoints(name),
  ...changes,
});
export const foundContainer = (group: string, account: string, name: string, changes: Properties = {}): Properties => ({
  id: `${armId(group, "Microsoft.Storage/storageAccounts", account)}/blobServices/default/containers/${name}`,
  publicAccess: "None",
  hasImmutabilityPolicy: false,
  hasLegalHold: false,
  ...changes,
});

export interface AzureRun {
  result: EmbeddedResult;
  /** The resources that are no components and no providers, by logical name. */
  children: Map<string, EmbeddedResource>;
  child(name: string): EmbeddedResource;
  /** Every role that is assigned: to whom, which, and on what. */
  assignments(): { scope: unknown; role: string; principalId: unknown }[];
  warnings: string[];
}

export async function runAzure(program: () => unknown, cloud = fakeAzure(), config: Record<string, string> = {}, preview = false): Promise<AzureRun> {
  const warnings: string[] = [];
  const result = await runEmbedded({
    program: async () => (await program()) as Record<string, unknown> | undefined,
    project: "cloud-federation",
    stack: "test",
    config,
    preview,
    tables: fakeAzureTables(cloud),
    onEvent: (event) => {
      if (event.kind === "log" && event.severity === "warning") warnings.push(event.message);
    },
  });
  const own = result.resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:"));
  const children = new Map(own.map((resource) => [resource.name, resource]));
  if (children.size !== own.length) throw new Error("two resources have one name");
  const child = (name: string) => {
    const found = children.get(name);
    if (!found) throw new Error(`no resource ${name}; there are: ${[...children.keys()].join(", ")}`);
    return found;
  };
  const assignments = () =>
    own
      .filter(({ type }) => type === "azure-native:authorization:RoleAssignment")
      .map(({ inputs }) => ({ scope: inputs.scope, role: String(inputs.roleDefinitionId).slice(-36), principalId: inputs.principalId }));
  return { result, children, child, assignments, warnings };
}
