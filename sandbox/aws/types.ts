/** What the AWS part of the sandbox offers to its own services, to the resource table and to the administrator. */
import type { Principal } from "../../trust/aws/types.js";

/** A refusal in AWS's terms; each protocol renders it in its own shape. */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
    /** Further members of the error body, such as `BucketName` or `Region`. */
    readonly extra: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "AwsError";
  }
}

/** Where Pulumi's AWS provider acts. */
export interface AwsScope {
  region: string;
  accountId: string;
}

/** Who calls, as far as the signature proved it. */
export interface AwsCaller {
  principal: Principal;
  /** JSON texts of the session policies, for sessions that have some. */
  sessionPolicies?: string[];
}

export interface AwsAccessKey {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** The services that the sandbox plays, as signatures and IAM actions name them. */
export type AwsServiceName = "codebuild" | "ecr" | "iam" | "kms" | "lambda" | "logs" | "s3" | "sts";

export interface AwsCloud {
  /** The account that everything uses unless told otherwise. */
  readonly defaultAccountId: string;
  /** Seconds until trust and grants are seen, as the administrator set them. */
  readonly propagationDelaySeconds: number;
  /** The user that a fresh account has, with `AdministratorAccess`; makes the account if it is new. */
  administrator(accountId: string): { caller: AwsCaller; accessKey: AwsAccessKey };
  /** Whose key this is; undefined for one that the sandbox did not issue or that is no longer good. */
  accountOfAccessKey(accessKeyId: string): string | undefined;
  /**
   * Calls an operation past the wire, authorised as the caller. Input and output are the API model's members
   * (`RoleName`, `AssumeRolePolicyDocument`, …). Throws {@link AwsError}.
   */
  call(
    caller: AwsCaller,
    service: AwsServiceName,
    operation: string,
    input: Record<string, unknown>,
    region: string,
  ): Promise<Record<string, unknown>>;
}
