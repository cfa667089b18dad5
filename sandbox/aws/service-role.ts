/** Roles that a service acts in: handing one over, taking it on, and the session that comes of it. */
import type { AwsService, AwsServiceContext, OperationRequest } from "./service.js";
import { IamStore, type RoleRecord } from "./iam-store.js";
import { onEverything } from "./sts.js";
import { AwsError, type AwsCaller } from "./types.js";

/** The service that takes on a role, and for which of its resources: what the conditions against a confused deputy compare. */
export interface ServicePrincipal {
  /** Such as `codebuild.amazonaws.com`. */
  service: string;
  /** ARN of the resource on whose behalf; absent where the service gives none. */
  sourceArn?: string;
  sourceAccount: string;
}

/** Throws AccessDeniedException (`status` is 400 in the JSON protocol, 403 in REST) unless the caller may hand the role to the service. */
export function requirePassRole({ authoriser }: AwsServiceContext, request: OperationRequest, roleArn: string, to: ServicePrincipal, status: 400 | 403 = 400): void {
  const context = { "iam:PassedToService": to.service, ...(to.sourceArn !== undefined && { "iam:AssociatedResourceArn": to.sourceArn }) };
  requireAllowed({ authoriser }, { request, action: "iam:PassRole", resource: roleArn, resourceAccountId: roleArn.split(":")[4] ?? "", context }, status);
}

/** As `Authoriser.require`, with the code that the JSON protocols have for a refusal. */
export function requireAllowed({ authoriser }: Pick<AwsServiceContext, "authoriser">, question: Parameters<AwsServiceContext["authoriser"]["decide"]>[0], status: 400 | 403 = 400): void {
  const answer = authoriser.decide(question);
  if (answer.allowed) return;
  const who = question.request.caller.principal.arn;
  throw new AwsError("AccessDeniedException", status, `User: ${who} is not authorized to perform: ${question.action} on resource: ${question.resource} ${answer.because}`);
}

/** The role, when its trust policy lets the service take it on; undefined when it does not, or there is no such role. */
export function assumableRole({ authoriser, core }: AwsServiceContext, roleArn: string, by: ServicePrincipal, region: string): RoleRecord | undefined {
  const role = new IamStore(core.store).roleByArn(roleArn, "effective");
  if (!role) return undefined;
  const caller: AwsCaller = { principal: { kind: "service", arn: by.service, accountId: by.sourceAccount } };
  const source = { "aws:SourceAccount": by.sourceAccount, ...(by.sourceArn !== undefined && { "aws:SourceArn": by.sourceArn }) };
  const answer = authoriser.decide({
    request: { caller, region, input: {}, context: { "aws:SecureTransport": "true" } },
    action: "sts:AssumeRole",
    resource: role.arn,
    resourceAccountId: role.accountId,
    context: source,
    resourcePolicy: { name: "trust policy", document: onEverything(role.trustPolicy) },
    resourcePolicyDecides: true,
  });
  return answer.allowed ? role : undefined;
}

/** A session of the role under the name that the service gives it. */
export function serviceSession(role: RoleRecord, sessionName: string): AwsCaller {
  const partition = role.arn.split(":")[1] ?? "aws";
  const arn = `arn:${partition}:sts::${role.accountId}:assumed-role/${role.roleName}/${sessionName}`;
  return { principal: { kind: "role-session", arn, accountId: role.accountId, roleArn: role.arn, uniqueId: role.roleId, sessionName } };
}

/** Calls another service as somebody; what a service does with a role's session. */
export type CallAs = (caller: AwsCaller, service: AwsService["name"], operation: string, input: Record<string, unknown>, region: string) => Promise<Record<string, unknown>>;
