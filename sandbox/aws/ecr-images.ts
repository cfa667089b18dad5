/** Images of ECR's repositories: manifests with digests and tags. */
import * as z from "zod";
import { ECR_LIMITS, ecrRefusals, manifestListTypes, manifestTypes } from "../../facts/aws/ecr.js";
import { digestOf } from "../registry.js";
import type { Clock } from "../types.js";
import { type EcrAccess, named, namesOf, operation, refuse } from "./ecr-access.js";
import type { EcrStore, Image, Repository } from "./ecr-store.js";
import { list, text } from "./members.js";
import type { Operation } from "./service.js";

const imageTag = text(ECR_LIMITS.imageTag);
const imageId = z.object({ imageDigest: z.string().optional(), imageTag: imageTag.optional() });
type ImageId = z.output<typeof imageId>;
const imageIds = z.array(imageId).min(1).max(100);
const paging = { nextToken: z.string().optional(), maxResults: z.number().int().min(1).max(1000).optional() };
const filter = z.object({ tagStatus: z.enum(["TAGGED", "UNTAGGED", "ANY"]).optional() }).optional();

const described = z.object({ digest: z.string(), size: z.number().optional() });
/** The part of a manifest that names other content. */
const manifestShape = z.object({
  mediaType: z.string().optional(),
  config: described.optional(),
  layers: z.array(described).optional(),
  manifests: z.array(described).optional(),
});
type Manifest = z.output<typeof manifestShape>;

/** The manifest of an image or a list. Throws `InvalidParameterException`. */
function readManifest(document: string): Manifest {
  try {
    return manifestShape.parse(JSON.parse(document));
  } catch {
    throw refuse(ecrRefusals.manifestInvalid());
  }
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html */
export function isImmutable({ tagMutability, exclusionFilters }: Repository, tag: string): boolean {
  const excluded = exclusionFilters.some((wildcard) => new RegExp(`^${wildcard.split("*").map((part) => part.replaceAll(".", "\\.")).join(".*")}$`).test(tag));
  return tagMutability.startsWith("IMMUTABLE") !== (tagMutability.endsWith("_WITH_EXCLUSION") && excluded);
}

function tagStatusMatches(image: Image, status: string | undefined): boolean {
  if (status === "TAGGED") return image.tags.length > 0;
  return status !== "UNTAGGED" || image.tags.length === 0;
}

export function imageOperations(clock: Clock, store: EcrStore, access: EcrAccess): Record<string, Operation> {
  function requireContent(repository: Repository, manifest: Manifest): void {
    const digests = [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])].map((each) => each.digest);
    const missing = digests.filter((each) => !store.layer(repository, each));
    if (missing.length > 0) throw refuse(ecrRefusals.layersMissing(missing, repository.name, repository.registryId));
    const images = (manifest.manifests ?? []).map((each) => each.digest).filter((each) => !store.image(repository, each));
    if (images.length > 0) throw refuse(ecrRefusals.referencedMissing(images, repository.name, repository.registryId));
  }

  /** The tag leaves the image that has it. */
  function free(repository: Repository, tag: string): void {
    const holder = store.imageByTag(repository, tag);
    if (holder) store.putImage(repository, { ...holder, tags: holder.tags.filter((each) => each !== tag) });
  }

  function find(repository: Repository, { imageDigest, imageTag: tag }: ImageId): Image | { failureCode: string; failureReason: string } {
    if (imageDigest === undefined && tag === undefined) return { failureCode: "MissingDigestAndTag", failureReason: "Invalid request parameters: both tag and digest cannot be null" };
    const image = imageDigest === undefined ? store.imageByTag(repository, tag ?? "") : store.image(repository, imageDigest);
    if (!image) return { failureCode: "ImageNotFound", failureReason: "Requested image not found" };
    if (tag !== undefined && !image.tags.includes(tag)) return { failureCode: "ImageTagDoesNotMatchDigest", failureReason: "The image tag does not match the image digest" };
    return image;
  }

  function shown(repository: Repository, image: Image, tag?: string): object {
    const names = { imageDigest: image.digest, ...(tag !== undefined && { imageTag: tag }) };
    return { ...namesOf(repository), imageId: names, imageManifest: image.manifest, imageManifestMediaType: image.mediaType };
  }

  function described(repository: Repository, image: Image): object {
    return {
      ...namesOf(repository),
      imageDigest: image.digest,
      ...(image.tags.length > 0 && { imageTags: image.tags }),
      imageSizeInBytes: image.size,
      imagePushedAt: new Date(image.pushedAt),
      imageManifestMediaType: image.mediaType,
      imageStatus: "ACTIVE",
    };
  }

  /** By digest the whole image, by tag that tag; an image without tags goes too. */
  function remove(repository: Repository, image: Image, { imageDigest, imageTag: tag }: ImageId): object[] {
    if (imageDigest === undefined && image.tags.length > 1) {
      free(repository, tag ?? "");
      return [{ imageDigest: image.digest, imageTag: tag }];
    }
    store.deleteImage(repository, image.digest);
    return image.tags.length === 0 ? [{ imageDigest: image.digest }] : image.tags.map((each) => ({ imageDigest: image.digest, imageTag: each }));
  }

  return {
    PutImage: operation(
      z.object({ ...named, imageManifest: text(ECR_LIMITS.imageManifest), imageManifestMediaType: z.string().optional(), imageTag: imageTag.optional(), imageDigest: z.string().optional() }),
      (input, request) => {
        const repository = access.open(request, input, "PutImage");
        const { imageManifest, imageTag: tag } = input;
        const manifest = readManifest(imageManifest);
        const mediaType = input.imageManifestMediaType ?? manifest.mediaType ?? manifestTypes[0] ?? "";
        if (!manifestTypes.includes(mediaType)) throw refuse(ecrRefusals.manifestUnsupported(mediaType));
        const digest = digestOf(imageManifest);
        if (input.imageDigest !== undefined && input.imageDigest !== digest) throw refuse(ecrRefusals.digestMismatch(input.imageDigest, digest));
        requireContent(repository, manifest);
        const before = store.image(repository, digest);
        if (before && (tag === undefined || before.tags.includes(tag))) throw refuse(ecrRefusals.imageExists(digest, tag, repository.name, repository.registryId));
        if (tag !== undefined) {
          if (isImmutable(repository, tag) && store.imageByTag(repository, tag)) throw refuse(ecrRefusals.tagImmutable(tag, repository.name));
          free(repository, tag);
        }
        const size = [manifest.config, ...(manifest.layers ?? [])].reduce((sum, each) => sum + (each?.size ?? 0), 0);
        const kept = before ?? { digest, manifest: imageManifest, mediaType, tags: [], size, pushedAt: clock.now().toISOString() };
        const image: Image = { ...kept, tags: tag === undefined ? kept.tags : [...kept.tags, tag] };
        store.putImage(repository, image);
        return { image: shown(repository, image, tag) };
      },
    ),
    BatchGetImage: operation(z.object({ ...named, imageIds, acceptedMediaTypes: z.array(z.string()).optional() }), (input, request) => {
      const repository = access.open(request, input, "BatchGetImage");
      const found = input.imageIds.map((id) => ({ id, image: find(repository, id) }));
      return {
        images: found.flatMap(({ id, image }) => ("digest" in image ? [shown(repository, image, id.imageTag)] : [])),
        failures: found.flatMap(({ id, image }) => ("digest" in image ? [] : [{ imageId: id, ...image }])),
      };
    }),
    DescribeImages: operation(z.object({ ...named, ...paging, imageIds: imageIds.optional(), filter }), (input, request) => {
      const repository = access.open(request, input, "DescribeImages");
      if (!input.imageIds) {
        const { items, nextToken } = page(store.images(repository).filter((image) => tagStatusMatches(image, input.filter?.tagStatus)), input);
        return { imageDetails: items.map((image) => described(repository, image)), ...nextToken };
      }
      const imageDetails = input.imageIds.map((id) => {
        const image = find(repository, id);
        if ("digest" in image) return described(repository, image);
        const name = `{imageDigest:'${id.imageDigest ?? "null"}', imageTag:'${id.imageTag ?? "null"}'}`;
        throw refuse(ecrRefusals.imageMissing(name, repository.name, repository.registryId));
      });
      return { imageDetails };
    }),
    ListImages: operation(z.object({ ...named, ...paging, filter }), (input, request) => {
      const repository = access.open(request, input, "ListImages");
      const ids = store
        .images(repository)
        .filter((image) => tagStatusMatches(image, input.filter?.tagStatus))
        .flatMap(({ digest, tags }) => (tags.length === 0 ? [{ imageDigest: digest }] : tags.map((each) => ({ imageDigest: digest, imageTag: each }))));
      const { items, nextToken } = page<object>(ids, input);
      return { imageIds: items, ...nextToken };
    }),
    BatchDeleteImage: operation(z.object({ ...named, imageIds: list(imageId, { min: 1, max: 100 }) }), (input, request) => {
      const repository = access.open(request, input, "BatchDeleteImage");
      const removed: object[] = [];
      const failures: object[] = [];
      for (const id of input.imageIds) {
        const image = find(repository, id);
        const referenced = "digest" in image && store.images(repository).some(({ mediaType, manifest }) => manifestListTypes.includes(mediaType) && manifest.includes(image.digest));
        if (!("digest" in image)) failures.push({ imageId: id, ...image });
        else if (referenced) failures.push({ imageId: id, failureCode: "ImageReferencedByManifestList", failureReason: "Requested image referenced by manifest list" });
        else removed.push(...remove(repository, image, id));
      }
      return { imageIds: removed, failures };
    }),
  };
}

/** A part of a list; the token is where the next one begins. */
export function page<T>(items: readonly T[], { nextToken, maxResults = 100 }: { nextToken?: string | undefined; maxResults?: number | undefined }): { items: T[]; nextToken: { nextToken?: string } } {
  const first = nextToken === undefined ? 0 : Number(Buffer.from(nextToken, "base64").toString("utf8"));
  if (!Number.isInteger(first)) throw refuse({ code: "InvalidParameterException", message: "Invalid parameter at 'nextToken' failed to satisfy constraint: 'must be a token of an earlier answer'", grade: "inferred" });
  const end = first + maxResults;
  return { items: items.slice(first, end), nextToken: end < items.length ? { nextToken: Buffer.from(String(end)).toString("base64") } : {} };
}
