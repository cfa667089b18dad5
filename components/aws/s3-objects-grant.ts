/** The grant kind `s3-objects`: artifacts in a bucket, as statements of the role's inline policy. */
import * as pulumi from "@pulumi/pulumi";
import { actionsOf, partitionNamed, textRules } from "../../facts/aws/index.js";
import { textViolation } from "../../facts/rules.js";
import { parseArn } from "../../trust/aws/arn.js";
import { knownOr, type InputChecks } from "../inputs.js";
import type { PolicyStatement } from "./policy.js";

/** Listing, reading, writing and deleting objects of one bucket. */
export interface S3ObjectsGrantArgs {
  /** ARN of the bucket. */
  bucketArn: pulumi.Input<string>;
  /** Account that owns the bucket. The grant is void if a bucket of that name ever belongs to another account. */
  bucketAccountId: pulumi.Input<string>;
  /** Key prefix below which the grant holds, such as `project-4711/`. Default: the whole bucket. */
  prefix?: pulumi.Input<string> | undefined;
  /** Key that the bucket encrypts with, if it is a KMS key: its use through S3 is granted too. */
  kmsKeyArn?: pulumi.Input<string> | undefined;
}

export interface S3ObjectsGrant {
  bucketArn: string;
  bucketAccountId: string;
  prefix?: string | undefined;
  kmsKeyArn?: string | undefined;
}

export function checkS3ObjectsGrant(checks: InputChecks, path: string, args: S3ObjectsGrantArgs): pulumi.Output<S3ObjectsGrant> {
  const rule = (key: string, value: pulumi.Input<string>, kind: "bucketArn" | "accountId" | "keyPrefix" | "kmsKeyArn") =>
    checks.value(`${path}.${key}`, value, (text) => textViolation(textRules[kind], text));
  return pulumi.output({
    bucketArn: rule("bucketArn", args.bucketArn, "bucketArn"),
    bucketAccountId: rule("bucketAccountId", args.bucketAccountId, "accountId"),
    ...(args.prefix === undefined ? {} : { prefix: rule("prefix", args.prefix, "keyPrefix") }),
    ...(args.kmsKeyArn === undefined ? {} : { kmsKeyArn: rule("kmsKeyArn", args.kmsKeyArn, "kmsKeyArn") }),
  });
}

/** The grant as far as it is known now, nowhere longer than it will be. */
export function shortestS3ObjectsGrant(args: S3ObjectsGrantArgs): S3ObjectsGrant {
  return {
    bucketArn: knownOr(args.bucketArn, "arn:aws:s3:::abc"),
    bucketAccountId: knownOr(args.bucketAccountId, textRules.accountId.example),
    prefix: args.prefix === undefined ? undefined : knownOr(args.prefix, "a"),
    kmsKeyArn: args.kmsKeyArn === undefined ? undefined : knownOr(args.kmsKeyArn, textRules.kmsKeyArn.example),
  };
}

/** Bucket actions on the bucket, object actions on its objects, the key only as S3 uses it. */
export function s3ObjectsStatements(grant: S3ObjectsGrant): PolicyStatement[] {
  const owner = { StringEquals: { "aws:ResourceAccount": grant.bucketAccountId } };
  const prefix = grant.prefix ?? "";
  const statements: PolicyStatement[] = [];
  const bucketActions = actionsOf("s3-objects", "bucket");
  if (prefix === "") {
    statements.push({ Effect: "Allow", Action: bucketActions, Resource: grant.bucketArn, Condition: owner });
  } else {
    // Only listing has a prefix to hold to.
    statements.push(
      { Effect: "Allow", Action: bucketActions.filter((action) => action !== "s3:ListBucket"), Resource: grant.bucketArn, Condition: owner },
      { Effect: "Allow", Action: "s3:ListBucket", Resource: grant.bucketArn, Condition: { ...owner, StringLike: { "s3:prefix": `${prefix}*` } } },
    );
  }
  statements.push({ Effect: "Allow", Action: actionsOf("s3-objects", "object"), Resource: `${grant.bucketArn}/${prefix}*`, Condition: owner });
  if (grant.kmsKeyArn !== undefined) {
    statements.push({
      Effect: "Allow",
      Action: actionsOf("s3-objects-kms", "key"),
      Resource: grant.kmsKeyArn,
      Condition: { StringEquals: { "kms:ViaService": s3ServiceOf(grant.kmsKeyArn) } },
    });
  }
  return statements;
}

/**
 * How KMS names S3 when S3 calls it, in the key's region.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
export function s3ServiceOf(keyArn: string): string {
  const arn = parseArn(keyArn);
  const partition = arn && partitionNamed(arn.partition);
  if (!partition) throw new Error(`not the ARN of a KMS key: ${keyArn}`);
  return `s3.${arn.region}.${partition.dnsSuffix}`;
}
