/** JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396). */
import { isJsonObject } from "../../trust/jwt.js";
import { badRequest, KubernetesError } from "./errors.js";

export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const merged: Record<string, unknown> = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, key);
    else merged[key] = applyMergePatch(merged[key], value);
  }
  return merged;
}

/** Throws 422 where a test fails or a path leads nowhere, as the API server does. */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  return patch.reduce<unknown>((document, operation) => applyOperation(document, isJsonObject(operation) ? operation : {}), target);
}

function applyOperation(document: unknown, operation: Record<string, unknown>): unknown {
  const { op, value } = operation;
  const path = pointer(operation.path);
  switch (op) {
    case "add":
      return change(document, path, () => value, true);
    case "replace":
      read(document, path);
      return change(document, path, () => value);
    case "remove":
      read(document, path);
      return change(document, path, () => undefined);
    case "move": {
      const from = pointer(operation.from);
      const moved = read(document, from);
      return change(change(document, from, () => undefined), path, () => moved, true);
    }
    case "copy":
      return change(document, path, () => structuredClone(read(document, pointer(operation.from))), true);
    case "test":
      if (JSON.stringify(read(document, path)) !== JSON.stringify(value)) throw unprocessable(`testing value ${String(operation.path)} failed: test failed`);
      return document;
    default:
      throw badRequest(`Unexpected kind: ${String(op)}`);
  }
}

function pointer(path: unknown): string[] {
  if (typeof path !== "string" || (path !== "" && !path.startsWith("/"))) throw badRequest(`the path ${JSON.stringify(path)} of a JSON patch has to be a JSON pointer`);
  return path.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function read(document: unknown, path: readonly string[]): unknown {
  return path.reduce((value, part) => {
    const next = Array.isArray(value) ? (value as unknown[])[Number(part)] : isJsonObject(value) ? value[part] : undefined;
    if (next === undefined) throw missing(path);
    return next;
  }, document);
}

function change(document: unknown, path: readonly string[], value: () => unknown, insert = false): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return value();
  if (Array.isArray(document)) {
    const items = [...(document as unknown[])];
    const at = part === "-" ? items.length : Number(part);
    if (!Number.isInteger(at) || at < 0 || at > items.length) throw missing(path);
    if (rest.length > 0) items[at] = change(items[at], rest, value, insert);
    else if (insert) items.splice(at, 0, value());
    else items.splice(at, 1, ...[value()].filter((item) => item !== undefined));
    return items;
  }
  if (!isJsonObject(document)) throw missing(path);
  const changed = { ...document, [part]: change(document[part], rest, value, insert) };
  if (changed[part] === undefined) Reflect.deleteProperty(changed, part);
  return changed;
}

function missing(path: readonly string[]): KubernetesError {
  return unprocessable(`the path of a JSON patch leads nowhere: /${path.join("/")}`);
}

function unprocessable(message: string): KubernetesError {
  return new KubernetesError(422, "Invalid", `the server rejected our request due to an error in our request: ${message}`, {});
}
