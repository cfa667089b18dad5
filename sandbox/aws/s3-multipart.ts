/** Uploads in parts. */
import { randomBytes } from "node:crypto";
import type * as api from "@aws-sdk/client-s3";
import { MULTIPART } from "../../facts/aws/s3.js";
import type { Clock } from "../types.js";
import type { S3Access, S3Call, S3Handler } from "./s3-access.js";
import { canonicalId } from "./s3-buckets.js";
import { DEFAULT_CHECKSUM, checksumMember, checksumOutput, combineChecksums, md5, verifyChecksums } from "./s3-checksums.js";
import { type S3Encryption, encryptionOutput } from "./s3-encryption.js";
import { s3Error } from "./s3-errors.js";
import { type CopySource, ObjectStore, bytesOf, checkWriteConditions, headersOf, rangeOf, tagsOf, versionOutput } from "./s3-objects.js";
import type { MultipartUpload, ObjectChecksum, ObjectData, S3State, UploadedPart } from "./s3-state.js";

export interface MultipartParts {
  state: S3State;
  clock: Clock;
  access: S3Access;
  encryption: S3Encryption;
  copySource: CopySource;
}

export function multipartOperations({ state, clock, access, encryption, copySource }: MultipartParts) {
  const objects = new ObjectStore(state, clock);

  function uploadOf(call: S3Call<unknown>, uploadId: string | undefined): MultipartUpload {
    const upload = state.upload(call.bucket.name, uploadId ?? "");
    if (upload?.key !== call.key) throw s3Error("NoSuchUpload", { UploadId: uploadId ?? "" });
    return upload;
  }

  const CreateMultipartUpload: S3Handler<api.CreateMultipartUploadRequest> = (call) => {
    const { bucket, input, key, request } = call;
    if (input.Tagging !== undefined) access.require(call, "s3:PutObjectTagging", access.resource(call));
    const chosen = encryption.choose(request, bucket, input);
    encryption.authorise(call, key, chosen, "kms:GenerateDataKey");
    const checksumOf = input.ChecksumAlgorithm === undefined ? undefined : checksumMember(input.ChecksumAlgorithm);
    const checksumType = input.ChecksumType ?? (checksumOf === DEFAULT_CHECKSUM ? "FULL_OBJECT" : "COMPOSITE");
    const tags = tagsOf(input.Tagging);
    const upload: MultipartUpload = {
      bucket: bucket.name,
      key,
      uploadId: randomBytes(48).toString("base64url"),
      initiated: clock.now().toISOString(),
      initiator: request.caller.principal.arn,
      headers: headersOf(input),
      encryption: chosen,
      storageClass: input.StorageClass ?? "STANDARD",
      ...(tags === undefined ? {} : { tags }),
      ...(checksumOf === undefined ? {} : { checksumMember: checksumOf, checksumType }),
    };
    state.putUpload(upload);
    return {
      Bucket: bucket.name,
      Key: key,
      UploadId: upload.uploadId,
      ...encryptionOutput(chosen),
      ...(input.ChecksumAlgorithm === undefined ? {} : { ChecksumAlgorithm: input.ChecksumAlgorithm, ChecksumType: checksumType }),
    };
  };

  function receive(call: S3Call<{ PartNumber?: number | undefined; UploadId?: string | undefined }>, body: Buffer, announced: Record<string, unknown>) {
    const { bucket, input, key } = call;
    const upload = uploadOf(call, input.UploadId);
    const partNumber = input.PartNumber ?? 0;
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > MULTIPART.maxParts)
      throw s3Error("InvalidArgument", { ArgumentName: "partNumber", ArgumentValue: String(partNumber) }, `Part number must be an integer between 1 and ${MULTIPART.maxParts}, inclusive`);
    // A part goes on with the upload's data key, which KMS has to open again.
    encryption.authorise(call, key, upload.encryption, "kms:GenerateDataKey");
    encryption.authorise(call, key, upload.encryption, "kms:Decrypt");
    const checksum = verifyChecksums(announced, body, upload.checksumMember ?? DEFAULT_CHECKSUM);
    const lastModified = clock.now().toISOString();
    const part: UploadedPart = { partNumber, body: body.toString("base64"), size: body.length, md5: md5(body), checksum, lastModified };
    state.putPart(bucket.name, upload.uploadId, part);
    const shown = { ETag: `"${part.md5}"`, [checksum.member]: checksum.value };
    return { shown, encryption: encryptionOutput(upload.encryption), lastModified: new Date(lastModified) };
  }

  const UploadPart: S3Handler<api.UploadPartRequest> = (call) => {
    const part = receive(call, bytesOf(call.input.Body), call.request.input);
    return { ...part.shown, ...part.encryption };
  };

  const UploadPartCopy: S3Handler<api.UploadPartCopyRequest> = (call) => {
    const { source, data } = copySource(call, call.input.CopySource ?? "");
    encryption.authorise({ ...call, bucket: source.bucket }, source.key, data.encryption, "kms:Decrypt");
    const range = rangeOf(call.input.CopySourceRange, data.size);
    const body = Buffer.from(data.body, "base64");
    const part = receive(call, range === undefined ? body : body.subarray(range.first, range.last + 1), {});
    return { CopyPartResult: { ...part.shown, LastModified: part.lastModified }, ...part.encryption };
  };

  /** The uploaded parts that the client lists, in its order. Throws InvalidPart, InvalidPartOrder and EntityTooSmall. */
  function listedParts(upload: MultipartUpload, wanted: readonly api.CompletedPart[]): UploadedPart[] {
    const uploaded = new Map(state.parts(upload.bucket, upload.uploadId).map((part) => [part.partNumber, part]));
    const numbers = wanted.map((each) => each.PartNumber ?? 0);
    if (numbers.some((number, index) => number <= (numbers[index - 1] ?? 0))) throw s3Error("InvalidPartOrder", { UploadId: upload.uploadId });
    return wanted.map(({ ETag, PartNumber = 0 }, index) => {
      const part = uploaded.get(PartNumber);
      if (part?.md5 !== ETag?.replaceAll('"', "") || part === undefined)
        throw s3Error("InvalidPart", { UploadId: upload.uploadId, PartNumber: String(PartNumber), ETag: ETag ?? "" });
      if (index < wanted.length - 1 && part.size < MULTIPART.minPartBytes)
        throw s3Error("EntityTooSmall", {
          ETag: part.md5,
          PartNumber: String(PartNumber),
          ProposedSize: String(part.size),
          MinSizeAllowed: String(MULTIPART.minPartBytes),
        });
      return part;
    });
  }

  const CompleteMultipartUpload: S3Handler<api.CompleteMultipartUploadRequest> = (call) => {
    const { bucket, input, key } = call;
    const upload = uploadOf(call, input.UploadId);
    const wanted = input.MultipartUpload?.Parts ?? [];
    if (wanted.length === 0) throw s3Error("MalformedXML");
    const parts = listedParts(upload, wanted);
    encryption.authorise(call, key, upload.encryption, "kms:Decrypt");
    checkWriteConditions(objects.current(bucket, key), key, input.IfMatch, input.IfNoneMatch);
    const body = Buffer.concat(parts.map((part) => Buffer.from(part.body, "base64")));
    const digests = Buffer.concat(parts.map((part) => Buffer.from(part.md5, "hex")));
    const checksums = parts.map((part) => part.checksum).filter((each): each is ObjectChecksum => each !== undefined);
    const checksum = combineChecksums(upload.checksumMember ?? DEFAULT_CHECKSUM, upload.checksumType ?? "FULL_OBJECT", body, checksums);
    const data: ObjectData = {
      body: body.toString("base64"),
      size: body.length,
      etag: `"${md5(digests)}-${parts.length}"`,
      headers: upload.headers,
      encryption: upload.encryption,
      checksum,
      storageClass: upload.storageClass,
      partsCount: parts.length,
      ...(upload.tags === undefined ? {} : { tags: upload.tags }),
    };
    const version = objects.add(bucket, key, data);
    state.deleteUpload(bucket.name, upload.uploadId);
    return {
      Location: `https://${bucket.name}.s3.${bucket.region}.amazonaws.com/${encodeURIComponent(key)}`,
      Bucket: bucket.name,
      Key: key,
      ETag: data.etag,
      ...checksumOutput(checksum),
      ...encryptionOutput(upload.encryption),
      ...versionOutput(bucket, version),
    };
  };

  const AbortMultipartUpload: S3Handler<api.AbortMultipartUploadRequest> = (call) => {
    state.deleteUpload(call.bucket.name, uploadOf(call, call.input.UploadId).uploadId);
    return {};
  };

  const ListParts: S3Handler<api.ListPartsRequest> = (call) => {
    const { bucket, input, key } = call;
    const upload = uploadOf(call, input.UploadId);
    const after = Number(input.PartNumberMarker ?? 0);
    const size = Math.min(input.MaxParts ?? 1000, 1000);
    const rest = state.parts(bucket.name, upload.uploadId).filter((part) => part.partNumber > after);
    const page = rest.slice(0, size);
    const last = page.at(-1);
    return {
      Bucket: bucket.name,
      Key: key,
      UploadId: upload.uploadId,
      PartNumberMarker: String(after),
      MaxParts: size,
      IsTruncated: page.length < rest.length,
      ...(last === undefined ? {} : { NextPartNumberMarker: String(last.partNumber) }),
      Parts: page.map((part) => ({
        PartNumber: part.partNumber,
        LastModified: new Date(part.lastModified),
        ETag: `"${part.md5}"`,
        Size: part.size,
      })),
      Initiator: { ID: upload.initiator },
      Owner: { ID: canonicalId(bucket.accountId) },
      StorageClass: upload.storageClass,
    };
  };

  const ListMultipartUploads: S3Handler<api.ListMultipartUploadsRequest> = ({ bucket, input }) => ({
    Bucket: bucket.name,
    KeyMarker: input.KeyMarker ?? "",
    UploadIdMarker: input.UploadIdMarker ?? "",
    ...(input.Prefix === undefined ? {} : { Prefix: input.Prefix }),
    MaxUploads: input.MaxUploads ?? 1000,
    IsTruncated: false,
    Uploads: state
      .uploads(bucket.name)
      .filter((upload) => upload.key.startsWith(input.Prefix ?? "") && upload.key > (input.KeyMarker ?? ""))
      .map((upload) => ({
        UploadId: upload.uploadId,
        Key: upload.key,
        Initiated: new Date(upload.initiated),
        StorageClass: upload.storageClass,
        Initiator: { ID: upload.initiator },
        Owner: { ID: canonicalId(bucket.accountId) },
      })),
  });

  return {
    bucket: { ListMultipartUploads },
    object: { CreateMultipartUpload, UploadPart, UploadPartCopy, CompleteMultipartUpload, AbortMultipartUpload, ListParts },
  };
}
