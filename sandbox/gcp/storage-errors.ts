/** Cloud Storage's refusals in the shapes of its two APIs. https://cloud.google.com/storage/docs/json_api/v1/status-codes */
import { blamedHeaders, type StorageRefusal, storageRefusals, xmlErrors, xmlMissing } from "../../facts/gcp/storage.js";
import { FaultError, type WireResponse } from "../types.js";
import { GcpError, type GcpStatus, HTTP_STATUS } from "./types.js";

const CANONICAL: Readonly<Record<number, GcpStatus>> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ALREADY_EXISTS",
  410: "FAILED_PRECONDITION",
  412: "FAILED_PRECONDITION",
  503: "UNAVAILABLE",
};

/** A refusal with the status and the reason that the JSON API has besides the canonical code. */
export class StorageError extends GcpError {
  constructor(
    readonly httpStatus: number,
    readonly reason: string,
    message: string,
  ) {
    super(CANONICAL[httpStatus] ?? "INVALID_ARGUMENT", message);
    this.name = "StorageError";
  }
}

export function refuse({ httpStatus, reason, message }: StorageRefusal): StorageError {
  return new StorageError(httpStatus, reason, message);
}

/** Reasons of the canonical codes. */
const REASONS: Readonly<Partial<Record<GcpStatus, string>>> = {
  INVALID_ARGUMENT: "invalid",
  UNAUTHENTICATED: "authError",
  PERMISSION_DENIED: "forbidden",
  NOT_FOUND: "notFound",
  ALREADY_EXISTS: "conflict",
  RESOURCE_EXHAUSTED: "rateLimitExceeded",
  UNIMPLEMENTED: "notImplemented",
};

/** Whatever was thrown, in Cloud Storage's terms: a failed precondition is 412 here, elsewhere 400. */
export function asStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (error instanceof FaultError) return new StorageError(error.fault.status, error.fault.code, error.fault.message);
  if (!(error instanceof GcpError)) return new StorageError(500, "backendError", `The sandbox failed at this request: ${error instanceof Error ? error.message : String(error)}`);
  if (error.status === "ABORTED") return refuse(storageRefusals.preconditionFailed());
  if (error.status === "FAILED_PRECONDITION") return new StorageError(412, "conditionNotMet", error.message);
  if (error.info?.reason === "SERVICE_DISABLED") return new StorageError(403, "accessNotConfigured", error.message);
  return new StorageError(HTTP_STATUS[error.status], REASONS[error.status] ?? "backendError", error.message);
}

export function renderJsonError(error: unknown): WireResponse {
  const { httpStatus: code, message, reason } = asStorageError(error);
  const header = code === 400 ? undefined : blamedHeaders[reason];
  const domain = reason === "accessNotConfigured" ? "usageLimits" : "global";
  const first = { message, domain, reason, ...(header !== undefined && { locationType: "header", location: header }) };
  const info = error instanceof GcpError && error.info ? { status: error.status, details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", ...error.info }, ...error.details] } : {};
  return {
    status: code,
    headers: {
      "content-type": "application/json; charset=UTF-8",
      ...(code === 401 && { "www-authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"' }),
    },
    body: JSON.stringify({ error: { code, message, errors: [first], ...info } }),
  };
}

/** `object` is whether the request names one: what is missing is then the key. */
export function renderXmlError(error: unknown, object: boolean): WireResponse {
  const { httpStatus, message } = asStorageError(error);
  // The XML API has no 401 for callers without a token.
  const status = httpStatus === 401 && message !== storageRefusals.tokenInvalid().message ? 403 : httpStatus;
  const missing = object && message !== storageRefusals.bucketMissing().message ? xmlMissing.object : xmlMissing.bucket;
  const known = status === 404 ? missing : (xmlErrors[status] ?? { code: "InternalError", message });
  const details = `<Details>${escapeXml(message)}</Details>`;
  return {
    status,
    headers: { "content-type": "application/xml; charset=UTF-8" },
    body: `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${known.code}</Code><Message>${escapeXml(known.message)}</Message>${details}</Error>`,
  };
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
