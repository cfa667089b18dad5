/** An administrator who changes a customer's account behind the stack's back. */
import type { Contract } from "../../contract/index.js";
import type { AwsAccessKey } from "../../sandbox/aws/types.js";
import type { Sandbox } from "../../sandbox/index.js";
import { bucketGrantOf, exchangeOf } from "./dcf-aws.js";

/** As it stands in a policy document. */
export interface Statement {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Principal?: unknown;
  Action: string | string[];
  Resource?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

interface PolicyDocument {
  Version: string;
  Statement: Statement[];
}

type Service = "iam" | "s3" | "kms" | "codebuild" | "ecr" | "lambda" | "logs";

export const policyText = (...statements: Statement[]): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });

/** An account with nothing in it that anybody was told about. */
export const STRANGER = "444455556666";

export class Administrator {
  readonly accountId: string;
  readonly region: string;
  readonly providerArn: string;
  readonly roleArn: string;
  readonly roleName: string;
  readonly bucket: string;
  readonly bucketArn: string;

  constructor(
    readonly sandbox: Sandbox,
    readonly contract: Contract,
  ) {
    const { accountId, region, providerArn, roleArn } = exchangeOf(contract);
    this.accountId = accountId;
    this.region = region;
    this.providerArn = providerArn;
    this.roleArn = roleArn;
    this.roleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
    this.bucket = bucketGrantOf(contract).bucket;
    this.bucketArn = `arn:aws:s3:::${this.bucket}`;
  }

  /** Calls AWS past the wire, as the administrator of this account or another. */
  async call(service: Service, operation: string, input: object, where: { accountId?: string; region?: string } = {}): Promise<Record<string, unknown>> {
    const { accountId = this.accountId, region = this.region } = where;
    const { caller } = this.sandbox.aws.administrator(accountId);
    return this.sandbox.aws.call(caller, service, operation, { ...input }, region);
  }

  /** A user who may read everything in the account's configuration, and change nothing. */
  async createReader(): Promise<AwsAccessKey> {
    const UserName = "engineer";
    await this.call("iam", "CreateUser", { UserName });
    await this.call("iam", "AttachUserPolicy", { UserName, PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" });
    const { AccessKey: key } = (await this.call("iam", "CreateAccessKey", { UserName })) as { AccessKey: { AccessKeyId: string; SecretAccessKey: string } };
    return { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey };
  }

  // ---- provider ----

  async createProvider(Url: string, accountId = this.accountId): Promise<void> {
    await this.call("iam", "CreateOpenIDConnectProvider", { Url, ClientIDList: [this.contract.workload.audience] }, { accountId });
  }

  async deleteProvider(): Promise<void> {
    await this.call("iam", "DeleteOpenIDConnectProvider", { OpenIDConnectProviderArn: this.providerArn });
  }

  // ---- role ----

  async trust(): Promise<PolicyDocument> {
    const { Role: role } = (await this.call("iam", "GetRole", { RoleName: this.roleName })) as { Role: { AssumeRolePolicyDocument: string } };
    return JSON.parse(role.AssumeRolePolicyDocument) as PolicyDocument;
  }

  async setTrust(...statements: Statement[]): Promise<void> {
    await this.call("iam", "UpdateAssumeRolePolicy", { RoleName: this.roleName, PolicyDocument: policyText(...statements) });
  }

  /** Changes the trust's only statement. */
  async editTrust(change: (statement: Statement) => Partial<Statement>): Promise<void> {
    const { Statement: statements } = await this.trust();
    await this.setTrust(...statements.map((statement) => ({ ...statement, ...change(statement) })));
  }

  /** Sets claims that the trust demands under StringEquals. */
  async editTrustedClaims(claims: Record<string, string>): Promise<void> {
    const issuer = this.contract.workload.issuer.slice("https://".length);
    const changed = Object.fromEntries(Object.entries(claims).map(([claim, value]) => [`${issuer}:${claim}`, value]));
    await this.editTrust(({ Condition }) => ({ Condition: { ...Condition, StringEquals: { ...Condition?.["StringEquals"], ...changed } } }));
  }

  async permissions(): Promise<PolicyDocument> {
    const { PolicyDocument: text } = await this.call("iam", "GetRolePolicy", { RoleName: this.roleName, PolicyName: "s3-objects" });
    return JSON.parse(String(text)) as PolicyDocument;
  }

  async setPermissions(statements: Statement[], name = "s3-objects"): Promise<void> {
    await this.call("iam", "PutRolePolicy", { RoleName: this.roleName, PolicyName: name, PolicyDocument: policyText(...statements) });
  }

  /** Takes one action away, wherever it is granted. */
  async withholdAction(action: string): Promise<void> {
    const { Statement: statements } = await this.permissions();
    const kept = statements.map((statement) => ({ ...statement, Action: [statement.Action].flat().filter((each) => each !== action) }));
    await this.setPermissions(kept.filter((statement) => statement.Action.length > 0));
  }

  /** Puts a managed policy of these statements over the role. */
  async bound(...statements: Statement[]): Promise<void> {
    const { Policy: policy } = (await this.call("iam", "CreatePolicy", { PolicyName: "boundary", PolicyDocument: policyText(...statements) })) as { Policy: { Arn: string } };
    await this.call("iam", "PutRolePermissionsBoundary", { RoleName: this.roleName, PermissionsBoundary: policy.Arn });
  }

  async deleteRole(): Promise<void> {
    const { PolicyNames } = (await this.call("iam", "ListRolePolicies", { RoleName: this.roleName })) as { PolicyNames: string[] };
    for (const PolicyName of PolicyNames) await this.call("iam", "DeleteRolePolicy", { RoleName: this.roleName, PolicyName });
    await this.call("iam", "DeleteRole", { RoleName: this.roleName });
  }

  /** A role of the same name, trust and permissions. */
  async createRole(trust: PolicyDocument, permissions: PolicyDocument, accountId = this.accountId): Promise<void> {
    await this.call("iam", "CreateRole", { RoleName: this.roleName, AssumeRolePolicyDocument: JSON.stringify(trust) }, { accountId });
    await this.call("iam", "PutRolePolicy", { RoleName: this.roleName, PolicyName: "s3-objects", PolicyDocument: JSON.stringify(permissions) }, { accountId });
  }

  /** The role goes and comes back as it was, but for its unique id. */
  async recreateRole(): Promise<void> {
    const [trust, permissions] = [await this.trust(), await this.permissions()];
    await this.deleteRole();
    await this.createRole(trust, permissions);
  }

  async roleId(): Promise<string> {
    const { Role: role } = (await this.call("iam", "GetRole", { RoleName: this.roleName })) as { Role: { RoleId: string } };
    return role.RoleId;
  }

  // ---- organisation ----

  /** Attaches a policy of the organisation to the account. Nobody in the account can read it. */
  control(kind: "scp" | "rcp", ...statements: Statement[]): void {
    this.sandbox.store.put(`aws:organizations/${kind}`, `${this.accountId}/p-guardrail`, { name: "p-guardrail", document: policyText(...statements) });
  }

  // ---- bucket and key ----

  /** Adds to what the bucket's policy says already. */
  async addToBucketPolicy(...statements: Statement[]): Promise<void> {
    const { Policy: text } = await this.call("s3", "GetBucketPolicy", { Bucket: this.bucket });
    const { Statement: present } = JSON.parse(String(text)) as PolicyDocument;
    await this.call("s3", "PutBucketPolicy", { Bucket: this.bucket, Policy: policyText(...present, ...statements) });
  }

  async deleteBucket(): Promise<void> {
    const { Contents: objects = [] } = (await this.call("s3", "ListObjectsV2", { Bucket: this.bucket })) as { Contents?: { Key: string }[] };
    for (const { Key } of objects) await this.call("s3", "DeleteObject", { Bucket: this.bucket, Key });
    await this.call("s3", "DeleteBucket", { Bucket: this.bucket });
  }

  async createBucket(region: string, accountId = this.accountId): Promise<void> {
    await this.call("s3", "CreateBucket", { Bucket: this.bucket, CreateBucketConfiguration: { LocationConstraint: region } }, { accountId, region });
  }

  /** The KMS key that the contract grants. */
  get keyArn(): string {
    const { kmsKeyArn } = bucketGrantOf(this.contract);
    if (kmsKeyArn === undefined) throw new Error("The bucket of this contract has no KMS key.");
    return kmsKeyArn;
  }

  async keyPolicy(): Promise<PolicyDocument> {
    const { Policy: text } = await this.call("kms", "GetKeyPolicy", { KeyId: this.keyArn });
    return JSON.parse(String(text)) as PolicyDocument;
  }

  async setKeyPolicy(statements: Statement[]): Promise<void> {
    await this.call("kms", "PutKeyPolicy", { KeyId: this.keyArn, Policy: policyText(...statements) });
  }
}
