/** The contract in itself: do its parts belong together, and do its hosts belong to Azure? */
import type { Grant, RefusalTarget } from "../../contract/schema.js";
import type { AzureCloudFacts } from "../../facts/azure/clouds.js";
import type { Cause } from "../causes.js";
import { fail, pass, type Check } from "../check.js";
import { cause, type AzureRun } from "./run.js";

type Parts = Pick<AzureRun, "contract" | "exchange" | "cloud">;

function contractCause(parts: Parts): Cause | undefined {
  const { contract, exchange } = parts;
  const inconsistent = (evidence: string) => cause(parts, "contract.inconsistent", evidence);
  if (exchange.clientId === exchange.principalId) {
    return cause(parts, "azure.client.is-principal-id", `exchange.clientId and exchange.principalId are both ${exchange.clientId}; they are the ids of two things`);
  }
  if (exchange.identity.kind === "application" && exchange.identity.objectId === exchange.principalId) {
    return cause(parts, "azure.rbac.wrong-principal", `exchange.principalId is ${exchange.principalId}, the app registration's own object id, which no role is ever assigned to`, { found: exchange.principalId });
  }
  const stranger = contract.grants.find((grant) => "subscriptionId" in grant && grant.subscriptionId.toLowerCase() !== exchange.subscriptionId?.toLowerCase());
  if (stranger && "subscriptionId" in stranger) return inconsistent(`grant ${stranger.id} is in subscription ${stranger.subscriptionId}, exchange.subscriptionId is ${exchange.subscriptionId ?? "absent"}`);
  const foreign = [...contract.grants.flatMap(hostsOf), ...contract.refusalTargets.flatMap(targetHosts)].find(({ host, suffixes }) => !suffixes(parts.cloud).some((suffix) => host.toLowerCase().endsWith(`.${suffix}`)));
  // Tokens are sent there: to nobody but Azure.
  if (foreign) return inconsistent(`${foreign.host} is no host of ${parts.cloud.title}: ${foreign.suffixes(parts.cloud).map((suffix) => `*.${suffix}`).join(" or ")} is due`);
  return undefined;
}

interface Host {
  host: string;
  suffixes: (cloud: AzureCloudFacts) => string[];
}

/** Accounts with endpoints in a DNS zone of their own have another suffix. https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-endpoints */
const blobSuffixes = ({ blobSuffix }: AzureCloudFacts): string[] => [blobSuffix, "blob.storage.azure.net"];

function hostsOf(grant: Grant): Host[] {
  if (grant.kind === "blob-container") return [{ host: new URL(grant.blobEndpoint).host, suffixes: blobSuffixes }];
  if (grant.kind !== "app-service") return [];
  return [
    { host: grant.loginServer, suffixes: ({ registrySuffix }) => [registrySuffix] },
    { host: grant.hostName, suffixes: ({ siteSuffix }) => [siteSuffix] },
  ];
}

function targetHosts(target: RefusalTarget): Host[] {
  return target.kind === "blob-container" ? [{ host: new URL(target.blobEndpoint).host, suffixes: blobSuffixes }] : [];
}

/** Whoever is Contributor of the group that its own identity is in can let others act as it. https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations */
export function identityInReach({ contract, exchange }: Parts): string | undefined {
  if (exchange.identity.kind !== "managed-identity") return undefined;
  const id = exchange.identity.resourceId.toLowerCase();
  const group = contract.grants.find((grant) => grant.kind === "azure-resource-group" && id.startsWith(`/subscriptions/${grant.subscriptionId}/resourcegroups/${grant.resourceGroup}/`.toLowerCase()));
  return group && "resourceGroup" in group
    ? `The managed identity is in resource group ${group.resourceGroup}, which it is ${group.role ?? "Contributor"} of: the platform can change who may act as it. Set identityResourceGroup in the stack's configuration to a group of its own.`
    : undefined;
}

export function contractCheck(parts: Parts, unrecognised: readonly { path: string; kind: string }[]): Check {
  const { contract, exchange } = parts;
  return {
    id: "contract",
    title: "Contract: reads and is consistent",
    grade: "live",
    required: true,
    needs: [],
    deadlineMs: 1_000,
    run: async (scope) => {
      for (const { path, kind } of unrecognised) scope.remark(`${path} of the contract is of kind ${JSON.stringify(kind)}, which this release cannot check`);
      const warning = identityInReach(parts);
      if (warning !== undefined) scope.remark(warning);
      const found = contractCause(parts);
      const place = exchange.subscriptionId === undefined ? `tenant ${exchange.tenantId}` : `subscription ${exchange.subscriptionId}`;
      const seen = `${contract.integration} version ${contract.version} for ${place}: ${contract.grants.length} ${contract.grants.length === 1 ? "grant" : "grants"}`;
      return found ? fail(seen, found) : pass(seen);
    },
  };
}
