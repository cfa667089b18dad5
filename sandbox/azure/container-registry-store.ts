/** What a registry keeps: blobs, uploads under way, manifests and tags, each in a repository that is there once something is in it. */
import { digestOf } from "../registry.js";
import type { Clock, ResourceStore } from "../types.js";

export interface StoredManifest {
  repository: string;
  digest: string;
  document: string;
  mediaType: string;
  /** Of config and layers, in bytes. */
  imageSize: number;
  architecture?: string;
  os?: string;
  configMediaType?: string;
  /** ISO 8601. */
  createdTime: string;
  lastUpdateTime: string;
}

export interface StoredTag {
  repository: string;
  name: string;
  digest: string;
  createdTime: string;
  lastUpdateTime: string;
}

const BLOB = "azure:registry/blob";
const UPLOAD = "azure:registry/upload";
const MANIFEST = "azure:registry/manifest";
const TAG = "azure:registry/tag";

/** The content of one registry; `key` tells it from every other one, of the same name included. */
export class RegistryContent {
  constructor(
    private readonly store: ResourceStore,
    private readonly clock: Clock,
    private readonly key: string,
  ) {}

  repositories(): string[] {
    return [...new Set(this.#all<StoredManifest>(MANIFEST, "").map(({ repository }) => repository))].sort();
  }

  blob(repository: string, digest: string): Buffer | undefined {
    const data = this.store.get<string>(BLOB, this.#id(repository, digest));
    return data === undefined ? undefined : Buffer.from(data, "base64");
  }

  putBlob(repository: string, data: Buffer): void {
    this.store.put(BLOB, this.#id(repository, digestOf(data)), data.toString("base64"));
  }

  beginUpload(repository: string, uploadId: string): void {
    this.store.put(UPLOAD, this.#id(repository, uploadId), "");
  }

  /** Undefined for an upload that was not begun. */
  upload(repository: string, uploadId: string): Buffer | undefined {
    const data = this.store.get<string>(UPLOAD, this.#id(repository, uploadId));
    return data === undefined ? undefined : Buffer.from(data, "base64");
  }

  addPart(repository: string, uploadId: string, data: Buffer): void {
    const before = this.upload(repository, uploadId) ?? Buffer.alloc(0);
    this.store.put(UPLOAD, this.#id(repository, uploadId), Buffer.concat([before, data]).toString("base64"));
  }

  endUpload(repository: string, uploadId: string): void {
    this.store.delete(UPLOAD, this.#id(repository, uploadId));
  }

  manifests(repository: string): StoredManifest[] {
    return this.#all<StoredManifest>(MANIFEST, `${repository}@`);
  }

  /** `reference` is a tag or a digest. */
  manifest(repository: string, reference: string): StoredManifest | undefined {
    const digest = reference.startsWith("sha256:") ? reference : this.tag(repository, reference)?.digest;
    return digest === undefined ? undefined : this.store.get(MANIFEST, this.#id(repository, digest));
  }

  putManifest(manifest: Omit<StoredManifest, "createdTime" | "lastUpdateTime">): void {
    const now = this.#now();
    const before = this.manifest(manifest.repository, manifest.digest);
    this.store.put(MANIFEST, this.#id(manifest.repository, manifest.digest), { ...manifest, createdTime: before?.createdTime ?? now, lastUpdateTime: now } satisfies StoredManifest);
  }

  /** With its tags. */
  deleteManifest({ repository, digest }: StoredManifest): void {
    for (const tag of this.tags(repository, digest)) this.deleteTag(tag);
    this.store.delete(MANIFEST, this.#id(repository, digest));
  }

  /** Of one manifest, or of all. */
  tags(repository: string, digest?: string): StoredTag[] {
    return this.#all<StoredTag>(TAG, `${repository}@`).filter((tag) => digest === undefined || tag.digest === digest);
  }

  tag(repository: string, name: string): StoredTag | undefined {
    return this.store.get(TAG, this.#id(repository, name));
  }

  putTag(repository: string, name: string, digest: string): void {
    const now = this.#now();
    const before = this.tag(repository, name);
    this.store.put(TAG, this.#id(repository, name), { repository, name, digest, createdTime: before?.createdTime ?? now, lastUpdateTime: now } satisfies StoredTag);
  }

  deleteTag({ repository, name }: StoredTag): void {
    this.store.delete(TAG, this.#id(repository, name));
  }

  /** Of one repository, or everything. */
  clear(repository?: string): void {
    const prefix = repository === undefined ? `${this.key}@` : this.#id(repository, "");
    for (const type of [TAG, MANIFEST, UPLOAD, BLOB]) {
      for (const { id } of this.store.list(type)) if (id.startsWith(prefix)) this.store.delete(type, id);
    }
  }

  #all<T>(type: string, prefix: string): T[] {
    const start = `${this.key}@${prefix}`;
    const found = this.store.list<T>(type).filter(({ id }) => id.startsWith(start));
    return found.sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ value }) => value);
  }

  #id(repository: string, name: string): string {
    return `${this.key}@${repository}@${name}`;
  }

  #now(): string {
    return this.clock.now().toISOString();
  }
}
