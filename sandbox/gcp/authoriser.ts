/** Brings the policies that a question is decided by to `trust/`, as enforcement sees them now. */
import { rolePermissions } from "../../facts/gcp/roles.js";
import { authorizeAccess } from "../../trust/gcp/authorize.js";
import type { AccessAnswer } from "../../trust/gcp/types.js";
import type { SandboxCore } from "../types.js";
import { projectResource } from "./accounts.js";
import type { Audit } from "./audit.js";
import { permissionDenied } from "./errors.js";
import type { IamStore } from "./iam-store.js";
import type { PolicyStore } from "./policies.js";
import type { GcpCaller, GcpProject, GcpResource } from "./types.js";

export interface AuthoriserParts {
  core: SandboxCore;
  iam: IamStore;
  policies: PolicyStore;
  audit: Audit;
  project(idOrNumber: string): GcpProject | undefined;
}

export class PolicyAuthoriser {
  constructor(private readonly parts: AuthoriserParts) {}

  allows(caller: GcpCaller, permission: string, resource: GcpResource): boolean {
    return this.#decide(caller, permission, resource).allowed;
  }

  /** Throws PERMISSION_DENIED. */
  require(caller: GcpCaller, permission: string, resource: GcpResource): void {
    const { allowed } = this.#decide(caller, permission, resource);
    this.parts.audit.note({ permission, resource: resource.name, projectId: resource.projectId, granted: allowed });
    if (!allowed) throw permissionDenied(permission, resource.name);
  }

  #decide(caller: GcpCaller, permission: string, resource: GcpResource): AccessAnswer {
    const { core, iam, policies } = this.parts;
    const above = this.#above(resource.projectId);
    const places = [...new Set([resource.name, ...(resource.parents ?? []), ...above])];
    const [, , service = "", ...path] = resource.name.split("/");
    return authorizeAccess({
      members: caller.members,
      permission,
      resource: { name: resource.conditionName ?? path.join("/"), type: resource.type, service },
      time: core.clock.now(),
      policies: places.map((name) => ({ resource: name, policy: policies.effective(name) })),
      denyPolicies: this.#attachments(resource.projectId).flatMap((attachment) => iam.denyPolicies(attachment, "effective")),
      role: (name) => this.#role(name),
    });
  }

  /** The project's own policy and its organisation's. */
  #above(projectId: string): string[] {
    const parent = this.parts.project(projectId)?.parent;
    return [projectResource(projectId), ...(parent === undefined ? [] : [`//cloudresourcemanager.googleapis.com/${parent}`])];
  }

  /** Where deny policies may hang, as their names have it. https://cloud.google.com/iam/docs/deny-overview#attachment-point */
  #attachments(projectId: string): string[] {
    const project = this.parts.project(projectId);
    const places = [`projects/${projectId}`, ...(project ? [`projects/${project.projectNumber}`] : []), ...(project?.parent === undefined ? [] : [project.parent])];
    return places.map((place) => encodeURIComponent(`cloudresourcemanager.googleapis.com/${place}`));
  }

  /** A role that is deleted or disabled grants nothing. */
  #role(name: string): readonly string[] | undefined {
    if (name.startsWith("roles/")) return rolePermissions(name);
    const role = this.parts.iam.role(name, "effective");
    return role === undefined || role.deleted === true || role.stage === "DISABLED" ? undefined : role.includedPermissions;
  }
}
