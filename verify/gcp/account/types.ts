/** What the account evidence offers to the checks that have a token too. */
import type { AccessAnswer, TokenExchangeAnswer } from "../../../trust/gcp/types.js";
import type { Cause } from "../../causes.js";

/** What the project's configuration says about the exchange. */
export interface Prediction {
  /** Of the run's token, or of one as the contract's workload has it; undefined where pool or provider cannot be read. */
  exchange: TokenExchangeAnswer | undefined;
  /** The cause behind a predicted refusal of the exchange. */
  exchangeCause: Cause | undefined;
  /** Whether the principal may impersonate the service account; undefined without impersonation, or where it cannot be read. */
  impersonation: AccessAnswer | undefined;
  impersonationCause: Cause | undefined;
}

/** Whether the policies that were read give the session a permission. */
export type RightPrediction =
  | { status: "allowed" }
  | { status: "refused"; cause: Cause }
  /** Something on the way cannot be read. */
  | { status: "unknown"; reason: string };

/** What the policies say, for checks that have a refusal to explain. */
export interface ProjectReader {
  /**
   * Whether the session has a permission on a resource of the contract.
   *
   * @param resource full resource name, such as `//storage.googleapis.com/projects/_/buckets/b`
   */
  rightOf(permission: string, resource: string): Promise<RightPrediction>;
  /** The same for somebody else, such as `serviceAccount:EMAIL`; undefined where it cannot be read. */
  holds(member: string, permission: string, resource: string): Promise<boolean | undefined>;
  /** Lines of a build's log; none where it cannot be read. */
  buildLog(projectId: string, id: string): Promise<string[]>;
}
