/** Roles of Artifact Registry. Contents as in `roles.ts`. */
import type { RoleTable } from "../roles.js";

export const ROLES = {
  "artifactregistry.reader": {
    title: "Artifact Registry Reader",
    permissions: {
      "artifactregistry.dockerimages": "get list",
      "artifactregistry.files": "download get list",
      "artifactregistry.locations": "get list",
      "artifactregistry.packages": "get list",
      "artifactregistry.projectsettings": "get",
      "artifactregistry.repositories": "downloadArtifacts exportArtifacts get list readViaVirtualRepository",
      "artifactregistry.tags": "get list",
      "artifactregistry.versions": "get list",
      "resourcemanager.projects": "get",
    },
  },
  "artifactregistry.writer": {
    title: "Artifact Registry Writer",
    permissions: {
      "artifactregistry.dockerimages": "get list",
      "artifactregistry.files": "download get list update upload",
      "artifactregistry.locations": "get list",
      "artifactregistry.packages": "get list update",
      "artifactregistry.projectsettings": "get",
      "artifactregistry.repositories": "downloadArtifacts exportArtifacts get list readViaVirtualRepository uploadArtifacts",
      "artifactregistry.tags": "create get list update",
      "artifactregistry.versions": "get list",
      "resourcemanager.projects": "get",
    },
  },
  "artifactregistry.repoAdmin": {
    title: "Artifact Registry Repository Administrator",
    permissions: {
      "artifactregistry.dockerimages": "get list",
      "artifactregistry.files": "delete download get list update upload",
      "artifactregistry.locations": "get list",
      "artifactregistry.packages": "delete get list update",
      "artifactregistry.projectsettings": "get",
      "artifactregistry.repositories": "deleteArtifacts downloadArtifacts exportArtifacts get list readViaVirtualRepository uploadArtifacts",
      "artifactregistry.tags": "create delete get list update",
      "artifactregistry.versions": "delete get list update",
      "resourcemanager.projects": "get",
    },
  },
  "artifactregistry.admin": {
    title: "Artifact Registry Administrator",
    permissions: {
      "artifactregistry.dockerimages": "get list",
      "artifactregistry.files": "delete download get list update upload",
      "artifactregistry.locations": "get list",
      "artifactregistry.packages": "delete get list update",
      "artifactregistry.projectsettings": "get update",
      "artifactregistry.repositories": "create delete deleteArtifacts downloadArtifacts exportArtifacts get getIamPolicy list readViaVirtualRepository setIamPolicy update uploadArtifacts",
      "artifactregistry.tags": "create delete get list update",
      "artifactregistry.versions": "delete get list update",
      "resourcemanager.projects": "get",
    },
  },
  "artifactregistry.serviceAgent": {
    title: "Artifact Registry Service Agent",
    permissions: {
      "artifactregistry.repositories": "downloadArtifacts get readViaVirtualRepository",
      "artifactregistry.versions": "delete",
    },
  },
} as const satisfies RoleTable;
