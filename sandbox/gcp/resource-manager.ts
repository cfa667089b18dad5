/** Projects and their policies, in versions 1 and 3 of the API. https://cloud.google.com/resource-manager/reference/rest */
import { TESTED_PERMISSIONS } from "../../facts/gcp/iam.js";
import type { Policy } from "../../trust/gcp/types.js";
import { projectResource, type ProjectRecord, type Projects } from "./accounts.js";
import { invalidArgument, permissionDenied } from "./errors.js";
import { readPolicy } from "./policy-form.js";
import { answerPolicy, requestedVersion } from "./policy-versions.js";
import type { GcpRequest, GcpRoute, GcpService, GcpServiceContext } from "./service.js";
import { GcpError, type GcpResource } from "./types.js";

export interface ResourceManagerParts {
  context: GcpServiceContext;
  projects: Projects;
}

type Version = "v1" | "v3";

export function createResourceManager(parts: ResourceManagerParts): GcpService {
  return { name: "cloudresourcemanager", api: "cloudresourcemanager.googleapis.com", serves: (host) => host === "cloudresourcemanager.googleapis.com", routes: [...routesOf(parts, "v1"), ...routesOf(parts, "v3")] };
}

function routesOf(parts: ResourceManagerParts, version: Version): GcpRoute[] {
  const { context, projects } = parts;
  const route = (method: GcpRoute["method"], suffix: string, operation: string, run: GcpRoute["run"]): GcpRoute => ({ method, path: `/${version}/projects${suffix}`, operation: `cloudresourcemanager:${operation}`, run });
  const visible = ({ caller }: GcpRequest): ProjectRecord[] => projects.list().filter((project) => context.allows(caller, "resourcemanager.projects.get", resourceOf(project)));
  const list = (request: GcpRequest, query: string): object => ({ projects: matching(visible(request), query).map((project) => view(project, version)) });
  const policyOf = (request: GcpRequest, permission: string): { project: ProjectRecord; name: string } => {
    const project = find(parts, version, request, permission);
    return { project, name: projectResource(project.projectId) };
  };
  return [
    route("GET", "/{project}", "GetProject", async (request) => view(find(parts, version, request, "resourcemanager.projects.get"), version)),
    route("GET", version === "v1" ? "" : ":search", "SearchProjects", async (request) => list(request, request.query.get(version === "v1" ? "filter" : "query") ?? "")),
    route("POST", "/{project}:getIamPolicy", "GetIamPolicy", async (request) =>
      answerPolicy(context.policies.get(policyOf(request, "resourcemanager.projects.getIamPolicy").name), requestedVersion(request)),
    ),
    route("POST", "/{project}:setIamPolicy", "SetIamPolicy", async (request) => {
      const { project, name } = policyOf(request, "resourcemanager.projects.setIamPolicy");
      return context.policies.set(name, masked(request.body, context.policies.get(name)), project.projectId);
    }),
    route("POST", "/{project}:testIamPermissions", "TestIamPermissions", async ({ caller, params, body }) => {
      const asked = (body as { permissions?: unknown } | undefined)?.permissions;
      const permissions = Array.isArray(asked) ? asked.filter((each): each is string => typeof each === "string") : [];
      if (permissions.length > TESTED_PERMISSIONS || permissions.some((each) => each.includes("*"))) throw invalidArgument();
      const project = projects.find(params["project"] ?? "");
      const granted = project ? permissions.filter((permission) => context.allows(caller, permission, resourceOf(project))) : [];
      return granted.length > 0 ? { permissions: granted } : {};
    }),
    ...(version === "v1" ? [ancestry(parts)] : []),
  ];
}

/** https://cloud.google.com/resource-manager/reference/rest/v1/projects/getAncestry */
function ancestry(parts: ResourceManagerParts): GcpRoute {
  return {
    method: "POST",
    path: "/v1/projects/{project}:getAncestry",
    operation: "cloudresourcemanager:GetAncestry",
    run: async (request) => {
      const project = find(parts, "v1", request, "resourcemanager.projects.get");
      return { ancestor: [{ resourceId: { type: "project", id: project.projectId } }, ...(project.parent === undefined ? [] : [{ resourceId: idOf(project.parent) }])] };
    },
  };
}

/** A project that is not there and one that the caller may not see are the same to the caller. */
function find({ context, projects }: ResourceManagerParts, version: Version, { caller, params }: GcpRequest, permission: string): ProjectRecord {
  const asked = params["project"] ?? "";
  const project = projects.find(asked);
  try {
    if (!project) throw permissionDenied(permission, projectResource(asked));
    context.require(caller, permission, resourceOf(project));
    return project;
  } catch (error) {
    if (version === "v1" && error instanceof GcpError) throw new GcpError(error.status, "The caller does not have permission", error.info);
    throw error;
  }
}

function resourceOf({ projectId }: ProjectRecord): GcpResource {
  return { name: projectResource(projectId), type: "cloudresourcemanager.googleapis.com/Project", projectId };
}

/** Without a mask only bindings are set: the audit configuration stays as it is. */
function masked(body: unknown, current: Policy): unknown {
  const { policy, updateMask } = (body ?? {}) as { policy?: object; updateMask?: string };
  if (policy === undefined) throw invalidArgument();
  const mask = updateMask === undefined || updateMask === "" ? ["bindings", "etag"] : updateMask.split(",").map((field) => field.trim());
  const next = readPolicy(policy);
  return {
    ...next,
    bindings: mask.includes("bindings") ? next.bindings : current.bindings,
    ...(mask.includes("bindings") ? {} : { version: current.version }),
    auditConfigs: mask.includes("auditConfigs") ? next.auditConfigs : current.auditConfigs,
  };
}

function view(project: ProjectRecord, version: Version): object {
  const { projectId, projectNumber, displayName, parent, labels, lifecycleState, createTime } = project;
  return version === "v1"
    ? { projectNumber, projectId, lifecycleState, name: displayName, labels, createTime, ...(parent !== undefined && { parent: idOf(parent) }) }
    : { name: `projects/${projectNumber}`, ...(parent !== undefined && { parent }), projectId, state: lifecycleState, displayName, createTime, labels, etag: `W/"${projectNumber}"` };
}

function idOf(parent: string): { type: string; id: string } {
  const [kind = "", id = ""] = parent.split("/");
  return { type: kind.replace(/s$/, ""), id };
}

/** As much of the filter as clients use: `id:…`, `projectId=…`, `projectNumber:…`, `labels.key=value`, joined by AND. */
function matching(projects: readonly ProjectRecord[], query: string): ProjectRecord[] {
  const terms = query.split(/\s+(?:AND\s+)?/i).filter((term) => term !== "");
  return projects.filter((project) =>
    terms.every((term) => {
      const [, field = "", wanted = ""] = /^([\w.-]+)[:=]"?([^"]*)"?$/.exec(term) ?? [];
      const found = field.startsWith("labels.") ? project.labels[field.slice(7)] : valuesOf(project)[field];
      return found !== undefined && (found === wanted || wanted === "*" || (wanted.endsWith("*") && found.startsWith(wanted.slice(0, -1))));
    }),
  );
}

const valuesOf = ({ projectId, projectNumber, displayName, lifecycleState, parent = "" }: ProjectRecord): Readonly<Record<string, string>> => ({
  id: projectId,
  projectId,
  projectNumber,
  name: displayName,
  displayName,
  lifecycleState,
  state: lifecycleState,
  parent,
});
