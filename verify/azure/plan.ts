/** What a verification would do, before it does anything: every call, every object, what it costs, what may stay. */
import type { ReadContract } from "../../contract/index.js";
import type { AzureExchange, Grant } from "../../contract/schema.js";
import { azureClouds } from "../../facts/azure/clouds.js";
import type { Depth, VerifyOptions } from "../options.js";
import { BLOB_ACTIONS } from "./blob-causes.js";
import { canaryObstacle, canaryReference, canarySite } from "./canary.js";
import { probeBlob } from "./container.js";
import { RESOURCE_TITLES, scopeOf, tenantMetadataUrl, tokenUrl } from "./endpoints.js";
import { CANARY_REPOSITORY } from "./registry.js";
import type { ServiceGrant } from "./service.js";
import type { ContainerGrant } from "./storage-account.js";
import { groupOf, reaches as includes, resourcesOf } from "./targets.js";

/** Stands for what is chosen anew in each run. */
const RUN = "<run id>";

export function planText(contract: ReadContract, options: VerifyOptions): string {
  const { exchange } = contract;
  if (exchange.type !== "azure-client-assertion") return "";
  const parts = [heading(contract, exchange), openPlan(contract, exchange)];
  if (options.token) parts.push(tokenPlan(contract, exchange, options), managementPlan(contract, options), dataPlan(contract, options));
  if (options.account) parts.push(accountPlan(contract, exchange));
  return `${parts.flat().join("\n")}\n`;
}

function heading({ integration, workload }: ReadContract, { tenantId, subscriptionId }: AzureExchange): string[] {
  const place = subscriptionId === undefined ? `tenant ${tenantId}` : `subscription ${subscriptionId} of tenant ${tenantId}`;
  return [`Plan for ${integration} in ${place}; nothing is done.`, `Workload: ${workload.subject} of ${workload.issuer}, audience ${workload.audience}`, ""];
}

function openPlan({ workload }: ReadContract, { cloud, tenantId, subscriptionId }: AzureExchange): string[] {
  const facts = azureClouds[cloud];
  return [
    "From here, without any credentials:",
    `  GET ${workload.issuer.replace(/\/$/, "")}/.well-known/openid-configuration, and the jwks_uri in it`,
    `  GET ${tenantMetadataUrl(facts, tenantId)}; where it is not there, the same of Azure's other clouds`,
    ...(subscriptionId === undefined ? [] : [`  GET https://${facts.armHost}/subscriptions/${subscriptionId}, to be refused with the tenant's name`]),
  ];
}

function tokenPlan(contract: ReadContract, exchange: AzureExchange, { token, refusals = true, depth = "storage" }: VerifyOptions): string[] {
  const cloud = azureClouds[exchange.cloud];
  const made = token ? [...token.variations] : [];
  const broken = [
    "a corrupted signature",
    "another issuer's name",
    "another algorithm's name",
    ...(made.includes("audience") ? ["another audience"] : []),
    ...(made.includes("subject") ? ["another subject"] : []),
    ...(made.includes("expiresInSeconds") ? ["an expired token"] : []),
    "a client id that nobody has",
  ];
  return [
    `With the token (${token?.description ?? ""}), at ${tokenUrl(cloud, exchange.tenantId)}:`,
    ...resourcesOf(contract, depth).map((resource) => `  exchange for ${RESOURCE_TITLES[resource]} (${scopeOf(resource, cloud)})`),
    ...(refusals ? broken.map((what) => `  exchange with ${what}, to be refused`) : []),
    `Microsoft Graph, as the session: GET servicePrincipals(appId='${exchange.clientId}')`,
  ];
}

function accountPlan({ grants }: ReadContract, { identity, subscriptionId, clientId }: AzureExchange): string[] {
  const trust = identity.kind === "managed-identity" ? `${identity.resourceId}, and its federatedIdentityCredentials` : `Microsoft Graph's applications/${identity.objectId}, and its federatedIdentityCredentials`;
  return [
    "With your own credentials (--account), reads only:",
    ...(subscriptionId === undefined ? [] : [`  GET subscription ${subscriptionId}, its locks, the registration of its resource providers`]),
    `  GET ${trust}`,
    `  GET Microsoft Graph's servicePrincipals(appId='${clientId}'); directoryObjects/<id> of whoever else has a role that the identity lacks`,
    ...(subscriptionId === undefined ? [] : ["  GET the identity's role assignments, the definitions of custom roles among them, the deny assignments and policy assignments of the resource group"]),
    ...grants.flatMap(accountReads).map((call) => `  ${call}`),
  ];
}

function accountReads(grant: Grant): string[] {
  if (grant.kind === "azure-resource-group") return [`GET resource group ${grant.resourceGroup}`];
  if (grant.kind === "blob-container") return [`GET storage account ${grant.account}, container ${grant.container}`];
  if (grant.kind === "app-service") return [`GET registry ${grant.registry}, plan ${grant.plan}, site ${grant.site} and its configuration; POST to list its settings, of which WEBSITES_PORT is looked at`];
  return [];
}

const reaches = ({ depth = "storage" }: VerifyOptions, wanted: Depth): boolean => includes(depth, wanted);

function managementPlan(contract: ReadContract, options: VerifyOptions): string[] {
  const calls = contract.grants.flatMap((grant) => managementCalls(contract, grant, options));
  return calls.length === 0 ? [] : ["Management plane, as the session:", ...calls.map((call) => `  ${call}`)];
}

function managementCalls(contract: ReadContract, grant: Grant, options: VerifyOptions): string[] {
  if (grant.kind === "azure-resource-group") {
    const rights = reaches(options, "storage") ? ["GET the session's own permissions on it"] : [];
    return [`GET resource group ${grant.resourceGroup}${grant.correlationId === undefined ? "" : ", and compare its dcfCorrelationId"}`, ...rights];
  }
  if ((grant.kind !== "blob-container" && grant.kind !== "app-service") || !reaches(options, "storage") || !groupOf(contract, grant)) return [];
  if (grant.kind === "blob-container") return [`GET storage account ${grant.account}, its blob service, container ${grant.container}`];
  return [
    `GET registry ${grant.registry}, plan ${grant.plan}, site ${grant.site}`,
    ...(reaches(options, "runtime") ? [`GET configuration of ${grant.site}; POST to list its settings, of which WEBSITES_PORT is looked at`] : []),
  ];
}

function dataPlan(contract: ReadContract, options: VerifyOptions): string[] {
  if (!reaches(options, "storage")) return ["  no storage: --depth identity", "Residue: none"];
  const containers = contract.grants.filter((grant) => grant.kind === "blob-container");
  const services = contract.grants.filter((grant): grant is ServiceGrant => grant.kind === "app-service" && groupOf(contract, grant) !== undefined);
  const refused = options.refusals === false ? [] : contract.refusalTargets.flatMap((target) => (target.kind === "blob-container" ? [`${target.account}/${target.container}`] : []));
  const canaries = reaches(options, "deploy") ? services.filter((grant) => canaryObstacle(grant) === undefined) : [];
  return [
    ...containers.flatMap((grant) => containerCalls(grant, options)),
    ...(refused.length > 0 ? [`To be refused, as the session: List Blobs of ${refused.join(", ")}`] : []),
    ...(reaches(options, "runtime") ? services.map(({ loginServer }) => `Registry ${loginServer}: token exchange with a token of its own audience and with one for Azure Resource Manager, GET tags of ${CANARY_REPOSITORY}`) : []),
    ...(reaches(options, "deploy") ? services.flatMap(canaryCalls) : []),
    `Cost: ${["a few operations of Azure Storage, far below 0.01 USD", ...(canaries.length > 0 ? ["a site on the plan that you pay already, and an image below 1 kB, until they are removed some minutes later"] : [])].join("; ")}`,
    "Residue:",
    ...containers.map((grant) => `  ${grant.account}/${grant.container}: ${residueOf(grant, options.acceptResidue ?? false)}`),
    ...canaries.map(({ site, registry }) => `  ${canarySite(site, RUN)}: none, though App Service lists a deleted site for 30 days; ${registry}: none, where soft delete is on the image stays for its time, and ${CANARY_REPOSITORY} may stay as an empty repository`),
  ];
}

function containerCalls({ account, container, permissions }: ContainerGrant, { refusals = true }: VerifyOptions): string[] {
  const line = (right: keyof typeof BLOB_ACTIONS, operation: string) => (permissions.includes(BLOB_ACTIONS[right]) ? [`  ${operation}`] : refusals ? [`  ${operation}, to be refused`] : []);
  return [
    `In container ${account}/${container}, as the session:`,
    ...(permissions.includes(BLOB_ACTIONS.write) ? [`  Put Blob ${probeBlob(RUN)} (64 random bytes), with If-None-Match`] : []),
    ...line("read", "Get Blob"),
    ...line("read", "List Blobs"),
    ...line("delete", "Delete Blob, with If-Match"),
  ];
}

function canaryCalls(grant: ServiceGrant): string[] {
  const obstacle = canaryObstacle(grant);
  if (obstacle !== undefined) return [`No canary: ${obstacle}`];
  const site = canarySite(grant.site, RUN);
  return [
    "Canary, as the session:",
    `  push image ${canaryReference(grant, RUN)} (a program below 1 kB that answers with the run's id)`,
    `  PUT site ${site} on plan ${grant.plan}, which pulls it with ${grant.pullIdentityId ?? ""}`,
    "  GET of its address until it answers with the run's id, for 8 minutes at most; GET of its status where it does not",
    `  DELETE site ${site}, which leaves the plan; DELETE the image`,
  ];
}

function residueOf({ permissions }: ContainerGrant, accepted: boolean): string {
  if (permissions.includes(BLOB_ACTIONS.delete)) {
    return accepted ? "none; where the account keeps versions, one version stays; where it has soft delete, the deleted blob is kept for its time" : "none; where the account keeps versions, no blob is put (--accept-residue allows it); where it has soft delete, the deleted blob is kept for its time";
  }
  return accepted ? "the blob stays, since nothing may delete it" : "none: the blob could not be deleted, so none is put (--accept-residue allows it)";
}
