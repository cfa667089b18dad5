/** Amazon ECR's limits, formats and refusals, as data. Texts are hints: AWS changes them; codes are the contract. */
import { textRules } from "./limits.js";
import type { Grade } from "../rules.js";
import { actionsOf } from "./permissions.js";

const api = "https://docs.aws.amazon.com/AmazonECR/latest/APIReference";
const userGuide = "https://docs.aws.amazon.com/AmazonECR/latest/userguide";

export const ECR_LIMITS = {
  repositoryName: textRules.ecrRepositoryName,
  /** Characters. */
  policyText: { min: 0, max: 10_240, source: `${api}/API_SetRepositoryPolicy.html`, grade: "documented" },
  lifecyclePolicyText: { min: 100, max: 30_720, source: `${api}/API_PutLifecyclePolicy.html`, grade: "documented" },
  imageTag: { min: 1, max: 300, source: `${api}/API_ImageIdentifier.html`, grade: "documented" },
  imageManifest: { min: 1, max: 4_194_304, source: `${api}/API_PutImage.html`, grade: "documented" },
  /** Bytes of one part of a layer. */
  layerPart: { min: 0, max: 20_971_520, source: `${api}/API_UploadLayerPart.html`, grade: "documented" },
  tags: { min: 0, max: 50, source: `${userGuide}/ecr-using-tags.html`, grade: "documented" },
} as const satisfies Record<string, { min: number; max: number; pattern?: RegExp; source: string; grade: Grade }>;

/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_AuthorizationData.html */
export const AUTHORIZATION_TOKEN_HOURS = 12;
/** The user name that goes with an authorization token. https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html */
export const REGISTRY_USER = "AWS";
/** Bytes that one part of a layer has when the client cuts it as ECR proposes. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html */
export const PROPOSED_PART_BYTES = 20_971_520;

/** With the last two, tags that match a filter are the other way about. https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html */
export const tagMutabilities = ["MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"] as const;
export type TagMutability = (typeof tagMutabilities)[number];

export const encryptionTypes = ["AES256", "KMS", "KMS_DSSE"] as const;

/** What Lambda must be allowed by the repository's policy. https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#gettingstarted-images-permissions */
export const imagePullActions: readonly string[] = actionsOf("lambda-image-pull");

/** Media types of manifests that list other manifests. https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html */
export const manifestListTypes: readonly string[] = ["application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json"];
export const manifestTypes: readonly string[] = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  ...manifestListTypes,
];

export interface EcrRefusal {
  code: string;
  message: string;
  grade: Grade;
}

const registryOf = (name: string, registryId: string): string => `the repository with name '${name}' in registry with id '${registryId}'`;

/** How ECR refuses; all with status 400. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html */
export const ecrRefusals = {
  repositoryMissing: (name: string, registryId: string) => ({
    code: "RepositoryNotFoundException",
    message: `The repository with name '${name}' does not exist in the registry with id '${registryId}'`,
    grade: "documented",
  }),
  repositoryExists: (name: string, registryId: string) => ({
    code: "RepositoryAlreadyExistsException",
    message: `The repository with name '${name}' already exists in the registry with id '${registryId}'`,
    grade: "documented",
  }),
  repositoryNotEmpty: (name: string, registryId: string) => ({
    code: "RepositoryNotEmptyException",
    message: `The repository with name '${name}' in registry with id '${registryId}' cannot be deleted because it still contains images`,
    grade: "documented",
  }),
  policyMissing: (name: string, registryId: string) => ({
    code: "RepositoryPolicyNotFoundException",
    message: `Repository policy does not exist for ${registryOf(name, registryId)}`,
    grade: "documented",
  }),
  policyInvalid: () => ({
    code: "InvalidParameterException",
    message: "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
    grade: "documented",
  }),
  policyLocksOut: () => ({
    code: "InvalidParameterException",
    message: "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'The new repository policy will not allow you to update the repository policy in the future'",
    grade: "inferred",
  }),
  lifecyclePolicyMissing: (name: string, registryId: string) => ({
    code: "LifecyclePolicyNotFoundException",
    message: `Lifecycle policy does not exist for ${registryOf(name, registryId)}`,
    grade: "documented",
  }),
  lifecyclePolicyInvalid: (problem: string) => ({
    code: "InvalidParameterException",
    message: `Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ${problem}'`,
    grade: "inferred",
  }),
  imageExists: (digest: string, tag: string | undefined, name: string, registryId: string) => ({
    code: "ImageAlreadyExistsException",
    message: `Image with digest '${digest}'${tag === undefined ? "" : ` and tag '${tag}'`} already exists in ${registryOf(name, registryId)}`,
    grade: "documented",
  }),
  tagImmutable: (tag: string, name: string) => ({
    code: "ImageTagAlreadyExistsException",
    message: `The image tag '${tag}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`,
    grade: "documented",
  }),
  imageMissing: (image: string, name: string, registryId: string) => ({
    code: "ImageNotFoundException",
    message: `The image with imageId ${image} does not exist within the repository with name '${name}' in the registry with id '${registryId}'`,
    grade: "documented",
  }),
  layersMissing: (digests: readonly string[], name: string, registryId: string) => ({
    code: "LayersNotFoundException",
    message: `Layers with digests '[${digests.join(", ")}]' required for pushing image into repository with name '${name}' in the registry with id '${registryId}' do not exist`,
    grade: "documented",
  }),
  referencedMissing: (digests: readonly string[], name: string, registryId: string) => ({
    code: "ReferencedImagesNotFoundException",
    message: `Images with digests '[${digests.join(", ")}]' required for pushing image into repository with name '${name}' in the registry with id '${registryId}' do not exist`,
    grade: "documented",
  }),
  digestMismatch: (given: string, computed: string) => ({
    code: "ImageDigestDoesNotMatchException",
    message: `The specified image digest '${given}' does not match the digest '${computed}' of the image manifest`,
    grade: "inferred",
  }),
  manifestInvalid: () => ({
    code: "InvalidParameterException",
    message: "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
    grade: "documented",
  }),
  manifestUnsupported: (type: string) => ({
    code: "InvalidParameterException",
    message: `Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Unsupported image manifest media type ${type}'`,
    grade: "inferred",
  }),
  layerMissing: (digest: string, name: string, registryId: string) => ({
    code: "LayersNotFoundException",
    message: `The layer with digest '${digest}' does not exist in ${registryOf(name, registryId)}`,
    grade: "inferred",
  }),
  layerExists: (digest: string, name: string, registryId: string) => ({
    code: "LayerAlreadyExistsException",
    message: `Layer with digest '${digest}' already exists in ${registryOf(name, registryId)}`,
    grade: "documented",
  }),
  layerInvalid: (computed: string, given: readonly string[]) => ({
    code: "InvalidLayerException",
    message: `The digest '${computed}' of the uploaded layer is none of those given: ${given.join(", ")}`,
    grade: "inferred",
  }),
  uploadMissing: (uploadId: string, name: string, registryId: string) => ({
    code: "UploadNotFoundException",
    message: `An upload with id '${uploadId}' could not be found in ${registryOf(name, registryId)}`,
    grade: "inferred",
  }),
  uploadEmpty: (uploadId: string, name: string, registryId: string) => ({
    code: "EmptyUploadException",
    message: `The upload with id '${uploadId}' in ${registryOf(name, registryId)} has no parts`,
    grade: "inferred",
  }),
  partInvalid: (expected: number, given: number) => ({
    code: "InvalidLayerPartException",
    message: `The part begins at byte ${given}; the upload goes on at byte ${expected}`,
    grade: "inferred",
  }),
} as const satisfies Record<string, (...values: never[]) => EcrRefusal>;

/**
 * Which of the registry protocol's errors stands for a refusal, and with which status.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html and https://distribution.github.io/distribution/spec/api/#errors
 */
export const registryErrors: Readonly<Record<string, { status: number; code: string }>> = {
  AccessDeniedException: { status: 403, code: "DENIED" },
  EmptyUploadException: { status: 400, code: "BLOB_UPLOAD_INVALID" },
  ImageDigestDoesNotMatchException: { status: 400, code: "DIGEST_INVALID" },
  ImageNotFoundException: { status: 404, code: "MANIFEST_UNKNOWN" },
  ImageTagAlreadyExistsException: { status: 400, code: "TAG_INVALID" },
  InvalidLayerException: { status: 400, code: "DIGEST_INVALID" },
  InvalidLayerPartException: { status: 416, code: "BLOB_UPLOAD_INVALID" },
  InvalidParameterException: { status: 400, code: "MANIFEST_INVALID" },
  LayersNotFoundException: { status: 404, code: "BLOB_UNKNOWN" },
  ReferencedImagesNotFoundException: { status: 404, code: "MANIFEST_UNKNOWN" },
  RepositoryNotFoundException: { status: 404, code: "NAME_UNKNOWN" },
  UploadNotFoundException: { status: 404, code: "BLOB_UPLOAD_UNKNOWN" },
};
