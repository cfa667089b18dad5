/** What else Entra refuses an exchange for. */
import type { AzureEntry } from "../causes.js";
import { credentialCommand } from "../fixes.js";

export const exchangeCauses = {
  "azure.exchange.conditional-access": {
    title: "A Conditional Access policy blocks the workload's sign-in",
    explanation: "Policies for workload identities block by network location or by risk; only single-tenant applications are subject to them, and managed identities never are.",
    fix: ({ exchange }) => `Ask the directory's administrators to exclude ${exchange.clientId} from the policy or to allow the platform's addresses; the sign-in is listed under service principal sign-ins: az rest --method get --url "https://graph.microsoft.com/beta/auditLogs/signIns?\\$filter=appId eq '${exchange.clientId}' and signInEventTypes/any(t:t eq 'servicePrincipal')"`,
  },
  "azure.exchange.issuer-not-allowed": {
    title: "Entra takes no tokens of this issuer for federation",
    explanation: "A tenant's policy or Entra itself excludes it; tokens that Entra has issued itself are among what is excluded.",
    fix: ({ contract }) => `Use an issuer of the platform's own instead of ${contract.workload.issuer}, or ask the directory's administrators whether an application management policy restricts issuers.`,
  },
  "azure.exchange.resource-unknown": {
    title: "The tenant does not know the service that a token was asked for",
    explanation: "Every service has a service principal in the tenant, which appears when its resource provider is first used.",
    fix: (values) => `az ad sp create --id ${values.found ?? values.subject ?? ""}`,
  },
  "azure.exchange.not-entra": {
    title: "What answered is not Microsoft Entra ID",
    explanation: "It accepted a token that Entra refuses.",
    fix: ({ cloud }) => `Look at the proxy and at the name resolution of this machine: ${cloud.loginHost} must lead to Microsoft.`,
  },
  "azure.exchange.refused": {
    title: "Entra refuses the exchange",
    explanation: "The code is none that this release knows; https://login.microsoftonline.com/error explains codes.",
    fix: (values) => `Verify again with --account, or compare by hand: ${credentialCommand(values, "list")}`,
  },
} as const satisfies Record<string, AzureEntry>;
