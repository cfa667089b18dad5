/** Pulumi's AWS package as the sandbox plays it: its resource types, its functions, its provider's configuration. */
import { partitionOfRegion } from "../../facts/aws/partitions.js";
import type { ProviderTable, ResourceBehaviour } from "../types.js";
import { behaviour, type Definition } from "./resources/behaviour.js";
import * as codebuild from "./resources/codebuild.js";
import * as ecr from "./resources/ecr.js";
import * as iam from "./resources/iam.js";
import { createInvokes } from "./resources/invokes.js";
import * as kms from "./resources/kms.js";
import * as logs from "./resources/logs.js";
import { bucketLifecycleConfiguration } from "./resources/s3-lifecycle.js";
import * as s3 from "./resources/s3.js";
import type { AwsCloud, AwsScope } from "./types.js";

const definitions: readonly Definition[] = [
  codebuild.project,
  ecr.lifecyclePolicy,
  ecr.repository,
  ecr.repositoryPolicy,
  iam.openIdConnectProvider,
  iam.policy,
  iam.role,
  iam.rolePolicy,
  iam.rolePolicyAttachment,
  kms.alias,
  kms.key,
  logs.logGroup,
  s3.bucket,
  bucketLifecycleConfiguration,
  s3.bucketOwnershipControls,
  s3.bucketPolicy,
  s3.bucketPublicAccessBlock,
  s3.bucketServerSideEncryptionConfiguration,
  s3.bucketVersioning,
];

export function createAwsTable(cloud: AwsCloud): ProviderTable<AwsScope> {
  const resources = definitions.map((definition): [string, ResourceBehaviour<AwsScope>] => [definition.type, behaviour(cloud, definition)]);
  return {
    package: "aws",
    scope: (config) => scope(cloud, config),
    resources: new Map(resources),
    invokes: createInvokes(cloud),
  };
}

/** https://www.pulumi.com/registry/packages/aws/installation-configuration/ */
function scope(cloud: AwsCloud, config: Record<string, string>): AwsScope {
  const region = config.region ?? "";
  if (region === "") {
    throw new Error("Missing region information. Set it with `pulumi config set aws:region us-west-2`: the sandbox's provider does not see the shell's AWS_REGION.");
  }
  if (!partitionOfRegion(region)) throw new Error(`Invalid AWS Region: ${region}`);
  const accountId = account(cloud, config.accessKey);
  const allowed = accounts(config.allowedAccountIds);
  if (allowed.length > 0 && !allowed.includes(accountId)) throw new Error(`AWS account ID not allowed: ${accountId}`);
  if (accounts(config.forbiddenAccountIds).includes(accountId)) throw new Error(`AWS account ID not allowed: ${accountId}`);
  return { region, accountId };
}

/** Without a key in its configuration, a provider acts in the sandbox's own account: the table cannot see the program's environment. */
function account(cloud: AwsCloud, accessKeyId: string | undefined): string {
  if (accessKeyId === undefined || accessKeyId === "") return cloud.defaultAccountId;
  const accountId = cloud.accountOfAccessKey(accessKeyId);
  if (accountId !== undefined) return accountId;
  throw new Error("validating provider credentials: retrieving caller identity from STS: api error InvalidClientTokenId: The security token included in the request is invalid.");
}

/** A structured value of the configuration arrives as a JSON text. */
function accounts(json: string | undefined): string[] {
  const parsed: unknown = json === undefined || json === "" ? [] : JSON.parse(json);
  return Array.isArray(parsed) ? parsed.map(String) : [];
}
