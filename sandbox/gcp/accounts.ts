/** The sandbox's projects, whose they are, and their administrator. */
import { SANDBOX_PROJECT_LABEL } from "../../facts/sandbox.js";
import { APIS } from "../../facts/gcp/services.js";
import type { SandboxCore } from "../types.js";
import type { ApiStates } from "./api-states.js";
import type { PolicyStore } from "./policies.js";
import type { Tokens } from "./tokens.js";
import type { GcpCaller, GcpProject } from "./types.js";

const PROJECT = "gcp:cloudresourcemanager/project";
export const ADMINISTRATOR = "administrator@cloud-federation-sandbox.example";
export const DEFAULT_PROJECT_ID = "customer-app-prod";

/** https://cloud.google.com/resource-manager/reference/rest/v1/projects */
export interface ProjectRecord {
  projectId: string;
  projectNumber: string;
  displayName: string;
  /** Such as `organizations/100000000001`. */
  parent?: string | undefined;
  labels: Readonly<Record<string, string>>;
  lifecycleState: "ACTIVE" | "DELETE_REQUESTED";
  createTime: string;
}

/** The customer's, and one of another organisation that may host pools. */
const OWN_PROJECTS = [
  { projectId: DEFAULT_PROJECT_ID, projectNumber: "123456789012", displayName: "Customer app", parent: "organizations/100000000001" },
  { projectId: "platform-host", projectNumber: "210987654321", displayName: "Platform host", parent: "organizations/100000000002" },
] as const;

/** Name of a project in policies and refusals. */
export const projectResource = (projectId: string): string => `//cloudresourcemanager.googleapis.com/projects/${projectId}`;

export class Projects {
  constructor(private readonly core: SandboxCore) {}

  find(idOrNumber: string): ProjectRecord | undefined {
    const named = this.core.store.get<ProjectRecord>(PROJECT, idOrNumber);
    const found = named ?? this.list().find(({ projectNumber }) => projectNumber === idOrNumber);
    return found?.lifecycleState === "ACTIVE" ? found : undefined;
  }

  list(): ProjectRecord[] {
    return this.core.store.list<ProjectRecord>(PROJECT).map(({ value }) => value);
  }

  put(project: ProjectRecord): void {
    this.core.store.put(PROJECT, project.projectId, project);
  }
}

export const asProject = ({ projectId, projectNumber, parent }: ProjectRecord): GcpProject => ({ projectId, projectNumber, ...(parent !== undefined && { parent }) });

/** Makes what a fresh sandbox lacks; one that comes from a state file is left as it is. */
export function createOwnProjects(core: SandboxCore, projects: Projects, policies: PolicyStore, apis: ApiStates): void {
  for (const project of OWN_PROJECTS) {
    if (projects.find(project.projectId)) continue;
    projects.put({ ...project, labels: { [SANDBOX_PROJECT_LABEL]: "true" }, lifecycleState: "ACTIVE", createTime: core.clock.now().toISOString() });
    policies.seed(projectResource(project.projectId), [{ role: "roles/owner", members: [`user:${ADMINISTRATOR}`] }]);
    for (const [api, { fromStart }] of Object.entries(APIS)) if (fromStart) apis.enable(project.projectNumber, api, true);
  }
}

export function administratorOf(tokens: Tokens): { caller: GcpCaller; accessToken: string; refreshToken: string } {
  return { caller: tokens.userCaller(ADMINISTRATOR), ...tokens.userTokens(ADMINISTRATOR) };
}
