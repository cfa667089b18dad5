import * as authorization from "@pulumi/azure-native/authorization/index.js";
import { Provider } from "@pulumi/azure-native/provider.js";
import * as resources from "@pulumi/azure-native/resources/index.js";

import { openCliStack, type CliStack, type CliStackOptions, type PulumiCli } from "../../engine/cli-runner.js";
import { runEmbedded, type EmbeddedOptions } from "../../engine/embedded.js";
import { startProviderServer, type ProviderServer } from "../../engine/provider-server.js";
import type { AzureScope } from "../../sandbox/azure/types.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import type { ProviderTable } from "../../sandbox/types.js";
import { describeWithPulumi, pulumi, temporaryProject, type TemporaryProject } from "./project.js";

jest.setTimeout(300_000);

const TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const EMPTY_TENANT = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
const GOVERNMENT_TENANT = "ccccdddd-2222-eeee-3333-ffff4444aaaa";
const subscription = "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
const governmentSubscription = "cccc2c2c-dd3d-ee4e-ff5f-aaaaaa6a6a6a";
const SUBSCRIPTION = `/subscriptions/${subscription}`;
const GROUP = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;
const CONTRIBUTOR = `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c`;
const RESOURCES = "2024-03-01";
const IDENTITY = "2023-01-31";

type Json = Record<string, unknown>;

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let table: ProviderTable<AzureScope>;
beforeAll(async () => {
  sandbox = await startSandbox();
  table = sandbox.tables.find((each) => each.package === "azure-native") as ProviderTable<AzureScope>;
  await arm("POST", `${SUBSCRIPTION}/providers/Microsoft.ManagedIdentity/register`, RESOURCES);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

const administrator = () => sandbox.azure.administrator().caller;
const arm = (method: string, id: string, apiVersion: string, body?: unknown): Promise<Json> =>
  sandbox.azure.call(administrator(), method, `https://management.azure.com${id}?api-version=${apiVersion}`, body);
const graph = (method: string, path: string, body?: unknown): Promise<Json> => sandbox.azure.call(administrator(), method, `https://graph.microsoft.com/v1.0${path}`, body);
const run = (program: EmbeddedOptions["program"], config: Record<string, string> = {}) => runEmbedded({ program, project: "proj", stack: "dev", config, tables: sandbox.tables });

describe("the configuration of Azure's providers", () => {
  it("places a provider by its configuration; without one it is the sandbox's own", () => {
    expect(table.scope({})).toEqual({ tenantId: TENANT, subscriptionId: subscription, location: undefined, cloud: "public" });
    expect(table.scope({ location: "westeurope", tenantId: "", environment: "public" })).toMatchObject({ tenantId: TENANT, location: "westeurope" });
    expect(table.scope({ tenantId: "customer.onmicrosoft.example" })).toMatchObject({ tenantId: TENANT, subscriptionId: subscription });
    expect(table.scope({ subscriptionId: "bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f" })).toMatchObject({ tenantId: TENANT, subscriptionId: "bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f" });
    for (const environment of ["usgovernment", "usgov", "AzureUSGovernment"]) {
      expect(table.scope({ subscriptionId: governmentSubscription, environment })).toEqual({ tenantId: GOVERNMENT_TENANT, subscriptionId: governmentSubscription, location: undefined, cloud: "usgovernment" });
    }
  });

  it("names the value that is wrong, and the way out", () => {
    const refused = (config: Record<string, string>) => {
      try {
        return table.scope(config);
      } catch (error) {
        return (error as Error).message;
      }
    };
    const stranger = "00000000-0000-0000-0000-000000000001";
    expect(refused({ subscriptionId: stranger })).toBe(`azure-native:subscriptionId is ${stranger}, which is no subscription of this sandbox; set it to ${subscription}, or leave it out`);
    expect(refused({ tenantId: stranger })).toBe(`azure-native:tenantId is ${stranger}, which is no tenant of this sandbox; set it to ${TENANT}, or leave it out`);
    expect(refused({ tenantId: EMPTY_TENANT })).toBe(
      `azure-native:tenantId is ${EMPTY_TENANT}, but azure-native:subscriptionId is not set: the sandbox's provider does not see ARM_SUBSCRIPTION_ID or AZURE_SUBSCRIPTION_ID of your environment; set it with \`pulumi config set azure-native:subscriptionId\``,
    );
    expect(refused({ tenantId: EMPTY_TENANT, subscriptionId: subscription })).toBe(
      `azure-native:subscriptionId is ${subscription}, which is a subscription of the tenant ${TENANT}, but azure-native:tenantId is ${EMPTY_TENANT}: set both of the same tenant`,
    );
    expect(refused({ environment: "germany" })).toBe("azure-native:environment is germany, which is no cloud of Azure: one of public, usgovernment, china");
    expect(refused({ environment: "china" })).toBe(
      `azure-native:environment is china, but the tenant ${TENANT} is of Azure public cloud: set azure-native:environment to public, or azure-native:tenantId to a tenant of Azure operated by 21Vianet (China)`,
    );
    expect(refused({ subscriptionId: governmentSubscription })).toBe(
      `azure-native:environment is not set, which means public, but the tenant ${GOVERNMENT_TENANT} is of Azure US Government: set azure-native:environment to usgovernment, or azure-native:tenantId to a tenant of Azure public cloud`,
    );
    expect(refused({ clientId: stranger })).toBe(
      "azure-native:clientId is set, but azure-native:clientSecret is not: the sandbox's provider does not see ARM_CLIENT_SECRET or AZURE_CLIENT_SECRET of your environment; set it with `pulumi config set --secret azure-native:clientSecret`, or leave them out to act as the sandbox's administrator",
    );
    const secret = "not-to-be-shown";
    expect(refused({ clientSecret: secret })).toMatch(/^azure-native:clientSecret is set, but azure-native:clientId is not: .* `pulumi config set azure-native:clientId`/);
    expect(refused({ clientSecret: secret })).not.toContain(secret);
    expect(refused({ useOidc: "true", clientId: stranger })).toMatch(/^azure-native:useOidc is true, but azure-native:oidcToken is not set: /);
    expect(refused({ useMsi: "true" })).toMatch(/^azure-native:useMsi is not played by the sandbox's provider: /);
    expect(refused({ useMsi: "false", useOidc: "false" })).toMatchObject({ tenantId: TENANT });
    expect(refused({ oidcTokenFilePath: "/var/run/token" })).toMatch(/^azure-native:oidcTokenFilePath is not played by the sandbox's provider, which reads no files /);
  });

  it("acts as the service principal whose secret it has, with that one's rights", async () => {
    const application = await graph("POST", "/applications", { displayName: "deployer" });
    const principal = await graph("POST", "/servicePrincipals", { appId: application.appId });
    const { secretText } = (await graph("POST", `/applications/${String(application.id)}/addPassword`, { passwordCredential: { displayName: "s" } })) as { secretText: string };
    await arm("PUT", GROUP, RESOURCES, { location: "westeurope" });
    const clientId = String(application.appId);
    const config = { "azure-native:clientId": clientId, "azure-native:clientSecret": secretText, "azure-native:tenantId": TENANT, "azure-native:subscriptionId": subscription };
    const program = async () => ({ client: await authorization.getClientConfig(), group: (await resources.getResourceGroup({ resourceGroupName: "rg-acme-dcf" })).id });

    const before = await run(program, config);
    expect(before.errors).toEqual([
      expect.stringMatching(
        new RegExp(`returned an error: request failed ${GROUP}: Status=403 Code="AuthorizationFailed" Message="The client '${clientId}' with object id '${String(principal.id)}' does not have authorization to perform action 'Microsoft.Resources/subscriptions/resource[gG]roups/read'`),
      ),
    ]);
    await arm("PUT", `${GROUP}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000000a`, "2022-04-01", {
      properties: { principalId: principal.id, principalType: "ServicePrincipal", roleDefinitionId: CONTRIBUTOR },
    });
    const after = await run(program, config);
    expect([after.errors, after.outputs.client?.value, after.outputs.group?.value]).toEqual([[], { clientId, objectId: principal.id, subscriptionId: subscription, tenantId: TENANT }, GROUP]);

    const wrong = await run(program, { ...config, "azure-native:clientSecret": `${secretText}x` });
    expect(wrong.errors).toEqual([expect.stringContaining(`ClientSecretCredential authentication failed: AADSTS7000215: Invalid client secret provided.`)]);
    expect(JSON.stringify([before, after, wrong])).not.toContain(secretText);
  });

  it("acts as the managed identity that trusts a token", async () => {
    await arm("PUT", GROUP, RESOURCES, { location: "westeurope" });
    const identity = await arm("PUT", `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/dcf`, IDENTITY, { location: "westeurope" });
    const { clientId, principalId } = identity.properties as Record<string, string>;
    const [issuer, subject, audience] = ["https://oidc.dcf.example", "system:serviceaccount:dcf:project-4711", "api://AzureADTokenExchange"];
    await arm("PUT", `${String(identity.id)}/federatedIdentityCredentials/dcf`, IDENTITY, { properties: { issuer, subject, audiences: [audience] } });
    const oidcToken = await sandbox.issuers.mint({ issuer, subject, audience });
    const program = (token: string) => async () => {
      const trusted = new Provider("trusted", { clientId: clientId!, tenantId: TENANT, subscriptionId: subscription, useOidc: true, oidcToken: token });
      return { client: await authorization.getClientConfig({ provider: trusted }) };
    };
    const made = await run(program(oidcToken));
    expect([made.errors, made.outputs.client?.value]).toEqual([[], { clientId, objectId: principalId, subscriptionId: subscription, tenantId: TENANT }]);
    const other = await sandbox.issuers.mint({ issuer, subject: "somebody", audience });
    const refused = await run(program(other));
    expect(refused.errors).toEqual([expect.stringContaining("ClientAssertionCredential authentication failed: AADSTS700213: ")]);
    expect(JSON.stringify(refused.errors)).not.toContain(other);
  });
});

describeWithPulumi("Azure's resource tables by the real engine", () => {
  let server: ProviderServer;
  let folder: TemporaryProject;
  let stack: CliStack | undefined;
  beforeAll(async () => {
    server = await startProviderServer(sandbox.tables);
  });
  afterEach(async () => {
    folder.remove();
    await stack?.remove();
  });
  afterAll(() => server.close());

  const program = ({ subject = "x", location = "westeurope", imported = false }) => `
    const pulumi = require("@pulumi/pulumi"), azuread = require("@pulumi/azuread");
    const authorization = require("@pulumi/azure-native/authorization"), managedidentity = require("@pulumi/azure-native/managedidentity"), resources = require("@pulumi/azure-native/resources"), storage = require("@pulumi/azure-native/storage");
    module.exports = async () => {
      const client = await authorization.getClientConfig();
      const group = new resources.ResourceGroup("group", { resourceGroupName: "rg-acme-dcf" }, ${imported ? `{ import: "${GROUP}" }` : "{}"});
      const identity = new managedidentity.UserAssignedIdentity("identity", { resourceGroupName: group.name, location: "${location}" });
      const credential = new managedidentity.FederatedIdentityCredential("credential", { resourceGroupName: group.name, resourceName: identity.name,
        issuer: "https://oidc.dcf.example", subject: "${subject}", audiences: ["api://AzureADTokenExchange"] });
      const assignment = new authorization.RoleAssignment("assignment", { scope: group.id, principalId: identity.principalId, principalType: "ServicePrincipal", roleDefinitionId: "${CONTRIBUTOR}" });
      const account = new storage.StorageAccount("account", { resourceGroupName: group.name, accountName: "dcfartifacts4711", kind: "StorageV2", sku: { name: "Standard_LRS" }, allowSharedKeyAccess: false });
      const container = new storage.BlobContainer("artifacts", { resourceGroupName: group.name, accountName: account.name });
      const application = new azuread.Application("application", { displayName: "DDOE", preventDuplicateNames: true });
      const principal = new azuread.ServicePrincipal("principal", { clientId: application.clientId });
      const trust = new azuread.ApplicationFederatedIdentityCredential("trust", { applicationId: application.id, displayName: "dcf", issuer: "https://oidc.ddoe.example", subject: "${subject}", audiences: ["api://AzureADTokenExchange"] });
      const looked = managedidentity.getUserAssignedIdentityOutput({ resourceGroupName: group.name, resourceName: identity.name });
      return { tenant: client.tenantId, same: pulumi.all([looked.clientId, identity.clientId]).apply(([a, b]) => a === b), identity: identity.name, container: container.id, principal: principal.id };
    };`;

  it("creates, has nothing to do, updates, replaces, repairs drift, imports, destroys", async () => {
    folder = temporaryProject(program({}));
    const config = { "azure-native:subscriptionId": subscription, "azure-native:location": "westeurope", "azuread:tenantId": TENANT };
    const options: CliStackOptions = { cli: pulumi as PulumiCli, projectDirectory: folder.directory, stack: "azure", port: server.port, packages: ["azure-native", "azuread"], config };
    stack = await openCliStack(options);
    const preview = await stack.preview();
    expect([preview.errors, preview.changes]).toEqual([[], { create: 10 }]);
    const up = await stack.up();
    expect([up.errors, up.changes]).toEqual([[], { create: 10 }]);
    const outputs = await stack.outputs();
    expect(outputs).toEqual({
      tenant: TENANT,
      same: true,
      identity: expect.stringMatching(/^identity[0-9a-f]{8}$/),
      container: `${GROUP}/providers/Microsoft.Storage/storageAccounts/dcfartifacts4711/blobServices/default/containers/artifacts`,
      principal: expect.stringMatching(/^\/servicePrincipals\/[-0-9a-f]{36}$/),
    });
    expect(await stack.preview("--expect-no-changes")).toMatchObject({ exitCode: 0, errors: [], changes: { same: 10 } });

    folder.write(program({ subject: "y" }));
    const updated = await stack.up();
    expect([updated.errors, updated.changes]).toEqual([[], { same: 8, update: 2 }]);
    expect(updated.steps.filter(({ op }) => op === "update").map(({ type, differences }) => [type.split(":").at(-1), differences]).sort()).toEqual([
      ["ApplicationFederatedIdentityCredential", { subject: "update" }],
      ["FederatedIdentityCredential", { subject: "update" }],
    ]);

    const identity = `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${String(outputs.identity)}`;
    await arm("PUT", `${identity}/federatedIdentityCredentials/credential`, IDENTITY, { properties: { issuer: "https://oidc.dcf.example/", subject: "y", audiences: ["api://AzureADTokenExchange"] } });
    expect((await stack.refresh()).changes).toMatchObject({ update: 1 });
    const repair = await stack.preview();
    expect(repair.steps.filter(({ op }) => op === "update").map(({ differences }) => differences)).toEqual([{ issuer: "update" }]);
    expect((await stack.up()).errors).toEqual([]);
    expect(await arm("GET", `${identity}/federatedIdentityCredentials/credential`, IDENTITY)).toMatchObject({ properties: { issuer: "https://oidc.dcf.example" } });

    folder.write(program({ subject: "y", location: "northeurope" }));
    const replaced = await stack.up();
    expect(replaced.errors).toEqual([]);
    // Its name was made up, so the new identity is there before the old one goes; what hangs on it is replaced, too.
    expect(replaced.steps.filter(({ op }) => op === "replace").map(({ type }) => type.split(":").at(-1)).sort()).toEqual(["FederatedIdentityCredential", "RoleAssignment", "UserAssignedIdentity"]);
    const moved = await stack.outputs();
    expect(moved.identity).not.toBe(outputs.identity);
    await expect(arm("GET", identity, IDENTITY)).rejects.toMatchObject({ code: "ResourceNotFound" });
    expect((await stack.destroy()).errors).toEqual([]);
    await expect(arm("GET", GROUP, RESOURCES)).rejects.toMatchObject({ code: "ResourceGroupNotFound" });

    await arm("PUT", GROUP, RESOURCES, { location: "westeurope" });
    expect((await stack.up()).errors).toContain(`cannot create already existing resource '${GROUP}'`);
    folder.write(program({ imported: true }));
    const imported = await stack.up();
    expect([imported.errors, imported.steps.filter(({ op }) => op.startsWith("import")).map(({ type }) => type)]).toEqual([[], ["azure-native:resources:ResourceGroup"]]);
    expect((await stack.destroy()).errors).toEqual([]);
  });
});
