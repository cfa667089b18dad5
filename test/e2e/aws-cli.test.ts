/**
 * The real `aws` CLI and boto3 against the sandbox's IAM and STS, through the proxy with the real host names and by an
 * endpoint variable. Skipped, with the reason, where they are not installed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultAudience, defaultIssuerUrl, startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { clientEnvironment, hasBoto3, hasCli, runClient, type Way } from "../support/aws-cli.js";

const ACCOUNT = "111122223333";
const host = defaultIssuerUrl.replace("https://", "");
const providerArn = `arn:aws:iam::${ACCOUNT}:oidc-provider/${host}`;
const roleArn = `arn:aws:iam::${ACCOUNT}:role/dcf/deployer`;
const trust = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Federated: providerArn },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: { StringEquals: { [`${host}:aud`]: defaultAudience, [`${host}:sub`]: "project-4711" } },
    },
  ],
};
const grants = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iam:GetRole", Resource: roleArn }] };

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let folder: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  sandbox.aws.administrator(ACCOUNT);
  fresh = sandbox.snapshot();
  folder = mkdtempSync(join(tmpdir(), "aws-cli-"));
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

const environment = (way: Way, region: string, change: Record<string, string> = {}) => clientEnvironment(sandbox, folder, way, region, change);
const run = (program: string, args: string[], env: Record<string, string>) => runClient(program, args, env, folder);

(hasCli() ? describe.each<Way>(["proxy", "endpoint"]) : describe.skip.each<Way>(["proxy"]))("aws CLI by %s", (way) => {
  beforeAll(() => sandbox.restore(fresh));

  const aws = (args: string[], change: Record<string, string> = {}, region = "eu-west-1") => run("aws", args, environment(way, region, change));
  const json = async (args: string[], change?: Record<string, string>, region?: string): Promise<unknown> => {
    const { status, stdout, stderr } = await aws([...args, "--output", "json"], change, region);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout === "" ? undefined : JSON.parse(stdout);
  };
  const refused = (code: string, operation: string, message: string) => ({
    status: 254,
    stdout: "",
    stderr: expect.stringContaining(`An error occurred (${code}) when calling the ${operation} operation: ${message}`) as string,
  });
  const web = async (subject: string): Promise<string[]> => {
    // A token on a command line would be in the list of processes.
    writeFileSync(join(folder, "token"), await sandbox.issuers.mint({ subject }));
    return ["sts", "assume-role-with-web-identity", "--role-arn", roleArn, "--role-session-name", "cli", "--web-identity-token", "file://token"];
  };

  it("knows who it is", async () => {
    expect(await json(["sts", "get-caller-identity"])).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:iam::${ACCOUNT}:user/cloud-federation-sandbox/administrator`,
    });
  });

  it("provisions a provider, a role with its trust, and a policy", async () => {
    const create = ["iam", "create-open-id-connect-provider", "--url", defaultIssuerUrl, "--client-id-list", defaultAudience];
    expect(await json(create)).toEqual({ OpenIDConnectProviderArn: providerArn });
    expect(await aws(create)).toMatchObject(refused("EntityAlreadyExists", "CreateOpenIDConnectProvider", `Provider with url ${defaultIssuerUrl} already exists.`));
    const role = ["iam", "create-role", "--role-name", "deployer", "--path", "/dcf/", "--assume-role-policy-document", JSON.stringify(trust)];
    expect(await json([...role, "--tags", "Key=Owner,Value=team a"])).toMatchObject({ Role: { Arn: roleArn, AssumeRolePolicyDocument: trust } });
    const put = ["iam", "put-role-policy", "--role-name", "deployer", "--policy-name", "grants", "--policy-document"];
    expect(await json([...put, JSON.stringify(grants)])).toBeUndefined();
    expect(await aws([...put, "{}"])).toMatchObject(refused("MalformedPolicyDocument", "PutRolePolicy", "Syntax errors in policy."));
    expect(await json(["iam", "get-role-policy", "--role-name", "deployer", "--policy-name", "grants"])).toMatchObject({ PolicyDocument: grants });
    expect(await json(["iam", "list-roles"])).toMatchObject({ Roles: [{ RoleName: "deployer" }] });
    expect(await json(["iam", "get-account-summary"])).toMatchObject({ SummaryMap: { Roles: 1, Providers: 1 } });
  });

  it("exchanges a token, and acts as the role", async () => {
    const { Credentials, ...rest } = (await json(await web("project-4711"))) as { Credentials: Record<string, string> };
    expect(rest).toMatchObject({
      Provider: providerArn,
      Audience: defaultAudience,
      SubjectFromWebIdentityToken: "project-4711",
      AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/cli` },
    });
    const session = {
      AWS_ACCESS_KEY_ID: Credentials["AccessKeyId"]!,
      AWS_SECRET_ACCESS_KEY: Credentials["SecretAccessKey"]!,
      AWS_SESSION_TOKEN: Credentials["SessionToken"]!,
    };
    expect(await json(["sts", "get-caller-identity"], session)).toMatchObject({ Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/cli` });
    expect(await json(["iam", "get-role", "--role-name", "deployer"], session)).toMatchObject({ Role: { Arn: roleArn } });
    expect(await aws(["iam", "delete-role", "--role-name", "deployer"], session)).toMatchObject(
      refused(
        "AccessDenied",
        "DeleteRole",
        `User: arn:aws:sts::${ACCOUNT}:assumed-role/deployer/cli is not authorized to perform: iam:DeleteRole on resource: ${roleArn} because no identity-based policy allows the iam:DeleteRole action`,
      ),
    );
  });

  it("exchanges by itself where the environment names a token file and a role", async () => {
    await web("project-4711");
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...without } = environment(way, "eu-west-1");
    const federated = { ...without, AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "token"), AWS_ROLE_ARN: roleArn, AWS_ROLE_SESSION_NAME: "by-itself" };
    const { status, stdout, stderr } = await run("aws", ["sts", "get-caller-identity", "--output", "json"], federated);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/by-itself` });
  });

  it("shows a refusal with its code and text", async () => {
    expect(await aws(await web("project-4712"))).toMatchObject(
      refused("AccessDenied", "AssumeRoleWithWebIdentity", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
    );
    const secret = { AWS_SECRET_ACCESS_KEY: "not-the-secret" };
    expect(await aws(["sts", "get-caller-identity"], secret)).toMatchObject(
      refused("SignatureDoesNotMatch", "GetCallerIdentity", "The request signature we calculated does not match the signature you provided."),
    );
    expect(await aws(["sts", "get-caller-identity"], { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" })).toMatchObject(
      refused("InvalidClientTokenId", "GetCallerIdentity", "The security token included in the request is invalid."),
    );
    expect(await aws(["iam", "get-role", "--role-name", "missing"])).toMatchObject(
      refused("NoSuchEntity", "GetRole", "The role with name missing cannot be found."),
    );
    expect(await aws(["sts", "get-session-token"])).toMatchObject(refused("InvalidAction", "GetSessionToken", "Could not find operation GetSessionToken for version 2011-06-15"));
  });

  it("reaches the other partitions", async () => {
    for (const [region, partition] of [["cn-north-1", "aws-cn"], ["us-gov-west-1", "aws-us-gov"]] as const) {
      const user = `arn:${partition}:iam::${ACCOUNT}:user/cloud-federation-sandbox/administrator`;
      expect(await json(["sts", "get-caller-identity"], {}, region)).toMatchObject({ Arn: user });
      expect(await json(["iam", "get-user"], {}, region)).toBeDefined();
    }
  });
});

const boto3Program = `
import boto3, json, sys
from botocore.exceptions import ClientError
token, role = sys.argv[1:]
sts = boto3.client("sts")
answer = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="boto3", WebIdentityToken=open(token).read())
keys = answer["Credentials"]
session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
try:
    session.client("iam").list_roles()
    refused = None
except ClientError as error:
    refused = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"], "RequestId" in error.response["ResponseMetadata"]
role = boto3.client("iam").get_role(RoleName="deployer")["Role"]
print(json.dumps({"arn": session.client("sts").get_caller_identity()["Arn"], "refused": refused, "subject": answer["SubjectFromWebIdentityToken"], "trust": role["AssumeRolePolicyDocument"], "created": role["CreateDate"].isoformat()}))
`;

(hasBoto3() ? describe.each<Way>(["proxy", "endpoint"]) : describe.skip.each<Way>(["proxy"]))("boto3 by %s", (way) => {
  it("exchanges, is refused, reads a role", async () => {
    sandbox.restore(fresh);
    const { caller } = sandbox.aws.administrator(ACCOUNT);
    const iam = (operation: string, input: Record<string, unknown>) => sandbox.aws.call(caller, "iam", operation, input, "eu-west-1");
    await iam("CreateOpenIDConnectProvider", { Url: defaultIssuerUrl, ClientIDList: [defaultAudience] });
    await iam("CreateRole", { RoleName: "deployer", Path: "/dcf/", AssumeRolePolicyDocument: JSON.stringify(trust) });
    writeFileSync(join(folder, "token"), await sandbox.issuers.mint({ subject: "project-4711" }));
    const { status, stdout, stderr } = await run("python3", ["-c", boto3Program, join(folder, "token"), roleArn], environment(way, "eu-west-1"));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/boto3`,
      refused: ["AccessDenied", 403, true],
      subject: "project-4711",
      trust,
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/) as string,
    });
  });
});
