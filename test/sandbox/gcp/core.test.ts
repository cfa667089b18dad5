import { startSandbox, type Sandbox } from "../../../sandbox/index.js";

let sandbox: Sandbox;
const PROJECT = "customer-app-prod";

beforeAll(async () => {
  sandbox = await startSandbox();
});

afterAll(() => sandbox.close());

interface Answer<T> {
  status: number;
  body: T;
  headers: Headers;
}

async function send<T = Record<string, unknown>>(method: string, path: string, token: string | undefined, body?: unknown): Promise<Answer<T>> {
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T, headers: response.headers };
}

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

describe("projects", () => {
  it("are read with a token and not without", async () => {
    const { accessToken } = sandbox.gcp.administrator();
    const read = await send("GET", `/v1/projects/${PROJECT}`, accessToken);
    expect([read.status, read.body]).toEqual([200, expect.objectContaining({ projectId: PROJECT, projectNumber: "123456789012", labels: { "cloud-federation-sandbox": "true" } })]);
    expect(await send("GET", `/v1/projects/${PROJECT}`, undefined)).toMatchObject({ status: 401 });
  });
});
