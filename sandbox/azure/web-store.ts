/** What App Service keeps: plans and sites as ARM's resources, and of each site its settings and how its container fares. */
import { CONTAINER_PREFIX, PLAN_TYPE, SITE_TYPE, SLOT_TYPE, type StartErrorKind } from "../../facts/azure/app-service.js";
import { normalised } from "./arm-ids.js";
import type { PulledImage } from "./container-registry-pull.js";
import type { ArmResource, AzureServiceContext } from "./service.js";

/** Of a site or a slot; members that are not named here are kept and shown, without effect. */
export interface SiteConfig extends Record<string, unknown> {
  linuxFxVersion?: string | null;
  acrUseManagedIdentityCreds?: boolean | null;
  /** Client id of the user-assigned identity that images are pulled with; empty for the site's own. */
  acrUserManagedIdentityID?: string | null;
  alwaysOn?: boolean | null;
}

export interface SiteProperties extends Record<string, unknown> {
  serverFarmId: string;
  siteConfig: SiteConfig;
  enabled: boolean;
  state: "Running" | "Stopped";
  httpsOnly: boolean;
  publicNetworkAccess: string | null;
  defaultHostName: string;
  /** ISO 8601. */
  lastModifiedTimeUtc: string;
  /** Tells a site from an earlier one of the same id. */
  incarnation: string;
}
export type Site = ArmResource & { properties: SiteProperties };

export interface PlanProperties extends Record<string, unknown> {
  reserved: boolean;
}
export type Plan = ArmResource & { properties: PlanProperties; sku: { name: string; tier: string; size: string; family: string; capacity: number } };

/** What became of the last try to start a site's container. */
export interface Run {
  /** As the site's `linuxFxVersion` names it. */
  image: string;
  started?: { image?: PulledImage; port: number; at: string };
  /** The last error stays known when a later start goes well. */
  error?: { kind: StartErrorKind; details: string; at: string };
}

const RUN = "azure:web/run";
const LOG = "azure:web/container-log";
/** The store keeps secrets under types that begin so. */
const SETTINGS = "secret:azure/web-app-settings";
const PUBLISHING = "secret:azure/web-publishing";
const SLOT_NAMES = "azure:web/slot-config-names";
const LOG_LINES = 200;

export class WebStore {
  constructor(private readonly context: AzureServiceContext) {}

  plan(id: string): Plan | undefined {
    return this.context.resources.get(id) as Plan | undefined;
  }

  plans(scope: string): Plan[] {
    return this.context.resources.list(PLAN_TYPE, scope) as Plan[];
  }

  site(id: string): Site | undefined {
    return this.context.resources.get(id) as Site | undefined;
  }

  sites(scope?: string): Site[] {
    return this.context.resources.list(SITE_TYPE, scope) as Site[];
  }

  slots(scope?: string): Site[] {
    return this.context.resources.list(SLOT_TYPE, scope) as Site[];
  }

  sitesOf(plan: Plan): Site[] {
    return this.sites().filter(({ properties }) => normalised(properties.serverFarmId) === normalised(plan.id));
  }

  byHost(host: string): Site | undefined {
    return [...this.sites(), ...this.slots()].find(({ properties }) => properties.defaultHostName === host);
  }

  put(site: Site): Site {
    return this.context.resources.put(site) as Site;
  }

  /** With its slots, and everything that is kept of them. */
  delete(site: Site): void {
    const { store } = this.context.core;
    for (const each of [...this.slots(site.id), site]) {
      for (const type of [RUN, LOG, SETTINGS, PUBLISHING, SLOT_NAMES]) store.delete(type, each.properties.incarnation);
      const own = this.context.directory.ofResource(each.id);
      if (own) this.context.directory.delete(own.tenantId, own.objectId);
    }
    this.context.resources.delete(site.id);
  }

  settings({ properties }: Site): Record<string, string> {
    return this.context.core.store.get(SETTINGS, properties.incarnation) ?? {};
  }

  putSettings({ properties }: Site, settings: Record<string, string>): void {
    this.context.core.store.put(SETTINGS, properties.incarnation, settings);
  }

  slotConfigNames({ properties }: Site): object {
    return this.context.core.store.get(SLOT_NAMES, properties.incarnation) ?? { connectionStringNames: [], appSettingNames: [], azureStorageConfigNames: [] };
  }

  putSlotConfigNames({ properties }: Site, names: object): void {
    this.context.core.store.put(SLOT_NAMES, properties.incarnation, names);
  }

  publishingPassword({ properties }: Site, fresh: () => string): string {
    const { store } = this.context.core;
    const known = store.get<string>(PUBLISHING, properties.incarnation);
    if (known !== undefined) return known;
    const made = fresh();
    store.put(PUBLISHING, properties.incarnation, made);
    return made;
  }

  run({ properties }: Site): Run | undefined {
    return this.context.core.store.get(RUN, properties.incarnation);
  }

  putRun({ properties }: Site, run: Run): void {
    this.context.core.store.put(RUN, properties.incarnation, run);
  }

  log({ properties }: Site): string[] {
    return this.context.core.store.get(LOG, properties.incarnation) ?? [];
  }

  addLog(site: Site, lines: readonly string[]): void {
    const time = this.context.core.clock.now().toISOString();
    const all = [...this.log(site), ...lines.map((line) => `${time} ${line}`)];
    this.context.core.store.put(LOG, site.properties.incarnation, all.slice(-LOG_LINES));
  }
}

/** The image that a site runs; undefined for one without a container of its own. */
export function imageOf({ properties }: Site): string | undefined {
  const version = properties.siteConfig.linuxFxVersion ?? "";
  return version.toUpperCase().startsWith(CONTAINER_PREFIX) ? version.slice(CONTAINER_PREFIX.length) : undefined;
}
