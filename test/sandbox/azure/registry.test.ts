import { rmSync } from "node:fs";
import { join } from "node:path";
import { TOKEN_USER } from "../../../facts/azure/container-registry.js";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { ARM, type AzureReceived, type AzureSend, administratorToken, armCall, azureSend } from "../../support/azure.js";
import { ociLayout, testImage } from "../aws/images.js";
import { Clients, onPath } from "../gcp/clients.js";
import { ACR_SCOPE, GROUP, LOCATION, type Principal, REGISTRY_API, ROLES, RegistryClient, assign, createRegistry, groupPath, newPrincipal, prepare, pushed, registryPath, subscriptionPath } from "./registry-support.js";

const HOST = "acmedcf.azurecr.io";
const hasSkopeo = onPath("skopeo");
const image = testImage();

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let send: AzureSend;
let admin: string;
let registry: RegistryClient;
let registryId: string;
let writer: Principal;
let reader: Principal;
let stranger: Principal;

const arm = (method: string, path: string, body?: object, token = admin): Promise<AzureReceived> => send(method, `${ARM}${path}`, { token, body });
const onRegistry = (method: string, rest = "", body?: object, token = admin): Promise<AzureReceived> => arm(method, `${registryPath(sandbox, "acmedcf")}${rest}?${REGISTRY_API}`, body, token);
const denied = (status: number, code: string, message: unknown, detail?: unknown) => ({ status, json: { errors: [{ code, message, ...(detail !== undefined && { detail }) }] } });
const unauthorized = (Type?: string, Name?: string, Action?: string) =>
  denied(401, "UNAUTHORIZED", "authentication required, visit https://aka.ms/acr/authorization for more information.", Type === undefined ? undefined : [{ Type, Name, Action }]);
const accessOf = (token: string): unknown => (JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as { access: unknown }).access;

beforeAll(async () => {
  sandbox = await startSandbox();
  send = azureSend(sandbox);
  await prepare(sandbox);
  admin = await administratorToken(sandbox);
  registryId = (await createRegistry(sandbox, "acmedcf")).id;
  registry = new RegistryClient(sandbox, HOST);
  [writer, reader, stranger] = await Promise.all([newPrincipal(sandbox, "dcf"), newPrincipal(sandbox, "site"), newPrincipal(sandbox, "stranger")]);
  await assign(sandbox, writer, ROLES.acrPush, registryId);
  await assign(sandbox, reader, ROLES.acrPull, registryId);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("registries in Resource Manager", () => {
  it("are made, read, changed, listed and deleted", async () => {
    const made = await arm("PUT", `${registryPath(sandbox, "acmeApps")}?${REGISTRY_API}`, { location: "West Europe", sku: { name: "standard" }, tags: { owner: "team-a" }, properties: { adminUserEnabled: true } });
    expect(made).toMatchObject({
      status: 201,
      json: {
        id: registryPath(sandbox, "acmeApps"),
        name: "acmeApps",
        type: "Microsoft.ContainerRegistry/registries",
        location: LOCATION,
        sku: { name: "Standard", tier: "Standard" },
        tags: { owner: "team-a" },
        properties: {
          loginServer: "acmeapps.azurecr.io",
          provisioningState: "Succeeded",
          adminUserEnabled: true,
          publicNetworkAccess: "Enabled",
          roleAssignmentMode: "LegacyRegistryPermissions",
          policies: { azureADAuthenticationAsArmPolicy: { status: "enabled" }, exportPolicy: { status: "enabled" } },
        },
      },
    });
    expect(made.json["properties"]).not.toHaveProperty("incarnation");
    expect(made.json["properties"]).not.toHaveProperty("networkRuleSet");
    expect(String(made.headers["azure-asyncoperation"])).toMatch(/Microsoft\.ContainerRegistry/);
    const path = `${registryPath(sandbox, "acmeapps")}?${REGISTRY_API}`;
    expect((await arm("GET", path)).json).toEqual(made.json);
    const changed = await arm("PATCH", path, { sku: { name: "Premium" }, properties: { policies: { azureADAuthenticationAsArmPolicy: { status: "disabled" } } } });
    expect(changed).toMatchObject({ status: 200, json: { sku: { name: "Premium" }, tags: { owner: "team-a" }, properties: { adminUserEnabled: true, networkRuleSet: { defaultAction: "Allow", ipRules: [] }, policies: { azureADAuthenticationAsArmPolicy: { status: "disabled" } } } } });
    const names = async (scope: string) => ((await arm("GET", `${scope}/providers/Microsoft.ContainerRegistry/registries?${REGISTRY_API}`)).json["value"] as { name: string }[]).map(({ name }) => name).sort();
    expect(await names(groupPath(sandbox))).toEqual(["acmeApps", "acmedcf"]);
    expect(await names(subscriptionPath(sandbox))).toEqual(["acmeApps", "acmedcf"]);
    expect((await arm("DELETE", path)).status).toBe(202);
    expect((await arm("DELETE", path)).status).toBe(204);
    expect(await arm("GET", path)).toMatchObject({ status: 404, json: { error: { code: "ResourceNotFound" } } });
  });

  it("refuses names, tiers and places that it cannot take", async () => {
    const put = (name: string, body: object = { location: LOCATION, sku: { name: "Basic" } }, group = GROUP) => arm("PUT", `${groupPath(sandbox, group)}/providers/Microsoft.ContainerRegistry/registries/${name}?${REGISTRY_API}`, body);
    expect(await put("acme")).toMatchObject({ status: 400, json: { error: { code: "InvalidResourceName" } } });
    expect(await put("acme-dcf")).toMatchObject({ status: 400, json: { error: { code: "InvalidResourceName" } } });
    expect(await put("acme1", { location: LOCATION, sku: { name: "Huge" } })).toMatchObject({ status: 400, json: { error: { code: "InvalidRequestContent", message: expect.stringContaining("The specified SKU 'Huge' is invalid") } } });
    expect(await put("acme1", { sku: { name: "Basic" } })).toMatchObject({ status: 400, json: { error: { code: "InvalidRequestContent", message: expect.stringContaining("location") } } });
    expect(await put("acme1", undefined, "rg-none")).toMatchObject({ status: 404, json: { error: { code: "ResourceGroupNotFound" } } });
    expect(await put("acmedcf", { location: "northeurope", sku: { name: "Basic" } })).toMatchObject({ status: 409, json: { error: { code: "InvalidResourceLocation" } } });
    await armCall(sandbox, "PUT", `${groupPath(sandbox, "rg-other")}?api-version=2024-11-01`, { location: LOCATION });
    expect(await put("AcmeDcf", undefined, "rg-other")).toMatchObject({ status: 409, json: { error: { code: "AlreadyInUse", message: expect.stringContaining("The registry DNS name acmedcf.azurecr.io is already in use.") } } });
    expect((await put("acme1")).status).toBe(201);
  });

  it("says which names are free", async () => {
    const check = async (name: string) => (await arm("POST", `${subscriptionPath(sandbox)}/providers/Microsoft.ContainerRegistry/checkNameAvailability?${REGISTRY_API}`, { name, type: "Microsoft.ContainerRegistry/registries" })).json;
    expect(await check("acmenew")).toEqual({ nameAvailable: true, availableLoginServerName: "acmenew.azurecr.io" });
    expect(await check("acmedcf")).toMatchObject({ nameAvailable: false, reason: "AlreadyExists" });
    expect(await check("a-b")).toMatchObject({ nameAvailable: false, reason: "Invalid" });
  });

  it("names a login server with a label of its own where that is asked for", async () => {
    const { properties } = await createRegistry(sandbox, "acmelabel", { autoGeneratedDomainNameLabelScope: "TenantReuse" });
    expect(properties.loginServer).toMatch(/^acmelabel-[0-9a-f]{16}\.azurecr\.io$/);
    expect((await new RegistryClient(sandbox, properties.loginServer).request("GET", "/v2/")).status).toBe(401);
  });

  it("gives the admin user's passwords only where there is an admin user", async () => {
    expect(await onRegistry("POST", "/listCredentials")).toMatchObject({ status: 400, json: { error: { code: "UnAuthorizedForCredentialOperations", message: expect.stringContaining("as admin user is disabled") } } });
    await onRegistry("PATCH", "", { properties: { adminUserEnabled: true } });
    const { json } = await onRegistry("POST", "/listCredentials");
    const [{ value: password }] = json["passwords"] as [{ value: string }];
    expect(json).toMatchObject({ username: "acmedcf", passwords: [{ name: "password" }, { name: "password2" }] });
    expect((await registry.basic("GET", "/v2/", "acmedcf", password)).status).toBe(200);
    await onRegistry("POST", "/regenerateCredential", { name: "password" });
    expect(await registry.basic("GET", "/v2/", "acmedcf", password)).toMatchObject(unauthorized());
    expect(await onRegistry("POST", "/listCredentials", undefined, await reader.token())).toMatchObject({ status: 403, json: { error: { code: "AuthorizationFailed" } } });
  });

  it("asks for the right to each method", async () => {
    const token = await stranger.token();
    const refusal = (action: string) => ({ status: 403, json: { error: { code: "AuthorizationFailed", message: expect.stringContaining(`'Microsoft.ContainerRegistry/registries/${action}'`) } } });
    expect(await onRegistry("GET", "", undefined, token)).toMatchObject(refusal("read"));
    expect(await onRegistry("PUT", "", { location: LOCATION, sku: { name: "Basic" } }, token)).toMatchObject(refusal("write"));
    expect(await onRegistry("PATCH", "", {}, token)).toMatchObject(refusal("write"));
    expect(await onRegistry("DELETE", "", undefined, token)).toMatchObject(refusal("delete"));
    expect(await onRegistry("GET", "/listUsages", undefined, token)).toMatchObject(refusal("listUsages/read"));
    await assign(sandbox, stranger, ROLES.reader, registryId);
    expect((await onRegistry("GET", "", undefined, token)).status).toBe(200);
    expect(await onRegistry("DELETE", "", undefined, token)).toMatchObject(refusal("delete"));
  });

  it("are left as they are under a lock, and their passwords unseen", async () => {
    await onRegistry("PATCH", "", { properties: { adminUserEnabled: true } });
    const lock = `${registryId}/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01`;
    await armCall(sandbox, "PUT", lock, { properties: { level: "CanNotDelete" } });
    const locked = { status: 409, json: { error: { code: "ScopeLocked" } } };
    expect(await onRegistry("DELETE")).toMatchObject(locked);
    expect((await onRegistry("PATCH", "", {})).status).toBe(200);
    expect((await onRegistry("POST", "/listCredentials")).status).toBe(200);
    await armCall(sandbox, "PUT", lock, { properties: { level: "ReadOnly" } });
    expect(await onRegistry("PATCH", "", {})).toMatchObject(locked);
    expect(await onRegistry("POST", "/listCredentials")).toMatchObject(locked);
    expect((await onRegistry("GET")).status).toBe(200);
    expect((await registry.exchange(await writer.token())).status).toBe(200);
  });

  it("counts what is in them", async () => {
    await pushed(sandbox, HOST, "app", "v1", image, await writer.token());
    const { json } = await onRegistry("GET", "/listUsages");
    expect(json["value"]).toEqual([
      { name: "Size", limit: 10 * 1024 ** 3, currentValue: image.config.length + image.layer.length, unit: "Bytes" },
      { name: "Webhooks", limit: 2, currentValue: 0, unit: "Count" },
    ]);
  });
});

describe("a registry's tokens", () => {
  it("are asked for in a challenge without blanks", async () => {
    const { status, headers } = await registry.request("GET", "/v2/");
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toBe(`Bearer realm="https://${HOST}/oauth2/token",service="${HOST}"`);
    expect((await registry.request("GET", "/v2/app/manifests/v1")).headers["www-authenticate"]).toBe(`Bearer realm="https://${HOST}/oauth2/token",service="${HOST}",scope="repository:app:pull"`);
    expect((await registry.request("GET", "/v2/", "no-token")).headers["www-authenticate"]).toMatch(/,error="invalid_token"$/);
  });

  it("come for an Entra token of either audience, of this tenant, of somebody with a right", async () => {
    for (const token of [await writer.token(), await writer.token(ACR_SCOPE)]) expect(await registry.exchange(token)).toMatchObject({ status: 200, json: { refresh_token: expect.any(String) } });
    expect(await registry.exchange(await writer.token("https://storage.azure.com/.default"))).toMatchObject(denied(401, "UNAUTHORIZED", expect.stringContaining("token validation failed")));
    expect(await registry.exchange(await stranger.token())).toMatchObject(unauthorized());
    const elsewhere = await administratorToken(sandbox, { tenant: "bbbbcccc-1111-dddd-2222-eeee3333ffff" });
    expect(await registry.exchange(elsewhere)).toMatchObject(denied(401, "UNAUTHORIZED", expect.stringContaining("token validation failed")));
    expect(await registry.exchange(await writer.token(), { grant_type: "refresh_token" })).toMatchObject(denied(400, "BAD_REQUEST", expect.any(String)));
    expect(await registry.exchange(await writer.token(), { service: "other.azurecr.io" })).toMatchObject(denied(400, "BAD_REQUEST", expect.any(String)));
  });

  it("come for no token of Resource Manager's where the registry takes none", async () => {
    await onRegistry("PATCH", "", { properties: { policies: { azureADAuthenticationAsArmPolicy: { status: "disabled" } } } });
    expect(await registry.exchange(await writer.token())).toMatchObject(denied(401, "UNAUTHORIZED", expect.stringContaining("token validation failed")));
    expect((await registry.exchange(await writer.token(ACR_SCOPE))).status).toBe(200);
  });

  it("are good for what the holder may do of what was asked, and no more", async () => {
    const scopes = "repository:app:pull,push,delete repository:team/app:metadata_read registry:catalog:*";
    const ofWriter = await registry.login(await writer.token(), scopes);
    expect(accessOf(ofWriter)).toEqual([
      { type: "repository", name: "app", actions: ["pull", "push"] },
      { type: "repository", name: "team/app", actions: ["metadata_read"] },
      { type: "registry", name: "catalog", actions: ["*"] },
    ]);
    const ofReader = await registry.login(await reader.token(), "repository:app:pull,push");
    expect(accessOf(ofReader)).toEqual([{ type: "repository", name: "app", actions: ["pull"] }]);
    expect((await registry.push(ofWriter, "app", "v1", image)).status).toBe(201);
    expect(await registry.push(ofReader, "app", "v1", image)).toMatchObject(unauthorized("repository", "app", "push"));
    expect(await registry.push(ofWriter, "other", "v1", image)).toMatchObject(unauthorized("repository", "other", "push"));
    expect((await registry.request("GET", "/v2/app/manifests/v1", ofReader)).status).toBe(200);
    expect(await registry.request("DELETE", `/v2/app/manifests/${image.digest}`, ofWriter)).toMatchObject(unauthorized("repository", "app", "delete"));
  });

  it("end: those for asking after three hours, those for doing earlier", async () => {
    const { json } = await registry.exchange(await writer.token());
    const refresh = String(json["refresh_token"]);
    const access = String((await registry.tokenFor(refresh, "repository:app:pull")).json["access_token"]);
    sandbox.core.clock.advance(75 * 60 - 5);
    expect((await registry.request("GET", "/v2/", access)).status).toBe(200);
    sandbox.core.clock.advance(10);
    expect(await registry.request("GET", "/v2/", access)).toMatchObject(unauthorized());
    expect((await registry.tokenFor(refresh, "repository:app:pull")).status).toBe(200);
    sandbox.core.clock.advance(3 * 3600);
    expect(await registry.tokenFor(refresh, "repository:app:pull")).toMatchObject(unauthorized());
  });

  it("go with a user name of zeros where clients want a password", async () => {
    const { json } = await registry.exchange(await writer.token());
    const refresh = String(json["refresh_token"]);
    const answer = await registry.basic("GET", `/oauth2/token?service=${HOST}&scope=repository:app:pull,push`, TOKEN_USER, refresh);
    expect(accessOf(String(answer.json["access_token"]))).toEqual([{ type: "repository", name: "app", actions: ["pull", "push"] }]);
    expect(await registry.basic("GET", `/oauth2/token?service=${HOST}`, "somebody", refresh)).toMatchObject(unauthorized());
    expect(await registry.request("GET", `/oauth2/token?service=${HOST}&scope=repository:app:pull`)).toMatchObject(unauthorized());
  });

  it("pull without a name where the registry lets everybody", async () => {
    await pushed(sandbox, HOST, "app", "v1", image, await writer.token());
    await onRegistry("PATCH", "", { sku: { name: "Standard" }, properties: { anonymousPullEnabled: true } });
    const { json } = await registry.request("GET", `/oauth2/token?service=${HOST}&scope=repository:app:pull,push`);
    const token = String(json["access_token"]);
    expect(accessOf(token)).toEqual([{ type: "repository", name: "app", actions: ["pull"] }]);
    expect((await registry.request("GET", "/v2/app/manifests/v1", token)).status).toBe(200);
  });

  it("follow the roles only with their propagation", async () => {
    sandbox.core.settings.propagationDelaySeconds = 60;
    const late = await newPrincipal(sandbox, "late");
    sandbox.core.clock.advance(61);
    await assign(sandbox, late, ROLES.acrPull, registryId);
    expect(await registry.exchange(await late.token())).toMatchObject(unauthorized());
    sandbox.core.clock.advance(61);
    expect((await registry.exchange(await late.token())).status).toBe(200);
  });
});

describe("rights by repository", () => {
  const condition = (name: string, ...actions: string[]) =>
    `((${actions.map((action) => `!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/${action}'})`).join(" AND ")}) OR (@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase '${name}'))`;
  beforeEach(() => onRegistry("PATCH", "", { properties: { roleAssignmentMode: "AbacRepositoryPermissions" } }));

  it("leave the older roles without effect, an owner's too", async () => {
    for (const token of [await writer.token(), admin]) expect(accessOf(await registry.login(token, "repository:app:pull,push registry:catalog:*"))).toEqual([]);
  });

  it("go to whom the newer roles are given", async () => {
    await assign(sandbox, writer, ROLES.repositoryWriter, registryId);
    await assign(sandbox, reader, ROLES.repositoryReader, registryId);
    await assign(sandbox, reader, ROLES.catalogLister, registryId);
    const scopes = "repository:app:pull,push,delete registry:catalog:*";
    expect(accessOf(await registry.login(await writer.token(), scopes))).toEqual([{ type: "repository", name: "app", actions: ["pull", "push"] }]);
    expect(accessOf(await registry.login(await reader.token(), scopes))).toEqual([
      { type: "repository", name: "app", actions: ["pull"] },
      { type: "registry", name: "catalog", actions: ["*"] },
    ]);
  });

  it("end where a condition says so", async () => {
    await assign(sandbox, reader, ROLES.repositoryReader, registryId, condition("app", "content/read", "metadata/read"));
    expect(accessOf(await registry.login(await reader.token(), "repository:app:pull repository:other:pull"))).toEqual([{ type: "repository", name: "app", actions: ["pull"] }]);
  });
});

describe("the firewall", () => {
  const firewall = (address: string) => denied(403, "DENIED", `client with IP '${address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.`);

  it("lets nobody in where the public network is off, or not among the rules", async () => {
    await onRegistry("PATCH", "", { sku: { name: "Premium" }, properties: { publicNetworkAccess: "Disabled" } });
    expect(await registry.request("GET", "/v2/")).toMatchObject(firewall("127.0.0.1"));
    expect(await registry.exchange(await writer.token())).toMatchObject(firewall("127.0.0.1"));
    await onRegistry("PATCH", "", { properties: { publicNetworkAccess: "Enabled", networkRuleSet: { defaultAction: "Deny", ipRules: [{ value: "203.0.113.7" }] } } });
    expect(await registry.request("GET", "/v2/")).toMatchObject(firewall("127.0.0.1"));
    await onRegistry("PATCH", "", { properties: { networkRuleSet: { defaultAction: "Deny", ipRules: [{ value: "127.0.0.1" }] } } });
    expect((await registry.request("GET", "/v2/")).status).toBe(401);
  });
});

describe("repositories", () => {
  let token: string;
  beforeEach(async () => {
    await assign(sandbox, writer, ROLES.acrDelete, registryId);
    token = await registry.login(await writer.token(), "repository:team/app:pull,push,delete,metadata_read repository:none:metadata_read registry:catalog:*");
    await registry.push(token, "team/app", "v1", image);
    await registry.push(token, "team/app", "v2", testImage({ content: "second" }));
  });

  it("are listed, with their tags and manifests", async () => {
    expect((await registry.request("GET", "/v2/_catalog", token)).json).toEqual({ repositories: ["team/app"] });
    expect((await registry.request("GET", "/acr/v1/_catalog", token)).json).toEqual({ repositories: ["team/app"] });
    expect((await registry.request("GET", "/v2/team/app/tags/list", token)).json).toEqual({ name: "team/app", tags: ["v1", "v2"] });
    expect((await registry.request("GET", "/acr/v1/team/app", token)).json).toMatchObject({ registry: HOST, imageName: "team/app", manifestCount: 2, tagCount: 2 });
    expect((await registry.request("GET", "/acr/v1/team/app/_tags?n=1", token)).json).toMatchObject({ imageName: "team/app", tags: [{ name: "v1", digest: image.digest }] });
    expect((await registry.request("GET", "/acr/v1/team/app/_tags?last=v1", token)).json).toMatchObject({ tags: [{ name: "v2" }] });
    expect((await registry.request("GET", "/acr/v1/team/app/_tags/v1", token)).json).toMatchObject({ tag: { name: "v1", digest: image.digest } });
    const { json } = await registry.request("GET", "/acr/v1/team/app/_manifests", token);
    expect(json["manifests"]).toContainEqual(expect.objectContaining({ digest: image.digest, architecture: "amd64", os: "linux", tags: ["v1"], imageSize: image.config.length + image.layer.length }));
    expect((await registry.request("GET", `/acr/v1/team/app/_manifests/${image.digest}`, token)).json).toMatchObject({ manifest: { digest: image.digest } });
  });

  it("lose tags, manifests and themselves", async () => {
    expect((await registry.request("DELETE", "/acr/v1/team/app/_tags/v1", token)).status).toBe(202);
    expect(await registry.request("GET", "/v2/team/app/manifests/v1", token)).toMatchObject(denied(404, "MANIFEST_UNKNOWN", "manifest v1 is not found"));
    expect((await registry.request("GET", `/v2/team/app/manifests/${image.digest}`, token)).status).toBe(200);
    expect(await registry.request("DELETE", "/v2/team/app/manifests/v2", token)).toMatchObject(denied(405, "UNSUPPORTED", expect.any(String)));
    expect((await registry.request("DELETE", `/v2/team/app/manifests/${image.digest}`, token)).status).toBe(202);
    expect(await registry.request("DELETE", `/v2/team/app/manifests/${image.digest}`, token)).toMatchObject(denied(404, "MANIFEST_UNKNOWN", expect.any(String)));
    expect(await registry.request("DELETE", "/acr/v1/team/app", token)).toMatchObject({ status: 202, json: { tagsDeleted: ["v2"] } });
    expect(await registry.request("GET", "/acr/v1/team/app", token)).toMatchObject(denied(404, "NAME_UNKNOWN", expect.any(String)));
  });

  it("refuse what is not there or not whole", async () => {
    expect(await registry.request("GET", "/acr/v1/none/_tags", token)).toMatchObject(denied(404, "NAME_UNKNOWN", expect.any(String)));
    expect(await registry.request("GET", "/acr/v1/team/app/_tags/v9", token)).toMatchObject(denied(404, "TAG_UNKNOWN", expect.any(String)));
    expect(await registry.request("GET", `/v2/team/app/blobs/sha256:${"0".repeat(64)}`, token)).toMatchObject(denied(404, "BLOB_UNKNOWN", expect.any(String)));
    const put = (document: string) => registry.request("PUT", "/v2/team/app/manifests/v3", token, document, "application/vnd.docker.distribution.manifest.v2+json");
    expect(await put("{")).toMatchObject(denied(400, "MANIFEST_INVALID", expect.any(String)));
    expect(await put(testImage({ content: "never pushed" }).manifest)).toMatchObject(denied(404, "MANIFEST_BLOB_UNKNOWN", expect.any(String)));
    const begun = await registry.request("POST", "/v2/team/app/blobs/uploads/", token);
    expect(await registry.request("PUT", `${String(begun.headers["location"])}?digest=sha256:${"0".repeat(64)}`, token, Buffer.from("other"))).toMatchObject(denied(400, "DIGEST_INVALID", expect.any(String)));
  });

  it("are gone with their registry, and not there in one of the same name", async () => {
    await armCall(sandbox, "DELETE", `${registryPath(sandbox, "acmedcf")}?${REGISTRY_API}`);
    await createRegistry(sandbox, "acmedcf");
    const again = await registry.login(admin, "registry:catalog:*");
    expect((await registry.request("GET", "/v2/_catalog", again)).json).toEqual({ repositories: [] });
  });
});

(hasSkopeo ? describe : describe.skip)("skopeo", () => {
  let clients: Clients;
  beforeAll(() => (clients = new Clients(() => sandbox)));
  afterAll(() => rmSync(clients.folder, { recursive: true, force: true }));

  it("copies images in and out with a registry's token for a password", async () => {
    const { json } = await registry.exchange(await writer.token());
    const credentials = `${TOKEN_USER}:${String(json["refresh_token"])}`;
    const layout = ociLayout(join(clients.folder, "layout"), image);
    expect(await clients.skopeo(credentials, "dest", "copy", `oci:${layout}:v1`, `docker://${HOST}/team/app:v1`)).toMatchObject({ status: 0 });
    const inspected = await clients.skopeo(credentials, "", "inspect", `docker://${HOST}/team/app:v1`);
    expect(JSON.parse(inspected.out)).toMatchObject({ Name: `${HOST}/team/app`, Architecture: "amd64", RepoTags: ["v1"] });
    const { json: weak } = await registry.exchange(await reader.token());
    const refused = await clients.skopeo(`${TOKEN_USER}:${String(weak["refresh_token"])}`, "dest", "copy", `oci:${layout}:v1`, `docker://${HOST}/team/app:v2`);
    expect(refused.status).not.toBe(0);
    expect(refused.err).toMatch(/unauthorized|authentication required/i);
  });
});
