/** Cloud Run's limits, names and refusals, as data. Texts are hints: Google changes them; codes are the contract. */
import type { Grade } from "../rules.js";

const docs = "https://cloud.google.com/run/docs";

export const CLOUD_RUN_LIMITS = {
  serviceName: { max: 49, pattern: /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, source: `${docs}/reference/rest/v2/projects.locations.services/create`, grade: "documented" },
  page: { max: 100, source: `${docs}/reference/rest/v2/projects.locations.services/list`, grade: "inferred" },
} as const satisfies Record<string, { max: number; pattern?: RegExp; source: string; grade: Grade }>;

/** Ingress settings of the v2 API, and their names in the annotation of the Knative API. https://cloud.google.com/run/docs/securing/ingress */
export const ingressSettings = {
  INGRESS_TRAFFIC_ALL: "all",
  INGRESS_TRAFFIC_INTERNAL_ONLY: "internal",
  INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER: "internal-and-cloud-load-balancing",
  INGRESS_TRAFFIC_NONE: "none",
} as const;
export type Ingress = keyof typeof ingressSettings;

/** What a revision has where nobody says otherwise. https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services#RevisionTemplate */
export const revisionDefaults = {
  timeout: "300s",
  maxInstanceRequestConcurrency: 80,
  scaling: { maxInstanceCount: 100 },
  limits: { cpu: "1000m", memory: "512Mi" },
  port: { name: "http1", containerPort: 8080 },
} as const;

/** Public images of Google's own that stand in until something is deployed. https://cloud.google.com/run/docs/quickstarts/deploy-container */
export const sampleImages: readonly string[] = ["us-docker.pkg.dev/cloudrun/container/hello", "gcr.io/cloudrun/hello", "gcr.io/cloudrun/placeholder"];

/** Regions as older addresses of services shorten them. */
export const regionCodes: Readonly<Record<string, string>> = {
  "asia-east1": "de",
  "asia-northeast1": "an",
  "asia-southeast1": "as",
  "australia-southeast1": "ts",
  "europe-north1": "lz",
  "europe-west1": "ew",
  "europe-west2": "nw",
  "europe-west3": "ey",
  "europe-west4": "ez",
  "us-central1": "uc",
  "us-east1": "ue",
  "us-east4": "uk",
  "us-west1": "uw",
};

/** What the Cloud Run service agent does for every service of its project. https://cloud.google.com/run/docs/deploying#other-projects */
export const IMAGE_READING = "artifactregistry.repositories.downloadArtifacts";

interface ImageProjects {
  image: string;
  imageProject: string;
  project: string;
}

function imageDenied(who: string, granted: string, { image, imageProject, project }: ImageProjects): string {
  const elsewhere =
    imageProject === project
      ? ""
      : ` Note that the image is from project [${imageProject}], which is not the same as this project [${project}]. Permission must be granted to the ${granted} from this project. See https://cloud.google.com/run/docs/deploying#other-projects`;
  return (
    `${who} must have permission to read the image, ${image}. Ensure that the provided container image URL is correct and that the above account has permission to access the image. ` +
    `If you just enabled the Cloud Run API, the permissions might take a few minutes to propagate.${elsewhere}`
  );
}

/** https://cloud.google.com/run/docs/troubleshooting */
export const runTexts = {
  /** `resource` as the API at hand names it: `projects/…` in v2, `namespaces/…` in v1. */
  denied: (permission: string, resource: string) => `Permission '${permission}' denied on resource '${resource}' (or resource may not exist).`,
  /** The permission in lower case, as Cloud Run writes it; said of accounts that are not there too. */
  actAsDenied: (email: string) => `Permission 'iam.serviceaccounts.actAs' denied on service account ${email} (or it may not exist).`,
  deployerImageDenied: (image: ImageProjects) => imageDenied("User", "User", image),
  agentImageDenied: (agent: string, image: ImageProjects) => imageDenied(`Google Cloud Run Service Agent ${agent}`, "Google Cloud Run Service Agent", image),
  imageMissing: (image: string) => `Image '${image}' not found.`,
  architecture: (image: string, mediaType: string) => `Cloud Run does not support image '${image}': Container manifest type '${mediaType}' must support amd64/linux.`,
  revisionNotReady: (revision: string, message: string) => `Revision '${revision}' is not ready and cannot serve traffic. ${message}`,
  exists: (name: string) => `Resource '${name}' already exists.`,
  notFound: (name: string) => `Resource '${name}' of kind 'SERVICE' does not exist.`,
  revisionExists: (revision: string) => `Revision named '${revision}' with different configuration already exists.`,
  revisionNameInvalid: (revision: string, service: string) => `Revision name '${revision}' must begin with '${service}-', have lower-case letters, digits and hyphens only, and end with none of the latter.`,
  nameInvalid: (name: string) =>
    `Service name '${name}' must use only lowercase alphanumeric characters and dashes, begin with a letter, not end with a dash, and have less than 50 characters.`,
  conflict: (name: string, given: string, current: string) => `Conflict for resource '${name}': version '${given}' was specified but current version is '${current}'.`,
  noContainer: "The request has no container: template.containers needs one with an image.",
} as const;

interface ErrorPage {
  status: number;
  title: string;
  heading: string;
  text: (path: string) => string;
}

/** What the address of a service answers where no container does. https://cloud.google.com/run/docs/troubleshooting#serving-errors */
export const errorPages = {
  unauthorized: { status: 401, title: "401 Unauthorized", heading: "Error: Unauthorized", text: (path) => `Your client does not have permission to the requested URL <code>${path}</code>.` },
  forbidden: { status: 403, title: "403 Forbidden", heading: "Error: Forbidden", text: (path) => `Your client does not have permission to get URL <code>${path}</code> from this server.` },
  notFound: { status: 404, title: "404 Page not found", heading: "Error: Page not found", text: () => "The requested URL was not found on this server." },
  unavailable: { status: 503, title: "503 Service Unavailable", heading: "Error: Service Unavailable", text: () => "The service you requested is not available at this time." },
} as const satisfies Record<string, ErrorPage>;
