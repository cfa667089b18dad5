/** What the identity may not do on resources although the contract grants it. */
import type { AzureCauseValues, AzureEntry } from "../causes.js";
import { assignRole, listAssignments, quote } from "../fixes.js";

const CONTRIBUTOR = "Contributor role assignment missing or not yet propagated";
const what = ({ action, scope }: AzureCauseValues) => `${action ?? "the action"} on ${scope ?? "the resource"}`;

/** Contributor is granted on the resource group, whatever in it was refused. */
function assignGranted(values: AzureCauseValues): string {
  if (values.role !== undefined && values.role !== "Contributor") return assignRole(values, values.role);
  return assignRole(values, "Contributor", /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+/i.exec(values.scope ?? "")?.[0]);
}

export const rightsCauses = {
  "azure.rbac.assignment-missing": {
    title: "No role assignment allows the call",
    failureMode: CONTRIBUTOR,
    explanation: "Nothing assigned to the service principal, on the resource or above it, has the action.",
    fix: (values) => assignGranted(values),
  },
  "azure.rbac.not-propagated": {
    title: "The role assignment is too new",
    failureMode: CONTRIBUTOR,
    explanation: "A new assignment counts after some minutes, at times after ten or more.",
    fix: () => "Wait some minutes and verify again, or verify with --wait 15m.",
  },
  "azure.rbac.role-too-narrow": {
    title: "The assigned role allows reading and not this",
    failureMode: CONTRIBUTOR,
    explanation: "Reading is allowed, the call is not: Reader, or a role of your own with less in it, is assigned where the contract grants Contributor.",
    fix: (values) => assignGranted(values),
  },
  "azure.rbac.wrong-scope": {
    title: "The role is assigned on another scope",
    failureMode: CONTRIBUTOR,
    explanation: "An assignment counts on its scope and below, nowhere else.",
    fix: (values) => `${assignGranted(values)}; then remove the one on ${values.found ?? "the other scope"}.`,
  },
  "azure.rbac.wrong-principal": {
    title: "The role is assigned to another object",
    failureMode: CONTRIBUTOR,
    explanation: "Roles are assigned to the service principal's object id. The app registration's object id and the client id are other GUIDs, and an identity that was made anew is another principal.",
    fix: (values) => `${assignGranted(values)}; then remove the one of ${values.found ?? "the other object"}.`,
  },
  "azure.rbac.condition-false": {
    title: "The role assignment has a condition that is not true for this call",
    explanation: "A conditional assignment counts only where its condition is true.",
    fix: (values) => `${listAssignments(values).replace("--output table", "--query \"[?condition]\"")}; change or remove the condition ${values.found ?? ""}, which keeps ${what(values)} out.`,
  },
  "azure.rbac.denied": {
    title: "A deny assignment takes the right away",
    explanation: "Deny assignments win over every role; deployment stacks and managed applications make them.",
    fix: (values) => `Change what made the deny assignment ${values.found ?? ""} (az stack group list, az managedapp list); it denies ${what(values)}.`,
  },
  "azure.rbac.constrained": {
    title: "A condition or a deny assignment refuses",
    explanation: "Both refuse with the same answer as a missing role, and neither can be read with the evidence at hand.",
    fix: (values) => `Verify with --account, or look: ${listAssignments(values)}; az rest --method get --url ${quote(`https://${values.cloud.armHost}${values.scope ?? ""}/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01`)}`,
  },
  "azure.rbac.too-wide": {
    title: "The identity may do more than the contract grants",
    explanation: "It has a right where it must have none.",
    fix: (values) => (values.found === undefined ? `Remove the assignment that allows ${what(values)}: ${listAssignments(values)}` : `az role assignment delete --ids ${quote(values.found)}`),
  },
} as const satisfies Record<string, AzureEntry>;
