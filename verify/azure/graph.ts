/** The identity in Microsoft Graph, which a service principal may look itself up in without any consent. https://learn.microsoft.com/graph/api/serviceprincipal-get */
import { GRAPH_ERRORS } from "../../facts/azure/graph-errors.js";
import { fail, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { describeAnswer, isOverload } from "./answers.js";
import { cause, type AzureRun } from "./run.js";
import { askPatiently } from "./session.js";

/** `servicePrincipalType` by what the contract's identity is. */
const TYPES = { "managed-identity": "ManagedIdentity", application: "Application" } as const;

export function graphCheck(run: AzureRun, exchangeCheck: string): Check {
  return {
    id: "azure.graph",
    title: "Graph: the identity is resolved, with the contract's object id",
    grade: "live",
    required: true,
    needs: [exchangeCheck],
    deadlineMs: 60_000,
    run: (scope) => lookUp(run, scope),
  };
}

async function lookUp(run: AzureRun, scope: CheckScope): Promise<Verdict> {
  const { clientId, principalId, identity } = run.exchange;
  const url = `https://${run.cloud.graphHost}/v1.0/servicePrincipals(appId='${clientId}')?$select=id,appId,displayName,accountEnabled,servicePrincipalType`;
  const mayPass = ({ httpStatus, code }: { httpStatus: number; code: string }) => (httpStatus === GRAPH_ERRORS.notFound.httpStatus && code === GRAPH_ERRORS.notFound.code ? code : undefined);
  const { answer } = await askPatiently(run, scope, { check: "azure.graph", resource: "graph", mayPass }, { method: "GET", url });
  if (!answer.ok) {
    const seen = `Graph answered ${describeAnswer(answer)}`;
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
    if (answer.httpStatus === 404) return fail(seen, cause(run, "azure.graph.principal-missing", seen));
    return answer.httpStatus === 403 ? fail(seen, cause(run, "azure.graph.denied", seen)) : unknown(seen);
  }
  const { id, displayName, accountEnabled, servicePrincipalType: type } = answer.json;
  const seen = `${String(displayName)}: object id ${String(id)}, ${String(type)}`;
  if (typeof id !== "string") return unknown(`Graph's answer has no id in it`);
  if (id.toLowerCase() !== principalId.toLowerCase()) return fail(seen, cause(run, "azure.graph.principal-differs", `Graph has ${id} for client id ${clientId}, the contract has ${principalId}`, { found: id }));
  if (accountEnabled === false) return fail(`${seen}, disabled`, cause(run, "azure.client.disabled", "accountEnabled is false"));
  const wanted = TYPES[identity.kind];
  return type === wanted ? pass(seen) : fail(seen, cause(run, "azure.graph.type-differs", `servicePrincipalType is ${String(type)}, the contract's identity is a ${identity.kind}`, { found: String(type) }));
}
