/** What Entra asks of a client assertion and of its issuer, and the names of what tokens are for. */
import type { AzureCloudFacts } from "./clouds.js";

export const GRANT_TYPE = "client_credentials";
export const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

export const ENTRA_ASSERTION_LIMITS = {
  /** The one algorithm that federated credentials are documented for. https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations */
  algorithm: "RS256",
  /** Of the header's `typ`, without regard to case; absent counts as the first. Documented by AADSTS5002727's text. */
  types: ["JWT", "http://openid.net/specs/jwt/1.0"] as readonly string[],
  /** Tolerated between the issuer's clock and Entra's, both ways. Inferred from what Microsoft's libraries tolerate. */
  clockSkewSeconds: 300,
  /** Time that the issuer has for each document. Inferred: Microsoft states none. */
  issuerTimeoutMs: 5_000,
  /** Keys of one type that are read. Inferred: Microsoft states none. */
  maxKeysPerType: 100,
  /** For how long Entra may go on with the keys that it has read. Inferred from reports of 20 to 30 minutes after a rotation (https://github.com/Azure/azure-workload-identity/issues/1232). */
  keyCacheSeconds: 1_800,
} as const;

/** Members without which Entra does not read an issuer's metadata (AADSTS501661). https://github.com/Azure/login/issues/283 */
export const DISCOVERY_MEMBERS: readonly string[] = ["issuer", "jwks_uri", "subject_types_supported"];

/** Optional members that must be URLs where they are there: an empty one makes the whole document unreadable. */
export const DISCOVERY_URLS: readonly string[] = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint"];

/** Issuers that are Entra itself, which flexible rules and other codes apply to: no customer of a platform trusts them for it. */
export const ENTRA_ISSUER_HOSTS: readonly string[] = ["sts.windows.net", "login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn"];

/** A Microsoft service that tokens are asked for, as every tenant of a cloud knows it. */
export interface ResourceFact {
  /** Application id of its service principal, in every tenant. */
  appId: string;
  displayName: string;
  /** Names without `/.default`, the one to ask for first. */
  identifiers(cloud: AzureCloudFacts): readonly string[];
}

/** https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in */
export const RESOURCES = {
  arm: {
    appId: "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    displayName: "Windows Azure Service Management API",
    identifiers: ({ armHost, armLegacyAudience }) => [`https://${armHost}/`, `https://${armHost}`, armLegacyAudience, armLegacyAudience.replace(/\/$/, "")],
  },
  graph: {
    appId: "00000003-0000-0000-c000-000000000000",
    displayName: "Microsoft Graph",
    identifiers: ({ graphHost }) => [`https://${graphHost}`, `https://${graphHost}/`],
  },
  storage: {
    appId: "e406a681-f3d4-42a8-90b6-c2b029497af1",
    displayName: "Azure Storage",
    identifiers: () => ["https://storage.azure.com", "https://storage.azure.com/"],
  },
  containerRegistry: {
    appId: "6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26",
    displayName: "Azure Container Registry",
    identifiers: () => ["https://containerregistry.azure.net", "https://containerregistry.azure.net/"],
  },
} as const satisfies Record<string, ResourceFact>;

export type ResourceName = keyof typeof RESOURCES;

/** Which service a resource names, by one of its identifiers or its application id; undefined where it is none of these. */
export function resourceName(resource: string, cloud: AzureCloudFacts): ResourceName | undefined {
  const wanted = resource.toLowerCase();
  // A storage account or its blob endpoint names the storage service as well, and only for itself.
  const host = /^https:\/\/([^/]+)\/?$/.exec(wanted)?.[1];
  if (host?.endsWith(`.${cloud.blobSuffix}`) === true) return "storage";
  return (Object.keys(RESOURCES) as ResourceName[]).find((name) => RESOURCES[name].appId === wanted || RESOURCES[name].identifiers(cloud).some((identifier) => identifier === wanted));
}

/**
 * The resource of a client-credentials scope: what stands before `/.default`, which for `https://host//.default` ends in a slash. Undefined where
 * it is not exactly one such scope.
 */
export function resourceOfScope(scope: string): string | undefined {
  const [only, ...more] = scope.split(" ").filter((part) => part !== "");
  const resource = /^(.+)\/\.default$/.exec(only ?? "")?.[1];
  return more.length === 0 ? resource : undefined;
}
