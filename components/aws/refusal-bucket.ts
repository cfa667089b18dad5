import * as pulumi from "@pulumi/pulumi";
import { bucketNameViolation } from "../../facts/aws/index.js";
import { InputChecks } from "../inputs.js";
import { checkTags, titleOf, type Tags } from "./common.js";
import { hardenedBucket } from "./hardened-bucket.js";

export interface AwsRefusalBucketArgs {
  /** Name of the bucket. */
  bucketName: pulumi.Input<string>;
  /** The name is one of the account regional namespace (`…-<account>-<region>-an`). @default false */
  accountRegionalName?: boolean | undefined;
  /** At most 50. */
  tags?: pulumi.Input<Tags> | undefined;
}

/**
 * An empty bucket that nobody is granted anything on. That the workload is refused here shows that its rights end where
 * its grants end.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AwsRefusalBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;
  readonly bucketArn: pulumi.Output<string>;

  constructor(name: string, args: AwsRefusalBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AwsRefusalBucket", name, {}, opts);
    const checks = new InputChecks(this, titleOf("AwsRefusalBucket", name));
    const bucketName = checks.value("bucketName", args.bucketName, bucketNameViolation);
    const tags = checkTags(checks, args.tags);
    checks.finish();
    const bucket = hardenedBucket(this, name, { bucketName, accountRegional: args.accountRegionalName ?? false, forceDestroy: false, tags });
    this.bucketName = bucket.bucket;
    this.bucketArn = bucket.arn;
    this.registerOutputs({ bucketName: this.bucketName, bucketArn: this.bucketArn });
  }
}
