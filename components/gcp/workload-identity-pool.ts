import * as pulumi from "@pulumi/pulumi";
import { WorkloadIdentityPool } from "@pulumi/gcp/iam/workloadIdentityPool.js";
import { WorkloadIdentityPoolProvider } from "@pulumi/gcp/iam/workloadIdentityPoolProvider.js";
import { numberViolation } from "../../facts/rules.js";
import { poolName, providerName } from "../../facts/gcp/identifiers.js";
import type { Mistake } from "../inputs.js";
import { awsAdmission, oidcAdmission, sessionNameRoom, type AwsRole } from "./attribute-mapping.js";
import { childOptions, GcpChecks, projectNumber } from "./common.js";
import { canonicalJwks, jwksViolation } from "./jwks.js";
import { immutableReason, poolAdoptionMistakes, providerAdoptionMistakes, takenReason } from "./provider-adoption.js";
import { judgeStated } from "./stated-admission.js";
import { numberRules, ruleViolation } from "../../facts/gcp/limits.js";

/** Tokens of an OpenID Connect issuer. */
export interface GcpOidcWorkloadArgs {
  /** The token's `iss`, byte for byte. */
  issuerUri: pulumi.Input<string>;
  /** The token's `sub`, byte for byte; at most 127 bytes. Let it name the tenant by an id that is never given to anybody else. */
  subject: pulumi.Input<string>;
  /**
   * The `aud` that the platform really mints: the provider then allows this audience and no other. Never the audience of
   * the STS request (`//iam.googleapis.com/…`), which follows from pool and provider.
   * Default: Google's, the provider's own name with or without `https:`.
   */
  tokenAudience?: pulumi.Input<string> | undefined;
  /**
   * The issuer's public keys as the JSON of a JWK set, for an issuer that Google cannot reach: at most 8 keys, RSA or EC
   * P-256. They have to be uploaded again whenever the issuer changes its keys. Default: Google fetches them.
   */
  jwksJson?: pulumi.Input<string> | undefined;
}

/** One IAM role of one AWS account. */
export interface GcpAwsWorkloadArgs {
  /** The account, which can never be changed on a provider. */
  accountId: pulumi.Input<string>;
  /** The role's name without its path, which is no part of what STS says. */
  roleName: pulumi.Input<string>;
  /** Only sessions of this exact name; a second lock where a role works for several tenants. Default: any session. */
  sessionName?: pulumi.Input<string> | undefined;
  /** The role's unique id (`AROA…`): a role that is made again under the same name is then refused. Default: not compared. */
  roleUniqueId?: pulumi.Input<string> | undefined;
  /**
   * How long the names of the role's sessions can be. With the role's own name they have to fit into Google's 127 bytes.
   * @default 64, all that AWS allows
   */
  longestSessionName?: pulumi.Input<number> | undefined;
  /** What audit logs show as the subject: `arn`, or `userid` (`AROA…:<session>`), which is always short enough. @default "arn" */
  subject?: pulumi.Input<string> | undefined;
  /**
   * Maps the attribute `aws_role` to the role's bare name, for bindings that have been made that way. The condition pins
   * account and role all the same.
   * @default false: Google's mapping, with account
   */
  bareRoleName?: boolean | undefined;
}

export interface GcpWorkloadIdentityPoolArgs {
  /** Id of the project that hosts the pool; it may be another than the one that rights are granted in. */
  projectId: pulumi.Input<string>;
  /** 4 to 32 characters. A deleted pool's id is taken for 30 days. */
  poolId: pulumi.Input<string>;
  /** 4 to 32 characters. A deleted provider's id is taken for 30 days. */
  providerId: pulumi.Input<string>;
  /** Who is trusted: this, or `aws`. */
  oidc?: GcpOidcWorkloadArgs | undefined;
  /** Who is trusted: this, or `oidc`. */
  aws?: GcpAwsWorkloadArgs | undefined;
  /**
   * The pool exists already. Nothing of it is changed. Bindings name the pool and not the provider: what its other
   * providers map to the same subject has the same rights. `cloud-federation verify --account` lists them.
   * @default false
   */
  existingPool?: boolean | undefined;
  /** The provider exists already, in an existing pool. It has to be exactly as it would be created. @default false */
  existingProvider?: boolean | undefined;
  /** With `existingProvider`: the mapping that it has, where that is another than it would be created with. */
  attributeMapping?: pulumi.Input<Record<string, pulumi.Input<string>>> | undefined;
  /** With `existingProvider`: the condition that it has, where that is another than it would be created with. */
  attributeCondition?: pulumi.Input<string> | undefined;
  /** Shown in the console, at most 32 characters. */
  displayName?: pulumi.Input<string> | undefined;
  /**
   * Whether `pulumi destroy` leaves a created pool and provider in the project.
   * @default true: what is deleted blocks its id for 30 days, and without bindings the identities of a pool may do nothing
   */
  retainOnDestroy?: boolean | undefined;
}

/**
 * Trust in one outside workload: a workload identity pool with a provider whose condition admits this workload alone.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class GcpWorkloadIdentityPool extends pulumi.ComponentResource {
  /** Number of the project that hosts the pool. */
  readonly projectNumber: pulumi.Output<string>;
  readonly poolId: pulumi.Output<string>;
  readonly providerId: pulumi.Output<string>;
  /** `projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>` */
  readonly providerName: pulumi.Output<string>;
  /** The member of IAM policies that the workload becomes. Known once the provider exists. */
  readonly principal: pulumi.Output<string>;
  /** The `aud` that the provider takes. For AWS the provider's own name, which the request to AWS STS is signed for. */
  readonly tokenAudience: pulumi.Output<string>;
  readonly attributeMapping: pulumi.Output<Record<string, string>>;
  readonly attributeCondition: pulumi.Output<string>;

  constructor(name: string, args: GcpWorkloadIdentityPoolArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpWorkloadIdentityPool", name, {}, opts);
    const checks = new GcpChecks(this, "GcpWorkloadIdentityPool", name);
    const projectId = checks.text("projectId", args.projectId, "projectId");
    const poolId = checks.text("poolId", args.poolId, "poolId");
    const providerId = checks.text("providerId", args.providerId, "providerId");
    const displayName = checks.optional("displayName", args.displayName, "displayName");
    const oidc = args.oidc && checkOidc(checks, args.oidc);
    const aws = args.aws && checkAws(checks, args.aws);
    checkChoices(checks, args);
    checks.finish();

    const admission = pulumi.all([oidc, aws]).apply(([tokens, role]) => (role ? awsAdmission(role) : oidcAdmission(tokens?.subject ?? "")));
    this.attributeMapping = pulumi.output(args.attributeMapping ?? admission.apply(({ mapping }) => ({ ...mapping })));
    this.attributeCondition = pulumi.output(args.attributeCondition ?? admission.apply(({ condition }) => condition));
    this.projectNumber = projectNumber(this, checks, projectId);
    this.poolId = poolId;
    this.providerId = providerId;

    const children = childOptions(this, opts);
    const made = (kind: "pool" | "provider") => ({
      ...children,
      retainOnDelete: args.retainOnDestroy ?? true,
      hooks: { onError: [this.explainFailure(`${name}-${kind}-failed`, kind, { projectId, poolId, providerId })] },
    });
    const adopted = this.adopt(checks, args, projectId, oidc, aws);
    const pool = args.existingPool
      ? undefined
      : new WorkloadIdentityPool(`${name}-pool`, { project: projectId, workloadIdentityPoolId: poolId, displayName }, made("pool"));
    const provider = args.existingProvider
      ? undefined
      : new WorkloadIdentityPoolProvider(
          `${name}-provider`,
          {
            project: projectId,
            workloadIdentityPoolId: pool?.workloadIdentityPoolId ?? adopted.apply(() => poolId),
            workloadIdentityPoolProviderId: providerId,
            displayName,
            attributeMapping: this.attributeMapping,
            attributeCondition: this.attributeCondition,
            ...(oidc && {
              oidc: {
                issuerUri: oidc.issuerUri,
                allowedAudiences: oidc.allowedAudiences,
                ...(args.oidc?.jwksJson === undefined ? {} : { jwksJson: oidc.apply(({ jwksJson }) => jwksJson ?? "") }),
              },
            }),
            ...(aws && { aws: { accountId: aws.accountId } }),
          },
          made("provider"),
        );

    // A binding to a principal of a provider that is not there yet would be of no use: both names wait for it.
    const ready = pulumi.all([this.projectNumber, poolId, provider?.workloadIdentityPoolProviderId ?? providerId, adopted, provider?.id]);
    this.providerName = ready.apply(([number, pool, id]) => providerName({ projectNumber: number, pool, provider: id }));
    this.principal = pulumi.all([ready, admission]).apply(([[number, id], admitted]) => admitted.principal(poolName(number, id)));
    this.tokenAudience = pulumi
      .all([this.providerName, oidc?.tokenAudience])
      .apply(([providerName, audience]) => audience ?? `${args.aws ? "" : "https:"}//iam.googleapis.com/${providerName}`);
    this.registerOutputs({
      projectNumber: this.projectNumber,
      poolId: this.poolId,
      providerId: this.providerId,
      providerName: this.providerName,
      principal: this.principal,
      tokenAudience: this.tokenAudience,
      attributeMapping: this.attributeMapping,
      attributeCondition: this.attributeCondition,
    });
  }

  /** Says what Google's error leaves out when an id is taken, or an account is to be changed; the error itself stands. */
  private explainFailure(hook: string, kind: "pool" | "provider", ids: { projectId: pulumi.Output<string>; poolId: pulumi.Output<string>; providerId: pulumi.Output<string> }): pulumi.ErrorHook {
    return new pulumi.ErrorHook(hook, async ({ errors }) => {
      const known = await new Promise<{ projectId: string; poolId: string; providerId: string }>((resolve) => pulumi.output(ids).apply(resolve));
      const reason = (kind === "provider" ? immutableReason(errors, known) : undefined) ?? takenReason(errors, kind === "pool" ? { projectId: known.projectId, poolId: known.poolId } : known);
      if (reason !== undefined) await pulumi.log.error(reason, this);
      return false;
    });
  }

  /** Compares what exists with what is needed. Resolves when nothing differs. */
  private adopt(
    checks: GcpChecks,
    args: GcpWorkloadIdentityPoolArgs,
    projectId: pulumi.Output<string>,
    oidc: pulumi.Output<OidcWorkload> | undefined,
    aws: pulumi.Output<AwsRole> | undefined,
  ): pulumi.Output<true> {
    if (!args.existingPool) return pulumi.output(true as const);
    const { attributeMapping: mapping, attributeCondition: condition, poolId, providerId } = this;
    return pulumi.output({ projectId, poolId, providerId, mapping, condition, oidc, aws }).apply(async ({ aws: role, ...expected }) => {
      const found = args.existingProvider ? judgeStated({ ...expected, aws: role }) : [];
      found.push(...(await poolAdoptionMistakes(expected, { parent: this })));
      if (found.length === 0 && args.existingProvider) {
        found.push(...(await providerAdoptionMistakes({ ...expected, awsAccountId: role?.accountId }, { parent: this })));
      }
      if (found.length > 0) throw checks.error(found);
      if (!args.existingProvider) {
        await pulumi.log.warn(
          `Bindings name the pool ${expected.poolId} and not its providers: what other providers in it map to the same subject or attribute has the same rights. \`cloud-federation verify --account\` lists them.`,
          this,
        );
      }
      return true as const;
    });
  }
}

interface OidcWorkload {
  issuerUri: string;
  subject: string;
  tokenAudience: string | undefined;
  allowedAudiences: string[];
  jwksJson: string | undefined;
}

function checkOidc(checks: GcpChecks, args: GcpOidcWorkloadArgs): pulumi.Output<OidcWorkload> {
  const audience = args.tokenAudience === undefined ? undefined : checks.value("oidc.tokenAudience", args.tokenAudience, tokenAudienceViolation);
  const jwks = args.jwksJson === undefined ? undefined : checks.value("oidc.jwksJson", args.jwksJson, jwksViolation);
  return pulumi.output({
    issuerUri: checks.text("oidc.issuerUri", args.issuerUri, "issuerUri"),
    subject: checks.text("oidc.subject", args.subject, "subject"),
    tokenAudience: audience,
    allowedAudiences: audience === undefined ? [] : [audience],
    jwksJson: jwks?.apply(canonicalJwks),
  });
}

/** The audience of the STS request is often taken for that of the token. */
export function tokenAudienceViolation(value: string): string | undefined {
  if (/^(?:\/\/iam\.googleapis\.com\/|projects\/)/.test(value)) {
    return `must be the \`aud\` in the platform's tokens, and ${value} is the audience of the STS request, which follows from pool and provider; leave it out if the tokens have the provider's name`;
  }
  return ruleViolation("tokenAudience", value);
}

function checkAws(checks: GcpChecks, args: GcpAwsWorkloadArgs): pulumi.Output<AwsRole> {
  if (args.longestSessionName !== undefined) checks.value("aws.longestSessionName", args.longestSessionName, (value) => numberViolation(numberRules.sessionNameLength, value));
  const subject = checks.value("aws.subject", args.subject ?? "arn", (value) => (value === "arn" || value === "userid" ? undefined : `must be arn or userid; got ${JSON.stringify(value)}`));
  checks.check(
    { roleName: args.roleName, sessionName: args.sessionName, longest: args.longestSessionName ?? numberRules.sessionNameLength.max, subject: args.subject ?? "arn" },
    subjectBudgetMistakes,
  );
  return pulumi.output({
    accountId: checks.text("aws.accountId", args.accountId, "awsAccountId"),
    roleName: checks.text("aws.roleName", args.roleName, "awsRoleName"),
    sessionName: checks.optional("aws.sessionName", args.sessionName, "awsSessionName"),
    uniqueId: checks.optional("aws.roleUniqueId", args.roleUniqueId, "awsRoleUniqueId"),
    subject: subject as pulumi.Output<"arn" | "userid">,
    bareRoleName: args.bareRoleName ?? false,
  });
}

/** Whether every session's ARN fits into `google.subject`. */
export function subjectBudgetMistakes({ roleName, sessionName, longest, subject }: { roleName: string; sessionName?: string | undefined; longest: number; subject: string }): Mistake[] {
  if (subject !== "arn") return [];
  const room = sessionNameRoom(roleName);
  const length = sessionName?.length ?? longest;
  if (length <= room) return [];
  const reason =
    `leaves ${Math.max(room, 0)} of Google's 127 bytes for the session's name behind \`arn:aws:sts::<account>:assumed-role/${roleName}/\`, and that may have ${length}: ` +
    (room < 2 ? "" : `set longestSessionName to ${room} or less, if the sessions are named so, or `) +
    "set subject to userid";
  return [{ path: "aws.roleName", reason }];
}

function checkChoices(checks: GcpChecks, args: GcpWorkloadIdentityPoolArgs): void {
  if ((args.oidc === undefined) === (args.aws === undefined)) checks.add("oidc, aws", `must be one of the two; got ${args.oidc ? "both" : "neither"}`);
  if (args.existingProvider && !args.existingPool) checks.add("existingPool", "must be true with existingProvider: the provider's pool exists too");
  for (const path of ["attributeMapping", "attributeCondition"] as const) {
    if (args[path] !== undefined && !args.existingProvider) checks.add(path, "goes with existingProvider only: a created provider's is made of the workload, exactly");
  }
  if (args.existingPool && args.retainOnDestroy === false && args.existingProvider) {
    checks.add("retainOnDestroy", "has no effect on an existing pool and provider, which are never changed: leave it out");
  }
}
