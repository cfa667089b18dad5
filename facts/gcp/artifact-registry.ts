/** Artifact Registry's formats, places and refusals, as data. Texts are hints: Google changes them; codes are the contract. */
import type { Grade } from "../rules.js";
import { bucketLocations } from "./storage.js";

const docs = "https://cloud.google.com/artifact-registry/docs";

export const ARTIFACT_REGISTRY_LIMITS = {
  repositoryId: { min: 1, max: 63, pattern: /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, source: `${docs}/reference/rest/v1/projects.locations.repositories/create`, grade: "documented" },
  /** Items of a page, also where the request asks for more. */
  page: { min: 1, max: 1000, source: `${docs}/reference/rest/v1/projects.locations.repositories/list`, grade: "documented" },
} as const satisfies Record<string, { min: number; max: number; pattern?: RegExp; source: string; grade: Grade }>;

/** https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories#format */
export const repositoryFormats = ["APT", "DOCKER", "GENERIC", "GO", "GOOGET", "KFP", "MAVEN", "NPM", "PYTHON", "RUBY", "YUM"] as const;
export const repositoryModes = ["STANDARD_REPOSITORY", "VIRTUAL_REPOSITORY", "REMOTE_REPOSITORY"] as const;

/** Every region, and three multi-regions. https://cloud.google.com/artifact-registry/docs/repositories/repo-locations */
export const repositoryLocations: readonly string[] = [
  ...[...bucketLocations].flatMap(([name, type]) => (type === "region" ? [name.toLowerCase()] : [])),
  "asia",
  "europe",
  "us",
];

/** User names that go with an access token. https://cloud.google.com/artifact-registry/docs/docker/authentication */
export const registryUsers: readonly string[] = ["oauth2accesstoken", "_dcgcloud_token"];
/** Seconds that a token of the registry's own lasts at most. */
export const REGISTRY_TOKEN_SECONDS = 3600;

export const artifactPermissions = { push: "artifactregistry.repositories.uploadArtifacts", pull: "artifactregistry.repositories.downloadArtifacts", delete: "artifactregistry.repositories.deleteArtifacts" } as const;
export type ArtifactPermission = (typeof artifactPermissions)[keyof typeof artifactPermissions];

interface RegistryRefusal {
  httpStatus: number;
  /** Of the registry protocol. */
  code: string;
  message: string;
  grade: Grade;
}

/** How the registry for container clients refuses. https://cloud.google.com/artifact-registry/docs/troubleshooting */
export const registryRefusals = {
  unauthenticated: () => ({ httpStatus: 401, code: "UNAUTHORIZED", message: "Authentication required", grade: "inferred" }),
  credentialsInvalid: () => ({ httpStatus: 401, code: "UNAUTHORIZED", message: "authentication failed", grade: "inferred" }),
  denied: (permission: string, repository: string) => ({
    httpStatus: 403,
    code: "DENIED",
    message: `Permission "${permission}" denied on resource "${repository}" (or it may not exist)`,
    grade: "live",
  }),
  anonymous: (permission: string, repository: string) => ({
    httpStatus: 403,
    code: "DENIED",
    message: `Unauthenticated request. Unauthenticated requests do not have permission "${permission}" on resource "${repository}" (or it may not exist)`,
    grade: "live",
  }),
  repositoryMissing: (repositoryId: string) => ({ httpStatus: 404, code: "NAME_UNKNOWN", message: `Repository "${repositoryId}" not found`, grade: "live" }),
  formatDiffers: (repository: string) => ({ httpStatus: 400, code: "NAME_INVALID", message: `Repository "${repository}" is not of format DOCKER`, grade: "inferred" }),
  nameInvalid: () => ({ httpStatus: 400, code: "NAME_INVALID", message: "Missing image name. Pushes should be of the form docker push HOST-NAME/PROJECT-ID/REPOSITORY/IMAGE", grade: "live" }),
  apiDisabled: (message: string) => ({ httpStatus: 403, code: "DENIED", message, grade: "documented" }),
  tagImmutable: (tag: string) => ({ httpStatus: 400, code: "MANIFEST_INVALID", message: `cannot update tag ${tag}. The repository has enabled tag immutability`, grade: "inferred" }),
  manifestInvalid: () => ({ httpStatus: 400, code: "MANIFEST_INVALID", message: "manifest invalid", grade: "documented" }),
  manifestBlobUnknown: (digest: string) => ({ httpStatus: 400, code: "MANIFEST_BLOB_UNKNOWN", message: `Failed to fetch "${digest}"`, grade: "inferred" }),
  digestDiffers: () => ({ httpStatus: 400, code: "DIGEST_INVALID", message: "provided digest did not match uploaded content", grade: "documented" }),
  uploadUnknown: () => ({ httpStatus: 404, code: "BLOB_UPLOAD_UNKNOWN", message: "blob upload unknown to registry", grade: "documented" }),
  notPlayed: (mode: string) => ({ httpStatus: 501, code: "UNSUPPORTED", message: `The sandbox does not play images of a ${mode}; use a standard repository.`, grade: "inferred" }),
} as const satisfies Record<string, (...values: never[]) => RegistryRefusal>;

/** https://cloud.google.com/artifact-registry/docs/troubleshooting */
export const artifactTexts = {
  repositoryExists: "the repository already exists",
  notFound: "Requested entity was not found.",
  invalid: "Request contains an invalid argument.",
  locationDenied: (location: string) => `Location ${location} is not found or access is unauthorized.`,
  tagImmutable: (tag: string) => `cannot update tag ${tag}. The repository has enabled tag immutability`,
  versionTagged: (version: string) => `version ${version} is tagged; delete its tags first or force the deletion`,
} as const;
