/** Whether the policies that can be read give the session a permission, and what stands in the way where they do not. */
import { rolePermissions, rolesGranting } from "../../../facts/gcp/roles.js";
import { authorizeAccess } from "../../../trust/gcp/authorize.js";
import type { AccessAnswer, Binding, Policy } from "../../../trust/gcp/types.js";
import type { Cause } from "../../causes.js";
import { sessionMember } from "../fixes.js";
import { cause, type GcpRun } from "../run.js";
import type { ProjectDocuments, Reading } from "./reader.js";
import type { RightPrediction } from "./types.js";

/** How a resource's own policy is read, and what conditions see of it. */
interface ResourceFacts {
  policy: Promise<Reading<Policy>> | undefined;
  service: string;
  type: string;
  conditionName: string;
}

/** Everything that means the session in a policy; the principal's own members where grants are given to it. */
export function sessionMembers(run: GcpRun): string[] {
  return [sessionMember({ contract: run.contract, exchange: run.exchange }), "allUsers", "allAuthenticatedUsers"];
}

export class Rights {
  constructor(
    private readonly run: GcpRun,
    private readonly documents: ProjectDocuments,
  ) {}

  /** The answer of the policies on the resource and its project; a sentence where they cannot be read. */
  async decide(members: readonly string[], permission: string, resource: string): Promise<AccessAnswer | string> {
    const facts = this.#facts(resource);
    const { projectId } = this.run.exchange;
    const [own, project, deny] = await Promise.all([facts.policy, this.documents.projectPolicy(), this.documents.denyPolicies()]);
    const policies: { resource: string; policy: Policy }[] = [];
    if (own?.status === "read") policies.push({ resource, policy: own.value });
    if (project.status === "read") policies.push({ resource: `//cloudresourcemanager.googleapis.com/projects/${projectId}`, policy: project.value });
    const roles = await this.#roles(policies.flatMap(({ policy }) => policy.bindings));
    const answer = authorizeAccess({
      members,
      permission,
      resource: { name: facts.conditionName, type: facts.type, service: facts.service },
      time: new Date(),
      policies,
      denyPolicies: deny.status === "read" ? deny.value : [],
      role: (name) => roles.get(name),
    });
    if (answer.allowed) return answer;
    for (const reading of [own, project]) {
      if (reading?.status === "absent") return reading.detail;
      if (reading?.status === "unreadable") return reading.reason;
    }
    return answer;
  }

  /** The same for the session, with the cause of a refusal. */
  async predict(permission: string, resource: string, role?: string): Promise<RightPrediction> {
    const answer = await this.decide(sessionMembers(this.run), permission, resource);
    if (typeof answer === "string") return { status: "unknown", reason: answer };
    if (answer.allowed) return { status: "allowed" };
    const former = answer.reason === "no-binding" ? await this.formerSelf() : undefined;
    return { status: "refused", cause: former ?? this.#cause(answer, permission, resource, role) };
  }

  /** Where policies still name a deleted account of the same address, the cause: the new one has none of its rights. */
  async formerSelf(): Promise<Cause | undefined> {
    const { serviceAccountEmail: email } = this.run.exchange;
    if (email === undefined) return undefined;
    const places = await Promise.all([this.documents.projectPolicy(), ...this.run.contract.grants.flatMap((grant) => (grant.kind === "gcs-bucket" ? [this.documents.bucketPolicy(grant.bucket)] : []))]);
    const bindings = places.flatMap((reading) => (reading.status === "read" ? reading.value.bindings : []));
    const named = bindings.flatMap(({ role, members }) => members.filter((member) => member.startsWith(`deleted:serviceAccount:${email}?uid=`)).map((member) => `${role} of ${member}`));
    return named.length === 0 ? undefined : cause(this.run, "gcp.service-account.recreated", named, { found: named.join(", ") });
  }

  /** Every role that the session has there, by its bindings. */
  async bindingsOf(members: readonly string[], reading: Promise<Reading<Policy>>): Promise<Reading<Binding[]>> {
    const policy = await reading;
    if (policy.status !== "read") return policy;
    return { status: "read", value: policy.value.bindings.filter((binding) => binding.members.some((member) => members.includes(member))) };
  }

  async permissionsOf(role: string): Promise<readonly string[] | undefined> {
    return (await this.#roles([{ role, members: [] }])).get(role);
  }

  #cause(answer: AccessAnswer, permission: string, resource: string, role: string | undefined): Cause {
    const values = { permission, subject: resource, role: role ?? rolesGranting(permission)[0] };
    if (answer.reason === "denied") return cause(this.run, "gcp.iam.denied", `the deny policy ${answer.denyPolicy ?? ""} has it`, { ...values, found: answer.denyPolicy });
    if (answer.reason === "condition-false" && answer.binding) {
      const { binding, resource: place } = answer.binding;
      const found = `${JSON.stringify(binding.condition?.title ?? "")} (${binding.condition?.expression ?? ""})`;
      return cause(this.run, "gcp.iam.condition-false", `${binding.role} on ${place} has the condition ${found}`, { ...values, found });
    }
    return cause(this.run, "gcp.iam.permission-missing", `neither the policy of ${resource} nor that of project ${this.run.exchange.projectId} gives ${permission} to ${sessionMembers(this.run)[0] ?? ""}`, values);
  }

  async #roles(bindings: readonly Binding[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const names = [...new Set(bindings.map(({ role }) => role))];
    const found = await Promise.all(
      names.map(async (name): Promise<[string, readonly string[] | undefined]> => {
        if (name.startsWith("roles/")) return [name, rolePermissions(name)];
        const role = await this.documents.customRole(name);
        return [name, role.status === "read" ? role.value : undefined];
      }),
    );
    return new Map(found.flatMap(([name, permissions]) => (permissions ? [[name, permissions]] : [])));
  }

  /** https://cloud.google.com/iam/docs/conditions-resource-attributes#resource-name */
  #facts(resource: string): ResourceFacts {
    const [, service = "", path = ""] = /^\/\/([^/]+)\/(.*)$/.exec(resource) ?? [];
    const known = (policy: Promise<Reading<Policy>> | undefined, type: string, conditionName = path): ResourceFacts => ({ policy, service, type, conditionName });
    switch (service) {
      case "storage.googleapis.com": {
        const bucket = path.split("/")[3] ?? "";
        return known(this.documents.bucketPolicy(bucket), path.includes("/objects/") ? "storage.googleapis.com/Object" : "storage.googleapis.com/Bucket");
      }
      case "artifactregistry.googleapis.com":
        return known(this.documents.resourcePolicy("artifactregistry", path), "artifactregistry.googleapis.com/Repository");
      case "run.googleapis.com":
        return known(path.includes("/services/") ? this.documents.resourcePolicy("run", path) : undefined, "run.googleapis.com/Service");
      case "iam.googleapis.com":
        return known(this.documents.serviceAccountPolicy(path.split("/").at(-1) ?? ""), "iam.googleapis.com/ServiceAccount");
      default:
        return known(undefined, "cloudresourcemanager.googleapis.com/Project");
    }
  }
}

