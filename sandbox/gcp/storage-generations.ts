/** How objects come, are replaced and go: preconditions, versions, holds, retention, soft deletion. */
import { STORAGE_LIMITS, storageRefusals } from "../../facts/gcp/storage.js";
import { crc32c, md5 } from "./storage-checksums.js";
import type { StorageAccess } from "./storage-access.js";
import { StorageError, refuse } from "./storage-errors.js";
import { type Bucket, type ObjectGeneration, type ObjectSettings, type Preconditions, type StorageStore, type StoredObject, isLive } from "./storage-store.js";
import { retainedUntil } from "./storage-views.js";
import type { GcpCaller } from "./types.js";

const PRECONDITIONS = ["ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch"] as const;

export function preconditionsOf(query: URLSearchParams): Preconditions {
  return Object.fromEntries(PRECONDITIONS.flatMap((name) => (query.has(name) ? [[name, query.get(name) ?? ""]] : [])));
}

/**
 * Throws 412 where one does not hold, and 304 for a read of what the reader has already. Generation 0 is no live object.
 * https://cloud.google.com/storage/docs/request-preconditions
 */
export function checkPreconditions(conditions: Preconditions, object: Pick<ObjectGeneration, "generation" | "metageneration"> | undefined, reading = false): void {
  const generation = object?.generation ?? "0";
  const metageneration = object === undefined ? undefined : String(object.metageneration);
  const { ifGenerationMatch, ifGenerationNotMatch, ifMetagenerationMatch, ifMetagenerationNotMatch } = conditions;
  const differs = (ifGenerationMatch !== undefined && ifGenerationMatch !== generation) || (ifMetagenerationMatch !== undefined && ifMetagenerationMatch !== metageneration);
  if (differs) throw refuse(storageRefusals.preconditionFailed());
  const same = ifGenerationNotMatch === generation || (ifMetagenerationNotMatch !== undefined && ifMetagenerationNotMatch === metageneration);
  if (same) throw reading ? new StorageError(304, "notModified", "Not Modified") : refuse(storageRefusals.preconditionFailed());
}

/** What a new generation is made of. */
export interface NewObject {
  data: Buffer;
  settings: ObjectSettings;
  preconditions: Preconditions;
  kmsKeyName?: string | undefined;
  /** Of composed objects, which have no MD5. */
  componentCount?: number | undefined;
}

function checkName(name: string): void {
  const { max } = STORAGE_LIMITS.objectName;
  const wrong = name === "" || name === "." || name === ".." || /[\r\n]/.test(name) || name.startsWith(".well-known/acme-challenge/") || Buffer.byteLength(name) > max;
  if (wrong) throw refuse(storageRefusals.objectNameInvalid(name));
}

export class Generations {
  constructor(
    private readonly store: StorageStore,
    private readonly access: StorageAccess,
  ) {}

  /** The live generation, or the given one if it is not soft-deleted. */
  find(bucket: Bucket, name: string, generation?: string): ObjectGeneration | undefined {
    const { generations } = this.store.object(bucket.name, name);
    return generation === undefined ? generations.find(isLive) : generations.find((each) => each.generation === generation && each.softDeleteTime === undefined);
  }

  /** Throws 404. */
  get(bucket: Bucket, name: string, generation?: string): ObjectGeneration {
    const found = this.find(bucket, name, generation);
    if (!found) throw refuse(storageRefusals.objectMissing(bucket.name, name));
    return found;
  }

  softDeleted(bucket: Bucket, name: string, generation: string): ObjectGeneration {
    const found = this.store.object(bucket.name, name).generations.find((each) => each.generation === generation && each.softDeleteTime !== undefined);
    if (!found) throw refuse(storageRefusals.objectMissing(bucket.name, name));
    return found;
  }

  content(bucket: Bucket, name: string, { generation }: ObjectGeneration): Buffer {
    return this.store.content(bucket.name, name, generation);
  }

  /** Whoever replaces an object deletes the one before and needs the right to. */
  requireCreate(caller: GcpCaller, bucket: Bucket, name: string, preconditions: Preconditions): void {
    checkName(name);
    this.access.requireObject(caller, bucket, name, "storage.objects.create");
    const live = this.find(bucket, name);
    checkPreconditions(preconditions, live);
    if (!live) return;
    this.access.requireObject(caller, bucket, name, "storage.objects.delete");
    this.#requireUnprotected(bucket, name, live);
  }

  /** Puts a new live generation, authorised. */
  add(caller: GcpCaller, bucket: Bucket, name: string, { data, settings, preconditions, kmsKeyName, componentCount }: NewObject): ObjectGeneration {
    this.requireCreate(caller, bucket, name, preconditions);
    const object = this.store.object(bucket.name, name);
    const now = this.store.now();
    const key = kmsKeyName ?? bucket.settings.encryption?.defaultKmsKeyName;
    const added: ObjectGeneration = {
      generation: this.store.nextGeneration(object),
      metageneration: 1,
      size: data.length,
      crc32c: crc32c(data),
      ...(componentCount === undefined ? { md5Hash: md5(data) } : { componentCount }),
      ...(key !== undefined && { kmsKeyName: key }),
      timeCreated: now,
      updated: now,
      settings: { ...(bucket.settings.defaultEventBasedHold === true && { eventBasedHold: true }), ...settings },
    };
    this.store.putContent(bucket.name, name, added.generation, data);
    const before = object.generations.flatMap((each) => (isLive(each) ? this.#archived(bucket, each) : [each]));
    this.store.putObject({ ...object, generations: [added, ...before] });
    return added;
  }

  replace(bucket: Bucket, name: string, generation: ObjectGeneration): void {
    const object = this.store.object(bucket.name, name);
    this.store.putObject({ ...object, generations: object.generations.map((each) => (each.generation === generation.generation ? generation : each)) });
  }

  /** The live one, which becomes noncurrent where the bucket keeps versions, or exactly the given generation. */
  remove(bucket: Bucket, name: string, generation: string | undefined, preconditions: Preconditions): void {
    const found = this.get(bucket, name, generation);
    checkPreconditions(preconditions, found);
    this.#requireUnprotected(bucket, name, found);
    const object = this.store.object(bucket.name, name);
    const left = generation === undefined ? this.#archived(bucket, found) : this.#softDeleted(bucket, found);
    this.#swap(object, found, left);
  }

  /** A copy of a soft-deleted generation becomes the live one; the caller is authorised already. */
  restored(bucket: Bucket, name: string, generation: string): NewObject {
    const found = this.softDeleted(bucket, name, generation);
    return { data: this.content(bucket, name, found), settings: found.settings, preconditions: {}, kmsKeyName: found.kmsKeyName, componentCount: found.componentCount };
  }

  #swap(object: StoredObject, found: ObjectGeneration, left: ObjectGeneration[]): void {
    this.store.putObject({ ...object, generations: object.generations.flatMap((each) => (each.generation === found.generation ? left : [each])) });
  }

  #archived(bucket: Bucket, live: ObjectGeneration): ObjectGeneration[] {
    return bucket.settings.versioning?.enabled === true ? [{ ...live, timeDeleted: this.store.now() }] : this.#softDeleted(bucket, live);
  }

  #softDeleted({ settings }: Bucket, generation: ObjectGeneration): ObjectGeneration[] {
    const seconds = Number(settings.softDeletePolicy.retentionDurationSeconds);
    return seconds === 0 ? [] : [{ ...generation, softDeleteTime: this.store.now(), hardDeleteTime: this.store.after(seconds) }];
  }

  #requireUnprotected(bucket: Bucket, name: string, object: ObjectGeneration): void {
    const { temporaryHold, eventBasedHold } = object.settings;
    if (temporaryHold === true || eventBasedHold === true) throw refuse(storageRefusals.held(bucket.name, name));
    const until = retainedUntil(bucket, object);
    if (until !== undefined && until > this.store.now()) throw refuse(storageRefusals.retained(bucket.name, name, until));
  }
}
