/** What Artifact Registry keeps: repositories, blobs, uploads under way and images. */
import type { repositoryFormats, repositoryModes } from "../../facts/gcp/artifact-registry.js";
import { digestOf } from "../registry.js";
import type { Clock, ResourceStore } from "../types.js";

/** Members in the API's form; times in ISO 8601. */
export interface Repository {
  /** `projects/P/locations/L/repositories/R` */
  name: string;
  projectId: string;
  location: string;
  repositoryId: string;
  format: (typeof repositoryFormats)[number];
  mode: (typeof repositoryModes)[number];
  createTime: string;
  updateTime: string;
  description?: string | undefined;
  labels?: Record<string, string> | undefined;
  kmsKeyName?: string | undefined;
  dockerConfig?: { immutableTags?: boolean | undefined } | undefined;
  /** Kept and shown, without effect here. */
  cleanupPolicies?: Record<string, object> | undefined;
  cleanupPolicyDryRun?: boolean | undefined;
  mavenConfig?: object | undefined;
  remoteRepositoryConfig?: object | undefined;
  virtualRepositoryConfig?: object | undefined;
  vulnerabilityScanningConfig?: { enablementConfig?: string | undefined } | undefined;
}

export interface Image {
  /** Path after the repository's, such as `app` or `team/app`. */
  package: string;
  digest: string;
  manifest: string;
  mediaType: string;
  tags: string[];
  uploadTime: string;
  updateTime: string;
  /** Of config and layers, in bytes. */
  size: number;
}

const REPOSITORY = "gcp:artifactregistry/repository";
const IMAGE = "gcp:artifactregistry/image";
const BLOB = "gcp:artifactregistry/blob";
const UPLOAD = "gcp:artifactregistry/upload";
const UPLOAD_PART = "gcp:artifactregistry/upload-part";

export const locationPath = (projectId: string, location: string): string => `projects/${projectId}/locations/${location}`;
export const repositoryPath = (projectId: string, location: string, repositoryId: string): string => `${locationPath(projectId, location)}/repositories/${repositoryId}`;

export class ArtifactStore {
  constructor(
    private readonly store: ResourceStore,
    private readonly clock: Clock,
  ) {}

  now(): string {
    return this.clock.now().toISOString();
  }

  repository(name: string): Repository | undefined {
    return this.store.get<Repository>(REPOSITORY, name);
  }

  repositories(projectId: string, location: string): Repository[] {
    const all = this.store.list<Repository>(REPOSITORY).map(({ value }) => value);
    return all.filter((each) => each.projectId === projectId && each.location === location).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  putRepository(repository: Repository): void {
    this.store.put(REPOSITORY, repository.name, repository);
  }

  deleteRepository({ name }: Repository): void {
    for (const type of [IMAGE, BLOB, UPLOAD, UPLOAD_PART]) {
      for (const { id } of this.store.list(type)) if (id.startsWith(`${name}@`)) this.store.delete(type, id);
    }
    this.store.delete(REPOSITORY, name);
  }

  images({ name }: Repository): Image[] {
    const found = this.store.list<Image>(IMAGE).flatMap(({ id, value }) => (id.startsWith(`${name}@`) ? [value] : []));
    return found.sort((a, b) => (`${a.package}@${a.digest}` < `${b.package}@${b.digest}` ? -1 : 1));
  }

  /** `reference` is a tag or a digest. */
  image(repository: Repository, packageName: string, reference: string): Image | undefined {
    return this.images(repository).find((image) => image.package === packageName && (image.digest === reference || image.tags.includes(reference)));
  }

  putImage({ name }: Repository, image: Image): void {
    this.store.put(IMAGE, `${name}@${image.package}@${image.digest}`, image);
  }

  deleteImage({ name }: Repository, image: Image): void {
    this.store.delete(IMAGE, `${name}@${image.package}@${image.digest}`);
  }

  /** Moves the tag to the image. */
  tag(repository: Repository, image: Image, tag: string): void {
    const holder = this.image(repository, image.package, tag);
    if (holder && holder.digest !== image.digest) this.untag(repository, holder, tag);
    if (!image.tags.includes(tag)) this.putImage(repository, { ...image, tags: [...image.tags, tag], updateTime: this.now() });
  }

  untag(repository: Repository, image: Image, tag: string): void {
    this.putImage(repository, { ...image, tags: image.tags.filter((each) => each !== tag), updateTime: this.now() });
  }

  blob({ name }: Repository, digest: string): Buffer | undefined {
    const data = this.store.get<string>(BLOB, `${name}@${digest}`);
    return data === undefined ? undefined : Buffer.from(data, "base64");
  }

  putBlob({ name }: Repository, data: Buffer): void {
    this.store.put(BLOB, `${name}@${digestOf(data)}`, data.toString("base64"));
  }

  beginUpload({ name }: Repository, uploadId: string): void {
    this.store.put(UPLOAD, `${name}@${uploadId}`, { received: 0 });
  }

  /** Bytes that have come so far; undefined for an upload that was not begun. */
  received({ name }: Repository, uploadId: string): number | undefined {
    return this.store.get<{ received: number }>(UPLOAD, `${name}@${uploadId}`)?.received;
  }

  addPart({ name }: Repository, uploadId: string, firstByte: number, data: Buffer): void {
    const id = `${name}@${uploadId}`;
    this.store.put(UPLOAD_PART, `${id}/${firstByte}`, data.toString("base64"));
    this.store.put(UPLOAD, id, { received: firstByte + data.length });
  }

  /** All bytes of an upload, which ends. */
  takeUpload({ name }: Repository, uploadId: string): Buffer {
    const prefix = `${name}@${uploadId}/`;
    const parts = this.store.list<string>(UPLOAD_PART).filter(({ id }) => id.startsWith(prefix));
    for (const { id } of parts) this.store.delete(UPLOAD_PART, id);
    this.store.delete(UPLOAD, `${name}@${uploadId}`);
    const first = (id: string): number => Number(id.slice(prefix.length));
    return Buffer.concat(parts.sort((a, b) => first(a.id) - first(b.id)).map(({ value }) => Buffer.from(value, "base64")));
  }
}
