/**
 * DCF in an Azure subscription: the trust in its workload, Contributor on one resource group with DCF's tag, the container
 * for its artifacts, and what it deploys to.
 */
import * as pulumi from "@pulumi/pulumi";
import { getUserAssignedIdentity } from "@pulumi/azure-native/managedidentity/getUserAssignedIdentity.js";
import { AzureResourceGroup, AzureRoleAssignment } from "../components/azure/index.js";
import { CONTRACT_KIND, CONTRACT_VERSION, writeContract, type Contract, type Workload } from "../contract/index.js";
import { textRules } from "../facts/azure/limits.js";
import { actionsOf, grantedRoles } from "../facts/azure/permissions.js";
import { findAzurePlace, lookUpGroup, lookUpRegistration, warn, type AzurePlace } from "./azure-place.js";
import {
  makePrincipal,
  makeStorage,
  ownership,
  principalExchange,
  principalMade,
  principalTargets,
  sharedLookups,
  storageGrant,
  storageMade,
  storageRefusals,
  storageTargets,
  warnOfDoubts,
  type PrincipalMade,
  type StorageMade,
} from "./azure-trust.js";
import { loadConfig } from "./config.js";
import { dcfAzureConfigSchema, type DcfAzureConfig } from "./dcf-azure-config.js";
import { makeRuntime, runtimeGrants, runtimeLookups, runtimeTargets, type RuntimeMade } from "./dcf-azure-runtime.js";
import type { Integration } from "./integration.js";
import { refuseEarly, type Lookup } from "./lookups.js";
import { boundedName, plainName } from "./names.js";

const NAME = "dcf-azure";

export const dcfAzure: Integration = { name: NAME, configSchema: dcfAzureConfigSchema, program };

async function program(): Promise<Record<string, unknown>> {
  const config = loadConfig(NAME, dcfAzureConfigSchema);
  const place = await findAzurePlace({ ...config, directory: config.identityKind === "application" });
  const base = plainName(`${NAME}-${pulumi.getStack()}`, "letters");
  await refuseEarly(NAME, lookups(config, place, base));
  const workload: Workload = { ...config.workload, audience: config.workload.audience ?? place.cloud.federationAudience };
  warnOfDoubts(workload);

  const group = new AzureResourceGroup("dcf-group", {
    resourceGroupName: config.resourceGroup.name,
    // By this tag DCF knows the resource group that its registration was for.
    tags: { ...(config.resourceGroup.mode === "create" ? config.tags : {}), dcfCorrelationId: config.dcfCorrelationId },
    ...(config.resourceGroup.mode === "existing" ? { existing: true } : { location: config.region, retainOnDestroy: config.retainOnDestroy }),
  });
  const principal = makePrincipal("dcf", base, config, workload, identityGroup(config, group.resourceGroupName));
  const contributor = new AzureRoleAssignment("dcf-contributor", { scope: group.resourceGroupId, principalId: principal.principalId, role: grantedRoles.contributor });
  const storage = makeStorage("dcf", config, group.resourceGroupName, principal.principalId);
  const runtime = makeRuntime(config, group.resourceGroupName);

  const made = pulumi.output({
    groupId: group.resourceGroupId,
    groupRole: contributor.role,
    principal: principalMade(principal),
    storage: storageMade(storage),
    runtime,
  });
  return {
    contract: made.apply((known) => writeContract(contractOf(config, place, workload, known))),
    tenantId: principal.tenantId,
    subscriptionId: place.subscriptionId,
    resourceGroupName: group.resourceGroupName,
    clientId: principal.clientId,
    dcfCorrelationId: config.dcfCorrelationId,
    storageAccountName: storage.artifacts.accountName,
    containerName: storage.artifacts.containerName,
    ...(runtime && { containerRegistryName: runtime.registryName, appServicePlanName: runtime.planName }),
    ...(runtime && config.appService?.site && { appServiceName: runtime.apply(({ site }) => site?.name) }),
    principalId: principal.principalId,
    issuer: workload.issuer,
    subject: workload.subject,
    audience: workload.audience,
  };
}

/** What of the things that exist already can be known to be wrong, and whether the subscription knows the namespaces. */
function lookups(config: DcfAzureConfig, place: AzurePlace, base: string): Lookup[] {
  const { resourceGroup, identityResourceGroup, identity } = config;
  const found = [...sharedLookups(config, place), ...runtimeLookups(config, place)];
  if (resourceGroup.mode === "existing") found.push(lookUpGroup("resourceGroup.name", resourceGroup.name, { dcfCorrelationId: config.dcfCorrelationId }));
  if (identityResourceGroup?.mode === "existing") found.push(lookUpGroup("identityResourceGroup.name", identityResourceGroup.name ?? ""));
  if (config.identityKind === "managed-identity" && identity?.mode !== "existing") {
    const resourceName = identity?.name ?? base;
    found.push(lookUpRegistration("Microsoft.ManagedIdentity", () => getUserAssignedIdentity({ resourceGroupName: identityGroupName(config), resourceName })));
  }
  return found;
}

function identityGroupName({ resourceGroup, identityResourceGroup }: DcfAzureConfig): string {
  if (identityResourceGroup?.mode === "inside") return resourceGroup.name;
  return identityResourceGroup?.name ?? boundedName(resourceGroup.name, "-identity", textRules.resourceGroup.max);
}

/** Where a created managed identity is: not where it is Contributor, unless that is asked for. */
function identityGroup(config: DcfAzureConfig, connected: pulumi.Output<string>): pulumi.Input<string> {
  if (config.identityKind === "application" || config.identity?.mode === "existing") return connected;
  const mode = config.identityResourceGroup?.mode ?? "create";
  if (mode === "inside") {
    warn(
      "identityResourceGroup",
      `the identity is in ${config.resourceGroup.name}, of which it is Contributor: whoever acts as it can add federated credentials to it, and so let in others than ${config.workload.subject}. Use a group of its own (mode create or existing) where you can.`,
    );
    return connected;
  }
  const resourceGroupName = identityGroupName(config);
  return new AzureResourceGroup("dcf-identity-group", {
    resourceGroupName,
    ...(mode === "existing" ? { existing: true } : { location: config.region, tags: config.tags, retainOnDestroy: config.retainOnDestroy }),
  }).resourceGroupName;
}

interface Made {
  groupId: string;
  groupRole: string;
  principal: PrincipalMade;
  storage: StorageMade;
  runtime: RuntimeMade | undefined;
}

function contractOf(config: DcfAzureConfig, place: AzurePlace, workload: Workload, made: Made): Contract {
  const { subscriptionId } = place;
  const { principal, storage } = made;
  return {
    kind: CONTRACT_KIND,
    version: CONTRACT_VERSION,
    integration: NAME,
    environment: place.environment,
    workload,
    exchange: principalExchange(place, principal),
    grants: [
      {
        id: "group",
        kind: "azure-resource-group",
        role: made.groupRole,
        permissions: actionsOf("azure-resource-group"),
        subscriptionId,
        resourceGroup: config.resourceGroup.name,
        correlationId: config.dcfCorrelationId,
      },
      storageGrant(config, place, storage),
      ...runtimeGrants(config, place, made.runtime),
    ],
    targets: [
      { kind: "resource-group", id: made.groupId, region: config.region, ownership: ownership(config.resourceGroup) },
      ...principalTargets(config, principal),
      ...storageTargets(config, storage),
      ...runtimeTargets(config, made.runtime),
    ],
    refusalTargets: storageRefusals(storage),
  };
}
