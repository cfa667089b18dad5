/** GCP in the sandbox: projects and the services that integrations use, over their own protocols, and the same methods for the engines. */
import type { Issuers } from "../issuers.js";
import type { KubernetesCloud } from "../kubernetes/types.js";
import type { ProviderTable, SandboxCore, WireRequest, WireResponse, WireService } from "../types.js";
import { administratorOf, asProject, createOwnProjects, DEFAULT_PROJECT_ID, Projects } from "./accounts.js";
import { ApiStates } from "./api-states.js";
import { createArtifactRegistry } from "./artifact-registry.js";
import { Audit } from "./audit.js";
import { PolicyAuthoriser } from "./authoriser.js";
import { createCall } from "./call.js";
import { createCloudBuild } from "./cloud-build.js";
import { createCloudRun } from "./cloud-run.js";
import { createContainer } from "./container.js";
import { projectDenied } from "./errors.js";
import { GcpFront } from "./front.js";
import { Gate } from "./gate.js";
import { IamStore } from "./iam-store.js";
import { createIam } from "./iam.js";
import { createIamCredentials } from "./iamcredentials.js";
import { createLogging } from "./logging.js";
import { CallLog } from "./logging-calls.js";
import { LogEntries } from "./logging-store.js";
import { createOauth } from "./oauth.js";
import { Operations } from "./operations.js";
import { OrgPolicies } from "./org-policies.js";
import { createOrgPolicy } from "./org-policy.js";
import { PolicyStore } from "./policies.js";
import { PolicyRules } from "./policy-rules.js";
import { createResourceManager } from "./resource-manager.js";
import { createGcpTable } from "./resources.js";
import { Router } from "./router.js";
import { createServiceUsage } from "./service-usage.js";
import type { GcpService, GcpServiceContext } from "./service.js";
import { createStorage } from "./storage.js";
import { createSts } from "./sts.js";
import { Tokens } from "./tokens.js";
import type { GcpCloud, GcpProject, GcpScope } from "./types.js";

/** What GCP needs of the sandbox besides the core. */
export interface GcpParts {
  /** AWS's front: STS asks it who signed a request. */
  aws(request: WireRequest): Promise<WireResponse>;
  /** Google is an issuer itself, of identity tokens. */
  issuers: Issuers;
  /** Clusters of GKE; asked at each call, since they need GCP first. */
  kubernetes(): KubernetesCloud;
}

/** Builds GCP on the sandbox's core; everything that it knows is in the core's store. */
export function createGcp(core: SandboxCore, parts: GcpParts): { cloud: GcpCloud; service: WireService; table: ProviderTable<GcpScope> } {
  const projects = new Projects(core);
  const project = (idOrNumber: string): GcpProject | undefined => {
    const found = projects.find(idOrNumber);
    return found && asProject(found);
  };
  const iam = new IamStore(core.store, core.clock);
  const apis = new ApiStates(core);
  const orgPolicies = new OrgPolicies(core, project);
  const policies = new PolicyStore(core, iam, new PolicyRules(iam, orgPolicies, project));
  const tokens = new Tokens(core, iam);
  const audit = new Audit();
  const authoriser = new PolicyAuthoriser({ core, iam, policies, audit, project });
  const operations = new Operations(core);
  const log = new LogEntries(core);
  createOwnProjects(core, projects, policies, apis);

  const projectOf = (idOrNumber: string): GcpProject => {
    const found = project(idOrNumber);
    if (!found) throw projectDenied(idOrNumber);
    return found;
  };
  const cloud: GcpCloud = {
    defaultProject: projectOf(DEFAULT_PROJECT_ID),
    get propagationDelaySeconds() {
      return core.settings.propagationDelaySeconds;
    },
    project,
    administrator: () => administratorOf(tokens),
    authenticate: (accessToken) => tokens.caller(accessToken),
    allows: (caller, permission, resource) => authoriser.allows(caller, permission, resource),
    call: (...call) => invoke(...call),
  };
  const context: GcpServiceContext = {
    core,
    cloud,
    policies,
    require: (caller, permission, resource) => authoriser.require(caller, permission, resource),
    allows: (caller, permission, resource) => authoriser.allows(caller, permission, resource),
    projectOf,
    actAs: (email) => tokens.actAs(email),
    operation: (service, name, response, metadata) => operations.done(service, name, response, metadata),
  };
  const { issuers } = parts;
  const services: GcpService[] = [
    createArtifactRegistry(context),
    createCloudBuild(context),
    createCloudRun({ context, issuers }),
    createContainer(context, () => parts.kubernetes()),
    createIam(context),
    createIamCredentials({ context, iam, tokens, issuers, orgPolicies }),
    createLogging(context, log),
    createOauth({ tokens, issuers, clock: core.clock }),
    createOrgPolicy(context, orgPolicies),
    createResourceManager({ context, projects }),
    createServiceUsage({ context, apis }),
    createStorage(context),
    createSts({ core, iam, tokens, audit, project, aws: (request) => parts.aws(request) }),
  ];
  const router = new Router(services);
  const gate = new Gate({ core, apis, audit, authoriser, log: new CallLog(log, (resource) => policies.effective(resource)), project });
  const invoke = createCall({ router, gate, operations });
  const service = new GcpFront({ router, gate, tokens, operations });
  cloud.administrator();
  return { cloud, service, table: createGcpTable(cloud) };
}
