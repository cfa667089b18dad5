/** A cluster's API as clients reach it: under its own host name behind the proxy, in TLS of the sandbox's authority. */
import { parse } from "yaml";
import type { Sandbox } from "../../../sandbox/index.js";
import { proxied } from "../gcp/proxied.js";

/** The members of the API's objects that tests look into. */
export interface ApiObject {
  kind: string;
  apiVersion: string;
  metadata: { name: string; namespace?: string; uid: string; resourceVersion: string; generation?: number; labels?: Record<string, string>; annotations?: Record<string, string>; managedFields?: { manager: string; operation: string; fieldsV1: object }[] };
  spec: Record<string, unknown>;
  status: Record<string, unknown>;
  items: ApiObject[];
  message: string;
  [member: string]: unknown;
}

export interface ApiAnswer {
  status: number;
  body: ApiObject;
}

export type Call = (method: string, path: string, body?: unknown, contentType?: string) => Promise<ApiAnswer>;

/** As whoever the token proves; without one as nobody. `host` is the cluster's usual one unless another is named. */
export function apiOf(sandbox: Sandbox, cluster: string, token?: string, host?: string, headers: Record<string, string> = {}): Call {
  const send = proxied(sandbox);
  const server = host === undefined ? sandbox.kubernetes.cluster(cluster)!.server : `https://${host}`;
  return async (method, path, body, contentType = "application/json") => {
    const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
    const answer = await send(method, `${server}${path}`, { token, headers: { "user-agent": "client/1", ...(text !== undefined && { "content-type": contentType }), ...headers }, body: text });
    return { status: answer.status, body: answer.body as unknown as ApiObject };
  };
}

export function administratorToken(sandbox: Sandbox, cluster: string): string {
  const { users } = parse(sandbox.kubernetes.kubeconfig(cluster)) as { users: { user: { token: string } }[] };
  return users[0]!.user.token;
}

export const deployment = (name: string, image = "registry.example/app:1", containers = [{ name: "app", image }]) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers } } },
});

/** The namespace with the Deployment `dcf-function`, container `app`: what the customer brings. */
export async function bringDeployment(sandbox: Sandbox, cluster: string, namespace = "dcf-functions"): Promise<void> {
  const { administrator } = sandbox.kubernetes;
  await sandbox.kubernetes.call(cluster, administrator, "POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  await sandbox.kubernetes.call(cluster, administrator, "POST", `/apis/apps/v1/namespaces/${namespace}/deployments`, deployment("dcf-function"));
}
