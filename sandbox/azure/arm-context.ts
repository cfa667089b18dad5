/** The part of the services' context that Resource Manager itself answers: resources, rights, locks, policies and long-running operations. */
import type { SandboxCore } from "../types.js";
import { groupNotFound } from "./arm-errors.js";
import { groupId } from "./arm-ids.js";
import { ArmOperations } from "./arm-operations.js";
import { RoleAuthoriser } from "./authoriser.js";
import { Locks } from "./locks.js";
import { Policies } from "./policies.js";
import { Registrations } from "./providers.js";
import { ArmResourceStore } from "./resources-store.js";
import type { AzureServiceContext } from "./service.js";

export type ArmContext = Pick<AzureServiceContext, "resources" | "require" | "allows" | "assertUnlocked" | "groupOf" | "applyPolicies" | "accepted">;

export function createArmContext(core: SandboxCore): ArmContext {
  const resources = new ArmResourceStore(core.store);
  const authoriser = new RoleAuthoriser({ core, resources, registrations: new Registrations(core) });
  const locks = new Locks(resources);
  const policies = new Policies(resources);
  const operations = new ArmOperations(core);
  return {
    resources,
    require: (...question) => authoriser.require(...question),
    allows: (...question) => authoriser.allows(...question),
    assertUnlocked: (scope, operation) => locks.assertUnlocked(scope, operation),
    groupOf: (subscription, group) => {
      const found = resources.get(groupId(subscription, group));
      if (!found) throw groupNotFound(group);
      return found;
    },
    applyPolicies: (resource) => policies.apply(resource),
    accepted: (...answer) => operations.accepted(...answer),
  };
}
