/** What CodeBuild's operations share: rights, refusals, and the role of a project. */
import { CODEBUILD_PRINCIPAL, type Refusal, codeBuildRefusals as refusals } from "../../facts/aws/codebuild.js";
import type { BuildSettings, CodeBuildStore, ProjectRecord } from "./codebuild-store.js";
import { operation as checked } from "./members.js";
import { partitionOf } from "./s3-state.js";
import { type ServicePrincipal, assumableRole, requireAllowed, requirePassRole, serviceSession } from "./service-role.js";
import type { AwsServiceContext, OperationRequest } from "./service.js";
import { AwsError } from "./types.js";

/** CodeBuild calls every broken member invalid input. */
export const operation: typeof checked = (schema, run) => checked(schema, run, "InvalidInputException");

export function codeBuildError({ code, message }: Refusal): AwsError {
  return new AwsError(code, 400, message);
}

/** ARN of a project in the caller's account and the request's region; of one that is given as such, itself. */
export function projectArn(request: OperationRequest, name: string): string {
  if (name.startsWith("arn:")) return name;
  return `arn:${partitionOf(request.region)}:codebuild:${request.region}:${request.caller.principal.accountId}:project/${name}`;
}

export class CodeBuildContext {
  constructor(
    readonly context: AwsServiceContext,
    readonly store: CodeBuildStore,
  ) {}

  now(): number {
    return this.context.core.clock.now().getTime();
  }

  /** Throws AccessDeniedException. */
  authorise(request: OperationRequest, action: string, resource: string, conditions: Record<string, string | string[]> = {}): void {
    const { accountId } = request.caller.principal;
    const name = resource.split(":project/")[1];
    const project = name === undefined ? undefined : this.store.project(accountId, request.region, name);
    const tags = Object.fromEntries((project?.tags ?? []).map(({ key, value }) => [`aws:ResourceTag/${key}`, value]));
    requireAllowed(this.context, { request, action: `codebuild:${action}`, resource, resourceAccountId: accountId, context: { ...tags, ...conditions } });
  }

  /** Throws ResourceNotFoundException, also for a project of another region. */
  project(request: OperationRequest, name: string): ProjectRecord {
    const prefix = projectArn(request, "");
    const bare = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    const found = this.store.project(request.caller.principal.accountId, request.region, bare);
    if (!found) throw codeBuildError(refusals.projectNotFound(projectArn(request, name)));
    return found;
  }
}

/**
 * The caller hands the role over, and CodeBuild can take it on for this project; in a VPC, the role can look at its
 * security groups. Throws AccessDeniedException and InvalidInputException.
 */
export function requireRole({ context }: CodeBuildContext, request: OperationRequest, project: Pick<BuildSettings, "serviceRole" | "vpcConfig"> & { arn: string }): void {
  const { serviceRole } = project;
  const { accountId } = request.caller.principal;
  if (serviceRole.split(":")[4] !== accountId) throw codeBuildError(refusals.roleOfAnotherAccount());
  const principal: ServicePrincipal = { service: CODEBUILD_PRINCIPAL, sourceArn: project.arn, sourceAccount: accountId };
  requirePassRole(context, request, serviceRole, principal);
  const role = assumableRole(context, serviceRole, principal, request.region);
  if (!role) throw codeBuildError(refusals.roleNotAssumable(serviceRole));
  if (!project.vpcConfig) return;
  const asked = { caller: serviceSession(role, "AWSCodeBuild"), region: request.region, input: {}, context: { "aws:SecureTransport": "true" } };
  const answer = context.authoriser.decide({ request: asked, action: "ec2:DescribeSecurityGroups", resource: "*", resourceAccountId: accountId });
  if (!answer.allowed) throw codeBuildError(refusals.securityGroupsUnreadable());
}
