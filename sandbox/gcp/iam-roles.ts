/** Roles: Google's and a project's own. https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles */
import * as z from "zod";

import { CUSTOM_ROLE, CUSTOM_ROLE_RETENTION_DAYS, ROLE_STAGES } from "../../facts/gcp/iam.js";
import { PREDEFINED_ROLES, type RoleFact } from "../../facts/gcp/roles.js";
import { invalidArgument } from "./errors.js";
import { type IamContext, iamRoute, param, preconditionFailed, projectResource } from "./iam-context.js";
import { maskPaths, message, page, PAGING, pagingQuery, patched, read } from "./iam-input.js";
import { newEtag } from "./etag.js";
import { isPermission, permissionsOf } from "./iam-permissions.js";
import type { RoleRecord } from "./iam-store.js";
import type { GcpRequest, GcpRoute } from "./service.js";
import { GcpError, type GcpProject } from "./types.js";

const ROLE = message(
  {
    title: z.string().optional(),
    description: z.string().optional(),
    includedPermissions: z.array(z.string()).optional(),
    stage: z.enum(ROLE_STAGES).optional(),
    etag: z.string().optional(),
  },
  ["name", "deleted"],
);
const CREATE = message({ roleId: z.string().default(""), role: ROLE.optional() });
const UNDELETE = message({ etag: z.string().optional() });
const GRANTABLE = message({ fullResourceName: z.string().default(""), view: z.enum(["BASIC", "FULL"]).optional(), ...PAGING });
const CHANGEABLE = ["title", "description", "includedPermissions", "stage"];
const PAGES = { usual: 300, most: 1000 };
const DAY_MS = 86_400_000;

const ALL = "/v1/projects/{project}/roles";
const ONE = `${ALL}/{role}`;

export function roleRoutes(iam: IamContext): GcpRoute[] {
  function put(role: RoleRecord): object {
    const next = { ...role, etag: newEtag() };
    iam.store.putRole(next);
    return customRole(next);
  }

  function open(request: GcpRequest, verb: string): RoleRecord {
    const project = iam.project(request);
    iam.require(request, `iam.roles.${verb}`, projectResource(project));
    const name = roleName(project, param(request, "role"));
    const role = iam.store.role(name);
    if (!role) throw new GcpError("NOT_FOUND", `The role named ${name} was not found.`);
    return role;
  }

  function create(request: GcpRequest): object {
    const project = iam.project(request);
    iam.require(request, "iam.roles.create", projectResource(project));
    const { roleId, role = {} } = read(CREATE, request.body);
    if (!CUSTOM_ROLE.id.test(roleId)) throw invalidArgument(`The role_id ("${roleId}") must be 3 to 64 characters of [a-zA-Z0-9_.].`);
    const { etag: _etag, includedPermissions = [], stage = "ALPHA", ...texts } = role;
    const next: RoleRecord = { name: roleName(project, roleId), ...texts, includedPermissions: sorted(includedPermissions), stage, etag: "" };
    assertRole(next);
    const existing = iam.store.role(next.name);
    if (existing?.deleted === true) {
      throw preconditionFailed(`You can't create a role with role_id (${roleId}) where there is an existing role with that role_id in a deleted state.`);
    }
    if (existing) throw new GcpError("ALREADY_EXISTS", `A role named ${roleId} in projects/${project.projectId} already exists.`);
    return put(next);
  }

  function list(request: GcpRequest): object {
    const project = iam.project(request);
    iam.require(request, "iam.roles.list", projectResource(project));
    const showDeleted = request.query.get("showDeleted") === "true";
    const roles = iam.store.roles(project.projectId).filter(({ deleted }) => showDeleted || deleted !== true);
    return page("roles", roles.map((role) => inView(customRole(role), request.query.get("view"))), request, PAGES);
  }

  /** Without a mask everything is replaced that the body has. */
  function patch(request: GcpRequest): object {
    const role = open(request, "update");
    const { etag, ...given } = read(ROLE, request.body);
    if (etag !== undefined && etag !== role.etag) throw concurrent(role);
    const paths = maskPaths(request.query.get("updateMask"));
    const changed = patched(role, given, paths.length > 0 ? paths : Object.keys(given), CHANGEABLE);
    const next = { ...changed, includedPermissions: sorted(changed.includedPermissions) };
    assertRole(next);
    return put(next);
  }

  function remove(request: GcpRequest): object {
    const role = open(request, "delete");
    const etag = request.query.get("etag");
    if (etag !== null && etag !== role.etag) throw concurrent(role);
    return role.deleted === true ? customRole(role) : put({ ...role, deleted: true, expireTime: iam.inDays(CUSTOM_ROLE_RETENTION_DAYS.reuse) });
  }

  function undelete(request: GcpRequest): object {
    const { deleted, expireTime, ...role } = open(request, "undelete");
    const { etag } = read(UNDELETE, request.body);
    if (etag !== undefined && etag !== role.etag) throw concurrent(role);
    const gone = (CUSTOM_ROLE_RETENTION_DAYS.reuse - CUSTOM_ROLE_RETENTION_DAYS.undelete) * DAY_MS;
    if (deleted === true && Date.parse(expireTime ?? "") - iam.now().getTime() <= gone) throw preconditionFailed(`The role named ${role.name} was deleted too long ago: it cannot be undeleted.`);
    if (deleted !== true) throw preconditionFailed(`The role named ${role.name} is not deleted.`);
    return put(role);
  }

  function predefined(request: GcpRequest): object {
    const name = `roles/${param(request, "role")}`;
    const role = PREDEFINED_ROLES.get(name);
    if (!role) throw new GcpError("NOT_FOUND", `The role named ${name} was not found.`);
    return predefinedRole(role);
  }

  function listPredefined(request: GcpRequest): object {
    const roles = [...PREDEFINED_ROLES.values()].map((role) => inView(predefinedRole(role), request.query.get("view")));
    return page("roles", roles, request, PAGES);
  }

  /** Those with any permission of the resource's service; a project's own too. */
  function queryGrantable(request: GcpRequest): object {
    const { fullResourceName, view, ...paging } = read(GRANTABLE, request.body);
    const isOf = permissionsOf(fullResourceName);
    const [, , , kind, id = ""] = fullResourceName.split("/");
    const project = kind === "projects" ? iam.context.cloud.project(id) : undefined;
    const own = project ? iam.store.roles(project.projectId).filter(({ deleted }) => deleted !== true).map(customRole) : [];
    const fit = [...PREDEFINED_ROLES.values()].filter(({ permissions }) => permissions.some(isOf));
    return page("roles", [...fit.map(predefinedRole), ...own].map((role) => inView(role, view ?? null)), pagingQuery(paging), PAGES);
  }

  return [
    iamRoute("GET", "/v1/roles", "ListRoles", listPredefined),
    iamRoute("GET", "/v1/roles/{role}", "GetRole", predefined),
    iamRoute("POST", "/v1/roles:queryGrantableRoles", "QueryGrantableRoles", queryGrantable),
    iamRoute("POST", ALL, "CreateRole", create),
    iamRoute("GET", ALL, "ListRoles", list),
    iamRoute("GET", ONE, "GetRole", (request) => customRole(open(request, "get"))),
    iamRoute("PATCH", ONE, "UpdateRole", patch),
    iamRoute("DELETE", ONE, "DeleteRole", remove),
    iamRoute("POST", `${ONE}:undelete`, "UndeleteRole", undelete),
  ];
}

interface ShownRole {
  name: string;
  includedPermissions?: readonly string[];
}

const roleName = ({ projectId }: GcpProject, id: string): string => `projects/${projectId}/roles/${id}`;
const customRole = ({ expireTime: _expireTime, ...role }: RoleRecord): ShownRole => role;
const predefinedRole = ({ name, title, permissions }: RoleFact): ShownRole & { title: string; stage: string; etag: string } => ({
  name,
  title,
  includedPermissions: permissions,
  stage: "GA",
  etag: "AA==",
});

/** Lists leave permissions out unless asked for the full view. */
function inView({ includedPermissions, ...role }: ShownRole, view: string | null): object {
  return { ...role, ...(view === "FULL" && { includedPermissions }) };
}

const sorted = (permissions: readonly string[]): string[] => [...new Set(permissions)].sort();

function assertRole({ title = "", description = "", includedPermissions }: RoleRecord): void {
  if (title.length > CUSTOM_ROLE.title) throw invalidArgument(`The title is ${title.length} characters long; the maximum is ${CUSTOM_ROLE.title}.`);
  if (description.length > CUSTOM_ROLE.description) throw invalidArgument(`The description is ${description.length} characters long; the maximum is ${CUSTOM_ROLE.description}.`);
  if (includedPermissions.length > CUSTOM_ROLE.permissions) throw invalidArgument(`The role has ${includedPermissions.length} permissions; the maximum is ${CUSTOM_ROLE.permissions}.`);
  const wrong = includedPermissions.find((permission) => !isPermission(permission));
  if (wrong !== undefined) throw invalidArgument(`Permission ${wrong} is not valid.`);
}

const concurrent = ({ name }: RoleRecord): GcpError => new GcpError("ABORTED", `There were concurrent changes to the role ${name}: its etag differs.`);
