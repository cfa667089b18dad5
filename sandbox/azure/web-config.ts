/** A site's configuration and settings, its publishing profile and its container's log. https://learn.microsoft.com/rest/api/appservice/web-apps */
import { randomBytes } from "node:crypto";
import * as z from "zod";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import { type AzureAnswer, type AzureRequest, type AzureRoute, RawAnswer } from "./service.js";
import { parseWeb } from "./web-input.js";
import { type SiteParts, checkedConfig, openSite, siteConfigForm } from "./web-sites.js";
import type { Site } from "./web-store.js";
import { configView, fullName, instanceIdOf, scmHostOf } from "./web-views.js";

const configForm = z.object({ properties: siteConfigForm.default({}) });
const settingsForm = z.object({ properties: z.record(z.string(), z.string().nullable()).default({}) });
const slotNamesForm = z.object({ properties: z.looseObject({}).default({}) });

/** Lists of which the sandbox keeps nothing. */
const EMPTY_LISTS = ["connectionstrings", "azurestorageaccounts", "metadata"];

export function configRoutes(parts: SiteParts): AzureRoute[] {
  const { context, store, starter } = parts;
  const open = (request: AzureRequest, action: string): Site => openSite(parts, request, action);

  async function update(request: AzureRequest): Promise<AzureAnswer> {
    const before = open(request, "config/write");
    const wanted = parseWeb(configForm, request.body).properties;
    const siteConfig = checkedConfig(store.plan(before.properties.serverFarmId), wanted, before.properties.siteConfig);
    const site = store.put({ ...before, properties: { ...before.properties, siteConfig, lastModifiedTimeUtc: context.core.clock.now().toISOString() } });
    if (wanted.appSettings) store.putSettings(site, Object.fromEntries(wanted.appSettings.map(({ name, value }) => [name, value ?? ""])));
    starter.restart(site);
    return configView(site);
  }

  async function putSettings(request: AzureRequest): Promise<AzureAnswer> {
    const site = open(request, "config/write");
    const { properties } = parseWeb(settingsForm, request.body);
    store.putSettings(site, Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, value ?? ""])));
    starter.restart(site);
    return list(site, "appsettings", store.settings(site));
  }

  const list = (site: Site, name: string, properties: object): object => ({ id: `${site.id}/config/${name}`, name, type: `${site.type}/config`, ...(site.location !== undefined && { location: site.location }), properties });

  function publishXml(request: AzureRequest): AzureAnswer {
    const site = open(request, "publishxml/action");
    const name = fullName(site).replace("/", "__");
    const password = store.publishingPassword(site, () => `${SANDBOX_SECRET_MARK}${randomBytes(30).toString("base64url")}`);
    const host = scmHostOf(site);
    const profile = (method: string, address: string): string =>
      `<publishProfile profileName="${name} - ${method}" publishMethod="${method}" publishUrl="${address}" msdeploySite="${name}" userName="$${name}" userPWD="${password}" destinationAppUrl="https://${site.properties.defaultHostName}" />`;
    const body = `<publishData>${profile("MSDeploy", `${host}:443`)}${profile("ZipDeploy", `${host}:443`)}</publishData>`;
    return new RawAnswer({ status: 200, headers: { "content-type": "application/xml" }, body });
  }

  function containerLogs(request: AzureRequest): AzureAnswer {
    const site = open(request, "containerlogs/action");
    const lines = store.log(site);
    if (lines.length === 0) return new RawAnswer({ status: 204 });
    return new RawAnswer({ status: 200, headers: { "content-type": "application/octet-stream" }, body: `${lines.join("\n")}\n` });
  }

  function instances(request: AzureRequest): object {
    const site = open(request, "instances/read");
    const run = starter.running(site);
    const name = instanceIdOf(site);
    const state = site.properties.state === "Stopped" || (run && !run.started) ? "STOPPED" : "READY";
    return { value: [{ id: `${site.id}/instances/${name}`, name, type: `${site.type}/instances`, properties: { state } }] };
  }

  const route = (method: AzureRoute["method"], path: string, operation: string, run: AzureRoute["run"]): AzureRoute => ({ method, path, operation: `web:WebApps_${operation}`, run });
  const site = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/sites/{site}";
  return [site, `${site}/slots/{slot}`].flatMap((one) => [
    route("GET", `${one}/config`, "ListConfigurations", async (request) => ({ value: [configView(open(request, "config/read"))] })),
    route("GET", `${one}/config/web`, "GetConfiguration", async (request) => configView(open(request, "config/read"))),
    route("PUT", `${one}/config/web`, "CreateOrUpdateConfiguration", update),
    route("PATCH", `${one}/config/web`, "UpdateConfiguration", update),
    route("PUT", `${one}/config/appsettings`, "UpdateApplicationSettings", putSettings),
    route("POST", `${one}/config/appsettings/list`, "ListApplicationSettings", async (request) => {
      const found = open(request, "config/list/action");
      return list(found, "appsettings", store.settings(found));
    }),
    ...EMPTY_LISTS.map((name) => route("POST", `${one}/config/${name}/list`, `List_${name}`, async (request) => list(open(request, "config/list/action"), name, {}))),
    route("GET", `${one}/config/slotConfigNames`, "ListSlotConfigurationNames", async (request) => {
      const found = open(request, "config/read");
      return list(found, "slotConfigNames", store.slotConfigNames(found));
    }),
    route("PUT", `${one}/config/slotConfigNames`, "UpdateSlotConfigurationNames", async (request) => {
      const found = open(request, "config/write");
      store.putSlotConfigNames(found, parseWeb(slotNamesForm, request.body).properties);
      return list(found, "slotConfigNames", store.slotConfigNames(found));
    }),
    route("POST", `${one}/publishxml`, "ListPublishingProfileXmlWithSecrets", async (request) => publishXml(request)),
    route("POST", `${one}/containerlogs`, "GetWebSiteContainerLogs", async (request) => containerLogs(request)),
    route("GET", `${one}/instances`, "ListInstanceIdentifiers", async (request) => instances(request)),
  ]);
}
