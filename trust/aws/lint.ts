/**
 * Is a role's trust policy safe and can it work? The rules that AWS's documentation and other people's accidents teach.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
 */
import { conditionClaims } from "../../facts/aws/conditions.js";
import { policySize, quotas } from "../../facts/aws/limits.js";
import { parseOperator, type ConditionTest } from "./conditions.js";
import { malformedFindings } from "./findings.js";
import { bySeverity, type Finding } from "../findings.js";
import { isExactPin, subjectValueFindings, valueFindings } from "./lint-values.js";
import { parsePolicy, type Statement } from "./policy.js";
import { coversAction } from "./statements.js";
import { WEB_IDENTITY_ACTION } from "./trust-policy.js";

export { lintPermissions, type PermissionsLintOptions } from "./lint-permissions.js";
export type { Finding, Severity } from "../findings.js";

export interface TrustLintOptions {
  /** The URLs of the account's providers, with or without `https://`; a trust on any other is an error. Default: not checked. */
  providerUrls?: readonly string[];
  /** How the platform names this tenant in its subjects; a subject without it is a confused deputy. Default: guessed. */
  tenantHint?: string;
  /** True where a pattern for the subject is meant: it is noted instead of warned about. Default: false. */
  allowSubjectPattern?: boolean;
}

/** Findings in a trust policy, the gravest first; empty for a trust that admits exactly what it names. */
export function lintTrustPolicy(json: string, options: TrustLintOptions = {}): Finding[] {
  const { document, mistakes } = parsePolicy(json, "trust");
  const malformed = malformedFindings(mistakes);
  if (document === undefined) return malformed;
  const allows = document.statements.filter(({ effect }) => effect === "Allow");
  const findings = [...malformed, ...sizeFindings(json), ...allows.flatMap((statement) => statementFindings(statement, options))];
  if (!allows.some((statement) => federatedPrincipals(statement).length > 0 || servicePrincipals(statement).length > 0)) {
    findings.push({
      code: "federated-principal-missing",
      severity: "error",
      path: "Statement",
      message: "No statement allows a federated principal, so no token is accepted.",
      fix: 'Allow sts:AssumeRoleWithWebIdentity with Principal {"Federated": "<ARN of the OIDC provider>"}.',
    });
  }
  return bySeverity(findings);
}

const PROVIDER_ARN = /^arn:[^:]+:iam::\d{12}:oidc-provider\/(.+)$/;

function federatedPrincipals({ principal }: Statement): string[] {
  return (principal?.values ?? []).filter(({ type, value }) => type === "Federated" && PROVIDER_ARN.test(value)).map(({ value }) => value);
}

function servicePrincipals({ principal }: Statement): string[] {
  return (principal?.values ?? []).filter(({ type }) => type === "Service").map(({ value }) => value);
}

/** The provider's URL without scheme, from its ARN: also the prefix of its condition keys. */
function urlOf(providerArn: string): string {
  return PROVIDER_ARN.exec(providerArn)?.[1] ?? "";
}

function sizeFindings(json: string): Finding[] {
  const { limit } = quotas.trustPolicySize;
  const size = policySize(json);
  if (size <= limit) return [];
  return [
    {
      code: "trust-too-long",
      severity: "warning",
      path: "",
      message: `The policy has ${size} characters without whitespace; IAM stores ${limit} unless the quota was raised.`,
      fix: "Split the workloads over several roles, or have the quota raised.",
    },
  ];
}

function statementFindings(statement: Statement, options: TrustLintOptions): Finding[] {
  const path = `Statement[${statement.index}]`;
  const providers = federatedPrincipals(statement);
  return [
    ...everybodyFindings(statement, path),
    ...notActionFindings(statement, path),
    ...servicePrincipals(statement).flatMap((service) => serviceFindings(service, statement, path)),
    ...(providers.length === 0 ? [] : federatedFindings(providers, statement, path, options)),
  ];
}

function everybodyFindings({ principal, notPrincipal }: Statement, path: string): Finding[] {
  const everybody = principal?.anyone === true || principal?.values.some(({ value }) => value === "*") === true;
  if (!everybody && notPrincipal === undefined) return [];
  return [
    {
      code: "principal-everybody",
      severity: "error",
      path: `${path}.${notPrincipal === undefined ? "Principal" : "NotPrincipal"}`,
      message: "The statement is for everybody: any AWS account may try the role, while tokens of an OIDC provider are not covered by it.",
      fix: 'Name the provider: "Principal": {"Federated": "<ARN of the OIDC provider>"}.',
    },
  ];
}

function notActionFindings({ notActions }: Statement, path: string): Finding[] {
  if (notActions === undefined) return [];
  return [
    {
      code: "not-action",
      severity: "warning",
      path: `${path}.NotAction`,
      message: "NotAction allows everything that it does not list, future actions too.",
      fix: `Use "Action": "${WEB_IDENTITY_ACTION}".`,
    },
  ];
}

function federatedFindings(providers: string[], statement: Statement, path: string, options: TrustLintOptions): Finding[] {
  if (!coversAction(statement, WEB_IDENTITY_ACTION)) {
    return [
      {
        code: "action-wrong",
        severity: "error",
        path: `${path}.Action`,
        message: `The statement names an OIDC provider and does not allow ${WEB_IDENTITY_ACTION}, so no token is accepted by it.`,
        fix: `Use "Action": "${WEB_IDENTITY_ACTION}".`,
      },
    ];
  }
  const findings = providers.flatMap((arn) => providerFindings(urlOf(arn), path, options));
  if (providers.length > 1 && statement.conditions.length > 0) {
    findings.push({
      code: "several-providers",
      severity: "error",
      path: `${path}.Principal`,
      message: "Conditions on several providers hold together or not at all, and no token has two issuers; conditions on one leave the others open.",
      fix: "Write one statement a provider.",
    });
    return findings;
  }
  return [...findings, ...conditionFindings(urlOf(providers[0] ?? ""), statement, path, options)];
}

function providerFindings(url: string, path: string, { providerUrls }: TrustLintOptions): Finding[] {
  const known = providerUrls?.map((known) => known.replace(/^https:\/\//, ""));
  if (known === undefined || known.includes(url)) return [];
  return [
    {
      code: "provider-unknown",
      severity: "error",
      path: `${path}.Principal`,
      message: `The account has no OIDC provider ${url}; it has ${known.length === 0 ? "none" : known.join(", ")}.`,
      fix: "Create the provider, or name one of the account's own, byte for byte.",
    },
  ];
}

function conditionFindings(url: string, statement: Statement, path: string, options: TrustLintOptions): Finding[] {
  const claimTests = statement.conditions.filter((test) => claimOf(test, url) !== undefined);
  const pins = (claim: string) => claimTests.filter((test) => claimOf(test, url) === claim && isPin(test));
  return [
    ...["aud", "sub"].flatMap((claim) => missingPin(claim, url, pins(claim), path)),
    ...statement.conditions.flatMap((test) => testFindings(test, url, `${path}.Condition.${test.operator}.${test.key}`, options)),
    ...tagFindings(statement, path),
    ...deputyFindings(pins("sub"), statement, path, options),
  ];
}

/** The claim that a key tests, when it is one of this provider's. */
function claimOf({ key }: ConditionTest, url: string): string | undefined {
  const prefix = `${url}:`.toLowerCase();
  return key.toLowerCase().startsWith(prefix) ? key.slice(prefix.length).toLowerCase() : undefined;
}

/** Whether the test fails for a token without the claim: only then does it pin anything. */
function isPin({ operator }: ConditionTest): boolean {
  const parsed = parseOperator(operator);
  return parsed?.fact.family === "string" && !passesWhenAbsent(operator);
}

function passesWhenAbsent(operator: string): boolean {
  const parsed = parseOperator(operator);
  return parsed !== undefined && (parsed.set === "ForAllValues" || parsed.ifExists || parsed.fact.negated || parsed.fact.family === "null");
}

function missingPin(claim: string, url: string, pins: ConditionTest[], path: string): Finding[] {
  if (pins.length > 0) return [];
  const whom = claim === "sub" ? "every workload of the issuer" : "tokens that were meant for other services";
  return [
    {
      code: `${claim}-missing`,
      severity: "error",
      path: `${path}.Condition`,
      message: `The trust does not pin ${url}:${claim}, so ${whom} may assume the role.`,
      fix: `Add "StringEquals": {"${url}:${claim}": "<the token's ${claim}>"}.`,
    },
  ];
}

function testFindings(test: ConditionTest, url: string, path: string, options: TrustLintOptions): Finding[] {
  const claim = claimOf(test, url);
  if (claim === undefined) return [...foreignKeyFindings(test, url, path), ...absentFindings(test, path, "warning")];
  const exposed = conditionClaims(url).some((name) => name.toLowerCase() === claim);
  const findings = [...absentFindings(test, path, "error"), ...valueFindings(test, path)];
  if (!exposed) {
    findings.push({
      code: "claim-not-exposed",
      severity: "error",
      path,
      message: `IAM does not make the claim ${claim} of this issuer a condition key, so the key is absent from every request.`,
      fix: `Test ${conditionClaims(url).join(", ")}, or have the issuer send the claim as a session tag (https://aws.amazon.com/tags) and test aws:RequestTag.`,
    });
  }
  if (claim === "sub") findings.push(...subjectValueFindings(test, path, options.allowSubjectPattern === true));
  else if (claim === "aud" && !isExactPin(test) && isPin(test)) {
    findings.push({
      code: "aud-not-exact",
      severity: "warning",
      path,
      message: `The audience is tested with ${test.operator}, which may admit more than one.`,
      fix: "Use StringEquals with the audience itself.",
    });
  }
  return findings;
}

function absentFindings({ operator, key }: ConditionTest, path: string, severity: "error" | "warning"): Finding[] {
  if (!passesWhenAbsent(operator)) return [];
  return [
    {
      code: "passes-when-absent",
      severity,
      path,
      message: `${operator} also holds when the request has no ${key}.`,
      fix: "Use StringEquals, which fails when the key is absent.",
    },
  ];
}

/** Services whose condition keys mean something in a trust; anything else with a colon was meant to be a claim. */
const GLOBAL_KEY = /^(aws|sts|saml|ec2|lambda|codebuild):/i;

function foreignKeyFindings({ key }: ConditionTest, url: string, path: string): Finding[] {
  if (GLOBAL_KEY.test(key)) return [];
  return [
    {
      code: "key-prefix-mismatch",
      severity: "error",
      path,
      message: `The key ${key} does not begin with ${url}:, so it is absent from every request with this provider's tokens.`,
      fix: `Begin the key with the provider's URL without https://, byte for byte: ${url}:${key.slice(key.lastIndexOf(":") + 1)}.`,
    },
  ];
}

function tagFindings(statement: Statement, path: string): Finding[] {
  const tests = statement.conditions.filter(({ key }) => /^aws:(RequestTag\/|TagKeys$)/i.test(key));
  if (tests.length === 0 || coversAction(statement, "sts:TagSession")) return [];
  return [
    {
      code: "tag-session-missing",
      severity: "error",
      path: `${path}.Action`,
      message: "The statement tests session tags and does not allow sts:TagSession, so a token that carries them is refused.",
      fix: 'Add "sts:TagSession" to the actions.',
    },
  ];
}

/** Subjects that name a workload of the platform, not whom it works for. */
const WORKLOAD_SUBJECT = /^system:serviceaccount:/;

function deputyFindings(pins: ConditionTest[], { conditions }: Statement, path: string, { tenantHint }: TrustLintOptions): Finding[] {
  const secondLock = conditions.some(({ operator, key }) => /^(sts:RoleSessionName|sts:RoleAuthorizedByIdp|aws:RequestTag\/.+)$/i.test(key) && !passesWhenAbsent(operator));
  const subjects = pins.flatMap(({ values }) => values);
  const namesNobody = subjects.filter((subject) => (tenantHint === undefined ? WORKLOAD_SUBJECT.test(subject) : !subject.includes(tenantHint)));
  if (secondLock || namesNobody.length === 0) return [];
  return [
    {
      code: "subject-names-no-tenant",
      severity: tenantHint === undefined ? "info" : "warning",
      path: `${path}.Condition`,
      message: `The subject ${JSON.stringify(namesNobody[0])} names no tenant: whoever else uses the platform can have it present the same token for this role (a confused deputy; a web identity has no external id).`,
      fix: "Have the platform put an unchangeable tenant id into the subject, or pin sts:RoleSessionName to this tenant's value as a second lock.",
    },
  ];
}

const SOURCE_ARN_SERVICES = ["codebuild.amazonaws.com"];
const SOURCE_ACCOUNT_SERVICES = ["codebuild.amazonaws.com", "lambda.amazonaws.com"];

/** A service acts for every account: without a source it may be made to act here for another one. */
function serviceFindings(service: string, { conditions }: Statement, path: string): Finding[] {
  const tests = (key: string) => conditions.some((test) => test.key.toLowerCase() === key.toLowerCase() && !passesWhenAbsent(test.operator));
  const missing = [
    ...(SOURCE_ACCOUNT_SERVICES.includes(service) && !tests("aws:SourceAccount") ? ["aws:SourceAccount"] : []),
    ...(SOURCE_ARN_SERVICES.includes(service) && !tests("aws:SourceArn") ? ["aws:SourceArn"] : []),
  ];
  return missing.map((key): Finding => ({
    code: key === "aws:SourceArn" ? "service-source-arn-missing" : "service-source-account-missing",
    severity: "warning",
    path: `${path}.Condition`,
    message: `${service} may assume the role for any ${key === "aws:SourceArn" ? "resource" : "account"}: ${key} is not tested.`,
    fix: key === "aws:SourceArn" ? 'Add "ArnEquals": {"aws:SourceArn": "<ARN of the project>"}.' : 'Add "StringEquals": {"aws:SourceAccount": "<this account>"}.',
  }));
}
