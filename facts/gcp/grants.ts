/** What DCF, its builds and Klavi need in a customer's project: each permission with its reason, and the role that has it. */
import type { Grade } from "../rules.js";

export interface NeededPermission {
  permission: string;
  reason: string;
  source: string;
  grade: Grade;
}

const dcf = "DCF, Cloud Integrations: GCP, typical roles";
const klavi = "Klavi, PUSH Pattern: GCP WIF, grant bucket permissions";
const cloudRun = "https://cloud.google.com/run/docs/deploying#permissions_required_to_deploy";
const buildAccount = "https://cloud.google.com/build/docs/securing-builds/configure-user-specified-service-accounts#permissions";
const objects = "https://cloud.google.com/storage/docs/access-control/iam-json";
const gke = "https://cloud.google.com/kubernetes-engine/docs/how-to/role-based-access-control#iam-interaction";

const documented = { grade: "documented" } as const;

export const neededPermissions = {
  /** Artifacts in one bucket. */
  "artifact-objects": [
    { permission: "storage.objects.create", reason: "Upload artifacts", source: dcf, ...documented },
    { permission: "storage.objects.get", reason: "Read artifacts back", source: dcf, ...documented },
    { permission: "storage.objects.list", reason: "Find artifacts, and tell a missing object from a forbidden one", source: objects, ...documented },
    { permission: "storage.objects.delete", reason: "Remove artifacts that are no longer deployed, and write over them", source: dcf, ...documented },
  ],
  /** Files that are delivered into one bucket, and nothing read back. */
  "object-delivery": [{ permission: "storage.objects.create", reason: "Upload a new file", source: klavi, ...documented }],
  /** Builds in one project. */
  builds: [
    { permission: "cloudbuild.builds.create", reason: "Start the build that makes a container image of a staged archive", source: dcf, ...documented },
    { permission: "cloudbuild.builds.get", reason: "Follow a build to its end, and say why it failed", source: dcf, ...documented },
    { permission: "cloudbuild.builds.list", reason: "Find builds that are running", source: dcf, ...documented },
  ],
  /** Acting as another account: naming it for a build or a service. */
  "act-as": [{ permission: "iam.serviceAccounts.actAs", reason: "Name the account that a build or a service runs as", source: cloudRun, ...documented }],
  /** Images in one repository, to deploy them. */
  "image-reading": [
    { permission: "artifactregistry.repositories.get", reason: "See that the repository is there", source: dcf, ...documented },
    { permission: "artifactregistry.repositories.downloadArtifacts", reason: "Deploy an image, which Cloud Run asks of whoever deploys", source: cloudRun, ...documented },
  ],
  /** One service. */
  "cloud-run-service": [
    { permission: "run.services.get", reason: "See the service's state and address", source: dcf, ...documented },
    { permission: "run.services.update", reason: "Deploy a new revision", source: dcf, ...documented },
  ],
  /** In addition, where the role is granted on the project: a new service's, and an operation's, is no service's own. */
  "cloud-run-service-creation": [
    { permission: "run.services.create", reason: "Deploy a service for the first time", source: dcf, ...documented },
    { permission: "run.operations.get", reason: "Follow a deployment to its end", source: cloudRun, ...documented },
  ],
  /** In addition, where the platform may make the service public. */
  "public-access": [{ permission: "run.services.setIamPolicy", reason: "Let everybody invoke the service, or take that back", source: dcf, ...documented }],
  /** Finding a cluster; what may be done in it, the cluster's own RBAC says. */
  "cluster-access": [{ permission: "container.clusters.get", reason: "Find the cluster's address and certificate, and be let in", source: gke, ...documented }],
  /** Logs of builds and services in one project. */
  logs: [{ permission: "logging.logEntries.list", reason: "Show the logs of builds and deployments", source: dcf, ...documented }],
  /** Of the account that builds run as: the source. */
  "build-source": [
    { permission: "storage.objects.get", reason: "Read the staged archive", source: buildAccount, ...documented },
    { permission: "storage.objects.list", reason: "Find the staged archive", source: buildAccount, ...documented },
  ],
  /** Of the account that builds run as: the image. */
  "build-image": [
    { permission: "artifactregistry.repositories.uploadArtifacts", reason: "Push the image", source: dcf, ...documented },
    { permission: "artifactregistry.repositories.downloadArtifacts", reason: "Push the image: ask which layers are there already", source: dcf, ...documented },
  ],
  /** Of the account that builds run as: the log. */
  "build-log": [{ permission: "logging.logEntries.create", reason: "Write the build's log", source: buildAccount, ...documented }],
} as const satisfies Record<string, readonly NeededPermission[]>;

export function permissionsOf(grant: keyof typeof neededPermissions): string[] {
  return neededPermissions[grant].map(({ permission }) => permission);
}

/** Predefined roles that the integrations grant. Never among them: owner, editor, and `roles/run.admin`. */
export const grantedRoles = {
  objectAdmin: "roles/storage.objectAdmin",
  objectCreator: "roles/storage.objectCreator",
  objectViewer: "roles/storage.objectViewer",
  buildsEditor: "roles/cloudbuild.builds.editor",
  registryReader: "roles/artifactregistry.reader",
  registryWriter: "roles/artifactregistry.writer",
  runDeveloper: "roles/run.developer",
  runInvoker: "roles/run.invoker",
  serviceAccountUser: "roles/iam.serviceAccountUser",
  workloadIdentityUser: "roles/iam.workloadIdentityUser",
  logWriter: "roles/logging.logWriter",
  logViewer: "roles/logging.viewer",
  viewer: "roles/viewer",
} as const;
