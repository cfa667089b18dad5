import * as pulumi from "@pulumi/pulumi";
import { childOptions, GcpChecks, type Labels } from "./common.js";
import { hardenedBucket } from "./hardened-bucket.js";

export interface GcpRefusalBucketArgs {
  /** Id of the project that the bucket is in. */
  projectId: pulumi.Input<string>;
  /** Name of the bucket, unique in all of Google Cloud. */
  bucketName: pulumi.Input<string>;
  /** Region of the bucket. */
  location: pulumi.Input<string>;
  /** At most 64. */
  labels?: pulumi.Input<Labels> | undefined;
}

/**
 * An empty bucket that nobody is granted anything on. That the workload is refused here shows that its rights end where its
 * grants end.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class GcpRefusalBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;

  constructor(name: string, args: GcpRefusalBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpRefusalBucket", name, {}, opts);
    const checks = new GcpChecks(this, "GcpRefusalBucket", name);
    const settings = {
      projectId: checks.text("projectId", args.projectId, "projectId"),
      bucketName: checks.text("bucketName", args.bucketName, "bucketName"),
      location: checks.text("location", args.location, "region"),
      labels: checks.labels(args.labels),
    };
    checks.finish();
    const bucket = hardenedBucket(
      name,
      // Nothing is ever stored in it that could be worth bringing back.
      { ...settings, softDeleteDays: pulumi.output(0), versioning: false, forceDestroy: false, lifecycleRules: [] },
      childOptions(this, opts),
    );
    this.bucketName = bucket.name;
    this.registerOutputs({ bucketName: this.bucketName });
  }
}
