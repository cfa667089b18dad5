import { startSandbox, type Sandbox } from "../../../sandbox/index.js";
import { SUBSCRIPTION as SUBSCRIPTION_RECORD } from "../../../sandbox/azure/store-types.js";
import { administratorToken, ARM, armCall, azureSend } from "../../support/azure.js";
import { type Arm, armAs, assign, identityIn, refused, ROLES, SUBSCRIPTION, type TestIdentity } from "./arm-support.js";

describe("Resource Manager", () => {
  let sandbox: Sandbox;
  let arm: Arm;
  let workload: TestIdentity;
  const group = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;
  const other = `${SUBSCRIPTION}/resourceGroups/rg-other`;

  beforeAll(async () => {
    sandbox = await startSandbox();
    arm = armAs(sandbox, await administratorToken(sandbox));
    for (const id of [group, other]) await arm("PUT", id, { location: "westeurope" });
    await arm("POST", `${SUBSCRIPTION}/providers/Microsoft.ManagedIdentity/register`);
    workload = await identityIn(sandbox, arm, other, "id-acme");
    await assign(arm, group, ROLES.contributor, workload.principalId);
  });
  afterAll(() => sandbox.close());

  describe("API versions", () => {
    it("asks for one, and takes those that it has", async () => {
      const token = await administratorToken(sandbox);
      const send = azureSend(sandbox);
      expect(await send("GET", `${ARM}${group}`, { token })).toMatchObject(refused(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."));
      expect(await arm("GET", `${group}?api-version=2099-01-01`)).toMatchObject(refused(400, "InvalidApiVersionParameter", /^The api-version '2099-01-01' is invalid\. The supported versions are '2025-04-01,/));
      expect(await arm("GET", `${group}?API-VERSION=2021-04-01`.replace("API-VERSION", "api-version"))).toMatchObject({ status: 200 });
      const identities = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities`;
      expect(await arm("GET", `${identities}?api-version=2099-01-01`)).toMatchObject(refused(400, "InvalidResourceType"));
      expect(await arm("GET", `${identities}/x?api-version=2099-01-01`)).toMatchObject(
        refused(400, "NoRegisteredProviderFound", /^No registered resource provider found for location '' and API version '2099-01-01' for type 'userAssignedIdentities'\. The supported api-versions are '2025-05-31-preview, /),
      );
      expect(await arm("GET", `${identities}?api-version=2024-11-30`)).toMatchObject({ status: 200 });
    });
  });

  describe("subscriptions", () => {
    it("are listed to whoever has a role in them, and shown to whoever may read them", async () => {
      const ids = (received: { json: Record<string, unknown> }): unknown[] => (received.json["value"] as { subscriptionId: string }[]).map((each) => each.subscriptionId);
      expect(ids(await arm("GET", "/subscriptions?api-version=2022-12-01"))).toEqual(["aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e", "bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f"]);
      const listed = await workload.arm("GET", "/subscriptions?api-version=2022-12-01");
      expect(ids(listed)).toEqual(["aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"]);
      expect(listed.json).toMatchObject({ value: [{ id: SUBSCRIPTION, displayName: "customer-app-prod", state: "Enabled", tags: { "cloud-federation-sandbox": "true" } }] });
      expect(await arm("GET", `${SUBSCRIPTION}?api-version=2022-12-01`)).toMatchObject({ status: 200, json: { displayName: "customer-app-prod" } });
      expect(await workload.arm("GET", `${SUBSCRIPTION}?api-version=2022-12-01`)).toMatchObject(refused(403, "AuthorizationFailed", /'Microsoft.Resources\/subscriptions\/read' over scope/));
    });

    it("that are missing or another tenant's are told apart", async () => {
      expect(await arm("GET", "/subscriptions/00000000-0000-0000-0000-000000000001?api-version=2022-12-01")).toMatchObject(
        refused(404, "SubscriptionNotFound", "The subscription '00000000-0000-0000-0000-000000000001' could not be found."),
      );
      const { tenantId } = sandbox.azure.defaultTenant;
      const elsewhere = armAs(sandbox, await administratorToken(sandbox, { tenant: "bbbbcccc-1111-dddd-2222-eeee3333ffff" }));
      expect(await elsewhere("GET", `${SUBSCRIPTION}?api-version=2022-12-01`)).toMatchObject(refused(401, "InvalidAuthenticationTokenTenant", new RegExp(`wrong issuer 'https://sts.windows.net/bbbbcccc-1111-dddd-2222-eeee3333ffff/'.*${tenantId}`)));
      expect(await elsewhere("GET", "/subscriptions?api-version=2022-12-01")).toMatchObject({ status: 200, json: { value: [] } });
      expect(await elsewhere("GET", "/tenants?api-version=2022-12-01")).toMatchObject({ status: 200, json: { value: [{ tenantId: "bbbbcccc-1111-dddd-2222-eeee3333ffff" }] } });
    });

    it("that moved to another tenant or were disabled refuse", async () => {
      const id = "bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f";
      const place = `/subscriptions/${id}/resourceGroups/rg-moved`;
      const subscription = sandbox.azure.subscription(id);
      sandbox.core.store.put(SUBSCRIPTION_RECORD, id, { ...subscription, state: "Disabled" });
      expect(await arm("PUT", place, { location: "westeurope" })).toMatchObject(refused(409, "ReadOnlyDisabledSubscription"));
      expect(await arm("GET", `/subscriptions/${id}?api-version=2022-12-01`)).toMatchObject({ status: 200, json: { state: "Disabled" } });
      sandbox.core.store.put(SUBSCRIPTION_RECORD, id, { ...subscription, tenantId: "bbbbcccc-1111-dddd-2222-eeee3333ffff" });
      expect(await arm("GET", place)).toMatchObject(refused(401, "InvalidAuthenticationTokenTenant"));
      sandbox.core.store.put(SUBSCRIPTION_RECORD, id, subscription);
      expect(await arm("PUT", place, { location: "westeurope" })).toMatchObject({ status: 201 });
      await arm("DELETE", place);
    });

    it("have locations", async () => {
      const { json } = await arm("GET", `${SUBSCRIPTION}/locations?api-version=2022-12-01`);
      expect(json["value"]).toEqual(expect.arrayContaining([expect.objectContaining({ name: "westeurope", displayName: "West Europe" })]));
    });
  });

  describe("resource groups", () => {
    it("are created, read, changed and deleted", async () => {
      const id = `${SUBSCRIPTION}/resourceGroups/rg-made`;
      expect(await arm("HEAD", id)).toMatchObject({ status: 404 });
      expect(await arm("PUT", id, { location: "West Europe", tags: { owner: "dcf" } })).toMatchObject({
        status: 201,
        json: { id, name: "rg-made", type: "Microsoft.Resources/resourceGroups", location: "westeurope", tags: { owner: "dcf" }, properties: { provisioningState: "Succeeded" } },
      });
      expect(await arm("PUT", id, { location: "westeurope", tags: {} })).toMatchObject({ status: 200 });
      expect(await arm("PATCH", id, { tags: { stage: "prod" } })).toMatchObject({ status: 200, json: { tags: { stage: "prod" } } });
      expect(await arm("GET", id.toUpperCase().replace("/SUBSCRIPTIONS/", "/subscriptions/"))).toMatchObject({ status: 200, json: { name: "rg-made", tags: { stage: "prod" } } });
      expect(await arm("HEAD", id)).toMatchObject({ status: 204 });
      const found = await arm("GET", `${SUBSCRIPTION}/resourcegroups?$filter=tagName eq 'stage' and tagValue eq 'prod'`);
      expect(found.json["value"]).toEqual([expect.objectContaining({ name: "rg-made" })]);
      const gone = await arm("DELETE", id);
      expect(gone).toMatchObject({ status: 202, headers: { "retry-after": "0" } });
      const poll = await arm("GET", gone.headers["azure-asyncoperation"]?.replace(ARM, "") ?? "");
      expect(poll).toMatchObject({ status: 200, json: { status: "Succeeded" } });
      expect(await arm("GET", gone.headers["location"]?.replace(ARM, "") ?? "")).toMatchObject({ status: 200 });
      expect(await arm("GET", id)).toMatchObject(refused(404, "ResourceGroupNotFound", "Resource group 'rg-made' could not be found."));
    });

    it("refuse what is no name, no location, or another location", async () => {
      expect(await arm("PUT", `${SUBSCRIPTION}/resourceGroups/rg.`, { location: "westeurope" })).toMatchObject(refused(400, "InvalidResourceGroup"));
      expect(await arm("PUT", `${SUBSCRIPTION}/resourceGroups/rg-x`, { location: "atlantis" })).toMatchObject(refused(400, "LocationNotAvailableForResourceGroup", /'atlantis' is not available/));
      expect(await arm("PUT", `${SUBSCRIPTION}/resourceGroups/rg-x`, {})).toMatchObject(refused(400, "LocationRequired"));
      expect(await arm("PUT", group, { location: "northeurope" })).toMatchObject(refused(409, "InvalidResourceGroupLocation"));
      expect(await arm("PUT", group, "{\"location\": ")).toMatchObject(refused(400, "InvalidRequestContent"));
    });

    it("look missing and forbidden alike to a caller whose rights end at another", async () => {
      const text = (action: string, name: string): string =>
        `The client '${workload.clientId}' with object id '${workload.principalId}' does not have authorization to perform action '${action}' over scope '${SUBSCRIPTION}/resourcegroups/${name}' or the scope is invalid. If access was recently granted, please refresh your credentials.`;
      const read = "Microsoft.Resources/subscriptions/resourcegroups/read";
      expect(await workload.arm("GET", group)).toMatchObject({ status: 200 });
      expect(await workload.arm("GET", other)).toMatchObject(refused(403, "AuthorizationFailed", text(read, "rg-other")));
      expect(await workload.arm("GET", `${SUBSCRIPTION}/resourceGroups/rg-nowhere`)).toMatchObject(refused(403, "AuthorizationFailed", text(read, "rg-nowhere")));
      expect(await workload.arm("PUT", `${SUBSCRIPTION}/resourceGroups/rg-new`, { location: "westeurope" })).toMatchObject(
        refused(403, "AuthorizationFailed", text("Microsoft.Resources/subscriptions/resourcegroups/write", "rg-new")),
      );
      expect((await workload.arm("GET", `${SUBSCRIPTION}/resourceGroups`)).json["value"]).toEqual([expect.objectContaining({ name: "rg-acme-dcf" })]);
      expect(await workload.arm("GET", "/subscriptions/bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f/resourceGroups")).toMatchObject(refused(403, "AuthorizationFailed"));
    });

    it("are answered past the wire when they have ended", async () => {
      const id = `${SUBSCRIPTION}/resourceGroups/rg-inside?api-version=2022-09-01`;
      expect(await armCall(sandbox, "PUT", id, { location: "westeurope" })).toMatchObject({ name: "rg-inside" });
      expect(await armCall(sandbox, "DELETE", id)).toEqual({});
      await expect(armCall(sandbox, "GET", id)).rejects.toMatchObject({ status: 404, code: "ResourceGroupNotFound" });
    });
  });

  describe("tags", () => {
    const at = (scope: string): string => `${scope}/providers/Microsoft.Resources/tags/default`;

    it("are merged, replaced and taken away at a scope", async () => {
      expect(await arm("PUT", at(other), { properties: { tags: { Owner: "dcf", stage: "prod" } } })).toMatchObject({ status: 200, json: { id: at(other), properties: { tags: { Owner: "dcf", stage: "prod" } } } });
      expect(await arm("PATCH", at(other), { operation: "Merge", properties: { tags: { owner: "acme", dcfCorrelationId: "3f0c" } } })).toMatchObject({ json: { properties: { tags: { Owner: "acme", stage: "prod", dcfCorrelationId: "3f0c" } } } });
      expect((await arm("PATCH", at(other), { operation: "Delete", properties: { tags: { stage: "prod", Owner: "another" } } })).json["properties"]).toEqual({ tags: { Owner: "acme", dcfCorrelationId: "3f0c" } });
      expect((await arm("GET", other)).json["tags"]).toEqual({ Owner: "acme", dcfCorrelationId: "3f0c" });
      expect((await arm("PATCH", at(other), { operation: "Replace", properties: { tags: { only: "this" } } })).json["properties"]).toEqual({ tags: { only: "this" } });
      expect(await arm("DELETE", at(other))).toMatchObject({ status: 200 });
      expect((await arm("GET", at(other))).json["properties"]).toEqual({ tags: {} });
    });

    it("are on subscriptions and resources too", async () => {
      expect(await arm("PATCH", at(SUBSCRIPTION), { operation: "Merge", properties: { tags: { cost: "1" } } })).toMatchObject({ status: 200 });
      expect((await arm("GET", `${SUBSCRIPTION}?api-version=2022-12-01`)).json["tags"]).toEqual({ "cloud-federation-sandbox": "true", cost: "1" });
      expect(await arm("PUT", at(workload.id), { properties: { tags: { a: "b" } } })).toMatchObject({ status: 200 });
      expect((await arm("GET", workload.id)).json["tags"]).toEqual({ a: "b" });
      expect(await arm("GET", at(`${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/none`))).toMatchObject(refused(404, "ResourceNotFound"));
      expect(await workload.arm("GET", at(SUBSCRIPTION))).toMatchObject(refused(403, "AuthorizationFailed", /'Microsoft.Resources\/tags\/read'/));
    });

    it.each([
      ["a reserved character", { "a<b": "c" }, "InvalidTagNameCharacters"],
      ["a name too long", { [`n${"x".repeat(512)}`]: "c" }, "InvalidTagNameLength"],
      ["a value too long", { a: "x".repeat(257) }, "InvalidTagValueLength"],
      ["too many", Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`t${index}`, "v"])), "TooManyTags"],
      ["one name in two cases", { a: "1", A: "2" }, "DuplicateTagName"],
    ])("refuse %s", async (_what, tags, code) => {
      expect(await arm("PUT", at(group), { properties: { tags } })).toMatchObject(refused(400, code));
    });

    it("take as much as they may", async () => {
      const tags = { ...Object.fromEntries(Array.from({ length: 48 }, (_, index) => [`t${index}`, "v"])), ["x".repeat(512)]: "c", a: "x".repeat(256) };
      expect(await arm("PUT", at(group), { properties: { tags } })).toMatchObject({ status: 200 });
      await arm("DELETE", at(group));
    });
  });

  describe("resources of every type", () => {
    it("are listed to whoever may read them, and filtered", async () => {
      const names = async (caller: Arm, filter = ""): Promise<unknown[]> => ((await caller("GET", `${SUBSCRIPTION}/resources${filter}`)).json["value"] as { name: string }[]).map((each) => each.name);
      expect(await names(arm)).toEqual(["id-acme"]);
      expect(await names(arm, "?$filter=resourceType eq 'microsoft.managedidentity/userassignedidentities' and name eq 'id-acme'")).toEqual(["id-acme"]);
      expect(await names(arm, "?$filter=resourceType eq 'Microsoft.Web/sites'")).toEqual([]);
      expect(await names(workload.arm)).toEqual([]);
      expect(await arm("GET", `${SUBSCRIPTION}/resources?$filter=nonsense`)).toMatchObject(refused(400, "InvalidFilterInQueryString"));
      expect(await workload.arm("GET", `${other}/resources`)).toMatchObject(refused(403, "AuthorizationFailed"));
      expect(await arm("GET", `${other}/resources`)).toMatchObject({ status: 200, json: { value: [{ name: "id-acme", location: "westeurope" }] } });
    });
  });

  describe("resource providers", () => {
    const test = "/subscriptions/bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f";

    it("refuse writes until they are registered", async () => {
      const place = `${test}/resourceGroups/rg-test`;
      const id = `${place}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-test`;
      await arm("PUT", place, { location: "westeurope" });
      expect(await arm("PUT", id, { location: "westeurope" })).toMatchObject(
        refused(409, "MissingSubscriptionRegistration", "The subscription is not registered to use namespace 'Microsoft.ManagedIdentity'. See https://aka.ms/rps-not-found for how to register subscriptions."),
      );
      const state = async (): Promise<unknown> => (await arm("GET", `${test}/providers/Microsoft.ManagedIdentity?api-version=2022-09-01`)).json["registrationState"];
      expect(await state()).toBe("NotRegistered");
      expect(await arm("POST", `${test}/providers/Microsoft.ManagedIdentity/register?api-version=2022-09-01`)).toMatchObject({ status: 200, json: { registrationState: "Registered" } });
      expect(await state()).toBe("Registered");
      expect(await arm("PUT", id, { location: "westeurope" })).toMatchObject({ status: 201 });
    });

    it("are listed, registered by whoever may, and known", async () => {
      const { json } = await arm("GET", `${test}/providers?api-version=2022-09-01`);
      expect(json["value"]).toEqual(expect.arrayContaining([expect.objectContaining({ namespace: "Microsoft.Storage", registrationState: "Registered" }), expect.objectContaining({ namespace: "Microsoft.Web", registrationState: "NotRegistered" })]));
      expect(await workload.arm("POST", `${SUBSCRIPTION}/providers/Microsoft.Web/register?api-version=2022-09-01`)).toMatchObject(refused(403, "AuthorizationFailed", /'Microsoft.Web\/register\/action' over scope '\/subscriptions\/[^/]+'/));
      expect(await arm("GET", `${test}/providers/Microsoft.Nothing?api-version=2022-09-01`)).toMatchObject(refused(404, "InvalidResourceNamespace"));
    });
  });

  describe("locks", () => {
    const locks = (scope: string): string => `${scope}/providers/Microsoft.Authorization/locks`;

    it("keep from deleting, also what is above them", async () => {
      const place = `${SUBSCRIPTION}/resourceGroups/rg-locked`;
      await arm("PUT", place, { location: "westeurope" });
      expect(await arm("PUT", `${locks(place)}/keep`, { properties: { level: "CanNotDelete", notes: "ours" } })).toMatchObject({ status: 201, json: { name: "keep", properties: { level: "CanNotDelete", notes: "ours" } } });
      expect(await arm("DELETE", place)).toMatchObject(
        refused(409, "ScopeLocked", `The scope '${place}' cannot perform delete operation because following scope(s) are locked: '${place}'. Please remove the lock and try again.`),
      );
      expect(await arm("PATCH", place, { tags: { a: "b" } })).toMatchObject({ status: 200 });
      expect((await arm("GET", locks(place))).json["value"]).toEqual([expect.objectContaining({ name: "keep" })]);
      expect(await workload.arm("DELETE", `${locks(place)}/keep`)).toMatchObject(refused(403, "AuthorizationFailed"));
      expect(await arm("DELETE", `${locks(place)}/keep`)).toMatchObject({ status: 200 });
      expect(await arm("DELETE", `${locks(place)}/keep`)).toMatchObject({ status: 204 });
      expect(await arm("DELETE", place)).toMatchObject({ status: 202 });
    });

    it("that are read-only keep from every change", async () => {
      await arm("PUT", `${locks(other)}/frozen`, { properties: { level: "ReadOnly" } });
      expect(await arm("PATCH", other, { tags: { a: "b" } })).toMatchObject(refused(409, "ScopeLocked", /cannot perform write operation/));
      expect(await arm("PATCH", `${other}/providers/Microsoft.Resources/tags/default`, { operation: "Merge", properties: { tags: { a: "b" } } })).toMatchObject(refused(409, "ScopeLocked"));
      expect(await arm("PUT", `${workload.id}/federatedIdentityCredentials/more`, { properties: { issuer: "https://a.example", subject: "b", audiences: ["c"] } })).toMatchObject(refused(409, "ScopeLocked"));
      expect(await assign(arm, other, ROLES.reader, workload.principalId)).toMatchObject(refused(409, "ScopeLocked"));
      expect(await arm("GET", other)).toMatchObject({ status: 200 });
      await arm("DELETE", `${locks(other)}/frozen`);
      expect(await arm("PATCH", other, { tags: {} })).toMatchObject({ status: 200 });
    });

    it("have one of two levels", async () => {
      expect(await arm("PUT", `${locks(group)}/odd`, { properties: { level: "Frozen" } })).toMatchObject(refused(400, "BadRequest"));
      expect(await arm("GET", `${locks(group)}/odd`)).toMatchObject(refused(404, "LockNotFound"));
    });
  });
});
