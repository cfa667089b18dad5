/** What the configurations of the integrations on Google Cloud have in common. */
import { z } from "zod";
import { softDeleteViolation } from "../components/gcp/artifact-bucket.js";
import { auditLogTypes } from "../components/gcp/audit-logs.js";
import { labelMistakes } from "../components/gcp/common.js";
import { ATTRIBUTE_CONDITION_LENGTH } from "../facts/gcp/iam.js";
import { numberRules, ruleViolation, textRules } from "../facts/gcp/limits.js";
import { choice, refuser, text, wholeNumber } from "./fields.js";

/** Text that follows one of Google's rules. */
export function gcpText(rule: keyof typeof textRules, description: string, violation = (value: string) => ruleViolation(rule, value)) {
  return text(textRules[rule], description, violation);
}

export const retainOnDestroy = z.boolean().default(true).meta({
  description: "Whether created pool and provider stay on `pulumi destroy`: a deleted one's id is taken for 30 days, and without bindings its identities may do nothing",
});

/** Pool and provider, with the integration's own default ids. */
export function trustFields(defaults: { pool: string; provider: string }) {
  const pool = z
    .strictObject({
      projectId: gcpText("projectId", "Project that hosts the pool. Default: the stack's projectId").optional(),
      mode: choice(["create", "existing"], "Whether the stack creates the pool, or uses one that is there, unchanged").default("create"),
      id: gcpText("poolId", "Id of the pool").default(defaults.pool),
      retainOnDestroy,
    })
    .meta({ description: "The workload identity pool" });
  const provider = z
    .strictObject({
      mode: choice(["create", "existing"], "Whether the stack creates the provider, or uses one that is there, unchanged").default("create"),
      id: gcpText("providerId", "Id of the provider").default(defaults.provider),
      attributeMapping: z.record(z.string(), z.string()).optional().meta({ description: "With mode existing: the provider's mapping, where it is another than the stack would make" }),
      attributeCondition: z.string().max(ATTRIBUTE_CONDITION_LENGTH).optional().meta({ description: "With mode existing: the provider's condition, where it is another than the stack would make" }),
    })
    .superRefine((value, context) => {
      if (value.mode === "existing") return;
      const refuse = refuser(context);
      for (const key of ["attributeMapping", "attributeCondition"] as const) {
        if (value[key] !== undefined) refuse(key, "goes with mode existing only: a created provider's is made of the workload, exactly");
      }
    })
    .meta({ description: "The pool's provider, which says whose tokens are taken" });
  return { pool: pool.prefault({}), provider: provider.prefault({}) };
}

/** What pool and provider say together; for the whole configuration's refinement. */
export function trustMistakes({ pool, provider }: { pool: { mode: string }; provider: { mode: string } }): { path: string[]; message: string }[] {
  if (provider.mode !== "existing" || pool.mode === "existing") return [];
  return [{ path: ["provider", "mode"], message: "must be create in a pool that the stack creates: an existing provider is in a pool that exists, so set pool.mode to existing too" }];
}

export function serviceAccountField(defaultId: string) {
  return z
    .strictObject({
      mode: choice(
        ["create", "existing", "none"],
        "Whether the stack creates the service account, uses one that is there, or gives the rights to the pool's identity itself (direct access, without identity tokens for private services)",
      ).default("create"),
      id: gcpText("serviceAccountId", "The part of its email before @").default(defaultId),
    })
    .meta({ description: "The service account that the platform acts as" })
    .prefault({});
}

const bucketFields = {
  name: gcpText("bucketName", "Name of the bucket"),
  mode: choice(["create", "existing"], "Whether the stack creates the bucket, or uses one of this project and region, unchanged").default("create"),
  softDeleteDays: wholeNumber({ ...numberRules.lifecycleDays, min: 0, max: 90 }, "How long deleted objects can be brought back, 7 to 90 or 0. Default: 7", 7, softDeleteViolation).optional(),
  versioning: z.boolean().default(false).meta({ description: "Keep former versions of objects" }),
  incompleteUploadsExpireAfterDays: wholeNumber(numberRules.lifecycleDays, "Age at which unfinished uploads are removed. Default: 7", 7).optional(),
  forceDestroy: z.boolean().default(false).meta({ description: "On destroy, delete the bucket even when it has objects in it" }),
};

interface BucketSettings {
  mode: "create" | "existing";
  softDeleteDays?: number | undefined;
  versioning: boolean;
  stagedBuildsExpireAfterDays?: number | undefined;
  incompleteUploadsExpireAfterDays?: number | undefined;
  forceDestroy: boolean;
}

function refuseSettingsOfExistingBucket(value: BucketSettings, context: z.RefinementCtx): void {
  if (value.mode === "create") return;
  const refuse = refuser(context);
  for (const key of ["softDeleteDays", "versioning", "stagedBuildsExpireAfterDays", "incompleteUploadsExpireAfterDays", "forceDestroy"] as const) {
    if (value[key] !== undefined && value[key] !== false) refuse(key, "has no effect on an existing bucket, which is never changed: leave it out");
  }
}

/** Where artifacts are stored, with the choice of the role on it. */
export const artifactBucket = z
  .strictObject({
    ...bucketFields,
    stagedBuildsExpireAfterDays: wholeNumber(numberRules.lifecycleDays, "Age at which staged builds (below builds/) are removed. Default: 30", 30).optional(),
    access: choice(["object-admin", "artifact-objects"], "roles/storage.objectAdmin, or a custom role with the four permissions on objects that DCF uses of it").default("object-admin"),
  })
  .superRefine(refuseSettingsOfExistingBucket)
  .meta({ description: "Where artifacts are stored" });

/** Where files are delivered to. */
export const deliveryBucket = z.strictObject(bucketFields).superRefine(refuseSettingsOfExistingBucket).meta({ description: "Where files are delivered to" });

export const refusalBucket = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ description: "Whether there is an empty bucket with no grant, on which verification proves that more than the grants is refused" }),
    name: gcpText("bucketName", "Its name. Default: made from the other bucket's").optional(),
  })
  .meta({ description: "The bucket that the platform must be refused on" })
  .prefault({});

export const auditLogs = z
  .array(
    z.strictObject({
      service: gcpText("service", "API whose data access is logged, in all of the project").meta({ examples: ["storage.googleapis.com"] }),
      logTypes: z.array(z.enum(auditLogTypes)).min(1).meta({ description: "What is logged", examples: [["DATA_WRITE"]] }),
    }),
  )
  .superRefine((value, context) => {
    for (const [index, { service }] of value.entries()) {
      if (value.findIndex((other) => other.service === service) !== index) context.addIssue({ code: "custom", path: [], message: `must name every service once; ${service} is there twice` });
    }
  })
  .default([])
  .meta({ description: "Data access audit logs to add to what the project logs already; they stay on destroy" });

export const labels = z
  .record(z.string(), z.string())
  .superRefine((value, context) => {
    for (const { key, reason } of labelMistakes(value)) context.addIssue({ code: "custom", path: key === undefined ? [] : [key], message: reason });
  })
  .optional()
  .meta({ description: "Labels of everything that the stack creates and that can have some" });
