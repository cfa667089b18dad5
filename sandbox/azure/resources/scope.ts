/** Where Pulumi's providers for Azure act, made of their configuration. */
import { azureClouds, AZURE_CLOUD_NAMES, type AzureCloudName } from "../../../facts/azure/clouds.js";
import type { AzureCloud, AzureScope, AzureSubscription, AzureTenant } from "../types.js";
import { rememberCredentials, type Credentials } from "./credentials.js";

type Config = Readonly<Record<string, string>>;

/** How a provider's documentation names the clouds; both take the names of Azure's SDKs, too. */
const CLOUDS: Readonly<Record<string, AzureCloudName>> = {
  public: "public",
  global: "public",
  azurecloud: "public",
  azurepubliccloud: "public",
  usgovernment: "usgovernment",
  usgov: "usgovernment",
  usgovernmentl4: "usgovernment",
  azureusgovernment: "usgovernment",
  azureusgovernmentcloud: "usgovernment",
  china: "china",
  azurechinacloud: "china",
};

/** Ways to authenticate that need what a provider outside of the program cannot reach. */
const NOT_PLAYED = ["clientCertificate", "clientCertificatePath", "clientIdFilePath", "clientSecretFilePath", "oidcTokenFilePath", "oidcRequestUrl", "adoPipelineServiceConnectionId"];
const NOT_PLAYED_SWITCHES = ["useMsi", "useDefaultAzureCredential", "useAksWorkloadIdentity"];

export function azureNativeScope(cloud: AzureCloud, config: Config): AzureScope {
  const settings = new Settings("azure-native", config);
  const named = settings.get("subscriptionId");
  const subscription = named === undefined ? undefined : subscriptionNamed(cloud, settings, named);
  const tenant = tenantOf(cloud, settings, subscription);
  const chosen = subscription ?? (tenant.tenantId === cloud.defaultTenant.tenantId ? cloud.defaultSubscription : undefined);
  if (!chosen) throw new Error(`azure-native:tenantId is ${tenant.tenantId}, but azure-native:subscriptionId is not set: ${settings.unseen("subscriptionId", "SUBSCRIPTION_ID")}`);
  if (chosen.tenantId !== tenant.tenantId) {
    throw new Error(`azure-native:subscriptionId is ${chosen.subscriptionId}, which is a subscription of the tenant ${chosen.tenantId}, but azure-native:tenantId is ${tenant.tenantId}: set both of the same tenant`);
  }
  return authenticated(settings, { tenantId: tenant.tenantId, subscriptionId: chosen.subscriptionId, location: settings.get("location"), cloud: tenant.cloud });
}

export function azureAdScope(cloud: AzureCloud, config: Config): AzureScope {
  const settings = new Settings("azuread", config);
  const tenant = tenantOf(cloud, settings, undefined);
  return authenticated(settings, { tenantId: tenant.tenantId, subscriptionId: "", location: undefined, cloud: tenant.cloud });
}

/** A provider's configuration; empty values are none. */
class Settings {
  constructor(
    readonly package_: string,
    private readonly config: Config,
  ) {}

  get(key: string): string | undefined {
    const value = this.config[key];
    return value === "" ? undefined : value;
  }

  /** The way out for a value that people keep in their environment. */
  unseen(key: string, variable: string): string {
    return `the sandbox's provider does not see ARM_${variable} or AZURE_${variable} of your environment; set it with \`pulumi config set${/secret|token/i.test(key) ? " --secret" : ""} ${this.package_}:${key}\``;
  }
}

function subscriptionNamed(cloud: AzureCloud, { package_ }: Settings, id: string): AzureSubscription {
  const found = cloud.subscription(id);
  if (found) return found;
  throw new Error(`${package_}:subscriptionId is ${id}, which is no subscription of this sandbox; set it to ${cloud.defaultSubscription.subscriptionId}, or leave it out`);
}

function tenantOf(cloud: AzureCloud, settings: Settings, subscription: AzureSubscription | undefined): AzureTenant {
  const { package_ } = settings;
  const named = settings.get("tenantId");
  const tenant = cloud.tenant(named ?? subscription?.tenantId ?? cloud.defaultTenant.tenantId);
  if (!tenant) throw new Error(`${package_}:tenantId is ${named ?? ""}, which is no tenant of this sandbox; set it to ${cloud.defaultTenant.tenantId}, or leave it out`);
  const environment = settings.get("environment");
  const cloudName = environment === undefined ? "public" : CLOUDS[environment.toLowerCase()];
  if (!cloudName) throw new Error(`${package_}:environment is ${environment ?? ""}, which is no cloud of Azure: one of ${AZURE_CLOUD_NAMES.map((name) => azureClouds[name].providerEnvironment).join(", ")}`);
  if (cloudName !== tenant.cloud) {
    const own = azureClouds[tenant.cloud];
    throw new Error(
      `${package_}:environment is ${environment ?? "not set, which means public"}, but the tenant ${tenant.tenantId} is of ${own.title}: set ${package_}:environment to ${own.providerEnvironment}, or ${package_}:tenantId to a tenant of ${azureClouds[cloudName].title}`,
    );
  }
  return tenant;
}

function authenticated(settings: Settings, scope: AzureScope): AzureScope {
  const { package_ } = settings;
  for (const key of NOT_PLAYED) {
    if (settings.get(key) !== undefined) throw new Error(`${package_}:${key} is not played by the sandbox's provider, which reads no files and asks nobody for tokens: set ${package_}:clientSecret, or ${package_}:useOidc and ${package_}:oidcToken`);
  }
  for (const key of NOT_PLAYED_SWITCHES) {
    if (settings.get(key) === "true") throw new Error(`${package_}:${key} is not played by the sandbox's provider: set ${package_}:clientId and ${package_}:clientSecret, or leave all of them out to act as the sandbox's administrator`);
  }
  const credentials = credentialsOf(settings);
  if (credentials) rememberCredentials(scope, credentials);
  return scope;
}

function credentialsOf(settings: Settings): Credentials | undefined {
  const { package_ } = settings;
  const [clientId, clientSecret, assertion] = [settings.get("clientId"), settings.get("clientSecret"), settings.get("useOidc") === "true" ? settings.get("oidcToken") : undefined];
  const orNothing = "or leave them out to act as the sandbox's administrator";
  if (settings.get("useOidc") === "true" && assertion === undefined) throw new Error(`${package_}:useOidc is true, but ${package_}:oidcToken is not set: ${settings.unseen("oidcToken", "OIDC_TOKEN")}, ${orNothing}`);
  if (clientId === undefined) {
    if (clientSecret === undefined && assertion === undefined) return undefined;
    throw new Error(`${package_}:${clientSecret === undefined ? "oidcToken" : "clientSecret"} is set, but ${package_}:clientId is not: ${settings.unseen("clientId", "CLIENT_ID")}, ${orNothing}`);
  }
  if (clientSecret !== undefined) return { clientId, clientSecret };
  if (assertion !== undefined) return { clientId, assertion };
  throw new Error(`${package_}:clientId is set, but ${package_}:clientSecret is not: ${settings.unseen("clientSecret", "CLIENT_SECRET")}, ${orNothing}`);
}
