/** What of a contract a run gets to, and what it needs for that. */
import type { Contract, GrantOf } from "../../contract/schema.js";
import { DEPTHS, type Depth } from "../options.js";
import type { Resource } from "./endpoints.js";
import type { GroupGrant } from "./group.js";

export function reaches(depth: Depth, wanted: Depth): boolean {
  return DEPTHS.indexOf(depth) >= DEPTHS.indexOf(wanted);
}

/** What tokens are needed for, the most telling first. */
export function resourcesOf({ exchange, grants, refusalTargets }: Contract, depth: Depth): Resource[] {
  const blobs = grants.some(({ kind }) => kind === "blob-container") || refusalTargets.some(({ kind }) => kind === "blob-container");
  const managed = exchange.type === "azure-client-assertion" && grants.some(({ kind }) => kind === "azure-resource-group");
  return [
    ...(managed ? (["arm"] as const) : []),
    ...(blobs && reaches(depth, "storage") ? (["storage"] as const) : []),
    "graph",
    ...(grants.some(({ kind }) => kind === "app-service") && reaches(depth, "runtime") ? (["registry"] as const) : []),
  ];
}

/** The grant on the resource group that something is in. */
export function groupOf({ grants }: Contract, { subscriptionId, resourceGroup }: { subscriptionId: string; resourceGroup: string }): GroupGrant | undefined {
  return grants.find(
    (grant): grant is GrantOf<"azure-resource-group"> =>
      grant.kind === "azure-resource-group" && grant.subscriptionId.toLowerCase() === subscriptionId.toLowerCase() && grant.resourceGroup.toLowerCase() === resourceGroup.toLowerCase(),
  );
}

/** The grants on App Service in a group. */
export function servicesOf(contract: Contract, group: GroupGrant): GrantOf<"app-service">[] {
  return contract.grants.filter((grant): grant is GrantOf<"app-service"> => grant.kind === "app-service" && groupOf(contract, grant) === group);
}
