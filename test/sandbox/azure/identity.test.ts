import { randomUUID } from "node:crypto";
import { startSandbox, type Sandbox } from "../../../sandbox/index.js";
import { accessToken, administratorToken, armCall, exchange, graphCall, WORKLOAD } from "../../support/azure.js";
import { type Arm, armAs, assign, identityIn, refused, ROLES, SUBSCRIPTION } from "./arm-support.js";

describe("identities and rights", () => {
  let sandbox: Sandbox;
  let arm: Arm;
  const group = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;
  const identities = `${SUBSCRIPTION}/resourceGroups/rg-acme-identity`;
  const identity = (name: string): string => `${identities}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
  const credential = (name: string, on = "id-acme"): string => `${identity(on)}/federatedIdentityCredentials/${name}`;
  const trust = (more: object = {}): object => ({ properties: { issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience], ...more } });
  const assignments = (scope: string): string => `${scope}/providers/Microsoft.Authorization/roleAssignments`;

  beforeAll(async () => {
    sandbox = await startSandbox();
    arm = armAs(sandbox, await administratorToken(sandbox));
    for (const id of [group, identities]) await arm("PUT", id, { location: "westeurope" });
    await arm("POST", `${SUBSCRIPTION}/providers/Microsoft.ManagedIdentity/register`);
    await arm("PUT", identity("id-acme"), { location: "westeurope" });
  });
  afterAll(() => sandbox.close());

  describe("managed identities", () => {
    it("are created with a service principal, changed, listed and deleted", async () => {
      const made = await arm("PUT", identity("id-made"), { location: "West Europe", tags: { a: "b" } });
      expect(made).toMatchObject({
        status: 201,
        json: { id: identity("id-made"), name: "id-made", type: "Microsoft.ManagedIdentity/userAssignedIdentities", location: "westeurope", tags: { a: "b" }, properties: { tenantId: sandbox.azure.defaultTenant.tenantId } },
      });
      const { principalId, clientId } = made.json["properties"] as { principalId: string; clientId: string };
      expect(await graphCall(sandbox, "GET", `/servicePrincipals/${principalId}`)).toMatchObject({ appId: clientId, servicePrincipalType: "ManagedIdentity", displayName: "id-made", alternativeNames: ["isExplicit=True", identity("id-made")] });
      expect(await arm("PUT", identity("id-made"), { location: "westeurope" })).toMatchObject({ status: 200, json: { tags: { a: "b" }, properties: { principalId, clientId } } });
      expect(await arm("PATCH", identity("id-made"), { tags: { c: "d" } })).toMatchObject({ status: 200, json: { tags: { c: "d" } } });
      const names = async (at: string): Promise<unknown[]> => ((await arm("GET", at)).json["value"] as { name: string }[]).map(({ name }) => name);
      expect(await names(`${identities}/providers/Microsoft.ManagedIdentity/userAssignedIdentities`)).toEqual(["id-acme", "id-made"]);
      expect(await names(`${SUBSCRIPTION}/providers/Microsoft.ManagedIdentity/userAssignedIdentities`)).toEqual(["id-acme", "id-made"]);
      expect(await arm("DELETE", identity("id-made"))).toMatchObject({ status: 200 });
      expect(await arm("DELETE", identity("id-made"))).toMatchObject({ status: 204 });
      expect(await arm("GET", identity("id-made"))).toMatchObject(
        refused(404, "ResourceNotFound", "The Resource 'Microsoft.ManagedIdentity/userAssignedIdentities/id-made' under resource group 'rg-acme-identity' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"),
      );
      await expect(graphCall(sandbox, "GET", `/servicePrincipals/${principalId}`)).rejects.toMatchObject({ code: "Request_ResourceNotFound" });
    });

    it("have other ids when they are made again, and none of their rights", async () => {
      const first = await identityIn(sandbox, arm, identities, "id-again");
      await assign(arm, group, ROLES.contributor, first.principalId);
      expect(await first.arm("GET", group)).toMatchObject({ status: 200 });
      await arm("DELETE", first.id);
      expect(await exchange(sandbox, { clientId: first.clientId })).toMatchObject({ status: 400, json: { error_codes: [700016] } });
      const second = await identityIn(sandbox, arm, identities, "id-again");
      expect([second.principalId, second.clientId]).not.toEqual(expect.arrayContaining([first.principalId]));
      expect(await second.arm("GET", group)).toMatchObject(refused(403, "AuthorizationFailed"));
      const left = await arm("GET", `${assignments(group)}?$filter=principalId eq '${first.principalId}'`);
      expect(left.json["value"]).toHaveLength(1);
    });

    it("need a group, a name and a place", async () => {
      expect(await arm("PUT", `${SUBSCRIPTION}/resourceGroups/rg-none/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id`, { location: "westeurope" })).toMatchObject(refused(404, "ResourceGroupNotFound"));
      expect(await arm("PUT", identity("-id"), { location: "westeurope" })).toMatchObject(refused(400, "InvalidResourceName"));
      expect(await arm("PUT", identity("id-x"), { location: "atlantis" })).toMatchObject(refused(400, "LocationNotAvailableForResourceType"));
      expect(await arm("PUT", identity("id-acme"), { location: "northeurope" })).toMatchObject(refused(409, "InvalidResourceLocation"));
    });
  });

  describe("federated identity credentials", () => {
    it("are written, read, listed and deleted", async () => {
      expect(await arm("PUT", credential("dcf"), trust())).toMatchObject({
        status: 201,
        json: { id: credential("dcf"), name: "dcf", type: "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", properties: { issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience] } },
      });
      expect(await arm("PUT", credential("dcf"), trust({ subject: "another" }))).toMatchObject({ status: 200, json: { properties: { subject: "another" } } });
      expect((await arm("GET", `${identity("id-acme")}/federatedIdentityCredentials`)).json["value"]).toEqual([expect.objectContaining({ name: "dcf" })]);
      expect(await arm("GET", credential("dcf"))).toMatchObject({ status: 200 });
      expect(await arm("DELETE", credential("dcf"))).toMatchObject({ status: 200 });
      expect(await arm("DELETE", credential("dcf"))).toMatchObject({ status: 204 });
      expect(await arm("GET", credential("dcf"))).toMatchObject(refused(404, "ResourceNotFound", /'Microsoft.ManagedIdentity\/userAssignedIdentities\/id-acme\/federatedIdentityCredentials\/dcf' under resource group/));
    });

    it.each([
      ["a name of two characters", "ab", {}, "Federated Identity Credential name 'ab' is invalid."],
      ["a name that begins with a hyphen", "-abc", {}, "Federated Identity Credential name '-abc' is invalid."],
      ["a name of 121 characters", "n".repeat(121), {}, `Federated Identity Credential name '${"n".repeat(121)}' is invalid.`],
      ["two audiences", "dcf", { audiences: ["a", "b"] }, "Federated identity credentials must have exactly one audience."],
      ["no audience", "dcf", { audiences: [] }, "Federated identity credentials must have exactly one audience."],
      ["no subject", "dcf", { subject: "" }, "Federated Identity Credential from HTTP body has empty properties"],
      ["an issuer over http", "dcf", { issuer: "http://oidc.dcf.example" }, /issuer/],
      ["a subject of 601 characters", "dcf", { subject: "s".repeat(601) }, /subject/],
    ])("refuse %s", async (_what, name, properties, message) => {
      expect(await arm("PUT", credential(name), trust(properties))).toMatchObject(refused(400, "BadRequest", message));
    });

    it("take the edges, and values that will never match a token", async () => {
      expect(await arm("PUT", credential("abc"), trust({ subject: "s".repeat(600) }))).toMatchObject({ status: 201 });
      expect(await arm("PUT", credential("n".repeat(120)), trust({ issuer: ` ${WORKLOAD.issuer}/ ` }))).toMatchObject({ status: 201 });
      for (const name of ["abc", "n".repeat(120)]) await arm("DELETE", credential(name));
    });

    it("are unique by issuer and subject, case counting, on one identity", async () => {
      await arm("PUT", credential("one"), trust());
      expect(await arm("PUT", credential("two"), trust())).toMatchObject(refused(400, "BadRequest", "Issuer and subject combination already exists for this Managed Identity."));
      expect(await arm("PUT", credential("two"), trust({ subject: WORKLOAD.subject.toUpperCase() }))).toMatchObject({ status: 201 });
      for (const name of ["one", "two"]) await arm("DELETE", credential(name));
    });

    it("are at most 20, of which one can be written again", async () => {
      await arm("PUT", identity("id-full"), { location: "westeurope" });
      for (let index = 1; index <= 20; index++) expect(await arm("PUT", credential(`c${index}x`, "id-full"), trust({ subject: `s${index}` }))).toMatchObject({ status: 201 });
      expect(await arm("PUT", credential("c21", "id-full"), trust({ subject: "s21" }))).toMatchObject(refused(400, "BadRequest", /Too many Federated Identity Credentials .* 20/));
      expect(await arm("PUT", credential("c20x", "id-full"), trust({ subject: "s20 changed" }))).toMatchObject({ status: 200 });
      await arm("DELETE", identity("id-full"));
    });

    it("are written one at a time on one identity, at once on several", async () => {
      await arm("PUT", identity("id-other"), { location: "westeurope" });
      const write = (name: string, subject: string): Promise<unknown> => armCall(sandbox, "PUT", `${credential(name)}?api-version=2024-11-30`, trust({ subject }));
      const both = await Promise.allSettled([write("first", "1"), write("second", "2")]);
      expect(both).toEqual([
        expect.objectContaining({ status: "fulfilled" }),
        {
          status: "rejected",
          reason: expect.objectContaining({
            status: 409,
            code: "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
            message: `Too many Federated Identity Credentials are written concurrently for the managed identity '${identity("id-acme")}'. Concurrent Federated Identity Credentials writes under the same managed identity are not supported.`,
          }),
        },
      ]);
      const apart = await Promise.all([arm("PUT", credential("third"), trust({ subject: "3" })), arm("PUT", credential("third", "id-other"), trust({ subject: "3" }))]);
      expect(apart.map(({ status }) => status)).toEqual([201, 201]);
      for (const name of ["first", "second", "third"]) await arm("DELETE", credential(name));
      await arm("DELETE", identity("id-other"));
    });

    it("have a parent that is there", async () => {
      expect(await arm("PUT", credential("dcf", "id-none"), trust())).toMatchObject(refused(404, "ParentResourceNotFound", /because the parent resource '.*id-none' could not be found/));
      expect(await arm("GET", `${identity("id-none")}/federatedIdentityCredentials`)).toMatchObject(refused(404, "ResourceNotFound"));
    });
  });

  describe("role assignments", () => {
    let principalId: string;
    beforeAll(async () => {
      principalId = ((await arm("GET", identity("id-acme"))).json["properties"] as { principalId: string }).principalId;
    });
    const role = (guid: string, at = SUBSCRIPTION): string => `${at}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;
    const put = (name: string, properties: object, scope = group): ReturnType<Arm> => arm("PUT", `${assignments(scope)}/${name}`, { properties });

    it("are created, read, listed and deleted", async () => {
      const name = randomUUID();
      const made = await put(name, { roleDefinitionId: role(ROLES.reader, ""), principalId, principalType: "ServicePrincipal", description: "DCF" });
      expect(made).toMatchObject({
        status: 201,
        json: {
          id: `${assignments(group)}/${name}`,
          name,
          type: "Microsoft.Authorization/roleAssignments",
          properties: { roleDefinitionId: role(ROLES.reader), principalId, principalType: "ServicePrincipal", scope: group, condition: null, description: "DCF" },
        },
      });
      expect(await arm("GET", `${assignments(group)}/${name}`)).toMatchObject({ status: 200, json: { name } });
      const names = async (at: string, filter = ""): Promise<unknown[]> => ((await arm("GET", `${assignments(at)}${filter}`)).json["value"] as { name: string }[]).map((each) => each.name);
      expect(await names(group, `?$filter=principalId eq '${principalId}'`)).toEqual([name]);
      expect(await names(SUBSCRIPTION, `?$filter=assignedTo('${principalId}')`)).toEqual([name]);
      expect(await names(SUBSCRIPTION, `?$filter=atScope()`)).not.toContain(name);
      expect(await names(SUBSCRIPTION)).toContain(name);
      expect(await names(group, "?$filter=atScope()")).toHaveLength(2 + 1);
      expect(await arm("GET", `${assignments(group)}?$filter=nonsense eq '1'`)).toMatchObject(refused(400, "BadRequest"));
      expect(await arm("DELETE", `${assignments(group)}/${name}`)).toMatchObject({ status: 200, json: { name } });
      expect(await arm("DELETE", `${assignments(group)}/${name}`)).toMatchObject({ status: 204 });
      expect(await arm("GET", `${assignments(group)}/${name}`)).toMatchObject(refused(404, "RoleAssignmentNotFound"));
    });

    it("are what rights come from", async () => {
      const workload = await identityIn(sandbox, arm, identities, "id-rights");
      expect(await workload.arm("GET", group)).toMatchObject(refused(403, "AuthorizationFailed"));
      const { json } = await assign(arm, group, ROLES.reader, workload.principalId);
      expect(await workload.arm("GET", group)).toMatchObject({ status: 200 });
      expect(await workload.arm("PATCH", group, { tags: {} })).toMatchObject(refused(403, "AuthorizationFailed"));
      await assign(arm, group, ROLES.contributor, workload.principalId);
      expect(await workload.arm("PATCH", group, { tags: {} })).toMatchObject({ status: 200 });
      expect(await assign(workload.arm, group, ROLES.owner, workload.principalId)).toMatchObject(refused(403, "AuthorizationFailed", /'Microsoft.Authorization\/roleAssignments\/write'/));
      expect(await workload.arm("DELETE", String(json["id"]))).toMatchObject(refused(403, "AuthorizationFailed"));
      expect((await workload.arm("GET", `${group}/providers/Microsoft.Authorization/permissions`)).json["value"]).toEqual([
        expect.objectContaining({ actions: ["*/read"] }),
        expect.objectContaining({ actions: ["*"], notActions: expect.arrayContaining(["Microsoft.Authorization/*/Write"]) }),
      ]);
      await arm("DELETE", workload.id);
    });

    it("name a GUID, a role, a principal", async () => {
      const good = { roleDefinitionId: role(ROLES.reader), principalId };
      expect(await put("contributor", good)).toMatchObject(refused(400, "InvalidRoleAssignmentId", "The role assignment ID 'contributor' is not valid. The role assignment ID must be a GUID."));
      const nobody = "00000000-0000-0000-0000-00000000abcd";
      expect(await put(randomUUID(), { ...good, roleDefinitionId: role(nobody) })).toMatchObject(refused(404, "RoleDefinitionDoesNotExist", `The specified role definition with ID '${nobody}' does not exist.`));
      expect(await put(randomUUID(), { ...good, principalId: "dcf" })).toMatchObject(refused(400, "InvalidPrincipalId"));
      expect(await put(randomUUID(), { ...good, principalId: nobody })).toMatchObject(
        refused(400, "PrincipalNotFound", /^Principal 0{28}abcd does not exist in the directory aaaabbbb-0000-cccc-1111-dddd2222eeee\..*set the role assignment principalType property to a value, such as ServicePrincipal/),
      );
      expect(await put(randomUUID(), { ...good, principalType: "User" })).toMatchObject(refused(400, "UnmatchedPrincipalType"));
      expect(await put(randomUUID(), { principalId })).toMatchObject(refused(400, "InvalidRequestContent"));
      expect(await put(randomUUID(), good, `${SUBSCRIPTION}/resourceGroups/rg-none`)).toMatchObject(refused(404, "ResourceGroupNotFound"));
      expect(await put(randomUUID(), good, `${group}/providers/Microsoft.Storage/storageAccounts/none/blobServices/default/containers/c`)).toMatchObject(refused(404, "ResourceNotFound", /'Microsoft.Storage\/storageAccounts\/none'/));
      const made = await put(randomUUID(), good);
      expect(made).toMatchObject({ status: 201, json: { properties: { principalType: "ServicePrincipal" } } });
      await arm("DELETE", String(made.json["id"]));
    });

    it("of an application's object are taken, and grant nothing", async () => {
      const { id, appId } = await graphCall<{ id: string; appId: string }>(sandbox, "POST", "/applications", { displayName: "DDOE", signInAudience: "AzureADMyOrg" });
      const { id: servicePrincipal } = await graphCall<{ id: string }>(sandbox, "POST", "/servicePrincipals", { appId });
      await graphCall(sandbox, "POST", `/applications/${id}/federatedIdentityCredentials`, { name: "ddoe", issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience] });
      const caller = armAs(sandbox, await accessToken(sandbox, { clientId: appId }));
      expect(await put(randomUUID(), { roleDefinitionId: role(ROLES.reader), principalId: id })).toMatchObject(refused(400, "PrincipalNotFound"));
      expect(await assign(arm, group, ROLES.reader, id)).toMatchObject({ status: 201 });
      expect(await caller("GET", group)).toMatchObject(refused(403, "AuthorizationFailed"));
      await assign(arm, group, ROLES.reader, servicePrincipal);
      expect(await caller("GET", group)).toMatchObject({ status: 200 });
    });

    it("are there once, and keep whom they are for", async () => {
      const name = randomUUID();
      const good = { roleDefinitionId: role(ROLES.reader), principalId, principalType: "ServicePrincipal" };
      await put(name, good);
      expect(await put(name, { ...good, description: "again" })).toMatchObject({ status: 201, json: { properties: { description: "again" } } });
      expect(await put(randomUUID(), good)).toMatchObject(refused(409, "RoleAssignmentExists", "The role assignment already exists."));
      expect(await put(name, { ...good, principalId: sandbox.azure.administrator().caller.objectId })).toMatchObject(
        refused(400, "RoleAssignmentUpdateNotPermitted", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."),
      );
      expect(await put(name, { ...good, roleDefinitionId: role(ROLES.contributor) })).toMatchObject(refused(400, "RoleAssignmentUpdateNotPermitted"));
      await arm("DELETE", `${assignments(group)}/${name}`);
    });

    it("have conditions that can be read", async () => {
      const condition = "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'artifacts'))";
      const good = { roleDefinitionId: role("ba92f5b4-2d11-453d-a403-e96b0029c9fe"), principalId, principalType: "ServicePrincipal", condition, conditionVersion: "2.0" };
      expect(await put(randomUUID(), { ...good, condition: "(@Resource[" })).toMatchObject(refused(400, "InvalidCondition", /^The given role assignment condition is invalid: it /));
      expect(await put(randomUUID(), { ...good, conditionVersion: "3.0" })).toMatchObject(refused(400, "InvalidConditionVersion"));
      const made = await put(randomUUID(), good);
      expect(made).toMatchObject({ status: 201, json: { properties: { condition, conditionVersion: "2.0" } } });
      await arm("DELETE", String(made.json["id"]));
    });
  });

  describe("role definitions", () => {
    const definitions = `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions`;

    it("of Azure are found by name and by id", async () => {
      expect((await arm("GET", `${definitions}?$filter=roleName eq 'Contributor'`)).json["value"]).toEqual([
        expect.objectContaining({ id: `${definitions}/${ROLES.contributor}`, name: ROLES.contributor, properties: expect.objectContaining({ roleName: "Contributor", type: "BuiltInRole", assignableScopes: ["/"] }) }),
      ]);
      expect(await arm("GET", `/providers/Microsoft.Authorization/roleDefinitions/${ROLES.reader}`)).toMatchObject({ status: 200, json: { properties: { roleName: "Reader" } } });
      expect(await arm("DELETE", `${definitions}/${ROLES.reader}`)).toMatchObject(refused(403, "RoleDefinitionDeleteNotPermitted"));
    });

    it("of the customer grant what they say", async () => {
      const name = randomUUID();
      const properties = { roleName: "Group reader", description: "", permissions: [{ actions: ["Microsoft.Resources/subscriptions/resourceGroups/read"], notActions: [] }], assignableScopes: [group] };
      expect(await arm("PUT", `${group}/providers/Microsoft.Authorization/roleDefinitions/${name}`, { properties: { ...properties, assignableScopes: [] } })).toMatchObject(refused(400, "MissingAssignableScopes"));
      expect(await arm("PUT", `${group}/providers/Microsoft.Authorization/roleDefinitions/${name}`, { properties: { ...properties, roleName: "Reader" } })).toMatchObject(refused(409, "RoleDefinitionWithSameNameExists"));
      expect(await arm("PUT", `${group}/providers/Microsoft.Authorization/roleDefinitions/${name}`, { properties })).toMatchObject({ status: 201, json: { name, properties: { roleName: "Group reader", type: "CustomRole" } } });
      const workload = await identityIn(sandbox, arm, identities, "id-custom");
      const made = await assign(arm, group, name, workload.principalId);
      expect(made).toMatchObject({ status: 201 });
      expect(await workload.arm("GET", group)).toMatchObject({ status: 200 });
      expect(await workload.arm("GET", `${group}/providers/Microsoft.Authorization/locks`)).toMatchObject(refused(403, "AuthorizationFailed"));
      expect(await arm("DELETE", `${definitions}/${name}`)).toMatchObject(refused(400, "RoleDefinitionHasAssignments"));
      await arm("DELETE", String(made.json["id"]));
      expect(await arm("DELETE", `${definitions}/${name}`)).toMatchObject({ status: 200 });
      expect(await arm("GET", `${definitions}/${name}`)).toMatchObject(refused(404, "RoleDefinitionDoesNotExist"));
    });
  });

  describe("deny assignments", () => {
    it("refuse in spite of roles, with a text of their own", async () => {
      const workload = await identityIn(sandbox, arm, identities, "id-denied");
      await assign(arm, group, ROLES.contributor, workload.principalId);
      const id = `${group}/providers/Microsoft.Authorization/denyAssignments/11112222-3333-4444-5555-666677778888`;
      const properties = {
        denyAssignmentName: "no changes",
        permissions: [{ actions: ["*/write"], notActions: [], dataActions: [], notDataActions: [] }],
        principals: [{ id: "00000000-0000-0000-0000-000000000000", type: "SystemDefined" }],
        excludePrincipals: [{ id: sandbox.azure.administrator().caller.objectId, type: "ServicePrincipal" }],
      };
      expect(await workload.arm("PUT", id, { properties })).toMatchObject(refused(403, "AuthorizationFailed"));
      expect(await arm("PUT", id, { properties })).toMatchObject({ status: 201, json: { properties: { denyAssignmentName: "no changes", scope: group, doNotApplyToChildScopes: false } } });
      expect(await workload.arm("GET", group)).toMatchObject({ status: 200 });
      expect(await workload.arm("PATCH", group, { tags: {} })).toMatchObject(
        refused(
          403,
          "DenyAssignmentAuthorizationFailed",
          /has permission to perform action 'Microsoft.Resources\/subscriptions\/resourcegroups\/write' on scope '.*'; however, the access is denied because of the deny assignment with name 'no changes' and Id '11112222333344445555666677778888'/,
        ),
      );
      expect(await arm("PATCH", group, { tags: {} })).toMatchObject({ status: 200 });
      expect((await workload.arm("GET", `${group}/providers/Microsoft.Authorization/denyAssignments`)).json["value"]).toEqual([expect.objectContaining({ id })]);
      expect(await arm("DELETE", id)).toMatchObject({ status: 200 });
      expect(await workload.arm("PATCH", group, { tags: {} })).toMatchObject({ status: 200 });
    });
  });

  describe("propagation", () => {
    it("lets trust, grants and principals be seen later", async () => {
      sandbox.core.settings.propagationDelaySeconds = 60;
      const made = await arm("PUT", identity("id-slow"), { location: "westeurope" });
      const { principalId, clientId } = made.json["properties"] as { principalId: string; clientId: string };
      const name = randomUUID();
      const properties = { roleDefinitionId: `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${ROLES.reader}`, principalId };
      expect(await arm("PUT", `${assignments(group)}/${name}`, { properties })).toMatchObject(refused(400, "PrincipalNotFound"));
      expect(await arm("PUT", `${assignments(group)}/${name}`, { properties: { ...properties, principalType: "ServicePrincipal" } })).toMatchObject({ status: 201 });
      await arm("PUT", credential("dcf", "id-slow"), trust());
      sandbox.core.settings.propagationDelaySeconds = 0;
      sandbox.core.clock.advance(61);
      const caller = armAs(sandbox, await accessToken(sandbox, { clientId }));
      expect(await caller("GET", group)).toMatchObject({ status: 200 });
      sandbox.core.settings.propagationDelaySeconds = 60;
      await arm("DELETE", `${assignments(group)}/${name}`);
      expect((await arm("GET", `${assignments(group)}?$filter=principalId eq '${principalId}'`)).json["value"]).toEqual([]);
      expect(await caller("GET", group)).toMatchObject({ status: 200 });
      sandbox.core.clock.advance(61);
      expect(await caller("GET", group)).toMatchObject(refused(403, "AuthorizationFailed"));
    });
  });
});
