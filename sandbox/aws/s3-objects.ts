/** Objects: put, got, removed, copied. */
import { randomBytes } from "node:crypto";
import type * as api from "@aws-sdk/client-s3";
import { MAX_KEY_BYTES } from "../../facts/aws/s3.js";
import type { Clock } from "../types.js";
import { type S3Access, type S3Call, type S3Handler, text } from "./s3-access.js";
import { DEFAULT_CHECKSUM, checksumMember, checksumOutput, md5, verifyChecksums } from "./s3-checksums.js";
import { type S3Encryption, encryptionOutput } from "./s3-encryption.js";
import { s3Error } from "./s3-errors.js";
import {
  type Bucket,
  type ObjectData,
  type ObjectHeaders,
  type ObjectVersion,
  type S3State,
  type StoredObject,
  bucketArn,
  objectArn,
} from "./s3-state.js";
import { AwsError } from "./types.js";

/** Bytes however the caller has them: from the wire, or from a direct call. */
export function bytesOf(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(body)) return body;
  if (body instanceof Uint8Array || typeof body === "string") return Buffer.from(body);
  throw s3Error("InvalidRequest", {}, "The body must be bytes or text");
}

export function headersOf(input: ObjectHeaders): ObjectHeaders {
  const { CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ContentType, Metadata } = input;
  // `aws-chunked` is how the body travelled, not what it is.
  const encoding = ContentEncoding?.split(",").map((each) => each.trim()).filter((each) => each !== "aws-chunked" && each !== "").join(",");
  return {
    ...(CacheControl === undefined ? {} : { CacheControl }),
    ...(ContentDisposition === undefined ? {} : { ContentDisposition }),
    ...(encoding === undefined || encoding === "" ? {} : { ContentEncoding: encoding }),
    ...(ContentLanguage === undefined ? {} : { ContentLanguage }),
    ContentType: ContentType ?? "binary/octet-stream",
    Metadata: Metadata ?? {},
  };
}

/** `a=1&b=2`, as the tagging header has it. */
export function tagsOf(header: string | undefined): api.Tag[] | undefined {
  if (header === undefined || header === "") return undefined;
  return [...new URLSearchParams(header)].map(([Key, Value]) => ({ Key, Value }));
}

/** S3's rule of ETags: the MD5 of the data, unless KMS encrypted it. */
export function etagOf(data: Uint8Array, algorithm: string): string {
  return `"${algorithm === "AES256" ? md5(data) : randomBytes(16).toString("hex")}"`;
}

/** The objects of the store as S3's rules of versioning see them. */
export class ObjectStore {
  constructor(
    private readonly state: S3State,
    private readonly clock: Clock,
  ) {}

  private versions(bucket: Bucket, key: string): StoredObject {
    return this.state.object(bucket.name, key) ?? { bucket: bucket.name, key, versions: [] };
  }

  current(bucket: Bucket, key: string): ObjectVersion | undefined {
    return this.versions(bucket, key).versions[0];
  }

  version(bucket: Bucket, key: string, versionId: string): ObjectVersion | undefined {
    return this.versions(bucket, key).versions.find((each) => each.versionId === versionId);
  }

  /** Adds a version, or a delete marker without `data`. Off and suspended versioning replace the `null` version. */
  add(bucket: Bucket, key: string, data?: ObjectData): ObjectVersion {
    const versionId = bucket.versioning === "Enabled" ? randomBytes(24).toString("base64url") : "null";
    const lastModified = this.clock.now().toISOString();
    const version: ObjectVersion = { versionId, lastModified, ...(data === undefined ? {} : { data }) };
    const object = this.versions(bucket, key);
    this.state.putObject({ ...object, versions: [version, ...object.versions.filter((each) => each.versionId !== versionId)] });
    return version;
  }

  remove(bucket: Bucket, key: string, versionId: string): ObjectVersion | undefined {
    const object = this.versions(bucket, key);
    const removed = object.versions.find((each) => each.versionId === versionId);
    if (removed !== undefined) this.state.putObject({ ...object, versions: object.versions.filter((each) => each !== removed) });
    return removed;
  }
}

/** Shown only where versioning has ever been on. */
export function versionOutput(bucket: Bucket, version: ObjectVersion): { VersionId?: string } {
  return bucket.versioning === undefined ? {} : { VersionId: version.versionId };
}

/** `If-Match` and `If-None-Match` of a write. Throws PreconditionFailed and, for If-Match without an object, NoSuchKey. */
export function checkWriteConditions(current: ObjectVersion | undefined, key: string, ifMatch: string | undefined, ifNoneMatch: string | undefined): void {
  if (ifNoneMatch === "*" && current?.data !== undefined) throw s3Error("PreconditionFailed", { Condition: "If-None-Match" });
  if (ifMatch === undefined) return;
  if (current?.data === undefined) throw s3Error("NoSuchKey", { Key: key });
  if (!sameTag(ifMatch, current.data.etag)) throw s3Error("PreconditionFailed", { Condition: "If-Match" });
}

function sameTag(given: string, etag: string): boolean {
  return given === "*" || given.split(",").some((each) => each.trim().replaceAll('"', "") === etag.replaceAll('"', ""));
}

/** Dates in headers have whole seconds. */
function seconds(date: Date | string): number {
  return Math.floor(new Date(date).getTime() / 1000);
}

function checkReadConditions(data: ObjectData, lastModified: string, input: api.GetObjectRequest): void {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = input;
  if (IfMatch !== undefined && !sameTag(IfMatch, data.etag)) throw s3Error("PreconditionFailed", { Condition: "If-Match" });
  if (IfMatch === undefined && IfUnmodifiedSince !== undefined && seconds(lastModified) > seconds(IfUnmodifiedSince))
    throw s3Error("PreconditionFailed", { Condition: "If-Unmodified-Since" });
  if (IfNoneMatch !== undefined && sameTag(IfNoneMatch, data.etag)) throw s3Error("NotModified");
  if (IfNoneMatch === undefined && IfModifiedSince !== undefined && seconds(lastModified) <= seconds(IfModifiedSince))
    throw s3Error("NotModified");
}

/** First and last byte of a `Range` header; undefined for none or one that S3 ignores. Throws InvalidRange. */
export function rangeOf(header: string | undefined, size: number): { first: number; last: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const first = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const last = match[1] === "" || match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (first >= size || first > last)
    throw s3Error("InvalidRange", { RangeRequested: header ?? "", ActualObjectSize: String(size) });
  return { first, last };
}

/** Reads the object that a copy names, if the caller may read it. */
export type CopySource = ReturnType<typeof objectOperations>["copySource"];

export function objectOperations(state: S3State, clock: Clock, access: S3Access, encryption: S3Encryption) {
  const objects = new ObjectStore(state, clock);

  /** The data that a read asks for. Without the right to list, a missing key looks like a forbidden one. */
  function readable(call: S3Call<unknown>, bucket: Bucket, key: string, versionId: string | undefined): { version: ObjectVersion; data: ObjectData } {
    const version = versionId === undefined ? objects.current(bucket, key) : objects.version(bucket, key, versionId);
    if (version?.data !== undefined) return { version, data: version.data };
    const listing = versionId === undefined ? "s3:ListBucket" : "s3:ListBucketVersions";
    access.require({ ...call, bucket }, listing, bucketArn(bucket));
    if (versionId === undefined) throw s3Error("NoSuchKey", { Key: key });
    if (version === undefined) throw s3Error("NoSuchVersion", { Key: key, VersionId: versionId });
    throw s3Error("MethodNotAllowed", { Method: "GET", ResourceType: "DeleteMarker" });
  }

  function requireTagging(call: S3Call<unknown>, tagging: string | undefined): void {
    if (tagging !== undefined && tagging !== "") access.require(call, "s3:PutObjectTagging", access.resource(call));
  }

  const PutObject: S3Handler<api.PutObjectRequest> = (call) => {
    const { bucket, input, key } = call;
    if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw s3Error("KeyTooLongError", { Size: String(Buffer.byteLength(key)), MaxSizeAllowed: String(MAX_KEY_BYTES) });
    requireTagging(call, input.Tagging);
    const body = bytesOf(input.Body);
    const chosen = encryption.choose(call.request, bucket, input);
    encryption.authorise(call, key, chosen, "kms:GenerateDataKey");
    const fallback = input.ChecksumAlgorithm === undefined ? DEFAULT_CHECKSUM : checksumMember(input.ChecksumAlgorithm);
    const checksum = verifyChecksums(call.request.input, body, fallback);
    checkWriteConditions(objects.current(bucket, key), key, input.IfMatch, input.IfNoneMatch);
    const tags = tagsOf(input.Tagging);
    const data: ObjectData = {
      body: body.toString("base64"),
      size: body.length,
      etag: etagOf(body, chosen.algorithm),
      headers: headersOf(input),
      encryption: chosen,
      checksum,
      storageClass: input.StorageClass ?? "STANDARD",
      ...(tags === undefined ? {} : { tags }),
    };
    const version = objects.add(bucket, key, data);
    return { ETag: data.etag, ...checksumOutput(checksum), ...encryptionOutput(chosen), ...versionOutput(bucket, version) };
  };

  function describe(bucket: Bucket, version: ObjectVersion, data: ObjectData, input: api.GetObjectRequest) {
    const { partsCount, tags } = data;
    return {
      AcceptRanges: "bytes",
      LastModified: new Date(version.lastModified),
      ETag: data.etag,
      ...data.headers,
      ...(input.ResponseContentType === undefined ? {} : { ContentType: input.ResponseContentType }),
      ...(input.ResponseContentDisposition === undefined ? {} : { ContentDisposition: input.ResponseContentDisposition }),
      ...encryptionOutput(data.encryption),
      ...versionOutput(bucket, version),
      ...(input.ChecksumMode === "ENABLED" && input.Range === undefined ? checksumOutput(data.checksum) : {}),
      ...(data.storageClass === "STANDARD" ? {} : { StorageClass: data.storageClass }),
      ...(partsCount === undefined || input.PartNumber === undefined ? {} : { PartsCount: partsCount }),
      ...(tags === undefined || tags.length === 0 ? {} : { TagCount: tags.length }),
    };
  }

  function read(call: S3Call<api.GetObjectRequest>) {
    const { bucket, input, key } = call;
    const { version, data } = readable(call, bucket, key, input.VersionId);
    encryption.authorise(call, key, data.encryption, "kms:Decrypt");
    checkReadConditions(data, version.lastModified, input);
    const range = rangeOf(input.Range, data.size);
    const described = describe(bucket, version, data, input);
    if (range === undefined) return { data, output: { ...described, ContentLength: data.size } };
    const ContentRange = `bytes ${range.first}-${range.last}/${data.size}`;
    return { data, range, output: { ...described, ContentRange, ContentLength: range.last - range.first + 1 } };
  }

  const GetObject: S3Handler<api.GetObjectRequest> = (call) => {
    const { data, range, output } = read(call);
    const body = Buffer.from(data.body, "base64");
    return { ...output, Body: range === undefined ? body : body.subarray(range.first, range.last + 1) };
  };

  const HeadObject: S3Handler<api.GetObjectRequest> = (call) => read(call).output;

  function removeOne(bucket: Bucket, key: string, versionId: string | undefined): api.DeletedObject {
    if (versionId !== undefined) {
      const removed = objects.remove(bucket, key, versionId);
      const marker = removed !== undefined && removed.data === undefined;
      return { VersionId: versionId, ...(marker ? { DeleteMarker: true, DeleteMarkerVersionId: versionId } : {}) };
    }
    if (bucket.versioning === undefined) {
      objects.remove(bucket, key, "null");
      return {};
    }
    return { DeleteMarker: true, DeleteMarkerVersionId: objects.add(bucket, key).versionId };
  }

  const DeleteObject: S3Handler<api.DeleteObjectRequest> = ({ bucket, input, key }) => {
    if (input.IfMatch !== undefined) checkWriteConditions(objects.current(bucket, key), key, input.IfMatch, undefined);
    const { DeleteMarker, DeleteMarkerVersionId, VersionId } = removeOne(bucket, key, input.VersionId);
    const shown = VersionId ?? DeleteMarkerVersionId;
    return { ...(DeleteMarker === undefined ? {} : { DeleteMarker }), ...(shown === undefined ? {} : { VersionId: shown }) };
  };

  /** Each key is authorised for itself; the answer is 200 whatever became of them. */
  const DeleteObjects: S3Handler<api.DeleteObjectsRequest> = (call) => {
    const { bucket, input } = call;
    const Deleted: api.DeletedObject[] = [];
    const Errors: api._Error[] = [];
    for (const { Key, VersionId } of input.Delete?.Objects ?? []) {
      const key = Key ?? "";
      const version = VersionId === undefined ? {} : { VersionId };
      try {
        access.require(call, VersionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion", objectArn(bucket, key));
        Deleted.push({ Key: key, ...removeOne(bucket, key, VersionId) });
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        Errors.push({ Key: key, ...version, Code: error.code, Message: error.message });
      }
    }
    return { ...(input.Delete?.Quiet === true ? {} : { Deleted }), Errors };
  };

  const CopyObject: S3Handler<api.CopyObjectRequest> = (call) => {
    const { bucket, input, key, request } = call;
    requireTagging(call, input.Tagging);
    const { source, version, data } = copySource(call, input.CopySource ?? "");
    const { encryption: from } = data;
    encryption.authorise({ ...call, bucket: source.bucket }, source.key, from, "kms:Decrypt");
    const chosen = encryption.choose(request, bucket, input);
    encryption.authorise(call, key, chosen, "kms:GenerateDataKey");
    checkWriteConditions(objects.current(bucket, key), key, input.IfMatch, input.IfNoneMatch);
    const itself = source.bucket.name === bucket.name && source.key === key && source.versionId === undefined;
    if (itself && input.MetadataDirective !== "REPLACE" && input.ServerSideEncryption === undefined && input.StorageClass === undefined)
      throw s3Error("InvalidRequest", {}, "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.");
    const body = Buffer.from(data.body, "base64");
    const tags = input.TaggingDirective === "REPLACE" ? tagsOf(input.Tagging) : data.tags;
    const member = input.ChecksumAlgorithm === undefined ? DEFAULT_CHECKSUM : checksumMember(input.ChecksumAlgorithm);
    const { partsCount: _parts, tags: _tags, ...kept } = data;
    const copy: ObjectData = {
      ...kept,
      etag: etagOf(body, chosen.algorithm),
      headers: input.MetadataDirective === "REPLACE" ? headersOf(input) : data.headers,
      encryption: chosen,
      checksum: verifyChecksums({}, body, member),
      storageClass: input.StorageClass ?? "STANDARD",
      ...(tags === undefined ? {} : { tags }),
    };
    const made = objects.add(bucket, key, copy);
    return {
      CopyObjectResult: { ETag: copy.etag, LastModified: new Date(made.lastModified), ...checksumOutput(copy.checksum) },
      ...(source.bucket.versioning === undefined ? {} : { CopySourceVersionId: version.versionId }),
      ...encryptionOutput(chosen),
      ...versionOutput(bucket, made),
    };
  };

  /** The object that `x-amz-copy-source` names, if the caller may read it. */
  function copySource(call: S3Call<unknown>, header: string) {
    const [path = "", query = ""] = header.replace(/^\//, "").split("?versionId=");
    const slash = path.indexOf("/");
    if (slash < 1) throw s3Error("InvalidArgument", { ArgumentName: "x-amz-copy-source", ArgumentValue: header });
    const name = decodeURIComponent(path.slice(0, slash));
    const key = decodeURIComponent(path.slice(slash + 1));
    const bucket = state.bucket(name);
    if (bucket === undefined) throw s3Error("NoSuchBucket", { BucketName: name });
    const owner = text(call.request.input["ExpectedSourceBucketOwner"]);
    if (owner !== "" && owner !== bucket.accountId) throw s3Error("AccessDenied");
    const versionId = query === "" ? undefined : query;
    const action = versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
    access.require({ ...call, bucket }, action, objectArn(bucket, key));
    return { source: { bucket, key, versionId }, ...readable(call, bucket, key, versionId) };
  }

  function tagged(call: S3Call<{ VersionId?: string | undefined }>, change?: (tags: api.Tag[]) => api.Tag[]) {
    const { bucket, key } = call;
    const { version, data } = readable(call, bucket, key, call.input.VersionId);
    if (change === undefined) return { TagSet: data.tags ?? [], ...versionOutput(bucket, version) };
    const object = state.object(bucket.name, key);
    const versions = object?.versions.map((each) => (each.versionId === version.versionId ? { ...each, data: { ...data, tags: change(data.tags ?? []) } } : each));
    state.putObject({ bucket: bucket.name, key, versions: versions ?? [] });
    return versionOutput(bucket, version);
  }

  const GetObjectTagging: S3Handler<api.GetObjectTaggingRequest> = (call) => tagged(call);
  const PutObjectTagging: S3Handler<api.PutObjectTaggingRequest> = (call) => tagged(call, () => call.input.Tagging?.TagSet ?? []);
  const DeleteObjectTagging: S3Handler<api.DeleteObjectTaggingRequest> = (call) => tagged(call, () => []);

  return {
    bucket: { DeleteObjects },
    object: { PutObject, GetObject, HeadObject, DeleteObject, CopyObject, GetObjectTagging, PutObjectTagging, DeleteObjectTagging },
    copySource,
  };
}
