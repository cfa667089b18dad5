import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import * as pulumi from "@pulumi/pulumi";
import * as authorization from "@pulumi/azure-native/authorization/index.js";
import * as containerregistry from "@pulumi/azure-native/containerregistry/index.js";
import * as managedidentity from "@pulumi/azure-native/managedidentity/index.js";
import * as resources from "@pulumi/azure-native/resources/index.js";
import * as storage from "@pulumi/azure-native/storage/index.js";
import * as web from "@pulumi/azure-native/web/index.js";

import { destroyEmbedded } from "../../engine/destroy.js";
import { runEmbedded, type EmbeddedOptions, type EmbeddedResource, type EmbeddedResult } from "../../engine/embedded.js";
import { checkInputs, compareInputs, readInputs, resourceBehaviour } from "../../engine/operations.js";
import { hasSecret, isObject } from "../../engine/properties.js";
import { createAzureNativeTable } from "../../sandbox/azure/resources.js";
import { AzureError, type AzureCaller, type AzureCloud, type AzureScope } from "../../sandbox/azure/types.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { UNKNOWN_VALUE, type ProviderTable } from "../../sandbox/types.js";

jest.setTimeout(300_000);

const TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const subscription = "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
const SUBSCRIPTION = `/subscriptions/${subscription}`;
const GROUP = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;
const ACCOUNT = `${GROUP}/providers/Microsoft.Storage/storageAccounts/dcfartifacts4711`;
const CONTRIBUTOR = `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c`;
const config = { "azure-native:subscriptionId": subscription, "azure-native:location": "westeurope" };
const versions = { resources: "2024-03-01", identity: "2023-01-31", assignments: "2022-04-01", storage: "2024-01-01", locks: "2020-05-01", registry: "2023-01-01-preview", web: "2025-05-01" };

type Json = Record<string, unknown>;

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let table: ProviderTable<AzureScope>;
beforeAll(async () => {
  sandbox = await startSandbox();
  table = sandbox.tables.find((each) => each.package === "azure-native") as ProviderTable<AzureScope>;
  for (const namespace of ["Microsoft.ManagedIdentity", "Microsoft.ContainerRegistry", "Microsoft.Web"]) {
    await call("POST", `${SUBSCRIPTION}/providers/${namespace}/register`, versions.resources);
  }
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

const call = (method: string, id: string, apiVersion: string, body?: unknown): Promise<Json> =>
  sandbox.azure.call(sandbox.azure.administrator().caller, method, `https://management.azure.com${id}?api-version=${apiVersion}`, body);
const run = (program: EmbeddedOptions["program"], more: Partial<EmbeddedOptions> = {}) =>
  runEmbedded({ program, project: "proj", stack: "dev", config, tables: sandbox.tables, ...more });
const single = (register: () => unknown, more: Partial<EmbeddedOptions> = {}) =>
  run(async () => {
    register();
    return {};
  }, more);
const named = (result: EmbeddedResult, name: string): EmbeddedResource => result.resources.find((resource) => resource.name === name)!;
const behaviourOf = (type: string) => table.resources.get(`azure-native:${type}`)!;
/** Names of the inputs in which what is read differs from what was written. */
async function drifted({ type, id, inputs, outputs, scope }: EmbeddedResource): Promise<string[] | "gone"> {
  const behaviour = resourceBehaviour(sandbox.tables, type);
  const found = await behaviour.read(id, scope!, outputs);
  return found ? [...compareInputs(behaviour, readInputs(behaviour, found.inputs, inputs), inputs).changes.keys()] : "gone";
}

/** Whether a value has everything of another, which has no empty members to compare. */
function contains(value: unknown, expected: unknown): boolean {
  if (typeof expected !== "object" || expected === null) return value === expected;
  if (Object.keys(expected).length === 0) return true;
  return typeof value === "object" && value !== null && Object.entries(expected).every(([key, member]) => (typeof member === "object" && Object.keys(member as object).length === 0) || contains((value as Json)[key], member));
}

/** One of everything in the table, with most inputs given that the toolkit uses. */
async function everything(): Promise<Record<string, unknown>> {
  const group = new resources.ResourceGroup("group", { resourceGroupName: "rg-acme-dcf", tags: { owner: "acme" } });
  const resourceGroupName = group.name;
  const tag = new resources.TagAtScope("tag", { scope: group.id, properties: { tags: { dcfCorrelationId: "4711" } } });
  const identity = new managedidentity.UserAssignedIdentity("identity", { resourceGroupName, resourceName: "dcf", tags: { a: "b" } });
  const credential = new managedidentity.FederatedIdentityCredential("dcf-credential", {
    resourceGroupName,
    resourceName: identity.name,
    issuer: "https://oidc.dcf.example",
    subject: "system:serviceaccount:dcf:project-4711",
    audiences: ["api://AzureADTokenExchange"],
  });
  const assignment = new authorization.RoleAssignment("assignment", { principalId: identity.principalId, principalType: "ServicePrincipal", roleDefinitionId: CONTRIBUTOR, scope: group.id, description: "DCF" });
  const role = new authorization.RoleDefinition("role", {
    scope: SUBSCRIPTION,
    roleName: "DCF reader",
    roleType: "CustomRole",
    description: "d",
    assignableScopes: [SUBSCRIPTION],
    permissions: [{ actions: ["Microsoft.Resources/subscriptions/resourceGroups/read"], notActions: [], dataActions: [], notDataActions: [] }],
  });
  const account = new storage.StorageAccount("account", {
    resourceGroupName,
    accountName: "dcfartifacts4711",
    kind: "StorageV2",
    sku: { name: "Standard_LRS" },
    allowBlobPublicAccess: false,
    allowSharedKeyAccess: false,
    enableHttpsTrafficOnly: true,
    minimumTlsVersion: "TLS1_2",
    networkRuleSet: { defaultAction: "Allow", ipRules: [{ iPAddressOrRange: "203.0.113.7" }] },
    tags: { a: "b" },
  });
  const blobs = new storage.BlobServiceProperties("blobs", {
    resourceGroupName,
    accountName: account.name,
    blobServicesName: "default",
    isVersioningEnabled: true,
    deleteRetentionPolicy: { enabled: true, days: 7 },
    containerDeleteRetentionPolicy: { enabled: true, days: 7 },
  });
  const container = new storage.BlobContainer("artifacts", { resourceGroupName, accountName: account.name, publicAccess: "None", metadata: { a: "b" } }, { dependsOn: [blobs] });
  const policy = new storage.ManagementPolicy("default", {
    resourceGroupName,
    accountName: account.name,
    policy: { rules: [{ name: "expire", enabled: true, type: "Lifecycle", definition: { actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }, filters: { blobTypes: ["blockBlob"] } } }] },
  });
  const immutable = new storage.BlobContainer("immutable", { resourceGroupName, accountName: account.name, containerName: "immutable" });
  const immutability = new storage.BlobContainerImmutabilityPolicy("immutability", {
    resourceGroupName,
    accountName: account.name,
    containerName: immutable.name,
    immutabilityPolicyName: "default",
    immutabilityPeriodSinceCreationInDays: 1,
    allowProtectedAppendWrites: true,
  });
  const registry = new containerregistry.Registry("registry", { resourceGroupName, registryName: "acmedcf", sku: { name: "Basic" }, adminUserEnabled: false });
  const plan = new web.AppServicePlan("plan", { resourceGroupName, name: "plan-acme", kind: "linux", reserved: true, sku: { name: "S1", tier: "Standard" } });
  const site = new web.WebApp("site", {
    resourceGroupName,
    name: "acme-site",
    kind: "app,linux,container",
    serverFarmId: plan.id,
    httpsOnly: true,
    identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
    siteConfig: {
      acrUseManagedIdentityCreds: true,
      acrUserManagedIdentityID: identity.clientId,
      appSettings: [{ name: "WEBSITES_PORT", value: "8080" }],
      linuxFxVersion: pulumi.interpolate`DOCKER|${registry.loginServer}/app:1`,
    },
  });
  const slot = new web.WebAppSlot("staging", { resourceGroupName, name: site.name, serverFarmId: plan.id, kind: "app,linux,container", siteConfig: { linuxFxVersion: "DOCKER|mcr.example/app:1" } });
  const settings = new web.WebAppApplicationSettings("settings", { resourceGroupName, name: site.name, properties: { WEBSITES_PORT: "8081" } });
  const lock = new authorization.ManagementLockByScope("lock", { scope: container.id, level: "CanNotDelete", notes: "n" }, { dependsOn: [immutability] });
  const groupLock = new authorization.ManagementLockAtResourceGroupLevel("group-lock", { resourceGroupName: "rg-empty", level: "ReadOnly" }, { dependsOn: [new resources.ResourceGroup("empty", { resourceGroupName: "rg-empty" })] });
  return { tag, credential, assignment, role, blobs, policy, slot, settings, lock, groupLock };
}

/** Read-only values that services answer only where there is something to say, by type without its package. */
const UNANSWERED: Readonly<Record<string, readonly string[]>> = {
  "authorization:RoleDefinition": ["createdBy", "createdOn", "updatedBy", "updatedOn"],
  "storage:StorageAccount": [
    ...["accountMigrationInProgress", "blobRestoreStatus", "customDomain", "failoverInProgress", "geoReplicationStats", "isSkuConversionBlocked", "keyPolicy", "lastGeoFailoverTime", "sasPolicy"],
    ...["secondaryEndpoints", "secondaryLocation", "statusOfSecondary", "storageAccountSkuConversionStatus"],
  ],
  "storage:BlobContainer": ["deletedTime", "immutabilityPolicy", "leaseDuration", "legalHold", "version"],
  "containerregistry:Registry": ["status"],
  "web:WebApp": ["inProgressOperationId", "isDefaultContainer", "maxNumberOfWorkers", "slotSwapStatus", "suspendedTill", "targetSwapSlot", "trafficManagerHostNames"],
};
const unanswered = (type: string): readonly string[] => ["systemData", ...(UNANSWERED[type.replace("azure-native:", "").replace("Slot", "")] ?? [])];

const package_ = resolve(__dirname, "../../node_modules/@pulumi/azure-native");
/** `azure-native:storage:StorageAccount` is declared in `storage/storageAccount.d.ts`. */
function declarationOf(token: string): string {
  const [, module = "", name = ""] = token.split(":");
  return `${package_}/${module}/${name.charAt(0).toLowerCase()}${name.slice(1)}.d.ts`;
}
/** Properties of a class or result that the declarations do not allow to be undefined. */
function promised(file: string, kind: "class" | "Result"): string[] {
  const declarations = readFileSync(file, "utf8").replace(/\/\*\*[\s\S]*?\*\//g, "");
  const body = (kind === "class" ? /export declare class \w+ [^{]*\{([\s\S]*?)\n\}/ : /export interface \w+Result \{([\s\S]*?)\n\}/).exec(declarations)?.[1] ?? "";
  const members = [...body.matchAll(/^ {4}readonly (\w+)(\??): ((?:[^{};]|\{[^}]*\})*);/gm)];
  expect(members.length).toBeGreaterThan(0);
  return members.filter(([, , optional, type]) => optional === "" && !type!.includes("| undefined")).map(([, name]) => name!);
}

describe("the azure-native resource table", () => {
  it("creates one of everything with all outputs that the declarations promise", async () => {
    const made = await run(everything);
    expect(made.errors).toEqual([]);
    const played = [...table.resources.keys()].filter((type) => type !== "azure-native:resources:Deployment");
    expect(new Set(made.resources.map(({ type }) => type))).toEqual(new Set(played));
    const missing = made.resources.map(({ type, outputs }) => [type, promised(declarationOf(type), "class").filter((name) => outputs[name] === undefined && !unanswered(type).includes(name))]);
    expect(missing.filter(([, names]) => names!.length > 0)).toEqual([]);
  });

  it("changes nothing in a second run, and sees no drift where nobody changed anything", async () => {
    const first = await run(everything);
    const again = await run(everything, { previous: first.resources });
    expect(again.errors).toEqual([]);
    expect(new Set(again.resources.map(({ status }) => status))).toEqual(new Set(["same"]));
    for (const resource of first.resources) {
      // Tags that were added at a scope are drift of what the scope is.
      expect([resource.name, await drifted(resource)]).toEqual([resource.name, resource.name === "group" ? ["tags"] : []]);
    }
  });

  it("runs a deployment of a template", async () => {
    await call("PUT", GROUP, versions.resources, { location: "westeurope" });
    const made = await run(async () => {
      const deployment = new resources.Deployment("deployment", {
        resourceGroupName: "rg-acme-dcf",
        properties: {
          mode: "Incremental",
          template: {
            $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            contentVersion: "1.0.0.0",
            parameters: { name: { type: "string" } },
            resources: [{ type: "Microsoft.ManagedIdentity/userAssignedIdentities", apiVersion: "2023-01-31", name: "[parameters('name')]", location: "westeurope" }],
            outputs: { name: { type: "string", value: "[parameters('name')]" } },
          },
          parameters: { name: { value: "by-template" } },
        },
      });
      return { outputs: deployment.properties.apply(({ outputs }) => outputs as Json) };
    });
    expect([made.errors, made.outputs.outputs?.value]).toEqual([[], { name: expect.objectContaining({ value: "by-template" }) }]);
    expect(named(made, "deployment").outputs.name).toMatch(/^deployment[0-9a-f]{8}$/);
    expect(await drifted(named(made, "deployment"))).toEqual([]);
    expect((await destroyEmbedded(made.resources, sandbox.tables)).errors).toEqual([]);
    expect(await call("GET", `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/by-template`, versions.identity)).toMatchObject({ name: "by-template" });
  });

  it("imports by Resource Manager's ids, with what the services decided by themselves among the inputs", async () => {
    const made = await run(everything);
    /** What services do not answer with. */
    const kept: Record<string, string[]> = { site: ["siteConfig"], staging: ["siteConfig"] };
    for (const { type, name, id, inputs, outputs, scope } of made.resources) {
      const found = await resourceBehaviour(sandbox.tables, type).read(id, scope!);
      expect([name, found!.id]).toEqual([name, id]);
      const { __createBeforeDelete, ...given } = inputs;
      const differing = Object.keys(given).filter((key) => !(kept[name] ?? []).includes(key) && !contains(found!.inputs[key], given[key]));
      expect([name, differing]).toEqual([name, []]);
      expect([name, found!.outputs.azureApiVersion]).toEqual([name, outputs.azureApiVersion]);
    }
    await expect(behaviourOf("storage:StorageAccount").read(`${ACCOUNT}/blobServices/default`, made.resources[0]!.scope as AzureScope)).rejects.toThrow(
      `'${ACCOUNT}/blobServices/default' is no id of azure-native:storage:StorageAccount: it is not of the form '/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}'`,
    );
    expect(await behaviourOf("storage:StorageAccount").read(`${ACCOUNT}x`, made.resources[0]!.scope as AzureScope)).toBeUndefined();
  });

  it("names what the program does not name, and marks names that it made up", async () => {
    const scope = table.scope({ subscriptionId: subscription, location: "westeurope" });
    const name = (type: string, parameter: string, given: Json = {}, olds?: Json) => {
      const { inputs } = behaviourOf(type).check(given, scope, "Logical", olds);
      return [inputs[parameter], inputs.__createBeforeDelete];
    };
    const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
    expect(name("resources:ResourceGroup", "resourceGroupName")).toEqual([expect.stringMatching(/^Logical[0-9a-f]{8}$/), true]);
    expect(name("web:WebApp", "name")).toEqual([expect.stringMatching(/^Logical[0-9a-f]{8}$/), true]);
    expect(name("authorization:RoleAssignment", "roleAssignmentName")).toEqual([expect.stringMatching(uuid), true]);
    expect(name("authorization:RoleDefinition", "roleDefinitionId")).toEqual([expect.stringMatching(uuid), true]);
    expect(name("managedidentity:FederatedIdentityCredential", "federatedIdentityCredentialResourceName")).toEqual(["Logical", undefined]);
    expect(name("storage:BlobContainer", "containerName")).toEqual(["Logical", undefined]);
    expect(name("resources:ResourceGroup", "resourceGroupName", { resourceGroupName: "rg" })).toEqual(["rg", undefined]);
    const [made] = name("resources:ResourceGroup", "resourceGroupName");
    expect(name("resources:ResourceGroup", "resourceGroupName", {}, { resourceGroupName: made, __createBeforeDelete: true })).toEqual([made, true]);
    expect(name("resources:ResourceGroup", "resourceGroupName", {}, { resourceGroupName: "rg" })).toEqual(["rg", undefined]);
  });

  it("replaces what cannot be changed, the old one first unless its name was made up", () => {
    const scope = table.scope({ subscriptionId: subscription, location: "westeurope" });
    const replaces = (type: string, olds: Json, changes: Json) => {
      const behaviour = behaviourOf(type);
      const before = behaviour.check(olds, scope, "x").inputs;
      const { replaces: replaced, deleteBeforeReplace } = compareInputs(behaviour, before, behaviour.check({ ...olds, ...changes }, scope, "x", before).inputs);
      return [replaced, deleteBeforeReplace];
    };
    const group = { resourceGroupName: "rg" };
    expect(replaces("resources:ResourceGroup", group, { location: "northeurope" })).toEqual([true, true]);
    expect(replaces("resources:ResourceGroup", {}, { location: "northeurope" })).toEqual([true, false]);
    expect(replaces("resources:ResourceGroup", group, { location: "West Europe" })).toEqual([false, false]);
    expect(replaces("resources:ResourceGroup", group, { resourceGroupName: "other" })).toEqual([true, true]);
    expect(replaces("resources:ResourceGroup", group, { tags: { a: "b" } })).toEqual([false, false]);
    expect(replaces("managedidentity:UserAssignedIdentity", { ...group, resourceName: "id" }, { location: "northeurope" })).toEqual([true, true]);
    const credential = { ...group, resourceName: "id", issuer: "https://a.example", subject: "s", audiences: ["a"] };
    expect(replaces("managedidentity:FederatedIdentityCredential", credential, { issuer: "https://b.example", subject: "t", audiences: ["b"] })).toEqual([false, false]);
    expect(replaces("managedidentity:FederatedIdentityCredential", credential, { federatedIdentityCredentialResourceName: "other" })).toEqual([true, true]);
    const assignment = { scope: GROUP, principalId: "p", roleDefinitionId: CONTRIBUTOR, principalType: "ServicePrincipal" };
    expect(replaces("authorization:RoleAssignment", assignment, { principalId: "q" })).toEqual([true, false]);
    expect(replaces("authorization:RoleAssignment", { ...assignment, roleAssignmentName: "n" }, { scope: SUBSCRIPTION })).toEqual([true, true]);
    expect(replaces("authorization:RoleAssignment", assignment, { description: "d" })).toEqual([false, false]);
    const account = { ...group, accountName: "account", kind: "StorageV2", sku: { name: "Standard_LRS" } };
    expect(replaces("storage:StorageAccount", account, { isHnsEnabled: true })).toEqual([true, true]);
    expect(replaces("storage:StorageAccount", account, { allowSharedKeyAccess: false, sku: { name: "Standard_GRS" } })).toEqual([false, false]);
    expect(replaces("containerregistry:Registry", { ...group, registryName: "registry", sku: { name: "Basic" } }, { location: "northeurope" })).toEqual([true, true]);
    expect(replaces("web:WebApp", { ...group, name: "site" }, { kind: "app,linux" })).toEqual([true, true]);
    expect(replaces("web:WebApp", { ...group, name: "site" }, { siteConfig: { linuxFxVersion: "DOCKER|a" } })).toEqual([false, false]);
    expect(replaces("web:AppServicePlan", { ...group, name: "plan" }, { sku: { name: "B2" } })).toEqual([false, false]);
    expect(replaces("web:AppServicePlan", { ...group, name: "plan" }, { reserved: true })).toEqual([true, true]);
    expect(replaces("web:WebAppSlot", { ...group, name: "site" }, { kind: "app,linux" })).toEqual([false, false]);
    expect(replaces("web:WebAppSlot", { ...group, name: "site" }, { location: "northeurope" })).toEqual([true, true]);
  });

  it("previews with what the program says, and nothing that the services decide", async () => {
    const previewed = await run(
      async () => {
        const group = new resources.ResourceGroup("group", { resourceGroupName: "rg-acme-dcf" });
        const identity = new managedidentity.UserAssignedIdentity("identity", { resourceGroupName: "rg-acme-dcf", resourceName: "dcf" });
        return { location: group.location, name: group.name, id: group.id, clientId: identity.clientId, version: group.azureApiVersion };
      },
      { preview: true },
    );
    expect(previewed.errors).toEqual([]);
    expect(Object.fromEntries(Object.entries(previewed.outputs).map(([key, { known, value }]) => [key, known ? value : undefined]))).toEqual({ location: "westeurope", version: versions.resources });
    await expect(call("GET", GROUP, versions.resources)).rejects.toMatchObject({ code: "ResourceGroupNotFound" });
  });

  it("refuses before the call what the provider refuses", () => {
    const scope = table.scope({ subscriptionId: subscription });
    const refused = (type: string, inputs: Json) => checkInputs(behaviourOf(type), inputs, scope, "x", undefined).failures;
    expect(refused("resources:ResourceGroup", {})).toEqual(["missing required property 'location'. Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'."]);
    expect(refused("resources:ResourceGroup", { location: "westeurope", resourceGroupName: "a group" })).toEqual(["'resourceGroupName' does not match expression '^[-\\w._()]+$'"]);
    const account = { resourceGroupName: "rg", kind: "StorageV2", sku: { name: "Standard_LRS" } };
    expect(refused("storage:StorageAccount", { ...account, accountName: "ab" })).toEqual(["'accountName' is too short (2): at least 3 characters required"]);
    expect(refused("storage:StorageAccount", { ...account, accountName: "a".repeat(25) })).toEqual(["'accountName' is too long (25): at most 24 characters allowed"]);
    expect(refused("storage:StorageAccount", { ...account, accountName: "a".repeat(24) })).toEqual([]);
    expect(refused("storage:StorageAccount", { ...account, accountName: UNKNOWN_VALUE })).toEqual([]);
    expect(refused("storage:StorageAccount", { resourceGroupName: UNKNOWN_VALUE, accountName: "abc", kind: UNKNOWN_VALUE })).toEqual(["missing required property 'sku'"]);
    expect(refused("managedidentity:FederatedIdentityCredential", { resourceGroupName: "rg" })).toEqual([
      "missing required property 'resourceName'",
      "missing required property 'audiences'",
      "missing required property 'issuer'",
      "missing required property 'subject'",
      "'federatedIdentityCredentialResourceName' does not match expression '^[a-zA-Z0-9]{1}[a-zA-Z0-9-_]{2,119}$'",
    ]);
    expect(refused("authorization:RoleAssignment", { principalId: "p" })).toEqual(["missing required property 'scope'", "missing required property 'roleDefinitionId'"]);
  });

  it("takes the resource group's location where neither the program nor the configuration gives one", async () => {
    await call("PUT", GROUP, versions.resources, { location: "northeurope" });
    const program = async () => {
      const identity = new managedidentity.UserAssignedIdentity("identity", { resourceGroupName: "rg-acme-dcf", resourceName: "dcf" });
      return { location: identity.location };
    };
    const made = await run(program, { config: { "azure-native:subscriptionId": subscription } });
    expect([made.errors, made.outputs.location!.value]).toEqual([[], "northeurope"]);
    const { id, inputs, outputs, scope } = made.resources[0]!;
    expect(inputs.location).toBeUndefined();
    const updated = await behaviourOf("managedidentity:UserAssignedIdentity").update(id, outputs, { ...inputs, tags: { a: "b" } }, scope as AzureScope);
    expect(updated).toMatchObject({ location: "northeurope", tags: { a: "b" } });
  });

  it("adds tags at a scope beside those of others, and takes away only its own", async () => {
    await call("PUT", GROUP, versions.resources, { location: "westeurope", tags: { owner: "acme" } });
    const tags = async () => (await call("GET", GROUP, versions.resources)).tags;
    const program = async () => {
      new resources.TagAtScope("tag", { scope: GROUP, properties: { tags: { dcfCorrelationId: "4711", other: "x" } } });
      return {};
    };
    const made = await run(program);
    expect(made.errors).toEqual([]);
    expect(await tags()).toEqual({ owner: "acme", dcfCorrelationId: "4711", other: "x" });
    const tag = made.resources[0]!;
    expect(tag.id).toBe(`${GROUP}/providers/Microsoft.Resources/tags/default`);
    const behaviour = behaviourOf("resources:TagAtScope");
    const news = { ...tag.inputs, properties: { tags: { dcfCorrelationId: "4712" } } };
    const outputs = await behaviour.update(tag.id, tag.outputs, news, tag.scope as AzureScope);
    expect(await tags()).toEqual({ owner: "acme", dcfCorrelationId: "4712", other: "x" });
    const changed = { ...tag, inputs: news, outputs };
    expect(await drifted(changed)).toEqual([]);
    await call("PATCH", `${GROUP}/providers/Microsoft.Resources/tags/default`, versions.resources, { operation: "Merge", properties: { tags: { dcfCorrelationId: "0" } } });
    expect(await drifted(changed)).toEqual(["properties"]);
    await call("PATCH", `${GROUP}/providers/Microsoft.Resources/tags/default`, versions.resources, { operation: "Merge", properties: { tags: { dcfCorrelationId: "4712" } } });
    expect((await destroyEmbedded([changed], sandbox.tables)).errors).toEqual([]);
    expect(await tags()).toEqual({ owner: "acme", other: "x" });
  });

  it("updates in place what can be, through the services", async () => {
    const made = await run(everything);
    const states = new Map(made.resources.map((resource) => [resource.name, resource]));
    const change = async (name: string, changes: Json): Promise<Json> => {
      const { type, id, inputs, outputs, scope } = states.get(name)!;
      const behaviour = resourceBehaviour(sandbox.tables, type);
      const { inputs: news, failures } = behaviour.check({ ...inputs, ...changes }, scope!, name, inputs);
      expect(failures).toEqual([]);
      expect([name, compareInputs(behaviour, inputs, news).replaces]).toEqual([name, false]);
      const updated = await behaviour.update(id, outputs, news, scope!);
      states.set(name, { ...states.get(name)!, inputs: news, outputs: updated });
      expect([name, await drifted(states.get(name)!)]).toEqual([name, []]);
      return updated;
    };
    expect(await change("identity", { tags: { c: "d" } })).toMatchObject({ tags: { c: "d" } });
    expect(await change("dcf-credential", { subject: "other", issuer: "https://other.example" })).toMatchObject({ subject: "other", issuer: "https://other.example" });
    expect(await change("assignment", { description: "Other" })).toMatchObject({ description: "Other" });
    expect(await change("role", { roleName: "DCF other", permissions: [{ actions: ["*/read"] }] })).toMatchObject({ roleName: "DCF other", roleType: "CustomRole", type: "Microsoft.Authorization/roleDefinitions" });
    expect(await change("account", { networkRuleSet: { defaultAction: "Deny", ipRules: [] }, tags: {} })).toMatchObject({ networkRuleSet: { defaultAction: "Deny", ipRules: [] } });
    expect(await change("account", { networkRuleSet: undefined })).toMatchObject({ networkRuleSet: { defaultAction: "Allow" }, allowSharedKeyAccess: false });
    expect(await change("blobs", { isVersioningEnabled: false })).toMatchObject({ isVersioningEnabled: false });
    expect(await change("artifacts", { metadata: { c: "d" } })).toMatchObject({ metadata: { c: "d" } });
    expect(await change("registry", { sku: { name: "Standard" } })).toMatchObject({ sku: { name: "Standard", tier: "Standard" } });
    expect(await change("site", { httpsOnly: false, siteConfig: { linuxFxVersion: "DOCKER|mcr.example/app:2" }, identity: { type: "SystemAssigned" } })).toMatchObject({
      httpsOnly: false,
      siteConfig: { linuxFxVersion: "DOCKER|mcr.example/app:2" },
      identity: { type: "SystemAssigned", principalId: expect.any(String), tenantId: TENANT },
    });
    expect(await change("settings", { properties: { A: "B" } })).toMatchObject({ properties: { A: "B" } });
  });

  it("sees drift of every kind", async () => {
    const made = await run(everything);
    const identity = named(made, "identity").id;
    await call("PATCH", GROUP, versions.resources, { tags: { owner: "else", dcfCorrelationId: "4711" } });
    await call("PUT", named(made, "dcf-credential").id, versions.identity, { properties: { issuer: "https://oidc.dcf.example/", subject: "system:serviceaccount:dcf:project-4711", audiences: ["api://AzureADTokenExchange"] } });
    await call("DELETE", named(made, "assignment").id, versions.assignments);
    await call("PATCH", ACCOUNT, versions.storage, { properties: { allowSharedKeyAccess: true, allowCrossTenantReplication: true, networkAcls: { defaultAction: "Deny", ipRules: [{ value: "203.0.113.8" }] } } });
    await call("PATCH", named(made, "site").id, versions.web, { properties: { httpsOnly: false } });
    await call("PUT", `${named(made, "site").id}/config/web`, versions.web, { properties: { linuxFxVersion: "DOCKER|mcr.example/other:1" } });
    await call("DELETE", named(made, "lock").id, versions.locks);
    expect(await drifted(named(made, "group"))).toEqual(["tags"]);
    expect(await drifted(named(made, "identity"))).toEqual([]);
    expect(await drifted(named(made, "dcf-credential"))).toEqual(["issuer"]);
    expect(await drifted(named(made, "assignment"))).toBe("gone");
    // What the program leaves to the service is drift once somebody changed it.
    expect(await drifted(named(made, "account"))).toEqual(["allowCrossTenantReplication", "allowSharedKeyAccess", "networkRuleSet"]);
    expect(await drifted(named(made, "site"))).toEqual(["httpsOnly", "siteConfig"]);
    expect(await drifted(named(made, "lock"))).toBe("gone");
    await call("DELETE", identity, versions.identity);
    expect(await drifted(named(made, "identity"))).toBe("gone");
    expect(await drifted(named(made, "dcf-credential"))).toBe("gone");

    const { type, id, outputs, inputs, scope } = named(made, "account");
    const { inputs: found } = (await resourceBehaviour(sandbox.tables, type).read(id, scope!, outputs))!;
    expect(found.networkRuleSet).toEqual({ bypass: "AzureServices", defaultAction: "Deny", ipRules: [{ iPAddressOrRange: "203.0.113.8" }] });
    expect(inputs.networkRuleSet).toEqual({ bypass: "AzureServices", defaultAction: "Allow", ipRules: [{ iPAddressOrRange: "203.0.113.7" }] });
  });

  it("destroys everything, and what is gone already", async () => {
    const made = await run(everything);
    await call("DELETE", named(made, "settings").id.replace("/config/appsettings", "/slots/staging"), versions.web);
    const destroyed = await destroyEmbedded(made.resources, sandbox.tables);
    expect(destroyed.errors).toEqual([]);
    await expect(call("GET", GROUP, versions.resources)).rejects.toMatchObject({ code: "ResourceGroupNotFound" });
  });

  it("leaves a plan that its last site leaves, and the defaults of what cannot be deleted", async () => {
    const made = await run(everything);
    const only = (...names: string[]) => made.resources.filter(({ name }) => names.includes(name)).map((resource) => ({ ...resource, dependencies: [] }));
    expect((await destroyEmbedded(only("settings"), sandbox.tables)).errors).toEqual([]);
    expect(await call("POST", `${named(made, "site").id}/config/appsettings/list`, versions.web, {})).toMatchObject({ properties: {} });
    expect((await destroyEmbedded(only("staging", "site"), sandbox.tables)).errors).toEqual([]);
    expect(await call("GET", named(made, "plan").id, versions.web)).toMatchObject({ properties: { numberOfSites: 0 } });
    expect((await destroyEmbedded(only("blobs"), sandbox.tables)).errors).toEqual([]);
    expect(await call("GET", named(made, "blobs").id, versions.storage)).toMatchObject({ name: "default" });
  });

  it("words errors as the provider does", async () => {
    await call("PUT", GROUP, versions.resources, { location: "westeurope" });
    const lost = `${SUBSCRIPTION}/resourceGroups/rg-lost`;
    const identity = { resourceGroupName: "rg-acme-dcf", resourceName: "dcf" };
    await call("PUT", `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/dcf`, versions.identity, { location: "westeurope" });
    const cases: [() => unknown, string | RegExp][] = [
      [() => new resources.ResourceGroup("g", { resourceGroupName: "rg-acme-dcf" }), `cannot create already existing resource '${GROUP}'`],
      [() => new managedidentity.UserAssignedIdentity("i", identity), `cannot create already existing resource '${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/dcf'`],
      [
        () => new managedidentity.UserAssignedIdentity("i", { resourceGroupName: "rg-lost", resourceName: "dcf" }),
        'Status=404 Code="ResourceGroupNotFound" Message="Resource group \'rg-lost\' could not be found."',
      ],
      [
        // Where the program gives no type, the package says `User`.
        () => new authorization.RoleAssignment("a", { scope: GROUP, principalId: sandbox.azure.administrator().caller.objectId, roleDefinitionId: CONTRIBUTOR }),
        /^Status=400 Code="UnmatchedPrincipalType" Message="The PrincipalId '[-0-9a-f]{36}' has type 'ServicePrincipal' , which is different from specified PrinciaplType 'User'\."$/,
      ],
      [() => new storage.StorageAccount("s", { resourceGroupName: "rg-acme-dcf", accountName: "UPPER", kind: "StorageV2", sku: { name: "Standard_LRS" } }), /^Status=400 Code="AccountNameInvalid" Message="UPPER is not a valid storage account name\./],
    ];
    for (const [register, message] of cases) {
      const { error } = (await single(register)).resources[0]!;
      if (typeof message === "string") expect(error).toBe(message);
      else expect(error).toMatch(message);
    }
    const looked = await run(async () => ({ group: await resources.getResourceGroup({ resourceGroupName: "rg-lost" }) }));
    expect(looked.errors).toEqual([
      `invocation of azure-native:resources:getResourceGroup returned an error: request failed ${lost}: Status=404 Code="ResourceGroupNotFound" Message="Resource group 'rg-lost' could not be found."`,
    ]);
    const unregistered = await single(() => new managedidentity.UserAssignedIdentity("i", { resourceGroupName: "rg-acme-dcf" }), { config: { "azure-native:subscriptionId": "bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f", "azure-native:location": "westeurope" } });
    expect(unregistered.resources[0]!.error).toBe(
      "Status=409 Code=\"MissingSubscriptionRegistration\" Message=\"The subscription is not registered to use namespace 'Microsoft.ManagedIdentity'. See https://aka.ms/rps-not-found for how to register subscriptions.\"",
    );
  });

  /** The cloud with calls of one kind answered in another way. */
  const withCalls = (answer: (call_: AzureCloud["call"], ...asked: Parameters<AzureCloud["call"]>) => Promise<unknown>): ProviderTable<AzureScope> =>
    createAzureNativeTable(Object.create(sandbox.azure, { call: { value: (...asked: Parameters<AzureCloud["call"]>) => answer((...real) => sandbox.azure.call(...real), ...asked) } }) as AzureCloud);

  it("keeps in the state what a failed operation left behind", async () => {
    await call("PUT", GROUP, versions.resources, { location: "westeurope" });
    const failing = withCalls(async (real, caller, method, url, body) => {
      const answer = await real(caller, method, url, body);
      if (method === "PUT" && url.includes("/userAssignedIdentities/dcf?")) throw new AzureError(500, "InternalServerError", "The operation failed.");
      return answer;
    });
    const program = async () => {
      new managedidentity.UserAssignedIdentity("identity", { resourceGroupName: "rg-acme-dcf", resourceName: "dcf" });
      new managedidentity.UserAssignedIdentity("lost", { resourceGroupName: "rg-lost", resourceName: "dcf" });
      return {};
    };
    const made = await run(program, { tables: [failing] });
    expect(named(made, "identity")).toMatchObject({
      status: "failed",
      id: `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/dcf`,
      error: 'Status=500 Code="InternalServerError" Message="The operation failed."',
      outputs: { clientId: expect.any(String) },
    });
    expect(named(made, "lost")).toMatchObject({ status: "failed", id: "" });
    expect(await drifted(named(made, "identity"))).toEqual([]);
  });

  it("takes the answer to a write where it may not be read, and does not write where it cannot look", async () => {
    await call("PUT", GROUP, versions.resources, { location: "westeurope" });
    let written = false;
    const blind = withCalls(async (real, caller, method, url, body) => {
      if (method === "GET" && written) throw new AzureError(403, "AuthorizationFailed", "no");
      written ||= method === "PUT";
      return real(caller, method, url, body);
    });
    const made = await single(() => new managedidentity.UserAssignedIdentity("identity", { resourceGroupName: "rg-acme-dcf", resourceName: "dcf" }), { tables: [blind] });
    expect(made.resources[0]).toMatchObject({ status: "created", outputs: { name: "dcf", clientId: expect.any(String) } });
    const refused = await single(() => new managedidentity.UserAssignedIdentity("other", { resourceGroupName: "rg-acme-dcf", resourceName: "other" }), { tables: [blind] });
    expect(refused.resources[0]!.error).toBe(
      `cannot check existence of resource '${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/other': status code 403, {"error":{"code":"AuthorizationFailed","message":"no"}}`,
    );
  });

  it("writes the sites of one plan one after the other, and credentials of one identity at the same time", async () => {
    let [now, most] = [0, 0];
    const counting = withCalls(async (real, caller, method, url, body) => {
      if (method !== "PUT" || !/\/(sites|federatedIdentityCredentials)\//.test(url)) return real(caller, method, url, body);
      most = Math.max(most, ++now);
      await new Promise((done) => setImmediate(done));
      try {
        return await real(caller, method, url, body);
      } finally {
        now -= 1;
      }
    });
    await call("PUT", GROUP, versions.resources, { location: "westeurope" });
    const sites = await run(
      async () => {
        const plan = new web.AppServicePlan("plan", { resourceGroupName: "rg-acme-dcf", kind: "linux", reserved: true, sku: { name: "B1", tier: "Basic" } });
        for (const name of ["a", "b", "c"]) new web.WebApp(name, { resourceGroupName: "rg-acme-dcf", serverFarmId: plan.id });
        return {};
      },
      { tables: [counting] },
    );
    expect([sites.errors, most]).toEqual([[], 1]);
    most = 0;
    await run(
      async () => {
        const identity = new managedidentity.UserAssignedIdentity("identity", { resourceGroupName: "rg-acme-dcf" });
        for (const subject of ["aaa", "bbb"]) {
          new managedidentity.FederatedIdentityCredential(subject, { resourceGroupName: "rg-acme-dcf", resourceName: identity.name, issuer: "https://oidc.dcf.example", subject, audiences: ["api://AzureADTokenExchange"] });
        }
        return {};
      },
      { tables: [counting] },
    );
    expect(most).toBe(2);
  });

  it("answers what programs look up, in the shapes that the declarations promise", async () => {
    const made = await run(everything);
    const where = { resourceGroupName: "rg-acme-dcf" };
    const found = await run(async () => ({
      client: await authorization.getClientConfig(),
      group: await resources.getResourceGroup(where),
      tag: await resources.getTagAtScope({ scope: GROUP }),
      identity: await managedidentity.getUserAssignedIdentity({ ...where, resourceName: "dcf" }),
      credential: await managedidentity.getFederatedIdentityCredential({ ...where, resourceName: "dcf", federatedIdentityCredentialResourceName: "dcf-credential" }),
      assignment: await authorization.getRoleAssignment({ scope: GROUP, roleAssignmentName: String(named(made, "assignment").outputs.name) }),
      lock: await authorization.getManagementLockByScope({ scope: named(made, "artifacts").id, lockName: String(named(made, "lock").outputs.name) }),
      account: await storage.getStorageAccount({ ...where, accountName: "dcfartifacts4711" }),
      container: await storage.getBlobContainer({ ...where, accountName: "dcfartifacts4711", containerName: "artifacts" }),
      registry: await containerregistry.getRegistry({ ...where, registryName: "acmedcf" }),
      plan: await web.getAppServicePlan({ ...where, name: "plan-acme" }),
      site: await web.getWebApp({ ...where, name: "acme-site" }),
      settings: await web.listWebAppApplicationSettings({ ...where, name: "acme-site" }),
      subscriptions: await authorization.listSubscriptions({ apiVersion: "2022-12-01" }),
      read: managedidentity.UserAssignedIdentity.get("read", named(made, "identity").id).clientId,
    }));
    expect(found.errors).toEqual([]);
    const values = Object.fromEntries(Object.entries(found.outputs).map(([key, { value }]) => [key, value as Json]));
    const { clientId, caller } = sandbox.azure.administrator();
    expect(values.client).toEqual({ clientId, objectId: caller.objectId, subscriptionId: subscription, tenantId: TENANT });
    expect(values.group).toMatchObject({ id: GROUP, name: "rg-acme-dcf", location: "westeurope" });
    expect(values.identity).toMatchObject({ id: named(made, "identity").id, clientId: named(made, "identity").outputs.clientId, tenantId: TENANT });
    expect(values.settings).toMatchObject({ properties: { WEBSITES_PORT: "8081" } });
    expect(values.subscriptions!.value).toEqual(expect.arrayContaining([expect.objectContaining({ subscriptionId: subscription, tenantId: TENANT })]));
    expect(values.read).toBe(values.identity!.clientId);
    const types: Record<string, string> = {
      client: "authorization:ClientConfig",
      group: "resources:ResourceGroup",
      tag: "resources:TagAtScope",
      identity: "managedidentity:UserAssignedIdentity",
      credential: "managedidentity:FederatedIdentityCredential",
      assignment: "authorization:RoleAssignment",
      lock: "authorization:ManagementLockByScope",
      account: "storage:StorageAccount",
      container: "storage:BlobContainer",
      registry: "containerregistry:Registry",
      plan: "web:AppServicePlan",
      site: "web:WebApp",
    };
    const missing = Object.entries(types).map(([name, type]) => [
      name,
      promised(`${package_}/${type.replace(":", "/get")}.d.ts`, "Result").filter((property) => values[name]![property] === undefined && !unanswered(type).includes(property)),
    ]);
    expect(missing.filter(([, names]) => names!.length > 0)).toEqual([]);
    expect(promised(`${package_}/web/listWebAppApplicationSettings.d.ts`, "Result").filter((property) => values.settings![property] === undefined)).toEqual([]);
    const token = await run(async () => ({ token: authorization.getClientTokenOutput({}).token }));
    expect([token.errors, token.outputs.token]).toEqual([[], expect.objectContaining({ secret: true })]);
    expect(sandbox.azure.authenticate(String(token.outputs.token!.value), ["https://management.azure.com", "https://management.azure.com/"])).toMatchObject({ clientId });
  });

  it("keeps secret in every copy what the program keeps secret", async () => {
    const made = await run(async () => {
      const group = new resources.ResourceGroup("group", { resourceGroupName: "rg-acme-dcf" });
      const plan = new web.AppServicePlan("plan", { resourceGroupName: group.name, sku: { name: "B1", tier: "Basic" } });
      const site = new web.WebApp("site", { resourceGroupName: group.name, serverFarmId: plan.id, siteConfig: { appSettings: [{ name: "PASSWORD", value: pulumi.secret("hidden-away") }] } });
      const settings = new web.WebAppApplicationSettings("settings", { resourceGroupName: group.name, name: site.name, properties: { PASSWORD: pulumi.secret("hidden-away") } });
      return { properties: settings.properties };
    });
    expect([made.errors, made.outputs.properties!.secret]).toEqual([[], true]);
    for (const { name, inputs, outputs } of made.resources) {
      const open = JSON.stringify([inputs, outputs], (_key, value: unknown) => (hasSecret(value) && isObject(value) && "4dabf18193072939515e22adb298388d" in value ? "secret" : value));
      expect([name, open.includes("hidden-away")]).toEqual([name, false]);
    }
  });

  it("says who is not allowed what, where it acts for somebody else", async () => {
    await call("PUT", GROUP, versions.resources, { location: "westeurope" });
    const objectId = "00000000-0000-0000-0000-00000000beef";
    const stranger: AzureCaller = { kind: "user", tenantId: TENANT, objectId, clientId: "", name: "s@customer.onmicrosoft.example", audience: "" };
    const scope: AzureScope = { tenantId: TENANT, subscriptionId: subscription, location: "westeurope", cloud: "public", caller: stranger };
    const group = behaviourOf("resources:ResourceGroup");
    await expect(group.create({ resourceGroupName: "rg-acme-dcf", location: "westeurope" }, scope)).rejects.toThrow(
      new RegExp(`^cannot check existence of resource '${GROUP}': status code 403, \\{"error":\\{"code":"AuthorizationFailed","message":"The client 's@customer.onmicrosoft.example' with object id '${objectId}' does not have authorization to perform action 'Microsoft.Resources/subscriptions/resourcegroups/read'`, "i"),
    );
    await expect(group.read(GROUP, scope)).rejects.toThrow(/^Status=403 Code="AuthorizationFailed" Message="The client /);
  });
});
