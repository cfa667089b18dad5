/** The application or managed identity that the client id names, and its tenant. */
import type { AzureCauseValues, AzureEntry } from "../causes.js";
import { partsOf, up } from "../fixes.js";

const show = ({ exchange }: AzureCauseValues): string => {
  const { identity } = exchange;
  if (identity.kind === "application") return `az ad app show --id ${identity.objectId} --query appId`;
  const { group, name } = partsOf(identity.resourceId);
  return `az identity show --name ${name} --resource-group ${group} --subscription ${identity.resourceId.split("/")[2] ?? ""} --query clientId`;
};

export const clientCauses = {
  "azure.client.missing": {
    title: "The tenant has no application or managed identity with the client id",
    explanation: "It was deleted, made anew (which gives another client id), or the client id is of another tenant.",
    fix: (values) => `${up}; it makes the identity and puts out its client id. The one that is there: ${show(values)}`,
  },
  "azure.client.recreated": {
    title: "The identity was deleted and made anew",
    explanation: "A new identity of the same name has another client id and another object id: the platform still names the old one, and role assignments still name the old one's principal.",
    fix: (values) => `${up}, then give the platform the new client id (${show(values)}).`,
  },
  "azure.client.is-principal-id": {
    title: "Client id and principal id are swapped",
    explanation: "Tokens are asked for with the client id (application id); roles are assigned to the principal id (object id). Both are GUIDs and easily mistaken.",
    fix: (values) => `Take the contract from \`pulumi stack output --json\`, and give the platform ${values.exchange.principalId} as client id: ${show(values)}`,
  },
  "azure.client.not-propagated": {
    title: "The identity is too new for Entra",
    explanation: "A new identity is seen after a minute or so.",
    fix: () => "Wait some minutes and verify again, or verify with --wait 5m.",
  },
  "azure.client.service-principal-missing": {
    title: "The application has no service principal in the tenant",
    explanation: "An app registration is a definition; what signs in and gets roles is its service principal.",
    fix: ({ exchange }) => `az ad sp create --id ${exchange.clientId}`,
  },
  "azure.client.disabled": {
    title: "The service principal is disabled",
    explanation: "Somebody has switched sign-in off for it.",
    fix: ({ exchange }) => `az ad sp update --id ${exchange.principalId} --set accountEnabled=true`,
  },
  "azure.tenant.missing": {
    title: "The tenant does not exist",
    explanation: "Entra knows no tenant of that id in this cloud.",
    fix: ({ found }) => `Set the tenant id in the stack's configuration to ${found ?? "what `az account show --query tenantId` says"}, and run \`pulumi up\`.`,
  },
  "azure.tenant.malformed": {
    title: "The tenant id is none",
    explanation: "A tenant is named by its GUID or by a domain of it.",
    fix: () => "Set the tenant id in the stack's configuration to what `az account show --query tenantId` says, and run `pulumi up`.",
  },
  "azure.tenant.other-cloud": {
    title: "The tenant is in another of Azure's clouds",
    explanation: "Each cloud has its own authority and its own tenants; tokens of one are nothing in another.",
    fix: (values) => `Set the cloud in the stack's configuration${values.found === undefined ? "" : ` to ${values.found}`} and run \`pulumi up\`; the contract has ${values.cloud.name} (\`az cloud show --query name\` says where you are).`,
  },
} as const satisfies Record<string, AzureEntry>;
