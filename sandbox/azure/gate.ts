/** What every call of a method goes through, by the wire or past it: faults, then what ARM asks of each call before its provider sees it. */
import type { SandboxCore } from "../types.js";
import type { RouteMatch } from "./router.js";
import type { AzureAnswer, AzureRequest } from "./service.js";

export interface GateParts {
  core: SandboxCore;
  /** What Resource Manager asks of a call. Throws AzureError. */
  checkArm(request: AzureRequest): void;
}

export class Gate {
  constructor(private readonly parts: GateParts) {}

  /** `prepare` comes once faults are over: reading credentials is part of the call. */
  async pass(match: RouteMatch, prepare: () => Omit<AzureRequest, "params">): Promise<AzureAnswer> {
    const { service, route, params } = match;
    await this.parts.core.enter(route.operation);
    const request: AzureRequest = { ...prepare(), params };
    if (service.arm === true) this.parts.checkArm(request);
    return route.run(request);
  }
}
