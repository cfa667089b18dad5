/** AWS Security Token Service: who am I, and credentials of a role for a token or for another principal. */
import * as z from "zod";
import { iamMembers, iamNumbers, sessionPolicyLimits } from "../../facts/aws/iam.js";
import { policySize, textRules } from "../../facts/aws/limits.js";
import { partitionOfRegion } from "../../facts/aws/partitions.js";
import { STS_LIMITS, STS_MESSAGES } from "../../facts/aws/sts.js";
import { parseArn } from "../../trust/aws/arn.js";
import { parsePolicy } from "../../trust/aws/policy.js";
import type { Principal, Role } from "../../trust/aws/types.js";
import { evaluateWebIdentityLazily } from "../../trust/aws/web-identity.js";
import type { SandboxCore } from "../types.js";
import { RESOURCE_CONTROL_POLICY, organisationPolicies } from "./authoriser.js";
import type { Credentials } from "./credentials.js";
import type { IamStore, RoleRecord } from "./iam-store.js";
import { timestamp } from "./identifiers.js";
import { integer, list, operation, text } from "./members.js";
import type { Authoriser, AwsService, OperationRequest } from "./service.js";
import { fetchIssuer, providersFor } from "./sts-web-identity.js";
import { AwsError } from "./types.js";

export interface StsContext {
  core: SandboxCore;
  iam: IamStore;
  credentials: Credentials;
  authoriser: Authoriser;
}

const anyInteger = integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const sessionPolicyMembers = {
  Policy: z.string().min(1).optional(),
  PolicyArns: list(z.object({ arn: text(iamMembers.arn) }), { max: sessionPolicyLimits.managedPolicies }).optional(),
};

/** What the token proves is decided by the rules of `trust/`; here only presence is checked. */
const webIdentityInput = z.object({
  RoleArn: z.string(),
  RoleSessionName: z.string(),
  WebIdentityToken: z.string(),
  ProviderId: z.string().optional(),
  DurationSeconds: anyInteger.optional(),
  ...sessionPolicyMembers,
});

const tags = list(z.object({ Key: text(iamMembers.tagKey), Value: text(textRules.tagValue) }), { max: STS_LIMITS.sessionTags.max });
const assumeRoleInput = z.object({
  RoleArn: text(iamMembers.arn),
  RoleSessionName: text(textRules.sessionName),
  DurationSeconds: integer(STS_LIMITS.durationSeconds).optional(),
  ExternalId: text(iamMembers.externalId).optional(),
  SourceIdentity: text(iamMembers.sourceIdentity).optional(),
  Tags: tags.optional(),
  TransitiveTagKeys: list(text(iamMembers.tagKey)).optional(),
  ...sessionPolicyMembers,
});

export function createSts(context: StsContext): AwsService {
  return {
    name: "sts",
    operations: {
      AssumeRole: operation(assumeRoleInput, (input, request) => assumeRole(context, input, request)),
      AssumeRoleWithWebIdentity: operation(webIdentityInput, (input, request) => assumeRoleWithWebIdentity(context, input, request)),
      // Needs no permission, and none can be taken away.
      GetCallerIdentity: operation(z.object({}), (_input, { caller }) => callerIdentity(caller.principal)),
    },
  };
}

function callerIdentity(principal: Principal): object {
  const { accountId, arn, uniqueId, sessionName } = principal;
  return { UserId: userId(uniqueId ?? accountId, sessionName), Account: accountId, Arn: arn };
}

const userId = (id: string, sessionName: string | undefined): string => (sessionName === undefined ? id : `${id}:${sessionName}`);

async function assumeRoleWithWebIdentity(context: StsContext, input: z.output<typeof webIdentityInput>, request: OperationRequest): Promise<object> {
  const { core, iam } = context;
  assertOidc(input.ProviderId);
  const { accountId = "", partition = "" } = parseArn(input.RoleArn) ?? {};
  const role = partition === partitionOf(request.region) ? iam.roleByArn(input.RoleArn, "effective") : undefined;
  const answer = await evaluateWebIdentityLazily(
    {
      token: input.WebIdentityToken,
      roleArn: input.RoleArn,
      sessionName: input.RoleSessionName,
      ...(input.DurationSeconds !== undefined && { durationSeconds: input.DurationSeconds }),
      now: core.clock.now(),
      providers: providersFor(iam, accountId, partition, input.WebIdentityToken),
      role: role && trustOf(role),
      resourceControlPolicies: organisationPolicies(core, RESOURCE_CONTROL_POLICY, accountId),
      context: { "aws:RequestedRegion": request.region, ...request.context },
    },
    (issuer) => fetchIssuer(core, issuer),
  );
  if (!answer.allowed) throw new AwsError(answer.code, answer.httpStatus, answer.message);
  // An accepted answer has a role; without one it would have been refused.
  if (!role) throw new AwsError("AccessDenied", 403, STS_MESSAGES.notAuthorized("sts:AssumeRoleWithWebIdentity"));
  const session = issueSession(context, role, input, { tags: answer.tags, federatedProvider: answer.provider.arn });
  return {
    ...session,
    SubjectFromWebIdentityToken: answer.subject,
    Provider: answer.provider.arn,
    Audience: answer.audience,
    SourceIdentity: answer.sourceIdentity,
  };
}

/** Tokens of these two are no OIDC tokens; other providers are found by the token's issuer. */
function assertOidc(providerId: string | undefined): void {
  if (providerId === "www.amazon.com") throw new AwsError("InvalidIdentityToken", 400, "Provided Token is not a Login With Amazon token");
  if (providerId === "graph.facebook.com") throw new AwsError("IDPRejectedClaim", 403, "The identity provider rejected the token");
}

function trustOf({ arn, roleId, trustPolicy, maxSessionDuration }: RoleRecord): Role {
  return { arn, roleId, trustPolicy, maxSessionDurationSeconds: maxSessionDuration };
}

function partitionOf(region: string): string {
  return partitionOfRegion(region)?.name ?? "aws";
}

function assumeRole(context: StsContext, input: z.output<typeof assumeRoleInput>, request: OperationRequest): object {
  const { iam } = context;
  const { principal } = request.caller;
  const role = iam.roleByArn(input.RoleArn, "effective");
  const denied = (action: string): AwsError =>
    new AwsError("AccessDenied", 403, `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${input.RoleArn}`);
  if (parseArn(input.RoleArn)?.service !== "iam") throw new AwsError("ValidationError", 400, `${input.RoleArn} is invalid`);
  if (!role) throw denied("sts:AssumeRole");
  const tagKeys = input.Tags?.map(({ Key }) => Key) ?? [];
  const keys: Record<string, string | string[]> = {
    "sts:RoleSessionName": input.RoleSessionName,
    ...(input.ExternalId !== undefined && { "sts:ExternalId": input.ExternalId }),
    ...(input.SourceIdentity !== undefined && { "sts:SourceIdentity": input.SourceIdentity }),
    ...(tagKeys.length > 0 && { "aws:TagKeys": tagKeys }),
    ...Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    ...(input.TransitiveTagKeys && { "sts:TransitiveTagKeys": input.TransitiveTagKeys }),
  };
  const actions = ["sts:AssumeRole", ...(tagKeys.length > 0 ? ["sts:TagSession"] : []), ...(input.SourceIdentity === undefined ? [] : ["sts:SetSourceIdentity"])];
  for (const action of actions) {
    const question = {
      request,
      action,
      resource: role.arn,
      resourceAccountId: role.accountId,
      context: keys,
      resourcePolicy: { name: "trust policy", document: onEverything(role.trustPolicy) },
      resourcePolicyDecides: true,
    };
    const answer = context.authoriser.decide(question);
    // Of the trust policy STS tells nothing; what the caller lacks on its own side it names.
    if (!answer.allowed && answer.layer === "resource") throw denied(action);
    context.authoriser.require(question);
  }
  const duration = input.DurationSeconds ?? STS_LIMITS.durationSeconds.default;
  if (principal.kind === "role-session" && duration > iamNumbers.chainedSessionSeconds.max)
    throw new AwsError("ValidationError", 400, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
  if (duration > role.maxSessionDuration) throw new AwsError("ValidationError", 400, STS_MESSAGES.durationTooLong());
  const session = issueSession(context, role, input, { tags: Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key, Value])) });
  return { ...session, SourceIdentity: input.SourceIdentity };
}

/** A trust policy is about its role; as a resource-based policy it has to say so. */
export function onEverything(trustPolicy: string): string {
  const document = JSON.parse(trustPolicy) as { Statement: object | object[] };
  const statements = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  return JSON.stringify({ ...document, Statement: statements.map((statement: object) => ({ ...statement, Resource: "*" })) });
}

interface SessionOrder {
  RoleSessionName: string;
  DurationSeconds?: number | undefined;
  Policy?: string | undefined;
  PolicyArns?: { arn: string }[] | undefined;
}

function issueSession(
  { core, iam, credentials }: StsContext,
  role: RoleRecord,
  order: SessionOrder,
  extra: { tags: Record<string, string>; federatedProvider?: string },
): object {
  const { accountId, roleId, roleName } = role;
  const sessionName = order.RoleSessionName;
  const arn = `arn:${parseArn(role.arn)?.partition ?? "aws"}:sts::${accountId}:assumed-role/${roleName}/${sessionName}`;
  const { policies, packedSize } = sessionPolicies(iam, order, extra.tags);
  const expiresAt = new Date(core.clock.now().getTime() + (order.DurationSeconds ?? STS_LIMITS.durationSeconds.default) * 1000);
  const key = credentials.issueSession(
    {
      principal: { kind: "role-session", arn, accountId, roleArn: role.arn, uniqueId: roleId, sessionName, issuedAt: timestamp(core.clock.now()), ...extra },
      ...(policies.length > 0 && { sessionPolicies: policies }),
    },
    expiresAt,
  );
  return {
    Credentials: { AccessKeyId: key.accessKeyId, SecretAccessKey: key.secretAccessKey, SessionToken: key.sessionToken, Expiration: timestamp(expiresAt) },
    AssumedRoleUser: { AssumedRoleId: userId(roleId, sessionName), Arn: arn },
    PackedPolicySize: packedSize,
  };
}

/** The session's own policies, and how full they and the tags make it, in percent. Throws MalformedPolicyDocument and PackedPolicyTooLarge. */
function sessionPolicies(iam: IamStore, { Policy, PolicyArns = [] }: SessionOrder, sessionTags: Record<string, string>): { policies: string[]; packedSize: number | undefined } {
  const mistake = Policy === undefined ? undefined : parsePolicy(Policy, "identity").mistakes[0];
  if (mistake) throw new AwsError("MalformedPolicyDocument", 400, mistake.message);
  const managed = PolicyArns.map(({ arn }) => {
    const document = iam.effectiveDocument(arn);
    if (document === undefined) throw new AwsError("ValidationError", 400, `Policy ${arn} does not exist or is not attachable.`);
    return document;
  });
  const size = policySize(Policy ?? "") + JSON.stringify(sessionTags).length - 2 + PolicyArns.reduce((sum, { arn }) => sum + arn.length, 0);
  const packedSize = Math.ceil((size / sessionPolicyLimits.inlineSize) * 100);
  if (packedSize > 100)
    throw new AwsError("PackedPolicyTooLarge", 400, `Packed policy consumes ${packedSize}% of allotted space, please use smaller policy.`);
  return { policies: [...(Policy === undefined ? [] : [Policy]), ...managed], packedSize: size === 0 ? undefined : packedSize };
}
