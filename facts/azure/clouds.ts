/** Azure's clouds: separate from each other, each with its own hosts. The one table for components, contract, verify and the sandbox. */

export const AZURE_CLOUD_NAMES = ["public", "usgovernment", "china"] as const;
export type AzureCloudName = (typeof AZURE_CLOUD_NAMES)[number];

export interface AzureCloudFacts {
  name: AzureCloudName;
  /** As people call it. */
  title: string;
  /** Entra's host, which tokens are asked of. */
  loginHost: string;
  /** Hosts that mean the same authority. */
  loginAliases: readonly string[];
  /** Azure Resource Manager's host. */
  armHost: string;
  /** Resource of the v1 audience that older clients still ask for; ends in a slash. */
  armLegacyAudience: string;
  graphHost: string;
  /** Of a storage account's blob endpoint: `ACCOUNT.` before it. */
  blobSuffix: string;
  /** Of a registry's login server: `REGISTRY.` before it. */
  registrySuffix: string;
  /** Of a site's default host name. */
  siteSuffix: string;
  /** Audience that a federated identity credential has by convention; the credential's audience only has to equal the token's `aud`. */
  federationAudience: string;
  /** As Pulumi's and Terraform's providers name the environment. */
  providerEnvironment: string;
  /** As the `az` CLI names the cloud. */
  cliName: string;
  source: string;
}

const source = "https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud";

export const azureClouds: Readonly<Record<AzureCloudName, AzureCloudFacts>> = {
  public: {
    name: "public",
    title: "Azure public cloud",
    loginHost: "login.microsoftonline.com",
    loginAliases: ["login.windows.net", "login.microsoft.com", "sts.windows.net"],
    armHost: "management.azure.com",
    armLegacyAudience: "https://management.core.windows.net/",
    graphHost: "graph.microsoft.com",
    blobSuffix: "blob.core.windows.net",
    registrySuffix: "azurecr.io",
    siteSuffix: "azurewebsites.net",
    federationAudience: "api://AzureADTokenExchange",
    providerEnvironment: "public",
    cliName: "AzureCloud",
    source,
  },
  usgovernment: {
    name: "usgovernment",
    title: "Azure US Government",
    loginHost: "login.microsoftonline.us",
    loginAliases: [],
    armHost: "management.usgovcloudapi.net",
    armLegacyAudience: "https://management.core.usgovcloudapi.net/",
    graphHost: "graph.microsoft.us",
    blobSuffix: "blob.core.usgovcloudapi.net",
    registrySuffix: "azurecr.us",
    siteSuffix: "azurewebsites.us",
    federationAudience: "api://AzureADTokenExchangeUSGov",
    providerEnvironment: "usgovernment",
    cliName: "AzureUSGovernment",
    source,
  },
  china: {
    name: "china",
    title: "Azure operated by 21Vianet (China)",
    loginHost: "login.chinacloudapi.cn",
    loginAliases: ["login.partner.microsoftonline.cn"],
    armHost: "management.chinacloudapi.cn",
    armLegacyAudience: "https://management.core.chinacloudapi.cn/",
    graphHost: "microsoftgraph.chinacloudapi.cn",
    blobSuffix: "blob.core.chinacloudapi.cn",
    registrySuffix: "azurecr.cn",
    siteSuffix: "chinacloudsites.cn",
    federationAudience: "api://AzureADTokenExchangeChina",
    providerEnvironment: "china",
    cliName: "AzureChinaCloud",
    source,
  },
};
