/** The identity, as Microsoft Graph shows it to itself. */
import type { AzureEntry } from "../causes.js";
import { up } from "../fixes.js";

export const graphCauses = {
  "azure.graph.principal-missing": {
    title: "Microsoft Graph knows no service principal with the client id",
    explanation: "The platform resolves the identity there before it goes on. A deleted principal can still have tokens for a while.",
    fix: ({ exchange }) => `az ad sp show --id ${exchange.clientId}; then ${up.charAt(0).toLowerCase()}${up.slice(1)}.`,
  },
  "azure.graph.principal-differs": {
    title: "The service principal has another object id than the contract's",
    explanation: "Roles that were assigned to the contract's principal id do not reach it: the identity was made anew, or the principal id is the app registration's object id.",
    fix: (values) => `${up}; the service principal's object id is ${values.found ?? "another one"}, the contract has ${values.exchange.principalId}.`,
  },
  "azure.graph.type-differs": {
    title: "The service principal is of another kind than the contract's identity",
    explanation: "A managed identity and an app registration are different things with the same kind of ids.",
    fix: (values) => `Take the contract from \`pulumi stack output --json\`; the client id is of a principal of type ${values.found ?? "another kind"}.`,
  },
  "azure.graph.denied": {
    title: "Microsoft Graph refuses the identity's own look-up",
    explanation: "A service principal may read its own entry without any consent; a refusal says that the entry is somebody else's, or that a policy stands before Graph.",
    fix: ({ exchange }) => `az ad sp show --id ${exchange.clientId} --query id, and compare with ${exchange.principalId}.`,
  },
} as const satisfies Record<string, AzureEntry>;
