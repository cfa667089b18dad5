import { startSandbox, type Sandbox } from "../../../sandbox/index.js";
import { accessToken, administratorToken, ARM, armCall, azureSend, exchange, graphCall, workloadToken, WORKLOAD } from "../../support/azure.js";

describe("Entra", () => {
  let sandbox: Sandbox;
  const subscription = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
  beforeAll(async () => (sandbox = await startSandbox()));
  afterAll(() => sandbox.close());

  it("gives the administrator a token for its secret", async () => {
    const token = await administratorToken(sandbox);
    const made = await azureSend(sandbox)("PUT", `${ARM}${subscription}/resourceGroups/rg-acme-dcf?api-version=2021-04-01`, { token, body: { location: "westeurope", tags: { a: "b" } } });
    expect(made).toMatchObject({ status: 201, json: { name: "rg-acme-dcf", tags: { a: "b" } } });
  });

  it("gives the workload a token as an application", async () => {
    const { id, appId } = await graphCall<{ id: string; appId: string }>(sandbox, "POST", "/applications", { displayName: "DDOE", signInAudience: "AzureADMyOrg" });
    await graphCall(sandbox, "POST", "/servicePrincipals", { appId });
    expect(await exchange(sandbox, { clientId: appId })).toMatchObject({ status: 401, json: { error: "invalid_client", error_codes: [70025] } });
    await graphCall(sandbox, "POST", `/applications/${id}/federatedIdentityCredentials`, { name: "ddoe", issuer: WORKLOAD.issuer, subject: WORKLOAD.subject, audiences: [WORKLOAD.audience] });
    expect(await exchange(sandbox, { clientId: appId })).toMatchObject({ status: 200 });
    expect(await exchange(sandbox, { clientId: appId }, await workloadToken(sandbox, { subject: "x" }))).toMatchObject({ status: 401, json: { error_codes: [700213] } });
    const token = await accessToken(sandbox, { clientId: appId });
    expect(await azureSend(sandbox)("GET", `${ARM}${subscription}?api-version=2022-12-01`, { token })).toMatchObject({ status: 403, json: { error: { code: "AuthorizationFailed" } } });
    await armCall(sandbox, "GET", `${subscription}?api-version=2022-12-01`);
  });
});
