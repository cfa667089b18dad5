/** Buckets and objects as the JSON API shows them. https://cloud.google.com/storage/docs/json_api/v1/objects#resource */
import { type Bucket, type ObjectGeneration, isLive } from "./storage-store.js";

const API = "https://www.googleapis.com/storage/v1";

/** Base64 of a message with the generation (objects only) and the metageneration, as the service makes etags. */
function etag(metageneration: number, generation?: string): string {
  const bytes = [...(generation === undefined ? [] : [0x08, ...varint(BigInt(generation))]), generation === undefined ? 0x08 : 0x10, ...varint(BigInt(metageneration))];
  return Buffer.from(bytes).toString("base64");
}

function varint(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  return value < 0x80n ? [low] : [low | 0x80, ...varint(value >> 7n)];
}

export function bucketEtag(bucket: Bucket): string {
  return etag(bucket.metageneration);
}

export function objectEtag({ generation, metageneration }: ObjectGeneration): string {
  return etag(metageneration, generation);
}

export function shownBucket(bucket: Bucket): Record<string, unknown> {
  const { iamConfiguration, ...settings } = bucket.settings;
  return {
    kind: "storage#bucket",
    selfLink: `${API}/b/${bucket.name}`,
    id: bucket.name,
    name: bucket.name,
    projectNumber: bucket.projectNumber,
    generation: bucket.generation,
    metageneration: String(bucket.metageneration),
    location: bucket.location,
    locationType: bucket.locationType,
    etag: bucketEtag(bucket),
    timeCreated: bucket.timeCreated,
    updated: bucket.updated,
    ...settings,
    iamConfiguration: { bucketPolicyOnly: iamConfiguration.uniformBucketLevelAccess, ...iamConfiguration },
  };
}

export function shownObject(bucket: Bucket, name: string, object: ObjectGeneration): Record<string, unknown> {
  const { generation, settings } = object;
  const path = `b/${bucket.name}/o/${encodeURIComponent(name)}`;
  const { retentionPolicy } = bucket.settings;
  return {
    kind: "storage#object",
    id: `${bucket.name}/${name}/${generation}`,
    selfLink: `${API}/${path}`,
    mediaLink: `https://storage.googleapis.com/download/storage/v1/${path}?generation=${generation}&alt=media`,
    name,
    bucket: bucket.name,
    generation,
    metageneration: String(object.metageneration),
    storageClass: settings.storageClass ?? bucket.settings.storageClass,
    size: String(object.size),
    crc32c: object.crc32c,
    ...(object.md5Hash !== undefined && { md5Hash: object.md5Hash }),
    ...(object.componentCount !== undefined && { componentCount: object.componentCount }),
    ...(object.kmsKeyName !== undefined && { kmsKeyName: object.kmsKeyName }),
    etag: objectEtag(object),
    timeCreated: object.timeCreated,
    updated: object.updated,
    timeStorageClassUpdated: object.timeCreated,
    timeFinalized: object.timeCreated,
    ...(object.timeDeleted !== undefined && { timeDeleted: object.timeDeleted }),
    ...(object.softDeleteTime !== undefined && { softDeleteTime: object.softDeleteTime, hardDeleteTime: object.hardDeleteTime }),
    ...(retentionPolicy !== undefined && isLive(object) && { retentionExpirationTime: retainedUntil(bucket, object) }),
    ...settings,
    ...(settings.metadata !== undefined && Object.keys(settings.metadata).length === 0 && { metadata: undefined }),
  };
}

/** Until when the bucket's retention policy keeps an object; undefined where there is none. */
export function retainedUntil({ settings }: Bucket, { timeCreated }: ObjectGeneration): string | undefined {
  if (settings.retentionPolicy === undefined) return undefined;
  return new Date(new Date(timeCreated).getTime() + Number(settings.retentionPolicy.retentionPeriod) * 1000).toISOString();
}

/** Headers of an object's data. https://cloud.google.com/storage/docs/xml-api/reference-headers */
export function dataHeaders(bucket: Bucket, object: ObjectGeneration): Record<string, string> {
  const { settings } = object;
  const optional: Record<string, string | undefined> = {
    "cache-control": settings.cacheControl,
    "content-disposition": settings.contentDisposition,
    "content-encoding": settings.contentEncoding,
    "content-language": settings.contentLanguage,
  };
  return {
    "content-type": settings.contentType ?? "application/octet-stream",
    etag: objectEtag(object),
    "last-modified": new Date(object.updated).toUTCString(),
    "accept-ranges": "bytes",
    "x-goog-generation": object.generation,
    "x-goog-metageneration": String(object.metageneration),
    "x-goog-hash": [`crc32c=${object.crc32c}`, ...(object.md5Hash === undefined ? [] : [`md5=${object.md5Hash}`])].join(","),
    "x-goog-storage-class": settings.storageClass ?? bucket.settings.storageClass,
    "x-goog-stored-content-encoding": settings.contentEncoding ?? "identity",
    "x-goog-stored-content-length": String(object.size),
    ...Object.fromEntries(Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    ...Object.fromEntries(Object.entries(settings.metadata ?? {}).map(([key, value]) => [`x-goog-meta-${key.toLowerCase()}`, value])),
  };
}
