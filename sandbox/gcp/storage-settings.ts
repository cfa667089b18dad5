/** What a bucket's owner writes: read, merged, checked. https://cloud.google.com/storage/docs/json_api/v1/buckets#resource */
import * as z from "zod";
import { DEFAULT_SOFT_DELETE_SECONDS, type LocationType, STORAGE_LIMITS, storageClasses, storageRefusals } from "../../facts/gcp/storage.js";
import { refuse } from "./storage-errors.js";
import type { BucketSettings } from "./storage-store.js";

type Json = Record<string, unknown>;

/** Integers of 64 bits are texts in the JSON API; clients write numbers too. */
const int64 = z.union([z.string().regex(/^\d+$/), z.number().int().nonnegative()]).transform(String);
const flag = z.object({ enabled: z.boolean().default(false) });

const settings = z.object({
  storageClass: z.string().default("STANDARD"),
  iamConfiguration: z
    .object({
      uniformBucketLevelAccess: flag.default({ enabled: false }),
      publicAccessPrevention: z.enum(["inherited", "enforced", "unspecified"]).default("inherited"),
    })
    .prefault({}),
  softDeletePolicy: z.object({ retentionDurationSeconds: int64, effectiveTime: z.string().optional() }).prefault({ retentionDurationSeconds: DEFAULT_SOFT_DELETE_SECONDS }),
  versioning: flag.optional(),
  labels: z.record(z.string().regex(/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u), z.string().max(63)).optional(),
  retentionPolicy: z.object({ retentionPeriod: int64, effectiveTime: z.string().optional(), isLocked: z.boolean().optional() }).optional(),
  encryption: z.object({ defaultKmsKeyName: z.string().optional() }).optional(),
  billing: z.object({ requesterPays: z.boolean().optional() }).optional(),
  defaultEventBasedHold: z.boolean().optional(),
  rpo: z.enum(["DEFAULT", "ASYNC_TURBO"]).optional(),
  hierarchicalNamespace: flag.optional(),
  autoclass: z.record(z.string(), z.unknown()).optional(),
  cors: z.array(z.record(z.string(), z.unknown())).optional(),
  customPlacementConfig: z.record(z.string(), z.unknown()).optional(),
  ipFilter: z.record(z.string(), z.unknown()).optional(),
  lifecycle: z.object({ rule: z.array(z.record(z.string(), z.unknown())).optional() }).optional(),
  logging: z.record(z.string(), z.unknown()).optional(),
  website: z.record(z.string(), z.unknown()).optional(),
});

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Objects are merged, null removes, anything else replaces. https://cloud.google.com/storage/docs/json_api#patch */
export function merged(before: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const base = isObject(before) ? before : {};
  const kept = Object.entries(base).filter(([key]) => !(key in patch));
  const written = Object.entries(patch).flatMap(([key, value]) => (value === null ? [] : [[key, merged(base[key], value)] as const]));
  return Object.fromEntries([...kept, ...written]);
}

/** `bucketPolicyOnly` is the former name of uniform access; both may come, then the present name counts. */
function withPresentNames(body: Json): Json {
  const { iamConfiguration } = body;
  if (!isObject(iamConfiguration)) return body;
  const { bucketPolicyOnly, ...rest } = iamConfiguration;
  const former = isObject(bucketPolicyOnly) && rest["uniformBucketLevelAccess"] === undefined ? { uniformBucketLevelAccess: { enabled: bucketPolicyOnly["enabled"] } } : {};
  return { ...body, iamConfiguration: { ...rest, ...former } };
}

interface Written {
  body: unknown;
  /** Merged over these; left out for a new bucket and for one that is written anew. */
  over: BucketSettings | undefined;
  /** As it was. */
  before: BucketSettings | undefined;
  locationType: LocationType;
  now: string;
}

/** Throws the service's refusal of what it does not take. */
export function readSettings({ body, over, before, locationType, now }: Written): BucketSettings {
  const given = withPresentNames(isObject(body) ? body : {});
  const parsed = settings.safeParse(merged(over, given));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse(storageRefusals.invalid(`Invalid value for bucket.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not accepted"}`));
  }
  const { iamConfiguration, softDeletePolicy, retentionPolicy, ...rest } = parsed.data;
  const storageClass = rest.storageClass.toUpperCase();
  if (!storageClasses.includes(storageClass)) throw refuse(storageRefusals.storageClassInvalid());
  const result: BucketSettings = {
    ...definedOnly(rest),
    storageClass,
    iamConfiguration: {
      uniformBucketLevelAccess: uniformAccess(iamConfiguration.uniformBucketLevelAccess.enabled, before, now),
      publicAccessPrevention: iamConfiguration.publicAccessPrevention === "enforced" ? "enforced" : "inherited",
    },
    softDeletePolicy: softDelete(softDeletePolicy.retentionDurationSeconds, before, now),
    ...(locationType !== "region" && { rpo: rest.rpo ?? "DEFAULT" }),
  };
  const period = retentionPolicy?.retentionPeriod;
  const held = before?.retentionPolicy;
  if (held?.isLocked === true && Number(period ?? 0) < Number(held.retentionPeriod)) throw refuse(storageRefusals.retentionLocked());
  if (period === undefined) return result;
  const kept = held?.retentionPeriod === period ? held : { retentionPeriod: period, effectiveTime: now, ...(held?.isLocked === true && { isLocked: true }) };
  return { ...result, retentionPolicy: kept };
}

function uniformAccess(enabled: boolean, before: BucketSettings | undefined, now: string): BucketSettings["iamConfiguration"]["uniformBucketLevelAccess"] {
  const earlier = before?.iamConfiguration.uniformBucketLevelAccess;
  if (!enabled) {
    if (earlier?.lockedTime !== undefined && earlier.lockedTime < now) throw refuse(storageRefusals.uniformAccessLocked());
    return { enabled };
  }
  const lockedTime = new Date(new Date(now).getTime() + STORAGE_LIMITS.uniformAccessLock.max * 86_400_000).toISOString();
  return { enabled, lockedTime: earlier?.lockedTime ?? lockedTime };
}

function softDelete(seconds: string, before: BucketSettings | undefined, now: string): BucketSettings["softDeletePolicy"] {
  const { min, max } = STORAGE_LIMITS.softDelete;
  if (seconds === "0") return { retentionDurationSeconds: seconds };
  if (Number(seconds) < min || Number(seconds) > max) {
    throw refuse(storageRefusals.invalid(`Soft delete policy retention duration must be 0 or between ${min} and ${max} seconds; it is ${seconds}.`));
  }
  const earlier = before?.softDeletePolicy;
  return earlier?.retentionDurationSeconds === seconds ? earlier : { retentionDurationSeconds: seconds, effectiveTime: now };
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

function definedOnly<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Defined<T>;
}
