import { randomBytes, randomInt } from "node:crypto";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function base32(length: number): string {
  return Array.from({ length }, () => BASE32[randomInt(BASE32.length)]).join("");
}

/**
 * By what IAM's ids begin: AIDA a user, AROA a role, ANPA a managed policy.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
 */
export type UniqueIdPrefix = "AIDA" | "AROA" | "ANPA";

export function uniqueId(prefix: UniqueIdPrefix): string {
  return prefix + base32(17);
}

/** `AKIA` for a user's long-lived key, `ASIA` for a session's. */
export function accessKeyId(prefix: "AKIA" | "ASIA"): string {
  return prefix + base32(16);
}

export function secretAccessKey(): string {
  return SANDBOX_SECRET_MARK + randomBytes(30).toString("base64").slice(SANDBOX_SECRET_MARK.length);
}

/** Opaque, of a length that clients are used to. */
export function sessionToken(): string {
  return SANDBOX_SECRET_MARK + randomBytes(264).toString("base64");
}

/** Times as the query protocol writes them: whole seconds, UTC. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
