/** What the writer of an object gives besides its data. https://cloud.google.com/storage/docs/json_api/v1/objects#resource */
import * as z from "zod";
import { storageClasses, storageRefusals } from "../../facts/gcp/storage.js";
import type { Hashes } from "./storage-checksums.js";
import { refuse } from "./storage-errors.js";
import type { ObjectSettings } from "./storage-store.js";

const text = z.string().nullish();

const written = z.object({
  name: z.string().optional(),
  contentType: text,
  cacheControl: text,
  contentDisposition: text,
  contentEncoding: text,
  contentLanguage: text,
  customTime: text,
  metadata: z.record(z.string(), z.string().nullable()).nullish(),
  storageClass: text,
  temporaryHold: z.boolean().nullish(),
  eventBasedHold: z.boolean().nullish(),
  md5Hash: z.string().optional(),
  crc32c: z.string().optional(),
  kmsKeyName: text,
  acl: z.unknown().optional(),
});

export interface WrittenObject {
  name: string | undefined;
  settings: ObjectSettings;
  hashes: Hashes;
  kmsKeyName: string | undefined;
  hasAcl: boolean;
}

const SETTINGS = ["contentType", "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "customTime", "temporaryHold", "eventBasedHold"] as const;

/** Over `before`: null and empty texts remove, what is left out stays. Throws the service's refusal. */
export function readObject(body: unknown, before: ObjectSettings = {}): WrittenObject {
  const parsed = written.safeParse(body ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse(storageRefusals.invalid(`Invalid value for object.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not accepted"}`));
  }
  const { name, md5Hash, crc32c, kmsKeyName, acl, metadata, storageClass, ...rest } = parsed.data;
  if (storageClass != null && !storageClasses.includes(storageClass)) throw refuse(storageRefusals.storageClassInvalid());
  const changed = SETTINGS.flatMap((key) => (rest[key] === undefined ? [] : [[key, rest[key]] as const]));
  const custom = metadata === undefined ? before.metadata : mergedMetadata(before.metadata, metadata);
  const members: Record<string, unknown> = { ...before, ...Object.fromEntries(changed), ...(storageClass != null && { storageClass }), metadata: custom };
  const settings = Object.fromEntries(Object.entries(members).filter(([, value]) => value != null && value !== "")) as ObjectSettings;
  return { name, settings, hashes: { md5Hash, crc32c }, kmsKeyName: kmsKeyName ?? undefined, hasAcl: acl !== undefined };
}

function mergedMetadata(before: Record<string, string> | undefined, patch: Record<string, string | null> | null): Record<string, string> | undefined {
  if (patch === null) return undefined;
  const entries = Object.entries({ ...before, ...patch }).filter((entry): entry is [string, string] => entry[1] !== null);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
