/** What Amazon ECR keeps: repositories, their policies, layers, uploads under way and images. */
import type { TagMutability } from "../../facts/aws/ecr.js";
import { digestOf } from "../registry.js";
import type { ResourceStore } from "../types.js";

export interface EcrTag {
  Key: string;
  Value: string;
}

export interface Repository {
  arn: string;
  registryId: string;
  region: string;
  name: string;
  uri: string;
  /** ISO 8601, as all times here. */
  createdAt: string;
  tagMutability: TagMutability;
  /** Wildcards of the tags that are the other way about. */
  exclusionFilters: string[];
  scanOnPush: boolean;
  encryption: { encryptionType: string; kmsKey?: string };
  lifecyclePolicy?: string;
  tags: EcrTag[];
}

export interface Image {
  digest: string;
  manifest: string;
  mediaType: string;
  tags: string[];
  pushedAt: string;
  /** Of config and layers, in bytes. */
  size: number;
}

export interface Layer {
  digest: string;
  size: number;
  /** Base64. */
  data: string;
}

interface Upload {
  received: number;
}

const REPOSITORY = "aws:ecr/repository";
const POLICY = "aws:ecr/repository-policy";
const IMAGE = "aws:ecr/image";
const LAYER = "aws:ecr/layer";
const UPLOAD = "aws:ecr/upload";
const UPLOAD_PART = "aws:ecr/upload-part";
export const ECR_TYPES = [REPOSITORY, POLICY, IMAGE, LAYER, UPLOAD, UPLOAD_PART];

export class EcrStore {
  constructor(private readonly store: ResourceStore) {}

  repository(registryId: string, region: string, name: string): Repository | undefined {
    return this.store.get<Repository>(REPOSITORY, `${registryId}/${region}/${name}`);
  }

  repositories(registryId: string, region: string): Repository[] {
    return this.store
      .list<Repository>(REPOSITORY)
      .map(({ value }) => value)
      .filter((each) => each.registryId === registryId && each.region === region)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  putRepository(repository: Repository): void {
    this.store.put(REPOSITORY, repositoryId(repository), repository);
  }

  deleteRepository(repository: Repository): void {
    for (const type of [IMAGE, LAYER, UPLOAD, UPLOAD_PART]) {
      for (const { id } of this.store.list(type)) if (id.startsWith(`${repositoryId(repository)}@`)) this.store.delete(type, id);
    }
    this.store.delete(POLICY, repositoryId(repository), { propagates: true });
    this.store.delete(REPOSITORY, repositoryId(repository));
  }

  /** With principals by unique id. `effective` is what enforcement sees now. */
  policy(repository: Repository, view: "get" | "effective" = "get"): string | undefined {
    return this.store[view]<string>(POLICY, repositoryId(repository));
  }

  putPolicy(repository: Repository, document: string): void {
    this.store.put(POLICY, repositoryId(repository), document, { propagates: true });
  }

  deletePolicy(repository: Repository): void {
    this.store.delete(POLICY, repositoryId(repository), { propagates: true });
  }

  image(repository: Repository, digest: string): Image | undefined {
    return this.store.get<Image>(IMAGE, `${repositoryId(repository)}@${digest}`);
  }

  imageByTag(repository: Repository, tag: string): Image | undefined {
    return this.images(repository).find(({ tags }) => tags.includes(tag));
  }

  images(repository: Repository): Image[] {
    const prefix = `${repositoryId(repository)}@`;
    return this.store.list<Image>(IMAGE).flatMap(({ id, value }) => (id.startsWith(prefix) ? [value] : []));
  }

  putImage(repository: Repository, image: Image): void {
    this.store.put(IMAGE, `${repositoryId(repository)}@${image.digest}`, image);
  }

  deleteImage(repository: Repository, digest: string): void {
    this.store.delete(IMAGE, `${repositoryId(repository)}@${digest}`);
  }

  layer(repository: Repository, digest: string): Layer | undefined {
    return this.store.get<Layer>(LAYER, `${repositoryId(repository)}@${digest}`);
  }

  putLayer(repository: Repository, data: Buffer): Layer {
    const layer: Layer = { digest: digestOf(data), size: data.length, data: data.toString("base64") };
    this.store.put(LAYER, `${repositoryId(repository)}@${layer.digest}`, layer);
    return layer;
  }

  beginUpload(repository: Repository, uploadId: string): void {
    this.store.put(UPLOAD, `${repositoryId(repository)}@${uploadId}`, { received: 0 } satisfies Upload);
  }

  /** Bytes that have come so far; undefined for an upload that was not begun. */
  received(repository: Repository, uploadId: string): number | undefined {
    return this.store.get<Upload>(UPLOAD, `${repositoryId(repository)}@${uploadId}`)?.received;
  }

  addPart(repository: Repository, uploadId: string, firstByte: number, data: Buffer): void {
    const id = `${repositoryId(repository)}@${uploadId}`;
    this.store.put(UPLOAD_PART, `${id}/${firstByte}`, data.toString("base64"));
    this.store.put(UPLOAD, id, { received: firstByte + data.length } satisfies Upload);
  }

  /** All bytes of an upload. */
  uploaded(repository: Repository, uploadId: string): Buffer {
    return Buffer.concat(this.#parts(repository, uploadId).map(({ value }) => Buffer.from(value, "base64")));
  }

  endUpload(repository: Repository, uploadId: string): void {
    for (const { id } of this.#parts(repository, uploadId)) this.store.delete(UPLOAD_PART, id);
    this.store.delete(UPLOAD, `${repositoryId(repository)}@${uploadId}`);
  }

  #parts(repository: Repository, uploadId: string): { id: string; value: string }[] {
    const prefix = `${repositoryId(repository)}@${uploadId}/`;
    const first = (id: string): number => Number(id.slice(prefix.length));
    return this.store
      .list<string>(UPLOAD_PART)
      .filter(({ id }) => id.startsWith(prefix))
      .sort((a, b) => first(a.id) - first(b.id));
  }
}

function repositoryId({ registryId, region, name }: Pick<Repository, "registryId" | "region" | "name">): string {
  return `${registryId}/${region}/${name}`;
}
