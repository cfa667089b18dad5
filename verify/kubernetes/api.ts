/** Calls of a cluster's Kubernetes API, and what they came to. https://kubernetes.io/docs/reference/using-api/api-concepts/ */
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { send, type Network } from "../network.js";

/** Where a cluster is, and with what credentials it is asked. */
export interface ClusterAccess {
  /** `https://203.0.113.7` */
  server: string;
  /** Trusts the cluster's own certificate authority. */
  network: Network;
  /** Bearer token; never shown. */
  accessToken: string;
}

export type KubernetesAnswer =
  | { ok: true; json: JsonObject }
  /** A `Status` object: `reason` such as `Forbidden`. */
  | { ok: false; kind: "refused"; httpStatus: number; reason: string; message: string }
  | { ok: false; kind: "no-answer"; detail: string };

export interface KubernetesCall {
  method: "GET" | "POST" | "PATCH";
  /** With its query. */
  path: string;
  body?: object;
  /** Of the body. @default application/json */
  contentType?: string;
}

const DEADLINE_MS = 15_000;

/** Makes a call; never rejects. */
export async function askCluster({ server, network, accessToken }: ClusterAccess, { method, path, body, contentType = "application/json" }: KubernetesCall, signal: AbortSignal): Promise<KubernetesAnswer> {
  const answer = await send(network, {
    method,
    url: new URL(path, server),
    headers: { accept: "application/json", authorization: `Bearer ${accessToken}`, ...(body ? { "content-type": contentType } : {}) },
    body: body && JSON.stringify(body),
    deadlineMs: DEADLINE_MS,
    signal,
  });
  if (answer.status === "failed") return { ok: false, kind: "no-answer", detail: answer.detail };
  const json = parsed(answer.body);
  if (answer.httpStatus < 300) return { ok: true, json };
  const { reason, message } = json;
  return { ok: false, kind: "refused", httpStatus: answer.httpStatus, reason: typeof reason === "string" ? reason : "", message: typeof message === "string" ? message : "" };
}

export function describeKubernetes(answer: Extract<KubernetesAnswer, { ok: false }>): string {
  return answer.kind === "no-answer" ? `no answer: ${answer.detail}` : `${answer.httpStatus} ${answer.reason}${answer.message === "" ? "" : `: ${answer.message}`}`;
}

function parsed(body: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
