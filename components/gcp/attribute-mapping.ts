/**
 * From whom a pool trusts to its provider's mapping and condition, and to the principal that bindings name. All three are
 * made of the same values, so that they cannot drift apart.
 * https://cloud.google.com/iam/docs/workload-identity-federation#mapping
 */
import { DEFAULT_AWS_MAPPING, KLAVI_GUIDE_MAPPING, MAPPED_BYTES, SUBJECT_MAPPING, type AttributeMapping } from "../../facts/gcp/attributes.js";
import { attributePrincipalSet, subjectPrincipal } from "../../trust/gcp/principal.js";

/** What of a provider decides who gets in, and as whom. */
export interface Admission {
  mapping: AttributeMapping;
  condition: string;
  /** The member of IAM policies that the workload becomes, in the pool of this name. */
  principal: (pool: string) => string;
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

export function oidcAdmission(subject: string): Admission {
  return { mapping: SUBJECT_MAPPING, condition: `assertion.sub == '${subject}'`, principal: (pool) => subjectPrincipal(pool, subject) };
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
    mapping: { ...(role.bareRoleName ? KLAVI_GUIDE_MAPPING : DEFAULT_AWS_MAPPING), "google.subject": `assertion.${role.subject}` },
    condition: [session, ...unique].join(" && "),
    principal: (pool) => attributePrincipalSet(pool, "aws_role", role.bareRoleName ? role.roleName : assumed),
  };
}

/** What STS calls a role that somebody assumed, without the session. A role's path is no part of it. */
export function assumedRoleArn(accountId: string, roleName: string): string {
  return `arn:aws:sts::${accountId}:assumed-role/${roleName}`;
}

/** How long session names may be for `google.subject` to fit, when it is the session's ARN. */
export function sessionNameRoom(roleName: string): number {
  return MAPPED_BYTES.subject - `${assumedRoleArn("000000000000", roleName)}/`.length;
}
