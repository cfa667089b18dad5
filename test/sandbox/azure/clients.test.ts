/** Azure's own clients against the sandbox, with what `sandbox env` sets and nothing else: @azure/identity, azure-identity for Python, `az`. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSandbox, type Sandbox } from "../../../sandbox/index.js";
import { armCall, WORKLOAD, workloadToken } from "../../support/azure.js";

const SUBSCRIPTION = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
const GROUP = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;
const IDENTITY = `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acme-dcf`;
const CONTRIBUTOR = `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c`;
const IDENTITIES = "api-version=2024-11-30";
const REPOSITORY = join(__dirname, "../../..");

const works = (program: string, ...args: string[]): boolean => spawnSync(program, args, { timeout: 60_000 }).status === 0;
const az = works("az", "version");
const python = works("python3", "-c", "import azure.identity, azure.mgmt.resource");
/** With the reason in its name where the client is not there. */
const when = (available: boolean, what: string, reason: string): [run: jest.It, name: string] => (available ? [it, what] : [it.skip, `${what} (skipped: ${reason})`]);

let sandbox: Sandbox;
let folder: string;
let clientId: string;
let tokenFile: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  folder = mkdtempSync(join(tmpdir(), "cloud-federation-clients-"));
  tokenFile = join(folder, "token");
  await armCall(sandbox, "PUT", `${GROUP}?api-version=2021-04-01`, { location: "westeurope", tags: { dcfCorrelationId: "4711" } });
  await armCall(sandbox, "POST", `${SUBSCRIPTION}/providers/Microsoft.ManagedIdentity/register?api-version=2021-04-01`);
  const { properties } = await armCall<{ properties: { clientId: string; principalId: string } }>(sandbox, "PUT", `${IDENTITY}?${IDENTITIES}`, { location: "westeurope" });
  ({ clientId } = properties);
  await armCall(sandbox, "PUT", `${IDENTITY}/federatedIdentityCredentials/dcf?${IDENTITIES}`, { properties: { issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience] } });
  await armCall(sandbox, "PUT", `${GROUP}/providers/Microsoft.Authorization/roleAssignments/0f0f0f0f-0000-4000-8000-000000000001?api-version=2022-04-01`, { properties: { roleDefinitionId: CONTRIBUTOR, principalId: properties.principalId, principalType: "ServicePrincipal" } });
});
beforeEach(async () => writeFileSync(tokenFile, await workloadToken(sandbox), { mode: 0o600 }));
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Result {
  status: number;
  out: string;
  err: string;
}

function run(program: string, args: string[], variables: Record<string, string | undefined> = {}): Promise<Result> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, ...sandbox.env(), ...variables };
  return new Promise((resolve) => {
    execFile(program, args, { env, cwd: REPOSITORY, timeout: 120_000 }, (error, out, err) => resolve({ status: error ? Number(error.code ?? 1) : 0, out, err }));
  });
}

/** The workload's own environment: no secret, a token in a file. */
const asWorkload = (): Record<string, string | undefined> => ({ AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: undefined, AZURE_FEDERATED_TOKEN_FILE: tokenFile });

describe("@azure/identity", () => {
  const program = (make: string): string => `
    const identity = require("@azure/identity");
    const { readFileSync } = require("node:fs");
    const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_FEDERATED_TOKEN_FILE: file, AZURE_SUBSCRIPTION_ID: subscription } = process.env;
    const credential = ${make};
    credential.getToken("https://management.azure.com/.default").then(
      ({ token }) => console.log(JSON.parse(Buffer.from(token.split(".")[1], "base64url")).appid),
      (error) => { console.error(error.name + ": " + error.message); process.exitCode = 1; },
    );`;

  it.each<[string, string]>([
    ["ClientAssertionCredential", 'new identity.ClientAssertionCredential(tenant, client, async () => readFileSync(file, "utf8"))'],
    ["WorkloadIdentityCredential", "new identity.WorkloadIdentityCredential()"],
    ["DefaultAzureCredential", "new identity.DefaultAzureCredential()"],
  ])("%s exchanges the workload's token", async (_, make) => {
    expect(await run(process.execPath, ["-e", program(make)], asWorkload())).toEqual({ status: 0, out: `${clientId}\n`, err: "" });
  });

  it("EnvironmentCredential is the administrator", async () => {
    expect(await run(process.execPath, ["-e", program("new identity.EnvironmentCredential()")])).toEqual({ status: 0, out: `${sandbox.azure.administrator().clientId}\n`, err: "" });
  });

  it("shows Entra's code for a token that no credential matches", async () => {
    writeFileSync(tokenFile, await workloadToken(sandbox, { subject: "somebody-else" }));
    const { status, err } = await run(process.execPath, ["-e", program("new identity.WorkloadIdentityCredential()")], asWorkload());
    expect([status, err]).toEqual([1, expect.stringMatching(/invalid_client: Error\(s\): 700213 - .*AADSTS700213: No matching federated identity record found for presented assertion subject 'somebody-else'/)]);
  });
});

describe("Python", () => {
  const program = `
import os
from azure.identity import DefaultAzureCredential
from azure.mgmt.resource.resources import ResourceManagementClient
print(ResourceManagementClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"]).resource_groups.get("rg-acme-dcf").tags["dcfCorrelationId"])`;
  const [test, name] = when(python, "DefaultAzureCredential reads the group, as the administrator and as the workload", "no python3 with azure-identity and azure-mgmt-resource on PATH");
  test(name, async () => {
    for (const variables of [{}, asWorkload()]) expect(await run("python3", ["-c", program], variables)).toMatchObject({ status: 0, out: "4711\n" });
  });
});

describe("az", () => {
  const reason = "no az on PATH";
  const login = (config: string, token: string): Promise<Result> =>
    run("az", ["login", "--service-principal", "--username", clientId, "--tenant", sandbox.azure.defaultTenant.tenantId, "--federated-token", token, "--query", "[].name", "--output", "tsv"], { AZURE_CONFIG_DIR: config });
  const fresh = (): string => mkdtempSync(join(folder, "az-"));

  const [signedIn, signedInName] = when(az, "is signed in as the administrator", reason);
  signedIn(signedInName, async () => {
    expect(await run("az", ["account", "show", "--query", "[name, user.type]", "--output", "tsv"])).toMatchObject({ status: 0, out: "customer-app-prod\nservicePrincipal\n" });
    expect(await run("az", ["group", "list", "--query", "[].name", "--output", "tsv"])).toMatchObject({ status: 0, out: "rg-acme-dcf\n" });
  });

  const [federated, federatedName] = when(az, "signs in with the workload's token", reason);
  federated(federatedName, async () => {
    const config = fresh();
    expect(await login(config, await workloadToken(sandbox))).toMatchObject({ status: 0, out: "customer-app-prod\n" });
    expect(await run("az", ["group", "show", "--name", "rg-acme-dcf", "--query", "tags.dcfCorrelationId", "--output", "tsv"], { AZURE_CONFIG_DIR: config })).toMatchObject({ status: 0, out: "4711\n" });
    expect(await run("az", ["ad", "sp", "show", "--id", clientId, "--query", "servicePrincipalType", "--output", "tsv"], { AZURE_CONFIG_DIR: config })).toMatchObject({ status: 0, out: "ManagedIdentity\n" });
  });

  const [refused, refusedName] = when(az, "shows why a token was refused", reason);
  refused(refusedName, async () => {
    const { status, err } = await login(fresh(), await workloadToken(sandbox, { subject: "somebody-else" }));
    expect([status, err]).toEqual([1, expect.stringContaining("AADSTS700213: No matching federated identity record found for presented assertion subject 'somebody-else'")]);
  });

  const [registers, registersName] = when(az, "registers an application with a federated credential", reason);
  registers(registersName, async () => {
    const made = await run("az", ["ad", "app", "create", "--display-name", "Acme DDOE", "--sign-in-audience", "AzureADMyOrg", "--query", "appId", "--output", "tsv"]);
    const appId = made.out.trim();
    expect(made.status).toBe(0);
    expect(await run("az", ["ad", "sp", "create", "--id", appId, "--query", "appId", "--output", "tsv"])).toMatchObject({ status: 0, out: `${appId}\n` });
    const parameters = join(folder, "credential.json");
    writeFileSync(parameters, JSON.stringify({ name: "ddoe", issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience] }));
    expect(await run("az", ["ad", "app", "federated-credential", "create", "--id", appId, "--parameters", parameters, "--query", "name", "--output", "tsv"])).toMatchObject({ status: 0, out: "ddoe\n" });
    const assign = ["role", "assignment", "create", "--assignee", appId, "--role", "Reader", "--scope", GROUP, "--query", "principalType", "--output", "tsv"];
    expect(await run("az", assign)).toMatchObject({ status: 0, out: "ServicePrincipal\n" });
  });
});

describe("the files of clients", () => {
  it("are the owner's alone, and go with the sandbox", async () => {
    const other = await startSandbox();
    const { configFolder } = other.azureFiles;
    expect([configFolder, ...readdirSync(configFolder).map((name) => join(configFolder, name))].map((path) => statSync(path).mode & 0o077)).toEqual([0, 0, 0, 0]);
    await other.close();
    expect(existsSync(configFolder)).toBe(false);
  });

  it("stay beside a state file, new at each start", async () => {
    const stateFile = join(folder, "state.json");
    const first = await startSandbox({ stateFile });
    const { configFolder } = first.azureFiles;
    const entries = join(configFolder, "service_principal_entries.json");
    const secret = readFileSync(entries, "utf8");
    writeFileSync(join(configFolder, "msal_token_cache.json"), "{}");
    await first.close();
    expect([configFolder, existsSync(entries)]).toEqual([`${stateFile}.azure`, true]);
    const second = await startSandbox({ stateFile });
    expect([readFileSync(entries, "utf8") === secret, existsSync(join(configFolder, "msal_token_cache.json"))]).toEqual([true, false]);
    expect(readFileSync(stateFile, "utf8")).not.toContain("SANDBOXSECRET");
    await second.close();
  });
});
