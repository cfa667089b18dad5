/** Azure Storage's resource provider in the sandbox: accounts, their Blob service, containers and what protects them. https://learn.microsoft.com/rest/api/storagerp/ */
import type { AzureService, AzureServiceContext } from "./service.js";
import { accountRoutes } from "./storage-accounts.js";
import { StorageArm } from "./storage-arm.js";
import { containerRoutes } from "./storage-containers.js";
import { immutabilityRoutes } from "./storage-immutability.js";
import { serviceRoutes } from "./storage-services.js";
import { StorageState } from "./storage-state.js";

export function createStorage(context: AzureServiceContext): AzureService {
  const arm = new StorageArm(context, new StorageState(context));
  return { name: "storage", arm: true, routes: [...accountRoutes(arm), ...serviceRoutes(arm), ...containerRoutes(arm), ...immutabilityRoutes(arm)] };
}
