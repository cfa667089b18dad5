/** The contract's own Cloud Run service: there, and open to whom it is to be. Looked at only. https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services */
import type { GrantOf } from "../../contract/schema.js";
import { grantedRoles } from "../../facts/gcp/grants.js";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { describeAnswer, isOverload } from "./answers.js";
import type { GcpCauseValues } from "./causes.js";
import { INVOKERS_UNCHECKED } from "./causes/service.js";
import { diagnoseRefusal, type RightCall } from "./rights-causes.js";
import { askAsSession, cause, type GcpRun } from "./run.js";
import { visit } from "./service-address.js";

export type ServiceGrant = GrantOf<"cloud-run-service">;

export const OPEN_INGRESS = "INGRESS_TRAFFIC_ALL";

export function serviceName({ projectId, region }: ServiceGrant, service: string): string {
  return `projects/${projectId}/locations/${region}/services/${service}`;
}

export function serviceUrl(grant: ServiceGrant, service: string): string {
  return `https://run.googleapis.com/v2/${serviceName(grant, service)}`;
}

export function serviceRight(grant: ServiceGrant, service: string, verb: "get" | "create" | "update" | "delete"): RightCall {
  return { operation: `services.${verb}`, permission: `run.services.${verb}`, resource: `//run.googleapis.com/${serviceName(grant, service)}`, role: grantedRoles.runDeveloper };
}

export function serviceValues({ projectId, region }: ServiceGrant, service: string): Partial<GcpCauseValues> {
  return { subject: service, expected: region, project: projectId };
}

/** State of a service's `Ready` condition. */
export function readiness({ terminalCondition, reconciling }: JsonObject): { state: "ready" | "failed" | "coming"; message: string } {
  const { state, message } = isJsonObject(terminalCondition) ? terminalCondition : {};
  const told = typeof message === "string" ? message : "";
  if (state === "CONDITION_FAILED") return { state: "failed", message: told };
  return { state: state === "CONDITION_SUCCEEDED" && reconciling !== true ? "ready" : "coming", message: told };
}

/** Of the service that the contract names; where the role is on the project it names none. */
export function serviceChecks(run: GcpRun, grant: ServiceGrant): Check[] {
  const { service } = grant;
  if (service === undefined) return [];
  let found: JsonObject | undefined;
  const needs = [run.exchange.serviceAccountEmail === undefined ? "gcp.exchange" : "gcp.impersonation", `gcp.held.${grant.id}`];
  const base = { grade: "live", deadlineMs: 60_000 } as const;
  const there = `gcp.service.${grant.id}.there`;
  return [
    {
      ...base,
      id: there,
      title: `Service ${service}: exists`,
      required: true,
      needs,
      run: async (scope) => {
        const read = await readService(run, grant, service, scope);
        if ("verdict" in read) return read.verdict;
        found = read.service;
        const { state, message } = readiness(found);
        if (state === "failed") scope.remark(`Service ${service} is not ready${message === "" ? "" : `: ${message}`}`);
        const { uri, ingress } = found;
        return pass(`${typeof uri === "string" ? uri : "without an address"}, ingress ${String(ingress)}`);
      },
    },
    { ...base, id: `gcp.service.${grant.id}.endpoint`, title: `Service ${service}: who may call its address`, required: false, needs: [there], run: (scope) => endpoint(run, grant, service, found ?? {}, scope) },
  ];
}

async function readService(run: GcpRun, grant: ServiceGrant, service: string, scope: CheckScope): Promise<{ service: JsonObject } | { verdict: Verdict }> {
  const answer = await askAsSession(run, { method: "GET", url: serviceUrl(grant, service) }, scope.signal);
  if (answer.ok) return { service: answer.json };
  const seen = `services.get answered ${describeAnswer(answer)}`;
  if (answer.kind === "no-answer" || isOverload(answer)) return { verdict: unknown(seen) };
  if (answer.httpStatus === 404) return { verdict: fail(seen, cause(run, "gcp.service.missing", seen, serviceValues(grant, service))) };
  const found = await diagnoseRefusal(run, serviceRight(grant, service, "get"), answer, false);
  return { verdict: found ? fail(seen, found) : unknown(seen) };
}

/** Called without a token: what everybody gets. */
async function endpoint(run: GcpRun, grant: ServiceGrant, service: string, { uri, ingress = OPEN_INGRESS, invokerIamDisabled }: JsonObject, scope: CheckScope): Promise<Verdict> {
  if (typeof uri !== "string") return notTested("the service has no address");
  const answer = await visit(run, uri, grant.publicAccess === "customer" ? 200 : 403, scope.signal);
  if (answer.status === "failed") return unknown(`GET ${uri}: ${answer.detail}`);
  const seen = `GET ${uri} without a token: ${answer.httpStatus}`;
  const values = serviceValues(grant, service);
  if (answer.httpStatus === 404 && ingress !== OPEN_INGRESS) {
    const evidence = [seen, `its ingress is ${String(ingress)}`];
    if (isOwnService(run, grant, service)) return fail(`${seen}, ingress ${String(ingress)}`, cause(run, "gcp.service.internal-ingress", evidence, values));
    return pass(`${seen}: ingress ${String(ingress)}, as the service's owner has it; nobody outside can call it`);
  }
  if (answer.httpStatus === 403) {
    if (grant.publicAccess === "customer") return fail(seen, cause(run, "gcp.service.not-public", seen, values));
    return pass(`${seen}: private, as ${grant.publicAccess === "private" ? "configured" : "it stays until the platform makes it public"}; callers need an identity token and roles/run.invoker`);
  }
  if (grant.publicAccess === "private") return fail(seen, cause(run, "gcp.service.public", seen, invokerIamDisabled === true ? { ...values, found: INVOKERS_UNCHECKED } : values));
  return pass(seen);
}

/** Made by the stack, with its ingress. */
export function isOwnService(run: GcpRun, grant: ServiceGrant, service: string): boolean {
  return run.contract.targets.some(({ kind, id, ownership }) => kind === "cloud-run-service" && id === serviceName(grant, service) && ownership === "created");
}
