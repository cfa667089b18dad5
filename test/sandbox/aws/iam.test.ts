import * as api from "@aws-sdk/client-iam";
import { STSClient, AssumeRoleCommand } from "@aws-sdk/client-sts";
import type { AwsAccessKey } from "../../../sandbox/aws/types.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../../sandbox/index.js";
import { form, send, signed } from "./wire.js";

const ACCOUNT = "111122223333";
const OTHER = "444455556666";
const region = "us-east-1";
const URL_ = "https://oidc.example.com/tenant";
const PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.example.com/tenant`;

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let administrator: api.IAMClient;

beforeAll(async () => {
  sandbox = await startSandbox();
  administrator = client(sandbox.aws.administrator(ACCOUNT).accessKey);
  sandbox.aws.administrator(OTHER);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

function client(credentials: AwsAccessKey): api.IAMClient {
  return new api.IAMClient({ region, endpoint: sandbox.url, credentials, maxAttempts: 1 });
}

const policy = (...statements: object[]): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const allow = (Action: string | string[], Resource: string | string[] = "*", more: object = {}): object => ({ Effect: "Allow", Action, Resource, ...more });
const deny = (Action: string | string[], Resource: string | string[] = "*", more: object = {}): object => ({ Effect: "Deny", Action, Resource, ...more });
const trust = (principal: object = { Service: "codebuild.amazonaws.com" }, more: object = {}): string =>
  policy({ Effect: "Allow", Principal: principal, Action: "sts:AssumeRole", ...more });
const createRole = (RoleName = "deployer", more: Partial<api.CreateRoleCommandInput> = {}) =>
  administrator.send(new api.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(), ...more }));
const createProvider = (more: Partial<api.CreateOpenIDConnectProviderCommandInput> = {}) =>
  administrator.send(new api.CreateOpenIDConnectProviderCommand({ Url: URL_, ClientIDList: ["client-a"], ...more }));
const createPolicy = (PolicyName: string, ...statements: object[]) =>
  administrator.send(new api.CreatePolicyCommand({ PolicyName, PolicyDocument: policy(...statements) }));

/** A user with these statements, as a client. */
async function operator(name: string, ...statements: object[]): Promise<api.IAMClient> {
  await administrator.send(new api.CreateUserCommand({ UserName: name }));
  if (statements.length > 0) await administrator.send(new api.PutUserPolicyCommand({ UserName: name, PolicyName: "own", PolicyDocument: policy(...statements) }));
  const { AccessKey } = await administrator.send(new api.CreateAccessKeyCommand({ UserName: name }));
  return client({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! });
}

const error = (name: string, status: number, message?: string): unknown =>
  expect.objectContaining({ name, ...(message !== undefined && { message }), $metadata: expect.objectContaining({ httpStatusCode: status }) });
const denied = (who: string, action: string, resource: string, why: string): unknown =>
  error("AccessDenied", 403, `User: arn:aws:iam::${ACCOUNT}:user/${who} is not authorized to perform: ${action} on resource: ${resource} ${why}`);

/** A policy document of exactly so many characters that are not white. */
function documentOfSize(size: number, make: (filler: string) => string): string {
  return make("x".repeat(size - make("").replace(/\s/g, "").length));
}

describe("OIDC providers", () => {
  it("are created, read, changed, deleted", async () => {
    await expect(createProvider({ Tags: [{ Key: "Owner", Value: "team-a" }] })).resolves.toMatchObject({ OpenIDConnectProviderArn: PROVIDER });
    const get = () => administrator.send(new api.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER }));
    const made = await get();
    expect(made).toMatchObject({ Url: "oidc.example.com/tenant", ClientIDList: ["client-a"], ThumbprintList: [], Tags: [{ Key: "Owner", Value: "team-a" }] });
    expect(made.CreateDate).toBeInstanceOf(Date);
    const named = { OpenIDConnectProviderArn: PROVIDER };
    for (let twice = 0; twice < 2; twice += 1) await administrator.send(new api.AddClientIDToOpenIDConnectProviderCommand({ ...named, ClientID: "client-b" }));
    expect((await get()).ClientIDList).toEqual(["client-a", "client-b"]);
    await administrator.send(new api.RemoveClientIDFromOpenIDConnectProviderCommand({ ...named, ClientID: "client-a" }));
    expect((await get()).ClientIDList).toEqual(["client-b"]);
    await administrator.send(new api.UpdateOpenIDConnectProviderThumbprintCommand({ ...named, ThumbprintList: ["a".repeat(40)] }));
    expect((await get()).ThumbprintList).toEqual(["a".repeat(40)]);
    await administrator.send(new api.UntagOpenIDConnectProviderCommand({ ...named, TagKeys: ["owner"] }));
    await expect(administrator.send(new api.ListOpenIDConnectProviderTagsCommand(named))).resolves.toMatchObject({ Tags: [] });
    await expect(administrator.send(new api.ListOpenIDConnectProvidersCommand({}))).resolves.toMatchObject({ OpenIDConnectProviderList: [{ Arn: PROVIDER }] });
    await administrator.send(new api.DeleteOpenIDConnectProviderCommand(named));
    await expect(get()).rejects.toEqual(error("NoSuchEntityException", 404, `OpenIDConnect Provider not found for arn ${PROVIDER}`));
  });

  it("are one per URL and account", async () => {
    await createProvider();
    await expect(createProvider()).rejects.toEqual(error("EntityAlreadyExistsException", 409, `Provider with url ${URL_} already exists.`));
    const elsewhere = client(sandbox.aws.administrator(OTHER).accessKey);
    await expect(elsewhere.send(new api.CreateOpenIDConnectProviderCommand({ Url: URL_ }))).resolves.toMatchObject({
      OpenIDConnectProviderArn: PROVIDER.replace(ACCOUNT, OTHER),
    });
  });

  it.each(["http://oidc.example.com", "https://", "https://oidc.example.com:8443", "https://oidc.example.com?a=b", "https://me@oidc.example.com", "oidc.example.com"])(
    "do not take the URL %s",
    async (Url) => {
      await expect(createProvider({ Url })).rejects.toEqual(error("ValidationError", 400, "Invalid Open ID Connect Provider URL"));
    },
  );

  it("have limits", async () => {
    const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `client-${index}`);
    await expect(createProvider({ ClientIDList: ids(101) })).rejects.toEqual(
      error("LimitExceededException", 409, "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"),
    );
    await createProvider({ ClientIDList: ids(100) });
    await expect(
      administrator.send(new api.AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER, ClientID: "one-more" })),
    ).rejects.toEqual(error("LimitExceededException", 409));
    const prints = (count: number) =>
      administrator.send(new api.UpdateOpenIDConnectProviderThumbprintCommand({ OpenIDConnectProviderArn: PROVIDER, ThumbprintList: Array.from({ length: count }, () => "b".repeat(40)) }));
    await expect(prints(5)).resolves.toBeDefined();
    await expect(prints(6)).rejects.toEqual(error("InvalidInputException", 400, "Thumbprint list must contain fewer than 5 entries."));
  });
});

describe("roles", () => {
  it("are created, read, changed, deleted", async () => {
    const { Role } = await createRole("deployer", { Path: "/dcf/", Description: "<Deploys> & \"more\"", MaxSessionDuration: 7200, Tags: [{ Key: "Owner", Value: "a" }] });
    expect(Role).toMatchObject({ RoleName: "deployer", Path: "/dcf/", Arn: `arn:aws:iam::${ACCOUNT}:role/dcf/deployer`, MaxSessionDuration: 7200 });
    expect(Role!.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
    const get = async () => (await administrator.send(new api.GetRoleCommand({ RoleName: "deployer" }))).Role!;
    expect(await get()).toMatchObject({ ...Role, Description: "<Deploys> & \"more\"", Tags: [{ Key: "Owner", Value: "a" }] });
    expect(decodeURIComponent((await get()).AssumeRolePolicyDocument!)).toBe(trust());
    await administrator.send(new api.UpdateRoleCommand({ RoleName: "deployer", Description: "other" }));
    expect(await get()).toMatchObject({ Description: "other", MaxSessionDuration: 3600 });
    const changed = trust({ Service: "lambda.amazonaws.com" });
    await administrator.send(new api.UpdateAssumeRolePolicyCommand({ RoleName: "deployer", PolicyDocument: changed }));
    expect(decodeURIComponent((await get()).AssumeRolePolicyDocument!)).toBe(changed);
    await administrator.send(new api.TagRoleCommand({ RoleName: "deployer", Tags: [{ Key: "owner", Value: "b" }, { Key: "Stage", Value: "test" }] }));
    await administrator.send(new api.UntagRoleCommand({ RoleName: "deployer", TagKeys: ["stage"] }));
    await expect(administrator.send(new api.ListRoleTagsCommand({ RoleName: "deployer" }))).resolves.toMatchObject({ Tags: [{ Key: "owner", Value: "b" }] });
    await administrator.send(new api.DeleteRoleCommand({ RoleName: "deployer" }));
    await expect(get()).rejects.toEqual(error("NoSuchEntityException", 404, "The role with name deployer cannot be found."));
  });

  it("show their documents URL-encoded on the wire", async () => {
    await createRole();
    const { accessKey } = sandbox.aws.administrator(ACCOUNT);
    const answer = await send(sandbox, await signed(sandbox, form("GetRole", { RoleName: "deployer" }), { key: accessKey, service: "iam" }));
    expect(answer.text).toContain("<AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22");
    expect(answer.text).toContain('<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">');
    const given = await sandbox.aws.call(sandbox.aws.administrator(ACCOUNT).caller, "iam", "GetRole", { RoleName: "deployer" }, region);
    expect(given).toMatchObject({ Role: { AssumeRolePolicyDocument: trust() } });
  });

  it("differ by more than case", async () => {
    await createRole("Deployer");
    await expect(createRole("deployer")).rejects.toEqual(error("EntityAlreadyExistsException", 409, "Role with name deployer already exists."));
    await expect(createRole("deployer2")).resolves.toBeDefined();
  });

  it.each<[Partial<api.CreateRoleCommandInput>, string]>([
    [
      { RoleName: "a".repeat(65) },
      `1 validation error detected: Value '${"a".repeat(65)}' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ],
    [{ RoleName: "a b" }, "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"],
    [
      { MaxSessionDuration: 3599 },
      "1 validation error detected: Value '3599' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600",
    ],
    [
      { MaxSessionDuration: 43201 },
      "1 validation error detected: Value '43201' at 'maxSessionDuration' failed to satisfy constraint: Member must have value less than or equal to 43200",
    ],
    [
      { Tags: [{ Key: "k!", Value: "x" }, { Key: "k", Value: "y".repeat(257) }] },
      `2 validation errors detected: Value 'k!' at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+; Value '${"y".repeat(257)}' at 'tags.2.member.value' failed to satisfy constraint: Member must have length less than or equal to 256`,
    ],
  ])("do not take the input of row %#", async (input, message) => {
    await expect(createRole("deployer", input)).rejects.toEqual(error("ValidationError", 400, message));
    await expect(createRole("deployer", { RoleName: "a".repeat(64), MaxSessionDuration: 43200 })).resolves.toBeDefined();
  });

  it("do not take tags twice, nor AWS's own", async () => {
    const tags = (...keys: string[]) => createRole("deployer", { Tags: keys.map((Key) => ({ Key, Value: "x" })) });
    await expect(tags("Owner", "owner")).rejects.toEqual(
      error("InvalidInputException", 400, "Duplicate tag keys found. Please note that Tag keys are case insensitive."),
    );
    await expect(tags("aws:cloudformation:stack")).rejects.toEqual(error("InvalidInputException", 400));
    await expect(tags("Owner", "Stage")).resolves.toBeDefined();
  });

  it.each<[string, string]>([
    ["no JSON", "This policy contains invalid Json"],
    [trust(undefined, { Resource: "*" }), "Has prohibited field Resource"],
    [trust({ AWS: "arn:aws:iam::1:root" }), 'Invalid principal in policy: "AWS":"arn:aws:iam::1:root"'],
    [trust({ AWS: `arn:aws:iam::${ACCOUNT}:role/missing` }), `Invalid principal in policy: "AWS":"arn:aws:iam::${ACCOUNT}:role/missing"`],
  ])("do not take the trust %s", async (AssumeRolePolicyDocument, message) => {
    const refused = await createRole("deployer", { AssumeRolePolicyDocument }).catch((caught: unknown) => caught);
    expect(refused).toEqual(error("MalformedPolicyDocumentException", 400));
    expect((refused as Error).message).toContain(message);
    await expect(createRole("deployer", { AssumeRolePolicyDocument: trust({ AWS: ACCOUNT }) })).resolves.toBeDefined();
  });

  it("have room for 2048 characters of trust, white space apart", async () => {
    const make = (filler: string): string => trust(undefined, { Sid: `S${filler}` });
    const fits = documentOfSize(2048, make);
    await expect(createRole("a", { AssumeRolePolicyDocument: fits })).resolves.toBeDefined();
    await expect(createRole("b", { AssumeRolePolicyDocument: JSON.stringify(JSON.parse(fits), null, 4) })).resolves.toBeDefined();
    await expect(createRole("c", { AssumeRolePolicyDocument: documentOfSize(2049, make) })).rejects.toEqual(
      error("LimitExceededException", 409, "Cannot exceed quota for ACLSizePerRole: 2048"),
    );
  });

  it("have to be empty before they go", async () => {
    await createRole();
    const remove = () => administrator.send(new api.DeleteRoleCommand({ RoleName: "deployer" }));
    const attachment = { RoleName: "deployer", PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" };
    await administrator.send(new api.AttachRolePolicyCommand(attachment));
    await administrator.send(new api.PutRolePolicyCommand({ RoleName: "deployer", PolicyName: "own", PolicyDocument: policy(allow("s3:*")) }));
    await expect(remove()).rejects.toEqual(error("DeleteConflictException", 409, "Cannot delete entity, must detach all policies first."));
    await administrator.send(new api.DetachRolePolicyCommand(attachment));
    await expect(remove()).rejects.toEqual(error("DeleteConflictException", 409, "Cannot delete entity, must delete policies first."));
    await administrator.send(new api.DeleteRolePolicyCommand({ RoleName: "deployer", PolicyName: "own" }));
    await expect(remove()).resolves.toBeDefined();
  });

  it("name a principal by its ARN while it lives, by its id afterwards", async () => {
    const { Role } = await createRole("caller");
    await createRole("target", { AssumeRolePolicyDocument: trust({ AWS: Role!.Arn }) });
    const principal = async (): Promise<unknown> =>
      JSON.parse(decodeURIComponent((await administrator.send(new api.GetRoleCommand({ RoleName: "target" }))).Role!.AssumeRolePolicyDocument!)).Statement[0].Principal;
    expect(await principal()).toEqual({ AWS: Role!.Arn });
    await administrator.send(new api.DeleteRoleCommand({ RoleName: "caller" }));
    expect(await principal()).toEqual({ AWS: Role!.RoleId });
    await createRole("caller");
    expect(await principal()).toEqual({ AWS: Role!.RoleId });
  });

  it("are listed in pages, by path", async () => {
    for (const name of ["a", "b", "c"]) await createRole(name, { Path: name === "c" ? "/dcf/" : "/" });
    const first = await administrator.send(new api.ListRolesCommand({ MaxItems: 2 }));
    expect(first).toMatchObject({ IsTruncated: true, Roles: [{ RoleName: "a" }, { RoleName: "b" }] });
    const second = await administrator.send(new api.ListRolesCommand({ MaxItems: 2, Marker: first.Marker }));
    expect(second).toMatchObject({ IsTruncated: false, Roles: [{ RoleName: "c" }] });
    await expect(administrator.send(new api.ListRolesCommand({ PathPrefix: "/dcf/" }))).resolves.toMatchObject({ Roles: [{ RoleName: "c" }] });
    await expect(administrator.send(new api.ListRolesCommand({ Marker: "nonsense" }))).rejects.toEqual(error("ValidationError", 400));
  });
});

describe("policies", () => {
  it("of a role are put, read, listed, deleted", async () => {
    await createRole();
    const own = { RoleName: "deployer", PolicyName: "own" };
    await administrator.send(new api.PutRolePolicyCommand({ ...own, PolicyDocument: policy(allow("s3:*")) }));
    const read = await administrator.send(new api.GetRolePolicyCommand(own));
    expect(decodeURIComponent(read.PolicyDocument!)).toBe(policy(allow("s3:*")));
    await expect(administrator.send(new api.ListRolePoliciesCommand({ RoleName: "deployer" }))).resolves.toMatchObject({ PolicyNames: ["own"], IsTruncated: false });
    await administrator.send(new api.DeleteRolePolicyCommand(own));
    await expect(administrator.send(new api.GetRolePolicyCommand(own))).rejects.toEqual(
      error("NoSuchEntityException", 404, "The role policy with name own cannot be found."),
    );
  });

  it("of a role have room for 10240 characters together", async () => {
    await createRole();
    const put = (PolicyName: string, size: number) =>
      administrator.send(
        new api.PutRolePolicyCommand({ RoleName: "deployer", PolicyName, PolicyDocument: documentOfSize(size, (filler) => policy(allow("s3:*", `arn:aws:s3:::b${filler}`))) }),
      );
    await put("one", 5000);
    await expect(put("two", 5240)).resolves.toBeDefined();
    await expect(put("two", 5241)).rejects.toEqual(error("LimitExceededException", 409, "Maximum policy size of 10240 bytes exceeded for role deployer"));
  });

  it("are refused when they are none", async () => {
    await createRole();
    const put = (PolicyDocument: string) => administrator.send(new api.PutRolePolicyCommand({ RoleName: "deployer", PolicyName: "own", PolicyDocument }));
    await expect(put("{")).rejects.toEqual(error("MalformedPolicyDocumentException", 400, "Syntax errors in policy."));
    await expect(put(trust())).rejects.toEqual(error("MalformedPolicyDocumentException", 400));
    await expect(put(policy(allow("GetObject")))).rejects.toEqual(
      error("MalformedPolicyDocumentException", 400, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
    );
    await expect(put(policy(allow("s3:GetObject")))).resolves.toBeDefined();
  });

  it("of the account have versions", async () => {
    const { Policy } = await createPolicy("grants", allow("s3:GetObject"));
    const PolicyArn = Policy!.Arn!;
    expect(Policy).toMatchObject({ Arn: `arn:aws:iam::${ACCOUNT}:policy/grants`, DefaultVersionId: "v1", AttachmentCount: 0, IsAttachable: true });
    await expect(createPolicy("Grants", allow("s3:*"))).rejects.toEqual(
      error("EntityAlreadyExistsException", 409, "A policy called Grants already exists. Duplicate names are not allowed."),
    );
    const add = (action: string) => administrator.send(new api.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policy(allow(action)), SetAsDefault: true }));
    await expect(add("s3:PutObject")).resolves.toMatchObject({ PolicyVersion: { VersionId: "v2", IsDefaultVersion: true } });
    const version = await administrator.send(new api.GetPolicyVersionCommand({ PolicyArn, VersionId: "v2" }));
    expect(decodeURIComponent(version.PolicyVersion!.Document!)).toBe(policy(allow("s3:PutObject")));
    await expect(administrator.send(new api.DeletePolicyVersionCommand({ PolicyArn, VersionId: "v2" }))).rejects.toEqual(
      error("DeleteConflictException", 409, "Cannot delete the default version of a policy."),
    );
    for (const action of ["s3:a", "s3:b", "s3:c"]) await add(action);
    await expect(add("s3:d")).rejects.toEqual(error("LimitExceededException", 409));
    await administrator.send(new api.DeletePolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
    await expect(add("s3:d")).resolves.toMatchObject({ PolicyVersion: { VersionId: "v6" } });
    await expect(administrator.send(new api.ListPolicyVersionsCommand({ PolicyArn }))).resolves.toMatchObject({
      Versions: ["v6", "v5", "v4", "v3", "v2"].map((VersionId) => ({ VersionId, IsDefaultVersion: VersionId === "v6" })),
    });
    await expect(administrator.send(new api.DeletePolicyCommand({ PolicyArn }))).rejects.toEqual(error("DeleteConflictException", 409));
  });

  it("of the account have room for 6144 characters, and a role for ten of them", async () => {
    const make = (filler: string): string => policy(allow("s3:*", `arn:aws:s3:::b${filler}`));
    const create = (PolicyName: string, size: number) =>
      administrator.send(new api.CreatePolicyCommand({ PolicyName, PolicyDocument: documentOfSize(size, make) }));
    await expect(create("p0", 6144)).resolves.toBeDefined();
    await expect(create("p1", 6145)).rejects.toEqual(error("LimitExceededException", 409, "Cannot exceed quota for PolicySize: 6144"));
    await createRole();
    const attach = (PolicyArn: string) => administrator.send(new api.AttachRolePolicyCommand({ RoleName: "deployer", PolicyArn }));
    for (let index = 1; index <= 10; index += 1) await attach((await createPolicy(`q${index}`, allow("s3:*"))).Policy!.Arn!);
    await expect(attach(`arn:aws:iam::${ACCOUNT}:policy/q1`)).resolves.toBeDefined();
    await expect(attach(`arn:aws:iam::${ACCOUNT}:policy/p0`)).rejects.toEqual(
      error("LimitExceededException", 409, "Cannot exceed quota for PoliciesPerRole: 10"),
    );
  });

  it("are attached, found and detached", async () => {
    await createRole();
    const { Policy } = await createPolicy("grants", allow("s3:GetObject"));
    const one = { RoleName: "deployer", PolicyArn: Policy!.Arn! };
    await administrator.send(new api.AttachRolePolicyCommand(one));
    await expect(administrator.send(new api.ListAttachedRolePoliciesCommand({ RoleName: "deployer" }))).resolves.toMatchObject({
      AttachedPolicies: [{ PolicyName: "grants", PolicyArn: one.PolicyArn }],
    });
    await expect(administrator.send(new api.GetPolicyCommand({ PolicyArn: one.PolicyArn }))).resolves.toMatchObject({ Policy: { AttachmentCount: 1 } });
    await expect(administrator.send(new api.ListEntitiesForPolicyCommand({ PolicyArn: one.PolicyArn }))).resolves.toMatchObject({ PolicyRoles: [{ RoleName: "deployer" }] });
    await expect(administrator.send(new api.DeletePolicyCommand({ PolicyArn: one.PolicyArn }))).rejects.toEqual(
      error("DeleteConflictException", 409, "Cannot delete a policy attached to entities."),
    );
    await administrator.send(new api.DetachRolePolicyCommand(one));
    await expect(administrator.send(new api.DetachRolePolicyCommand(one))).rejects.toEqual(error("NoSuchEntityException", 404, `Policy ${one.PolicyArn} was not found.`));
    await expect(administrator.send(new api.DeletePolicyCommand({ PolicyArn: one.PolicyArn }))).resolves.toBeDefined();
    await expect(administrator.send(new api.AttachRolePolicyCommand(one))).rejects.toEqual(
      error("NoSuchEntityException", 404, `Policy ${one.PolicyArn} does not exist or is not attachable.`),
    );
  });

  it("of AWS are there to read and not to change", async () => {
    const PolicyArn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    await expect(administrator.send(new api.GetPolicyCommand({ PolicyArn }))).resolves.toMatchObject({ Policy: { PolicyName: "ReadOnlyAccess", DefaultVersionId: "v1" } });
    await expect(administrator.send(new api.DeletePolicyCommand({ PolicyArn }))).rejects.toEqual(error("NoSuchEntityException", 404));
    const listed = await administrator.send(new api.ListPoliciesCommand({ Scope: "AWS" }));
    expect(listed.Policies!.map(({ PolicyName }) => PolicyName)).toEqual(
      expect.arrayContaining(["AdministratorAccess", "AmazonS3ReadOnlyAccess", "IAMReadOnlyAccess", "ReadOnlyAccess", "SecurityAudit"]),
    );
  });
});

describe("users and quotas", () => {
  it("users come and go with their keys", async () => {
    await operator("reader");
    const [key] = (await administrator.send(new api.ListAccessKeysCommand({ UserName: "reader" }))).AccessKeyMetadata!;
    const remove = () => administrator.send(new api.DeleteUserCommand({ UserName: "reader" }));
    await expect(remove()).rejects.toEqual(error("DeleteConflictException", 409, "Cannot delete entity, must delete access keys first."));
    await administrator.send(new api.CreateAccessKeyCommand({ UserName: "reader" }));
    await expect(administrator.send(new api.CreateAccessKeyCommand({ UserName: "reader" }))).rejects.toEqual(
      error("LimitExceededException", 409, "Cannot exceed quota for AccessKeysPerUser: 2"),
    );
    for (const { AccessKeyId } of (await administrator.send(new api.ListAccessKeysCommand({ UserName: "reader" }))).AccessKeyMetadata!)
      await administrator.send(new api.DeleteAccessKeyCommand({ UserName: "reader", AccessKeyId }));
    await expect(remove()).resolves.toBeDefined();
    await expect(administrator.send(new api.DeleteAccessKeyCommand({ UserName: "reader", AccessKeyId: key!.AccessKeyId }))).rejects.toEqual(
      error("NoSuchEntityException", 404, "The user with name reader cannot be found."),
    );
  });

  it("whoever names nobody means the own user", async () => {
    await expect(administrator.send(new api.GetUserCommand({}))).resolves.toMatchObject({
      User: { UserName: "administrator", Path: "/cloud-federation-sandbox/", Arn: `arn:aws:iam::${ACCOUNT}:user/cloud-federation-sandbox/administrator` },
    });
  });

  it("the account tells its quotas", async () => {
    await createRole();
    const { SummaryMap } = await administrator.send(new api.GetAccountSummaryCommand({}));
    expect(SummaryMap).toMatchObject({ Roles: 1, Users: 1, AssumeRolePolicySizeQuota: 2048, PolicySizeQuota: 6144, AttachedPoliciesPerRoleQuota: 10 });
  });
});

describe("who may do what", () => {
  const ROLE = `arn:aws:iam::${ACCOUNT}:role/deployer`;
  const get = (as: api.IAMClient, RoleName = "deployer") => as.send(new api.GetRoleCommand({ RoleName }));
  const missing = (action: string, layer = "identity-based policy"): string => `because no ${layer} allows the ${action} action`;

  beforeEach(() => createRole());

  it("an action that no policy allows", async () => {
    const reader = await operator("reader", allow("iam:GetRole", ROLE));
    await expect(get(reader)).resolves.toBeDefined();
    await expect(reader.send(new api.DeleteRoleCommand({ RoleName: "deployer" }))).rejects.toEqual(denied("reader", "iam:DeleteRole", ROLE, missing("iam:DeleteRole")));
    await expect(get(reader, "other")).rejects.toEqual(denied("reader", "iam:GetRole", ROLE.replace("deployer", "other"), missing("iam:GetRole")));
  });

  it("a deny over every allow", async () => {
    const reader = await operator("reader", allow("iam:*"));
    await expect(get(reader)).resolves.toBeDefined();
    await administrator.send(new api.PutUserPolicyCommand({ UserName: "reader", PolicyName: "no", PolicyDocument: policy(deny("iam:GetRole", ROLE)) }));
    await expect(get(reader)).rejects.toEqual(denied("reader", "iam:GetRole", ROLE, "with an explicit deny in an identity-based policy"));
    await expect(reader.send(new api.ListRolesCommand({}))).resolves.toBeDefined();
  });

  it("a boundary caps what policies allow, and gives nothing", async () => {
    const reader = await operator("reader", allow("iam:GetRole"));
    const { Policy } = await createPolicy("boundary", allow("iam:Get*"));
    const bound = (document: string) => administrator.send(new api.CreatePolicyVersionCommand({ PolicyArn: Policy!.Arn!, PolicyDocument: document, SetAsDefault: true }));
    await administrator.send(new api.PutUserPermissionsBoundaryCommand({ UserName: "reader", PermissionsBoundary: Policy!.Arn! }));
    await expect(get(reader)).resolves.toBeDefined();
    await expect(reader.send(new api.GetPolicyCommand({ PolicyArn: Policy!.Arn! }))).rejects.toEqual(
      denied("reader", "iam:GetPolicy", Policy!.Arn!, missing("iam:GetPolicy")),
    );
    await bound(policy(allow("s3:*")));
    await expect(get(reader)).rejects.toEqual(denied("reader", "iam:GetRole", ROLE, missing("iam:GetRole", "permissions boundary")));
    await administrator.send(new api.DeleteUserPermissionsBoundaryCommand({ UserName: "reader" }));
    await expect(get(reader)).resolves.toBeDefined();
  });

  it("service control policies cap the whole account, and only it", async () => {
    const scp = (accountId: string, document: string) => sandbox.store.put("aws:organizations/scp", `${accountId}/guardrail`, { name: "guardrail", document });
    const reader = await operator("reader", allow("iam:*"));
    scp(OTHER, policy(deny("iam:*")));
    await expect(get(reader)).resolves.toBeDefined();
    scp(ACCOUNT, policy(allow("s3:*")));
    await expect(get(reader)).rejects.toEqual(denied("reader", "iam:GetRole", ROLE, missing("iam:GetRole", "service control policy")));
    scp(ACCOUNT, policy(allow("*"), deny("iam:GetRole")));
    await expect(get(reader)).rejects.toEqual(denied("reader", "iam:GetRole", ROLE, "with an explicit deny in a service control policy"));
    await expect(reader.send(new api.ListRolesCommand({}))).resolves.toBeDefined();
  });

  it("another account's things are not there", async () => {
    const stranger = client(sandbox.aws.administrator(OTHER).accessKey);
    await expect(get(stranger)).rejects.toEqual(error("NoSuchEntityException", 404));
    await createProvider();
    await expect(stranger.send(new api.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
    const { Policy } = await createPolicy("grants", allow("s3:*"));
    await expect(stranger.send(new api.GetPolicyCommand({ PolicyArn: Policy!.Arn! }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
  });

  it("conditions on tags and attached policies", async () => {
    const tagger = await operator(
      "tagger",
      allow(["iam:CreateRole", "iam:TagRole"], "*", { Condition: { StringEquals: { "aws:RequestTag/Owner": "team-a" } } }),
      allow("iam:AttachRolePolicy", "*", { Condition: { ArnEquals: { "iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess" } } }),
      allow("iam:DeleteRole", "*", { Condition: { StringEquals: { "aws:ResourceTag/Owner": "team-a" } } }),
    );
    const create = (Value: string) => tagger.send(new api.CreateRoleCommand({ RoleName: `of-${Value}`, AssumeRolePolicyDocument: trust(), Tags: [{ Key: "Owner", Value }] }));
    await expect(create("team-b")).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(create("team-a")).resolves.toBeDefined();
    const attach = (name: string) => tagger.send(new api.AttachRolePolicyCommand({ RoleName: "of-team-a", PolicyArn: `arn:aws:iam::aws:policy/${name}` }));
    await expect(attach("AdministratorAccess")).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(attach("ReadOnlyAccess")).resolves.toBeDefined();
    await expect(tagger.send(new api.DeleteRoleCommand({ RoleName: "deployer" }))).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(tagger.send(new api.DeleteRoleCommand({ RoleName: "of-team-a" }))).rejects.toMatchObject({ name: "DeleteConflictException" });
  });

  it("a session's tags count before its role's", async () => {
    await operator("owner");
    const document = trust({ AWS: `arn:aws:iam::${ACCOUNT}:user/owner` }, { Action: ["sts:AssumeRole", "sts:TagSession"] });
    await createRole("tagged", { AssumeRolePolicyDocument: document, Tags: [{ Key: "Team", Value: "a" }] });
    const own = policy(allow("iam:GetRole", "*", { Condition: { StringEquals: { "aws:PrincipalTag/Team": "a" } } }));
    await administrator.send(new api.PutRolePolicyCommand({ RoleName: "tagged", PolicyName: "own", PolicyDocument: own }));
    const { AccessKey } = await administrator.send(new api.CreateAccessKeyCommand({ UserName: "owner" }));
    const sts = new STSClient({ region, endpoint: sandbox.url, credentials: { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! } });
    const session = async (Tags: { Key: string; Value: string }[]) => {
      const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/tagged`, RoleSessionName: "session", Tags }));
      return client({ accessKeyId: Credentials!.AccessKeyId!, secretAccessKey: Credentials!.SecretAccessKey!, sessionToken: Credentials!.SessionToken! });
    };
    await expect(get(await session([]))).resolves.toBeDefined();
    await expect(get(await session([{ Key: "Team", Value: "b" }]))).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it.each(["ReadOnlyAccess", "SecurityAudit", "IAMReadOnlyAccess"])("%s reads and changes nothing", async (name) => {
    const reader = await operator("auditor");
    await administrator.send(new api.AttachUserPolicyCommand({ UserName: "auditor", PolicyArn: `arn:aws:iam::aws:policy/${name}` }));
    await createProvider();
    await expect(get(reader)).resolves.toBeDefined();
    await expect(reader.send(new api.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER }))).resolves.toBeDefined();
    await expect(reader.send(new api.ListAttachedRolePoliciesCommand({ RoleName: "deployer" }))).resolves.toBeDefined();
    await expect(reader.send(new api.GetAccountSummaryCommand({}))).resolves.toBeDefined();
    await expect(reader.send(new api.DeleteRoleCommand({ RoleName: "deployer" }))).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(reader.send(new api.CreateUserCommand({ UserName: "more" }))).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it("grants and their removal take time", async () => {
    const reader = await operator("reader");
    sandbox.core.settings.propagationDelaySeconds = 10;
    await administrator.send(new api.PutUserPolicyCommand({ UserName: "reader", PolicyName: "own", PolicyDocument: policy(allow("iam:GetRole")) }));
    await expect(get(reader)).rejects.toMatchObject({ name: "AccessDenied" });
    sandbox.core.clock.advance(11);
    await expect(get(reader)).resolves.toBeDefined();
    await administrator.send(new api.DeleteUserPolicyCommand({ UserName: "reader", PolicyName: "own" }));
    await expect(administrator.send(new api.ListUserPoliciesCommand({ UserName: "reader" }))).resolves.toMatchObject({ PolicyNames: [] });
    await expect(get(reader)).resolves.toBeDefined();
    sandbox.core.clock.advance(11);
    await expect(get(reader)).rejects.toMatchObject({ name: "AccessDenied" });
  });
});
