/** Microsoft Graph as clients meet it: applications, service principals, federated credentials, what was deleted, and who may do what. */
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../../sandbox/index.js";
import { accessToken, administratorToken, armCall, type AzureReceived, type AzureSend, azureSend, exchange, GRAPH, WORKLOAD, workloadToken } from "../../support/azure.js";

const ELSEWHERE = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
const NOBODY = "99999999-9999-9999-9999-999999999999";
const SCOPE = `${GRAPH}/.default`;
const CREDENTIAL = { name: "ddoe", issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience], description: "DDOE" };

let sandbox: Sandbox;
let send: AzureSend;
let fresh: SandboxSnapshot;
let administrator: string;
let application: { id: string; appId: string };
let principalId: string;

const call = (method: string, path: string, body?: object, token = administrator): Promise<AzureReceived> => send(method, `${GRAPH}/v1.0${path}`, { token, body });
const errorOf = ({ status, json }: AzureReceived): unknown[] => (status < 300 ? [status] : [status, (json["error"] as { code: string }).code]);
const valuesOf = ({ json }: AzureReceived): Record<string, unknown>[] => json["value"] as Record<string, unknown>[];
const idOf = ({ json }: AzureReceived): string => String(json["id"]);

beforeAll(async () => {
  sandbox = await startSandbox();
  send = azureSend(sandbox);
  administrator = await administratorToken(sandbox, { scope: SCOPE });
  const { json } = await call("POST", "/applications", { displayName: "Acme DDOE", signInAudience: "AzureADMyOrg", tags: ["ddoe"] });
  application = { id: String(json["id"]), appId: String(json["appId"]) };
  principalId = idOf(await call("POST", "/servicePrincipals", { appId: application.appId }));
  await call("POST", `/applications/${application.id}/federatedIdentityCredentials`, CREDENTIAL);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("applications", () => {
  it("keep what a client sets, and show what Graph decides", async () => {
    const { json } = await call("GET", `/applications(appId='${application.appId}')`);
    expect(json).toMatchObject({ "@odata.context": `${GRAPH}/v1.0/$metadata#applications/$entity`, id: application.id, displayName: "Acme DDOE", signInAudience: "AzureADMyOrg", tags: ["ddoe"], publisherDomain: "customer.onmicrosoft.example", deletedDateTime: null });
    expect(errorOf(await call("PATCH", `/applications/${application.id}`, { displayName: "Renamed", id: NOBODY, appId: NOBODY }))).toEqual([204]);
    expect((await call("GET", `/applications/${application.id}`)).json).toMatchObject({ ...application, displayName: "Renamed" });
    expect((await call("POST", "/applications", { displayName: "Bare" })).json["signInAudience"]).toBe("AzureADandPersonalMicrosoftAccount");
  });

  it.each<[string, object | undefined, unknown[]]>([
    ["with a name", { displayName: "Second" }, [201]],
    ["without", { tags: [] }, [400, "Request_BadRequest"]],
    ["without a body", undefined, [400, "Request_BadRequest"]],
    ["for an audience that is none", { displayName: "Second", signInAudience: "Everybody" }, [400, "Request_BadRequest"]],
    ["under a URI of another one", { displayName: "Second", identifierUris: ["api://taken"] }, [409, "Request_MultipleObjectsWithSameKeyValue"]],
  ])("are made %s", async (_, body, expected) => {
    await call("PATCH", `/applications/${application.id}`, { identifierUris: ["api://taken"] });
    expect(errorOf(await call("POST", "/applications", body))).toEqual(expected);
  });

  it("are filtered, selected and counted", async () => {
    await call("POST", "/applications", { displayName: "Acme's other" });
    const names = async (query: string): Promise<unknown[]> => valuesOf(await call("GET", `/applications?${query}`)).map(({ displayName }) => displayName);
    expect(await names("$filter=displayName eq 'Acme DDOE'")).toEqual(["Acme DDOE"]);
    expect(await names("$filter=displayName eq 'Acme''s other'")).toEqual(["Acme's other"]);
    expect(await names("$filter=startswith(displayName,'acme')")).toEqual(["Acme DDOE", "Acme's other"]);
    expect(await names(`$filter=startswith(displayName,'acme') and appId eq '${application.appId}'`)).toEqual(["Acme DDOE"]);
    expect(await names("$filter=displayName eq 'Nothing' or displayName eq 'Acme DDOE'")).toEqual(["Acme DDOE"]);
    expect(await names("$filter=tags/any(t: t eq 'ddoe')&$top=1")).toEqual(["Acme DDOE"]);
    expect((await call("GET", `/applications?$select=appId,id&$filter=displayName eq 'Acme DDOE'&$count=true`)).json).toMatchObject({ "@odata.count": 1, value: [application] });
    expect(errorOf(await call("GET", "/applications?$filter=displayName lt 'a'"))).toEqual([400, "Request_BadRequest"]);
  });

  it("show a password once", async () => {
    const added = await call("POST", `/applications/${application.id}/addPassword`, { passwordCredential: { displayName: "ci" } });
    expect(added.json).toMatchObject({ displayName: "ci", secretText: expect.stringContaining("SANDBOXSECRET") });
    const shown = (await call("GET", `/applications/${application.id}`)).json;
    expect(shown["passwordCredentials"]).toMatchObject([{ displayName: "ci", keyId: added.json["keyId"], secretText: null }]);
    expect(errorOf(await call("POST", `/applications/${application.id}/removePassword`, { keyId: added.json["keyId"] }))).toEqual([204]);
    expect(errorOf(await call("POST", `/applications/${application.id}/removePassword`, { keyId: added.json["keyId"] }))).toEqual([400, "Request_BadRequest"]);
  });

  it("go with their service principal, and come back with their credentials within thirty days", async () => {
    const ask = async (): Promise<number> => (await exchange(sandbox, { clientId: application.appId })).status;
    expect(await ask()).toBe(200);
    expect(errorOf(await call("DELETE", `/applications/${application.id}`))).toEqual([204]);
    expect([errorOf(await call("GET", `/applications/${application.id}`)), errorOf(await call("GET", `/servicePrincipals/${principalId}`)), await ask()]).toEqual([[404, "Request_ResourceNotFound"], [404, "Request_ResourceNotFound"], 400]);
    expect(valuesOf(await call("GET", "/directory/deletedItems/microsoft.graph.application")).map(({ id }) => id)).toEqual([application.id]);
    for (const id of [application.id, principalId]) expect((await call("POST", `/directory/deletedItems/${id}/restore`)).json).toMatchObject({ id, deletedDateTime: null });
    expect(await ask()).toBe(200);
    await call("DELETE", `/applications/${application.id}`);
    sandbox.core.clock.advance(30 * 86_400);
    administrator = await administratorToken(sandbox, { scope: SCOPE });
    expect(errorOf(await call("POST", `/directory/deletedItems/${application.id}/restore`))).toEqual([404, "Request_ResourceNotFound"]);
  });

  it("are gone for good once they are purged", async () => {
    await call("DELETE", `/applications/${application.id}`);
    expect(errorOf(await call("DELETE", `/directory/deletedItems/${application.id}`))).toEqual([204]);
    expect(errorOf(await call("GET", `/directory/deletedItems/${application.id}`))).toEqual([404, "Request_ResourceNotFound"]);
    expect(sandbox.store.list("azure:graph/federatedIdentityCredential")).toEqual([]);
  });
});

describe("federated credentials", () => {
  const path = (): string => `/applications/${application.id}/federatedIdentityCredentials`;

  it("are read by name and by id", async () => {
    const [credential] = valuesOf(await call("GET", path()));
    expect(credential).toMatchObject(CREDENTIAL);
    for (const address of [`${path()}/ddoe`, `${path()}/${String(credential?.["id"])}`, `${path()}(name='ddoe')`]) expect((await call("GET", address)).json).toMatchObject(CREDENTIAL);
    expect(errorOf(await call("GET", `${path()}/nothing`))).toEqual([404, "Request_ResourceNotFound"]);
  });

  it.each<[string, object, unknown[]]>([
    ["with another subject", { subject: "second" }, [201]],
    ["with values that no token will have", { issuer: "https://oidc.dcf.example/ ", subject: " * ", audiences: ["api://anything"] }, [201]],
    ["under a name that is taken", { name: "ddoe", subject: "second" }, [409, "Request_MultipleObjectsWithSameKeyValue"]],
    ["for issuer and subject of another one", {}, [400, "Request_BadRequest"]],
    ["under a name of two characters", { name: "ab", subject: "second" }, [400, "Request_BadRequest"]],
    ["under a name with a blank", { name: "a b c", subject: "second" }, [400, "Request_BadRequest"]],
    ["with two audiences", { subject: "second", audiences: ["a", "b"] }, [400, "Request_BadRequest"]],
    ["without any", { subject: "second", audiences: [] }, [400, "Request_BadRequest"]],
    ["with a subject of 600 characters", { subject: "s".repeat(600) }, [201]],
    ["with one of 601", { subject: "s".repeat(601) }, [400, "Request_BadRequest"]],
    ["without issuer", { subject: "second", issuer: "" }, [400, "Request_BadRequest"]],
    ["with an expression of claims", { subject: "second", claimsMatchingExpression: { value: "claims['sub'] matches '*'", languageVersion: 1 } }, [400, "Request_BadRequest"]],
  ])("are made %s", async (_, changes, expected) => {
    expect(errorOf(await call("POST", path(), { ...CREDENTIAL, name: "second", ...changes }))).toEqual(expected);
  });

  it("change, but for their name", async () => {
    expect(errorOf(await call("PATCH", `${path()}/ddoe`, { subject: "changed" }))).toEqual([204]);
    expect((await call("GET", `${path()}/ddoe`)).json).toMatchObject({ ...CREDENTIAL, subject: "changed" });
    expect((await exchange(sandbox, { clientId: application.appId }, await workloadToken(sandbox, { subject: "changed" }))).status).toBe(200);
    expect(errorOf(await call("PATCH", `${path()}/ddoe`, { name: "renamed" }))).toEqual([400, "Request_BadRequest"]);
    expect(errorOf(await call("DELETE", `${path()}/ddoe`))).toEqual([204]);
    expect(errorOf(await call("DELETE", `${path()}/ddoe`))).toEqual([404, "Request_ResourceNotFound"]);
  });

  it("are twenty at most", async () => {
    for (let index = 1; index < 20; index++) expect(errorOf(await call("POST", path(), { ...CREDENTIAL, name: `more-${index}`, subject: `more-${index}` }))).toEqual([201]);
    expect(errorOf(await call("POST", path(), { ...CREDENTIAL, name: "more-20", subject: "more-20" }))).toEqual([400, "Directory_QuotaExceeded"]);
  });
});

describe("service principals", () => {
  it("are found by client id in every way that clients ask", async () => {
    const { appId } = application;
    expect((await call("GET", `/servicePrincipals(appId='${appId}')`)).json).toMatchObject({ id: principalId, appId, servicePrincipalType: "Application", accountEnabled: true });
    for (const filter of [`appId eq '${appId}'`, `servicePrincipalNames/any(c:c eq '${appId}')`, "displayName eq 'Acme DDOE'"]) {
      expect(valuesOf(await call("GET", `/servicePrincipals?$filter=${encodeURIComponent(filter)}`)).map(({ id }) => id)).toEqual([principalId]);
    }
    expect((await call("POST", "/directoryObjects/getByIds", { ids: [principalId, application.id, NOBODY], types: ["servicePrincipal"] })).json).toMatchObject({
      value: [{ "@odata.type": "#microsoft.graph.servicePrincipal", id: principalId }, { "@odata.type": "#microsoft.graph.application", id: application.id }],
    });
    expect(errorOf(await call("GET", `/servicePrincipals/${NOBODY}`))).toEqual([404, "Request_ResourceNotFound"]);
  });

  it("are made once, for an application that there is", async () => {
    expect(errorOf(await call("POST", "/servicePrincipals", { appId: application.appId }))).toEqual([409, "Request_MultipleObjectsWithSameKeyValue"]);
    expect(errorOf(await call("POST", "/servicePrincipals", { appId: NOBODY }))).toEqual([400, "Request_BadRequest"]);
  });

  it("are made in another tenant only of applications that allow it", async () => {
    const token = await administratorToken(sandbox, { tenant: ELSEWHERE, scope: SCOPE });
    const create = (): Promise<AzureReceived> => call("POST", "/servicePrincipals", { appId: application.appId }, token);
    expect(errorOf(await create())).toEqual([400, "Request_BadRequest"]);
    await call("PATCH", `/applications/${application.id}`, { signInAudience: "AzureADMultipleOrgs" });
    const made = await create();
    expect(made.json).toMatchObject({ appId: application.appId, appOwnerOrganizationId: "aaaabbbb-0000-cccc-1111-dddd2222eeee" });
    expect(idOf(made)).not.toBe(principalId);
  });

  it("stand for managed identities, whose they are as long as those live", async () => {
    const group = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/rg-acme-identity";
    const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acme-dcf`;
    await armCall(sandbox, "PUT", `${group}?api-version=2021-04-01`, { location: "westeurope" });
    await armCall(sandbox, "POST", "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/providers/Microsoft.ManagedIdentity/register?api-version=2021-04-01");
    const { properties } = await armCall<{ properties: { principalId: string; clientId: string } }>(sandbox, "PUT", `${identity}?api-version=2024-11-30`, { location: "westeurope" });
    const { json } = await call("GET", `/servicePrincipals/${properties.principalId}`);
    expect(json).toMatchObject({ appId: properties.clientId, displayName: "id-acme-dcf", servicePrincipalType: "ManagedIdentity", alternativeNames: expect.arrayContaining(["isExplicit=True", identity]) });
    expect(errorOf(await call("DELETE", `/servicePrincipals/${properties.principalId}`))).toEqual([403, "Authorization_RequestDenied"]);
    await armCall(sandbox, "DELETE", `${identity}?api-version=2024-11-30`);
    expect(errorOf(await call("GET", `/servicePrincipals/${properties.principalId}`))).toEqual([404, "Request_ResourceNotFound"]);
  });
});

describe("without consent", () => {
  it.each<[string, string, unknown[]]>([
    ["itself", "/servicePrincipals(appId='OWN')", [200]],
    ["itself by object id", "/servicePrincipals/PRINCIPAL", [200]],
    ["itself in a list", "/servicePrincipals?$filter=appId eq 'OWN'", [200]],
    ["its application", "/applications(appId='OWN')", [200]],
    ["its object", "/directoryObjects/PRINCIPAL", [200]],
    ["its credentials", "/applications(appId='OWN')/federatedIdentityCredentials", [403, "Authorization_RequestDenied"]],
    ["somebody else", "/servicePrincipals(appId='OTHER')", [403, "Authorization_RequestDenied"]],
    ["somebody else's application", "/applications(appId='OTHER')", [403, "Authorization_RequestDenied"]],
    ["somebody who is not there", `/servicePrincipals(appId='${NOBODY}')`, [403, "Authorization_RequestDenied"]],
    ["everybody", "/servicePrincipals", [403, "Authorization_RequestDenied"]],
    ["the organisation", "/organization", [403, "Authorization_RequestDenied"]],
    ["the policies", "/identity/conditionalAccess/policies", [403, "Authorization_RequestDenied"]],
    ["me, who is no user", "/me", [400, "BadRequest"]],
  ])("a service principal reads %s", async (_, path, expected) => {
    const token = await accessToken(sandbox, { clientId: application.appId, scope: SCOPE });
    const address = path.replace("OWN", application.appId).replace("PRINCIPAL", principalId).replace("OTHER", sandbox.azure.administrator().clientId);
    expect(errorOf(await call("GET", address, undefined, token))).toEqual(expected);
  });

  it("it changes nothing, itself included; with consent it does", async () => {
    const change = async (): Promise<unknown[]> => errorOf(await call("PATCH", `/servicePrincipals/${principalId}`, { notes: "changed" }, await accessToken(sandbox, { clientId: application.appId, scope: SCOPE })));
    expect(await change()).toEqual([403, "Authorization_RequestDenied"]);
    const [{ id, value }] = sandbox.store.list<{ appId: string }>("azure:graph/servicePrincipal").filter((each) => each.value.appId === application.appId) as [{ id: string; value: object }];
    sandbox.store.put("azure:graph/servicePrincipal", id, { ...value, graphPermissions: ["Application.ReadWrite.All"] });
    expect(await change()).toEqual([204]);
  });
});

describe("errors", () => {
  it("come in Graph's envelope", async () => {
    const { status, json } = await call("GET", `/applications/${NOBODY}`);
    expect([status, json]).toEqual([
      404,
      {
        error: {
          code: "Request_ResourceNotFound",
          message: `Resource '${NOBODY}' does not exist or one of its queried reference-property objects are not present.`,
          innerError: { date: expect.any(String), "request-id": expect.any(String), "client-request-id": expect.any(String) },
        },
      },
    ]);
    expect(errorOf(await send("POST", `${GRAPH}/v1.0/applications`, { token: administrator, body: "{", headers: { "content-type": "application/json" } }))).toEqual([400, "BadRequest"]);
    expect(errorOf(await call("GET", "/nothing"))).toEqual([400, "BadRequest"]);
  });
});
