/** A cluster's API as clients reach it: under its own host name behind the proxy, in TLS of the sandbox's authority. */
import * as https from "node:https";
import { checkServerIdentity } from "node:tls";
import { HttpsProxyAgent } from "https-proxy-agent";
import { parse } from "yaml";
import type { Sandbox } from "../../../sandbox/index.js";

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
export function apiOf(sandbox: Sandbox, cluster: string, token?: string, host?: string, more: Record<string, string> = {}): Call {
  const agent = new HttpsProxyAgent(sandbox.url);
  const server = host === undefined ? sandbox.kubernetes.cluster(cluster)!.server : `https://${host}`;
  return (method, path, body, contentType = "application/json") => {
    const data = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
    const headers = { "user-agent": "client/1", ...(body !== undefined && { "content-type": contentType }), ...(token !== undefined && { authorization: `Bearer ${token}` }), "content-length": String(Buffer.byteLength(data)), ...more };
    return new Promise((resolve, reject) => {
      // The agent does not tell Node which IP address the certificate is to be for.
      const identity = (_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) => checkServerIdentity(new URL(server).hostname, certificate);
      const request = https.request(`${server}${path}`, { method, agent, ca: sandbox.caPem, headers, timeout: 20_000, checkServerIdentity: identity }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as ApiObject }));
      });
      request.on("timeout", () => request.destroy(new Error(`${method} ${path}: no answer`)));
      request.on("error", reject);
      request.end(data);
    });
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
