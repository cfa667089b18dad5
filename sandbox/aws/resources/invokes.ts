/** Functions of Pulumi's AWS package: what programs look up. */
import { partitionOfRegion } from "../../../facts/aws/partitions.js";
import type { InvokeBehaviour, Properties } from "../../types.js";
import type { AwsCloud, AwsScope } from "../types.js";
import { Api, during } from "./api.js";
import { openIdConnectProvider, policy, role } from "./iam.js";
import { addresses, headBucket } from "./s3.js";
import { list, object, text } from "./values.js";

/** Names in the AWS console: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html */
const regionDescriptions: Readonly<Record<string, string>> = {
  "us-east-1": "US East (N. Virginia)",
  "us-east-2": "US East (Ohio)",
  "us-west-1": "US West (N. California)",
  "us-west-2": "US West (Oregon)",
  "eu-central-1": "Europe (Frankfurt)",
  "eu-west-1": "Europe (Ireland)",
  "eu-west-2": "Europe (London)",
  "us-gov-east-1": "AWS GovCloud (US-East)",
  "us-gov-west-1": "AWS GovCloud (US-West)",
  "cn-north-1": "China (Beijing)",
  "cn-northwest-1": "China (Ningxia)",
};

export function createInvokes(cloud: AwsCloud): ReadonlyMap<string, InvokeBehaviour<AwsScope>> {
  type Lookup = (args: Properties, api: Api) => Promise<Properties>;
  const lookups: Record<string, Lookup> = {
    "aws:index/getCallerIdentity:getCallerIdentity": async (_args, api) => {
      const found = await during("reading STS Caller Identity", api.call("sts", "GetCallerIdentity", {}));
      return { accountId: found.Account, arn: found.Arn, id: found.Account, userId: found.UserId };
    },

    "aws:index/getRegion:getRegion": async (args, api) => {
      const region = text(args.region) ?? text(args.name) ?? api.scope.region;
      const partition = partitionOfRegion(region);
      if (!partition) throw new Error(`finding Region using argument "region" (${region}): no matching Region found`);
      const description = regionDescriptions[region] ?? region;
      return { description, endpoint: `ec2.${region}.${partition.dnsSuffix}`, id: region, name: region, region };
    },

    "aws:index/getPartition:getPartition": async (_args, api) => ({
      dnsSuffix: api.dnsSuffix,
      id: api.partition,
      partition: api.partition,
      reverseDnsPrefix: api.dnsSuffix.split(".").reverse().join("."),
    }),

    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": async (args, api) => {
      const arn = text(args.arn) ?? (await providerArn(api, text(args.url) ?? ""));
      const state = await openIdConnectProvider.read(arn, { api, region: api.scope.region }, {});
      if (!state) throw new Error(`reading IAM OIDC Provider (${arn}): couldn't find resource`);
      const { clientIdLists, tags, thumbprintLists, url } = state.outputs;
      return { arn, clientIdLists, id: arn, tags, thumbprintLists, url };
    },

    "aws:iam/getRole:getRole": async (args, api) => {
      const name = text(args.name) ?? "";
      const state = await role.read(name, { api, region: api.scope.region }, {});
      if (!state) throw new Error(`reading IAM Role (${name}): couldn't find resource`);
      const { arn, assumeRolePolicy, createDate, description, maxSessionDuration, path, permissionsBoundary, tags, uniqueId } = state.outputs;
      const rest = { arn, assumeRolePolicy, createDate, description, maxSessionDuration, path, permissionsBoundary, tags, uniqueId };
      return { ...rest, id: name, name, roleLastUseds: [] };
    },

    "aws:iam/getRoles:getRoles": async (args, api) => {
      const wanted = new RegExp(text(args.nameRegex) ?? "");
      const roles = (await listRoles(api, text(args.pathPrefix))).filter(({ name }) => wanted.test(name));
      const asked = { nameRegex: args.nameRegex, pathPrefix: args.pathPrefix };
      return { ...asked, arns: roles.map(({ arn }) => arn), id: api.scope.region, names: roles.map(({ name }) => name) };
    },

    "aws:iam/getPolicy:getPolicy": async (args, api) => {
      const arn = text(args.arn) ?? (await policyArn(api, text(args.name) ?? ""));
      const state = await policy.read(arn, { api, region: api.scope.region }, {});
      if (!state) throw new Error(`reading IAM Policy (${arn}): couldn't find resource`);
      const { namePrefix: _prefix, tagsAll: _tags, ...rest } = state.outputs;
      return { ...rest, id: arn };
    },

    "aws:s3/getBucket:getBucket": async (args, api) => {
      const bucket = text(args.bucket) ?? "";
      const region = text(args.region) ?? api.scope.region;
      const head = await during(`reading S3 Bucket (${bucket})`, headBucket(api, bucket, region));
      if (!head) throw new Error(`reading S3 Bucket (${bucket}): couldn't find resource`);
      const at = text(head.BucketRegion) ?? region;
      return { ...addresses(bucket, at, api), id: bucket, region, websiteDomain: "", websiteEndpoint: "" };
    },
  };
  return new Map(Object.entries(lookups).map(([token, lookup]): [string, InvokeBehaviour<AwsScope>] => [token, (args, scope) => lookup(args, new Api(cloud, scope))]));
}

async function providerArn(api: Api, url: string): Promise<string> {
  const wanted = `:oidc-provider/${url.replace(/^https:\/\//, "")}`;
  const { OpenIDConnectProviderList } = await during("listing IAM OIDC Providers", api.call("iam", "ListOpenIDConnectProviders", {}));
  const arn = list(OpenIDConnectProviderList).map((each) => text(object(each).Arn)).find((each) => each?.endsWith(wanted));
  if (arn === undefined) throw new Error(`finding IAM OIDC Provider by url (${url}): couldn't find resource`);
  return arn;
}

/** All pages. */
async function listRoles(api: Api, pathPrefix: string | undefined): Promise<{ arn: string; name: string }[]> {
  const found: { arn: string; name: string }[] = [];
  let marker: string | undefined;
  do {
    const input = { ...(pathPrefix !== undefined && { PathPrefix: pathPrefix }), ...(marker !== undefined && { Marker: marker }) };
    const answer = await during("reading IAM Roles", api.call("iam", "ListRoles", input));
    found.push(...list(answer.Roles).map(object).map(({ Arn, RoleName }) => ({ arn: text(Arn) ?? "", name: text(RoleName) ?? "" })));
    marker = text(answer.Marker);
  } while (marker !== undefined);
  return found;
}

async function policyArn(api: Api, name: string): Promise<string> {
  const { Policies } = await during("listing IAM Policies", api.call("iam", "ListPolicies", {}));
  const arn = list(Policies).map(object).find(({ PolicyName }) => PolicyName === name)?.Arn;
  if (typeof arn !== "string") throw new Error(`no IAM policy found matching criteria (Name: ${name}); try different search`);
  return arn;
}
