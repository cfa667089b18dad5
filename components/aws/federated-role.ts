import * as pulumi from "@pulumi/pulumi";
import * as iam from "@pulumi/aws/iam/index.js";
import { numberRules, textRules } from "../../facts/aws/index.js";
import { numberViolation, textViolation } from "../../facts/rules.js";
import { InputChecks, knownOr } from "../inputs.js";
import { checkTags, exactViolation, sessionNameViolation, subjectViolation, titleOf, type Tags } from "./common.js";
import { checkGrants, type GrantsArgs } from "./grants.js";
import { serializePolicy } from "./policy.js";
import { trustTooLong, webIdentityTrustViolation } from "./policy-checks.js";
import { issuerName, providerIsOf, trustDocument, type TrustedWorkload } from "./trust-document.js";

/** A workload that may assume the role: exactly the tokens with this issuer, subject and audience. */
export interface TrustedWorkloadArgs {
  /** The token's `iss`. */
  issuer: pulumi.Input<string>;
  /** The token's `sub`. Let it name the tenant by an id that is never given to anybody else. */
  subject: pulumi.Input<string>;
  /** The token's `aud`, such as `sts.amazonaws.com`. */
  audience: pulumi.Input<string>;
  /** ARN of the issuer's OIDC provider in this account, as `AwsOidcProvider` has it. */
  providerArn: pulumi.Input<string>;
}

export interface AwsFederatedRoleArgs extends GrantsArgs {
  /** Who may assume the role; at least one. */
  workloads: TrustedWorkloadArgs[];
  /** @default the component's name, so that the ARN is known before the role is made */
  roleName?: pulumi.Input<string> | undefined;
  /** IAM path, such as `/dcf/`. It is part of the ARN. @default "/" */
  path?: pulumi.Input<string> | undefined;
  /** At most 1000 characters. */
  description?: pulumi.Input<string> | undefined;
  /** Longest session in seconds, 3600 to 43200. @default 3600 */
  maxSessionDurationSeconds?: pulumi.Input<number> | undefined;
  /** ARN of a managed policy that bounds what the role can ever do. Some accounts demand one of every role. */
  permissionsBoundaryArn?: pulumi.Input<string> | undefined;
  /**
   * Pin of the session name: only sessions of this name are given, where `*` stands for any text and `?` for a character.
   * A second lock where the subject alone does not name the tenant.
   * @default any session name
   */
  sessionName?: pulumi.Input<string> | undefined;
  /**
   * Takes subjects with `*` and `?` as patterns, which admits every workload of the issuer that the pattern fits,
   * including ones that do not exist yet.
   * @default false: such subjects are mistakes
   */
  dangerouslyAllowSubjectWildcards?: boolean | undefined;
  /** At most 50. */
  tags?: pulumi.Input<Tags> | undefined;
}

/**
 * A role for outside workloads: a trust policy that names them exactly, and inline policies made of grants.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AwsFederatedRole extends pulumi.ComponentResource {
  readonly roleArn: pulumi.Output<string>;
  readonly roleName: pulumi.Output<string>;
  readonly maxSessionDurationSeconds: pulumi.Output<number>;
  /** The trust policy as stored. */
  readonly trustPolicy: pulumi.Output<string>;

  constructor(name: string, args: AwsFederatedRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AwsFederatedRole", name, {}, opts);
    const checks = new InputChecks(this, titleOf("AwsFederatedRole", name));
    const text = (path: keyof AwsFederatedRoleArgs, value: pulumi.Input<string> | undefined, rule: keyof typeof textRules) =>
      value === undefined ? undefined : checks.value(path, value, (known) => textViolation(textRules[rule], known));

    const roleName = text("roleName", args.roleName ?? name, "roleName");
    const path = text("path", args.path, "path");
    const description = text("description", args.description, "roleDescription");
    const permissionsBoundary = text("permissionsBoundaryArn", args.permissionsBoundaryArn, "policyArn");
    const maxSessionDuration = checks.value("maxSessionDurationSeconds", args.maxSessionDurationSeconds ?? numberRules.maxSessionDuration.min, (known) =>
      numberViolation(numberRules.maxSessionDuration, known),
    );
    const sessionName = args.sessionName === undefined ? undefined : checks.value("sessionName", args.sessionName, sessionNameViolation);
    const wildcards = args.dangerouslyAllowSubjectWildcards ?? false;
    const workloads = args.workloads.map((workload, index) => checkWorkload(checks, `workloads[${index}]`, workload, wildcards));
    if (workloads.length === 0) checks.add("workloads", "must name at least one workload");
    const makePolicies = checkGrants(checks, args);
    const tags = checkTags(checks, args.tags);
    checks.value("workloads", trustText(args.workloads.map(shortestWorkload), args.sessionName && knownOr(args.sessionName, "ab")), trustTooLong);
    checks.finish();

    this.trustPolicy = checks.value("workloads", pulumi.all([pulumi.all(workloads), sessionName]).apply((known) => trustText(...known)), webIdentityTrustViolation);
    const role = new iam.Role(
      name,
      {
        name: roleName,
        assumeRolePolicy: this.trustPolicy,
        maxSessionDuration,
        path,
        description,
        permissionsBoundary,
        ...tags,
      },
      { parent: this },
    );
    for (const policy of makePolicies()) {
      new iam.RolePolicy(`${name}-${policy.name}`, { name: policy.name, role: role.name, policy: policy.document }, { parent: this });
    }
    this.roleArn = role.arn;
    this.roleName = role.name;
    this.maxSessionDurationSeconds = maxSessionDuration;
    this.registerOutputs({
      roleArn: this.roleArn,
      roleName: this.roleName,
      maxSessionDurationSeconds: this.maxSessionDurationSeconds,
      trustPolicy: this.trustPolicy,
    });
  }
}

function checkWorkload(checks: InputChecks, path: string, args: TrustedWorkloadArgs, wildcards: boolean): pulumi.Output<TrustedWorkload> {
  const provider = checks.value(`${path}.providerArn`, { arn: args.providerArn, issuer: args.issuer }, providerViolation);
  return pulumi.output({
    issuer: checks.value(`${path}.issuer`, args.issuer, (value) => textViolation(textRules.issuerUrl, value)),
    subject: checks.value(`${path}.subject`, args.subject, (value) => subjectViolation(value, wildcards)),
    audience: checks.value(`${path}.audience`, args.audience, (value) => exactViolation("clientId", value)),
    providerArn: provider.arn,
  });
}

function providerViolation({ arn, issuer }: { arn: string; issuer: string }): string | undefined {
  const malformed = textViolation(textRules.oidcProviderArn, arn);
  if (malformed !== undefined || providerIsOf(arn, issuer)) return malformed;
  return `must end with oidc-provider/${issuerName(issuer)} to be the provider of ${issuer}; got ${arn}`;
}

function shortestWorkload(args: TrustedWorkloadArgs): TrustedWorkload {
  const issuer = knownOr(args.issuer, "https://a");
  return {
    issuer,
    subject: knownOr(args.subject, "a"),
    audience: knownOr(args.audience, "a"),
    providerArn: knownOr(args.providerArn, `arn:aws:iam::${textRules.accountId.example}:oidc-provider/${issuerName(issuer)}`),
  };
}

function trustText(workloads: TrustedWorkload[], sessionName: string | undefined): string {
  return serializePolicy(trustDocument(workloads, sessionName));
}
