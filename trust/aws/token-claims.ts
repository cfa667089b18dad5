/**
 * The claims of a token as STS reads them, before it looks at keys.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp
 */
import { STS_CLAIMS, STS_LIMITS, STS_MESSAGES, STS_REQUIRED_CLAIMS } from "../../facts/aws/sts.js";
import { isJsonObject, type JsonObject } from "../jwt.js";
import { refuse, type WebIdentityRefusal } from "./refusal.js";

export interface TokenIdentity {
  issuer: string;
  subject: string;
  /** `azp` where the token has one: what must be registered with the provider and what `<provider>:aud` tests. */
  audience: string;
  tags: Record<string, string>;
  transitiveTagKeys: string[];
  sourceIdentity?: string;
}

/** A subject may be a number, which counts as its digits. */
export function subjectOf(claims: JsonObject): string | undefined {
  const { sub } = claims;
  return typeof sub === "string" ? sub : typeof sub === "number" ? String(sub) : undefined;
}

/** Undefined when `aud` is neither a text nor a list of texts. */
export function audiencesOf(claims: JsonObject): string[] | undefined {
  const list: unknown[] = Array.isArray(claims["aud"]) ? claims["aud"] : [claims["aud"]];
  const texts = list.filter((value) => typeof value === "string");
  return texts.length === list.length ? texts : undefined;
}

/** `azp`, or else the one `aud`; undefined when there is no single answer. */
export function audienceOf(claims: JsonObject): string | undefined {
  const { azp } = claims;
  if (azp !== undefined) return typeof azp === "string" ? azp : undefined;
  const audiences = audiencesOf(claims);
  return audiences?.length === 1 ? audiences[0] : undefined;
}

export function readIdentity(claims: JsonObject, now: Date): TokenIdentity | WebIdentityRefusal {
  const missing = STS_REQUIRED_CLAIMS.find((name) => claims[name] === undefined);
  if (missing !== undefined) {
    return refuse("InvalidIdentityToken", STS_MESSAGES.missingClaim(missing), "token-claim-missing", `the token has no claim ${missing}`);
  }
  const issuer = claims["iss"];
  if (typeof issuer !== "string") return invalid("the token's iss is not a text");
  const subject = subjectOf(claims);
  if (subject === undefined) {
    if (claims["sub"] !== null) return invalid("the token's sub is neither a text nor a number");
    return refuse("InternalFailure", STS_MESSAGES.unknownTokenError(), "token-claim-invalid", "the token's sub is null");
  }
  const audience = readAudience(claims);
  if (typeof audience !== "string") return audience;
  const untimely = checkTimes(claims, now);
  if (untimely !== undefined) return untimely;
  const session = readSession(claims);
  return "allowed" in session ? session : { issuer, subject, audience, ...session };
}

function invalid(detail: string, message: string = STS_MESSAGES.tokenNotValidated()): WebIdentityRefusal {
  return refuse("InvalidIdentityToken", message, "token-claim-invalid", detail);
}

function readAudience(claims: JsonObject): string | WebIdentityRefusal {
  const audiences = audiencesOf(claims);
  if (audiences === undefined) return invalid("the token's aud is neither a text nor a list of texts");
  if (audiences.length === 0) return invalid("the token's aud is an empty list", STS_MESSAGES.emptyClaim("aud"));
  if (audiences.length > 1 && claims["azp"] === undefined) {
    return invalid(`the token has ${audiences.length} audiences and no azp to choose one`, STS_MESSAGES.severalAudiences());
  }
  return audienceOf(claims) ?? invalid("the token's azp is not a text");
}

/** Seconds since 1970: an integer, or a text of one. */
function timestamp(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  return typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function checkTimes(claims: JsonObject, now: Date): WebIdentityRefusal | undefined {
  const seconds = Math.floor(now.getTime() / 1000);
  const skew = STS_LIMITS.clockSkewSeconds;
  const names = ["iat", "exp", ...(claims["nbf"] === undefined ? [] : ["nbf"])];
  const unreadable = names.find((name) => timestamp(claims[name]) === undefined);
  if (unreadable !== undefined) {
    return invalid(`the token's ${unreadable} is not a whole number of seconds`, STS_MESSAGES.invalidTimestamp());
  }
  const exp = timestamp(claims["exp"]) ?? 0;
  if (seconds - skew >= exp) {
    const detail = `the token expired ${seconds - exp} seconds ago; AWS tolerates less than ${skew}`;
    return refuse("ExpiredTokenException", STS_MESSAGES.expired(seconds - skew, exp), "token-expired", detail);
  }
  for (const name of ["iat", "nbf"]) {
    const from = timestamp(claims[name]);
    if (from !== undefined && seconds + skew < from) {
      const detail = `the token's ${name} is ${from - seconds} seconds ahead; AWS tolerates ${skew}`;
      return refuse("InvalidIdentityToken", STS_MESSAGES.notYetValid(seconds + skew, from), "token-not-yet-valid", detail);
    }
  }
  return undefined;
}

type SessionClaims = Pick<TokenIdentity, "tags" | "transitiveTagKeys" | "sourceIdentity">;

/** Session tags and source identity, which become part of the session when the trust allows it. */
export function readSession(claims: JsonObject): SessionClaims | WebIdentityRefusal {
  const malformed = (what: string) => invalid(`the token's ${what} cannot be read as session tags`, STS_MESSAGES.malformedTags());
  const nested = claims[STS_CLAIMS.tags] ?? {};
  if (!isJsonObject(nested)) return malformed(STS_CLAIMS.tags);
  const principalTags = nested["principal_tags"] ?? {};
  if (!isJsonObject(principalTags)) return malformed(`${STS_CLAIMS.tags} principal_tags`);

  const tags: Record<string, string> = {};
  for (const [key, value] of Object.entries(principalTags)) {
    // The nested form holds a list of exactly one value for each key.
    const only: unknown = Array.isArray(value) && value.length === 1 ? value[0] : undefined;
    if (typeof only !== "string") return malformed(`${STS_CLAIMS.tags} principal_tags`);
    tags[key] = only;
  }
  for (const [name, value] of Object.entries(claims).filter(([name]) => name.startsWith(STS_CLAIMS.flatTag))) {
    if (typeof value !== "string") return malformed(name);
    tags[name.slice(STS_CLAIMS.flatTag.length)] = value;
  }
  const transitive = nested["transitive_tag_keys"] ?? claims[STS_CLAIMS.flatTransitiveTagKeys] ?? [];
  if (!isTextList(transitive) || !areTags(tags) || !transitive.every((key) => Object.hasOwn(tags, key))) {
    return malformed(STS_CLAIMS.tags);
  }
  const sourceIdentity = claims[STS_CLAIMS.sourceIdentity];
  if (sourceIdentity === undefined) return { tags, transitiveTagKeys: transitive };
  if (typeof sourceIdentity !== "string" || !STS_LIMITS.sourceIdentity.test(sourceIdentity)) {
    return invalid("the token's source identity is not 2 to 64 letters, digits or +=,.@-_");
  }
  return { tags, transitiveTagKeys: transitive, sourceIdentity };
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function areTags(tags: Record<string, string>): boolean {
  const { max, keyLength, valueLength, pattern } = STS_LIMITS.sessionTags;
  const keys = Object.keys(tags);
  return (
    keys.length <= max &&
    new Set(keys.map((key) => key.toLowerCase())).size === keys.length &&
    Object.entries(tags).every(
      ([key, value]) =>
        key.length >= 1 &&
        key.length <= keyLength &&
        value.length <= valueLength &&
        !key.toLowerCase().startsWith("aws:") &&
        pattern.test(key) &&
        pattern.test(value),
    )
  );
}

const ROLE_ARN = /^arn:[^:]+:iam::\d{12}:role\/[^:;*?]+$/;

/** The issuer's own list of roles: undefined when the token has none, else the ARNs in it that are ARNs of roles. */
export function rolesClaim(claims: JsonObject): string[] | undefined {
  const value = claims[STS_CLAIMS.roles];
  if (value === undefined || value === null) return undefined;
  const list: unknown[] = typeof value === "string" ? value.split(";") : Array.isArray(value) ? value : [];
  return list
    .filter((item) => typeof item === "string")
    .map((item) => item.trim())
    .filter((item) => ROLE_ARN.test(item));
}
