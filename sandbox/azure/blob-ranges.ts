/** Ranges of bytes. https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations */
import { storageRefusal } from "./storage-errors.js";

/** Undefined where the whole is asked for, also by what is no range; the last byte included. Throws 416 for a range behind the end. */
export function readRange(headers: Readonly<Record<string, string>>, size: number): { start: number; end: number } | undefined {
  const [, from = "", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(headers["x-ms-range"] ?? headers["range"] ?? "") ?? [];
  if (from === "") return undefined;
  const start = Number(from);
  const end = Math.min(to === "" ? size - 1 : Number(to), size - 1);
  if (to !== "" && Number(to) < start) return undefined;
  if (start >= size) throw storageRefusal("InvalidRange", {}, { "content-range": `bytes */${size}` });
  return { start, end };
}
