/** Who manages which fields of an object, and applying a configuration on the server: https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
import { isDeepStrictEqual } from "node:util";
import { KubernetesError } from "./errors.js";
import { displayPath, fieldsOf, fromFieldsV1, mergeFields, pathKey, pathOf, toFieldsV1, type FieldSet } from "./field-set.js";
import type { KubernetesObject, ManagedFieldsEntry } from "./objects.js";

interface Manager {
  name: string;
  operation: ManagedFieldsEntry["operation"];
  subresource: string | undefined;
  time: string;
  fields: FieldSet;
}

export interface Writer {
  manager: string;
  subresource?: string;
  /** RFC 3339. */
  time: string;
}

/** What an update leaves in `metadata.managedFields`: the writer manages what it changed, and nobody else any more. */
export function recordUpdate(before: KubernetesObject | undefined, after: KubernetesObject, writer: Writer): KubernetesObject {
  const [olds, news] = [before ? fieldsOf(before) : new Map<string, unknown>(), fieldsOf(after)];
  const changed = new Set([...news].filter(([path, value]) => !isDeepStrictEqual(olds.get(path), value)).map(([path]) => path));
  const isWriter = (each: Manager): boolean => each.name === writer.manager && each.operation === "Update" && each.subresource === writer.subresource;
  const managers = managersOf(before).map((each): Manager => {
    const kept = new Set([...each.fields].filter((path) => news.has(path) && (isWriter(each) || !changed.has(path))));
    return { ...each, fields: kept };
  });
  const own = managers.find(isWriter);
  const fields = new Set([...(own?.fields ?? []), ...changed]);
  const entry: Manager = { name: writer.manager, operation: "Update", subresource: writer.subresource, time: changed.size > 0 ? writer.time : (own?.time ?? writer.time), fields };
  return withManagers(after, replaced(managers, isWriter, entry));
}

/**
 * Merges an applied configuration into the live object. Fields that the manager applied before and leaves out now go,
 * unless somebody else manages them, too.
 *
 * @throws KubernetesError 409 where another manager holds a field with another value, unless forced
 */
export function applyConfiguration(live: KubernetesObject | undefined, applied: KubernetesObject, writer: Writer, force: boolean): KubernetesObject {
  const wanted = fieldsOf(applied);
  const current = live ? fieldsOf(live) : new Map<string, unknown>();
  const isWriter = (each: Manager): boolean => each.name === writer.manager && each.operation === "Apply" && each.subresource === writer.subresource;
  const managers = managersOf(live);
  const own = managers.find(isWriter);
  const others = managers.filter((each) => !isWriter(each));

  const contested = (path: string): boolean => wanted.has(path) && !isDeepStrictEqual(wanted.get(path), current.get(path));
  const conflicts = others.flatMap((each) => [...each.fields].filter(contested).map((path) => ({ each, path })));
  if (conflicts.length > 0 && !force) throw applyConflict(applied.apiVersion, conflicts);

  const left = managers.map((each): Manager => (isWriter(each) ? each : { ...each, fields: new Set([...each.fields].filter((path) => !contested(path))) }));
  const removed = new Set([...(own?.fields ?? [])].filter((path) => !wanted.has(path) && !left.some((each) => !isWriter(each) && managesWithin(each.fields, path))));
  const merged = live ? (mergeFields(live, { ...applied, metadata: { ...applied.metadata, ...identityOf(live) } }, removed) as KubernetesObject) : applied;
  const entry: Manager = { name: writer.manager, operation: "Apply", subresource: writer.subresource, time: own && sameSet(own.fields, wanted) ? own.time : writer.time, fields: new Set(wanted.keys()) };
  return withManagers(merged, replaced(left, isWriter, entry));
}

/** Managers keep their places. */
function replaced(managers: readonly Manager[], isWriter: (each: Manager) => boolean, entry: Manager): Manager[] {
  return managers.some(isWriter) ? managers.map((each) => (isWriter(each) ? entry : each)) : [...managers, entry];
}

/** Whoever manages anything in an item of a list, or in a list that somebody applied empty, keeps it there. */
function managesWithin(fields: FieldSet, path: string): boolean {
  const parts = pathOf(path);
  const inside = pathKey(parts.at(-1) === "." ? parts.slice(0, -1) : parts).slice(0, -1);
  return fields.has(path) || [...fields].some((each) => each.startsWith(`${inside},`));
}

function identityOf({ metadata }: KubernetesObject): Partial<KubernetesObject["metadata"]> {
  const { uid, resourceVersion, generation, creationTimestamp } = metadata;
  return { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }), ...(generation !== undefined && { generation }), ...(creationTimestamp !== undefined && { creationTimestamp }) };
}

function managersOf(object: KubernetesObject | undefined): Manager[] {
  return (object?.metadata.managedFields ?? []).map(({ manager, operation, subresource, time = "", fieldsV1 }) => ({ name: manager, operation, subresource, time, fields: fromFieldsV1(fieldsV1) }));
}

function withManagers(object: KubernetesObject, managers: readonly Manager[]): KubernetesObject {
  const entries = managers
    .filter(({ fields }) => fields.size > 0)
    .map(
      ({ name, operation, subresource, time, fields }): ManagedFieldsEntry => ({
        manager: name,
        operation,
        apiVersion: object.apiVersion,
        time,
        fieldsType: "FieldsV1",
        fieldsV1: toFieldsV1(fields),
        ...(subresource !== undefined && { subresource }),
      }),
    );
  return { ...object, metadata: { ...object.metadata, managedFields: entries } };
}

function applyConflict(apiVersion: string, conflicts: readonly { each: Manager; path: string }[]): KubernetesError {
  const print = ({ name, operation, subresource }: Manager): string => {
    const part = subresource === undefined ? "" : ` with subresource ${JSON.stringify(subresource)}`;
    return `${JSON.stringify(name)}${part}${operation === "Update" ? ` using ${apiVersion}` : ""}`;
  };
  const lines = conflicts.map(({ each, path }) => ({ manager: print(each), field: displayPath(pathOf(path)) }));
  const [first] = lines;
  const byManager = [...new Set(lines.map(({ manager }) => manager))].sort();
  const grouped = byManager.flatMap((manager) => [`conflicts with ${manager}:`, ...lines.filter((line) => line.manager === manager).map(({ field }) => `- ${field}`)]);
  const message =
    lines.length === 1 && first
      ? `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.field}`
      : `Apply failed with ${lines.length} conflicts: ${grouped.join("\n")}`;
  const causes = lines.map(({ manager, field }) => ({ reason: "FieldManagerConflict", message: `conflict with ${manager}`, field }));
  return new KubernetesError(409, "Conflict", message, { causes });
}

function sameSet(fields: FieldSet, wanted: ReadonlyMap<string, unknown>): boolean {
  return fields.size === wanted.size && [...fields].every((path) => wanted.has(path));
}
