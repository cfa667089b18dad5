/** What the Azure part of the sandbox offers to its own services, to the resource tables and to the administrator. */
import type { AzureCloudName } from "../../facts/azure/clouds.js";

/** Where Pulumi's Azure providers act. */
export interface AzureScope {
  tenantId: string;
  subscriptionId: string;
  location: string | undefined;
  cloud: AzureCloudName;
  /** Whom the configuration's credentials prove; the sandbox's administrator where it has none. */
  caller?: AzureCaller;
}

/** A refusal in Azure's terms; each service renders it in its own shape (ARM and Graph JSON, Entra OAuth's, Blob storage XML). */
export class AzureError extends Error {
  constructor(
    readonly status: number,
    /** Such as `AuthorizationFailed` or `ContainerNotFound`. */
    readonly code: string,
    message: string,
    readonly extra: { details?: readonly object[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.name = "AzureError";
  }
}

/** Who calls, as far as the access token proved it. */
export interface AzureCaller {
  kind: "servicePrincipal" | "user" | "anonymous";
  tenantId: string;
  /** Of the service principal or the user; what roles are assigned to. Empty for anonymous. */
  objectId: string;
  /** Application (client) id; empty where there is none. */
  clientId: string;
  /** How messages and logs name the caller: the client id of a service principal, a user's name. */
  name: string;
  /** The token's `aud`, as it was asked for without `/.default`; empty past the wire. */
  audience: string;
}

export interface AzureTenant {
  tenantId: string;
  /** Such as `customer.onmicrosoft.example`. */
  domain: string;
  cloud: AzureCloudName;
}

export interface AzureSubscription {
  subscriptionId: string;
  displayName: string;
  tenantId: string;
  state: "Enabled" | "Disabled" | "Warned";
  tags: Readonly<Record<string, string>>;
}

export interface AzureCloud {
  /** What everything uses unless told otherwise: of the public cloud. */
  readonly defaultTenant: AzureTenant;
  readonly defaultSubscription: AzureSubscription;
  readonly propagationDelaySeconds: number;
  /** By id or domain. */
  tenant(idOrDomain: string): AzureTenant | undefined;
  subscription(id: string): AzureSubscription | undefined;
  tenants(): AzureTenant[];
  subscriptions(): AzureSubscription[];
  /** A service principal that owns the sandbox's subscriptions of a tenant (default: the default one) and may do everything in its directory. `clientSecret` is a secret. */
  administrator(tenantId?: string): { caller: AzureCaller; clientId: string; clientSecret: string };
  /** Whom an access token of one of these audiences proves; undefined for one that the sandbox did not issue, that has expired or is for another audience. */
  authenticate(accessToken: string, audiences: readonly string[]): AzureCaller | undefined;
  /**
   * Calls ARM, Graph or a data plane past the wire, authorised as the caller: `call(caller, "PUT",
   * "https://management.azure.com/subscriptions/…?api-version=2024-11-30", {...})`. Body and answer are JSON values; a `Buffer` body is
   * sent as it is. A long-running operation has ended when it answers. Throws {@link AzureError}.
   */
  call<T = Record<string, unknown>>(caller: AzureCaller, method: string, url: string, body?: unknown): Promise<T>;
}
