import * as pulumi from "@pulumi/pulumi";
import { getRegistryOutput } from "@pulumi/azure-native/containerregistry/getRegistry.js";
import { Registry } from "@pulumi/azure-native/containerregistry/registry.js";
import { getUserAssignedIdentityOutput } from "@pulumi/azure-native/managedidentity/getUserAssignedIdentity.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { AppServicePlan } from "@pulumi/azure-native/web/appServicePlan.js";
import { getAppServicePlanOutput } from "@pulumi/azure-native/web/getAppServicePlan.js";
import { getWebAppOutput } from "@pulumi/azure-native/web/getWebApp.js";
import { WebApp } from "@pulumi/azure-native/web/webApp.js";
import { choiceViolation, numberViolation } from "../../facts/rules.js";
import { CONTAINER_PREFIX, containerSettings, DEFAULT_CONTAINER_PORT, planSizes } from "../../facts/azure/app-service.js";
import { containerPort as portRule } from "../../facts/azure/container-port.js";
import { registryTiers } from "../../facts/azure/container-registry.js";
import { grantedRoles } from "../../facts/azure/permissions.js";
import { parseResourceId, resourceIdViolation } from "./arm-id.js";
import { AzureChecks, lookupOptions, type Tags } from "./common.js";
import { AzureRoleAssignment } from "./role-assignment.js";

export interface AzureAppServiceTargetArgs {
  /** Group that registry, plan and site are in. */
  resourceGroupName: pulumi.Input<string>;
  /** Region of what is created. */
  location: pulumi.Input<string>;
  /** Name of the container registry, unique in all of Azure. */
  registryName: pulumi.Input<string>;
  /** The registry exists already, and is never changed. @default false */
  existingRegistry?: boolean | undefined;
  /** Tier of a created registry. @default "Basic" */
  registryTier?: pulumi.Input<string> | undefined;
  /** Name of the App Service plan, for Linux. */
  planName: pulumi.Input<string>;
  /** The plan exists already, and is never changed. @default false */
  existingPlan?: boolean | undefined;
  /**
   * Pricing tier of a created plan. The subscription needs quota for it in the region: where it has none, Azure refuses with
   * 401 `Operation cannot be completed without additional quota`; ask for quota, or use another tier, region or plan.
   * @default "B1"
   */
  planSize?: pulumi.Input<string> | undefined;
  /** Name of the site, unique in all of Azure. @default no site: the platform makes its own on the plan */
  siteName?: pulumi.Input<string> | undefined;
  /** The site exists already, and is never changed. @default false */
  existingSite?: boolean | undefined;
  /** Port that the platform's containers listen on; a created site is told once, and is the platform's to configure from then on. @default 80 */
  containerPort?: pulumi.Input<number> | undefined;
  /** Name of a created managed identity that sites pull images with. @default `<component>-pull` */
  pullIdentityName?: pulumi.Input<string> | undefined;
  /** ARM id of a managed identity to use instead of creating one. With an existing registry too, it has to have AcrPull already. */
  existingPullIdentityId?: pulumi.Input<string> | undefined;
  /** Whether `pulumi destroy` leaves a created registry. @default true: Azure deletes a registry with every image in it */
  retainOnDestroy?: boolean | undefined;
  /** Of what is created, at most 50. */
  tags?: pulumi.Input<Tags> | undefined;
}

/**
 * Public, kept by Azure, and says no more than that it runs: stands in until the platform deploys.
 * https://learn.microsoft.com/azure/app-service/quickstart-custom-container
 */
const PLACEHOLDER_IMAGE = "mcr.microsoft.com/appsvc/staticsite:latest";

/** Of a site, what every deployment by the platform changes. Azure replaces a site's settings as a whole, so that an update would bring the first image back. */
const DEPLOYED = ["siteConfig", "tags"];

const IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities";

/**
 * What a platform deploys containers to on Azure: registry, App Service plan, a site, and the managed identity that sites pull
 * images with. Each is created, or an existing one by reference.
 *
 * A created registry has no admin user and no anonymous pull. It takes tokens for Azure Resource Manager, since App Service
 * pulls with one. A created site takes HTTPS alone, TLS 1.2 or newer, and no FTP.
 * https://learn.microsoft.com/azure/app-service/configure-custom-container#use-managed-identity-to-pull-image-from-azure-container-registry
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AzureAppServiceTarget extends pulumi.ComponentResource {
  readonly registryName: pulumi.Output<string>;
  /** ARM id. */
  readonly registryId: pulumi.Output<string>;
  /** Host name of the registry, as Azure names it. */
  readonly loginServer: pulumi.Output<string>;
  readonly planName: pulumi.Output<string>;
  /** ARM id. */
  readonly planId: pulumi.Output<string>;
  readonly siteName: pulumi.Output<string> | undefined;
  /** ARM id. */
  readonly siteId: pulumi.Output<string> | undefined;
  /** Default host name of the site, as Azure names it. */
  readonly hostName: pulumi.Output<string> | undefined;
  /** ARM id of the managed identity that sites pull images with. */
  readonly pullIdentityId: pulumi.Output<string>;
  readonly containerPort: pulumi.Output<number>;

  constructor(name: string, args: AzureAppServiceTargetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AzureAppServiceTarget", name, {}, opts);
    const checks = new AzureChecks(this, "AzureAppServiceTarget", name);
    const place = { resourceGroupName: checks.text("resourceGroupName", args.resourceGroupName, "resourceGroup"), location: checks.text("location", args.location, "location") };
    const tags = checks.tags(args.tags);
    const registryName = checks.publicName("registryName", args.registryName, "containerRegistry");
    const tier = checks.value("registryTier", args.registryTier ?? "Basic", (value) => choiceViolation<string>(registryTiers, value));
    const planName = checks.text("planName", args.planName, "appServicePlan");
    const size = checks.value("planSize", args.planSize ?? "B1", (value) => choiceViolation(Object.keys(planSizes), value));
    const siteName = args.siteName === undefined ? undefined : checks.publicName("siteName", args.siteName, "site");
    this.containerPort = checks.value("containerPort", args.containerPort ?? DEFAULT_CONTAINER_PORT, (value) => numberViolation(portRule, value));
    const existingPull = args.existingPullIdentityId === undefined ? undefined : checks.value("existingPullIdentityId", args.existingPullIdentityId, (value) => resourceIdViolation(IDENTITY_TYPE, value));
    const pullName = checks.text("pullIdentityName", args.pullIdentityName ?? `${name}-pull`, "managedIdentity");
    refuseCombinations(checks, args);
    checks.finish();

    const children = checks.childOptions(opts);
    const lookup = lookupOptions(this, opts);
    const { resourceGroupName } = place;
    const registry = args.existingRegistry
      ? getRegistryOutput({ resourceGroupName, registryName }, lookup)
      : new Registry(
          `${name}-registry`,
          {
            ...place,
            registryName,
            sku: { name: tier },
            adminUserEnabled: false,
            anonymousPullEnabled: false,
            policies: { azureADAuthenticationAsArmPolicy: { status: "enabled" } },
            ...tags,
          },
          { ...children, retainOnDelete: args.retainOnDestroy ?? true },
        );
    this.registryName = registry.name;
    this.registryId = registry.id;
    this.loginServer = registry.loginServer;

    const pull = existingPull
      ? existingPull.apply((id) => getUserAssignedIdentityOutput({ resourceGroupName: parseResourceId(id)?.resourceGroup ?? "", resourceName: parseResourceId(id)?.name ?? "" }, lookup))
      : new UserAssignedIdentity(`${name}-pull`, { ...place, resourceName: pullName, ...tags }, children);
    this.pullIdentityId = pull.id;
    const mayPull =
      args.existingRegistry && existingPull
        ? undefined
        : new AzureRoleAssignment(`${name}-pull-access`, { scope: registry.id, principalId: pull.principalId, role: grantedRoles.acrPull }, { parent: this, ...(opts?.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) });

    const plan = args.existingPlan
      ? getAppServicePlanOutput({ resourceGroupName, name: planName }, lookup)
      : new AppServicePlan(`${name}-plan`, { ...place, name: planName, kind: "linux", reserved: true, sku: { name: size }, ...tags }, children);
    this.planName = plan.name;
    this.planId = plan.id;

    const site = siteName && (args.existingSite ? getWebAppOutput({ resourceGroupName, name: siteName }, lookup) : this.makeSite(name, { ...place, name: siteName, ...tags }, pull, pulumi.mergeOptions(children, mayPull ? { dependsOn: [mayPull] } : {})));
    this.siteName = site?.name;
    this.siteId = site?.id;
    this.hostName = site?.defaultHostName;
    this.registerOutputs({
      registryName: this.registryName,
      registryId: this.registryId,
      loginServer: this.loginServer,
      planName: this.planName,
      planId: this.planId,
      siteName: this.siteName,
      siteId: this.siteId,
      hostName: this.hostName,
      pullIdentityId: this.pullIdentityId,
      containerPort: this.containerPort,
    });
  }

  private makeSite(
    name: string,
    settings: { resourceGroupName: pulumi.Output<string>; location: pulumi.Output<string>; name: pulumi.Output<string>; tags?: pulumi.Output<Record<string, string>> },
    pull: { id: pulumi.Output<string>; clientId: pulumi.Output<string> },
    options: pulumi.CustomResourceOptions,
  ): WebApp {
    return new WebApp(
      `${name}-site`,
      {
        ...settings,
        kind: "app,linux,container",
        reserved: true,
        serverFarmId: this.planId,
        httpsOnly: true,
        identity: { type: "UserAssigned", userAssignedIdentities: [pull.id] },
        siteConfig: {
          linuxFxVersion: `${CONTAINER_PREFIX}${PLACEHOLDER_IMAGE}`,
          acrUseManagedIdentityCreds: true,
          acrUserManagedIdentityID: pull.clientId,
          appSettings: [
            { name: containerSettings.port, value: this.containerPort.apply(String) },
            { name: "WEBSITES_ENABLE_APP_SERVICE_STORAGE", value: "false" },
          ],
          ftpsState: "Disabled",
          minTlsVersion: "1.2",
          scmMinTlsVersion: "1.2",
          http20Enabled: true,
        },
      },
      { ...options, ignoreChanges: DEPLOYED },
    );
  }
}

function refuseCombinations(checks: AzureChecks, args: AzureAppServiceTargetArgs): void {
  if (args.existingRegistry) checks.refuseSettings(args, ["registryTier", "retainOnDestroy"], "an existing registry");
  if (args.existingPlan) checks.refuseSettings(args, ["planSize"], "an existing plan");
  if (args.siteName === undefined && args.existingSite) checks.add("siteName", "is required with existingSite: the name of the site");
  if (args.existingSite && !args.existingPlan) checks.add("existingPlan", "must be true with an existing site: the plan that it is on");
  if (args.existingPullIdentityId !== undefined && args.pullIdentityName !== undefined) checks.add("pullIdentityName", "has no effect on an existing identity, which is never changed: leave it out");
}
