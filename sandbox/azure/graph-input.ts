/** Bodies of Graph's requests. */
import { badRequest } from "./graph-errors.js";
import type { AzureRequest } from "./service.js";

export function bodyOf({ body }: AzureRequest): Readonly<Record<string, unknown>> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw badRequest("Empty Payload. JSON content expected.");
  return body as Readonly<Record<string, unknown>>;
}

export function textOf(body: Readonly<Record<string, unknown>>, name: string, resource: string): string {
  const value = body[name];
  if (value === undefined || value === null) throw badRequest(`A value is required for property '${name}' of resource '${resource}'.`);
  if (typeof value !== "string" || value === "") throw badRequest(`Invalid value specified for property '${name}' of resource '${resource}'.`);
  return value;
}

/** Members that the directory decides, whatever a client writes. */
export function without<T extends Readonly<Record<string, unknown>>>(body: T, ...names: readonly string[]): Partial<T> {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name))) as Partial<T>;
}
