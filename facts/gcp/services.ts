/**
 * Google's APIs as projects switch them: titles as refusals name them, and what a new project has from the start.
 * https://cloud.google.com/service-usage/docs/list-services
 * https://cloud.google.com/service-usage/docs/enabled-service#default
 */
export interface ApiFact {
  title: string;
  /** Enabled in a project from its creation. */
  fromStart?: boolean;
  /** OAuth scopes that do besides {@link CLOUD_PLATFORM_SCOPE}. */
  scopes?: readonly string[];
  /** OAuth scopes that do for reading. */
  readScopes?: readonly string[];
}

/** https://developers.google.com/identity/protocols/oauth2/scopes */
const scope = (name: string): string => `https://www.googleapis.com/auth/${name}`;
export const CLOUD_PLATFORM_SCOPE = scope("cloud-platform");
export const CLOUD_PLATFORM_READ_SCOPE = scope("cloud-platform.read-only");

/** By host name. Resource Manager and IAM are not on from the start in a real project; whoever works in one enables them first, as here was done. */
export const APIS: Readonly<Record<string, ApiFact>> = {
  "artifactregistry.googleapis.com": { title: "Artifact Registry API" },
  "bigquery.googleapis.com": { title: "BigQuery API", fromStart: true },
  "cloudapis.googleapis.com": { title: "Google Cloud APIs", fromStart: true },
  "cloudbuild.googleapis.com": { title: "Cloud Build API" },
  "cloudresourcemanager.googleapis.com": { title: "Cloud Resource Manager API", fromStart: true, readScopes: [scope("cloudplatformprojects"), scope("cloudplatformprojects.readonly")] },
  "cloudtrace.googleapis.com": { title: "Cloud Trace API", fromStart: true },
  "compute.googleapis.com": { title: "Compute Engine API" },
  "container.googleapis.com": { title: "Kubernetes Engine API" },
  "containerregistry.googleapis.com": { title: "Container Registry API" },
  "datastore.googleapis.com": { title: "Cloud Datastore API", fromStart: true },
  "iam.googleapis.com": { title: "Identity and Access Management (IAM) API", fromStart: true, scopes: [scope("iam")] },
  "iamcredentials.googleapis.com": { title: "IAM Service Account Credentials API", scopes: [scope("iam")] },
  "logging.googleapis.com": { title: "Cloud Logging API", fromStart: true, scopes: [scope("logging.admin"), scope("logging.write")], readScopes: [scope("logging.read")] },
  "monitoring.googleapis.com": { title: "Cloud Monitoring API", fromStart: true },
  "orgpolicy.googleapis.com": { title: "Organization Policy API" },
  "pubsub.googleapis.com": { title: "Cloud Pub/Sub API" },
  "run.googleapis.com": { title: "Cloud Run Admin API" },
  "secretmanager.googleapis.com": { title: "Secret Manager API" },
  "servicemanagement.googleapis.com": { title: "Service Management API", fromStart: true },
  "serviceusage.googleapis.com": { title: "Service Usage API", fromStart: true, scopes: [scope("service.management")] },
  "sql-component.googleapis.com": { title: "Cloud SQL", fromStart: true },
  "storage.googleapis.com": { title: "Cloud Storage API", fromStart: true },
  "storage-api.googleapis.com": { title: "Google Cloud Storage JSON API", fromStart: true },
  "storage-component.googleapis.com": { title: "Cloud Storage", fromStart: true },
  "sts.googleapis.com": { title: "Security Token Service API" },
};
