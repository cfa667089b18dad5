/** Storage account and container as somebody who may read them sees them: settings, network, retention. */
import type { GrantOf } from "../../../contract/schema.js";
import { isJsonObject, type JsonObject } from "../../../trust/jwt.js";
import { fail, pass, unknown, type CheckScope, type Verdict } from "../../check.js";
import type { Cause } from "../../causes.js";
import { accountId, containerId } from "../endpoints.js";
import { cause, type AzureRun } from "../run.js";
import { objects, properties, type AzureDocuments } from "./reader.js";
import { sameId } from "./rights.js";

type ContainerGrant = GrantOf<"blob-container">;

export async function storageAccount(run: AzureRun, documents: AzureDocuments, grant: ContainerGrant, scope: CheckScope): Promise<Verdict> {
  const id = accountId(grant);
  const reading = await documents.arm(id, "storage");
  const values = { subject: grant.account, resourceGroup: grant.resourceGroup, scope: id };
  if (reading.status === "unreadable") return unknown(reading.reason);
  if (reading.status === "absent") {
    const elsewhere = await groupOfAccount(documents, grant);
    const seen = elsewhere === undefined ? `${grant.account} does not exist in ${grant.resourceGroup}` : `${grant.account} is in ${elsewhere}, not in ${grant.resourceGroup}`;
    return fail(seen, cause(run, "azure.storage.account-missing", [...(elsewhere === undefined ? [] : [seen]), reading.detail], { ...values, found: elsewhere }));
  }
  const { primaryEndpoints, allowSharedKeyAccess, allowBlobPublicAccess, minimumTlsVersion, supportsHttpsTrafficOnly } = properties(reading.value);
  const endpoint = isJsonObject(primaryEndpoints) ? primaryEndpoints["blob"] : undefined;
  if (typeof endpoint === "string" && endpoint !== grant.blobEndpoint) {
    return fail(`its blob endpoint is ${endpoint}`, cause(run, "azure.storage.endpoint-differs", `the account has ${endpoint}, the contract ${grant.blobEndpoint}`, { ...values, found: endpoint }));
  }
  const closed = networkCause(run, grant, reading.value);
  if (closed) return predictedUnlessLive(run, scope, `azure.data.${grant.id}.`, closed);
  const open = [
    ...(allowSharedKeyAccess === false ? [] : ["takes shared keys, which whoever may list them reads all data with"]),
    ...(allowBlobPublicAccess === true ? ["lets containers be public"] : []),
    ...(minimumTlsVersion === undefined || minimumTlsVersion === "TLS1_2" || minimumTlsVersion === "TLS1_3" ? [] : [`takes ${JSON.stringify(minimumTlsVersion)}`]),
    ...(supportsHttpsTrafficOnly === false ? ["takes requests without TLS"] : []),
  ];
  for (const one of open) scope.remark(`Storage account ${grant.account} ${one}.`);
  return pass(`in ${String(reading.value["location"])}${open.length > 0 ? `; note: ${open.join(", ")}` : ""}`);
}

/** Account names are the world's: one that is not in the group may be in another of the subscription. */
async function groupOfAccount(documents: AzureDocuments, { subscriptionId, account }: ContainerGrant): Promise<string | undefined> {
  const all = await documents.arm(`/subscriptions/${subscriptionId}/providers/Microsoft.Storage/storageAccounts`, "storage");
  if (all.status !== "read") return undefined;
  const id = objects(all.value["value"]).map((one) => String(one["id"])).find((one) => sameId(one.split("/").at(-1), account));
  return id?.split("/")[4];
}

/** From somewhere in particular an account with a firewall may be reachable: what was tried counts more. */
async function predictedUnlessLive(run: AzureRun, scope: CheckScope, prefix: string, found: Cause): Promise<Verdict> {
  const [evidence = ""] = found.evidence;
  const live = run.token === undefined ? undefined : await scope.outcome(`${prefix}put`);
  if (live?.status !== "pass") return fail(evidence, found);
  scope.remark(`${evidence}; from here the platform's calls get through.`);
  return pass(`${evidence}, and calls from here get through`);
}

/** What keeps every network out that no rule names. https://learn.microsoft.com/azure/storage/common/storage-network-security */
export function networkCause(run: AzureRun, grant: ContainerGrant, account: JsonObject): Cause | undefined {
  const { publicNetworkAccess, networkAcls } = properties(account);
  const values = { subject: grant.account, resourceGroup: grant.resourceGroup, scope: accountId(grant) };
  if (publicNetworkAccess === "Disabled" || publicNetworkAccess === "SecuredByPerimeter") {
    return cause(run, "azure.storage.firewall", `publicNetworkAccess of ${grant.account} is ${publicNetworkAccess}`, values);
  }
  if (!isJsonObject(networkAcls) || networkAcls["defaultAction"] !== "Deny") return undefined;
  const rules = Array.isArray(networkAcls["ipRules"]) ? networkAcls["ipRules"].length : 0;
  return cause(run, "azure.storage.firewall", `the firewall of ${grant.account} denies by default, ${rules === 0 ? "without exception" : `but for ${rules} address ${rules === 1 ? "range" : "ranges"}`}`, values);
}

export async function container(run: AzureRun, documents: AzureDocuments, grant: ContainerGrant): Promise<Verdict> {
  const id = containerId(grant);
  const reading = await documents.arm(id, "storage");
  const values = { subject: grant.container, resourceGroup: grant.resourceGroup, scope: id };
  if (reading.status === "unreadable") return unknown(reading.reason);
  const { deleted, publicAccess = "None", hasLegalHold, hasImmutabilityPolicy } = reading.status === "read" ? properties(reading.value) : {};
  if (reading.status === "absent" || deleted === true) return fail(`container ${grant.container} does not exist`, cause(run, "azure.storage.container-missing", reading.status === "absent" ? reading.detail : "ARM shows it as deleted", values));
  if (publicAccess !== "None") return fail(`anonymous access: ${String(publicAccess)}`, cause(run, "azure.storage.public", `publicAccess is ${String(publicAccess)}`, values));
  const kept = [...(hasImmutabilityPolicy === true ? ["it has a retention policy"] : []), ...(hasLegalHold === true ? ["it has a legal hold"] : [])];
  if (kept.length > 0 && grant.permissions.some((permission) => permission.endsWith("/blobs/delete"))) return fail(kept.join(", "), cause(run, "azure.storage.immutable", kept, values));
  return pass("anonymous access: none");
}
