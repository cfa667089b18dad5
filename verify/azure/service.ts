/** Registry, plan and site of an App Service grant as the management plane shows them, and what the platform needs of each. */
import type { GrantOf } from "../../contract/schema.js";
import { CONTAINER_PREFIX, containerSettings, DEFAULT_CONTAINER_PORT } from "../../facts/azure/app-service.js";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { askArm, propertiesOf, type ArmCall } from "./arm-causes.js";
import { canaryChecks } from "./canary.js";
import type { AzureCauseCode, AzureCauseValues } from "./causes.js";
import { armUrl, planId, registryId, siteId } from "./endpoints.js";
import { groupCheckId, type GroupGrant } from "./group.js";
import { registryChecks } from "./registry-checks.js";
import { unlessTooFew } from "./rights.js";
import { cause, type AzureRun } from "./run.js";

export type ServiceGrant = GrantOf<"app-service">;

export interface ServiceIntent {
  /** Harmless calls beyond reading. */
  runtime: boolean;
  /** Deploy a canary. */
  deploys: boolean;
}

/** What is read of a site once, for whoever needs it. */
export interface SiteView {
  location: string;
  /** Client id of the user-assigned identity that the site pulls with, as its configuration has it. */
  pullClientId: string | undefined;
}

export function serviceCheckId(grant: ServiceGrant, what: "registry" | "plan" | "site" | "site-config"): string {
  return `azure.management.${grant.id}.${what}`;
}

export function serviceChecks(run: AzureRun, grant: ServiceGrant, group: GroupGrant | undefined, { runtime, deploys }: ServiceIntent): Check[] {
  if (!group) {
    const reason = "the contract grants nothing on the resource group that registry, plan and site are in";
    return [{ id: `grant.${grant.id}`, title: `Management: App Service ${grant.site}`, grade: "live", required: false, needs: [], deadlineMs: 1_000, run: async () => notTested(reason) }];
  }
  const service = new Service(run, grant, group);
  return [
    ...service.presenceChecks(),
    ...[...(runtime ? [...service.runtimeChecks(), ...registryChecks(run, grant)] : []), ...(deploys ? canaryChecks(run, grant, service.view) : [])].map((check) => unlessTooFew(check, group)),
  ];
}

class Service {
  /** Filled while the checks run. */
  readonly view: SiteView = { location: "", pullClientId: undefined };
  #site: JsonObject = {};

  constructor(
    private readonly run: AzureRun,
    private readonly grant: ServiceGrant,
    private readonly group: GroupGrant,
  ) {}

  presenceChecks(): Check[] {
    const { grant } = this;
    return [
      this.#check("registry", `container registry ${grant.registry} is there`, [groupCheckId(this.group)], (scope) => this.#registry(scope)),
      this.#check("plan", `App Service plan ${grant.plan} is there`, [groupCheckId(this.group)], (scope) => this.#plan(scope)),
      this.#check("site", `site ${grant.site} is there, on the plan`, [serviceCheckId(grant, "plan")], (scope) => this.#siteThere(scope)),
    ];
  }

  runtimeChecks(): Check[] {
    const { grant } = this;
    const id = `azure.runtime.${grant.id}`;
    return [
      { ...this.#check("site-config", `site ${grant.site} pulls a container with its identity`, [serviceCheckId(grant, "site")], (scope) => this.#siteConfig(scope)) },
      { ...this.#check("site", `site ${grant.site} expects its container on port ${grant.containerPort}`, [serviceCheckId(grant, "site-config")], (scope) => this.#port(scope)), id: `${id}.port` },
    ];
  }

  #check(what: "registry" | "plan" | "site" | "site-config", title: string, needs: string[], run: Check["run"]): Check {
    return { id: serviceCheckId(this.grant, what), title: `Management: ${title}`, grade: "live", required: true, needs, deadlineMs: 60_000, run };
  }

  get #values(): Partial<AzureCauseValues> {
    return { resourceGroup: this.grant.resourceGroup };
  }

  #read(id: string, version: "containerRegistry" | "web", action: string, missing: AzureCauseCode, subject: string, operation: string): ArmCall {
    return { check: `azure.management.${this.grant.id}`, operation, action, scope: id, missing, values: { ...this.#values, subject, role: this.grant.role ?? this.group.role }, call: { method: "GET", url: armUrl(this.run.cloud, id, version) } };
  }

  async #registry(scope: CheckScope): Promise<Verdict> {
    const { registry, loginServer } = this.grant;
    const id = registryId(this.grant);
    const asked = await askArm(this.run, scope, this.#read(id, "containerRegistry", "Microsoft.ContainerRegistry/registries/read", "azure.registry.missing", registry, "GET registry"));
    if ("verdict" in asked) return asked.verdict;
    const { loginServer: found, adminUserEnabled, publicNetworkAccess, roleAssignmentMode } = propertiesOf(asked.answer);
    const values = { ...this.#values, subject: registry, scope: id };
    if (typeof found === "string" && found.toLowerCase() !== loginServer.toLowerCase()) {
      return fail(`its login server is ${found}`, cause(this.run, "azure.registry.login-server-differs", `the registry has ${found}, the contract ${loginServer}`, { ...values, found }));
    }
    if (adminUserEnabled === true) scope.remark(`Registry ${registry} has an admin user, whose password Contributor on its group can list: az acr update --name ${registry} --admin-enabled false`);
    const notes = [
      ...(publicNetworkAccess === "Disabled" ? ["public network access: off"] : []),
      ...(roleAssignmentMode === "AbacRepositoryPermissions" ? ["rights by roles on repositories only"] : []),
    ];
    return pass([loginServer, ...notes].join("; "));
  }

  async #plan(scope: CheckScope): Promise<Verdict> {
    const id = planId(this.grant);
    const asked = await askArm(this.run, scope, this.#read(id, "web", "Microsoft.Web/serverfarms/read", "azure.plan.missing", this.grant.plan, "GET plan"));
    if ("verdict" in asked) return asked.verdict;
    const { sku, location } = asked.answer.json;
    const { reserved } = propertiesOf(asked.answer);
    const seen = `${isJsonObject(sku) ? String(sku["name"]) : "?"} in ${String(location)}`;
    if (reserved !== true) return fail(`${seen}, not for Linux`, cause(this.run, "azure.plan.not-linux", `reserved is ${String(reserved)}`, { ...this.#values, subject: this.grant.plan }));
    return pass(`${seen}, for Linux`);
  }

  async #siteThere(scope: CheckScope): Promise<Verdict> {
    const { site, hostName } = this.grant;
    const id = siteId(this.grant, site);
    const asked = await askArm(this.run, scope, this.#read(id, "web", "Microsoft.Web/sites/read", "azure.site.missing", site, "GET site"));
    if ("verdict" in asked) return asked.verdict;
    this.#site = asked.answer.json;
    const { location } = this.#site;
    this.view.location = typeof location === "string" ? location : "";
    const { defaultHostName, serverFarmId, state } = propertiesOf(asked.answer);
    const values = { ...this.#values, subject: site };
    const plan = planId(this.grant);
    if (typeof serverFarmId === "string" && serverFarmId.toLowerCase() !== plan.toLowerCase()) {
      return fail(`it is on ${serverFarmId}`, cause(this.run, "azure.site.other-plan", `the site is on ${serverFarmId}, the contract has ${plan}`, { ...values, expected: plan, found: serverFarmId }));
    }
    if (typeof defaultHostName === "string" && defaultHostName.toLowerCase() !== hostName.toLowerCase()) {
      return fail(`its host name is ${defaultHostName}`, cause(this.run, "azure.site.host-name-differs", `the site has ${defaultHostName}, the contract ${hostName}`, { ...values, found: defaultHostName }));
    }
    return pass(`${hostName}, ${String(state)}`);
  }

  async #siteConfig(scope: CheckScope): Promise<Verdict> {
    const { site, pullIdentityId } = this.grant;
    const id = `${siteId(this.grant, site)}/config/web`;
    const asked = await askArm(this.run, scope, this.#read(id, "web", "Microsoft.Web/sites/config/read", "azure.site.missing", site, "GET site configuration"));
    if ("verdict" in asked) return asked.verdict;
    const { linuxFxVersion, acrUseManagedIdentityCreds, acrUserManagedIdentityID: client } = propertiesOf(asked.answer);
    const values = { ...this.#values, subject: site };
    if (typeof linuxFxVersion !== "string" || !linuxFxVersion.toUpperCase().startsWith(CONTAINER_PREFIX)) {
      return fail(`linuxFxVersion is ${JSON.stringify(linuxFxVersion)}`, cause(this.run, "azure.site.not-container", `linuxFxVersion is ${JSON.stringify(linuxFxVersion)}`, values));
    }
    const identities = this.#identities();
    if (pullIdentityId !== undefined && !identities.has(pullIdentityId.toLowerCase())) {
      const seen = `the site does not have ${pullIdentityId}`;
      return fail(seen, cause(this.run, "azure.site.identity-missing", seen, { ...values, expected: pullIdentityId }));
    }
    const own = identities.get(pullIdentityId?.toLowerCase() ?? "");
    const assigned = typeof client === "string" && client !== "" ? client : undefined;
    this.view.pullClientId = own ?? assigned;
    if (acrUseManagedIdentityCreds !== true) return this.#pullsOtherwise(`acrUseManagedIdentityCreds is ${String(acrUseManagedIdentityCreds)}`);
    if (pullIdentityId !== undefined && assigned?.toLowerCase() !== own?.toLowerCase()) return this.#pullsOtherwise(`acrUserManagedIdentityID is ${assigned ?? "empty"}, the identity ${pullIdentityId} has the client id ${own ?? "?"}`);
    if (isStopped(this.#site)) return fail("state: Stopped", cause(this.run, "azure.site.stopped", "the site's state is Stopped", values));
    return pass(`${linuxFxVersion}, pulled with ${pullIdentityId ?? "the site's own identity"}`);
  }

  #pullsOtherwise(seen: string): Verdict {
    return fail(seen, cause(this.run, "azure.site.pull-without-identity", seen, { ...this.#values, subject: this.grant.site, expected: this.view.pullClientId }));
  }

  /** Client ids of the site's user-assigned identities, by ARM id in lower case. */
  #identities(): Map<string, string | undefined> {
    const { identity } = this.#site;
    const assigned = isJsonObject(identity) && isJsonObject(identity["userAssignedIdentities"]) ? identity["userAssignedIdentities"] : {};
    return new Map(Object.entries(assigned).map(([id, value]) => [id.toLowerCase(), isJsonObject(value) && typeof value["clientId"] === "string" ? value["clientId"] : undefined]));
  }

  /** Settings are read as a whole, and may hold secrets: nothing but the port is looked at, and none is shown. */
  async #port(scope: CheckScope): Promise<Verdict> {
    const { site, containerPort } = this.grant;
    const id = siteId(this.grant, site);
    const action = "Microsoft.Web/sites/config/list/action";
    const asked = await askArm(this.run, scope, { ...this.#read(id, "web", action, "azure.site.missing", site, "POST site settings, to list them"), readable: serviceCheckId(this.grant, "site"), call: { method: "POST", url: armUrl(this.run.cloud, `${id}/config/appsettings/list`, "web") } });
    if ("verdict" in asked) return asked.verdict;
    const settings = propertiesOf(asked.answer);
    this.run.scrubber.register(...Object.entries(settings).flatMap(([name, value]) => (typeof value === "string" && /PASSWORD|SECRET|KEY|TOKEN|CONNECTION/i.test(name) ? [value] : [])));
    const given = settings[containerSettings.port];
    const port = given === undefined ? DEFAULT_CONTAINER_PORT : Number(given);
    const seen = given === undefined ? `${containerSettings.port} is not set, which means ${DEFAULT_CONTAINER_PORT}` : `${containerSettings.port} is ${port}`;
    if (port === containerPort) return pass(seen);
    return Number.isInteger(port)
      ? fail(seen, cause(this.run, "azure.site.port-differs", `${seen}, the contract has ${containerPort}`, { ...this.#values, subject: site, expected: String(containerPort), found: String(port) }))
      : unknown(`${containerSettings.port} is no number`);
  }
}

function isStopped({ properties }: JsonObject): boolean {
  return isJsonObject(properties) && properties["state"] === "Stopped";
}
