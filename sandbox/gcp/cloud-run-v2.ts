/** Cloud Run's API of today. https://cloud.google.com/run/docs/reference/rest/v2 */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { artifactTexts, repositoryLocations } from "../../facts/gcp/artifact-registry.js";
import { CLOUD_RUN_LIMITS, ingressSettings, runTexts } from "../../facts/gcp/cloud-run.js";
import { projectResource } from "./accounts.js";
import type { Deployer } from "./cloud-run-deploy.js";
import { type RunService, type RunStore, type ServicePlace, type ServiceSettings, locationName } from "./cloud-run-store.js";
import { readiness, shownRevision, shownService } from "./cloud-run-views.js";
import { invalidArgument } from "./errors.js";
import { page } from "./iam-input.js";
import type { GcpRequest, GcpRoute, GcpServiceContext } from "./service.js";
import { GcpError, type GcpProject } from "./types.js";

const API = "type.googleapis.com/google.cloud.run.v2";
const OPERATION = "gcp:run/operation";
const PAGES = { usual: CLOUD_RUN_LIMITS.page.max, most: CLOUD_RUN_LIMITS.page.max };
const texts = z.record(z.string(), z.string());
const form = z.object({
  description: z.string().optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
  client: z.string().optional(),
  clientVersion: z.string().optional(),
  ingress: z
    .enum(["INGRESS_TRAFFIC_UNSPECIFIED", ...(Object.keys(ingressSettings) as (keyof typeof ingressSettings)[])])
    .optional()
    .transform((given) => (given === undefined || given === "INGRESS_TRAFFIC_UNSPECIFIED" ? "INGRESS_TRAFFIC_ALL" : given)),
  launchStage: z.string().optional(),
  invokerIamDisabled: z.boolean().optional(),
  defaultUriDisabled: z.boolean().optional(),
  customAudiences: z.array(z.string()).optional(),
  scaling: z.looseObject({}).optional(),
  template: z.looseObject({
    revision: z.string().optional(),
    labels: texts.optional(),
    annotations: texts.optional(),
    serviceAccount: z.string().optional(),
    timeout: z.string().optional(),
    maxInstanceRequestConcurrency: z.number().optional(),
    scaling: z.looseObject({}).optional(),
    containers: z.array(z.looseObject({ image: z.string() })).default([]),
  }),
  traffic: z.array(z.object({ type: z.string().optional(), revision: z.string().optional(), percent: z.number().optional(), tag: z.string().optional() })).default([]),
});

/** Where an account is named in full, its address is meant. */
function read(body: unknown): ServiceSettings {
  const result = form.safeParse(body ?? {});
  const issue = result.error?.issues[0];
  if (!result.success) throw invalidArgument(`Invalid value at 'service.${issue?.path.map(String).join(".") ?? ""}': ${issue?.message ?? ""}`);
  return JSON.parse(JSON.stringify(result.data)) as ServiceSettings;
}

/** Throws for regions that Cloud Run has not. */
export function checkLocation(location: string): void {
  if (!repositoryLocations.includes(location) || !location.includes("-")) throw new GcpError("PERMISSION_DENIED", artifactTexts.locationDenied(location));
}

export function v2Routes(context: GcpServiceContext, store: RunStore, deployer: Deployer): GcpRoute[] {
  function placeOf({ params }: GcpRequest, serviceId = params["service"] ?? ""): { place: ServicePlace; project: GcpProject } {
    const project = context.projectOf(params["project"] ?? "");
    const location = params["location"] ?? "";
    checkLocation(location);
    return { project, place: { projectId: project.projectId, location, serviceId } };
  }

  const view = (service: RunService): object => shownService(store, service);

  /** Done at once; with an error where the new revision cannot serve. */
  function operation(service: RunService, response: object, outcome: ReturnType<typeof readiness>): object {
    const name = `${locationName(service)}/operations/${randomUUID()}`;
    const typed = { "@type": `${API}.Service`, ...response };
    // A revision whose image is missing ends the operation as not found.
    const result = outcome.ready ? { response: typed } : { error: { code: 5, message: outcome.message ?? "" } };
    const record = { name, metadata: typed, done: true, ...result };
    context.core.store.put(OPERATION, name, record);
    return record;
  }

  async function create(request: GcpRequest): Promise<object> {
    const { project, place } = placeOf(request, request.query.get("serviceId") ?? "");
    const service = deployer.create(request.caller, project, place, read(request.body));
    return operation(service, view(service), readiness(store, service));
  }

  async function patch(request: GcpRequest): Promise<object> {
    const { project, place } = placeOf(request);
    const wanted = (request.body ?? {}) as { etag?: string };
    if (request.query.get("allowMissing") === "true" && !store.service(place)) return create({ ...request, query: new URLSearchParams({ serviceId: place.serviceId }) });
    const service = deployer.update(request.caller, project, place, { settings: (before) => read(masked(before, wanted, request.query.get("updateMask"))), etag: wanted.etag });
    return operation(service, view(service), readiness(store, service));
  }

  async function remove(request: GcpRequest): Promise<object> {
    const service = deployer.open(request.caller, "run.services.delete", placeOf(request).place);
    const etag = request.query.get("etag");
    if (etag !== null && etag !== service.etag) throw new GcpError("ABORTED", runTexts.conflict(service.serviceId, etag, service.etag));
    const last = { ...view(service), deleteTime: context.core.clock.now().toISOString() };
    deployer.delete(service);
    return operation(service, last, { ready: true });
  }

  function list(request: GcpRequest): object {
    const project = context.projectOf(request.params["project"] ?? "");
    const location = request.params["location"] ?? "";
    if (location !== "-") checkLocation(location);
    requireOnProject(request, project, "run.services.list");
    return page("services", store.services(project.projectId, location).map(view), request, PAGES);
  }

  function requireOnProject({ caller }: GcpRequest, { projectId }: GcpProject, permission: string): void {
    context.require(caller, permission, { name: projectResource(projectId), type: "cloudresourcemanager.googleapis.com/Project", projectId });
  }

  /** An operation is no service's own: a role on one service does not let see it. */
  function getOperation(request: GcpRequest): object {
    const project = context.projectOf(request.params["project"] ?? "");
    requireOnProject(request, project, "run.operations.get");
    const name = `${locationName({ projectId: project.projectId, location: request.params["location"] ?? "" })}/operations/${request.params["operation"] ?? ""}`;
    const found = context.core.store.get<object>(OPERATION, name);
    if (!found) throw new GcpError("NOT_FOUND", "Requested entity was not found.");
    return found;
  }

  function revisions(request: GcpRequest): object {
    const service = deployer.open(request.caller, "run.revisions.list", placeOf(request).place);
    return page("revisions", store.revisions(service).map((each) => shownRevision(service, each)), request, PAGES);
  }

  function revision(request: GcpRequest): object {
    const service = deployer.open(request.caller, "run.revisions.get", placeOf(request).place);
    const found = store.revision(service, request.params["revision"] ?? "");
    if (!found) throw new GcpError("NOT_FOUND", runTexts.notFound(request.params["revision"] ?? ""));
    return shownRevision(service, found);
  }

  const consumer = ({ params }: GcpRequest): string | undefined => params["project"];
  const route = (method: GcpRoute["method"], path: string, name: string, run: GcpRoute["run"]): GcpRoute => ({ method, path, operation: `run:${name}`, consumer, run });
  const all = "/v2/projects/{project}/locations/{location}/services";
  const one = `${all}/{service}`;
  return [
    route("POST", all, "CreateService", create),
    route("GET", all, "ListServices", async (request) => list(request)),
    route("GET", one, "GetService", async (request) => view(deployer.open(request.caller, "run.services.get", placeOf(request).place))),
    route("PATCH", one, "UpdateService", patch),
    route("DELETE", one, "DeleteService", remove),
    route("GET", `${one}/revisions`, "ListRevisions", async (request) => revisions(request)),
    route("GET", `${one}/revisions/{revision}`, "GetRevision", async (request) => revision(request)),
    route("GET", "/v2/projects/{project}/locations/{location}/operations/{operation}", "GetOperation", async (request) => getOperation(request)),
  ];
}

/** The members that the mask names from the body, all others as they are; without mask the body is the whole. */
function masked(before: ServiceSettings, body: object, mask: string | null): object {
  if (mask === null || mask === "" || mask === "*") return body;
  const named = new Set(mask.split(",").map((path) => path.trim().split(".")[0]?.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) ?? ""));
  const kept = Object.entries(before).filter(([key]) => !named.has(key));
  return { ...Object.fromEntries(kept), ...Object.fromEntries(Object.entries(body).filter(([key]) => named.has(key))) };
}
