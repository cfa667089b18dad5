/** What Azure Storage keeps besides blobs: accounts and containers, which are ARM's resources, and what is left of deleted ones. */
import { randomBytes, randomUUID } from "node:crypto";
import { type AzureCloudFacts, azureClouds } from "../../facts/azure/clouds.js";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import { storageLimits } from "../../facts/azure/storage.js";
import { parseArmId } from "./arm-ids.js";
import { removeResource } from "./arm-removal.js";
import { BlobStore } from "./blob-store.js";
import type { ArmResource, AzureServiceContext } from "./service.js";
import type { AzureSubscription } from "./types.js";

export const ACCOUNT_TYPE = "Microsoft.Storage/storageAccounts";
export const BLOB_SERVICE_TYPE = `${ACCOUNT_TYPE}/blobServices`;
export const CONTAINER_TYPE = `${BLOB_SERVICE_TYPE}/containers`;
export const MANAGEMENT_POLICY_TYPE = `${ACCOUNT_TYPE}/managementPolicies`;

/** https://learn.microsoft.com/rest/api/storagerp/storage-accounts/get-properties; what decides something here, beside what is only kept. */
export interface AccountProperties extends Record<string, unknown> {
  /** Of this life of the name: nothing that belonged to an earlier account of it is found. Not shown. */
  incarnation: string;
  creationTime: string;
  allowBlobPublicAccess: boolean;
  /** Absent means allowed. */
  allowSharedKeyAccess?: boolean;
  supportsHttpsTrafficOnly: boolean;
  publicNetworkAccess?: string;
  networkAcls: { defaultAction: string; bypass: string; ipRules: { value: string; action: string }[] };
}
export type Account = ArmResource & { properties: AccountProperties };

export type PublicAccess = "None" | "Blob" | "Container";

export interface ImmutabilityPolicy {
  days: number;
  state: "Locked" | "Unlocked";
  etag: string;
  allowProtectedAppendWrites?: boolean;
  allowProtectedAppendWritesAll?: boolean;
  history: { update: "put" | "lock" | "extend"; immutabilityPeriodSinceCreationInDays: number; timestamp: string; objectIdentifier: string; tenantId: string }[];
}

export interface ContainerProperties extends Record<string, unknown> {
  incarnation: string;
  lastModifiedTime: string;
  publicAccess: PublicAccess;
  metadata: Record<string, string>;
  immutabilityPolicy?: ImmutabilityPolicy;
  legalHolds: { tag: string; timestamp: string; objectIdentifier: string; tenantId: string }[];
  allowProtectedAppendWritesUnderHold?: boolean;
  defaultEncryptionScope?: string;
  denyEncryptionScopeOverride?: boolean;
}
export type Container = ArmResource & { properties: ContainerProperties };

export interface BlobServiceProperties extends Record<string, unknown> {
  isVersioningEnabled?: boolean;
  deleteRetentionPolicy: { enabled: boolean; days?: number; allowPermanentDelete?: boolean };
  containerDeleteRetentionPolicy?: { enabled: boolean; days?: number };
}

export interface DeletedContainer {
  container: Container;
  /** Tells deletions of one name apart. */
  version: string;
  deletedTime: string;
  /** Absent where it cannot be restored. */
  retainedUntil?: string;
}

interface DeletedAccount {
  tenantId: string;
  deletedTime: string;
}

export interface AccountKeys {
  key1: { value: string; creationTime: string };
  key2: { value: string; creationTime: string };
}

const DELETED_ACCOUNT = "azure:storage/deleted-account";
const DELETED_CONTAINER = "azure:storage/deleted-container";
/** Under a type that begins so the store keeps secrets: persisted apart and never listed. */
const KEYS = "secret:azure/storage-keys";

const DAY = 86_400_000;

export const blobServiceId = (account: ArmResource): string => `${account.id}/blobServices/default`;
export const containerId = (account: ArmResource, name: string): string => `${blobServiceId(account)}/containers/${name}`;

export class StorageState {
  readonly #blobs: BlobStore;
  #ticks = { millisecond: 0, count: 0 };

  constructor(private readonly context: AzureServiceContext) {
    this.#blobs = new BlobStore(context.core.store, this);
  }

  now(): Date {
    return this.context.core.clock.now();
  }

  /** By its name, which is nobody else's in the world. */
  account(name: string): Account | undefined {
    return this.accounts().find((account) => account.name === name.toLowerCase());
  }

  accounts(scope?: string): Account[] {
    return this.context.resources.list(ACCOUNT_TYPE, scope) as Account[];
  }

  tenantOf(account: ArmResource): string {
    return this.#subscriptionOf(account)?.tenantId ?? "";
  }

  /** Where the subscription is disabled, so is what is stored in it. */
  isDisabled(account: ArmResource): boolean {
    return this.#subscriptionOf(account)?.state === "Disabled";
  }

  cloudOf(account: ArmResource): AzureCloudFacts {
    return azureClouds[this.context.cloud.tenant(this.tenantOf(account))?.cloud ?? "public"];
  }

  deleteAccount(account: Account): void {
    this.context.core.store.delete(KEYS, account.properties.incarnation);
    for (const container of this.containers(account)) this.#blobs.clear(container);
    for (const deleted of this.#deleted(account)) this.#forget(account, deleted);
    removeResource(this.context, account.id);
    const deleted: DeletedAccount = { tenantId: this.tenantOf(account), deletedTime: this.now().toISOString() };
    this.context.core.store.put(DELETED_ACCOUNT, account.name, deleted);
  }

  /** Whether a deleted account of another tenant still has the name. */
  isHeldBack(name: string, tenantId: string): boolean {
    const deleted = this.context.core.store.get<DeletedAccount>(DELETED_ACCOUNT, name);
    return deleted !== undefined && deleted.tenantId !== tenantId && this.#since(deleted.deletedTime) < storageLimits.deletedAccount.max * DAY;
  }

  keys(account: Account): AccountKeys {
    const found = this.context.core.store.get<AccountKeys>(KEYS, account.properties.incarnation);
    if (found) return found;
    const creationTime = account.properties.creationTime;
    const keys: AccountKeys = { key1: { value: newKey(), creationTime }, key2: { value: newKey(), creationTime } };
    this.context.core.store.put(KEYS, account.properties.incarnation, keys);
    return keys;
  }

  regenerateKey(account: Account, name: keyof AccountKeys): AccountKeys {
    const keys = { ...this.keys(account), [name]: { value: newKey(), creationTime: this.now().toISOString() } };
    this.context.core.store.put(KEYS, account.properties.incarnation, keys);
    return keys;
  }

  blobService(account: ArmResource): BlobServiceProperties {
    const stored = this.context.resources.get(blobServiceId(account))?.properties as BlobServiceProperties | undefined;
    return stored ?? { cors: { corsRules: [] }, deleteRetentionPolicy: { allowPermanentDelete: false, enabled: false } };
  }

  putBlobService(account: ArmResource, properties: BlobServiceProperties): void {
    this.context.resources.put({ id: blobServiceId(account), name: "default", type: BLOB_SERVICE_TYPE, properties });
  }

  /** Names of containers are told apart by case, other than ARM's. */
  container(account: ArmResource, name: string): Container | undefined {
    const found = this.context.resources.get(containerId(account, name)) as Container | undefined;
    return found?.name === name ? found : undefined;
  }

  containers(account: ArmResource): Container[] {
    const found = this.context.resources.list(CONTAINER_TYPE, account.id) as Container[];
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  newContainer(account: ArmResource, name: string): Container {
    const properties: ContainerProperties = { incarnation: randomUUID(), lastModifiedTime: "", publicAccess: "None", metadata: {}, legalHolds: [] };
    return { id: containerId(account, name), name, type: CONTAINER_TYPE, properties };
  }

  /** With a new ETag and time of its last change. */
  putContainer(container: Container): Container {
    const etag = `"${this.etag()}"`;
    return this.context.resources.put({ ...container, etag, properties: { ...container.properties, lastModifiedTime: this.now().toISOString() } }) as Container;
  }

  deleteContainer(account: Account, container: Container): void {
    const policy = this.blobService(account).containerDeleteRetentionPolicy;
    const now = this.now();
    const deleted: DeletedContainer = {
      container,
      version: this.etag().slice(2),
      deletedTime: now.toISOString(),
      ...(policy?.enabled === true && { retainedUntil: new Date(now.getTime() + (policy.days ?? storageLimits.softDelete.min) * DAY).toISOString() }),
    };
    for (const each of this.#deleted(account)) if (!this.#isRetained(each) && !this.#blocksName(each)) this.#forget(account, each);
    if (deleted.retainedUntil === undefined) this.#blobs.clear(container);
    removeResource(this.context, container.id);
    this.context.core.store.put(DELETED_CONTAINER, idOf(account, deleted), deleted);
  }

  isBeingDeleted(account: Account, name: string): boolean {
    return this.#deleted(account).some((deleted) => deleted.container.name === name && this.#blocksName(deleted));
  }

  /** That can be restored. */
  deletedContainers(account: Account): DeletedContainer[] {
    return this.#deleted(account).filter((deleted) => this.#isRetained(deleted));
  }

  restoreContainer(account: Account, deleted: DeletedContainer): Container {
    this.context.core.store.delete(DELETED_CONTAINER, idOf(account, deleted));
    return this.putContainer(deleted.container);
  }

  remainingDays(retainedUntil: string): number {
    return Math.max(0, Math.ceil(-this.#since(retainedUntil) / DAY));
  }

  /** Never the same twice: of the time in units of 100 nanoseconds, as the service makes them. */
  etag(): string {
    return `0x${this.#nextTicks().toString(16).toUpperCase()}`;
  }

  /** Of a blob, in the order of time. */
  versionId(): string {
    const ticks = this.#nextTicks();
    const fraction = String(ticks % 10_000n).padStart(4, "0");
    return this.now().toISOString().replace("Z", `${fraction}Z`);
  }

  #subscriptionOf({ id }: ArmResource): AzureSubscription | undefined {
    return this.context.cloud.subscription(parseArmId(id)?.subscription ?? "");
  }

  #nextTicks(): bigint {
    const millisecond = this.now().getTime();
    this.#ticks = { millisecond, count: this.#ticks.millisecond === millisecond ? this.#ticks.count + 1 : 0 };
    return BigInt(millisecond) * 10_000n + TICKS_BEFORE_1970 + BigInt(this.#ticks.count);
  }

  #isRetained({ retainedUntil }: DeletedContainer): boolean {
    return retainedUntil !== undefined && retainedUntil > this.now().toISOString();
  }

  #blocksName({ deletedTime }: DeletedContainer): boolean {
    return this.#since(deletedTime) < storageLimits.containerDeletion.min * 1000;
  }

  #forget(account: Account, deleted: DeletedContainer): void {
    this.#blobs.clear(deleted.container);
    this.context.core.store.delete(DELETED_CONTAINER, idOf(account, deleted));
  }

  #deleted(account: Account): DeletedContainer[] {
    const own = `${account.properties.incarnation}/`;
    return this.context.core.store.list<DeletedContainer>(DELETED_CONTAINER).flatMap(({ id, value }) => (id.startsWith(own) ? [value] : []));
  }

  #since(time: string): number {
    return this.now().getTime() - new Date(time).getTime();
  }
}

/** Units of 100 nanoseconds from the year 1 to 1970. */
const TICKS_BEFORE_1970 = 621_355_968_000_000_000n;

const idOf = (account: Account, { container, version }: DeletedContainer): string => `${account.properties.incarnation}/${container.name}/${version}`;

/** 64 bytes in Base64, which begin with the mark of the sandbox's secrets. */
function newKey(): string {
  const text = SANDBOX_SECRET_MARK + randomBytes(64).toString("base64").slice(SANDBOX_SECRET_MARK.length);
  return Buffer.from(text, "base64").toString("base64");
}
