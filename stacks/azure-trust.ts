/** The identity that an integration's workload acts as, in either of its kinds, and what holds its blobs. */
import * as pulumi from "@pulumi/pulumi";
import { AzureArtifactContainer, AzureFederatedApplication, AzureFederatedIdentity, AzureRefusalContainer, AzureRoleAssignment, type AzureFederatedPrincipal } from "../components/azure/index.js";
import { workloadDoubt } from "../components/azure/workload.js";
import type { AzureExchange, GrantOf, RefusalTarget, Target, Workload } from "../contract/index.js";
import { textRules } from "../facts/azure/limits.js";
import { actionsOf, grantedRoles } from "../facts/azure/permissions.js";
import { lookUpAccount, lookUpApplication, lookUpContainer, lookUpIdentity, warn, type AzurePlace } from "./azure-place.js";
import type { Lookup } from "./lookups.js";
import { boundedName } from "./names.js";

export interface IdentityConfig {
  region: string;
  identityKind: "managed-identity" | "application";
  identity?: { mode: "create" | "existing"; name?: string | undefined; id?: string | undefined; existingCredentials?: number | undefined } | undefined;
  application?: { mode: "create" | "existing"; name?: string | undefined; clientId?: string | undefined; existingCredentials?: number | undefined } | undefined;
  tags?: Record<string, string> | undefined;
}

export interface StorageConfig {
  region: string;
  resourceGroup: { name: string };
  storageAccount: { name: string; mode: "create" | "existing"; redundancy?: string | undefined; versioning: boolean; softDeleteDays?: number | undefined };
  container: { name: string; mode: "create" | "existing"; grantOn: "container" | "account"; blobsExpireAfterDays?: number | undefined };
  refusalContainer: { enabled?: boolean | undefined; name?: string | undefined };
  retainOnDestroy: boolean;
  tags?: Record<string, string> | undefined;
}

/** Said once more where it is used: what may be meant, and rarely is. */
export function warnOfDoubts({ issuer }: Workload): void {
  const doubt = workloadDoubt("issuer", issuer);
  if (doubt !== undefined) warn("workload.issuer", doubt);
}

/** @param resourceGroupName Where a created managed identity is */
export function makePrincipal(name: string, base: string, config: IdentityConfig, workload: Workload, resourceGroupName: pulumi.Input<string>): AzureFederatedPrincipal {
  const credentials = [{ issuer: workload.issuer, subject: workload.subject, audience: workload.audience }];
  if (config.identityKind === "application") {
    const { application } = config;
    return new AzureFederatedApplication(name, {
      credentials,
      ...(application?.mode === "existing"
        ? { existingClientId: application.clientId, existingCredentials: application.existingCredentials }
        : { displayName: application?.name ?? base.slice(0, textRules.applicationName.max) }),
    });
  }
  const { identity } = config;
  return new AzureFederatedIdentity(name, {
    credentials,
    ...(identity?.mode === "existing"
      ? { existingIdentityId: identity.id, existingCredentials: identity.existingCredentials }
      : { identityName: identity?.name ?? boundedName(base, "", textRules.managedIdentity.max), resourceGroupName, location: config.region, tags: config.tags }),
  });
}

export interface Storage {
  artifacts: AzureArtifactContainer;
  access: AzureRoleAssignment;
  refusal: AzureRefusalContainer | undefined;
}

export function makeStorage(prefix: string, config: StorageConfig, resourceGroupName: pulumi.Input<string>, principalId: pulumi.Input<string>): Storage {
  const { storageAccount: account, container } = config;
  const artifacts = new AzureArtifactContainer(`${prefix}-artifacts`, {
    resourceGroupName,
    accountName: account.name,
    containerName: container.name,
    existingContainer: container.mode === "existing",
    ...(account.mode === "existing"
      ? { existingAccount: true }
      : {
          location: config.region,
          sku: account.redundancy,
          versioning: account.versioning,
          softDeleteDays: account.softDeleteDays,
          blobsExpireAfterDays: container.blobsExpireAfterDays,
          tags: config.tags,
        }),
    ...(container.mode === "existing" ? {} : { retainOnDestroy: config.retainOnDestroy }),
  });
  const access = new AzureRoleAssignment(`${prefix}-artifacts-access`, {
    scope: container.grantOn === "account" ? artifacts.accountId : artifacts.containerId,
    principalId,
    role: grantedRoles.blobDataContributor,
  });
  const refusal = refusalWanted(config)
    ? new AzureRefusalContainer(`${prefix}-refusal`, { resourceGroupName, accountName: artifacts.accountName, containerName: refusalName(config) })
    : undefined;
  return { artifacts, access, refusal };
}

/** With a role on the account, every container of it is granted, so that none can show a refusal. */
function refusalWanted({ container, refusalContainer }: StorageConfig): boolean {
  return refusalContainer.enabled ?? container.grantOn === "container";
}

function refusalName({ container, refusalContainer }: StorageConfig): string {
  return refusalContainer.name ?? boundedName(container.name, "-refusal", textRules.blobContainer.max);
}

/** What of identity and storage that exist already can be known to be wrong. */
export function sharedLookups(config: IdentityConfig & StorageConfig, place: AzurePlace): Lookup[] {
  const { identity, application, storageAccount: account, container, resourceGroup } = config;
  return [
    ...(identity?.mode === "existing" ? [lookUpIdentity("identity.id", identity.id ?? "", place)] : []),
    ...(application?.mode === "existing" ? [lookUpApplication("application.clientId", application.clientId ?? "", place)] : []),
    ...(account.mode === "existing" ? [lookUpAccount(resourceGroup.name, account.name)] : []),
    ...(container.mode === "existing" ? [lookUpContainer(resourceGroup.name, account.name, container.name)] : []),
  ];
}

// ---- what the contract says of them ----

export interface PrincipalMade {
  clientId: string;
  principalId: string;
  tenantId: string;
  identity: AzureExchange["identity"];
  federatedCredentials: string[];
}

export interface StorageMade {
  accountName: string;
  accountId: string;
  containerName: string;
  containerId: string;
  blobEndpoint: string;
  role: string;
  refusal?: { name: string; id: string } | undefined;
}

export function principalMade({ clientId, principalId, tenantId, identity, federatedCredentials }: AzureFederatedPrincipal): pulumi.Output<PrincipalMade> {
  return pulumi.output({ clientId, principalId, tenantId, identity, federatedCredentials });
}

export function storageMade({ artifacts, access, refusal }: Storage): pulumi.Output<StorageMade> {
  const { accountName, accountId, containerName, containerId, blobEndpoint } = artifacts;
  return pulumi.output({
    accountName,
    accountId,
    containerName,
    containerId,
    blobEndpoint,
    role: access.role,
    refusal: refusal && { name: refusal.containerName, id: refusal.containerId },
  });
}

export const ownership = (settings: { mode: string } | undefined): Target["ownership"] => (settings?.mode === "existing" ? "existing" : "created");

export function principalTargets({ identity, identityKind, application }: IdentityConfig, made: PrincipalMade): Target[] {
  if (made.identity.kind === "managed-identity") return [{ kind: "managed-identity", id: made.identity.resourceId, ownership: ownership(identity) }];
  const owner = ownership(identityKind === "application" ? application : undefined);
  return [
    { kind: "application", id: `applications/${made.identity.objectId}`, ownership: owner },
    { kind: "service-principal", id: `servicePrincipals/${made.principalId}`, ownership: owner },
  ];
}

export function principalExchange({ cloud, subscriptionId }: AzurePlace, { tenantId, clientId, principalId, identity, federatedCredentials }: PrincipalMade): AzureExchange {
  return {
    type: "azure-client-assertion",
    cloud: cloud.name,
    tenantId,
    subscriptionId,
    clientId,
    principalId,
    identity,
    federatedCredential: federatedCredentials[0] ?? "",
  };
}

export function storageGrant({ container, resourceGroup }: StorageConfig, { subscriptionId }: AzurePlace, made: StorageMade): GrantOf<"blob-container"> {
  return {
    id: "artifacts",
    kind: "blob-container",
    role: made.role,
    permissions: actionsOf("blob-container"),
    subscriptionId,
    resourceGroup: resourceGroup.name,
    account: made.accountName,
    container: made.containerName,
    blobEndpoint: made.blobEndpoint,
    grantedOn: container.grantOn,
  };
}

export function storageTargets({ storageAccount: account, container, region }: StorageConfig, made: StorageMade): Target[] {
  return [
    { kind: "storage-account", id: made.accountId, region, ownership: ownership(account) },
    { kind: "blob-container", id: made.containerId, region, ownership: ownership(container) },
    ...(made.refusal ? [{ kind: "blob-container", id: made.refusal.id, region, ownership: "created" } as const] : []),
  ];
}

export function storageRefusals(made: StorageMade): RefusalTarget[] {
  return made.refusal ? [{ kind: "blob-container", account: made.accountName, container: made.refusal.name, blobEndpoint: made.blobEndpoint }] : [];
}
