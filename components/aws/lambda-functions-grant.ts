/** The grant kind `lambda-functions`: the functions whose names begin alike, as statements of the role's inline policy. */
import * as pulumi from "@pulumi/pulumi";
import { actionsOf, partitionOfRegion, textRules } from "../../facts/aws/index.js";
import { textViolation } from "../../facts/rules.js";
import { knownOr, type InputChecks } from "../inputs.js";
import type { PolicyStatement } from "./policy.js";

/** Reading the functions of one name prefix, and removing them where asked for. */
export interface LambdaFunctionsGrantArgs {
  /** How the functions' names begin, such as `acme-dcf-`; 3 to 40 letters, digits, `-` or `_`. */
  functionNamePrefix: pulumi.Input<string>;
  region: pulumi.Input<string>;
  accountId: pulumi.Input<string>;
  /** Grant also what removes a function: its URL, its permissions, itself. @default false */
  undeploy?: boolean | undefined;
}

export interface LambdaFunctionsGrant {
  functionNamePrefix: string;
  region: string;
  accountId: string;
  undeploy: boolean;
}

export function checkLambdaFunctionsGrant(checks: InputChecks, path: string, args: LambdaFunctionsGrantArgs): pulumi.Output<LambdaFunctionsGrant> {
  return pulumi.output({
    functionNamePrefix: checks.value(`${path}.functionNamePrefix`, args.functionNamePrefix, (value) => textViolation(textRules.functionNamePrefix, value)),
    region: checks.value(`${path}.region`, args.region, regionViolation),
    accountId: checks.value(`${path}.accountId`, args.accountId, (value) => textViolation(textRules.accountId, value)),
    undeploy: args.undeploy ?? false,
  });
}

/** The grant as far as it is known now, nowhere longer than it will be. */
export function shortestLambdaFunctionsGrant(args: LambdaFunctionsGrantArgs): LambdaFunctionsGrant {
  return {
    functionNamePrefix: knownOr(args.functionNamePrefix, "abc"),
    region: knownOr(args.region, "us-east-1"),
    accountId: knownOr(args.accountId, textRules.accountId.example),
    undeploy: args.undeploy ?? false,
  };
}

export function lambdaFunctionsStatements(grant: LambdaFunctionsGrant): PolicyStatement[] {
  const Action = [...actionsOf("lambda-functions"), ...(grant.undeploy ? actionsOf("lambda-functions-undeploy") : [])];
  return [{ Effect: "Allow", Action, Resource: functionsArn(grant) }];
}

/** The functions under the prefix, their versions and aliases, as a pattern for policies. */
export function functionsArn({ functionNamePrefix, region, accountId }: { functionNamePrefix: string; region: string; accountId: string }): string {
  return `arn:${partitionOfRegion(region)?.name ?? "aws"}:lambda:${region}:${accountId}:function:${functionNamePrefix}*`;
}

export function regionViolation(region: string): string | undefined {
  return partitionOfRegion(region) ? undefined : `must be a region of aws, aws-us-gov or aws-cn, such as eu-west-1; got ${JSON.stringify(region)}`;
}
