/** What requests to IAM carry, read as Google's servers read JSON, and the lists that they answer. */

import * as z from "zod";

import { invalidArgument } from "./errors.js";
import type { GcpRequest } from "./service.js";
import { GcpError } from "./types.js";

/** A message's members, where unknown ones are refused. Those that only the service writes may be sent, and are not looked at. */
export function message<S extends z.ZodRawShape>(members: S, outputOnly: readonly string[] = []) {
  const isInput = ([name]: [string, unknown]): boolean => !outputOnly.includes(name);
  const inputs = (value: unknown): unknown => (typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).filter(isInput)) : value);
  return z.preprocess(inputs, z.strictObject(members));
}

/** The body, checked against the API's message. */
export function read<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(withoutNulls(body ?? {}), { reportInput: true });
  if (parsed.success) return parsed.data;
  const violations = parsed.error.issues.flatMap(violationsOf);
  const fieldViolations = violations.map(({ field, description }) => ({ ...(field !== "" && { field }), description }));
  throw new GcpError("INVALID_ARGUMENT", violations.map(({ description }) => description).join("\n"), undefined, [
    { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations },
  ]);
}

function violationsOf(issue: z.core.$ZodIssue): { field: string; description: string }[] {
  const field = issue.path.map(String).join(".");
  const at = field === "" ? "" : ` at '${field}'`;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ field, description: `Invalid JSON payload received. Unknown name "${key}"${at}: Cannot find field.` }));
  }
  const shown = issue.input === undefined ? "" : JSON.stringify(issue.input);
  const type = issue.code === "invalid_type" || issue.code === "invalid_value" ? ` (${protoType(issue)})` : "";
  return [{ field, description: `Invalid value${at}${type}, ${shown}` }];
}

const PROTO_TYPES: Readonly<Record<string, string>> = { string: "TYPE_STRING", boolean: "TYPE_BOOL", number: "TYPE_INT32" };

function protoType(issue: z.core.$ZodIssue): string {
  return (issue.code === "invalid_type" ? PROTO_TYPES[issue.expected] : "TYPE_ENUM") ?? "TYPE_MESSAGE";
}

/** In JSON a member that is null is one that is not there. https://protobuf.dev/programming-guides/json/#null */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === null ? [] : [[key, withoutNulls(item)]])));
}

/** `oidc.allowed_audiences` and `oidc.allowedAudiences` are the same path. */
function camelCase(path: string): string {
  return path.trim().replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

/** Paths of a field mask. */
export function maskPaths(mask: string | null | undefined): string[] {
  return (mask ?? "").split(",").filter((path) => path.trim() !== "").map(camelCase);
}

/**
 * The resource with the members that the mask names taken from the patch: one that the patch lacks is removed.
 *
 * @throws GcpError for a mask that is empty, or that names what cannot be changed
 */
export function patched<T extends object>(current: T, patch: object, paths: readonly string[], changeable: readonly string[]): T {
  if (paths.length === 0) throw invalidArgument("The update_mask is required.");
  const result = structuredClone(current) as Record<string, unknown>;
  for (const path of paths) {
    const [top = "", ...rest] = path.split(".");
    if (!changeable.includes(top)) throw invalidArgument(`Invalid update_mask provided in request: the field "${path}" cannot be updated or does not exist.`);
    setPath(result, patch as Record<string, unknown>, [top, ...rest]);
  }
  return result as T;
}

function setPath(target: Record<string, unknown>, source: Record<string, unknown>, [key = "", ...rest]: readonly string[]): void {
  const value = source[key];
  if (rest.length === 0) {
    if (value === undefined) Reflect.deleteProperty(target, key);
    else target[key] = value;
    return;
  }
  const inner = { ...(target[key] as Record<string, unknown> | undefined) };
  setPath(inner, (value ?? {}) as Record<string, unknown>, rest);
  target[key] = inner;
}

/** One page of a list, as `pageSize` and `pageToken` ask; an empty list is left out. */
export function page(member: string, items: readonly object[], { query }: Pick<GcpRequest, "query">, sizes: { usual: number; most: number }): object {
  const asked = Number(query.get("pageSize") ?? 0);
  if (!Number.isInteger(asked) || asked < 0) throw invalidArgument();
  const size = Math.min(asked === 0 ? sizes.usual : asked, sizes.most);
  const token = query.get("pageToken");
  const start = token === null || token === "" ? 0 : Number(Buffer.from(token, "base64url").toString());
  if (!Number.isInteger(start) || start < 0) throw invalidArgument("The page token is invalid.");
  const shown = items.slice(start, start + size);
  const next = start + size;
  return { ...(shown.length > 0 && { [member]: shown }), ...(next < items.length && { nextPageToken: Buffer.from(String(next)).toString("base64url") }) };
}

/** Members of requests that ask for a list in their body. */
export const PAGING = { pageSize: z.number().optional(), pageToken: z.string().optional() };

export function pagingQuery({ pageSize, pageToken }: { pageSize?: number | undefined; pageToken?: string | undefined }): { query: URLSearchParams } {
  return { query: new URLSearchParams({ ...(pageSize !== undefined && { pageSize: String(pageSize) }), ...(pageToken !== undefined && { pageToken }) }) };
}

