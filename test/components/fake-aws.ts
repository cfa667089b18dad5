/**
 * AWS as far as the programs' own decisions need it: every resource is taken as it is given, and answered with the ARNs
 * that the real provider makes. The sandbox's own behaviour is tested elsewhere, against real clients.
 */
import { runEmbedded, type EmbeddedResource, type EmbeddedResult } from "../../engine/embedded.js";
import type { InvokeBehaviour, Properties, ProviderScope, ProviderTable, ResourceBehaviour } from "../../sandbox/types.js";

export interface FakeAws {
  accountId: string;
  region: string;
  callerArn: string;
  partition: string;
  /** OIDC providers of the account, by ARN. */
  providers: Record<string, { url: string; clientIdLists: string[] }>;
  /** Trust policies of the account's roles, by ARN; an Error where the role cannot be read. */
  roles: Record<string, string | Error>;
  /** Set to have `getRoles` fail so. */
  rolesError?: string;
  /** Set to have `getCallerIdentity` fail so. */
  identityError?: string;
}

export const fakeAws = (overrides: Partial<FakeAws> = {}): FakeAws => ({
  accountId: "111122223333",
  region: "eu-west-1",
  partition: "aws",
  callerArn: "arn:aws:iam::111122223333:user/admin",
  providers: {},
  roles: {},
  ...overrides,
});

const nameOfRole = (arn: string) => arn.slice(arn.lastIndexOf("/") + 1);

type OutputsOf = (inputs: Properties, cloud: FakeAws) => Properties;

const keyArn = ({ partition, region, accountId }: FakeAws) => `arn:${partition}:kms:${region}:${accountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

const types: Record<string, OutputsOf> = {
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": ({ url }, cloud) => ({
    arn: `arn:${cloud.partition}:iam::${cloud.accountId}:oidc-provider/${String(url).replace("https://", "")}`,
  }),
  "aws:iam/role:Role": ({ name, path }, cloud) => ({
    arn: `arn:${cloud.partition}:iam::${cloud.accountId}:role${typeof path === "string" ? path : "/"}${String(name)}`,
  }),
  "aws:iam/rolePolicy:RolePolicy": () => ({}),
  "aws:s3/bucket:Bucket": ({ bucket }, cloud) => ({ arn: `arn:${cloud.partition}:s3:::${String(bucket)}` }),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": () => ({}),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": () => ({}),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": () => ({}),
  "aws:s3/bucketPolicy:BucketPolicy": () => ({}),
  "aws:s3/bucketVersioning:BucketVersioning": () => ({}),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": () => ({}),
  "aws:codebuild/project:Project": ({ name }, cloud) => ({ arn: `arn:${cloud.partition}:codebuild:${cloud.region}:${cloud.accountId}:project/${String(name)}` }),
  "aws:ecr/repository:Repository": ({ name }, cloud) => ({
    arn: `arn:${cloud.partition}:ecr:${cloud.region}:${cloud.accountId}:repository/${String(name)}`,
    repositoryUrl: `${cloud.accountId}.dkr.ecr.${cloud.region}.amazonaws.com${cloud.partition === "aws-cn" ? ".cn" : ""}/${String(name)}`,
  }),
  "aws:ecr/repositoryPolicy:RepositoryPolicy": () => ({}),
  "aws:cloudwatch/logGroup:LogGroup": ({ name }, cloud) => ({ arn: `arn:${cloud.partition}:logs:${cloud.region}:${cloud.accountId}:log-group:${String(name)}` }),
  "aws:kms/key:Key": (_inputs, cloud) => ({ arn: keyArn(cloud) }),
};

export function fakeAwsTable(cloud: FakeAws): ProviderTable {
  const scope: ProviderScope = { region: cloud.region, accountId: cloud.accountId };
  const behaviour = (type: string, outputsOf: OutputsOf): ResourceBehaviour => ({
    type,
    replaceOn: [],
    check: (inputs) => ({ inputs, failures: [] }),
    create: async (inputs) => ({ id: `id-of-${JSON.stringify(inputs).length}`, outputs: { ...inputs, ...outputsOf(inputs, cloud) } }),
    read: async () => undefined,
    update: async (_id, _olds, news) => news,
    delete: async () => undefined,
  });
  return {
    package: "aws",
    scope: () => scope,
    resources: new Map(Object.entries(types).map(([type, outputsOf]) => [type, behaviour(type, outputsOf)])),
    invokes: new Map<string, InvokeBehaviour>([
      [
        "aws:index/getCallerIdentity:getCallerIdentity",
        async () => {
          if (cloud.identityError !== undefined) throw new Error(cloud.identityError);
          return { accountId: cloud.accountId, arn: cloud.callerArn, userId: "AIDAEXAMPLE", id: cloud.accountId };
        },
      ],
      ["aws:index/getRegion:getRegion", async () => ({ region: cloud.region, name: cloud.region, id: cloud.region, endpoint: "", description: "" })],
      [
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
        async ({ arn }) => {
          const found = cloud.providers[String(arn)];
          if (!found) throw new Error(`reading IAM OIDC Provider (${String(arn)}): couldn't find resource`);
          return { arn, id: arn, tags: {}, thumbprintLists: [], ...found };
        },
      ],
      [
        "aws:iam/getRoles:getRoles",
        async () => {
          if (cloud.rolesError !== undefined) throw new Error(cloud.rolesError);
          const arns = Object.keys(cloud.roles);
          return { arns, names: arns.map(nameOfRole), id: cloud.region };
        },
      ],
      [
        "aws:iam/getRole:getRole",
        async ({ name }) => {
          const [arn, trust] = Object.entries(cloud.roles).find(([each]) => nameOfRole(each) === name) ?? [];
          if (typeof trust !== "string") throw trust ?? new Error(`reading IAM Role (${String(name)}): couldn't find resource`);
          return { arn, name, id: name, assumeRolePolicy: trust };
        },
      ],
    ]),
  };
}

export interface Run {
  result: EmbeddedResult;
  /** The resources that are no components, by logical name. */
  children: Map<string, EmbeddedResource>;
  child(name: string): EmbeddedResource;
}

export async function run(program: () => unknown, cloud = fakeAws(), config: Record<string, string> = {}, preview = false): Promise<Run> {
  const result = await runEmbedded({
    program: async () => (await program()) as Record<string, unknown> | undefined,
    project: "cloud-federation",
    stack: "test",
    config,
    preview,
    tables: [fakeAwsTable(cloud)],
  });
  const children = new Map(result.resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:")).map((resource) => [resource.name, resource]));
  const child = (name: string) => {
    const found = children.get(name);
    if (!found) throw new Error(`no resource ${name}; there are: ${[...children.keys()].join(", ")}`);
    return found;
  };
  return { result, children, child };
}

/** A policy input as the document that it is. */
export function document(resource: EmbeddedResource, property: string): { Version: string; Statement: Record<string, unknown>[] } {
  return JSON.parse(String(resource.inputs[property])) as { Version: string; Statement: Record<string, unknown>[] };
}
