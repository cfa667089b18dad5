/** The subscription and the directory against the contract. Everything here is read and concluded, nothing tried: results are predictions. */
import type { Grant, GrantOf } from "../../../contract/schema.js";
import { neededActions, type NeededAction } from "../../../facts/azure/permissions.js";
import { scopeCovers } from "../../../trust/azure/scopes.js";
import { isJsonObject } from "../../../trust/jwt.js";
import { fail, pass, unknown, type Check, type CheckScope, type Verdict } from "../../check.js";
import type { RightQuestion } from "../account-reader.js";
import { containerId, groupId, planId, registryId, siteId } from "../endpoints.js";
import { cause, PROBE_PREFIX, type AzureRun } from "../run.js";
import { assignmentsCheck } from "./assignments.js";
import { identityCheck } from "./identity.js";
import { properties, type AzureDocuments } from "./reader.js";
import type { RightPrediction, Rights } from "./rights.js";
import { sameId } from "./rights.js";
import { namespacesOf, plan, registry, site } from "./sites.js";
import { container, storageAccount } from "./storage.js";
import { tagVerdictOf } from "./tags.js";
import { exchangeCheck, othersCheck } from "./trust.js";

const DEADLINE_MS = 60_000;

export interface AccountParts {
  documents: AzureDocuments;
  rights: Rights;
}

/** @param live ids of the checks that exchange the token, where there is one */
export function accountChecks(run: AzureRun, parts: AccountParts, live: readonly string[]): Check[] {
  const { documents } = parts;
  const { grants } = run.contract;
  const { subscriptionId } = run.exchange;
  return [
    ...(subscriptionId === undefined ? [] : [accountCheck("subscription", `subscription ${subscriptionId}`, ["azure.tenant"], () => subscription(run, parts, subscriptionId))]),
    accountCheck("identity", "the identity is the contract's", [], () => identityCheck(run, documents)),
    accountCheck("exchange", "the exchange, predicted for the contract's workload", ["identity"], (scope) => exchangeCheck(run, documents, scope, live)),
    accountCheck("trust", "the identity admits nobody else", ["exchange"], (scope) => othersCheck(run, documents, scope)),
    // Groups first: the others are in them.
    ...[...grants.filter(isGroup), ...grants.filter((grant) => !isGroup(grant))].flatMap((grant) => grantChecks(run, parts, grant)),
    ...(subscriptionId === undefined ? [] : [accountCheck("assignments", "the identity's roles are no wider than the contract", ["subscription", "identity"], (scope) => assignmentsCheck(run, documents, subscriptionId, scope))]),
    ...(subscriptionId === undefined ? [] : [accountCheck("providers", "resource providers registered", ["subscription", ...groupsOf(run)], () => providers(run, parts, subscriptionId))]),
  ];
}

function isGroup(grant: Grant): grant is GrantOf<"azure-resource-group"> {
  return grant.kind === "azure-resource-group";
}

function accountCheck(id: string, title: string, needs: readonly string[], run: (scope: CheckScope) => Promise<Verdict>): Check {
  return { id: `azure.account.${id}`, title: `Account: ${title}`, grade: "predicted", required: true, needs: ["contract", ...needs.map((need) => (need.startsWith("azure.") ? need : `azure.account.${need}`))], deadlineMs: DEADLINE_MS, run };
}

function grantChecks(run: AzureRun, parts: AccountParts, grant: Grant): Check[] {
  const { documents, rights } = parts;
  const check = (what: string, title: string, needs: readonly string[], verdict: (scope: CheckScope) => Promise<Verdict>): Check => accountCheck(`${grant.id}.${what}`, title, needs, verdict);
  const own = (what: string): string => `${grant.id}.${what}`;
  // What is in a group that is not there is not there either.
  const inGroup = "resourceGroup" in grant ? groupsOf(run, grant.resourceGroup) : [];
  switch (grant.kind) {
    case "azure-resource-group": {
      const scope = groupId(grant.subscriptionId, grant.resourceGroup);
      return [
        check("group", `resource group ${grant.resourceGroup}`, ["subscription"], () => group(run, parts, grant)),
        ...(grant.correlationId === undefined ? [] : [check("tag", `${grant.resourceGroup} has the contract's dcfCorrelationId`, [own("group")], () => tagVerdictOf(run, documents, grant))]),
        check("locks", `no lock on ${grant.resourceGroup}`, [own("group")], (checking) => locks(run, parts, grant, checking)),
        check("rights", `rights on ${grant.resourceGroup}`, ["identity", own("group")], () => granted(run, rights, neededActions[grant.kind], grant.role, () => scope)),
      ];
    }
    case "blob-container": {
      // What a role on the container gives is asked on the container.
      const scope = containerId(grant);
      const needed = grant.permissions.some((permission) => permission.endsWith("/blobs/write")) ? neededActions["blob-container"] : neededActions["blob-container-reading"];
      return [
        check("account", `storage account ${grant.account}`, inGroup, (checking) => storageAccount(run, documents, grant, checking)),
        check("container", `container ${grant.container}`, [own("account")], () => container(run, documents, grant)),
        check("rights", `data rights on container ${grant.container}`, ["identity", own("container")], () => granted(run, rights, needed, grant.role, () => scope, containerAttributes(grant))),
      ];
    }
    case "app-service": {
      const scope = groupId(grant.subscriptionId, grant.resourceGroup);
      return [
        check("registry", `container registry ${grant.registry}`, inGroup, (checking) => registry(run, documents, grant, checking)),
        check("plan", `App Service plan ${grant.plan}`, inGroup, () => plan(run, documents, grant)),
        check("site", `App Service ${grant.site}`, [own("registry"), own("plan")], () => site(run, documents, rights, grant)),
        check("rights", `rights on registry, plan and site`, ["identity", own("registry"), own("plan")], () => granted(run, rights, neededActions[grant.kind], grant.role, () => scope)),
      ];
    }
    default:
      return [];
  }
}

/** Ids of the checks that say whether the contract's groups are there, without their prefix: all of them, or of one name. */
function groupsOf({ contract }: AzureRun, name?: string): string[] {
  return contract.grants.filter(isGroup).flatMap(({ id, resourceGroup }) => (name === undefined || sameId(name, resourceGroup) ? [`${id}.group`] : []));
}

/** As conditions ask about a blob that the platform might write. */
export function containerAttributes({ account, container: name }: GrantOf<"blob-container">): Record<string, string> {
  return {
    "Microsoft.Storage/storageAccounts:name": account,
    "Microsoft.Storage/storageAccounts/blobServices/containers:name": name,
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path": `${PROBE_PREFIX}/blob`,
  };
}

/** Each of these, as the assignments have it. */
async function granted(run: AzureRun, rights: Rights, needed: readonly NeededAction[], role: string | undefined, scopeOf: (action: string) => string, attributes?: Record<string, string>): Promise<Verdict> {
  const predictions = await Promise.all(
    needed.map(async ({ action, data }): Promise<{ action: string; prediction: RightPrediction }> => {
      const question: RightQuestion = { about: "right", action, dataAction: data, scope: scopeOf(action), ...(data && attributes && { attributes }) };
      return { action, prediction: await rights.predict(question, role) };
    }),
  );
  const refused = predictions.flatMap(({ action, prediction }) => (prediction.status === "refused" ? [{ action, cause: prediction.cause }] : []));
  // A right that is missing says more than another that a condition or a narrower role leaves out.
  const [first] = refused;
  if (first) return fail(`${refused.map(({ action }) => action).join(", ")} would be refused`, first.cause);
  const open = predictions.find(({ prediction }) => prediction.status === "unknown")?.prediction;
  if (open?.status === "unknown") return unknown(open.reason);
  const by = new Set(predictions.flatMap(({ prediction }) => (prediction.status === "allowed" ? [prediction.by] : [])));
  return pass(`${needed.length} actions, by ${[...by].join(", ")}`);
}

async function subscription(run: AzureRun, { documents }: AccountParts, id: string): Promise<Verdict> {
  const reading = await documents.subscription(id);
  if (reading.status !== "read") return unknown(reading.status === "absent" ? reading.detail : reading.reason);
  const { tenantId, state, displayName } = reading.value;
  if (!sameId(tenantId, run.exchange.tenantId)) {
    const seen = `it is in tenant ${String(tenantId)}, the contract has ${run.exchange.tenantId}`;
    return fail(seen, cause(run, "azure.subscription.other-tenant", seen, { found: String(tenantId) }));
  }
  if (state !== "Enabled") return fail(`its state is ${String(state)}`, cause(run, "azure.subscription.disabled", `state is ${String(state)}`, { found: String(state) }));
  return pass(`${String(displayName)}, in tenant ${String(tenantId)}`);
}

async function providers(run: AzureRun, { documents }: AccountParts, subscriptionId: string): Promise<Verdict> {
  const namespaces = namespacesOf(run.contract.grants.map(({ kind }) => kind));
  for (const namespace of namespaces) {
    const reading = await documents.registration(subscriptionId, namespace);
    if (reading.status !== "read") return unknown(reading.status === "absent" ? reading.detail : reading.reason);
    if (reading.value !== "Registered") return fail(`${namespace} is ${reading.value}`, cause(run, "azure.provider.not-registered", `registrationState of ${namespace} is ${reading.value}`, { subject: namespace }));
  }
  return pass(namespaces.length === 0 ? "none is needed" : namespaces.join(", "));
}

async function group(run: AzureRun, { documents }: AccountParts, { subscriptionId, resourceGroup }: GrantOf<"azure-resource-group">): Promise<Verdict> {
  const reading = await documents.group(groupId(subscriptionId, resourceGroup));
  if (reading.status === "unreadable") return unknown(reading.reason);
  if (reading.status === "absent") return fail(`${resourceGroup} does not exist`, cause(run, "azure.group.missing", reading.detail, { resourceGroup }));
  const { provisioningState } = properties(reading.value);
  if (provisioningState === "Deleting") return fail("it is being deleted", cause(run, "azure.group.deleting", "provisioningState is Deleting", { resourceGroup }));
  return pass(`in ${String(reading.value["location"])}, ${String(provisioningState)}; tags: ${isJsonObject(reading.value["tags"]) ? Object.keys(reading.value["tags"]).join(", ") : "none"}`);
}

/** ReadOnly stops deployments and key operations, either kind stops what is removed; blobs are not locked. */
async function locks(run: AzureRun, { documents }: AccountParts, { subscriptionId, resourceGroup }: GrantOf<"azure-resource-group">, scope: CheckScope): Promise<Verdict> {
  const reading = await documents.locks(subscriptionId);
  if (reading.status !== "read") return unknown(reading.status === "absent" ? reading.detail : reading.reason);
  const own = groupId(subscriptionId, resourceGroup);
  const deployedTo = run.contract.grants.flatMap((grant) => (grant.kind === "app-service" ? [registryId(grant), planId(grant), siteId(grant, grant.site)] : [])).filter((id) => scopeCovers(own, id));
  const here = reading.value.filter((lock) => [own, ...deployedTo].some((id) => scopeCovers(lock.scope, id)));
  for (const { id, level, scope: place } of reading.value.filter((lock) => !here.includes(lock) && scopeCovers(own, lock.scope))) scope.remark(`${place} has a ${level} lock, ${id}, which Contributor on the group cannot get past.`);
  const [first] = here;
  if (!first) return pass("none on the group or above, nor on what is deployed to");
  const seen = here.map(({ id, level }) => `${level} by ${id}`);
  return fail(seen.join(", "), cause(run, "azure.group.locked", seen, { resourceGroup, found: first.id }));
}

