/** Token exchange and credentials of service accounts on the wire, by plain requests and by Google's own clients. */
import { spawnSync } from "node:child_process";
import { createPublicKey, verify, type JsonWebKey } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AwsRequestSigner } from "google-auth-library/build/src/auth/awsrequestsigner";
import { startSandbox, type Sandbox, type SandboxSnapshot, type TokenOrder } from "../../../sandbox/index.js";
import { Clients, onPath } from "./clients.js";
import { proxied, serviceAccount, type Received, type Send } from "./proxied.js";

const PROJECT = "customer-app-prod";
const NUMBER = "123456789012";
const IAM = "https://iam.googleapis.com/v1";
const CREDENTIALS = "https://iamcredentials.googleapis.com/v1";
const POOL = `projects/${NUMBER}/locations/global/workloadIdentityPools/dcf-pool`;
const PROVIDER = `${POOL}/providers/dcf-oidc`;
const AWS_PROVIDER = `${POOL}/providers/klavi-aws`;
const AUDIENCE = `//iam.googleapis.com/${PROVIDER}`;
const SUBJECT = "system:serviceaccount:dcf:project-4711";
const PRINCIPAL = `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`;
const ACCOUNT = `dcf-deployer@${PROJECT}.iam.gserviceaccount.com`;
const ACCOUNT_URL = `${IAM}/projects/${PROJECT}/serviceAccounts/${ACCOUNT}`;
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";
const KLAVI = "444455556666";
const ROLE = "klavi-delivery";
const ROLE_ARN = `arn:aws:sts::${KLAVI}:assumed-role/${ROLE}`;

let sandbox: Sandbox;
let send: Send;
let admin: string;
let fresh: SandboxSnapshot;

beforeAll(async () => {
  sandbox = await startSandbox();
  send = proxied(sandbox);
  admin = sandbox.gcp.administrator().accessToken;
  await asAdmin("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services:batchEnable`, { serviceIds: ["sts.googleapis.com", "iamcredentials.googleapis.com"] });
  await asAdmin("POST", `${IAM}/projects/${PROJECT}/locations/global/workloadIdentityPools?workloadIdentityPoolId=dcf-pool`, {});
  await asAdmin("POST", `${IAM}/${POOL}/providers?workloadIdentityPoolProviderId=dcf-oidc`, {
    attributeMapping: { "google.subject": "assertion.sub" },
    attributeCondition: "assertion.sub.startsWith('system:serviceaccount:dcf:')",
    oidc: { issuerUri: "https://oidc.dcf.example" },
  });
  await asAdmin("POST", `${IAM}/${POOL}/providers?workloadIdentityPoolProviderId=klavi-aws`, {
    attributeMapping: {
      "google.subject": "assertion.arn",
      "attribute.aws_role": "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/') + 'assumed-role/' + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn",
    },
    attributeCondition: `attribute.aws_role == '${ROLE_ARN}'`,
    aws: { accountId: KLAVI },
  });
  await asAdmin("POST", `${IAM}/projects/${PROJECT}/serviceAccounts`, { accountId: "dcf-deployer" });
  await bind("roles/iam.workloadIdentityUser", PRINCIPAL);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

const asAdmin = (method: string, url: string, body?: object): Promise<Received> => send(method, url, { token: admin, body });
const bind = (role: string, ...members: string[]): Promise<Received> => asAdmin("POST", `${ACCOUNT_URL}:setIamPolicy`, { policy: { bindings: [{ role, members }] } });
const mint = (order: Partial<TokenOrder> = {}): Promise<string> => sandbox.issuers.mint({ subject: SUBJECT, audience: `https:${AUDIENCE}`, ...order });
const answered = (answer: Received): [number, unknown] => [answer.status, answer.body];
const errorOf = ({ status, body }: Received): [number, unknown] => [status, (body as unknown as { error: { message: string } }).error.message];

function request(parameters: Record<string, string>, headers: Record<string, string> = {}): Promise<Received> {
  return send("POST", "https://sts.googleapis.com/v1/token", { body: new URLSearchParams(parameters).toString(), headers: { "content-type": "application/x-www-form-urlencoded", ...headers } });
}

async function exchange(changes: Record<string, string> = {}): Promise<Received> {
  return request({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: AUDIENCE,
    scope: CLOUD_PLATFORM,
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    subject_token: changes["subject_token"] ?? (await mint()),
    ...changes,
  });
}

async function federated(changes: Record<string, string> = {}): Promise<string> {
  const { status, body } = await exchange(changes);
  expect([status, body]).toEqual([200, expect.objectContaining({ access_token: expect.any(String) })]);
  return (body as unknown as { access_token: string }).access_token;
}

const generate = async (body: object = { scope: [CLOUD_PLATFORM] }, token?: string, account = ACCOUNT): Promise<Received> =>
  send("POST", `${CREDENTIALS}/projects/-/serviceAccounts/${account}:generateAccessToken`, { token: token ?? (await federated()), body });

const TARGET = 'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.';
const DENIED = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";

describe("the token exchange", () => {
  it("answers OAuth's members, and an identity that IAM knows", async () => {
    const answer = await exchange({ subject_token: await mint({ expiresInSeconds: 7200 }) });
    expect(answered(answer)).toEqual([
      200,
      { access_token: expect.stringMatching(/^ya29\.d\.SANDBOXSECRET/), issued_token_type: "urn:ietf:params:oauth:token-type:access_token", token_type: "Bearer", expires_in: 3600 },
    ]);
    const token = (answer.body as unknown as { access_token: string }).access_token;
    expect(sandbox.gcp.authenticate(token)).toEqual({ kind: "federated", name: PRINCIPAL, members: [PRINCIPAL, `principalSet://iam.googleapis.com/${POOL}/*`, "allUsers", "allAuthenticatedUsers"], scopes: [CLOUD_PLATFORM] });
  });

  it("takes JSON with Google's names, and a client's Basic credentials", async () => {
    const body = {
      grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience: AUDIENCE,
      scope: CLOUD_PLATFORM,
      requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
      subjectTokenType: "urn:ietf:params:oauth:token-type:id_token",
      subjectToken: await mint(),
    };
    expect((await send("POST", "https://sts.googleapis.com/v1/token", { body, headers: { authorization: "Basic Y2xpZW50OnNlY3JldA==" } })).status).toBe(200);
  });

  it("lasts no longer than the token", async () => {
    const answer = await exchange({ subject_token: await mint({ expiresInSeconds: 600 }) });
    expect((answer.body as unknown as { expires_in: number }).expires_in).toBeGreaterThan(590);
    expect((answer.body as unknown as { expires_in: number }).expires_in).toBeLessThanOrEqual(600);
  });

  it.each<[string, () => Promise<Record<string, string>> | Record<string, string>, number, string, string | RegExp]>([
    ["an audience with https", () => ({ audience: `https:${AUDIENCE}` }), 400, "invalid_request", /^Invalid value for "audience"\. This value should be the full resource name of the Identity Provider\./],
    ["a pool for an audience", () => ({ audience: `//iam.googleapis.com/${POOL}` }), 400, "invalid_request", /^Invalid value for "audience"\./],
    ["the project's id for its number", () => ({ audience: AUDIENCE.replace(NUMBER, PROJECT) }), 400, "invalid_target", TARGET],
    ["a provider that is not there", () => ({ audience: `${AUDIENCE}-2` }), 400, "invalid_target", TARGET],
    ["no grant type", () => ({ grant_type: "" }), 400, "invalid_request", /grant_type/],
    ["a foreign audience in the token", async () => ({ subject_token: await mint({ audience: "https://example.com" }) }), 400, "invalid_grant", "The audience in ID Token [https://example.com] does not match the expected audience."],
    [
      "a foreign issuer",
      async () => {
        await sandbox.issuers.create("https://tokens.example");
        return { subject_token: await mint({ issuer: "https://tokens.example" }) };
      },
      400,
      "invalid_grant",
      "The issuer in ID Token https://tokens.example does not match the expected one in config: https://oidc.dcf.example",
    ],
    ["a subject that the condition does not take", async () => ({ subject_token: await mint({ subject: "system:serviceaccount:other:x" }) }), 400, "unauthorized_client", "The given credential is rejected by the attribute condition."],
    ["an expired token", async () => ({ subject_token: await mint({ expiresInSeconds: -120 }) }), 400, "invalid_grant", /^ID Token issued at \d+ is stale to sign-in\.$/],
    ["a foreign signature under a known kid", async () => ({ subject_token: await mint({ foreignKey: true }) }), 400, "invalid_grant", "Unable to verify the ID Token signature."],
    ["an unknown kid", async () => ({ subject_token: await mint({ kid: "unknown" }) }), 400, "invalid_grant", "Error connecting to the given credential's issuer."],
    ["a subject of 128 bytes", async () => ({ subject_token: await mint({ subject: "system:serviceaccount:dcf:".padEnd(128, "x") }) }), 400, "invalid_request", /^The size of mapped attribute google\.subject exceeds the 127 bytes limit\./],
  ])("refuses %s", async (_, changes, status, error, description) => {
    const answer = await exchange(await changes());
    expect(answered(answer)).toEqual([status, { error, error_description: typeof description === "string" ? description : expect.stringMatching(description) }]);
  });

  it("takes the longest subject that fits", async () => {
    expect((await exchange({ subject_token: await mint({ subject: "system:serviceaccount:dcf:".padEnd(127, "x") }) })).status).toBe(200);
  });

  it("asks the issuer, over HTTPS", async () => {
    const unreachable = [400, { error: "invalid_grant", error_description: "Error connecting to the given credential's issuer." }];
    sandbox.issuers.behave("https://oidc.dcf.example", { status: 503 });
    expect(answered(await exchange())).toEqual(unreachable);
    sandbox.issuers.behave("https://oidc.dcf.example", { certificate: "untrusted" });
    expect(answered(await exchange())).toEqual(unreachable);
    sandbox.issuers.behave("https://oidc.dcf.example", { discovery: { issuer: "https://elsewhere.example" } });
    expect(answered(await exchange())).toEqual([400, { error: "invalid_grant", error_description: "`issuer` claim in OIDC discovery document does not match the issuer specified in the request." }]);
    sandbox.issuers.behave("https://oidc.dcf.example", {});
    expect((await exchange()).status).toBe(200);
  });

  it.each([
    ["provider", PROVIDER],
    ["pool", POOL],
  ])("is refused where the %s is disabled or deleted, and not after", async (_, name) => {
    const url = `${IAM}/${name}`;
    for (const [there, back] of [
      [() => asAdmin("PATCH", `${url}?updateMask=disabled`, { disabled: true }), () => asAdmin("PATCH", `${url}?updateMask=disabled`, { disabled: false })],
      [() => asAdmin("DELETE", url), () => asAdmin("POST", `${url}:undelete`, {})],
    ] as const) {
      expect((await there()).status).toBe(200);
      expect(answered(await exchange())).toEqual([400, { error: "invalid_target", error_description: TARGET }]);
      expect((await back()).status).toBe(200);
      expect((await exchange()).status).toBe(200);
    }
  });

  it("ends nothing that a disabled provider let in; a disabled pool ends it until it is enabled", async () => {
    await asAdmin("POST", `https://cloudresourcemanager.googleapis.com/v1/projects/${PROJECT}:setIamPolicy`, { policy: { bindings: [{ role: "roles/owner", members: ["user:administrator@cloud-federation-sandbox.example"] }, { role: "roles/browser", members: [PRINCIPAL] }] } });
    const token = await federated();
    const read = async (): Promise<number> => (await send("GET", `https://cloudresourcemanager.googleapis.com/v1/projects/${PROJECT}`, { token })).status;
    await asAdmin("PATCH", `${IAM}/${PROVIDER}?updateMask=disabled`, { disabled: true });
    expect(await read()).toBe(200);
    await asAdmin("PATCH", `${IAM}/${POOL}?updateMask=disabled`, { disabled: true });
    expect(await read()).toBe(401);
    await asAdmin("PATCH", `${IAM}/${POOL}?updateMask=disabled`, { disabled: false });
    expect(await read()).toBe(200);
    sandbox.core.clock.advance(3601);
    expect(await read()).toBe(401);
  });

  it("sees a change of the provider once that has propagated", async () => {
    sandbox.core.settings.propagationDelaySeconds = 5;
    await asAdmin("PATCH", `${IAM}/${PROVIDER}?updateMask=disabled`, { disabled: true });
    expect((await exchange()).status).toBe(200);
    sandbox.core.clock.advance(6);
    expect((await exchange()).status).toBe(400);
  });

  it("needs the API in the pool's project", async () => {
    await asAdmin("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services/sts.googleapis.com:disable`, {});
    const refused = await exchange();
    expect(refused).toMatchObject({ status: 403, body: { error: { status: "PERMISSION_DENIED", message: expect.stringMatching(`^Security Token Service API has not been used in project ${NUMBER} before or it is disabled\\.`) } } });
    await asAdmin("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services/sts.googleapis.com:enable`, {});
    expect((await exchange()).status).toBe(200);
  });

  it("renders faults as OAuth does", async () => {
    sandbox.faults.add({ operation: "sts:Token", status: 429, code: "quota_exceeded", message: "The request was throttled due to rate limit: sts.googleapis.com/requests", count: 1 });
    expect(answered(await exchange())).toEqual([429, { error: "quota_exceeded", error_description: "The request was throttled due to rate limit: sts.googleapis.com/requests" }]);
  });

  it("introspects what it gave, and nothing else", async () => {
    const introspect = (token: string) => send("POST", "https://sts.googleapis.com/v1/introspect", { body: new URLSearchParams({ token }).toString(), headers: { "content-type": "application/x-www-form-urlencoded" } });
    expect(await introspect(await federated())).toMatchObject({ status: 200, body: { active: true, username: PRINCIPAL, scope: CLOUD_PLATFORM } });
    expect(answered(await introspect(admin))).toEqual([200, { active: false }]);
    const tokeninfo = await send("GET", `https://oauth2.googleapis.com/tokeninfo?access_token=${await federated()}`);
    expect(tokeninfo.status).toBe(400);
  });

  it("is in the audit log where the project asks for it, with whom it let in", async () => {
    const auditConfigs = ["sts", "iam"].map((service) => ({ service: `${service}.googleapis.com`, auditLogConfigs: [{ logType: "DATA_READ" }] }));
    await asAdmin("POST", `https://cloudresourcemanager.googleapis.com/v1/projects/${PROJECT}:setIamPolicy`, { policy: { auditConfigs }, updateMask: "auditConfigs" });
    await generate();
    const { body } = await asAdmin("POST", "https://logging.googleapis.com/v2/entries:list", { resourceNames: [`projects/${PROJECT}`] });
    expect((body as unknown as { entries: { protoPayload: object }[] }).entries.map(({ protoPayload }) => protoPayload)).toEqual([
      expect.objectContaining({ serviceName: "sts.googleapis.com", methodName: "Token", authenticationInfo: { principalSubject: PRINCIPAL } }),
      expect.objectContaining({ serviceName: "iamcredentials.googleapis.com", methodName: "GenerateAccessToken", authenticationInfo: { principalSubject: PRINCIPAL }, resourceName: `projects/${PROJECT}/serviceAccounts/${ACCOUNT}` }),
    ]);
  });
});

describe("signed requests of AWS", () => {
  const provider = `//iam.googleapis.com/${AWS_PROVIDER}`;
  interface Keys {
    accessKeyId: string;
    secretAccessKey: string;
    token?: string;
  }

  /** A session of a role that the account's administrator may assume. */
  async function session(roleName = ROLE, sessionName = "delivery", accountId = KLAVI, path = "/"): Promise<Keys> {
    const { caller } = sandbox.aws.administrator(accountId);
    const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Action: "sts:AssumeRole" }] });
    await sandbox.aws.call(caller, "iam", "CreateRole", { RoleName: roleName, Path: path, AssumeRolePolicyDocument }, "us-east-1");
    const { Credentials } = (await sandbox.aws.call(caller, "sts", "AssumeRole", { RoleArn: `arn:aws:iam::${accountId}:role${path}${roleName}`, RoleSessionName: sessionName }, "us-east-1")) as {
      Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string };
    };
    return { accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey, token: Credentials.SessionToken };
  }

  async function user(name: string, path: string): Promise<Keys> {
    const { caller } = sandbox.aws.administrator(KLAVI);
    await sandbox.aws.call(caller, "iam", "CreateUser", { UserName: name, Path: path }, "us-east-1");
    const { AccessKey } = (await sandbox.aws.call(caller, "iam", "CreateAccessKey", { UserName: name }, "us-east-1")) as { AccessKey: { AccessKeyId: string; SecretAccessKey: string } };
    return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
  }

  async function sign(keys: Keys, target = provider, region = "us-east-1"): Promise<string> {
    const url = `https://sts.${region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15`;
    const { headers } = await new AwsRequestSigner(async () => keys, region).getRequestOptions({ url, method: "POST" });
    const signed = [...new Headers(headers).entries(), ["x-goog-cloud-target-resource", target]].map(([key, value]) => ({ key, value }));
    return encodeURIComponent(JSON.stringify({ url, method: "POST", headers: signed }));
  }

  const offer = (subject_token: string): Promise<Received> => exchange({ subject_token, subject_token_type: "urn:ietf:params:aws:token-type:aws4_request", audience: provider });

  it("are replayed, and stand for their role", async () => {
    const answer = await offer(await sign(await session()));
    expect(answer).toMatchObject({ status: 200, body: { expires_in: 3600 } });
    expect(sandbox.gcp.authenticate((answer.body as unknown as { access_token: string }).access_token)?.members.slice(0, 2)).toEqual([
      `principal://iam.googleapis.com/${POOL}/subject/${ROLE_ARN}/delivery`,
      `principalSet://iam.googleapis.com/${POOL}/attribute.aws_role/${ROLE_ARN}`,
    ]);
  });

  it("take any session name, region and path of the role", async () => {
    const keys = await session(ROLE, "a.b=c@d,e_f-g", KLAVI, "/team/");
    expect((await offer(await sign(keys, provider, "sa-east-1"))).status).toBe(200);
  });

  const rejected = { error: "unauthorized_client", error_description: "The given credential is rejected by the attribute condition." };
  it.each<[string, () => Promise<Keys>, object]>([
    ["another account's role of the name", () => session(ROLE, "delivery", "777788889999"), { error: "invalid_grant", error_description: expect.stringContaining("777788889999") }],
    ["another role", () => session("klavi-reports"), rejected],
    ["a longer role name", () => session(`${ROLE}-2`), rejected],
    ["a user whose path reads as the role", () => user("x", `/assumed-role/${ROLE}/`), rejected],
    // 39 bytes, the role's name, a slash, the session's name.
    ["names that are too long together for a subject", () => session("r".repeat(24), "s".repeat(64)), { error: "invalid_request", error_description: expect.stringMatching(/127 bytes/) }],
  ])("are refused of %s", async (_, keys, body) => {
    expect(answered(await offer(await sign(await keys())))).toEqual([400, body]);
  });

  it("are refused once AWS refuses them", async () => {
    const token = await sign(await session());
    expect((await offer(token)).status).toBe(200);
    sandbox.core.clock.advance(20 * 60);
    expect(await offer(token)).toMatchObject({ status: 400, body: { error: "invalid_grant", error_description: expect.stringMatching(/^Received invalid AWS response of type SignatureDoesNotMatch with error message: Signature expired: /) } });
    const forged = await sign({ accessKeyId: "AKIAFORGED", secretAccessKey: "x" });
    expect(await offer(forged)).toMatchObject({ status: 400, body: { error: "invalid_grant", error_description: expect.stringMatching(/^Received invalid AWS response of type InvalidClientTokenId with error message: /) } });
  });

  it("are refused when they were made for another provider, or are none", async () => {
    const keys = await session();
    expect(await offer(await sign(keys, `${provider}-2`))).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect((await offer(await sign(keys, `https:${provider}`))).status).toBe(200);
    expect(await offer("%7B%7D")).toMatchObject({ status: 400, body: { error_description: expect.stringMatching(/^Invalid format of AWS credentials: /) } });
  });

  it("come from google-auth-library and gcloud as they are", async () => {
    const { accessKeyId, secretAccessKey, token = "" } = await session();
    const clients = new Clients(() => sandbox);
    await bind("roles/iam.workloadIdentityUser", `principalSet://iam.googleapis.com/${POOL}/attribute.aws_role/${ROLE_ARN}`);
    const file = join(clients.folder, "aws.json");
    writeFileSync(
      file,
      JSON.stringify({
        type: "external_account",
        audience: provider,
        subject_token_type: "urn:ietf:params:aws:token-type:aws4_request",
        token_url: "https://sts.googleapis.com/v1/token",
        service_account_impersonation_url: `${CREDENTIALS}/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`,
        credential_source: { environment_id: "aws1", regional_cred_verification_url: "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15" },
      }),
    );
    const script = `const { GoogleAuth } = require("google-auth-library");
      new GoogleAuth({ scopes: "${CLOUD_PLATFORM}" }).getAccessToken().then(console.log);`;
    const environment = { ...sandbox.env(), GOOGLE_APPLICATION_CREDENTIALS: file, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token };
    const node = await clients.run(process.execPath, ["-e", script], environment);
    expect(sandbox.gcp.authenticate(node.out.trim())?.name).toBe(ACCOUNT);
    if (!onPath("gcloud")) return;
    const gcloud = await clients.run("gcloud", ["auth", "application-default", "print-access-token"], environment);
    expect(sandbox.gcp.authenticate(gcloud.out.trim())?.name).toBe(ACCOUNT);
  });
});

describe("access tokens of service accounts", () => {
  it("are given to whom the binding names, for an hour unless told otherwise", async () => {
    const answer = await generate();
    const { accessToken, expireTime } = answer.body as unknown as { accessToken: string; expireTime: string };
    expect([answer.status, expireTime]).toEqual([200, expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)]);
    expect(Math.abs(Date.parse(expireTime) - sandbox.core.clock.now().getTime() - 3_600_000)).toBeLessThan(10_000);
    expect(sandbox.gcp.authenticate(accessToken)).toMatchObject({ kind: "serviceAccount", name: ACCOUNT, delegatedBy: PRINCIPAL });
    sandbox.core.clock.advance(3601);
    expect(sandbox.gcp.authenticate(accessToken)).toBeUndefined();
  });

  it("are refused without the binding, with the permission in the details", async () => {
    const other = await federated({ subject_token: await mint({ subject: "system:serviceaccount:dcf:project-4712" }) });
    expect(answered(await generate(undefined, other))).toEqual([
      403,
      {
        error: {
          code: 403,
          message: DENIED,
          status: "PERMISSION_DENIED",
          details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "IAM_PERMISSION_DENIED", domain: "iam.googleapis.com", metadata: { permission: "iam.serviceAccounts.getAccessToken" } }],
        },
      },
    ]);
  });

  it("wait for the binding to propagate, and outlive it", async () => {
    await bind("roles/iam.workloadIdentityUser", "user:nobody@cloud-federation-sandbox.example");
    expect((await generate()).status).toBe(403);
    sandbox.core.settings.propagationDelaySeconds = 70;
    await bind("roles/iam.workloadIdentityUser", PRINCIPAL);
    expect((await generate()).status).toBe(403);
    sandbox.core.clock.advance(71);
    expect((await generate()).status).toBe(200);
    await bind("roles/iam.workloadIdentityUser", "user:nobody@cloud-federation-sandbox.example");
    expect((await generate()).status).toBe(200);
    sandbox.core.clock.advance(71);
    expect((await generate()).status).toBe(403);
  });

  it("of an account that is not there: 404 for who might have had one, 403 for others", async () => {
    const missing = `gone-now@${PROJECT}.iam.gserviceaccount.com`;
    expect(errorOf(await generate(undefined, undefined, missing))).toEqual([403, DENIED]);
    const policy = { bindings: [{ role: "roles/owner", members: ["user:administrator@cloud-federation-sandbox.example"] }, { role: "roles/iam.workloadIdentityUser", members: [PRINCIPAL] }] };
    await asAdmin("POST", `https://cloudresourcemanager.googleapis.com/v1/projects/${PROJECT}:setIamPolicy`, { policy });
    expect(errorOf(await generate(undefined, undefined, missing))).toEqual([404, `Not found; Gaia id not found for email ${missing}`]);
  });

  it("are refused of a disabled or deleted account", async () => {
    await asAdmin("POST", `${ACCOUNT_URL}:disable`, {});
    expect(errorOf(await generate())).toEqual([403, DENIED]);
    await asAdmin("POST", `${ACCOUNT_URL}:enable`, {});
    expect((await generate()).status).toBe(200);
    await asAdmin("DELETE", ACCOUNT_URL);
    expect(errorOf(await generate())).toEqual([403, DENIED]);
  });

  it.each<[string, object, number, string | undefined]>([
    ["no scope", { scope: [] }, 400, "Request contains an invalid argument."],
    ["a scope that is none", { scope: ["cloud-platform"] }, 400, "Request contains an invalid argument."],
    ["a lifetime that is none", { scope: [CLOUD_PLATFORM], lifetime: "1h" }, 400, "Request contains an invalid argument."],
    ["no lifetime at all", { scope: [CLOUD_PLATFORM], lifetime: "0s" }, 400, "Lifetime of access token must be larger then zero."],
    ["an hour", { scope: [CLOUD_PLATFORM], lifetime: "3600s", delegates: null }, 200, undefined],
    [
      "a second more than an hour",
      { scope: [CLOUD_PLATFORM], lifetime: "3601s" },
      400,
      `Service account ${ACCOUNT} can not have lifetimes of more than 1 hour. Use the Org Policy Constraint constraints/iam.allowServiceAccountCredentialLifetimeExtension to allow up to 12 hours.`,
    ],
  ])("for %s", async (_, body, status, message) => {
    const answer = await generate(body);
    expect(answer.status).toBe(status);
    if (message !== undefined) expect(errorOf(answer)[1]).toBe(message);
  });

  it("last longer where the organisation lists the account", async () => {
    sandbox.store.put("gcp:orgpolicy/constraint", `projects/${PROJECT}/policies/iam.allowServiceAccountCredentialLifetimeExtension`, { rules: [{ values: { allowedValues: [ACCOUNT] } }] });
    expect((await generate({ scope: [CLOUD_PLATFORM], lifetime: "43200s" })).status).toBe(200);
    expect((await generate({ scope: [CLOUD_PLATFORM], lifetime: "43201s" })).status).toBe(400);
  });

  it.each([`"${ACCOUNT}"`, "dcf-deployer", `dcf-deployer@example.com`])("need an address: %s", async (account) => {
    expect(errorOf(await generate(undefined, undefined, encodeURIComponent(account)))).toEqual([400, "Request contains an invalid argument."]);
  });

  it("need a project of nobody's in the path", async () => {
    const url = `${CREDENTIALS}/projects/${PROJECT}/serviceAccounts/${ACCOUNT}:generateAccessToken`;
    expect((await send("POST", url, { token: await federated(), body: { scope: [CLOUD_PLATFORM] } })).status).toBe(400);
  });

  it("need a federated token with a scope for it", async () => {
    expect((await generate(undefined, await federated({ scope: "https://www.googleapis.com/auth/iam" }))).status).toBe(200);
    expect(await generate(undefined, await federated({ scope: "https://www.googleapis.com/auth/devstorage.read_write" }))).toMatchObject({ status: 403, body: { error: { details: [{ reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT" }] } } });
  });

  it("need the API in the pool's project", async () => {
    await asAdmin("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services/iamcredentials.googleapis.com:disable`, {});
    expect(await generate()).toMatchObject({
      status: 403,
      body: { error: { message: expect.stringMatching(`^IAM Service Account Credentials API has not been used in project ${NUMBER} before or it is disabled\\.`), details: [{ reason: "SERVICE_DISABLED", metadata: { service: "iamcredentials.googleapis.com" } }, {}] } },
    });
  });

  it("pass over a chain of accounts, each of which lets the one before through", async () => {
    const middle = await serviceAccount(sandbox, "middle-man");
    const middleUrl = `${IAM}/projects/${PROJECT}/serviceAccounts/${middle.email}`;
    const body = { scope: [CLOUD_PLATFORM], delegates: [`projects/-/serviceAccounts/${middle.email}`] };
    await bind("roles/iam.serviceAccountTokenCreator", middle.member);
    expect(errorOf(await generate(body))).toEqual([403, "Permission 'iam.serviceAccounts.implicitDelegation' denied on resource (or it may not exist)."]);
    await asAdmin("POST", `${middleUrl}:setIamPolicy`, { policy: { bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members: [PRINCIPAL] }] } });
    expect((await generate(body)).status).toBe(200);
    expect((await generate()).status).toBe(403);
  });
});

describe("other credentials of service accounts", () => {
  const call = async (verb: string, body: object): Promise<Received> => send("POST", `${CREDENTIALS}/projects/-/serviceAccounts/${ACCOUNT}:${verb}`, { token: await federated(), body });

  it("identity tokens: signed by Google, whose keys everybody can fetch", async () => {
    const answer = await call("generateIdToken", { audience: "https://service.example", includeEmail: true });
    expect(answer.status).toBe(200);
    const [head = "", claims = "", signature = ""] = answer.body.token.split(".");
    const { uniqueId } = (await asAdmin("GET", ACCOUNT_URL)).body as unknown as { uniqueId: string };
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toEqual({ iss: "https://accounts.google.com", aud: "https://service.example", azp: uniqueId, sub: uniqueId, email: ACCOUNT, email_verified: true, iat: expect.any(Number), exp: expect.any(Number) });
    const { kid } = JSON.parse(Buffer.from(head, "base64url").toString()) as { kid: string };
    const { jwks_uri } = (await send("GET", "https://accounts.google.com/.well-known/openid-configuration")).body as unknown as { jwks_uri: string };
    for (const url of [jwks_uri, "https://www.googleapis.com/oauth2/v3/certs"]) {
      const { keys } = (await send("GET", url)).body as unknown as { keys: (JsonWebKey & { kid: string })[] };
      const key = createPublicKey({ key: keys.find((each) => each.kid === kid) ?? {}, format: "jwk" });
      expect(verify("sha256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url"))).toBe(true);
    }
    expect(errorOf(await call("generateIdToken", {}))).toEqual([400, "Request contains an invalid argument."]);
  });

  it.each(["signBlob", "signJwt"])("%s is not for those who may only impersonate", async (verb) => {
    expect(errorOf(await call(verb, { payload: "e30=" }))).toEqual([403, `Permission 'iam.serviceAccounts.${verb}' denied on resource (or it may not exist).`]);
  });

  it("locations are nobody's secret", async () => {
    expect((await send("GET", `${CREDENTIALS}/projects/-/serviceAccounts/${ACCOUNT}/allowedLocations`, { token: await federated() })).status).toBe(200);
  });
});

describe("clients with a token in a file", () => {
  const clients = new Clients(() => sandbox);
  const hasGcloud = onPath("gcloud");

  async function credentials(subject = SUBJECT, direct = false): Promise<{ file: string; environment: Record<string, string> }> {
    const jwt = join(clients.folder, "token.jwt");
    const file = join(clients.folder, "credentials.json");
    writeFileSync(jwt, await mint({ subject }));
    writeFileSync(
      file,
      JSON.stringify({
        type: "external_account",
        audience: AUDIENCE,
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: "https://sts.googleapis.com/v1/token",
        credential_source: { file: jwt, format: { type: "text" } },
        ...(direct ? { token_info_url: "https://sts.googleapis.com/v1/introspect" } : { service_account_impersonation_url: `${CREDENTIALS}/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken` }),
      }),
    );
    return { file, environment: { ...sandbox.env(), GOOGLE_APPLICATION_CREDENTIALS: file } };
  }
  const script = `const { GoogleAuth } = require("google-auth-library");
    new GoogleAuth({ scopes: "${CLOUD_PLATFORM}" }).getAccessToken().then(console.log, ({ message }) => { console.error(message); process.exitCode = 3; });`;
  const node = (environment: Record<string, string>) => clients.run(process.execPath, ["-e", script], environment);

  it("google-auth-library impersonates, and says what STS says", async () => {
    const { out } = await node((await credentials()).environment);
    expect(sandbox.gcp.authenticate(out.trim())?.name).toBe(ACCOUNT);
    expect(await node((await credentials("system:serviceaccount:other:x")).environment)).toMatchObject({ status: 3, err: "Error code unauthorized_client: The given credential is rejected by the attribute condition.\n" });
    expect(await node((await credentials("system:serviceaccount:dcf:project-4712")).environment)).toMatchObject({ status: 3, err: expect.stringContaining(DENIED) });
  });

  const hasPython = spawnSync("python3", ["-c", "import google.auth, requests"]).status === 0;
  if (!hasPython) process.stderr.write("skipped: python3 has no google-auth\n");
  (hasPython ? it : it.skip)("Python's google-auth impersonates", async () => {
    const program = `import google.auth, google.auth.transport.requests as t
c, _ = google.auth.default(scopes=["${CLOUD_PLATFORM}"]); c.refresh(t.Request()); print(c.token)`;
    const { out } = await clients.run("python3", ["-c", program], (await credentials()).environment);
    expect(sandbox.gcp.authenticate(out.trim())?.name).toBe(ACCOUNT);
  });

  (hasGcloud ? it : it.skip)("gcloud logs in with the file, directly and by impersonation, and is refused what IAM refuses", async () => {
    const run = async (given: { environment: Record<string, string> }, ...args: string[]) => {
      const { CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: _, ...environment } = given.environment;
      return clients.run("gcloud", args, environment);
    };
    const direct = await credentials(SUBJECT, true);
    expect((await run(direct, "auth", "login", `--cred-file=${direct.file}`)).err).toContain(`Authenticated with external account credentials for: [${PRINCIPAL}].`);
    expect(await run(direct, "projects", "describe", PROJECT)).toMatchObject({ status: 1, err: expect.stringContaining("does not have permission to access projects instance") });
    const impersonated = await credentials();
    expect((await run(impersonated, "auth", "login", `--cred-file=${impersonated.file}`)).status).toBe(0);
    const policy = { bindings: [{ role: "roles/owner", members: ["user:administrator@cloud-federation-sandbox.example"] }, { role: "roles/browser", members: [`serviceAccount:${ACCOUNT}`] }] };
    await asAdmin("POST", `https://cloudresourcemanager.googleapis.com/v1/projects/${PROJECT}:setIamPolicy`, { policy });
    expect(await run(impersonated, "projects", "describe", PROJECT, "--format=value(projectNumber)")).toMatchObject({ status: 0, out: `${NUMBER}\n` });
    const bad = await credentials("system:serviceaccount:other:x", true);
    expect((await run(bad, "auth", "login", `--cred-file=${bad.file}`)).err).toContain("Error code unauthorized_client: The given credential is rejected by the attribute condition.");
  });
});
