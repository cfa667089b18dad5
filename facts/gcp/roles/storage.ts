/** Roles of Cloud Storage. Contents as in `roles.ts`. */
import type { RoleTable } from "../roles.js";

export const ROLES = {
  "storage.objectAdmin": {
    title: "Storage Object Admin",
    permissions: {
      "orgpolicy.policy": "get",
      "resourcemanager.projects": "get list",
      "storage.folders": "create delete get list rename",
      "storage.managedFolders": "create delete get list",
      "storage.multipartUploads": "abort create list listParts",
      "storage.objects": "create createContext delete deleteContext get getIamPolicy list move overrideUnlockedRetention restore setIamPolicy setRetention update updateContext",
    },
  },
  "storage.objectCreator": {
    title: "Storage Object Creator",
    permissions: {
      "orgpolicy.policy": "get",
      "resourcemanager.projects": "get list",
      "storage.folders": "create",
      "storage.managedFolders": "create",
      "storage.multipartUploads": "abort create listParts",
      "storage.objects": "create createContext",
    },
  },
  "storage.objectViewer": {
    title: "Storage Object Viewer",
    permissions: {
      "resourcemanager.projects": "get list",
      "storage.folders": "get list",
      "storage.managedFolders": "get list",
      "storage.objects": "get list",
    },
  },
  "storage.objectUser": {
    title: "Storage Object User",
    permissions: {
      "orgpolicy.policy": "get",
      "resourcemanager.projects": "get list",
      "storage.folders": "create delete get list rename",
      "storage.managedFolders": "create delete get list",
      "storage.multipartUploads": "abort create list listParts",
      "storage.objects": "create createContext delete deleteContext get list move restore update updateContext",
    },
  },
  "storage.admin": {
    title: "Storage Admin",
    permissions: {
      "orgpolicy.policy": "get",
      "resourcemanager.projects": "get list",
      "storage.buckets": "create delete enableObjectRetention get getIamPolicy getIpFilter getObjectInsights list relocate restore setIamPolicy setIpFilter update viewIntelligenceDetails",
      "storage.folders": "create delete get list rename",
      "storage.managedFolders": "create delete get getIamPolicy list setIamPolicy",
      "storage.multipartUploads": "abort create list listParts",
      "storage.objects": "create createContext delete deleteContext get getIamPolicy list move overrideUnlockedRetention restore setIamPolicy setRetention update updateContext",
    },
  },
  "storage.bucketViewer": {
    title: "Storage Bucket Viewer",
    permissions: {
      "storage.buckets": "get list",
    },
  },
  "storage.legacyBucketReader": {
    title: "Storage Legacy Bucket Reader",
    permissions: {
      "storage.buckets": "get",
      "storage.folders": "get list",
      "storage.managedFolders": "get list",
      "storage.multipartUploads": "list",
      "storage.objects": "list",
    },
  },
  "storage.legacyBucketWriter": {
    title: "Storage Legacy Bucket Writer",
    permissions: {
      "storage.buckets": "get",
      "storage.folders": "create delete get list rename",
      "storage.managedFolders": "create delete get list",
      "storage.multipartUploads": "abort create list listParts",
      "storage.objects": "create createContext delete list restore setRetention",
    },
  },
  "storage.legacyBucketOwner": {
    title: "Storage Legacy Bucket Owner",
    permissions: {
      "storage.buckets": "enableObjectRetention get getIamPolicy getIpFilter relocate restore setIamPolicy setIpFilter update",
      "storage.folders": "create delete get list rename",
      "storage.managedFolders": "create delete get getIamPolicy list setIamPolicy",
      "storage.multipartUploads": "abort create list listParts",
      "storage.objects": "create createContext delete deleteContext list restore setRetention updateContext",
    },
  },
  "storage.legacyObjectReader": {
    title: "Storage Legacy Object Reader",
    permissions: {
      "storage.objects": "get",
    },
  },
  "storage.legacyObjectOwner": {
    title: "Storage Legacy Object Owner",
    permissions: {
      "storage.objects": "createContext deleteContext get getIamPolicy overrideUnlockedRetention setIamPolicy setRetention update updateContext",
    },
  },
} as const satisfies RoleTable;
