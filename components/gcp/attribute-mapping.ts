/**
 * From whom a pool trusts to its provider's mapping and condition, and to the principal that bindings name. All three are
 * made of the same values, so that they cannot drift apart.
 * https://cloud.google.com/iam/docs/workload-identity-federation#mapping
 */
import { SUBJECT_BYTES } from "./rules.js";

export type AttributeMapping = Record<string, string>;

/** What of a provider decides who gets in, and as whom. */
export interface Admission {
  mapping: AttributeMapping;
  condition: string;
  /** End of the principal's name, behind the pool's: `subject/…` or `attribute.NAME/…`. */
  member: string;
  /** Whether one identity is meant, or all that share an attribute. */
  kind: "principal" | "principalSet";
}

/** An AWS role that is trusted, and what of its sessions. */
export interface AwsRole {
  accountId: string;
  roleName: string;
  sessionName?: string | undefined;
  uniqueId?: string | undefined;
  subject: "arn" | "userid";
  /** Whether the attribute `aws_role` is the role's bare name, as Klavi's guide has it, instead of Google's default. */
  bareRoleName: boolean;
}

/**
 * The attribute `aws_role` as Google maps it where no mapping is given: the assumed role's ARN without its session.
 * https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds#mappings-and-conditions
 */
const DEFAULT_AWS_ROLE =
  "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/') + 'assumed-role/' + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn";

/** As Klavi's guide for partners on Google Cloud has it. It loses account and partition: alone, it pins nothing. */
const BARE_AWS_ROLE = "assertion.arn.contains('role/') ? assertion.arn.extract('role/{role_name}/') : assertion.arn";

export function oidcAdmission(subject: string): Admission {
  return { mapping: { "google.subject": "assertion.sub" }, condition: `assertion.sub == '${subject}'`, member: `subject/${subject}`, kind: "principal" };
}

/**
 * The condition compares the beginning of the session's own ARN, up to and with the slash behind the role's name: no user
 * whose path looks like a role (`arn:aws:iam::…:user/assumed-role/…`), no longer role name and no other account begins so,
 * whatever the attributes are mapped to.
 */
export function awsAdmission(role: AwsRole): Admission {
  const assumed = assumedRoleArn(role.accountId, role.roleName);
  const session =
    role.sessionName === undefined ? `assertion.arn.startsWith('${assumed}/')` : `assertion.arn == '${assumed}/${role.sessionName}'`;
  const unique = role.uniqueId === undefined ? [] : [`assertion.userid.startsWith('${role.uniqueId}:')`];
  return {
    mapping: { "google.subject": `assertion.${role.subject}`, "attribute.aws_role": role.bareRoleName ? BARE_AWS_ROLE : DEFAULT_AWS_ROLE },
    condition: [session, ...unique].join(" && "),
    member: `attribute.aws_role/${role.bareRoleName ? role.roleName : assumed}`,
    kind: "principalSet",
  };
}

/** What STS calls a role that somebody assumed, without the session. A role's path is no part of it. */
export function assumedRoleArn(accountId: string, roleName: string): string {
  return `arn:aws:sts::${accountId}:assumed-role/${roleName}`;
}

/** The member of an IAM policy that the workload becomes. https://cloud.google.com/iam/docs/principal-identifiers */
export function principalOf(poolName: string, { kind, member }: Admission): string {
  return `${kind}://iam.googleapis.com/${poolName}/${member}`;
}

/** How long session names may be for `google.subject` to fit, when it is the session's ARN. */
export function sessionNameRoom(roleName: string): number {
  return SUBJECT_BYTES - `${assumedRoleArn("000000000000", roleName)}/`.length;
}
