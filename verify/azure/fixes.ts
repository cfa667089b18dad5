/** Commands that fixes share, with the run's values. */
import type { AzureCauseValues } from "./causes.js";

/** The way back to what the stack declares; what was changed by hand is seen only with `--refresh`. */
export const up = "Run `pulumi up --refresh` in the stack's project";

export const quote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** What every command on resources begins with where the shell may be in another subscription. */
export const inSubscription = ({ exchange }: AzureCauseValues): string => (exchange.subscriptionId === undefined ? "" : ` --subscription ${exchange.subscriptionId}`);

/** Name and group out of an ARM id of a resource directly below a group. */
export function partsOf(resourceId: string): { group: string; name: string } {
  const parts = resourceId.split("/");
  return { group: parts[4] ?? "", name: parts.at(-1) ?? "" };
}

/** `list` and `delete` of the identity's federated credentials, whichever kind of identity it is. */
export function credentialCommand({ exchange }: AzureCauseValues, verb: "list" | "delete"): string {
  const { identity, federatedCredential } = exchange;
  if (identity.kind === "application") return `az ad app federated-credential ${verb} --id ${identity.objectId}${verb === "delete" ? ` --federated-credential-id ${quote(federatedCredential)}` : ""}`;
  const { group, name } = partsOf(identity.resourceId);
  return `az identity federated-credential ${verb} --identity-name ${name} --resource-group ${group}${verb === "delete" ? ` --name ${quote(federatedCredential)} --yes` : ""}${inIdentitySubscription(identity.resourceId)}`;
}

const inIdentitySubscription = (resourceId: string): string => ` --subscription ${resourceId.split("/")[2] ?? ""}`;

/** Sets issuer, subject and audience to the contract's; the name stays. */
export function credentialUpdate({ exchange, contract }: AzureCauseValues): string {
  const { identity, federatedCredential } = exchange;
  const { issuer, subject, audience } = contract.workload;
  if (identity.kind === "application") {
    const parameters = JSON.stringify({ name: federatedCredential, issuer, subject, audiences: [audience] });
    return `az ad app federated-credential update --id ${identity.objectId} --federated-credential-id ${quote(federatedCredential)} --parameters ${quote(parameters)}`;
  }
  const { group, name } = partsOf(identity.resourceId);
  return `az identity federated-credential update --name ${quote(federatedCredential)} --identity-name ${name} --resource-group ${group} --issuer ${quote(issuer)} --subject ${quote(subject)} --audiences ${quote(audience)}${inIdentitySubscription(identity.resourceId)}`;
}

/** To the service principal's object id, with its type, which spares a look-up that fails for new principals. */
export function assignRole(values: AzureCauseValues, role: string, scope = values.scope ?? ""): string {
  return `az role assignment create --role ${quote(role)} --assignee-object-id ${values.exchange.principalId} --assignee-principal-type ServicePrincipal --scope ${quote(scope)}`;
}

export function listAssignments(values: AzureCauseValues, scope = values.scope ?? ""): string {
  return `az role assignment list --assignee ${values.exchange.principalId} --scope ${quote(scope)} --include-inherited --output table`;
}
