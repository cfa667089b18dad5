/**
 * Does IAM allow this call? Deny policies come first, then one binding that grants is enough.
 * https://cloud.google.com/iam/docs/policy-types#evaluation
 * https://cloud.google.com/iam/docs/deny-overview
 */
import { celTimestamp, compileCel } from "./cel.js";
import { denyName, deniesPermission } from "./permission-names.js";
import type { AccessAnswer, AccessQuestion, Binding, Condition, DenyPolicy } from "./types.js";

/** Decides one permission on one resource. Where several bindings would do, the nearest to the resource is named. */
export function authorizeAccess(question: AccessQuestion): AccessAnswer {
  const denied = question.denyPolicies?.find((policy) => denies(policy, question));
  if (denied !== undefined) return { allowed: false, reason: "denied", denyPolicy: denied.name };
  let unmet: AccessAnswer["binding"];
  for (const { resource, policy } of question.policies) {
    for (const binding of policy.bindings) {
      if (!isMember(binding, question) || !grants(binding, question)) continue;
      const found = { resource, binding };
      if (binding.condition === undefined || conditionResult(binding.condition, question) === true) {
        return { allowed: true, reason: "granted", binding: found };
      }
      unmet ??= found;
    }
  }
  return unmet === undefined ? { allowed: false, reason: "no-binding" } : { allowed: false, reason: "condition-false", binding: unmet };
}

function grants({ role }: Binding, question: AccessQuestion): boolean {
  const name = denyName(question.permission);
  return question.role(role)?.some((granted) => denyName(granted) === name) === true;
}

/** A `deleted:` member is a text of its own that no caller is known by, so it never matches. */
function isMember({ members }: Binding, question: AccessQuestion): boolean {
  return members.some((member) => question.members.includes(member) || isBasicMember(member, question));
}

const CONVENIENCE = /^project(Owner|Editor|Viewer):(.+)$/;

/** `projectOwner:ID` and its like: whoever the project's own policy gives the basic role. https://cloud.google.com/storage/docs/access-control/iam#convenience-values */
function isBasicMember(member: string, { members, policies }: AccessQuestion): boolean {
  const [, level, project] = CONVENIENCE.exec(member) ?? [];
  if (level === undefined || project === undefined) return false;
  const role = `roles/${level.toLowerCase()}`;
  const own = policies.find(({ resource }) => resource === `//cloudresourcemanager.googleapis.com/projects/${project}`);
  return own?.policy.bindings.some((binding) => binding.role === role && binding.condition === undefined && binding.members.some((name) => members.includes(name))) === true;
}

function denies(policy: DenyPolicy, question: AccessQuestion): boolean {
  const names = denyPrincipals(question.members);
  return policy.rules.some(({ denyRule: rule }) => {
    const has = (list: readonly string[] | undefined, test: (item: string) => boolean) => list?.some(test) === true;
    const isCaller = (principal: string) => names.includes(principal);
    const isPermission = (permission: string) => deniesPermission(permission, question.permission);
    return (
      has(rule.deniedPrincipals, isCaller) &&
      !has(rule.exceptionPrincipals, isCaller) &&
      has(rule.deniedPermissions, isPermission) &&
      !has(rule.exceptionPermissions, isPermission) &&
      // A condition that cannot be evaluated denies: only one that is false lets the caller past.
      (rule.denialCondition === undefined || conditionResult(rule.denialCondition, question) !== false)
    );
  });
}

const PUBLIC = "principalSet://goog/public:all";

/** The caller's members in the words of deny policies. https://cloud.google.com/iam/docs/principal-identifiers#deny */
function denyPrincipals(members: readonly string[]): string[] {
  const named = members.flatMap((member) => {
    if (member.startsWith("principal")) return [member];
    const [kind, id] = member.split(/:(.*)/s);
    if (id === undefined) return [];
    if (kind === "user") return [`principal://goog/subject/${id}`];
    if (kind === "serviceAccount") return [`principal://iam.googleapis.com/projects/-/serviceAccounts/${id}`];
    return kind === "group" ? [`principalSet://goog/group/${id}`] : [];
  });
  return [...named, PUBLIC];
}

/** Undefined where the condition cannot be evaluated. */
function conditionResult({ expression }: Condition, { resource, time, apiAttributes }: AccessQuestion): boolean | undefined {
  const program = compileCel(expression, "iam-condition");
  if (typeof program === "string") return undefined;
  const outcome = program.evaluate({ resource, request: { time: celTimestamp(time) }, api: { ...apiAttributes } });
  return outcome.ok && typeof outcome.value === "boolean" ? outcome.value : undefined;
}
