/**
 * Predefined roles: those that the integrations use, those that are granted instead of them by mistake or for ease, and the
 * basic ones. Contents are Google's as published on 2026-08-22 (https://github.com/iann0036/iam-dataset, gcp/roles), kept to
 * the resources that the project plays: buckets and objects, repositories, builds, services, clusters and what runs in them,
 * logs, services' states, accounts, roles, pools, projects and organisation policies; without tags and policy bindings.
 * What a role grants on those is what Google's grants. https://cloud.google.com/iam/docs/roles-permissions
 */
import { ROLES as artifactRegistry } from "./roles/artifact-registry.js";
import { ROLES as basic } from "./roles/basic.js";
import { ROLES as cloudBuild } from "./roles/cloud-build.js";
import { ROLES as cloudRun } from "./roles/cloud-run.js";
import { ROLES as gke } from "./roles/gke.js";
import { ROLES as iam } from "./roles/iam.js";
import { ROLES as logging } from "./roles/logging.js";
import { ROLES as resourceManager } from "./roles/resource-manager.js";
import { ROLES as serviceUsage } from "./roles/service-usage.js";
import { ROLES as storage } from "./roles/storage.js";

/** By the role's name without `roles/`. */
export type RoleTable = Readonly<Record<string, { title: string; /** `service.resource` to its verbs, separated by spaces. */ permissions: Readonly<Record<string, string>> }>>;

export interface RoleFact {
  /** `roles/storage.objectAdmin` */
  name: string;
  title: string;
  /** As in `storage.objects.get`, sorted. */
  permissions: readonly string[];
}

const tables: readonly RoleTable[] = [basic, iam, resourceManager, storage, artifactRegistry, cloudBuild, cloudRun, gke, logging, serviceUsage];

/** By full name. */
export const PREDEFINED_ROLES: ReadonlyMap<string, RoleFact> = new Map(
  tables.flatMap((table) =>
    Object.entries(table).map(([id, { title, permissions }]): [string, RoleFact] => {
      const name = `roles/${id}`;
      return [name, { name, title, permissions: Object.entries(permissions).flatMap(([resource, verbs]) => verbs.split(" ").map((verb) => `${resource}.${verb}`)) }];
    }),
  ),
);

/** Permissions of a predefined role by its full name; undefined for one that is not known here. */
export function rolePermissions(name: string): readonly string[] | undefined {
  return PREDEFINED_ROLES.get(name)?.permissions;
}

/** For Google's own accounts, and for what came before IAM: nothing to recommend. */
const NOT_FOR_PEOPLE = /[sS]erviceAgent$|\.legacy|\.(?:n|defaultN)ode|^roles\/iam\.securityAdmin$/;

/**
 * Names of the predefined roles that have the permission and that one may recommend: those of the permission's own service
 * first, basic roles last, and the fewest permissions first among each.
 */
export function rolesGranting(permission: string): string[] {
  const own = `roles/${permission.slice(0, permission.indexOf("."))}.`;
  const rank = (name: string) => (name.startsWith(own) ? 0 : name.includes(".") ? 1 : 2);
  return [...PREDEFINED_ROLES.values()]
    .filter(({ name, permissions }) => permissions.includes(permission) && !NOT_FOR_PEOPLE.test(name))
    .sort((a, b) => rank(a.name) - rank(b.name) || a.permissions.length - b.permissions.length)
    .map(({ name }) => name);
}
