/** Roles of Service Usage. Contents as in `roles.ts`. */
import type { RoleTable } from "../roles.js";

export const ROLES = {
  "serviceusage.serviceUsageConsumer": {
    title: "Service Usage Consumer",
    permissions: {
      "serviceusage.operations": "get",
      "serviceusage.quotas": "get",
      "serviceusage.services": "get list use",
    },
  },
  "serviceusage.serviceUsageAdmin": {
    title: "Service Usage Admin",
    permissions: {
      "serviceusage.operations": "get",
      "serviceusage.quotas": "get update",
      "serviceusage.services": "disable enable get list use",
    },
  },
  "serviceusage.serviceUsageViewer": {
    title: "Service Usage Viewer",
    permissions: {
      "serviceusage.operations": "get",
      "serviceusage.quotas": "get",
      "serviceusage.services": "get list",
    },
  },
} as const satisfies RoleTable;
