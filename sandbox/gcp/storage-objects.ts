/** Objects: listed, read, changed, deleted, copied, composed, restored. https://cloud.google.com/storage/docs/json_api/v1/objects */
import * as z from "zod";
import { STORAGE_LIMITS, storageRefusals } from "../../facts/gcp/storage.js";
import { type GcpAnswer, type GcpRequest, type GcpRoute, RawAnswer } from "./service.js";
import type { StorageAccess } from "./storage-access.js";
import { download, readable } from "./storage-downloads.js";
import { refuse } from "./storage-errors.js";
import { type Generations, checkPreconditions, preconditionsOf } from "./storage-generations.js";
import { readObject } from "./storage-object-settings.js";
import { page } from "./storage-pages.js";
import { type Bucket, type ObjectGeneration, type StorageStore, isLive } from "./storage-store.js";
import { shownObject } from "./storage-views.js";

const composition = z.object({
  destination: z.record(z.string(), z.unknown()).optional(),
  sourceObjects: z
    .array(z.object({ name: z.string(), generation: z.coerce.string().optional(), objectPreconditions: z.object({ ifGenerationMatch: z.coerce.string().optional() }).optional() }))
    .min(STORAGE_LIMITS.composeSources.min)
    .max(STORAGE_LIMITS.composeSources.max),
});

interface Listed {
  name: string;
  /** Absent for a prefix that stands for all names under it. */
  object?: ObjectGeneration;
}

export function objectRoutes(store: StorageStore, access: StorageAccess, generations: Generations): GcpRoute[] {
  const bucketOf = (request: GcpRequest): Bucket => access.bucket(request, request.params["bucket"] ?? "");
  const nameOf = ({ params }: GcpRequest): string => params["object"] ?? "";

  function shownGenerations(query: URLSearchParams, all: readonly ObjectGeneration[]): ObjectGeneration[] {
    if (query.get("softDeleted") === "true") return all.filter(({ softDeleteTime }) => softDeleteTime !== undefined);
    if (query.get("versions") !== "true") return all.filter(isLive);
    return all.filter(({ softDeleteTime }) => softDeleteTime === undefined);
  }

  /** Names with the delimiter after the prefix are shown as one prefix. */
  function listed(bucket: Bucket, query: URLSearchParams): Listed[] {
    const prefix = query.get("prefix") ?? "";
    const delimiter = query.get("delimiter") ?? "";
    const [start, end] = [query.get("startOffset"), query.get("endOffset")];
    const items: Listed[] = [];
    for (const { name, generations: all } of store.objects(bucket.name)) {
      if (!name.startsWith(prefix) || (start !== null && name < start) || (end !== null && end !== "" && name >= end)) continue;
      const chosen = shownGenerations(query, all);
      if (chosen.length === 0) continue;
      const cut = delimiter === "" ? -1 : name.indexOf(delimiter, prefix.length);
      const folder = name.slice(0, cut + delimiter.length);
      if (cut !== -1 && items.at(-1)?.name !== folder) items.push({ name: folder });
      const trailing = query.get("includeTrailingDelimiter") === "true" && folder === name;
      if (cut === -1 || trailing) items.push(...chosen.toReversed().map((object) => ({ name, object })));
    }
    return items;
  }

  async function list(request: GcpRequest): Promise<object> {
    const bucket = access.open(request, request.params["bucket"] ?? "", "storage.objects.list");
    const { items, nextPageToken } = page(listed(bucket, request.query), request.query, ({ name, object }) => `${name}#${object?.generation ?? ""}`);
    const objects = items.flatMap(({ name, object }) => (object ? [shownObject(bucket, name, object)] : []));
    const prefixes = items.flatMap(({ name, object }) => (object ? [] : [name]));
    return { kind: "storage#objects", ...(prefixes.length > 0 && { prefixes }), ...(objects.length > 0 && { items: objects }), ...nextPageToken };
  }

  async function get(request: GcpRequest): Promise<GcpAnswer> {
    const bucket = bucketOf(request);
    const name = nameOf(request);
    if (request.query.get("alt") === "media") return new RawAnswer(download(access, generations, request, { bucket, name }));
    const object = readable(access, generations, request, { bucket, name });
    const uniform = bucket.settings.iamConfiguration.uniformBucketLevelAccess.enabled;
    if (request.query.get("projection") === "full" && !uniform) access.requireObject(request.caller, bucket, name, "storage.objects.getIamPolicy");
    return shownObject(bucket, name, object);
  }

  async function media(request: GcpRequest): Promise<RawAnswer> {
    return new RawAnswer(download(access, generations, request, { bucket: bucketOf(request), name: nameOf(request) }));
  }

  const write = (mode: "patch" | "update") => async (request: GcpRequest) => {
    const bucket = bucketOf(request);
    const name = nameOf(request);
    access.requireObject(request.caller, bucket, name, "storage.objects.update");
    const object = generations.get(bucket, name, request.query.get("generation") ?? undefined);
    checkPreconditions(preconditionsOf(request.query), object);
    const { settings, hasAcl } = readObject(request.body, mode === "patch" ? object.settings : {});
    if (hasAcl && bucket.settings.iamConfiguration.uniformBucketLevelAccess.enabled) throw refuse(storageRefusals.aclOfUniformObject());
    const changed: ObjectGeneration = { ...object, settings, metageneration: object.metageneration + 1, updated: store.now() };
    generations.replace(bucket, name, changed);
    return shownObject(bucket, name, changed);
  };

  async function remove(request: GcpRequest): Promise<RawAnswer> {
    const bucket = bucketOf(request);
    const name = nameOf(request);
    access.requireObject(request.caller, bucket, name, "storage.objects.delete");
    generations.remove(bucket, name, request.query.get("generation") ?? undefined, preconditionsOf(request.query));
    return new RawAnswer({ status: 204 });
  }

  async function compose(request: GcpRequest): Promise<object> {
    const bucket = bucketOf(request);
    const name = nameOf(request);
    const parsed = composition.safeParse(request.body);
    if (!parsed.success) throw refuse(storageRefusals.invalid(`The number of source components provided must be between 1 and ${STORAGE_LIMITS.composeSources.max}.`));
    const sources = parsed.data.sourceObjects.map(({ name: source, generation, objectPreconditions }) => {
      access.requireObject(request.caller, bucket, source, "storage.objects.get");
      const object = generations.get(bucket, source, generation);
      const { ifGenerationMatch } = objectPreconditions ?? {};
      if (ifGenerationMatch !== undefined) checkPreconditions({ ifGenerationMatch }, object);
      return { object, data: generations.content(bucket, source, object) };
    });
    const written = readObject(parsed.data.destination);
    const [first] = sources;
    const contentType = written.settings.contentType ?? first?.object.settings.contentType;
    const added = generations.add(request.caller, bucket, name, {
      data: Buffer.concat(sources.map(({ data }) => data)),
      settings: { ...written.settings, ...(contentType !== undefined && { contentType }) },
      preconditions: preconditionsOf(request.query),
      kmsKeyName: request.query.get("kmsKeyName") ?? written.kmsKeyName,
      componentCount: sources.reduce((sum, { object }) => sum + (object.componentCount ?? 1), 0),
    });
    return shownObject(bucket, name, added);
  }

  function copied(request: GcpRequest): { bucket: Bucket; name: string; added: ObjectGeneration } {
    const { caller, params, query, body } = request;
    const from = bucketOf(request);
    const source = nameOf(request);
    const to = access.bucket(request, params["destinationBucket"] ?? "");
    const name = params["destinationObject"] ?? "";
    access.requireObject(caller, from, source, "storage.objects.get");
    const object = generations.get(from, source, query.get("sourceGeneration") ?? undefined);
    const { ifSourceGenerationMatch } = Object.fromEntries(query);
    if (ifSourceGenerationMatch !== undefined) checkPreconditions({ ifGenerationMatch: ifSourceGenerationMatch }, object);
    const written = readObject(body);
    // A body of its own replaces all of the source's metadata.
    const settings = Object.keys(written.settings).length === 0 ? object.settings : written.settings;
    const added = generations.add(caller, to, name, {
      data: generations.content(from, source, object),
      settings,
      preconditions: preconditionsOf(query),
      kmsKeyName: query.get("destinationKmsKeyName") ?? written.kmsKeyName,
      componentCount: object.componentCount,
    });
    return { bucket: to, name, added };
  }

  async function rewrite(request: GcpRequest): Promise<object> {
    const { bucket, name, added } = copied(request);
    const size = String(added.size);
    return { kind: "storage#rewriteResponse", totalBytesRewritten: size, objectSize: size, done: true, resource: shownObject(bucket, name, added) };
  }

  async function copy(request: GcpRequest): Promise<object> {
    const { bucket, name, added } = copied(request);
    return shownObject(bucket, name, added);
  }

  async function restore(request: GcpRequest): Promise<object> {
    const bucket = bucketOf(request);
    const name = nameOf(request);
    access.requireObject(request.caller, bucket, name, "storage.objects.restore");
    const generation = request.query.get("generation");
    if (generation === null) throw refuse(storageRefusals.required("generation"));
    const restored = { ...generations.restored(bucket, name, generation), preconditions: preconditionsOf(request.query) };
    return shownObject(bucket, name, generations.add(request.caller, bucket, name, restored));
  }

  const all = "/storage/v1/b/{bucket}/o";
  const one = `${all}/{object}`;
  const destination = "b/{destinationBucket}/o/{destinationObject}";
  return [
    { method: "GET", path: all, operation: "storage:objects.list", anonymous: true, run: list },
    { method: "GET", path: one, operation: "storage:objects.get", anonymous: true, run: get },
    { method: "GET", path: "/download/storage/v1/b/{bucket}/o/{object}", operation: "storage:objects.get", anonymous: true, run: media },
    { method: "PATCH", path: one, operation: "storage:objects.patch", anonymous: true, run: write("patch") },
    { method: "PUT", path: one, operation: "storage:objects.update", anonymous: true, run: write("update") },
    { method: "DELETE", path: one, operation: "storage:objects.delete", anonymous: true, run: remove },
    { method: "POST", path: `${one}/compose`, operation: "storage:objects.compose", anonymous: true, run: compose },
    { method: "POST", path: `${one}/rewriteTo/${destination}`, operation: "storage:objects.rewrite", anonymous: true, run: rewrite },
    { method: "POST", path: `${one}/copyTo/${destination}`, operation: "storage:objects.copy", anonymous: true, run: copy },
    { method: "POST", path: `${one}/restore`, operation: "storage:objects.restore", anonymous: true, run: restore },
  ];
}
