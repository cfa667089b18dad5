import { dcfSiteUpdate, deployedImage } from "../../../facts/azure/dcf-deploy.js";
import { RESPONSE_LABEL } from "../../../sandbox/containers.js";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { AzureError } from "../../../sandbox/azure/types.js";
import { WORKER_QUOTA, workerQuotaId } from "../../../sandbox/azure/web-plans.js";
import { ARM, type AzureReceived, type AzureSend, WORKLOAD, accessToken, administratorToken, armCall, azureSend } from "../../support/azure.js";
import { GROUP, LOCATION, type Principal, ROLES, WEB_API, assign, createRegistry, groupPath, imageListening, newPrincipal, prepare, pushed, registryPath, subscriptionPath } from "./registry-support.js";

const HOST = "acmedcf.azurecr.io";
const IDENTITY_API = "api-version=2024-11-30";
const image = imageListening([8080]);

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let send: AzureSend;
let admin: string;
let registryId: string;
let pull: { id: string; clientId: string; principalId: string };
let pullAssignment: string;
let other: Principal;

const web = (rest: string): string => `${groupPath(sandbox)}/providers/Microsoft.Web/${rest}`;
const arm = (method: string, path: string, body?: object, token = admin): Promise<AzureReceived> => send(method, `${ARM}${path}${path.includes("?") ? "&" : "?"}${WEB_API}`, { token, body });
const webRefusal = (status: number, Code: string, Message: unknown) => ({ status, json: { Code, Message, Target: null, Details: [{ Message }, { Code }, { ErrorEntity: expect.objectContaining({ Code }) }] } });
const armRefusal = (status: number, code: string, message: unknown = expect.any(String)) => ({ status, json: { error: { code, message } } });
const plan = (name: string, sku: object = { name: "B1" }, properties: object = { reserved: true }) => arm("PUT", web(`serverfarms/${name}`), { location: LOCATION, kind: "linux", sku, properties });
const visit = (host = "acme-app.azurewebsites.net"): Promise<AzureReceived> => send("GET", `https://${host}/`);

interface SiteOrder {
  image?: string;
  config?: object;
  settings?: Record<string, string>;
  properties?: object;
  identity?: object;
  plan?: string;
  name?: string;
  token?: string;
}

function site({ image: reference = `${HOST}/app:v1`, config = {}, settings = { WEBSITES_PORT: "8080" }, properties = {}, identity, plan: planName = "plan-acme", name = "acme-app", token = admin }: SiteOrder = {}): Promise<AzureReceived> {
  const siteConfig = {
    linuxFxVersion: `DOCKER|${reference}`,
    acrUseManagedIdentityCreds: true,
    acrUserManagedIdentityID: pull.clientId,
    appSettings: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
    ...config,
  };
  const body = { location: LOCATION, identity: identity ?? { type: "UserAssigned", userAssignedIdentities: { [pull.id]: {} } }, properties: { serverFarmId: web(`serverfarms/${planName}`), siteConfig, ...properties } };
  return arm("PUT", web(`sites/${name}`), body, token);
}

async function status(name = "acme-app"): Promise<Record<string, unknown>> {
  const { json } = await arm("GET", web(`sites/${name}/siteStatus`));
  return (json["properties"] as Record<string, unknown>[])[0] ?? {};
}

const log = async (): Promise<string> => (await arm("POST", web("sites/acme-app/containerlogs"))).text;

beforeAll(async () => {
  sandbox = await startSandbox();
  send = azureSend(sandbox);
  await prepare(sandbox);
  admin = await administratorToken(sandbox);
  registryId = (await createRegistry(sandbox, "acmedcf")).id;
  await pushed(sandbox, HOST, "app", "v1", image, admin);
  const identity = await armCall<{ id: string; properties: { clientId: string; principalId: string } }>(sandbox, "PUT", `${groupPath(sandbox)}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acme-pull?${IDENTITY_API}`, { location: LOCATION });
  pull = { id: identity.id, ...identity.properties };
  pullAssignment = await assign(sandbox, { objectId: pull.principalId }, ROLES.acrPull, registryId);
  await plan("plan-acme");
  other = await newPrincipal(sandbox, "other");
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("App Service plans", () => {
  it("are made, read, scaled, listed and deleted", async () => {
    const made = await plan("plan-b", { name: "p1V3", capacity: 2 });
    expect(made).toMatchObject({
      status: 200,
      json: {
        id: web("serverfarms/plan-b"),
        type: "Microsoft.Web/serverfarms",
        location: LOCATION,
        kind: "linux",
        sku: { name: "P1v3", tier: "PremiumV3", size: "P1v3", family: "Pv3", capacity: 2 },
        properties: { reserved: true, status: "Ready", provisioningState: "Succeeded", numberOfSites: 0, numberOfWorkers: 2, maximumNumberOfWorkers: 30 },
      },
    });
    expect((await arm("GET", web("serverfarms/plan-b"))).json).toEqual(made.json);
    expect((await arm("PATCH", web("serverfarms/plan-b"), { sku: { name: "S1" } })).json).toMatchObject({ sku: { tier: "Standard" }, properties: { reserved: true } });
    const names = async (path: string) => ((await arm("GET", path)).json["value"] as { name: string }[]).map(({ name }) => name).sort();
    expect(await names(web("serverfarms"))).toEqual(["plan-acme", "plan-b"]);
    expect(await names(`${subscriptionPath(sandbox)}/providers/Microsoft.Web/serverfarms`)).toEqual(["plan-acme", "plan-b"]);
    expect((await arm("DELETE", web("serverfarms/plan-b"))).status).toBe(200);
    expect((await arm("DELETE", web("serverfarms/plan-b"))).status).toBe(204);
    expect(await arm("GET", web("serverfarms/plan-b"))).toMatchObject(armRefusal(404, "ResourceNotFound"));
  });

  it("are refused where the region's quota for the tier is used up, and not in another tier", async () => {
    const quota = (tier: string, workers: number) => sandbox.store.put(WORKER_QUOTA, workerQuotaId(sandbox.azure.defaultSubscription.subscriptionId, LOCATION, tier), workers);
    quota("Basic", 1);
    const refused = await plan("plan-b");
    expect(refused).toMatchObject(webRefusal(401, "Unauthorized", expect.stringMatching(/^Operation cannot be completed without additional quota\. .*Current Limit \(Basic VMs\): 1 \r\nCurrent Usage: 1\r\nAmount required for this deployment \(Basic VMs\): 1 /s)));
    expect((await plan("plan-acme", { name: "B2" })).status).toBe(200);
    expect(await plan("plan-acme", { name: "B1", capacity: 2 })).toMatchObject({ status: 401 });
    expect((await plan("plan-s", { name: "S1" })).status).toBe(200);
    quota("Standard", 0);
    expect(await plan("plan-s2", { name: "S1" })).toMatchObject({ status: 401, json: { Message: expect.stringContaining("Current Limit (Standard VMs): 0 ") } });
    const validate = async (skuName: string) => (await arm("POST", `${groupPath(sandbox)}/providers/Microsoft.Web/validate`, { name: "p", type: "ServerFarm", location: LOCATION, properties: { skuName, capacity: 1 } })).json;
    expect(await validate("S1")).toMatchObject({ status: "Failure", error: { code: "SubscriptionIsOverQuotaForSku" } });
    expect(await validate("P1v3")).toEqual({ status: "Success", error: null });
  });

  it("are refused sizes and names that there are not, and deletion under their sites", async () => {
    expect(await plan("plan-b", { name: "X9" })).toMatchObject(webRefusal(400, "BadRequest", expect.stringContaining("X9")));
    expect(await plan("plan_b")).toMatchObject(webRefusal(400, "BadRequest", expect.stringContaining("plan_b")));
    await site();
    expect(await arm("DELETE", web("serverfarms/plan-acme"))).toMatchObject(webRefusal(409, "Conflict", "Server farm 'plan-acme' cannot be deleted because it has web app(s) acme-app assigned to it."));
    await arm("DELETE", web("sites/acme-app?deleteEmptyServerFarm=false"));
    expect((await arm("DELETE", web("serverfarms/plan-acme"))).status).toBe(200);
  });
});

describe("sites", () => {
  it("are made, read, changed, listed and deleted", async () => {
    const made = await site({ properties: { httpsOnly: true } });
    expect(made).toMatchObject({
      status: 200,
      json: {
        id: web("sites/acme-app"),
        name: "acme-app",
        type: "Microsoft.Web/sites",
        kind: "app,linux,container",
        identity: { type: "UserAssigned", userAssignedIdentities: { [pull.id]: { principalId: pull.principalId, clientId: pull.clientId } } },
        properties: {
          state: "Running",
          enabled: true,
          availabilityState: "Normal",
          defaultHostName: "acme-app.azurewebsites.net",
          hostNames: ["acme-app.azurewebsites.net"],
          enabledHostNames: ["acme-app.azurewebsites.net", "acme-app.scm.azurewebsites.net"],
          hostNameSslStates: [{ name: "acme-app.azurewebsites.net", hostType: "Standard", sslState: "Disabled" }, { hostType: "Repository" }],
          httpsOnly: true,
          reserved: true,
          sku: "Basic",
          serverFarmId: web("serverfarms/plan-acme"),
          resourceGroup: GROUP,
          siteConfig: { linuxFxVersion: `DOCKER|${HOST}/app:v1`, acrUseManagedIdentityCreds: true, acrUserManagedIdentityID: pull.clientId },
        },
      },
    });
    expect(made.json["properties"]).not.toHaveProperty("incarnation");
    expect((await arm("GET", web("sites/acme-app"))).json).toEqual(made.json);
    expect((await arm("GET", web("serverfarms/plan-acme"))).json).toMatchObject({ properties: { numberOfSites: 1 } });
    const changed = await arm("PATCH", web("sites/acme-app"), { tags: { owner: "team-a" }, properties: { httpsOnly: false } });
    expect(changed.json).toMatchObject({ tags: { owner: "team-a" }, properties: { httpsOnly: false, siteConfig: { linuxFxVersion: `DOCKER|${HOST}/app:v1` } } });
    expect((await arm("GET", web("sites"))).json).toMatchObject({ value: [{ name: "acme-app" }] });
    expect((await arm("GET", `${subscriptionPath(sandbox)}/providers/Microsoft.Web/sites`)).json).toMatchObject({ value: [{ name: "acme-app" }] });
    expect((await arm("DELETE", web("sites/acme-app?deleteEmptyServerFarm=false"))).status).toBe(200);
    expect((await arm("DELETE", web("sites/acme-app"))).status).toBe(204);
    expect(await arm("GET", web("sites/acme-app"))).toMatchObject(armRefusal(404, "ResourceNotFound"));
    expect((await arm("GET", web("serverfarms/plan-acme"))).status).toBe(200);
  });

  it("take their plan with them when they were the last, unless told otherwise", async () => {
    await site();
    await site({ name: "acme-two" });
    await arm("DELETE", web("sites/acme-two"));
    expect((await arm("GET", web("serverfarms/plan-acme"))).status).toBe(200);
    await arm("DELETE", web("sites/acme-app"));
    expect((await arm("GET", web("serverfarms/plan-acme"))).status).toBe(404);
  });

  it("have names that nobody else has", async () => {
    await site();
    await armCall(sandbox, "PUT", `${groupPath(sandbox, "rg-other")}?api-version=2024-11-01`, { location: LOCATION });
    const elsewhere = `${groupPath(sandbox, "rg-other")}/providers/Microsoft.Web/sites/ACME-APP`;
    const refused = await arm("PUT", elsewhere, { location: LOCATION, properties: { serverFarmId: web("serverfarms/plan-acme") } });
    expect(refused).toMatchObject(webRefusal(409, "Conflict", "Website with given name ACME-APP already exists."));
    expect(refused.json["Details"]).toContainEqual({ ErrorEntity: expect.objectContaining({ ExtendedCode: "54001" }) });
    const check = async (name: string) => (await arm("POST", `${subscriptionPath(sandbox)}/providers/Microsoft.Web/checknameavailability`, { name, type: "Site" })).json;
    expect(await check("acme-app")).toMatchObject({ nameAvailable: false, reason: "AlreadyExists" });
    expect(await check("acme-new")).toMatchObject({ nameAvailable: true });
    expect(await check("-acme")).toMatchObject({ nameAvailable: false, reason: "Invalid" });
  });

  it("have a host name with a label of its own where that is asked for", async () => {
    const { json } = await site({ properties: { autoGeneratedDomainNameLabelScope: "TenantReuse" } });
    const { defaultHostName } = json["properties"] as { defaultHostName: string };
    expect(defaultHostName).toMatch(/^acme-app-[0-9a-f]{16}\.westeurope-01\.azurewebsites\.net$/);
    expect((await visit(defaultHostName)).status).toBe(200);
  });

  it("need a plan that takes them", async () => {
    expect(await site({ plan: "plan-none" })).toMatchObject(webRefusal(404, "NotFound", "Cannot find ServerFarm with name plan-none."));
    expect(await arm("PUT", web("sites/acme-app"), { location: LOCATION, properties: {} })).toMatchObject(webRefusal(400, "BadRequest", expect.stringContaining("ServerFarmId")));
    expect(await arm("PUT", web("sites/acme-app"), { location: "northeurope", properties: { serverFarmId: web("serverfarms/plan-acme") } })).toMatchObject(webRefusal(409, "Conflict", expect.stringContaining("northeurope")));
    await plan("plan-windows", { name: "B1" }, {});
    expect(await site({ plan: "plan-windows" })).toMatchObject(webRefusal(400, "BadRequest", expect.stringContaining("LinuxFxVersion")));
    await plan("plan-free", { name: "F1" });
    expect(await site({ plan: "plan-free", config: { alwaysOn: true } })).toMatchObject(webRefusal(409, "Conflict", expect.stringContaining("AlwaysOn cannot be set")));
    expect((await site({ plan: "plan-free" })).status).toBe(200);
    expect(await site({ name: "a" })).toMatchObject(webRefusal(400, "BadRequest", expect.any(String)));
  });

  it("are written one at a time on one plan", async () => {
    await plan("plan-b");
    const { caller } = sandbox.azure.administrator();
    const put = (name: string, planName: string) =>
      sandbox.azure.call(caller, "PUT", `${ARM}${web(`sites/${name}`)}?${WEB_API}`, { location: LOCATION, properties: { serverFarmId: web(`serverfarms/${planName}`) } }).then(
        () => "made",
        (error: unknown) => (error instanceof AzureError ? `${error.status} ${error.message}` : String(error)),
      );
    const locked = "429 Cannot acquire exclusive lock to create, update or delete this site. Retry the request later.";
    expect(await Promise.all([put("acme-one", "plan-acme"), put("acme-two", "plan-acme"), put("acme-three", "plan-b")])).toEqual(["made", locked, "made"]);
    expect(await put("acme-two", "plan-acme")).toBe("made");
  });

  it("ask for the right to each method, and to what they are linked to", async () => {
    await site();
    const token = await other.token();
    const refusal = (action: string) => armRefusal(403, "AuthorizationFailed", expect.stringContaining(`'${action}'`));
    expect(await arm("GET", web("sites/acme-app"), undefined, token)).toMatchObject(refusal("Microsoft.Web/sites/read"));
    expect(await arm("PUT", web("sites/acme-new"), { location: LOCATION }, token)).toMatchObject(refusal("Microsoft.Web/sites/write"));
    expect(await arm("DELETE", web("sites/acme-app"), undefined, token)).toMatchObject(refusal("Microsoft.Web/sites/delete"));
    expect(await arm("POST", web("sites/acme-app/config/appsettings/list"), undefined, token)).toMatchObject(refusal("Microsoft.Web/sites/config/list/action"));
    expect(await arm("POST", web("sites/acme-app/containerlogs"), undefined, token)).toMatchObject(refusal("Microsoft.Web/sites/containerlogs/action"));
    expect(await arm("PUT", web("serverfarms/plan-b"), { location: LOCATION }, token)).toMatchObject(refusal("Microsoft.Web/serverfarms/write"));
    await assign(sandbox, other, ROLES.reader, groupPath(sandbox));
    expect((await arm("GET", web("sites/acme-app"), undefined, token)).status).toBe(200);
    expect(await arm("POST", web("sites/acme-app/config/appsettings/list"), undefined, token)).toMatchObject({ status: 403 });
    await assign(sandbox, other, ROLES.websiteContributor, groupPath(sandbox));
    expect(await site({ name: "acme-new", token })).toMatchObject(armRefusal(403, "LinkedAuthorizationFailed", expect.stringContaining("'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'")));
    expect((await site({ name: "acme-new", token, identity: { type: "None" } })).status).toBe(200);
    await assign(sandbox, other, ROLES.contributor, groupPath(sandbox));
    expect((await site({ name: "acme-new", token })).status).toBe(200);
  });

  it("are left as they are under a lock, and their settings unseen", async () => {
    await site();
    await armCall(sandbox, "PUT", `${groupPath(sandbox)}/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01`, { properties: { level: "ReadOnly" } });
    const locked = armRefusal(409, "ScopeLocked");
    expect(await site()).toMatchObject(locked);
    expect(await plan("plan-acme")).toMatchObject(locked);
    expect(await arm("PATCH", web("sites/acme-app/config/web"), { properties: {} })).toMatchObject(locked);
    expect(await arm("DELETE", web("sites/acme-app"))).toMatchObject(locked);
    expect(await arm("POST", web("sites/acme-app/restart"))).toMatchObject(locked);
    expect(await arm("POST", web("sites/acme-app/config/appsettings/list"))).toMatchObject(locked);
    expect((await arm("GET", web("sites/acme-app/config/web"))).status).toBe(200);
    expect((await visit()).status).toBe(200);
  });

  it("wait for the provider to be registered", async () => {
    const elsewhere = "/subscriptions/bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f";
    await armCall(sandbox, "PUT", `${elsewhere}/resourceGroups/${GROUP}?api-version=2024-11-01`, { location: LOCATION });
    const put = () => arm("PUT", `${elsewhere}/resourceGroups/${GROUP}/providers/Microsoft.Web/serverfarms/plan-test`, { location: LOCATION, sku: { name: "B1" } });
    expect(await put()).toMatchObject(armRefusal(409, "MissingSubscriptionRegistration", expect.stringContaining("'Microsoft.Web'")));
    await armCall(sandbox, "POST", `${elsewhere}/providers/Microsoft.Web/register?api-version=2024-11-01`);
    expect((await put()).status).toBe(200);
  });

  it("are refused an identity that is not there", async () => {
    const none = `${groupPath(sandbox)}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-none`;
    expect(await site({ identity: { type: "UserAssigned", userAssignedIdentities: { [none]: {} } } })).toMatchObject(armRefusal(400, "FailedIdentityOperation", expect.stringContaining("id-none")));
  });

  it("keep settings apart from the configuration, and out of it", async () => {
    await site();
    expect((await arm("POST", web("sites/acme-app/config/appsettings/list"))).json).toMatchObject({ name: "appsettings", properties: { WEBSITES_PORT: "8080" } });
    await arm("PUT", web("sites/acme-app/config/appsettings"), { properties: { WEBSITES_PORT: "8080", MODE: "test" } });
    await arm("PATCH", web("sites/acme-app"), { properties: {} });
    expect((await arm("POST", web("sites/acme-app/config/appsettings/list"))).json).toMatchObject({ properties: { WEBSITES_PORT: "8080", MODE: "test" } });
    const config = await arm("GET", web("sites/acme-app/config/web"));
    expect(config.json).toMatchObject({ id: web("sites/acme-app/config/web"), type: "Microsoft.Web/sites/config", properties: { linuxFxVersion: `DOCKER|${HOST}/app:v1`, alwaysOn: false } });
    expect(config.text).not.toContain("WEBSITES_PORT");
    expect((await arm("PATCH", web("sites/acme-app/config/web"), { properties: { alwaysOn: true } })).json).toMatchObject({ properties: { alwaysOn: true, linuxFxVersion: `DOCKER|${HOST}/app:v1` } });
    await arm("PUT", web("sites/acme-app/config/slotConfigNames"), { properties: { appSettingNames: ["MODE"] } });
    expect((await arm("GET", web("sites/acme-app/config/slotConfigNames"))).json).toMatchObject({ properties: { appSettingNames: ["MODE"] } });
    expect((await arm("POST", web("sites/acme-app/publishxml"), { format: "WebDeploy" })).text).toMatch(/<publishProfile [^>]*publishMethod="MSDeploy" publishUrl="acme-app\.scm\.azurewebsites\.net:443"/);
    expect((await arm("POST", web("sites/acme-app/config/connectionstrings/list"))).json).toMatchObject({ properties: {} });
  });
});

describe("slots", () => {
  it("are for the Standard tier and above, and have addresses of their own", async () => {
    await site();
    const slot = { location: LOCATION, identity: { type: "UserAssigned", userAssignedIdentities: { [pull.id]: {} } }, properties: { siteConfig: { linuxFxVersion: `DOCKER|${HOST}/app:v1`, acrUseManagedIdentityCreds: true, acrUserManagedIdentityID: pull.clientId } } };
    expect(await arm("PUT", web("sites/acme-app/slots/canary"), slot)).toMatchObject(webRefusal(409, "Conflict", "Cannot complete the operation because the site will exceed the number of slots allowed for the 'Basic' SKU."));
    await arm("PATCH", web("serverfarms/plan-acme"), { sku: { name: "S1" } });
    expect(await arm("PUT", web("sites/acme-app/slots/canary"), slot)).toMatchObject({ status: 200, json: { name: "acme-app/canary", type: "Microsoft.Web/sites/slots", properties: { defaultHostName: "acme-app-canary.azurewebsites.net" } } });
    expect((await visit("acme-app-canary.azurewebsites.net")).status).toBe(503);
    await arm("PUT", web("sites/acme-app/slots/canary/config/appsettings"), { properties: { WEBSITES_PORT: "8080" } });
    expect((await visit("acme-app-canary.azurewebsites.net")).status).toBe(200);
    expect((await arm("GET", web("sites/acme-app/slots"))).json).toMatchObject({ value: [{ name: "acme-app/canary" }] });
    expect((await arm("DELETE", web("sites/acme-app/slots/canary"))).status).toBe(200);
    expect((await arm("GET", web("serverfarms/plan-acme"))).status).toBe(200);
    expect(await arm("PUT", web("sites/acme-none/slots/canary"), slot)).toMatchObject(armRefusal(404, "ResourceNotFound"));
  });
});

describe("a site's container", () => {
  it("is pulled as the identity that the configuration names, and answers", async () => {
    await site();
    const answer = await visit();
    expect(answer).toMatchObject({ status: 200, json: { site: "acme-app", image: `${HOST}/app:v1`, imageDigest: image.digest } });
    expect(await status()).toMatchObject({ state: "Started", lastError: null });
    expect(await log()).toMatch(/Pulling image: acmedcf\.azurecr\.io\/app:v1\n.*docker run .* -e PORT=8080 .*\n.*\n.*is ready to serve requests\.\n$/s);
    expect((await arm("GET", web("sites/acme-app/instances"))).json).toMatchObject({ value: [{ properties: { state: "READY" } }] });
  });

  it("answers as its image says", async () => {
    const teapot = imageListening([80], { content: "teapot", labels: { [RESPONSE_LABEL]: JSON.stringify({ statusCode: 418, body: "short and stout" }) } });
    await pushed(sandbox, HOST, "app", "v2", teapot, admin);
    await site({ image: `${HOST}/app@${teapot.digest}`, settings: {} });
    expect(await visit()).toMatchObject({ status: 418, text: "short and stout" });
  });

  it("is the new one once the configuration names it", async () => {
    await site();
    const next = imageListening([8080], { content: "next" });
    await pushed(sandbox, HOST, "app", "v2", next, admin);
    await arm("PATCH", web("sites/acme-app/config/web"), { properties: { linuxFxVersion: `DOCKER|${HOST}/app:v2` } });
    expect((await visit()).json).toMatchObject({ imageDigest: next.digest });
  });

  it.each<[why: string, order: () => Promise<SiteOrder>, code: string, details: RegExp]>([
    ["the identity may not pull", async () => (await armCall(sandbox, "DELETE", pullAssignment), {}), "ImagePullUnauthorizedFailure", /^Failed to pull image: acmedcf\.azurecr\.io\/app:v1\. Image pull failed with forbidden or unauthorized\. Check registry credentials\. UNAUTHORIZED: authentication required/],
    ["the registry takes no tokens of Resource Manager's", async () => (await armCall(sandbox, "PATCH", `${registryPath(sandbox, "acmedcf")}?api-version=2025-11-01`, { properties: { policies: { azureADAuthenticationAsArmPolicy: { status: "disabled" } } } }), {}), "ImagePullUnauthorizedFailure", /token validation failed/],
    ["the registry grants by repository", async () => (await armCall(sandbox, "PATCH", `${registryPath(sandbox, "acmedcf")}?api-version=2025-11-01`, { properties: { roleAssignmentMode: "AbacRepositoryPermissions" } }), {}), "ImagePullUnauthorizedFailure", /UNAUTHORIZED/],
    ["the registry lets no public network in", async () => (await armCall(sandbox, "PATCH", `${registryPath(sandbox, "acmedcf")}?api-version=2025-11-01`, { properties: { publicNetworkAccess: "Disabled" } }), {}), "ImagePullUnauthorizedFailure", /DENIED: client with IP '127\.0\.0\.1' is not allowed access/],
    ["it is not set to pull with an identity", async () => ({ config: { acrUseManagedIdentityCreds: false } }), "ImagePullUnauthorizedFailure", /UNAUTHORIZED/],
    ["the identity is named by its object id", async () => ({ config: { acrUserManagedIdentityID: pull.principalId } }), "ManagedIdentityTokenFailure", /no user-assigned identity with the client id/],
    ["the site was not given the identity", async () => ({ identity: { type: "None" } }), "ManagedIdentityTokenFailure", /no user-assigned identity/],
    ["the site has no identity of its own", async () => ({ config: { acrUserManagedIdentityID: null } }), "ManagedIdentityTokenFailure", /no system-assigned identity/],
    ["there is no such tag", async () => ({ image: `${HOST}/app:v9` }), "ImagePullNotFoundFailure", /MANIFEST_UNKNOWN: manifest v9 is not found/],
    ["there is no such registry", async () => ({ image: "acmenone.azurecr.io/app:v1" }), "ImagePullFailure", /lookup acmenone\.azurecr\.io: no such host/],
    ["it listens on another port", async () => ({ settings: { WEBSITES_PORT: "3000" } }), "ContainerTimeout", /^Container did not start within expected time limit of 230s\. Container didn't respond to HTTP pings on port: 3000, failing site start\.$/],
    ["nobody said which port it listens on", async () => ({ settings: { WEBSITES_CONTAINER_START_TIME_LIMIT: "600" } }), "ContainerTimeout", /limit of 600s\. Container didn't respond to HTTP pings on port: 80,/],
    ["it is for another architecture", async () => (await pushed(sandbox, HOST, "app", "arm", imageListening([8080], { architecture: "arm64" }), admin), { image: `${HOST}/app:arm` }), "ContainerExited", /exec format error/],
  ])("does not start where %s", async (_why, order, code, details) => {
    expect((await site(await order())).status).toBe(200);
    const answer = await visit();
    expect(answer).toMatchObject({ status: 503, text: expect.stringContaining(":( Application Error") });
    expect(await status()).toMatchObject({ state: "Stopped", lastError: code, lastErrorDetails: expect.stringMatching(details), lastErrorTimestamp: expect.any(String) });
    expect(await log()).toContain(`LastError: ${code}, `);
    expect((await arm("GET", web("sites/acme-app"))).json).toMatchObject({ properties: { state: "Running", availabilityState: "Normal" } });
  });

  it("starts at the next request once what was missing is there", async () => {
    await armCall(sandbox, "DELETE", pullAssignment);
    await site();
    expect((await visit()).status).toBe(503);
    await assign(sandbox, { objectId: pull.principalId }, ROLES.acrPull, registryId);
    expect((await visit()).status).toBe(200);
    expect(await status()).toMatchObject({ state: "Started", lastError: "ImagePullUnauthorizedFailure" });
  });

  it("keeps running when the right to pull ends, until it is started again", async () => {
    await site();
    await armCall(sandbox, "DELETE", pullAssignment);
    expect((await visit()).status).toBe(200);
    await arm("POST", web("sites/acme-app/restart"));
    expect((await visit()).status).toBe(503);
  });

  it("is pulled by the site's own identity, or by the registry's admin user, where that is what it is told", async () => {
    const own = await site({ config: { acrUserManagedIdentityID: null }, identity: { type: "SystemAssigned" } });
    expect((await visit()).status).toBe(503);
    await assign(sandbox, { objectId: (own.json["identity"] as { principalId: string }).principalId }, ROLES.acrPull, registryId);
    expect((await visit()).status).toBe(200);
    await createRegistry(sandbox, "acmedcf", { adminUserEnabled: true });
    const { passwords } = await armCall<{ passwords: [{ value: string }] }>(sandbox, "POST", `${registryPath(sandbox, "acmedcf")}/listCredentials?api-version=2025-11-01`);
    const password = passwords[0].value;
    const settings = { WEBSITES_PORT: "8080", DOCKER_REGISTRY_SERVER_USERNAME: "acmedcf", DOCKER_REGISTRY_SERVER_PASSWORD: password };
    await site({ name: "acme-two", config: { acrUseManagedIdentityCreds: false }, settings });
    expect((await visit("acme-two.azurewebsites.net")).status).toBe(200);
    await site({ name: "acme-two", config: { acrUseManagedIdentityCreds: false }, settings: { ...settings, DOCKER_REGISTRY_SERVER_PASSWORD: "wrong" } });
    expect((await visit("acme-two.azurewebsites.net")).status).toBe(503);
  });

  it("may be one of Microsoft's own until there is another", async () => {
    await site({ image: "mcr.microsoft.com/appsvc/staticsite:latest" });
    expect((await visit()).status).toBe(200);
    await site({ image: "docker.io/library/nginx" });
    expect((await visit()).status).toBe(503);
  });
});

describe("a deployment as DCF makes it", () => {
  it("is an image that the workload's identity pushes, and the site's configuration that names it", async () => {
    const workload = await armCall<{ id: string; properties: { clientId: string; principalId: string } }>(sandbox, "PUT", `${groupPath(sandbox)}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acme-dcf?${IDENTITY_API}`, { location: LOCATION });
    const { issuer, subject, audience } = WORKLOAD;
    await armCall(sandbox, "PUT", `${workload.id}/federatedIdentityCredentials/dcf?${IDENTITY_API}`, { properties: { issuer, subject, audiences: [audience] } });
    await assign(sandbox, { objectId: workload.properties.principalId }, ROLES.contributor, groupPath(sandbox));
    await site({ image: "mcr.microsoft.com/appsvc/staticsite:latest", properties: { httpsOnly: true } });

    const token = await accessToken(sandbox, { clientId: workload.properties.clientId });
    const order = { loginServer: HOST, repository: "project-4711", tag: "build-1" };
    const digest = await pushed(sandbox, HOST, order.repository, order.tag, image, token);
    expect((await arm("PATCH", web("sites/acme-app/config/web"), dcfSiteUpdate(order), token)).status).toBe(200);
    expect(await visit()).toMatchObject({ status: 200, json: { image: deployedImage(order), imageDigest: digest } });
  });
});

describe("a site's address", () => {
  it("says that the site is stopped, and answers again once it is started", async () => {
    await site();
    await arm("POST", web("sites/acme-app/stop"));
    expect(await visit()).toMatchObject({ status: 403, text: expect.stringContaining("Error 403 - This web app is stopped.") });
    expect((await arm("GET", web("sites/acme-app"))).json).toMatchObject({ properties: { state: "Stopped" } });
    expect(await status()).toMatchObject({ state: "Stopped", lastError: null });
    await arm("POST", web("sites/acme-app/start"));
    expect((await visit()).status).toBe(200);
  });

  it("is closed where the public network is off", async () => {
    await site({ properties: { publicNetworkAccess: "Disabled" } });
    expect(await visit()).toMatchObject({ status: 403, text: expect.stringContaining("has blocked your access") });
  });

  it("is the cloud's own, with the registry's", async () => {
    const tenant = "ccccdddd-2222-eeee-3333-ffff4444aaaa";
    const group = `/subscriptions/cccc2c2c-dd3d-ee4e-ff5f-aaaaaa6a6a6a/resourceGroups/${GROUP}`;
    const token = await administratorToken(sandbox, { tenant, loginHost: "login.microsoftonline.us", scope: "https://management.usgovcloudapi.net/.default" });
    const call = (method: string, path: string, version: string, body?: object) => send(method, `https://management.usgovcloudapi.net${path}?api-version=${version}`, { token, body });
    await call("PUT", group, "2024-11-01", { location: "usgovvirginia" });
    for (const namespace of ["Microsoft.ContainerRegistry", "Microsoft.Web"]) await call("POST", `${group.split("/resourceGroups")[0] ?? ""}/providers/${namespace}/register`, "2024-11-01");
    const registry = await call("PUT", `${group}/providers/Microsoft.ContainerRegistry/registries/acmegov`, "2025-11-01", { location: "usgovvirginia", sku: { name: "Basic" } });
    expect(registry.json).toMatchObject({ properties: { loginServer: "acmegov.azurecr.us" } });
    await pushed(sandbox, "acmegov.azurecr.us", "app", "v1", image, token);
    await call("PUT", `${group}/providers/Microsoft.Web/serverfarms/plan`, "2025-05-01", { location: "usgovvirginia", sku: { name: "B1" }, properties: { reserved: true } });
    const made = await call("PUT", `${group}/providers/Microsoft.Web/sites/acme-app`, "2025-05-01", { location: "usgovvirginia", properties: { serverFarmId: `${group}/providers/Microsoft.Web/serverfarms/plan` } });
    expect(made.json).toMatchObject({ properties: { defaultHostName: "acme-app.azurewebsites.us" } });
    expect((await visit("acme-app.azurewebsites.us")).status).toBe(200);
  });

  it("is not there before the site, and not after it", async () => {
    // The proxy refuses the connection, as there is no such name in the DNS.
    const nowhere = { status: 403, text: expect.stringContaining('serves no "acme-app.azurewebsites.net"') };
    expect(await visit()).toMatchObject(nowhere);
    await site();
    expect((await visit()).status).toBe(200);
    await arm("DELETE", web("sites/acme-app"));
    expect(await visit()).toMatchObject(nowhere);
  });
});
