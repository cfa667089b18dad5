import { startSandbox, type Sandbox } from "../../../sandbox/index.js";
import { accessToken, administratorToken, ARM, armCall, WORKLOAD } from "../../support/azure.js";
import { type Arm, armAs, assign, identityIn, refused, ROLES, SUBSCRIPTION } from "./arm-support.js";

/** What an onboarding template holds: the tag, an identity that trusts the workload, and its role on the group. */
const template = {
  $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  contentVersion: "1.0.0.0",
  parameters: {
    dcfCorrelationId: { type: "string" },
    identityName: { type: "string", defaultValue: "[concat('id-', uniqueString(resourceGroup().id))]" },
    role: { type: "string", defaultValue: "Contributor", allowedValues: ["Contributor", "Reader"] },
    note: { type: "securestring", defaultValue: "" },
  },
  variables: {
    identityId: "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', parameters('identityName'))]",
    roleId: "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b24988ac-6180-42a0-ab88-20f7382dd24c')]",
  },
  resources: [
    {
      type: "Microsoft.Authorization/roleAssignments",
      apiVersion: "2022-04-01",
      name: "[guid(resourceGroup().id, variables('identityId'), variables('roleId'))]",
      dependsOn: ["[variables('identityId')]"],
      properties: { roleDefinitionId: "[variables('roleId')]", principalId: "[reference(variables('identityId'), '2023-01-31').principalId]", principalType: "ServicePrincipal" },
    },
    { type: "Microsoft.Resources/tags", apiVersion: "2022-09-01", name: "default", properties: { tags: { dcfCorrelationId: "[parameters('dcfCorrelationId')]" } } },
    {
      type: "Microsoft.ManagedIdentity/userAssignedIdentities",
      apiVersion: "2023-01-31",
      name: "[parameters('identityName')]",
      location: "[resourceGroup().location]",
      resources: [
        {
          type: "federatedIdentityCredentials",
          apiVersion: "2023-01-31",
          name: "dcf",
          dependsOn: ["[variables('identityId')]"],
          properties: { issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience] },
        },
      ],
    },
  ],
  outputs: {
    clientId: { type: "string", value: "[reference(variables('identityId')).clientId]" },
    resourceGroupName: { type: "string", value: "[format('{0}', resourceGroup().name)]" },
    note: { type: "securestring", value: "[parameters('note')]" },
  },
};

describe("template deployments", () => {
  let sandbox: Sandbox;
  let arm: Arm;
  const group = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;
  const at = (name: string, on = group): string => `${on}/providers/Microsoft.Resources/deployments/${name}`;
  const deployment = (parameters: Record<string, unknown>, more: object = {}): { properties: Record<string, unknown> } => ({
    properties: { mode: "Incremental", template: { ...template, ...more }, parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, { value }])) },
  });

  beforeAll(async () => {
    sandbox = await startSandbox();
    arm = armAs(sandbox, await administratorToken(sandbox));
    await arm("PUT", group, { location: "westeurope", tags: { keep: "this" } });
  });
  afterAll(() => sandbox.close());

  it("make what the template says, in the order that it needs", async () => {
    expect(await arm("POST", `${at("boot")}/validate`, deployment({ dcfCorrelationId: "3f0c" }))).toMatchObject({ status: 200, json: { properties: { provisioningState: "Succeeded" } } });
    const changes = await arm("POST", `${at("boot")}/whatIf`, deployment({ dcfCorrelationId: "3f0c" }));
    expect(changes.json).toMatchObject({ status: "Succeeded", properties: { changes: expect.arrayContaining([expect.objectContaining({ changeType: "Create" })]) } });
    const begun = await arm("PUT", at("boot"), deployment({ dcfCorrelationId: "3f0c", identityName: "id-acme", note: "hidden away" }));
    expect(begun.status).toBe(201);
    expect((await arm("GET", begun.headers["azure-asyncoperation"]?.replace(ARM, "") ?? "")).json).toMatchObject({ status: "Succeeded" });
    const found = await arm("GET", at("boot"));
    const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acme`;
    const clientId = ((await arm("GET", identity)).json["properties"] as { clientId: string }).clientId;
    expect(found.json).toMatchObject({
      name: "boot",
      properties: {
        provisioningState: "Succeeded",
        mode: "Incremental",
        outputs: { clientId: { type: "String", value: clientId }, resourceGroupName: { value: "rg-acme-dcf" } },
        parameters: { dcfCorrelationId: { value: "3f0c" }, note: { type: "securestring" } },
      },
    });
    expect(found.text).not.toContain("hidden away");
    expect((await arm("GET", group)).json["tags"]).toEqual({ dcfCorrelationId: "3f0c" });
    expect(await armAs(sandbox, await accessToken(sandbox, { clientId }))("GET", group)).toMatchObject({ status: 200 });
    const operations = (await arm("GET", `${at("boot")}/operations`)).json["value"] as { properties: { targetResource: { resourceType: string } } }[];
    expect(operations.map(({ properties }) => properties.targetResource.resourceType)).toEqual([
      "Microsoft.Resources/tags",
      "Microsoft.ManagedIdentity/userAssignedIdentities",
      "Microsoft.Authorization/roleAssignments",
      "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
    ]);
  });

  it("are the same a second time, listed and deleted without what they made", async () => {
    expect(await arm("PUT", at("boot"), deployment({ dcfCorrelationId: "3f0c", identityName: "id-acme" }))).toMatchObject({ status: 201, json: { properties: { provisioningState: "Succeeded" } } });
    expect((await arm("GET", `${group}/providers/Microsoft.Resources/deployments`)).json["value"]).toEqual([expect.objectContaining({ name: "boot" })]);
    expect(await arm("DELETE", at("boot"))).toMatchObject({ status: 202 });
    expect(await arm("DELETE", at("boot"))).toMatchObject({ status: 204 });
    expect(await arm("GET", at("boot"))).toMatchObject(refused(404, "DeploymentNotFound", "Deployment 'boot' could not be found."));
    expect(await arm("GET", `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acme`)).toMatchObject({ status: 200 });
  });

  it.each([
    ["a parameter missing", {}, {}, /The value for the template parameter 'dcfCorrelationId' is not provided/],
    ["one too many", { dcfCorrelationId: "a", other: "b" }, {}, /The template parameters 'other' in the parameters file are not valid/],
    ["one that is not allowed", { dcfCorrelationId: "a", role: "Owner" }, {}, /not part of the allowed value\(s\): 'Contributor,Reader'/],
    ["a function that there is not", { dcfCorrelationId: "a" }, { variables: { identityId: "[nothing()]", roleId: "x" } }, /'nothing' is not valid or not played/],
    ["an expression that cannot be read", { dcfCorrelationId: "a", identityName: "x" }, { variables: { identityId: "[concat('a']", roleId: "x" } }, /Unable to parse language expression/],
    ["no such variable", { dcfCorrelationId: "a" }, { variables: {} }, /The template variable '\w+' is not found/],
  ])("refuse a template with %s", async (_what, parameters, more, message) => {
    expect(await arm("POST", `${at("bad")}/validate`, deployment(parameters, more))).toMatchObject(refused(400, "InvalidTemplate", message));
    expect(await arm("PUT", at("bad"), deployment(parameters, more))).toMatchObject(refused(400, "InvalidTemplate", message));
  });

  it("take the text that the az client sends, with a name without quotes", async () => {
    const text = `{"properties": {"parameters": {"dcfCorrelationId": {"value": "4711"}, "identityName": {"value": "id-acme"}}, "mode": "Incremental", template:${JSON.stringify(template)}}}`;
    expect(await arm("PUT", at("text"), text)).toMatchObject({ status: 201 });
    expect((await arm("GET", group)).json["tags"]).toEqual({ dcfCorrelationId: "4711" });
  });

  it("name what failed in them", async () => {
    const wrong = { resources: [{ type: "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", apiVersion: "2023-01-31", name: "id-acme/ab", properties: { issuer: "https://a.example", subject: "s", audiences: ["a"] } }], outputs: {} };
    const begun = await arm("PUT", at("wrong"), deployment({ dcfCorrelationId: "a" }, wrong));
    expect(begun).toMatchObject({ status: 201, json: { properties: { provisioningState: "Failed" } } });
    const details = [expect.objectContaining({ code: "BadRequest", message: "Federated Identity Credential name 'ab' is invalid." })];
    expect((await arm("GET", begun.headers["azure-asyncoperation"]?.replace(ARM, "") ?? "")).json).toMatchObject({ status: "Failed", error: { code: "DeploymentFailed", details } });
    expect((await arm("GET", at("wrong"))).json).toMatchObject({ properties: { error: { code: "DeploymentFailed", details } } });
    await expect(armCall(sandbox, "PUT", `${at("wrong")}?api-version=2022-09-01`, deployment({ dcfCorrelationId: "a" }, wrong))).rejects.toMatchObject({ code: "DeploymentFailed", extra: { details } });
  });

  it("are refused before anything is made where the caller may not make it all", async () => {
    const workload = await identityIn(sandbox, arm, group, "id-deployer");
    expect(await workload.arm("POST", `${at("mine")}/validate`, deployment({ dcfCorrelationId: "x" }))).toMatchObject(refused(403, "AuthorizationFailed", /'Microsoft.Resources\/deployments\/validate\/action'/));
    await assign(arm, group, ROLES.contributor, workload.principalId);
    expect(await workload.arm("PUT", at("mine"), deployment({ dcfCorrelationId: "x", identityName: "id-theirs" }))).toMatchObject(
      refused(403, "InvalidTemplateDeployment", /^Authorization failed for template resource '[0-9a-f-]{36}' of type 'Microsoft.Authorization\/roleAssignments'\. .*'Microsoft.Authorization\/roleAssignments\/write' at scope/),
    );
    expect(await arm("GET", `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-theirs`)).toMatchObject({ status: 404 });
    const [, , identity] = template.resources;
    expect(await workload.arm("PUT", at("mine"), deployment({ dcfCorrelationId: "x", identityName: "id-theirs" }, { resources: [identity], outputs: {} }))).toMatchObject({ status: 201 });
  });

  it("go into other deployments, whose expressions are their own", async () => {
    const inner = { ...template, parameters: { name: { type: "string" } }, variables: {}, resources: [{ type: "Microsoft.ManagedIdentity/userAssignedIdentities", apiVersion: "2023-01-31", name: "[parameters('name')]", location: "westeurope" }], outputs: {} };
    const nested = {
      resources: [
        {
          type: "Microsoft.Resources/deployments",
          apiVersion: "2022-09-01",
          name: "inner",
          properties: { mode: "Incremental", expressionEvaluationOptions: { scope: "inner" }, template: inner, parameters: { name: { value: "[concat(parameters('identityName'), '-nested')]" } } },
        },
      ],
      outputs: {},
    };
    expect(await arm("PUT", at("outer"), deployment({ dcfCorrelationId: "x", identityName: "id-acme" }, nested))).toMatchObject({ status: 201, json: { properties: { provisioningState: "Succeeded" } } });
    expect(await arm("GET", `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acme-nested`)).toMatchObject({ status: 200 });
    expect(await arm("GET", at("inner"))).toMatchObject({ status: 200 });
  });
});
