/** What a customer says about their account for the integration `dcf-aws`. */
import { z } from "zod";
import { buildTagMistakes, exactViolation, sessionNameViolation, tagMistakes } from "../components/aws/common.js";
import { computeTypes } from "../facts/aws/codebuild.js";
import { dcfArtifactKey } from "../facts/aws/dcf-buildspec.js";
import { bucketNameViolation, logRetentionDays, numberRules, textRules } from "../facts/aws/index.js";
import { numberViolation, textViolation, type NumberRule, type TextRule } from "../facts/rules.js";

/** Text that follows a rule; the JSON Schema has the rule's length and form, the message its words. */
function text(rule: TextRule, description: string, violation = (value: string) => textViolation(rule, value)) {
  return z
    .string()
    .superRefine((value, context) => {
      const message = violation(value);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .meta({ description, minLength: rule.min, maxLength: rule.max, pattern: rule.pattern.source, examples: [rule.example] });
}

function wholeNumber(rule: NumberRule, description: string, example: number) {
  return z
    .number()
    .superRefine((value, context) => {
      const message = numberViolation(rule, value);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .meta({ description: `${description}, in ${rule.unit}`, type: "integer", minimum: rule.min, maximum: rule.max, examples: [example] });
}

function choice<const T extends string>(values: readonly [T, ...T[]], description: string) {
  return z.enum(values).meta({ description, examples: [values[0]] });
}

function refuser(context: z.RefinementCtx) {
  return (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
}

const bucketName = (description: string) => text(textRules.bucketName, description, bucketNameViolation);
const exactText = (rule: "subject" | "clientId", description: string) => text(textRules[rule], description, (value) => exactViolation(rule, value));

const workload = z
  .strictObject({
    issuer: text(textRules.issuerUrl, "The `iss` of the platform's tokens, letter for letter: DCF names it in its setup page"),
    subject: exactText("subject", "The `sub` of the platform's tokens, letter for letter; it names your project"),
    audience: exactText("clientId", "The `aud` of the platform's tokens").default("sts.amazonaws.com"),
  })
  .meta({ description: "Who is trusted" });

const oidcProvider = z
  .strictObject({
    mode: choice(["create", "existing"], "Whether the stack creates the account's OIDC provider for the issuer, or uses the one that is there, unchanged").default("create"),
    retainOnDestroy: z.boolean().default(true).meta({ description: "Whether a created provider stays on `pulumi destroy`: roles of other stacks may trust it" }),
  })
  .meta({ description: "The account's OIDC provider for the issuer" });

const role = z
  .strictObject({
    name: text(textRules.roleName, "Name of the role. Default: dcf-aws-<stack>").optional(),
    path: text(textRules.path, "IAM path of the role").default("/"),
    permissionsBoundaryArn: text(textRules.policyArn, "Managed policy that bounds what the role can ever do").optional(),
    maxSessionDurationSeconds: wholeNumber(numberRules.maxSessionDuration, "Longest session", 3600).default(3600),
    sessionName: text({ ...textRules.sessionName, pattern: /^[\w+=,.@*?-]+$/ }, "Only sessions of this name are given; * stands for any text", sessionNameViolation).optional(),
  })
  .meta({ description: "The role that the platform assumes" });

const bucket = z
  .strictObject({
    name: bucketName("Name of the artifact bucket; with accountRegionalName, its beginning"),
    mode: choice(["create", "existing"], "Whether the stack creates the bucket, or uses one of this account and region, unchanged").default("create"),
    accountRegionalName: z.boolean().default(false).meta({ description: "Name the bucket <name>-<account>-<region>-an, which nobody else can ever take" }),
    prefix: text({ ...textRules.keyPrefix, example: "builds/" }, "Grant objects below this key prefix only").optional(),
    encryption: choice(["sse-s3", "kms"], "S3's own keys, or a KMS key of the account").default("sse-s3"),
    kmsKeyArn: text(textRules.kmsKeyArn, "Key to use with encryption kms. Default: one is created").optional(),
    versioning: z.boolean().default(false).meta({ description: "Keep former versions of objects" }),
    stagedBuildsExpireAfterDays: wholeNumber(numberRules.lifecycleDays, "Age at which staged builds (below builds/) are removed. Default: 30", 30).optional(),
    incompleteUploadsExpireAfterDays: wholeNumber(numberRules.lifecycleDays, "Age at which parts of unfinished uploads are removed. Default: 7", 7).optional(),
    forceDestroy: z.boolean().default(false).meta({ description: "On destroy, delete the bucket even when it has objects in it" }),
  })
  .superRefine((value, context) => {
    const refuse = refuser(context);
    if (value.kmsKeyArn !== undefined && value.encryption !== "kms") refuse("kmsKeyArn", "goes with encryption kms only: set bucket.encryption to kms, or leave the key out");
    if (value.mode === "create") return;
    if (value.encryption === "kms" && value.kmsKeyArn === undefined) refuse("kmsKeyArn", "is required: the key that the existing bucket encrypts with");
    for (const key of ["accountRegionalName", "versioning", "stagedBuildsExpireAfterDays", "incompleteUploadsExpireAfterDays", "forceDestroy"] as const) {
      if (value[key] !== undefined && value[key] !== false) refuse(key, "has no effect on an existing bucket, which is never changed: leave it out");
    }
  })
  .meta({ description: "Where artifacts are stored" });

const project = z
  .strictObject({
    mode: choice(["create", "existing"], "Whether the stack creates the CodeBuild project and its service role, or uses one of this account and region, unchanged").default("create"),
    name: text(textRules.codebuildProjectName, "Name of the project. Default for a created one: dcf-aws-<stack>").optional(),
    serviceRoleName: text(textRules.roleName, "Name of the created project's service role. Default: dcf-aws-<stack>-build").optional(),
    serviceRoleArn: text(textRules.roleArn, "Service role of an existing project; verification reads it, and a created KMS key lets it read").optional(),
    computeType: choice(computeTypes, "Size of the machine that builds run on. Default: BUILD_GENERAL1_SMALL").optional(),
    timeoutMinutes: wholeNumber(numberRules.buildTimeout, "Longest that a build may run. Default: 30", 30).optional(),
    logRetentionDays: z.literal(logRetentionDays).meta({ description: "Age at which build logs are removed, in days. Default: 30", examples: [30] }).optional(),
  })
  .superRefine((value, context) => {
    const refuse = refuser(context);
    if (value.mode === "create") {
      if (value.serviceRoleArn !== undefined) refuse("serviceRoleArn", "goes with an existing project only: a created one gets a service role of its own");
      return;
    }
    if (value.name === undefined) refuse("name", "is required: the name of the existing project");
    for (const key of ["serviceRoleName", "computeType", "timeoutMinutes", "logRetentionDays"] as const) {
      if (value[key] !== undefined) refuse(key, "has no effect on an existing project, which is never changed: leave it out");
    }
  })
  .meta({ description: "The CodeBuild project that DCF starts builds in" });

const repository = z
  .strictObject({
    mode: choice(["create", "existing"], "Whether the stack creates the ECR repository, or uses one of this account and region, unchanged").default("create"),
    name: text(textRules.ecrRepositoryName, "Name of the repository. Default for a created one: dcf-aws-<stack>").optional(),
    immutableTags: z.boolean().default(false).meta({ description: "Refuse to push a tag twice; DCF's builds are assumed to use a function's name as its tag, again with every build" }),
    forceDestroy: z.boolean().default(false).meta({ description: "On destroy, delete the repository even when it has images in it" }),
  })
  .superRefine((value, context) => {
    const refuse = refuser(context);
    if (value.mode === "create") return;
    if (value.name === undefined) refuse("name", "is required: the name of the existing repository");
    for (const key of ["immutableTags", "forceDestroy"] as const) {
      if (value[key]) refuse(key, "has no effect on an existing repository, which is never changed: leave it out");
    }
  })
  .meta({ description: "The ECR repository for the functions' images" });

const executionRole = z
  .strictObject({
    mode: choice(["create", "existing"], "Whether the stack creates the role that functions run as, or uses one of this account, unchanged").default("create"),
    name: text(textRules.roleName, "Name of a created role. Default: dcf-aws-<stack>-execution").optional(),
    arn: text(textRules.roleArn, "ARN of the existing role").optional(),
  })
  .superRefine((value, context) => {
    const refuse = refuser(context);
    if (value.mode === "create") {
      if (value.arn !== undefined) refuse("arn", "goes with mode existing only: set lambdaBuild.executionRole.mode to existing, or leave the key out");
      return;
    }
    if (value.arn === undefined) refuse("arn", "is required: the ARN of the existing role");
    if (value.name !== undefined) refuse("name", "has no effect on an existing role, which is never changed: leave it out");
  })
  .meta({ description: "The role that deployed functions run as" });

const lambdaBuild = z
  .strictObject({
    functionNamePrefix: text(textRules.functionNamePrefix, "How the names of all functions begin that DCF deploys here; every right on functions ends there"),
    project: project.prefault({}),
    repository: repository.prefault({}),
    executionRole: executionRole.prefault({}),
    permissionsBoundaryArn: text(textRules.policyArn, "Managed policy that bounds what the created service role and execution role can ever do").optional(),
    undeploy: z.boolean().default(false).meta({ description: "Let DCF remove functions that it deployed" }),
  })
  .meta({ description: "Builds and functions; without it, DCF is given trust and storage only" });

const refusalBucket = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ description: "Whether there is an empty bucket with no grant, on which verification proves that more than the grants is refused" }),
    name: bucketName("Its name. Default: made from the artifact bucket's").optional(),
  })
  .meta({ description: "The bucket that the platform must be refused on" });

export const dcfAwsConfigSchema = z
  .strictObject({
    accountId: text(textRules.accountId, "The account that this stack is for; with credentials of another one it stops before any change"),
    workload,
    oidcProvider: oidcProvider.prefault({}),
    role: role.prefault({}),
    bucket,
    lambdaBuild: lambdaBuild.optional(),
    refusalBucket: refusalBucket.prefault({}),
    tags: z
      .record(z.string(), z.string())
      .superRefine((value, context) => {
        for (const { key, reason } of tagMistakes(value)) context.addIssue({ code: "custom", path: key === undefined ? [] : [key], message: reason });
      })
      .optional()
      .meta({ description: "Tags of everything that the stack creates" }),
  })
  .superRefine((value, context) => {
    if (value.lambdaBuild === undefined) return;
    const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    const { prefix } = value.bucket;
    if (prefix !== undefined && !dcfArtifactKey.startsWith(prefix)) {
      refuse(["bucket", "prefix"], `does not cover ${dcfArtifactKey}, where DCF stages what lambdaBuild builds: use builds/, or leave the key out; got ${JSON.stringify(prefix)}`);
    }
    const { mode, serviceRoleArn } = value.lambdaBuild.project;
    if (mode === "create") for (const { key, reason } of buildTagMistakes(value.tags ?? {})) refuse(["tags", key], reason);
    if (mode === "existing" && serviceRoleArn === undefined && value.bucket.encryption === "kms" && value.bucket.kmsKeyArn === undefined) {
      refuse(["lambdaBuild", "project", "serviceRoleArn"], "is required: the created KMS key has to let the existing project's builds read");
    }
  });

export type DcfAwsConfig = z.output<typeof dcfAwsConfigSchema>;
