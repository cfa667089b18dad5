/** Which APIs have to be enabled in which project for the contract to work. */
import type { Contract, GcpExchange } from "../../../contract/schema.js";

/** By project (number for the pool's, id for the contract's). STS counts where the pool is, everything else where the resource is. */
export function requiredApis({ grants }: Contract, exchange: GcpExchange): Map<string, string[]> {
  const own = new Set(["iam.googleapis.com"]);
  if (exchange.serviceAccountEmail !== undefined) own.add("iamcredentials.googleapis.com");
  for (const { kind } of grants) for (const api of APIS[kind] ?? []) own.add(api);
  const apis = new Map<string, string[]>();
  const pool = ["iam.googleapis.com", "sts.googleapis.com"];
  if (exchange.poolProjectNumber === exchange.projectNumber) return apis.set(exchange.projectId, [...new Set([...own, ...pool])].sort());
  return apis.set(exchange.projectId, [...own].sort()).set(exchange.poolProjectNumber, pool);
}

const APIS: Readonly<Record<string, readonly string[]>> = {
  "gcs-bucket": ["storage.googleapis.com"],
  "artifact-registry-repository": ["artifactregistry.googleapis.com"],
  "cloud-build": ["cloudbuild.googleapis.com"],
  "cloud-run-service": ["run.googleapis.com"],
  "gke-deployments": ["container.googleapis.com"],
};
