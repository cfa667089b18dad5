/** Requests to a sandbox under the real host names: CONNECT to the proxy, TLS with its own authority inside. */
import * as https from "node:https";
import { HttpsProxyAgent } from "https-proxy-agent";
import type { Sandbox } from "../../../sandbox/index.js";

export interface Sent {
  token?: string | undefined;
  headers?: Record<string, string>;
  /** Objects go as JSON. */
  body?: object | string | Buffer | undefined;
}

/** The members of answers that tests look into, of all methods together. */
export interface Answered {
  bindings?: object[];
  crc32c: string;
  email_address: string;
  etag: string;
  generation: string;
  items?: { name: string; generation: string }[];
  md5Hash: string;
  mediaLink: string;
  metadata: Record<string, string>;
  name: string;
  nextPageToken: string;
  permissions: string[];
  response: Record<string, unknown>;
  retentionExpirationTime: string;
  size: string;
  token: string;
}

export interface Received {
  status: number;
  headers: Record<string, string>;
  raw: Buffer;
  text: string;
  /** Parsed where it is JSON, else the text. */
  body: Answered;
}

export type Send = (method: string, url: string, sent?: Sent) => Promise<Received>;

export function proxied(sandbox: Sandbox): Send {
  const agent = new HttpsProxyAgent(sandbox.url);
  return (method, url, { token, headers = {}, body } = {}) => {
    const isJson = typeof body === "object" && !Buffer.isBuffer(body);
    const data = isJson ? JSON.stringify(body) : (body ?? "");
    const all = {
      ...(isJson && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      "content-length": String(Buffer.byteLength(data)),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const request = https.request(url, { method, agent, ca: sandbox.caPem, headers: all, timeout: 20_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const raw = Buffer.concat(chunks);
          const given = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
          const json = (given["content-type"] ?? "").includes("json") && raw.length > 0;
          const text = raw.toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: given, raw, text, body: (json ? JSON.parse(text) : text) as Answered });
        });
      });
      request.on("timeout", () => request.destroy(new Error(`${method} ${url}: no answer`)));
      request.on("error", reject);
      request.end(data);
    });
  };
}

/** A service account with an access token of its own; its roles are given by `grant`. */
export async function serviceAccount(sandbox: Sandbox, accountId: string, project = "customer-app-prod"): Promise<{ email: string; member: string; token: string }> {
  const { caller } = sandbox.gcp.administrator();
  const email = `${accountId}@${project}.iam.gserviceaccount.com`;
  const account = `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts`;
  await sandbox.gcp.call(caller, "POST", `https://serviceusage.googleapis.com/v1/projects/${project}/services/iamcredentials.googleapis.com:enable`);
  await sandbox.gcp.call(caller, "POST", account, { accountId });
  const policy = { bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members: [`user:${caller.name}`] }] };
  await sandbox.gcp.call(caller, "POST", `${account}/${email}:setIamPolicy`, { policy });
  const { accessToken } = await sandbox.gcp.call<{ accessToken: string }>(caller, "POST", `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`, {
    scope: ["https://www.googleapis.com/auth/cloud-platform"],
    lifetime: "3600s",
  });
  return { email, member: `serviceAccount:${email}`, token: accessToken };
}
