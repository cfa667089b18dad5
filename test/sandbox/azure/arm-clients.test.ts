/** What the `az` CLI does with Resource Manager, as the sandbox's administrator. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSandbox, type Sandbox } from "../../../sandbox/index.js";
import { armCall, WORKLOAD } from "../../support/azure.js";
import { SUBSCRIPTION } from "./arm-support.js";

const az = spawnSync("az", ["version"], { timeout: 60_000 }).status === 0;
const [test, skipped] = az ? [it, ""] : [it.skip, " (skipped: no az on PATH)"];
const TIMEOUT = 300_000;

interface Result {
  status: number;
  /** JSON where there is any. */
  out: unknown;
  err: string;
}

describe("az", () => {
  let sandbox: Sandbox;
  let folder: string;
  const group = ["--resource-group", "rg-acme-dcf"];
  const scope = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;

  beforeAll(async () => {
    sandbox = await startSandbox();
    folder = mkdtempSync(join(tmpdir(), "cloud-federation-az-"));
    await armCall(sandbox, "PUT", `${scope}?api-version=2022-09-01`, { location: "westeurope" });
    await armCall(sandbox, "POST", `${SUBSCRIPTION}/providers/Microsoft.ManagedIdentity/register?api-version=2022-09-01`);
  });
  afterAll(async () => {
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...args: string[]): Promise<Result> =>
    new Promise((resolve) => {
      const env = { PATH: process.env["PATH"] ?? "", HOME: folder, ...sandbox.env() };
      execFile("az", [...args, "--output", "json"], { env, timeout: 120_000 }, (error, out, err) => {
        resolve({ status: error ? Number(error.code ?? 1) : 0, out: out.trim() === "" ? undefined : (JSON.parse(out) as unknown), err });
      });
    });
  const ok = async (...args: string[]): Promise<unknown> => {
    const { status, out, err } = await run(...args);
    expect({ command: args.join(" "), status, err: status === 0 ? "" : err }).toEqual({ command: args.join(" "), status: 0, err: "" });
    return out;
  };

  test(`manages groups, tags, locks and providers${skipped}`, async () => {
    expect(await ok("group", "create", "--name", "rg-acme-dcf", "--location", "westeurope", "--tags", "keep=this")).toMatchObject({ name: "rg-acme-dcf", tags: { keep: "this" } });
    expect(await ok("group", "exists", "--name", "rg-acme-dcf")).toBe(true);
    expect(await ok("group", "exists", "--name", "rg-none")).toBe(false);
    expect(await ok("tag", "update", "--resource-id", scope, "--operation", "Merge", "--tags", "dcfCorrelationId=3f0c")).toMatchObject({ properties: { tags: { keep: "this", dcfCorrelationId: "3f0c" } } });
    expect(await ok("group", "show", "--name", "rg-acme-dcf")).toMatchObject({ tags: { keep: "this", dcfCorrelationId: "3f0c" } });
    expect(await ok("provider", "show", "--namespace", "Microsoft.Web", "--query", "registrationState")).toBe("NotRegistered");
    await ok("provider", "register", "--namespace", "Microsoft.Web", "--wait");
    await ok("lock", "create", "--name", "keep", "--lock-type", "CanNotDelete", ...group);
    expect(await run("group", "delete", "--name", "rg-acme-dcf", "--yes")).toMatchObject({ status: 1, err: expect.stringContaining("(ScopeLocked)") });
    expect(await ok("lock", "list", ...group, "--query", "[].name")).toEqual(["keep"]);
    await ok("lock", "delete", "--name", "keep", ...group);
    expect(await run("group", "show", "--name", "rg-none")).toMatchObject({ status: 3, err: expect.stringContaining("(ResourceGroupNotFound) Resource group 'rg-none' could not be found.") });
    expect(await ok("account", "list-locations", "--query", "[?name=='westeurope'].displayName")).toEqual(["West Europe"]);
  }, TIMEOUT);

  test(`manages identities, credentials and roles${skipped}`, async () => {
    const identity = (await ok("identity", "create", "--name", "id-acme", ...group)) as { principalId: string; clientId: string };
    const credential = ["--identity-name", "id-acme", "--name", "dcf", ...group];
    await ok("identity", "federated-credential", "create", ...credential, "--issuer", WORKLOAD.issuer, "--subject", WORKLOAD.subject, "--audiences", WORKLOAD.audience);
    expect(await ok("identity", "federated-credential", "list", "--identity-name", "id-acme", ...group)).toEqual([expect.objectContaining({ name: "dcf", issuer: WORKLOAD.issuer })]);
    expect(await run("identity", "federated-credential", "create", "--identity-name", "id-acme", "--name", "twin", ...group, "--issuer", WORKLOAD.issuer, "--subject", WORKLOAD.subject, "--audiences", WORKLOAD.audience)).toMatchObject({
      status: 1,
      err: expect.stringContaining("Issuer and subject combination already exists for this Managed Identity."),
    });
    await ok("role", "assignment", "create", "--assignee-object-id", identity.principalId, "--assignee-principal-type", "ServicePrincipal", "--role", "Contributor", "--scope", scope);
    await ok("role", "assignment", "create", "--assignee", identity.clientId, "--role", "Contributor", "--scope", scope);
    expect(await ok("role", "assignment", "list", "--scope", scope, "--assignee", identity.clientId)).toEqual([expect.objectContaining({ principalId: identity.principalId, roleDefinitionName: "Contributor", scope })]);
    expect(await ok("role", "definition", "list", "--name", "Storage Blob Data Contributor", "--query", "[].name")).toEqual(["ba92f5b4-2d11-453d-a403-e96b0029c9fe"]);
    await ok("role", "assignment", "delete", "--assignee", identity.clientId, "--role", "Contributor", "--scope", scope);
    expect(await ok("role", "assignment", "list", "--scope", scope, "--assignee", identity.clientId)).toEqual([]);
    expect(await ok("resource", "list", ...group, "--query", "[].name")).toEqual(["id-acme"]);
    await ok("identity", "federated-credential", "delete", ...credential, "--yes");
    await ok("identity", "delete", "--name", "id-acme", ...group);
    expect(await run("identity", "show", "--name", "id-acme", ...group)).toMatchObject({ status: 3, err: expect.stringContaining("(ResourceNotFound)") });
  }, TIMEOUT);

  test(`deploys a template, and assigns a policy${skipped}`, async () => {
    const file = join(folder, "template.json");
    const resource = { type: "Microsoft.ManagedIdentity/userAssignedIdentities", apiVersion: "2023-01-31", name: "[parameters('name')]", location: "[resourceGroup().location]" };
    writeFileSync(
      file,
      JSON.stringify({
        $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        contentVersion: "1.0.0.0",
        parameters: { name: { type: "string" } },
        resources: [resource],
        outputs: { clientId: { type: "string", value: "[reference(resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', parameters('name'))).clientId]" } },
      }),
    );
    const deploy = ["deployment", "group", "create", "--name", "boot", ...group, "--template-file", file, "--parameters"];
    expect(await ok(...deploy, "name=id-made")).toMatchObject({ properties: { provisioningState: "Succeeded", outputs: { clientId: { value: expect.stringMatching(/^[0-9a-f-]{36}$/) } } } });
    expect(await run(...deploy, "name=-")).toMatchObject({ status: 1, err: expect.stringContaining("InvalidResourceName") });
    expect(await ok("deployment", "operation", "group", "list", "--name", "boot", ...group)).toHaveLength(1);
    expect(await ok("deployment", "group", "what-if", "--name", "boot", ...group, "--template-file", file, "--parameters", "name=id-made", "--no-pretty-print")).toMatchObject({ status: "Succeeded" });
    await ok("deployment", "group", "delete", "--name", "boot", ...group);
    await ok("policy", "assignment", "create", "--name", "tags", "--policy", "96670d01-0a4d-4649-9c89-2d3abc0a5025", "--params", '{"tagName":{"value":"owner"}}');
    expect(await run("group", "create", "--name", "rg-untagged", "--location", "westeurope")).toMatchObject({ status: 1, err: expect.stringContaining("(RequestDisallowedByPolicy)") });
    await ok("policy", "assignment", "delete", "--name", "tags");
    await ok("group", "delete", "--name", "rg-acme-dcf", "--yes");
    expect(await ok("group", "list")).toEqual([]);
  }, TIMEOUT);
});
