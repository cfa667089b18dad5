/** Azure of a sandbox as its clients and its administrator see it: requests under the real host names, tokens of Entra, calls of ARM. */
import { azureClouds } from "../../facts/azure/clouds.js";
import type { Sandbox } from "../../sandbox/index.js";
import type { TokenOrder } from "../../sandbox/issuers.js";
import { proxied } from "../sandbox/gcp/proxied.js";

export const WORKLOAD = { issuer: "https://oidc.dcf.example", subject: "system:serviceaccount:dcf:project-4711", audience: azureClouds.public.federationAudience } as const;
export const ARM = "https://management.azure.com";
export const GRAPH = "https://graph.microsoft.com";

export interface AzureSent {
  token?: string | undefined;
  headers?: Record<string, string>;
  /** Objects go as JSON, parameters as a form. */
  body?: object | string | Buffer | URLSearchParams | undefined;
}

export interface AzureReceived {
  status: number;
  headers: Record<string, string>;
  raw: Buffer;
  text: string;
  /** Parsed where it is JSON, else empty. */
  json: Record<string, unknown>;
}

export type AzureSend = (method: string, url: string, sent?: AzureSent) => Promise<AzureReceived>;

/** Through the proxy, over TLS. */
export function azureSend(sandbox: Sandbox): AzureSend {
  const send = proxied(sandbox);
  return async (method, url, { token, headers = {}, body } = {}) => {
    const isForm = body instanceof URLSearchParams;
    const type = isForm ? { "content-type": "application/x-www-form-urlencoded" } : {};
    const received = await send(method, url, { token, headers: { ...type, ...headers }, body: isForm ? body.toString() : body });
    return { status: received.status, headers: received.headers, raw: received.raw, text: received.text, json: typeof received.body === "object" ? { ...received.body } : {} };
  };
}

export interface TokenAsked {
  clientId: string;
  /** Default: the customer's. */
  tenant?: string;
  /** Default: Resource Manager's. */
  scope?: string;
  /** Default: the public one. */
  loginHost?: string;
}

/** Asks Entra for an access token with whatever `credential` adds to the form. */
export async function askToken(sandbox: Sandbox, asked: TokenAsked, credential: Readonly<Record<string, string>>): Promise<AzureReceived> {
  const { clientId, tenant = sandbox.azure.defaultTenant.tenantId, scope = `${ARM}/.default`, loginHost = azureClouds.public.loginHost } = asked;
  const body = new URLSearchParams({ grant_type: "client_credentials", client_id: clientId, scope, ...credential });
  return azureSend(sandbox)("POST", `https://${loginHost}/${tenant}/oauth2/v2.0/token`, { body });
}

/** A token of the platform's for the workload; members of the order go first. */
export function workloadToken(sandbox: Sandbox, order: Partial<TokenOrder> = {}): Promise<string> {
  return sandbox.issuers.mint({ ...WORKLOAD, ...order });
}

/** The answer to the workload's exchange. */
export async function exchange(sandbox: Sandbox, asked: TokenAsked, assertion?: string): Promise<AzureReceived> {
  return askToken(sandbox, asked, {
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion ?? (await workloadToken(sandbox)),
  });
}

/** An access token of the workload, as the client that it is. */
export async function accessToken(sandbox: Sandbox, asked: TokenAsked): Promise<string> {
  return tokenOf(await exchange(sandbox, asked));
}

/** An access token of a tenant's administrator. */
export async function administratorToken(sandbox: Sandbox, asked: Omit<TokenAsked, "clientId"> = {}): Promise<string> {
  const { clientId, clientSecret } = sandbox.azure.administrator(asked.tenant);
  return tokenOf(await askToken(sandbox, { ...asked, clientId }, { client_secret: clientSecret }));
}

function tokenOf({ status, json }: AzureReceived): string {
  if (typeof json["access_token"] !== "string") throw new Error(`Entra answered ${status}: ${String(json["error_description"])}`);
  return json["access_token"];
}

/** Calls Resource Manager as the administrator, past the wire; `path` without the host. */
export function armCall<T = Record<string, unknown>>(sandbox: Sandbox, method: string, path: string, body?: unknown): Promise<T> {
  return sandbox.azure.call<T>(sandbox.azure.administrator().caller, method, `${ARM}${path}`, body);
}

/** Calls Graph as the administrator, past the wire; `path` such as `/applications`. */
export function graphCall<T = Record<string, unknown>>(sandbox: Sandbox, method: string, path: string, body?: unknown): Promise<T> {
  return sandbox.azure.call<T>(sandbox.azure.administrator().caller, method, `${GRAPH}/v1.0${path}`, body);
}
