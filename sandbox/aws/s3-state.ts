/** What S3 keeps in the sandbox's store. */
import type { PublicAccessBlockConfiguration, ServerSideEncryptionConfiguration, Tag, LifecycleRule } from "@aws-sdk/client-s3";
import { partitionOfRegion } from "../../facts/aws/partitions.js";
import type { ResourceStore } from "../types.js";

export interface Bucket {
  name: string;
  accountId: string;
  partition: string;
  region: string;
  /** ISO 8601. */
  creationDate: string;
  publicAccessBlock?: PublicAccessBlockConfiguration;
  encryption?: ServerSideEncryptionConfiguration;
  objectOwnership?: string;
  versioning?: "Enabled" | "Suspended";
  lifecycle?: LifecycleRule[];
  transitionDefaultMinimumObjectSize?: string;
  tags?: Tag[];
}

export interface ObjectEncryption {
  algorithm: "AES256" | "aws:kms" | "aws:kms:dsse";
  keyArn?: string;
  bucketKeyEnabled?: boolean;
  /** What the caller gave; S3 adds the ARN. */
  context?: Record<string, string>;
}

/** As the API names it: `ChecksumCRC32` and its siblings. */
export interface ObjectChecksum {
  member: string;
  value: string;
  type: "FULL_OBJECT" | "COMPOSITE";
}

/** Headers that come back as they were put. */
export interface ObjectHeaders {
  CacheControl?: string | undefined;
  ContentDisposition?: string | undefined;
  ContentEncoding?: string | undefined;
  ContentLanguage?: string | undefined;
  ContentType?: string | undefined;
  Metadata?: Record<string, string> | undefined;
}

export interface ObjectData {
  /** Base64. */
  body: string;
  size: number;
  /** With its quotes. */
  etag: string;
  headers: ObjectHeaders;
  encryption: ObjectEncryption;
  checksum: ObjectChecksum;
  storageClass: string;
  tags?: Tag[];
  partsCount?: number;
}

export interface ObjectVersion {
  /** `null` for what was written while versioning was off or suspended. */
  versionId: string;
  /** ISO 8601. */
  lastModified: string;
  /** Absent for a delete marker. */
  data?: ObjectData;
}

/** All versions under one key, newest first. */
export interface StoredObject {
  bucket: string;
  key: string;
  versions: ObjectVersion[];
}

export interface MultipartUpload {
  bucket: string;
  key: string;
  uploadId: string;
  initiated: string;
  initiator: string;
  headers: ObjectHeaders;
  encryption: ObjectEncryption;
  storageClass: string;
  tags?: Tag[];
  checksumMember?: string;
  checksumType?: "FULL_OBJECT" | "COMPOSITE";
}

export interface UploadedPart {
  partNumber: number;
  body: string;
  size: number;
  /** Hex MD5, without quotes. */
  md5: string;
  checksum?: ObjectChecksum;
  lastModified: string;
}

const BUCKET = "aws:s3/bucket";
/** Its own resource, so that a change of policy propagates and a change of the bucket does not. */
const POLICY = "aws:s3/bucket-policy";
const OBJECT = "aws:s3/object";
const UPLOAD = "aws:s3/multipart-upload";
const PART = "aws:s3/multipart-part";
export const S3_TYPES = [BUCKET, POLICY, OBJECT, UPLOAD, PART];

interface StoredPolicy {
  /** JSON text; IAM principals by unique id. */
  document: string;
}

/** Typed access to the store, and the only place that knows S3's ids in it. */
export class S3State {
  constructor(private readonly store: ResourceStore) {}

  bucket(name: string): Bucket | undefined {
    return this.store.get<Bucket>(BUCKET, name);
  }

  buckets(): Bucket[] {
    return this.store.list<Bucket>(BUCKET).map((each) => each.value);
  }

  putBucket(bucket: Bucket): void {
    this.store.put(BUCKET, bucket.name, bucket);
  }

  deleteBucket(name: string): void {
    this.store.delete(BUCKET, name);
    this.store.delete(POLICY, name);
    for (const upload of this.uploads(name)) this.deleteUpload(name, upload.uploadId);
  }

  policy(bucket: string): string | undefined {
    return this.store.get<StoredPolicy>(POLICY, bucket)?.document;
  }

  /** The policy that decides requests now. */
  effectivePolicy(bucket: string): string | undefined {
    return this.store.effective<StoredPolicy>(POLICY, bucket)?.document;
  }

  putPolicy(bucket: string, document: string): void {
    this.store.put(POLICY, bucket, { document } satisfies StoredPolicy, { propagates: true });
  }

  deletePolicy(bucket: string): void {
    this.store.delete(POLICY, bucket, { propagates: true });
  }

  object(bucket: string, key: string): StoredObject | undefined {
    return this.store.get<StoredObject>(OBJECT, `${bucket}/${key}`);
  }

  /** In the order of the keys' UTF-8 bytes, as S3 lists. */
  objects(bucket: string): StoredObject[] {
    return this.store
      .list<StoredObject>(OBJECT)
      .map((each) => each.value)
      .filter((each) => each.bucket === bucket)
      .sort((a, b) => compareKeys(a.key, b.key));
  }

  putObject(object: StoredObject): void {
    const id = `${object.bucket}/${object.key}`;
    if (object.versions.length === 0) this.store.delete(OBJECT, id);
    else this.store.put(OBJECT, id, object);
  }

  upload(bucket: string, uploadId: string): MultipartUpload | undefined {
    return this.store.get<MultipartUpload>(UPLOAD, `${bucket}/${uploadId}`);
  }

  uploads(bucket: string): MultipartUpload[] {
    return this.store
      .list<MultipartUpload>(UPLOAD)
      .map((each) => each.value)
      .filter((each) => each.bucket === bucket)
      .sort((a, b) => compareKeys(a.key, b.key) || a.initiated.localeCompare(b.initiated));
  }

  putUpload(upload: MultipartUpload): void {
    this.store.put(UPLOAD, `${upload.bucket}/${upload.uploadId}`, upload);
  }

  deleteUpload(bucket: string, uploadId: string): void {
    for (const part of this.parts(bucket, uploadId)) this.store.delete(PART, `${bucket}/${uploadId}/${part.partNumber}`);
    this.store.delete(UPLOAD, `${bucket}/${uploadId}`);
  }

  parts(bucket: string, uploadId: string): UploadedPart[] {
    const prefix = `${bucket}/${uploadId}/`;
    return this.store
      .list<UploadedPart>(PART)
      .filter((each) => each.id.startsWith(prefix))
      .map((each) => each.value)
      .sort((a, b) => a.partNumber - b.partNumber);
  }

  putPart(bucket: string, uploadId: string, part: UploadedPart): void {
    this.store.put(PART, `${bucket}/${uploadId}/${part.partNumber}`, part);
  }
}

/** Order of the UTF-8 bytes, which is not JavaScript's order of UTF-16 units. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function bucketArn(bucket: Pick<Bucket, "partition" | "name">): string {
  return `arn:${bucket.partition}:s3:::${bucket.name}`;
}

export function objectArn(bucket: Pick<Bucket, "partition" | "name">, key: string): string {
  return `${bucketArn(bucket)}/${key}`;
}

/** The partition of a region; the sandbox takes a region that AWS does not have yet for one of the largest partition. */
export function partitionOf(region: string): string {
  return partitionOfRegion(region)?.name ?? "aws";
}

export function dnsSuffix(region: string): string {
  return partitionOfRegion(region)?.dnsSuffix ?? "amazonaws.com";
}
