import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { readContract } from "../../contract/index.js";
import { credentialName } from "../../components/azure/federated-credential.js";
import program from "../../stacks/index.js";
import { publishSchemas } from "../../stacks/publish.js";
import { armId, fakeAzure, foundAccount, foundContainer, groupId, guidOf, runAzure, SUBSCRIPTION, TENANT, type FakeAzure } from "../components/fake-azure.js";
import { forwardRejections } from "../engine/forward-rejections.js";

forwardRejections();

const example = (parse(readFileSync(join(__dirname, "../../examples/ddoe-azure/Pulumi.ddoe-azure.yaml"), "utf8")) as { config: Record<string, unknown> }).config;

/** The example's configuration as the engine passes it, with changes; undefined takes a key away. */
function config(changes: Record<string, unknown>): Record<string, string> {
  const merged = { ...example, ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [key.includes(":") ? key : `cloud-federation:${key}`, value])) };
  const entries = Object.entries(merged).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

const start = (changes: Record<string, unknown> = {}, cloud: FakeAzure = fakeAzure()) => runAzure(program, cloud, config(changes));

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

const GROUP = "rg-acme-ddoe";
const ISSUER = "https://oidc.ddoe.example";
const SUBJECT = "system:serviceaccount:ddoe:labelling";
const workload = { issuer: ISSUER, subject: SUBJECT };
const NAME = "ddoe-azure-test";
const clientId = guidOf(`client of ${NAME}`);
const principalId = guidOf(`principal of ${clientId}`);
const objectId = guidOf(`object of ${NAME}`);
const account = armId(GROUP, "Microsoft.Storage/storageAccounts", "acmeddoedata");
const container = `${account}/blobServices/default/containers/datasets`;
const BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

describe("ddoe-azure", () => {
  it("provisions the example, and says so in its contract", async () => {
    const { contract, children, assignments, warnings } = await up();
    expect([...children.keys()].sort()).toEqual([
      "ddoe-application",
      "ddoe-artifacts-access",
      "ddoe-artifacts-account",
      "ddoe-artifacts-container",
      "ddoe-artifacts-service",
      "ddoe-credential",
      "ddoe-group",
      "ddoe-principal",
      "ddoe-refusal",
    ]);
    expect(assignments()).toEqual([{ scope: container, role: BLOB_CONTRIBUTOR, principalId }]);
    expect(warnings).toEqual([]);
    expect(contract).toMatchObject({
      integration: "ddoe-azure",
      environment: "cloud",
      workload: { ...workload, audience: "api://AzureADTokenExchange" },
      exchange: {
        type: "azure-client-assertion",
        cloud: "public",
        tenantId: TENANT,
        subscriptionId: SUBSCRIPTION,
        clientId,
        principalId,
        identity: { kind: "application", objectId },
        federatedCredential: credentialName("ddoe", ISSUER, SUBJECT),
      },
      refusalTargets: [{ kind: "blob-container", account: "acmeddoedata", container: "datasets-refusal" }],
    });
    expect(contract.grants.map(({ id, kind }) => [id, kind])).toEqual([["artifacts", "blob-container"]]);
    expect(contract.targets.map(({ kind, id }) => [kind, id])).toEqual([
      ["resource-group", groupId(GROUP)],
      ["application", `applications/${objectId}`],
      ["service-principal", `servicePrincipals/${principalId}`],
      ["storage-account", account],
      ["blob-container", container],
      ["blob-container", `${container}-refusal`],
    ]);
  });

  it.each([
    ["as in the example", {}],
    ["with a slash", { workload: { ...workload, issuer: `${ISSUER}/` } }],
    ["with an audience of its own", { workload: { ...workload, audience: "https://ddoe.example/azure" } }],
  ])("makes the JSON file and the credential of one value, %s", async (_name, changes) => {
    const { outputs, child } = await up(changes);
    const { issuer, subject, audiences } = child("ddoe-credential").inputs;
    expect(outputs.azureCredentials).toEqual({ clientId, tenantId: TENANT, federatedTokenIssuer: issuer, subject, audience: (audiences as string[])[0] });
  });

  it("takes a managed identity instead of an application by one key", async () => {
    const { contract, children, outputs } = await up({ identityKind: "managed-identity" });
    const identityId = armId(GROUP, "Microsoft.ManagedIdentity/userAssignedIdentities", NAME);
    expect(contract.exchange).toMatchObject({ identity: { kind: "managed-identity", resourceId: identityId } });
    expect([...children.keys()].filter((name) => /application|principal/.test(name))).toEqual([]);
    expect(outputs.azureCredentials).toMatchObject({ clientId: guidOf(`client of ${NAME}`) });
  });

  it("grants on a container that is there, and makes nothing but trust and grant", async () => {
    const theirs = "00001111-aaaa-2222-bbbb-3333cccc4444";
    const found = {
      getResourceGroup: { [GROUP]: { id: groupId(GROUP), location: "westeurope" } },
      getStorageAccount: { acmeddoedata: foundAccount(GROUP, "acmeddoedata") },
      getBlobContainer: { datasets: foundContainer(GROUP, "acmeddoedata", "datasets") },
      getApplication: { [theirs]: { objectId, displayName: "Theirs", signInAudience: "AzureADMyOrg" } },
      getServicePrincipal: { [theirs]: { objectId: principalId, applicationTenantId: TENANT, accountEnabled: true } },
    };
    const changes = {
      resourceGroup: { name: GROUP, mode: "existing" },
      storageAccount: { name: "acmeddoedata", mode: "existing" },
      container: { name: "datasets", mode: "existing" },
      application: { mode: "existing", clientId: theirs },
      refusalContainer: { enabled: false },
    };
    const { children, contract } = await up(changes, fakeAzure({ found }));
    expect([...children.keys()].sort()).toEqual(["ddoe-artifacts-access", "ddoe-credential"]);
    expect(contract.targets.map(({ ownership }) => ownership)).toEqual(Array(5).fill("existing"));
  });
});

describe("ddoe-azure refuses", () => {
  it("to guess issuer and subject", async () => {
    expect(await refusal({ workload: undefined })).toContain("workload: is required; it is not set; set it with `pulumi config set --path workload.issuer https://oidc.ddoe.example`");
    expect(await refusal({ workload: {} })).toMatch(/has 2 mistakes:\n {2}workload\.issuer: is required; .*\n {2}workload\.subject: is required; /);
  });

  it.each<[string, Record<string, string>, string]>([
    ["the seed's issuer, in capitals", { issuer: "https://DDOE.ai/oauth2" }, "workload.issuer: must have its host in lower case, as the tokens' iss does: Entra compares letter for letter; got \"https://DDOE.ai/oauth2\""],
    ["the seed's placeholder", { subject: "system:serviceaccount:ddoe:<service-name>" }, "workload.subject: has a placeholder, <service-name>: put in the platform's own value"],
    ["a namespace in capitals", { subject: "system:serviceaccount:DDOE:labelling" }, "workload.subject: looks like a Kubernetes service account, whose subject is system:serviceaccount:NAMESPACE:NAME, in lower case"],
    ["the account form", { subject: "serviceAccount:ddoe:labelling" }, "workload.subject: looks like a Kubernetes service account"],
    ["a pasted blank", { subject: "system:serviceaccount:ddoe:labelling " }, "workload.subject: must not begin or end with a blank"],
    ["a character that nobody sees", { issuer: "https://oidc.ddoe\u200b.example" }, "workload.issuer: has a character that nobody sees: type it anew instead of pasting it; got \"https://oidc.ddoe\\u{200B}.example\""],
    ["a metadata address", { issuer: `${ISSUER}/.well-known/openid-configuration` }, "workload.issuer: must be the issuer, not the address of its metadata"],
  ])("%s", async (_name, changes, line) => {
    expect(await refusal({ workload: { ...workload, ...changes } })).toContain(`The configuration of ddoe-azure has a mistake:\n  ${line}`);
  });

  it("an application without a service principal, a disabled one, and one that is not there", async () => {
    const theirs = "00001111-aaaa-2222-bbbb-3333cccc4444";
    const changes = { application: { mode: "existing", clientId: theirs } };
    const application = { objectId, displayName: "Theirs", signInAudience: "AzureADMyOrg" };
    expect(await refusal(changes, fakeAzure({ found: { getApplication: { [theirs]: application } } }))).toContain(`application.clientId: Theirs has no service principal in the tenant ${TENANT} that can be read: `);
    const disabled = { getApplication: { [theirs]: application }, getServicePrincipal: { [theirs]: { accountEnabled: false } } };
    expect(await refusal(changes, fakeAzure({ found: disabled }))).toContain(`the service principal of Theirs is disabled: enable it with \`az ad sp update --id ${theirs} --set accountEnabled=true\``);
    expect(await refusal(changes)).toContain(`application.clientId: the application ${theirs} in the tenant ${TENANT} cannot be read: `);
  });

  it("an identity's settings for an application", async () => {
    expect(await refusal({ identity: { name: "id-ddoe" } })).toContain("identity: goes with identityKind managed-identity only: leave it out, say application instead, or change identityKind");
  });

  it("an existing account in a new group", async () => {
    expect(await refusal({ storageAccount: { name: "acmeddoedata", mode: "existing" } })).toContain("storageAccount.mode: must be create in a resource group that the stack creates, which is empty");
  });
});

describe("the published schema of ddoe-azure", () => {
  it("is there, and requires what the program requires", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cloud-federation-schemas-"));
    try {
      await publishSchemas(folder);
      const schema = JSON.parse(readFileSync(join(folder, "stacks/ddoe-azure.schema.json"), "utf8")) as { required: string[]; properties: { workload: { required: string[]; properties: object } } };
      expect(schema.required).toEqual(["tenantId", "subscriptionId", "region", "workload", "resourceGroup", "storageAccount", "container"]);
      expect(schema.properties.workload.required).toEqual(["issuer", "subject"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
