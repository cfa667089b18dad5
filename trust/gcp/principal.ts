/**
 * Members of IAM policies that stand for federated identities: made, read, matched.
 * https://cloud.google.com/iam/docs/principal-identifiers
 *
 * Values are taken as they are: Google compares them byte for byte, so a percent sign is a percent sign, and a slash in a
 * subject or an attribute needs no escape.
 */
import { poolOf } from "../../facts/gcp/identifiers.js";
import type { FederatedIdentity } from "./types.js";

const HOST = "//iam.googleapis.com/";

export function subjectPrincipal(pool: string, subject: string): string {
  return `principal:${HOST}${pool}/subject/${subject}`;
}

export function groupPrincipalSet(pool: string, group: string): string {
  return `principalSet:${HOST}${pool}/group/${group}`;
}

/** `attribute` without its prefix, such as `aws_role`. */
export function attributePrincipalSet(pool: string, attribute: string, value: string): string {
  return `principalSet:${HOST}${pool}/attribute.${attribute}/${value}`;
}

/** Everybody whom the pool's providers let in. */
export function poolPrincipalSet(pool: string): string {
  return `principalSet:${HOST}${pool}/*`;
}

/** Who may be what a mapping made of a token. */
export function federatedIdentity(
  provider: string,
  mapped: { subject: string; groups: readonly string[]; attributes: Readonly<Record<string, string | readonly string[]>> },
): FederatedIdentity {
  const pool = poolOf(provider);
  const { subject, groups, attributes } = mapped;
  const principal = subjectPrincipal(pool, subject);
  const byAttribute = Object.entries(attributes).flatMap(([name, value]) => [value].flat().map((item: string) => attributePrincipalSet(pool, name, item)));
  return { subject, groups, attributes, principal, members: [principal, ...groups.map((group) => groupPrincipalSet(pool, group)), ...byAttribute, poolPrincipalSet(pool)] };
}

/** A member of a workload identity pool, taken apart. */
export type FederatedMember = { pool: string } & (
  | { kind: "subject"; value: string }
  | { kind: "group"; value: string }
  | { kind: "attribute"; name: string; value: string }
  | { kind: "pool" }
);

const MEMBER = /^(principal|principalSet):\/\/iam\.googleapis\.com\/(projects\/([^/]+)\/locations\/([^/]+)\/workloadIdentityPools\/([^/]+))\/(.+)$/s;

/** Undefined for members of any other kind, and for malformed ones. */
export function parseFederatedMember(member: string): FederatedMember | undefined {
  const [, scheme, pool, , , , rest] = MEMBER.exec(member) ?? [];
  if (pool === undefined || rest === undefined) return undefined;
  if (scheme === "principal") return rest.startsWith("subject/") && rest.length > 8 ? { pool, kind: "subject", value: rest.slice(8) } : undefined;
  if (rest === "*") return { pool, kind: "pool" };
  if (rest.startsWith("group/") && rest.length > 6) return { pool, kind: "group", value: rest.slice(6) };
  const [, name, value] = /^attribute\.([a-z0-9_]+)\/(.+)$/s.exec(rest) ?? [];
  return name === undefined || value === undefined ? undefined : { pool, kind: "attribute", name, value };
}

/** A service account may also be one of a cluster, by the older name: `PROJECT.svc.id.goog[NAMESPACE/NAME]`. */
const EMAIL = /^[\w.%+'-]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$|^[a-z0-9:.-]+\.svc\.id\.goog\[[a-z0-9.-]+\/[a-z0-9.-]+\]$/;
const DELETED = /^deleted:(?:user|serviceAccount|group):[^?]+\?uid=\d+$|^deleted:principal:\/\/.+$/;

/** Why a text is no member of an IAM policy; undefined when it is one. Whether whom it names exists is another question. */
export function memberViolation(member: string): string | undefined {
  const got = `got ${JSON.stringify(member)}`;
  if (member === "allUsers" || member === "allAuthenticatedUsers" || DELETED.test(member)) return undefined;
  if (member.startsWith("principal:") || member.startsWith("principalSet:")) return principalViolation(member);
  const [, kind, id] = /^([A-Za-z]+):(.+)$/s.exec(member) ?? [];
  switch (kind) {
    case "user":
    case "group":
    case "serviceAccount":
      return id !== undefined && EMAIL.test(id) ? undefined : `must be ${kind}: and an email address; ${got}`;
    case "domain":
      return id !== undefined && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(id) ? undefined : `must be domain: and a domain; ${got}`;
    case "projectOwner":
    case "projectEditor":
    case "projectViewer":
      return id !== undefined && /^[a-z0-9:.-]+$/.test(id) ? undefined : `must be ${kind}: and a project's id; ${got}`;
    default:
      return `must begin with user:, serviceAccount:, group:, domain:, principal:// or principalSet://; ${got}`;
  }
}

function principalViolation(member: string): string | undefined {
  const got = `got ${JSON.stringify(member)}`;
  const [, scheme, , project, location, pool] = MEMBER.exec(member) ?? [];
  // Google has more kinds (workforce pools, GKE, service agents, resources): only those of workload identity pools are read here.
  if (!member.includes("/workloadIdentityPools/")) return /^principal(Set)?:\/\/[a-z.]+\/.+/.test(member) ? undefined : `must be ${scheme ?? "principal"}:// and the name of a principal; ${got}`;
  if (project === undefined || location === undefined || pool === undefined) {
    return `must be principal://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/subject/SUBJECT, or principalSet:// with attribute.NAME/VALUE, group/GROUP or *; ${got}`;
  }
  if (!/^[1-9]\d*$/.test(project)) return `must name the pool's project by its number, not by its id ${JSON.stringify(project)}; ${got}`;
  if (location !== "global") return `must name the location global, not ${JSON.stringify(location)}; ${got}`;
  if (parseFederatedMember(member) === undefined) {
    return scheme === "principal" ? `must end in /subject/SUBJECT; ${got}` : `must end in /attribute.NAME/VALUE, /group/GROUP or /*; ${got}`;
  }
  return undefined;
}
