/** How the AWS services of the sandbox are cut: operations on plain API-model input, authorised one by one, wire formats elsewhere. */
import type { Authorization, NamedPolicy } from "../../trust/aws/types.js";
import type { SandboxCore } from "../types.js";
import type { AwsCaller, AwsServiceName } from "./types.js";

/** One call of an operation, whichever protocol it came by. */
export interface OperationRequest {
  caller: AwsCaller;
  /** From the signature's scope, or the host for unsigned calls. */
  region: string;
  /** The API model's members. */
  input: Record<string, unknown>;
  /** Condition keys that the transport gives: `aws:SecureTransport`, `aws:SourceIp`, `aws:UserAgent`. */
  context: Record<string, string | string[]>;
}

export type Operation = (request: OperationRequest) => Promise<Record<string, unknown>>;

/** A service's operations by the API model's names; `gate` names (for latency and faults) are `<service>:<Operation>`. */
export interface AwsService {
  readonly name: AwsServiceName;
  readonly operations: Readonly<Record<string, Operation>>;
}

export interface AccessQuestion {
  request: OperationRequest;
  /** `s3:GetObject`: the IAM action, which is not always the operation's name. */
  action: string;
  resource: string;
  resourceAccountId: string;
  /** Condition keys of this action, such as `s3:prefix`. */
  context?: Record<string, string | string[]>;
  /** Bucket or key policy, as enforcement sees it now. */
  resourcePolicy?: NamedPolicy | undefined;
  /** See `PolicySet.resourcePolicyDecides`. */
  resourcePolicyDecides?: boolean;
}

/** Looks up the caller's identity policies, boundary, session policies, SCPs and the resource account's RCPs, and asks `trust/`. */
export interface Authoriser {
  decide(question: AccessQuestion): Authorization;
  /** Throws AwsError `AccessDenied` (403) with AWS's wording (user, action, resource, because) when refused. */
  require(question: AccessQuestion): void;
}

export interface AwsServiceContext {
  readonly core: SandboxCore;
  readonly authoriser: Authoriser;
  readonly defaultAccountId: string;
  /**
   * A role's or user's unique id by ARN and back, for policies that name principals: AWS stores the id, so a role made
   * again under the same name is not the one that an old policy names.
   */
  principalId(arn: string): string | undefined;
  principalArn(uniqueId: string): string | undefined;
}
