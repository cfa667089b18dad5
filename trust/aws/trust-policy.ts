/**
 * A role's trust policy against a web identity, statement by statement.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 */
import { conditionClaims } from "../../facts/aws/conditions.js";
import type { JsonObject } from "../jwt.js";
import { arnAccount } from "./arn.js";
import { RequestContext, type ConditionResult, type Supposition } from "./conditions.js";
import { readPolicy, type PolicyDocument, type PrincipalElement, type Statement } from "./policy.js";
import { conditionResults, coversAction } from "./statements.js";
import { audienceOf, audiencesOf, readSession, rolesClaim, subjectOf } from "./token-claims.js";
import type { OidcProvider } from "./types.js";

export const WEB_IDENTITY_ACTION = "sts:AssumeRoleWithWebIdentity";

/** What STS knows when it asks a trust policy. */
export interface TrustRequest {
  provider: OidcProvider;
  /** The token's claims, signature and times taken as good. */
  claims: JsonObject;
  sessionName: string;
  roleArn: string;
  now: Date;
  /** Condition keys that the transport gives, such as `aws:SourceIp`. */
  context?: Record<string, string | string[]> | undefined;
  supposition?: Supposition | undefined;
}

export interface TrustPart {
  holds: boolean;
  expected: string[];
  presented: string;
}

export interface TrustStatementExplanation {
  index: number;
  sid?: string;
  effect: "Allow" | "Deny";
  /** Whether the statement is about this token: everything below holds. */
  applies: boolean;
  principal: TrustPart;
  action: TrustPart;
  conditions: ConditionResult[];
}

export interface TrustExplanation {
  decision: "allowed" | "explicit-deny" | "implicit-deny";
  statements: TrustStatementExplanation[];
}

/**
 * Which statement admits the token, or which part of each does not. `action` is what STS asks for; a token with session tags
 * needs `sts:TagSession` besides. Throws `PolicyError` when the text is no policy document.
 */
export function explainTrust(trustPolicy: string, request: TrustRequest, action: string = WEB_IDENTITY_ACTION): TrustExplanation {
  const document = readPolicy({ name: "the trust policy", document: trustPolicy });
  const context = trustContext(request);
  const statements = document.statements.map((statement) => explain(statement, document, request.provider, action, context));
  const applies = (effect: "Allow" | "Deny") => statements.some((statement) => statement.applies && statement.effect === effect);
  return { decision: applies("Deny") ? "explicit-deny" : applies("Allow") ? "allowed" : "implicit-deny", statements };
}

function explain(
  statement: Statement,
  document: PolicyDocument,
  provider: OidcProvider,
  action: string,
  context: RequestContext,
): TrustStatementExplanation {
  const element = statement.principal ?? statement.notPrincipal;
  const principal: TrustPart = {
    holds: coversProvider(statement, provider.arn),
    expected: element === undefined ? [] : element.anyone ? ["*"] : element.values.map(({ value }) => value),
    presented: provider.arn,
  };
  const covered: TrustPart = {
    holds: coversAction(statement, action),
    expected: statement.actions ?? statement.notActions ?? [],
    presented: action,
  };
  const conditions = conditionResults(statement, context, document);
  return {
    index: statement.index,
    ...(statement.sid === undefined ? {} : { sid: statement.sid }),
    effect: statement.effect,
    applies: principal.holds && covered.holds && conditions.every(({ holds }) => holds),
    principal,
    action: covered,
    conditions,
  };
}

/**
 * Only the provider's exact ARN admits its tokens; `"*"` and `{"AWS": "*"}` do not. A Deny for everybody denies them all the
 * same, and one with NotPrincipal denies whom it does not list.
 */
function coversProvider(statement: Statement, providerArn: string): boolean {
  const isEverybody = (element: PrincipalElement) =>
    element.anyone || element.values.some(({ type, value }) => type === "AWS" && value === "*");
  const names = (element: PrincipalElement) => element.values.some(({ type, value }) => type === "Federated" && value === providerArn);
  const { principal, notPrincipal, effect } = statement;
  if (principal !== undefined) return names(principal) || (effect === "Deny" && isEverybody(principal));
  return notPrincipal !== undefined && effect === "Deny" && !names(notPrincipal) && !isEverybody(notPrincipal);
}

/** The condition keys of an exchange. `aws:PrincipalArn` is not among them. */
export function trustContext({ provider, claims, sessionName, roleArn, now, context, supposition }: TrustRequest): RequestContext {
  const session = readSession(claims);
  const { tags, transitiveTagKeys, sourceIdentity } = "allowed" in session ? { tags: {}, transitiveTagKeys: [], sourceIdentity: undefined } : session;
  return new RequestContext({
    ...claimKeys(provider.url, claims),
    "sts:RoleSessionName": sessionName,
    "sts:RoleAuthorizedByIdp": String(rolesClaim(claims)?.includes(roleArn) ?? false),
    "sts:SourceIdentity": sourceIdentity,
    "sts:TransitiveTagKeys": transitiveTagKeys,
    "aws:TagKeys": Object.keys(tags),
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    "aws:FederatedProvider": provider.arn,
    "aws:PrincipalAccount": arnAccount(provider.arn),
    "aws:PrincipalType": "User",
    "aws:userid": provider.arn,
    "aws:ResourceAccount": arnAccount(roleArn),
    "aws:CurrentTime": now.toISOString(),
    "aws:EpochTime": String(Math.floor(now.getTime() / 1000)),
  })
    .add(context ?? {})
    .suppose(supposition);
}

function claimKeys(providerUrl: string, claims: JsonObject): Record<string, string | string[] | undefined> {
  const special: Record<string, string | string[] | undefined> = {
    aud: audienceOf(claims),
    oaud: audiencesOf(claims),
    sub: subjectOf(claims),
  };
  return Object.fromEntries(
    conditionClaims(providerUrl).map((name) => [`${providerUrl}:${name}`, name in special ? special[name] : texts(claims[name])]),
  );
}

function texts(value: unknown): string | string[] | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return value.filter((item) => typeof item === "string");
  return typeof value === "string" ? value : undefined;
}
