/** GCP's front, tokens, policies, projects, APIs, organisation policies and logs, as clients see them on the wire. */
import { CreateBucketCommand, ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../../sandbox/index.js";
import { Clients, onPath } from "./clients.js";
import { proxied, serviceAccount, type Received, type Send, type Sent } from "./proxied.js";

const PROJECT = "customer-app-prod";
const NUMBER = "123456789012";
const CRM = "https://cloudresourcemanager.googleapis.com";
const IAM = "https://iam.googleapis.com/v1";
const USAGE = "https://serviceusage.googleapis.com/v1";
const LOGGING = "https://logging.googleapis.com/v2";
const PROJECT_URL = `${CRM}/v1/projects/${PROJECT}`;
const OWNER = { role: "roles/owner", members: ["user:administrator@cloud-federation-sandbox.example"] };
const POOL = `projects/${NUMBER}/locations/global/workloadIdentityPools/dcf-pool`;

let sandbox: Sandbox;
let send: Send;
let admin: string;
let account: { email: string; member: string; token: string };
let fresh: SandboxSnapshot;

beforeAll(async () => {
  sandbox = await startSandbox();
  send = proxied(sandbox);
  admin = sandbox.gcp.administrator().accessToken;
  account = await serviceAccount(sandbox, "dcf-deployer");
  await asAdmin("POST", `${IAM}/projects/${PROJECT}/locations/global/workloadIdentityPools?workloadIdentityPoolId=dcf-pool`, {});
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

const asAdmin = (method: string, url: string, body?: object): Promise<Received> => send(method, url, { token: admin, body });
const asAccount = (method: string, url: string, body?: object, headers?: Record<string, string>): Promise<Received> => send(method, url, { token: account.token, body, ...(headers && { headers }) });
const setPolicy = (policy: object, more: object = {}): Promise<Received> => asAdmin("POST", `${PROJECT_URL}:setIamPolicy`, { policy, ...more });
const getPolicy = (version = 3): Promise<Received> => asAdmin("POST", `${PROJECT_URL}:getIamPolicy`, { options: { requestedPolicyVersion: version } });
const grant = (role: string, member = account.member): Promise<Received> => setPolicy({ bindings: [OWNER, { role, members: [member] }] });
const errorOf = ({ status, body }: Received): [number, unknown] => [status, (body as unknown as { error: { message: string } }).error.message];
const infoOf = ({ body }: Received): unknown => (body as unknown as { error: { details?: object[] } }).error.details?.[0];
const enableUrl = (api: string): string => `${USAGE}/projects/${PROJECT}/services/${api}:enable`;

describe("tokens", () => {
  it("prove the administrator, whose own one lasts", async () => {
    sandbox.core.clock.advance(30 * 86_400);
    expect((await asAdmin("GET", PROJECT_URL)).status).toBe(200);
    expect(sandbox.gcp.authenticate(`${admin}x`)).toBeUndefined();
  });

  it.each<[string, Sent, string, string]>([
    ["without one", {}, "Request is missing required authentication credential.", "CREDENTIALS_MISSING"],
    ["with one that is none", { token: "ya29.nothing" }, "Request had invalid authentication credentials.", "ACCESS_TOKEN_TYPE_UNSUPPORTED"],
  ])("%s: 401", async (_, sent, text, reason) => {
    const answer = await send("GET", PROJECT_URL, sent);
    expect(errorOf(answer)).toEqual([401, `${text} Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.`]);
    expect(infoOf(answer)).toEqual({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com", metadata: { service: "cloudresourcemanager.googleapis.com", method: "cloudresourcemanager:GetProject" } });
    expect(answer.headers["www-authenticate"]).toContain('Bearer realm="https://accounts.google.com/"');
  });

  it("end with their time", async () => {
    await grant("roles/viewer");
    sandbox.core.clock.advance(3590);
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(200);
    sandbox.core.clock.advance(20);
    const late = await asAccount("GET", PROJECT_URL);
    expect([late.status, infoOf(late)]).toEqual([401, expect.objectContaining({ reason: "ACCESS_TOKEN_EXPIRED" })]);
  });

  it("are refused while their account is disabled, and not after", async () => {
    await grant("roles/viewer");
    await asAdmin("POST", `${IAM}/projects/${PROJECT}/serviceAccounts/${account.email}:disable`, {});
    const answer = await asAccount("GET", PROJECT_URL);
    expect([answer.status, infoOf(answer)]).toEqual([401, expect.objectContaining({ reason: "ACCOUNT_STATE_INVALID" })]);
    await asAdmin("POST", `${IAM}/projects/${PROJECT}/serviceAccounts/${account.email}:enable`, {});
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(200);
  });

  it("are kept by their digest only", () => {
    for (const { id } of sandbox.store.list("secret:gcp/access-token")) expect(id).not.toContain("SANDBOXSECRET");
  });

  it("come fresh for the refresh token, and for none other", async () => {
    const refreshed = (refresh_token: string) => fetch(`${sandbox.url}/token`, { method: "POST", body: new URLSearchParams({ grant_type: "refresh_token", refresh_token }) });
    const answer = await refreshed(sandbox.gcp.administrator().refreshToken);
    const body = (await answer.json()) as { access_token: string };
    expect([answer.status, body]).toEqual([200, { access_token: expect.stringMatching(/^ya29\./), expires_in: 3599, scope: "https://www.googleapis.com/auth/cloud-platform", token_type: "Bearer" }]);
    expect(sandbox.gcp.authenticate(body.access_token)?.name).toBe("administrator@cloud-federation-sandbox.example");
    const bad = await refreshed("1//nothing");
    expect([bad.status, await bad.json()]).toEqual([400, { error: "invalid_grant", error_description: "Bad Request" }]);
  });

  it("tell what they are", async () => {
    const info = await send("GET", `https://oauth2.googleapis.com/tokeninfo?access_token=${account.token}`);
    expect(info).toMatchObject({ status: 200, body: { email: account.email, scope: "https://www.googleapis.com/auth/cloud-platform", expires_in: expect.stringMatching(/^3\d\d\d$/) } });
    expect(await send("GET", "https://oauth2.googleapis.com/tokeninfo?access_token=x")).toMatchObject({ status: 400, body: { error: "invalid_token", error_description: "Invalid Value" } });
  });

  it("need a scope that the API takes", async () => {
    await asAdmin("POST", `${IAM}/projects/${PROJECT}/serviceAccounts/${account.email}:setIamPolicy`, { policy: { bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members: OWNER.members }] } });
    await grant("roles/viewer");
    const token = async (scope: string): Promise<string> => {
      const { body } = await asAdmin("POST", `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account.email}:generateAccessToken`, { scope: [`https://www.googleapis.com/auth/${scope}`] });
      return (body as unknown as { accessToken: string }).accessToken;
    };
    const reading = await token("cloud-platform.read-only");
    expect((await send("GET", PROJECT_URL, { token: reading })).status).toBe(200);
    const refused = await send("POST", `${PROJECT_URL}:testIamPermissions`, { token: reading, body: { permissions: [] } });
    expect([errorOf(refused), infoOf(refused)]).toEqual([[403, "Request had insufficient authentication scopes."], expect.objectContaining({ reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT" })]);
    expect((await send("GET", PROJECT_URL, { token: await token("iam") })).status).toBe(403);
  });
});

describe("the front", () => {
  it("answers what it does not play with 501, under real names", async () => {
    const answer = await asAdmin("GET", `${CRM}/v1/projects/${PROJECT}/unheard`);
    expect(errorOf(answer)).toEqual([501, `The sandbox has no GET /v1/projects/${PROJECT}/unheard at cloudresourcemanager.googleapis.com.`]);
  });

  it("refuses what is no JSON", async () => {
    const answer = await send("POST", `${PROJECT_URL}:getIamPolicy`, { token: admin, headers: { "content-type": "application/json" }, body: "{" });
    expect(errorOf(answer)).toEqual([400, expect.stringMatching(/^Invalid JSON payload received\. /)]);
  });

  it("renders faults in Google's envelope, before it looks at credentials", async () => {
    sandbox.faults.add({ operation: "cloudresourcemanager:*", status: 503, code: "UNAVAILABLE", message: "The service is currently unavailable.", count: 1 });
    expect(await send("GET", PROJECT_URL)).toMatchObject({ status: 503, body: { error: { code: 503, status: "UNAVAILABLE", message: "The service is currently unavailable." } } });
    expect((await send("GET", PROJECT_URL)).status).toBe(401);
  });

  it("leaves to AWS what is AWS's at an endpoint of one's own", async () => {
    const { accessKey } = sandbox.aws.administrator(sandbox.aws.defaultAccountId);
    const s3 = new S3Client({ endpoint: sandbox.url, region: "us-east-1", credentials: accessKey, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "v1-projects" }));
    expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toEqual(["v1-projects"]);
    // Unsigned, an address is a bucket's; a path of Google's APIs is Google's.
    expect(await (await fetch(`${sandbox.url}/v1-projects/key`)).text()).toContain("<Code>AccessDenied</Code>");
    expect((await fetch(`${sandbox.url}/v1/projects/${PROJECT}`)).status).toBe(401);
    const google = await fetch(`${sandbox.url}/v1/projects/${PROJECT}`, { headers: { authorization: `Bearer ${admin}` } });
    expect(await google.json()).toMatchObject({ projectId: PROJECT });
    s3.destroy();
  });

  it("keeps clients with an endpoint of their own there", async () => {
    await asAdmin("POST", `https://storage.googleapis.com/storage/v1/b?project=${PROJECT}`, { name: "dcf-artifacts" });
    const start = (url: string): Promise<Response> => fetch(`${url}/upload/storage/v1/b/dcf-artifacts/o?uploadType=resumable&name=a`, { method: "POST", headers: { authorization: `Bearer ${admin}` } });
    expect((await start(sandbox.url)).headers.get("location")).toMatch(new RegExp(`^${sandbox.url}/upload/`));
  });
});

describe("projects", () => {
  it("are the sandbox's own two, by id and by number, in both versions", async () => {
    for (const id of [PROJECT, NUMBER]) {
      expect(await asAdmin("GET", `${CRM}/v1/projects/${id}`)).toMatchObject({ status: 200, body: { projectId: PROJECT, projectNumber: NUMBER, lifecycleState: "ACTIVE", labels: { "cloud-federation-sandbox": "true" }, parent: { type: "organization", id: "100000000001" } } });
      expect(await asAdmin("GET", `${CRM}/v3/projects/${id}`)).toMatchObject({ status: 200, body: { name: `projects/${NUMBER}`, projectId: PROJECT, state: "ACTIVE", parent: "organizations/100000000001" } });
    }
    const listed = async (query: string): Promise<unknown> => ((await asAdmin("GET", `${CRM}${query}`)).body as unknown as { projects: { projectId: string }[] }).projects.map(({ projectId }) => projectId);
    expect(await listed("/v1/projects")).toEqual([PROJECT, "platform-host"]);
    expect(await listed("/v1/projects?filter=labels.cloud-federation-sandbox%3Dtrue%20AND%20id%3Aplatform*")).toEqual(["platform-host"]);
    expect(await listed("/v3/projects:search?query=projectId%3Acustomer-app-prod")).toEqual([PROJECT]);
  });

  it("are the same to a stranger whether they are there or not", async () => {
    for (const id of [PROJECT, "nobody-has-it"]) {
      expect(errorOf(await asAccount("GET", `${CRM}/v1/projects/${id}`))).toEqual([403, "The caller does not have permission"]);
      expect(errorOf(await asAccount("GET", `${CRM}/v3/projects/${id}`))).toEqual([403, `Permission 'resourcemanager.projects.get' denied on resource '//cloudresourcemanager.googleapis.com/projects/${id}' (or it may not exist).`]);
    }
    await grant("roles/browser");
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(200);
  });

  it("test permissions, and say nothing of those that are missing", async () => {
    const test = async (permissions: string[]): Promise<unknown> => (await asAccount("POST", `${PROJECT_URL}:testIamPermissions`, { permissions })).body;
    expect(await test(["resourcemanager.projects.get"])).toEqual({});
    await grant("roles/viewer");
    expect(await test(["resourcemanager.projects.get", "resourcemanager.projects.setIamPolicy"])).toEqual({ permissions: ["resourcemanager.projects.get"] });
    const many = await asAccount("POST", `${PROJECT_URL}:testIamPermissions`, { permissions: Array.from({ length: 101 }, (_, index) => `a.b.c${index}`) });
    expect(errorOf(many)).toEqual([400, "Request contains an invalid argument."]);
  });
});

describe("policies", () => {
  it("are read, merged and written under their etag", async () => {
    const { body } = await getPolicy();
    expect(Buffer.from(body.etag, "base64").toString("base64")).toBe(body.etag);
    const written = await setPolicy({ etag: body.etag, bindings: [OWNER, { role: "roles/viewer", members: [account.member] }, { role: "roles/viewer", members: [account.member, "user:a@cloud-federation-sandbox.example"] }] });
    expect(written).toMatchObject({ status: 200, body: { version: 1, bindings: [OWNER, { role: "roles/viewer", members: [account.member, "user:a@cloud-federation-sandbox.example"] }] } });
    expect((await getPolicy()).body).toEqual(written.body);
    const stale = await setPolicy({ etag: body.etag, bindings: [OWNER] });
    expect(stale).toMatchObject({ status: 409, body: { error: { status: "ABORTED", message: expect.stringMatching(/^There were concurrent policy changes\./) } } });
    expect((await setPolicy({ bindings: [OWNER] })).status).toBe(200);
  });

  it("hide conditions from those who ask for an early version, and do not let them write over", async () => {
    const condition = { title: "until", expression: 'request.time < timestamp("2100-01-01T00:00:00Z")' };
    const bindings = [OWNER, { role: "roles/viewer", members: [account.member], condition }];
    const { etag } = (await getPolicy()).body;
    const early = await setPolicy({ etag, version: 1, bindings });
    expect(errorOf(early)).toEqual([400, "Specified policy version (1) cannot be less than the existing policy version (3). For more information, please refer to https://cloud.google.com/iam/docs/policies#versions."]);
    const written = await setPolicy({ etag, version: 3, bindings });
    expect(written.body).toMatchObject({ version: 3, bindings });
    expect((await getPolicy(1)).body.bindings?.[1]).toEqual({ role: expect.stringMatching(/^roles\/viewer_withcond_[0-9a-f]{20}$/), members: [account.member] });
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(200);
    expect(errorOf(await setPolicy({ etag: written.body.etag, bindings: [OWNER] }))[0]).toBe(400);
    expect(errorOf(await getPolicy(2))).toEqual([400, "Invalid policy version: 2. Valid values are 0, 1, and 3."]);
  });

  it("decide by conditions", async () => {
    const until = (time: string) => setPolicy({ version: 3, bindings: [OWNER, { role: "roles/viewer", members: [account.member], condition: { title: "until", expression: `request.time < timestamp("${time}")` } }] });
    await until("2001-01-01T00:00:00Z");
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(403);
    await until("2100-01-01T00:00:00Z");
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(200);
  });

  it.each<[string, string, string]>([
    ["an unknown kind", "robot:x@y.example", "The member robot:x@y.example is of an unknown type. Please set a valid type prefix for the member."],
    ["everybody, on a project", "allUsers", "Members of type allUsers and allAuthenticatedUsers cannot be set on the resource."],
    ["an account that is not there", `serviceAccount:no@${PROJECT}.iam.gserviceaccount.com`, `Service account no@${PROJECT}.iam.gserviceaccount.com does not exist.`],
    [
      "a pool by the project's id",
      `principal://iam.googleapis.com/projects/${PROJECT}/locations/global/workloadIdentityPools/dcf-pool/subject/s`,
      `Identity Pool does not exist (projects/${PROJECT}/locations/global/workloadIdentityPools/dcf-pool). Please check that you specified a valid resource name as returned in the \`name\` attribute in the configuration API.`,
    ],
    ["a pool that is not there", `principalSet://iam.googleapis.com/${POOL}x/*`, `Identity Pool does not exist (${POOL}x). Please check that you specified a valid resource name as returned in the \`name\` attribute in the configuration API.`],
  ])("refuse %s", async (_, member, message) => {
    expect(errorOf(await grant("roles/viewer", member))).toEqual([400, message]);
  });

  it("take members that are there", async () => {
    for (const member of [account.member, `principal://iam.googleapis.com/${POOL}/subject/system:serviceaccount:dcf:project-4711`]) {
      expect((await grant("roles/viewer", member)).status).toBe(200);
    }
  });

  it.each([
    ["roles/nothing.real", "Role roles/nothing.real is not supported for this resource."],
    [`projects/${PROJECT}/roles/gone`, `Role (projects/${PROJECT}/roles/gone) does not exist in the resource's hierarchy.`],
  ])("refuse the role %s", async (role, message) => {
    expect(errorOf(await grant(role))).toEqual([400, message]);
  });

  it("grant by custom roles, until those are disabled", async () => {
    const role = await asAdmin("POST", `${IAM}/projects/${PROJECT}/roles`, { roleId: "reader", role: { title: "Reader", includedPermissions: ["resourcemanager.projects.get"], stage: "GA" } });
    await grant(role.body.name);
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(200);
    await asAdmin("PATCH", `${IAM}/${role.body.name}?updateMask=stage`, { stage: "DISABLED" });
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(403);
  });

  it("name an account that went by its id, whoever has its address then, and as before once it is back", async () => {
    await grant("roles/viewer");
    const url = `${IAM}/projects/${PROJECT}/serviceAccounts/${account.email}`;
    const { uniqueId } = (await asAdmin("GET", url)).body as unknown as { uniqueId: string };
    await asAdmin("DELETE", url);
    const members = async (): Promise<unknown> => (await getPolicy()).body.bindings?.[1];
    const deleted = { role: "roles/viewer", members: [`deleted:serviceAccount:${account.email}?uid=${uniqueId}`] };
    expect(await members()).toEqual(deleted);
    // Writing back what was read keeps it.
    await setPolicy((await getPolicy()).body);
    expect(await members()).toEqual(deleted);
    await asAdmin("POST", `${IAM}/projects/${PROJECT}/serviceAccounts/${uniqueId}:undelete`, {});
    expect(await members()).toEqual({ role: "roles/viewer", members: [account.member] });
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(200);

    await asAdmin("DELETE", url);
    await asAdmin("POST", `${IAM}/projects/${PROJECT}/serviceAccounts`, { accountId: "dcf-deployer" });
    expect(await members()).toEqual(deleted);
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(401);
  });

  it("change the audit configuration only where the mask has it", async () => {
    const auditConfigs = [{ service: "storage.googleapis.com", auditLogConfigs: [{ logType: "DATA_WRITE" }] }];
    expect((await setPolicy({ bindings: [OWNER], auditConfigs })).body).not.toHaveProperty("auditConfigs");
    expect((await setPolicy({ bindings: [], auditConfigs }, { updateMask: "auditConfigs,etag" })).body).toMatchObject({ bindings: [OWNER], auditConfigs });
    expect((await setPolicy({ bindings: [OWNER] })).body).toMatchObject({ auditConfigs });
    expect((await setPolicy({ auditConfigs: [{ service: "storage.googleapis.com", auditLogConfigs: [{ logType: "ALL" }] }] }, { updateMask: "auditConfigs" })).status).toBe(400);
  });

  it("are seen by enforcement after the delay only", async () => {
    sandbox.core.settings.propagationDelaySeconds = 70;
    await grant("roles/viewer");
    expect((await getPolicy()).body.bindings).toHaveLength(2);
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(403);
    sandbox.core.clock.advance(71);
    expect((await asAccount("GET", PROJECT_URL)).status).toBe(200);
  });

  it("keep out who is of no permitted organisation", async () => {
    const constraint = "iam.allowedPolicyMemberDomains";
    const stranger = "user:somebody@elsewhere.example";
    await grant("roles/viewer", stranger);
    sandbox.store.put("gcp:orgpolicy/constraint", `organizations/100000000001/policies/${constraint}`, { rules: [{ values: { allowedValues: ["C0123abcd"] } }] });
    expect((await grant("roles/viewer", stranger)).status).toBe(200);
    const refused = await grant("roles/browser", stranger);
    expect([errorOf(refused), infoOf(refused)]).toEqual([
      [400, "One or more users named in the policy do not belong to a permitted customer,  perhaps due to an organization policy."],
      {
        "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
        violations: [{ type: `constraints/${constraint}`, subject: `orgpolicy:projects/${PROJECT}?configvalue=somebody%40elsewhere.example`, description: "User somebody@elsewhere.example is not in permitted organization." }],
      },
    ]);
    expect((await grant("roles/browser")).status).toBe(200);
    expect((await asAdmin("POST", enableUrl("orgpolicy.googleapis.com"))).status).toBe(200);
    const effective = await asAdmin("GET", `https://orgpolicy.googleapis.com/v2/projects/${PROJECT}/policies/${constraint}:getEffectivePolicy`);
    expect(effective).toMatchObject({ status: 200, body: { name: `projects/${NUMBER}/policies/${constraint}`, spec: { rules: [{ values: { allowedValues: ["C0123abcd"] } }] } } });
    expect((await asAdmin("GET", `https://orgpolicy.googleapis.com/v2/projects/${PROJECT}/policies/${constraint}`)).status).toBe(404);
    const open = await asAdmin("GET", `https://orgpolicy.googleapis.com/v2/projects/${PROJECT}/policies/iam.disableServiceAccountKeyCreation:getEffectivePolicy`);
    expect(open.body).toMatchObject({ spec: { rules: [{ enforce: false }] } });
  });
});

describe("APIs", () => {
  const service = "run.googleapis.com";

  it("are enabled by an operation that can be asked for", async () => {
    const state = async (): Promise<unknown> => ((await asAdmin("GET", `${USAGE}/projects/${PROJECT}/services/${service}`)).body as unknown as { state: string }).state;
    expect(await state()).toBe("DISABLED");
    const operation = await asAdmin("POST", enableUrl(service));
    expect(operation).toMatchObject({ status: 200, body: { done: true, name: expect.stringMatching(/^operations\/acf\./), response: { service: { state: "ENABLED" } } } });
    expect((await asAdmin("GET", `${USAGE}/${operation.body.name}`)).body).toEqual(operation.body);
    expect(await state()).toBe("ENABLED");
    await asAdmin("POST", `${USAGE}/projects/${PROJECT}/services/${service}:disable`, {});
    expect(await state()).toBe("DISABLED");
    expect((await asAdmin("GET", `${USAGE}/operations/none`)).status).toBe(404);
  });

  it("are listed by state, page by page", async () => {
    const first = await asAdmin("GET", `${USAGE}/projects/${PROJECT}/services?filter=state:ENABLED&pageSize=3`);
    expect(first.body).toMatchObject({ services: [{}, {}, { state: "ENABLED" }], nextPageToken: "3" });
    const read = await asAdmin("GET", `${USAGE}/projects/${PROJECT}/services:batchGet?names=projects/${NUMBER}/services/${service}&names=projects/${NUMBER}/services/storage.googleapis.com`);
    expect(read.body).toMatchObject({ services: [{ state: "DISABLED" }, { state: "ENABLED" }] });
    expect((await asAdmin("POST", `${USAGE}/projects/${PROJECT}/services:batchEnable`, { serviceIds: [service, "sts.googleapis.com"] })).status).toBe(200);
    expect((await asAdmin("POST", `${USAGE}/projects/${PROJECT}/services:batchEnable`, { serviceIds: [] })).status).toBe(400);
  });

  it("are known ones", async () => {
    expect(errorOf(await asAdmin("POST", enableUrl("nothing.googleapis.com")))).toEqual([403, "Not found or permission denied for service(s): nothing.googleapis.com."]);
  });

  it("are enabled by who may", async () => {
    expect(errorOf(await asAccount("POST", enableUrl(service)))).toEqual([403, `Permission 'serviceusage.services.enable' denied on resource '//cloudresourcemanager.googleapis.com/projects/${PROJECT}' (or it may not exist).`]);
    await grant("roles/serviceusage.serviceUsageAdmin");
    expect((await asAccount("POST", enableUrl(service))).status).toBe(200);
  });

  it("refuse calls in projects that have not enabled them, until that has propagated", async () => {
    const url = `https://orgpolicy.googleapis.com/v2/projects/${PROJECT}/policies`;
    const api = "orgpolicy.googleapis.com";
    const refused = await asAdmin("GET", url);
    expect(errorOf(refused)).toEqual([
      403,
      `Organization Policy API has not been used in project ${NUMBER} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/${api}/overview?project=${NUMBER} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.`,
    ]);
    expect(infoOf(refused)).toMatchObject({ reason: "SERVICE_DISABLED", domain: "googleapis.com", metadata: { service: api, consumer: `projects/${NUMBER}` } });
    sandbox.core.settings.propagationDelaySeconds = 10;
    await asAdmin("POST", enableUrl(api));
    expect((await asAdmin("GET", url)).status).toBe(403);
    sandbox.core.clock.advance(11);
    expect((await asAdmin("GET", url)).status).toBe(200);
  });

  it("are used on the account of a project only by who may use it", async () => {
    const headers = { "x-goog-user-project": PROJECT };
    await grant("roles/browser");
    const refused = await asAccount("GET", PROJECT_URL, undefined, headers);
    expect([errorOf(refused), infoOf(refused)]).toEqual([
      [403, expect.stringMatching(`^Caller does not have required permission to use project ${PROJECT}\\. Grant the caller the roles/serviceusage\\.serviceUsageConsumer role`)],
      expect.objectContaining({ reason: "USER_PROJECT_DENIED" }),
    ]);
    await setPolicy({ bindings: [OWNER, ...["roles/browser", "roles/serviceusage.serviceUsageConsumer"].map((role) => ({ role, members: [account.member] }))] });
    expect((await asAccount("GET", PROJECT_URL, undefined, headers)).status).toBe(200);
  });
});

describe("logs", () => {
  const list = (filter: string, more: object = {}): Promise<Received> => asAdmin("POST", `${LOGGING}/entries:list`, { resourceNames: [`projects/${PROJECT}`], filter, ...more });
  const texts = async (filter: string, more: object = {}): Promise<(string | undefined)[]> => ((await list(filter, more)).body as unknown as { entries: { textPayload?: string }[] }).entries.map(({ textPayload }) => textPayload);
  const write = (token: string) =>
    send("POST", `${LOGGING}/entries:write`, {
      token,
      body: {
        logName: `projects/${PROJECT}/logs/cloudbuild`,
        resource: { type: "build", labels: { build_id: "b-1" } },
        entries: [
          { textPayload: "step 1", severity: "INFO", timestamp: "2030-01-01T00:00:01Z" },
          { textPayload: "it failed", severity: "ERROR", timestamp: "2030-01-01T00:00:02Z" },
        ],
      },
    });

  it("are written and read by who may", async () => {
    expect(errorOf(await write(account.token))).toEqual([403, `Permission 'logging.logEntries.create' denied on resource '//cloudresourcemanager.googleapis.com/projects/${PROJECT}' (or it may not exist).`]);
    await grant("roles/logging.logWriter");
    expect(await write(account.token)).toMatchObject({ status: 200, body: {} });
    expect((await asAccount("POST", `${LOGGING}/entries:list`, { resourceNames: [`projects/${PROJECT}`] })).status).toBe(403);
    expect(await texts("")).toEqual(["step 1", "it failed"]);
  });

  it.each<[string, string[]]>([
    ['resource.type="build" AND resource.labels.build_id=b-1', ["step 1", "it failed"]],
    ["severity>=ERROR", ["it failed"]],
    ['timestamp<"2030-01-01T00:00:02Z"', ["step 1"]],
    [`logName="projects/${PROJECT}/logs/cloudbuild" textPayload:STEP`, ["step 1"]],
    ["failed OR textPayload=~^step", ["step 1", "it failed"]],
    ["NOT failed", ["step 1"]],
    ["-severity=(INFO OR DEBUG)", ["it failed"]],
    ['textPayload!="step 1" (severity=ERROR)', ["it failed"]],
    ["jsonPayload.x:*", []],
  ])("are found by %s", async (filter, found) => {
    await write(admin);
    expect(await texts(filter)).toEqual(found);
  });

  it("come in pages, newest first where asked", async () => {
    await write(admin);
    const page = await list("", { orderBy: "timestamp desc", pageSize: 1 });
    expect(page.body).toMatchObject({ entries: [{ textPayload: "it failed" }], nextPageToken: "1" });
    expect(await texts("", { orderBy: "timestamp desc", pageSize: 1, pageToken: page.body.nextPageToken })).toEqual(["step 1"]);
    for (const filter of ["(severity", "severity=", "AND"]) expect(errorOf(await list(filter))).toEqual([400, expect.stringMatching(/^Unparseable filter/)]);
  });

  it("have access to data only where the project asks for it, and show that to few", async () => {
    await asAdmin("POST", `https://storage.googleapis.com/storage/v1/b?project=${PROJECT}`, { name: "dcf-artifacts" });
    const upload = (token: string) => send("POST", "https://storage.googleapis.com/upload/storage/v1/b/dcf-artifacts/o?uploadType=media&name=in/a.json", { token, body: { a: 1 } });
    const audited = async (token = admin): Promise<object[]> => {
      const { body } = await send("POST", `${LOGGING}/entries:list`, { token, body: { resourceNames: [`projects/${PROJECT}`], filter: `logName="projects/${PROJECT}/logs/cloudaudit.googleapis.com%2Fdata_access"` } });
      return (body as unknown as { entries: object[] }).entries;
    };
    await upload(admin);
    expect(await audited()).toEqual([]);
    const auditConfigs = [{ service: "storage.googleapis.com", auditLogConfigs: [{ logType: "DATA_WRITE", exemptedMembers: OWNER.members }] }];
    await setPolicy({ bindings: [OWNER, { role: "roles/logging.viewer", members: [account.member] }], auditConfigs }, { updateMask: "bindings,auditConfigs" });
    await upload(admin);
    expect(await audited()).toEqual([]);
    expect((await upload(account.token)).status).toBe(403);
    expect(await audited()).toEqual([
      expect.objectContaining({
        severity: "ERROR",
        resource: { type: "gcs_bucket", labels: { bucket_name: "dcf-artifacts", project_id: PROJECT } },
        protoPayload: expect.objectContaining({
          serviceName: "storage.googleapis.com",
          methodName: "storage.objects.create",
          resourceName: "projects/_/buckets/dcf-artifacts/objects/in/a.json",
          authenticationInfo: { principalEmail: account.email, principalSubject: account.member, serviceAccountDelegationInfo: [{ principalSubject: OWNER.members[0] }] },
          status: { code: 7, message: expect.stringContaining("storage.objects.create") },
          authorizationInfo: [expect.objectContaining({ permission: "storage.objects.create", granted: false })],
        }),
      }),
    ]);
    expect(await audited(account.token)).toEqual([]);
    await setPolicy({ bindings: [OWNER, { role: "roles/logging.privateLogViewer", members: [account.member] }] });
    expect(await audited(account.token)).toHaveLength(1);
  });
});

describe("clients", () => {
  const clients = new Clients(() => sandbox);

  it("google-auth-library: application default credentials of the administrator", async () => {
    const script = `
      const { GoogleAuth } = require("google-auth-library");
      const auth = new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" });
      auth.request({ url: "${PROJECT_URL}" }).then(({ data }) => console.log(data.projectNumber));`;
    expect(await clients.run(process.execPath, ["-e", script], sandbox.env())).toMatchObject({ status: 0, out: `${NUMBER}\n` });
  });

  const hasGcloud = onPath("gcloud");
  const gcloud = (...args: string[]) => clients.run("gcloud", args, sandbox.env());

  (hasGcloud ? it : it.skip)("gcloud, with what sandbox env gives: projects, policies, APIs, logs, application default credentials", async () => {
    expect(await gcloud("projects", "describe", PROJECT, "--format=value(projectNumber)")).toMatchObject({ status: 0, out: `${NUMBER}\n` });
    expect(await gcloud("services", "enable", "sts.googleapis.com", "run.googleapis.com")).toMatchObject({ status: 0 });
    expect((await gcloud("services", "list", "--enabled", "--format=value(config.name)")).out.split("\n")).toEqual(expect.arrayContaining(["run.googleapis.com", "sts.googleapis.com"]));
    const bound = await gcloud("projects", "add-iam-policy-binding", PROJECT, `--member=${account.member}`, "--role=roles/viewer", "--format=json");
    expect(bound.err).toContain("Updated IAM policy for project [customer-app-prod].");
    expect(JSON.parse(bound.out)).toMatchObject({ bindings: [OWNER, { role: "roles/viewer", members: [account.member] }] });
    const printed = await gcloud("auth", "application-default", "print-access-token");
    expect(sandbox.gcp.authenticate(printed.out.trim())?.kind).toBe("user");
    await asAdmin("POST", `${LOGGING}/entries:write`, { logName: `projects/${PROJECT}/logs/app`, resource: { type: "global" }, entries: [{ textPayload: "hello" }] });
    expect((await gcloud("logging", "read", "textPayload:hello", "--format=value(textPayload)")).out).toBe("hello\n");
    const refused = await clients.gcloud((await serviceAccount(sandbox, "stranger")).token, "projects", "describe", PROJECT);
    expect([refused.status, refused.err]).toEqual([1, expect.stringContaining("does not have permission to access projects instance [customer-app-prod] (or it may not exist): The caller does not have permission")]);
  });
});
