/** The few ASN.1 DER encodings that a certificate needs (ITU-T X.690). */

function tagged(tag: number, content: Buffer): Buffer {
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content]);
}

export const sequence = (...items: Buffer[]): Buffer => tagged(0x30, Buffer.concat(items));
export const set = (...items: Buffer[]): Buffer => tagged(0x31, Buffer.concat(items));
export const utf8String = (text: string): Buffer => tagged(0x0c, Buffer.from(text, "utf8"));
export const octetString = (content: Buffer): Buffer => tagged(0x04, content);
export const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));
/** `unused` is the number of bits at the end that do not count. */
export const bitString = (content: Buffer, unused = 0): Buffer => tagged(0x03, Buffer.concat([Buffer.from([unused]), content]));
/** `[tag] EXPLICIT`. */
export const explicit = (tag: number, content: Buffer): Buffer => tagged(0xa0 | tag, content);
/** `[tag] IMPLICIT` of a primitive type. */
export const implicit = (tag: number, content: Buffer): Buffer => tagged(0x80 | tag, content);

/** A positive integer from its big-endian bytes. */
export function integer(bytes: Buffer): Buffer {
  const [first = 0] = bytes;
  return tagged(0x02, first & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const base128 = (value: number): number[] => {
    const bytes = [value & 0x7f];
    for (let left = value >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
    return bytes;
  };
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** UTCTime, which RFC 5280 demands until 2049 (section 4.1.2.5). */
export function utcTime(date: Date): Buffer {
  return tagged(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, "")}Z`, "ascii"));
}
