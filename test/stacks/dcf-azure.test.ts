import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { readContract } from "../../contract/index.js";
import { credentialName } from "../../components/azure/federated-credential.js";
import { SANDBOX_SUBSCRIPTION_TAG } from "../../facts/sandbox.js";
import program from "../../stacks/index.js";
import { publishSchemas } from "../../stacks/publish.js";
import { armId, fakeAzure, foundAccount, foundContainer, foundIdentity, groupId, guidOf, runAzure, SUBSCRIPTION, TENANT, type FakeAzure } from "../components/fake-azure.js";
import { forwardRejections } from "../engine/forward-rejections.js";

forwardRejections();

const example = (parse(readFileSync(join(__dirname, "../../examples/dcf-azure/Pulumi.dcf-azure.yaml"), "utf8")) as { config: Record<string, unknown> }).config;

/** The example's configuration as the engine passes it, with changes; undefined takes a key away. */
function config(changes: Record<string, unknown>): Record<string, string> {
  const merged = { ...example, ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [key.includes(":") ? key : `cloud-federation:${key}`, value])) };
  const entries = Object.entries(merged).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

const start = (changes: Record<string, unknown> = {}, cloud: FakeAzure = fakeAzure(), preview = false) => runAzure(program, cloud, config(changes), preview);

async function up(changes?: Record<string, unknown>, cloud?: FakeAzure) {
  const done = await start(changes, cloud);
  expect(done.result.errors).toEqual([]);
  const outputs = Object.fromEntries(Object.entries(done.result.outputs).map(([name, { value }]) => [name, value]));
  return { ...done, outputs, contract: readContract(outputs.contract) };
}

/** The one message of a program that registered nothing. */
async function refusal(changes: Record<string, unknown>, cloud?: FakeAzure): Promise<string> {
  const { result } = await start(changes, cloud);
  expect(result.resources).toEqual([]);
  expect(result.errors).toHaveLength(1);
  return result.errors[0] ?? "";
}

const GROUP = "rg-acme-dcf";
const ISSUER = "https://oidc.dcf.example";
const SUBJECT = "system:serviceaccount:dcf:project-4711";
const workload = { issuer: ISSUER, subject: SUBJECT };
const IDENTITY = "dcf-azure-test";
const principalId = guidOf(`principal of ${IDENTITY}`);
const account = armId(GROUP, "Microsoft.Storage/storageAccounts", "acmedcfartifacts");
const container = `${account}/blobServices/default/containers/artifacts`;
const registry = armId(GROUP, "Microsoft.ContainerRegistry/registries", "acmedcf");
const pullId = armId(GROUP, "Microsoft.ManagedIdentity/userAssignedIdentities", "acmedcf-pull");
const roles = { contributor: "b24988ac-6180-42a0-ab88-20f7382dd24c", blobs: "ba92f5b4-2d11-453d-a403-e96b0029c9fe", pull: "7f951dda-4ed3-4680-a7ca-43fe172d538d" };

const theirs = (tags: Record<string, string> = {}) =>
  fakeAzure({
    found: {
      getResourceGroup: { [GROUP]: { id: groupId(GROUP), location: "westeurope", tags }, "rg-acme-identity": { id: groupId("rg-acme-identity"), location: "westeurope" } },
      getUserAssignedIdentity: { "id-theirs": foundIdentity("rg-acme-identity", "id-theirs"), "id-pull": foundIdentity(GROUP, "id-pull") },
      getStorageAccount: { acmedcfartifacts: foundAccount(GROUP, "acmedcfartifacts") },
      getBlobContainer: { artifacts: foundContainer(GROUP, "acmedcfartifacts", "artifacts") },
      getRegistry: { acmedcf: { id: registry, loginServer: "acmedcf.azurecr.io" } },
      getAppServicePlan: { "plan-acme-dcf": { id: armId(GROUP, "Microsoft.Web/serverfarms", "plan-acme-dcf"), reserved: true } },
      getWebApp: { "app-acme-dcf": { id: armId(GROUP, "Microsoft.Web/sites", "app-acme-dcf"), defaultHostName: "app-acme-dcf.azurewebsites.net" } },
    },
  });
const existingGroup = { name: GROUP, mode: "existing" };
const allExisting = {
  resourceGroup: existingGroup,
  identityResourceGroup: undefined,
  identity: { mode: "existing", id: armId("rg-acme-identity", "Microsoft.ManagedIdentity/userAssignedIdentities", "id-theirs"), existingCredentials: 3 },
  storageAccount: { name: "acmedcfartifacts", mode: "existing" },
  container: { name: "artifacts", mode: "existing" },
  appService: {
    registry: { name: "acmedcf", mode: "existing" },
    plan: { name: "plan-acme-dcf", mode: "existing" },
    site: { name: "app-acme-dcf", mode: "existing" },
    pullIdentity: { mode: "existing", id: armId(GROUP, "Microsoft.ManagedIdentity/userAssignedIdentities", "id-pull") },
  },
  refusalContainer: { enabled: false },
};

describe("dcf-azure", () => {
  it("provisions the example, and says so in its contract", async () => {
    const { contract, outputs, children, assignments, warnings } = await up();
    expect([...children.keys()].sort()).toEqual([
      "dcf-app-plan",
      "dcf-app-pull",
      "dcf-app-pull-access",
      "dcf-app-registry",
      "dcf-app-site",
      "dcf-artifacts-access",
      "dcf-artifacts-account",
      "dcf-artifacts-container",
      "dcf-artifacts-service",
      "dcf-contributor",
      "dcf-credential",
      "dcf-group",
      "dcf-identity",
      "dcf-identity-group",
      "dcf-refusal",
    ]);
    expect(children.get("dcf-group")?.inputs).toEqual({ resourceGroupName: GROUP, location: "westeurope", tags: { dcfCorrelationId: "dcf-4711-5f0c9a2e" } });
    expect(children.get("dcf-identity")?.inputs).toMatchObject({ resourceGroupName: "rg-acme-identity", resourceName: IDENTITY });
    expect(assignments()).toHaveLength(3);
    expect(assignments()).toEqual(
      expect.arrayContaining([
        { scope: groupId(GROUP), role: roles.contributor, principalId },
        { scope: container, role: roles.blobs, principalId },
        { scope: registry, role: roles.pull, principalId: guidOf("principal of acmedcf-pull") },
      ]),
    );
    expect(warnings).toEqual([]);
    const place = { region: "westeurope", ownership: "created" };
    const blobEndpoint = "https://acmedcfartifacts.blob.core.windows.net/";
    const identityId = armId("rg-acme-identity", "Microsoft.ManagedIdentity/userAssignedIdentities", IDENTITY);
    expect(contract).toEqual({
      kind: "cloud-federation/contract",
      version: 1,
      integration: "dcf-azure",
      environment: "cloud",
      workload: { ...workload, audience: "api://AzureADTokenExchange" },
      exchange: {
        type: "azure-client-assertion",
        cloud: "public",
        tenantId: TENANT,
        subscriptionId: SUBSCRIPTION,
        clientId: guidOf(`client of ${IDENTITY}`),
        principalId,
        identity: { kind: "managed-identity", resourceId: identityId },
        federatedCredential: credentialName("dcf", ISSUER, SUBJECT),
      },
      grants: [
        {
          id: "group",
          kind: "azure-resource-group",
          role: "Contributor",
          permissions: [
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
            "Microsoft.Storage/storageAccounts/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
          ],
          subscriptionId: SUBSCRIPTION,
          resourceGroup: GROUP,
          correlationId: "dcf-4711-5f0c9a2e",
        },
        {
          id: "artifacts",
          kind: "blob-container",
          role: "Storage Blob Data Contributor",
          permissions: [
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
          ],
          subscriptionId: SUBSCRIPTION,
          resourceGroup: GROUP,
          account: "acmedcfartifacts",
          container: "artifacts",
          blobEndpoint,
          grantedOn: "container",
        },
        {
          id: "app",
          kind: "app-service",
          role: "Contributor",
          permissions: expect.arrayContaining(["Microsoft.Web/sites/write", "Microsoft.Web/sites/delete", "Microsoft.ContainerRegistry/registries/push/write"]),
          subscriptionId: SUBSCRIPTION,
          resourceGroup: GROUP,
          plan: "plan-acme-dcf",
          site: "app-acme-dcf",
          hostName: "app-acme-dcf.azurewebsites.net",
          registry: "acmedcf",
          loginServer: "acmedcf.azurecr.io",
          pullIdentityId: pullId,
          containerPort: 80,
        },
      ],
      targets: [
        { kind: "resource-group", id: groupId(GROUP), ...place },
        { kind: "managed-identity", id: identityId, ownership: "created" },
        { kind: "storage-account", id: account, ...place },
        { kind: "blob-container", id: container, ...place },
        { kind: "blob-container", id: `${container}-refusal`, ...place },
        { kind: "container-registry", id: registry, ...place },
        { kind: "managed-identity", id: pullId, ownership: "created" },
        { kind: "app-service-plan", id: armId(GROUP, "Microsoft.Web/serverfarms", "plan-acme-dcf"), ...place },
        { kind: "app-service", id: armId(GROUP, "Microsoft.Web/sites", "app-acme-dcf"), ...place },
      ],
      refusalTargets: [{ kind: "blob-container", account: "acmedcfartifacts", container: "artifacts-refusal", blobEndpoint }],
      unrecognised: [],
    });
    expect(outputs).toMatchObject({
      tenantId: TENANT,
      subscriptionId: SUBSCRIPTION,
      resourceGroupName: GROUP,
      clientId: guidOf(`client of ${IDENTITY}`),
      dcfCorrelationId: "dcf-4711-5f0c9a2e",
      storageAccountName: "acmedcfartifacts",
      containerName: "artifacts",
      containerRegistryName: "acmedcf",
      appServicePlanName: "plan-acme-dcf",
      appServiceName: "app-acme-dcf",
    });
  });

  it("does without anything to deploy to, for DCF's own template to make later", async () => {
    const { contract, children, outputs } = await up({ appService: undefined });
    expect([...children.keys()].filter((name) => name.startsWith("dcf-app"))).toEqual([]);
    expect(contract.grants.map(({ id }) => id)).toEqual(["group", "artifacts"]);
    expect(outputs).not.toHaveProperty("appServicePlanName");
  });

  it("makes registry and plan without a site, which grants nothing to verify", async () => {
    const { contract, children, outputs } = await up({ appService: { registry: { name: "acmedcf" }, plan: { name: "plan-acme-dcf", size: "P1v3" } } });
    expect(children.has("dcf-app-site")).toBe(false);
    expect(children.get("dcf-app-plan")?.inputs.sku).toEqual({ name: "P1v3" });
    expect(contract.grants.map(({ id }) => id)).toEqual(["group", "artifacts"]);
    expect(contract.targets.map(({ kind }) => kind)).toContain("app-service-plan");
    expect(outputs).toMatchObject({ containerRegistryName: "acmedcf", appServicePlanName: "plan-acme-dcf" });
    expect(outputs).not.toHaveProperty("appServiceName");
  });

  it("takes an app registration instead of a managed identity by one key", async () => {
    const { contract, children, assignments } = await up({ identityKind: "application", identityResourceGroup: undefined });
    const clientId = guidOf(`client of ${IDENTITY}`);
    const objectId = guidOf(`object of ${IDENTITY}`);
    expect([...children.keys()].filter((name) => /^dcf-(application|principal|credential|identity)/.test(name))).toEqual(["dcf-application", "dcf-principal", "dcf-credential"]);
    expect(contract.exchange).toMatchObject({ clientId, principalId: guidOf(`principal of ${clientId}`), identity: { kind: "application", objectId } });
    expect(contract.targets.filter(({ kind }) => kind === "application" || kind === "service-principal").map(({ id }) => id)).toEqual([`applications/${objectId}`, `servicePrincipals/${guidOf(`principal of ${clientId}`)}`]);
    expect(assignments().filter(({ principalId: assigned }) => assigned === objectId)).toEqual([]);
    expect(assignments()).toContainEqual({ scope: groupId(GROUP), role: roles.contributor, principalId: guidOf(`principal of ${clientId}`) });
  });

  it("warns where the identity is in the group that it is Contributor of", async () => {
    const { children, warnings } = await up({ identityResourceGroup: { mode: "inside" } });
    expect(children.get("dcf-identity")?.inputs.resourceGroupName).toBe(GROUP);
    expect(warnings).toEqual([
      "identityResourceGroup: the identity is in rg-acme-dcf, of which it is Contributor: whoever acts as it can add federated credentials to it, and so let in others than " +
        `${SUBJECT}. Use a group of its own (mode create or existing) where you can.`,
    ]);
  });

  it("puts the identity into a group of its own unless told otherwise", async () => {
    const { children, warnings } = await up({ identityResourceGroup: undefined });
    expect(children.get("dcf-identity-group")?.inputs).toEqual({ resourceGroupName: "rg-acme-dcf-identity", location: "westeurope" });
    expect(children.get("dcf-identity")?.inputs.resourceGroupName).toBe("rg-acme-dcf-identity");
    expect(warnings).toEqual([]);
  });

  it("warns of an issuer that ends in a slash, and takes it", async () => {
    const { warnings, contract } = await up({ workload: { ...workload, issuer: `${ISSUER}/` } });
    expect(warnings).toEqual([expect.stringMatching(/^workload\.issuer: ends in a slash: Entra compares letter for letter/)]);
    expect(contract.workload.issuer).toBe(`${ISSUER}/`);
  });

  it("grants on the whole account where asked to, and then has nothing to show a refusal on", async () => {
    const { contract, children, assignments } = await up({ container: { name: "artifacts", grantOn: "account" } });
    expect(assignments()).toContainEqual({ scope: account, role: roles.blobs, principalId });
    expect(children.has("dcf-refusal")).toBe(false);
    expect(contract.refusalTargets).toEqual([]);
    expect(contract.grants[1]).toMatchObject({ grantedOn: "account" });
  });

  it("tags what it creates, and puts the correlation id on the group alone", async () => {
    const { children } = await up({ tags: { team: "platform" } });
    expect(children.get("dcf-group")?.inputs.tags).toEqual({ team: "platform", dcfCorrelationId: "dcf-4711-5f0c9a2e" });
    for (const name of ["dcf-identity-group", "dcf-identity", "dcf-artifacts-account", "dcf-app-registry", "dcf-app-plan", "dcf-app-site", "dcf-app-pull"]) {
      expect(children.get(name)?.inputs.tags).toEqual({ team: "platform" });
    }
  });

  it("keeps on destroy what Azure would delete with everything in it, unless told not to", async () => {
    const kept = ({ children }: Awaited<ReturnType<typeof up>>) => [...children.values()].filter(({ retainOnDelete }) => retainOnDelete).map(({ name }) => name).sort();
    expect(kept(await up())).toEqual(["dcf-app-registry", "dcf-artifacts-account", "dcf-artifacts-container", "dcf-artifacts-service", "dcf-group", "dcf-identity-group"]);
    expect(kept(await up({ retainOnDestroy: false }))).toEqual([]);
  });

  it("makes nothing of what exists but trust, grants and the tag, and says whose it is", async () => {
    const { contract, children } = await up(allExisting, theirs({ "cost-centre": "42" }));
    expect([...children.keys()].sort()).toEqual(["dcf-artifacts-access", "dcf-contributor", "dcf-credential", "dcf-group-tags"]);
    expect(children.get("dcf-group-tags")?.inputs).toEqual({ scope: groupId(GROUP), properties: { tags: { dcfCorrelationId: "dcf-4711-5f0c9a2e" } } });
    expect(contract.targets.map(({ ownership }) => ownership)).toEqual(Array(8).fill("existing"));
    expect(contract.refusalTargets).toEqual([]);
  });

  it("puts what it creates into an existing group", async () => {
    const { children, contract } = await up({ resourceGroup: existingGroup }, theirs());
    expect(children.has("dcf-group")).toBe(false);
    expect(children.get("dcf-artifacts-account")?.inputs.resourceGroupName).toBe(GROUP);
    expect(contract.targets[0]).toMatchObject({ kind: "resource-group", ownership: "existing" });
  });

  it("tells the sandbox by the subscription's tag", async () => {
    const tagged = (value: string) => fakeAzure({ subscriptions: [{ subscriptionId: SUBSCRIPTION, tenantId: TENANT, state: "Enabled", tags: { [SANDBOX_SUBSCRIPTION_TAG]: value } }] });
    expect((await up({}, tagged("true"))).contract.environment).toBe("sandbox");
    expect((await up({}, tagged("false"))).contract.environment).toBe("cloud");
  });

  it.each([
    ["usgovernment", "api://AzureADTokenExchangeUSGov"],
    ["china", "api://AzureADTokenExchangeChina"],
  ])("takes the audience of %s by one key", async (cloud, audience) => {
    const { contract, children } = await up({ cloud, "azure-native:environment": cloud });
    expect(contract.exchange).toMatchObject({ cloud });
    expect(contract.workload.audience).toBe(audience);
    expect(children.get("dcf-credential")?.inputs.audiences).toEqual([audience]);
  });

  it("previews with what is not known yet left open", async () => {
    const { result } = await start({}, fakeAzure(), true);
    expect(result.errors).toEqual([]);
    expect(result.outputs.contract?.known).toBe(false);
    expect(result.outputs.dcfCorrelationId?.value).toBe("dcf-4711-5f0c9a2e");
  });
});

describe("dcf-azure refuses", () => {
  it.each<[string, Record<string, unknown>, string]>([
    ["an unknown cloud", { cloud: "germany" }, 'cloud: must be public or usgovernment or china; got "germany"; set it with `pulumi config set cloud public`'],
    ["a tenant by its domain", { tenantId: "customer.onmicrosoft.com" }, "tenantId: must be a tenant id: a GUID such as aaaabbbb-0000-cccc-1111-dddd2222eeee; got \"customer.onmicrosoft.com\""],
    ["no correlation id", { dcfCorrelationId: undefined }, "dcfCorrelationId: is required; it is not set; set it with"],
    ["a correlation id with a blank at its end", { dcfCorrelationId: "dcf-4711 " }, "dcfCorrelationId: must be what DCF showed at registration: 1 to 256 characters without blanks at the ends"],
    ["an issuer in capitals", { workload: { ...workload, issuer: "https://OIDC.dcf.example" } }, "workload.issuer: must have its host in lower case"],
    ["no subject", { workload: { issuer: ISSUER } }, "workload.subject: is required; it is not set"],
    ["a subject of another form", { workload: { issuer: ISSUER, subject: "serviceAccount:dcf:x" } }, "workload.subject: looks like a Kubernetes service account, whose subject is system:serviceaccount:NAMESPACE:NAME"],
    ["a mistyped audience", { workload: { ...workload, audience: "api://AzureAdTokenExchange" } }, "workload.audience: must be api://AzureADTokenExchange, letter for letter"],
    ["an unknown key", { resourcegroup: { name: "x" } }, "resourcegroup: is no key of this configuration; did you mean resourceGroup?"],
    ["both kinds of identity", { application: {} }, "application: goes with identityKind application only: leave it out, say identity instead, or change identityKind"],
    ["an identity without its id", { identityResourceGroup: undefined, identity: { mode: "existing" } }, "identity.id: is required with mode existing: the ARM id of the identity"],
    ["an id of an identity to create", { identity: { id: "/x" } }, "identity.id: goes with mode existing only"],
    ["20 credentials that are there", { identityResourceGroup: undefined, identity: { mode: "existing", id: "/x", existingCredentials: 20 } }, "identity.existingCredentials: must be a whole number from 0 to 19 (credentials); got 20"],
    ["the identity's group for an existing identity", { identity: { mode: "existing", id: "/x" } }, "identityResourceGroup: goes with a created identity only: an existing one is where it is"],
    ["the identity's group for an application", { identityKind: "application" }, "identityResourceGroup: goes with identityKind managed-identity only: an app registration is in no group"],
    ["the connected group as the identity's own", { identityResourceGroup: { name: "RG-ACME-DCF" } }, "identityResourceGroup.name: must be another than resourceGroup.name"],
    ["an account with a hyphen", { storageAccount: { name: "acme-dcf" } }, "storageAccount.name: must be 3 to 24 lower-case letters or digits"],
    ["an account with a reserved word", { storageAccount: { name: "xboxacme" } }, "storageAccount.name: must not have the word xbox, which Azure reserves"],
    ["settings of an existing account", { resourceGroup: { name: GROUP, mode: "existing" }, storageAccount: { name: "acme", mode: "existing", softDeleteDays: 7 } }, "storageAccount.softDeleteDays: has no effect on an existing account"],
    ["an existing container in a new account", { container: { name: "artifacts", mode: "existing" } }, "container.mode: must be create in an account that the stack creates"],
    ["an existing account in a new group", { storageAccount: { name: "acme", mode: "existing" } }, "storageAccount.mode: must be create in a resource group that the stack creates, which is empty"],
    ["a refusal container in an account that is granted", { container: { name: "artifacts", grantOn: "account" }, refusalContainer: { enabled: true } }, "refusalContainer.enabled: must be false with container.grantOn account"],
    ["a refusal container that is the container", { refusalContainer: { name: "artifacts" } }, 'refusalContainer.name: must be another than container.name; got "artifacts"'],
    ["a registry with a hyphen", { appService: { registry: { name: "acme-dcf" }, plan: { name: "p" } } }, "appService.registry.name: must be 5 to 50 letters or digits"],
    ["a size that is none", { appService: { registry: { name: "acmedcf" }, plan: { name: "p", size: "B9" } } }, "appService.plan.size: must be B1 or F1 or "],
    ["an existing site on a new plan", { resourceGroup: { name: GROUP, mode: "existing" }, appService: { registry: { name: "acmedcf" }, plan: { name: "p" }, site: { name: "app", mode: "existing" } } }, "appService.site.mode: must be create on a plan that the stack creates: an existing App Service is on a plan that exists"],
    ["a pull identity without its id", { appService: { registry: { name: "acmedcf" }, plan: { name: "p" }, pullIdentity: { mode: "existing" } } }, "appService.pullIdentity.id: is required with mode existing"],
    ["a region's display name", { region: "West Europe" }, "region: must be a region's short name, in lower case and without blanks"],
    ["tags that differ in case alone", { tags: { Team: "a", team: "b" } }, 'tags.team: differs from the tag "Team" only in case'],
  ])("%s", async (_name, changes, line) => {
    expect(await refusal(changes)).toContain(`The configuration of dcf-azure has a mistake:\n  ${line}`);
  });

  it("all mistakes at once", async () => {
    const text = await refusal({ cloud: "x", subscriptionId: "y", storageAccount: { name: "A" }, dcfCorrelationId: undefined });
    expect(text).toMatch(/^The configuration of dcf-azure has 4 mistakes:\n {2}cloud: .*\n {2}subscriptionId: .*\n {2}dcfCorrelationId: .*\n {2}storageAccount\.name: /);
  });

  const other = "bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f";
  it("another subscription, tenant or cloud than the provider's", async () => {
    expect(await refusal({ "azure-native:subscriptionId": other })).toBe(
      `This stack is for subscription ${SUBSCRIPTION}, but azure-native:subscriptionId is ${other}. Nothing was changed. Set it with \`pulumi config set azure-native:subscriptionId ${SUBSCRIPTION}\`, or choose the stack of ${other}.`,
    );
    expect(await refusal({ "azure-native:tenantId": other })).toContain(`This stack is for tenant ${TENANT}, but azure-native:tenantId is ${other}.`);
    expect(await refusal({ "azure-native:environment": "china" })).toContain("This stack is for cloud public, but azure-native:environment is china.");
    expect(await refusal({ cloud: "usgovernment" })).toBe(
      "This stack is for cloud usgovernment, but azure-native:environment is not set. Nothing was changed. Set it with `pulumi config set azure-native:environment usgovernment`.",
    );
  });

  it("credentials of another subscription or tenant, also of the directory's provider", async () => {
    const client = { tenantId: TENANT, subscriptionId: SUBSCRIPTION, clientId: "", objectId: "" };
    expect(await refusal({}, fakeAzure({ client: { ...client, subscriptionId: other } }))).toBe(
      `subscriptionId: this stack is for the subscription ${SUBSCRIPTION}, but the credentials are for ${other}. Nothing was changed. Set it with \`pulumi config set azure-native:subscriptionId ${SUBSCRIPTION}\`, ` +
        `or use credentials of that subscription (\`az account set --subscription ${SUBSCRIPTION}\`).`,
    );
    expect(await refusal({}, fakeAzure({ client: { ...client, tenantId: other } }))).toContain(`tenantId: this stack is for the tenant ${TENANT}, but the credentials are for ${other}.`);
    const foreign = fakeAzure({ directory: { tenantId: other } });
    expect(await refusal({ identityKind: "application", identityResourceGroup: undefined }, foreign)).toContain("Set it with `pulumi config set azuread:tenantId");
    await up({}, foreign);
  });

  it("a subscription that cannot be seen, is disabled, or has moved to another tenant", async () => {
    expect(await refusal({}, fakeAzure({ subscriptions: [] }))).toContain(`subscriptionId: the subscription ${SUBSCRIPTION} is not there, or the credentials have no role in it. Nothing was changed.`);
    const with_ = (changes: object) => fakeAzure({ subscriptions: [{ subscriptionId: SUBSCRIPTION, tenantId: TENANT, state: "Enabled", ...changes }] });
    expect(await refusal({}, with_({ state: "Disabled" }))).toContain(`subscriptionId: the subscription ${SUBSCRIPTION} is Disabled: nothing can be made in it.`);
    expect(await refusal({}, with_({ tenantId: other }))).toContain(`subscriptionId: the subscription ${SUBSCRIPTION} is of the tenant ${other}, not of ${TENANT}.`);
    await up({}, with_({ state: "Warned" }));
  });

  it("a group of another onboarding session, with both values and before anything is changed", async () => {
    const cloud = fakeAzure({ found: { getResourceGroup: { [GROUP]: { id: groupId(GROUP), location: "westeurope", tags: { dcfCorrelationId: "dcf-1" } } } } });
    expect(await refusal({ resourceGroup: { name: GROUP, mode: "existing" } }, cloud)).toBe(
      'dcf-azure cannot be provisioned, and nothing was changed:\n  dcfCorrelationId: is to be "dcf-4711-5f0c9a2e", but the resource group rg-acme-dcf has the tag dcfCorrelationId with the value "dcf-1", which is not written over. ' +
        `Use the group that is meant, or, where the former value is given up, change it with \`az tag update --resource-id ${groupId(GROUP)} --operation Merge --tags dcfCorrelationId=dcf-4711-5f0c9a2e\``,
    );
  });

  it("namespaces that the subscription has not registered", async () => {
    const unregistered = (namespace: string) => new Error(`request failed /x: Status=409 Code="MissingSubscriptionRegistration" Message="The subscription is not registered to use namespace '${namespace}'."`);
    const cloud = fakeAzure({
      found: {
        getUserAssignedIdentity: { [IDENTITY]: unregistered("Microsoft.ManagedIdentity") },
        getRegistry: { acmedcf: unregistered("Microsoft.ContainerRegistry") },
        getAppServicePlan: { "plan-acme-dcf": unregistered("Microsoft.Web") },
      },
    });
    const text = await refusal({}, cloud);
    for (const namespace of ["Microsoft.ManagedIdentity", "Microsoft.ContainerRegistry", "Microsoft.Web"]) {
      expect(text).toContain(`subscriptionId: the subscription has not registered ${namespace}: do so with \`az provider register --namespace ${namespace} --wait\``);
    }
  });

  it("existing things that are missing or do not fit, all at once and before any change", async () => {
    const changes = {
      resourceGroup: { name: GROUP, mode: "existing" },
      identityResourceGroup: undefined,
      identity: { mode: "existing", id: armId("rg-acme-identity", "Microsoft.ManagedIdentity/userAssignedIdentities", "id-theirs").replace(SUBSCRIPTION, other) },
      storageAccount: { name: "acmefiles", mode: "existing" },
      container: { name: "artifacts", mode: "existing" },
      appService: { registry: { name: "acmedcf", mode: "existing" }, plan: { name: "plan-acme-dcf", mode: "existing" }, site: { name: "app-acme-dcf", mode: "existing" }, pullIdentity: { mode: "existing", id: "id-pull" } },
    };
    const cloud = fakeAzure({
      found: {
        getStorageAccount: { acmefiles: foundAccount(GROUP, "acmefiles", { kind: "FileStorage" }) },
        getBlobContainer: { artifacts: foundContainer(GROUP, "acmefiles", "artifacts", { publicAccess: "Blob" }) },
        getRegistry: { acmedcf: { policies: { azureADAuthenticationAsArmPolicy: { status: "disabled" } } } },
        getAppServicePlan: { "plan-acme-dcf": { reserved: false } },
      },
    });
    const lines = (await refusal(changes, cloud)).split("\n").map((line) => line.trim());
    expect(lines[0]).toBe("dcf-azure cannot be provisioned, and nothing was changed:");
    expect(lines.slice(1).map((line) => line.slice(0, 64))).toEqual(
      [
        `identity.id: must be in the subscription ${SUBSCRIPTION}; got one of ${other}`,
        "storageAccount.name: acmefiles is a FileStorage account, which has no blobs: use another",
        "container.name: artifacts lets everybody read its blobs (publicAccess Blob)",
        "appService.registry.name: acmedcf refuses tokens for Azure Resource Manager, with which",
        "appService.plan.name: plan-acme-dcf is for Windows, on which DCF's containers do not run",
        "appService.site.name: the App Service app-acme-dcf in rg-acme-dcf cannot be read",
        "appService.pullIdentity.id: must be the ARM id of a user-assigned managed identity",
        "resourceGroup.name: the resource group rg-acme-dcf cannot be read",
      ].map((line) => line.slice(0, 64)),
    );
  });

  it("nothing of an existing registry and site that only makes them weaker, but says so", async () => {
    const { found } = theirs();
    const weaker = { acmedcf: { id: registry, loginServer: "acmedcf.azurecr.io", adminUserEnabled: true } };
    const keyed = { "app-acme-dcf": { id: armId(GROUP, "Microsoft.Web/sites", "app-acme-dcf"), defaultHostName: "app-acme-dcf.azurewebsites.net", siteConfig: { acrUseManagedIdentityCreds: false } } };
    const { warnings } = await up(allExisting, fakeAzure({ found: { ...found, getRegistry: weaker, getWebApp: keyed } }));
    expect(warnings).toEqual([
      expect.stringMatching(/^appService\.registry: acmedcf has an admin user, whose passwords everybody with Contributor on the resource group may list/),
      expect.stringMatching(/^appService\.site: app-acme-dcf does not pull images with a managed identity/),
    ]);
  });

  it("nothing of an existing account that only makes it weaker or harder to reach, but says so", async () => {
    const found = {
      getResourceGroup: { [GROUP]: { id: groupId(GROUP), location: "westeurope" } },
      getStorageAccount: { acmedcfartifacts: foundAccount(GROUP, "acmedcfartifacts", { allowSharedKeyAccess: undefined, networkRuleSet: { defaultAction: "Deny" } }) },
      getBlobContainer: { artifacts: foundContainer(GROUP, "acmedcfartifacts", "artifacts", { hasLegalHold: true }) },
    };
    const changes = { resourceGroup: { name: GROUP, mode: "existing" }, storageAccount: { name: "acmedcfartifacts", mode: "existing" }, container: { name: "artifacts", mode: "existing" } };
    const { warnings } = await up(changes, fakeAzure({ found }));
    expect(warnings).toEqual([
      expect.stringMatching(/^storageAccount: acmedcfartifacts takes its keys, which everybody with Contributor on the resource group may list/),
      expect.stringMatching(/^storageAccount: acmedcfartifacts refuses networks that it does not name \(its default action is Deny\): calls from the platform's addresses fail with AuthorizationFailure/),
      expect.stringMatching(/^container: artifacts keeps its blobs from being changed or deleted \(a legal hold\)/),
    ]);
  });
});

describe("the published schema of dcf-azure", () => {
  it("is there, and requires what the program requires", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cloud-federation-schemas-"));
    try {
      await publishSchemas(folder);
      const schema = JSON.parse(readFileSync(join(folder, "stacks/dcf-azure.schema.json"), "utf8")) as { required: string[]; properties: Record<string, unknown> };
      expect(schema.required).toEqual(["tenantId", "subscriptionId", "region", "workload", "dcfCorrelationId", "resourceGroup", "storageAccount", "container"]);
      expect(schema.properties.cloud).toMatchObject({ enum: ["public", "usgovernment", "china"], default: "public" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("names every integration in Pulumi.yaml", () => {
    const project = parse(readFileSync(join(__dirname, "../../Pulumi.yaml"), "utf8")) as { config: { integration: { description: string } } };
    for (const name of ["dcf-azure", "ddoe-azure"]) expect(project.config.integration.description).toContain(name);
  });
});
