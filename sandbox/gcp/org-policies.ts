/** Organisation policies as the administrator set them, for projects and organisations; nobody in a project can change them. */
import type { SandboxCore } from "../types.js";
import { memberOf } from "./policy-members.js";
import { GcpError, type GcpProject } from "./types.js";

/** Ids are `projects/ID/policies/CONSTRAINT` or `organizations/NUMBER/policies/CONSTRAINT`, the constraint without `constraints/`. */
export const ORG_POLICY = "gcp:orgpolicy/constraint";

/** https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/organizations.policies#PolicySpec */
export interface OrgPolicy {
  rules: readonly OrgPolicyRule[];
}

export interface OrgPolicyRule {
  values?: { allowedValues?: readonly string[]; deniedValues?: readonly string[] };
  enforce?: boolean;
  allowAll?: boolean;
  denyAll?: boolean;
}

/** https://cloud.google.com/resource-manager/docs/organization-policy/restricting-domains */
export const DOMAIN_RESTRICTION = "iam.allowedPolicyMemberDomains";

export class OrgPolicies {
  constructor(
    private readonly core: SandboxCore,
    private readonly project: (idOrNumber: string) => GcpProject | undefined,
  ) {}

  /** What holds in the project: its own policy, or that of its organisation; undefined where neither has one. */
  effective(constraint: string, projectId: string): OrgPolicy | undefined {
    const parent = this.project(projectId)?.parent;
    return this.own(constraint, projectId) ?? (parent === undefined ? undefined : this.#at(parent, constraint));
  }

  /** The project's own. */
  own(constraint: string, projectId: string): OrgPolicy | undefined {
    return this.#at(`projects/${projectId}`, constraint);
  }

  #at(place: string, constraint: string): OrgPolicy | undefined {
    return this.core.store.effective<OrgPolicy>(ORG_POLICY, `${place}/policies/${constraint}`);
  }

  /** Whether a boolean constraint is enforced. */
  enforced(constraint: string, projectId: string): boolean {
    return this.effective(constraint, projectId)?.rules.some(({ enforce }) => enforce === true) === true;
  }

  /** Whether a list constraint takes the value. */
  allows(constraint: string, projectId: string, value: string): boolean {
    const policy = this.effective(constraint, projectId);
    if (!policy || policy.rules.some(({ allowAll }) => allowAll === true)) return true;
    if (policy.rules.some(({ denyAll, values }) => denyAll === true || values?.deniedValues?.includes(value) === true)) return false;
    const allowed = policy.rules.flatMap(({ values }) => values?.allowedValues ?? []);
    return allowed.length === 0 || allowed.includes(value);
  }

  /** Throws the refusal of the first member from outside of the permitted organisations. */
  checkMembers(members: readonly string[], projectId: string): void {
    const policy = this.effective(DOMAIN_RESTRICTION, projectId);
    if (!policy || policy.rules.some(({ allowAll }) => allowAll === true)) return;
    for (const member of members) {
      if (this.#isInside(member)) continue;
      const who = memberOf(member)?.email ?? member;
      throw new GcpError("FAILED_PRECONDITION", "One or more users named in the policy do not belong to a permitted customer,  perhaps due to an organization policy.", undefined, [
        {
          "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
          violations: [
            {
              type: `constraints/${DOMAIN_RESTRICTION}`,
              subject: `orgpolicy:projects/${projectId}?configvalue=${encodeURIComponent(who)}`,
              description: `User ${who} is not in permitted organization.`,
            },
          ],
        },
      ]);
    }
  }

  /** The sandbox's own people, accounts and pools are the organisation's; everybody and those of other domains are not. */
  #isInside(text: string): boolean {
    const member = memberOf(text);
    if (!member || member.kind === "allUsers" || member.kind === "allAuthenticatedUsers") return false;
    if (member.kind.startsWith("deleted:") || member.pool !== undefined || member.email === undefined) return true;
    return /(?:\.gserviceaccount\.com|@cloud-federation-sandbox\.example)$/.test(member.email) || member.email.includes(".svc.id.goog[");
  }
}
