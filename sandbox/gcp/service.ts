/** How the GCP services of the sandbox are cut: routes of REST methods on parsed input, authorised one by one; the front owns the wire. */
import type { Binding, Policy } from "../../trust/gcp/types.js";
import type { SandboxCore, WireRequest, WireResponse } from "../types.js";
import type { GcpCaller, GcpCloud, GcpProject, GcpResource } from "./types.js";

/** One call of a method, by the wire or past it. */
export interface GcpRequest {
  caller: GcpCaller;
  method: string;
  /** As the real service has it, scheme and host included. */
  url: URL;
  /** Variables of the route's path, percent-decoded. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** Lower-case names; empty for calls past the wire. */
  headers: Readonly<Record<string, string>>;
  /** Parsed where the content is JSON; undefined where there is none or it is something else. */
  body: unknown;
  /** As sent, for uploads. */
  raw: Buffer;
}

/** JSON unless it is a {@link RawAnswer}. */
export type GcpAnswer = object | RawAnswer;

/** An answer that is no JSON, or that has a status or headers of its own. */
export class RawAnswer {
  constructor(readonly response: WireResponse) {}
}

export interface GcpRoute {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
  /**
   * Path with variables, as API references write it: `/v1/projects/{project}/serviceAccounts/{account}:setIamPolicy`. `{name}` takes
   * one segment, `{name=**}` the rest. Literal `:verb` suffixes belong to the path.
   */
  path: string;
  /** Gate's name for latency and faults, such as `iam:SetIamPolicy`. */
  operation: string;
  /** Called without or with any credentials; otherwise a missing or bad token is 401 before the route runs. */
  anonymous?: boolean;
  /**
   * Project (id or number) in which the service's API must be enabled for this call; undefined where none is asked. A call's
   * `x-goog-user-project` wins where the route says undefined.
   */
  consumer?(request: GcpRequest): string | undefined;
  run(request: GcpRequest): Promise<GcpAnswer>;
}

/** Renders an error where the service has a shape of its own. */
export type RenderError = (error: unknown, request: WireRequest) => WireResponse;

export interface GcpService {
  /** Such as `iam`. */
  readonly name: string;
  /** API that has to be enabled, such as `iam.googleapis.com`; undefined for one that nobody switches. */
  readonly api: string | undefined;
  /** Whether a host name is this service's, as `iam.googleapis.com` or `us-central1-docker.pkg.dev`. */
  serves(host: string): boolean;
  readonly routes: readonly GcpRoute[];
  /** Answers requests that are no REST methods (a registry, the URL of a service); undefined leaves it to the routes. Authenticates by itself. */
  handle?(request: WireRequest): Promise<WireResponse> | undefined;
  /** Default: Google's error envelope. */
  readonly renderError?: RenderError;
}

/** IAM policies of every resource, by full resource name; changes propagate. */
export interface GcpPolicies {
  /** As last written, with its etag; an empty one where nothing was set. */
  get(resource: string): Policy & { etag: string };
  /**
   * Checks members, roles, conditions, the etag and the organisation's constraints as `setIamPolicy` does, then stores it.
   *
   * @throws GcpError
   */
  set(resource: string, policy: unknown, projectId: string): Policy & { etag: string };
  /** Sets what a new resource has from the start: unchecked, and seen at once. */
  seed(resource: string, bindings: readonly Binding[]): void;
  /** With the resource. */
  delete(resource: string): void;
}

export interface GcpServiceContext {
  readonly core: SandboxCore;
  readonly cloud: GcpCloud;
  readonly policies: GcpPolicies;
  /** Throws GcpError `PERMISSION_DENIED` in Google's words (permission, resource, ErrorInfo) when the caller may not. */
  require(caller: GcpCaller, permission: string, resource: GcpResource): void;
  allows(caller: GcpCaller, permission: string, resource: GcpResource): boolean;
  /** By id or number; throws GcpError `PERMISSION_DENIED` as Google does for a project that is not there. */
  projectOf(idOrNumber: string): GcpProject;
  /** The caller that a service account is, for builds and services that act as one; throws GcpError where it is gone or disabled. */
  actAs(email: string): GcpCaller;
  /** A long-running operation that is done at once, under the service's own name for it, and kept for `GET`. */
  operation(service: string, name: string, response: object | undefined, metadata?: object): object;
}
