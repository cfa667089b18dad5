/** Which key an object is encrypted with, and whether the caller may have KMS use it on S3's behalf. */
import { s3Error } from "./s3-errors.js";
import type { S3Call } from "./s3-access.js";
import { type Bucket, type ObjectEncryption, bucketArn, dnsSuffix, objectArn } from "./s3-state.js";
import type { KmsKey, KmsKeys } from "./kms-keys.js";
import type { OperationRequest } from "./service.js";
import { AwsError } from "./types.js";

/** The members with which a request chooses encryption. */
export interface EncryptionInput {
  ServerSideEncryption?: string | undefined;
  SSEKMSKeyId?: string | undefined;
  SSEKMSEncryptionContext?: string | undefined;
  BucketKeyEnabled?: boolean | undefined;
  SSECustomerAlgorithm?: string | undefined;
}

const ALGORITHMS = ["AES256", "aws:kms", "aws:kms:dsse"] as const;

/** S3's answer where KMS refused: access is S3's own AccessDenied, the rest carries KMS's code under a prefix. */
function throughS3<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (error.code === "AccessDeniedException") throw s3Error("AccessDenied", {}, error.message);
    throw new AwsError(`KMS.${error.code}`, 400, error.message);
  }
}

/** How KMS names S3 when S3 calls it for somebody. https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service */
function viaS3(region: string): string {
  return `s3.${region}.${dnsSuffix(region)}`;
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/services-s3.html */
function managedKeyPolicy(account: string, region: string, partition: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Id: "auto-s3-2",
    Statement: [
      {
        Sid: "Allow access through S3 for all principals in the account that are authorized to use S3",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        Resource: "*",
        Condition: {
          StringEquals: { "kms:CallerAccount": account, "kms:ViaService": viaS3(region) },
        },
      },
      {
        Sid: "Allow direct access to key metadata to the account",
        Effect: "Allow",
        Principal: { AWS: `arn:${partition}:iam::${account}:root` },
        Action: ["kms:Describe*", "kms:Get*", "kms:List*"],
        Resource: "*",
      },
    ],
  });
}

export class S3Encryption {
  constructor(private readonly keys: KmsKeys) {}

  /** What the request asks for, or the bucket's default. Throws InvalidArgument and KMS.NotFoundException. */
  choose(request: OperationRequest, bucket: Bucket, input: EncryptionInput): ObjectEncryption {
    if (input.SSECustomerAlgorithm !== undefined) throw s3Error("NotImplemented");
    const standard = bucket.encryption?.Rules?.[0];
    const standardAlgorithm = standard?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm;
    const given = input.ServerSideEncryption;
    const algorithm = ALGORITHMS.find((each) => each === (given ?? standardAlgorithm ?? "AES256"));
    if (algorithm === undefined)
      throw s3Error("InvalidArgument", { ArgumentName: "x-amz-server-side-encryption", ArgumentValue: given ?? "" }, "The encryption method specified is not supported");
    if (algorithm === "AES256") {
      if (input.SSEKMSKeyId !== undefined)
        throw s3Error("InvalidArgument", { ArgumentName: "x-amz-server-side-encryption-aws-kms-key-id" }, "Server Side Encryption with KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms");
      return { algorithm };
    }
    // A request that asks for KMS and names no key means the account's own key, whatever the bucket's default is.
    const defaultKey = given === undefined ? standard?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID : undefined;
    const key = this.key(request, bucket, input.SSEKMSKeyId ?? defaultKey);
    const context = input.SSEKMSEncryptionContext;
    return {
      algorithm,
      keyArn: key.arn,
      bucketKeyEnabled: input.BucketKeyEnabled ?? standard?.BucketKeyEnabled ?? false,
      ...(context === undefined ? {} : { context: decodeContext(context) }),
    };
  }

  private key(request: OperationRequest, bucket: Bucket, reference: string | undefined): KmsKey {
    const { accountId } = request.caller.principal;
    if (reference !== undefined) return throughS3(() => this.keys.find(request, reference));
    return this.keys.managedForS3(accountId, bucket.region, managedKeyPolicy(accountId, bucket.region, bucket.partition));
  }

  /** Throws AccessDenied, KMS.DisabledException or KMS.KMSInvalidStateException. */
  authorise(call: S3Call<unknown>, key: string, encryption: ObjectEncryption, action: "kms:GenerateDataKey" | "kms:Decrypt"): void {
    const { keyArn } = encryption;
    if (keyArn === undefined) return;
    const { bucket, request } = call;
    // With a bucket key one data key serves the whole bucket, so the context names the bucket only.
    const arn = encryption.bucketKeyEnabled === true ? bucketArn(bucket) : objectArn(bucket, key);
    const context: Record<string, string> = { ...encryption.context, "aws:s3:arn": arn };
    throughS3(() => {
      const found = this.keys.find(request, keyArn);
      this.keys.authorise(request, found, action, {
        "kms:ViaService": viaS3(bucket.region),
        "aws:ViaAWSService": "true",
        "kms:EncryptionContextKeys": Object.keys(context),
        ...Object.fromEntries(Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
      });
      this.keys.requireUsable(found);
    });
  }
}

function decodeContext(header: string): Record<string, string> {
  try {
    return JSON.parse(Buffer.from(header, "base64").toString("utf8")) as Record<string, string>;
  } catch {
    throw s3Error("InvalidArgument", { ArgumentName: "x-amz-server-side-encryption-context" });
  }
}

/** The members with which answers say how the object is encrypted. */
export function encryptionOutput(encryption: ObjectEncryption): {
  ServerSideEncryption: ObjectEncryption["algorithm"];
  SSEKMSKeyId?: string;
  BucketKeyEnabled?: boolean;
} {
  return {
    ServerSideEncryption: encryption.algorithm,
    ...(encryption.keyArn === undefined ? {} : { SSEKMSKeyId: encryption.keyArn }),
    ...(encryption.bucketKeyEnabled === true ? { BucketKeyEnabled: true } : {}),
  };
}
