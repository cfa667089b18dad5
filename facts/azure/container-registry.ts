/** Azure Container Registry's tiers, rights, tokens and refusals, as data. Texts are hints: Microsoft changes them; codes are the contract. */
import type { Grade } from "../rules.js";

const docs = "https://learn.microsoft.com/azure/container-registry";
const api = "https://learn.microsoft.com/rest/api/containerregistry";
/** How clients authenticate, in the words of the service's own project. */
const protocol = "https://azure.github.io/acr/AAD-OAuth.html";

export const REGISTRY_TYPE = "Microsoft.ContainerRegistry/registries";

/** https://learn.microsoft.com/azure/container-registry/container-registry-skus */
export const registryTiers = ["Basic", "Standard", "Premium"] as const;
export type RegistryTier = (typeof registryTiers)[number];

/** What a tier includes. https://learn.microsoft.com/azure/container-registry/container-registry-skus#service-tier-features-and-limits */
export const registryUsageLimits: Readonly<Record<RegistryTier, { gibibytes: number; webhooks: number }>> = {
  Basic: { gibibytes: 10, webhooks: 2 },
  Standard: { gibibytes: 100, webhooks: 10 },
  Premium: { gibibytes: 500, webhooks: 500 },
};

/** Who may do what with repositories: roles on the registry, or data actions with conditions on repositories, which leave AcrPull and AcrPush without effect. */
export const roleAssignmentModes = ["LegacyRegistryPermissions", "AbacRepositoryPermissions"] as const;
export type RoleAssignmentMode = (typeof roleAssignmentModes)[number];

/** How far the login server's name is guarded against reuse; `Unsecure` is the registry's own name and nothing else. */
export const domainNameLabelScopes = ["Unsecure", "TenantReuse", "SubscriptionReuse", "ResourceGroupReuse", "NoReuse"] as const;
export type DomainNameLabelScope = (typeof domainNameLabelScopes)[number];

/** What tokens of the registry's own are for, as their scopes write it: `repository:NAME:pull,push`. */
export const repositoryRights = ["pull", "push", "delete", "metadata_read", "metadata_write"] as const;
export type RepositoryRight = (typeof repositoryRights)[number];

interface RightActions {
  /** One of these on the registry. */
  legacy: readonly string[];
  /** This one on data, with the repository's name for conditions to ask. */
  abac: string;
  source: string;
  grade: Grade;
}

const roles = `${docs}/container-registry-rbac-built-in-roles-directory-reference`;
const registry = "Microsoft.ContainerRegistry/registries";

/** What Azure's roles must have for a right. */
export const rightActions: Readonly<Record<RepositoryRight | "catalog", RightActions>> = {
  pull: { legacy: [`${registry}/pull/read`], abac: `${registry}/repositories/content/read`, source: roles, grade: "documented" },
  push: { legacy: [`${registry}/push/write`], abac: `${registry}/repositories/content/write`, source: roles, grade: "documented" },
  delete: { legacy: [`${registry}/artifacts/delete`], abac: `${registry}/repositories/content/delete`, source: roles, grade: "documented" },
  metadata_read: { legacy: [`${registry}/metadata/read`, `${registry}/pull/read`], abac: `${registry}/repositories/metadata/read`, source: roles, grade: "inferred" },
  metadata_write: { legacy: [`${registry}/metadata/write`, `${registry}/push/write`], abac: `${registry}/repositories/metadata/write`, source: roles, grade: "inferred" },
  catalog: { legacy: [`${registry}/catalog/read`, `${registry}/pull/read`], abac: `${registry}/catalog/read`, source: roles, grade: "inferred" },
};

/** The name of a repository, as conditions of role assignments ask for it. https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions */
export const REPOSITORY_ATTRIBUTE = "Microsoft.ContainerRegistry/registries/repositories:name";

/** Audience of Entra tokens for registries, in every cloud. https://learn.microsoft.com/azure/container-registry/container-registry-disable-authentication-as-arm */
export const REGISTRY_AUDIENCE = "https://containerregistry.azure.net";

/** User name that goes with a token in place of a password. https://learn.microsoft.com/azure/container-registry/container-registry-authentication#az-acr-login-with---expose-token */
export const TOKEN_USER = "00000000-0000-0000-0000-000000000000";
/** Seconds that a registry's refresh token lasts. https://learn.microsoft.com/azure/container-registry/container-registry-authentication#az-acr-login-with---expose-token */
export const REFRESH_TOKEN_SECONDS = 3 * 3600;
/** Seconds that a registry's access token lasts. */
export const ACCESS_TOKEN_SECONDS = 75 * 60;

/** Bytes of a manifest. https://learn.microsoft.com/azure/container-registry/container-registry-skus */
export const MANIFEST_BYTES = 4 * 1024 * 1024;

export const registryTexts = {
  nameTaken: (loginServer: string) => `The registry DNS name ${loginServer} is already in use. You can check if the name is already claimed using following API: ${api}/registries/checknameavailability`,
  nameUnavailable: (name: string) => `The registry ${name} is already in use.`,
  nameInvalid: () => "Resource names may contain alpha numeric characters only and must be between 5 and 50 characters.",
  adminDisabled: (id: string) => `Cannot perform credential operations for ${id} as admin user is disabled. Kindly enable admin user as per docs: ${docs}/container-registry-authentication#admin-account`,
  skuInvalid: (name: string) => `The specified SKU '${name}' is invalid. Supported SKUs are: ${registryTiers.join(", ")}.`,
  propertyInvalid: (property: string, value: string) => `The value '${value}' of property '${property}' is invalid.`,
  scopeImmutable: () => "The property autoGeneratedDomainNameLabelScope of a registry cannot be changed.",
} as const;

interface RegistryRefusal {
  httpStatus: number;
  /** Of the registry protocol. */
  code: string;
  message: string;
  source: string;
  grade: Grade;
}

/** How a registry refuses container clients. */
export const registryRefusals = {
  /** No credentials, credentials of nobody, and too little right all read alike; with a right missing, `detail` names it. */
  unauthorized: () => ({
    httpStatus: 401,
    code: "UNAUTHORIZED",
    message: "authentication required, visit https://aka.ms/acr/authorization for more information.",
    source: `${docs}/container-registry-troubleshoot-login`,
    grade: "live",
  }),
  /** An Entra token that is not for this registry: of another tenant, expired, or for Resource Manager where the registry takes none of those. */
  tokenInvalid: () => ({
    httpStatus: 401,
    code: "UNAUTHORIZED",
    message: "token validation failed, visit https://aka.ms/acr/authorization for more information.",
    source: `${docs}/container-registry-disable-authentication-as-arm`,
    grade: "documented",
  }),
  firewall: (address: string) => ({
    httpStatus: 403,
    code: "DENIED",
    message: `client with IP '${address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.`,
    source: `${docs}/container-registry-troubleshoot-access`,
    grade: "documented",
  }),
  requestInvalid: (message: string) => ({ httpStatus: 400, code: "BAD_REQUEST", message, source: protocol, grade: "inferred" }),
  repositoryMissing: (name: string) => ({ httpStatus: 404, code: "NAME_UNKNOWN", message: `repository "${name}" is not found`, source: protocol, grade: "documented" }),
  tagMissing: (tag: string) => ({ httpStatus: 404, code: "TAG_UNKNOWN", message: `the specified tag "${tag}" does not exist`, source: protocol, grade: "inferred" }),
  manifestMissing: (reference: string) => ({ httpStatus: 404, code: "MANIFEST_UNKNOWN", message: `manifest ${reference} is not found`, source: protocol, grade: "documented" }),
  manifestInvalid: () => ({ httpStatus: 400, code: "MANIFEST_INVALID", message: "manifest invalid", source: protocol, grade: "documented" }),
  manifestBlobUnknown: (digest: string) => ({ httpStatus: 404, code: "MANIFEST_BLOB_UNKNOWN", message: `blob ${digest} is not found`, source: protocol, grade: "inferred" }),
  digestDiffers: () => ({ httpStatus: 400, code: "DIGEST_INVALID", message: "provided digest did not match uploaded content", source: protocol, grade: "documented" }),
  uploadUnknown: () => ({ httpStatus: 404, code: "BLOB_UPLOAD_UNKNOWN", message: "blob upload unknown to registry", source: protocol, grade: "documented" }),
  tagDeletion: () => ({ httpStatus: 405, code: "UNSUPPORTED", message: "A manifest is deleted by its digest.", source: protocol, grade: "inferred" }),
} as const satisfies Record<string, (...values: never[]) => RegistryRefusal>;
