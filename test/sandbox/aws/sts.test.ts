import { CreateOpenIDConnectProviderCommand, CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { defaultAudience, defaultIssuerUrl, startSandbox, type Sandbox } from "../../../sandbox/index.js";

const region = "eu-west-1";
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

it("exchanges a token for a session that knows who it is", async () => {
  const { accessKey } = sandbox.aws.administrator("111122223333");
  const iam = new IAMClient({ region, endpoint: sandbox.url, credentials: accessKey });
  const provider = await iam.send(new CreateOpenIDConnectProviderCommand({ Url: defaultIssuerUrl, ClientIDList: [defaultAudience] }));
  const host = defaultIssuerUrl.replace("https://", "");
  const trust = {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: provider.OpenIDConnectProviderArn },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: { StringEquals: { [`${host}:aud`]: defaultAudience, [`${host}:sub`]: "project-4711" } },
      },
    ],
  };
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "deployer", AssumeRolePolicyDocument: JSON.stringify(trust) }));
  const token = await sandbox.issuers.mint({ subject: "project-4711" });
  const sts = new STSClient({ region, endpoint: sandbox.url });
  const answer = await sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: Role!.Arn, RoleSessionName: "one", WebIdentityToken: token }));
  const c = answer.Credentials!;
  const me = await new STSClient({ region, endpoint: sandbox.url, credentials: { accessKeyId: c.AccessKeyId!, secretAccessKey: c.SecretAccessKey!, sessionToken: c.SessionToken! } }).send(new GetCallerIdentityCommand({}));
  expect(me.Arn).toBe("arn:aws:sts::111122223333:assumed-role/deployer/one");
  expect(answer).toMatchObject({ Provider: provider.OpenIDConnectProviderArn, Audience: defaultAudience, SubjectFromWebIdentityToken: "project-4711" });
});
