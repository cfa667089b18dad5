import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { SANDBOX_SECRET_MARK } from "../../../facts/sandbox.js";
import { ARM, armCall, azureSend } from "../../support/azure.js";
import { ACCOUNT, CONTAINER, StorageScene, refused, xmlError } from "./storage-support.js";

const DAY = 86_400;

let sandbox: Sandbox;
let scene: StorageScene;
let fresh: SandboxSnapshot;

const failure = (status: number, code: string, message = expect.any(String) as string) => expect.objectContaining({ status, code, message }) as Error;
const account = (name: string) => `${scene.group}/providers/Microsoft.Storage/storageAccounts/${name}`;
const order = (properties: object = {}, more: object = {}) => ({ location: "westeurope", kind: "StorageV2", sku: { name: "Standard_LRS" }, properties, ...more });
const propertiesOf = async (id: string) => (await scene.arm<{ properties: Record<string, unknown> }>("GET", id)).properties;

beforeAll(async () => {
  sandbox = await startSandbox();
  scene = new StorageScene(sandbox);
  await scene.build();
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("storage accounts", () => {
  it("are made with what the service adds, and read back", async () => {
    const made = await scene.arm("PUT", account("acmenew"), order({}, { tags: { owner: "team-a" } }));
    expect(made).toMatchObject({
      id: account("acmenew"),
      name: "acmenew",
      type: "Microsoft.Storage/storageAccounts",
      location: "westeurope",
      kind: "StorageV2",
      sku: { name: "Standard_LRS", tier: "Standard" },
      tags: { owner: "team-a" },
      properties: {
        accessTier: "Hot",
        allowBlobPublicAccess: false,
        allowCrossTenantReplication: false,
        minimumTlsVersion: "TLS1_0",
        supportsHttpsTrafficOnly: true,
        networkAcls: { bypass: "AzureServices", defaultAction: "Allow", ipRules: [], virtualNetworkRules: [] },
        encryption: { keySource: "Microsoft.Storage", services: { blob: { enabled: true, keyType: "Account" } } },
        primaryEndpoints: { blob: "https://acmenew.blob.core.windows.net/", dfs: "https://acmenew.dfs.core.windows.net/" },
        primaryLocation: "westeurope",
        provisioningState: "Succeeded",
        statusOfPrimary: "available",
      },
    });
    expect(made["properties"]).not.toHaveProperty("incarnation");
    expect(made["properties"]).not.toHaveProperty("allowSharedKeyAccess");
    expect(await scene.arm("GET", account("acmenew"))).toEqual(made);
    expect(await scene.arm("GET", account("ACMENEW").toUpperCase().replace("/SUBSCRIPTIONS", "/subscriptions"))).toEqual(made);
  });

  it("answer 200 to their creation, over the wire", async () => {
    const token = await scene.administrator("https://management.azure.com/.default");
    expect(await scene.send("PUT", account("acmewire"), token, order())).toMatchObject({ status: 200, json: { name: "acmewire" } });
    expect((await scene.send("DELETE", account("acmewire"), token)).status).toBe(200);
    expect((await scene.send("DELETE", account("acmewire"), token)).status).toBe(204);
  });

  it("have their endpoints at the suffix of their cloud", async () => {
    const made = await scene.agency<{ properties: object }>("agencyartifacts", { kind: "StorageV2", sku: { name: "Standard_RAGRS" } });
    expect(made.properties).toMatchObject({
      primaryEndpoints: { blob: "https://agencyartifacts.blob.core.usgovcloudapi.net/" },
      secondaryLocation: "usgovtexas",
      secondaryEndpoints: { blob: "https://agencyartifacts-secondary.blob.core.usgovcloudapi.net/" },
    });
  });

  it("keep what a change does not name", async () => {
    await scene.arm("PATCH", scene.account, { properties: { minimumTlsVersion: "TLS1_2", allowSharedKeyAccess: false }, tags: { a: "b" } });
    await scene.arm("PATCH", scene.account, { properties: { networkAcls: { defaultAction: "Deny", ipRules: [{ value: "203.0.113.0/24" }] } } });
    await scene.arm("PUT", scene.account, order({ networkAcls: { bypass: "none" } }));
    expect(await propertiesOf(scene.account)).toMatchObject({
      minimumTlsVersion: "TLS1_2",
      allowSharedKeyAccess: false,
      networkAcls: { bypass: "None", defaultAction: "Deny", ipRules: [{ value: "203.0.113.0/24", action: "Allow" }] },
    });
  });

  it("keep as written what has no effect here", async () => {
    const given = { isHnsEnabled: true, allowCrossTenantReplication: true, encryption: { keySource: "Microsoft.Keyvault", requireInfrastructureEncryption: true }, sasPolicy: { sasExpirationPeriod: "1.00:00:00", expirationAction: "Log" } };
    await scene.arm("PUT", account("acmekept"), order(given));
    expect(await propertiesOf(account("acmekept"))).toMatchObject(given);
  });

  it.each([
    ["a name with a hyphen", "acme-dcf", order(), 400, "AccountNameInvalid"],
    ["a name of two characters", "ac", order(), 400, "AccountNameInvalid"],
    ["no location", "acmeother", { kind: "StorageV2", sku: { name: "Standard_LRS" } }, 400, "LocationRequired"],
    ["a region of another cloud", "acmeother", order({}, { location: "usgovvirginia" }), 400, "LocationNotAvailableForResourceType"],
    ["a tag of nobody's", "acmeother", order({}, { tags: { "a/b": "c" } }), 400, "InvalidTagNameCharacters"],
    ["no kind", "acmeother", { location: "westeurope", sku: { name: "Standard_LRS" } }, 400, "InvalidValuesForRequestParameters"],
    ["an unknown SKU", "acmeother", order({}, { sku: { name: "Standard_XRS" } }), 400, "InvalidRequestPropertyValue"],
    ["a TLS version of nobody's", "acmeother", order({ minimumTlsVersion: "TLS9_9" }), 400, "InvalidRequestPropertyValue"],
    ["a boolean in words", "acmeother", order({ allowSharedKeyAccess: "no" }), 400, "InvalidRequestPropertyValue"],
    ["a private address in a rule", "acmeother", order({ networkAcls: { defaultAction: "Deny", ipRules: [{ value: "10.0.0.4" }] } }), 400, "InvalidRequestPropertyValue"],
    ["a range of two addresses", "acmeother", order({ networkAcls: { defaultAction: "Deny", ipRules: [{ value: "203.0.113.0/31" }] } }), 400, "InvalidRequestPropertyValue"],
  ])("are not made with %s", async (_, name, body, status, code) => {
    await expect(scene.arm("PUT", account(name), body)).rejects.toEqual(failure(status, code));
  });

  it("cannot change what only their creation decides", async () => {
    await expect(scene.arm("PATCH", scene.account, { properties: { isHnsEnabled: true } })).rejects.toEqual(
      failure(409, "AccountPropertyCannotBeUpdated", "The property 'isHnsEnabled' was specified in the input, but it cannot be updated."),
    );
    await scene.arm("PATCH", scene.account, { properties: { isHnsEnabled: false } });
    await expect(scene.arm("PUT", scene.account, order({}, { location: "North Europe" }))).rejects.toEqual(failure(409, "InvalidResourceLocation"));
    await scene.arm("PUT", scene.account, order({}, { location: "West Europe" }));
  });

  it("are asked for in a group, a subscription and alone", async () => {
    const names = async (id: string) => (await scene.arm<{ value: { name: string }[] }>("GET", `${id}/providers/Microsoft.Storage/storageAccounts`)).value.map(({ name }) => name);
    expect(await names(scene.group)).toEqual([ACCOUNT]);
    expect(await names(scene.group.split("/resourceGroups")[0] ?? "")).toEqual([ACCOUNT]);
    expect(await names("/subscriptions/bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f")).toEqual([]);
    await expect(scene.arm("GET", account("acmeother"))).rejects.toEqual(failure(404, "ResourceNotFound"));
    await expect(scene.arm("GET", scene.account.replace("rg-acme-dcf", "rg-elsewhere"))).rejects.toEqual(failure(404, "ResourceGroupNotFound"));
  });
});

describe("lists of a group's resources", () => {
  it("have accounts, and nothing that is inside them", async () => {
    const { value } = await scene.arm<{ value: { type: string }[] }>("GET", `${scene.group}/resources`, undefined, "api-version=2021-04-01");
    expect(value.map(({ type }) => type)).toEqual(["Microsoft.Storage/storageAccounts"]);
  });
});

describe("an account's name", () => {
  const check = (name: string, subscription = sandbox.azure.defaultSubscription.subscriptionId) =>
    armCall(sandbox, "POST", `/subscriptions/${subscription}/providers/Microsoft.Storage/checkNameAvailability?api-version=2024-01-01`, { name, type: "Microsoft.Storage/storageAccounts" });

  it("is asked about before", async () => {
    expect(await check("acmefree")).toEqual({ nameAvailable: true });
    expect(await check(ACCOUNT)).toEqual({ nameAvailable: false, reason: "AlreadyExists", message: `The storage account named ${ACCOUNT} is already taken.` });
    expect(await check("Acme")).toMatchObject({ nameAvailable: false, reason: "AccountNameInvalid" });
  });

  it("is one in the world", async () => {
    await scene.makeGroup(`${scene.group}-two`);
    await expect(scene.arm("PUT", scene.account.replace("rg-acme-dcf", "rg-acme-dcf-two"), order())).rejects.toEqual(
      failure(409, "StorageAccountAlreadyExists", `The storage account named ${ACCOUNT} already exists under the subscription.`),
    );
    const other = "/subscriptions/bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f/resourceGroups/rg-test";
    await scene.makeGroup(other);
    await expect(scene.arm("PUT", `${other}/providers/Microsoft.Storage/storageAccounts/${ACCOUNT}`, order())).rejects.toEqual(failure(409, "StorageAccountAlreadyTaken", `The storage account named ${ACCOUNT} is already taken.`));
  });

  it("is free at once for its tenant after a deletion, for another after two weeks", async () => {
    await scene.arm("DELETE", scene.account);
    const elsewhere = () => scene.agency(ACCOUNT, { kind: "StorageV2", sku: { name: "Standard_LRS" } });
    expect(await check(ACCOUNT)).toEqual({ nameAvailable: true });
    await expect(elsewhere()).rejects.toEqual(failure(409, "StorageAccountAlreadyTaken"));
    sandbox.core.clock.advance(14 * DAY + 1);
    await elsewhere();
  });
});

describe("an account's keys", () => {
  const list = () => scene.arm<{ keys: { keyName: string; value: string; permissions: string }[] }>("POST", `${scene.account}/listKeys`);

  it("are two, and listed even where they are switched off", async () => {
    const { keys } = await list();
    expect(keys.map(({ keyName, permissions }) => [keyName, permissions])).toEqual([["key1", "FULL"], ["key2", "FULL"]]);
    for (const { value } of keys) {
      expect(value.startsWith(SANDBOX_SECRET_MARK)).toBe(true);
      expect(Buffer.from(value, "base64")).toHaveLength(64);
    }
    await scene.arm("PATCH", scene.account, { properties: { allowSharedKeyAccess: false } });
    expect(await list()).toEqual({ keys });
  });

  it("are renewed one by one", async () => {
    const before = await list();
    sandbox.core.clock.advance(60);
    const after = await scene.arm<typeof before>("POST", `${scene.account}/regenerateKey`, { keyName: "key2" });
    expect(after.keys[0]).toEqual(before.keys[0]);
    expect(after.keys[1]?.value).not.toBe(before.keys[1]?.value);
    await expect(scene.arm("POST", `${scene.account}/regenerateKey`, { keyName: "key3" })).rejects.toEqual(failure(400, "InvalidValuesForRequestParameters"));
  });

  it("belong to one life of the account", async () => {
    const before = await list();
    await scene.arm("DELETE", scene.account);
    await scene.arm("PUT", scene.account, order());
    expect((await list()).keys[0]?.value).not.toBe(before.keys[0]?.value);
  });
});

describe("an account's Blob service", () => {
  const service = () => `${scene.account}/blobServices/default`;

  it("has its defaults, and keeps what a change does not name", async () => {
    expect(await scene.arm("GET", service())).toMatchObject({ id: service(), name: "default", type: "Microsoft.Storage/storageAccounts/blobServices", properties: { cors: { corsRules: [] }, deleteRetentionPolicy: { enabled: false } } });
    await scene.arm("PUT", service(), { properties: { isVersioningEnabled: true, changeFeed: { enabled: true, retentionInDays: 7 } } });
    await scene.arm("PUT", service(), { properties: { deleteRetentionPolicy: { enabled: true, days: 7 }, containerDeleteRetentionPolicy: { enabled: true, days: 9 } } });
    expect(await propertiesOf(service())).toEqual({
      cors: { corsRules: [] },
      isVersioningEnabled: true,
      changeFeed: { enabled: true, retentionInDays: 7 },
      deleteRetentionPolicy: { allowPermanentDelete: false, enabled: true, days: 7 },
      containerDeleteRetentionPolicy: { enabled: true, days: 9 },
    });
    expect(await scene.arm("GET", `${scene.account}/blobServices`)).toMatchObject({ value: [{ name: "default" }] });
  });

  it("keeps what is deleted for 1 to 365 days", async () => {
    const keep = (days: unknown) => scene.arm("PUT", service(), { properties: { deleteRetentionPolicy: { enabled: true, days } } });
    await keep(365);
    for (const days of [0, 366, 1.5, undefined]) await expect(keep(days)).rejects.toEqual(failure(400, "InvalidRequestPropertyValue"));
  });

  it("has lifecycle rules, once there are any", async () => {
    const policy = `${scene.account}/managementPolicies/default`;
    await expect(scene.arm("GET", policy)).rejects.toEqual(failure(404, "ManagementPolicyNotFound"));
    const rules = [{ enabled: true, name: "old", type: "Lifecycle", definition: { actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }, filters: { blobTypes: ["blockBlob"] } } }];
    await scene.arm("PUT", policy, { properties: { policy: { rules } } });
    expect(await scene.arm("GET", policy)).toMatchObject({ id: policy, name: "DefaultManagementPolicy", properties: { policy: { rules } } });
    await scene.arm("DELETE", policy);
    await expect(scene.arm("GET", policy)).rejects.toEqual(failure(404, "ManagementPolicyNotFound"));
    await expect(scene.arm("PUT", policy, { properties: {} })).rejects.toEqual(failure(400, "InvalidRequestPropertyValue"));
  });
});

describe("containers", () => {
  const container = (name: string) => `${scene.account}/blobServices/default/containers/${name}`;

  it("are made, read back, changed and listed", async () => {
    const made = await scene.arm("PUT", container("reports"), { properties: { metadata: { owner: "teamA" } } });
    expect(made).toMatchObject({ id: container("reports"), name: "reports", properties: { deleted: false, hasImmutabilityPolicy: false, hasLegalHold: false } });
    expect(await scene.arm("GET", container("reports"))).toMatchObject({
      type: "Microsoft.Storage/storageAccounts/blobServices/containers",
      etag: made["etag"],
      properties: { publicAccess: "None", leaseStatus: "Unlocked", leaseState: "Available", metadata: { owner: "teamA" }, defaultEncryptionScope: "$account-encryption-key" },
    });
    await scene.arm("PATCH", container("reports"), { properties: { metadata: {} } });
    expect(await propertiesOf(container("reports"))).not.toHaveProperty("metadata");
    const { value } = await scene.arm<{ value: { name: string }[] }>("GET", `${scene.account}/blobServices/default/containers`);
    expect(value.map(({ name }) => name)).toEqual([CONTAINER, "reports"]);
  });

  it("are listed page by page", async () => {
    for (const name of ["page-a", "page-b", "page-c"]) await scene.arm("PUT", container(name), {});
    const list = (query: string) => scene.arm<{ value: { name: string }[]; nextLink?: string }>("GET", `${scene.account}/blobServices/default/containers`, undefined, `api-version=2024-01-01&${query}`);
    const first = await list("$maxpagesize=2&$filter=page-");
    expect(first.value.map(({ name }) => name)).toEqual(["page-a", "page-b"]);
    const second = await list(new URL(first.nextLink ?? "").search.slice(1));
    expect(second.value.map(({ name }) => name)).toEqual(["page-c"]);
    expect(second).not.toHaveProperty("nextLink");
  });

  it("answer 201 to their creation and 200 to a change, over the wire", async () => {
    const token = await scene.administrator("https://management.azure.com/.default");
    expect((await scene.send("PUT", container("wire"), token, {})).status).toBe(201);
    expect((await scene.send("PUT", container("wire"), token, {})).status).toBe(200);
    expect((await scene.send("DELETE", container("wire"), token)).status).toBe(200);
    expect((await scene.send("DELETE", container("wire"), token)).status).toBe(204);
  });

  it("have names by the rules", async () => {
    for (const name of ["ab", "Reports", "two--hyphens", "-first", "under_score"]) await expect(scene.arm("PUT", container(name), {})).rejects.toEqual(failure(400, "InvalidResourceName"));
    await scene.arm("PUT", container("$web"), {});
  });

  it("are public only where the account lets them", async () => {
    const open = (publicAccess: string) => scene.arm("PUT", container("open"), { properties: { publicAccess } });
    await expect(open("Blob")).rejects.toEqual(failure(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account."));
    await open("None");
    await scene.arm("PATCH", scene.account, { properties: { allowBlobPublicAccess: true } });
    await open("Blob");
    await expect(open("Everybody")).rejects.toEqual(failure(400, "InvalidRequestPropertyValue"));
    expect(await propertiesOf(container("open"))).toMatchObject({ publicAccess: "Blob" });
  });

  it("leave their names for half a minute", async () => {
    await scene.arm("DELETE", scene.container);
    await expect(scene.arm("PUT", scene.container, {})).rejects.toEqual(failure(409, "ContainerBeingDeleted"));
    await expect(scene.arm("GET", scene.container)).rejects.toEqual(failure(404, "ContainerNotFound"));
    sandbox.core.clock.advance(31);
    await scene.arm("PUT", scene.container, {});
  });

  it("are kept after their deletion where the account says so", async () => {
    await scene.arm("PUT", `${scene.account}/blobServices/default`, { properties: { containerDeleteRetentionPolicy: { enabled: true, days: 3 } } });
    await scene.arm("DELETE", scene.container);
    const deleted = async () => (await scene.arm<{ value: object[] }>("GET", `${scene.account}/blobServices/default/containers`, undefined, "api-version=2024-01-01&$include=deleted")).value;
    expect(await deleted()).toMatchObject([{ name: CONTAINER, properties: { deleted: true, remainingRetentionDays: 3, version: expect.any(String) as string } }]);
    sandbox.core.clock.advance(3 * DAY + 1);
    expect(await deleted()).toEqual([]);
  });

  it("need an account", async () => {
    const orphan = scene.container.replace(ACCOUNT, "acmeother");
    await expect(scene.arm("PUT", orphan, {})).rejects.toEqual(
      failure(404, "ParentResourceNotFound", `Failed to perform 'write' on resource(s) of type 'Microsoft.Storage/storageAccounts/blobServices/containers', because the parent resource '${account("acmeother")}' could not be found.`),
    );
    await expect(scene.arm("GET", orphan)).rejects.toEqual(failure(404, "ResourceNotFound"));
  });
});

describe("immutability", () => {
  const policy = () => `${scene.container}/immutabilityPolicies/default`;
  const set = (days: number, method = "PUT", to = policy()) => scene.arm<{ etag: string; properties: object }>(method, to, { properties: { immutabilityPeriodSinceCreationInDays: days } });

  it("of a period is written, changed and removed while it is unlocked", async () => {
    expect(await scene.arm("GET", policy())).toMatchObject({ properties: { immutabilityPeriodSinceCreationInDays: 0 } });
    expect(await set(4)).toMatchObject({ id: policy(), name: "default", properties: { immutabilityPeriodSinceCreationInDays: 4, state: "Unlocked" } });
    await set(2);
    expect(await propertiesOf(scene.container)).toMatchObject({ hasImmutabilityPolicy: true, immutabilityPolicy: { properties: { immutabilityPeriodSinceCreationInDays: 2, state: "Unlocked" } } });
    await scene.arm("DELETE", policy());
    expect(await propertiesOf(scene.container)).toMatchObject({ hasImmutabilityPolicy: false });
    for (const days of [0, 146_001, 1.5]) await expect(set(days)).rejects.toEqual(failure(400, "InvalidRequestPropertyValue"));
  });

  it("is only extended once locked, and protects its account", async () => {
    await set(4);
    await scene.arm("POST", `${policy()}/lock`);
    await expect(set(2)).rejects.toEqual(failure(412, "ImmutabilityPolicyOperationNotAllowed"));
    await expect(scene.arm("DELETE", policy())).rejects.toEqual(failure(412, "ImmutabilityPolicyOperationNotAllowed"));
    await expect(set(3, "POST", `${policy()}/extend`)).rejects.toEqual(failure(412, "ImmutabilityPolicyOperationNotAllowed"));
    expect(await set(5, "POST", `${policy()}/extend`)).toMatchObject({ properties: { immutabilityPeriodSinceCreationInDays: 5, state: "Locked" } });
    await expect(scene.arm("DELETE", scene.account)).rejects.toEqual(failure(409, "AccountProtectedFromDeletion", `${ACCOUNT} is protected from deletion. The container(s) ${CONTAINER} have a locked immutability policy.`));
  });

  it("is written over only in the state that is meant", async () => {
    const token = await scene.administrator("https://management.azure.com/.default");
    const { etag } = await set(4);
    await set(5);
    const lock = (match: string) => azureSend(sandbox)("POST", `${ARM}${policy()}/lock?api-version=2024-01-01`, { token, headers: { "if-match": match } });
    expect(await lock(etag)).toMatchObject({ status: 412, json: { error: { code: "ConditionNotMet" } } });
    expect(await lock((await scene.arm<{ etag: string }>("GET", policy())).etag)).toMatchObject({ status: 200, json: { properties: { state: "Locked" } } });
  });

  it("by legal holds goes by their tags", async () => {
    const hold = (method: string, tags: string[]) => scene.arm("POST", `${scene.container}/${method}`, { tags });
    expect(await hold("setLegalHold", ["case17", "case18"])).toEqual({ hasLegalHold: true, tags: ["case17", "case18"] });
    expect(await propertiesOf(scene.container)).toMatchObject({ hasLegalHold: true, legalHold: { hasLegalHold: true, tags: [{ tag: "case17" }, { tag: "case18" }] } });
    await expect(scene.arm("DELETE", scene.account)).rejects.toEqual(failure(409, "AccountProtectedFromDeletion"));
    expect(await hold("clearLegalHold", ["case17", "case18"])).toEqual({ hasLegalHold: false, tags: [] });
    await expect(hold("setLegalHold", ["no"])).rejects.toEqual(failure(400, "InvalidRequestPropertyValue"));
    await scene.arm("DELETE", scene.account);
  });
});

describe("locks", () => {
  const lock = (id: string, level: string) => scene.arm("PUT", `${id}/providers/Microsoft.Authorization/locks/keep`, { properties: { level } }, "api-version=2020-05-01");

  it("against changes hold for keys and containers too", async () => {
    await lock(scene.account, "ReadOnly");
    for (const [method, id] of [["POST", `${scene.account}/listKeys`], ["PATCH", scene.account], ["PUT", `${scene.container}-two`], ["DELETE", scene.container]] as const) {
      await expect(scene.arm(method, id, {})).rejects.toEqual(failure(409, "ScopeLocked"));
    }
    await scene.arm("GET", scene.account);
  });

  it("against deletion let changes pass, and say nothing to the Blob service", async () => {
    await lock(scene.group, "CanNotDelete");
    await scene.arm("PATCH", scene.account, {});
    await expect(scene.arm("DELETE", scene.container)).rejects.toEqual(failure(409, "ScopeLocked"));
    const token = await scene.administrator();
    expect((await scene.blob("DELETE", `/${CONTAINER}?restype=container`, token)).status).toBe(202);
    expect(xmlError(await scene.blob("GET", `/${CONTAINER}?restype=container`, token))).toEqual(refused(404, "ContainerNotFound", "The specified container does not exist."));
  });
});
