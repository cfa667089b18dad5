/** What the Blob service keeps: blobs with all their versions, their bytes, and blocks that nobody has committed. */
import { randomUUID } from "node:crypto";
import { storageLimits } from "../../facts/azure/storage.js";
import type { ResourceStore } from "../types.js";
import type { Container, StorageState } from "./storage-state.js";

/** Members that a blob's writer gives. */
export interface BlobSettings {
  contentType: string;
  contentEncoding?: string;
  contentLanguage?: string;
  contentDisposition?: string;
  cacheControl?: string;
  /** Base64; the writer's where the blob came in blocks, of its content otherwise. */
  contentMd5?: string;
}

/** One state of a blob. ISO 8601, as all times here. */
export interface BlobVersion {
  /** Of its bytes. */
  content: string;
  size: number;
  etag: string;
  created: string;
  lastModified: string;
  settings: BlobSettings;
  metadata: Record<string, string>;
  /** Absent where the account's default is meant. */
  tier?: string;
  /** Committed ones, in order; none where the blob came in one piece. */
  blocks: { id: string; size: number }[];
  /** Absent where the account keeps no versions. */
  versionId?: string;
  /** Of a state that soft delete kept when it was overwritten. */
  snapshot?: string;
  deleted?: { time: string; retainedUntil: string };
}

export interface StoredBlob {
  name: string;
  current?: BlobVersion;
  /** Former versions and soft-deleted states, the newest first. */
  others: BlobVersion[];
}

export interface UncommittedBlock {
  id: string;
  size: number;
  content: string;
  created: string;
}

const BLOB = "azure:blob/blob";
const CONTENT = "azure:blob/content";
const BLOCKS = "azure:blob/uncommitted-blocks";

export class BlobStore {
  constructor(
    private readonly store: ResourceStore,
    private readonly clock: Pick<StorageState, "now">,
  ) {}

  /** Without what is kept no longer. */
  blob(container: Container, name: string): StoredBlob {
    return this.#present(this.store.get<StoredBlob>(BLOB, keyOf(container, name)) ?? { name, others: [] });
  }

  /** By name, in the order of bytes; with those that are only versions or deleted. */
  blobs(container: Container): StoredBlob[] {
    const own = keyOf(container, "");
    const found = this.store.list<StoredBlob>(BLOB).flatMap(({ id, value }) => (id.startsWith(own) ? [this.#present(value)] : []));
    return found.filter(({ current, others }) => current || others.length > 0).sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  putBlob(container: Container, blob: StoredBlob): void {
    const id = keyOf(container, blob.name);
    const kept = new Set(statesOf(blob).map(({ content }) => content));
    const before = this.store.get<StoredBlob>(BLOB, id);
    for (const { content } of before ? statesOf(before) : []) if (!kept.has(content)) this.store.delete(CONTENT, content);
    if (kept.size === 0) this.store.delete(BLOB, id);
    else this.store.put(BLOB, id, blob);
  }

  content(id: string): Buffer {
    return Buffer.from(this.store.get<string>(CONTENT, id) ?? "", "base64");
  }

  /** Answers the id. */
  addContent(data: Buffer): string {
    const id = randomUUID();
    this.store.put(CONTENT, id, data.toString("base64"));
    return id;
  }

  /** In the order of their coming. */
  uncommitted(container: Container, name: string): UncommittedBlock[] {
    const since = new Date(this.clock.now().getTime() - storageLimits.uncommittedBlocks.max * 86_400_000).toISOString();
    return (this.store.get<UncommittedBlock[]>(BLOCKS, keyOf(container, name)) ?? []).filter(({ created }) => created > since);
  }

  putUncommitted(container: Container, name: string, blocks: readonly UncommittedBlock[]): void {
    const id = keyOf(container, name);
    const kept = new Set(blocks.map(({ content }) => content));
    for (const { content } of this.store.get<UncommittedBlock[]>(BLOCKS, id) ?? []) if (!kept.has(content)) this.store.delete(CONTENT, content);
    if (blocks.length === 0) this.store.delete(BLOCKS, id);
    else this.store.put(BLOCKS, id, blocks);
  }

  /** With everything in it. */
  clear(container: Container): void {
    const own = keyOf(container, "");
    for (const { id, value } of this.store.list<StoredBlob>(BLOB)) if (id.startsWith(own)) this.putBlob(container, { name: value.name, others: [] });
    for (const { id } of this.store.list(BLOCKS)) if (id.startsWith(own)) this.putUncommitted(container, id.slice(own.length), []);
  }

  #present(blob: StoredBlob): StoredBlob {
    const now = this.clock.now().toISOString();
    return { ...blob, others: blob.others.filter(({ deleted }) => deleted === undefined || deleted.retainedUntil > now) };
  }
}

export const statesOf = ({ current, others }: StoredBlob): BlobVersion[] => [...(current ? [current] : []), ...others];

/** Containers of one name that come after each other share nothing. */
const keyOf = ({ properties }: Container, name: string): string => `${properties.incarnation}/${name}`;
