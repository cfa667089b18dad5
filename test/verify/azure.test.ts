/** Verify against Azure in the sandbox: what passes, what must be refused, and what each breakage is called. */
import { readContract, type Contract } from "../../contract/index.js";
import type { AzureExchange } from "../../contract/schema.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { functionToken, planVerification, verifyContract, type Report, type VerifyOptions } from "../../verify/index.js";
import { armCall, graphCall, WORKLOAD } from "../support/azure.js";
import { Scene } from "./azure-scene.js";

let sandbox: Sandbox;
let scene: Scene;
let contract: Contract;
let healthy: SandboxSnapshot;

beforeAll(async () => {
  sandbox = await startSandbox();
  scene = new Scene(sandbox);
  await scene.provision();
  contract = scene.contract;
  healthy = sandbox.snapshot();
});
afterAll(() => sandbox.close());
beforeEach(() => {
  sandbox.restore(healthy);
  scene.contract = contract;
});

const options = (): VerifyOptions => ({ contract: scene.contract, token: scene.token(), env: sandbox.env(), ca: sandbox.caPem, waitSeconds: 0 });
const verify = (more: Partial<VerifyOptions> = {}): Promise<Report> => verifyContract({ ...options(), ...more });
const withoutPass = ({ checks }: Report) => checks.filter(({ required, status }) => required && status !== "pass").map(({ id, status, seen, reason }) => `${id}: ${status}: ${seen ?? reason ?? ""}`);

describe("a healthy integration", () => {
  it("passes at the default depth", async () => {
    const report = await verify();
    expect(withoutPass(report)).toEqual([]);
    expect(report.exitCode).toBe(0);
  });

  it("passes at depth deploy", async () => {
    const report = await verify({ depth: "deploy" });
    expect(withoutPass(report)).toEqual([]);
    expect(report.residue).toEqual([]);
  });

  it("is described by the plan", async () => {
    const plan = await planVerification({ ...options(), depth: "deploy" });
    expect(plan).toContain("Residue:");
  });
});

const codes = (report: Report) => report.findings.map(({ causes }) => causes.map(({ code }) => code.replace(/^azure\./, "")));
const modes = (report: Report) => [...new Set(report.findings.flatMap(({ causes }) => causes.flatMap(({ failureMode }) => failureMode ?? [])))];
const admin = <T = Record<string, unknown>>(method: string, path: string, version: string, body?: unknown) => armCall<T>(sandbox, method, `${path}?api-version=${version}`, body);
const exchangeWith = (changes: Partial<AzureExchange>) => {
  scene.contract = { ...contract, exchange: { ...scene.exchange(), ...changes } };
};

interface Breakage {
  name: string;
  make(): unknown;
  with?: Partial<VerifyOptions>;
  /** Findings, each with its causes. */
  found: string[][];
  modes?: string[];
}

const CREDENTIAL_NEW = "credential.not-propagated";
const RBAC = ["group.missing", "rbac.assignment-missing", "rbac.not-propagated"];
const CONTRIBUTOR = "Contributor role assignment missing or not yet propagated";
const BLOB_DENIED = "Azure container exists but blob access is denied";
const OTHER_GUID = "0f0f0f0f-1e1e-2d2d-3c3c-4b4b4b4b4b4b";

describe("what is broken, by name", () => {
  const rows: Breakage[] = [
    { name: "issuer with a slash more in the credential", make: () => scene.credential({ issuer: `${WORKLOAD.issuer}/` }), found: [["credential.issuer-differs", CREDENTIAL_NEW]] },
    { name: "subject of another project in the credential", make: () => scene.credential({ subject: "system:serviceaccount:dcf:project-4712" }), found: [["credential.subject-differs", CREDENTIAL_NEW]] },
    { name: "subject in another case in the credential", make: () => scene.credential({ subject: WORKLOAD.subject.toUpperCase() }), found: [["credential.subject-case-differs"]] },
    { name: "audience of another cloud in the credential", make: () => scene.credential({ audience: "api://AzureADTokenExchangeUSGov" }), found: [["credential.audience-differs", CREDENTIAL_NEW]] },
    { name: "no credential", make: () => scene.arm("DELETE", `${scene.identityId}/federatedIdentityCredentials/dcf`, "identity"), found: [["credential.missing", CREDENTIAL_NEW]] },
    { name: "identity deleted", make: () => scene.arm("DELETE", scene.identityId, "identity"), found: [["client.missing", "client.recreated", "client.not-propagated"]] },
    {
      name: "client id and principal id swapped",
      make: () => {
        const { clientId, principalId } = scene.exchange();
        exchangeWith({ clientId: principalId, principalId: clientId });
      },
      found: [["client.is-principal-id"]],
    },
    { name: "tenant that does not exist", make: () => exchangeWith({ tenantId: OTHER_GUID }), found: [["tenant.missing"], ["subscription.other-tenant"]] },
    { name: "tenant of another cloud", make: () => exchangeWith({ tenantId: "ccccdddd-2222-eeee-3333-ffff4444aaaa" }), found: [["tenant.other-cloud"], ["subscription.other-tenant"]] },
    { name: "another tenant", make: () => exchangeWith({ tenantId: "bbbbcccc-1111-dddd-2222-eeee3333ffff" }), found: [["subscription.other-tenant"], ["client.missing", "client.recreated", "client.not-propagated"]] },
    { name: "service principal disabled", make: () => graphCall(sandbox, "PATCH", `/servicePrincipals/${scene.exchange().principalId}`, { accountEnabled: false }), found: [["client.disabled"]] },
    { name: "expired token", make: () => undefined, with: { token: functionToken(() => sandbox.issuers.mint({ ...WORKLOAD, expiresInSeconds: -900 })) }, found: [["token.expired"]] },
    { name: "token of another subject", make: () => undefined, with: { token: functionToken(() => sandbox.issuers.mint({ ...WORKLOAD, subject: "system:serviceaccount:dcf:other" })) }, found: [["token.other-subject"]] },
    { name: "token of another type", make: () => undefined, with: { token: functionToken(() => sandbox.issuers.mint({ ...WORKLOAD, header: { typ: "at+jwt" } })) }, found: [["token.unusable"]] },
    { name: "key under the same id replaced", make: () => sandbox.issuers.publishForeignKey(WORKLOAD.issuer), found: [["issuer.signature-mismatch"]] },
    { name: "key no longer published", make: () => sandbox.issuers.removeKey(WORKLOAD.issuer), found: [["issuer.keys-invalid"]] },
    { name: "issuer out of order", make: () => sandbox.issuers.behave(WORKLOAD.issuer, { status: 503 }), found: [["issuer.error-answer"]] },
    { name: "Contributor not assigned", make: () => scene.unassign(scene.group), found: [RBAC], modes: ["Resource group not found", CONTRIBUTOR] },
    { name: "group of another name", make: () => (scene.contract = readContract(JSON.parse(JSON.stringify(contract).replaceAll("rg-acme-dcf\"", "rg-acme-dfc\"")))), found: [RBAC], modes: ["Resource group not found", CONTRIBUTOR] },
    { name: "another correlation id", make: () => scene.arm("PATCH", scene.group, "resources", { tags: { dcfCorrelationId: "dcf-4712-0000" } }), found: [["group.correlation-differs"]], modes: ["Correlation ID mismatch"] },
    { name: "no correlation id", make: () => scene.arm("PATCH", scene.group, "resources", { tags: { owner: "acme" } }), found: [["group.correlation-missing"]], modes: ["Correlation ID mismatch"] },
    { name: "no data role", make: () => scene.unassign(scene.containerId), found: [["storage.data-role-missing", "storage.data-role-not-propagated", "storage.constrained"]], modes: [BLOB_DENIED] },
    {
      name: "a data role that reads",
      make: async () => {
        await scene.unassign(scene.containerId);
        await scene.assign("Storage Blob Data Reader", scene.containerId, scene.exchange().principalId);
      },
      found: [["storage.reader-only", "storage.data-role-not-propagated", "storage.constrained"]],
      modes: [BLOB_DENIED],
    },
    { name: "storage firewall", make: () => scene.arm("PATCH", scene.accountId, "storage", { properties: { networkAcls: { defaultAction: "Deny", bypass: "AzureServices" } } }), found: [["storage.firewall"]] },
    { name: "public network access off", make: () => scene.arm("PATCH", scene.accountId, "storage", { properties: { publicNetworkAccess: "Disabled" } }), found: [["storage.firewall"]] },
    { name: "container deleted", make: () => scene.arm("DELETE", scene.containerId, "storage"), found: [["storage.container-missing"]] },
    { name: "account deleted", make: () => scene.arm("DELETE", scene.accountId, "storage"), found: [["storage.account-missing"]] },
    { name: "refusal container granted", make: () => scene.assign("Storage Blob Data Reader", `${scene.accountId}/blobServices/default/containers/refusal`, scene.exchange().principalId), found: [["rbac.too-wide"]] },
    { name: "registry deleted", make: () => scene.arm("DELETE", scene.registryId, "registry"), found: [["registry.missing"]] },
    { name: "site deleted", make: () => armCall(sandbox, "DELETE", `${scene.siteId}?api-version=2023-12-01&deleteEmptyServerFarm=false`), found: [["site.missing"]] },
    { name: "registry takes no ARM tokens", make: () => scene.arm("PATCH", scene.registryId, "registry", { properties: { policies: { azureADAuthenticationAsArmPolicy: { status: "disabled" } } } }), with: { depth: "deploy" }, found: [["registry.arm-tokens-refused"]] },
    { name: "site that does not pull with its identity", make: () => scene.arm("PATCH", `${scene.siteId}/config/web`, "web", { properties: { acrUseManagedIdentityCreds: false } }), with: { depth: "runtime" }, found: [["site.pull-without-identity"]] },
    { name: "site on another port", make: () => scene.arm("PUT", `${scene.siteId}/config/appsettings`, "web", { properties: { WEBSITES_PORT: "3000" } }), with: { depth: "runtime" }, found: [["site.port-differs"]] },
    { name: "pull identity without AcrPull", make: () => scene.revokePull(), with: { depth: "deploy" }, found: [["site.pull-denied", "rbac.not-propagated"]] },
    { name: "lock on the group", make: () => admin("PUT", `${scene.group}/providers/Microsoft.Authorization/locks/frozen`, "2020-05-01", { properties: { level: "ReadOnly" } }), with: { depth: "deploy" }, found: [["group.locked"]] },
    {
      name: "Reader in place of Contributor",
      make: async () => {
        await scene.unassign(scene.group);
        await scene.assign("Reader", scene.group, scene.exchange().principalId);
      },
      with: { depth: "deploy" },
      found: [["rbac.role-too-narrow", "rbac.not-propagated"]],
      modes: [CONTRIBUTOR],
    },
    { name: "credential file with another subject", make: () => undefined, with: { credentialFile: { clientId: "x" } }, found: [["credential-file.differs"]] },
  ];

  it.each(rows)("$name", async ({ make, with: more, found, modes: named }) => {
    await make();
    const report = await verify(more);
    expect(codes(report)).toEqual(found);
    if (named) expect(modes(report)).toEqual(named);
    expect(report.exitCode).toBe(1);
  });
});
