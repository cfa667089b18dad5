/** Objects inserted: in one request, as two parts, or resumably. https://cloud.google.com/storage/docs/uploads-downloads */
import { STORAGE_LIMITS, storageRefusals } from "../../facts/gcp/storage.js";
import { type GcpAnswer, type GcpRequest, type GcpRoute, RawAnswer } from "./service.js";
import type { StorageAccess } from "./storage-access.js";
import { type Hashes, crc32c, hashesOf, md5, verifyHashes } from "./storage-checksums.js";
import { refuse } from "./storage-errors.js";
import { type Generations, preconditionsOf } from "./storage-generations.js";
import { readTwoParts } from "./storage-multipart.js";
import { type WrittenObject, readObject } from "./storage-object-settings.js";
import type { Bucket, ObjectGeneration, ObjectSettings, StorageStore, UploadSession } from "./storage-store.js";
import { shownObject } from "./storage-views.js";

const OCTETS = "application/octet-stream";

interface Range {
  first: number;
  /** Exclusive. */
  end: number;
  /** Undefined while the client does not know it. */
  total: number | undefined;
}

/** Undefined where all of the data comes with this request; `first` and `end` are equal in a question for the state. */
function contentRange(header: string | undefined, length: number): Range | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes\s+(?:\*|(\d+)-(\d+|\*))\/(\d+|\*)$/.exec(header.trim());
  if (!match) throw refuse(storageRefusals.invalid("Failed to parse Content-Range header."));
  const total = match[3] === "*" ? undefined : Number(match[3]);
  const first = match[1] === undefined ? -1 : Number(match[1]);
  const end = first === -1 ? -1 : first + length;
  if (first !== -1 && match[2] !== "*" && Number(match[2]) + 1 !== end) throw refuse(storageRefusals.invalid("Invalid request. The number of bytes uploaded is required to be equal to the Content-Range header."));
  return { first, end, total };
}

export function uploadRoutes(store: StorageStore, access: StorageAccess, generations: Generations): GcpRoute[] {
  function open(request: GcpRequest, body: unknown): { bucket: Bucket; name: string; written: WrittenObject } {
    const bucket = access.bucket(request, request.params["bucket"] ?? "");
    const written = readObject(body);
    const name = request.query.get("name") ?? written.name;
    if (name === undefined || name === "") throw refuse(storageRefusals.required("name"));
    const uniform = bucket.settings.iamConfiguration.uniformBucketLevelAccess.enabled;
    if (uniform && (written.hasAcl || request.query.has("predefinedAcl"))) throw refuse(storageRefusals.aclOfUniformObject());
    return { bucket, name, written };
  }

  function settingsOf({ query }: GcpRequest, { settings }: WrittenObject, contentType: string | undefined): ObjectSettings {
    const contentEncoding = query.get("contentEncoding") ?? settings.contentEncoding;
    return { ...settings, contentType: settings.contentType ?? contentType ?? OCTETS, ...(contentEncoding !== undefined && { contentEncoding }) };
  }

  function insert(request: GcpRequest, body: unknown, data: Buffer, contentType: string | undefined): object {
    const { bucket, name, written } = open(request, body);
    const preconditions = preconditionsOf(request.query);
    generations.requireCreate(request.caller, bucket, name, preconditions);
    const computed = { md5Hash: md5(data), crc32c: crc32c(data) };
    verifyHashes(computed, written.hashes);
    verifyHashes(computed, hashesOf(request.headers));
    const kmsKeyName = request.query.get("kmsKeyName") ?? written.kmsKeyName;
    const added = generations.add(request.caller, bucket, name, { data, settings: settingsOf(request, written, contentType), preconditions, kmsKeyName });
    return shownObject(bucket, name, added);
  }

  function begin(request: GcpRequest): RawAnswer {
    const { bucket, name, written } = open(request, request.body);
    const preconditions = preconditionsOf(request.query);
    generations.requireCreate(request.caller, bucket, name, preconditions);
    const { md5Hash, crc32c: crc } = written.hashes;
    const kmsKeyName = request.query.get("kmsKeyName") ?? written.kmsKeyName;
    const id = store.beginSession({
      caller: request.caller,
      bucket: bucket.name,
      name,
      settings: settingsOf(request, written, request.headers["x-upload-content-type"]),
      hashes: { ...(md5Hash !== undefined && { md5Hash }), ...(crc !== undefined && { crc32c: crc }) },
      preconditions,
      ...(kmsKeyName !== undefined && { kmsKeyName }),
      createdAt: store.now(),
      received: 0,
      state: "open",
    });
    const location = new URL(request.url);
    location.searchParams.set("upload_id", id);
    return new RawAnswer({ status: 200, headers: { location: location.href, "x-guploader-uploadid": id, "content-type": "text/plain; charset=utf-8" } });
  }

  async function post(request: GcpRequest): Promise<GcpAnswer> {
    const contentType = request.headers["content-type"];
    switch (request.query.get("uploadType")) {
      case "multipart": {
        const { metadata, data, contentType: ofData } = readTwoParts(contentType, request.raw);
        return insert(request, metadata, data, ofData);
      }
      case "resumable":
        return request.query.has("upload_id") ? resume(request) : begin(request);
      case "media":
        return insert(request, undefined, request.raw, contentType);
      default:
        throw refuse(storageRefusals.required("uploadType"));
    }
  }

  function goOn(session: UploadSession): RawAnswer {
    return new RawAnswer({ status: 308, headers: session.received === 0 ? {} : { range: `bytes=0-${session.received - 1}` } });
  }

  /** The object that a session has become. */
  function finished(session: UploadSession): object {
    const bucket = store.bucket(session.bucket);
    const object = bucket && generations.find(bucket, session.name, session.generation);
    if (!bucket || !object) throw refuse(storageRefusals.uploadGone());
    return shownObject(bucket, session.name, object);
  }

  function finish(id: string, session: UploadSession, given: Hashes): object {
    const bucket = store.bucket(session.bucket);
    if (!bucket) throw refuse(storageRefusals.bucketMissing());
    const data = store.parts(id);
    let added: ObjectGeneration;
    try {
      const computed = { md5Hash: md5(data), crc32c: crc32c(data) };
      verifyHashes(computed, session.hashes);
      verifyHashes(computed, given);
      added = generations.add(session.caller, bucket, session.name, { data, settings: session.settings, preconditions: session.preconditions, kmsKeyName: session.kmsKeyName });
    } catch (error) {
      store.endSession(id, { ...session, state: "gone" });
      throw error;
    }
    store.endSession(id, { ...session, state: "done", generation: added.generation });
    return shownObject(bucket, session.name, added);
  }

  /** Whoever has the session's address acts as the one who began it. */
  async function resume(request: GcpRequest): Promise<GcpAnswer> {
    const id = request.query.get("upload_id") ?? "";
    let session = store.session(id);
    if (session === undefined || session.bucket !== request.params["bucket"]) throw refuse(storageRefusals.uploadMissing());
    if (session.state === "gone") throw refuse(storageRefusals.uploadGone());
    if (session.state === "done") return finished(session);
    const given = hashesOf(request.headers);
    const range = contentRange(request.headers["content-range"], request.raw.length);
    const first = range === undefined ? session.received : range.first;
    if (first > session.received) throw refuse(storageRefusals.uploadTooFar(first, session.received));
    if (first >= 0) {
      const fresh = request.raw.subarray(session.received - first);
      const last = range === undefined || range.total === range.end;
      // What is over the last whole chunk has to be sent again, unless it is the end.
      const taken = last ? fresh : fresh.subarray(0, wholeChunks(session.received + fresh.length) - session.received);
      if (taken.length > 0) session = store.addPart(id, session, taken);
      if (last) return finish(id, session, given);
    }
    return range?.total === session.received ? finish(id, session, given) : goOn(session);
  }

  async function cancel(request: GcpRequest): Promise<RawAnswer> {
    const id = request.query.get("upload_id") ?? "";
    const session = store.session(id);
    if (!session) throw refuse(storageRefusals.uploadMissing());
    store.endSession(id, { ...session, state: "gone" });
    return new RawAnswer({ status: 499 });
  }

  return ["/upload", "/resumable/upload"].flatMap((prefix): GcpRoute[] => {
    const path = `${prefix}/storage/v1/b/{bucket}/o`;
    return [
      { method: "POST", path, operation: "storage:objects.insert", anonymous: true, run: post },
      { method: "PUT", path, operation: "storage:objects.insert", anonymous: true, run: resume },
      { method: "DELETE", path, operation: "storage:objects.insert", anonymous: true, run: cancel },
    ];
  });
}

function wholeChunks(bytes: number): number {
  return bytes - (bytes % STORAGE_LIMITS.chunk.min);
}
