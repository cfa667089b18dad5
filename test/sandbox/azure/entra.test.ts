/** Entra as clients meet it on the wire: discovery, secrets, federated assertions, what it keeps of an issuer, and what services make of its tokens. */
import { createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../../sandbox/index.js";
import { accessToken, administratorToken, ARM, armCall, askToken, type AzureReceived, type AzureSend, azureSend, exchange, GRAPH, graphCall, WORKLOAD, workloadToken } from "../../support/azure.js";

const TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const ELSEWHERE = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
const AGENCY = "ccccdddd-2222-eeee-3333-ffff4444aaaa";
const NOBODY = "99999999-9999-9999-9999-999999999999";
const SUBSCRIPTION = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
const GROUP = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;
const IDENTITY = `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acme-dcf`;
const CREDENTIAL = { issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience] };
const READER = `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7`;
const LOGIN = "https://login.microsoftonline.com";
const MSAL_IDENTITY = "api-version=2024-11-30";

let sandbox: Sandbox;
let send: AzureSend;
let fresh: SandboxSnapshot;
/** An application with a credential, and a managed identity with one. */
let application: { id: string; appId: string };
let principalId: string;
let identity: { clientId: string; principalId: string };

beforeAll(async () => {
  sandbox = await startSandbox();
  send = azureSend(sandbox);
  application = await graphCall(sandbox, "POST", "/applications", { displayName: "Acme DDOE", signInAudience: "AzureADMyOrg" });
  ({ id: principalId } = await graphCall<{ id: string }>(sandbox, "POST", "/servicePrincipals", { appId: application.appId }));
  await graphCall(sandbox, "POST", `/applications/${application.id}/federatedIdentityCredentials`, { name: "ddoe", ...CREDENTIAL });
  await armCall(sandbox, "PUT", `${GROUP}?api-version=2021-04-01`, { location: "westeurope" });
  await armCall(sandbox, "POST", `${SUBSCRIPTION}/providers/Microsoft.ManagedIdentity/register?api-version=2021-04-01`);
  const made = await armCall<{ properties: typeof identity }>(sandbox, "PUT", `${IDENTITY}?${MSAL_IDENTITY}`, { location: "westeurope" });
  identity = made.properties;
  await armCall(sandbox, "PUT", `${IDENTITY}/federatedIdentityCredentials/dcf?${MSAL_IDENTITY}`, { properties: CREDENTIAL });
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

const outcome = ({ status, json }: AzureReceived): unknown[] => (status === 200 ? [200] : [status, json["error"], ...((json["error_codes"] as number[] | undefined) ?? [])]);
const errorOf = ({ status, json }: AzureReceived): unknown[] => [status, (json["error"] as { code: string } | undefined)?.code];
const claimsOf = (token: string): Record<string, unknown> => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
const assignReader = (principal: string): Promise<unknown> =>
  armCall(sandbox, "PUT", `${GROUP}/providers/Microsoft.Authorization/roleAssignments/0f0f0f0f-0000-4000-8000-000000000001?api-version=2022-04-01`, { properties: { roleDefinitionId: READER, principalId: principal, principalType: "ServicePrincipal" } });
const readGroup = (token?: string): Promise<AzureReceived> => send("GET", `${ARM}${GROUP}?api-version=2021-04-01`, { token });

describe("discovery", () => {
  it("describes a tenant by id and by domain, in both versions", async () => {
    const v2 = await send("GET", `${LOGIN}/${TENANT}/v2.0/.well-known/openid-configuration`);
    expect(v2.json).toMatchObject({ token_endpoint: `${LOGIN}/${TENANT}/oauth2/v2.0/token`, issuer: `${LOGIN}/${TENANT}/v2.0`, jwks_uri: `${LOGIN}/${TENANT}/discovery/v2.0/keys`, authorization_endpoint: `${LOGIN}/${TENANT}/oauth2/v2.0/authorize` });
    const v1 = await send("GET", `${LOGIN}/customer.onmicrosoft.example/.well-known/openid-configuration`);
    expect(v1.json).toMatchObject({ token_endpoint: `${LOGIN}/${TENANT}/oauth2/token`, issuer: `https://sts.windows.net/${TENANT}/` });
  });

  it.each(["common", "organizations"])("describes %s", async (shared) => {
    expect((await send("GET", `${LOGIN}/${shared}/v2.0/.well-known/openid-configuration`)).json).toMatchObject({ token_endpoint: `${LOGIN}/${shared}/oauth2/v2.0/token` });
  });

  it.each<[string, string, unknown[]]>([
    ["a tenant that there is", `${LOGIN}/${TENANT}`, [200]],
    ["one that there is not", `${LOGIN}/${NOBODY}`, [400, "invalid_tenant", 90002]],
    ["no id and no domain", `${LOGIN}/not_a_tenant`, [400, "invalid_request", 900023]],
    ["another cloud's", `${LOGIN}/${AGENCY}`, [400, "invalid_request", 900382]],
    ["that one at its own authority", `https://login.microsoftonline.us/${AGENCY}`, [200]],
  ])("asked for %s", async (_, authority, expected) => {
    expect(outcome(await send("GET", `${authority}/v2.0/.well-known/openid-configuration`))).toEqual(expected);
  });

  it("names the aliases of every authority", async () => {
    const { json } = await send("GET", `${LOGIN}/common/discovery/instance?api-version=1.1&authorization_endpoint=${encodeURIComponent(`${LOGIN}/${TENANT}/oauth2/v2.0/authorize`)}`);
    expect(json["tenant_discovery_endpoint"]).toBe(`${LOGIN}/${TENANT}/v2.0/.well-known/openid-configuration`);
    expect(json["metadata"]).toContainEqual({ preferred_network: "login.microsoftonline.com", preferred_cache: "login.microsoftonline.com", aliases: ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"] });
  });

  it("publishes the key that signs access tokens", async () => {
    const token = await administratorToken(sandbox);
    const [header = "", payload = "", signature = ""] = token.split(".");
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as { kid: string };
    const { keys } = (await send("GET", `${LOGIN}/${TENANT}/discovery/v2.0/keys`)).json as unknown as { keys: (JsonWebKey & { kid: string })[] };
    const jwk = keys.find((key) => key.kid === kid);
    expect(verify("sha256", Buffer.from(`${header}.${payload}`), createPublicKey({ key: jwk ?? {}, format: "jwk" }), Buffer.from(signature, "base64url"))).toBe(true);
  });

  it("tells Resource Manager's clients where everything else is", async () => {
    expect((await send("GET", `${ARM}/metadata/endpoints?api-version=2022-09-01`)).json).toMatchObject({ name: "AzureCloud", microsoftGraphResourceId: `${GRAPH}/`, authentication: { loginEndpoint: `${LOGIN}/` }, suffixes: { storage: "core.windows.net", acrLoginServer: "azurecr.io" } });
    expect((await send("GET", "https://management.usgovcloudapi.net/metadata/endpoints?api-version=2022-09-01")).json).toMatchObject({ name: "AzureUSGovernment", suffixes: { acrLoginServer: "azurecr.us" } });
  });
});

describe("client secrets", () => {
  it("give the administrator of every tenant a token that its own cloud takes", async () => {
    for (const { tenantId, cloud } of sandbox.azure.tenants()) {
      const loginHost = { public: "login.microsoftonline.com", usgovernment: "login.microsoftonline.us", china: "login.partner.microsoftonline.cn" }[cloud];
      const graphHost = { public: "graph.microsoft.com", usgovernment: "graph.microsoft.us", china: "microsoftgraph.chinacloudapi.cn" }[cloud];
      const token = await administratorToken(sandbox, { tenant: tenantId, loginHost, scope: `https://${graphHost}/.default` });
      expect(claimsOf(token)).toMatchObject({ tid: tenantId, aud: `https://${graphHost}`, idtyp: "app", roles: expect.arrayContaining(["Application.ReadWrite.All"]) });
      expect((await send("GET", `https://${graphHost}/v1.0/organization`, { token })).json).toMatchObject({ value: [{ id: tenantId }] });
    }
  });

  it("answer in v1's form at v1's endpoint, and take credentials in a header", async () => {
    const { clientId, clientSecret } = sandbox.azure.administrator();
    const basic = `Basic ${Buffer.from(`${clientId}:${encodeURIComponent(clientSecret)}`).toString("base64")}`;
    const body = new URLSearchParams({ grant_type: "client_credentials", resource: "https://management.core.windows.net/" });
    const { status, json } = await send("POST", `${LOGIN}/${TENANT}/oauth2/token`, { headers: { authorization: basic }, body });
    expect([status, json["expires_in"], json["resource"]]).toEqual([200, "3599", "https://management.core.windows.net/"]);
    expect((await send("GET", `${ARM}/subscriptions?api-version=2022-12-01`, { token: String(json["access_token"]) })).status).toBe(200);
  });

  it.each<[string, Record<string, string>, unknown[]]>([
    ["right", {}, [200]],
    ["wrong", { client_secret: "wrong" }, [401, "invalid_client", 7000215]],
    ["for a grant that is none", { grant_type: "password" }, [400, "unsupported_grant_type", 70003]],
    ["without grant", { grant_type: "" }, [400, "invalid_request", 900144]],
    ["for a scope without .default", { scope: `${ARM}/user_impersonation` }, [400, "invalid_scope", 1002012]],
    ["for a resource that nobody has", { scope: "https://nobody.example/.default" }, [400, "invalid_resource", 500011]],
    ["for storage", { scope: "https://storage.azure.com/.default" }, [200]],
    ["for registries", { scope: "https://containerregistry.azure.net/.default" }, [200]],
    ["for the audience that ends in a slash", { scope: "https://management.core.windows.net//.default" }, [200]],
    ["of a client that the tenant has not", { client_id: NOBODY }, [400, "unauthorized_client", 700016]],
  ])("%s", async (_, changes, expected) => {
    const { clientId, clientSecret } = sandbox.azure.administrator();
    expect(outcome(await askToken(sandbox, { clientId }, { client_secret: clientSecret, ...changes }))).toEqual(expected);
  });

  it("are missing", async () => {
    expect(outcome(await askToken(sandbox, { clientId: application.appId }, {}))).toEqual([401, "invalid_client", 7000218]);
  });

  it("of an application work until they expire", async () => {
    const { secretText } = await graphCall<{ secretText: string }>(sandbox, "POST", `/applications/${application.id}/addPassword`, { passwordCredential: { displayName: "ci", endDateTime: new Date(sandbox.core.clock.now().getTime() + 3_600_000).toISOString() } });
    expect(outcome(await askToken(sandbox, { clientId: application.appId }, { client_secret: secretText }))).toEqual([200]);
    sandbox.core.clock.advance(3_601);
    expect(outcome(await askToken(sandbox, { clientId: application.appId }, { client_secret: secretText }))).toEqual([401, "invalid_client", 7000222]);
  });
});

describe("federated assertions", () => {
  it("give an application and a managed identity a token of their own", async () => {
    for (const [clientId, objectId] of [[application.appId, principalId], [identity.clientId, identity.principalId]] as const) {
      const token = await accessToken(sandbox, { clientId });
      expect(claimsOf(token)).toMatchObject({ iss: `https://sts.windows.net/${TENANT}/`, aud: ARM, appid: clientId, oid: objectId, sub: objectId, tid: TENANT, idtyp: "app" });
    }
  });

  it("are refused in OAuth's form with Entra's code, ids and time", async () => {
    const { status, json, headers } = await exchange(sandbox, { clientId: identity.clientId }, await workloadToken(sandbox, { subject: "system:serviceaccount:dcf:project-4712" }));
    expect([status, headers["cache-control"]]).toEqual([401, "no-store, no-cache"]);
    expect(Object.keys(json)).toEqual(["error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri"]);
    const { trace_id: trace, correlation_id: correlation, timestamp } = json as Record<string, string>;
    expect(json).toMatchObject({ error: "invalid_client", error_codes: [700213], error_uri: "https://login.microsoftonline.com/error?code=700213" });
    expect(String(json["error_description"])).toMatch(/^AADSTS700213: No matching federated identity record found for presented assertion subject 'system:serviceaccount:dcf:project-4712'\. /);
    expect(String(json["error_description"]).endsWith(` Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`)).toBe(true);
    expect(timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
  });

  it.each<[string, Parameters<typeof workloadToken>[1], unknown[]]>([
    ["as agreed", {}, [200]],
    ["subject in other letters", { subject: WORKLOAD.subject.toUpperCase() }, [401, "invalid_client", 7002138]],
    ["another audience", { audience: "api://somebody-else" }, [401, "invalid_client", 700212]],
    ["expired beyond the tolerance", { expiresInSeconds: -301 }, [401, "invalid_client", 700024]],
    ["expired within it", { expiresInSeconds: -200 }, [200]],
    ["signed with a key that nobody published", { foreignKey: true, kid: "unpublished" }, [401, "invalid_client", 7000272]],
    ["signed with another key under a published one's name", { foreignKey: true }, [401, "invalid_client", 7000274]],
    ["of a type that is none of JWT's", { header: { typ: "at+jwt" } }, [400, "invalid_request", 5002727]],
  ])("%s", async (_, order, expected) => {
    expect(outcome(await exchange(sandbox, { clientId: identity.clientId }, await workloadToken(sandbox, order)))).toEqual(expected);
  });

  it.each(["https://oidc.dcf.example/", "https://OIDC.dcf.example", "https://oidc.elsewhere.example"])("of the issuer %s", async (iss) => {
    expect(outcome(await exchange(sandbox, { clientId: identity.clientId }, await workloadToken(sandbox, { claims: { iss } })))).toEqual([401, "invalid_client", 700211]);
  });

  it("of an issuer with elliptic keys: none", async () => {
    await sandbox.issuers.create("https://es.example", "ES256");
    await armCall(sandbox, "PUT", `${IDENTITY}/federatedIdentityCredentials/es256?${MSAL_IDENTITY}`, { properties: { ...CREDENTIAL, issuer: "https://es.example" } });
    expect(outcome(await exchange(sandbox, { clientId: identity.clientId }, await workloadToken(sandbox, { issuer: "https://es.example" })))).toEqual([400, "invalid_request", 5002738]);
  });

  it("of text that is no token", async () => {
    expect(outcome(await exchange(sandbox, { clientId: identity.clientId }, "nothing"))).toEqual([400, "invalid_request", 50027]);
  });

  it.each<[string, Parameters<typeof exchange>[1], unknown[]]>([
    ["the tenant by its domain", { clientId: "IDENTITY", tenant: "customer.onmicrosoft.example" }, [200]],
    ["a tenant that has no such client", { clientId: "IDENTITY", tenant: ELSEWHERE }, [400, "unauthorized_client", 700016]],
    ["a tenant that there is not", { clientId: "IDENTITY", tenant: NOBODY }, [400, "invalid_request", 90002]],
    ["a tenant that cannot be one", { clientId: "IDENTITY", tenant: "acme" }, [400, "invalid_request", 900023]],
    ["a tenant of another cloud", { clientId: "IDENTITY", tenant: AGENCY }, [400, "invalid_request", 900382]],
    ["the tenant at another cloud's authority", { clientId: "IDENTITY", loginHost: "login.microsoftonline.us" }, [400, "invalid_request", 900382]],
    ["no tenant in particular", { clientId: "IDENTITY", tenant: "common" }, [400, "invalid_request", 50059]],
    ["the principal's id in place of the client's", { clientId: "PRINCIPAL" }, [400, "unauthorized_client", 700016]],
  ])("at %s", async (_, asked, expected) => {
    const clientId = { IDENTITY: identity.clientId, PRINCIPAL: identity.principalId }[asked.clientId] ?? "";
    expect(outcome(await exchange(sandbox, { ...asked, clientId }))).toEqual(expected);
  });

  it("with clients that lack something", async () => {
    const answers: Record<string, unknown[]> = {};
    const ask = async (what: string, clientId = application.appId): Promise<void> => void (answers[what] = outcome(await exchange(sandbox, { clientId })));
    await ask("complete");
    await graphCall(sandbox, "PATCH", `/servicePrincipals/${principalId}`, { accountEnabled: false });
    await ask("disabled");
    await graphCall(sandbox, "DELETE", `/servicePrincipals/${principalId}`);
    await ask("without service principal");
    await graphCall(sandbox, "POST", `/directory/deletedItems/${principalId}/restore`);
    await graphCall(sandbox, "PATCH", `/servicePrincipals/${principalId}`, { accountEnabled: true });
    await ask("restored");
    const [credential] = (await graphCall<{ value: { id: string }[] }>(sandbox, "GET", `/applications/${application.id}/federatedIdentityCredentials`)).value;
    await graphCall(sandbox, "DELETE", `/applications/${application.id}/federatedIdentityCredentials/${credential?.id ?? ""}`);
    await ask("without credentials");
    await graphCall(sandbox, "DELETE", `/applications/${application.id}`);
    await ask("deleted");
    await armCall(sandbox, "DELETE", `${IDENTITY}?${MSAL_IDENTITY}`);
    await ask("identity deleted", identity.clientId);
    expect(answers).toEqual({
      complete: [200],
      disabled: [400, "unauthorized_client", 7000112],
      "without service principal": [401, "invalid_client", 7000229],
      restored: [200],
      "without credentials": [401, "invalid_client", 70025],
      deleted: [400, "unauthorized_client", 700016],
      "identity deleted": [400, "unauthorized_client", 700016],
    });
  });

  it("blocked by Conditional Access: applications, not managed identities", async () => {
    const policy = { displayName: "Only from our network", state: "enabled", conditions: { clientApplications: { includeServicePrincipals: ["ServicePrincipalsInMyTenant"] } }, grantControls: { operator: "OR", builtInControls: ["block"] } };
    const { id } = await graphCall<{ id: string }>(sandbox, "POST", "/identity/conditionalAccess/policies", policy);
    const { clientId } = await armCall<{ properties: { clientId: string } }>(sandbox, "GET", `${IDENTITY}?${MSAL_IDENTITY}`).then(({ properties }) => properties);
    expect([outcome(await exchange(sandbox, { clientId: application.appId })), outcome(await exchange(sandbox, { clientId }))]).toEqual([[400, "invalid_grant", 53003], [200]]);
    await graphCall(sandbox, "PATCH", `/identity/conditionalAccess/policies/${id}`, { state: "enabledForReportingButNotEnforced" });
    expect(outcome(await exchange(sandbox, { clientId: application.appId }))).toEqual([200]);
  });

  it("wait for a new credential to spread", async () => {
    sandbox.core.settings.propagationDelaySeconds = 60;
    await armCall(sandbox, "PUT", `${IDENTITY}/federatedIdentityCredentials/second?${MSAL_IDENTITY}`, { properties: { ...CREDENTIAL, subject: "second" } });
    await graphCall(sandbox, "POST", `/applications/${application.id}/federatedIdentityCredentials`, { name: "second", ...CREDENTIAL, subject: "second" });
    const ask = async (clientId: string): Promise<unknown[]> => outcome(await exchange(sandbox, { clientId }, await workloadToken(sandbox, { subject: "second" })));
    const both = async (): Promise<unknown[][]> => [await ask(identity.clientId), await ask(application.appId)];
    expect(await both()).toEqual([[401, "invalid_client", 700213], [401, "invalid_client", 700213]]);
    sandbox.core.clock.advance(61);
    expect(await both()).toEqual([[200], [200]]);
  });
});

describe("an issuer's documents", () => {
  const ask = async (order: Parameters<typeof workloadToken>[1] = {}): Promise<unknown[]> => outcome(await exchange(sandbox, { clientId: identity.clientId }, await workloadToken(sandbox, order)));

  it("are kept: a rotated key is unknown until they are old, or an administrator removes them", async () => {
    expect(await ask()).toEqual([200]);
    await sandbox.issuers.rotate(WORKLOAD.issuer);
    expect(await ask()).toEqual([401, "invalid_client", 7000272]);
    sandbox.core.clock.advance(1_500);
    expect(await ask()).toEqual([401, "invalid_client", 7000272]);
    sandbox.core.clock.advance(301);
    expect(await ask()).toEqual([200]);
    await sandbox.issuers.rotate(WORKLOAD.issuer);
    expect(await ask()).toEqual([401, "invalid_client", 7000272]);
    sandbox.store.delete("azure:entra/issuerDocuments", WORKLOAD.issuer);
    expect(await ask()).toEqual([200]);
  });

  it.each<[string, Parameters<Sandbox["issuers"]["behave"]>[1], unknown[]]>([
    ["healthy", {}, [200]],
    ["answered with an error", { status: 503 }, [400, "invalid_request", 501661]],
    ["behind a certificate that nobody trusts", { certificate: "untrusted" }, [400, "invalid_request", 501661]],
    ["naming another issuer", { discovery: { issuer: "https://elsewhere.example" } }, [400, "invalid_request", 501661]],
    ["without what Entra's parser insists on", { discovery: { subject_types_supported: [] } }, [400, "invalid_request", 501661]],
    ["with an empty URL", { discovery: { authorization_endpoint: "" } }, [400, "invalid_request", 501661]],
  ])("%s", async (_, behaviour, expected) => {
    sandbox.issuers.behave(WORKLOAD.issuer, behaviour);
    expect(await ask()).toEqual(expected);
    sandbox.issuers.behave(WORKLOAD.issuer, {});
    expect(await ask()).toEqual([200]);
  });
});

describe("access tokens", () => {
  it("are good for an hour, at the service that they are for", async () => {
    await assignReader(identity.principalId);
    const [arm, graph] = [await accessToken(sandbox, { clientId: identity.clientId }), await accessToken(sandbox, { clientId: identity.clientId, scope: `${GRAPH}/.default` })];
    expect([(await readGroup(arm)).status, errorOf(await readGroup(graph)), errorOf(await readGroup(`${arm}x`)), errorOf(await readGroup())]).toEqual([200, [401, "InvalidAuthenticationTokenAudience"], [401, "InvalidAuthenticationToken"], [401, "AuthenticationFailed"]]);
    const me = `${GRAPH}/v1.0/servicePrincipals/${identity.principalId}`;
    expect([(await send("GET", me, { token: graph })).status, errorOf(await send("GET", me, { token: arm })), errorOf(await send("GET", me))]).toEqual([200, [401, "InvalidAuthenticationToken"], [401, "InvalidAuthenticationToken"]]);
    sandbox.core.clock.advance(3_600);
    expect(errorOf(await readGroup(arm))).toEqual([401, "ExpiredAuthenticationToken"]);
  });

  it("tell, where there is none, whose tenant a subscription is", async () => {
    const challenge = async (subscription: string): Promise<unknown[]> => {
      const { status, headers, json } = await send("GET", `${ARM}/subscriptions/${subscription}?api-version=2022-12-01`);
      return [status, (json["error"] as { code: string }).code, /authorization_uri="([^"]+)"/.exec(headers["www-authenticate"] ?? "")?.[1]];
    };
    expect(await challenge("aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e")).toEqual([401, "AuthenticationFailed", `${LOGIN}/${TENANT}`]);
    expect(await challenge(NOBODY)).toEqual([404, "SubscriptionNotFound", undefined]);
  });

  it("of another tenant than the subscription's are refused", async () => {
    const { value } = { value: sandbox.azure.subscription("aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e") };
    sandbox.store.put("azure:account/subscription", "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e", { ...value, tenantId: ELSEWHERE });
    const answer = await readGroup(await accessToken(sandbox, { clientId: identity.clientId }));
    expect(errorOf(answer)).toEqual([401, "InvalidAuthenticationTokenTenant"]);
    expect(answer.headers["www-authenticate"]).toContain(`authorization_uri="${LOGIN}/${ELSEWHERE}"`);
  });

  it("are known past the wire, too", async () => {
    const token = await accessToken(sandbox, { clientId: identity.clientId });
    expect(sandbox.azure.authenticate(token, [ARM])).toMatchObject({ kind: "servicePrincipal", tenantId: TENANT, objectId: identity.principalId, clientId: identity.clientId, audience: ARM });
    expect([sandbox.azure.authenticate(token, [GRAPH]), sandbox.azure.authenticate(token.slice(0, -4), [ARM])]).toEqual([undefined, undefined]);
  });
});

describe("faults and the sandbox's own address", () => {
  it("come in OAuth's form from Entra, in their own from ARM and Graph", async () => {
    const token = await administratorToken(sandbox);
    for (const operation of ["entra:Token", "arm:*", "graph:*"]) sandbox.faults.add({ operation, status: 429, code: "TooManyRequests", message: "slow down" });
    const { clientId, clientSecret } = sandbox.azure.administrator();
    expect(outcome(await askToken(sandbox, { clientId }, { client_secret: clientSecret }))).toEqual([429, "temporarily_unavailable"]);
    expect(errorOf(await readGroup(token))).toEqual([429, "TooManyRequests"]);
    expect(errorOf(await send("GET", `${GRAPH}/v1.0/applications`, { token }))).toEqual([429, "TooManyRequests"]);
    await expect(armCall(sandbox, "GET", `${GROUP}?api-version=2021-04-01`)).rejects.toMatchObject({ status: 429, code: "TooManyRequests" });
  });

  it("serves Entra, ARM and Graph there, for clients with an endpoint of their own", async () => {
    const own = async (method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Record<string, unknown>> =>
      (await fetch(`${sandbox.url}${path}`, { method, headers, ...(body !== undefined && { body }) })).json() as Promise<Record<string, unknown>>;
    expect(await own("GET", `/${TENANT}/v2.0/.well-known/openid-configuration`)).toMatchObject({ token_endpoint: `${sandbox.url}/${TENANT}/oauth2/v2.0/token`, issuer: `${sandbox.url}/${TENANT}/v2.0` });
    const { clientId, clientSecret } = sandbox.azure.administrator();
    const form = new URLSearchParams({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret, scope: `${sandbox.url}/.default` });
    const { access_token: token } = await own("POST", `/${TENANT}/oauth2/v2.0/token`, { "content-type": "application/x-www-form-urlencoded" }, form.toString());
    const authorization = `Bearer ${String(token)}`;
    expect(await own("GET", `${GROUP}?api-version=2021-04-01`, { authorization })).toMatchObject({ name: "rg-acme-dcf" });
    expect(await own("GET", "/metadata/endpoints?api-version=2022-09-01")).toMatchObject({ authentication: { loginEndpoint: `${sandbox.url}/` } });
  });
});
