/**
 * What STS answers to `AssumeRoleWithWebIdentity`: the checks in the service's order, with its codes and texts.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
import { STS_ALGORITHMS, STS_LIMITS, STS_MESSAGES, validationMessage } from "../../facts/aws/sts.js";
import { decodeJwt, type DecodedJwt } from "../jwt.js";
import { parseArn } from "./arn.js";
import { authorize } from "./authorize.js";
import { checkSignature } from "./issuer-keys.js";
import { PolicyError } from "./policy.js";
import { refuse, type WebIdentityRefusal } from "./refusal.js";
import { readIdentity, rolesClaim, type TokenIdentity } from "./token-claims.js";
import { explainTrust, trustContext, WEB_IDENTITY_ACTION, type TrustExplanation, type TrustRequest } from "./trust-policy.js";
import type {
  FetchIssuer,
  IssuerEvidence,
  OidcProvider,
  UnfetchedWebIdentityQuestion,
  WebIdentityAnswer,
  WebIdentityQuestion,
} from "./types.js";

/**
 * Whether STS would accept the token for the role, and its refusal if not. Pure.
 *
 * Checked in this order: the request, the token's form, claims and times, provider, audience, the issuer's keys, the
 * signature, the roles claim, the role's trust, resource control policies, the session's length.
 */
export function evaluateWebIdentity(question: WebIdentityQuestion): WebIdentityAnswer {
  const candidate = examine(question);
  return "allowed" in candidate ? candidate : conclude(question, candidate, question.issuer);
}

/**
 * The same, asking the issuer only when everything that needs no keys has passed: the issuer of a registered provider, never
 * one that a token merely names. An error of `fetchIssuer` is passed on.
 */
export async function evaluateWebIdentityLazily(
  question: UnfetchedWebIdentityQuestion,
  fetchIssuer: FetchIssuer,
): Promise<WebIdentityAnswer> {
  const candidate = examine(question);
  if ("allowed" in candidate) return candidate;
  return conclude(question, candidate, await fetchIssuer(candidate.identity.issuer));
}

interface Candidate {
  token: DecodedJwt;
  identity: TokenIdentity;
  provider: OidcProvider;
}

function examine(question: UnfetchedWebIdentityQuestion): Candidate | WebIdentityRefusal {
  const misshapen = checkRequest(question);
  if (misshapen !== undefined) return misshapen;
  const token = readToken(question.token);
  if ("allowed" in token) return token;
  const identity = readIdentity(token.claims, question.now);
  if ("allowed" in identity) return identity;
  const provider = registeredProvider(question, identity);
  return "allowed" in provider ? provider : { token, identity, provider };
}

function conclude(question: UnfetchedWebIdentityQuestion, candidate: Candidate, evidence: IssuerEvidence): WebIdentityAnswer {
  const { token, identity, provider } = candidate;
  const refusal =
    checkSignature(token, identity.issuer, evidence) ??
    checkRolesClaim(question.roleArn, token) ??
    checkTrust(question, candidate) ??
    checkResourceControl(question, candidate) ??
    checkSessionLength(question);
  if (refusal !== undefined) return refusal;
  const { audience, subject, tags, transitiveTagKeys, sourceIdentity } = identity;
  return {
    allowed: true,
    provider,
    audience,
    subject,
    tags,
    transitiveTagKeys,
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
  };
}

/** The API model's own limits, before anything is looked up. */
function checkRequest({ token, roleArn, sessionName, durationSeconds }: UnfetchedWebIdentityQuestion): WebIdentityRefusal | undefined {
  const { sessionNameLength, sessionNamePattern, durationSeconds: duration, tokenLength } = STS_LIMITS;
  const broken = (member: string, value: string | undefined, constraint: string) =>
    validationMessage([{ member, ...(value === undefined ? {} : { value }), constraint }]);

  const nameConstraint = !new RegExp(`^${sessionNamePattern}$`).test(sessionName)
    ? `Member must satisfy regular expression pattern: ${sessionNamePattern}`
    : lengthConstraint(sessionName, sessionNameLength);
  if (nameConstraint !== undefined) {
    const detail = `the session name "${sessionName}" is not ${sessionNameLength.min} to ${sessionNameLength.max} letters, digits or _+=,.@-`;
    return refuse("ValidationError", broken("roleSessionName", sessionName, nameConstraint), "session-name-invalid", detail);
  }
  if (durationSeconds !== undefined && !(durationSeconds >= duration.min && durationSeconds <= duration.max)) {
    const bound = durationSeconds > duration.max ? `less than or equal to ${duration.max}` : `greater than or equal to ${duration.min}`;
    const message = broken("durationSeconds", String(durationSeconds), `Member must have value ${bound}`);
    return refuse("ValidationError", message, "duration-invalid", `a session of ${durationSeconds} seconds was asked for; AWS gives ${duration.min} to ${duration.max}`);
  }
  const tokenConstraint = lengthConstraint(token, tokenLength);
  if (tokenConstraint !== undefined) {
    return refuse("ValidationError", broken("webIdentityToken", undefined, tokenConstraint), "token-malformed", `the token has ${token.length} characters; AWS reads ${tokenLength.min} to ${tokenLength.max}`);
  }
  const arn = parseArn(roleArn);
  if (arn?.service !== "iam" || !arn.resource.startsWith("role/")) {
    return refuse("ValidationError", STS_MESSAGES.invalidRoleArn(), "role-arn-invalid", `"${roleArn}" is no ARN of a role`);
  }
  return undefined;
}

function lengthConstraint(text: string, { min, max }: { min: number; max: number }): string | undefined {
  if (text.length > max) return `Member must have length less than or equal to ${max}`;
  return text.length < min ? `Member must have length greater than or equal to ${min}` : undefined;
}

function readToken(text: string): DecodedJwt | WebIdentityRefusal {
  const malformed = (detail: string) => refuse("InvalidIdentityToken", STS_MESSAGES.notAJwt(), "token-malformed", detail);
  const token = decodeJwt(text);
  if (token === undefined) return malformed("the token is not three base64url parts with a JSON header and payload");
  const { alg, crit, kid } = token.header;
  if (typeof alg !== "string" || !STS_ALGORITHMS.includes(alg)) {
    return malformed(`the token is signed with ${typeof alg === "string" ? alg : "no algorithm"}; AWS verifies ${STS_ALGORITHMS.join(", ")}`);
  }
  if (crit !== undefined) return malformed("the token's header demands extensions (crit), which AWS does not know");
  if (kid !== undefined && typeof kid !== "string") return malformed("the token's key id (kid) is not a text");
  return token;
}

/** The provider of the issuer in the role's own account, with the audience among its client ids. */
function registeredProvider(question: UnfetchedWebIdentityQuestion, { issuer, audience }: TokenIdentity): OidcProvider | WebIdentityRefusal {
  const role = parseArn(question.roleArn);
  const inAccount = question.providers.filter(({ arn }) => {
    const parsed = parseArn(arn);
    return parsed !== undefined && parsed.accountId === role?.accountId && parsed.partition === role.partition;
  });
  const provider = inAccount.find(({ url }) => `https://${url}` === issuer);
  if (provider === undefined) {
    const has = inAccount.length === 0 ? "no OIDC provider" : inAccount.map(({ url }) => `https://${url}`).join(", ");
    return refuse("InvalidIdentityToken", STS_MESSAGES.tokenNotValidated(), "provider-missing", `the token's issuer is "${issuer}"; account ${role?.accountId ?? ""} has ${has}`);
  }
  if (provider.clientIds.includes(audience)) return provider;
  const detail = `the token's audience "${audience}" is not among the provider's client ids: ${quoted(provider.clientIds)}`;
  return refuse("InvalidIdentityToken", STS_MESSAGES.tokenNotValidated(), "audience-not-registered", detail);
}

function quoted(values: readonly string[]): string {
  return values.length === 0 ? "none" : values.map((value) => `"${value}"`).join(", ");
}

function checkRolesClaim(roleArn: string, { claims }: DecodedJwt): WebIdentityRefusal | undefined {
  const roles = rolesClaim(claims);
  if (roles === undefined || roles.includes(roleArn)) return undefined;
  const refused = (message: string, detail: string) => refuse("InvalidIdentityToken", message, "roles-claim-refused", detail);
  if (roles.length === 0) return refused(STS_MESSAGES.noRoleInClaim(), "the token's roles claim has no role ARN");
  return refused(STS_MESSAGES.roleNotInClaim(), `the token's roles claim names ${quoted(roles)}, not "${roleArn}"`);
}

function trustRequest(question: UnfetchedWebIdentityQuestion, { provider, token }: Candidate): TrustRequest {
  const { sessionName, roleArn, now, context, supposition } = question;
  return { provider, claims: token.claims, sessionName, roleArn, now, context, supposition };
}

function checkTrust(question: UnfetchedWebIdentityQuestion, candidate: Candidate): WebIdentityRefusal | undefined {
  const { role } = question;
  const denied = (reason: WebIdentityRefusal["reason"], detail: string, action: string = WEB_IDENTITY_ACTION) =>
    refuse("AccessDenied", STS_MESSAGES.notAuthorized(action), reason, detail);
  if (role?.arn !== question.roleArn) return denied("role-missing", `there is no role ${question.roleArn}`);
  const request = trustRequest(question, candidate);
  try {
    const trust = explainTrust(role.trustPolicy, request);
    if (trust.decision !== "allowed") return denied("trust-refused", trustDetail(trust, candidate.provider.url));
    if (Object.keys(candidate.identity.tags).length > 0 && explainTrust(role.trustPolicy, request, "sts:TagSession").decision !== "allowed") {
      return denied("tag-session-refused", "the token carries session tags and the trust does not allow sts:TagSession", "sts:TagSession");
    }
    if (candidate.identity.sourceIdentity !== undefined && explainTrust(role.trustPolicy, request, "sts:SetSourceIdentity").decision !== "allowed") {
      return denied("source-identity-refused", "the token carries a source identity and the trust does not allow sts:SetSourceIdentity", "sts:SetSourceIdentity");
    }
    return undefined;
  } catch (error) {
    if (error instanceof PolicyError) return denied("trust-refused", error.message);
    throw error;
  }
}

/** One sentence a statement: what it expects and what the token has. */
function trustDetail({ decision, statements }: TrustExplanation, providerUrl: string): string {
  if (decision === "explicit-deny") {
    const deny = statements.find(({ applies, effect }) => applies && effect === "Deny");
    return `statement ${deny?.sid ?? deny?.index ?? ""} of the trust denies the token`;
  }
  const allows = statements.filter(({ effect }) => effect === "Allow");
  if (allows.length === 0) return "the trust has no statement that allows anything";
  return allows.map((statement) => statementDetail(statement, providerUrl, allows.length > 1)).join("; ");
}

function statementDetail(statement: TrustExplanation["statements"][number], providerUrl: string, several: boolean): string {
  const { principal, action, conditions } = statement;
  const failed: string[] = [];
  if (!principal.holds) failed.push(`trusts ${quoted(principal.expected)}, the token comes from "${principal.presented}"`);
  if (!action.holds) failed.push(`allows ${quoted(action.expected)}, not ${action.presented}`);
  for (const { operator, key, expected, presented, holds } of conditions) {
    if (holds) continue;
    const claim = key.toLowerCase().startsWith(`${providerUrl.toLowerCase()}:`) ? key.slice(providerUrl.length + 1) : key;
    const how = operator === "StringEquals" ? "" : `${operator} `;
    failed.push(`expects ${claim} ${how}${expected.map((value) => `"${value}"`).join(" or ")}, the token has ${presented === undefined ? "none" : quoted(presented)}`);
  }
  return `${several ? `statement ${statement.sid ?? statement.index} of the trust` : "the trust"} ${failed.join(" and ")}`;
}

function checkResourceControl(question: UnfetchedWebIdentityQuestion, candidate: Candidate): WebIdentityRefusal | undefined {
  const { roleArn, resourceControlPolicies = [] } = question;
  if (resourceControlPolicies.length === 0) return undefined;
  const accountId = parseArn(roleArn)?.accountId ?? "";
  const decision = authorize(
    {
      // For policies a web identity is not yet anybody of the account: only statements for everybody can mean it.
      principal: { kind: "anonymous", arn: "", accountId: "" },
      action: WEB_IDENTITY_ACTION,
      resource: roleArn,
      resourceAccountId: accountId,
      context: trustContext(trustRequest(question, candidate)).toRecord(),
      now: question.now,
    },
    { identity: [], resourceControl: resourceControlPolicies },
  );
  if (decision.decision !== "explicit-deny") return undefined;
  const policy = decision.statement === undefined ? "" : ` ${decision.statement.policy}`;
  return refuse("AccessDenied", STS_MESSAGES.notAuthorized(WEB_IDENTITY_ACTION), "resource-control-policy", `the resource control policy${policy} denies ${WEB_IDENTITY_ACTION}`);
}

function checkSessionLength({ durationSeconds = STS_LIMITS.durationSeconds.default, role }: UnfetchedWebIdentityQuestion): WebIdentityRefusal | undefined {
  if (role === undefined || durationSeconds <= role.maxSessionDurationSeconds) return undefined;
  const detail = `a session of ${durationSeconds} seconds was asked for, the role allows ${role.maxSessionDurationSeconds}`;
  return refuse("ValidationError", STS_MESSAGES.durationTooLong(), "duration-too-long", detail);
}
