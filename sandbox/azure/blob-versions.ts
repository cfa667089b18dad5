/** What becomes of a blob's earlier states when it is written, deleted and restored: versioning and soft delete. https://learn.microsoft.com/azure/storage/blobs/soft-delete-blob-overview */
import { storageLimits } from "../../facts/azure/storage.js";
import type { BlobStore, BlobVersion, StoredBlob } from "./blob-store.js";
import { storageRefusal } from "./storage-errors.js";
import { assertMutable } from "./storage-immutability.js";
import type { Account, Container, StorageState } from "./storage-state.js";

/** What a write decides; the rest is its time's. */
export type NewState = Pick<BlobVersion, "content" | "size" | "settings" | "metadata" | "blocks"> & Partial<Pick<BlobVersion, "tier" | "created">>;

export class BlobVersions {
  constructor(
    private readonly store: BlobStore,
    private readonly state: StorageState,
  ) {}

  /** Makes this the blob's current state. Throws 409 where a policy keeps the one before. */
  replace(account: Account, container: Container, blob: StoredBlob, next: NewState): BlobVersion {
    const { current, others } = blob;
    if (current) assertMutable(container, current.created, this.state.now());
    const now = this.state.now().toISOString();
    const versioned = this.#versioned(account);
    const written: BlobVersion = { created: now, ...next, etag: `"${this.state.etag()}"`, lastModified: now, ...(versioned && { versionId: this.state.versionId() }) };
    const retention = this.#retention(account);
    // What only metadata changed is no state to be kept, but a version.
    const overwritten = current?.content !== next.content ? retention : undefined;
    const kept = current && (versioned ? this.#asVersion(current) : overwritten && { ...current, snapshot: this.state.versionId(), deleted: overwritten });
    this.store.putBlob(container, { name: blob.name, current: written, others: kept ? [kept, ...others] : others });
    return written;
  }

  /** Throws 404 for a blob that is not there, 409 for one that a policy keeps. */
  remove(account: Account, container: Container, blob: StoredBlob): void {
    const { name, current, others } = blob;
    if (!current) throw storageRefusal("BlobNotFound");
    assertMutable(container, current.created, this.state.now());
    const retention = this.#retention(account);
    const kept = this.#versioned(account) ? this.#asVersion(current) : retention && { ...current, deleted: retention };
    this.store.putBlob(container, { name, others: kept ? [kept, ...others] : others });
  }

  removeVersion(account: Account, container: Container, blob: StoredBlob, versionId: string): void {
    const wanted = blob.others.find((each) => each.versionId === versionId && !each.deleted);
    if (!wanted) throw storageRefusal(blob.current?.versionId === versionId ? "InvalidQueryParameterValue" : "BlobNotFound");
    assertMutable(container, wanted.created, this.state.now());
    const retention = this.#retention(account);
    const others = blob.others.flatMap((each) => (each !== wanted ? [each] : retention ? [{ ...each, deleted: retention }] : []));
    this.store.putBlob(container, { ...blob, others });
  }

  /** Brings back what soft delete has kept. */
  restore(container: Container, blob: StoredBlob): void {
    if (!blob.current && !blob.others.some(({ deleted }) => deleted)) throw storageRefusal("BlobNotFound");
    const restored = blob.others.map(({ deleted: _, ...each }) => each);
    const base = blob.current ? undefined : restored.findIndex(({ versionId, snapshot }) => versionId === undefined && snapshot === undefined);
    const current = base === undefined ? blob.current : restored[base];
    const others = restored.filter((_, index) => index !== base);
    this.store.putBlob(container, { name: blob.name, ...(current && { current }), others });
  }

  /** States that were made before versions were kept get an id of their own. */
  #asVersion(state: BlobVersion): BlobVersion {
    return state.versionId === undefined ? { ...state, versionId: this.state.versionId() } : state;
  }

  #versioned(account: Account): boolean {
    return this.state.blobService(account).isVersioningEnabled === true;
  }

  #retention(account: Account): { time: string; retainedUntil: string } | undefined {
    const { enabled, days = storageLimits.softDelete.min } = this.state.blobService(account).deleteRetentionPolicy;
    const now = this.state.now();
    return enabled ? { time: now.toISOString(), retainedUntil: new Date(now.getTime() + days * 86_400_000).toISOString() } : undefined;
  }
}
