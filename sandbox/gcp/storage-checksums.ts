/** Hashes of objects, as the service writes and checks them. https://cloud.google.com/storage/docs/data-validation */
import { createHash } from "node:crypto";
import { storageRefusals } from "../../facts/gcp/storage.js";
import { refuse } from "./storage-errors.js";

/** Castagnoli's, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value >>> 0;
});

/** Base64 of the big-endian checksum. */
export function crc32c(data: Uint8Array): string {
  let value = 0xffffffff;
  for (const byte of data) value = (value >>> 8) ^ (table[(value ^ byte) & 0xff] ?? 0);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((value ^ 0xffffffff) >>> 0);
  return bytes.toString("base64");
}

export function md5(data: Uint8Array): string {
  return createHash("md5").update(data).digest("base64");
}

export interface Hashes {
  md5Hash?: string | undefined;
  crc32c?: string | undefined;
}

/** What `x-goog-hash` and `content-md5` say. */
export function hashesOf(headers: Readonly<Record<string, string>>): Hashes {
  const given = new Map((headers["x-goog-hash"] ?? "").split(",").map((each) => [each.slice(0, each.indexOf("=")).trim(), each.slice(each.indexOf("=") + 1).trim()]));
  return { md5Hash: given.get("md5") ?? headers["content-md5"], crc32c: given.get("crc32c") };
}

/** Throws the service's refusal where a given hash is not that of the data. */
export function verifyHashes(computed: { md5Hash: string; crc32c: string }, given: Hashes): void {
  if (given.md5Hash !== undefined && given.md5Hash !== computed.md5Hash) throw refuse(storageRefusals.md5Differs(given.md5Hash, computed.md5Hash));
  if (given.crc32c !== undefined && given.crc32c !== computed.crc32c) throw refuse(storageRefusals.crc32cDiffers(given.crc32c, computed.crc32c));
}
