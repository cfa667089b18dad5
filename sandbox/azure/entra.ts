/** Entra: discovery, keys and tokens. https://learn.microsoft.com/entra/identity-platform/v2-protocols */
import { type AzureCloudFacts, azureClouds } from "../../facts/azure/clouds.js";
import type { Accounts } from "./accounts.js";
import type { DirectoryStore } from "./directory.js";
import type { GraphStore } from "./graph-store.js";
import type { ArmResources, AzureRoute, AzureService } from "./service.js";
import type { SandboxCore } from "../types.js";
import { discoveryRoutes } from "./entra-discovery.js";
import { renderEntraError } from "./entra-errors.js";
import { tokenRoutes } from "./entra-token.js";
import type { Tokens } from "./tokens.js";

export interface EntraParts {
  core: SandboxCore;
  accounts: Accounts;
  directory: DirectoryStore;
  graph: GraphStore;
  resources: ArmResources;
  tokens: Tokens;
  /** What tokens may be for, by the cloud. */
  audiences(cloud: AzureCloudFacts): readonly string[];
}

export function createEntra(parts: EntraParts): AzureService {
  const hosts = Object.values(azureClouds).flatMap(({ loginHost, loginAliases }) => [loginHost, ...loginAliases]);
  const routes: AzureRoute[] = [...discoveryRoutes(parts), ...tokenRoutes(parts)];
  return { name: "entra", serves: (host) => hosts.includes(host), routes, renderError: (error) => renderEntraError(error, parts.core.clock) };
}
