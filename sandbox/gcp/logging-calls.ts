/** Data access audit logs, where a project's policy asks for them. https://cloud.google.com/logging/docs/audit/configure-data-access */
import type { Policy } from "../../trust/gcp/types.js";
import { projectResource } from "./accounts.js";
import type { Authorization } from "./audit.js";
import { type CalledMethod, statusOf } from "./errors.js";
import type { LogEntries } from "./logging-store.js";
import { type GcpRequest, RawAnswer } from "./service.js";
import { GcpError } from "./types.js";

type LogType = "ADMIN_READ" | "DATA_READ" | "DATA_WRITE";
export type Outcome = { value: unknown } | { error: unknown };

/** Resources whose reading and writing is access to data; that of all others is administration. https://cloud.google.com/logging/docs/audit/services */
const DATA = /^(?:storage\.(?:objects|managedFolders|multipartUploads)|artifactregistry\.(?:files|dockerimages|packages|tags|versions)|cloudbuild\.builds|logging\.(?:logEntries|privateLogEntries)|run\.routes)\./;
const DATA_PERMISSIONS: Readonly<Record<string, LogType>> = {
  "artifactregistry.repositories.downloadArtifacts": "DATA_READ",
  "artifactregistry.repositories.uploadArtifacts": "DATA_WRITE",
  "iam.serviceAccounts.getAccessToken": "DATA_READ",
  "iam.serviceAccounts.getOpenIdToken": "DATA_READ",
  "iam.serviceAccounts.implicitDelegation": "DATA_READ",
  "iam.serviceAccounts.signBlob": "DATA_READ",
  "iam.serviceAccounts.signJwt": "DATA_READ",
  "sts.identityProviders.exchange": "DATA_READ",
};

/** Number of a canonical code. https://grpc.io/docs/guides/status-codes/ */
const CODES: Readonly<Record<GcpError["status"], number>> = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

export class CallLog {
  constructor(
    private readonly log: LogEntries,
    private readonly policyOf: (resource: string) => Policy,
  ) {}

  /** Writes an entry for a call that touched data of a project which logs that. */
  record(called: CalledMethod, request: GcpRequest, authorizations: readonly Authorization[], outcome: Outcome): void {
    const [first] = authorizations;
    const type = first && logTypeOf(first.permission);
    if (!type) return;
    const who = first.principal ?? request.caller.name;
    const member = first.principal ?? request.caller.members[0] ?? "";
    if (!isLogged(this.policyOf(projectResource(first.projectId)), serviceOf(first.permission), type, member)) return;
    const status = statusIn(outcome);
    this.log.write(first.projectId, {
      logName: `projects/${first.projectId}/logs/cloudaudit.googleapis.com%2Fdata_access`,
      resource: monitored(first),
      severity: status.code === 0 ? "INFO" : "ERROR",
      protoPayload: {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        status: status.code === 0 ? {} : status,
        authenticationInfo: {
          ...(who.includes("@") && { principalEmail: who }),
          principalSubject: member,
          ...(request.caller.delegatedBy !== undefined && { serviceAccountDelegationInfo: [{ principalSubject: request.caller.delegatedBy }] }),
        },
        requestMetadata: { callerIp: "127.0.0.1", callerSuppliedUserAgent: request.headers["user-agent"] ?? "" },
        serviceName: called.service,
        methodName: called.service === "storage.googleapis.com" ? first.permission : called.method.slice(called.method.indexOf(":") + 1),
        resourceName: pathOf(first.resource),
        authorizationInfo: authorizations.map(({ resource, permission, granted }) => ({ resource: pathOf(resource), permission, granted, resourceAttributes: {} })),
      },
    });
  }
}

/** Undefined for what no data access log has: administrative changes. */
function logTypeOf(permission: string): LogType | undefined {
  const known = DATA_PERMISSIONS[permission];
  if (known !== undefined) return known;
  const reads = /\.(?:get|list|getIamPolicy|search)$/.test(permission);
  if (DATA.test(permission)) return reads ? "DATA_READ" : "DATA_WRITE";
  return reads ? "ADMIN_READ" : undefined;
}

/** As audit configurations name it. */
function serviceOf(permission: string): string {
  const prefix = permission.slice(0, permission.indexOf("."));
  return prefix === "resourcemanager" ? "cloudresourcemanager.googleapis.com" : `${prefix}.googleapis.com`;
}

function isLogged({ auditConfigs = [] }: Policy, service: string, type: LogType, member: string): boolean {
  const configs = auditConfigs as unknown as readonly { service: string; auditLogConfigs: readonly { logType: string; exemptedMembers?: readonly string[] }[] }[];
  const matching = configs.filter((config) => config.service === service || config.service === "allServices").flatMap(({ auditLogConfigs }) => auditLogConfigs);
  return matching.some(({ logType }) => logType === type) && !matching.some(({ logType, exemptedMembers }) => logType === type && exemptedMembers?.includes(member) === true);
}

function statusIn(outcome: Outcome): { code: number; message?: string } {
  if ("error" in outcome) {
    const { error } = outcome;
    return error instanceof GcpError ? { code: CODES[error.status], message: error.message } : { code: CODES.INTERNAL };
  }
  const { value } = outcome;
  const failed = value instanceof RawAnswer && value.response.status >= 400;
  return failed ? { code: CODES[statusOf(value.response.status)] } : { code: 0 };
}

const pathOf = (resource: string): string => resource.replace(/^\/\/[^/]+\//, "");

/** https://cloud.google.com/logging/docs/api/v2/resource-list */
function monitored({ resource, projectId }: Authorization): { type: string; labels: Record<string, string> } {
  const [, bucket] = /^\/\/storage\.googleapis\.com\/projects\/_\/buckets\/([^/]+)/.exec(resource) ?? [];
  if (bucket !== undefined) return { type: "gcs_bucket", labels: { bucket_name: bucket, project_id: projectId } };
  const [, email] = /\/serviceAccounts\/([^/]+)$/.exec(resource) ?? [];
  if (email !== undefined) return { type: "service_account", labels: { email_id: email, project_id: projectId } };
  return { type: "audited_resource", labels: { service: resource.split("/")[2] ?? "", project_id: projectId } };
}
