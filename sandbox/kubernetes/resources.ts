/** Pulumi's Kubernetes package as the sandbox plays it: its resource types and its provider's configuration. */
import { existsSync, readFileSync } from "node:fs";
import { API_RESOURCES } from "../../facts/kubernetes/api.js";
import { UNKNOWN_VALUE, type ProviderTable, type ResourceBehaviour } from "../types.js";
import { readKubeconfig } from "./kubeconfig.js";
import { objectBehaviour, patchBehaviour, typeToken } from "./resources/behaviour.js";
import { ObjectApi, type Identify } from "./resources/object-api.js";
import type { KubernetesCloud, KubernetesScope } from "./types.js";

/** Kinds whose objects programs make. */
const PLAYED = API_RESOURCES.filter(({ verbs }) => verbs.includes("patch"));

export function createKubernetesTable(cloud: KubernetesCloud, identify: Identify): ProviderTable<KubernetesScope> {
  const api = new ObjectApi(cloud, identify);
  const resources = PLAYED.flatMap((resource): [string, ResourceBehaviour<KubernetesScope>][] => [
    [typeToken(resource), objectBehaviour(api, resource)],
    [`${typeToken(resource)}Patch`, patchBehaviour(api, resource)],
  ]);
  return { package: "kubernetes", scope: (config) => scope(cloud, config), resources: new Map(resources), invokes: new Map() };
}

/** https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ */
function scope(cloud: KubernetesCloud, config: Record<string, string>): KubernetesScope {
  const { kubeconfig = "", context, cluster, namespace } = config;
  const flags = { upsert: config.upsertExistingObjects === "true", force: config.enablePatchForce === "true" };
  if (Object.values(config).some((value) => value.includes(UNKNOWN_VALUE))) return { cluster: "", token: undefined, namespace: namespace ?? "default", unknown: true, ...flags };
  if (kubeconfig === "") {
    throw new Error(
      "configured Kubernetes cluster is unreachable: no kubeconfig. Set it with `pulumi config set --secret kubernetes:kubeconfig`, or in the provider's arguments: the sandbox's provider does not see the shell's KUBECONFIG.",
    );
  }
  const connection = readKubeconfig(contents(kubeconfig), context, cluster);
  const host = URL.canParse(connection.server) ? new URL(connection.server).hostname : undefined;
  const found = cloud.clusters().find(({ server, dnsEndpoint }) => host !== undefined && (new URL(server).hostname === host || dnsEndpoint === host));
  if (!found) throw new Error(`configured Kubernetes cluster is unreachable: the sandbox has no cluster at ${connection.server} (it has: ${cloud.clusters().map(({ server }) => server).join(", ")})`);
  return { cluster: found.name, token: connection.token, namespace: namespace ?? connection.namespace ?? "default", ...flags };
}

/** The text itself, or the file that it names. */
function contents(kubeconfig: string): string {
  const isPath = !/[\n{]/.test(kubeconfig) && existsSync(kubeconfig);
  return isPath ? readFileSync(kubeconfig, "utf8") : kubeconfig;
}
