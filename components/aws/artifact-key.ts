/** A KMS key for one bucket: its policy lets named roles use it through S3, and the account's administrators manage it. */
import * as pulumi from "@pulumi/pulumi";
import * as kms from "@pulumi/aws/kms/index.js";
import { actionsOf } from "../../facts/aws/index.js";
import { oneOrMany, policyDocument, serializePolicy } from "./policy.js";
import { s3ServiceOf } from "./s3-objects-grant.js";

export interface ArtifactKey {
  accountId: pulumi.Input<string>;
  partition: pulumi.Input<string>;
  region: pulumi.Input<string>;
  userRoleArns: pulumi.Input<string[]>;
  tags: { tags?: pulumi.Output<Record<string, string>> };
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-administrators */
const administration = [
  "kms:CancelKeyDeletion",
  "kms:Create*",
  "kms:Delete*",
  "kms:Describe*",
  "kms:Disable*",
  "kms:Enable*",
  "kms:Get*",
  "kms:List*",
  "kms:Put*",
  "kms:Revoke*",
  "kms:RotateKeyOnDemand",
  "kms:ScheduleKeyDeletion",
  "kms:TagResource",
  "kms:UntagResource",
  "kms:Update*",
];

export function artifactKey(parent: pulumi.ComponentResource, name: string, settings: ArtifactKey): kms.Key {
  const policy = pulumi
    .all([settings.accountId, settings.partition, settings.region, settings.userRoleArns])
    .apply(([accountId, partition, region, roles]) => keyPolicy(`arn:${partition}:iam::${accountId}:root`, `arn:${partition}:kms:${region}:${accountId}:key`, roles));
  return new kms.Key(
    name,
    { description: "Encrypts DCF artifacts", enableKeyRotation: true, policy, ...settings.tags },
    { parent },
  );
}

/**
 * The role is named by `aws:PrincipalArn` and not as a principal: KMS would turn a principal into the role's unique id,
 * and a role made again under the same name would be locked out.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
 */
function keyPolicy(root: string, keyArn: string, roles: string[]): string {
  return serializePolicy(
    policyDocument([
      { Sid: "AccountAdministersKey", Effect: "Allow", Principal: { AWS: root }, Action: administration, Resource: "*" },
      ...(roles.length === 0
        ? []
        : [
            {
              Sid: "RolesUseKeyThroughS3",
              Effect: "Allow" as const,
              Principal: { AWS: root },
              Action: actionsOf("s3-objects-kms"),
              Resource: "*",
              Condition: {
                ArnEquals: { "aws:PrincipalArn": oneOrMany([...roles].sort()) },
                StringEquals: { "kms:ViaService": s3ServiceOf(keyArn) },
              },
            },
          ]),
    ]),
  );
}
