/** Storage account and container as the management plane shows them: whether they are there, and what they do with blobs. */
import type { GrantOf } from "../../contract/schema.js";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { fail, notTested, pass, type Check, type CheckScope, type Verdict } from "../check.js";
import { askArm, propertiesOf, type ArmCall } from "./arm-causes.js";
import { accountId, armUrl, containerId } from "./endpoints.js";
import { groupCheckId, type GroupGrant } from "./group.js";
import { cause, type AzureRun } from "./run.js";

export type ContainerGrant = GrantOf<"blob-container">;

/** What a legal hold and a retention policy refuse. */
const DELETE_BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete";

/** What the account does with deleted and overwritten blobs. */
export interface BlobSettings {
  versions: boolean;
  /** Days for which deleted blobs are kept; 0: they are not. */
  softDeleteDays: number;
}

/** What the management plane says about a container; read once, by whoever asks first. */
export class StorageView {
  #settings: Promise<BlobSettings | undefined> | undefined;
  #keeping: string | undefined;

  constructor(
    private readonly run: AzureRun,
    readonly grant: ContainerGrant,
    /** Whose rights allow to look; without one nothing is asked. */
    private readonly group: GroupGrant | undefined,
  ) {}

  static checkId(grant: ContainerGrant, what: "account" | "container"): string {
    return `azure.management.${grant.id}.${what}`;
  }

  checks(): Check[] {
    const { grant, group } = this;
    if (!group) {
      const reason = "the contract grants nothing on the resource group that the account is in";
      return [{ ...this.#check("account", `storage account ${grant.account}`, []), required: false, run: async () => notTested(reason) }];
    }
    return [
      { ...this.#check("account", `storage account ${grant.account} is there`, [groupCheckId(group)]), run: (scope) => this.#account(scope) },
      { ...this.#check("container", `container ${grant.container} is there`, [StorageView.checkId(grant, "account")]), run: (scope) => this.#container(scope) },
    ];
  }

  /** Undefined where it cannot be read. */
  settings(scope: CheckScope): Promise<BlobSettings | undefined> {
    return (this.#settings ??= this.#readSettings(scope));
  }

  #check(what: "account" | "container", title: string, needs: string[]): Omit<Check, "run"> {
    return { id: StorageView.checkId(this.grant, what), title: `Management: ${title}`, grade: "live", required: true, needs, deadlineMs: 60_000 };
  }

  #call(what: "account" | "container"): ArmCall {
    const { grant } = this;
    const id = what === "account" ? accountId(grant) : containerId(grant);
    return {
      check: StorageView.checkId(grant, what),
      operation: `GET ${what === "account" ? "storage account" : "container"}`,
      action: what === "account" ? "Microsoft.Storage/storageAccounts/read" : "Microsoft.Storage/storageAccounts/blobServices/containers/read",
      scope: id,
      missing: `azure.storage.${what}-missing`,
      values: { subject: what === "account" ? grant.account : grant.container, resourceGroup: grant.resourceGroup, role: this.group?.role },
      call: { method: "GET", url: armUrl(this.run.cloud, id, "storage") },
    };
  }

  async #account(scope: CheckScope): Promise<Verdict> {
    const asked = await askArm(this.run, scope, this.#call("account"));
    if ("verdict" in asked) return asked.verdict;
    const { primaryEndpoints, allowSharedKeyAccess, publicNetworkAccess, networkAcls } = propertiesOf(asked.answer);
    const endpoint = isJsonObject(primaryEndpoints) ? primaryEndpoints["blob"] : undefined;
    const values = { subject: this.grant.account, resourceGroup: this.grant.resourceGroup, scope: accountId(this.grant) };
    if (typeof endpoint === "string" && endpoint !== this.grant.blobEndpoint) {
      return fail(`its blob endpoint is ${endpoint}`, cause(this.run, "azure.storage.endpoint-differs", `the account has ${endpoint}, the contract ${this.grant.blobEndpoint}`, { ...values, found: endpoint }));
    }
    if (allowSharedKeyAccess !== false) scope.remark(`Storage account ${this.grant.account} takes shared keys, which Contributor on its group can list: az storage account update --name ${this.grant.account} --resource-group ${this.grant.resourceGroup} --allow-shared-key-access false closes that way to the data.`);
    return pass(`in ${String(asked.answer.json["location"])}; ${describeNetwork(publicNetworkAccess, networkAcls)}`);
  }

  async #container(scope: CheckScope): Promise<Verdict> {
    const asked = await askArm(this.run, scope, this.#call("container"));
    if ("verdict" in asked) return asked.verdict;
    const { publicAccess = "None", hasImmutabilityPolicy, hasLegalHold, deleted } = propertiesOf(asked.answer);
    const values = { subject: this.grant.container, resourceGroup: this.grant.resourceGroup, scope: containerId(this.grant) };
    if (deleted === true) return fail("it is deleted", cause(this.run, "azure.storage.container-missing", "ARM shows it as deleted", values));
    if (publicAccess !== "None") return fail(`anonymous access: ${String(publicAccess)}`, cause(this.run, "azure.storage.public", `publicAccess is ${String(publicAccess)}`, values));
    const keeping = [...(hasImmutabilityPolicy === true ? ["a retention policy"] : []), ...(hasLegalHold === true ? ["a legal hold"] : [])];
    if (keeping.length === 0) return pass("anonymous access: none");
    this.#keeping = keeping.join(" and ");
    if (this.grant.permissions.includes(DELETE_BLOB)) return fail(`it has ${this.#keeping}`, cause(this.run, "azure.storage.immutable", `ARM shows ${this.#keeping} on the container`, values));
    return pass(`anonymous access: none; it has ${this.#keeping}`);
  }

  /** What keeps blobs from being deleted for a time, such as `a legal hold`; undefined where nothing does, or where it cannot be read. */
  async keeping(scope: CheckScope): Promise<string | undefined> {
    await scope.outcome(StorageView.checkId(this.grant, "container"));
    return this.#keeping;
  }

  async #readSettings(scope: CheckScope): Promise<BlobSettings | undefined> {
    if (!this.group || (await scope.outcome(StorageView.checkId(this.grant, "account")))?.status !== "pass") return undefined;
    const id = `${accountId(this.grant)}/blobServices/default`;
    const asked = await askArm(this.run, scope, { ...this.#call("account"), operation: "GET blob service", action: "Microsoft.Storage/storageAccounts/blobServices/read", scope: id, call: { method: "GET", url: armUrl(this.run.cloud, id, "storage") } });
    if ("verdict" in asked) return undefined;
    const { isVersioningEnabled, deleteRetentionPolicy } = propertiesOf(asked.answer);
    const { enabled, days } = isJsonObject(deleteRetentionPolicy) ? deleteRetentionPolicy : ({} as JsonObject);
    return { versions: isVersioningEnabled === true, softDeleteDays: enabled === true && typeof days === "number" ? days : 0 };
  }
}

function describeNetwork(publicNetworkAccess: unknown, networkAcls: unknown): string {
  if (publicNetworkAccess === "Disabled") return "public network access: off";
  return isJsonObject(networkAcls) && networkAcls["defaultAction"] === "Deny" ? "firewall: denies by default" : "open to every network";
}
