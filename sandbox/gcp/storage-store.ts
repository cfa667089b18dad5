/** What Cloud Storage keeps: buckets, objects with all their generations, their bytes, and upload sessions. */
import { randomBytes } from "node:crypto";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import { STORAGE_LIMITS, type LocationType } from "../../facts/gcp/storage.js";
import type { Clock, ResourceStore } from "../types.js";
import type { GcpCaller } from "./types.js";

/** Members that a bucket's owner writes, in the JSON API's form. */
export interface BucketSettings {
  storageClass: string;
  iamConfiguration: {
    uniformBucketLevelAccess: { enabled: boolean; /** ISO 8601, as all times here. */ lockedTime?: string };
    publicAccessPrevention: "inherited" | "enforced";
  };
  softDeletePolicy: { retentionDurationSeconds: string; effectiveTime?: string };
  versioning?: { enabled: boolean };
  labels?: Record<string, string>;
  retentionPolicy?: { retentionPeriod: string; effectiveTime: string; isLocked?: boolean };
  encryption?: { defaultKmsKeyName?: string | undefined };
  billing?: { requesterPays?: boolean | undefined };
  defaultEventBasedHold?: boolean;
  rpo?: string;
  hierarchicalNamespace?: { enabled: boolean };
  /** Kept and shown, without effect here. */
  autoclass?: object;
  cors?: object[];
  customPlacementConfig?: object;
  ipFilter?: object;
  lifecycle?: object;
  logging?: object;
  website?: object;
}

export interface Bucket {
  name: string;
  projectId: string;
  projectNumber: string;
  location: string;
  locationType: LocationType;
  generation: string;
  metageneration: number;
  timeCreated: string;
  updated: string;
  settings: BucketSettings;
}

/** Members of an object that its writer gives, in the JSON API's form. */
export interface ObjectSettings {
  contentType?: string;
  cacheControl?: string;
  contentDisposition?: string;
  contentEncoding?: string;
  contentLanguage?: string;
  customTime?: string;
  metadata?: Record<string, string>;
  storageClass?: string;
  temporaryHold?: boolean;
  eventBasedHold?: boolean;
}

export interface ObjectGeneration {
  generation: string;
  metageneration: number;
  size: number;
  crc32c: string;
  /** Absent for composed objects. */
  md5Hash?: string;
  componentCount?: number;
  kmsKeyName?: string;
  timeCreated: string;
  updated: string;
  /** Since when it is not the live one any more, in a bucket with versions. */
  timeDeleted?: string;
  softDeleteTime?: string;
  hardDeleteTime?: string;
  settings: ObjectSettings;
}

export interface StoredObject {
  bucket: string;
  name: string;
  /** Newest first. */
  generations: ObjectGeneration[];
}

export interface Preconditions {
  ifGenerationMatch?: string;
  ifGenerationNotMatch?: string;
  ifMetagenerationMatch?: string;
  ifMetagenerationNotMatch?: string;
}

/** A resumable upload; who has its id may go on with it. */
export interface UploadSession {
  caller: GcpCaller;
  bucket: string;
  name: string;
  settings: ObjectSettings;
  hashes: { md5Hash?: string; crc32c?: string };
  preconditions: Preconditions;
  kmsKeyName?: string;
  createdAt: string;
  received: number;
  state: "open" | "done" | "gone";
  /** What it became. */
  generation?: string;
}

const BUCKET = "gcp:storage/bucket";
const OBJECT = "gcp:storage/object";
const CONTENT = "gcp:storage/content";
/** Under types that begin so the store keeps secrets: persisted apart and never listed. */
const SESSION = "secret:gcp/storage-upload";
const PART = "secret:gcp/storage-upload-part";

export const bucketPath = (bucket: string): string => `projects/_/buckets/${bucket}`;
export const objectPath = (bucket: string, name: string): string => `${bucketPath(bucket)}/objects/${name}`;

export function isLive(generation: ObjectGeneration): boolean {
  return generation.timeDeleted === undefined && generation.softDeleteTime === undefined;
}

export class StorageStore {
  constructor(
    private readonly store: ResourceStore,
    private readonly clock: Clock,
  ) {}

  now(): string {
    return this.clock.now().toISOString();
  }

  after(seconds: number): string {
    return new Date(this.clock.now().getTime() + seconds * 1000).toISOString();
  }

  bucket(name: string): Bucket | undefined {
    return this.store.get<Bucket>(BUCKET, bucketPath(name));
  }

  buckets(projectId: string): Bucket[] {
    const all = this.store.list<Bucket>(BUCKET).map(({ value }) => value);
    return all.filter((each) => each.projectId === projectId).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  putBucket(bucket: Bucket): void {
    this.store.put(BUCKET, bucketPath(bucket.name), bucket);
  }

  /** With what is soft-deleted in it. */
  deleteBucket(name: string): void {
    for (const object of this.objects(name)) this.putObject({ ...object, generations: [] });
    this.store.delete(BUCKET, bucketPath(name));
  }

  /** Without generations whose soft deletion has ended. */
  object(bucket: string, name: string): StoredObject {
    const stored = this.store.get<StoredObject>(OBJECT, objectPath(bucket, name));
    return this.#present(stored ?? { bucket, name, generations: [] });
  }

  /** By name, in the order of bytes. */
  objects(bucket: string): StoredObject[] {
    const stored = this.store.list<StoredObject>(OBJECT).map(({ value }) => value);
    const present = stored.filter((each) => each.bucket === bucket).map((each) => this.#present(each));
    return present.filter(({ generations }) => generations.length > 0).sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  putObject(object: StoredObject): void {
    const id = objectPath(object.bucket, object.name);
    const kept = new Set(object.generations.map(({ generation }) => generation));
    for (const { generation } of this.store.get<StoredObject>(OBJECT, id)?.generations ?? []) {
      if (!kept.has(generation)) this.store.delete(CONTENT, `${id}#${generation}`);
    }
    if (object.generations.length === 0) this.store.delete(OBJECT, id);
    else this.store.put(OBJECT, id, object);
  }

  content(bucket: string, name: string, generation: string): Buffer {
    return Buffer.from(this.store.get<string>(CONTENT, `${objectPath(bucket, name)}#${generation}`) ?? "", "base64");
  }

  putContent(bucket: string, name: string, generation: string, data: Buffer): void {
    this.store.put(CONTENT, `${objectPath(bucket, name)}#${generation}`, data.toString("base64"));
  }

  /** Microseconds of the clock, later than every generation of the object. */
  nextGeneration(object: StoredObject): string {
    const latest = object.generations.reduce((most, { generation }) => (BigInt(generation) > most ? BigInt(generation) : most), 0n);
    const now = BigInt(this.clock.now().getTime()) * 1000n;
    return String(now > latest ? now : latest + 1n);
  }

  beginSession(session: UploadSession): string {
    this.#forgetSessions();
    const id = `${SANDBOX_SECRET_MARK}-${randomBytes(24).toString("base64url")}`;
    this.store.put(SESSION, id, session);
    return id;
  }

  session(id: string): UploadSession | undefined {
    const session = this.store.get<UploadSession>(SESSION, id);
    return session === undefined || this.#isForgotten(session) ? undefined : session;
  }

  addPart(id: string, session: UploadSession, data: Buffer): UploadSession {
    this.store.put(PART, `${id}/${session.received}`, data.toString("base64"));
    const next = { ...session, received: session.received + data.length };
    this.store.put(SESSION, id, next);
    return next;
  }

  /** Everything received. */
  parts(id: string): Buffer {
    const first = (part: string): number => Number(part.slice(id.length + 1));
    const parts = this.store.list<string>(PART).filter((part) => part.id.startsWith(`${id}/`));
    return Buffer.concat(parts.sort((a, b) => first(a.id) - first(b.id)).map(({ value }) => Buffer.from(value, "base64")));
  }

  endSession(id: string, session: UploadSession): void {
    for (const part of this.store.list(PART)) if (part.id.startsWith(`${id}/`)) this.store.delete(PART, part.id);
    this.store.put(SESSION, id, session);
  }

  #isForgotten({ createdAt }: UploadSession): boolean {
    return this.clock.now().getTime() - new Date(createdAt).getTime() > STORAGE_LIMITS.uploadSession.max * 86_400_000;
  }

  #forgetSessions(): void {
    for (const { id, value } of this.store.list<UploadSession>(SESSION)) {
      if (!this.#isForgotten(value)) continue;
      this.endSession(id, value);
      this.store.delete(SESSION, id);
    }
  }

  #present(object: StoredObject): StoredObject {
    const now = this.now();
    return { ...object, generations: object.generations.filter(({ hardDeleteTime }) => hardDeleteTime === undefined || hardDeleteTime > now) };
  }
}
