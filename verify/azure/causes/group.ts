/** The resource group that the platform works in. */
import type { AzureCauseValues, AzureEntry } from "../causes.js";
import { inSubscription, quote, up } from "../fixes.js";

const name = (values: AzureCauseValues) => quote(values.resourceGroup ?? "");
const groupScope = (values: AzureCauseValues) => `/subscriptions/${values.exchange.subscriptionId ?? ""}/resourceGroups/${values.resourceGroup ?? ""}`;

export const groupCauses = {
  "azure.group.missing": {
    title: "The resource group does not exist",
    failureMode: "Resource group not found",
    explanation: "Subscription or name is wrong, or the deployment that makes it has not finished. To somebody whose rights end at another group a missing group looks like a forbidden one.",
    fix: (values) => `az group show --name ${name(values)}${inSubscription(values)}; then ${up.charAt(0).toLowerCase()}${up.slice(1)}, or name the right group and subscription in its configuration.`,
  },
  "azure.group.correlation-differs": {
    title: "The resource group's dcfCorrelationId is another one",
    failureMode: "Correlation ID mismatch",
    explanation: "The group was set up in another onboarding session, or it is not the group that was meant.",
    fix: (values) => `${up}, or: az tag update --operation Merge --resource-id ${quote(groupScope(values))} --tags dcfCorrelationId=${quote(values.expected ?? "")}`,
  },
  "azure.group.correlation-missing": {
    title: "The resource group has no dcfCorrelationId tag",
    failureMode: "Correlation ID mismatch",
    explanation: "The platform finds the group of an onboarding session by this tag; something removed it, or the group is not the one that was meant.",
    fix: (values) => `${up}, or: az tag update --operation Merge --resource-id ${quote(groupScope(values))} --tags dcfCorrelationId=${quote(values.expected ?? "")}`,
  },
  "azure.group.tag-policy": {
    title: "A policy rewrites the resource group's dcfCorrelationId",
    failureMode: "Correlation ID mismatch",
    explanation: "An Azure Policy with the effect modify or append sets the tag whenever the group is written.",
    fix: (values) => `Exempt the group from the policy assignment ${values.found ?? ""}: az policy exemption create --name dcf-correlation --policy-assignment ${quote(values.found ?? "ASSIGNMENT")} --exemption-category Waiver --scope ${quote(groupScope(values))}`,
  },
  "azure.group.deleting": {
    title: "The resource group is being deleted",
    failureMode: "Resource group not found",
    explanation: "Everything in it goes with it.",
    fix: (values) => `Wait until az group exists --name ${name(values)}${inSubscription(values)} says false, then ${up.charAt(0).toLowerCase()}${up.slice(1)}.`,
  },
  "azure.group.locked": {
    title: "A lock forbids the change",
    explanation: "A ReadOnly lock lets nobody write, and either kind lets nobody delete, whatever their role; locks of the group and of the subscription count for everything below.",
    fix: (values) => (values.found === undefined ? `az lock list --resource-group ${name(values)}${inSubscription(values)} --query "[].{level: level, id: id}" --output table, then az lock delete --ids ID` : `az lock delete --ids ${quote(values.found)}`),
  },
  "azure.policy.disallowed": {
    title: "A policy forbids the resource",
    explanation: "An Azure Policy with the effect deny refuses what the request would make, whatever the caller's rights.",
    fix: (values) => `az policy state list --resource-group ${name(values)}${inSubscription(values)} --filter "complianceState eq 'NonCompliant'" --output table; change the resource as the policy wants it, or have the group exempted.`,
  },
} as const satisfies Record<string, AzureEntry>;
