/** Storage account and container: whether they are there, and whether the data in them can be reached. */
import type { AzureCauseValues, AzureEntry } from "../causes.js";
import { assignRole, inSubscription, listAssignments, quote, up } from "../fixes.js";

const DENIED = "Azure container exists but blob access is denied";
const CONTRIBUTOR = "Storage Blob Data Contributor";
/** Of an ARM id of a container or an account. */
const account = ({ scope, subject }: AzureCauseValues) => /\/storageAccounts\/([^/]+)/i.exec(scope ?? "")?.[1] ?? subject ?? "";
const inGroup = (values: AzureCauseValues) => `${values.resourceGroup === undefined ? "" : ` --resource-group ${quote(values.resourceGroup)}`}${inSubscription(values)}`;
const ofContainer = (values: AzureCauseValues) => `--account-name ${account(values)} --container-name ${values.subject ?? ""}`;

export const storageCauses = {
  "azure.storage.account-missing": {
    title: "The storage account does not exist",
    explanation: "Every account has a host name of its own; without the account there is none.",
    fix: (values) => `${up}; it makes the account, or, where it is your own, name the right one in its configuration${values.found === undefined ? `: az storage account list${inGroup(values)} --query "[].name"` : `, with its resource group, ${values.found}`}`,
  },
  "azure.storage.endpoint-differs": {
    title: "The storage account's blob endpoint is another one than the contract's",
    explanation: "Endpoints are read back, not made of names: accounts may be in DNS zones of their own.",
    fix: (values) => `${up}; the account's endpoint is ${values.found ?? "another one"}.`,
  },
  "azure.storage.account-disabled": {
    title: "The storage account is disabled",
    explanation: "Microsoft or the subscription's state has disabled it.",
    fix: (values) => `az storage account show --name ${account(values)}${inGroup(values)} --query "{state: provisioningState, status: statusOfPrimary}", and the state of the subscription: az account show${inSubscription(values)} --query state`,
  },
  "azure.storage.container-missing": {
    title: "The container does not exist",
    explanation: "Containers are made in the account; a deleted one can be restored while soft delete keeps it.",
    fix: (values) => `${up}; it makes the container, or: az storage container-rm create --name ${values.subject ?? ""} --storage-account ${account(values)}${inGroup(values)}`,
  },
  "azure.storage.container-deleting": {
    title: "The container is being deleted",
    explanation: "Its name cannot be used for half a minute or longer.",
    fix: (values) => `Wait until az storage container-rm exists --name ${values.subject ?? ""} --storage-account ${account(values)}${inGroup(values)} says false, then ${up.charAt(0).toLowerCase()}${up.slice(1)}.`,
  },
  "azure.storage.data-role-missing": {
    title: "No data role allows access to the container's blobs",
    failureMode: DENIED,
    explanation: "Contributor manages the account and reaches no blob: blobs need a data role (Storage Blob Data Contributor) on the container or the account.",
    fix: (values) => assignRole(values, values.role ?? CONTRIBUTOR),
  },
  "azure.storage.reader-only": {
    title: "The data role reads and does not write",
    failureMode: DENIED,
    explanation: "Storage Blob Data Reader is enough to see that the container is there; uploading and deleting need Storage Blob Data Contributor.",
    fix: (values) => assignRole(values, values.role ?? CONTRIBUTOR),
  },
  "azure.storage.data-role-not-propagated": {
    title: "The data role is too new",
    failureMode: DENIED,
    explanation: "A new role assignment counts for blobs after some minutes, at times after ten or more.",
    fix: () => "Wait some minutes and verify again, or verify with --wait 15m.",
  },
  "azure.storage.data-role-elsewhere": {
    title: "The data role is assigned on another scope",
    failureMode: DENIED,
    explanation: "An assignment on one container or account says nothing about another.",
    fix: (values) => `${assignRole(values, values.role ?? CONTRIBUTOR)}; then remove the one on ${values.found ?? "the other scope"}.`,
  },
  "azure.storage.data-role-wrong-principal": {
    title: "The data role is assigned to another object",
    failureMode: DENIED,
    explanation: "Roles are assigned to the service principal's object id. The app registration's object id and the client id are other GUIDs, and an identity that was made anew is another principal.",
    fix: (values) => `${assignRole(values, values.role ?? CONTRIBUTOR)}; then remove the one of ${values.found ?? "the other object"}.`,
  },
  "azure.storage.constrained": {
    title: "A condition or a deny assignment keeps the blobs away",
    failureMode: DENIED,
    explanation: "Both refuse with the same answer as a missing data role, and neither can be read with the evidence at hand.",
    fix: (values) => `Verify with --account, or look: ${listAssignments(values).replace("--output table", "--query \"[].{role: roleDefinitionName, scope: scope, condition: condition}\"")}`,
  },
  "azure.storage.firewall": {
    title: "The storage account's network rules keep the platform out",
    explanation: "The account takes no calls from this network: public network access is off, or its firewall denies by default. Rights say nothing about it.",
    fix: (values) => `az storage account network-rule add --account-name ${account(values)}${inGroup(values)} --ip-address PLATFORM_ADDRESS, or: az storage account update --name ${account(values)}${inGroup(values)} --public-network-access Enabled --default-action Allow`,
  },
  "azure.storage.immutable": {
    title: "The container keeps blobs that the platform must be able to delete",
    explanation: "A retention policy or a legal hold refuses the deletion, whatever the rights.",
    fix: (values) => `az storage container immutability-policy show ${ofContainer(values)}, az storage container legal-hold show ${ofContainer(values)}; remove them, or use another container for artifacts.`,
  },
  "azure.storage.key-refused": {
    title: "The storage account takes no shared keys, and the request had one",
    explanation: "The platform presents tokens; something on the way signed the request with a key.",
    fix: () => "Look at the proxy of this machine: it must pass the Authorization header on.",
  },
  "azure.storage.token-refused": {
    title: "The storage account does not take the token",
    explanation: "It is of another tenant than the account's subscription, or for another service.",
    fix: (values) => `az account show${inSubscription(values)} --query tenantId, and compare with the contract's tenant ${values.exchange.tenantId}.`,
  },
  "azure.storage.content-differs": {
    title: "What was stored came back changed",
    explanation: "Something between here and the storage account changes contents.",
    fix: () => "Look for a proxy that rewrites contents.",
  },
  "azure.storage.not-deleted": {
    title: "The test blob is still listed after it was deleted",
    explanation: "Something keeps blobs or puts them back.",
    fix: (values) => `az storage blob list ${ofContainer(values)} --prefix cloud-federation-verify/ --auth-mode login --output table`,
  },
  "azure.storage.public": {
    title: "The container can be read by everybody",
    explanation: "Anonymous access is on for the container and allowed by the account.",
    fix: (values) => `az storage account update --name ${account(values)}${inGroup(values)} --allow-blob-public-access false`,
  },
} as const satisfies Record<string, AzureEntry>;
