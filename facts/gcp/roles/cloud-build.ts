/** Roles of Cloud Build. Contents as in `roles.ts`. */
import type { RoleTable } from "../roles.js";

export const ROLES = {
  "cloudbuild.builds.editor": {
    title: "Cloud Build Editor",
    permissions: {
      "cloudbuild.builds": "create get list update",
      "cloudbuild.locations": "get list",
      "cloudbuild.operations": "get list",
      "resourcemanager.projects": "get list",
    },
  },
  "cloudbuild.builds.viewer": {
    title: "Cloud Build Viewer",
    permissions: {
      "cloudbuild.builds": "get list",
      "cloudbuild.locations": "get list",
      "cloudbuild.operations": "get list",
      "resourcemanager.projects": "get list",
    },
  },
  "cloudbuild.builds.builder": {
    title: "Cloud Build Service Account",
    permissions: {
      "artifactregistry.dockerimages": "get list",
      "artifactregistry.files": "download get list update upload",
      "artifactregistry.locations": "get list",
      "artifactregistry.packages": "get list update",
      "artifactregistry.projectsettings": "get",
      "artifactregistry.repositories": "createOnPush deleteArtifacts downloadArtifacts exportArtifacts get list readViaVirtualRepository uploadArtifacts",
      "artifactregistry.tags": "create get list update",
      "artifactregistry.versions": "get list",
      "cloudbuild.builds": "create get list update",
      "cloudbuild.locations": "get list",
      "cloudbuild.operations": "get list",
      "cloudbuild.workerpools": "use",
      "logging.logEntries": "create list",
      "logging.views": "access",
      "resourcemanager.projects": "get list",
      "storage.buckets": "create get list",
      "storage.objects": "create delete get list update",
    },
  },
  "cloudbuild.serviceAgent": {
    title: "Cloud Build Service Agent",
    permissions: {
      "artifactregistry.dockerimages": "get list",
      "artifactregistry.files": "download get list update upload",
      "artifactregistry.locations": "get list",
      "artifactregistry.packages": "get list update",
      "artifactregistry.projectsettings": "get",
      "artifactregistry.repositories": "createOnPush deleteArtifacts downloadArtifacts exportArtifacts get list readViaVirtualRepository uploadArtifacts",
      "artifactregistry.tags": "create get list update",
      "artifactregistry.versions": "get list",
      "cloudbuild.builds": "create get list update",
      "cloudbuild.locations": "get list",
      "cloudbuild.operations": "get list",
      "cloudbuild.workerpools": "use",
      "iam.serviceAccounts": "get getAccessToken getOpenIdToken",
      "logging.buckets": "create get list",
      "logging.logEntries": "create list",
      "logging.views": "access",
      "resourcemanager.projects": "get list",
      "serviceusage.services": "use",
      "storage.buckets": "create get list",
      "storage.objects": "create delete get list update",
    },
  },
  "cloudbuild.loggingServiceAgent": {
    title: "Cloud Build Logging Service Agent",
    permissions: {
      "logging.buckets": "write",
    },
  },
  "cloudbuild.workerPoolUser": {
    title: "Cloud Build WorkerPool User",
    permissions: {
      "cloudbuild.workerpools": "use",
    },
  },
} as const satisfies RoleTable;
