/** Sites and slots as Resource Manager answers them. */
import { createHash } from "node:crypto";
import { startErrors } from "../../facts/azure/app-service.js";
import { parseArmId } from "./arm-ids.js";
import type { Run, Site } from "./web-store.js";

/** Name of the worker that a site's container runs on. */
export const instanceIdOf = ({ properties }: Site): string => createHash("sha256").update(properties.incarnation).digest("hex");

/** `NAME.SUFFIX` to `NAME.scm.SUFFIX`. */
export const scmHostOf = ({ properties }: Site): string => properties.defaultHostName.replace(".", ".scm.");

/** Of a slot: `SITE/SLOT`. */
export const fullName = ({ id, name }: Site): string => parseArmId(id)?.names.join("/") ?? name;

/** The members of a site's configuration that the site itself shows; all of it is at `config/web`. */
const SHOWN_CONFIG = ["numberOfWorkers", "linuxFxVersion", "acrUseManagedIdentityCreds", "acrUserManagedIdentityID", "alwaysOn", "http20Enabled"] as const;

export function siteView(site: Site, tier: string): object {
  const { incarnation: _, siteConfig, ...properties } = site.properties;
  const hosts = [properties.defaultHostName, scmHostOf(site)];
  return {
    ...site,
    name: fullName(site),
    tags: site.tags ?? {},
    properties: {
      ...properties,
      name: fullName(site),
      hostNames: [properties.defaultHostName],
      enabledHostNames: hosts,
      hostNameSslStates: hosts.map((name, index) => ({ name, sslState: "Disabled", hostType: index === 0 ? "Standard" : "Repository", virtualIP: null, thumbprint: null, toUpdate: null })),
      siteConfig: Object.fromEntries(SHOWN_CONFIG.map((name) => [name, siteConfig[name] ?? null])),
      availabilityState: "Normal",
      usageState: "Normal",
      runtimeAvailabilityState: "Normal",
      repositorySiteName: parseArmId(site.id)?.names[0],
      resourceGroup: parseArmId(site.id)?.group,
      sku: tier,
      // Of the blocks that are set aside for documentation.
      outboundIpAddresses: "192.0.2.10,192.0.2.11",
      possibleOutboundIpAddresses: "192.0.2.10,192.0.2.11,192.0.2.12",
    },
  };
}

/** Without settings, which are asked for apart. */
export function configView(site: Site): object {
  return { id: `${site.id}/config/web`, name: fullName(site), type: `${site.type}/config`, ...(site.location !== undefined && { location: site.location }), properties: site.properties.siteConfig };
}

/** `GET …/siteStatus`: how the container fares on each worker. https://azure.github.io/AppService/2026/06/01/sitestatus.html */
export function statusView(site: Site, run: Run | undefined): object {
  const state = site.properties.state === "Stopped" || (run && !run.started) ? "Stopped" : "Started";
  const error = run?.error;
  const lastError = error ? startErrors[error.kind].code : null;
  const details = state === "Started" ? "The site is running." : "The site is no longer running and will not receive requests.";
  return {
    id: `${site.id}/siteStatus`,
    name: fullName(site),
    type: `${site.type}/siteStatus`,
    properties: [{ instanceId: instanceIdOf(site), state, details, lastError, lastErrorDetails: error?.details ?? null, lastErrorTimestamp: error?.at ?? null }],
  };
}
