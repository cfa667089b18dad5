/** What the API server checks in every object: names, labels, and that it is what its path says. */
import { apiVersionOf, NAME_RULES, type ApiResource } from "../../facts/kubernetes/api.js";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { badRequest, invalidValue, required, wrongKind, type FieldError } from "./errors.js";
import type { KubernetesObject } from "./objects.js";

/** Roles may be called nearly anything: they are only part of paths. */
const PATH_SEGMENT_NAMES = new Set(["roles", "rolebindings", "clusterroles", "clusterrolebindings"]);
const LABEL_NAMES = new Set(["namespaces"]);

/**
 * The body as an object of the kind that the path is about; `apiVersion` and `kind` may be left out.
 *
 * @throws KubernetesError 400
 */
export function readObject(body: unknown, resource: Pick<ApiResource, "group" | "version" | "kind">): KubernetesObject {
  if (!isJsonObject(body)) throw badRequest("the object provided is unrecognized (must be of type Object)");
  const { apiVersion = apiVersionOf(resource), kind = resource.kind, metadata = {} } = body;
  if (apiVersion !== apiVersionOf(resource)) throw wrongKind(String(apiVersion), resource);
  if (kind !== resource.kind) throw badRequest(`the kind in the data (${String(kind)}) does not match the expected kind (${resource.kind})`);
  if (!isJsonObject(metadata)) throw badRequest(`${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta`);
  const { name = "", labels, annotations } = metadata;
  for (const [field, value] of Object.entries({ labels, annotations })) requireTexts(value, `metadata.${field}`, resource);
  if (typeof name !== "string") throw badRequest(`${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string`);
  return { ...body, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { ...metadata, name } };
}

/** Labels, annotations and a config map's data hold texts alone. */
export function requireTexts(value: unknown, field: string, { kind, version }: Pick<ApiResource, "kind" | "version">): void {
  const wrong = value !== undefined && value !== null && !(isJsonObject(value) && Object.values(value).every((each) => typeof each === "string"));
  if (!wrong) return;
  throw badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: json: cannot unmarshal into Go struct field ${kind}.${field} of type string`);
}

export function metadataErrors(resource: ApiResource, object: KubernetesObject): FieldError[] {
  const { name } = object.metadata;
  if (name === "") return [required("metadata.name", "name or generateName is required")];
  if (PATH_SEGMENT_NAMES.has(resource.resource)) return /[/%]|^\.{1,2}$/.test(name) ? [invalidValue("metadata.name", name, "may not contain '/'")] : [];
  return nameErrors("metadata.name", name, LABEL_NAMES.has(resource.resource) ? "label" : "subdomain");
}

export function nameErrors(field: string, name: string, rule: keyof typeof NAME_RULES): FieldError[] {
  const { pattern, message, maxLength } = NAME_RULES[rule];
  if (name.length > maxLength) return [{ field, reason: "FieldValueTooLong", message: `Too long: may not be more than ${maxLength} bytes` }];
  return pattern.test(name) ? [] : [invalidValue(field, name, message)];
}

export function list(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

export function object(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
