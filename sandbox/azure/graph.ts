/** Microsoft Graph: applications, service principals and federated credentials of a tenant. https://learn.microsoft.com/graph/api/overview */
import { type AzureCloudFacts, azureClouds } from "../../facts/azure/clouds.js";
import type { GraphStore } from "./graph-store.js";
import type { DirectoryStore } from "./directory.js";
import type { Accounts } from "./accounts.js";
import type { AzureService } from "./service.js";
import type { SandboxCore } from "../types.js";

export interface GraphParts {
  core: SandboxCore;
  accounts: Accounts;
  directory: DirectoryStore;
  graph: GraphStore;
}

export const graphAudiences = ({ graphHost }: AzureCloudFacts): readonly string[] => [`https://${graphHost}`, "00000003-0000-0000-c000-000000000000"];

export function createGraph(_parts: GraphParts): AzureService {
  const hosts = Object.values(azureClouds).map(({ graphHost }) => graphHost);
  return { name: "graph", serves: (host) => hosts.includes(host), audiences: graphAudiences, routes: [] };
}
