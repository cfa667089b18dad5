/** Members of policies taken apart. https://cloud.google.com/iam/docs/principal-identifiers */

export interface Member {
  kind: string;
  /** Of users, groups and service accounts. */
  email?: string;
  /** Of a deleted one. */
  uid?: string;
  /** Of `principal://…` and `principalSet://…`: the resource name up to the pool. */
  pool?: string;
}

const PLAIN = ["allUsers", "allAuthenticatedUsers"];
const BY_EMAIL = /^(deleted:)?(user|group|serviceAccount):([^@\s?:/[\]]+@[^@\s?/]+|[^@\s?:/]+\.svc\.id\.goog\[[^\]/]+\/[^\]/]+\])(?:\?uid=(\d+))?$/;
const BY_POOL = /^(principal|principalSet):\/\/iam\.googleapis\.com\/((?:projects\/[^/]+\/)?locations\/[^/]+\/work(?:load|force)(?:IdentityP|P)ools\/[^/]+)\/(?:subject\/.+|group\/.+|attribute\.[^/]+\/.+|namespace\/.+|kubernetes\.[^/]+\/.+|\*)$/;
const BY_RESOURCE = /^principalSet:\/\/cloudresourcemanager\.googleapis\.com\/(?:projects|folders|organizations)\/[^/]+(?:\/type\/\w+)?$/;

/** Undefined for text that names nobody. */
export function memberOf(text: string): Member | undefined {
  if (PLAIN.includes(text)) return { kind: text };
  const byEmail = BY_EMAIL.exec(text);
  if (byEmail) {
    const [, deleted = "", kind = "", email = "", uid] = byEmail;
    return { kind: `${deleted}${kind}`, email, ...(uid !== undefined && { uid }) };
  }
  const [, kind, pool] = BY_POOL.exec(text.replace(/^deleted:/, "")) ?? [];
  if (kind !== undefined && pool !== undefined) return { kind: text.startsWith("deleted:") ? `deleted:${kind}` : kind, pool };
  if (BY_RESOURCE.test(text)) return { kind: "principalSet" };
  const convenience = /^(domain|project(?:Owner|Editor|Viewer)):[^\s:]+$/.exec(text)?.[1];
  return convenience === undefined ? undefined : { kind: convenience };
}

export const deletedForm = (email: string, uid: string): string => `deleted:serviceAccount:${email}?uid=${uid}`;
