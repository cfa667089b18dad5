import { HttpsProxyAgent } from "https-proxy-agent";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, type AssumeRoleCommandInput, AssumeRoleWithWebIdentityCommand, type Credentials, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { AwsAccessKey, AwsCaller } from "../../../sandbox/aws/types.js";
import { defaultAudience, defaultIssuerUrl, startSandbox, type Sandbox, type SandboxSnapshot } from "../../../sandbox/index.js";
import { RECORDED_ANSWERS, goodTrust, makeFactory } from "../../trust/recorded-answers.js";
import { discoveryOf } from "../../trust/tokens.js";
import { form, refusal, send, signed } from "./wire.js";

const ACCOUNT = "111122223333";
const OTHER = "444455556666";
const region = "eu-west-1";
const issuerHost = defaultIssuerUrl.replace("https://", "");

let sandbox: Sandbox;
let administrator: AwsCaller;
let fresh: SandboxSnapshot;

beforeAll(async () => {
  sandbox = await startSandbox();
  administrator = sandbox.aws.administrator(ACCOUNT).caller;
  sandbox.aws.administrator(OTHER);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

/** As much of IAM's answers as is looked at here. */
interface IamOutput {
  OpenIDConnectProviderArn: string;
  Role: { Arn: string; RoleId: string; AssumeRolePolicyDocument: string };
  AccessKey: { AccessKeyId: string; SecretAccessKey: string };
}
const iam = async (operation: string, input: object): Promise<IamOutput> =>
  (await sandbox.aws.call(administrator, "iam", operation, { ...input }, region)) as unknown as IamOutput;
const policy = (...statements: object[]): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const trustOf = (principal: object, change: object = {}): string => policy({ Effect: "Allow", Principal: principal, Action: "sts:AssumeRole", ...change });
const webTrust = (providerArn: string, subject = "project-4711", change: object = {}): string =>
  policy({
    Effect: "Allow",
    Principal: { Federated: providerArn },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${issuerHost}:aud`]: defaultAudience, [`${issuerHost}:sub`]: subject } },
    ...change,
  });
const createRole = async (RoleName: string, AssumeRolePolicyDocument: string, change: object = {}): Promise<{ Arn: string; RoleId: string }> =>
  (await iam("CreateRole", { RoleName, AssumeRolePolicyDocument, ...change })).Role;
const createUser = async (UserName: string, ...statements: object[]): Promise<AwsAccessKey> => {
  await iam("CreateUser", { UserName });
  if (statements.length > 0) await iam("PutUserPolicy", { UserName, PolicyName: "own", PolicyDocument: policy(...statements) });
  const { AccessKey } = await iam("CreateAccessKey", { UserName });
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
};
const federate = async (subject?: string, change: object = {}): Promise<{ providerArn: string; roleArn: string; roleId: string }> => {
  const { OpenIDConnectProviderArn: providerArn } = await iam("CreateOpenIDConnectProvider", { Url: defaultIssuerUrl, ClientIDList: [defaultAudience] });
  const { Arn: roleArn, RoleId: roleId } = await createRole("deployer", webTrust(providerArn, subject), change);
  return { providerArn, roleArn, roleId };
};
const keyOf = (credentials: Credentials | undefined): Required<AwsAccessKey> => ({
  accessKeyId: credentials!.AccessKeyId!,
  secretAccessKey: credentials!.SecretAccessKey!,
  sessionToken: credentials!.SessionToken!,
});
const sts = (credentials?: AwsAccessKey): STSClient => new STSClient({ region, endpoint: sandbox.url, maxAttempts: 1, ...(credentials && { credentials }) });
const who = async (key: AwsAccessKey) => sts(key).send(new GetCallerIdentityCommand({}));
const exchange = async (RoleArn: string, change: object = {}, subject = "project-4711") =>
  sts().send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: "one", WebIdentityToken: await sandbox.issuers.mint({ subject }), ...change }));
const assume = (key: AwsAccessKey, RoleArn: string, change: Partial<AssumeRoleCommandInput> = {}) =>
  sts(key).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "two", ...change }));
const denied = (caller: string, roleArn: string, action = "sts:AssumeRole") => ({
  name: "AccessDenied",
  message: `User: ${caller} is not authorized to perform: ${action} on resource: ${roleArn}`,
});
const NOT_AUTHORIZED = { name: "AccessDenied", message: "Not authorized to perform sts:AssumeRoleWithWebIdentity" };

describe("AssumeRoleWithWebIdentity", () => {
  it("gives a session that knows who it is", async () => {
    const { providerArn, roleArn, roleId } = await federate();
    const answer = await exchange(roleArn);
    expect(answer).toMatchObject({
      Provider: providerArn,
      Audience: defaultAudience,
      SubjectFromWebIdentityToken: "project-4711",
      AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/one`, AssumedRoleId: `${roleId}:one` },
    });
    expect(answer).not.toHaveProperty("PackedPolicySize");
    expect(answer.Credentials!.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    const left = answer.Credentials!.Expiration!.getTime() - sandbox.core.clock.now().getTime();
    expect(Math.round(left / 60_000)).toBe(60);
    await expect(who(keyOf(answer.Credentials))).resolves.toMatchObject({
      Account: ACCOUNT,
      UserId: `${roleId}:one`,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/one`,
    });
  });

  it("does not look at a signature that comes along", async () => {
    const { roleArn } = await federate();
    const wire = form("AssumeRoleWithWebIdentity", { RoleArn: roleArn, RoleSessionName: "one", WebIdentityToken: await sandbox.issuers.mint({ subject: "project-4711" }) });
    const nonsense = await signed(sandbox, wire, { key: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "no" }, service: "sts" });
    expect((await send(sandbox, nonsense)).status).toBe(200);
  });

  it("refuses another subject, another role and another account's provider", async () => {
    const { roleArn } = await federate();
    await expect(exchange(roleArn)).resolves.toBeDefined();
    await expect(exchange(roleArn, {}, "project-4712")).rejects.toMatchObject(NOT_AUTHORIZED);
    await expect(exchange(`${roleArn}x`)).rejects.toMatchObject(NOT_AUTHORIZED);
    await expect(exchange(roleArn.replace(ACCOUNT, OTHER))).rejects.toMatchObject({ name: "InvalidIdentityTokenException" });
    await expect(exchange(roleArn.replace("arn:aws:", "arn:aws-cn:"))).rejects.toMatchObject({ name: "InvalidIdentityTokenException" });
  });

  it("sees a key that was rotated away, at once", async () => {
    const { roleArn } = await federate();
    const old = await sandbox.issuers.mint({ subject: "project-4711" });
    const [first] = sandbox.issuers.get(defaultIssuerUrl).keys;
    await sandbox.issuers.rotate(defaultIssuerUrl);
    await expect(exchange(roleArn, { WebIdentityToken: old })).resolves.toBeDefined();
    sandbox.issuers.removeKey(defaultIssuerUrl, first!.kid);
    await expect(exchange(roleArn, { WebIdentityToken: old })).rejects.toMatchObject({
      name: "InvalidIdentityTokenException",
      message: expect.stringContaining("Couldn't retrieve verification key from your identity provider"),
    });
    await expect(exchange(roleArn)).resolves.toBeDefined();
  });

  it.each<[string, Parameters<Sandbox["issuers"]["behave"]>[1]]>([
    ["answers 503", { status: 503 }],
    ["shows a certificate that nobody trusts", { certificate: "untrusted" }],
    ["names itself otherwise", { discovery: { issuer: `${defaultIssuerUrl}/` } }],
    ["has no jwks_uri", { discovery: { jwks_uri: null } }],
    ["serves no JSON as keys", { jwks: "no keys" }],
  ])("refuses when the issuer %s", async (_, behaviour) => {
    const { roleArn } = await federate();
    await expect(exchange(roleArn)).resolves.toBeDefined();
    sandbox.issuers.behave(defaultIssuerUrl, behaviour);
    await expect(exchange(roleArn)).rejects.toMatchObject({ name: "InvalidIdentityTokenException" });
  });

  it("waits for a new trust to propagate, and keeps a deleted one as long", async () => {
    sandbox.core.settings.propagationDelaySeconds = 10;
    const { roleArn, providerArn } = await federate();
    await expect(exchange(roleArn)).rejects.toMatchObject({ name: "InvalidIdentityTokenException" });
    sandbox.core.clock.advance(11);
    await expect(exchange(roleArn)).resolves.toBeDefined();
    await iam("DeleteOpenIDConnectProvider", { OpenIDConnectProviderArn: providerArn });
    await expect(iam("GetOpenIDConnectProvider", { OpenIDConnectProviderArn: providerArn })).rejects.toMatchObject({ code: "NoSuchEntity" });
    await expect(exchange(roleArn)).resolves.toBeDefined();
    sandbox.core.clock.advance(11);
    await expect(exchange(roleArn)).rejects.toMatchObject({ name: "InvalidIdentityTokenException" });
  });

  it("is refused by a resource control policy", async () => {
    const { roleArn } = await federate();
    const rcp = (organisation: string): string =>
      policy({ Effect: "Deny", Principal: "*", Action: "sts:AssumeRoleWithWebIdentity", Resource: "*", Condition: { StringNotEquals: { [`${issuerHost}:sub`]: organisation } } });
    sandbox.store.put("aws:organizations/rcp", `${ACCOUNT}/perimeter`, { name: "perimeter", document: rcp("project-4711") });
    await expect(exchange(roleArn)).resolves.toBeDefined();
    sandbox.store.put("aws:organizations/rcp", `${ACCOUNT}/perimeter`, { name: "perimeter", document: rcp("project-1") });
    await expect(exchange(roleArn)).rejects.toMatchObject(NOT_AUTHORIZED);
  });

  it("keeps to the role's longest session, and to session policies", async () => {
    const { roleArn } = await federate();
    await expect(exchange(roleArn, { DurationSeconds: 3600 })).resolves.toBeDefined();
    await expect(exchange(roleArn, { DurationSeconds: 3601 })).rejects.toMatchObject({
      name: "ValidationError",
      message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    });
    await iam("AttachRolePolicy", { RoleName: "deployer", PolicyArn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess" });
    const list = async (change: object) => {
      const { Credentials } = await exchange(roleArn, change);
      return new IAMClient({ region, endpoint: sandbox.url, credentials: keyOf(Credentials), maxAttempts: 1 }).send(new ListRolesCommand({}));
    };
    await expect(list({})).resolves.toMatchObject({ Roles: [{ RoleName: "deployer" }] });
    await expect(list({ Policy: policy({ Effect: "Allow", Action: "iam:ListRoles", Resource: "*" }) })).resolves.toBeDefined();
    await expect(list({ PolicyArns: [{ arn: "arn:aws:iam::aws:policy/ReadOnlyAccess" }] })).resolves.toBeDefined();
    await expect(list({ Policy: policy({ Effect: "Allow", Action: "s3:*", Resource: "*" }) })).rejects.toMatchObject({
      name: "AccessDenied",
      message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/deployer/one is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::${ACCOUNT}:role/ because no session policy allows the iam:ListRoles action`,
    });
    await expect(exchange(roleArn, { Policy: "{" })).rejects.toMatchObject({ name: "MalformedPolicyDocumentException" });
    await expect(exchange(roleArn, { Policy: policy({ Effect: "Allow", Action: "s3:*", Resource: `arn:aws:s3:::${"b".repeat(2048)}` }) })).rejects.toMatchObject({
      name: "PackedPolicyTooLargeException",
    });
    const packed = await exchange(roleArn, { Policy: policy({ Effect: "Allow", Action: "s3:*", Resource: "*" }) });
    expect(packed).toMatchObject({ PackedPolicySize: 5 });
  });

  it("trusts in the partition that the role is in", async () => {
    const call = (operation: string, input: Record<string, unknown>) => sandbox.aws.call(administrator, "iam", operation, input, "cn-north-1");
    const { OpenIDConnectProviderArn } = await call("CreateOpenIDConnectProvider", { Url: defaultIssuerUrl, ClientIDList: [defaultAudience] });
    expect(OpenIDConnectProviderArn).toBe(`arn:aws-cn:iam::${ACCOUNT}:oidc-provider/${issuerHost}`);
    await call("CreateRole", { RoleName: "deployer", AssumeRolePolicyDocument: webTrust(String(OpenIDConnectProviderArn)) });
    const answer = await exchange(`arn:aws-cn:iam::${ACCOUNT}:role/deployer`);
    expect(answer.AssumedRoleUser?.Arn).toBe(`arn:aws-cn:sts::${ACCOUNT}:assumed-role/deployer/one`);
    await expect(exchange(`arn:aws:iam::${ACCOUNT}:role/deployer`)).rejects.toMatchObject({ name: "InvalidIdentityTokenException" });
  });

  it("refuses missing members, each by name, without showing the token", async () => {
    const answer = await send(sandbox, form("AssumeRoleWithWebIdentity", { WebIdentityToken: "abc" }));
    expect(refusal(answer)).toEqual({
      status: 400,
      code: "ValidationError",
      message:
        "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null; " +
        "Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null",
    });
  });

  it("refuses tokens of other kinds of provider", async () => {
    const { roleArn } = await federate();
    await expect(exchange(roleArn, { ProviderId: "www.amazon.com" })).rejects.toMatchObject({ name: "InvalidIdentityTokenException" });
    await expect(exchange(roleArn, { ProviderId: "graph.facebook.com" })).rejects.toMatchObject({ name: "IDPRejectedClaimException" });
  });
});

describe("recorded answers of STS, over the wire", () => {
  const issuer = "https://issuer.example.com/tenant";
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/platform/deployer`;
  const providerArn = `arn:aws:iam::${ACCOUNT}:oidc-provider/issuer.example.com/tenant`;
  // Ahead of the clock by which the administrator was made, who would not be there yet.
  const now = Math.floor(Date.now() / 1000) + 60;
  const factory = makeFactory({ issuer, roleArn, providerArn, now });

  beforeEach(() => void jest.spyOn(sandbox.core.clock, "now").mockReturnValue(new Date(now * 1000)));
  afterEach(() => jest.restoreAllMocks());

  it.each(RECORDED_ANSWERS.map((row) => [`${row.name} (${row.grade})`, row] as const))("%s", async (_, row) => {
    const presented = row.present(factory);
    await sandbox.issuers.create(issuer, "ES256");
    sandbox.issuers.behave(issuer, {
      jwks: { keys: presented.jwks ?? [factory.keys.rsa.jwk, factory.keys.es.jwk] },
      discovery: discoveryChange(presented.discovery ?? discoveryOf(issuer)),
    });
    await iam("CreateOpenIDConnectProvider", { Url: issuer, ClientIDList: ["client-a", "client-b"] });
    await iam("CreateRole", { RoleName: "deployer", Path: "/platform/", AssumeRolePolicyDocument: JSON.stringify(goodTrust(factory)) });
    if (presented.trust) {
      // Past IAM's own checks: some rows are of policies that IAM would not store today.
      const role = sandbox.store.get<object>("aws:iam/role", `${ACCOUNT}/deployer`);
      sandbox.store.put("aws:iam/role", `${ACCOUNT}/deployer`, { ...role, trustPolicy: JSON.stringify(presented.trust) });
    }
    const members = {
      RoleArn: presented.roleArn ?? roleArn,
      RoleSessionName: presented.sessionName ?? "session",
      WebIdentityToken: presented.token,
      ...(presented.durationSeconds !== undefined && { DurationSeconds: String(presented.durationSeconds) }),
    };
    const answer = await send(sandbox, form("AssumeRoleWithWebIdentity", members));
    const { code, status, message, audience, subject } = row.expect(factory);
    if (code === undefined) {
      expect(answer.text).toContain("<AssumeRoleWithWebIdentityResult>");
      const result = answer.xml["AssumeRoleWithWebIdentityResponse"]?.["AssumeRoleWithWebIdentityResult"];
      expect(result).toMatchObject({ Audience: audience, SubjectFromWebIdentityToken: subject, Provider: providerArn });
    } else {
      expect(refusal(answer)).toEqual({ status, code, message });
      expect(answer.text).not.toContain(presented.token.split(".")[2] || presented.token);
    }
  });

  /** The row's document as a change of the sandbox issuer's own, whose keys are elsewhere. */
  function discoveryChange(document: Record<string, unknown>): Record<string, unknown> {
    const members = ["issuer", "jwks_uri", "response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"];
    const change = Object.fromEntries(members.map((name) => [name, document[name] ?? null]));
    if (change["jwks_uri"] === `${issuer}/keys`) delete change["jwks_uri"];
    return change;
  }
});

describe("AssumeRole", () => {
  const roleOf = (principal: object, change: object = {}) => createRole("target", trustOf(principal, change));
  const userArn = (name: string): string => `arn:aws:iam::${ACCOUNT}:user/${name}`;

  it("lets a user in whom the trust names, and nobody else", async () => {
    const named = await createUser("named");
    const other = await createUser("other");
    const { Arn, RoleId } = await roleOf({ AWS: userArn("named") });
    const { Credentials } = await assume(named, Arn);
    await expect(who(keyOf(Credentials))).resolves.toMatchObject({ UserId: `${RoleId}:two`, Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/target/two` });
    await expect(assume(other, Arn)).rejects.toMatchObject(denied(userArn("other"), Arn));
    await expect(assume(named, `${Arn}x`)).rejects.toMatchObject(denied(userArn("named"), `${Arn}x`));
  });

  it("leaves it to the account's own policies where the trust names the account", async () => {
    const { Arn } = await roleOf({ AWS: ACCOUNT });
    const allowed = await createUser("allowed", { Effect: "Allow", Action: "sts:AssumeRole", Resource: Arn });
    const without = await createUser("without");
    await expect(assume(allowed, Arn)).resolves.toBeDefined();
    await expect(assume(without, Arn)).rejects.toMatchObject({
      name: "AccessDenied",
      message: `${denied(userArn("without"), Arn).message} because no identity-based policy allows the sts:AssumeRole action`,
    });
  });

  it("wants both sides across accounts", async () => {
    const stranger = sandbox.aws.administrator(OTHER);
    const { Arn } = await roleOf({ AWS: `arn:aws:iam::${OTHER}:root` });
    await expect(assume(stranger.accessKey, Arn)).resolves.toBeDefined();
    await iam("UpdateAssumeRolePolicy", { RoleName: "target", PolicyDocument: trustOf({ AWS: ACCOUNT }) });
    await expect(assume(stranger.accessKey, Arn)).rejects.toMatchObject(denied(stranger.caller.principal.arn, Arn));
  });

  it("asks for the external id", async () => {
    const user = await createUser("platform");
    const { Arn } = await roleOf({ AWS: userArn("platform") }, { Condition: { StringEquals: { "sts:ExternalId": "tenant-1" } } });
    await expect(assume(user, Arn, { ExternalId: "tenant-1" })).resolves.toBeDefined();
    await expect(assume(user, Arn, { ExternalId: "tenant-2" })).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(assume(user, Arn)).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it("asks for the right to set tags and a source identity", async () => {
    const user = await createUser("platform");
    const { Arn } = await roleOf({ AWS: userArn("platform") });
    const tagged = { Tags: [{ Key: "Tenant", Value: "1" }] };
    await expect(assume(user, Arn, tagged)).rejects.toMatchObject(denied(userArn("platform"), Arn, "sts:TagSession"));
    await expect(assume(user, Arn, { SourceIdentity: "someone" })).rejects.toMatchObject(denied(userArn("platform"), Arn, "sts:SetSourceIdentity"));
    const actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
    await iam("UpdateAssumeRolePolicy", { RoleName: "target", PolicyDocument: trustOf({ AWS: userArn("platform") }, { Action: actions }) });
    await expect(assume(user, Arn, { ...tagged, SourceIdentity: "someone" })).resolves.toMatchObject({ SourceIdentity: "someone" });
  });

  it("caps a chain of roles at an hour", async () => {
    const user = await createUser("first");
    const { Arn: firstArn } = await createRole("first", trustOf({ AWS: userArn("first") }));
    const { Arn: secondArn } = await createRole("second", trustOf({ AWS: firstArn }), { MaxSessionDuration: 7200 });
    const session = keyOf((await assume(user, firstArn)).Credentials);
    await expect(assume(session, secondArn, { DurationSeconds: 3600 })).resolves.toBeDefined();
    await expect(assume(session, secondArn, { DurationSeconds: 3601 })).rejects.toMatchObject({
      name: "ValidationError",
      message: "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    });
  });

  it("does not mistake a role made again for the one that was trusted", async () => {
    const user = await createUser("operator");
    const make = () => createRole("caller", trustOf({ AWS: userArn("operator") }));
    const { Arn: callerArn, RoleId } = await make();
    const { Arn } = await roleOf({ AWS: callerArn });
    const session = async () => keyOf((await assume(user, callerArn)).Credentials);
    const old = await session();
    await expect(assume(old, Arn)).resolves.toBeDefined();
    await iam("DeleteRole", { RoleName: "caller" });
    await expect(who(old)).rejects.toMatchObject({ name: "InvalidClientTokenId" });
    const { Role } = await iam("GetRole", { RoleName: "target" });
    expect(JSON.parse(Role.AssumeRolePolicyDocument)).toMatchObject({ Statement: [{ Principal: { AWS: RoleId } }] });
    await make();
    await expect(assume(await session(), Arn)).rejects.toMatchObject({ name: "AccessDenied" });
  });
});

describe("sessions", () => {
  it("end when their time is over", async () => {
    const { roleArn } = await federate();
    const key = keyOf((await exchange(roleArn, { DurationSeconds: 900 })).Credentials);
    sandbox.core.clock.advance(890);
    const at = (): Date => sandbox.core.clock.now();
    const ask = async () => refusal(await send(sandbox, await signed(sandbox, form("GetCallerIdentity"), { key, service: "sts", date: at() })));
    await expect(ask()).resolves.toMatchObject({ status: 200 });
    sandbox.core.clock.advance(20);
    await expect(ask()).resolves.toEqual({ status: 403, code: "ExpiredToken", message: "The security token included in the request is expired" });
  });

  it("need their token", async () => {
    const { roleArn } = await federate();
    const { sessionToken, ...key } = keyOf((await exchange(roleArn)).Credentials);
    await expect(who({ ...key, sessionToken })).resolves.toBeDefined();
    await expect(who(key)).rejects.toMatchObject({ name: "InvalidClientTokenId" });
    await expect(who({ ...key, sessionToken: `${sessionToken.slice(0, -4)}AAAA` })).rejects.toMatchObject({ name: "InvalidClientTokenId" });
  });
});

describe("GetCallerIdentity", () => {
  it("needs no permission, and cannot be denied one", async () => {
    const user = await createUser("denied", { Effect: "Deny", Action: "*", Resource: "*" });
    await expect(who(user)).resolves.toMatchObject({ Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:user/denied` });
  });

  it.each([
    ["sts.us-east-1.amazonaws.com", "us-east-1", "aws"],
    ["sts.us-gov-west-1.amazonaws.com", "us-gov-west-1", "aws-us-gov"],
    ["sts.cn-north-1.amazonaws.com.cn", "cn-north-1", "aws-cn"],
  ])("answers at %s in its partition", async (_host, inRegion, partition) => {
    const { accessKey } = sandbox.aws.administrator(ACCOUNT);
    const httpsAgent = new HttpsProxyAgent(sandbox.url, { ca: sandbox.caPem });
    Object.assign(httpsAgent.options, { ca: sandbox.caPem });
    const client = new STSClient({ region: inRegion, credentials: accessKey, requestHandler: new NodeHttpHandler({ httpsAgent }) });
    await expect(client.send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
      Arn: `arn:${partition}:iam::${ACCOUNT}:user/cloud-federation-sandbox/administrator`,
    });
  });

  it("knows users of other accounts", async () => {
    await expect(who(sandbox.aws.administrator(OTHER).accessKey)).resolves.toMatchObject({ Account: OTHER });
    expect(() => sandbox.aws.administrator("42")).toThrow('An AWS account id has 12 digits; got "42".');
  });

  it("refuses a key that was made inactive or deleted", async () => {
    const user = await createUser("temporary");
    const update = (Status: string) => iam("UpdateAccessKey", { UserName: "temporary", AccessKeyId: user.accessKeyId, Status });
    await update("Inactive");
    await expect(who(user)).rejects.toMatchObject({ name: "InvalidClientTokenId" });
    await update("Active");
    await expect(who(user)).resolves.toBeDefined();
    await iam("DeleteAccessKey", { UserName: "temporary", AccessKeyId: user.accessKeyId });
    await expect(who(user)).rejects.toMatchObject({ name: "InvalidClientTokenId" });
  });
});
