/** Repositories of a registry by the protocol of container clients. */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { MANIFEST_BYTES, type RepositoryRight, registryRefusals } from "../../facts/azure/container-registry.js";
import { type RegistryRepository, digestOf } from "../registry.js";
import type { SandboxCore } from "../types.js";
import { refuse } from "./container-registry-access.js";
import type { RegistryContent, StoredManifest } from "./container-registry-store.js";

const content = z.object({ mediaType: z.string().optional(), digest: z.string(), size: z.number().optional() });
const manifestForm = z.object({ mediaType: z.string().optional(), config: content.optional(), layers: z.array(content).optional(), manifests: z.array(content).optional() });

export interface RepositoryParts {
  core: SandboxCore;
  content: RegistryContent;
  name: string;
  /** Throws where the right is missing. */
  readonly require: (right: RepositoryRight) => void;
}

export function repositoryOf({ core, content: kept, name, require }: RepositoryParts): RegistryRepository {
  const may = async (operation: string, right: RepositoryRight): Promise<void> => {
    await core.enter(`acr:${operation}`);
    require(right);
  };
  const uploaded = (uploadId: string): Buffer => {
    const data = kept.upload(name, uploadId);
    if (!data) throw refuse(registryRefusals.uploadUnknown());
    return data;
  };
  return {
    name,
    blob: async (digest) => {
      await may("GetBlob", "pull");
      return kept.blob(name, digest);
    },
    beginUpload: async () => {
      await may("StartUpload", "push");
      const uploadId = randomUUID();
      kept.beginUpload(name, uploadId);
      return uploadId;
    },
    received: (uploadId) => kept.upload(name, uploadId)?.length ?? 0,
    addPart: async (uploadId, _firstByte, data) => {
      await may("UploadBlob", "push");
      uploaded(uploadId);
      kept.addPart(name, uploadId, data);
    },
    completeUpload: async (uploadId, digest) => {
      await may("CompleteUpload", "push");
      const data = uploaded(uploadId);
      kept.endUpload(name, uploadId);
      if (digestOf(data) !== digest) throw refuse(registryRefusals.digestDiffers());
      kept.putBlob(name, data);
    },
    putManifest: async (reference, document, mediaType) => {
      await may("PutManifest", "push");
      putManifest(kept, name, reference, document, mediaType);
    },
    manifest: async (reference) => {
      await may("GetManifest", "pull");
      return kept.manifest(name, reference);
    },
    deleteManifest: async (reference) => {
      await may("DeleteManifest", "delete");
      if (!reference.startsWith("sha256:")) throw refuse(registryRefusals.tagDeletion());
      const found = kept.manifest(name, reference);
      if (!found) throw refuse(registryRefusals.manifestMissing(reference));
      kept.deleteManifest(found);
    },
    tags: async () => {
      await may("ListTags", "metadata_read");
      const tags = kept.tags(name);
      if (tags.length === 0 && kept.manifests(name).length === 0) throw refuse(registryRefusals.repositoryMissing(name));
      return tags.map((tag) => tag.name);
    },
  };
}

function putManifest(kept: RegistryContent, repository: string, reference: string, document: Buffer, mediaType: string | undefined): void {
  const manifest = readManifest(document);
  const digest = digestOf(document);
  const byDigest = reference.startsWith("sha256:");
  if (byDigest && reference !== digest) throw refuse(registryRefusals.digestDiffers());
  const described = [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])];
  const missing = described.find((each) => kept.blob(repository, each.digest) === undefined) ?? manifest.manifests?.find((each) => !kept.manifest(repository, each.digest));
  if (missing) throw refuse(registryRefusals.manifestBlobUnknown(missing.digest));
  const { architecture, os } = imageConfig(kept, repository, manifest.config?.digest);
  const stored: Omit<StoredManifest, "createdTime" | "lastUpdateTime"> = {
    repository,
    digest,
    document: document.toString("utf8"),
    mediaType: mediaType ?? manifest.mediaType ?? "application/vnd.docker.distribution.manifest.v2+json",
    imageSize: described.reduce((sum, { size = 0 }) => sum + size, 0),
    ...(architecture !== undefined && { architecture }),
    ...(os !== undefined && { os }),
    ...(manifest.config?.mediaType !== undefined && { configMediaType: manifest.config.mediaType }),
  };
  kept.putManifest(stored);
  if (!byDigest) kept.putTag(repository, reference, digest);
}

function readManifest(document: Buffer): z.output<typeof manifestForm> {
  if (document.length > MANIFEST_BYTES) throw refuse(registryRefusals.manifestInvalid());
  try {
    return manifestForm.parse(JSON.parse(document.toString("utf8")));
  } catch {
    throw refuse(registryRefusals.manifestInvalid());
  }
}

/** What an image says of itself. https://github.com/opencontainers/image-spec/blob/main/config.md */
export interface ImageConfig {
  architecture?: string;
  os?: string;
  config?: { Labels?: Record<string, string> | null; ExposedPorts?: Record<string, unknown> | null };
}

/** Empty for what is no image's config. */
export function imageConfig(kept: RegistryContent, repository: string, digest: string | undefined): ImageConfig {
  const blob = digest === undefined ? undefined : kept.blob(repository, digest);
  try {
    return blob ? (JSON.parse(blob.toString("utf8")) as ImageConfig) : {};
  } catch {
    return {};
  }
}
