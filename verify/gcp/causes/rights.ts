/** What the session may not do although the contract grants it. */
import type { GcpCauseValues, GcpEntry } from "../causes.js";
import { quote, sessionMember, up } from "../fixes.js";

const DENIED = "permission denied";
const what = ({ permission, subject }: GcpCauseValues) => `${permission ?? "the permission"} on ${subject ?? "the resource"}`;

export const rightsCauses = {
  "gcp.iam.permission-missing": {
    title: "A permission is missing",
    failureMode: DENIED,
    explanation: "No binding on the resource or above it gives it to the session.",
    fix: (values) => `${up}, or grant ${values.role ?? "a role that has it"} (it gives ${what(values)}) to ${quote(sessionMember(values))}.`,
  },
  "gcp.iam.condition-false": {
    title: "The binding that gives the permission has a condition that is not true now",
    failureMode: DENIED,
    explanation: "A conditional binding counts only while its condition is true for this resource.",
    fix: (values) => `Change or remove the condition ${values.found ?? ""} of the binding that gives ${what(values)}.`,
  },
  "gcp.iam.denied": {
    title: "A deny policy takes a permission away",
    failureMode: DENIED,
    explanation: "Deny policies win over every binding.",
    fix: (values) => `Make an exception for ${quote(sessionMember(values))} in the deny policy ${values.found ?? ""}, which denies ${what(values)}.`,
  },
  "gcp.iam.not-propagated": {
    title: "The binding is too new",
    failureMode: DENIED,
    explanation: "A binding is seen after about a minute, sometimes after five or more.",
    fix: () => "Wait some minutes and verify again, or verify with --wait 10m.",
  },
  "gcp.iam.constrained": {
    title: "Something above the project refuses",
    failureMode: DENIED,
    explanation: "A deny policy, a principal access boundary or VPC Service Controls refuse with the same answer as a missing binding.",
    fix: (values) => `Ask the organisation's administrators for deny policies and service perimeters on project ${values.exchange.projectId}.`,
  },
  "gcp.iam.too-wide": {
    title: "The session can do more than the contract grants",
    explanation: "It has a permission where it must have none.",
    fix: (values) => `Remove the binding that gives ${what(values)} to ${quote(sessionMember(values))}: on the resource, or on project ${values.project ?? values.exchange.projectId} and above.`,
  },
} as const satisfies Record<string, GcpEntry>;
