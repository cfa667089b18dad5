/** Azure Policy: assignments that deny a change or write into it. https://learn.microsoft.com/azure/governance/policy/concepts/effect-basics */
import type { ArmResource, ArmResources } from "./service.js";

export class Policies {
  constructor(private readonly resources: ArmResources) {}

  apply(resource: ArmResource): ArmResource {
    return resource;
  }
}
