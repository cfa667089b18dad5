/**
 * DDOE in an Azure tenant: an app registration that trusts one service of DDOE, and its right on one blob container. The
 * credential in Entra and the JSON file that DDOE imports are made of one value, so that they cannot differ.
 */
import * as pulumi from "@pulumi/pulumi";
import { getUserAssignedIdentity } from "@pulumi/azure-native/managedidentity/getUserAssignedIdentity.js";
import { AzureResourceGroup } from "../components/azure/index.js";
import { CONTRACT_KIND, CONTRACT_VERSION, writeContract, type Contract, type Workload } from "../contract/index.js";
import { findAzurePlace, lookUpGroup, lookUpRegistration, type AzurePlace } from "./azure-place.js";
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
import { ddoeAzureConfigSchema, type DdoeAzureConfig } from "./ddoe-azure-config.js";
import type { Integration } from "./integration.js";
import { refuseEarly, type Lookup } from "./lookups.js";
import { plainName } from "./names.js";

const NAME = "ddoe-azure";

export const ddoeAzure: Integration = { name: NAME, configSchema: ddoeAzureConfigSchema, program };

async function program(): Promise<Record<string, unknown>> {
  const config = loadConfig(NAME, ddoeAzureConfigSchema);
  const place = await findAzurePlace({ ...config, directory: config.identityKind === "application" });
  const base = plainName(`${NAME}-${pulumi.getStack()}`, "letters");
  await refuseEarly(NAME, lookups(config, place, base));
  const workload: Workload = { ...config.workload, audience: config.workload.audience ?? place.cloud.federationAudience };
  warnOfDoubts(workload);

  const group = new AzureResourceGroup("ddoe-group", {
    resourceGroupName: config.resourceGroup.name,
    ...(config.resourceGroup.mode === "existing" ? { existing: true } : { location: config.region, tags: config.tags, retainOnDestroy: config.retainOnDestroy }),
  });
  const principal = makePrincipal("ddoe", base, config, workload, group.resourceGroupName);
  const storage = makeStorage("ddoe", config, group.resourceGroupName, principal.principalId);

  const made = pulumi.output({ groupId: group.resourceGroupId, principal: principalMade(principal), storage: storageMade(storage) });
  return {
    contract: made.apply((known) => writeContract(contractOf(config, place, workload, known))),
    /** What DDOE imports: `pulumi stack output azureCredentials --json > azure_credentials.json`. It holds no secret. */
    azureCredentials: made.apply(({ principal: { clientId, tenantId } }) => ({
      clientId,
      tenantId,
      federatedTokenIssuer: workload.issuer,
      subject: workload.subject,
      audience: workload.audience,
    })),
    clientId: principal.clientId,
    tenantId: principal.tenantId,
    principalId: principal.principalId,
    storageAccountName: storage.artifacts.accountName,
    containerName: storage.artifacts.containerName,
  };
}

function lookups(config: DdoeAzureConfig, place: AzurePlace, base: string): Lookup[] {
  const { resourceGroup, identityKind, identity } = config;
  const found = sharedLookups(config, place);
  if (resourceGroup.mode === "existing") found.push(lookUpGroup("resourceGroup.name", resourceGroup.name));
  if (identityKind === "managed-identity" && identity?.mode !== "existing") {
    const resourceName = identity?.name ?? base;
    found.push(lookUpRegistration("Microsoft.ManagedIdentity", () => getUserAssignedIdentity({ resourceGroupName: resourceGroup.name, resourceName })));
  }
  return found;
}

function contractOf(config: DdoeAzureConfig, place: AzurePlace, workload: Workload, made: { groupId: string; principal: PrincipalMade; storage: StorageMade }): Contract {
  return {
    kind: CONTRACT_KIND,
    version: CONTRACT_VERSION,
    integration: NAME,
    environment: place.environment,
    workload,
    exchange: principalExchange(place, made.principal),
    grants: [storageGrant(config, place, made.storage)],
    targets: [
      { kind: "resource-group", id: made.groupId, region: config.region, ownership: ownership(config.resourceGroup) },
      ...principalTargets(config, made.principal),
      ...storageTargets(config, made.storage),
    ],
    refusalTargets: storageRefusals(made.storage),
  };
}
