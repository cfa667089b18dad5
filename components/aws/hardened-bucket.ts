/** The bucket that every bucket component makes: nothing public, TLS only, encrypted, owned by the account alone. */
import type * as pulumi from "@pulumi/pulumi";
import * as s3 from "@pulumi/aws/s3/index.js";
import { policyDocument, serializePolicy } from "./policy.js";

export interface HardenedBucket {
  bucketName: pulumi.Input<string>;
  accountRegional: boolean;
  /** Absent: encrypted with S3's own keys. */
  kmsKeyArn?: pulumi.Input<string> | undefined;
  forceDestroy: boolean;
  tags: { tags?: pulumi.Output<Record<string, string>> };
}

/**
 * Makes the bucket and the settings that harden it, as children of the component.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
 */
export function hardenedBucket(parent: pulumi.ComponentResource, name: string, settings: HardenedBucket): s3.Bucket {
  const bucket = new s3.Bucket(
    name,
    {
      bucket: settings.bucketName,
      ...(settings.accountRegional ? { bucketNamespace: "account-regional" } : {}),
      ...(settings.forceDestroy ? { forceDestroy: true } : {}),
      ...settings.tags,
    },
    { parent },
  );
  const accessBlock = new s3.BucketPublicAccessBlock(
    `${name}-public-access`,
    { bucket: bucket.bucket, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    { parent },
  );
  new s3.BucketOwnershipControls(`${name}-ownership`, { bucket: bucket.bucket, rule: { objectOwnership: "BucketOwnerEnforced" } }, { parent });
  new s3.BucketServerSideEncryptionConfiguration(
    `${name}-encryption`,
    {
      bucket: bucket.bucket,
      rules: [
        settings.kmsKeyArn === undefined
          ? { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
          : { applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: settings.kmsKeyArn }, bucketKeyEnabled: true },
      ],
    },
    { parent },
  );
  new s3.BucketPolicy(
    `${name}-policy`,
    { bucket: bucket.bucket, policy: bucket.arn.apply(tlsOnly) },
    // S3 refuses two concurrent changes of a bucket's policy settings (OperationAborted).
    { parent, dependsOn: [accessBlock] },
  );
  return bucket;
}

/** Refuses every request that is not made over TLS, for the bucket and its objects. */
function tlsOnly(bucketArn: string): string {
  return serializePolicy(
    policyDocument([
      {
        Sid: "DenyInsecureTransport",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [bucketArn, `${bucketArn}/*`],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ]),
  );
}
