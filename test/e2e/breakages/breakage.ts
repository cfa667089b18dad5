/**
 * Words of the breakage table: what a row says, what AWS answers, what verify can know with each kind of evidence.
 *
 * An expectation is one cause, or the whole "one of" that honest evidence leaves open; empty means that nothing may be
 * blamed, because nobody with this evidence can see the fault.
 */
import type { Contract } from "../../../contract/index.js";
import type { Sandbox } from "../../../sandbox/index.js";
import type { AwsCauseCode } from "../../../verify/aws/causes.js";
import type { FailureMode } from "../../../verify/causes.js";
import type { Administrator } from "../../support/administrator.js";
import type { Encryption } from "../../support/dcf-aws.js";
import type { PlatformOperation, Refused } from "../../support/platform.js";

/** With the platform's token, with the customer's read access, with both. */
export type Evidence = "token" | "account" | "both";

export interface Breakage {
  name: string;
  /** DCF's name for what the customer then sees, where it has one. */
  failureMode?: FailureMode;
  /** Default: the bucket encrypts with S3's own keys. */
  encryption?: Encryption;
  /** Makes it so, in a healthy account. */
  break?(administrator: Administrator): Promise<unknown>;
  /** What the platform presents. Default: the contract's workload's token, made before anything broke. */
  token?(sandbox: Sandbox, contract: Contract): Promise<string>;
  /** The contract that verify is given, where it is not the stack's. */
  contract?(contract: Contract): Contract;
  /** What AWS refuses the platform; `message` is a part of its text. */
  refused: Partial<Record<PlatformOperation, Refused>>;
  /** The platform gets into the bucket that it has no grant on. */
  entersRefusalBucket?: boolean;
  expect: Record<Evidence, readonly AwsCauseCode[]>;
  /** A part of what every cause that is named alone tells to do. */
  fix?: string;
}

// ---- what AWS answers ----

export const exchange = (code: string, status: number, message: string): Breakage["refused"] => ({ "sts:AssumeRoleWithWebIdentity": { code, status, message } });

/** One text for provider, audience and signature. */
export const notValidated = exchange("InvalidIdentityToken", 400, "The web identity token provided could not be validated.");
export const noKey = exchange("InvalidIdentityToken", 400, "Couldn't retrieve verification key from your identity provider,");
/** One text for role, trust and organisation. */
export const notAuthorized = exchange("AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity");

export const s3 = (operations: readonly PlatformOperation[], code: string, status: number, message: string): Breakage["refused"] =>
  Object.fromEntries(operations.map((operation) => [operation, { code, status, message }]));
export const denied = (because: string, ...operations: PlatformOperation[]): Breakage["refused"] => s3(operations, "AccessDenied", 403, because);

// ---- what verify can know ----

/** To be seen with any evidence. */
export const always = (...causes: AwsCauseCode[]): Breakage["expect"] => ({ token: causes, account: causes, both: causes });
/** Only the live answer shows it: the account's configuration is in order, or cannot be read there. */
export const live = (...causes: AwsCauseCode[]): Breakage["expect"] => ({ token: causes, account: [], both: causes });
/** With the token alone one of several, which the account's configuration tells apart. */
export const narrowed = (oneOf: readonly AwsCauseCode[], ...causes: AwsCauseCode[]): Breakage["expect"] => ({ token: oneOf, account: causes, both: causes });
/** The platform does not notice: more is allowed than should be. */
export const unnoticed = (...causes: AwsCauseCode[]): Breakage["expect"] => ({ token: [], account: causes, both: causes });

// ---- whom it is about ----

export const issuerOf = ({ contract }: Administrator): string => contract.workload.issuer;
export const issuerName = ({ workload }: Contract): string => workload.issuer.slice("https://".length);
