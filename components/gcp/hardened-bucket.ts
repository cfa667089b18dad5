/** The bucket that every bucket component makes: nothing public, IAM alone decides, deleted objects can be brought back for a while. */
import type * as pulumi from "@pulumi/pulumi";
import { Bucket, type BucketArgs } from "@pulumi/gcp/storage/bucket.js";

export interface HardenedBucket {
  projectId: pulumi.Input<string>;
  bucketName: pulumi.Input<string>;
  location: pulumi.Input<string>;
  softDeleteDays: pulumi.Output<number>;
  versioning: boolean;
  forceDestroy: boolean;
  lifecycleRules: NonNullable<BucketArgs["lifecycleRules"]>;
  labels: { labels?: pulumi.Output<Record<string, string>> };
}

const SECONDS_PER_DAY = 86_400;

/** https://cloud.google.com/storage/docs/best-practices */
export function hardenedBucket(name: string, settings: HardenedBucket, options: pulumi.CustomResourceOptions): Bucket {
  return new Bucket(
    name,
    {
      project: settings.projectId,
      name: settings.bucketName,
      location: settings.location,
      uniformBucketLevelAccess: true,
      publicAccessPrevention: "enforced",
      softDeletePolicy: { retentionDurationSeconds: settings.softDeleteDays.apply((days) => days * SECONDS_PER_DAY) },
      ...(settings.versioning ? { versioning: { enabled: true } } : {}),
      lifecycleRules: settings.lifecycleRules,
      ...(settings.forceDestroy ? { forceDestroy: true } : {}),
      ...settings.labels,
    },
    options,
  );
}
