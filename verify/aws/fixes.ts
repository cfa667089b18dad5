/** Words that many fixes begin with. */
import type { AwsCauseValues } from "./causes.js";

export const up = "Run `pulumi up --refresh` to put it back as the contract has it";

export const roleName = ({ exchange }: AwsCauseValues): string => nameOf(exchange.roleArn);

/** As condition keys name it. */
export const issuerName = ({ contract }: AwsCauseValues): string => contract.workload.issuer.replace(/^https:\/\//, "");

/** A Deny in a boundary is not outweighed by what is added to it. */
export function boundaryFix({ action = "the action", explicit }: AwsCauseValues, on: string, role: string): string {
  return explicit ? `Remove the Deny of ${action} on ${on} from the permissions boundary of role ${role}, or except the role from it.` : `Add ${action} on ${on} to the permissions boundary of role ${role}.`;
}

/** The last part of an ARN's resource. */
export function nameOf(arn: string): string {
  return arn.split("/").at(-1) ?? "";
}
