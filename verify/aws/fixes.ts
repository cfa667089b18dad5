/** Words that many fixes begin with. */
import type { AwsCauseValues } from "./causes.js";

export const up = "Run `pulumi up` again to put it back as the contract has it";

export const roleName = ({ exchange }: AwsCauseValues): string => nameOf(exchange.roleArn);

/** The last part of an ARN's resource. */
export function nameOf(arn: string): string {
  return arn.split("/").at(-1) ?? "";
}
