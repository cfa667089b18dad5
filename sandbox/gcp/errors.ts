/** Refusals that every API of Google words alike, and the envelope that they come in. https://cloud.google.com/apis/design/errors */
import { APIS } from "../../facts/gcp/services.js";
import { FaultError, type WireResponse } from "../types.js";
import { type ErrorInfo, GcpError, type GcpProject, HTTP_STATUS } from "./types.js";

const SIGN_IN = "Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
const HELP = "type.googleapis.com/google.rpc.Help";

/** What was called, for an ErrorInfo. */
export interface CalledMethod {
  /** API's host name. */
  service: string;
  /** Such as `iam:SetIamPolicy`. */
  method: string;
}

const info = (reason: string, metadata: Readonly<Record<string, string>>): ErrorInfo => ({ reason, domain: "googleapis.com", metadata });

/** Members of https://cloud.google.com/apis/docs/reference/rest/Shared.Types/ErrorReason besides those below. */
export type TokenFault = "CREDENTIALS_MISSING" | "ACCESS_TOKEN_TYPE_UNSUPPORTED" | "ACCESS_TOKEN_EXPIRED" | "ACCOUNT_STATE_INVALID";

export function unauthenticated(reason: TokenFault, called: CalledMethod): GcpError {
  const missing = reason === "CREDENTIALS_MISSING";
  const text = missing ? "Request is missing required authentication credential." : "Request had invalid authentication credentials.";
  return new GcpError("UNAUTHENTICATED", `${text} ${SIGN_IN}`, info(reason, { ...called }));
}

export function scopeInsufficient(called: CalledMethod): GcpError {
  return new GcpError("PERMISSION_DENIED", "Request had insufficient authentication scopes.", info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", { ...called }));
}

export function serviceDisabled(service: string, { projectNumber }: GcpProject): GcpError {
  const title = APIS[service]?.title ?? service;
  const url = `https://console.developers.google.com/apis/api/${service}/overview?project=${projectNumber}`;
  return new GcpError(
    "PERMISSION_DENIED",
    `${title} has not been used in project ${projectNumber} before or it is disabled. Enable it by visiting ${url} then retry. ` +
      "If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
    info("SERVICE_DISABLED", { activationUrl: url, consumer: `projects/${projectNumber}`, containerInfo: projectNumber, service, serviceTitle: title }),
    [{ "@type": HELP, links: [{ description: "Google developers console API activation", url }] }],
  );
}

export function userProjectDenied(service: string, project: string): GcpError {
  const url = `https://console.developers.google.com/iam-admin/iam/project?project=${project}`;
  return new GcpError(
    "PERMISSION_DENIED",
    `Caller does not have required permission to use project ${project}. Grant the caller the roles/serviceusage.serviceUsageConsumer role, or a custom role ` +
      `with the serviceusage.services.use permission, by visiting ${url} and then retry. Propagation of the new permission may take a few minutes.`,
    info("USER_PROJECT_DENIED", { consumer: `projects/${project}`, containerInfo: project, service }),
    [{ "@type": HELP, links: [{ description: "Google developer console IAM admin", url }] }],
  );
}

/** For a project that is not there, or that nobody tells the caller about. */
export function projectDenied(project: string): GcpError {
  return new GcpError("PERMISSION_DENIED", `Permission denied on resource project ${project}.`, info("CONSUMER_INVALID", { consumer: `projects/${project}`, containerInfo: project }));
}

export function permissionDenied(permission: string, resource: string): GcpError {
  // IAM does not repeat the name of an account.
  const named = /^\/\/iam\.googleapis\.com\/projects\/[^/]+\/serviceAccounts\//.test(resource) ? "" : ` '${resource}'`;
  return new GcpError("PERMISSION_DENIED", `Permission '${permission}' denied on resource${named} (or it may not exist).`, {
    reason: "IAM_PERMISSION_DENIED",
    domain: resource.split("/")[2] ?? "",
    metadata: { permission, ...(named !== "" && { resource: resource.replace(/^\/\/[^/]+\//, "") }) },
  });
}

export const invalidArgument = (message = "Request contains an invalid argument."): GcpError => new GcpError("INVALID_ARGUMENT", message);

const STATUS_OF: Readonly<Record<number, GcpError["status"]>> = {
  ...Object.fromEntries(Object.entries(HTTP_STATUS).map(([status, code]) => [code, status as GcpError["status"]])),
  400: "INVALID_ARGUMENT",
  409: "ALREADY_EXISTS",
};

/** The canonical code that an HTTP status stands for. */
export function statusOf(httpStatus: number): GcpError["status"] {
  return STATUS_OF[httpStatus] ?? "INTERNAL";
}

/** The common envelope. */
export function renderError(error: unknown): WireResponse {
  if (error instanceof FaultError) return json(error.fault.status, { error: { code: error.fault.status, message: error.fault.message, status: error.fault.code } });
  if (!(error instanceof GcpError)) return renderError(new GcpError("INTERNAL", `The sandbox failed at this request: ${error instanceof Error ? error.message : String(error)}`));
  const code = HTTP_STATUS[error.status];
  const details = [...(error.info ? [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", ...error.info }] : []), ...error.details];
  const body = { error: { code, message: error.message, status: error.status, ...(details.length > 0 && { details }) } };
  return json(code, body, challenge(error));
}

/** Google's clients fetch a new token when they see this. */
function challenge({ status, info: known }: GcpError): Record<string, string> {
  const realm = 'Bearer realm="https://accounts.google.com/"';
  if (status === "UNAUTHENTICATED") return { "www-authenticate": known?.reason === "CREDENTIALS_MISSING" ? realm : `${realm}, error="invalid_token"` };
  return known?.reason === "ACCESS_TOKEN_SCOPE_INSUFFICIENT" ? { "www-authenticate": `${realm}, error="insufficient_scope"` } : {};
}

export function json(status: number, body: object, headers: Record<string, string> = {}): WireResponse {
  return { status, headers: { "content-type": "application/json; charset=UTF-8", ...headers }, body: JSON.stringify(body) };
}
