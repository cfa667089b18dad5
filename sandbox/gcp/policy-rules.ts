/** What `setIamPolicy` refuses about members and roles. */
import { PREDEFINED_ROLES } from "../../facts/gcp/roles.js";
import type { Binding } from "../../trust/gcp/types.js";
import type { IamStore } from "./iam-store.js";
import type { OrgPolicies } from "./org-policies.js";
import { memberOf, type Member } from "./policy-members.js";
import { GcpError, type GcpProject } from "./types.js";

/** Of all bindings together, a member counted as often as it is there. https://cloud.google.com/iam/quotas */
const MAX_MEMBERS = 1500;

export interface PolicyPlace {
  projectId: string;
  /** The project's own policy, which takes less than those of resources. */
  onProject: boolean;
}

const refuse = (message: string): GcpError => new GcpError("INVALID_ARGUMENT", message);

export class PolicyRules {
  constructor(
    private readonly iam: IamStore,
    private readonly orgPolicies: OrgPolicies,
    private readonly project: (idOrNumber: string) => GcpProject | undefined,
  ) {}

  /** Throws the refusal; what was there before is not looked at again. */
  check(next: readonly Binding[], current: readonly Binding[], place: PolicyPlace): void {
    const total = next.reduce((sum, { members }) => sum + members.length, 0);
    if (total > MAX_MEMBERS) throw refuse(`The number of members in the policy (${total.toLocaleString("en")}) is larger than the maximum allowed size ${MAX_MEMBERS.toLocaleString("en")}.`);
    const known = new Set(current.flatMap(({ role, members }) => members.map((member) => `${role} ${member}`)));
    const added = new Set<string>();
    for (const { role, members } of next) {
      if (!current.some((binding) => binding.role === role)) this.#checkRole(role, place.projectId);
      for (const member of members) if (!known.has(`${role} ${member}`)) added.add(member);
    }
    for (const member of added) this.#checkMember(member, place);
    this.orgPolicies.checkMembers([...added], place.projectId);
  }

  #checkRole(role: string, projectId: string): void {
    if (role.startsWith("roles/")) {
      if (!PREDEFINED_ROLES.has(role)) throw refuse(`Role ${role} is not supported for this resource.`);
      return;
    }
    const found = this.iam.role(role);
    const [, owner] = role.split("/");
    if (!found || found.deleted === true || (role.startsWith("projects/") && owner !== projectId)) throw refuse(`Role (${role}) does not exist in the resource's hierarchy.`);
  }

  #checkMember(text: string, { onProject }: PolicyPlace): void {
    const member = memberOf(text);
    if (!member) throw refuse(malformed(text));
    const isPublic = member.kind === "allUsers" || member.kind === "allAuthenticatedUsers";
    if (isPublic && onProject) throw refuse("Members of type allUsers and allAuthenticatedUsers cannot be set on the resource.");
    if (member.kind === "serviceAccount") this.#checkAccount(member);
    if (member.pool !== undefined && !member.kind.startsWith("deleted:")) this.#checkPool(member.pool);
  }

  /** Accounts that people make are known here; those that Google makes come and go with what they serve. */
  #checkAccount({ email = "" }: Member): void {
    const [, project] = /@([^.]+)\.iam\.gserviceaccount\.com$/.exec(email) ?? [];
    if (project === undefined || project.startsWith("gcp-sa-")) return;
    if (!this.iam.serviceAccount(email)) throw refuse(`Service account ${email} does not exist.`);
  }

  #checkPool(name: string): void {
    const id = name.slice(name.lastIndexOf("/") + 1);
    const [, number] = /^projects\/([^/]+)\//.exec(name) ?? [];
    if (number === undefined) return;
    // A cluster's own pool is there with the project's first cluster.
    const ofClusters = id.endsWith(".svc.id.goog") && this.project(id.slice(0, -".svc.id.goog".length))?.projectNumber === number;
    if (ofClusters || this.iam.pool(name)) return;
    throw refuse(`Identity Pool does not exist (${name}). Please check that you specified a valid resource name as returned in the \`name\` attribute in the configuration API.`);
  }
}

function malformed(member: string): string {
  return /^(user|group|serviceAccount|domain|principal|principalSet|deleted|project\w+):/.test(member)
    ? `Invalid member ${member}.`
    : `The member ${member} is of an unknown type. Please set a valid type prefix for the member.`;
}
