/** Roles of Cloud Logging. Contents as in `roles.ts`. */
import type { RoleTable } from "../roles.js";

export const ROLES = {
  "logging.logWriter": {
    title: "Logs Writer",
    permissions: {
      "logging.logEntries": "create route",
    },
  },
  "logging.viewer": {
    title: "Logs Viewer",
    permissions: {
      "logging.buckets": "get list",
      "logging.logEntries": "list",
      "logging.logServiceIndexes": "list",
      "logging.logServices": "list",
      "logging.logs": "list",
      "logging.views": "get list",
      "resourcemanager.projects": "get",
    },
  },
  "logging.viewAccessor": {
    title: "Logs View Accessor",
    permissions: {
      "logging.logEntries": "download",
      "logging.views": "access listLogs listResourceKeys listResourceValues",
    },
  },
  "logging.privateLogViewer": {
    title: "Private Logs Viewer",
    permissions: {
      "logging.buckets": "get list",
      "logging.logEntries": "list",
      "logging.logServiceIndexes": "list",
      "logging.logServices": "list",
      "logging.logs": "list",
      "logging.privateLogEntries": "list",
      "logging.views": "access get list",
      "resourcemanager.projects": "get",
    },
  },
  "logging.bucketWriter": {
    title: "Logs Bucket Writer",
    permissions: {
      "logging.buckets": "write",
    },
  },
  "logging.admin": {
    title: "Logging Admin",
    permissions: {
      "logging.buckets": "copyLogEntries create delete get list undelete update",
      "logging.logEntries": "create download list route",
      "logging.logServiceIndexes": "list",
      "logging.logServices": "list",
      "logging.logs": "delete list",
      "logging.privateLogEntries": "list",
      "logging.views": "access create delete get getIamPolicy list listLogs listResourceKeys listResourceValues setIamPolicy update",
      "resourcemanager.projects": "get list",
    },
  },
} as const satisfies RoleTable;
