import { startSandbox, type Sandbox } from "../../../sandbox/index.js";

const PROJECT = "customer-app-prod";
const NUMBER = "123456789012";
const POOL = `projects/${NUMBER}/locations/global/workloadIdentityPools/dcf-pool`;
const PROVIDER = `${POOL}/providers/dcf-oidc`;
const AUDIENCE = `//iam.googleapis.com/${PROVIDER}`;
const SUBJECT = "system:serviceaccount:dcf:project-4711";
const ACCOUNT = `dcf-deployer@${PROJECT}.iam.gserviceaccount.com`;
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
  const { gcp } = sandbox;
  const admin = gcp.administrator().caller;
  const call = (method: string, url: string, body?: unknown) => gcp.call(admin, method, url, body);
  await call("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services:batchEnable`, { serviceIds: ["sts.googleapis.com", "iamcredentials.googleapis.com"] });
  await call("POST", `https://iam.googleapis.com/v1/projects/${PROJECT}/locations/global/workloadIdentityPools?workloadIdentityPoolId=dcf-pool`, {});
  await call("POST", `https://iam.googleapis.com/v1/${POOL}/providers?workloadIdentityPoolProviderId=dcf-oidc`, {
    attributeMapping: { "google.subject": "assertion.sub" },
    attributeCondition: `assertion.sub == '${SUBJECT}'`,
    oidc: { issuerUri: "https://oidc.dcf.example" },
  });
  await call("POST", `https://iam.googleapis.com/v1/projects/${PROJECT}/serviceAccounts`, { accountId: "dcf-deployer", serviceAccount: {} });
  await call("POST", `https://iam.googleapis.com/v1/projects/${PROJECT}/serviceAccounts/${ACCOUNT}:setIamPolicy`, {
    policy: { bindings: [{ role: "roles/iam.workloadIdentityUser", members: [`principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`] }] },
  });
});

afterAll(() => sandbox.close());

async function post(path: string, body: URLSearchParams | object, token?: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const form = body instanceof URLSearchParams;
  const response = await fetch(`${sandbox.url}${path}`, {
    method: "POST",
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...(!form && { "content-type": "application/json" }) },
    body: form ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const exchange = async (changes: Record<string, string> = {}) =>
  post(
    "/v1/token",
    new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience: AUDIENCE,
      scope: CLOUD_PLATFORM,
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      subject_token: await sandbox.issuers.mint({ subject: SUBJECT, audience: `https:${AUDIENCE}` }),
      ...changes,
    }),
  );

it("exchanges, impersonates and writes an object", async () => {
  const federated = await exchange();
  expect(federated).toEqual({
    status: 200,
    body: { access_token: expect.stringContaining("SANDBOXSECRET"), issued_token_type: "urn:ietf:params:oauth:token-type:access_token", token_type: "Bearer", expires_in: 3600 },
  });
  const token = await post(`/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`, { scope: [CLOUD_PLATFORM] }, String(federated.body["access_token"]));
  expect(token).toMatchObject({ status: 200, body: { expireTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) } });
  expect(sandbox.gcp.authenticate(String(token.body["accessToken"]))?.name).toBe(ACCOUNT);
  const admin = sandbox.gcp.administrator().caller;
  await sandbox.gcp.call(admin, "POST", `https://storage.googleapis.com/storage/v1/b?project=${PROJECT}`, { name: "dcf-artifacts", location: "us-central1", iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } });
  const put = () => post("/upload/storage/v1/b/dcf-artifacts/o?uploadType=media&name=a.json", { a: 1 }, String(token.body["accessToken"]));
  expect((await put()).status).toBe(403);
  await sandbox.gcp.call(admin, "PUT", "https://storage.googleapis.com/storage/v1/b/dcf-artifacts/iam", { bindings: [{ role: "roles/storage.objectAdmin", members: [`serviceAccount:${ACCOUNT}`] }] });
  expect(await put()).toMatchObject({ status: 200, body: { name: "a.json" } });
});
