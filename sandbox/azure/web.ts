/** App Service: plans and sites in Resource Manager, and the sites' addresses. https://learn.microsoft.com/azure/app-service/ */
import { ImagePuller } from "./container-registry-pull.js";
import type { AzureService, AzureServiceContext } from "./service.js";
import { configRoutes } from "./web-config.js";
import { renderWebError } from "./web-errors.js";
import { WriteLocks } from "./web-locks.js";
import { planRoutes } from "./web-plans.js";
import { SiteAddresses } from "./web-serve.js";
import { type SiteParts, siteRoutes } from "./web-sites.js";
import { SiteStarter } from "./web-start.js";
import { WebStore } from "./web-store.js";

export function createWeb(context: AzureServiceContext): AzureService[] {
  const store = new WebStore(context);
  const locks = new WriteLocks();
  const starter = new SiteStarter(context, store, new ImagePuller(context));
  const parts: SiteParts = { context, store, starter, locks };
  const addresses = new SiteAddresses(context.core, store, starter);
  return [
    { name: "web", arm: true, routes: [...planRoutes(context, store, locks), ...siteRoutes(parts), ...configRoutes(parts)], renderError: renderWebError },
    { name: "sites", serves: (host) => addresses.serves(host), routes: [], handle: (request) => addresses.handle(request) },
  ];
}
