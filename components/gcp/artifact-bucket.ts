import * as pulumi from "@pulumi/pulumi";
import { getBucketOutput } from "@pulumi/gcp/storage/getBucket.js";
import { numberViolation } from "../../facts/rules.js";
import { childOptions, GcpChecks, lookupOptions, type Labels } from "./common.js";
import { hardenedBucket } from "./hardened-bucket.js";
import { numberRules } from "../../facts/gcp/limits.js";

export interface GcpArtifactBucketArgs {
  /** Id of the project that the bucket is in. */
  projectId: pulumi.Input<string>;
  /** Name of the bucket, unique in all of Google Cloud. */
  bucketName: pulumi.Input<string>;
  /** Region of the bucket. */
  location: pulumi.Input<string>;
  /** The bucket exists already: it is used as it is and nothing of it but its IAM policy is changed. @default false */
  existing?: boolean | undefined;
  /** Days for which deleted objects can be brought back, 7 to 90; 0 switches it off. @default 7 */
  softDeleteDays?: pulumi.Input<number> | undefined;
  /** Keep former versions of objects. @default false */
  versioning?: boolean | undefined;
  /** Nothing is ever removed by its age: for a bucket that files are delivered to instead of staged in. @default false */
  keepObjects?: boolean | undefined;
  /** Days after which staged builds (below `builds/`) are removed. @default 30 */
  stagedBuildsExpireAfterDays?: pulumi.Input<number> | undefined;
  /** Days after which uploads that never finished are removed. @default 7 */
  incompleteUploadsExpireAfterDays?: pulumi.Input<number> | undefined;
  /** On destroy, delete a created bucket even when it has objects in it. @default false */
  forceDestroy?: boolean | undefined;
  /** At most 64. */
  labels?: pulumi.Input<Labels> | undefined;
}

/** Where DCF stages the archives that builds read. */
export const STAGED_BUILDS_PREFIX = "builds/";

/**
 * The bucket for artifacts: created and hardened, or an existing one by reference.
 *
 * In a created bucket IAM alone decides (uniform access), public access is prevented whatever a policy says, deleted objects
 * can be brought back for a while, and what is staged is cleaned up.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class GcpArtifactBucket extends pulumi.ComponentResource {
  /** Known once the bucket exists. */
  readonly bucketName: pulumi.Output<string>;
  readonly location: pulumi.Output<string>;

  constructor(name: string, args: GcpArtifactBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpArtifactBucket", name, {}, opts);
    const checks = new GcpChecks(this, "GcpArtifactBucket", name);
    const projectId = checks.text("projectId", args.projectId, "projectId");
    const bucketName = checks.text("bucketName", args.bucketName, "bucketName");
    const location = checks.text("location", args.location, "region");
    const days = (path: keyof GcpArtifactBucketArgs, value: pulumi.Input<number>) => checks.value(path, value, (known) => numberViolation(numberRules.lifecycleDays, known));
    const stagedDays = days("stagedBuildsExpireAfterDays", args.stagedBuildsExpireAfterDays ?? 30);
    const uploadDays = days("incompleteUploadsExpireAfterDays", args.incompleteUploadsExpireAfterDays ?? 7);
    const softDeleteDays = checks.value("softDeleteDays", args.softDeleteDays ?? 7, softDeleteViolation);
    const labels = checks.labels(args.labels);
    if (args.existing) refuseSettingsOfExisting(checks, args);
    if (args.keepObjects && args.stagedBuildsExpireAfterDays !== undefined) checks.add("stagedBuildsExpireAfterDays", "has no effect with keepObjects: leave one of them out");
    checks.finish();

    if (args.existing) {
      const found = getBucketOutput({ name: bucketName, project: projectId }, lookupOptions(this, opts));
      this.bucketName = found.name;
    } else {
      const bucket = hardenedBucket(
        name,
        {
          projectId,
          bucketName,
          location,
          softDeleteDays,
          versioning: args.versioning ?? false,
          forceDestroy: args.forceDestroy ?? false,
          lifecycleRules: [
            ...(args.keepObjects ? [] : [{ action: { type: "Delete" }, condition: { age: stagedDays, matchesPrefixes: [STAGED_BUILDS_PREFIX] } }]),
            { action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: uploadDays } },
          ],
          labels,
        },
        childOptions(this, opts),
      );
      this.bucketName = bucket.name;
    }
    this.location = location;
    this.registerOutputs({ bucketName: this.bucketName, location: this.location });
  }
}

/** https://cloud.google.com/storage/docs/soft-delete#retention-duration */
export function softDeleteViolation(days: number): string | undefined {
  return days === 0 || (Number.isInteger(days) && days >= 7 && days <= 90) ? undefined : `must be a whole number from 7 to 90 (days), or 0 to switch it off; got ${days}`;
}

/** Settings that would have to change the bucket. */
function refuseSettingsOfExisting(checks: GcpChecks, args: GcpArtifactBucketArgs): void {
  for (const path of ["softDeleteDays", "versioning", "stagedBuildsExpireAfterDays", "incompleteUploadsExpireAfterDays", "forceDestroy", "keepObjects", "labels"] as const) {
    if (args[path] !== undefined && args[path] !== false) checks.add(path, "has no effect on an existing bucket, which is never changed: leave it out");
  }
}
