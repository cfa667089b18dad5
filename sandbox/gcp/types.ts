/** What the GCP part of the sandbox offers to its own services, to Kubernetes, to the resource table and to the administrator. */

/** Where Pulumi's GCP provider acts. */
export interface GcpScope {
  /** Project id; the sandbox's own project where the configuration names none. */
  project: string;
  region: string | undefined;
  zone?: string | undefined;
  /** Whom the configuration's credentials prove; the sandbox's administrator where it has none. */
  caller?: GcpCaller;
  /** Labels that every resource with labels gets from the provider. */
  defaultLabels?: Readonly<Record<string, string>>;
}

/**
 * The canonical codes that the sandbox answers with, and their HTTP statuses.
 * https://cloud.google.com/apis/design/errors#handling_errors
 */
export const HTTP_STATUS = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
} as const;
export type GcpStatus = keyof typeof HTTP_STATUS;

/** https://cloud.google.com/apis/design/errors#error_info */
export interface ErrorInfo {
  /** Such as `IAM_PERMISSION_DENIED` or `SERVICE_DISABLED`. */
  reason: string;
  /** Such as `iam.googleapis.com`. */
  domain: string;
  metadata: Readonly<Record<string, string>>;
}

/** A refusal in Google's terms; each service renders it in its own shape (STS flat as OAuth does, Cloud Storage with `errors`). */
export class GcpError extends Error {
  constructor(
    readonly status: GcpStatus,
    message: string,
    readonly info?: ErrorInfo,
    /** Further members of `details`, each with its `@type`. */
    readonly details: readonly object[] = [],
  ) {
    super(message);
    this.name = "GcpError";
  }
}

export type GcpCallerKind = "user" | "serviceAccount" | "federated" | "anonymous";

/** Who calls, as far as the access token proved it. */
export interface GcpCaller {
  kind: GcpCallerKind;
  /** How error messages and logs name the caller: an email address, or `principal://…`; empty for anonymous. */
  name: string;
  /**
   * Every member of an IAM policy that means this caller, `allUsers` and (unless anonymous) `allAuthenticatedUsers` included:
   * `serviceAccount:…`, or `principal://…/subject/…` with the `principalSet://` forms of its attributes and its pool.
   */
  members: readonly string[];
  /** OAuth scopes of the token; empty where the kind of token has none. */
  scopes: readonly string[];
  /** Of a service account: who got its token by impersonating it, as a member; audit logs name it. */
  delegatedBy?: string;
}

export interface GcpProject {
  projectId: string;
  projectNumber: string;
  /** Such as `organizations/123`; absent for a project of nobody's organisation. */
  parent?: string;
}

/** A resource that rights are asked on. */
export interface GcpResource {
  /** Full resource name: `//storage.googleapis.com/projects/_/buckets/b`, `//iam.googleapis.com/projects/p/serviceAccounts/EMAIL`. */
  name: string;
  /** As conditions see it, such as `storage.googleapis.com/Object`. */
  type: string;
  /** As conditions see it in `resource.name`, where that is not the full name without `//service/`. */
  conditionName?: string;
  /** Full names whose policies count too, nearest first, without the project; for an object its bucket. */
  parents?: readonly string[];
  /** Project that it is in (id): its policy counts last, before its organisation's. */
  projectId: string;
}

export interface GcpCloud {
  /** The project that everything uses unless told otherwise. */
  readonly defaultProject: GcpProject;
  readonly propagationDelaySeconds: number;
  /** By id or by number; undefined for one that the sandbox does not have. */
  project(idOrNumber: string): GcpProject | undefined;
  /** The user that owns the sandbox's projects. `accessToken` and `refreshToken` are secrets. */
  administrator(): { caller: GcpCaller; accessToken: string; refreshToken: string };
  /** Whom an access token proves; undefined for one that the sandbox did not issue, that has expired or whose account or pool is gone or disabled. */
  authenticate(accessToken: string): GcpCaller | undefined;
  /** Whether the policies give the caller this permission on the resource now; for services outside `sandbox/gcp`. */
  allows(caller: GcpCaller, permission: string, resource: GcpResource): boolean;
  /**
   * Calls a method of a REST API past the wire, authorised as the caller: `call(caller, "POST",
   * "https://iam.googleapis.com/v1/projects/p/serviceAccounts", {...})`. Body and answer are JSON values; a `Buffer` body is sent
   * as it is. Throws {@link GcpError}.
   */
  call<T = Record<string, unknown>>(caller: GcpCaller, method: string, url: string, body?: unknown): Promise<T>;
}
