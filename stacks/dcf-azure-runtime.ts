/** Where DCF deploys to on Azure: registry, App Service plan and App Service, as far as the configuration has them. */
import * as pulumi from "@pulumi/pulumi";
import { getRegistry } from "@pulumi/azure-native/containerregistry/getRegistry.js";
import { getAppServicePlan } from "@pulumi/azure-native/web/getAppServicePlan.js";
import { getWebApp } from "@pulumi/azure-native/web/getWebApp.js";
import { AzureAppServiceTarget } from "../components/azure/index.js";
import type { GrantOf, Target } from "../contract/index.js";
import { textRules } from "../facts/azure/limits.js";
import { actionsOf, grantedRoles } from "../facts/azure/permissions.js";
import { looked, lookUpIdentity, lookUpRegistration, warn, type AzurePlace } from "./azure-place.js";
import { ownership } from "./azure-trust.js";
import type { DcfAzureConfig } from "./dcf-azure-config.js";
import type { Lookup } from "./lookups.js";
import { boundedName } from "./names.js";

type AppServiceConfig = NonNullable<DcfAzureConfig["appService"]>;

export interface RuntimeMade {
  registryName: string;
  registryId: string;
  loginServer: string;
  planName: string;
  planId: string;
  site?: { name: string; id: string; hostName: string } | undefined;
  pullIdentityId: string;
  containerPort: number;
}

export function makeRuntime({ appService, region, retainOnDestroy, tags }: DcfAzureConfig, resourceGroupName: pulumi.Input<string>): pulumi.Output<RuntimeMade> | undefined {
  if (appService === undefined) return undefined;
  const { registry, plan, site, pullIdentity } = appService;
  const target = new AzureAppServiceTarget("dcf-app", {
    resourceGroupName,
    location: region,
    registryName: registry.name,
    ...(registry.mode === "existing" ? { existingRegistry: true } : { registryTier: registry.tier, retainOnDestroy }),
    planName: plan.name,
    ...(plan.mode === "existing" ? { existingPlan: true } : { planSize: plan.size }),
    ...(site ? { siteName: site.name, existingSite: site.mode === "existing", containerPort: site.containerPort } : {}),
    ...(pullIdentity.mode === "existing" ? { existingPullIdentityId: pullIdentity.id } : { pullIdentityName: pullIdentity.name ?? pullIdentityName(appService) }),
    tags,
  });
  const { registryName, registryId, loginServer, planName, planId, siteName, siteId, hostName, pullIdentityId, containerPort } = target;
  return pulumi.output({
    registryName,
    registryId,
    loginServer,
    planName,
    planId,
    site: siteName && siteId && hostName ? { name: siteName, id: siteId, hostName } : undefined,
    pullIdentityId,
    containerPort,
  });
}

function pullIdentityName({ registry }: AppServiceConfig): string {
  return boundedName(registry.name, "-pull", textRules.managedIdentity.max);
}

/** What of it exists already and cannot be read, and whether the subscription knows its namespaces. */
export function runtimeLookups({ appService, resourceGroup }: DcfAzureConfig, place: AzurePlace): Lookup[] {
  if (appService === undefined) return [];
  const { registry, plan, site, pullIdentity } = appService;
  const resourceGroupName = resourceGroup.name;
  return [
    registry.mode === "existing"
      ? lookUpRegistry(resourceGroupName, registry.name)
      : lookUpRegistration("Microsoft.ContainerRegistry", () => getRegistry({ resourceGroupName, registryName: registry.name })),
    plan.mode === "existing" ? lookUpPlan(resourceGroupName, plan.name) : lookUpRegistration("Microsoft.Web", () => getAppServicePlan({ resourceGroupName, name: plan.name })),
    ...(site?.mode === "existing" ? [lookUpSite(resourceGroupName, site.name)] : []),
    ...(pullIdentity.mode === "existing" ? [lookUpIdentity("appService.pullIdentity.id", pullIdentity.id ?? "", place)] : []),
  ];
}

function lookUpRegistry(resourceGroupName: string, registryName: string): Lookup {
  return looked("appService.registry.name", `the container registry ${registryName} in ${resourceGroupName}`, async () => {
    const { adminUserEnabled, policies } = await getRegistry({ resourceGroupName, registryName });
    if (adminUserEnabled) warn("appService.registry", `${registryName} has an admin user, whose passwords everybody with Contributor on the resource group may list. Switch it off with \`az acr update -n ${registryName} --admin-enabled false\` where nobody needs it.`);
    if (policies?.azureADAuthenticationAsArmPolicy?.status !== "disabled") return [];
    return [`appService.registry.name: ${registryName} refuses tokens for Azure Resource Manager, with which App Service pulls images: allow them with \`az acr config authentication-as-arm update -r ${registryName} --status enabled\``];
  });
}

function lookUpPlan(resourceGroupName: string, name: string): Lookup {
  return looked("appService.plan.name", `the App Service plan ${name} in ${resourceGroupName}`, async () => {
    const { reserved } = await getAppServicePlan({ resourceGroupName, name });
    return reserved ? [] : [`appService.plan.name: ${name} is for Windows, on which DCF's containers do not run: use a plan for Linux`];
  });
}

function lookUpSite(resourceGroupName: string, name: string): Lookup {
  return looked("appService.site.name", `the App Service ${name} in ${resourceGroupName}`, async () => {
    const { siteConfig } = await getWebApp({ resourceGroupName, name });
    if (siteConfig?.acrUseManagedIdentityCreds === false) {
      warn("appService.site", `${name} does not pull images with a managed identity. Have it do so with \`az webapp config set -g ${resourceGroupName} -n ${name} --generic-configurations '{"acrUseManagedIdentityCreds": true}'\`.`);
    }
    return [];
  });
}

export function runtimeGrants({ resourceGroup }: DcfAzureConfig, { subscriptionId }: AzurePlace, made: RuntimeMade | undefined): GrantOf<"app-service">[] {
  if (made?.site === undefined) return [];
  return [
    {
      id: "app",
      kind: "app-service",
      role: grantedRoles.contributor,
      permissions: [...actionsOf("app-service"), ...actionsOf("app-service-canary")],
      subscriptionId,
      resourceGroup: resourceGroup.name,
      plan: made.planName,
      site: made.site.name,
      hostName: made.site.hostName,
      registry: made.registryName,
      loginServer: made.loginServer,
      pullIdentityId: made.pullIdentityId,
      containerPort: made.containerPort,
    },
  ];
}

export function runtimeTargets({ appService, region }: DcfAzureConfig, made: RuntimeMade | undefined): Target[] {
  if (made === undefined || appService === undefined) return [];
  return [
    { kind: "container-registry", id: made.registryId, region, ownership: ownership(appService.registry) },
    { kind: "managed-identity", id: made.pullIdentityId, ownership: ownership(appService.pullIdentity) },
    { kind: "app-service-plan", id: made.planId, region, ownership: ownership(appService.plan) },
    ...(made.site ? [{ kind: "app-service", id: made.site.id, region, ownership: ownership(appService.site) }] : []),
  ];
}
