/** Checks that content arrived as it was sent: MD5, and CRC-64 in the service's own polynomial. https://learn.microsoft.com/rest/api/storageservices/put-blob */
import { storageRefusal } from "./storage-errors.js";
import { md5 } from "./blob-call.js";

/** Reflected, in halves: numbers of 64 bits would be slow. */
const POLYNOMIAL = { high: 0x9a6c9329, low: 0xac4bc9b5 };

const HIGH = new Uint32Array(256);
const LOW = new Uint32Array(256);
for (let index = 0; index < 256; index++) {
  let high = 0;
  let low = index;
  for (let bit = 0; bit < 8; bit++) {
    const odd = low & 1;
    low = (low >>> 1) | ((high & 1) << 31);
    high >>>= 1;
    if (odd) {
      high ^= POLYNOMIAL.high;
      low ^= POLYNOMIAL.low;
    }
  }
  HIGH[index] = high >>> 0;
  LOW[index] = low >>> 0;
}

/** Base64 of the eight bytes, the lowest first. */
export function crc64(data: Buffer): string {
  let high = 0xffffffff;
  let low = 0xffffffff;
  for (const byte of data) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | ((high & 0xff) << 24)) ^ (LOW[index] ?? 0);
    high = (high >>> 8) ^ (HIGH[index] ?? 0);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(~low >>> 0, 0);
  bytes.writeUInt32LE(~high >>> 0, 4);
  return bytes.toString("base64");
}

/** Throws 400 where the content is not what the headers say. Answers what the answer says of it. */
export function checkContent(headers: Readonly<Record<string, string>>, data: Buffer): Record<string, string> {
  const { "content-md5": givenMd5, "x-ms-content-crc64": givenCrc } = headers;
  const actual = md5(data);
  if (givenMd5 !== undefined) {
    if (Buffer.from(givenMd5, "base64").length !== 16) throw storageRefusal("InvalidMd5");
    if (givenMd5 !== actual) throw storageRefusal("Md5Mismatch", { UserSpecifiedMd5: givenMd5, ServerCalculatedMd5: actual });
  }
  if (givenCrc === undefined) return { "content-md5": actual };
  const crc = crc64(data);
  if (givenCrc !== crc) throw storageRefusal("Crc64Mismatch", { UserSpecifiedCrc64: givenCrc, ServerCalculatedCrc64: crc });
  return { "x-ms-content-crc64": crc };
}
