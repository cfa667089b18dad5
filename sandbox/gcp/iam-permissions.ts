/** The permissions that there are, as far as predefined roles show. https://cloud.google.com/iam/docs/reference/rest/v1/permissions */
import * as z from "zod";

import { NOT_IN_PROJECT_ROLES } from "../../facts/gcp/iam.js";
import { PREDEFINED_ROLES } from "../../facts/gcp/roles.js";
import { invalidArgument } from "./errors.js";
import { iamRoute } from "./iam-context.js";
import { message, page, PAGING, pagingQuery, read } from "./iam-input.js";
import type { GcpRequest, GcpRoute } from "./service.js";

const QUERY = message({ fullResourceName: z.string().default(""), ...PAGING });
const PAGES = { usual: 100, most: 1000 };

const known: readonly string[] = [...new Set([...PREDEFINED_ROLES.values()].flatMap(({ permissions }) => permissions))].sort();
const resourceOf = (permission: string): string => permission.slice(0, permission.lastIndexOf("."));
const knownResources = new Set(known.map(resourceOf));

export function permissionRoutes(): GcpRoute[] {
  function queryTestable(request: GcpRequest): object {
    const { fullResourceName, ...paging } = read(QUERY, request.body);
    const permissions = known.filter(permissionsOf(fullResourceName)).map((name) => ({
      name,
      stage: "GA",
      ...(NOT_IN_PROJECT_ROLES.test(name) && { customRolesSupportLevel: "NOT_SUPPORTED" }),
    }));
    return page("permissions", permissions, pagingQuery(paging), PAGES);
  }

  return [iamRoute("POST", "/v1/permissions:queryTestablePermissions", "QueryTestablePermissions", queryTestable)];
}

/** Which permissions may be asked about on a resource, by its full name: those of its service; on a project all. */
export function permissionsOf(fullResourceName: string): (permission: string) => boolean {
  const [, service, path] = /^\/\/([a-z0-9-]+)\.googleapis\.com\/(.+)$/.exec(fullResourceName) ?? [];
  if (service === undefined || path === undefined) throw invalidArgument(`Invalid resource name: ${fullResourceName}.`);
  return (permission) => service === "cloudresourcemanager" || permission.startsWith(`${service}.`);
}

/** Whether there is such a permission and a project's role may have it. Of resources that nobody here knows, any verb will do. */
export function isPermission(permission: string): boolean {
  if (!/^[a-z0-9-]+\.[a-zA-Z0-9]+\.[a-zA-Z0-9]+$/.test(permission) || NOT_IN_PROJECT_ROLES.test(permission)) return false;
  return known.includes(permission) || !knownResources.has(resourceOf(permission));
}
