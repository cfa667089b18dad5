/** How the Azure services of the sandbox are cut: routes of REST methods on parsed input, authorised one by one; the front owns the wire. */
import type { SandboxCore, WireRequest, WireResponse } from "../types.js";
import type { AzureCloudFacts } from "../../facts/azure/clouds.js";
import type { Directory } from "./directory.js";
import type { AzureCaller, AzureCloud, AzureSubscription } from "./types.js";

/** One call of a method, by the wire or past it. */
export interface AzureRequest {
  caller: AzureCaller;
  /** The cloud whose host was asked. */
  cloud: AzureCloudFacts;
  method: string;
  /** As the real service has it, scheme and host included. */
  url: URL;
  /** Variables of the route's path, percent-decoded, as the client wrote them. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** Lower-case names; empty for calls past the wire. */
  headers: Readonly<Record<string, string>>;
  /** Parsed where the content is JSON (leniently: the `az` CLI writes deployments with an unquoted key); undefined where there is none or it is something else. */
  body: unknown;
  /** As sent, for uploads. */
  raw: Buffer;
}

/** JSON with status 200 unless it is a {@link RawAnswer}. */
export type AzureAnswer = object | RawAnswer;

/** An answer with a status or headers of its own, or that is no JSON. */
export class RawAnswer {
  constructor(readonly response: WireResponse) {}

  static json(status: number, body?: object, headers: Record<string, string> = {}): RawAnswer {
    return new RawAnswer(
      body === undefined
        ? { status, headers }
        : { status, headers: { "content-type": "application/json; charset=utf-8", ...headers }, body: JSON.stringify(body) },
    );
  }
}

export interface AzureRoute {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
  /**
   * Path with variables, as API references write it; compared without regard to case:
   * `/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{account}`. `{name}` takes one
   * segment, `{name=**}` one or more: `/{scope=**}/providers/Microsoft.Authorization/roleAssignments/{assignment}`.
   * Of two routes that match, the one with more literal segments wins.
   */
  path: string;
  /** Gate's name for latency and faults, such as `storage:StorageAccounts_Create`. */
  operation: string;
  /** Called without any credentials; otherwise a missing or bad token is 401 before the route runs. */
  anonymous?: boolean;
  run(request: AzureRequest): Promise<AzureAnswer>;
}

/** Renders an error where the service has a shape of its own. */
export type RenderError = (error: unknown, request: WireRequest) => WireResponse;

export interface AzureService {
  /** Such as `storage`. */
  readonly name: string;
  /**
   * ARM's resource providers share ARM's host: `arm` services have routes below `/subscriptions/…` and the like, their
   * `api-version` is checked (facts/azure/api-versions.ts), the subscription found, and a write to an unregistered namespace refused.
   */
  readonly arm?: true;
  /** Whether a host name is this service's, as `graph.microsoft.com` or `ACCOUNT.blob.core.windows.net`; not asked of `arm` services. */
  serves?(host: string): boolean;
  /** What an access token may be for, by the cloud; not asked of `arm` services. */
  audiences?(cloud: AzureCloudFacts): readonly string[];
  readonly routes: readonly AzureRoute[];
  /** Whether a request to the loopback listener, from a client with an endpoint of its own, is for this service's `handle`. Default: none. */
  servesDirect?(request: WireRequest): boolean;
  /** Answers requests that are no REST methods (a registry, the URL of a site); undefined leaves it to the routes. Authenticates by itself. */
  handle?(request: WireRequest): Promise<WireResponse> | undefined;
  /** Default: ARM's `{error: {code, message}}`. */
  readonly renderError?: RenderError;
}

/** A resource as ARM stores and answers it. */
export interface ArmResource {
  /** ARM id, as first written; compared without regard to case. */
  id: string;
  name: string;
  /** Such as `Microsoft.Storage/storageAccounts/blobServices/containers`. */
  type: string;
  location?: string;
  tags?: Record<string, string>;
  kind?: string;
  sku?: Record<string, unknown>;
  identity?: Record<string, unknown>;
  etag?: string;
  properties: Record<string, unknown>;
}

/** Every resource of ARM, groups, assignments, locks and credentials included, by ARM id. Values are copies. */
export interface ArmResources {
  get(id: string): ArmResource | undefined;
  /** As enforcement sees it now. */
  effective(id: string): ArmResource | undefined;
  /** Of one type, below a scope (`/subscriptions/S` or a group's id, say); everywhere where no scope is given. */
  list(type: string, scope?: string): ArmResource[];
  /** As `list`, as enforcement sees it now. */
  listEffective(type: string, scope?: string): ArmResource[];
  /** Of every type, below a scope, itself not included. */
  below(scope: string): ArmResource[];
  put(resource: ArmResource, options?: { propagates?: boolean }): ArmResource;
  /** With everything below it. */
  delete(id: string, options?: { propagates?: boolean }): boolean;
}

/** What data-plane conditions can ask: `Microsoft.Storage/storageAccounts/blobServices/containers:name`. */
export type AccessAttributes = Readonly<Record<string, string | readonly string[]>>;

export interface AccessOptions {
  dataAction?: boolean;
  attributes?: AccessAttributes;
}

export interface AzureServiceContext {
  readonly core: SandboxCore;
  readonly cloud: AzureCloud;
  readonly resources: ArmResources;
  /** Service principals of applications and managed identities. */
  readonly directory: Directory;
  /** Throws AzureError 403 `AuthorizationFailed` in ARM's words (client, object id, action, scope) when the caller may not; `ScopeLocked` is `assertUnlocked`'s. */
  require(caller: AzureCaller, action: string, scope: string, options?: AccessOptions): void;
  allows(caller: AzureCaller, action: string, scope: string, options?: AccessOptions): boolean;
  /** Throws AzureError 409 `ScopeLocked` where a lock on the scope or above it forbids the write or the delete. */
  assertUnlocked(scope: string, operation: "write" | "delete"): void;
  /** Throws AzureError 404 `SubscriptionNotFound`, or 401 `InvalidAuthenticationTokenTenant` where it is of another tenant than the caller. */
  subscriptionOf(caller: AzureCaller, id: string): AzureSubscription;
  /** Throws AzureError 404 `ResourceGroupNotFound`; the caller's right to it has been asked before. */
  groupOf(subscriptionId: string, group: string): ArmResource;
  /** Tags and properties that Azure Policy writes into a new or changed resource, and `RequestDisallowedByPolicy`. */
  applyPolicies(resource: ArmResource): ArmResource;
  /** 201 or 202 with `Azure-AsyncOperation` and `Location`, and `Retry-After: 0`; done at the first poll. Past the wire it is done at once. */
  accepted(request: AzureRequest, resource: object | undefined, status?: 200 | 201 | 202): AzureAnswer;
  /** The caller that a managed identity is, for sites that pull as one; undefined where it is gone. */
  actAs(identityResourceId: string): AzureCaller | undefined;
}
