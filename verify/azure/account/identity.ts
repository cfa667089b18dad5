/** The identity as the subscription or the directory has it: there, the same one, able to sign in. */
import { isJsonObject } from "../../../trust/jwt.js";
import { fail, pass, unknown, type Verdict } from "../../check.js";
import { cause, type AzureRun } from "../run.js";
import { properties, type AzureDocuments } from "./reader.js";
import { sameId } from "./rights.js";

/** Undefined where all is well. */
export async function identityFault(run: AzureRun, documents: AzureDocuments): Promise<Verdict | undefined> {
  const { identity, clientId, principalId } = run.exchange;
  const reading = await documents.identity();
  const name = identity.kind === "managed-identity" ? identity.resourceId : `application ${identity.objectId}`;
  if (reading.status === "unreadable") return unknown(reading.reason);
  if (reading.status === "absent") return fail(`${name} does not exist`, cause(run, "azure.client.missing", reading.detail));
  const { clientId: ownClient, principalId: ownPrincipal } = properties(reading.value);
  const client = identity.kind === "managed-identity" ? ownClient : reading.value["appId"];
  if (sameId(clientId, principalId) || (identity.kind === "managed-identity" && sameId(ownPrincipal, clientId))) {
    const seen = `the contract's client id ${clientId} is the object id of the service principal; the client id is ${String(client)}`;
    return fail(seen, cause(run, "azure.client.is-principal-id", seen, { expected: String(client), found: clientId }));
  }
  if (!sameId(client, clientId)) {
    const seen = `${name} has the client id ${String(client)}, the contract ${clientId}`;
    return fail(seen, cause(run, "azure.client.recreated", seen, { expected: clientId, found: String(client) }));
  }
  return identity.kind === "managed-identity" ? managedPrincipalFault(run, ownPrincipal) : applicationPrincipalFault(run, documents);
}

function managedPrincipalFault(run: AzureRun, found: unknown): Verdict | undefined {
  if (sameId(found, run.exchange.principalId)) return undefined;
  const seen = `the identity's object id is ${String(found)}, the contract has ${run.exchange.principalId}`;
  return fail(seen, cause(run, "azure.graph.principal-differs", seen, { found: String(found) }));
}

async function applicationPrincipalFault(run: AzureRun, documents: AzureDocuments): Promise<Verdict | undefined> {
  const { clientId, principalId } = run.exchange;
  const reading = await documents.servicePrincipal(clientId);
  if (reading.status === "unreadable") return unknown(reading.reason);
  if (reading.status === "absent") return fail(`application ${clientId} has no service principal`, cause(run, "azure.client.service-principal-missing", reading.detail));
  const { id, accountEnabled } = reading.value;
  if (accountEnabled === false) return fail("its service principal is disabled", cause(run, "azure.client.disabled", "accountEnabled is false"));
  if (sameId(id, principalId)) return undefined;
  const seen = `the service principal's object id is ${String(id)}, the contract has ${principalId}`;
  return fail(seen, cause(run, "azure.graph.principal-differs", seen, { found: String(id) }));
}

export async function identityCheck(run: AzureRun, documents: AzureDocuments): Promise<Verdict> {
  return (await identityFault(run, documents)) ?? pass(`client id ${run.exchange.clientId}, object id ${run.exchange.principalId}`);
}

/** Of a resource: the user-assigned managed identities that it has, by ARM id in lower case. */
export function assignedIdentities(resource: Record<string, unknown>): string[] {
  const { identity } = resource;
  const assigned = isJsonObject(identity) ? identity["userAssignedIdentities"] : undefined;
  return isJsonObject(assigned) ? Object.keys(assigned).map((id) => id.toLowerCase()) : [];
}
