/**
 * What the sandbox's parts offer each other. Services (AWS, later Azure and GCP) see only this: a clock, a store that
 * knows propagation, the issuers, and a gate that applies latency and faults to every served operation.
 */

/** The sandbox's time: real time plus what the administrator advanced. */
export interface Clock {
  now(): Date;
  /** Moves the clock forward (or back, when negative) by whole or fractional seconds. */
  advance(seconds: number): void;
}

export interface PutOptions {
  /** True for trust and grants: enforcement sees the change only after the propagation delay. */
  propagates?: boolean;
}

/**
 * Every resource of every cloud, as plain JSON values under a type and an id.
 * Types are `cloud:service/kind`, such as `aws:iam/role`; ids are chosen by the service and include the account.
 */
export interface ResourceStore {
  /** The value as last written: what read operations answer. A copy; change it only through `put`. */
  get<T>(type: string, id: string): T | undefined;
  /** The value that enforcement sees now: as `get`, but changes still propagating are not there yet. */
  effective<T>(type: string, id: string): T | undefined;
  list<T>(type: string): { id: string; value: T }[];
  /** As `list`, of what enforcement sees now: what was deleted and is still in force included. */
  listEffective<T>(type: string): { id: string; value: T }[];
  types(): string[];
  put(type: string, id: string, value: unknown, options?: PutOptions): void;
  delete(type: string, id: string, options?: PutOptions): boolean;
  snapshot(): StoreSnapshot;
  restore(snapshot: StoreSnapshot): void;
  /** Called after every change; returns the function that stops it. */
  onChange(listener: () => void): () => void;
}

/** Opaque; JSON. */
export interface StoreSnapshot {
  readonly entries: unknown;
}

/** An answer of the wrong kind that the administrator ordered for an operation. */
export interface Fault {
  /** HTTP status of the answer. */
  status: number;
  /** The service's own error code, such as `Throttling`. */
  code: string;
  message: string;
}

/** Raised by {@link SandboxCore.enter}; the service renders it in its own error shape. */
export class FaultError extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
    this.name = "FaultError";
  }
}

export type IssuerAnswer =
  | { status: "ok"; httpStatus: number; body: string }
  | { status: "unreachable"; detail: string };

export interface SandboxCore {
  readonly clock: Clock;
  readonly store: ResourceStore;
  /** Milliseconds added to every served operation, and seconds until trust and grants are seen; changed by the administrator. */
  readonly settings: { latencyMs: number; propagationDelaySeconds: number };
  /**
   * To be awaited first thing by every served operation (`service:Operation`, as in `sts:AssumeRoleWithWebIdentity`).
   * Waits the latency, then throws {@link FaultError} if a fault was ordered. The general latency is that of the way
   * from a client: what the cloud's own builds and functions call, `from` the inside, has none of it.
   */
  enter(operation: string, from?: "client" | "inside"): Promise<void>;
  /** Fetches a public document over real HTTPS, as the cloud would: sandbox issuers only, sandbox CA, bounded by `timeoutMs`. */
  fetchPublic(url: string, timeoutMs: number): Promise<IssuerAnswer>;
}

export interface WireRequest {
  method: string;
  /** Full URL as the client meant it: scheme and host of the real service behind the proxy, of the listener otherwise. */
  url: URL;
  /** The path and query as sent, not normalised: what a signature was made over. */
  rawTarget: string;
  /** Lower-case host without port. Loopback when the client used an endpoint variable. */
  host: string;
  /** Names in lower case; repeated headers joined by `,`. */
  headers: Record<string, string>;
  body: Buffer;
  secure: boolean;
}

export interface WireResponse {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** A cloud's front: which hosts it answers for, and the answers. */
export interface WireService {
  /** `direct` is true for a request that came to the loopback listener by an endpoint variable rather than through the proxy. */
  serves(host: string, direct: boolean, request: WireRequest): boolean;
  handle(request: WireRequest): Promise<WireResponse>;
}

// ---- the resource table, for both engines ----

export type Properties = Record<string, unknown>;

/** What Pulumi's engine sends for a value that a preview does not know yet. */
export const UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export interface CheckFailure {
  /** Path of the input at fault, such as `tags.Owner`; empty for the whole resource. */
  property: string;
  reason: string;
}

/** Where a provider instance acts (account and region, project, cluster), as its table made it of the configuration. The engines only hand it on. */
export type ProviderScope = object;

/**
 * Thrown by `create` and `update` when the resource exists in the cloud but a later step of setting it up failed: the
 * engine keeps it in the state, and the next run completes it.
 */
export class PartialFailureError extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly outputs: Properties,
  ) {
    super(message);
    this.name = "PartialFailureError";
  }
}

/**
 * How the sandbox plays one Pulumi resource type. Property names are those of the Pulumi provider's schema.
 * Every operation throws an Error whose message is one line, as the real provider words it.
 */
export interface ResourceBehaviour<Scope extends ProviderScope = ProviderScope> {
  readonly type: string;
  /** Inputs whose change replaces the resource: names, or paths into one such as `metadata.name`. */
  readonly replaceOn: readonly string[];
  /** True where the old one must go first because the name is taken; a provider may tell by the inputs of the old one. */
  readonly deleteBeforeReplace?: boolean | ((olds: Properties) => boolean);
  /** The input that holds the unique physical name (or its path), where there is one: a replacement that keeps a name which the program gave must delete first. */
  readonly physicalName?: string;
  /** Inputs that the cloud decides where the program does not: read back as inputs only if the program gave them. */
  readonly computed?: readonly string[];
  /** Fills in defaults, including the generated physical name for `name`, and says what the provider would refuse before calling the cloud. */
  check(inputs: Properties, scope: Scope, logicalName: string, olds?: Properties): { inputs: Properties; failures: CheckFailure[] };
  /** Outputs that are known before creation (ARNs made of names); every other output is unknown in preview. */
  preview?(inputs: Properties, scope: Scope): Properties;
  create(inputs: Properties, scope: Scope): Promise<{ id: string; outputs: Properties }>;
  /** Undefined when it is gone. `inputs` as the provider would read them back, for drift and import. */
  read(id: string, scope: Scope, olds?: Properties): Promise<{ id: string; inputs: Properties; outputs: Properties } | undefined>;
  update(id: string, olds: Properties, news: Properties, scope: Scope): Promise<Properties>;
  delete(id: string, outputs: Properties, scope: Scope): Promise<void>;
}

/** A method's type, so that a table of one cloud's scope is a table to the engines, which only hand scopes back. */
export type InvokeBehaviour<Scope extends ProviderScope = ProviderScope> = { invoke(args: Properties, scope: Scope): Promise<Properties> }["invoke"];

/** The one table: resource types and functions of one Pulumi package. */
export interface ProviderTable<Scope extends ProviderScope = ProviderScope> {
  /** Package name, such as `aws`. */
  readonly package: string;
  /** From the provider's configuration (an explicit provider's inputs, or the stack's `aws:*` keys) to where it acts; throws an Error with one line when it cannot. */
  scope(config: Record<string, string>): Scope;
  readonly resources: ReadonlyMap<string, ResourceBehaviour<Scope>>;
  readonly invokes: ReadonlyMap<string, InvokeBehaviour<Scope>>;
}
