/**
 * What IAM checks of a readable policy document before it stores it, with the texts of `MalformedPolicyDocument`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
 */
import { matchesAction } from "./pattern.js";
import { parseOperator } from "./conditions.js";
import type { PolicyDocument, PolicyKind, PolicyMistake, PrincipalElement, Statement } from "./policy.js";

const VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html, AssumeRolePolicyDocument. */
const POLICY_TEXT = /^[\u0009\u000A\u000D\u0020-\u00FF]*$/;

export function textMistakes(json: string): PolicyMistake[] {
  if (POLICY_TEXT.test(json)) return [];
  return [{ path: "", message: "The specified value for policyDocument is invalid. It must contain only printable ASCII characters." }];
}

export function statementMistakes(document: PolicyDocument, kind: PolicyKind): PolicyMistake[] {
  const perStatement = document.statements.flatMap((statement) =>
    [
      ...principalMistakes(statement, kind),
      ...actionMistakes(statement, kind),
      ...resourceMistakes(statement, kind),
      ...conditionMistakes(statement),
      ...effectMistakes(statement, kind),
    ].map(({ path, message }) => ({ path: `Statement[${statement.index}]${path === "" ? "" : `.${path}`}`, message })),
  );
  return [...perStatement, ...sidMistakes(document, kind)];
}

const WITHOUT_PRINCIPAL: readonly PolicyKind[] = ["identity", "boundary", "service-control"];

function principalMistakes(statement: Statement, kind: PolicyKind): PolicyMistake[] {
  const { principal, notPrincipal } = statement;
  if (WITHOUT_PRINCIPAL.includes(kind)) {
    if (principal === undefined && notPrincipal === undefined) return [];
    return [{ path: principal === undefined ? "NotPrincipal" : "Principal", message: "Policy document should not specify a principal." }];
  }
  if (kind !== "resource" && notPrincipal !== undefined) {
    return [{ path: "NotPrincipal", message: "Has prohibited field NotPrincipal" }];
  }
  const element = principal ?? notPrincipal;
  if (element === undefined) return [{ path: "Principal", message: "Missing required field Principal" }];
  const path = principal === undefined ? "NotPrincipal" : "Principal";
  if (kind === "resource-control" && !element.anyone) {
    return [{ path, message: "A resource control policy may only have the principal \"*\"." }];
  }
  return elementMistakes(element, path);
}

const AWS_PRINCIPAL =
  /^(\*|\d{12}|A(ROA|IDA)[A-Z0-9]{12,}|arn:[a-z-]+:iam::\d{12}:(root|(user|role)\/[^*?]+)|arn:[a-z-]+:sts::\d{12}:(assumed-role\/[^/*?]+\/[^/*?]+|federated-user\/[^*?]+))$/;
const FEDERATED_PRINCIPAL =
  /^(arn:[a-z-]+:iam::\d{12}:(oidc-provider|saml-provider)\/[^*?]+|accounts\.google\.com|cognito-identity\.amazonaws\.com|graph\.facebook\.com|www\.amazon\.com)$/;
const PRINCIPAL_FORMATS = {
  AWS: AWS_PRINCIPAL,
  Federated: FEDERATED_PRINCIPAL,
  Service: /^[a-z0-9-]+(\.[a-z0-9-]+)+$/,
  CanonicalUser: /^[0-9a-f]{64}$/,
} as const;

function elementMistakes(element: PrincipalElement, path: string): PolicyMistake[] {
  if (element.anyone) return [];
  if (element.values.length === 0) return [{ path, message: "Invalid principal in policy" }];
  return element.values
    .filter(({ type, value }) => !PRINCIPAL_FORMATS[type].test(value))
    .map(({ type, value }) => ({
      path: `${path}.${type}`,
      message: `Invalid principal in policy: "${type.toUpperCase()}":"${value}"`,
    }));
}

const ACTION = /^[a-z0-9-]+:[a-z0-9*?]+$/i;

/** The actions that mean something in a trust policy. */
const TRUST_ACTIONS = [
  "sts:AssumeRole",
  "sts:AssumeRoleWithSAML",
  "sts:AssumeRoleWithWebIdentity",
  "sts:SetContext",
  "sts:SetSourceIdentity",
  "sts:TagSession",
];

function actionMistakes(statement: Statement, kind: PolicyKind): PolicyMistake[] {
  const { actions, notActions } = statement;
  const path = actions === undefined ? "NotAction" : "Action";
  if (actions !== undefined && notActions !== undefined) return [{ path: "NotAction", message: "Syntax errors in policy." }];
  const listed = actions ?? notActions ?? [];
  if (listed.length === 0) {
    return [{ path: "Action", message: kind === "trust" ? "Missing required field Action" : "Policy statement must contain actions." }];
  }
  return listed.flatMap((action) => {
    if (kind === "trust" && !TRUST_ACTIONS.some((known) => matchesAction(action, known) && action !== "*")) {
      return [{ path, message: "AssumeRole policy may only specify STS AssumeRole actions." }];
    }
    return action === "*" || ACTION.test(action) ? [] : [{ path, message: VENDOR }];
  });
}

const PARTITION = /^(\*|aws|aws-[a-z-]+)$/;

function resourceMistakes(statement: Statement, kind: PolicyKind): PolicyMistake[] {
  const { resources, notResources } = statement;
  const path = resources === undefined ? "NotResource" : "Resource";
  if (kind === "trust") {
    return resources === undefined && notResources === undefined ? [] : [{ path, message: `Has prohibited field ${path}` }];
  }
  if (resources !== undefined && notResources !== undefined) return [{ path: "NotResource", message: "Syntax errors in policy." }];
  const listed = resources ?? notResources ?? [];
  if (listed.length === 0) {
    return [{ path: "Resource", message: kind === "resource" ? "Missing required field Resource" : "Policy statement must contain resources." }];
  }
  return listed.flatMap((resource) => {
    if (resource === "*") return [];
    // A variable may hold colons of its own.
    const [scheme, partition = "", service = "", ...rest] = resource.replaceAll(/\$\{[^}]*\}/g, "x").split(":");
    if (scheme !== "arn" || rest.length < 3) return [{ path, message: `Resource ${resource} must be in ARN format or "*".` }];
    if (!PARTITION.test(partition)) return [{ path, message: `Partition "${partition}" is not valid for resource "${resource}".` }];
    if (service === "") return [{ path, message: `Vendor  is not valid` }];
    return [];
  });
}

function conditionMistakes(statement: Statement): PolicyMistake[] {
  return statement.conditions.flatMap(({ operator, key, values }) => {
    const path = `Condition.${operator}`;
    if (parseOperator(operator) === undefined) return [{ path, message: `Invalid Condition type : ${operator}` }];
    if (!key.includes(":")) return [{ path: `${path}.${key}`, message: VENDOR }];
    return values.length === 0 ? [{ path: `${path}.${key}`, message: "Syntax errors in policy." }] : [];
  });
}

function effectMistakes(statement: Statement, kind: PolicyKind): PolicyMistake[] {
  if (kind !== "resource-control" || statement.effect === "Deny") return [];
  return [{ path: "Effect", message: "A resource control policy may only have the effect Deny." }];
}

function sidMistakes(document: PolicyDocument, kind: PolicyKind): PolicyMistake[] {
  const seen = new Set<string>();
  return document.statements.flatMap(({ sid, index }) => {
    if (sid === undefined || sid === "") return [];
    const path = `Statement[${index}].Sid`;
    if (kind !== "resource" && !/^[0-9A-Za-z]*$/.test(sid)) {
      return [{ path, message: "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*" }];
    }
    if (seen.has(sid)) return [{ path, message: "Statement IDs (SID) in a single policy must be unique." }];
    seen.add(sid);
    return [];
  });
}
