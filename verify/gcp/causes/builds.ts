/** Cloud Build: starting builds, and the account that they run as. */
import type { GcpCauseValues, GcpEntry } from "../causes.js";
import { quote, sessionMember, up } from "../fixes.js";

const DENIED = "permission denied";

/** The build account is the subject; where it needs its right, `found` says. */
const account = ({ subject }: GcpCauseValues) => subject ?? "the build account";
const project = ({ project: named, exchange }: GcpCauseValues) => named ?? exchange.projectId;

export const buildCauses = {
  "gcp.builds.act-as-missing": {
    title: "The session may not act as the account that builds run as",
    failureMode: DENIED,
    explanation: "Whoever starts a build names its account, and needs iam.serviceAccounts.actAs on it; an account that does not exist is refused in the same words.",
    fix: (values) => `${up}, or: gcloud iam service-accounts add-iam-policy-binding ${account(values)} --project=${project(values)} --role=roles/iam.serviceAccountUser --member=${quote(sessionMember(values))}`,
  },
  "gcp.builds.account-missing": {
    title: "The account that builds run as does not exist, or is disabled",
    explanation: "A build names its account by its email.",
    fix: (values) => `${up}; gcloud iam service-accounts describe ${account(values)} --project=${project(values)} shows it.`,
  },
  "gcp.builds.default-account": {
    title: "Builds run as the project's default account, which lacks rights",
    failureMode: DENIED,
    explanation: "The Compute Engine default account has had no rights of its own in new projects since 2024: nobody may act as it, and it reads no source, pushes no image and writes no log.",
    fix: (values) => `Set build.mode to create in the stack's configuration and run \`pulumi up\`: the stack then makes an account for builds that has what they need, in place of ${account(values)}.`,
  },
  "gcp.builds.source-denied": {
    title: "The build account cannot read the source",
    failureMode: DENIED,
    explanation: "The archive is fetched with the build account's rights, not with those of whoever staged it.",
    fix: (values) => `${up}, or: gcloud storage buckets add-iam-policy-binding gs://${values.found ?? "BUCKET"} --role=roles/storage.objectViewer --member=serviceAccount:${account(values)}`,
  },
  "gcp.builds.source-missing": {
    title: "The staged source is not there",
    explanation: "The build names bucket, object and generation of the archive; it was removed, or written over, before the build fetched it.",
    fix: (values) => `Look for lifecycle rules that delete too early: gcloud storage buckets describe gs://${values.found ?? "BUCKET"} --format='default(lifecycle_config)'`,
  },
  "gcp.builds.push-denied": {
    title: "The build account cannot push the image",
    failureMode: DENIED,
    explanation: "The image is pushed with the build account's rights: artifactregistry.repositories.uploadArtifacts on the repository.",
    fix: (values) =>
      `${up}, or: gcloud artifacts repositories add-iam-policy-binding ${values.found ?? "REPOSITORY"} --location=${values.expected ?? "REGION"} --project=${project(values)} --role=roles/artifactregistry.writer --member=serviceAccount:${account(values)}`,
  },
  "gcp.builds.log-denied": {
    title: "The build account cannot write the build's log",
    failureMode: DENIED,
    explanation: "The build runs all the same, but nobody can see why it fails: Cloud Logging takes its lines with the build account's right.",
    fix: (values) => `${up}, or: gcloud projects add-iam-policy-binding ${project(values)} --role=roles/logging.logWriter --member=serviceAccount:${account(values)}`,
  },
  "gcp.builds.logging-option-missing": {
    title: "The build does not say where its log goes",
    explanation: "A build with an account of its own must set options.logging (CLOUD_LOGGING_ONLY or NONE) or name a logsBucket.",
    fix: () => 'Have the platform send "options": {"logging": "CLOUD_LOGGING_ONLY"} with its builds.',
  },
  "gcp.builds.image-not-built": {
    title: "The image cannot be built",
    explanation: "`docker build` failed: the base image cannot be fetched, or an organisation policy keeps builds from the network.",
    fix: (values) => `gcloud builds log ${values.found ?? "BUILD_ID"} --region=${values.expected ?? "REGION"} --project=${project(values)}`,
  },
  "gcp.builds.failed": {
    title: "The build did not succeed",
    explanation: "Neither its status nor its log names one of the known reasons.",
    fix: (values) => `gcloud builds log ${values.found ?? "BUILD_ID"} --region=${values.expected ?? "REGION"} --project=${project(values)}`,
  },
  "gcp.builds.timed-out": {
    title: "The build was not over in its time",
    explanation: "It waited for a worker, or for something on the network that does not answer.",
    fix: (values) => `Look at the quota of concurrent builds and at the log: gcloud builds list --ongoing --region=${values.expected ?? "REGION"} --project=${project(values)}`,
  },
} as const satisfies Record<string, GcpEntry>;
