import { startSandbox, type Sandbox } from "../../../sandbox/index.js";

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});

afterAll(() => sandbox.close());

describe("tokens", () => {
  it("gives the administrator a token that proves the administrator", () => {
    const { accessToken, caller } = sandbox.gcp.administrator();
    expect(sandbox.gcp.authenticate(accessToken)?.name).toBe(caller.name);
    expect(sandbox.gcp.authenticate(`${accessToken}x`)).toBeUndefined();
  });

  it("refreshes", async () => {
    const { refreshToken } = sandbox.gcp.administrator();
    const answer = await fetch(`${sandbox.url}/token`, { method: "POST", body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken }) });
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { access_token: string };
    expect(sandbox.gcp.authenticate(body.access_token)?.name).toBe("administrator@cloud-federation-sandbox.example");
  });
});
