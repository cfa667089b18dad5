/** Brings assignments, deny assignments and roles, as enforcement sees them now, to the question whether a call is allowed. */
import { authorize } from "../../trust/azure/authorize.js";
import type { AzureAccessAnswer, DenyAssignment, RoleAssignment } from "../../trust/azure/types.js";
import type { SandboxCore } from "../types.js";
import { armError, authorizationFailed } from "./arm-errors.js";
import { covers } from "./arm-ids.js";
import type { Registrations } from "./providers.js";
import { RoleStore } from "./role-store.js";
import type { AccessOptions, ArmResources } from "./service.js";
import type { AzureCaller, AzureError } from "./types.js";

export interface AuthoriserParts {
  core: SandboxCore;
  resources: ArmResources;
  registrations: Registrations;
}

interface Rights {
  assignments: readonly RoleAssignment[];
  denyAssignments: readonly DenyAssignment[];
}

export class RoleAuthoriser {
  readonly #roles: RoleStore;

  constructor(private readonly parts: AuthoriserParts) {
    this.#roles = new RoleStore(parts.resources);
  }

  allows(caller: AzureCaller, action: string, scope: string, options: AccessOptions = {}): boolean {
    return this.#decide(this.#rights(), caller, action, scope, options).allowed;
  }

  /** A namespace that is not registered shows only to those who might write there. */
  require(caller: AzureCaller, action: string, scope: string, options: AccessOptions = {}): void {
    const rights = this.#rights();
    const answer = this.#decide(rights, caller, action, scope, options);
    if (!answer.allowed) {
      const allowedBut = answer.denyAssignment && this.#decide({ ...rights, denyAssignments: [] }, caller, action, scope, options).allowed;
      throw answer.denyAssignment && allowedBut === true ? denied(caller, action, scope, answer.denyAssignment) : authorizationFailed(caller, action, scope);
    }
    if (options.dataAction !== true && /\/write$/i.test(action)) this.parts.registrations.assertRegistered(scope);
  }

  #rights(): Rights {
    return { assignments: this.#roles.assignments("effective"), denyAssignments: this.#roles.denyAssignments("effective") };
  }

  #decide(rights: Rights, caller: AzureCaller, action: string, scope: string, { dataAction = false, attributes }: AccessOptions): AzureAccessAnswer {
    if (caller.kind === "anonymous") return { allowed: false, reason: "no-assignment" };
    return authorize({
      ...rights,
      principalIds: [caller.objectId],
      action,
      dataAction,
      scope,
      attributes,
      role: (id) => this.#roles.role(id, "effective"),
      now: this.parts.core.clock.now(),
    });
  }
}

/** Deny assignments are named by their GUID without hyphens. */
function denied({ name, objectId }: AzureCaller, action: string, scope: string, deny: DenyAssignment): AzureError {
  const guid = (deny.id.split("/").at(-1) ?? "").replaceAll("-", "");
  return armError("denyAssignment", name, objectId, action, scope, deny.name, guid);
}

/** Whether the caller has a role at the scope, above or anywhere below it. */
export function hasRoleWithin(resources: ArmResources, { objectId }: AzureCaller, scope: string): boolean {
  return new RoleStore(resources).assignments("effective").some((assignment) => assignment.principalId === objectId && (covers(scope, assignment.scope) || covers(assignment.scope, scope)));
}
