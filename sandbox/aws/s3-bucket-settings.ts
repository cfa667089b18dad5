/** What is set on a bucket: policy, public access, encryption, ownership, versioning, lifecycle, tags, ACL. */
import type * as api from "@aws-sdk/client-s3";
import type { S3ErrorCode } from "../../facts/aws/s3.js";
import { showPrincipals, storePrincipals } from "./resource-policy.js";
import type { S3Call, S3Handler } from "./s3-access.js";
import { canonicalId } from "./s3-buckets.js";
import { s3Error } from "./s3-errors.js";
import { checkBucketPolicy, invalidPrincipal, isPublicPolicy } from "./s3-policy.js";
import { type Bucket, type S3State, bucketArn } from "./s3-state.js";
import type { AwsServiceContext } from "./service.js";

const NO_PUBLIC_ACCESS_BLOCK = {
  BlockPublicAcls: false,
  IgnorePublicAcls: false,
  BlockPublicPolicy: false,
  RestrictPublicBuckets: false,
};

const SSE_S3: api.ServerSideEncryptionConfiguration = {
  Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: false }],
};

function absent(code: S3ErrorCode, bucket: Bucket) {
  return s3Error(code, { BucketName: bucket.name });
}

export function settingsOperations(context: AwsServiceContext, state: S3State) {
  function change(bucket: Bucket, changes: Partial<Bucket>): object {
    state.putBucket({ ...bucket, ...changes });
    return {};
  }

  function remove(bucket: Bucket, name: keyof Bucket): object {
    const { [name]: _removed, ...rest } = bucket;
    state.putBucket(rest as Bucket);
    return {};
  }

  function policyOf(bucket: Bucket): string {
    const document = state.policy(bucket.name);
    if (document === undefined) throw absent("NoSuchBucketPolicy", bucket);
    return document;
  }

  const PutBucketPolicy: S3Handler<api.PutBucketPolicyRequest> = (call) => {
    const document = call.input.Policy ?? "";
    checkBucketPolicy(document, call.bucket.name);
    const stored = storePrincipals(document, context, invalidPrincipal);
    if (call.bucket.publicAccessBlock?.BlockPublicPolicy === true && isPublicPolicy(document)) throw blocked(call);
    state.putPolicy(call.bucket.name, stored);
    return {};
  };

  const GetBucketPolicy: S3Handler<unknown, api.GetBucketPolicyOutput> = ({ bucket }) => ({
    Policy: showPrincipals(policyOf(bucket), context),
  });

  const DeleteBucketPolicy: S3Handler = ({ bucket }) => {
    state.deletePolicy(bucket.name);
    return {};
  };

  const GetBucketPolicyStatus: S3Handler<unknown, api.GetBucketPolicyStatusOutput> = ({ bucket }) => ({
    PolicyStatus: { IsPublic: isPublicPolicy(policyOf(bucket)) },
  });

  const PutPublicAccessBlock: S3Handler<api.PutPublicAccessBlockRequest> = ({ bucket, input }) =>
    change(bucket, { publicAccessBlock: { ...NO_PUBLIC_ACCESS_BLOCK, ...input.PublicAccessBlockConfiguration } });

  const GetPublicAccessBlock: S3Handler<unknown, api.GetPublicAccessBlockOutput> = ({ bucket }) => {
    if (bucket.publicAccessBlock === undefined) throw absent("NoSuchPublicAccessBlockConfiguration", bucket);
    return { PublicAccessBlockConfiguration: bucket.publicAccessBlock };
  };

  const DeletePublicAccessBlock: S3Handler = ({ bucket }) => remove(bucket, "publicAccessBlock");

  const PutBucketEncryption: S3Handler<api.PutBucketEncryptionRequest> = ({ bucket, input }) => {
    const configuration = input.ServerSideEncryptionConfiguration;
    if (configuration?.Rules?.length !== 1) throw s3Error("MalformedXML");
    const rule = configuration.Rules[0]?.ApplyServerSideEncryptionByDefault;
    if (rule?.SSEAlgorithm === "AES256" && rule.KMSMasterKeyID !== undefined)
      throw s3Error("InvalidArgument", { ArgumentName: "ApplyServerSideEncryptionByDefault" }, "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse");
    return change(bucket, { encryption: { Rules: configuration.Rules.map((each) => ({ BucketKeyEnabled: false, ...each })) } });
  };

  const GetBucketEncryption: S3Handler<unknown, api.GetBucketEncryptionOutput> = ({ bucket }) => ({
    ServerSideEncryptionConfiguration: bucket.encryption ?? SSE_S3,
  });

  const DeleteBucketEncryption: S3Handler = ({ bucket }) => remove(bucket, "encryption");

  const PutBucketOwnershipControls: S3Handler<api.PutBucketOwnershipControlsRequest> = ({ bucket, input }) => {
    const ownership = input.OwnershipControls?.Rules?.[0]?.ObjectOwnership;
    if (ownership === undefined) throw s3Error("MalformedXML");
    return change(bucket, { objectOwnership: ownership });
  };

  const GetBucketOwnershipControls: S3Handler<unknown, api.GetBucketOwnershipControlsOutput> = ({ bucket }) => {
    if (bucket.objectOwnership === undefined) throw absent("OwnershipControlsNotFoundError", bucket);
    return { OwnershipControls: { Rules: [{ ObjectOwnership: bucket.objectOwnership as api.ObjectOwnership }] } };
  };

  const DeleteBucketOwnershipControls: S3Handler = ({ bucket }) => remove(bucket, "objectOwnership");

  const PutBucketVersioning: S3Handler<api.PutBucketVersioningRequest> = ({ bucket, input }) => {
    const status = input.VersioningConfiguration?.Status;
    if (status !== "Enabled" && status !== "Suspended") throw s3Error("MalformedXML");
    return change(bucket, { versioning: status });
  };

  const GetBucketVersioning: S3Handler<unknown, Partial<api.GetBucketVersioningOutput>> = ({ bucket }) =>
    bucket.versioning === undefined ? {} : { Status: bucket.versioning };

  const PutBucketLifecycleConfiguration: S3Handler<api.PutBucketLifecycleConfigurationRequest> = ({ bucket, input }) => {
    const rules = input.LifecycleConfiguration?.Rules;
    if (rules === undefined || rules.length === 0) throw s3Error("MalformedXML");
    const size = input.TransitionDefaultMinimumObjectSize ?? "all_storage_classes_128K";
    const lifecycle = rules.map((rule, index) => ({ ...rule, ID: rule.ID ?? `rule-${index + 1}` }));
    change(bucket, { lifecycle, transitionDefaultMinimumObjectSize: size });
    return { TransitionDefaultMinimumObjectSize: size };
  };

  const GetBucketLifecycleConfiguration: S3Handler = ({ bucket }) => {
    if (bucket.lifecycle === undefined) throw absent("NoSuchLifecycleConfiguration", bucket);
    return { Rules: bucket.lifecycle, TransitionDefaultMinimumObjectSize: bucket.transitionDefaultMinimumObjectSize };
  };

  const DeleteBucketLifecycle: S3Handler = ({ bucket }) => remove(bucket, "lifecycle");

  const PutBucketTagging: S3Handler<api.PutBucketTaggingRequest> = ({ bucket, input }) =>
    change(bucket, { tags: input.Tagging?.TagSet ?? [] });

  const GetBucketTagging: S3Handler<unknown, api.GetBucketTaggingOutput> = ({ bucket }) => {
    if (bucket.tags === undefined || bucket.tags.length === 0) throw absent("NoSuchTagSet", bucket);
    return { TagSet: bucket.tags };
  };

  const DeleteBucketTagging: S3Handler = ({ bucket }) => remove(bucket, "tags");

  /** Only the owner's own grant: the sandbox's buckets enforce ownership, so that no other ACL can be set. */
  const GetBucketAcl: S3Handler<unknown, api.GetBucketAclOutput> = ({ bucket }) => {
    const owner = { ID: canonicalId(bucket.accountId) };
    return { Owner: owner, Grants: [{ Grantee: { Type: "CanonicalUser", ...owner }, Permission: "FULL_CONTROL" }] };
  };

  const PutBucketAcl: S3Handler<api.PutBucketAclRequest> = ({ input }) => {
    if (input.ACL === "private") return {};
    throw s3Error("AccessControlListNotSupported");
  };

  return {
    ...{ PutBucketPolicy, GetBucketPolicy, DeleteBucketPolicy, GetBucketPolicyStatus },
    ...{ PutPublicAccessBlock, GetPublicAccessBlock, DeletePublicAccessBlock },
    ...{ PutBucketEncryption, GetBucketEncryption, DeleteBucketEncryption },
    ...{ PutBucketOwnershipControls, GetBucketOwnershipControls, DeleteBucketOwnershipControls },
    ...{ PutBucketVersioning, GetBucketVersioning },
    ...{ PutBucketLifecycleConfiguration, GetBucketLifecycleConfiguration, DeleteBucketLifecycle },
    ...{ PutBucketTagging, GetBucketTagging, DeleteBucketTagging },
    ...{ GetBucketAcl, PutBucketAcl },
    ...neverSet,
  };
}

function blocked(call: S3Call<unknown>) {
  const { principal } = call.request.caller;
  return s3Error(
    "AccessDenied",
    {},
    `User: ${principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "${bucketArn(call.bucket)}" because public policies are blocked by the BlockPublicPolicy block public access setting.`,
  );
}

function none(code: S3ErrorCode): S3Handler {
  return ({ bucket }) => {
    throw absent(code, bucket);
  };
}

/** What the sandbox's buckets never have; clients that describe a whole bucket ask for all of it. */
const neverSet: Record<string, S3Handler> = {
  GetBucketAccelerateConfiguration: () => ({}),
  GetBucketCors: none("NoSuchCORSConfiguration"),
  GetBucketLogging: () => ({}),
  GetBucketNotificationConfiguration: () => ({}),
  GetBucketReplication: none("ReplicationConfigurationNotFoundError"),
  GetBucketRequestPayment: () => ({ Payer: "BucketOwner" }),
  GetBucketWebsite: none("NoSuchWebsiteConfiguration"),
  GetObjectLockConfiguration: none("ObjectLockConfigurationNotFoundError"),
};

/** The owner account's root can always repair a bucket policy that locks everybody out. */
export function mayRepairPolicy(call: S3Call): boolean {
  const { principal } = call.request.caller;
  const repairs = ["PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"];
  return repairs.includes(call.operation) && principal.kind === "root" && principal.accountId === call.bucket.accountId;
}
