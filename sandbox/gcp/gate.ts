/** What every call of a method goes through, by the wire or past it: faults, the token's scopes, the API's state in the project, the audit log. */
import { APIS, CLOUD_PLATFORM_READ_SCOPE, CLOUD_PLATFORM_SCOPE } from "../../facts/gcp/services.js";
import type { SandboxCore } from "../types.js";
import { projectResource } from "./accounts.js";
import type { ApiStates } from "./api-states.js";
import type { Audit } from "./audit.js";
import type { PolicyAuthoriser } from "./authoriser.js";
import { type CalledMethod, scopeInsufficient, serviceDisabled, userProjectDenied } from "./errors.js";
import type { CallLog } from "./logging-calls.js";
import type { RouteMatch } from "./router.js";
import type { GcpAnswer, GcpRequest, GcpService } from "./service.js";
import type { GcpCaller, GcpProject } from "./types.js";

export interface GateParts {
  core: SandboxCore;
  apis: ApiStates;
  audit: Audit;
  authoriser: PolicyAuthoriser;
  log: CallLog;
  project(idOrNumber: string): GcpProject | undefined;
}

/** Host name of the API that a service's errors name. */
export const apiOf = ({ name, api }: GcpService): string => api ?? `${name}.googleapis.com`;

export class Gate {
  constructor(private readonly parts: GateParts) {}

  /** `request` is made once faults are over: reading credentials is part of the call. */
  async pass({ service, route, params }: RouteMatch, prepare: () => Omit<GcpRequest, "params">): Promise<GcpAnswer> {
    const { core, audit, log } = this.parts;
    await core.enter(route.operation);
    const request: GcpRequest = { ...prepare(), params };
    const called = { service: apiOf(service), method: route.operation };
    if (route.anonymous !== true) checkScopes(request.caller, called, request.method);
    this.#checkApi(service, request, route.consumer?.(request));
    const { outcome, authorizations } = await audit.observe(() => route.run(request));
    log.record(called, request, authorizations, outcome);
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  #checkApi(service: GcpService, { caller, headers }: GcpRequest, consumer: string | undefined): void {
    const { apis, authoriser } = this.parts;
    const api = apiOf(service);
    const userProject = headers["x-goog-user-project"];
    if (userProject) {
      const project = this.parts.project(userProject);
      const resource = { name: projectResource(project?.projectId ?? userProject), type: "cloudresourcemanager.googleapis.com/Project", projectId: project?.projectId ?? userProject };
      if (!project || !authoriser.allows(caller, "serviceusage.services.use", resource)) throw userProjectDenied(api, userProject);
    }
    const billed = consumer ?? userProject;
    const project = billed === undefined ? undefined : this.parts.project(billed);
    if (service.api !== undefined && project && !apis.enabled(project.projectNumber, service.api, "effective")) throw serviceDisabled(service.api, project);
  }
}

/** Tokens whose kind has no scopes pass. */
function checkScopes({ scopes }: GcpCaller, called: CalledMethod, method: string): void {
  if (scopes.length === 0) return;
  const api = APIS[called.service];
  const reading = method === "GET" || method === "HEAD";
  const enough = [CLOUD_PLATFORM_SCOPE, ...(api?.scopes ?? []), ...(reading ? [CLOUD_PLATFORM_READ_SCOPE, ...(api?.readScopes ?? [])] : [])];
  if (!scopes.some((scope) => enough.includes(scope))) throw scopeInsufficient(called);
}
