/** Kubeconfig files, written for clients and read as providers do. https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ */
import { parse, stringify } from "yaml";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import type { KubernetesCluster } from "./types.js";

/** YAML with one cluster, one user and one context, all of the cluster's name. Holds the token. */
export function writeKubeconfig({ name, server }: KubernetesCluster, token: string, caPem: string, proxyUrl: string | undefined): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": Buffer.from(caPem).toString("base64"), ...(proxyUrl !== undefined && { "proxy-url": proxyUrl }) } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}

export interface Connection {
  server: string;
  /** Undefined where the user gets his token by a command, or has none. */
  token: string | undefined;
  namespace: string | undefined;
}

/** Where a context leads; the current one unless another is named. Throws an Error with one line. */
export function readKubeconfig(text: string, contextName: string | undefined, clusterName: string | undefined): Connection {
  const config = parseText(text);
  const name = contextName ?? textOf(config["current-context"]);
  const context = named(config, "contexts", name ?? "", "context");
  const cluster = named(config, "clusters", clusterName ?? textOf(context?.cluster) ?? "", "cluster");
  if (!context && !cluster) throw new Error(name === undefined ? "invalid configuration: no configuration has been provided" : `context ${JSON.stringify(name)} does not exist`);
  const server = textOf(cluster?.server);
  if (server === undefined) throw new Error(`invalid configuration: cluster ${JSON.stringify(clusterName ?? context?.cluster ?? "")} was not found, or has no server`);
  const user = named(config, "users", textOf(context?.user) ?? "", "user");
  return { server, token: textOf(user?.token), namespace: textOf(context?.namespace) };
}

function parseText(text: string): JsonObject {
  let config: unknown;
  try {
    config = parse(text);
  } catch {
    config = undefined;
  }
  if (!isJsonObject(config)) throw new Error("the kubeconfig is neither YAML nor JSON, nor the path of such a file");
  return config;
}

function named(config: JsonObject, list: string, name: string, member: string): JsonObject | undefined {
  const entries = Array.isArray(config[list]) ? config[list].filter(isJsonObject) : [];
  const found = entries.find((entry) => entry.name === name)?.[member];
  return isJsonObject(found) ? found : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
