/** What a verification would do, before it does anything: every call, every object, what it costs, what may stay. */
import type { ReadContract } from "../../contract/index.js";
import type { AwsExchange } from "../../contract/schema.js";
import { probeKey } from "./bucket.js";
import { buildAccountPlan, buildPlan } from "./build-plan.js";
import { SESSION_PREFIX } from "./run.js";
import { DEPTHS, type Depth, type VerifyOptions } from "../options.js";

/** Stands for what is chosen anew in each run. */
const RUN = "<run id>";

export function planText(contract: ReadContract, options: VerifyOptions): string {
  const { exchange } = contract;
  if (exchange.type !== "aws-web-identity") return "";
  const parts = [heading(contract, exchange), issuerPlan(contract)];
  if (options.token) parts.push(tokenPlan(exchange, options));
  if (options.account) parts.push(accountPlan(contract));
  parts.push(rest(contract, options));
  return `${parts.flat().join("\n")}\n`;
}

function heading({ integration, workload }: ReadContract, exchange: AwsExchange): string[] {
  return [
    `Plan for ${integration} in account ${exchange.accountId} (${exchange.region}); nothing is done.`,
    `Workload: ${workload.subject} of ${workload.issuer}, audience ${workload.audience}`,
    "",
  ];
}

function issuerPlan({ workload }: ReadContract): string[] {
  return ["From here to the issuer:", `  GET ${workload.issuer.replace(/\/$/, "")}/.well-known/openid-configuration, and the jwks_uri in it`];
}

function tokenPlan(exchange: AwsExchange, { token, refusals = true, depth = "storage" }: VerifyOptions): string[] {
  const session = exchange.sessionName ?? `${SESSION_PREFIX}-${RUN}`;
  const made = token ? [...token.variations] : [];
  const broken = [
    "a corrupted signature",
    "a role that does not exist",
    ...(made.includes("audience") ? ["another audience"] : []),
    ...(made.includes("subject") ? ["another subject"] : []),
    ...(made.includes("expiresInSeconds") ? ["an expired token"] : []),
  ];
  return [
    `With the token (${token?.description ?? ""}):`,
    `  sts:AssumeRoleWithWebIdentity on ${exchange.roleArn}, not signed, session ${session}, 15 minutes`,
    "  sts:GetCallerIdentity",
    ...(refusals ? broken.map((what) => `  sts:AssumeRoleWithWebIdentity with ${what}, to be refused`) : []),
    ...(DEPTHS.indexOf(depth) >= DEPTHS.indexOf("storage") ? [] : ["  no storage: --depth identity"]),
  ];
}

function accountPlan(contract: ReadContract): string[] {
  const { grants, refusalTargets } = contract;
  const buckets = grants.flatMap((grant) => (grant.kind === "s3-objects" ? [grant.bucket] : []));
  const keys = grants.flatMap((grant) => (grant.kind === "s3-objects" && grant.kmsKeyArn !== undefined ? [grant.kmsKeyArn] : []));
  const refused = refusalTargets.flatMap((target) => (target.kind === "s3-bucket" ? [target.bucket] : []));
  return [
    "With the account's own credentials (--account), reads only:",
    "  sts:GetCallerIdentity, iam:GetOpenIDConnectProvider, iam:ListOpenIDConnectProviders",
    "  iam:GetRole, iam:ListRolePolicies, iam:GetRolePolicy, iam:ListAttachedRolePolicies, iam:GetPolicy, iam:GetPolicyVersion",
    `  s3:GetBucketLocation, s3:GetBucketPolicy, s3:GetBucketPublicAccessBlock, s3:GetEncryptionConfiguration, s3:GetBucketVersioning, s3:GetBucketOwnershipControls on ${[...buckets, ...refused].join(", ")}`,
    "  s3:ListAllMyBuckets, only if a bucket turns out to belong to somebody else",
    ...(keys.length === 0 ? [] : [`  kms:DescribeKey, kms:GetKeyPolicy on ${keys.join(", ")}`]),
    ...buildAccountPlan(contract),
  ];
}

function rest(contract: ReadContract, options: VerifyOptions): string[] {
  const reaches = (depth: Depth) => options.token !== undefined && DEPTHS.indexOf(options.depth ?? "storage") >= DEPTHS.indexOf(depth);
  const storage = reaches("storage");
  const grants = storage ? contract.grants.filter((grant) => grant.kind === "s3-objects") : [];
  const lines = grants.flatMap((grant) => [
    `In bucket ${grant.bucket}, as the session, each call with the expected owner ${grant.accountId}:`,
    `  s3:GetBucketLocation`,
    `  s3:PutObject ${probeKey(grant, RUN)} (64 random bytes, only if there is no such object), s3:GetObject, s3:ListBucket, s3:DeleteObject, s3:ListBucket`,
  ]);
  const refused = storage && options.refusals !== false ? contract.refusalTargets.flatMap((target) => (target.kind === "s3-bucket" ? [target.bucket] : [])) : [];
  if (refused.length > 0) lines.push(`To be refused, as the session: s3:ListBucket on ${refused.join(", ")}`);
  const builds = reaches("runtime")
    ? buildPlan(contract, { runId: RUN, deploys: reaches("deploy"), refusals: options.refusals !== false, acceptResidue: options.acceptResidue ?? false })
    : { calls: [], cost: [], residue: [] };
  const deeper = builds.calls.length === 0 && DEPTHS.indexOf(options.depth ?? "storage") > DEPTHS.indexOf("storage") ? [`Depth ${options.depth ?? ""}: nothing deeper in this contract.`] : [];
  const objects = grants.map((grant) => `  ${grant.bucket}: ${residueOf(grant.permissions.includes("s3:DeleteObject"), options.acceptResidue ?? false)}`);
  return [
    ...lines,
    ...builds.calls,
    ...deeper,
    `Cost: ${grants.length === 0 ? "none" : `6 S3 requests and 64 bytes for a moment in each bucket, far below 0.01 USD`}`,
    ...builds.cost.map((cost) => `      ${cost}`),
    ...(objects.length === 0 ? ["Residue: none"] : ["Residue:", ...objects, ...builds.residue.map((what) => `  ${what}`)]),
  ];
}

function residueOf(deletable: boolean, accepted: boolean): string {
  if (!deletable) return accepted ? "the object stays, since nothing may delete it" : "none: the object could not be deleted, so none is put (--accept-residue allows it)";
  return accepted
    ? "none; where the bucket keeps versions, one object version and one delete marker stay"
    : "none; where --account shows that the bucket keeps versions, nothing is put; where that only shows by putting, one object version and one delete marker stay and are listed";
}
