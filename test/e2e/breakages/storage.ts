/** The role's rights, the bucket and its key: what is refused after a good exchange. */
import type { AwsCauseCode } from "../../../verify/aws/causes.js";
import { STRANGER, type Administrator, type Statement } from "../../support/administrator.js";
import type { PlatformOperation } from "../../support/platform.js";
import { always, denied, live, narrowed, s3, unnoticed, type Breakage } from "./breakage.js";

const objectOperations: readonly PlatformOperation[] = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];
const bucketOperations: readonly PlatformOperation[] = ["s3:GetBucketLocation", "s3:ListObjectsV2", ...objectOperations];

const missing = (action: string, operation: PlatformOperation): Breakage["refused"] => denied(`because no identity-based policy allows the ${action} action`, operation);
const missingOnObjects: Breakage["refused"] = {
  ...missing("s3:GetObject", "s3:GetObject"),
  ...missing("s3:PutObject", "s3:PutObject"),
  ...missing("s3:DeleteObject", "s3:DeleteObject"),
};

/** A grant that is there but new is refused like one that is missing. */
const missingGrant: readonly AwsCauseCode[] = ["aws.s3.action-not-allowed", "aws.s3.not-propagated"];

const withheld = (action: string, operation: PlatformOperation): Breakage => ({
  name: `the role lacks ${action}`,
  failureMode: "Bucket exists but access is denied",
  break: (administrator) => administrator.withholdAction(action),
  refused: missing(action, operation),
  expect: narrowed(missingGrant, "aws.s3.action-not-allowed"),
});

export const permissionRows: Breakage[] = [
  withheld("s3:GetBucketLocation", "s3:GetBucketLocation"),
  withheld("s3:ListBucket", "s3:ListObjectsV2"),
  withheld("s3:GetObject", "s3:GetObject"),
  withheld("s3:PutObject", "s3:PutObject"),
  withheld("s3:DeleteObject", "s3:DeleteObject"),
  {
    name: "the role's object rights are on another bucket",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => {
      const { Statement: statements } = await administrator.permissions();
      await administrator.setPermissions(statements.map((statement) => ({ ...statement, Resource: String(statement.Resource).replace(/^(.*)\/\*$/, "$1-old/*") })));
    },
    refused: missingOnObjects,
    expect: narrowed(missingGrant, "aws.s3.action-not-allowed"),
  },
  {
    name: "the role's object rights are on the bucket itself",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => {
      const { Statement: statements } = await administrator.permissions();
      await administrator.setPermissions(statements.map((statement) => ({ ...statement, Resource: administrator.bucketArn })));
    },
    refused: missingOnObjects,
    expect: narrowed(missingGrant, "aws.s3.action-not-allowed"),
  },
  {
    name: "the role's sessions were revoked",
    failureMode: "Bucket exists but access is denied",
    break: (administrator) =>
      administrator.setPermissions([{ Effect: "Deny", Action: "*", Resource: "*", Condition: { DateLessThan: { "aws:TokenIssueTime": "2100-01-01T00:00:00Z" } } }], "AWSRevokeOlderSessions"),
    refused: denied("with an explicit deny in an identity-based policy", ...bucketOperations),
    expect: always("aws.s3.identity-policy-denies"),
  },
  {
    name: "a policy of the role denies the upload",
    failureMode: "Bucket exists but access is denied",
    break: (administrator) => administrator.setPermissions([{ Effect: "Deny", Action: "s3:Put*", Resource: "*" }], "guardrail"),
    refused: denied("with an explicit deny in an identity-based policy", "s3:PutObject"),
    expect: always("aws.s3.identity-policy-denies"),
  },
  {
    name: "the role's permissions boundary does not allow the upload",
    failureMode: "Bucket exists but access is denied",
    break: (administrator) => administrator.bound({ Effect: "Allow", Action: ["s3:Get*", "s3:List*", "s3:DeleteObject"], Resource: "*" }),
    refused: denied("because no permissions boundary allows the s3:PutObject action", "s3:PutObject"),
    expect: always("aws.s3.boundary"),
    fix: "Add s3:PutObject on ",
  },
  {
    name: "the role's permissions boundary denies the upload",
    failureMode: "Bucket exists but access is denied",
    break: (administrator) => administrator.bound({ Effect: "Allow", Action: "*", Resource: "*" }, { Effect: "Deny", Action: "s3:PutObject", Resource: "*" }),
    refused: denied("with an explicit deny in a permissions boundary", "s3:PutObject"),
    expect: always("aws.s3.boundary"),
    fix: "Remove the Deny of s3:PutObject on ",
  },
  {
    name: "a service control policy denies the upload",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => administrator.control("scp", { Effect: "Deny", Action: "s3:PutObject", Resource: "*" }),
    refused: denied("with an explicit deny in a service control policy", "s3:PutObject"),
    expect: live("aws.s3.service-control-policy"),
  },
  {
    name: "a resource control policy denies the bucket to everybody outside of the organisation's network",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) =>
      administrator.control("rcp", {
        Effect: "Deny",
        Principal: "*",
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: "*",
        Condition: { NotIpAddressIfExists: { "aws:SourceIp": "198.51.100.0/24" } },
      }),
    refused: denied("with an explicit deny in a resource control policy", "s3:GetObject", "s3:PutObject"),
    expect: live("aws.s3.resource-control-policy"),
  },
  {
    name: "the role may do everything in S3",
    break: (administrator) => administrator.setPermissions([{ Effect: "Allow", Action: "s3:*", Resource: "*" }], "everything"),
    refused: {},
    entersRefusalBucket: true,
    expect: always("aws.grants.too-wide"),
  },
];

const bucketDenies = (statement: Partial<Statement>) => (administrator: Administrator) =>
  administrator.addToBucketPolicy({
    Effect: "Deny",
    Principal: "*",
    Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:GetBucketLocation"],
    Resource: [administrator.bucketArn, `${administrator.bucketArn}/*`],
    ...statement,
  });

export const bucketRows: Breakage[] = [
  {
    name: "the bucket's policy admits one VPC endpoint only",
    failureMode: "Bucket exists but access is denied",
    break: bucketDenies({ Condition: { StringNotEquals: { "aws:SourceVpce": "vpce-0123456789abcdef0" } } }),
    refused: denied("with an explicit deny in a resource-based policy", ...bucketOperations),
    expect: always("aws.s3.bucket-policy-denies"),
  },
  {
    name: "the bucket's policy denies deletions",
    failureMode: "Bucket exists but access is denied",
    break: bucketDenies({ Action: "s3:DeleteObject" }),
    refused: denied("with an explicit deny in a resource-based policy", "s3:DeleteObject"),
    expect: always("aws.s3.bucket-policy-denies"),
  },
  {
    name: "the bucket's policy demands that uploads name their encryption",
    failureMode: "Bucket exists but access is denied",
    break: bucketDenies({ Action: "s3:PutObject", Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } } }),
    refused: denied("with an explicit deny in a resource-based policy", "s3:PutObject"),
    expect: always("aws.s3.bucket-policy-denies"),
  },
  {
    name: "the bucket's policy demands that uploads overwrite nothing, by a header that the platform does not send",
    failureMode: "Bucket exists but access is denied",
    break: bucketDenies({ Action: "s3:PutObject", Condition: { Null: { "s3:if-none-match": "true" } } }),
    refused: denied("with an explicit deny in a resource-based policy", "s3:PutObject"),
    expect: always("aws.s3.bucket-policy-denies"),
  },
  {
    name: "the role was made again, and the bucket's policy excepts its former id from a Deny",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => {
      const condition = { StringNotLike: { "aws:userid": [`${await administrator.roleId()}:*`, administrator.accountId] } };
      await bucketDenies({ Condition: condition })(administrator);
      await administrator.recreateRole();
    },
    refused: denied("with an explicit deny in a resource-based policy", ...bucketOperations),
    expect: narrowed(["aws.s3.bucket-policy-denies"], "aws.s3.bucket-policy-former-role"),
  },
  {
    name: "the role was made again, and the bucket's policy grants to its former id",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => {
      const [own, objects] = (await administrator.permissions()).Statement;
      await administrator.addToBucketPolicy({ Effect: "Allow", Principal: { AWS: administrator.roleArn }, Action: objects!.Action, Resource: objects!.Resource! });
      await administrator.setPermissions([own!]);
      await administrator.recreateRole();
    },
    refused: missingOnObjects,
    expect: narrowed(missingGrant, "aws.s3.bucket-policy-former-role"),
  },
  {
    name: "the bucket was deleted, and a stranger has its name now",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => {
      await administrator.deleteBucket();
      await administrator.createBucket(administrator.region, STRANGER);
    },
    // Across accounts S3 gives no reason.
    refused: denied("Access Denied", ...bucketOperations),
    expect: narrowed(
      ["aws.s3.action-not-allowed", "aws.s3.bucket-policy-denies", "aws.s3.not-propagated", "aws.s3.other-owner", "aws.s3.resource-control-policy", "aws.s3.service-control-policy"],
      "aws.s3.other-owner",
    ),
  },
  {
    name: "the bucket is in another region",
    break: async (administrator) => {
      await administrator.deleteBucket();
      await administrator.createBucket("eu-central-1");
    },
    refused: s3(bucketOperations, "PermanentRedirect", 301, "must be addressed using the specified endpoint"),
    expect: always("aws.s3.other-region"),
  },
  {
    name: "the bucket's public access is no longer blocked",
    break: (administrator) => administrator.call("s3", "DeletePublicAccessBlock", { Bucket: administrator.bucket }),
    refused: {},
    expect: unnoticed("aws.s3.settings-differ"),
  },
  {
    name: "the bucket's policy, which denies requests without TLS, was deleted",
    break: (administrator) => administrator.call("s3", "DeleteBucketPolicy", { Bucket: administrator.bucket }),
    refused: {},
    expect: unnoticed("aws.s3.settings-differ"),
  },
  {
    name: "the bucket does not exist",
    break: (administrator) => administrator.deleteBucket(),
    refused: s3(bucketOperations, "NoSuchBucket", 404, "The specified bucket does not exist"),
    expect: always("aws.s3.bucket-missing"),
  },
];

const notByKeyPolicy: Breakage["refused"] = {
  ...denied("because no resource-based policy allows the kms:GenerateDataKey action", "s3:PutObject"),
  ...denied("because no resource-based policy allows the kms:Decrypt action", "s3:GetObject"),
};

async function encryptWith(administrator: Administrator, key: string): Promise<void> {
  const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: key } };
  await administrator.call("s3", "PutBucketEncryption", { Bucket: administrator.bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } });
}

const keyBreakages: Breakage[] = [
  {
    name: "the key's policy does not let the role use the key",
    break: async (administrator) => {
      const { Statement: statements } = await administrator.keyPolicy();
      await administrator.setKeyPolicy(statements.filter(({ Sid }) => Sid !== "RolesUseKeyThroughS3"));
    },
    refused: notByKeyPolicy,
    expect: narrowed(["aws.kms.key-policy", "aws.s3.not-propagated"], "aws.kms.key-policy"),
  },
  {
    name: "the role was made again, and the key's policy grants to its former id",
    break: async (administrator) => {
      const { Statement: statements } = await administrator.keyPolicy();
      const principal = { AWS: administrator.roleArn };
      await administrator.setKeyPolicy(statements.map((statement) => (statement.Sid === "RolesUseKeyThroughS3" ? { ...statement, Principal: principal } : statement)));
      await administrator.recreateRole();
    },
    refused: notByKeyPolicy,
    expect: narrowed(["aws.kms.key-policy", "aws.s3.not-propagated"], "aws.kms.key-policy"),
  },
  {
    name: "the role lacks kms:Decrypt",
    break: (administrator) => administrator.withholdAction("kms:Decrypt"),
    refused: missing("kms:Decrypt", "s3:GetObject"),
    expect: narrowed(["aws.kms.action-not-allowed", "aws.s3.not-propagated"], "aws.kms.action-not-allowed"),
  },
  {
    name: "the bucket encrypts with another key than the contract's",
    break: async (administrator) => {
      const { KeyMetadata: key } = (await administrator.call("kms", "CreateKey", {})) as { KeyMetadata: { Arn: string } };
      await encryptWith(administrator, key.Arn);
    },
    refused: missing("kms:GenerateDataKey", "s3:PutObject"),
    expect: always("aws.kms.key-differs"),
  },
  {
    name: "the bucket encrypts with a key of another region",
    break: async (administrator) => {
      const { KeyMetadata: key } = (await administrator.call("kms", "CreateKey", {}, { region: "eu-central-1" })) as { KeyMetadata: { Arn: string } };
      await encryptWith(administrator, key.Arn);
    },
    refused: s3(["s3:PutObject"], "KMS.NotFoundException", 400, "Invalid arn eu-central-1"),
    expect: narrowed(["aws.kms.key-missing"], "aws.kms.key-differs"),
  },
  {
    name: "the key's policy, behind an alias, does not let the role use the key",
    break: async (administrator) => {
      await administrator.call("kms", "CreateAlias", { AliasName: "alias/artifacts", TargetKeyId: administrator.keyArn });
      await encryptWith(administrator, `arn:aws:kms:${administrator.region}:${administrator.accountId}:alias/artifacts`);
      const { Statement: statements } = await administrator.keyPolicy();
      await administrator.setKeyPolicy(statements.filter(({ Sid }) => Sid !== "RolesUseKeyThroughS3"));
    },
    refused: notByKeyPolicy,
    expect: narrowed(["aws.kms.key-policy", "aws.s3.not-propagated"], "aws.kms.key-policy"),
  },
  {
    name: "the key's policy denies decryption",
    break: async (administrator) => {
      const { Statement: statements } = await administrator.keyPolicy();
      await administrator.setKeyPolicy([...statements, { Effect: "Deny", Principal: "*", Action: "kms:Decrypt", Resource: "*" }]);
    },
    refused: denied("with an explicit deny in a resource-based policy", "s3:GetObject"),
    expect: always("aws.kms.key-denied"),
  },
  {
    name: "the key is disabled",
    break: (administrator) => administrator.call("kms", "DisableKey", { KeyId: administrator.keyArn }),
    refused: s3(["s3:GetObject", "s3:PutObject"], "KMS.DisabledException", 400, "is disabled"),
    expect: always("aws.kms.key-disabled"),
  },
  {
    name: "the key is to be deleted",
    break: (administrator) => administrator.call("kms", "ScheduleKeyDeletion", { KeyId: administrator.keyArn, PendingWindowInDays: 7 }),
    refused: s3(["s3:GetObject", "s3:PutObject"], "KMS.KMSInvalidStateException", 400, "is pending deletion"),
    expect: always("aws.kms.key-disabled"),
  },
];
export const keyRows = keyBreakages.map((row): Breakage => ({ ...row, encryption: "kms", failureMode: "Bucket exists but access is denied" }));
