/** Reading organisation policies. https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2 */
import { ORG_CONSTRAINTS } from "../../facts/gcp/org-policy.js";
import { projectResource } from "./accounts.js";
import type { OrgPolicies, OrgPolicy } from "./org-policies.js";
import type { GcpRequest, GcpRoute, GcpService, GcpServiceContext } from "./service.js";
import { GcpError, type GcpProject } from "./types.js";

export function createOrgPolicy(context: GcpServiceContext, orgPolicies: OrgPolicies): GcpService {
  const projectFor = ({ caller, params }: GcpRequest, permission: string): GcpProject => {
    const project = context.projectOf(params["project"] ?? "");
    context.require(caller, permission, { name: projectResource(project.projectId), type: "cloudresourcemanager.googleapis.com/Project", projectId: project.projectId });
    return project;
  };
  const answer = ({ projectNumber }: GcpProject, constraint: string, policy: OrgPolicy): object => ({ name: `projects/${projectNumber}/policies/${constraint}`, spec: policy });
  const base = "/v2/projects/{project}/policies";
  const consumer: GcpRoute["consumer"] = ({ params }) => params["project"];
  return {
    name: "orgpolicy",
    api: "orgpolicy.googleapis.com",
    serves: (host) => host === "orgpolicy.googleapis.com",
    routes: [
      {
        method: "GET",
        path: `${base}/{constraint}:getEffectivePolicy`,
        operation: "orgpolicy:GetEffectivePolicy",
        consumer,
        run: async (request) => {
          const project = projectFor(request, "orgpolicy.policy.get");
          const constraint = known(request.params["constraint"] ?? "");
          return answer(project, constraint, orgPolicies.effective(constraint, project.projectId) ?? defaultOf(constraint));
        },
      },
      {
        method: "GET",
        path: `${base}/{constraint}`,
        operation: "orgpolicy:GetPolicy",
        consumer,
        run: async (request) => {
          const project = projectFor(request, "orgpolicy.policy.get");
          const constraint = known(request.params["constraint"] ?? "");
          const own = orgPolicies.own(constraint, project.projectId);
          if (!own) throw new GcpError("NOT_FOUND", "Requested entity was not found.");
          return answer(project, constraint, own);
        },
      },
      {
        method: "GET",
        path: base,
        operation: "orgpolicy:ListPolicies",
        consumer,
        run: async (request) => {
          const project = projectFor(request, "orgpolicy.policies.list");
          const policies = Object.keys(ORG_CONSTRAINTS).flatMap((constraint) => {
            const own = orgPolicies.own(constraint, project.projectId);
            return own ? [answer(project, constraint, own)] : [];
          });
          return { policies };
        },
      },
    ],
  };
}

function known(constraint: string): string {
  if (!Object.hasOwn(ORG_CONSTRAINTS, constraint)) throw new GcpError("NOT_FOUND", `Constraint not found: constraints/${constraint}`);
  return constraint;
}

function defaultOf(constraint: string): OrgPolicy {
  return { rules: [ORG_CONSTRAINTS[constraint] === "boolean" ? { enforce: false } : { allowAll: true }] };
}
