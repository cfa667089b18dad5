/**
 * DCF in an AWS account: the trust in its workload, the role that it assumes, the bucket for its artifacts, and, where
 * configured, what builds and runs functions.
 */
import * as pulumi from "@pulumi/pulumi";
import { getCallerIdentity, type GetCallerIdentityResult } from "@pulumi/aws/getCallerIdentity.js";
import { getRegion } from "@pulumi/aws/getRegion.js";
import { adoptionMistakes, AwsArtifactBucket, AwsFederatedRole, AwsLambdaBuild, AwsOidcProvider, AwsRefusalBucket } from "../components/aws/index.js";
import { issuerName } from "../components/aws/trust-document.js";
import { CONTRACT_KIND, CONTRACT_VERSION, writeContract, type Contract } from "../contract/index.js";
import { accountRegionalBucketName, actionsOf, bucketNameViolation, partitionOfRegion, textRules, type PartitionName } from "../facts/aws/index.js";
import { SANDBOX_USER_PATH } from "../facts/sandbox.js";
import { loadConfig } from "./config.js";
import { dcfAwsConfigSchema, type DcfAwsConfig } from "./dcf-aws-config.js";
import {
  lambdaBuildArgs,
  lambdaBuildGrants,
  lambdaBuildMistakes,
  lambdaBuildNames,
  lambdaBuildTargets,
  type LambdaBuildMade,
} from "./dcf-aws-lambda-build.js";
import type { Integration } from "./integration.js";
import { boundedName } from "./names.js";

const NAME = "dcf-aws";

export const dcfAws: Integration = { name: NAME, configSchema: dcfAwsConfigSchema, program };

/** The account and region that the credentials and the provider's configuration lead to. */
interface Place {
  accountId: string;
  region: string;
  partition: PartitionName;
  environment: Contract["environment"];
}

async function program(): Promise<Record<string, unknown>> {
  const config = loadConfig(NAME, dcfAwsConfigSchema);
  const place = await findPlace(config);
  const { issuer, subject, audience } = config.workload;
  const iamArn = (resource: string) => `arn:${place.partition}:iam::${place.accountId}:${resource}`;
  const existingArn = config.oidcProvider.mode === "existing" ? iamArn(`oidc-provider/${issuerName(issuer)}`) : undefined;
  const base = `${NAME}-${pulumi.getStack()}`;
  const roleName = config.role.name ?? boundedName(base, "", textRules.roleName.max);
  const build = config.lambdaBuild && { config: config.lambdaBuild, names: lambdaBuildNames(config.lambdaBuild, base) };
  await refuseEarly(config, place, existingArn, build && lambdaBuildMistakes(build.config, build.names, roleName, iamArn("role/")));

  const provider = new AwsOidcProvider("dcf", {
    url: issuer,
    clientIds: [audience],
    ...(existingArn === undefined ? { retainOnDestroy: config.oidcProvider.retainOnDestroy, tags: config.tags } : { existingArn }),
  });
  const createdRoleArn = (name: string) => iamArn(`role${config.role.path}${name}`);
  const buildRoleArn = build?.config.project.mode === "create" ? createdRoleArn(build.names.serviceRole) : build?.config.project.serviceRoleArn;
  const keyUsers = [createdRoleArn(roleName), ...(buildRoleArn === undefined ? [] : [buildRoleArn])];
  const bucket = new AwsArtifactBucket("dcf-artifacts", bucketArgs(config, keyUsers));
  const artifacts = { bucketArn: bucket.bucketArn, bucketAccountId: bucket.accountId, kmsKeyArn: bucket.kmsKeyArn };
  const lambdaBuild = build && new AwsLambdaBuild("dcf-lambda", lambdaBuildArgs({ ...config, lambdaBuild: build.config }, build.names, artifacts));
  const role = new AwsFederatedRole("dcf", {
    workloads: [{ issuer, subject, audience, providerArn: provider.arn }],
    roleName,
    path: config.role.path,
    description: "Assumed by DCF with a web identity token",
    maxSessionDurationSeconds: config.role.maxSessionDurationSeconds,
    permissionsBoundaryArn: config.role.permissionsBoundaryArn,
    sessionName: config.role.sessionName,
    s3Objects: [{ ...artifacts, prefix: config.bucket.prefix }],
    ...(build && lambdaBuild
      ? {
          codebuildProjects: [{ projectArn: lambdaBuild.projectArn }],
          lambdaFunctions: [{ functionNamePrefix: build.config.functionNamePrefix, region: place.region, accountId: place.accountId, undeploy: build.config.undeploy }],
        }
      : {}),
    tags: config.tags,
  });
  const refusal = config.refusalBucket.enabled ? new AwsRefusalBucket("dcf-refusal", refusalArgs(config, place)) : undefined;

  const contract = pulumi
    .output({
      providerArn: provider.arn,
      roleArn: role.roleArn,
      bucketName: bucket.bucketName,
      bucketArn: bucket.bucketArn,
      kmsKeyArn: bucket.kmsKeyArn,
      refusalName: refusal?.bucketName,
      refusalArn: refusal?.bucketArn,
      build: lambdaBuild && {
        projectName: lambdaBuild.projectName,
        projectArn: lambdaBuild.projectArn,
        serviceRoleArn: lambdaBuild.serviceRoleArn,
        repositoryArn: lambdaBuild.repositoryArn,
        repositoryUri: lambdaBuild.repositoryUri,
        executionRoleArn: lambdaBuild.executionRoleArn,
      },
    })
    .apply((made) => writeContract(contractOf(config, place, made)));

  return {
    contract,
    roleArn: role.roleArn,
    region: place.region,
    accountId: place.accountId,
    bucketName: bucket.bucketName,
    ...(lambdaBuild && {
      codebuildProject: lambdaBuild.projectName,
      ecrRepositoryUri: lambdaBuild.repositoryUri,
      lambdaExecutionRoleArn: lambdaBuild.executionRoleArn,
    }),
    issuer,
    subject,
    audience,
    /** What DCF's deployment runner has in its environment, beside the token's file, and what its builds have in theirs. */
    env: { AWS_ROLE_ARN: role.roleArn, AWS_REGION: place.region, ...lambdaBuild?.environment },
  };
}

/** Stops before anything is registered when the credentials are not of the account that the stack is for. */
async function findPlace(config: DcfAwsConfig): Promise<Place> {
  const [caller, { region }] = await Promise.all([getCallerIdentity(), getRegion()]).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new pulumi.RunError(`AWS does not say who the credentials belong to: ${reason ?? ""}. Nothing was changed. Check the credentials (\`aws sts get-caller-identity\`) and the region (\`pulumi config set aws:region eu-west-1\`).`);
  });
  if (caller.accountId !== config.accountId) {
    throw new pulumi.RunError(`This stack is for account ${config.accountId}, but the credentials are of account ${caller.accountId} (${caller.arn}). Nothing was changed. Use credentials of ${config.accountId}, or choose the stack of ${caller.accountId}.`);
  }
  const partition = partitionOfRegion(region);
  if (!partition) throw new pulumi.RunError(`The region ${JSON.stringify(region)} is in no supported partition (aws, aws-us-gov, aws-cn). Set another with \`pulumi config set aws:region eu-west-1\`.`);
  return { accountId: caller.accountId, region, partition: partition.name, environment: environmentOf(caller) };
}

/** What only shows once the account and region are known, and would otherwise show when half of the stack is there. */
async function refuseEarly({ bucket, workload }: DcfAwsConfig, { accountId, region }: Place, existingArn: string | undefined, buildMistakes: string[] = []): Promise<void> {
  const lines = existingArn === undefined ? [] : (await adoptionMistakes(existingArn, [workload.audience])).map(({ reason }) => `oidcProvider.mode: ${reason}`);
  const name = bucket.accountRegionalName ? bucketNameViolation(accountRegionalBucketName(bucket.name, accountId, region)) : undefined;
  if (name !== undefined) lines.push(`bucket.name: with account and region behind it, the name ${name}`);
  lines.push(...buildMistakes);
  if (lines.length > 0) throw new pulumi.RunError(`${NAME} cannot be provisioned, and nothing was changed:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}

function environmentOf(caller: GetCallerIdentityResult): Contract["environment"] {
  return caller.arn.includes(`:user${SANDBOX_USER_PATH}`) ? "sandbox" : "cloud";
}

function bucketArgs({ bucket, tags }: DcfAwsConfig, userRoleArns: string[]) {
  const kms = bucket.encryption === "sse-s3" ? {} : { kms: bucket.kmsKeyArn === undefined ? { userRoleArns } : { existingKeyArn: bucket.kmsKeyArn } };
  return {
    bucketName: bucket.name,
    existing: bucket.mode === "existing",
    accountRegionalName: bucket.accountRegionalName,
    versioning: bucket.versioning,
    stagedBuildsExpireAfterDays: bucket.stagedBuildsExpireAfterDays,
    incompleteUploadsExpireAfterDays: bucket.incompleteUploadsExpireAfterDays,
    forceDestroy: bucket.forceDestroy,
    ...kms,
    ...(bucket.mode === "create" ? { tags } : {}),
  };
}

function refusalArgs({ bucket, refusalBucket, tags }: DcfAwsConfig, { accountId, region }: Place) {
  const accountRegionalName = bucket.accountRegionalName && refusalBucket.name === undefined;
  const rest = accountRegionalName ? accountRegionalBucketName("", accountId, region) : "";
  const bucketName = refusalBucket.name ?? boundedName(bucket.name, `-refusal${rest}`, textRules.bucketName.max);
  return { bucketName, accountRegionalName, tags };
}

interface Made {
  providerArn: string;
  roleArn: string;
  bucketName: string;
  bucketArn: string;
  kmsKeyArn: string | undefined;
  refusalName: string | undefined;
  refusalArn: string | undefined;
  build: LambdaBuildMade | undefined;
}

function contractOf(config: DcfAwsConfig, { accountId, region, partition, environment }: Place, made: Made): Contract {
  const bucketOwnership = config.bucket.mode === "create" ? "created" : "existing";
  const build = config.lambdaBuild && made.build && { config: config.lambdaBuild, made: made.build };
  const keyOwnership = config.bucket.kmsKeyArn === undefined ? "created" : "existing";
  return {
    kind: CONTRACT_KIND,
    version: CONTRACT_VERSION,
    integration: NAME,
    environment,
    workload: config.workload,
    exchange: {
      type: "aws-web-identity",
      partition,
      region,
      accountId,
      providerArn: made.providerArn,
      roleArn: made.roleArn,
      maxSessionDurationSeconds: config.role.maxSessionDurationSeconds,
      ...(config.role.sessionName === undefined ? {} : { sessionName: config.role.sessionName }),
    },
    grants: [
      {
        id: "artifacts",
        kind: "s3-objects",
        permissions: actionsOf("s3-objects"),
        bucket: made.bucketName,
        region,
        accountId,
        ...(config.bucket.prefix === undefined ? {} : { prefix: config.bucket.prefix }),
        ...(made.kmsKeyArn === undefined ? {} : { kmsKeyArn: made.kmsKeyArn }),
      },
      ...(build ? lambdaBuildGrants(build.config, build.made, { region, accountId }) : []),
    ],
    targets: [
      { kind: "iam-oidc-provider", id: made.providerArn, ownership: config.oidcProvider.mode === "create" ? "created" : "existing" },
      { kind: "iam-role", id: made.roleArn, ownership: "created" },
      { kind: "s3-bucket", id: made.bucketArn, region, ownership: bucketOwnership },
      ...(made.kmsKeyArn === undefined ? [] : [{ kind: "kms-key", id: made.kmsKeyArn, region, ownership: keyOwnership } as const]),
      ...(build ? lambdaBuildTargets(build.config, build.made, region) : []),
      ...(made.refusalArn === undefined ? [] : [{ kind: "s3-bucket", id: made.refusalArn, region, ownership: "created" } as const]),
    ],
    refusalTargets: made.refusalName === undefined ? [] : [{ kind: "s3-bucket", bucket: made.refusalName, region, accountId }],
  };
}
