/** Which APIs a project has enabled. https://cloud.google.com/service-usage/docs/reference/rest */
import { APIS } from "../../facts/gcp/services.js";
import { projectResource } from "./accounts.js";
import type { ApiStates } from "./api-states.js";
import { defaultServiceAccount } from "./default-service-account.js";
import { invalidArgument } from "./errors.js";
import type { GcpRequest, GcpRoute, GcpService, GcpServiceContext } from "./service.js";
import { GcpError, type GcpProject } from "./types.js";

export interface ServiceUsageParts {
  context: GcpServiceContext;
  apis: ApiStates;
}

/** Of one call. https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchEnable */
const MAX_ENABLED_AT_ONCE = 20;
const MAX_READ_AT_ONCE = 30;
const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;
/** APIs with which a project gets its Compute Engine default account. https://cloud.google.com/iam/docs/service-account-types#default */
const USES_DEFAULT_ACCOUNT: readonly string[] = ["cloudbuild.googleapis.com", "compute.googleapis.com", "container.googleapis.com", "run.googleapis.com"];
const METADATA = "type.googleapis.com/google.api.serviceusage.v1.OperationMetadata";
const RESPONSES = "type.googleapis.com/google.api.serviceusage.v1.";

export function createServiceUsage(parts: ServiceUsageParts): GcpService {
  const { context, apis } = parts;
  const route = (method: GcpRoute["method"], suffix: string, operation: string, run: (request: GcpRequest, project: GcpProject) => object): GcpRoute => ({
    method,
    path: `/v1/projects/{project}/services${suffix}`,
    operation: `serviceusage:${operation}`,
    run: async (request) => run(request, context.projectOf(request.params["project"] ?? "")),
  });
  const require = ({ caller }: GcpRequest, permission: string, { projectId }: GcpProject): void =>
    context.require(caller, permission, { name: projectResource(projectId), type: "cloudresourcemanager.googleapis.com/Project", projectId });
  const view = (api: string, { projectNumber }: GcpProject): object => ({
    name: `projects/${projectNumber}/services/${api}`,
    config: { name: api, title: APIS[api]?.title ?? api },
    state: apis.enabled(projectNumber, api) ? "ENABLED" : "DISABLED",
    parent: `projects/${projectNumber}`,
  });
  const enable = (request: GcpRequest, project: GcpProject, names: readonly string[]): void => {
    require(request, "serviceusage.services.enable", project);
    for (const api of names) assertKnown(api, project);
    for (const api of names) if (!apis.enabled(project.projectNumber, api)) apis.enable(project.projectNumber, api);
    if (names.some((api) => USES_DEFAULT_ACCOUNT.includes(api))) defaultServiceAccount(context, project);
  };
  const operation = ({ projectNumber }: GcpProject, names: readonly string[], kind: string, response: object): object => {
    const resourceNames = names.map((api) => `projects/${projectNumber}/services/${api}`);
    const name = `operations/acf.p2-${projectNumber}-${crypto.randomUUID()}`;
    return context.operation("serviceusage", name, { "@type": `${RESPONSES}${kind}`, ...response }, { "@type": METADATA, resourceNames });
  };
  return {
    name: "serviceusage",
    // Nobody can switch off what everything else is switched by.
    api: undefined,
    serves: (host) => host === "serviceusage.googleapis.com",
    routes: [
      route("GET", "/{api}", "GetService", (request, project) => {
        require(request, "serviceusage.services.get", project);
        const api = request.params["api"] ?? "";
        assertKnown(api, project);
        return view(api, project);
      }),
      route("GET", "", "ListServices", (request, project) => {
        require(request, "serviceusage.services.list", project);
        const wanted = wantedState(request.query.get("filter") ?? "");
        const enabled = apis.list(project.projectNumber);
        const names = [...new Set([...enabled, ...Object.keys(APIS)])].sort().filter((api) => wanted === undefined || enabled.includes(api) === wanted);
        return page(names, request.query, (api) => view(api, project));
      }),
      route("GET", ":batchGet", "BatchGetServices", (request, project) => {
        require(request, "serviceusage.services.get", project);
        const names = request.query.getAll("names");
        if (names.length > MAX_READ_AT_ONCE) throw invalidArgument();
        return { services: names.map((name) => view(name.slice(name.lastIndexOf("/") + 1), project)) };
      }),
      route("POST", "/{api}:enable", "EnableService", (request, project) => {
        const api = request.params["api"] ?? "";
        enable(request, project, [api]);
        return operation(project, [api], "EnableServiceResponse", { service: view(api, project) });
      }),
      route("POST", ":batchEnable", "BatchEnableServices", (request, project) => {
        const { serviceIds } = (request.body ?? {}) as { serviceIds?: unknown };
        const names = Array.isArray(serviceIds) ? serviceIds.map(String) : [];
        if (names.length === 0 || names.length > MAX_ENABLED_AT_ONCE) throw invalidArgument();
        enable(request, project, names);
        return operation(project, names, "BatchEnableServicesResponse", { services: names.map((api) => view(api, project)) });
      }),
      route("POST", "/{api}:disable", "DisableService", (request, project) => {
        require(request, "serviceusage.services.disable", project);
        const api = request.params["api"] ?? "";
        assertKnown(api, project);
        apis.disable(project.projectNumber, api);
        return operation(project, [api], "DisableServiceResponse", { service: view(api, project) });
      }),
    ],
  };
}

/** Google tells those who may not see a service the same as where there is none. */
function assertKnown(api: string, { projectNumber }: GcpProject): void {
  if (Object.hasOwn(APIS, api)) return;
  throw new GcpError("PERMISSION_DENIED", `Not found or permission denied for service(s): ${api}.`, {
    reason: "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
    domain: "serviceusage.googleapis.com",
    metadata: { services: api, project: projectNumber },
  });
}

function wantedState(filter: string): boolean | undefined {
  if (filter === "") return undefined;
  const [, state] = /^state:(ENABLED|DISABLED)$/.exec(filter) ?? [];
  if (state === undefined) throw invalidArgument(`Invalid filter: ${filter}`);
  return state === "ENABLED";
}

function page(names: readonly string[], query: URLSearchParams, view: (api: string) => object): object {
  const size = Math.min(Number(query.get("pageSize") ?? 0) || DEFAULT_PAGE, MAX_PAGE);
  const start = Number(query.get("pageToken") ?? 0) || 0;
  const next = start + size < names.length ? String(start + size) : undefined;
  return { services: names.slice(start, start + size).map(view), ...(next !== undefined && { nextPageToken: next }) };
}
