/** Archives as builds meet them: ZIP and tar files to read, tar files to write. */
import { gunzipSync, inflateRawSync } from "node:zlib";

export interface ArchiveEntry {
  path: string;
  data: Buffer;
}

/** A file that is no archive, or one that cannot be read. The message is what `unzip` or `tar` says. */
export class ArchiveError extends Error {}

/** https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3.6 */
const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;

/** The files of a ZIP archive; entries that are folders are left out. Throws {@link ArchiveError}. */
export function readZip(archive: Buffer): ArchiveEntry[] {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || archive.readUInt32LE(end) !== END_OF_DIRECTORY || end + 22 > archive.length) throw new ArchiveError("End-of-central-directory signature not found.");
  const entries: ArchiveEntry[] = [];
  try {
    let at = archive.readUInt32LE(end + 16);
    for (let count = archive.readUInt16LE(end + 10); count > 0; count--) {
      if (archive.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new ArchiveError("bad zipfile offset");
      const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset)) as [number, number, number];
      const path = archive.toString("utf8", at + 46, at + 46 + nameLength);
      if (!path.endsWith("/")) entries.push({ path: safe(path), data: contents(archive, at) });
      at += 46 + nameLength + extraLength + commentLength;
    }
  } catch (error) {
    throw error instanceof ArchiveError ? error : new ArchiveError("the archive is damaged");
  }
  return entries;
}

function contents(archive: Buffer, directoryEntry: number): Buffer {
  const method = archive.readUInt16LE(directoryEntry + 10);
  const size = archive.readUInt32LE(directoryEntry + 20);
  const local = archive.readUInt32LE(directoryEntry + 42);
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const data = archive.subarray(start, start + size);
  if (method === STORED) return Buffer.from(data);
  if (method === DEFLATED) return inflateRawSync(data);
  throw new ArchiveError(`unsupported compression method ${method}`);
}

/** An entry cannot leave the folder that it is unpacked into. */
function safe(path: string): string {
  return path.split("/").filter((part) => part !== "" && part !== "." && part !== "..").join("/");
}

const BLOCK = 512;

/** Files of a tar archive, compressed with gzip or not; what is no file is left out. Throws {@link ArchiveError}. */
export function readTar(archive: Buffer): ArchiveEntry[] {
  const data = gunzip(archive);
  const entries: ArchiveEntry[] = [];
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= data.length && data[at] !== 0; ) {
    const header = data.subarray(at, at + BLOCK);
    if (header.toString("latin1", 257, 262) !== "ustar") throw new ArchiveError("This does not look like a tar archive");
    const size = parseInt(text(header, 124, 12).trim(), 8);
    const content = data.subarray(at + BLOCK, at + BLOCK + size);
    if (Number.isNaN(size) || content.length < size) throw new ArchiveError("Unexpected EOF in archive");
    const [prefix, name] = [text(header, 345, 155), text(header, 0, 100)];
    const kind = String.fromCharCode(header[156] ?? 0);
    // Names of more than 100 bytes go before the file that they are of, as GNU tar or as pax writes them.
    if (kind === "L") longName = text(content, 0, size);
    else if (kind === "x") longName = /^\d+ path=(.*)$/m.exec(content.toString("utf8"))?.[1];
    else {
      if (kind === "0" || kind === "\0") entries.push({ path: safe(longName ?? (prefix === "" ? name : `${prefix}/${name}`)), data: Buffer.from(content) });
      longName = undefined;
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries;
}

function gunzip(archive: Buffer): Buffer {
  if (archive[0] !== 0x1f || archive[1] !== 0x8b) return archive;
  try {
    return gunzipSync(archive);
  } catch {
    throw new ArchiveError("gzip: stdin: invalid compressed data--format violated");
  }
}

/** Up to the first NUL. */
function text(buffer: Buffer, start: number, length: number): string {
  const field = buffer.toString("utf8", start, start + length);
  const end = field.indexOf("\0");
  return end < 0 ? field : field.slice(0, end);
}

/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html ustar interchange format */
export function writeTar(entries: readonly ArchiveEntry[]): Buffer {
  const blocks = entries.flatMap(({ path, data }) => [tarHeader(path, data.length), data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function tarHeader(path: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, "0")}\0`;
  const slash = path.length > 100 ? path.lastIndexOf("/", 155) : -1;
  header.write(slash < 0 ? path : path.slice(slash + 1), 0, 100);
  header.write(octal(0o755, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(0, 12), 136);
  header.write(" ".repeat(8), 148);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  if (slash >= 0) header.write(path.slice(0, slash), 345, 155);
  header.write(`${octal(header.reduce((sum, byte) => sum + byte, 0), 7)} `, 148);
  return header;
}
