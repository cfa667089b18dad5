/** Data of objects, whole or in part, for both APIs. */
import { storageRefusals } from "../../facts/gcp/storage.js";
import type { WireResponse } from "../types.js";
import type { Requester, StorageAccess } from "./storage-access.js";
import { StorageError, refuse } from "./storage-errors.js";
import { type Generations, checkPreconditions, preconditionsOf } from "./storage-generations.js";
import type { Bucket, ObjectGeneration } from "./storage-store.js";
import { dataHeaders, objectEtag } from "./storage-views.js";

/** Reads what the caller may read. Who may not list a bucket does not learn that an object is not there. */
export function readable(access: StorageAccess, generations: Generations, request: Requester, at: { bucket: Bucket; name: string }): ObjectGeneration {
  const { caller, query } = request;
  const { bucket, name } = at;
  access.requireObject(caller, bucket, name, "storage.objects.get");
  const generation = query.get("generation") ?? undefined;
  if (query.get("softDeleted") === "true" && generation !== undefined) return generations.softDeleted(bucket, name, generation);
  const found = generations.find(bucket, name, generation);
  if (!found) access.requireBucket(caller, bucket, "storage.objects.list");
  const object = found ?? generations.get(bucket, name, generation);
  checkPreconditions(preconditionsOf(query), object, true);
  return object;
}

/** First and last byte of a `Range` header; undefined for none or one of another form. Throws 416. */
function byteRange(header: string | undefined, size: number): { first: number; last: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const first = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const last = match[1] === "" || match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (first >= size || first > last) throw refuse(storageRefusals.rangeUnsatisfiable());
  return { first, last };
}

export function download(access: StorageAccess, generations: Generations, request: Requester, at: { bucket: Bucket; name: string }): WireResponse {
  const object = readable(access, generations, request, at);
  const seen = request.headers["if-none-match"];
  if (seen !== undefined && seen.replaceAll('"', "") === objectEtag(object)) throw new StorageError(304, "notModified", "Not Modified");
  const data = generations.content(at.bucket, at.name, object);
  const headers = dataHeaders(at.bucket, object);
  const range = byteRange(request.headers["range"], data.length);
  if (!range) return { status: 200, headers, body: data };
  const { first, last } = range;
  return { status: 206, headers: { ...headers, "content-range": `bytes ${first}-${last}/${data.length}` }, body: data.subarray(first, last + 1) };
}
