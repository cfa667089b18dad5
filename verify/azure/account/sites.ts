/** Registry, plan and site as somebody who may read them sees them, and whether a site could pull and run an image. */
import type { GrantOf } from "../../../contract/schema.js";
import { CONTAINER_PREFIX, containerSettings, DEFAULT_CONTAINER_PORT } from "../../../facts/azure/app-service.js";
import { isJsonObject } from "../../../trust/jwt.js";
import { fail, pass, unknown, type CheckScope, type Verdict } from "../../check.js";
import type { AzureCauseCode } from "../causes.js";
import { planId, registryId, siteId } from "../endpoints.js";
import { cause, type AzureRun } from "../run.js";
import { assignedIdentities } from "./identity.js";
import { properties, type AzureDocuments } from "./reader.js";
import type { Rights } from "./rights.js";
import { sameId } from "./rights.js";

type AppGrant = GrantOf<"app-service">;

const PULL = "Microsoft.ContainerRegistry/registries/pull/read";

export async function registry(run: AzureRun, documents: AzureDocuments, grant: AppGrant, scope: CheckScope): Promise<Verdict> {
  const id = registryId(grant);
  const reading = await documents.arm(id, "containerRegistry");
  const fault = (code: AzureCauseCode, seen: string, found?: string): Verdict => fail(seen, cause(run, code, seen, { subject: grant.registry, resourceGroup: grant.resourceGroup, scope: id, found }));
  if (reading.status === "unreadable") return unknown(reading.reason);
  if (reading.status === "absent") return fault("azure.registry.missing", `registry ${grant.registry} does not exist in ${grant.resourceGroup}`);
  const { loginServer, adminUserEnabled, publicNetworkAccess, networkRuleSet, policies, roleAssignmentMode } = properties(reading.value);
  if (loginServer !== grant.loginServer) return fault("azure.registry.login-server-differs", `its login server is ${String(loginServer)}, the contract has ${grant.loginServer}`, String(loginServer));
  if (publicNetworkAccess === "Disabled") return fault("azure.registry.firewall", "publicNetworkAccess is Disabled");
  if (isJsonObject(networkRuleSet) && networkRuleSet["defaultAction"] === "Deny") return fault("azure.registry.firewall", "its firewall denies by default");
  const armTokens = isJsonObject(policies) && isJsonObject(policies["azureADAuthenticationAsArmPolicy"]) ? policies["azureADAuthenticationAsArmPolicy"]["status"] : "enabled";
  if (armTokens === "disabled") return fault("azure.registry.arm-tokens-refused", "azureADAuthenticationAsArmPolicy is disabled");
  if (roleAssignmentMode === "AbacRepositoryPermissions") return fault("azure.registry.repository-roles", "roleAssignmentMode is AbacRepositoryPermissions");
  if (adminUserEnabled === true) scope.remark(`Registry ${grant.registry} has its admin user on: a password that Contributor can list.`);
  return pass(`${grant.loginServer}, admin user ${adminUserEnabled === true ? "on" : "off"}`);
}

export async function plan(run: AzureRun, documents: AzureDocuments, grant: AppGrant): Promise<Verdict> {
  const id = planId(grant);
  const reading = await documents.arm(id, "web");
  const values = { subject: grant.plan, resourceGroup: grant.resourceGroup, scope: id };
  if (reading.status === "unreadable") return unknown(reading.reason);
  if (reading.status === "absent") return fail(`plan ${grant.plan} does not exist in ${grant.resourceGroup}`, cause(run, "azure.plan.missing", reading.detail, values));
  const { reserved } = properties(reading.value);
  const { sku } = reading.value;
  if (reserved !== true) return fail("it is a plan for Windows", cause(run, "azure.plan.not-linux", "reserved is not true", values));
  return pass(`Linux, ${isJsonObject(sku) ? String(sku["name"]) : "?"}`);
}

export async function site(run: AzureRun, documents: AzureDocuments, rights: Rights, grant: AppGrant): Promise<Verdict> {
  const id = siteId(grant, grant.site);
  const [reading, configReading, settings] = await Promise.all([documents.arm(id, "web"), documents.arm(`${id}/config/web`, "web"), documents.listed(`${id}/config/appsettings/list`, "web")]);
  const values = { subject: grant.site, resourceGroup: grant.resourceGroup, scope: id };
  const fault = (code: AzureCauseCode, seen: string, more: { expected?: string | undefined; found?: string | undefined } = {}): Verdict => fail(seen, cause(run, code, seen, { ...values, ...more }));
  if (reading.status === "unreadable") return unknown(reading.reason);
  if (reading.status === "absent") return fault("azure.site.missing", `site ${grant.site} does not exist in ${grant.resourceGroup}`);
  const { serverFarmId, defaultHostName, state } = properties(reading.value);
  if (!sameId(serverFarmId, planId(grant))) return fault("azure.site.other-plan", `it runs on ${String(serverFarmId)}`, { found: String(serverFarmId) });
  if (defaultHostName !== grant.hostName) return fault("azure.site.host-name-differs", `its host name is ${String(defaultHostName)}, the contract has ${grant.hostName}`, { found: String(defaultHostName) });
  if (state === "Stopped") return fault("azure.site.stopped", "its state is Stopped");
  if (configReading.status !== "read") return pass(`${grant.hostName}, ${String(state)}; its configuration cannot be read`);
  const config = properties(configReading.value);
  const { linuxFxVersion } = config;
  const image = typeof linuxFxVersion === "string" ? linuxFxVersion : "";
  if (!image.startsWith(CONTAINER_PREFIX)) return fault("azure.site.not-container", `linuxFxVersion is ${JSON.stringify(image)}`);
  const own = image.startsWith(`${CONTAINER_PREFIX}${grant.loginServer}/`);
  // Images of other registries are the customer's own affair until the platform's first deployment.
  if (own || grant.pullIdentityId !== undefined) {
    if (config["acrUseManagedIdentityCreds"] !== true) return fault("azure.site.pull-without-identity", "acrUseManagedIdentityCreds is not true");
    const { pullIdentityId } = grant;
    if (pullIdentityId !== undefined && !assignedIdentities(reading.value).includes(pullIdentityId.toLowerCase())) return fault("azure.site.identity-missing", `it does not have the identity ${pullIdentityId}`, { expected: pullIdentityId });
    const expected = pullIdentityId === undefined ? undefined : await clientIdOf(documents, pullIdentityId);
    const pullsAs = config["acrUserManagedIdentityID"];
    if (expected !== undefined && !sameId(pullsAs, expected)) return fault("azure.site.pull-without-identity", `acrUserManagedIdentityID is ${String(pullsAs)}, the identity ${String(pullIdentityId)} has the client id ${expected}`, { expected, found: String(pullsAs) });
    const denied = pullIdentityId === undefined ? undefined : await rights.deniedTo(pullIdentityId, { about: "right", action: PULL, dataAction: false, scope: registryId(grant) });
    if (typeof denied === "string") return fault("azure.site.pull-denied", denied, { expected: pullIdentityId });
  }
  if (settings.status === "read") {
    const given = properties(settings.value)[containerSettings.port];
    const port = given === undefined ? DEFAULT_CONTAINER_PORT : Number(given);
    const seen = given === undefined ? `${containerSettings.port} is not set, which means ${DEFAULT_CONTAINER_PORT}` : `${containerSettings.port} is ${port}`;
    if (port !== grant.containerPort) return fault("azure.site.port-differs", `${seen}, the contract has ${grant.containerPort}`, { expected: String(grant.containerPort), found: String(port) });
  }
  return pass(`${grant.hostName}, ${String(state)}, ${image.slice(CONTAINER_PREFIX.length)}`);
}

async function clientIdOf(documents: AzureDocuments, identityId: string): Promise<string | undefined> {
  const reading = await documents.arm(identityId, "managedIdentity");
  const clientId = reading.status === "read" ? properties(reading.value)["clientId"] : undefined;
  return typeof clientId === "string" ? clientId : undefined;
}

/** Namespaces of the resource providers that a contract's resources are of. */
export function namespacesOf(kinds: readonly string[]): string[] {
  return [
    ...(kinds.includes("blob-container") ? ["Microsoft.Storage"] : []),
    ...(kinds.includes("app-service") ? ["Microsoft.ContainerRegistry", "Microsoft.Web"] : []),
  ];
}

