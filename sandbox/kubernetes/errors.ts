/** Refusals of the API server, as the `Status` objects that it answers with. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
import { apiVersionOf, qualified, type ApiResource } from "../../facts/kubernetes/api.js";
import type { AccessAttributes } from "../../trust/kubernetes/rbac.js";

export interface StatusCause {
  reason?: string;
  message: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  causes?: readonly StatusCause[];
}

/** An answer of kind `Status` with status `Failure`. */
export class KubernetesError extends Error {
  constructor(
    /** HTTP status. */
    readonly code: number,
    /** Such as `Forbidden`. */
    readonly reason: string,
    message: string,
    readonly details?: StatusDetails,
  ) {
    super(message);
    this.name = "KubernetesError";
  }

  get status(): object {
    const { code, reason, message, details } = this;
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, ...(details && { details }), code };
  }
}

/** What an error is about. */
export type Target = Pick<ApiResource, "group" | "resource">;

function about({ group, resource }: Target, name: string): StatusDetails {
  return { ...(name !== "" && { name }), ...(group !== "" && { group }), kind: resource };
}

export function unauthorized(): KubernetesError {
  return new KubernetesError(401, "Unauthorized", "Unauthorized");
}

/** Without a name (a list, a create) the sentence names the resource alone. */
export function forbidden(target: Target, name: string, why: string): KubernetesError {
  const subject = qualified(target.group, target.resource) + (name === "" ? "" : ` ${JSON.stringify(name)}`);
  return new KubernetesError(403, "Forbidden", `${subject} is forbidden: ${why}`, about(target, name));
}

/** The sentence of the authorisation layer; `why` is what the authoriser adds, such as the permission that would do. */
export function notAllowed(username: string, attributes: AccessAttributes, why = ""): KubernetesError {
  const ending = why === "" ? "" : `: ${why}`;
  const user = `User ${JSON.stringify(username)} cannot ${attributes.verb}`;
  if (!("resource" in attributes)) return new KubernetesError(403, "Forbidden", `forbidden: ${user} path ${JSON.stringify(attributes.path)}${ending}`, {});
  const { group, resource, subresource = "", namespace = "", name = "" } = attributes;
  const full = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return forbidden({ group, resource }, name, `${user} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${where}${ending}`);
}

export function notFound(target: Target, name: string): KubernetesError {
  return new KubernetesError(404, "NotFound", `${qualified(target.group, target.resource)} ${JSON.stringify(name)} not found`, about(target, name));
}

/** A path that the API does not have. */
export function noSuchPath(): KubernetesError {
  return new KubernetesError(404, "NotFound", "the server could not find the requested resource", {});
}

export function alreadyExists(target: Target, name: string): KubernetesError {
  return new KubernetesError(409, "AlreadyExists", `${qualified(target.group, target.resource)} ${JSON.stringify(name)} already exists`, about(target, name));
}

export function conflict(target: Target, name: string, why = "the object has been modified; please apply your changes to the latest version and try again"): KubernetesError {
  const subject = `${qualified(target.group, target.resource)} ${JSON.stringify(name)}`;
  return new KubernetesError(409, "Conflict", `Operation cannot be fulfilled on ${subject}: ${why}`, about(target, name));
}

export function badRequest(message: string): KubernetesError {
  return new KubernetesError(400, "BadRequest", message);
}

export function methodNotAllowed(): KubernetesError {
  return new KubernetesError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

export function unsupportedMediaType(accepted: readonly string[]): KubernetesError {
  return new KubernetesError(415, "UnsupportedMediaType", `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`);
}

/** One thing that is wrong with a field, in the words of the API's validation. */
export interface FieldError {
  field: string;
  /** Such as `FieldValueRequired`. */
  reason: string;
  message: string;
}

export const required = (field: string, detail = ""): FieldError => ({ field, reason: "FieldValueRequired", message: `Required value${detail === "" ? "" : `: ${detail}`}` });
export const invalidValue = (field: string, value: unknown, detail: string): FieldError => ({ field, reason: "FieldValueInvalid", message: `Invalid value: ${JSON.stringify(value)}: ${detail}` });
export const duplicate = (field: string, value: unknown): FieldError => ({ field, reason: "FieldValueDuplicate", message: `Duplicate value: ${JSON.stringify(value)}` });
export const unsupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  field,
  reason: "FieldValueNotSupported",
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((each) => JSON.stringify(each)).join(", ")}`,
});

/** `kind` as validation names it: `Deployment` of the group `apps`. */
export function invalid({ group, kind }: { group: string; kind: string }, name: string, errors: readonly FieldError[]): KubernetesError {
  const lines = errors.map(({ field, message }) => `${field}: ${message}`);
  const all = lines.length === 1 ? lines.join("") : `[${lines.join(", ")}]`;
  const causes = errors.map(({ field, reason, message }) => ({ reason, message, field }));
  return new KubernetesError(422, "Invalid", `${qualified(group, kind)} ${JSON.stringify(name)} is invalid: ${all}`, {
    ...(name !== "" && { name }),
    ...(group !== "" && { group }),
    kind,
    causes,
  });
}

/** What a body has to be, when it names another kind than its path. */
export function wrongKind(found: string, wanted: { group: string; version: string; kind: string }): KubernetesError {
  return badRequest(`the API version in the data (${found}) does not match the expected API version (${apiVersionOf(wanted)})`);
}
