/**
 * Checksums of objects and parts.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { s3Error } from "./s3-errors.js";
import type { ObjectChecksum } from "./s3-state.js";

const CRC32C_POLYNOMIAL = 0x82f63b78;
const CRC64NVME_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

const crc32cTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ CRC32C_POLYNOMIAL : value >>> 1;
  return value >>> 0;
});

/** High and low halves: 64-bit integers would be slow over megabytes. */
const crc64Table = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ CRC64NVME_POLYNOMIAL : value >> 1n;
  return value;
});
const crc64High = Uint32Array.from(crc64Table, (value) => Number(value >> 32n));
const crc64Low = Uint32Array.from(crc64Table, (value) => Number(value & 0xffffffffn));

function crc32c(data: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of data) value = (value >>> 8) ^ (crc32cTable[(value ^ byte) & 0xff] ?? 0);
  return (value ^ 0xffffffff) >>> 0;
}

function crc64nvme(data: Uint8Array): Buffer {
  let high = 0xffffffff;
  let low = 0xffffffff;
  for (const byte of data) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (crc64Low[index] ?? 0);
    high = (high >>> 8) ^ (crc64High[index] ?? 0);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE((high ^ 0xffffffff) >>> 0, 0);
  bytes.writeUInt32BE((low ^ 0xffffffff) >>> 0, 4);
  return bytes;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

const hash = (name: string) => (data: Uint8Array) => createHash(name).update(data).digest();

/** By the API's member names. */
const ALGORITHMS: Readonly<Record<string, (data: Uint8Array) => Buffer>> = {
  ChecksumCRC32: (data) => word(crc32(data)),
  ChecksumCRC32C: (data) => word(crc32c(data)),
  ChecksumCRC64NVME: crc64nvme,
  ChecksumMD5: hash("md5"),
  ChecksumSHA1: hash("sha1"),
  ChecksumSHA256: hash("sha256"),
  ChecksumSHA512: hash("sha512"),
};

/** What S3 computes when the client gives none. */
export const DEFAULT_CHECKSUM = "ChecksumCRC64NVME";

/** The member of an algorithm's name, such as `CRC32C`. Throws InvalidRequest for one that is unknown. */
export function checksumMember(algorithm: string): string {
  const member = `Checksum${algorithm.toUpperCase()}`;
  if (ALGORITHMS[member] === undefined) throw s3Error("InvalidRequest", {}, "Checksum algorithm provided is unsupported.");
  return member;
}

function compute(member: string, data: Uint8Array): string {
  const algorithm = ALGORITHMS[member];
  if (algorithm === undefined) throw s3Error("InvalidRequest", {}, "Checksum algorithm provided is unsupported.");
  return algorithm(data).toString("base64");
}

export function md5(data: Uint8Array): string {
  return createHash("md5").update(data).digest("hex");
}

function givenMember(input: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(ALGORITHMS).find((member) => typeof input[member] === "string");
}

/**
 * Compares what the client announced (`Content-MD5`, one `Checksum…` member) with the data and returns the checksum to
 * keep: the announced one, or one of `fallback`. Throws InvalidDigest and BadDigest.
 */
export function verifyChecksums(input: Readonly<Record<string, unknown>>, data: Uint8Array, fallback: string): ObjectChecksum {
  const contentMd5 = input["ContentMD5"];
  if (typeof contentMd5 === "string") {
    if (Buffer.from(contentMd5, "base64").length !== 16) throw s3Error("InvalidDigest", { "Content-MD5": contentMd5 });
    if (compute("ChecksumMD5", data) !== contentMd5) throw s3Error("BadDigest", { ExpectedDigest: contentMd5 });
  }
  const given = givenMember(input);
  const member = given ?? fallback;
  const value = compute(member, data);
  if (given !== undefined && input[given] !== value) {
    const name = given.replace("Checksum", "");
    throw s3Error("BadDigest", {}, `The ${name} you specified did not match the calculated checksum.`);
  }
  return { member, value, type: "FULL_OBJECT" };
}

/** The checksum of a multipart upload: of the whole, or of its parts' checksums. */
export function combineChecksums(member: string, type: ObjectChecksum["type"], whole: Uint8Array, parts: readonly ObjectChecksum[]): ObjectChecksum {
  if (type === "FULL_OBJECT") return { member, value: compute(member, whole), type };
  const digests = Buffer.concat(parts.map((part) => Buffer.from(part.value, "base64")));
  return { member, value: `${compute(member, digests)}-${parts.length}`, type };
}

/** Members of an answer that shows the checksum. */
export function checksumOutput(checksum: ObjectChecksum): Record<string, string> {
  return { [checksum.member]: checksum.value, ChecksumType: checksum.type };
}
