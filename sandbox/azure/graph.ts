/** Microsoft Graph: a tenant's applications, service principals and what hangs on them. https://learn.microsoft.com/graph/api/overview */
import { azureClouds } from "../../facts/azure/clouds.js";
import { RESOURCES } from "../../facts/azure/entra.js";
import type { SandboxCore } from "../types.js";
import type { Accounts } from "./accounts.js";
import type { DirectoryStore } from "./directory.js";
import { applicationRoutes } from "./graph-applications.js";
import { conditionalAccessRoutes } from "./graph-conditional-access.js";
import { credentialRoutes } from "./graph-credentials.js";
import { directoryRoutes } from "./graph-directory.js";
import { renderGraphError } from "./graph-errors.js";
import { servicePrincipalRoutes } from "./graph-principals.js";
import type { GraphStore } from "./graph-store.js";
import type { AzureAnswer, AzureRequest, AzureRoute, AzureService } from "./service.js";

export interface GraphParts {
  core: SandboxCore;
  accounts: Accounts;
  directory: DirectoryStore;
  graph: GraphStore;
}

/** A method of Graph below the version: the path, the operation's name and what it does. */
export type GraphMethod = readonly [method: AzureRoute["method"], path: string, operation: string, run: (request: AzureRequest) => AzureAnswer];

const VERSIONS = ["v1.0", "beta"] as const;

export function createGraph(parts: GraphParts): AzureService {
  const hosts = Object.values(azureClouds).map(({ graphHost }) => graphHost);
  const methods = [...applicationRoutes(parts), ...conditionalAccessRoutes(parts), ...credentialRoutes(parts), ...directoryRoutes(parts), ...servicePrincipalRoutes(parts)];
  return {
    name: "graph",
    serves: (host) => hosts.includes(host),
    audiences: (cloud) => [...RESOURCES.graph.identifiers(cloud), RESOURCES.graph.appId],
    routes: VERSIONS.flatMap((version) => methods.map(([method, path, operation, run]): AzureRoute => ({ method, path: `/${version}${path}`, operation: `graph:${operation}`, run: async (request) => run(request) }))),
    renderError: (error) => renderGraphError(error, parts.core.clock),
  };
}
