/** Workload identity pools. https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools */
import * as z from "zod";

import { POOL_ID, POOL_LOCATION, POOL_RETENTION_DAYS, POOL_TEXTS } from "../../facts/gcp/iam.js";
import { poolName } from "../../facts/gcp/identifiers.js";
import { invalidArgument } from "./errors.js";
import { type IamContext, alreadyExists, iamRoute, notFound, operationId, param, preconditionFailed } from "./iam-context.js";
import { maskPaths, message, page, patched, read } from "./iam-input.js";
import type { PoolRecord } from "./iam-store.js";
import type { GcpRequest, GcpRoute } from "./service.js";
import type { GcpProject, GcpResource } from "./types.js";

const POOL = message(
  {
    displayName: z.string().optional(),
    description: z.string().optional(),
    disabled: z.boolean().optional(),
    mode: z.enum(["MODE_UNSPECIFIED", "FEDERATION_ONLY"]).optional(),
  },
  ["name", "state", "expireTime"],
);
const CHANGEABLE = ["displayName", "description", "disabled"];
const PAGES = { usual: 50, most: 1000 };

export const POOLS_PATH = "/v1/projects/{project}/locations/{location}/workloadIdentityPools";
const METADATA = { "@type": "type.googleapis.com/google.iam.v1.WorkloadIdentityPoolOperationMetadata" };

export function poolRoutes(iam: IamContext): GcpRoute[] {
  const one = `${POOLS_PATH}/{pool}`;
  const done = (pool: PoolRecord): object =>
    iam.context.operation("iam", `${pool.name}/operations/${operationId()}`, { "@type": "type.googleapis.com/google.iam.v1.WorkloadIdentityPool", ...pool }, METADATA);

  function put(pool: PoolRecord): object {
    iam.store.putPool(pool);
    return done(pool);
  }

  function create(request: GcpRequest): object {
    const project = poolProject(iam, request);
    iam.require(request, "iam.workloadIdentityPools.create", poolsResource(project));
    const id = request.query.get("workloadIdentityPoolId") ?? "";
    assertPoolId("workload_identity_pool_id", id);
    const { displayName, description, disabled = false } = read(POOL, request.body);
    const name = poolName(project.projectNumber, id);
    const pool: PoolRecord = { name, displayName, description, state: "ACTIVE", disabled };
    assertTexts(pool);
    if (iam.store.pool(name)) throw alreadyExists();
    iam.store.forgetProviders(name);
    return put(pool);
  }

  function list(request: GcpRequest): object {
    const project = poolProject(iam, request);
    iam.require(request, "iam.workloadIdentityPools.list", poolsResource(project));
    return page("workloadIdentityPools", iam.store.pools(project.projectNumber).filter(shownIn(request)), request, PAGES);
  }

  function patch(request: GcpRequest): object {
    const pool = openPool(iam, request, "update");
    if (pool.state === "DELETED") throw notFound();
    const changed = patched(pool, read(POOL, request.body), maskPaths(request.query.get("updateMask")), CHANGEABLE);
    assertTexts(changed);
    return put({ ...changed, disabled: (changed as Partial<PoolRecord>).disabled ?? false });
  }

  function remove(request: GcpRequest): object {
    const pool = openPool(iam, request, "delete");
    if (pool.state === "DELETED") throw notFound();
    return put({ ...pool, state: "DELETED", expireTime: iam.inDays(POOL_RETENTION_DAYS) });
  }

  function undelete(request: GcpRequest): object {
    const { expireTime: _expireTime, ...pool } = openPool(iam, request, "undelete");
    if (pool.state !== "DELETED") throw preconditionFailed(`The workload identity pool ${pool.name} is not deleted.`);
    return put({ ...pool, state: "ACTIVE" });
  }

  return [
    iamRoute("POST", POOLS_PATH, "CreateWorkloadIdentityPool", create),
    iamRoute("GET", POOLS_PATH, "ListWorkloadIdentityPools", list),
    iamRoute("GET", one, "GetWorkloadIdentityPool", (request) => openPool(iam, request, "get")),
    iamRoute("PATCH", one, "UpdateWorkloadIdentityPool", patch),
    iamRoute("DELETE", one, "DeleteWorkloadIdentityPool", remove),
    iamRoute("POST", `${one}:undelete`, "UndeleteWorkloadIdentityPool", undelete),
  ];
}

/** The project of a request about pools or providers, whose location must be the only one there is. */
export function poolProject(iam: IamContext, request: GcpRequest): GcpProject {
  const project = iam.project(request);
  const location = param(request, "location");
  if (location !== POOL_LOCATION) throw invalidArgument(`Invalid location: ${location}. Workload identity pools are in ${POOL_LOCATION} only.`);
  return project;
}

export function poolsResource({ projectId }: GcpProject, below = ""): GcpResource {
  const name = `//iam.googleapis.com/projects/${projectId}/locations/${POOL_LOCATION}${below}`;
  return { name, type: "iam.googleapis.com/WorkloadIdentityPool", projectId };
}

/** The pool that the path names, deleted or not, once the caller may do this to it. */
export function openPool(iam: IamContext, request: GcpRequest, verb: string): PoolRecord {
  const project = poolProject(iam, request);
  const id = param(request, "pool");
  iam.require(request, `iam.workloadIdentityPools.${verb}`, poolsResource(project, `/workloadIdentityPools/${id}`));
  const pool = iam.store.pool(poolName(project.projectNumber, id));
  if (!pool) throw notFound();
  return pool;
}

export function assertPoolId(field: string, id: string): void {
  if (id.startsWith(POOL_ID.reservedPrefix)) throw invalidArgument(`Invalid ${field} "${id}": the prefix "${POOL_ID.reservedPrefix}" is reserved.`);
  if (!POOL_ID.pattern.test(id)) throw invalidArgument(`Invalid ${field} "${id}": it must be 4 to 32 characters of [a-z0-9-].`);
}

export function assertTexts(texts: { displayName?: string | undefined; description?: string | undefined }): void {
  for (const [field, most] of Object.entries(POOL_TEXTS)) {
    const { length } = texts[field as keyof typeof texts] ?? "";
    if (length > most) throw invalidArgument(`The ${field === "displayName" ? "display_name" : field} is ${length} characters long; the maximum is ${most}.`);
  }
}

/** Which of a list are shown: those that were deleted only when asked for. */
export function shownIn({ query }: GcpRequest): (item: { state: string }) => boolean {
  const showDeleted = query.get("showDeleted") === "true";
  return ({ state }) => showDeleted || state !== "DELETED";
}
