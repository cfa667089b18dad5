/** Cloud Build's limits, builders and refusals, as data. Texts are hints: Google changes them; codes are the contract. */
import type { Grade } from "../rules.js";

const docs = "https://cloud.google.com/build/docs";

interface Limit {
  max: number;
  source: string;
  grade: Grade;
}

const quotas = { source: "https://cloud.google.com/build/quotas", grade: "documented" } as const;

export const CLOUD_BUILD_LIMITS = {
  steps: { max: 300, ...quotas },
  argumentsPerStep: { max: 100, ...quotas },
  images: { max: 100, ...quotas },
  substitutions: { max: 200, ...quotas },
  /** Seconds. */
  timeout: { max: 86_400, source: `${docs}/build-config-file-schema#timeout`, grade: "documented" },
  page: { max: 1000, source: `${docs}/api/reference/rest/v1/projects.builds/list`, grade: "documented" },
} as const satisfies Record<string, Limit>;

/** Seconds that a build may take unless it says otherwise. https://cloud.google.com/build/docs/build-config-file-schema#timeout */
export const DEFAULT_BUILD_TIMEOUT_SECONDS = 3600;
/** Seconds that a build waits for a worker at most. */
export const QUEUE_TTL_SECONDS = 3600;

/** https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#Build.Status */
export const buildStatuses = ["QUEUED", "WORKING", "SUCCESS", "FAILURE", "INTERNAL_ERROR", "TIMEOUT", "CANCELLED", "EXPIRED"] as const;
export type BuildStatus = (typeof buildStatuses)[number];

/** https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#LoggingMode */
export const loggingModes = ["LOGGING_UNSPECIFIED", "LEGACY", "GCS_ONLY", "STACKDRIVER_ONLY", "CLOUD_LOGGING_ONLY", "NONE"] as const;
export type LoggingMode = (typeof loggingModes)[number];

/** Modes with which a build needs no bucket of its own for its log. */
export const BUCKETLESS_LOGGING: readonly LoggingMode[] = ["STACKDRIVER_ONLY", "CLOUD_LOGGING_ONLY", "NONE"];
export const REGIONAL_USER_OWNED_BUCKET = "REGIONAL_USER_OWNED_BUCKET";

/** Substitutions that every build has, or has when a trigger started it. https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values */
export const builtInSubstitutions: readonly string[] = [
  "BRANCH_NAME",
  "BUILD_ID",
  "COMMIT_SHA",
  "LOCATION",
  "PROJECT_ID",
  "PROJECT_NUMBER",
  "REPO_FULL_NAME",
  "REPO_NAME",
  "REVISION_ID",
  "SERVICE_ACCOUNT",
  "SERVICE_ACCOUNT_EMAIL",
  "SHORT_SHA",
  "TAG_NAME",
  "TRIGGER_NAME",
];

/** Builders by image, and the program that each starts; undefined where the step's first argument is the program. https://cloud.google.com/build/docs/cloud-builders */
export const builders: readonly { image: RegExp; program: string | undefined }[] = [
  { image: /^gcr\.io\/cloud-builders\/docker$/, program: "docker" },
  { image: /^(?:docker\.io\/)?(?:library\/)?docker$/, program: "docker" },
  { image: /^gcr\.io\/cloud-builders\/gcloud(?:-slim)?$/, program: "gcloud" },
  { image: /^(?:gcr\.io\/google\.com\/cloudsdktool|google)\/(?:cloud-sdk|google-cloud-cli)$/, program: undefined },
  { image: /^(?:docker\.io\/)?(?:library\/)?(?:alpine|bash|busybox|debian|ubuntu)$/, program: undefined },
];

const loggingRequired =
  "if 'build.service_account' is specified, the build must either (a) specify 'build.logs_bucket', (b) use the REGIONAL_USER_OWNED_BUCKET " +
  "build.options.default_logs_bucket_behavior option, or (c) use either CLOUD_LOGGING_ONLY / NONE logging options: invalid argument";

/** https://cloud.google.com/build/docs/troubleshooting */
export const buildTexts = {
  /** Cloud Build does not say which permission is missing. */
  denied: "The caller does not have permission",
  /** The account by its unique id where it exists, by what was asked for otherwise. */
  actAsDenied: (account: string) => `caller does not have permission to act as service account ${account}`,
  accountMissing: (account: string) => `service account ${account} does not exist`,
  loggingRequired,
  notFound: "Requested entity was not found.",
  empty: "invalid build: no build steps specified",
  sourceUnresolved: (status: number, message: string, reason: string) => `could not resolve source: googleapi: Error ${status}: ${message}, ${reason}`,
  sourceNoArchive: (object: string) => `invalid build: invalid build source: object ${object} must be a gzipped tar archive (.tar.gz, .tgz) or a zip archive (.zip)`,
  /** Key of a template that is neither built in nor given. */
  substitutionUnknown: (key: string) => `generic::invalid_argument: key in the template "${key}" is not a valid built-in substitution`,
  substitutionUnused: (key: string) => `generic::invalid_argument: key "${key}" in the substitution data is not matched in the template`,
  substitutionInvalid: (key: string) => `invalid value for 'build.substitutions': substitution key "${key}" must match ^_[A-Z0-9_]+$`,
  finished: "cannot cancel a build that is already finished",
  /** Of the operation, once a build is over without success. */
  failed: "Build failed; check build logs for details",
  noLogWriting: (account: string) =>
    `The service account running this build ${account} does not have permission to write logs to Cloud Logging. To fix this, grant the Logs Writer (roles/logging.logWriter) role to the service account.`,
  logFile: (status: number, message: string, reason: string) => `Failure setting up GCS logging: failed to create GCS logging client: error creating logfile: googleapi: Error ${status}: ${message}, ${reason}`,
  stepFailed: (index: number, image: string, status: number) => `build step ${index} "${image}" failed: step exited with non-zero status: ${status}`,
  builderMissing: (index: number, image: string) => `error pulling build step ${index} "${image}": the image is none of the builders that the sandbox has`,
  pushFailed: (image: string) => `error pushing image "${image}": retry budget exhausted (10 attempts): step exited with non-zero status: 1`,
  imageMissing: (image: string) => `failed to find one or more images after execution of build steps: ["${image}"]`,
} as const;
