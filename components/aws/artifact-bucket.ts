import * as pulumi from "@pulumi/pulumi";
import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity.js";
import { getRegionOutput } from "@pulumi/aws/getRegion.js";
import * as s3 from "@pulumi/aws/s3/index.js";
import { BUCKET_NAME } from "../../facts/aws/s3.js";
import { accountRegionalBucketName, bucketNameViolation, numberRules, partitionOfRegion, textRules } from "../../facts/aws/index.js";
import { numberViolation, textViolation } from "../../facts/rules.js";
import { InputChecks, type Mistake } from "../inputs.js";
import { artifactKey } from "./artifact-key.js";
import { checkTags, titleOf, type Tags } from "./common.js";
import { hardenedBucket } from "./hardened-bucket.js";

/** Encryption with a KMS key of the account instead of S3's own keys. */
export interface AwsBucketKmsArgs {
  /**
   * ARN of the key to use. Its policy is not changed: it has to let the roles use it through S3.
   * Default: a key is created, with a policy that does.
   */
  existingKeyArn?: pulumi.Input<string> | undefined;
  /** ARNs of the roles that may use a created key through S3. Wildcards are not taken. */
  userRoleArns?: pulumi.Input<pulumi.Input<string>[]> | undefined;
}

export interface AwsArtifactBucketArgs {
  /** Name of the bucket; with `accountRegionalName`, its beginning. */
  bucketName: pulumi.Input<string>;
  /** The bucket exists already: it is used as it is and nothing of it is changed. @default false */
  existing?: boolean | undefined;
  /** Names the bucket `<bucketName>-<account>-<region>-an`, which nobody else can ever take. @default false */
  accountRegionalName?: boolean | undefined;
  /** Encrypt with a KMS key. Default: S3's own keys (SSE-S3). For an existing bucket: the key that it has. */
  kms?: AwsBucketKmsArgs | undefined;
  /** Keep former versions of objects. @default false */
  versioning?: boolean | undefined;
  /** Days after which staged builds (below `builds/`) are removed. @default 30 */
  stagedBuildsExpireAfterDays?: pulumi.Input<number> | undefined;
  /** Days after which parts of uploads that never finished are removed. @default 7 */
  incompleteUploadsExpireAfterDays?: pulumi.Input<number> | undefined;
  /** On destroy, delete a created bucket even when it has objects in it. @default false */
  forceDestroy?: boolean | undefined;
  /** At most 50. */
  tags?: pulumi.Input<Tags> | undefined;
}

/** Where DCF stages the archives that builds read. */
export const STAGED_BUILDS_PREFIX = "builds/";

/**
 * The bucket for artifacts: created and hardened, or an existing one by reference.
 *
 * A created bucket blocks all public access, refuses requests without TLS, encrypts, has no ACLs, and cleans up after
 * itself.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AwsArtifactBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;
  readonly bucketArn: pulumi.Output<string>;
  /** Account that owns the bucket. */
  readonly accountId: pulumi.Output<string>;
  readonly region: pulumi.Output<string>;
  /** The key that the bucket encrypts with, if it is a KMS key. */
  readonly kmsKeyArn: pulumi.Output<string> | undefined;

  constructor(name: string, args: AwsArtifactBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AwsArtifactBucket", name, {}, opts);
    const checks = new InputChecks(this, titleOf("AwsArtifactBucket", name));
    const prefix = checks.value("bucketName", args.bucketName, (value) => bucketNameViolation(value) ?? (args.accountRegionalName ? roomViolation(value) : undefined));
    const days = (path: keyof AwsArtifactBucketArgs, value: pulumi.Input<number>) =>
      checks.value(path, value, (known) => numberViolation(numberRules.lifecycleDays, known));
    const stagedDays = days("stagedBuildsExpireAfterDays", args.stagedBuildsExpireAfterDays ?? 30);
    const uploadDays = days("incompleteUploadsExpireAfterDays", args.incompleteUploadsExpireAfterDays ?? 7);
    const existingKeyArn =
      args.kms?.existingKeyArn === undefined
        ? undefined
        : checks.value("kms.existingKeyArn", args.kms.existingKeyArn, (value) => textViolation(textRules.kmsKeyArn, value));
    const userRoleArns = checks.check(args.kms?.userRoleArns ?? [], roleArnMistakes);
    const tags = checkTags(checks, args.tags);
    if (args.existing) refuseSettingsOfExisting(checks, args);
    else if (args.kms && !existingKeyArn && !args.kms.userRoleArns) checks.add("kms.userRoleArns", "must name the roles that may use the created key");
    checks.finish();

    this.region = getRegionOutput({}, { parent: this }).region;
    const partition = this.region.apply((region) => {
      const found = partitionOfRegion(region);
      if (!found) throw checks.error([{ path: "region", reason: `${JSON.stringify(region)} is in no partition that is supported (aws, aws-us-gov, aws-cn)` }]);
      return found.name;
    });
    this.accountId = getCallerIdentityOutput({}, { parent: this }).accountId;

    const bucketName = args.accountRegionalName
      ? checks.value(
          "bucketName",
          pulumi.all([prefix, this.accountId, this.region]).apply((parts) => accountRegionalBucketName(...parts)),
          bucketNameViolation,
        )
      : prefix;

    if (args.existing) {
      this.kmsKeyArn = existingKeyArn;
      this.bucketName = bucketName;
      this.bucketArn = pulumi.interpolate`arn:${partition}:s3:::${bucketName}`;
    } else {
      this.kmsKeyArn =
        args.kms && !existingKeyArn
          ? artifactKey(this, `${name}-key`, { accountId: this.accountId, partition, region: this.region, userRoleArns, tags }).arn
          : existingKeyArn;
      const bucket = hardenedBucket(this, name, {
        bucketName,
        accountRegional: args.accountRegionalName ?? false,
        kmsKeyArn: this.kmsKeyArn,
        forceDestroy: args.forceDestroy ?? false,
        tags,
      });
      const versioning = args.versioning
        ? [new s3.BucketVersioning(`${name}-versioning`, { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } }, { parent: this })]
        : [];
      new s3.BucketLifecycleConfiguration(
        `${name}-lifecycle`,
        {
          bucket: bucket.bucket,
          rules: [
            {
              id: "staged-builds",
              status: "Enabled",
              filter: { prefix: STAGED_BUILDS_PREFIX },
              expiration: { days: stagedDays },
              ...(args.versioning ? { noncurrentVersionExpiration: { noncurrentDays: stagedDays } } : {}),
            },
            { id: "incomplete-uploads", status: "Enabled", filter: { prefix: "" }, abortIncompleteMultipartUpload: { daysAfterInitiation: uploadDays } },
          ],
        },
        // Rules for former versions are only taken once versioning is on.
        { parent: this, dependsOn: versioning },
      );
      this.bucketName = bucket.bucket;
      this.bucketArn = bucket.arn;
    }
    this.registerOutputs({
      bucketName: this.bucketName,
      bucketArn: this.bucketArn,
      accountId: this.accountId,
      region: this.region,
      kmsKeyArn: this.kmsKeyArn,
    });
  }
}

/** What can be said about a name before account and region are known: the shortest region there is must fit behind it. */
function roomViolation(prefix: string): string | undefined {
  const room = BUCKET_NAME.maxLength - accountRegionalBucketName("", textRules.accountId.example, "us-east-1").length;
  return prefix.length > room ? `must have at most ${room} characters, to leave room for account and region; has ${prefix.length}` : undefined;
}

function roleArnMistakes(arns: string[]): Mistake[] {
  return arns.flatMap((arn, index) => {
    const reason = textViolation(textRules.roleArn, arn) ?? (/[*?$]/.test(arn) ? `must name one role, without *, ? and $; got ${JSON.stringify(arn)}` : undefined);
    return reason === undefined ? [] : [{ path: `kms.userRoleArns[${index}]`, reason }];
  });
}

/** Settings that would have to change the bucket. */
function refuseSettingsOfExisting(checks: InputChecks, args: AwsArtifactBucketArgs): void {
  const refused = [
    ["accountRegionalName", args.accountRegionalName],
    ["versioning", args.versioning],
    ["stagedBuildsExpireAfterDays", args.stagedBuildsExpireAfterDays],
    ["incompleteUploadsExpireAfterDays", args.incompleteUploadsExpireAfterDays],
    ["forceDestroy", args.forceDestroy],
    ["tags", args.tags],
  ] as const;
  for (const [path, value] of refused) {
    if (value !== undefined && value !== false) checks.add(path, "has no effect on an existing bucket, which is never changed: leave it out");
  }
  if (args.kms && args.kms.existingKeyArn === undefined) {
    checks.add("kms.existingKeyArn", "must be the key that the existing bucket encrypts with: no key is created for a bucket that is never changed");
  }
}
