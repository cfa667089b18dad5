/** The grant kind `codebuild-project`: starting and following builds, as a statement of the role's inline policy. */
import * as pulumi from "@pulumi/pulumi";
import { actionsOf, textRules } from "../../facts/aws/index.js";
import { textViolation } from "../../facts/rules.js";
import { knownOr, type InputChecks } from "../inputs.js";
import type { PolicyStatement } from "./policy.js";

/**
 * Starting builds of one project and reading them. Whoever starts a build may override its buildspec: the grant reaches as
 * far as the project's service role does.
 */
export interface CodebuildProjectGrantArgs {
  /** ARN of the project. */
  projectArn: pulumi.Input<string>;
}

export interface CodebuildProjectGrant {
  projectArn: string;
}

export function checkCodebuildProjectGrant(checks: InputChecks, path: string, args: CodebuildProjectGrantArgs): pulumi.Output<CodebuildProjectGrant> {
  return pulumi.output({ projectArn: checks.value(`${path}.projectArn`, args.projectArn, (value) => textViolation(textRules.codebuildProjectArn, value)) });
}

/** The grant as far as it is known now, nowhere longer than it will be. */
export function shortestCodebuildProjectGrant(args: CodebuildProjectGrantArgs): CodebuildProjectGrant {
  return { projectArn: knownOr(args.projectArn, `arn:aws:codebuild:us-east-1:${textRules.accountId.example}:project/ab`) };
}

/**
 * Whoever starts a build may override much of the project, and has to: the buildspec is one of these. Not the service
 * role: the key is in the request's context only where the request names one.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/action-context-keys.html
 */
export function codebuildProjectStatements({ projectArn }: CodebuildProjectGrant): PolicyStatement[] {
  return [{ Effect: "Allow", Action: actionsOf("codebuild-project"), Resource: projectArn, Condition: { Null: { "codebuild:serviceRole": "true" } } }];
}
