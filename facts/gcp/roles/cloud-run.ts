/** Roles of Cloud Run. Contents as in `roles.ts`. */
import type { RoleTable } from "../roles.js";

export const ROLES = {
  "run.developer": {
    title: "Cloud Run Developer",
    permissions: {
      "resourcemanager.projects": "get list",
      "run.configurations": "get list",
      "run.locations": "list uploadSource",
      "run.operations": "delete get list",
      "run.revisions": "delete get list",
      "run.routes": "get invoke list",
      "run.services": "create delete get getIamPolicy list sshRead sshRoot update",
    },
  },
  "run.viewer": {
    title: "Cloud Run Viewer",
    permissions: {
      "resourcemanager.projects": "get list",
      "run.configurations": "get list",
      "run.locations": "list",
      "run.operations": "get list",
      "run.revisions": "get list",
      "run.routes": "get list",
      "run.services": "get getIamPolicy list",
    },
  },
  "run.invoker": {
    title: "Cloud Run Invoker",
    permissions: {
      "run.routes": "invoke",
    },
  },
  "run.servicesInvoker": {
    title: "Cloud Run Service Invoker",
    permissions: {
      "run.routes": "invoke",
    },
  },
  "run.admin": {
    title: "Cloud Run Admin",
    permissions: {
      "resourcemanager.projects": "get list",
      "run.configurations": "get list",
      "run.locations": "list uploadSource",
      "run.operations": "delete get list",
      "run.revisions": "delete get list",
      "run.routes": "get invoke list",
      "run.services": "create delete get getIamPolicy list setIamPolicy sshRead sshRoot update",
    },
  },
  "run.serviceAgent": {
    title: "Cloud Run Service Agent",
    permissions: {
      "artifactregistry.dockerimages": "get list",
      "artifactregistry.files": "download get list",
      "artifactregistry.locations": "get list",
      "artifactregistry.packages": "get list",
      "artifactregistry.projectsettings": "get",
      "artifactregistry.repositories": "downloadArtifacts exportArtifacts get list readViaVirtualRepository uploadArtifacts",
      "artifactregistry.tags": "get list",
      "artifactregistry.versions": "get list",
      "cloudbuild.builds": "create get",
      "iam.serviceAccounts": "actAs getAccessToken getOpenIdToken signBlob",
      "resourcemanager.projects": "get getIamPolicy list",
      "run.routes": "invoke",
      "serviceusage.services": "get use",
      "storage.buckets": "create get update",
      "storage.folders": "get list",
      "storage.managedFolders": "get list",
      "storage.objects": "create delete get list update",
    },
  },
  "run.builder": {
    title: "Cloud Run Builder",
    permissions: {
      "artifactregistry.repositories": "deleteArtifacts downloadArtifacts uploadArtifacts",
      "logging.logEntries": "create",
      "storage.objects": "get",
    },
  },
} as const satisfies RoleTable;
