/** What a partner says about their project for the integration `klavi-gcp`. */
import { z } from "zod";
import { subjectBudgetMistakes } from "../components/gcp/workload-identity-pool.js";
import { numberRules, textRules } from "../facts/gcp/limits.js";
import { choice, text, wholeNumber } from "./fields.js";
import { auditLogs, deliveryBucket, gcpText, labels, refusalBucket, serviceAccountField, trustFields, trustMistakes } from "./gcp-fields.js";

/** As IAM shows it; a path is possible, and no part of what STS says. */
const ROLE_ARN = /^arn:aws:iam::(\d{12}):role\/(?:[\u0021-\u007e]+\/)?([\w+=,.@-]{1,64})$/;

const roleArn = z
  .string()
  .superRefine((value, context) => {
    if (ROLE_ARN.test(value)) return;
    const foreign = /^arn:aws-[a-z-]+:/.test(value);
    const message = foreign
      ? `must be of the partition aws: Google asks AWS's global partition who signed, and knows no other; got ${JSON.stringify(value)}`
      : `must be the ARN of one IAM role, as Klavi gives it (not of a session, and without wildcards); got ${JSON.stringify(value)}`;
    context.addIssue({ code: "custom", message });
  })
  .meta({ description: "ARN of the IAM role that Klavi delivers with", pattern: ROLE_ARN.source, examples: ["arn:aws:iam::222233334444:role/klavi-delivery"] });

const klavi = z
  .strictObject({
    awsAccountId: text(textRules.awsAccountId, "Klavi's AWS account, as Klavi gives it"),
    roleArn,
    sessionName: gcpText("awsSessionName", "Only sessions of this exact name are admitted").optional(),
    roleUniqueId: gcpText("awsRoleUniqueId", "Unique id of the role; a role made again under the same name is then refused").optional(),
    longestSessionName: wholeNumber(numberRules.sessionNameLength, "How long the names of Klavi's sessions can be. Default: 64", 32).optional(),
    subject: choice(["arn", "userid"], "What audit logs show as the subject: the session's ARN, or its user id, which is always short enough").default("arn"),
    bareRoleName: z.boolean().default(false).meta({ description: "Map the attribute aws_role to the role's bare name, as in Klavi's guide, for bindings that were made that way" }),
  })
  .superRefine((value, context) => {
    const [, account, roleName] = ROLE_ARN.exec(value.roleArn) ?? [];
    if (account === undefined || roleName === undefined) return;
    if (account !== value.awsAccountId) {
      context.addIssue({ code: "custom", path: ["roleArn"], message: `must be a role of the account ${value.awsAccountId} (awsAccountId); got one of ${account}` });
    }
    const longest = value.longestSessionName ?? numberRules.sessionNameLength.max;
    for (const { reason } of subjectBudgetMistakes({ roleName, sessionName: value.sessionName, longest, subject: value.subject })) {
      context.addIssue({ code: "custom", path: ["roleArn"], message: reason });
    }
  })
  .meta({ description: "Who delivers" });

export const klaviGcpConfigSchema = z
  .strictObject({
    projectId: gcpText("projectId", "The project that this stack is for, by its id"),
    region: gcpText("region", "Region of the bucket"),
    klavi,
    ...trustFields({ pool: "klavi-access-pool", provider: "klavi-aws-provider" }),
    serviceAccount: serviceAccountField("klavi-data-ingestor"),
    bucket: deliveryBucket,
    auditLogs,
    refusalBucket,
    labels,
  })
  .superRefine((value, context) => {
    for (const { path, message } of trustMistakes(value)) context.addIssue({ code: "custom", path, message });
  });

export type KlaviGcpConfig = z.output<typeof klaviGcpConfigSchema>;

/** Name of the role without its path. */
export function roleNameOf({ roleArn: arn }: KlaviGcpConfig["klavi"]): string {
  return ROLE_ARN.exec(arn)?.[2] ?? "";
}
