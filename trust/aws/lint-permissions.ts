/**
 * Do the statements of an identity policy grant what they seem to, and no more?
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
import { ACTION_SCOPES, UNSCOPED_ACTIONS } from "../../facts/aws/action-scopes.js";
import { s3Action } from "../../facts/aws/s3.js";
import { parseArn } from "./arn.js";
import { malformedFindings } from "./findings.js";
import { bySeverity, type Finding } from "../findings.js";
import { parsePolicy, type Statement } from "./policy.js";
import { coversAction } from "./statements.js";

export interface PermissionsLintOptions {
  /** The partition in which the policy is used, such as `aws-us-gov`; ARNs of another one are errors. Default: not checked. */
  partition?: string;
}

/** Findings in an identity policy, the gravest first. Only services of which the tables know something are judged. */
export function lintPermissions(json: string, options: PermissionsLintOptions = {}): Finding[] {
  const { document, mistakes } = parsePolicy(json, "identity");
  const malformed = malformedFindings(mistakes);
  const allows = (document?.statements ?? []).filter(({ effect }) => effect === "Allow");
  return bySeverity([...malformed, ...allows.flatMap((statement) => statementFindings(statement, options)), ...keyPairFindings(allows)]);
}

function statementFindings(statement: Statement, { partition }: PermissionsLintOptions): Finding[] {
  const path = `Statement[${statement.index}]`;
  const actions = statement.actions ?? [];
  return [
    ...actions.flatMap((action) => actionFindings(action, statement, path)),
    ...breadthFindings(statement, path),
    ...partitionFindings(statement, path, partition),
    ...passRoleFindings(statement, path),
    ...viaServiceFindings(statement, path),
  ];
}

function actionFindings(action: string, { resources = [] }: Statement, path: string): Finding[] {
  const [service = "", name = ""] = action.split(":");
  const real = service.toLowerCase() === "s3" ? s3Action(name) : action;
  if (real.toLowerCase() !== action.toLowerCase()) {
    return [
      {
        code: "action-unknown",
        severity: "error",
        path: `${path}.Action`,
        message: `There is no action ${action}: it is an operation of the API, which needs ${real}.`,
        fix: `Grant ${real}.`,
      },
    ];
  }
  const any = resources.includes("*");
  if (isUnscoped(action) && !any && resources.length > 0) {
    return [
      {
        code: "action-needs-any-resource",
        severity: "error",
        path: `${path}.Resource`,
        message: `${action} cannot be granted on a resource: the statement grants nothing.`,
        fix: `Grant ${action} on "*" in a statement of its own.`,
      },
    ];
  }
  const scope = ACTION_SCOPES.find((known) => known.service === service.toLowerCase() && known.actions.some((one) => one.toLowerCase() === name.toLowerCase()));
  if (scope === undefined || any || resources.length === 0) return [];
  const fits = resources.some((resource) => {
    const arn = parseArn(resource);
    return arn !== undefined && (arn.service === service.toLowerCase() || arn.service === "*") && scope.resource.test(arn.resource);
  });
  if (fits) return [];
  return [
    {
      code: "action-resource-mismatch",
      severity: "error",
      path: `${path}.Resource`,
      message: `${action} is not about ${resources.join(", ")}: the statement grants nothing for it.`,
      fix: `Grant ${action} on ${scope.form}.`,
    },
  ];
}

/** By its own name: a pattern covers scoped actions too. */
function isUnscoped(action: string): boolean {
  return UNSCOPED_ACTIONS.some((known) => known.toLowerCase() === action.toLowerCase());
}

function breadthFindings(statement: Statement, path: string): Finding[] {
  const findings: Finding[] = [];
  const { actions = [], notActions, resources = [], notResources } = statement;
  if (notActions !== undefined || notResources !== undefined) {
    findings.push({
      code: "allow-by-exception",
      severity: "warning",
      path,
      message: "The statement allows everything but what it lists, future actions and resources too.",
      fix: "List actions and resources.",
    });
  }
  const wide = actions.filter((action) => action === "*" || /^[^:]+:\*$/.test(action));
  if (wide.length > 0) {
    findings.push({ code: "any-action", severity: "warning", path: `${path}.Action`, message: `${wide.join(", ")} allows every action of the service, future ones too.`, fix: "List the actions." });
  }
  const scoped = actions.filter((action) => !isUnscoped(action));
  if (resources.includes("*") && scoped.length > 0) {
    findings.push({
      code: "any-resource",
      severity: "warning",
      path: `${path}.Resource`,
      message: `${scoped.join(", ")} can be granted on single resources and is granted on all.`,
      fix: "Name the resources by ARN.",
    });
  }
  return findings;
}

function partitionFindings({ resources = [] }: Statement, path: string, partition: string | undefined): Finding[] {
  return resources
    .filter((resource) => partition !== undefined && parseArn(resource) !== undefined && parseArn(resource)?.partition !== partition)
    .map((resource): Finding => ({
      code: "partition-mismatch",
      severity: "error",
      path: `${path}.Resource`,
      message: `${resource} is in another partition than ${partition ?? ""}, so it matches nothing there.`,
      fix: "Take the partition of the account instead of a fixed one.",
    }));
}

function passRoleFindings(statement: Statement, path: string): Finding[] {
  if (!coversAction(statement, "iam:PassRole")) return [];
  const findings: Finding[] = [];
  const { resources = [], conditions } = statement;
  if (resources.some((resource) => resource.includes("*"))) {
    findings.push({
      code: "pass-role-any",
      severity: "error",
      path: `${path}.Resource`,
      message: "iam:PassRole with a wildcard hands any matching role of the account, an administrator's too, to a service.",
      fix: "Name the role by its exact ARN.",
    });
  }
  if (!conditions.some(({ key }) => key.toLowerCase() === "iam:passedtoservice")) {
    findings.push({
      code: "pass-role-any-service",
      severity: "warning",
      path: `${path}.Condition`,
      message: "iam:PassRole is not limited to a service.",
      fix: 'Add "StringEquals": {"iam:PassedToService": "<service>.amazonaws.com"}.',
    });
  }
  return findings;
}

const DATA_KEY = "kms:GenerateDataKey";
const DECRYPT = "kms:Decrypt";

function viaServiceFindings(statement: Statement, path: string): Finding[] {
  const uses = [DATA_KEY, DECRYPT].filter((action) => coversAction(statement, action));
  if (uses.length === 0 || statement.conditions.some(({ key }) => key.toLowerCase() === "kms:viaservice")) return [];
  return [
    {
      code: "kms-via-service-missing",
      severity: "warning",
      path: `${path}.Condition`,
      message: `${uses.join(" and ")} can be used on the key directly, for other data too.`,
      fix: 'Add "StringEquals": {"kms:ViaService": "s3.<region>.amazonaws.com"}.',
    },
  ];
}

/** Encrypted uploads in parts need both: the data key to write, and decryption to finish. */
function keyPairFindings(allows: readonly Statement[]): Finding[] {
  const granted = (action: string) => allows.some((statement) => coversAction(statement, action));
  if (!granted(DATA_KEY) || granted(DECRYPT)) return [];
  return [
    {
      code: "kms-pair-incomplete",
      severity: "error",
      path: "Statement",
      message: `${DATA_KEY} is granted and ${DECRYPT} is not: objects can be written and neither read nor uploaded in parts.`,
      fix: `Grant ${DECRYPT} on the same key.`,
    },
  ];
}
