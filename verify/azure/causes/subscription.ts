/** The subscription, and what it is ready for. */
import type { AzureEntry } from "../causes.js";
import { inSubscription } from "../fixes.js";

export const subscriptionCauses = {
  "azure.subscription.missing": {
    title: "The subscription does not exist",
    explanation: "Azure Resource Manager knows none of that id in this cloud.",
    fix: () => "Set the subscription id in the stack's configuration to what `az account show --query id` says, and run `pulumi up`.",
  },
  "azure.subscription.other-tenant": {
    title: "The subscription is in another tenant",
    explanation: "A subscription trusts one tenant. When it is moved to another, every role assignment in it is lost, and identities have to be made anew there.",
    fix: (values) => `Set the tenant id in the stack's configuration to ${values.found ?? "the subscription's tenant"} and run \`pulumi up\`, or name a subscription of tenant ${values.exchange.tenantId}.`,
  },
  "azure.subscription.disabled": {
    title: "The subscription is disabled",
    explanation: "It can be read and not written: a spending limit was reached, or it was cancelled.",
    fix: (values) => `Have the account's administrator reactivate it, then see: az account show${inSubscription(values)} --query state`,
  },
  "azure.provider.not-registered": {
    title: "The subscription is not registered for a service",
    explanation: "Every resource provider is registered for each subscription by itself before its resources can be made.",
    fix: (values) => `az provider register --namespace ${values.subject ?? ""}${inSubscription(values)} --wait`,
  },
  "azure.arm.token-refused": {
    title: "Azure Resource Manager does not take the token",
    explanation: "The token is for another service or of another cloud, or something on the way replaced it.",
    fix: ({ cloud }) => `Look at the proxy of this machine: it must pass the Authorization header on to ${cloud.armHost}.`,
  },
} as const satisfies Record<string, AzureEntry>;
