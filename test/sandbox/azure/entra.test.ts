import { startSandbox, type Sandbox } from "../../../sandbox/index.js";
import { administratorToken, ARM, azureSend } from "../../support/azure.js";

describe("Entra", () => {
  let sandbox: Sandbox;
  beforeAll(async () => (sandbox = await startSandbox()));
  afterAll(() => sandbox.close());

  it("gives the administrator a token for its secret", async () => {
    const token = await administratorToken(sandbox);
    const group = `${ARM}/subscriptions/${sandbox.azure.defaultSubscription.subscriptionId}/resourceGroups/rg-acme-dcf?api-version=2021-04-01`;
    const made = await azureSend(sandbox)("PUT", group, { token, body: { location: "westeurope", tags: { a: "b" } } });
    expect(made).toMatchObject({ status: 201, json: { name: "rg-acme-dcf", tags: { a: "b" } } });
  });
});
