/** Registries as container clients meet them: by host name, with the firewall in front, and who may do what with which repository. */
import { type AzureCloudFacts, azureClouds } from "../../facts/azure/clouds.js";
import { REGISTRY_AUDIENCE, REGISTRY_TYPE, REPOSITORY_ATTRIBUTE, type RepositoryRight, repositoryRights, rightActions } from "../../facts/azure/container-registry.js";
import type { Grade } from "../../facts/rules.js";
import { RegistryError } from "../registry.js";
import { RegistryContent } from "./container-registry-store.js";
import type { ArmResource, AzureServiceContext } from "./service.js";
import type { AzureCaller } from "./types.js";

/** Where every client of the sandbox comes from. */
export const CLIENT_ADDRESS = "127.0.0.1";

export function refuse({ httpStatus, code, message }: { httpStatus: number; code: string; message: string; grade: Grade }, headers: Record<string, string> = {}, detail?: unknown): RegistryError {
  return new RegistryError(httpStatus, code, message, headers, detail);
}

/** Where the cloud's registries are. */
export function cloudOfRegistry(host: string): AzureCloudFacts | undefined {
  return Object.values(azureClouds).find(({ registrySuffix }) => host.endsWith(`.${registrySuffix}`));
}

interface NetworkRules {
  defaultAction?: string;
  ipRules?: { value?: string }[];
}

export class Registries {
  constructor(private readonly context: AzureServiceContext) {}

  /** The one whose login server it is. */
  byHost(host: string): ArmResource | undefined {
    if (!cloudOfRegistry(host)) return undefined;
    return this.context.resources.list(REGISTRY_TYPE).find(({ properties }) => properties["loginServer"] === host);
  }

  content(registry: ArmResource): RegistryContent {
    const { store, clock } = this.context.core;
    return new RegistryContent(store, clock, incarnationOf(registry));
  }

  tenantOf({ id }: ArmResource): string | undefined {
    return this.context.cloud.subscription(id.split("/")[2] ?? "")?.tenantId;
  }

  /** Whether the registry takes connections from the public network, which is where everybody but private endpoints comes from, sites included. */
  admits({ properties }: ArmResource): boolean {
    if (properties["publicNetworkAccess"] === "Disabled") return false;
    const { defaultAction, ipRules = [] } = (properties["networkRuleSet"] ?? {}) as NetworkRules;
    return defaultAction !== "Deny" || ipRules.some(({ value }) => value === CLIENT_ADDRESS || value === `${CLIENT_ADDRESS}/32`);
  }

  takesArmTokens({ properties }: ArmResource): boolean {
    const { azureADAuthenticationAsArmPolicy: policy } = (properties["policies"] ?? {}) as { azureADAuthenticationAsArmPolicy?: { status?: string } };
    return policy?.status !== "disabled";
  }

  /** Whom an Entra token proves to this registry. */
  callerOf(registry: ArmResource, accessToken: string): AzureCaller | undefined {
    const { cloud } = this.context;
    const facts = cloudOfRegistry(String(registry.properties["loginServer"]));
    const arm = facts && this.takesArmTokens(registry) ? [`https://${facts.armHost}`, facts.armLegacyAudience] : [];
    const caller = cloud.authenticate(accessToken, [REGISTRY_AUDIENCE, ...arm]);
    return caller?.tenantId === this.tenantOf(registry) ? caller : undefined;
  }

  allows(caller: AzureCaller, registry: ArmResource, right: RepositoryRight, repository: string): boolean {
    const { legacy, abac } = rightActions[right];
    if (!isAbac(registry)) return legacy.some((action) => this.context.allows(caller, action, registry.id));
    return this.context.allows(caller, abac, registry.id, { dataAction: true, attributes: { [REPOSITORY_ATTRIBUTE]: repository } });
  }

  allowsCatalog(caller: AzureCaller, registry: ArmResource): boolean {
    const { legacy, abac } = rightActions.catalog;
    return isAbac(registry) ? this.context.allows(caller, abac, registry.id, { dataAction: true }) : legacy.some((action) => this.context.allows(caller, action, registry.id));
  }

  /** Whether there is anything at all that the caller may do; with rights by repository it shows only at each of them. */
  knows(caller: AzureCaller, registry: ArmResource): boolean {
    return isAbac(registry) || repositoryRights.some((right) => this.allows(caller, registry, right, ""));
  }
}

/** Tells a registry from an earlier one of the same id. */
export const incarnationOf = ({ properties }: ArmResource): string => String(properties["incarnation"]);

const isAbac = ({ properties }: ArmResource): boolean => properties["roleAssignmentMode"] === "AbacRepositoryPermissions";
