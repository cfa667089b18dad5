/**
 * Property values as Pulumi's engine sends them: secrets in envelopes, values that a preview does not know yet as a
 * sentinel. The signatures are the engine protocol's own:
 * https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
 */
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

import { UNKNOWN_VALUE, type Properties } from "../sandbox/types.js";

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
/** Stands for a value that is not known before the update. */
export const unknownValue = UNKNOWN_VALUE;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEnvelope(value: unknown): value is { value: unknown } {
  return isObject(value) && value[signatureKey] === secretSignature;
}

export function envelope(value: unknown): Properties {
  return { [signatureKey]: secretSignature, value };
}

export function fromStruct(struct: Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {};
}

/** Values without `undefined`, which the wire format cannot carry. */
export function toStruct(properties: Properties): Struct {
  const plain = JSON.parse(JSON.stringify(properties)) as Record<string, never>;
  return Struct.fromJavaScript(plain);
}

type Path = readonly (string | number)[];

/** What was secret in some properties: where, and which texts. */
export interface Secrets {
  readonly paths: readonly Path[];
  readonly texts: ReadonlySet<string>;
}

/** The properties without envelopes and nulls, and what was secret in them. */
export function unwrap(properties: Properties): { plain: Properties; secrets: Secrets } {
  const paths: Path[] = [];
  const texts = new Set<string>();

  function walk(value: unknown, path: Path, secret: boolean): unknown {
    if (isEnvelope(value)) {
      paths.push(path);
      return walk(value.value, path, true);
    }
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index], secret));
    if (isObject(value)) {
      const entries = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
      return Object.fromEntries(entries.map(([key, item]) => [key, walk(item, [...path, key], secret)]));
    }
    if (secret && typeof value === "string" && value !== "" && value !== unknownValue) texts.add(value);
    return value;
  }

  return { plain: walk(properties, [], false) as Properties, secrets: { paths, texts } };
}

/**
 * Puts back into envelopes what was secret in the inputs: the values at the same paths, and every text that equals a
 * secret one (`tagsAll` repeats `tags`). Where a path leads nowhere any more, its whole property becomes secret.
 */
export function wrap(properties: Properties, secrets: Secrets): Properties {
  const unresolved = secrets.paths.filter((path) => !resolves(properties, path)).map(([key]) => key);

  function walk(value: unknown, path: Path): unknown {
    if (value === undefined) return undefined;
    if (isEnvelope(value)) return value;
    const whole = path.length === 1 && unresolved.includes(path[0]);
    if (whole || secrets.paths.some((secret) => samePath(secret, path))) return envelope(value);
    if (typeof value === "string") return secrets.texts.has(value) ? envelope(value) : value;
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (isObject(value)) return mapValues(value, (item, key) => walk(item, [...path, key]));
    return value;
  }

  return mapValues(properties, (value, key) => walk(value, [key]));
}

export function mergeSecrets(...all: Secrets[]): Secrets {
  return { paths: all.flatMap(({ paths }) => paths), texts: new Set(all.flatMap(({ texts }) => [...texts])) };
}

export function hasSecret(value: unknown): boolean {
  if (isEnvelope(value)) return true;
  if (Array.isArray(value)) return value.some(hasSecret);
  return isObject(value) && Object.values(value).some(hasSecret);
}

export function hasUnknown(value: unknown): boolean {
  if (typeof value === "string") return value.includes(unknownValue);
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

/** A text made from an unknown one (an ARN around a name) is itself unknown. */
export function maskUnknown<T>(value: T): T {
  function walk(item: unknown): unknown {
    if (typeof item === "string") return item.includes(unknownValue) ? unknownValue : item;
    if (Array.isArray(item)) return item.map(walk);
    return isObject(item) ? mapValues(item, walk) : item;
  }
  return walk(value) as T;
}

function mapValues(object: Record<string, unknown>, map: (value: unknown, key: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]));
}

function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}

function resolves(properties: Properties, path: Path): boolean {
  let current: unknown = properties;
  for (const part of path) {
    if (Array.isArray(current) && typeof part === "number") current = current[part];
    else if (isObject(current) && typeof part === "string") current = current[part];
    else return false;
  }
  return current !== undefined;
}

/**
 * Whether two input values mean the same: a missing value equals an empty one, and texts that hold JSON (policies) are
 * compared as JSON.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  if (isEmpty(a) && isEmpty(b)) return true;
  if (typeof a === "string" && typeof b === "string") {
    if (a === b) return true;
    const [left, right] = [parseDocument(a), parseDocument(b)];
    return left !== undefined && right !== undefined && sameValue(left, right);
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  }
  if (isObject(a) && isObject(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => sameValue(a[key], b[key]));
  }
  return a === b;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

function parseDocument(text: string): object | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
