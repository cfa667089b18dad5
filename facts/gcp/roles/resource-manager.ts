/** Roles of Resource Manager and of organisation policies. Contents as in `roles.ts`. */
import type { RoleTable } from "../roles.js";

export const ROLES = {
  "resourcemanager.projectIamAdmin": {
    title: "Project IAM Admin",
    permissions: {
      "resourcemanager.projects": "get getIamPolicy setIamPolicy",
    },
  },
  "orgpolicy.policyAdmin": {
    title: "Organization Policy Administrator",
    permissions: {
      "orgpolicy.constraints": "list",
      "orgpolicy.policies": "create delete list update",
      "orgpolicy.policy": "get set",
    },
  },
  "orgpolicy.policyViewer": {
    title: "Organization Policy Viewer",
    permissions: {
      "orgpolicy.constraints": "list",
      "orgpolicy.policies": "list",
      "orgpolicy.policy": "get",
    },
  },
  "resourcemanager.organizationAdmin": {
    title: "Organization Administrator",
    permissions: {
      "orgpolicy.constraints": "list",
      "orgpolicy.policies": "list",
      "orgpolicy.policy": "get",
      "resourcemanager.folders": "get getIamPolicy list setIamPolicy",
      "resourcemanager.organizations": "get getIamPolicy setIamPolicy",
      "resourcemanager.projects": "get getIamPolicy list setIamPolicy",
    },
  },
} as const satisfies RoleTable;
