/** Klavi's own side: an AWS account with identities that sign requests for the partner's provider, the right ones and others. */
import type { Contract } from "../../contract/index.js";
import type { Sandbox } from "../../sandbox/index.js";
import { awsCredentialsToken, type TokenOrder, type TokenSource } from "../../verify/index.js";
import { corruptAwsSignature, type AwsRequestCredentials } from "../../verify/gcp/aws-request.js";

const REGION = "us-east-1";

/** An account that Klavi has nothing to do with. */
export const OTHER_ACCOUNT = "444455556666";

/** Who signs. */
export class Klavi {
  readonly accountId: string;
  readonly roleName: string;

  constructor(
    readonly sandbox: Sandbox,
    readonly contract: Contract,
  ) {
    const { subject } = contract.workload;
    this.accountId = subject.split(":")[4] ?? "";
    this.roleName = subject.split("/")[1] ?? "";
  }

  async call<T = Record<string, unknown>>(service: "iam" | "sts", operation: string, input: Record<string, unknown>, accountId = this.accountId): Promise<T> {
    const { caller } = this.sandbox.aws.administrator(accountId);
    return (await this.sandbox.aws.call(caller, service, operation, input, REGION)) as T;
  }

  async createRole(RoleName = this.roleName, { path = "/", accountId = this.accountId }: { path?: string; accountId?: string } = {}): Promise<void> {
    const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Action: "sts:AssumeRole" }] };
    await this.call("iam", "CreateRole", { RoleName, Path: path, AssumeRolePolicyDocument: JSON.stringify(trust) }, accountId);
  }

  async session(name = "delivery", { role = this.roleName, path = "/", accountId = this.accountId }: { role?: string; path?: string; accountId?: string } = {}): Promise<AwsRequestCredentials> {
    const { Credentials: keys } = await this.call<{ Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string } }>(
      "sts",
      "AssumeRole",
      { RoleArn: `arn:aws:iam::${accountId}:role${path}${role}`, RoleSessionName: name },
      accountId,
    );
    return { accessKeyId: keys.AccessKeyId, secretAccessKey: keys.SecretAccessKey, sessionToken: keys.SessionToken };
  }

  /** A new IAM user's access key. */
  async user(UserName: string, path = "/"): Promise<AwsRequestCredentials> {
    await this.call("iam", "CreateUser", { UserName, Path: path });
    const { AccessKey: key } = await this.call<{ AccessKey: { AccessKeyId: string; SecretAccessKey: string } }>("iam", "CreateAccessKey", { UserName });
    return { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey };
  }

  /** Signs for the contract's provider, unless it is told otherwise. */
  source(credentials: AwsRequestCredentials, order: TokenOrder = {}): TokenSource {
    const signer = awsCredentialsToken(async () => credentials, this.contract.workload.audience, REGION);
    return { ...signer, token: (signal, more) => signer.token(signal, { ...order, ...more }) };
  }

  corrupted(credentials: AwsRequestCredentials): TokenSource {
    const signer = this.source(credentials);
    return { ...signer, token: async (signal, order) => corruptAwsSignature(await signer.token(signal, order)) };
  }
}
