/** Cloud Storage in the sandbox: buckets and objects by the JSON API, objects' data by the XML API too. */
import type { GcpService, GcpServiceContext } from "./service.js";
import { StorageAccess } from "./storage-access.js";
import { bucketRoutes } from "./storage-buckets.js";
import { renderJsonError } from "./storage-errors.js";
import { Generations } from "./storage-generations.js";
import { iamRoutes } from "./storage-iam.js";
import { objectRoutes } from "./storage-objects.js";
import { StorageStore } from "./storage-store.js";
import { uploadRoutes } from "./storage-uploads.js";
import { xmlApi } from "./storage-xml.js";

export function createStorage(context: GcpServiceContext): GcpService {
  const store = new StorageStore(context.core.store, context.core.clock);
  const access = new StorageAccess(context, store);
  const generations = new Generations(store, access);
  return {
    name: "storage",
    api: "storage.googleapis.com",
    serves: (host) => host === "storage.googleapis.com" || host === "www.googleapis.com" || host.endsWith(".storage.googleapis.com"),
    routes: [...bucketRoutes(context, store, access), ...iamRoutes(context, access), ...objectRoutes(store, access, generations), ...uploadRoutes(store, access, generations)],
    handle: xmlApi(context, access, generations),
    renderError: renderJsonError,
  };
}
