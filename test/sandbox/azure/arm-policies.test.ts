import { startSandbox, type Sandbox } from "../../../sandbox/index.js";
import { administratorToken } from "../../support/azure.js";
import { type Arm, armAs, assign, identityIn, refused, ROLES, SUBSCRIPTION } from "./arm-support.js";

describe("Azure Policy", () => {
  let sandbox: Sandbox;
  let arm: Arm;
  const group = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;
  const policies = `${SUBSCRIPTION}/providers/Microsoft.Authorization`;
  const builtIn = (name: string): string => `/providers/Microsoft.Authorization/policyDefinitions/${name}`;
  const assignPolicy = (name: string, policyDefinitionId: string, parameters: Record<string, unknown> = {}, more: object = {}): ReturnType<Arm> =>
    arm("PUT", `${policies}/policyAssignments/${name}`, {
      properties: { displayName: name, policyDefinitionId, parameters: Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, { value }])), ...more },
    });
  const remove = (name: string): ReturnType<Arm> => arm("DELETE", `${policies}/policyAssignments/${name}`);

  beforeAll(async () => {
    sandbox = await startSandbox();
    arm = armAs(sandbox, await administratorToken(sandbox));
    await arm("PUT", group, { location: "westeurope" });
    await arm("POST", `${SUBSCRIPTION}/providers/Microsoft.ManagedIdentity/register`);
  });
  afterAll(() => sandbox.close());

  it("denies what lacks a tag, and lets pass what has it", async () => {
    const policyDefinitionId = builtIn("96670d01-0a4d-4649-9c89-2d3abc0a5025");
    expect(await assignPolicy("tags", policyDefinitionId)).toMatchObject(refused(400, "MissingPolicyParameter", /'tagName'/));
    expect(await assignPolicy("tags", policyDefinitionId, { tagName: "owner" })).toMatchObject({ status: 201, json: { properties: { scope: SUBSCRIPTION, enforcementMode: "Default" } } });
    const identifiers = JSON.stringify([{ policyAssignment: { name: "tags", id: `${policies}/policyAssignments/tags` }, policyDefinition: { name: "Require a tag on resource groups", id: policyDefinitionId } }]);
    expect(await arm("PUT", `${SUBSCRIPTION}/resourceGroups/rg-untagged`, { location: "westeurope" })).toMatchObject(
      refused(403, "RequestDisallowedByPolicy", `Resource 'rg-untagged' was disallowed by policy. Policy identifiers: '${identifiers}'.`),
    );
    expect(await arm("PUT", `${SUBSCRIPTION}/resourceGroups/rg-tagged`, { location: "westeurope", tags: { Owner: "dcf" } })).toMatchObject({ status: 201 });
    await assignPolicy("tags", policyDefinitionId, { tagName: "owner" }, { enforcementMode: "DoNotEnforce" });
    expect(await arm("PUT", `${SUBSCRIPTION}/resourceGroups/rg-untagged`, { location: "westeurope" })).toMatchObject({ status: 201 });
    await assignPolicy("tags", policyDefinitionId, { tagName: "owner" }, { notScopes: [`${SUBSCRIPTION}/resourceGroups/rg-free`] });
    expect(await arm("PUT", `${SUBSCRIPTION}/resourceGroups/rg-free`, { location: "westeurope" })).toMatchObject({ status: 201 });
    expect(await remove("tags")).toMatchObject({ status: 200 });
  });

  it("rewrites a tag when a group is written", async () => {
    await arm("PATCH", group, { tags: { dcfCorrelationId: "right" } });
    await assignPolicy("rewrite", builtIn("d157c373-a6c4-483d-aaad-570756956268"), { tagName: "dcfCorrelationId", tagValue: "wrong" });
    expect((await arm("GET", group)).json["tags"]).toEqual({ dcfCorrelationId: "right" });
    expect((await arm("PATCH", `${group}/providers/Microsoft.Resources/tags/default`, { operation: "Merge", properties: { tags: { dcfCorrelationId: "right" } } })).json["properties"]).toEqual({ tags: { dcfCorrelationId: "wrong" } });
    await remove("rewrite");
    expect((await arm("PATCH", group, { tags: { dcfCorrelationId: "right" } })).json["tags"]).toEqual({ dcfCorrelationId: "right" });
  });

  it("adds what is inherited from the group", async () => {
    await arm("PATCH", group, { tags: { cost: "4711" } });
    await assignPolicy("inherit", builtIn("cd3aa116-8754-49c9-a813-ad46512ece54"), { tagName: "cost" });
    const id = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-inherits`;
    expect(await arm("PUT", id, { location: "westeurope", tags: { a: "b" } })).toMatchObject({ status: 201, json: { tags: { a: "b", cost: "4711" } } });
    await remove("inherit");
    expect((await arm("PUT", id, { location: "westeurope", tags: {} })).json["tags"]).toEqual({});
  });

  it("denies an issuer by a definition of the customer's own", async () => {
    const alias = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";
    const definition = `${policies}/policyDefinitions/issuers`;
    const properties = {
      displayName: "Issuers of ours",
      mode: "All",
      parameters: { issuers: { type: "Array" } },
      policyRule: { if: { allOf: [{ field: "type", equals: alias }, { field: `${alias}/issuer`, notIn: "[parameters('issuers')]" }] }, then: { effect: "deny" } },
    };
    expect(await arm("PUT", definition, { properties: { displayName: "x" } })).toMatchObject(refused(400, "InvalidPolicyRule"));
    expect(await arm("PUT", definition, { properties })).toMatchObject({ status: 201, json: { properties: { policyType: "Custom" } } });
    await assignPolicy("issuers", definition, { issuers: ["https://token.actions.githubusercontent.com"] });
    await arm("PUT", `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-policed`, { location: "westeurope" });
    const credential = (issuer: string): ReturnType<Arm> =>
      arm("PUT", `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-policed/federatedIdentityCredentials/dcf`, { properties: { issuer, subject: "s", audiences: ["a"] } });
    expect(await credential("https://oidc.dcf.example")).toMatchObject(refused(403, "RequestDisallowedByPolicy", /^Resource 'dcf' was disallowed by policy/));
    expect(await credential("https://token.actions.githubusercontent.com")).toMatchObject({ status: 201 });
    await remove("issuers");
    expect(await arm("DELETE", definition)).toMatchObject({ status: 200 });
  });

  it.each([
    ["Allowed locations for resource groups", "e765b5de-1225-4ba3-bd56-1ac6695af988", { listOfAllowedLocations: ["northeurope"] }, "rg-place", "westeurope", "northeurope"],
    ["Not allowed resource types", "6c112d4e-5bc7-47ae-a041-ea2d9dccd749", { listOfResourceTypesNotAllowed: ["Microsoft.Resources/subscriptions/resourceGroups"] }, "rg-type", "westeurope", undefined],
  ])("plays %s", async (_name, definition, parameters, name, denied, allowed) => {
    await assignPolicy("places", builtIn(definition), parameters);
    expect(await arm("PUT", `${SUBSCRIPTION}/resourceGroups/${name}`, { location: denied })).toMatchObject(refused(403, "RequestDisallowedByPolicy"));
    if (allowed !== undefined) expect(await arm("PUT", `${SUBSCRIPTION}/resourceGroups/${name}`, { location: allowed })).toMatchObject({ status: 201 });
    await remove("places");
  });

  it("is assigned by whoever may, and read", async () => {
    const workload = await identityIn(sandbox, arm, group, "id-policies");
    await assign(arm, SUBSCRIPTION, ROLES.contributor, workload.principalId);
    expect(await workload.arm("PUT", `${policies}/policyAssignments/mine`, { properties: { policyDefinitionId: builtIn("96670d01-0a4d-4649-9c89-2d3abc0a5025") } })).toMatchObject(refused(403, "AuthorizationFailed"));
    expect(await arm("PUT", `${policies}/policyAssignments/mine`, { properties: { policyDefinitionId: builtIn("00000000-0000-0000-0000-000000000000") } })).toMatchObject(refused(404, "PolicyDefinitionNotFound"));
    await assignPolicy("seen", builtIn("871b6d14-10aa-478d-b590-94f262ecfa99"), { tagName: "x" }, { enforcementMode: "DoNotEnforce" });
    expect((await workload.arm("GET", `${group}/providers/Microsoft.Authorization/policyAssignments`)).json["value"]).toEqual([expect.objectContaining({ name: "seen" })]);
    expect(await workload.arm("GET", builtIn("871b6d14-10aa-478d-b590-94f262ecfa99"))).toMatchObject({ status: 200, json: { properties: { displayName: "Require a tag on resources", policyType: "BuiltIn" } } });
    await remove("seen");
    expect(await arm("GET", `${policies}/policyAssignments/seen`)).toMatchObject(refused(404, "PolicyAssignmentNotFound"));
  });
});
