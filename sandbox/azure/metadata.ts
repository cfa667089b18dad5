/** Where a cloud's services are, for clients that are told Resource Manager's address alone. https://learn.microsoft.com/rest/api/resources/ */
import { type AzureCloudFacts, azureClouds } from "../../facts/azure/clouds.js";
import type { AzureRequest, AzureService } from "./service.js";

export function createMetadata(): AzureService {
  const hosts = Object.values(azureClouds).map(({ armHost }) => armHost);
  return {
    name: "metadata",
    serves: (host) => hosts.includes(host),
    routes: [{ method: "GET", path: "/metadata/endpoints", operation: "metadata:Endpoints", anonymous: true, run: async (request) => endpoints(request) }],
  };
}

/** A client with an address of its own goes on there. */
function endpoints({ cloud, url }: AzureRequest): object {
  const own = url.hostname !== cloud.armHost;
  const at = (host: string): string => (own ? url.origin : `https://${host}`);
  return describe(cloud, at);
}

function describe({ cliName, armHost, armLegacyAudience, graphHost, loginHost, blobSuffix, registrySuffix }: AzureCloudFacts, at: (host: string) => string): object {
  return {
    name: cliName,
    resourceManager: `${at(armHost)}/`,
    microsoftGraphResourceId: `${at(graphHost)}/`,
    authentication: { loginEndpoint: `${at(loginHost)}/`, audiences: [armLegacyAudience, `https://${armHost}/`], tenant: "common", identityProvider: "AAD" },
    suffixes: { storage: blobSuffix.replace(/^blob\./, ""), acrLoginServer: registrySuffix },
  };
}
