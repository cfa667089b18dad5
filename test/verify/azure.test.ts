/** Verify against Azure in the sandbox: what passes, what must be refused, and what each breakage is called. */
import { readContract, type Contract } from "../../contract/index.js";
import type { AzureExchange } from "../../contract/schema.js";
import { azureClouds } from "../../facts/azure/clouds.js";
import { ENTRA_ERRORS, type EntraErrorName } from "../../facts/azure/entra-errors.js";
import { actionsOf } from "../../facts/azure/permissions.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { AZURE_ISSUER_RULES } from "../../trust/azure/issuer-keys.js";
import type { AzureRefusal } from "../../verify/azure/answers.js";
import { azureCauses } from "../../verify/azure/causes.js";
import { diagnoseExchange } from "../../verify/azure/exchange-causes.js";
import { readToken, type AzureRun } from "../../verify/azure/run.js";
import type { CheckScope } from "../../verify/check.js";
import { formatReport, functionToken, Network, planVerification, verifyContract, type Report, type RunEvent, type VerifyOptions } from "../../verify/index.js";
import { readIssuer } from "../../verify/issuer.js";
import { Scrubber } from "../../verify/scrub.js";
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

function deny(permissions: object[]): Promise<unknown> {
  const name = "1a1a1a1a-2b2b-3c3c-4d4d-5e5e5e5e5e5e";
  const properties = { denyAssignmentName: "kept by a stack", permissions, principals: [{ id: scene.exchange().principalId, type: "ServicePrincipal" }], excludePrincipals: [], doNotApplyToChildScopes: false };
  return admin("PUT", `${scene.group}/providers/Microsoft.Authorization/denyAssignments/${name}`, "2022-04-01", { properties });
}

/** Entra has read the issuer's keys, and goes by them for a while. */
async function rotateUnseen(): Promise<void> {
  await verify({ depth: "identity" });
  await sandbox.issuers.rotate(WORKLOAD.issuer);
}

function changeSubscription(changes: object): void {
  const type = "azure:account/subscription";
  sandbox.store.put(type, scene.subscriptionId, { ...sandbox.store.get<object>(type, scene.subscriptionId), ...changes });
}

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
    { name: "tenant that does not exist", make: () => exchangeWith({ tenantId: OTHER_GUID }), found: [["tenant.missing"]] },
    { name: "tenant of another cloud", make: () => exchangeWith({ tenantId: "ccccdddd-2222-eeee-3333-ffff4444aaaa" }), found: [["tenant.other-cloud"]] },
    { name: "another tenant", make: () => exchangeWith({ tenantId: "bbbbcccc-1111-dddd-2222-eeee3333ffff" }), found: [["subscription.other-tenant"]] },
    { name: "a contract of another cloud", make: () => (scene.contract = { ...contract, exchange: { ...scene.exchange(), cloud: "usgovernment" }, grants: contract.grants.slice(0, 1), refusalTargets: [] }), found: [["tenant.other-cloud"]] },
    { name: "another subscription of the tenant", make: () => (scene.contract = readContract(JSON.parse(JSON.stringify(contract).replaceAll(scene.subscriptionId, "bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f")))), found: [RBAC] },
    { name: "a subscription that does not exist", make: () => (scene.contract = readContract(JSON.parse(JSON.stringify(contract).replaceAll(scene.subscriptionId, OTHER_GUID)))), found: [["subscription.missing"]] },
    { name: "subscription moved to another tenant", make: () => changeSubscription({ tenantId: "bbbbcccc-1111-dddd-2222-eeee3333ffff" }), found: [["subscription.other-tenant"]] },
    { name: "subscription disabled", make: () => changeSubscription({ state: "Disabled" }), with: { depth: "deploy" }, found: [["storage.account-disabled"], ["subscription.disabled"]] },
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
    {
      name: "deny assignment on the group",
      make: () => deny([{ actions: ["Microsoft.Storage/storageAccounts/read"], notActions: [], dataActions: [], notDataActions: [] }]),
      found: [["rbac.denied"]],
    },
    {
      name: "deny assignment on the blobs",
      make: () => deny([{ actions: [], notActions: [], dataActions: ["write", "add/action"].map((right) => `Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${right}`), notDataActions: [] }]),
      found: [["storage.reader-only", "storage.data-role-not-propagated", "storage.constrained"]],
    },
    { name: "retention policy on the container", make: () => admin("PUT", `${scene.containerId}/immutabilityPolicies/default`, "2023-05-01", { properties: { immutabilityPeriodSinceCreationInDays: 3 } }), found: [["storage.immutable"]] },
    {
      name: "registry with roles on repositories only",
      make: () => admin("PATCH", scene.registryId, "2025-04-01", { properties: { roleAssignmentMode: "AbacRepositoryPermissions" } }),
      with: { depth: "deploy" },
      found: [["registry.repository-roles"]],
    },
    { name: "registry without public network access", make: () => admin("PATCH", scene.registryId, "2023-07-01", { sku: { name: "Premium" }, properties: { publicNetworkAccess: "Disabled" } }), with: { depth: "runtime" }, found: [["registry.firewall"]] },
    { name: "Microsoft.Web no longer registered", make: () => admin("POST", `/subscriptions/${scene.subscriptionId}/providers/Microsoft.Web/unregister`, "2021-04-01"), with: { depth: "deploy" }, found: [["provider.not-registered"]] },
    {
      name: "policy that forbids sites",
      make: async () => {
        const definition = `/subscriptions/${scene.subscriptionId}/providers/Microsoft.Authorization/policyDefinitions/no-sites`;
        await admin("PUT", definition, "2023-04-01", { properties: { displayName: "No sites", mode: "All", policyRule: { if: { field: "type", equals: "Microsoft.Web/sites" }, then: { effect: "deny" } } } });
        await admin("PUT", `${scene.group}/providers/Microsoft.Authorization/policyAssignments/no-sites`, "2023-04-01", { properties: { displayName: "No sites here", policyDefinitionId: definition } });
      },
      with: { depth: "deploy" },
      found: [["policy.disallowed"]],
    },
    { name: "Owner in place of Contributor", make: () => scene.assign("Owner", scene.group, scene.exchange().principalId), found: [["rbac.too-wide"]] },
    { name: "a second credential for another subject", make: () => scene.arm("PUT", `${scene.identityId}/federatedIdentityCredentials/other`, "identity", { properties: { issuer: WORKLOAD.issuer, subject: `${WORKLOAD.subject}.cloud-federation-verify`, audiences: [WORKLOAD.audience] } }), found: [["credential.too-wide"]] },
    { name: "key rotated, which Entra has not seen", make: rotateUnseen, found: [["issuer.key-cached"]] },
    { name: "issuer that signs with ES256", make: () => undefined, with: { token: functionToken(() => sandbox.issuers.mint({ ...WORKLOAD, header: { alg: "ES256" } })) }, found: [["token.unusable"]] },
    {
      name: "workload with a blank at its end in contract and credential",
      make: async () => {
        await scene.credential({ subject: `${contract.workload.subject} ` });
        scene.contract = { ...contract, workload: { ...contract.workload, subject: `${contract.workload.subject} ` } };
      },
      found: [["token.other-subject"], ["credential.invalid"]],
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

const settings = (properties: object) => scene.arm("PUT", `${scene.accountId}/blobServices/default`, "storage", { properties });
const status = (report: Report, id: string) => report.checks.find((check) => check.id === id)?.status;
const seen = (report: Report, id: string) => {
  const check = report.checks.find((one) => one.id === id);
  return check?.seen ?? check?.reason ?? "";
};
/** Of the container, versions and what soft delete keeps included. */
async function kept(): Promise<string[]> {
  const { caller } = sandbox.azure.administrator();
  await scene.assign("Storage Blob Data Contributor", scene.accountId, caller.objectId);
  const xml = String(await sandbox.azure.call<unknown>(caller, "GET", "https://acmedcfartifacts.blob.core.windows.net/artifacts?restype=container&comp=list&include=versions"));
  return [...xml.matchAll(/<Name>([^<]*)<\/Name>/g)].map(([, name]) => name ?? "");
}
const sites = () => sandbox.store.list("azure:arm/microsoft.web/sites").map(({ id }) => id).filter((id) => id.includes("cf-verify"));

describe("what a probe leaves", () => {
  it("is nothing where the account keeps nothing", async () => {
    const report = await verify();
    expect([report.residue, await kept()]).toEqual([[], []]);
  });

  it("is nothing where versions are kept, for then nothing is put", async () => {
    await settings({ isVersioningEnabled: true });
    const report = await verify();
    expect({ put: status(report, "azure.data.artifacts.put"), list: status(report, "azure.data.artifacts.list"), exitCode: report.exitCode }).toEqual({ put: "not-tested", list: "pass", exitCode: 0 });
    expect([report.residue, await kept()]).toEqual([[], []]);
  });

  it("is one version where that is accepted, with the command that removes it", async () => {
    await settings({ isVersioningEnabled: true });
    const report = await verify({ acceptResidue: true });
    expect(withoutPass(report)).toEqual([]);
    expect(report.residue).toEqual([{ what: expect.stringMatching(/^version \S+ of cloud-federation-verify\/[0-9a-f]{12} \(64 random bytes\) in container artifacts of acmedcfartifacts$/), remove: expect.stringMatching(/^az storage blob delete --account-name acmedcfartifacts .* --version-id \S+ --auth-mode login$/) }]);
    expect(await kept()).toEqual([`cloud-federation-verify/${report.runId}`]);
  });

  it("is said where soft delete keeps it", async () => {
    await settings({ deleteRetentionPolicy: { enabled: true, days: 7 } });
    const report = await verify();
    expect(withoutPass(report)).toEqual([]);
    expect(seen(report, "azure.data.artifacts.delete")).toBe("deleted; soft delete keeps it for 7 days, then Azure removes it");
  });

  it("is removed after an interruption", async () => {
    const interrupt = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === "finished" && event.result.id === "azure.data.artifacts.put") interrupt.abort();
    };
    const report = await verify({ signal: interrupt.signal, onEvent });
    expect([report.exitCode, report.residue, await kept()]).toEqual([130, [], []]);
  });
});

describe("depth deploy", () => {
  it("leaves the plan, the site and nothing of its own", async () => {
    const report = await verify({ depth: "deploy" });
    expect(withoutPass(report)).toEqual([]);
    expect(seen(report, "azure.canary.service.answer")).toBe(`GET https://app-acme-dcf-cf-verify-${report.runId}.azurewebsites.net/: 200, with the run's id`);
    expect([sites(), report.residue]).toEqual([[], []]);
    await expect(scene.arm("GET", scene.planId, "web")).resolves.toMatchObject({ name: "plan-acme-dcf" });
  });

  it("removes what it made when it is interrupted", async () => {
    const interrupt = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === "finished" && event.result.id === "azure.canary.service.deploy") interrupt.abort();
    };
    const report = await verify({ depth: "deploy", signal: interrupt.signal, onEvent });
    expect([report.exitCode, sites(), report.residue]).toEqual([130, [], []]);
  });

  it("makes no canary that it could not remove", async () => {
    scene.contract = { ...contract, grants: contract.grants.map((grant) => (grant.kind === "app-service" ? { ...grant, permissions: actionsOf("app-service") } : grant)) };
    const report = await verify({ depth: "deploy" });
    expect(seen(report, "azure.canary.service")).toBe("the contract does not grant Microsoft.Web/sites/delete, Microsoft.ContainerRegistry/registries/artifacts/delete");
    expect(report.exitCode).toBe(0);
  });

  it("says that a site's own identity cannot pull for another site", async () => {
    scene.contract = { ...contract, grants: contract.grants.map((grant) => (grant.kind === "app-service" ? { ...grant, pullIdentityId: undefined } : grant)) };
    expect(seen(await verify({ depth: "deploy" }), "azure.canary.service")).toContain("an identity that is its own alone");
  });
});

describe("waiting", () => {
  it("repeats what may be propagation, with new tokens, and says so", async () => {
    await scene.unassign(scene.containerId);
    const waits: string[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type !== "waiting") return;
      waits.push(`${event.check.id}: ${event.notice.code}`);
      if (waits.length === 1) void scene.assign("Storage Blob Data Contributor", scene.containerId, scene.exchange().principalId);
    };
    const report = await verify({ waitSeconds: 60, refusals: false, onEvent });
    expect(withoutPass(report).filter((line) => !line.includes("--refusals off"))).toEqual([]);
    expect(waits[0]).toBe("azure.data.artifacts.put: AuthorizationPermissionMismatch");
    expect(report.waits.map(({ check, attempts }) => [check, attempts > 1])).toContainEqual(["azure.data.artifacts.put", true]);
  });

  it("does not blame what is new once the whole time was waited", async () => {
    await scene.unassign(scene.containerId);
    expect(codes(await verify({ waitSeconds: 1 }))).toEqual([["storage.data-role-missing", "storage.constrained"]]);
  });

  it("does not wait for what the token shows", async () => {
    const events: string[] = [];
    const token = functionToken(() => sandbox.issuers.mint({ ...WORKLOAD, subject: "system:serviceaccount:dcf:other" }));
    await verify({ token, waitSeconds: 60, onEvent: (event) => void events.push(event.type) });
    expect(events).not.toContain("waiting");
  });
});

describe("an application without a subscription, as DDOE has one", () => {
  let appId = "";
  let objectId = "";

  beforeEach(async () => {
    const application = await graphCall<{ id: string; appId: string }>(sandbox, "POST", "/applications", { displayName: "DDOE WIF App", signInAudience: "AzureADMyOrg" });
    appId = application.appId;
    objectId = application.id;
    await graphCall(sandbox, "POST", `/applications/${objectId}/federatedIdentityCredentials`, { name: "ddoe", issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience] });
    const principal = await graphCall<{ id: string }>(sandbox, "POST", "/servicePrincipals", { appId });
    await scene.assign("Storage Blob Data Contributor", scene.containerId, principal.id);
    scene.contract = {
      ...contract,
      integration: "ddoe-azure",
      exchange: { ...scene.exchange(), clientId: appId, principalId: principal.id, identity: { kind: "application", objectId }, federatedCredential: "ddoe" },
      grants: contract.grants.filter(({ kind }) => kind === "blob-container"),
    };
  });

  const file = () => ({ clientId: appId, tenantId: scene.exchange().tenantId, federatedTokenIssuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audience: WORKLOAD.audience });

  it("passes with its credential file, and asks ARM for nothing", async () => {
    const report = await verify({ credentialFile: file() });
    expect(withoutPass(report)).toEqual([]);
    expect(report.checks.map(({ id }) => id)).not.toContain("azure.exchange.arm");
    expect(seen(report, "azure.graph")).toMatch(/^DDOE WIF App: object id \S+, Application$/);
    expect(status(report, "azure.management.artifacts.account")).toBe("not-tested");
  });

  it("names every field of the file that differs", async () => {
    const report = await verify({ credentialFile: { ...file(), federatedTokenIssuer: `${WORKLOAD.issuer}/`, audience: " api://AzureADTokenExchange" } });
    expect(codes(report)).toEqual([["credential-file.differs"]]);
    expect(seen(report, "azure.credential-file")).toBe(
      'federatedTokenIssuer is "https://oidc.dcf.example/", the contract has "https://oidc.dcf.example" (a slash more at its end); audience is " api://AzureADTokenExchange", the contract has "api://AzureADTokenExchange" (blanks at an end)',
    );
  });

  it.each<[string, () => unknown, string[][]]>([
    ["service principal deleted", () => graphCall(sandbox, "DELETE", `/servicePrincipals/${scene.exchange().principalId}`), [["client.service-principal-missing"]]],
    [
      "blocked by Conditional Access",
      () =>
        graphCall(sandbox, "POST", "/identity/conditionalAccess/policies", {
          displayName: "workloads from known networks only",
          state: "enabled",
          conditions: { applications: { includeApplications: ["All"] }, clientApplications: { includeServicePrincipals: [scene.exchange().principalId] }, locations: { includeLocations: ["All"] } },
          grantControls: { operator: "OR", builtInControls: ["block"] },
        }),
      [["exchange.conditional-access"]],
    ],
    ["principal id is the application's object id", () => (scene.contract = { ...scene.contract, exchange: { ...scene.exchange(), principalId: objectId } }), [["rbac.wrong-principal"]]],
    ["contract of a managed identity", () => (scene.contract = { ...scene.contract, exchange: { ...scene.exchange(), identity: { kind: "managed-identity", resourceId: scene.identityId } } }), [["graph.type-differs"]]],
    ["application deleted", () => graphCall(sandbox, "DELETE", `/applications/${objectId}`), [["client.missing", "client.recreated", "client.not-propagated"]]],
  ])("%s", async (_, breakIt, found) => {
    await breakIt();
    expect(codes(await verify())).toEqual(found);
  });
});

describe("bad input", () => {
  it("sends tokens to no host but Azure's", async () => {
    scene.contract = { ...contract, grants: contract.grants.map((grant) => (grant.kind === "blob-container" ? { ...grant, blobEndpoint: "https://acmedcfartifacts.blob.core.windows.net.attacker.example/" } : grant)) };
    const report = await verify();
    expect(report.findings.map(({ causes }) => causes.map(({ code }) => code))).toEqual([["contract.inconsistent"]]);
    expect(report.checks.filter(({ status: ended }) => ended === "pass").map(({ id }) => id)).toEqual([]);
  });

  it("refuses a credential file beside another cloud's contract", async () => {
    const aws = { ...contract, exchange: { type: "aws-web-identity", partition: "aws", region: "eu-west-1", accountId: "111122223333", providerArn: "p", roleArn: "r", maxSessionDurationSeconds: 3600 } };
    await expect(verify({ contract: aws, credentialFile: {} })).rejects.toThrow("A credential file belongs to an Azure contract; this one's exchange is of type aws-web-identity.");
  });

  it("shows no token, whatever fails", async () => {
    const minted: string[] = [];
    const token = functionToken(async (order) => {
      const made = await sandbox.issuers.mint({ ...WORKLOAD, ...order });
      minted.push(made);
      return made;
    }, ["subject", "audience", "expiresInSeconds"]);
    const report = await verify({ token, depth: "deploy", diagnostics: true });
    const printed = formatReport(report, "json") + formatReport(report, "text");
    expect(minted.flatMap((one) => [one, one.split(".")[2] ?? ""]).filter((secret) => printed.includes(secret))).toEqual([]);
    expect(printed).not.toMatch(/eyJ[\w-]{10,}|SANDBOXSECRET/);
    expect(report.hops?.map(({ name }) => name)).toContain("Microsoft Entra ID, for Azure Container Registry");
  });
});

describe("every refusal of Entra", () => {
  const CLIENT = ["client.missing", "client.recreated", "client.not-propagated"];
  /** Where the token and the issuer's documents are in order. */
  const expected: Record<EntraErrorName, string[]> = {
    tenantMalformed: ["tenant.malformed"],
    tenantMissing: ["tenant.missing"],
    cloudDiffers: ["tenant.other-cloud"],
    cloudRedirect: ["tenant.other-cloud"],
    clientMissing: CLIENT,
    servicePrincipalMissing: ["client.service-principal-missing"],
    servicePrincipalDisabled: ["client.disabled"],
    conditionalAccess: ["exchange.conditional-access"],
    parameterMissing: ["exchange.refused"],
    grantType: ["exchange.refused"],
    assertionMissing: ["exchange.refused"],
    scope: ["exchange.refused"],
    resourceUnknown: ["exchange.resource-unknown"],
    assertionMalformed: ["token.unusable"],
    assertionType: ["token.unusable"],
    algorithm: ["token.unusable"],
    keyUnusable: ["issuer.key-unusable"],
    assertionTime: ["token.clock-skew"],
    noCredentials: ["credential.missing", CREDENTIAL_NEW],
    issuer: ["credential.issuer-differs", CREDENTIAL_NEW],
    audience: ["credential.audience-differs", CREDENTIAL_NEW],
    subject: ["credential.subject-differs", CREDENTIAL_NEW],
    subjectCase: ["credential.subject-case-differs"],
    subjectOfEntra: ["credential.subject-differs", CREDENTIAL_NEW],
    subjectOrExpression: ["credential.subject-differs", CREDENTIAL_NEW],
    unmatched: ["credential.differs", CREDENTIAL_NEW],
    issuerNotAllowed: ["exchange.issuer-not-allowed"],
    issuerEndpoint: ["issuer.unreachable-for-entra"],
    issuerMetadata: ["issuer.unreachable-for-entra"],
    issuerRequest: ["issuer.unreachable-for-entra"],
    keyUnknown: ["issuer.key-cached"],
    signature: ["issuer.signature-mismatch"],
    certificate: ["issuer.signature-mismatch"],
    secretInvalid: ["exchange.refused"],
    secretExpired: ["exchange.refused"],
    unavailable: ["exchange.refused"],
    throttled: ["exchange.refused"],
  };

  it.each(Object.entries(expected))("%s", async (name, causes) => {
    const { code, httpStatus, error } = ENTRA_ERRORS[name as EntraErrorName];
    const refusal: AzureRefusal = { ok: false, kind: "refused", code: `AADSTS${code}`, httpStatus, message: "as it is worded today", oauthError: error, headers: {} };
    const network = new Network({ env: sandbox.env(), ca: sandbox.caPem });
    // The client that is asked for in place of the missing one is not there either.
    const exchange = { ...scene.exchange(), principalId: name === "clientMissing" ? OTHER_GUID : scene.exchange().principalId };
    const run = { contract, exchange, cloud: azureClouds.public, network, scrubber: new Scrubber(), token: readToken(await sandbox.issuers.mint(WORKLOAD)), account: undefined, issuer: () => readIssuer(network, WORKLOAD.issuer, AZURE_ISSUER_RULES, new AbortController().signal) } as unknown as AzureRun;
    const scope = { signal: new AbortController().signal, outcome: async () => undefined } as unknown as CheckScope;
    const found = await diagnoseExchange(run, "arm", refusal, false, scope).finally(() => network.close());
    expect(found.causes.map((one) => one.code.replace(/^azure\./, ""))).toEqual(causes);
    expect(found.causes.every(({ fix, evidence }) => fix !== "" && evidence.length > 0)).toBe(true);
  });

  it("is retried only where time can mend it", async () => {
    const retried = Object.entries(ENTRA_ERRORS).filter(([, { retry }]) => retry === "propagation" || retry === "issuer").map(([, { code }]) => code);
    expect(retried).toEqual(expect.arrayContaining([70021, 70025, 700211, 700212, 700213, 7000272, 501661, 50166, 90061]));
    expect(retried).not.toEqual(expect.arrayContaining([90002]));
  });
});

it("every cause has a fix with a command or a place, and no value left out", () => {
  const values = { contract, exchange: scene.exchange(), cloud: azureClouds.public };
  for (const [code, { title, explanation, fix }] of Object.entries(azureCauses)) {
    const written = fix({ ...values, subject: "thing", resourceGroup: "rg", scope: `${scene.group}/providers/Microsoft.Storage/storageAccounts/acme`, action: "a/read", role: "Contributor", expected: "8080", found: "other" });
    expect({ code, complete: [title, explanation, written].every((text) => text.length > 10 && !/undefined|\bnull\b|\[object/.test(text)) }).toEqual({ code, complete: true });
  }
});
